#include "views/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "views/file.h"

#define BOOT "boot"
#define CLEAN "clean"
#define DATA "data.mdb"
#define TEXT_MAX 128

/* What `boot` says: a copy has the boot's id too, but is another directory. */
static bool
describe(int dir, const char *boot_id, char text[TEXT_MAX])
{
    struct stat st;

    return fstat(dir, &st) == 0
        && snprintf(text, TEXT_MAX, "%s %" PRIx64 ":%" PRIu64, boot_id,
               (uint64_t)st.st_dev, (uint64_t)st.st_ino)
        < TEXT_MAX;
}

kappa_status_t
kappa_boot_begin(int dir, const char *boot_id, kappa_errors_t *errors)
{
    char text[TEXT_MAX];

    if (!describe(dir, boot_id, text)) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "can't look at the views' directory: %s", strerror(errno));
        return KAPPA_IO;
    }
    return kappa_file_replace(dir, BOOT, kappa_str_c(text), errors);
}

/* KAPPA_NOT_FOUND: there is no such file. */
static kappa_status_t
read_text(
    int dir, const char *name, char text[TEXT_MAX + 1], kappa_errors_t *errors)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 && errno == ENOENT) {
        return KAPPA_NOT_FOUND;
    }

    ssize_t n = fd < 0 ? -1 : pread(fd, text, TEXT_MAX, 0);
    if (n < 0) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "can't read the views' file \"%s\": %s", name, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    text[n < 0 ? 0 : n] = '\0';
    return n < 0 ? KAPPA_IO : KAPPA_OK;
}

/* Whether `boot` names this boot and this directory. A missing or odd file
 * names another. */
static kappa_status_t
is_this_boot(int dir, const char *boot_id, bool *same, kappa_errors_t *errors)
{
    char text[TEXT_MAX + 1], ours[TEXT_MAX];
    kappa_status_t status = read_text(dir, BOOT, text, errors);

    *same = status == KAPPA_OK && describe(dir, boot_id, ours)
        && strcmp(text, ours) == 0;
    return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
}

/* A copy that broke off has the mark, and less than what was marked: reading
 * past its end would be the end of the process. */
static kappa_status_t
is_whole(int dir, bool *marked, bool *whole, kappa_errors_t *errors)
{
    char text[TEXT_MAX + 1];
    struct stat st;
    uint64_t bytes = 0;
    kappa_status_t status = read_text(dir, CLEAN, text, errors);

    *marked = status == KAPPA_OK;
    *whole = true;
    if (*marked) {
        *whole = sscanf(text, "clean %" SCNu64, &bytes) == 1
            && fstatat(dir, DATA, &st, AT_SYMLINK_NOFOLLOW) == 0
            && (uint64_t)st.st_size >= bytes;
    }
    return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
}

kappa_status_t
kappa_boot_trusted(
    int dir, const char *boot_id, bool *trusted, kappa_errors_t *errors)
{
    bool marked = false, whole = false;
    kappa_status_t status = is_this_boot(dir, boot_id, trusted, errors);

    if (status == KAPPA_OK) {
        status = is_whole(dir, &marked, &whole, errors);
    }
    *trusted = whole && (*trusted || marked);
    return status;
}

/* The boot's name comes before the mark goes: what a crash leaves in between
 * is either still clean or of a boot that is over. */
kappa_status_t
kappa_boot_dirty(
    int dir, const char *boot_id, bool *ours, kappa_errors_t *errors)
{
    kappa_status_t status = KAPPA_OK;

    if (!*ours) {
        status = is_this_boot(dir, boot_id, ours, errors);
        if (status == KAPPA_OK && !*ours) {
            status = kappa_boot_begin(dir, boot_id, errors);
            *ours = status == KAPPA_OK;
        }
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (unlinkat(dir, CLEAN, 0) == 0) {
        return kappa_dir_sync(dir, errors);
    }
    if (errno != ENOENT) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "can't take the views' clean mark away: %s", strerror(errno));
        return KAPPA_IO;
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_boot_clean(int dir, kappa_errors_t *errors)
{
    char text[TEXT_MAX];
    struct stat st;

    if (fstatat(dir, DATA, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "can't look at the views' file \"" DATA "\": %s", strerror(errno));
        return KAPPA_IO;
    }
    snprintf(text, sizeof text, "clean %" PRIu64 "\n", (uint64_t)st.st_size);
    return kappa_file_replace(dir, CLEAN, kappa_str_c(text), errors);
}
