#include "log/blank.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "log/embedded.h"

/* Places of so many records are kept in memory at a time. */
#define PLACES 1024

typedef struct {
    uint64_t at;      /* of the record */
    uint64_t payload; /* where it begins */
    uint64_t end;     /* of the record */
} place_t;

typedef struct {
    const kappa_segments_t *segments;
    kappa_segment_reader_t reader;
    uint64_t next; /* first seq of the segment behind; 0: there is none */
    place_t places[PLACES];
    size_t count;
    kappa_errors_t *errors;
} blanking_t;

static kappa_status_t
failed(blanking_t *b, int rc)
{
    char name[KAPPA_SEGMENT_NAME_CHARS + 1];

    kappa_segment_name(b->reader.first, name);
    kappa_log_io_error(
        b->errors, "blank events in", b->segments->path, name, rc);
    return KAPPA_IO;
}

static kappa_status_t
damaged(blanking_t *b, uint64_t seq)
{
    char what[96];

    snprintf(what, sizeof(what),
        "event %" PRIu64 " is damaged or missing before event %" PRIu64,
        b->reader.seq, seq);
    kappa_segment_error(
        b->errors, b->segments, b->reader.first, b->reader.at, what);
    return KAPPA_CORRUPT;
}

/* Reads on to a record of the open segment. */
static kappa_status_t
find(blanking_t *b, uint64_t seq)
{
    kappa_segment_reader_t *reader = &b->reader;
    kappa_record_t record = { 0 };
    uint64_t at = 0;

    while (reader->seq <= seq) {
        at = reader->at;
        kappa_status_t status =
            kappa_segment_reader_next(reader, &record, b->errors);
        if (status == KAPPA_DONE || status == KAPPA_CORRUPT) {
            return damaged(b, seq);
        }
        if (status != KAPPA_OK) {
            return status;
        }
    }
    b->places[b->count++] = (place_t){ .at = at,
        .payload = at + KAPPA_RECORD_FIXED + record.header.len,
        .end = reader->at };
    return KAPPA_OK;
}

static int
mark_gone(blanking_t *b, int fd)
{
    unsigned char gone[KAPPA_RECORD_GONE_BYTES];
    size_t written;
    int rc = 0;

    kappa_record_gone(gone);
    for (size_t i = 0; i < b->count && rc == 0; i++) {
        rc = kappa_log_write_all(b->segments->io, fd, gone, sizeof(gone),
            b->places[i].at + KAPPA_RECORD_GONE_AT, &written);
    }
    return rc;
}

static int
write_zeros(blanking_t *b, int fd)
{
    int rc = 0;

    for (size_t i = 0; i < b->count && rc == 0; i++) {
        rc = kappa_log_write_zeros(
            b->segments->io, fd, b->places[i].payload, b->places[i].end);
    }
    return rc;
}

static int
blank_places(blanking_t *b, int fd)
{
    const kappa_log_io_t *io = b->segments->io;
    int rc = mark_gone(b, fd);

    if (rc == 0) {
        rc = io->fdatasync(io->ctx, fd);
    }
    if (rc == 0) {
        rc = write_zeros(b, fd);
    }
    return rc == 0 ? io->fdatasync(io->ctx, fd) : rc;
}

/* What was found in the open segment. */
static kappa_status_t
flush(blanking_t *b)
{
    const kappa_log_io_t *io = b->segments->io;
    char name[KAPPA_SEGMENT_NAME_CHARS + 1];

    if (b->count == 0) {
        return KAPPA_OK;
    }
    kappa_segment_name(b->reader.first, name);
    int fd = io->open(io->ctx, b->segments->dir, name, O_RDWR);
    int rc = fd < 0 ? fd : blank_places(b, fd);

    if (fd >= 0) {
        io->close(io->ctx, fd);
    }
    b->count = 0;
    kappa_window_turn(&b->reader.window, b->reader.fd);
    return rc < 0 ? failed(b, rc) : KAPPA_OK;
}

/* Stands in the segment that holds seq. */
static kappa_status_t
turn_to(blanking_t *b, uint64_t seq)
{
    uint64_t first;

    if (b->reader.fd >= 0 && (b->next == 0 || seq < b->next)) {
        return KAPPA_OK;
    }
    kappa_status_t status = flush(b);
    if (status != KAPPA_OK) {
        return status;
    }
    status =
        kappa_segments_find(b->segments, seq, &first, &b->next, b->errors);
    if (status == KAPPA_NOT_FOUND) {
        kappa_errors_add(b->errors, "LOG_UNAVAILABLE",
            "%s: no segment holds event %" PRIu64, b->segments->path, seq);
        return KAPPA_CORRUPT;
    }
    return status == KAPPA_OK
        ? kappa_segment_reader_open(&b->reader, first, b->errors)
        : status;
}

