#ifndef KAPPA_LOG_WINDOW_H
#define KAPPA_LOG_WINDOW_H

#include "base/alloc.h"
#include "base/status.h"
#include "base/str.h"
#include "log/io.h"

/* A part of a file in memory, read with pread: a bad sector is an error to
 * return and not a SIGBUS, as it would be in a mapping. */

/* What one read asks for: little at first, since a reader at the log's end
 * wants one event, twice as much each time it reads on. */
#define KAPPA_WINDOW_BYTES_MIN (16 * 1024)
#define KAPPA_WINDOW_BYTES_MAX (256 * 1024)

typedef struct {
    const kappa_log_io_t *io;
    const kappa_alloc_t *alloc;
    int fd; /* not owned */
    char *data;
    size_t cap;
    uint64_t at; /* where data begins in the file */
    size_t len;
    size_t step; /* what the next read asks for */
    int error;   /* errno of the last KAPPA_IO */
} kappa_window_t;

void kappa_window_init(kappa_window_t *window, const kappa_log_io_t *io,
    const kappa_alloc_t *alloc);
void kappa_window_release(kappa_window_t *window);

/* Forgets what was read: of another file, or because it has changed. */
void kappa_window_turn(kappa_window_t *window, int fd);

/* At least n bytes from `at` on, more if they are there; fewer only at the
 * file's end. They live until the next call. */
kappa_status_t kappa_window_get(
    kappa_window_t *window, uint64_t at, size_t n, kappa_str_t *out);

#endif
