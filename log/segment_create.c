#include "log/embedded.h"

#include <errno.h>
#include <fcntl.h>

#define TEMPORARY "segment.new"
#define ZEROS (64 * 1024)

int
kappa_log_write_all(const kappa_log_io_t *io, int fd, const void *data,
    size_t n, uint64_t at, size_t *written)
{
    *written = 0;
    while (*written < n) {
        ssize_t put = io->pwrite(io->ctx, fd, (const char *)data + *written,
            n - *written, at + *written);

        if (put <= 0) {
            return put < 0 ? (int)put : -EIO;
        }
        *written += (size_t)put;
    }
    return 0;
}

int
kappa_log_write_zeros(
    const kappa_log_io_t *io, int fd, uint64_t from, uint64_t to)
{
    static const char zeros[ZEROS];

    while (from < to) {
        size_t n = to - from < ZEROS ? (size_t)(to - from) : ZEROS;
        size_t written;
        int rc = kappa_log_write_all(io, fd, zeros, n, from, &written);

        if (rc < 0) {
            return rc;
        }
        from += n;
    }
    return 0;
}

kappa_status_t
kappa_log_copy(kappa_window_t *window, const kappa_segment_content_t *content,
    int to_fd, uint64_t at)
{
    kappa_window_turn(window, content->fd);
    for (uint64_t from = content->from; from < content->to;) {
        kappa_str_t bytes;
        size_t written;
        kappa_status_t status = kappa_window_get(window, from, 1, &bytes);

        if (status != KAPPA_OK || bytes.len == 0) {
            return status != KAPPA_OK ? status : KAPPA_IO;
        }
        if (bytes.len > content->to - from) {
            bytes.len = (size_t)(content->to - from);
        }
        window->error = -kappa_log_write_all(
            window->io, to_fd, bytes.data, bytes.len, at, &written);
        if (window->error != 0) {
            return KAPPA_IO;
        }
        from += bytes.len;
        at += bytes.len;
    }
    return KAPPA_OK;
}

typedef struct {
    const kappa_segments_t *segments;
    kappa_window_t window;
    kappa_errors_t *errors;
    int fd;
} creation_t;

static kappa_status_t
failed(creation_t *creation, const char *what, int error)
{
    kappa_log_io_error(
        creation->errors, what, creation->segments->path, TEMPORARY, error);
    return KAPPA_IO;
}

static kappa_status_t
open_temporary(creation_t *creation, uint64_t bytes)
{
    const kappa_log_io_t *io = creation->segments->io;
    int dir = creation->segments->dir;

    io->unlink(io->ctx, dir, TEMPORARY); /* of one that died */
    creation->fd =
        io->open(io->ctx, dir, TEMPORARY, O_RDWR | O_CREAT | O_EXCL);
    if (creation->fd < 0) {
        return failed(creation, "create", creation->fd);
    }
    int rc = io->fallocate(io->ctx, creation->fd, bytes);

    return rc < 0 ? failed(creation, "make room for", rc) : KAPPA_OK;
}

static kappa_status_t
fill_temporary(creation_t *creation, uint64_t first, uint32_t prev_crc,
    const kappa_segment_content_t *content)
{
    const kappa_log_io_t *io = creation->segments->io;
    unsigned char header[KAPPA_SEGMENT_HEADER];
    size_t written;

    kappa_segment_header_write(header, first, prev_crc);
    int rc = kappa_log_write_all(
        io, creation->fd, header, sizeof(header), 0, &written);

    if (rc < 0) {
        return failed(creation, "write", rc);
    }
    kappa_status_t status = kappa_log_copy(
        &creation->window, content, creation->fd, KAPPA_SEGMENT_HEADER);

    if (status == KAPPA_IO) {
        return failed(creation, "write", creation->window.error);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    rc = io->fdatasync(io->ctx, creation->fd);
    return rc < 0 ? failed(creation, "sync", rc) : KAPPA_OK;
}

static kappa_status_t
give_name(creation_t *creation, uint64_t first, bool *named)
{
    const kappa_log_io_t *io = creation->segments->io;
    int dir = creation->segments->dir;
    char name[KAPPA_SEGMENT_NAME_CHARS + 1];

    kappa_segment_name(first, name);
    int rc = io->rename(io->ctx, dir, TEMPORARY, name);

    if (rc < 0) {
        return failed(creation, "rename", rc);
    }
    *named = true;
    rc = io->sync_dir(io->ctx, dir);
    if (rc < 0) {
        kappa_log_io_error(creation->errors, "sync the directory",
            creation->segments->path, NULL, rc);
        return KAPPA_IO;
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_segment_create(const kappa_segments_t *segments,
    const kappa_alloc_t *alloc, uint64_t first, uint32_t prev_crc,
    const kappa_segment_content_t *content, uint64_t bytes, int *fd,
    bool *named, kappa_errors_t *errors)
{
    const kappa_log_io_t *io = segments->io;
    creation_t creation = { .segments = segments, .errors = errors };

    *named = false;
    kappa_window_init(&creation.window, io, alloc);
    kappa_status_t status = open_temporary(&creation, bytes);

    if (status == KAPPA_OK) {
        status = fill_temporary(&creation, first, prev_crc, content);
    }
    if (status == KAPPA_OK) {
        status = give_name(&creation, first, named);
    }
    kappa_window_release(&creation.window);
    if (status == KAPPA_OK) {
        *fd = creation.fd;
        return KAPPA_OK;
    }
    if (creation.fd >= 0) {
        io->close(io->ctx, creation.fd);
    }
    if (!*named) {
        io->unlink(io->ctx, segments->dir, TEMPORARY);
    }
    return status;
}