/* NULL: no memory. */
static blanking_t *
begin(const kappa_segments_t *segments, const kappa_alloc_t *alloc,
    kappa_errors_t *errors)
{
    blanking_t *b = alloc->alloc(alloc->ctx, sizeof(*b));

    if (b == NULL) {
        return NULL;
    }
    memset(b, 0, sizeof(*b));
    b->segments = segments;
    b->errors = errors;
    kappa_segment_reader_init(&b->reader, segments, alloc);
    return b;
}

static void
end(blanking_t *b, const kappa_alloc_t *alloc)
{
    kappa_segment_reader_release(&b->reader);
    alloc->release(alloc->ctx, b);
}

kappa_status_t
kappa_blank(const kappa_segments_t *segments, const kappa_alloc_t *alloc,
    const uint64_t *seqs, size_t n, kappa_errors_t *errors)
{
    kappa_status_t status = KAPPA_OK;
    blanking_t *b = begin(segments, alloc, errors);

    if (b == NULL) {
        return KAPPA_NOMEM;
    }
    for (size_t i = 0; i < n && status == KAPPA_OK; i++) {
        if (b->count == PLACES) {
            status = flush(b);
        }
        if (status == KAPPA_OK) {
            status = turn_to(b, seqs[i]);
        }
        if (status == KAPPA_OK) {
            status = find(b, seqs[i]);
        }
    }
    if (status == KAPPA_OK) {
        status = flush(b);
    }
    end(b, alloc);
    return status;
}

/* --- what counts no more */

/* Stands behind the segment's last record. */
static kappa_status_t
go_to_end(blanking_t *b)
{
    kappa_segment_reader_t *reader = &b->reader;
    kappa_record_t record;
    kappa_status_t status =
        kappa_segment_reader_skip(reader, b->next - 1, b->errors);

    while (status == KAPPA_OK && reader->seq < b->next) {
        status = kappa_segment_reader_next(reader, &record, b->errors);
    }
    return status == KAPPA_DONE || status == KAPPA_CORRUPT
        ? damaged(b, b->next - 1)
        : status;
}

static kappa_status_t
is_zero(blanking_t *b, bool *zero)
{
    uint64_t at = b->reader.at;

    for (*zero = true; *zero && at < b->reader.size;) {
        kappa_str_t bytes;
        kappa_status_t status =
            kappa_window_get(&b->reader.window, at, 1, &bytes);

        if (status != KAPPA_OK) {
            return status == KAPPA_IO ? failed(b, b->reader.window.error)
                                      : status;
        }
        for (size_t i = 0; i < bytes.len && *zero; i++) {
            *zero = bytes.data[i] == 0;
        }
        at += bytes.len;
    }
    return KAPPA_OK;
}

static kappa_status_t
zero_leftovers(blanking_t *b)
{
    const kappa_log_io_t *io = b->segments->io;
    char name[KAPPA_SEGMENT_NAME_CHARS + 1];

    kappa_segment_name(b->reader.first, name);
    int fd = io->open(io->ctx, b->segments->dir, name, O_RDWR);
    int rc = fd < 0
        ? fd
        : kappa_log_write_zeros(io, fd, b->reader.at, b->reader.size);

    if (rc == 0) {
        rc = io->fdatasync(io->ctx, fd);
    }
    if (fd >= 0) {
        io->close(io->ctx, fd);
    }
    return rc < 0 ? failed(b, rc) : KAPPA_OK;
}

static kappa_status_t
clean_segment(blanking_t *b)
{
    bool zero = true;
    kappa_status_t status = go_to_end(b);

    if (status == KAPPA_OK) {
        status = is_zero(b, &zero);
    }
    return status == KAPPA_OK && !zero ? zero_leftovers(b) : status;
}

static kappa_status_t
clean_segments(blanking_t *b)
{
    uint64_t first = 0, seq = 1;

    for (;;) {
        kappa_status_t status =
            kappa_segments_find(b->segments, seq, &first, &b->next, b->errors);

        if (status != KAPPA_OK || b->next == 0) {
            return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
        }
        status = kappa_segment_reader_open(&b->reader, first, b->errors);
        if (status == KAPPA_OK) {
            status = clean_segment(b);
        }
        if (status != KAPPA_OK) {
            return status;
        }
        seq = b->next;
    }
}

kappa_status_t
kappa_blank_leftovers(const kappa_segments_t *segments,
    const kappa_alloc_t *alloc, kappa_errors_t *errors)
{
    blanking_t *b = begin(segments, alloc, errors);

    if (b == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = clean_segments(b);

    end(b, alloc);
    return status;
}
