#include "log/record.h"

#include "base/crc32c.h"
#include "log/bytes.h"

#define MAGIC 0x4345524bu /* "KREC" */
#define LIVE 0x4556494cu  /* "LIVE" */
#define GONE 0x454e4f47u  /* "GONE" */
/* LIVE being made GONE when the power went, after one byte and after two. */
#define GONE_TORN_1 0x45564947u /* "GIVE" */
#define GONE_TORN_2 0x45564f47u /* "GOVE" */

#define AT_CRC 4
#define AT_HEADER_BYTES 8
#define AT_PAYLOAD_BYTES 12
#define AT_SEQ 16
#define AT_DURABLE 24
#define AT_PREV_CRC 32
#define AT_ZERO 36
#define AT_STATE KAPPA_RECORD_GONE_AT
#define AT_PAYLOAD_CRC 44

void
kappa_record_write(kappa_buf_t *buf, kappa_record_t *record)
{
    unsigned char fixed[KAPPA_RECORD_FIXED] = { 0 };
    static const char zeros[8];
    kappa_str_t header = record->header, payload = record->payload;
    uint32_t crc;

    kappa_put_u32(fixed, MAGIC);
    kappa_put_u32(fixed + AT_HEADER_BYTES, (uint32_t)header.len);
    kappa_put_u32(fixed + AT_PAYLOAD_BYTES, (uint32_t)payload.len);
    kappa_put_u64(fixed + AT_SEQ, record->seq);
    kappa_put_u64(fixed + AT_DURABLE, record->durable);
    kappa_put_u32(fixed + AT_PREV_CRC, record->prev_crc);
    crc = kappa_crc32c(0, fixed + AT_HEADER_BYTES, AT_STATE - AT_HEADER_BYTES);
    crc = kappa_crc32c(crc, header.data, header.len);
    kappa_put_u32(fixed + AT_CRC, crc);
    kappa_put_u32(fixed + AT_STATE, payload.data ? LIVE : GONE);
    kappa_put_u32(
        fixed + AT_PAYLOAD_CRC, kappa_crc32c(crc, payload.data, payload.len));

    record->crc = crc;
    record->bytes = kappa_record_bytes(header.len, payload.len);
    kappa_buf_add(buf, fixed, sizeof(fixed));
    kappa_buf_str(buf, header);
    kappa_buf_str(buf, payload);
    kappa_buf_add(
        buf, zeros, record->bytes - sizeof(fixed) - header.len - payload.len);
}

void
kappa_record_gone(unsigned char out[KAPPA_RECORD_GONE_BYTES])
{
    kappa_put_u32(out, GONE);
    kappa_put_u32(out + 4, 0);
}

static bool
all_zero(const unsigned char *p, size_t n)
{
    while (n > 0 && *p == 0) {
        p++;
        n--;
    }
    return n == 0;
}

static kappa_status_t
check_lengths(const unsigned char *p, kappa_record_t *out)
{
    out->header.len = kappa_get_u32(p + AT_HEADER_BYTES);
    out->payload.len = kappa_get_u32(p + AT_PAYLOAD_BYTES);
    if (out->header.len > KAPPA_RECORD_HEADER_MAX
        || out->payload.len > KAPPA_EVENT_BYTES_MAX - out->header.len) {
        return KAPPA_CORRUPT;
    }
    out->bytes = kappa_record_bytes(out->header.len, out->payload.len);
    return KAPPA_OK;
}

kappa_status_t
kappa_record_read_header(
    const char *data, size_t len, kappa_record_t *out, size_t *need)
{
    const unsigned char *p = (const unsigned char *)data;
    uint32_t crc;

    *need = KAPPA_RECORD_FIXED;
    if (len < KAPPA_RECORD_FIXED) {
        return KAPPA_AGAIN;
    }
    if (kappa_get_u32(p) != MAGIC) {
        return all_zero(p, KAPPA_RECORD_FIXED) ? KAPPA_DONE : KAPPA_CORRUPT;
    }
    if (check_lengths(p, out) != KAPPA_OK) {
        return KAPPA_CORRUPT;
    }
    *need = KAPPA_RECORD_FIXED + out->header.len;
    if (len < *need) {
        return KAPPA_AGAIN;
    }
    crc = kappa_crc32c(0, p + AT_HEADER_BYTES, AT_STATE - AT_HEADER_BYTES);
    out->crc = kappa_crc32c(crc, p + KAPPA_RECORD_FIXED, out->header.len);
    out->seq = kappa_get_u64(p + AT_SEQ);
    out->durable = kappa_get_u64(p + AT_DURABLE);
    out->prev_crc = kappa_get_u32(p + AT_PREV_CRC);
    return out->crc == kappa_get_u32(p + AT_CRC)
            && kappa_get_u32(p + AT_ZERO) == 0 && out->durable < out->seq
        ? KAPPA_OK
        : KAPPA_CORRUPT;
}

static bool
is_gone(uint32_t state)
{
    return state == GONE || state == GONE_TORN_1 || state == GONE_TORN_2;
}

static kappa_status_t
check_payload(const unsigned char *p, kappa_record_t *out)
{
    const unsigned char *payload = p + KAPPA_RECORD_FIXED + out->header.len;
    size_t padding =
        out->bytes - KAPPA_RECORD_FIXED - out->header.len - out->payload.len;

    if (!all_zero(payload + out->payload.len, padding)) {
        return KAPPA_CORRUPT;
    }
    if (is_gone(kappa_get_u32(p + AT_STATE))) {
        out->payload = KAPPA_STR_NULL;
        return KAPPA_OK;
    }
    out->payload.data = (const char *)payload;
    return kappa_get_u32(p + AT_STATE) == LIVE
            && kappa_crc32c(out->crc, payload, out->payload.len)
                == kappa_get_u32(p + AT_PAYLOAD_CRC)
        ? KAPPA_OK
        : KAPPA_CORRUPT;
}

kappa_status_t
kappa_record_read(
    const char *data, size_t len, kappa_record_t *out, size_t *need)
{
    kappa_status_t status = kappa_record_read_header(data, len, out, need);

    if (status != KAPPA_OK) {
        return status;
    }
    *need = out->bytes;
    if (len < *need) {
        return KAPPA_AGAIN;
    }
    out->header.data = data + KAPPA_RECORD_FIXED;
    return check_payload((const unsigned char *)data, out);
}
