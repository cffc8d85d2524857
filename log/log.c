#include "log/log.h"

#include "log/embedded.h"

struct kappa_log_s {
    const kappa_alloc_t *alloc;
    const kappa_log_backend_t *backend;
    void *self;
    kappa_buf_t encoded;
};

struct kappa_log_cursor_s {
    kappa_log_t *log;
    void *self;
    uint64_t seq; /* of the next event */
    kappa_arena_t *arena;
};

kappa_status_t
kappa_log_open(const char *store, const kappa_alloc_t *alloc,
    const kappa_log_options_t *options, kappa_log_t **out,
    kappa_errors_t *errors)
{
    const kappa_log_options_t defaults = { 0 };
    kappa_log_t *log = alloc->alloc(alloc->ctx, sizeof(*log));
    kappa_embedded_t *embedded = NULL;

    if (log == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = kappa_embedded_open(
        store, alloc, options ? options : &defaults, &embedded, errors);

    if (status != KAPPA_OK) {
        alloc->release(alloc->ctx, log);
        return status;
    }
    *log = (kappa_log_t){
        .alloc = alloc, .backend = &kappa_embedded_backend, .self = embedded
    };
    kappa_buf_init(&log->encoded, alloc);
    *out = log;
    return KAPPA_OK;
}

void
kappa_log_close(kappa_log_t *log)
{
    if (log == NULL) {
        return;
    }
    log->backend->close(log->self);
    kappa_buf_release(&log->encoded);
    log->alloc->release(log->alloc->ctx, log);
}

const kappa_epoch_t *
kappa_log_epoch(const kappa_log_t *log)
{
    return log->backend->epoch(log->self);
}

kappa_status_t
kappa_log_lock(kappa_log_t *log, kappa_errors_t *errors)
{
    return log->backend->lock(log->self, KAPPA_LOCK_PATIENCE_MS, errors);
}

kappa_status_t
kappa_log_lock_within(
    kappa_log_t *log, int patience_ms, kappa_errors_t *errors)
{
    return log->backend->lock(log->self, patience_ms, errors);
}

kappa_status_t
kappa_log_trylock(kappa_log_t *log, kappa_errors_t *errors)
{
    return log->backend->lock(log->self, 0, errors);
}

void
kappa_log_unlock(kappa_log_t *log)
{
    log->backend->unlock(log->self);
}

kappa_status_t
kappa_log_durable(kappa_log_t *log, uint64_t *seq, kappa_errors_t *errors)
{
    return log->backend->durable(log->self, seq, errors);
}

kappa_status_t
kappa_log_tail(kappa_log_t *log, const kappa_log_known_t *known,
    uint64_t *tail, kappa_errors_t *errors)
{
    return log->backend->tail(log->self, known, tail, errors);
}

/* Encodes all into one buffer; records first hold lengths only, since the
 * buffer moves as it grows. */
static kappa_status_t
encode_events(kappa_buf_t *buf, const kappa_event_t *events, size_t n,
    kappa_log_record_t *records)
{
    for (size_t i = 0; i < n; i++) {
        size_t start = buf->len, header_bytes = 0;
        kappa_status_t status =
            kappa_event_encode(buf, &events[i], &header_bytes);

        if (status != KAPPA_OK) {
            return status;
        }
        records[i].header.len = header_bytes;
        records[i].payload.len = buf->len - start - header_bytes;
    }
    const char *at = buf->data;

    for (size_t i = 0; i < n; i++) {
        records[i].header.data = at;
        at += records[i].header.len;
        records[i].payload.data = at;
        at += records[i].payload.len;
    }
    return KAPPA_OK;
}

static kappa_status_t
check_events(const kappa_event_t *events, size_t n, kappa_errors_t *errors)
{
    for (size_t i = 0; i < n; i++) {
        kappa_status_t status = kappa_event_check(&events[i], errors);

        if (status != KAPPA_OK) {
            return status;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
append_events(kappa_log_t *log, const kappa_event_t *events, size_t n,
    uint64_t expected_tail, kappa_errors_t *errors)
{
    const kappa_alloc_t *alloc = log->alloc;
    kappa_log_record_t *records = n > SIZE_MAX / sizeof(*records) - 1
        ? NULL
        : alloc->alloc(alloc->ctx, (n + 1) * sizeof(*records));

    if (records == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_buf_reset(&log->encoded);
    kappa_status_t status = encode_events(&log->encoded, events, n, records);

    if (status == KAPPA_OK) {
        status =
            log->backend->append(log->self, records, n, expected_tail, errors);
    }
    alloc->release(alloc->ctx, records);
    if (log->encoded.cap > KAPPA_EVENT_BYTES_MAX) {
        kappa_buf_release(&log->encoded);
    }
    return status;
}

kappa_status_t
kappa_log_append(kappa_log_t *log, const kappa_event_t *events, size_t n,
    uint64_t expected_tail, uint64_t *tail, kappa_errors_t *errors)
{
    kappa_status_t status = check_events(events, n, errors);

    if (status == KAPPA_OK) {
        status = append_events(log, events, n, expected_tail, errors);
    }
    if (status == KAPPA_OK) {
        *tail = expected_tail + n;
    }
    return status;
}

kappa_status_t
kappa_log_cursor_open(kappa_log_t *log, uint64_t from,
    kappa_log_cursor_t **out, kappa_errors_t *errors)
{
    const kappa_alloc_t *alloc = log->alloc;
    kappa_log_cursor_t *cursor = alloc->alloc(alloc->ctx, sizeof(*cursor));

    if (cursor == NULL) {
        return KAPPA_NOMEM;
    }
    *cursor = (kappa_log_cursor_t){ .log = log };
    kappa_log_cursor_seek(cursor, from);
    cursor->arena = kappa_arena_create(alloc, 0);
    kappa_status_t status = cursor->arena == NULL
        ? KAPPA_NOMEM
        : log->backend->cursor_open(log->self, &cursor->self, errors);

    if (status != KAPPA_OK) {
        kappa_arena_destroy(cursor->arena);
        alloc->release(alloc->ctx, cursor);
        return status;
    }
    *out = cursor;
    return KAPPA_OK;
}

void
kappa_log_cursor_close(kappa_log_cursor_t *cursor)
{
    if (cursor == NULL) {
        return;
    }
    cursor->log->backend->cursor_close(cursor->self);
    kappa_arena_destroy(cursor->arena);
    cursor->log->alloc->release(cursor->log->alloc->ctx, cursor);
}

void
kappa_log_cursor_seek(kappa_log_cursor_t *cursor, uint64_t seq)
{
    cursor->seq = seq ? seq : 1;
}

kappa_status_t
kappa_log_cursor_next(kappa_log_cursor_t *cursor, uint64_t limit,
    kappa_event_t *out, kappa_errors_t *errors)
{
    kappa_log_record_t record;

    if (cursor->seq > limit) {
        return KAPPA_DONE;
    }
    kappa_arena_reset(cursor->arena);
    kappa_status_t status = cursor->log->backend->cursor_read(
        cursor->self, cursor->seq, &record, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    status =
        kappa_event_decode(cursor->arena, record.header, record.payload, out);
    if (status == KAPPA_CORRUPT) {
        kappa_errors_add(errors, "LOG_UNAVAILABLE",
            "event %llu of the log can't be read: it was written by a newer "
            "kappa, or it is no event",
            (unsigned long long)cursor->seq);
    }
    if (status == KAPPA_OK) {
        out->seq = cursor->seq++;
    }
    return status;
}

kappa_status_t
kappa_log_forget(
    kappa_log_t *log, const uint64_t *seqs, size_t n, kappa_errors_t *errors)
{
    return log->backend->forget(log->self, seqs, n, errors);
}

kappa_status_t
kappa_log_forget_done(kappa_log_t *log, kappa_errors_t *errors)
{
    return log->backend->forget_done(log->self, errors);
}

kappa_status_t
kappa_log_forgotten(kappa_log_t *log, uint64_t from,
    bool (*each)(void *ctx, uint64_t seq), void *ctx, kappa_forgotten_t *out,
    kappa_errors_t *errors)
{
    return log->backend->forgotten(log->self, from, each, ctx, out, errors);
}

kappa_status_t
kappa_log_backup(kappa_log_t *log, const char *to, uint64_t upto,
    const kappa_backup_options_t *options, kappa_backup_result_t *result,
    kappa_errors_t *errors)
{
    return log->backend->backup(
        log->self, log, to, upto, options, result, errors);
}

#define PROGRESS_EVERY 1000

static kappa_status_t
verify_with(kappa_log_cursor_t *cursor, uint64_t limit,
    void (*progress)(void *arg, uint64_t seq), void *arg,
    kappa_errors_t *errors)
{
    kappa_status_t status;
    kappa_event_t event;

    while ((status = kappa_log_cursor_next(cursor, limit, &event, errors))
        == KAPPA_OK) {
        if (progress != NULL && event.seq % PROGRESS_EVERY == 0) {
            progress(arg, event.seq);
        }
    }
    return status == KAPPA_DONE ? KAPPA_OK : status;
}

kappa_status_t
kappa_log_verify(kappa_log_t *log, uint64_t limit,
    void (*progress)(void *arg, uint64_t seq), void *arg,
    kappa_errors_t *errors)
{
    kappa_log_cursor_t *cursor = NULL;
    kappa_status_t status = kappa_log_cursor_open(log, 1, &cursor, errors);

    if (status == KAPPA_OK) {
        status = verify_with(cursor, limit, progress, arg, errors);
    }
    kappa_log_cursor_close(cursor);
    return status;
}
