#ifndef KAPPA_LOG_LOG_H
#define KAPPA_LOG_LOG_H

#include "base/alloc.h"
#include "base/error.h"
#include "base/status.h"
#include "log/event.h"
#include "log/forgotten.h"
#include "log/io.h"
#include "log/position.h"

/* The log: all events in order, for ever; the only source of truth. Each has
 * a sequence number from 1 without gaps. The embedded backend keeps segment
 * files in STORE/log (docs/events.md has the format and the recovery rules;
 * SEMANTICS 21 to 23 the protocol).
 *
 * One process, one handle, opened after fork. One thread uses a handle at a
 * time; cursors are independent of it and of each other, each used by one
 * thread at a time and closed before the handle. The allocator must be
 * thread-safe if cursors are used on other threads.
 *
 *     kappa_log_lock(log)
 *     kappa_log_tail(log, &known, &tail)       the tail made true
 *     … bring the views to `tail`, decide …
 *     kappa_log_append(log, events, n, tail, &new_tail)
 *     … commit the views, kappa_tail_write …
 *     kappa_log_unlock(log)
 *
 * Errors are LOG_UNAVAILABLE (KAPPA_IO, KAPPA_CORRUPT) or OUTCOME_UNKNOWN
 * (KAPPA_UNKNOWN) and name file and offset. */
typedef struct kappa_log_s kappa_log_t;

#define KAPPA_LOG_SEGMENT_BYTES (64 * 1024 * 1024)
#define KAPPA_LOG_SEGMENT_BYTES_MIN 4096

typedef struct {
    size_t segment_bytes;     /* 0: KAPPA_LOG_SEGMENT_BYTES */
    const kappa_log_io_t *io; /* NULL: kappa_log_io_libc */
    const char *boot_id;      /* NULL: the kernel's (kappa_boot_id) */
} kappa_log_options_t;

/* Makes STORE/log in an existing directory: epoch, lock, first segment; all
 * synced. options may be NULL. KAPPA_CONFLICT: there is a log already; its
 * lock was not waited for. KAPPA_CORRUPT: there are segments with events, but
 * no epoch; nothing was changed. A creation that was interrupted is begun
 * again. */
kappa_status_t kappa_log_create(const char *store,
    const uint8_t random[KAPPA_EPOCH_RANDOM],
    const kappa_log_options_t *options, kappa_errors_t *errors);

/* Opens STORE/log without touching it. KAPPA_NOT_FOUND: there is none. */
kappa_status_t kappa_log_open(const char *store, const kappa_alloc_t *alloc,
    const kappa_log_options_t *options, kappa_log_t **out,
    kappa_errors_t *errors);

/* Releases everything, the lock too. NULL is fine. */
void kappa_log_close(kappa_log_t *log);

const kappa_epoch_t *kappa_log_epoch(const kappa_log_t *log);

/* The log's lock, between processes. It is taken before the views'. Who holds
 * it for longer than any batch takes is stopped, or its disk hangs: KAPPA_IO,
 * and errors name the process. */
#define KAPPA_LOCK_PATIENCE_MS 5000
kappa_status_t kappa_log_lock(kappa_log_t *log, kappa_errors_t *errors);
kappa_status_t kappa_log_lock_within(
    kappa_log_t *log, int patience_ms, kappa_errors_t *errors);
/* KAPPA_BUSY: somebody else holds it. */
kappa_status_t kappa_log_trylock(kappa_log_t *log, kappa_errors_t *errors);
void kappa_log_unlock(kappa_log_t *log);

/* How far the log is durable by what its lock's holders left: past every event
 * that was acknowledged, whatever died then. Needs no lock. 0: not known. */
kappa_status_t kappa_log_durable(
    kappa_log_t *log, uint64_t *seq, kappa_errors_t *errors);

/* What the caller knows, each 0 when it knows nothing. */
typedef struct {
    uint64_t durable; /* from STORE/tail, of this epoch */
    uint64_t views;   /* the views' position, when they are to be believed */
} kappa_log_known_t;

