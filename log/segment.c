#include "log/segment.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "log/bytes.h"

#define VERSION 1
#define AT_VERSION 8
#define AT_CRC 12
#define AT_FIRST 16
#define AT_PREV_CRC 24

static const char magic[8] = { 'K', 'A', 'P', 'P', 'A', 'L', 'O', 'G' };

void
kappa_segment_name(uint64_t first, char out[KAPPA_SEGMENT_NAME_CHARS + 1])
{
    snprintf(out, KAPPA_SEGMENT_NAME_CHARS + 1, "%020" PRIu64 ".seg", first);
}

bool
kappa_segment_name_parse(const char *name, uint64_t *first)
{
    char again[KAPPA_SEGMENT_NAME_CHARS + 1];

    *first = strtoull(name, NULL, 10);
    if (*first == 0) {
        return false;
    }
    kappa_segment_name(*first, again);
    return strcmp(name, again) == 0;
}

static uint32_t
header_crc(const unsigned char *p)
{
    uint32_t crc = kappa_crc32c(0, p, AT_CRC);

    return kappa_crc32c(crc, p + AT_FIRST, KAPPA_SEGMENT_HEADER - AT_FIRST);
}

void
kappa_segment_header_write(
    unsigned char out[KAPPA_SEGMENT_HEADER], uint64_t first, uint32_t prev_crc)
{
    memset(out, 0, KAPPA_SEGMENT_HEADER);
    memcpy(out, magic, sizeof(magic));
    kappa_put_u32(out + AT_VERSION, VERSION);
    kappa_put_u64(out + AT_FIRST, first);
    kappa_put_u32(out + AT_PREV_CRC, prev_crc);
    kappa_put_u32(out + AT_CRC, header_crc(out));
}

kappa_status_t
kappa_segment_header_read(
    const char *data, size_t len, uint64_t *first, uint32_t *prev_crc)
{
    const unsigned char *p = (const unsigned char *)data;

    if (len < KAPPA_SEGMENT_HEADER || memcmp(p, magic, sizeof(magic)) != 0
        || kappa_get_u32(p + AT_VERSION) != VERSION
        || kappa_get_u32(p + AT_CRC) != header_crc(p)) {
        return KAPPA_CORRUPT;
    }
    *first = kappa_get_u64(p + AT_FIRST);
    *prev_crc = kappa_get_u32(p + AT_PREV_CRC);
    return KAPPA_OK;
}

/* A segment that could not be read. */
static const char *
what_is_it(const kappa_str_t *bytes)
{
    const unsigned char *p = (const unsigned char *)bytes->data;

    return bytes->len >= KAPPA_SEGMENT_HEADER
            && memcmp(p, magic, sizeof(magic)) == 0
            && kappa_get_u32(p + AT_VERSION) > VERSION
            && kappa_get_u32(p + AT_CRC) == header_crc(p)
        ? "this segment was written by a newer version of kappa: run that one"
        : "this is no segment of a kappa log, or its header is damaged";
}

void
kappa_segment_error(kappa_errors_t *errors, const kappa_segments_t *segments,
    uint64_t first, uint64_t offset, const char *what)
{
    char name[KAPPA_SEGMENT_NAME_CHARS + 1];

    kappa_segment_name(first, name);
    kappa_errors_add(errors, "LOG_UNAVAILABLE",
        "%s/%s, offset %" PRIu64 ": %s", segments->path, name, offset, what);
}

void
kappa_log_io_error(kappa_errors_t *errors, const char *what, const char *path,
    const char *name, int error)
{
    kappa_errors_add(errors, "LOG_UNAVAILABLE", "can't %s %s%s%s: %s", what,
        path, name ? "/" : "", name ? name : "", strerror(abs(error)));
}

typedef struct {
    uint64_t seq;
    uint64_t first;
    uint64_t next;
} finding_t;

static bool
find_each(void *arg, const char *name)
{
    finding_t *finding = arg;
    uint64_t first;

    if (!kappa_segment_name_parse(name, &first)) {
        return true;
    }
    if (first <= finding->seq) {
        finding->first = first > finding->first ? first : finding->first;
    } else if (finding->next == 0 || first < finding->next) {
        finding->next = first;
    }
    return true;
}

