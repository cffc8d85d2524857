#include "base/json.h"

/* XXXX */
static bool
read_unit(kappa_str_t s, size_t at, uint32_t *unit)
{
    *unit = 0;
    for (size_t i = at; i < at + 4; i++) {
        int digit = i < s.len ? kappa_hex_value(s.data[i]) : -1;

        if (digit < 0) {
            return false;
        }
        *unit = *unit << 4 | (uint32_t)digit;
    }
    return true;
}

/* u XXXX, or two of them that are a surrogate pair; *at is at the u and moves
 * behind. Neither NUL nor half a pair. */
static bool
read_code(kappa_str_t s, size_t *at, uint32_t *code)
{
    uint32_t low;

    if (!read_unit(s, *at + 1, code) || *code == 0) {
        return false;
    }
    *at += 5;
    if (*code < 0xd800 || *code > 0xdfff) {
        return true;
    }
    if (*code > 0xdbff || *at + 1 >= s.len || s.data[*at] != '\\'
        || s.data[*at + 1] != 'u' || !read_unit(s, *at + 2, &low)
        || low < 0xdc00 || low > 0xdfff) {
        return false;
    }
    *at += 6;
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

/* What a letter behind a backslash stands for; 0: no such escape. */
static char
meaning(char letter)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char means[] = "\"\\/\b\f\n\r\t";
    const char *found = memchr(letters, letter, sizeof(letters) - 1);

    return found ? means[found - letters] : 0;
}

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS (ONES * 0x80)

/* High bits where a byte of the word is below n, which is at most 0x80; above
 * such a byte there may be others. */
static uint64_t
below(uint64_t word, uint64_t n)
{
    return (word - ONES * n) & ~word & HIGHS;
}

/* How many bytes from here are neither control characters, quotes nor
 * backslashes, or some fewer: eight at once. */
static size_t
plain(kappa_str_t s, size_t at)
{
    size_t start = at;
    uint64_t word;

    for (; s.len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, s.data + at, sizeof(word));
        if (below(word, 0x20) | below(word ^ ONES * '"', 1)
            | below(word ^ ONES * '\\', 1)) {
            break;
        }
    }
    return at - start;
}

/* No escape is longer resolved than written. 0 and false: not a string. */
static bool
resolve(kappa_str_t s, char *out, size_t *len)
{
    size_t at = 0, n = 0;

    while (at < s.len) {
        size_t many = plain(s, at);
        uint32_t code;

        if (many > 0) {
            memcpy(out + n, s.data + at, many);
            at += many;
            n += many;
            continue;
        }
        char c = s.data[at++];

        if ((unsigned char)c < 0x20 || c == '"') {
            return false;
        }
        if (c != '\\') {
            out[n++] = c;
            continue;
        }
        if (at == s.len) {
            return false;
        }
        if (s.data[at] == 'u') {
            if (!read_code(s, &at, &code)) {
                return false;
            }
            n += kappa_utf8_put(out + n, code);
        } else if ((out[n++] = meaning(s.data[at++])) == 0) {
            return false;
        }
    }
    *len = n;
    return true;
}

typedef signed char block_t __attribute__((vector_size(16)));

/* Not zero: one of sixteen bytes is no ASCII, a control character (both are
 * less than a blank, with a sign), a quote or a backslash. */
static inline uint64_t
odd(const char *p)
{
    block_t block;
    uint64_t half[2];

    memcpy(&block, p, sizeof(block));
    block = (block_t)((block < 0x20) | (block == '"') | (block == '\\'));
    memcpy(half, &block, sizeof(half));
    return half[0] | half[1];
}

/* Whether all of it stands for itself, as nearly every text does. */
static bool
is_plain(kappa_str_t s)
{
    size_t i = 0;

    if (s.len >= sizeof(block_t)) {
        for (; i + sizeof(block_t) <= s.len; i += sizeof(block_t)) {
            if (odd(s.data + i)) {
                return false;
            }
        }
        return !odd(s.data + s.len - sizeof(block_t));
    }
    for (; i < s.len; i++) {
        signed char c = (signed char)s.data[i];

        if (c < 0x20 || c == '"' || c == '\\') {
            return false;
        }
    }
    return true;
}

kappa_status_t
kappa_json_text(kappa_arena_t *arena, kappa_str_t inside, kappa_str_t *out)
{
    char *p = kappa_arena_bytes(arena, inside.len + 1);
    size_t len;

    if (p == NULL) {
        return KAPPA_NOMEM;
    }
    if (is_plain(inside)) {
        memcpy(p, inside.data, inside.len);
        p[inside.len] = '\0';
        *out = kappa_str(p, inside.len);
        return KAPPA_OK;
    }
    if (!resolve(inside, p, &len) || kappa_utf8_valid(inside) != inside.len) {
        return KAPPA_INVALID;
    }
    p[len] = '\0';
    *out = kappa_str(p, len);
    return KAPPA_OK;
}
