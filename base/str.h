#ifndef KAPPA_BASE_STR_H
#define KAPPA_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

/* Bytes with a length; not NUL-terminated unless a function says so. Owns
 * nothing. */
typedef struct {
    const char *data;
    size_t len;
} kappa_str_t;

#define KAPPA_STR(literal) ((kappa_str_t){ "" literal, sizeof(literal) - 1 })
#define KAPPA_STR_NULL ((kappa_str_t){ NULL, 0 })
/* For printf's "%.*s". */
#define KAPPA_STR_ARG(s) (int)(s).len, (s).data ? (s).data : ""

static inline kappa_str_t
kappa_str(const char *data, size_t len)
{
    return (kappa_str_t){ data, len };
}

static inline kappa_str_t
kappa_str_c(const char *s)
{
    return (kappa_str_t){ s, s ? strlen(s) : 0 };
}

static inline bool
kappa_str_eq(kappa_str_t a, kappa_str_t b)
{
    return a.len == b.len
        && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool
kappa_str_eq_c(kappa_str_t a, const char *b)
{
    return kappa_str_eq(a, kappa_str_c(b));
}

/* memcmp order, the shorter first. */
int kappa_str_cmp(kappa_str_t a, kappa_str_t b);

bool kappa_str_starts_with(kappa_str_t s, kappa_str_t prefix);
bool kappa_str_ends_with(kappa_str_t s, kappa_str_t end);

/* FNV-1a folded with a process-wide random seed (kappa_hash_seed): a client
 * can't choose colliding names. */
uint64_t kappa_str_hash(kappa_str_t s);
void kappa_hash_seed(uint64_t seed);

/* By eight bytes at once and without a seed, for tables in which names that
 * collide only push each other out. */
static inline uint32_t
kappa_str_hash_words(kappa_str_t s)
{
    uint64_t h = s.len, word = 0;
    size_t i = 0;

    for (; s.len - i >= sizeof(word); i += sizeof(word)) {
        memcpy(&word, s.data + i, sizeof(word));
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    for (word = 0; i < s.len; i++) {
        word = word << 8 | (unsigned char)s.data[i];
    }
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 32);
}

/* A copy in the arena, with a NUL behind it. data is NULL: no memory. */
kappa_str_t kappa_str_dup(kappa_arena_t *arena, kappa_str_t s);

/* printf into the arena, with a NUL behind. data is NULL: no memory. */
kappa_str_t kappa_str_printf(kappa_arena_t *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
kappa_str_t kappa_str_vprintf(
    kappa_arena_t *arena, const char *format, va_list args);

/* The length of the valid UTF-8 prefix of s: s.len if all of it is valid
 * (no surrogates, no overlong forms, at most U+10FFFF; Unicode 3.9). */
size_t kappa_utf8_valid(kappa_str_t s);

/* Writes a code point that is no surrogate and at most U+10FFFF; returns its
 * 1 to 4 bytes. */
size_t kappa_utf8_put(char *out, uint32_t code);

/* UTF-16 code units that s (valid UTF-8) takes. */
size_t kappa_utf16_units(kappa_str_t s);

/* Of a hexadecimal digit; -1: it is none. */
int kappa_hex_value(char c);

/* Two digits a byte, in lower case. */
void kappa_hex_write(char *out, const uint8_t *bytes, size_t n);

/* Of ASCII alone, whatever the locale. */
static inline char
kappa_char_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Decimal integer, the whole of s, optional '-'. False: not one, or over. */
bool kappa_str_to_int64(kappa_str_t s, int64_t *out);

#endif