kappa_status_t
kappa_segments_find(const kappa_segments_t *segments, uint64_t seq,
    uint64_t *first, uint64_t *next, kappa_errors_t *errors)
{
    const kappa_log_io_t *io = segments->io;
    finding_t finding = { .seq = seq };
    int rc = io->list(io->ctx, segments->dir, find_each, &finding);

    if (rc < 0) {
        kappa_log_io_error(errors, "list", segments->path, NULL, rc);
        return KAPPA_IO;
    }
    *first = finding.first;
    *next = finding.next;
    return finding.first ? KAPPA_OK : KAPPA_NOT_FOUND;
}

void
kappa_segment_reader_init(kappa_segment_reader_t *reader,
    const kappa_segments_t *segments, const kappa_alloc_t *alloc)
{
    *reader = (kappa_segment_reader_t){ .segments = segments, .fd = -1 };
    kappa_window_init(&reader->window, segments->io, alloc);
}

void
kappa_segment_reader_close(kappa_segment_reader_t *reader)
{
    if (reader->fd >= 0) {
        reader->segments->io->close(reader->segments->io->ctx, reader->fd);
        reader->fd = -1;
    }
    kappa_window_turn(&reader->window, -1);
}

void
kappa_segment_reader_release(kappa_segment_reader_t *reader)
{
    kappa_segment_reader_close(reader);
    kappa_window_release(&reader->window);
}

/* The window's bytes, and an error when they can't be read. */
static kappa_status_t
get(kappa_segment_reader_t *reader, uint64_t at, size_t n, kappa_str_t *out,
    kappa_errors_t *errors)
{
    kappa_status_t status = kappa_window_get(&reader->window, at, n, out);
    char name[KAPPA_SEGMENT_NAME_CHARS + 1];

    if (status == KAPPA_IO) {
        kappa_segment_name(reader->first, name);
        kappa_log_io_error(errors, "read", reader->segments->path, name,
            reader->window.error);
    }
    return status;
}

static kappa_status_t
open_file(kappa_segment_reader_t *reader, kappa_errors_t *errors)
{
    const kappa_log_io_t *io = reader->segments->io;
    char name[KAPPA_SEGMENT_NAME_CHARS + 1];

    kappa_segment_name(reader->first, name);
    int fd = io->open(io->ctx, reader->segments->dir, name, O_RDONLY);
    int64_t size = fd < 0 ? fd : io->size(io->ctx, fd);

    reader->fd = fd;
    if (size < 0) {
        kappa_log_io_error(
            errors, "open", reader->segments->path, name, (int)size);
        return KAPPA_IO;
    }
    reader->size = (uint64_t)size;
    kappa_window_turn(&reader->window, fd);
    return KAPPA_OK;
}

kappa_status_t
kappa_segment_reader_open(
    kappa_segment_reader_t *reader, uint64_t first, kappa_errors_t *errors)
{
    uint64_t written_first = 0;
    kappa_str_t bytes;

    kappa_segment_reader_close(reader);
    reader->first = first;
    kappa_status_t status = open_file(reader, errors);

    if (status == KAPPA_OK) {
        status = get(reader, 0, KAPPA_SEGMENT_HEADER, &bytes, errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_segment_header_read(
            bytes.data, bytes.len, &written_first, &reader->prev_crc);
        if (status != KAPPA_OK || written_first != first) {
            kappa_segment_error(
                errors, reader->segments, first, 0, what_is_it(&bytes));
            status = KAPPA_CORRUPT;
        }
    }
    if (status != KAPPA_OK) {
        kappa_segment_reader_close(reader);
        return status;
    }
    reader->at = KAPPA_SEGMENT_HEADER;
    reader->seq = first;
    return KAPPA_OK;
}

/* Too little for a record: zeros are a full segment's end. */
static kappa_status_t
judge_end(kappa_str_t bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] != 0) {
            return KAPPA_CORRUPT;
        }
    }
    return KAPPA_DONE;
}

static kappa_status_t
read_record(kappa_segment_reader_t *reader, kappa_record_t *out,
    kappa_errors_t *errors)
{
    size_t need = KAPPA_RECORD_FIXED;
    kappa_str_t bytes;

    for (;;) {
        kappa_status_t status = get(reader, reader->at, need, &bytes, errors);

        if (status != KAPPA_OK) {
            return status;
        }
        size_t had = need;

        status = kappa_record_read(bytes.data, bytes.len, out, &need);
        if (status != KAPPA_AGAIN) {
            return status;
        }
        if (need <= had) { /* the file ends here */
            return judge_end(bytes);
        }
    }
}

