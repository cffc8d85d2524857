#include "base/suggest.h"

#include <stdio.h>

#define NAME_MAX 64

void
kappa_suggest_init(kappa_suggest_t *suggest, kappa_str_t input)
{
    *suggest = (kappa_suggest_t){ .input = input,
        .threshold = (unsigned)(input.len * 2 / 5) + 1 };
}

static bool
same_but_case(kappa_str_t a, kappa_str_t b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (kappa_char_lower(a.data[i]) != kappa_char_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;

    return least < c ? least : c;
}

/* Edits (insert, delete, replace, swap of neighbours) between a and b in lower
 * case; past `limit` any number past it. */
static unsigned
distance(kappa_str_t a, kappa_str_t b, unsigned limit)
{
    unsigned char rows[3][NAME_MAX + 1];

    for (size_t j = 0; j <= b.len; j++) {
        rows[0][j] = (unsigned char)j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        unsigned char *row = rows[i % 3], *up = rows[(i + 2) % 3];
        const unsigned char *upper = rows[(i + 1) % 3];
        unsigned least = row[0] = (unsigned char)i;

        for (size_t j = 1; j <= b.len; j++) {
            char x = kappa_char_lower(a.data[i - 1]),
                 y = kappa_char_lower(b.data[j - 1]);
            unsigned d =
                min3(up[j] + 1U, row[j - 1] + 1U, up[j - 1] + (x != y));

            if (i > 1 && j > 1 && x == kappa_char_lower(b.data[j - 2])
                && y == kappa_char_lower(a.data[i - 2])
                && upper[j - 2] + 1U < d) {
                d = upper[j - 2] + 1U;
            }
            row[j] = (unsigned char)d;
            least = d < least ? d : least;
        }
        if (least > limit) {
            return least;
        }
    }
    return rows[a.len % 3][b.len];
}

static bool
is_before(const kappa_suggest_t *s, unsigned d, kappa_str_t name, unsigned at)
{
    return d < s->best[at].distance
        || (d == s->best[at].distance
            && kappa_str_cmp(name, s->best[at].name) < 0);
}

static void
keep(kappa_suggest_t *suggest, kappa_str_t option, unsigned d)
{
    unsigned at = suggest->count;

    while (at > 0 && is_before(suggest, d, option, at - 1)) {
        at--;
    }
    if (at == KAPPA_SUGGESTIONS_MAX) {
        return;
    }
    if (suggest->count < KAPPA_SUGGESTIONS_MAX) {
        suggest->count++;
    }
    for (unsigned i = suggest->count - 1; i > at; i--) {
        suggest->best[i] = suggest->best[i - 1];
    }
    suggest->best[at].name = option;
    suggest->best[at].distance = d;
}

void
kappa_suggest_try(kappa_suggest_t *suggest, kappa_str_t option)
{
    kappa_str_t input = suggest->input;
    size_t apart = input.len > option.len ? input.len - option.len
                                          : option.len - input.len;

    if (input.len > NAME_MAX || option.len > NAME_MAX
        || apart > suggest->threshold) {
        return;
    }
    unsigned d = same_but_case(input, option)
        ? 1
        : distance(input, option, suggest->threshold);
    if (d <= suggest->threshold) {
        keep(suggest, option, d);
    }
}

kappa_str_t
kappa_suggest_print(
    const kappa_suggest_t *suggest, kappa_arena_t *arena, const char *what)
{
    char text[KAPPA_SUGGESTIONS_MAX * (NAME_MAX + 8)];
    size_t len = 0;

    if (suggest->count == 0) {
        return KAPPA_STR("");
    }
    for (unsigned i = 0; i < suggest->count; i++) {
        kappa_str_t name = suggest->best[i].name;
        bool last = i + 1 == suggest->count;
        const char *between = i == 0 ? ""
            : !last                  ? ", "
            : suggest->count == 2    ? " or "
                                     : ", or ";

        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\"%.*s\"",
            between, KAPPA_STR_ARG(name));
    }
    return kappa_str_printf(arena, " Did you mean %s%s%.*s?", what ? what : "",
        what ? " " : "", (int)len, text);
}
