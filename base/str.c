#include "base/str.h"

#include <stdio.h>

static uint64_t hash_seed = 0xcbf29ce484222325ULL;

int
kappa_str_cmp(kappa_str_t a, kappa_str_t b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.data, b.data, n) : 0;

    if (c != 0) {
        return c;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

bool
kappa_str_starts_with(kappa_str_t s, kappa_str_t prefix)
{
    return s.len >= prefix.len
        && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

bool
kappa_str_ends_with(kappa_str_t s, kappa_str_t end)
{
    return s.len >= end.len
        && (end.len == 0
            || memcmp(s.data + s.len - end.len, end.data, end.len) == 0);
}

void
kappa_hash_seed(uint64_t seed)
{
    hash_seed = seed ^ 0xcbf29ce484222325ULL;
}

uint64_t
kappa_str_hash(kappa_str_t s)
{
    uint64_t h = hash_seed;

    for (size_t i = 0; i < s.len; i++) {
        h = (h ^ (unsigned char)s.data[i]) * 0x100000001b3ULL;
    }
    h ^= h >> 32;
    return h * 0x9e3779b97f4a7c15ULL;
}

kappa_str_t
kappa_str_dup(kappa_arena_t *arena, kappa_str_t s)
{
    char *p = kappa_arena_bytes(arena, s.len + 1);

    if (p == NULL) {
        return KAPPA_STR_NULL;
    }
    if (s.len) {
        memcpy(p, s.data, s.len);
    }
    p[s.len] = '\0';
    return kappa_str(p, s.len);
}

kappa_str_t
kappa_str_vprintf(kappa_arena_t *arena, const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    char *p = len < 0 ? NULL : kappa_arena_bytes(arena, (size_t)len + 1);

    if (p != NULL) {
        vsnprintf(p, (size_t)len + 1, format, again);
    }
    va_end(again);
    return kappa_str(p, p ? (size_t)len : 0);
}

kappa_str_t
kappa_str_printf(kappa_arena_t *arena, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    kappa_str_t s = kappa_str_vprintf(arena, format, args);
    va_end(args);
    return s;
}

/* Bytes of the sequence that starts at p, 0 when it is not valid. */
static size_t
utf8_sequence(const unsigned char *p, size_t left)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t n;

    if (p[0] < 0x80) {
        return 1;
    } else if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        n = 3;
        low = p[0] == 0xe0 ? 0xa0 : low;
        high = p[0] == 0xed ? 0x9f : high;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4;
        low = p[0] == 0xf0 ? 0x90 : low;
        high = p[0] == 0xf4 ? 0x8f : high;
    } else {
        return 0;
    }
    if (n > left || p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) {
            return 0;
        }
    }
    return n;
}

/* Most text is ASCII: eight bytes at once while none has its high bit. */
static size_t
skip_ascii(kappa_str_t s, size_t i)
{
    uint64_t word;

    for (; s.len - i >= sizeof(word); i += sizeof(word)) {
        memcpy(&word, s.data + i, sizeof(word));
        if (word & UINT64_C(0x8080808080808080)) {
            break;
        }
    }
    return i;
}

size_t
kappa_utf8_valid(kappa_str_t s)
{
    size_t i = 0;

    while ((i = skip_ascii(s, i)) < s.len) {
        size_t n = utf8_sequence((const unsigned char *)s.data + i, s.len - i);

        if (n == 0) {
            break;
        }
        i += n;
    }
    return i;
}

size_t
kappa_utf8_put(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

int
kappa_hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
kappa_hex_write(char *out, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
}

size_t
kappa_utf16_units(kappa_str_t s)
{
    size_t units = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];

        if ((c & 0xc0) != 0x80) {
            units += c >= 0xf0 ? 2 : 1;
        }
    }
    return units;
}

bool
kappa_str_to_int64(kappa_str_t s, int64_t *out)
{
    bool negative = s.len > 0 && s.data[0] == '-';
    size_t i = negative ? 1 : 0;
    int64_t v = 0;

    if (i == s.len) {
        return false;
    }
    for (; i < s.len; i++) {
        int digit = s.data[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(v, 10, &v)
            || (negative ? __builtin_sub_overflow(v, digit, &v)
                         : __builtin_add_overflow(v, digit, &v))) {
            return false;
        }
    }
    *out = v;
    return true;
}