kappa_status_t
kappa_segment_reader_next(kappa_segment_reader_t *reader, kappa_record_t *out,
    kappa_errors_t *errors)
{
    kappa_status_t status = read_record(reader, out, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    if (out->seq != reader->seq || out->prev_crc != reader->prev_crc) {
        return KAPPA_CORRUPT;
    }
    reader->at += out->bytes;
    reader->seq++;
    reader->prev_crc = out->crc;
    return KAPPA_OK;
}

/* --- moving ahead */

/* Nearer than this it is read through. */
#define SKIP_BYTES_MIN (128 * 1024)

/* A whole header at `at`; KAPPA_NOT_FOUND: there is none. */
static kappa_status_t
header_at(kappa_segment_reader_t *reader, uint64_t at, kappa_record_t *out,
    kappa_errors_t *errors)
{
    size_t need = KAPPA_RECORD_FIXED, had;
    kappa_status_t status;
    kappa_str_t bytes;

    do {
        had = need;
        status = get(reader, at, need, &bytes, errors);
        if (status != KAPPA_OK) {
            return status;
        }
        status = kappa_record_read_header(bytes.data, bytes.len, out, &need);
    } while (status == KAPPA_AGAIN && need > had);
    return status == KAPPA_OK && out->seq >= reader->first ? KAPPA_OK
                                                           : KAPPA_NOT_FOUND;
}

/* Where "KREC" stands among these bytes; their length: nowhere. */
static size_t
find_magic(kappa_str_t bytes)
{
    size_t i = 0;

    while (i + 8 <= bytes.len && memcmp(bytes.data + i, "KREC", 4) != 0) {
        i += 8;
    }
    return i;
}

/* So many zeros are the end of what was written, or the payload of a large
 * event that was forgotten: not worth reading on. */
#define ZEROS_MAX (64 * 1024)

static bool
all_zero(kappa_str_t bytes)
{
    return bytes.data[0] == 0
        && memcmp(bytes.data, bytes.data + 1, bytes.len - 1) == 0;
}

/* The first record that begins at or behind `from` and before `to`; one begins
 * within the length of the largest, or it is the end. No text that can be in
 * an event looks like a header: that has zero bytes in it. */
static kappa_status_t
find_header(kappa_segment_reader_t *reader, uint64_t from, uint64_t to,
    uint64_t *at, kappa_record_t *out, kappa_errors_t *errors)
{
    uint64_t end = to - from > KAPPA_RECORD_BYTES_MAX
        ? from + KAPPA_RECORD_BYTES_MAX
        : to;
    size_t zeros = 0;

    reader->window.step = KAPPA_WINDOW_BYTES_MIN;
    for (*at = from; *at < end;) {
        kappa_str_t bytes;
        kappa_status_t status = get(reader, *at, 8, &bytes, errors);

        if (status != KAPPA_OK || bytes.len < 8) {
            return status != KAPPA_OK ? status : KAPPA_NOT_FOUND;
        }
        zeros = all_zero(bytes) ? zeros + bytes.len : 0;
        if (zeros > ZEROS_MAX) {
            return KAPPA_NOT_FOUND;
        }
        size_t i = find_magic(bytes);
        bool candidate = i + 8 <= bytes.len;

        *at += i;
        status =
            candidate ? header_at(reader, *at, out, errors) : KAPPA_NOT_FOUND;
        if (status != KAPPA_NOT_FOUND) {
            return status;
        }
        *at += candidate ? 8 : 0;
    }
    return KAPPA_NOT_FOUND;
}

kappa_status_t
kappa_segment_reader_skip(
    kappa_segment_reader_t *reader, uint64_t seq, kappa_errors_t *errors)
{
    uint64_t high = reader->size;

    while (high > reader->at && high - reader->at > SKIP_BYTES_MIN) {
        uint64_t at, middle = (reader->at + (high - reader->at) / 2) & ~7ull;
        kappa_record_t record;
        kappa_status_t status =
            find_header(reader, middle, high, &at, &record, errors);

        if (status != KAPPA_OK && status != KAPPA_NOT_FOUND) {
            return status;
        }
        if (status == KAPPA_OK && record.seq <= seq
            && record.seq > reader->seq) {
            reader->at = at;
            reader->seq = record.seq;
            reader->prev_crc = record.prev_crc;
        } else {
            high = middle;
        }
    }
    return KAPPA_OK;
}
