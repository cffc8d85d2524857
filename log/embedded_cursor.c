#include "log/embedded.h"

#include <inttypes.h>
#include <stdio.h>

/* Places that were passed, some way apart, so that going back or far ahead
 * does not read a segment from its start. When they are full every second one
 * is dropped and they go on twice as far apart. */
#define MARKS 512
#define MARK_EVERY (256 * 1024)

typedef struct {
    uint64_t segment;
    uint64_t seq;
    uint64_t at;
    uint32_t prev_crc;
} mark_t;

typedef struct {
    kappa_embedded_t *log; /* only what never changes is read */
    kappa_segment_reader_t reader;
    uint64_t next; /* first seq of the segment behind; 0: not known yet */
    mark_t marks[MARKS]; /* seq ascends */
    size_t mark_count;
    uint64_t mark_every;
    uint64_t unmarked; /* bytes passed since the last one */
    bool careful;      /* nothing is skipped: it was not to be found so */
} cursor_t;

/* Further ahead it does not read through what is between. */
#define SKIP_EVENTS 32

static void
thin_marks(cursor_t *cursor)
{
    for (size_t i = 0; i < MARKS / 2; i++) {
        cursor->marks[i] = cursor->marks[2 * i];
    }
    cursor->mark_count = MARKS / 2;
    cursor->mark_every *= 2;
}

/* How many marks are not behind seq. */
static size_t
marks_up_to(const cursor_t *cursor, uint64_t seq)
{
    size_t low = 0, high = cursor->mark_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (cursor->marks[middle].seq <= seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The last mark in this segment that is not behind seq, or NULL. */
static const mark_t *
find_mark(const cursor_t *cursor, uint64_t segment, uint64_t seq)
{
    size_t n = marks_up_to(cursor, seq);

    return n > 0 && cursor->marks[n - 1].segment == segment
        ? &cursor->marks[n - 1]
        : NULL;
}

static bool
is_near(const cursor_t *cursor, size_t i)
{
    const mark_t *other = &cursor->marks[i];
    uint64_t at = cursor->reader.at;

    return other->segment == cursor->reader.first
        && (at > other->at ? at - other->at : other->at - at)
        < cursor->mark_every;
}

static void
insert_mark(cursor_t *cursor)
{
    const kappa_segment_reader_t *reader = &cursor->reader;

    if (cursor->mark_count == MARKS) {
        thin_marks(cursor);
    }
    size_t i = marks_up_to(cursor, reader->seq);

    if ((i > 0 && is_near(cursor, i - 1))
        || (i < cursor->mark_count && is_near(cursor, i))) {
        return;
    }
    memmove(&cursor->marks[i + 1], &cursor->marks[i],
        (cursor->mark_count - i) * sizeof(mark_t));
    cursor->marks[i] =
        (mark_t){ reader->first, reader->seq, reader->at, reader->prev_crc };
    cursor->mark_count++;
}

/* The reader has passed a record of so many bytes. */
static void
mark(cursor_t *cursor, size_t bytes)
{
    cursor->unmarked += bytes;
    if (cursor->unmarked >= cursor->mark_every) {
        cursor->unmarked = 0;
        insert_mark(cursor);
    }
}

static void
go_to_mark(cursor_t *cursor, const mark_t *to)
{
    cursor->reader.at = to->at;
    cursor->reader.seq = to->seq;
    cursor->reader.prev_crc = to->prev_crc;
    cursor->unmarked = 0;
}

static void
forget_marks(cursor_t *cursor)
{
    cursor->mark_count = 0;
    cursor->unmarked = 0;
}

kappa_status_t
kappa_embedded_cursor_open(void *self, void **out, kappa_errors_t *errors)
{
    kappa_embedded_t *e = self;
    cursor_t *cursor = e->alloc->alloc(e->alloc->ctx, sizeof(*cursor));

    (void)errors;
    if (cursor == NULL) {
        return KAPPA_NOMEM;
    }
    memset(cursor, 0, sizeof(*cursor));
    cursor->log = e;
    cursor->mark_every = MARK_EVERY;
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
    if (status != KAPPA_OK) {
        return status;
    }
    const mark_t *near = find_mark(cursor, first, seq);

    if (near != NULL) {
        go_to_mark(cursor, near);
    } else if (follows && first == seq && prev_crc != reader->prev_crc) {
        kappa_segment_error(errors, &cursor->log->segments, first, 0,
            "this segment does not follow the one before it");
        kappa_segment_reader_close(reader);
        return KAPPA_CORRUPT;
    }
    return KAPPA_OK;
}

/* Stands before seq or before that in the open segment; false: it lies in
 * another, or the segment must be read from its start. */
static bool
approach(cursor_t *cursor, uint64_t seq)
{
    kappa_segment_reader_t *reader = &cursor->reader;

    if (reader->fd < 0 || seq < reader->first
        || (cursor->next != 0 && seq >= cursor->next)) {
        return false;
    }
    if (seq == reader->seq) {
        return true;
    }
    const mark_t *near = find_mark(cursor, reader->first, seq);

    if (near != NULL && (seq < reader->seq || near->seq > reader->seq)) {
        go_to_mark(cursor, near);
    }
    return reader->seq <= seq;
}

/* Reads on in this segment up to seq. KAPPA_AGAIN: it isn't to be found from
 * here. */
static kappa_status_t
walk(cursor_t *cursor, uint64_t seq, kappa_record_t *out,
    kappa_errors_t *errors)
{
    kappa_segment_reader_t *reader = &cursor->reader;

    if (!approach(cursor, seq)) {
        return KAPPA_AGAIN;
    }
    if (!cursor->careful && seq - reader->seq > SKIP_EVENTS) {
        kappa_status_t status = kappa_segment_reader_skip(reader, seq, errors);

        if (status != KAPPA_OK) {
            return status;
        }
        cursor->unmarked = 0;
    }
    while (reader->seq <= seq) {
        kappa_status_t status = kappa_segment_reader_next(reader, out, errors);

        if (status != KAPPA_OK) {
            return status;
        }
        mark(cursor, out->bytes);
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

/* From the segment's start, or a place that was passed. KAPPA_NOT_FOUND: it
 * isn't to be found so. */
static kappa_status_t
walk_anew(cursor_t *cursor, uint64_t seq, bool careful, kappa_record_t *out,
    kappa_errors_t *errors)
{
    kappa_status_t status = locate(cursor, seq, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    cursor->careful = careful;
    status = walk(cursor, seq, out, errors);
    cursor->careful = false;
    return status == KAPPA_DONE || status == KAPPA_CORRUPT
            || status == KAPPA_AGAIN
        ? KAPPA_NOT_FOUND
        : status;
}

/* What is not there may have been written after it was read into the window,
 * or stand in a segment that was made since, or have been passed by: look
 * again, then there, then at all of it, and only then complain. */
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
    if (status == KAPPA_AGAIN) {
        status = walk_anew(cursor, seq, false, &record, errors);
    } else if (status == KAPPA_DONE || status == KAPPA_CORRUPT) {
        status = KAPPA_NOT_FOUND;
    }
    if (status == KAPPA_NOT_FOUND) {
        forget_marks(cursor); /* they may be of a file that was replaced */
        status = walk_anew(cursor, seq, true, &record, errors);
    }
    if (status == KAPPA_NOT_FOUND) {
        return damaged(cursor, seq, errors);
    }
    if (status == KAPPA_OK) {
        out->header = record.header;
        out->payload = record.payload;
    }
    return status;
}
