#include "views/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "views/file.h"

#define BOOT "boot"
#define CLEAN "clean"
#define BOOT_ID_MAX 64

kappa_status_t
kappa_boot_begin(int dir, const char *boot_id, kappa_errors_t *errors)
{
    return kappa_file_replace(dir, BOOT, kappa_str_c(boot_id), errors);
}

/* Whether `boot` names this boot. A missing or odd file names another. */
static kappa_status_t
is_this_boot(int dir, const char *boot_id, bool *same, kappa_errors_t *errors)
{
    char text[BOOT_ID_MAX + 1];
    int fd = openat(dir, BOOT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    *same = false;
    if (fd < 0 && errno == ENOENT) {
        return KAPPA_OK;
    }

    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text, 0);
    if (n < 0) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "can't read the views' boot id: %s", strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    if (n < 0) {
        return KAPPA_IO;
    }
    *same = kappa_str_eq_c(kappa_str(text, (size_t)n), boot_id);
    return KAPPA_OK;
}

kappa_status_t
kappa_boot_trusted(
    int dir, const char *boot_id, bool *trusted, kappa_errors_t *errors)
{
    kappa_status_t status = is_this_boot(dir, boot_id, trusted, errors);

    if (status == KAPPA_OK && !*trusted) {
        *trusted = faccessat(dir, CLEAN, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    }
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
    return kappa_file_replace(dir, CLEAN, KAPPA_STR("clean\n"), errors);
}
