#include "base/base64url.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
kappa_base64url_encode(kappa_str_t bytes, char *out)
{
    uint32_t bits = 0;
    int count = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | (uint8_t)bytes.data[i];
        for (count += 8; count >= 6; count -= 6) {
            *out++ = alphabet[bits >> (count - 6) & 63];
        }
    }
    if (count > 0) {
        *out = alphabet[bits << (6 - count) & 63];
    }
}

static int
value_of(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool
kappa_base64url_decode(kappa_str_t text, uint8_t *out)
{
    uint32_t bits = 0;
    int count = 0;

    if (text.len % 4 == 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.data[i]);

        if (value < 0) {
            return false;
        }
        bits = (bits & 0xff) << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            *out++ = (uint8_t)(bits >> count);
        }
    }
    return (bits & ((1u << count) - 1)) == 0;
}