/* Under the lock, before every batch: makes the tail true and tells it (the
 * highest seq, 0 for none). Cheap when the last holder ended in order. Else
 * (another boot, a holder that died, a disk that failed) it cuts the log at
 * the last whole record, zeroes what is behind, and syncs all that is past
 * the views. KAPPA_CORRUPT: a record at or before the highest seq known
 * durable is bad. KAPPA_IO: it could not be made true; try again later. */
kappa_status_t kappa_log_tail(kappa_log_t *log, const kappa_log_known_t *known,
    uint64_t *tail, kappa_errors_t *errors);

/* Under the lock, after kappa_log_tail: a compare-and-set on the tail. One
 * write, one fdatasync; the events get seq expected_tail + 1 and on. n 0 is
 * fine and writes nothing.
 * KAPPA_OK: durable; *tail is the new tail. KAPPA_CONFLICT: the tail is not
 * expected_tail. KAPPA_IO: nothing is appended; try again later.
 * KAPPA_UNKNOWN: it can't be known; kappa_log_tail will tell. KAPPA_INVALID,
 * KAPPA_LIMIT: an event fails kappa_event_check, nothing is appended. */
kappa_status_t kappa_log_append(kappa_log_t *log, const kappa_event_t *events,
    size_t n, uint64_t expected_tail, uint64_t *tail, kappa_errors_t *errors);

/* Reads every record of the log up to `limit` and checks it: for `kappa
 * verify`. Needs no lock. progress may be NULL. */
kappa_status_t kappa_log_verify(kappa_log_t *log, uint64_t limit,
    void (*progress)(void *arg, uint64_t seq), void *arg,
    kappa_errors_t *errors);

/* A reader. It sees what any process appends, follows into new segments,
 * holds a window of the file (not more than one event or 256 KiB) and
 * needs no lock. */
typedef struct kappa_log_cursor_s kappa_log_cursor_t;

/* Will first give event `from` (1: the oldest). Nothing is read yet. */
kappa_status_t kappa_log_cursor_open(kappa_log_t *log, uint64_t from,
    kappa_log_cursor_t **out, kappa_errors_t *errors);
void kappa_log_cursor_close(kappa_log_cursor_t *cursor); /* NULL is fine */

/* The next event up to `limit` (the views' position: SEMANTICS 28; under the
 * lock the tail). KAPPA_DONE: its seq would be over limit; call again when
 * the limit has risen. What out points to lives until the next call.
 * KAPPA_CORRUPT, KAPPA_IO: the cursor stays where it was. */
kappa_status_t kappa_log_cursor_next(kappa_log_cursor_t *cursor,
    uint64_t limit, kappa_event_t *out, kappa_errors_t *errors);

/* Goes to another event; forward in one segment is cheapest. */
void kappa_log_cursor_seek(kappa_log_cursor_t *cursor, uint64_t seq);

/* Blanks the payloads of these events for ever; seqs ascend. Under the lock,
 * after kappa_log_tail. They are named in LOG/forgotten first: after a crash
 * the events that are pending there are to be forgotten again, which is fine
 * at any time. KAPPA_IO, KAPPA_CORRUPT: some may be blanked. */
kappa_status_t kappa_log_forget(
    kappa_log_t *log, const uint64_t *seqs, size_t n, kappa_errors_t *errors);
/* Nothing is pending any more: the views have nothing of them either. */
kappa_status_t kappa_log_forget_done(kappa_log_t *log, kappa_errors_t *errors);
/* What LOG/forgotten says: see kappa_forgotten_each. Needs no lock. */
kappa_status_t kappa_log_forgotten(kappa_log_t *log, uint64_t from,
    bool (*each)(void *ctx, uint64_t seq), void *ctx, kappa_forgotten_t *out,
    kappa_errors_t *errors);

/* This boot's identity ("/proc/sys/kernel/random/boot_id"), 36 characters
 * and NUL: views and log distrust what was not synced before another one. */
#define KAPPA_BOOT_ID_CHARS 36
kappa_status_t kappa_boot_id(
    char out[KAPPA_BOOT_ID_CHARS + 1], kappa_errors_t *errors);

#endif
