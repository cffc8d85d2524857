#include "proto/traceparent.h"

static bool
is_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* So many digits, then a '-' or the end; with_zeros: they may all be 0. */
static bool
take_digits(kappa_str_t *text, size_t count, bool with_zeros)
{
    bool zeros = true;

    if (text->len < count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_digit(text->data[i])) {
            return false;
        }
        zeros &= text->data[i] == '0';
    }
    bool more = text->len > count;

    if ((zeros && !with_zeros) || (more && text->data[count] != '-')) {
        return false;
    }
    *text = kappa_str(text->data + count + more, text->len - count - more);
    return true;
}

bool
kappa_traceparent_valid(kappa_str_t text)
{
    bool exact = kappa_str_starts_with(text, KAPPA_STR("00"));

    if (text.len < KAPPA_TRACEPARENT_CHARS
        || text.len > KAPPA_TRACEPARENT_CHARS_MAX
        || (exact && text.len > KAPPA_TRACEPARENT_CHARS)
        || kappa_str_starts_with(text, KAPPA_STR("ff"))) {
        return false;
    }
    return take_digits(&text, 2, true) && take_digits(&text, 32, false)
        && take_digits(&text, 16, false) && take_digits(&text, 2, true);
}
