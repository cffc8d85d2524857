#include "cli/owner.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/tail.h"

void
kappa_cli_tell(const kappa_errors_t *errors)
{
    for (const kappa_error_t *e = errors->first; e != NULL; e = e->next) {
        const kappa_location_t *at = e->location_count ? e->locations : NULL;
        if (at != NULL && at->source != NULL) {
            fprintf(stderr, "%.*s:%u:%u: ", KAPPA_STR_ARG(at->source->name),
                at->line, at->column);
        } else {
            fputs("kappa: ", stderr);
        }
        fprintf(stderr, "%.*s\n", KAPPA_STR_ARG(e->message));
    }
    if (errors->more) {
        fputs("kappa: there are more errors\n", stderr);
    }
    if (errors->no_memory) {
        fputs("kappa: out of memory\n", stderr);
    }
}

/* The owner of dir, or of the nearest parent that exists. */
static bool
find_owner(const char *dir, struct stat *st)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s", dir) >= (int)sizeof(path)) {
        fprintf(stderr, "kappa: %s: the path is too long\n", dir);
        return false;
    }
    while (stat(path, st) != 0) {
        if (errno != ENOENT || strcmp(path, "/") == 0
            || strcmp(path, ".") == 0) {
            fprintf(stderr, "kappa: %s: %s\n", path, strerror(errno));
            return false;
        }
        /* dirname may give its argument or a static string. */
        char *parent = dirname(path);
        memmove(path, parent, strlen(parent) + 1);
    }
    return true;
}

static bool
become(uid_t uid, gid_t gid)
{
    const struct passwd *user = getpwuid(uid);

    return (user != NULL ? initgroups(user->pw_name, gid) : setgroups(1, &gid))
        == 0
        && setgid(gid) == 0 && setuid(uid) == 0;
}

bool
kappa_cli_become_owner(const char *dir)
{
    struct stat st;

    if (geteuid() != 0) {
        return true;
    }
    if (!find_owner(dir, &st)) {
        return false;
    }
    if (st.st_uid != 0 && !become(st.st_uid, st.st_gid)) {
        fprintf(stderr, "kappa: can't become the owner of %s: %s\n", dir,
            strerror(errno));
        return false;
    }
    return true;
}

kappa_status_t
kappa_cli_open_log(const char *dir, kappa_log_t **out, kappa_errors_t *errors)
{
    if (!kappa_cli_become_owner(dir)) {
        return KAPPA_IO;
    }
    kappa_status_t status =
        kappa_log_open(dir, &kappa_alloc_libc, NULL, out, errors);
    if (status == KAPPA_NOT_FOUND) {
        fprintf(stderr, "kappa: there is no store at %s\n", dir);
    } else if (status != KAPPA_OK) {
        kappa_cli_tell(errors);
    }
    return status;
}

kappa_status_t
kappa_cli_log_end(
    const char *dir, kappa_log_t *log, uint64_t *end, kappa_errors_t *errors)
{
    kappa_tail_t tail;
    kappa_position_t at;
    kappa_log_known_t nothing = { 0, 0 };

    kappa_status_t status = kappa_log_durable(log, end, errors);
    if (status == KAPPA_OK) {
        status = kappa_tail_open(&tail, dir, errors);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_tail_read(&tail, &at);
    kappa_tail_close(&tail);
    if (status == KAPPA_OK
        && kappa_epoch_eq(&at.epoch, kappa_log_epoch(log))) {
        *end = at.seq > *end ? at.seq : *end;
        return KAPPA_OK;
    }
    status = kappa_log_lock(log, errors);
    if (status == KAPPA_OK) {
        status = kappa_log_tail(log, &nothing, end, errors);
        kappa_log_unlock(log);
    }
    return status;
}

bool
kappa_cli_make_beside(const char *dir, const char *store)
{
    struct stat st;

    if (mkdir(dir, 0750) != 0) {
        if (errno == EEXIST) {
            return true;
        }
        fprintf(stderr, "kappa: can't make %s: %s\n", dir, strerror(errno));
        return false;
    }
    if (geteuid() == 0 && stat(store, &st) == 0
        && chown(dir, st.st_uid, st.st_gid) != 0) {
        fprintf(stderr, "kappa: %s: %s\n", dir, strerror(errno));
        return false;
    }
    return true;
}
