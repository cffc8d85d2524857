#include "log/state.h"

#include "base/crc32c.h"
#include "log/bytes.h"

#define AT_PHASE 8
#define AT_GENERATION 16
#define AT_TAIL 24
#define AT_SEGMENT 32
#define AT_OFFSET 40
#define AT_INTENT_END 48
#define AT_RECORD_CRC 56
#define AT_CHECKSUM 60
#define AT_BOOT_ID 64
#define AT_EPOCH (AT_BOOT_ID + KAPPA_BOOT_ID_CHARS)
#define AT_SERIAL 128
#define AT_TRODDEN 136

_Static_assert(
    AT_EPOCH + KAPPA_EPOCH_CHARS_MAX <= AT_SERIAL, "the epoch fits");

static const char magic[8] = { 'K', 'A', 'P', 'P', 'A', 'L', 'C', 'K' };

static uint32_t
checksum(const unsigned char *p)
{
    uint32_t crc = kappa_crc32c(0, p, AT_CHECKSUM);

    return kappa_crc32c(
        crc, p + AT_BOOT_ID, KAPPA_LOG_STATE_BYTES - AT_BOOT_ID);
}

void
kappa_log_state_write(
    const kappa_log_state_t *state, unsigned char out[KAPPA_LOG_STATE_BYTES])
{
    memset(out, 0, KAPPA_LOG_STATE_BYTES);
    memcpy(out, magic, sizeof(magic));
    kappa_put_u32(out + AT_PHASE, (uint32_t)state->phase);
    kappa_put_u64(out + AT_GENERATION, state->generation);
    kappa_put_u64(out + AT_TAIL, state->tail);
    kappa_put_u64(out + AT_SEGMENT, state->segment);
    kappa_put_u64(out + AT_OFFSET, state->offset);
    kappa_put_u64(out + AT_INTENT_END, state->intent_end);
    kappa_put_u32(out + AT_RECORD_CRC, state->crc);
    memcpy(out + AT_BOOT_ID, state->boot_id, KAPPA_BOOT_ID_CHARS);
    memcpy(out + AT_EPOCH, state->epoch.name, KAPPA_EPOCH_CHARS_MAX);
    kappa_put_u64(out + AT_SERIAL, state->serial);
    kappa_put_u64(out + AT_TRODDEN, state->trodden);
    kappa_put_u32(out + AT_CHECKSUM, checksum(out));
}

bool
kappa_log_state_read(
    const unsigned char *data, size_t len, kappa_log_state_t *out)
{
    if (len < KAPPA_LOG_STATE_BYTES || memcmp(data, magic, sizeof(magic)) != 0
        || kappa_get_u32(data + AT_CHECKSUM) != checksum(data)) {
        return false;
    }
    memset(out, 0, sizeof(*out));
    out->phase = (kappa_log_phase_t)kappa_get_u32(data + AT_PHASE);
    out->generation = kappa_get_u64(data + AT_GENERATION);
    out->tail = kappa_get_u64(data + AT_TAIL);
    out->segment = kappa_get_u64(data + AT_SEGMENT);
    out->offset = kappa_get_u64(data + AT_OFFSET);
    out->intent_end = kappa_get_u64(data + AT_INTENT_END);
    out->crc = kappa_get_u32(data + AT_RECORD_CRC);
    memcpy(out->boot_id, data + AT_BOOT_ID, KAPPA_BOOT_ID_CHARS);
    memcpy(out->epoch.name, data + AT_EPOCH, KAPPA_EPOCH_CHARS_MAX);
    out->serial = kappa_get_u64(data + AT_SERIAL);
    out->trodden = kappa_get_u64(data + AT_TRODDEN);
    return out->phase >= KAPPA_LOG_CLEAN && out->phase <= KAPPA_LOG_BROKEN;
}

bool
kappa_log_state_choose(
    const unsigned char *data, size_t len, kappa_log_state_t *out)
{
    bool found = false;

    for (size_t at = 0; at < len; at += KAPPA_LOG_STATE_BYTES) {
        kappa_log_state_t state;

        if (kappa_log_state_read(data + at, len - at, &state)
            && (!found || state.serial > out->serial)) {
            *out = state;
            found = true;
        }
    }
    return found;
}
