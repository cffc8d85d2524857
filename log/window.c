#include "log/window.h"

void
kappa_window_init(kappa_window_t *window, const kappa_log_io_t *io,
    const kappa_alloc_t *alloc)
{
    *window = (kappa_window_t){ .io = io, .alloc = alloc, .fd = -1 };
}

void
kappa_window_release(kappa_window_t *window)
{
    if (window->data != NULL) {
        window->alloc->release(window->alloc->ctx, window->data);
    }
    kappa_window_init(window, window->io, window->alloc);
}

void
kappa_window_turn(kappa_window_t *window, int fd)
{
    window->fd = fd;
    window->len = 0;
    window->step = KAPPA_WINDOW_BYTES_MIN;
}

static kappa_status_t
grow(kappa_window_t *window, size_t n)
{
    if (window->cap >= n) {
        return KAPPA_OK;
    }
    char *data = window->alloc->alloc(window->alloc->ctx, n);

    if (data == NULL) {
        return KAPPA_NOMEM;
    }
    if (window->data != NULL) {
        window->alloc->release(window->alloc->ctx, window->data);
    }
    window->data = data;
    window->cap = n;
    window->len = 0;
    return KAPPA_OK;
}

static kappa_status_t
fill(kappa_window_t *window, uint64_t at, size_t n)
{
    window->at = at;
    window->len = 0;
    while (window->len < n) {
        ssize_t got = window->io->pread(window->io->ctx, window->fd,
            window->data + window->len, n - window->len, at + window->len);

        if (got < 0) {
            window->error = (int)-got;
            window->len = 0;
            return KAPPA_IO;
        }
        if (got == 0) {
            break;
        }
        window->len += (size_t)got;
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_window_get(
    kappa_window_t *window, uint64_t at, size_t n, kappa_str_t *out)
{
    uint64_t skip = at - window->at;

    if (at < window->at || skip > window->len || n > window->len - skip) {
        n = n > window->step ? n : window->step;
        kappa_status_t status = grow(window, n);

        if (status == KAPPA_OK) {
            status = fill(window, at, n);
        }
        if (window->step < KAPPA_WINDOW_BYTES_MAX) {
            window->step *= 2;
        }
        if (status != KAPPA_OK) {
            return status;
        }
        skip = 0;
    }
    *out = kappa_str(window->data + skip, window->len - (size_t)skip);
    return KAPPA_OK;
}
