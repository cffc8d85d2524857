#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

kappa_status_t
kappa_boot_id(char out[KAPPA_BOOT_ID_CHARS + 1], kappa_errors_t *errors)
{
    int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, KAPPA_BOOT_ID_CHARS);
    int error = errno;

    if (fd >= 0) {
        close(fd);
    }
    if (n != KAPPA_BOOT_ID_CHARS) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE", "can't read %s: %s",
            BOOT_ID_FILE, n < 0 ? strerror(error) : "too short");
        return KAPPA_IO;
    }
    out[KAPPA_BOOT_ID_CHARS] = '\0';
    return KAPPA_OK;
}
