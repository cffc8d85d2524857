#include "views/text.h"

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* XXXX behind \u: control characters only, as they are written. */
static int
unicode_escape(kappa_str_t *inside)
{
    int c = 0;

    if (inside->len < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(inside->data[i]);

        if (digit < 0) {
            return -1;
        }
        c = c * 16 + digit;
    }
    inside->data += 4;
    inside->len -= 4;
    return c < 0x80 ? c : -1;
}

static int
escape(kappa_str_t *inside)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char bytes[] = "\"\\/\b\f\n\r\t";

    if (inside->len == 0) {
        return -1;
    }
    char letter = *inside->data++;
    inside->len--;
    if (letter == 'u') {
        return unicode_escape(inside);
    }
    const char *at = memchr(letters, letter, sizeof(letters) - 1);
    return at ? bytes[at - letters] : -1;
}

int
kappa_text_next(kappa_str_t *inside)
{
    unsigned char c = (unsigned char)*inside->data++;

    inside->len--;
    return c == '\\' ? escape(inside) : c;
}
