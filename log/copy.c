#include "log/copy.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "log/embedded.h"

#define WRITE_BYTES (1024 * 1024)

typedef struct {
    const kappa_copy_t *copy;
    kappa_segment_reader_t reader;
    uint64_t next;   /* first seq of the segment behind; 0: not known */
    int fd;          /* of the copy of the reader's segment; -1: none */
    kappa_buf_t buf; /* what is to be written at `at` */
    uint64_t at;
} copying_t;

static kappa_status_t
failed(copying_t *c, const char *what, uint64_t segment, int rc)
{
    char name[KAPPA_SEGMENT_NAME_CHARS + 1];

    kappa_segment_name(segment, name);
    kappa_log_io_error(c->copy->errors, what, c->copy->to->path, name, rc);
    return KAPPA_IO;
}

/* --- the copy */

static kappa_status_t
open_copy(copying_t *c, uint64_t segment)
{
    const kappa_log_io_t *io = c->copy->to->io;
    char name[KAPPA_SEGMENT_NAME_CHARS + 1];

    kappa_segment_name(segment, name);
    c->fd = io->open(io->ctx, c->copy->to->dir, name, O_RDWR | O_CREAT);
    return c->fd < 0 ? failed(c, "open", segment, c->fd) : KAPPA_OK;
}

static kappa_status_t
write_out(copying_t *c)
{
    const kappa_backup_options_t *options = c->copy->options;
    size_t written;

    if (c->buf.failed) {
        return KAPPA_NOMEM;
    }
    int rc = kappa_log_write_all(
        c->copy->to->io, c->fd, c->buf.data, c->buf.len, c->at, &written);

    if (rc < 0) {
        return failed(c, "write", c->copy->at->segment, rc);
    }
    c->at += c->buf.len;
    kappa_buf_reset(&c->buf);
    return options->progress == NULL
            || options->progress(options->ctx, c->copy->at->seq, c->copy->upto)
        ? KAPPA_OK
        : KAPPA_DONE;
}

/* What was copied of this segment is made durable and told. */
static kappa_status_t
close_copy(copying_t *c)
{
    const kappa_copy_t *copy = c->copy;
    const kappa_log_io_t *io = copy->to->io;

    if (c->fd < 0) {
        return KAPPA_OK;
    }
    kappa_status_t status = write_out(c);
    int rc = status == KAPPA_OK || status == KAPPA_DONE
        ? io->fdatasync(io->ctx, c->fd)
        : 0;

    io->close(io->ctx, c->fd);
    c->fd = -1;
    if (rc < 0) {
        return failed(c, "sync", copy->at->segment, rc);
    }
    kappa_status_t told = status == KAPPA_OK || status == KAPPA_DONE
        ? copy->reached(copy->arg, copy->at)
        : status;

    return told == KAPPA_OK ? status : told;
}

/* --- the source */

static kappa_status_t
damaged(copying_t *c)
{
    char what[96];

    snprintf(what, sizeof(what),
        "event %" PRIu64 " should stand here and is damaged or missing",
        c->copy->at->seq + 1);
    kappa_segment_error(
        c->copy->errors, c->copy->from, c->reader.first, c->reader.at, what);
    return KAPPA_CORRUPT;
}

/* Opens the segment that holds the next event, and stands before it. */
static kappa_status_t
open_source(copying_t *c, uint64_t first)
{
    const kappa_copy_t *copy = c->copy;
    kappa_manifest_t *at = copy->at;
    kappa_status_t status =
        kappa_segment_reader_open(&c->reader, first, copy->errors);

    if (status != KAPPA_OK) {
        return status;
    }
    if (first == at->segment && at->seq > 0) {
        c->reader.at = at->offset;
        c->reader.seq = at->seq + 1;
        c->reader.prev_crc = at->link;
    } else if (first != at->seq + 1 || c->reader.prev_crc != at->link) {
        kappa_segment_error(copy->errors, copy->from, first, 0,
            "this segment does not follow the one before it");
        return KAPPA_CORRUPT;
    }
    return KAPPA_OK;
}

static kappa_status_t
begin_segment(copying_t *c)
{
    const kappa_copy_t *copy = c->copy;
    uint64_t first = 0;
    kappa_status_t status = kappa_segments_find(
        copy->from, copy->at->seq + 1, &first, &c->next, copy->errors);

    if (status == KAPPA_NOT_FOUND) {
        kappa_errors_add(copy->errors, "LOG_UNAVAILABLE",
            "%s: no segment holds event %" PRIu64, copy->from->path,
            copy->at->seq + 1);
        return KAPPA_CORRUPT;
    }
    if (status == KAPPA_OK) {
        status = open_source(c, first);
    }
    if (status == KAPPA_OK) {
        status = open_copy(c, first);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    kappa_buf_reset(&c->buf);
    c->at = c->reader.at;
    if (c->at == KAPPA_SEGMENT_HEADER) {
        unsigned char header[KAPPA_SEGMENT_HEADER];

        kappa_segment_header_write(header, first, c->reader.prev_crc);
        kappa_buf_add(&c->buf, header, sizeof(header));
        c->at = 0;
    }
    copy->at->segment = first;
    return KAPPA_OK;
}

/* Events may be blanked while they are read: then look again. */
static kappa_status_t
next_record(copying_t *c, kappa_record_t *record)
{
    kappa_status_t status =
        kappa_segment_reader_next(&c->reader, record, c->copy->errors);

    if (status == KAPPA_CORRUPT || status == KAPPA_DONE) {
        kappa_window_turn(&c->reader.window, c->reader.fd);
        status =
            kappa_segment_reader_next(&c->reader, record, c->copy->errors);
    }
    return status == KAPPA_CORRUPT || status == KAPPA_DONE ? damaged(c)
                                                           : status;
}

static kappa_status_t
copy_record(copying_t *c)
{
    kappa_manifest_t *at = c->copy->at;
    kappa_record_t record;
    kappa_status_t status = next_record(c, &record);

    if (status != KAPPA_OK) {
        return status;
    }
    /* The record's bytes as they are: its header's text is in the window. */
    kappa_buf_add(
        &c->buf, record.header.data - KAPPA_RECORD_FIXED, record.bytes);
    at->seq = record.seq;
    at->offset = c->reader.at;
    at->link = record.crc;
    c->copy->result->events++;
    c->copy->result->bytes += record.bytes;
    return c->buf.len < WRITE_BYTES ? KAPPA_OK : write_out(c);
}

static kappa_status_t
copy_all(copying_t *c)
{
    const kappa_copy_t *copy = c->copy;
    kappa_status_t status = KAPPA_OK;

    while (status == KAPPA_OK && copy->at->seq < copy->upto) {
        if (c->fd >= 0 && c->next != 0 && copy->at->seq + 1 >= c->next) {
            status = close_copy(c);
        }
        if (status == KAPPA_OK && c->fd < 0) {
            status = begin_segment(c);
        }
        if (status == KAPPA_OK) {
            status = copy_record(c);
        }
    }
    return status;
}

kappa_status_t
kappa_copy_records(const kappa_copy_t *copy)
{
    copying_t c = { .copy = copy, .fd = -1 };

    kappa_segment_reader_init(&c.reader, copy->from, copy->alloc);
    kappa_buf_init(&c.buf, copy->alloc);
    kappa_status_t status = copy_all(&c);
    /* What is whole is kept, also when the next record is not. */
    kappa_status_t closed = close_copy(&c);

    kappa_buf_release(&c.buf);
    kappa_segment_reader_release(&c.reader);
    return status == KAPPA_OK ? closed : status;
}
