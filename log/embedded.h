#ifndef KAPPA_LOG_EMBEDDED_H
#define KAPPA_LOG_EMBEDDED_H

#include "log/backend.h"
#include "log/segment.h"
#include "log/state.h"

/* The embedded backend: segment files in STORE/log. Private to log/;
 * embedded.c opens and locks, embedded_tail.c makes the tail true,
 * embedded_append.c writes, embedded_cursor.c reads, embedded_forget.c
 * blanks, backup.c copies. */

typedef struct {
    const kappa_alloc_t *alloc;
    const kappa_log_io_t *io;
    kappa_segments_t segments;
    char *path; /* STORE/log */
    kappa_epoch_t epoch;
    size_t segment_bytes;
    char boot_id[KAPPA_BOOT_ID_CHARS + 1];
    int lock_fd; /* -1: not opened yet */
    bool locked;
    bool ready;    /* the tail is true, under this hold of the lock */
    bool scanned;  /* this process has checked the last segment */
    bool agreed;   /* LOG/lock has told others of `now`'s generation */
    int fd;        /* of the segment that is written; -1: none */
    uint64_t size; /* of it */
    kappa_log_state_t now;
    uint64_t serial; /* of the last state in LOG/lock, its own or another's */
    kappa_buf_t batch;
} kappa_embedded_t;

extern const kappa_log_backend_t kappa_embedded_backend;

kappa_status_t kappa_embedded_open(const char *store,
    const kappa_alloc_t *alloc, const kappa_log_options_t *options,
    kappa_embedded_t **out, kappa_errors_t *errors);

kappa_status_t kappa_embedded_durable(
    void *self, uint64_t *seq, kappa_errors_t *errors);
kappa_status_t kappa_embedded_tail(void *self, const kappa_log_known_t *known,
    uint64_t *tail, kappa_errors_t *errors);
kappa_status_t kappa_embedded_append(void *self,
    const kappa_log_record_t *records, size_t n, uint64_t expected_tail,
    kappa_errors_t *errors);
kappa_status_t kappa_embedded_cursor_open(
    void *self, void **cursor, kappa_errors_t *errors);
void kappa_embedded_cursor_close(void *cursor);
kappa_status_t kappa_embedded_cursor_read(void *cursor, uint64_t seq,
    kappa_log_record_t *out, kappa_errors_t *errors);

kappa_status_t kappa_embedded_forget(
    void *self, const uint64_t *seqs, size_t n, kappa_errors_t *errors);
kappa_status_t kappa_embedded_forget_done(void *self, kappa_errors_t *errors);
kappa_status_t kappa_embedded_forgotten(void *self, uint64_t from,
    bool (*each)(void *ctx, uint64_t seq), void *ctx, kappa_forgotten_t *out,
    kappa_errors_t *errors);

kappa_status_t kappa_embedded_backup(void *self, kappa_log_t *log,
    const char *to, uint64_t upto, const kappa_backup_options_t *options,
    kappa_backup_result_t *result, kappa_errors_t *errors);

/* LOG/epoch, which makes a directory of segments a log; synced. */
kappa_status_t kappa_epoch_write(const kappa_segments_t *segments,
    const kappa_epoch_t *epoch, kappa_errors_t *errors);

/* Writes e->now with this phase to LOG/lock. */
kappa_status_t kappa_embedded_publish(kappa_embedded_t *e,
    kappa_log_phase_t phase, uint64_t intent_end, kappa_errors_t *errors);

/* Takes fd (owned from now on) as the segment that is written. */
void kappa_embedded_take_segment(
    kappa_embedded_t *e, uint64_t first, int fd, uint64_t size);

/* Bytes of a file to put into a new segment; to 0: none. */
typedef struct {
    int fd;
    uint64_t from;
    uint64_t to;
} kappa_segment_content_t;

/* A new segment file, preallocated, synced, under its name in the synced
 * directory; replaces one of that name. KAPPA_IO: *named says whether it got
 * its name: then it may be there after a crash, or not. */
kappa_status_t kappa_segment_create(const kappa_segments_t *segments,
    const kappa_alloc_t *alloc, uint64_t first, uint32_t prev_crc,
    const kappa_segment_content_t *content, uint64_t bytes, int *fd,
    bool *named, kappa_errors_t *errors);

/* All n bytes; 0 or -errno. *written: how many, on failure too. */
int kappa_log_write_all(const kappa_log_io_t *io, int fd, const void *data,
    size_t n, uint64_t at, size_t *written);
int kappa_log_write_zeros(
    const kappa_log_io_t *io, int fd, uint64_t from, uint64_t to);
/* Through `window`, which is turned to content->fd. Adds no error. */
kappa_status_t kappa_log_copy(kappa_window_t *window,
    const kappa_segment_content_t *content, int to_fd, uint64_t at);

#endif
