#ifndef KAPPA_LOG_RECORD_H
#define KAPPA_LOG_RECORD_H

#include "base/buf.h"
#include "base/status.h"
#include "log/event.h"

/* One event in a segment file: bytes in, a record out; no I/O. The format is
 * in docs/events.md. Numbers are little-endian.
 *
 *      0  u32  magic "KREC"
 *      4  u32  header_crc: CRC-32C of bytes 8 to 39, then the EventHeader
 *      8  u32  bytes of the EventHeader
 *     12  u32  bytes of the EventPayload
 *     16  u64  seq
 *     24  u64  durable: the highest seq that was durable when this was written
 *     32  u32  header_crc of the record before (0: the log's first)
 *     36  u32  0
 *     40  u32  "LIVE", or "GONE" when the payload was forgotten
 *     44  u32  payload_crc: CRC-32C of the payload, begun with header_crc
 *     48       EventHeader, EventPayload, zeros up to a multiple of 8
 *
 * The link to the record before tells a record that follows from one that
 * was left there by a failed write. */

#define KAPPA_RECORD_FIXED 48
/* The names in it have bounds (log/event.h). */
#define KAPPA_RECORD_HEADER_MAX (16 * 1024)
#define KAPPA_RECORD_BYTES_MAX (KAPPA_RECORD_FIXED + KAPPA_EVENT_BYTES_MAX + 7)

typedef struct {
    uint64_t seq;
    uint64_t durable;
    uint32_t crc; /* header_crc */
    uint32_t prev_crc;
    kappa_str_t header;
    kappa_str_t payload; /* NULL data: forgotten */
    size_t bytes;        /* of the record, a multiple of 8 */
} kappa_record_t;

static inline size_t
kappa_record_bytes(size_t header_bytes, size_t payload_bytes)
{
    return (KAPPA_RECORD_FIXED + header_bytes + payload_bytes + 7)
        & ~(size_t)7;
}

/* Appends it to buf; header, payload, seq, durable and prev_crc are taken from
 * it, crc and bytes are set. */
void kappa_record_write(kappa_buf_t *buf, kappa_record_t *record);

/* KAPPA_OK: the header is whole; bytes, seq, durable, crc and prev_crc are
 * set, header and payload are not. KAPPA_AGAIN: *need bytes are needed.
 * KAPPA_DONE: zeros; the log may end here. KAPPA_CORRUPT: neither. */
kappa_status_t kappa_record_read_header(
    const char *data, size_t len, kappa_record_t *out, size_t *need);

/* The whole record, payload and padding checked too. out's strings point into
 * data. */
kappa_status_t kappa_record_read(
    const char *data, size_t len, kappa_record_t *out, size_t *need);

/* What makes a record forgotten when it is written at KAPPA_RECORD_GONE_AT of
 * it; a multiple of 8, so that no sector ends between. The payload may be
 * anything from then on. */
#define KAPPA_RECORD_GONE_AT 40
#define KAPPA_RECORD_GONE_BYTES 8
void kappa_record_gone(unsigned char out[KAPPA_RECORD_GONE_BYTES]);

#endif
