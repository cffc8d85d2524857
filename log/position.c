#include "log/position.h"

static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";

void
kappa_epoch_make(const uint8_t random[KAPPA_EPOCH_RANDOM], kappa_epoch_t *out)
{
    uint64_t bits[2];

    memcpy(bits, random, sizeof(bits));
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < KAPPA_EPOCH_CHARS; i++) {
        uint64_t *from = &bits[i % 2];

        out->name[i] = letters[*from % 36];
        *from /= 36;
    }
}

bool
kappa_epoch_parse(kappa_str_t s, kappa_epoch_t *out)
{
    if (s.len < KAPPA_EPOCH_CHARS_MIN || s.len > KAPPA_EPOCH_CHARS_MAX) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\0' || strchr(letters, s.data[i]) == NULL) {
            return false;
        }
    }
    memset(out, 0, sizeof(*out));
    memcpy(out->name, s.data, s.len);
    return true;
}

size_t
kappa_position_format(const kappa_epoch_t *epoch, uint64_t seq,
    char out[KAPPA_POSITION_CHARS_MAX])
{
    size_t len = strlen(epoch->name);
    char digits[20];
    size_t first = sizeof(digits);

    do {
        digits[--first] = (char)('0' + seq % 10);
        seq /= 10;
    } while (seq != 0);
    memcpy(out, epoch->name, len);
    out[len++] = '-';
    memcpy(out + len, digits + first, sizeof(digits) - first);
    return len + sizeof(digits) - first;
}

static bool
parse_seq(kappa_str_t s, uint64_t *out)
{
    uint64_t seq = 0;

    if (s.len == 0 || (s.len > 1 && s.data[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(unsigned char)s.data[i] - '0';

        if (digit > 9 || __builtin_mul_overflow(seq, 10, &seq)
            || __builtin_add_overflow(seq, digit, &seq)) {
            return false;
        }
    }
    *out = seq;
    return true;
}

bool
kappa_position_parse(kappa_str_t s, kappa_position_t *out)
{
    const char *dash = s.len ? memchr(s.data, '-', s.len) : NULL;

    if (dash == NULL) {
        return false;
    }
    size_t epoch_len = (size_t)(dash - s.data);

    return kappa_epoch_parse(kappa_str(s.data, epoch_len), &out->epoch)
        && parse_seq(kappa_str(dash + 1, s.len - epoch_len - 1), &out->seq);
}

kappa_status_t
kappa_position_locate(kappa_str_t text, kappa_str_t epoch, uint64_t *seq)
{
    kappa_position_t position;

    if (!kappa_position_parse(text, &position)) {
        return KAPPA_INVALID;
    }
    if (!kappa_str_eq(kappa_epoch_str(&position.epoch), epoch)) {
        return KAPPA_CONFLICT;
    }
    *seq = position.seq;
    return KAPPA_OK;
}
