#ifndef KAPPA_LOG_BACKEND_H
#define KAPPA_LOG_BACKEND_H

#include "log/backup.h"
#include "log/log.h"

/* The seam for other logs (a JetStream one keeps a local copy in the
 * embedded format and reads from that; only append, tail and lock differ).
 * log.c encodes and decodes events; a backend moves records. What each call
 * promises is said in log/log.h. */

typedef struct {
    kappa_str_t header;  /* an EventHeader */
    kappa_str_t payload; /* an EventPayload; NULL data: forgotten */
} kappa_log_record_t;

typedef struct {
    void (*close)(void *self);
    const kappa_epoch_t *(*epoch)(const void *self);
    /* patience_ms 0: KAPPA_BUSY when somebody else holds it. */
    kappa_status_t (*lock)(
        void *self, int patience_ms, kappa_errors_t *errors);
    void (*unlock)(void *self);
    kappa_status_t (*durable)(
        void *self, uint64_t *seq, kappa_errors_t *errors);
    kappa_status_t (*tail)(void *self, const kappa_log_known_t *known,
        uint64_t *tail, kappa_errors_t *errors);
    kappa_status_t (*append)(void *self, const kappa_log_record_t *records,
        size_t n, uint64_t expected_tail, kappa_errors_t *errors);

    kappa_status_t (*cursor_open)(
        void *self, void **cursor, kappa_errors_t *errors);
    void (*cursor_close)(void *cursor);
    /* Record seq, which exists. It lives until the next read. */
    kappa_status_t (*cursor_read)(void *cursor, uint64_t seq,
        kappa_log_record_t *out, kappa_errors_t *errors);

    kappa_status_t (*forget)(
        void *self, const uint64_t *seqs, size_t n, kappa_errors_t *errors);
    kappa_status_t (*forget_done)(void *self, kappa_errors_t *errors);
    kappa_status_t (*forgotten)(void *self, uint64_t from,
        bool (*each)(void *ctx, uint64_t seq), void *ctx,
        kappa_forgotten_t *out, kappa_errors_t *errors);
    kappa_status_t (*backup)(void *self, kappa_log_t *log, const char *to,
        uint64_t upto, const kappa_backup_options_t *options,
        kappa_backup_result_t *result, kappa_errors_t *errors);
} kappa_log_backend_t;

#endif
