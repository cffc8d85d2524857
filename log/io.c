#define _GNU_SOURCE
#include "log/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/flock.h"

#define FILE_MODE 0640
#define DIR_MODE 0750

static int
result(int rc)
{
    return rc < 0 ? -errno : rc;
}

static int
libc_open_dir(void *ctx, const char *path, bool create)
{
    (void)ctx;
    if (create && mkdir(path, DIR_MODE) != 0 && errno != EEXIST) {
        return -errno;
    }
    return result(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int
libc_open(void *ctx, int dir, const char *name, int flags)
{
    (void)ctx;
    return result(openat(dir, name, flags | O_CLOEXEC, FILE_MODE));
}

static void
libc_close(void *ctx, int fd)
{
    (void)ctx;
    close(fd);
}

static int64_t
libc_size(void *ctx, int fd)
{
    struct stat st;

    (void)ctx;
    return fstat(fd, &st) != 0 ? -errno : (int64_t)st.st_size;
}

static int
libc_is_named(void *ctx, int dir, const char *name, int fd)
{
    struct stat named, opened;

    (void)ctx;
    if (fstat(fd, &opened) != 0) {
        return -errno;
    }
    if (fstatat(dir, name, &named, 0) != 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    return named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

static ssize_t
libc_pread(void *ctx, int fd, void *to, size_t n, uint64_t at)
{
    ssize_t got;

    (void)ctx;
    do {
        got = pread(fd, to, n, (off_t)at);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static ssize_t
libc_pwrite(void *ctx, int fd, const void *from, size_t n, uint64_t at)
{
    ssize_t put;

    (void)ctx;
    do {
        put = pwrite(fd, from, n, (off_t)at);
    } while (put < 0 && errno == EINTR);
    return put < 0 ? -errno : put;
}

static int
libc_fallocate(void *ctx, int fd, uint64_t size)
{
    int error;

    (void)ctx;
    do {
        error = posix_fallocate(fd, 0, (off_t)size);
    } while (error == EINTR);
    return -error;
}

static int
libc_fdatasync(void *ctx, int fd)
{
    (void)ctx;
    return result(fdatasync(fd));
}

static int
libc_sync_dir(void *ctx, int dir)
{
    (void)ctx;
    return result(fsync(dir));
}

static int
libc_rename(void *ctx, int dir, const char *from, const char *to)
{
    (void)ctx;
    return result(renameat(dir, from, dir, to));
}

static int
libc_unlink(void *ctx, int dir, const char *name)
{
    (void)ctx;
    return result(unlinkat(dir, name, 0));
}

static int
libc_list(
    void *ctx, int dir, bool (*each)(void *arg, const char *name), void *arg)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    int error;

    (void)ctx;
    if (stream == NULL) {
        error = errno;
        if (fd >= 0) {
            close(fd);
        }
        return -error;
    }
    do {
        errno = 0;
        entry = readdir(stream);
        error = errno;
    } while (entry != NULL && each(arg, entry->d_name));
    closedir(stream);
    return -error;
}

static int
libc_lock(void *ctx, int fd, int patience_ms)
{
    (void)ctx;
    return kappa_flock(fd, patience_ms);
}

static int
libc_unlock(void *ctx, int fd)
{
    (void)ctx;
    return result(flock(fd, LOCK_UN));
}

const kappa_log_io_t kappa_log_io_libc = { libc_open_dir, libc_open,
    libc_close, libc_size, libc_is_named, libc_pread, libc_pwrite,
    libc_fallocate, libc_fdatasync, libc_sync_dir, libc_rename, libc_unlink,
    libc_list, libc_lock, libc_unlock, NULL };
