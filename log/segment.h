#ifndef KAPPA_LOG_SEGMENT_H
#define KAPPA_LOG_SEGMENT_H

#include "base/error.h"
#include "log/io.h"
#include "log/record.h"
#include "log/window.h"

/* Segment files: LOG/<first seq, 20 digits>.seg. A header of 64 bytes, then
 * records, then zeros to the preallocated end. What a segment holds ends
 * where the next one begins, whatever stands behind (docs/events.md).
 *
 *      0  "KAPPALOG"
 *      8  u32  version, 1
 *     12  u32  CRC-32C of bytes 0 to 11 and 16 to 63
 *     16  u64  first seq
 *     24  u32  header_crc of the record before the first (0: there is none)
 *     28       zeros */

#define KAPPA_SEGMENT_HEADER 64
#define KAPPA_SEGMENT_NAME_CHARS 24 /* 20 digits and ".seg" */

void kappa_segment_name(
    uint64_t first, char out[KAPPA_SEGMENT_NAME_CHARS + 1]);

/* False: not a segment's name. */
bool kappa_segment_name_parse(const char *name, uint64_t *first);

void kappa_segment_header_write(unsigned char out[KAPPA_SEGMENT_HEADER],
    uint64_t first, uint32_t prev_crc);
/* KAPPA_CORRUPT: not one, or of another version. */
kappa_status_t kappa_segment_header_read(
    const char *data, size_t len, uint64_t *first, uint32_t *prev_crc);

/* A directory of segments, as the rest of the log needs it. */
typedef struct {
    const kappa_log_io_t *io;
    int dir;
    const char *path; /* for messages */
} kappa_segments_t;

/* The segment that would hold seq: the greatest first not over it; *next is
 * the first of the one behind, 0 when it is the last. KAPPA_NOT_FOUND. */
kappa_status_t kappa_segments_find(const kappa_segments_t *segments,
    uint64_t seq, uint64_t *first, uint64_t *next, kappa_errors_t *errors);

/* Reads one segment, record after record. */
typedef struct {
    const kappa_segments_t *segments;
    kappa_window_t window;
    int fd; /* owned; -1: none */
    uint64_t first;
    uint64_t size;     /* of the file */
    uint64_t at;       /* where the next record begins */
    uint64_t seq;      /* that it must have */
    uint32_t prev_crc; /* that it must link to */
} kappa_segment_reader_t;

void kappa_segment_reader_init(kappa_segment_reader_t *reader,
    const kappa_segments_t *segments, const kappa_alloc_t *alloc);
void kappa_segment_reader_release(kappa_segment_reader_t *reader);
void kappa_segment_reader_close(kappa_segment_reader_t *reader); /* the file */

/* Opens a segment and stands before its first record. */
kappa_status_t kappa_segment_reader_open(
    kappa_segment_reader_t *reader, uint64_t first, kappa_errors_t *errors);

/* The record at reader->at, and moves behind it. KAPPA_DONE: zeros there, or
 * the end. KAPPA_CORRUPT: something that is not the record that must follow;
 * without an error in `errors`, since it may be a torn tail. out lives until
 * the next call. */
kappa_status_t kappa_segment_reader_next(kappa_segment_reader_t *reader,
    kappa_record_t *out, kappa_errors_t *errors);

/* Moves ahead to a record not behind seq, without reading all between: what
 * it passes is not checked. It may stay where it is. Of a damaged segment it
 * may make another record than the one that counts; then the next one fails.
 */
kappa_status_t kappa_segment_reader_skip(
    kappa_segment_reader_t *reader, uint64_t seq, kappa_errors_t *errors);

/* Adds "PATH/NAME.seg, offset N: …" to errors. */
void kappa_segment_error(kappa_errors_t *errors,
    const kappa_segments_t *segments, uint64_t first, uint64_t offset,
    const char *what);

/* Adds "can't WHAT PATH/NAME: strerror". error is an errno or its negative. */
void kappa_log_io_error(kappa_errors_t *errors, const char *what,
    const char *path, const char *name, int error);

#endif
