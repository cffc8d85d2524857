/* A disk that fails, or waits, when a test says so: put before libc by
 * LD_PRELOAD (Kappa::Faults). KAPPA_FAULTS names a file, mapped and shared by
 * all processes:
 *
 *     i32 error   errno to fail with; 0: none
 *     i32 left    how many calls more; -1: for ever
 *     i32 calls   which: 1 pwrite and writev, 2 fdatasync, 4 fallocate, 8
 * pwrite of less than 512 bytes (the page that LMDB commits by) i32 gate    1:
 * fdatasync waits i32 waiting how many do i32 met     calls that failed char
 * path[104]  files whose path holds this, and no others */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    WRITE = 1,
    SYNC = 2,
    ALLOCATE = 4,
    SMALL = 8
};

typedef struct {
    atomic_int error;
    atomic_int left;
    atomic_int calls;
    atomic_int gate;
    atomic_int waiting;
    atomic_int met;
    char path[104];
} control_t;

static control_t *control;

__attribute__((constructor)) static void
map_control(void)
{
    const char *path = getenv("KAPPA_FAULTS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (fd >= 0) {
        void *map = mmap(NULL, sizeof(control_t), PROT_READ | PROT_WRITE,
            MAP_SHARED, fd, 0);
        control = map == MAP_FAILED ? NULL : map;
        close(fd);
    }
}

static int
is_meant(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);

    if (n < 0) {
        return 0;
    }
    path[n] = '\0';
    return control->path[0] != '\0' && strstr(path, control->path) != NULL;
}

/* The errno to fail with, or 0. */
static int
fault(int call, int fd)
{
    int error = control ? control->error : 0;

    if (error == 0 || !(control->calls & call) || !is_meant(fd)) {
        return 0;
    }
    if (control->left == 0) {
        return 0;
    }
    if (control->left > 0) {
        control->left--;
    }
    control->met++;
    return error;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t
pwrite(int fd, const void *from, size_t n, off_t at)
{
    int error = fault(n < 512 ? WRITE | SMALL : WRITE, fd);

    if (error) {
        errno = error;
        return -1;
    }
    return REAL(pwrite)(fd, from, n, at);
}

ssize_t
pwrite64(int fd, const void *from, size_t n, off64_t at)
{
    return pwrite(fd, from, n, at);
}

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
    int error = fault(WRITE, fd);

    if (error) {
        errno = error;
        return -1;
    }
    return REAL(writev)(fd, parts, count);
}

int
fdatasync(int fd)
{
    int error = fault(SYNC, fd);

    if (error) {
        errno = error;
        return -1;
    }
    if (control && control->gate && is_meant(fd)) {
        control->waiting++;
        while (control->gate) {
            usleep(1000);
        }
        control->waiting--;
    }
    return REAL(fdatasync)(fd);
}

int
posix_fallocate(int fd, off_t from, off_t len)
{
    int error = fault(ALLOCATE, fd);

    return error ? error : REAL(posix_fallocate)(fd, from, len);
}

int
posix_fallocate64(int fd, off64_t from, off64_t len)
{
    return posix_fallocate(fd, from, len);
}
