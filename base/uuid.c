#include "base/uuid.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void
kappa_uuid_v7(
    int64_t ms, const uint8_t random[10], uint8_t out[KAPPA_UUID_BYTES])
{
    for (int i = 0; i < 6; i++) {
        out[i] = (uint8_t)((uint64_t)ms >> (40 - 8 * i));
    }
    memcpy(out + 6, random, 10);
    out[6] = 0x70 | (out[6] & 0x0f);
    out[8] = 0x80 | (out[8] & 0x3f);
}

static bool
dash_before(int byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void
kappa_uuid_format(
    const uint8_t uuid[KAPPA_UUID_BYTES], char out[KAPPA_UUID_CHARS])
{
    for (int i = 0; i < KAPPA_UUID_BYTES; i++) {
        if (dash_before(i)) {
            *out++ = '-';
        }
        kappa_hex_write(out, &uuid[i], 1);
        out += 2;
    }
}

bool
kappa_uuid_parse(kappa_str_t s, uint8_t out[KAPPA_UUID_BYTES])
{
    uint8_t uuid[KAPPA_UUID_BYTES];
    const char *p = s.data;

    if (s.len != KAPPA_UUID_CHARS) {
        return false;
    }
    for (int i = 0; i < KAPPA_UUID_BYTES; i++, p += 2) {
        if (dash_before(i) && *p++ != '-') {
            return false;
        }
        int high = kappa_hex_value(p[0]), low = kappa_hex_value(p[1]);

        if (high < 0 || low < 0) {
            return false;
        }
        uuid[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(out, uuid, sizeof(uuid));
    return true;
}

void
kappa_random(void *out, size_t n)
{
    char *p = out;

    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);

        if (got > 0) {
            p += got;
            n -= (size_t)got;
        } else if (errno != EINTR) {
            abort(); /* no kernel of ours; guessable ids would be worse */
        }
    }
}
