#include "log/embedded.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct {
    kappa_embedded_t *log; /* only what never changes is read */
    kappa_segment_reader_t reader;
    uint64_t next; /* first seq of the segment behind; 0: not known yet */
} cursor_t;

kappa_status_t
kappa_embedded_cursor_open(void *self, void **out, kappa_errors_t *errors)
{
    kappa_embedded_t *e = self;
    cursor_t *cursor = e->alloc->alloc(e->alloc->ctx, sizeof(*cursor));

    (void)errors;
    if (cursor == NULL) {
        return KAPPA_NOMEM;
    }
    *cursor = (cursor_t){ .log = e };
    kappa_segment_reader_init(&cursor->reader, &e->segments, e->alloc);
    *out = cursor;
    return KAPPA_OK;
}

void
kappa_embedded_cursor_close(void *arg)
{
    cursor_t *cursor = arg;

    kappa_segment_reader_release(&cursor->reader);
    cursor->log->alloc->release(cursor->log->alloc->ctx, cursor);
}

static kappa_status_t
missing(cursor_t *cursor, uint64_t seq, kappa_errors_t *errors)
{
    kappa_errors_add(errors, "LOG_UNAVAILABLE",
        "%s: no segment holds event %" PRIu64 "; one is missing",
        cursor->log->path, seq);
    return KAPPA_CORRUPT;
}

/* Opens the segment that holds seq. When the reader came just there, the new
 * segment must link to the record that it read last. */
static kappa_status_t
locate(cursor_t *cursor, uint64_t seq, kappa_errors_t *errors)
{
    kappa_segment_reader_t *reader = &cursor->reader;
    bool follows = reader->fd >= 0 && reader->seq == seq;
    uint32_t prev_crc = reader->prev_crc;
    uint64_t first;
    kappa_status_t status = kappa_segments_find(
        &cursor->log->segments, seq, &first, &cursor->next, errors);

    if (status == KAPPA_NOT_FOUND) {
        return missing(cursor, seq, errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_segment_reader_open(reader, first, errors);
    }
    if (status == KAPPA_OK && follows && first == seq
        && prev_crc != reader->prev_crc) {
        kappa_segment_error(errors, &cursor->log->segments, first, 0,
            "this segment does not follow the one before it");
        kappa_segment_reader_close(reader);
        return KAPPA_CORRUPT;
    }
    return status;
}

/* Reads on in this segment up to seq. KAPPA_AGAIN: it lies in another. */
static kappa_status_t
walk(cursor_t *cursor, uint64_t seq, kappa_record_t *out,
    kappa_errors_t *errors)
{
    kappa_segment_reader_t *reader = &cursor->reader;

    if (reader->fd < 0 || seq < reader->seq
        || (cursor->next != 0 && seq >= cursor->next)) {
        return KAPPA_AGAIN;
    }
    while (reader->seq <= seq) {
        kappa_status_t status = kappa_segment_reader_next(reader, out, errors);

        if (status != KAPPA_OK) {
            return status;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
damaged(cursor_t *cursor, uint64_t seq, kappa_errors_t *errors)
{
    kappa_segment_reader_t *reader = &cursor->reader;
    char what[96];

    snprintf(what, sizeof(what),
        "event %" PRIu64 " should stand here and is damaged or missing",
        reader->seq < seq ? reader->seq : seq);
    kappa_segment_error(
        errors, reader->segments, reader->first, reader->at, what);
    kappa_segment_reader_close(reader);
    return KAPPA_CORRUPT;
}

/* What is not there may have been written after it was read into the window,
 * or stand in a segment that was made since: look again, then there, and only
 * then complain. */
kappa_status_t
kappa_embedded_cursor_read(
    void *arg, uint64_t seq, kappa_log_record_t *out, kappa_errors_t *errors)
{
    cursor_t *cursor = arg;
    kappa_record_t record;
    kappa_status_t status = walk(cursor, seq, &record, errors);

    if (status == KAPPA_DONE || status == KAPPA_CORRUPT) {
        kappa_window_turn(&cursor->reader.window, cursor->reader.fd);
        status = walk(cursor, seq, &record, errors);
    }
    if (status == KAPPA_AGAIN || status == KAPPA_DONE
        || status == KAPPA_CORRUPT) {
        status = locate(cursor, seq, errors);
        if (status != KAPPA_OK) {
            return status;
        }
        status = walk(cursor, seq, &record, errors);
    }
    if (status == KAPPA_DONE || status == KAPPA_CORRUPT
        || status == KAPPA_AGAIN) {
        return damaged(cursor, seq, errors);
    }
    if (status == KAPPA_OK) {
        out->header = record.header;
        out->payload = record.payload;
    }
    return status;
}
