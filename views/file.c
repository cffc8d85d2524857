#include "views/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_BYTES 80
#define MODE 0640

static kappa_status_t
failed(kappa_errors_t *errors, const char *what, const char *name)
{
    kappa_errors_add(errors, "STORE_UNAVAILABLE", "can't %s \"%s\": %s", what,
        name, strerror(errno));
    return KAPPA_IO;
}

static kappa_status_t
read_fd(int fd, const char *name, size_t max, kappa_arena_t *arena,
    kappa_str_t *out, kappa_errors_t *errors)
{
    struct stat st;
    size_t n = 0;

    if (fstat(fd, &st) != 0) {
        return failed(errors, "look at", name);
    }
    if ((uint64_t)st.st_size > max) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "\"%s\" has more than %zu bytes", name, max);
        return KAPPA_LIMIT;
    }

    size_t size = (size_t)st.st_size;
    char *text = kappa_arena_bytes(arena, size + 1);
    if (text == NULL) {
        return KAPPA_NOMEM;
    }
    while (n < size) {
        ssize_t got = read(fd, text + n, size - n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return failed(errors, "read", name);
        }
        if (got == 0) {
            break;
        }
        n += (size_t)got;
    }
    text[n] = '\0';
    *out = kappa_str(text, n);
    return KAPPA_OK;
}

kappa_status_t
kappa_file_read(int dir, const char *name, size_t max, kappa_arena_t *arena,
    kappa_str_t *out, kappa_errors_t *errors)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return errno == ENOENT ? KAPPA_NOT_FOUND
                               : failed(errors, "open", name);
    }
    kappa_status_t status = read_fd(fd, name, max, arena, out, errors);
    close(fd);
    return status;
}

static kappa_status_t
write_all(int fd, const char *name, kappa_str_t text, kappa_errors_t *errors)
{
    while (text.len) {
        ssize_t n = write(fd, text.data, text.len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return failed(errors, "write", name);
        }
        text = kappa_str(text.data + n, text.len - (size_t)n);
    }
    return fsync(fd) == 0 ? KAPPA_OK : failed(errors, "sync", name);
}

kappa_status_t
kappa_file_replace(
    int dir, const char *name, kappa_str_t text, kappa_errors_t *errors)
{
    char temporary[NAME_MAX_BYTES];

    snprintf(temporary, sizeof temporary, "%s.tmp", name);

    int fd = openat(dir, temporary,
        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, MODE);
    if (fd < 0) {
        return failed(errors, "make", temporary);
    }
    kappa_status_t status = write_all(fd, temporary, text, errors);
    close(fd);
    if (status == KAPPA_OK && renameat(dir, temporary, dir, name) != 0) {
        status = failed(errors, "put in place", name);
    }
    if (status != KAPPA_OK) {
        unlinkat(dir, temporary, 0);
        return status;
    }
    return kappa_dir_sync(dir, errors);
}

kappa_status_t
kappa_dir_sync(int dir, kappa_errors_t *errors)
{
    return fsync(dir) == 0 ? KAPPA_OK
                           : failed(errors, "sync the directory of", ".");
}
