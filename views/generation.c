#include "views/generation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "views/about.h"
#include "views/boot.h"
#include "views/file.h"

#define CURRENT "current"
#define PREVIOUS "previous"
#define REFUSED "refused"
#define ABOUT "about"
#define ABOUT_BYTES_MAX 8192
#define NUMBER_MAX 99999999
#define GENERATIONS_MAX 10000

typedef struct {
    char text[40];
} name_t;

static name_t
name_of(uint32_t number)
{
    name_t name;

    snprintf(name.text, sizeof name.text, "%04u", number);
    return name;
}

static name_t
schema_name_of(uint32_t revision)
{
    name_t name;

    snprintf(name.text, sizeof name.text, "schema-%u.graphql", revision);
    return name;
}

static kappa_status_t
failed(kappa_errors_t *errors, const char *what, const char *name)
{
    kappa_errors_add(errors, "STORE_UNAVAILABLE", "can't %s views/%s: %s",
        what, name, strerror(errno));
    return KAPPA_IO;
}

/* Views can be had anew, but not in the middle of an upgrade. */
static kappa_status_t
newer(kappa_errors_t *errors, uint32_t number)
{
    kappa_errors_add(errors, "STORE_UNAVAILABLE",
        "views/%s were made by a newer version of kappa: run that one, or "
        "delete views/ and start again, the log gives them back",
        name_of(number).text);
    return KAPPA_CORRUPT;
}

static kappa_status_t
broken(kappa_errors_t *errors, uint32_t number, const char *name)
{
    kappa_errors_add(errors, "STORE_UNAVAILABLE",
        "views/%s/%s is not what kappa writes; delete views/ and start again, "
        "the log gives them back",
        name_of(number).text, name);
    return KAPPA_CORRUPT;
}

/* Four digits or more, as name_of writes them. */
static bool
parse_number(kappa_str_t s, uint32_t *number)
{
    int64_t n;

    if (s.len < 4 || s.data[0] == '-' || !kappa_str_to_int64(s, &n) || n < 1
        || n > NUMBER_MAX || (s.len > 4 && s.data[0] == '0')) {
        return false;
    }
    *number = (uint32_t)n;
    return true;
}

/* --- current */

static kappa_status_t
read_name(
    int views, const char *file, uint32_t *number, kappa_errors_t *errors)
{
    char text[32];
    int fd = openat(views, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return errno == ENOENT ? KAPPA_NOT_FOUND
                               : failed(errors, "open", file);
    }
    ssize_t n = pread(fd, text, sizeof text, 0);
    close(fd);
    if (n < 0) {
        return failed(errors, "read", file);
    }
    if (n && text[n - 1] == '\n') {
        n--;
    }
    if (!parse_number(kappa_str(text, (size_t)n), number)) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "views/%s names no generation; delete views/ and start "
            "again, the log gives them back",
            file);
        return KAPPA_CORRUPT;
    }
    return KAPPA_OK;
}

static kappa_status_t
write_name(
    int views, const char *file, uint32_t number, kappa_errors_t *errors)
{
    char text[sizeof(name_t) + 2];

    snprintf(text, sizeof text, "%s\n", name_of(number).text);
    return kappa_file_replace(views, file, kappa_str_c(text), errors);
}

kappa_status_t
kappa_current_read(int views, uint32_t *number, kappa_errors_t *errors)
{
    return read_name(views, CURRENT, number, errors);
}

kappa_status_t
kappa_current_write(int views, uint32_t number, kappa_errors_t *errors)
{
    return write_name(views, CURRENT, number, errors);
}

/* --- the directories */

typedef struct {
    uint32_t numbers[GENERATIONS_MAX];
    uint32_t count;
} listing_t;

