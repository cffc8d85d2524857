#include "base/suggest.h"

#define NAME_BYTES_MAX 64

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* One row of the distance's matrix: a[i] against all of b. */
static void
fill_row(kappa_str_t a, kappa_str_t b, size_t i, const unsigned *before_last,
    const unsigned *last, unsigned *row)
{
    char c = lower(a.data[i - 1]);

    row[0] = (unsigned)i;
    for (size_t j = 1; j <= b.len; j++) {
        char d = lower(b.data[j - 1]);

        row[j] =
            least(least(last[j] + 1, row[j - 1] + 1), last[j - 1] + (c != d));
        if (i > 1 && j > 1 && c == lower(b.data[j - 2])
            && d == lower(a.data[i - 2])) {
            row[j] = least(row[j], before_last[j - 2] + 1);
        }
    }
}

/* Optimal string alignment of both in lower case; a difference in case only
 * counts 1. */
static unsigned
distance(kappa_str_t a, kappa_str_t b)
{
    unsigned rows[3][NAME_BYTES_MAX + 1];

    for (size_t j = 0; j <= b.len; j++) {
        rows[0][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        fill_row(a, b, i, rows[(i + 1) % 3], rows[(i - 1) % 3], rows[i % 3]);
    }
    unsigned d = rows[a.len % 3][b.len];
    return d == 0 && !kappa_str_eq(a, b) ? 1 : d;
}

static size_t
length_difference(kappa_str_t a, kappa_str_t b)
{
    return a.len > b.len ? a.len - b.len : b.len - a.len;
}

uint32_t
kappa_suggestions(kappa_str_t input, const kappa_str_t *options,
    uint32_t count, kappa_str_t out[KAPPA_SUGGESTIONS_MAX])
{
    unsigned found[KAPPA_SUGGESTIONS_MAX];
    unsigned near = (unsigned)(input.len * 2 / 5) + 1;
    uint32_t n = 0;

    if (input.len > NAME_BYTES_MAX) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (options[i].len > NAME_BYTES_MAX
            || length_difference(input, options[i]) > near) {
            continue;
        }
        unsigned d = distance(input, options[i]);
        uint32_t at = n;

        if (d > near) {
            continue;
        }
        while (at > 0
            && (found[at - 1] > d
                || (found[at - 1] == d
                    && kappa_str_cmp(out[at - 1], options[i]) > 0))) {
            at--;
        }
        if (at == KAPPA_SUGGESTIONS_MAX) {
            continue;
        }
        n += n < KAPPA_SUGGESTIONS_MAX;
        for (uint32_t j = n - 1; j > at; j--) {
            found[j] = found[j - 1];
            out[j] = out[j - 1];
        }
        found[at] = d;
        out[at] = options[i];
    }
    return n;
}

kappa_str_t
kappa_did_you_mean_these(kappa_arena_t *arena, const char *what,
    const kappa_str_t *names, uint32_t count)
{
    kappa_str_t text = KAPPA_STR(" Did you mean ");

    if (count == 0) {
        return KAPPA_STR("");
    }
    if (what != NULL) {
        text = kappa_str_printf(arena, " Did you mean %s ", what);
    }
    for (uint32_t i = 0; i < count && text.data != NULL; i++) {
        const char *after = i + 1 == count ? "?"
            : i + 2 < count                ? ", "
            : count == 2                   ? " or "
                                           : ", or ";

        text = kappa_str_printf(arena, "%.*s\"%.*s\"%s", KAPPA_STR_ARG(text),
            KAPPA_STR_ARG(names[i]), after);
    }
    return text.data != NULL ? text : KAPPA_STR("");
}

kappa_str_t
kappa_did_you_mean(kappa_arena_t *arena, const char *what, kappa_str_t input,
    const kappa_str_t *options, uint32_t count)
{
    kappa_str_t names[KAPPA_SUGGESTIONS_MAX];
    uint32_t n = kappa_suggestions(input, options, count, names);

    return kappa_did_you_mean_these(arena, what, names, n);
}
