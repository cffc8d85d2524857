#include "expr/node.h"

/* Where a byte of an expression's text stands in the file: behind the same
 * offset if the string was written without escapes, else both are walked
 * together. */

static bool
in_block(kappa_str_t file, size_t start)
{
    return start >= 3 && memcmp(file.data + start - 3, "\"\"\"", 3) == 0;
}

/* Bytes that an escape in a GraphQL string takes, from its backslash. */
static size_t
escape_written(kappa_str_t file, size_t at)
{
    size_t end = at + 2;

    if (at + 1 >= file.len || file.data[at + 1] != 'u') {
        return 2;
    }
    if (end < file.len && file.data[end] == '{') {
        while (end < file.len && file.data[end] != '}') {
            end++;
        }
        return end + 1 - at;
    }
    return 6;
}

static size_t
code_bytes(char first)
{
    unsigned char c = (unsigned char)first;

    return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* The text's next code point was written as an escape, of four bytes as two
 * of them if not in braces. */
static void
skip_escape(kappa_str_t file, kappa_str_t text, size_t *at, size_t *i)
{
    size_t bytes = code_bytes(text.data[*i]);
    size_t written = escape_written(file, *at);

    *at += bytes == 4 && written == 6 ? 12 : written;
    *i += bytes;
}

size_t
kappa_expr_place(kappa_str_t file, size_t start, kappa_str_t text, size_t to)
{
    size_t at = start, i = 0;

    if (start > file.len || to > text.len) {
        return start;
    }
    kappa_str_t rest = kappa_str(file.data + start, file.len - start);
    if (kappa_str_starts_with(rest, text)) {
        return start + to;
    }
    bool block = in_block(file, start);
    while (i < to && at < file.len) {
        if (file.data[at] == '\\' && !block) {
            skip_escape(file, text, &at, &i);
            continue;
        }
        /* A block string has lost its indentation, and \""" its backslash. */
        i += file.data[at] == text.data[i];
        at++;
    }
    return at < file.len ? at : file.len;
}
