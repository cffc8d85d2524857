#include "graphql/block_string.h"

/* A walk over the lines of the raw text. */
typedef struct {
    kappa_str_t rest;
    kappa_str_t line;
    size_t number; /* of line, from 0 */
    bool more;     /* rest is a line, even when it is empty */
} lines_t;

static lines_t
lines_of(kappa_str_t raw)
{
    return (lines_t){ .rest = raw, .number = (size_t)-1, .more = true };
}

static bool
next_line(lines_t *lines)
{
    kappa_str_t rest = lines->rest;
    size_t len = 0, skip = 0;

    if (!lines->more) {
        return false;
    }
    while (
        len < rest.len && rest.data[len] != '\n' && rest.data[len] != '\r') {
        len++;
    }
    if (len < rest.len) {
        skip = rest.data[len] == '\r' && len + 1 < rest.len
                && rest.data[len + 1] == '\n'
            ? 2
            : 1;
    }
    lines->more = skip > 0;
    lines->line = kappa_str(rest.data, len);
    lines->rest = kappa_str(rest.data + len + skip, rest.len - len - skip);
    lines->number++;
    return true;
}

static size_t
indent_of(kappa_str_t line)
{
    size_t n = 0;

    while (n < line.len && (line.data[n] == ' ' || line.data[n] == '\t')) {
        n++;
    }
    return n;
}

static char *
copy_unescaped(char *p, kappa_str_t line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (line.len - i >= 4 && memcmp(line.data + i, "\\\"\"\"", 4) == 0) {
            continue; /* the slash only */
        }
        *p++ = line.data[i];
    }
    return p;
}

kappa_str_t
kappa_block_string_value(kappa_arena_t *arena, kappa_str_t raw)
{
    size_t indent = SIZE_MAX, first = SIZE_MAX, last = 0;
    char *value = kappa_arena_bytes(arena, raw.len + 1), *p = value;

    if (value == NULL) {
        return KAPPA_STR_NULL;
    }
    for (lines_t lines = lines_of(raw); next_line(&lines);) {
        size_t blanks = indent_of(lines.line);

        if (blanks == lines.line.len) {
            continue;
        }
        if (first == SIZE_MAX) {
            first = lines.number;
        }
        last = lines.number;
        if (lines.number != 0 && blanks < indent) {
            indent = blanks;
        }
    }
    if (first == SIZE_MAX) {
        return kappa_str(value, 0);
    }
    for (lines_t lines = lines_of(raw);
         next_line(&lines) && lines.number <= last;) {
        kappa_str_t line = lines.line;
        size_t cut = lines.number == 0 ? 0 : indent;

        if (lines.number < first) {
            continue;
        }
        if (lines.number > first) {
            *p++ = '\n';
        }
        cut = cut < line.len ? cut : line.len;
        p = copy_unescaped(p, kappa_str(line.data + cut, line.len - cut));
    }
    return kappa_str(value, (size_t)(p - value));
}
