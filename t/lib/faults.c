/* A disk that fails, or waits, when a test says so: put before libc by
 * LD_PRELOAD (Kappa::Faults). KAPPA_FAULTS names a file, mapped and shared by
 * all processes:
 *
 *     i32 error    errno to fail with; 0: none
 *     i32 left     how many calls more; -1: for ever
 *     i32 calls    which, a sum of those below
 *     i32 gate     1: fdatasync waits
 *     i32 waiting  how many do
 *     i32 met      calls that failed
 *     char path[104]  files whose path holds this, and no others
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    WRITE = 1, /* pwrite, write and writev */
    SYNC = 2,  /* fdatasync and fsync */
    ALLOCATE = 4,
    SMALL = 8,  /* pwrite of less than 512 bytes: the page LMDB commits by */
    OPEN = 16,  /* for writing, too: no descriptor is left */
    WATCH = 32, /* inotify_init1, whatever the path */
    SHORT = 64  /* pwrite and writev that write a part; error is none */
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
is_path(const char *path)
{
    return control->path[0] != '\0' && strstr(path, control->path) != NULL;
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
    return is_path(path);
}

/* The errno to fail with, or 0. */
static int
fail(int call)
{
    int error = control->error;

    if (error == 0 || !(control->calls & call)) {
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

static int
fault(int call, int fd)
{
    return control && control->error && is_meant(fd) ? fail(call) : 0;
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
    if (n > 1 && fault(SHORT, fd)) {
        n /= 2;
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
    if (count > 1 && fault(SHORT, fd)) {
        count /= 2;
    }
    return REAL(writev)(fd, parts, count);
}

ssize_t
write(int fd, const void *from, size_t n)
{
    int error = fault(WRITE, fd);

    if (error) {
        errno = error;
        return -1;
    }
    return REAL(write)(fd, from, n);
}

int
fsync(int fd)
{
    int error = fault(SYNC, fd);

    if (error) {
        errno = error;
        return -1;
    }
    return REAL(fsync)(fd);
}

int
inotify_init1(int flags)
{
    int error = control ? fail(WATCH) : 0;

    if (error) {
        errno = error;
        return -1;
    }
    return REAL(inotify_init1)(flags);
}

static int
open_fault(int dir, const char *name)
{
    char path[8192];
    int error = 0;

    if (control && control->error && (control->calls & OPEN)) {
        ssize_t n = 0;
        if (dir != AT_FDCWD && name[0] != '/') {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
            n = readlink(link, path, 4096);
        }
        snprintf(path + (n < 0 ? 0 : n), 4000, "/%s", name);
        error = is_path(path) ? fail(OPEN) : 0;
    }
    errno = error ? error : errno;
    return error;
}

int
openat(int dir, const char *name, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_fault(dir, name) ? -1 : REAL(openat)(dir, name, flags, mode);
}

int
openat64(int dir, const char *name, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return openat(dir, name, flags, mode);
}

int
open(const char *name, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return openat(AT_FDCWD, name, flags, mode);
}

int
open64(const char *name, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return openat(AT_FDCWD, name, flags, mode);
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
