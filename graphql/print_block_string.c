#include "base/str.h"
#include "graphql/print_private.h"

#define LINE_UNITS 70 /* a longer text stands on lines of its own */

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool
is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* Control characters would be lost or changed. */
static bool
has_control(kappa_str_t s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];

        if (c < 0x10 && c != '\t' && c != '\n') {
            return true;
        }
    }
    return false;
}

static bool
is_blank_line(kappa_str_t line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (!is_blank(line.data[i])) {
            return false;
        }
    }
    return true;
}

static kappa_str_t
take_line(kappa_str_t *rest)
{
    const char *end = memchr(rest->data, '\n', rest->len);
    kappa_str_t line =
        kappa_str(rest->data, end ? (size_t)(end - rest->data) : rest->len);
    size_t taken = line.len + (end ? 1 : 0);

    *rest = kappa_str(rest->data + taken, rest->len - taken);
    return line;
}

/* Reading takes away blank first and last lines and what indentation all
 * lines share: a text that has any of them needs quotes of the other kind. */
bool
kappa_is_block_string(kappa_str_t s)
{
    bool first = true, all_indented = true, blank = true;
    kappa_str_t rest = s;

    if (s.len == 0) {
        return true;
    }
    if (has_control(s)) {
        return false;
    }
    bool several = memchr(s.data, '\n', s.len) != NULL;
    while (rest.len > 0 || first) {
        kappa_str_t line = take_line(&rest);

        blank = is_blank_line(line);
        if (first && blank) {
            return false;
        }
        if (!blank && !is_blank(line.data[0])) {
            all_indented = false;
        }
        first = false;
    }
    return !blank && s.data[s.len - 1] != '\n' && !(all_indented && several);
}

/* Several lines, of which all but the first are empty or indented: only a
 * first line that is empty keeps that indentation. */
static bool
needs_leading_line(kappa_str_t s)
{
    bool several = false;

    for (size_t i = 0; i < s.len; i++) {
        if (!is_line_end(s.data[i])) {
            continue;
        }
        several = true;
        if (i + 1 < s.len && !is_blank(s.data[i + 1])
            && !is_line_end(s.data[i + 1])) {
            return false;
        }
    }
    return several;
}

static void
print_line_end(kappa_buf_t *buf, unsigned indent)
{
    kappa_buf_char(buf, '\n');
    while (indent-- > 0) {
        kappa_buf_char(buf, ' ');
    }
}

static void
print_lines(kappa_buf_t *buf, kappa_str_t s, unsigned indent)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\n') {
            print_line_end(buf, indent);
        } else if (s.len - i >= 3 && memcmp(s.data + i, "\"\"\"", 3) == 0) {
            KAPPA_BUF_LIT(buf, "\\\"\"\"");
            i += 2;
        } else {
            kappa_buf_char(buf, s.data[i]);
        }
    }
}

/* Whether what is printed for s ends with an escaped \""". */
static bool
ends_with_triple(kappa_str_t s)
{
    size_t quotes = 0;

    while (quotes < s.len && s.data[s.len - 1 - quotes] == '"') {
        quotes++;
    }
    return quotes > 0 && quotes % 3 == 0;
}

void
kappa_print_block_string(kappa_buf_t *buf, kappa_str_t s, unsigned indent)
{
    bool single = memchr(s.data, '\n', s.len) == NULL
        && memchr(s.data, '\r', s.len) == NULL;
    bool leading = needs_leading_line(s), triple = ends_with_triple(s);
    bool trailing = (kappa_str_ends_with(s, KAPPA_STR("\"")) && !triple)
        || kappa_str_ends_with(s, KAPPA_STR("\\"));
    bool lines = !single || trailing || leading || triple
        || kappa_utf16_units(s) > LINE_UNITS;
    bool starts_blank = single && s.len > 0 && is_blank(s.data[0]);

    KAPPA_BUF_LIT(buf, "\"\"\"");
    if ((lines && !starts_blank) || leading) {
        print_line_end(buf, indent);
    }
    print_lines(buf, s, indent);
    if (lines) {
        print_line_end(buf, indent);
    }
    KAPPA_BUF_LIT(buf, "\"\"\"");
}
