#ifndef KAPPA_LOG_TAIL_H
#define KAPPA_LOG_TAIL_H

#include "base/error.h"
#include "base/status.h"
#include "log/position.h"

/* STORE/tail: the position of the last commit, written without sync after
 * each, watched by every worker. It is a hint and a wake-up: a lost or torn
 * one loses nothing. One line of text, KAPPA_TAIL_BYTES long. */

#define KAPPA_TAIL_BYTES 64

typedef struct {
    int fd; /* -1: not open */
} kappa_tail_t;

/* Opens STORE/tail, made empty when missing (mode 0640). */
kappa_status_t kappa_tail_open(
    kappa_tail_t *tail, const char *store, kappa_errors_t *errors);
void kappa_tail_close(kappa_tail_t *tail); /* a closed one is fine */

/* One pwrite. Under the log's lock, so it never goes back. */
kappa_status_t kappa_tail_write(
    kappa_tail_t *tail, const kappa_epoch_t *epoch, uint64_t seq);

/* KAPPA_NOT_FOUND: empty, or not whole (torn, half read): know nothing. */
kappa_status_t kappa_tail_read(
    const kappa_tail_t *tail, kappa_position_t *out);

/* A non-blocking inotify descriptor that becomes readable when STORE/tail is
 * written; the caller polls it, drains it and closes it. */
kappa_status_t kappa_tail_watch(
    const char *store, int *fd, kappa_errors_t *errors);

/* Reads all that waits: KAPPA_OK: it was written; KAPPA_AGAIN: nothing;
 * KAPPA_NOT_FOUND: the file is gone, watch again; KAPPA_IO. */
kappa_status_t kappa_tail_drain(int fd);

#endif
