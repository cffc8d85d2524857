#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/uuid.h"
#include "views/secret.h"
#include "views/store.h"

/* Making a store, and giving it to who runs it. */

#define DEPTH_MAX 4
#define PATH_BYTES 4096

static kappa_status_t
failed(kappa_errors_t *errors, const char *what, const char *path)
{
    kappa_errors_add(errors, "STORE_UNAVAILABLE", "can't %s %s: %s", what,
        path, strerror(errno));
    return KAPPA_IO;
}

/* Calls each for every name in the directory but . and .., until it says
 * false. */
static kappa_status_t
list(int dir, const char *path, bool (*each)(void *, int, const char *),
    void *ctx, kappa_errors_t *errors)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (listing == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return failed(errors, "list", path);
    }
    while ((entry = readdir(listing))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0
            && !each(ctx, dir, name)) {
            break;
        }
    }
    closedir(listing);
    return KAPPA_OK;
}

/* --- giving it away */

typedef struct {
    uid_t uid;
    gid_t gid;
    const char *path;
    unsigned depth;
    kappa_errors_t *errors;
    kappa_status_t status;
} gift_t;

static bool give_one(void *ctx, int dir, const char *name);

static void
give_below(gift_t *gift, int dir, const char *name)
{
    int below =
        openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (below >= 0 && ++gift->depth < DEPTH_MAX) {
        gift->status = list(below, gift->path, give_one, gift, gift->errors);
    }
    if (below >= 0) {
        gift->depth--;
        close(below);
    }
}

/* Only what is root's, and no second name of a file elsewhere: the directory
 * may be another user's, who could have put it there. */
static bool
give_one(void *ctx, int dir, const char *name)
{
    gift_t *gift = ctx;
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return true;
    }
    if (st.st_uid == 0 && (S_ISDIR(st.st_mode) || st.st_nlink == 1)
        && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))
        && fchownat(dir, name, gift->uid, gift->gid, AT_SYMLINK_NOFOLLOW)
            != 0) {
        gift->status =
            failed(gift->errors, "give away what is in", gift->path);
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        give_below(gift, dir, name);
    }
    return gift->status == KAPPA_OK;
}

static kappa_status_t
give(int dir, const char *path, int uid, int gid, kappa_errors_t *errors)
{
    gift_t gift = { .uid = (uid_t)uid,
        .gid = (gid_t)gid,
        .path = path,
        .errors = errors,
        .status = KAPPA_OK };

    if (uid == -1 && gid == -1) {
        return KAPPA_OK;
    }
    (void)give_one(&gift, dir, ".");
    return gift.status;
}

/* --- making it */

static bool
note_name(void *ctx, int dir, const char *name)
{
    (void)dir;
    (void)name;
    *(bool *)ctx = true;
    return false;
}

static bool
has(int dir, const char *name)
{
    return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Whether it is nobody else's: empty, or a store, or one that was begun. */
static kappa_status_t
check_ours(int dir, const char *path, kappa_errors_t *errors)
{
    bool occupied = false;

    if (has(dir, "log")) {
        return KAPPA_OK;
    }
    if (has(dir, "views") && has(dir, "secret")) { /* these come last */
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "%s was a store, but its log/ is gone: restore it", path);
        return KAPPA_CORRUPT;
    }
    kappa_status_t status = list(dir, path, note_name, &occupied, errors);
    if (status == KAPPA_OK && occupied) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "%s is not empty and no store; name an empty or a new directory",
            path);
        return KAPPA_INVALID;
    }
    return status;
}

/* One that is there already is fine. */
static kappa_status_t
make_log(const char *path, kappa_errors_t *errors)
{
    uint8_t random[KAPPA_EPOCH_RANDOM];
    kappa_errors_t problems = { .arena = NULL };

    if (errors) {
        kappa_errors_init(&problems, errors->arena, 1);
    }
    kappa_random(random, sizeof random);
    kappa_status_t status =
        kappa_log_create(path, random, NULL, errors ? &problems : NULL);
    if (status == KAPPA_CONFLICT) {
        return KAPPA_OK;
    }
    if (problems.first) {
        kappa_errors_add(errors, problems.first->code, "%.*s",
            KAPPA_STR_ARG(problems.first->message));
    }
    return status;
}

static kappa_status_t
make(int dir, const char *path, kappa_errors_t *errors)
{
    kappa_status_t status = check_ours(dir, path, errors);

    if (status == KAPPA_OK) {
        status = make_log(path, errors);
    }
    if (status == KAPPA_OK && mkdirat(dir, "views", 0750) != 0
        && errno != EEXIST) {
        status = failed(errors, "make views/ in", path);
    }
    return status == KAPPA_OK ? kappa_secret_make(dir, errors) : status;
}

/* Directories above it are not made: one of them may be a disk that is not
 * mounted. */
static kappa_status_t
no_place(kappa_errors_t *errors, const char *path)
{
    kappa_errors_add(errors, "STORE_UNAVAILABLE",
        "can't make %s: %s: make the directory that it is to be in first",
        path, strerror(ENOENT));
    return KAPPA_IO;
}

/* Its name in the directory above: without it a loss of power takes all that
 * was synced below. Who may not read that one can't sync it. */
static kappa_status_t
sync_name(int dir, const char *path, kappa_errors_t *errors)
{
    int above = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    kappa_status_t status = KAPPA_OK;

    if (above >= 0) {
        if (fsync(above) != 0 && errno != EINVAL && errno != EROFS) {
            status = failed(errors, "sync the directory of", path);
        }
        close(above);
    }
    return status;
}

kappa_status_t
kappa_store_create(kappa_str_t name, int uid, int gid, kappa_errors_t *errors)
{
    char path[PATH_BYTES];

    if (name.len == 0 || name.len >= sizeof path) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "the path of a store has 1 to %d bytes", PATH_BYTES - 1);
        return KAPPA_INVALID;
    }
    memcpy(path, name.data, name.len);
    path[name.len] = '\0';
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return errno == ENOENT ? no_place(errors, path)
                               : failed(errors, "make", path);
    }

    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        return failed(errors, "open", path);
    }
    bool there = has(dir, "log/epoch");
    kappa_status_t status = there ? KAPPA_OK : sync_name(dir, path, errors);
    if (status == KAPPA_OK) {
        status = make(dir, path, errors);
    }
    if (status == KAPPA_OK) {
        status = give(dir, path, uid, gid, errors);
    }
    close(dir);
    return there && status == KAPPA_IO ? KAPPA_CORRUPT : status;
}
