#define _GNU_SOURCE /* F_OFD_SETLK */
#include "views/build_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/flock.h"

#define BUILD "build"

static struct flock
whole_file(short type)
{
    return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

kappa_status_t
kappa_build_lock(int views, int patience_ms, int *fd, kappa_errors_t *errors)
{
    struct flock mark = whole_file(F_WRLCK);
    int rc;

    *fd =
        openat(views, BUILD, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    rc = *fd < 0 ? -errno : kappa_flock(*fd, patience_ms);
    if (rc == 0) {
        /* Refused only where the file system has no such locks: then there
         * is a builder that nobody sees. */
        if (ftruncate(*fd, 0) == 0) {
            (void)fcntl(*fd, F_OFD_SETLK, &mark);
        }
        return KAPPA_OK;
    }

    if (rc != -EWOULDBLOCK) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "can't lock views/build: %s", strerror(-rc));
    }
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return rc == -EWOULDBLOCK ? KAPPA_BUSY : KAPPA_IO;
}

void
kappa_build_write(int fd, const kappa_build_state_t *state)
{
    if (pwrite(fd, state, sizeof *state, 0) < 0) {
        return; /* a full disk, perhaps: the build itself will say so */
    }
}

bool
kappa_build_read(int views, kappa_build_state_t *state)
{
    struct flock mark = whole_file(F_WRLCK);
    int fd = openat(views, BUILD, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool running = false;

    if (fd < 0) {
        return false;
    }
    /* A lock for writing can't be taken on a descriptor for reading, but it
     * can be asked about. */
    if (fcntl(fd, F_OFD_GETLK, &mark) == 0 && mark.l_type != F_UNLCK) {
        running = pread(fd, state, sizeof *state, 0) == sizeof *state;
    }
    close(fd);
    return running;
}