static int
ascending(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static kappa_status_t
list(int views, listing_t *listing, kappa_errors_t *errors)
{
    int fd = openat(views, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (dir == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return failed(errors, "list", "");
    }
    listing->count = 0;
    while ((entry = readdir(dir)) && listing->count < GENERATIONS_MAX) {
        if (parse_number(kappa_str_c(entry->d_name),
                &listing->numbers[listing->count])) {
            listing->count++;
        }
    }
    closedir(dir);
    qsort(listing->numbers, listing->count, sizeof listing->numbers[0],
        ascending);
    return KAPPA_OK;
}

kappa_status_t
kappa_generations_each(int views, void (*each)(void *ctx, uint32_t number),
    void *ctx, kappa_errors_t *errors)
{
    listing_t listing;
    kappa_status_t status = list(views, &listing, errors);

    for (uint32_t i = 0; status == KAPPA_OK && i < listing.count; i++) {
        each(ctx, listing.numbers[i]);
    }
    return status;
}

kappa_status_t
kappa_generation_open(int views, uint32_t number, const kappa_alloc_t *alloc,
    kappa_generation_t **out, kappa_errors_t *errors)
{
    name_t name = name_of(number);
    struct stat st;
    int dir = openat(
        views, name.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (dir < 0) {
        return errno == ENOENT ? KAPPA_NOT_FOUND
                               : failed(errors, "open", name.text);
    }
    if (fstat(dir, &st) != 0) {
        close(dir);
        return failed(errors, "look at", name.text);
    }

    kappa_generation_t *generation =
        alloc->alloc(alloc->ctx, sizeof *generation);
    if (generation == NULL) {
        close(dir);
        return KAPPA_NOMEM;
    }
    *generation = (kappa_generation_t){
        .number = number, .dir = dir, .inode = st.st_ino, .alloc = alloc
    };
    *out = generation;
    return KAPPA_OK;
}

/* Somebody else may make one at the same moment: then the next number. */
static kappa_status_t
make_directory(int views, uint32_t *number, kappa_errors_t *errors)
{
    listing_t listing;
    kappa_status_t status = list(views, &listing, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    *number = listing.count ? listing.numbers[listing.count - 1] : 0;
    for (int tries = 0; tries < 100; tries++) {
        (*number)++;
        if (mkdirat(views, name_of(*number).text, 0750) == 0) {
            return kappa_dir_sync(views, errors);
        }
        if (errno != EEXIST) {
            break;
        }
    }
    return failed(errors, "make", name_of(*number).text);
}

kappa_status_t
kappa_generation_make(int views, const kappa_alloc_t *alloc,
    const char *boot_id, kappa_generation_t **out, kappa_errors_t *errors)
{
    uint32_t number;
    kappa_status_t status = make_directory(views, &number, errors);

    if (status == KAPPA_OK) {
        status = kappa_generation_open(views, number, alloc, out, errors);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_boot_begin((*out)->dir, boot_id, errors);
    if (status != KAPPA_OK) {
        kappa_generation_close(*out);
        kappa_generation_remove(views, number);
        return status;
    }
    (*out)->boot_ours = true;
    return KAPPA_OK;
}

kappa_status_t
kappa_generation_attach(kappa_generation_t *generation, const char *views_path,
    size_t map_size, kappa_errors_t *errors)
{
    const kappa_alloc_t *alloc = generation->alloc;
    size_t room = strlen(views_path) + sizeof(name_t) + 2;
    char *path = alloc->alloc(alloc->ctx, room);

    if (path == NULL) {
        return KAPPA_NOMEM;
    }
    snprintf(
        path, room, "%s/%s", views_path, name_of(generation->number).text);

    kappa_status_t status =
        kappa_env_open(path, map_size, alloc, &generation->env, errors);
    alloc->release(alloc->ctx, path);
    return status;
}

void
kappa_generation_close(kappa_generation_t *generation)
{
    kappa_env_close(generation->env);
    close(generation->dir);
    generation->alloc->release(generation->alloc->ctx, generation);
}

bool
kappa_generation_there(const kappa_generation_t *generation, int views)
{
    struct stat st;

    return fstatat(views, name_of(generation->number).text, &st,
               AT_SYMLINK_NOFOLLOW)
        == 0
        && st.st_ino == generation->inode;
}

static void
remove_files(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (listing == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    while ((entry = readdir(listing))) {
        if (entry->d_name[0] != '.') {
            unlinkat(dir, entry->d_name, 0);
        }
    }
    closedir(listing);
}

void
kappa_generation_remove(int views, uint32_t number)
{
    name_t name = name_of(number);
    int dir = openat(
        views, name.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (dir >= 0) {
        remove_files(dir);
        close(dir);
        unlinkat(views, name.text, AT_REMOVEDIR);
    }
}

/* --- the one before */

/* Only what was completed has the file `about`. */
static bool
is_complete(int views, uint32_t number)
{
    char path[sizeof(name_t) + sizeof ABOUT + 1];

    snprintf(path, sizeof path, "%s/" ABOUT, name_of(number).text);
    return faccessat(views, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

kappa_status_t
kappa_previous_write(int views, uint32_t number, kappa_errors_t *errors)
{
    return write_name(views, PREVIOUS, number, errors);
}

kappa_status_t
kappa_generation_before(
    int views, uint32_t serving, uint32_t *before, kappa_errors_t *errors)
{
    listing_t listing;
    kappa_status_t status = read_name(views, PREVIOUS, before, NULL);

    if (status == KAPPA_IO) {
        return failed(errors, "read", PREVIOUS);
    }
    if (status == KAPPA_OK && *before != serving
        && is_complete(views, *before)) {
        return KAPPA_OK;
    }
    *before = 0;
    status = list(views, &listing, errors);
    for (uint32_t i = 0; status == KAPPA_OK && i < listing.count
         && listing.numbers[i] < serving;
         i++) {
        if (is_complete(views, listing.numbers[i])) {
            *before = listing.numbers[i];
        }
    }
    return status;
}

kappa_status_t
kappa_refused_write(int views, kappa_str_t text, kappa_errors_t *errors)
{
    char digest[KAPPA_DIGEST_CHARS + 1];

    if (text.data == NULL) {
        return unlinkat(views, REFUSED, 0) == 0 || errno == ENOENT
            ? KAPPA_OK
            : failed(errors, "delete", REFUSED);
    }
    kappa_digest_of(text, digest);
    return kappa_file_replace(views, REFUSED, kappa_str_c(digest), errors);
}

bool
kappa_refused_is(int views, kappa_str_t text)
{
    char digest[KAPPA_DIGEST_CHARS + 1], found[KAPPA_DIGEST_CHARS + 1];
    int fd = openat(views, REFUSED, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return false;
    }
    ssize_t n = pread(fd, found, sizeof found, 0);
    close(fd);
    kappa_digest_of(text, digest);
    return n == KAPPA_DIGEST_CHARS
        && memcmp(found, digest, KAPPA_DIGEST_CHARS) == 0;
}

/* --- about, schema */

kappa_status_t
kappa_generation_about(const kappa_generation_t *generation,
    kappa_arena_t *arena, kappa_about_t *out, kappa_errors_t *errors)
{
    kappa_str_t text;
    kappa_status_t status = kappa_file_read(
        generation->dir, ABOUT, ABOUT_BYTES_MAX, arena, &text, errors);

    if (status == KAPPA_OK && kappa_about_is_newer(text)) {
        return newer(errors, generation->number);
    }
    if (status == KAPPA_NOT_FOUND
        || (status == KAPPA_OK && !kappa_about_parse(text, out))) {
        return broken(errors, generation->number, ABOUT);
    }
    return status;
}

uint32_t
kappa_generation_revision(const kappa_generation_t *generation)
{
    char text[ABOUT_BYTES_MAX];
    kappa_about_t about;
    int fd = openat(generation->dir, ABOUT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text, 0);

    if (fd >= 0) {
        close(fd);
    }
    return n > 0 && kappa_about_parse(kappa_str(text, (size_t)n), &about)
        ? about.revision
        : 0;
}

kappa_status_t
kappa_generation_schema(const kappa_generation_t *generation,
    uint32_t revision, kappa_arena_t *arena, kappa_str_t *text,
    kappa_errors_t *errors)
{
    name_t name = schema_name_of(revision);
    kappa_status_t status = kappa_file_read(generation->dir, name.text,
        KAPPA_SCHEMA_BYTES_MAX, arena, text, errors);

    return status == KAPPA_NOT_FOUND
        ? broken(errors, generation->number, name.text)
        : status;
}

kappa_status_t
kappa_generation_adopt(const kappa_generation_t *generation,
    const kappa_about_t *about, kappa_str_t text, kappa_errors_t *errors)
{
    kappa_buf_t buf;
    kappa_status_t status = kappa_file_replace(
        generation->dir, schema_name_of(about->revision).text, text, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    kappa_buf_init(&buf, generation->alloc);
    kappa_about_write(&buf, about, text);
    status = buf.failed ? KAPPA_NOMEM
                        : kappa_file_replace(generation->dir, ABOUT,
                            kappa_buf_view(&buf), errors);
    kappa_buf_release(&buf);
    if (status == KAPPA_OK && about->revision > 2) {
        unlinkat(generation->dir, schema_name_of(about->revision - 2).text, 0);
    }
    return status;
}

static kappa_status_t
current_schema(int views, kappa_arena_t *arena, kappa_str_t *name,
    kappa_str_t *text, kappa_errors_t *errors)
{
    kappa_generation_t *generation;
    kappa_about_t about;
    uint32_t number;
    kappa_status_t status = kappa_current_read(views, &number, errors);

    if (status == KAPPA_OK) {
        status = kappa_generation_open(
            views, number, &kappa_alloc_libc, &generation, errors);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_generation_about(generation, arena, &about, errors);
    if (status == KAPPA_OK) {
        *name = about.schema_name;
        status = kappa_generation_schema(
            generation, about.revision, arena, text, errors);
    }
    kappa_generation_close(generation);
    return status;
}

kappa_status_t
kappa_views_schema(const char *store, kappa_arena_t *arena, kappa_str_t *name,
    kappa_str_t *text, kappa_errors_t *errors)
{
    kappa_str_t path = kappa_str_printf(arena, "%s/views", store);

    if (path.data == NULL) {
        return KAPPA_NOMEM;
    }
    int views = open(path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (views < 0) {
        return KAPPA_NOT_FOUND;
    }
    kappa_status_t status = current_schema(views, arena, name, text, errors);
    close(views);
    return status;
}
