#include "log/embedded.h"

#define AHEAD_BYTES (UINT64_C(256) * 1024)

/* The records of a batch, behind each other, linked; the last one's crc goes
 * to *crc. */
static kappa_status_t
build_batch(kappa_embedded_t *e, const kappa_log_record_t *records, size_t n,
    uint32_t *crc)
{
    *crc = e->now.crc;
    kappa_buf_reset(&e->batch);
    for (size_t i = 0; i < n; i++) {
        kappa_record_t record = { .seq = e->now.tail + 1 + i,
            .durable = e->now.tail,
            .prev_crc = *crc,
            .header = records[i].header,
            .payload = records[i].payload };

        kappa_record_write(&e->batch, &record);
        *crc = record.crc;
    }
    return e->batch.failed ? KAPPA_NOMEM : KAPPA_OK;
}

/* A new segment behind the tail. Until it has its name all is as before. */
static kappa_status_t
roll(kappa_embedded_t *e, kappa_errors_t *errors)
{
    const kappa_segment_content_t nothing = { 0 };
    uint64_t bytes = KAPPA_SEGMENT_HEADER + e->batch.len;
    int fd = -1;
    bool named;

    bytes = bytes < e->segment_bytes ? e->segment_bytes : bytes;
    kappa_status_t status = kappa_segment_create(&e->segments, e->alloc,
        e->now.tail + 1, e->now.crc, &nothing, bytes, &fd, &named, errors);

    if (status == KAPPA_OK) {
        kappa_embedded_take_segment(e, e->now.tail + 1, fd, bytes);
        e->now.offset = KAPPA_SEGMENT_HEADER;
    } else {
        e->ready = !named
            && kappa_embedded_publish(e, KAPPA_LOG_CLEAN, 0, NULL) == KAPPA_OK;
    }
    return status;
}

/* Takes back a batch that could not be written or synced (SEMANTICS 23).
 * written: how much of it is in the file. */
static kappa_status_t
undo(kappa_embedded_t *e, size_t written, kappa_errors_t *errors)
{
    uint64_t from = e->now.offset;
    int rc = 0;

    if (written > 0) {
        rc = kappa_log_write_zeros(e->io, e->fd, from, from + written);
        if (rc == 0) {
            rc = e->io->fdatasync(e->io->ctx, e->fd);
        }
    }
    if (rc == 0) {
        e->ready =
            kappa_embedded_publish(e, KAPPA_LOG_CLEAN, 0, NULL) == KAPPA_OK;
        return KAPPA_IO;
    }
    e->ready = false;
    /* If this fails too, APPENDING stands there and says nearly as much. */
    kappa_embedded_publish(e, KAPPA_LOG_BROKEN, from + e->batch.len, NULL);
    kappa_errors_add(errors, "OUTCOME_UNKNOWN",
        "the disk refused to take the batch back; whether it is in the log "
        "will be known when the disk works again");
    return KAPPA_UNKNOWN;
}

/* Blocks that are only allocated cost their first sync a turn of the file
 * system's journal, as much again as the sync itself. So zeros are written
 * over those to come, many at once. Where that fails nothing is lost. */
static void
tread_ahead(kappa_embedded_t *e)
{
    uint64_t end = e->now.offset + e->batch.len;
    uint64_t to = (end / AHEAD_BYTES + 2) * AHEAD_BYTES;

    if (end <= e->now.trodden) {
        return;
    }
    to = to < e->size ? to : e->size;
    if (kappa_log_write_zeros(e->io, e->fd, end, to) == 0) {
        e->now.trodden = to;
    }
}

static kappa_status_t
write_batch(kappa_embedded_t *e, kappa_errors_t *errors)
{
    char name[KAPPA_SEGMENT_NAME_CHARS + 1];
    const char *what = "write";
    size_t written;
    int rc = kappa_log_write_all(
        e->io, e->fd, e->batch.data, e->batch.len, e->now.offset, &written);

    if (rc == 0) {
        tread_ahead(e);
        what = "sync";
        rc = e->io->fdatasync(e->io->ctx, e->fd);
    }
    if (rc == 0) {
        return KAPPA_OK;
    }
    kappa_segment_name(e->now.segment, name);
    kappa_log_io_error(errors, what, e->path, name, rc);
    return undo(e, written, errors);
}

static kappa_status_t
write_durably(kappa_embedded_t *e, kappa_errors_t *errors)
{
    bool fits = e->batch.len <= e->size - e->now.offset;
    uint64_t intent_end = e->now.offset + (fits ? e->batch.len : 0);
    kappa_status_t status =
        kappa_embedded_publish(e, KAPPA_LOG_APPENDING, intent_end, errors);

    if (status != KAPPA_OK) {
        e->ready = false;
        return status;
    }
    if (!fits) {
        status = roll(e, errors);
    }
    return status == KAPPA_OK ? write_batch(e, errors) : status;
}

/* What a batch took at most stays for the next one. */
static void
trim_batch(kappa_embedded_t *e)
{
    if (e->batch.cap > KAPPA_EVENT_BYTES_MAX) {
        kappa_buf_release(&e->batch);
    }
}

kappa_status_t
kappa_embedded_append(void *self, const kappa_log_record_t *records, size_t n,
    uint64_t expected_tail, kappa_errors_t *errors)
{
    kappa_embedded_t *e = self;
    uint32_t crc;

    if (!e->locked || !e->ready) {
        kappa_errors_add(errors, "LOG_UNAVAILABLE",
            "append without the lock and a true tail");
        return KAPPA_INVALID;
    }
    if (expected_tail != e->now.tail) {
        return KAPPA_CONFLICT;
    }
    if (n == 0) {
        return KAPPA_OK;
    }
    kappa_status_t status = build_batch(e, records, n, &crc);

    if (status == KAPPA_OK) {
        status = write_durably(e, errors);
    }
    if (status == KAPPA_OK) {
        e->now.tail += n;
        e->now.offset += e->batch.len;
        e->now.crc = crc;
        /* Durable whatever comes: if this fails, the next tail finds it. */
        e->ready =
            kappa_embedded_publish(e, KAPPA_LOG_CLEAN, 0, NULL) == KAPPA_OK;
    }
    trim_batch(e);
    return status;
}
