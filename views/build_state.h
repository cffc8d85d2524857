#ifndef KAPPA_VIEWS_BUILD_STATE_H
#define KAPPA_VIEWS_BUILD_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/status.h"

/* STORE/views/build: the lock of who fills a generation (flock: one at a
 * time), and in it how far that is, for whoever asks. Whether somebody is at
 * it is told by a second lock (of the open file's description), which can be
 * looked at without being taken: a process that died holds neither. */

/* How far it is; all seqs. */
typedef struct {
    uint64_t generation; /* being filled */
    uint64_t from;       /* where this builder began */
    uint64_t built;
    uint64_t total; /* the log's end as it is known */
    uint64_t skipped;
    int64_t begun_us; /* monotonic */
} kappa_build_state_t;

/* Takes the lock. KAPPA_BUSY: another process has had it all that time. *fd is
 * closed by the caller: then it is free again. */
kappa_status_t kappa_build_lock(
    int views, int patience_ms, int *fd, kappa_errors_t *errors);

/* Best effort: it is for people. */
void kappa_build_write(int fd, const kappa_build_state_t *state);

/* False: nobody builds. */
bool kappa_build_read(int views, kappa_build_state_t *state);

#endif
