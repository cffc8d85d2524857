#include <stdio.h>

#include "graphql/print.h"
#include "graphql/print_private.h"

/* A character that may not stand in a quoted string as it is. Those of two
 * bytes are U+0080 to U+009F. */
static void
print_escaped(kappa_buf_t *buf, unsigned code)
{
    static const char named[] = "\b\t\n\f\r\"\\", names[] = "btnfr\"\\";
    const char *found = code ? strchr(named, (int)code) : NULL;

    if (found != NULL) {
        kappa_buf_char(buf, '\\');
        kappa_buf_char(buf, names[found - named]);
    } else {
        kappa_buf_printf(buf, "\\u%04X", code);
    }
}

void
kappa_print_string(kappa_buf_t *buf, kappa_str_t s)
{
    kappa_buf_char(buf, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];

        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
            print_escaped(buf, c);
        } else if (c == 0xc2 && i + 1 < s.len
            && (unsigned char)s.data[i + 1] < 0xa0) {
            print_escaped(buf, (unsigned char)s.data[++i]);
        } else {
            kappa_buf_char(buf, (char)c);
        }
    }
    kappa_buf_char(buf, '"');
}

static void
print_list(kappa_buf_t *buf, const kappa_literal_t *literal)
{
    kappa_buf_char(buf, '[');
    for (const kappa_literal_t *item = literal->items; item != NULL;
         item = item->next) {
        if (item != literal->items) {
            KAPPA_BUF_LIT(buf, ", ");
        }
        kappa_print_literal(buf, item);
    }
    kappa_buf_char(buf, ']');
}

static void
print_object(kappa_buf_t *buf, const kappa_literal_t *literal)
{
    KAPPA_BUF_LIT(buf, "{ ");
    for (const kappa_literal_field_t *field = literal->fields; field != NULL;
         field = field->next) {
        if (field != literal->fields) {
            KAPPA_BUF_LIT(buf, ", ");
        }
        kappa_buf_str(buf, field->name.text);
        KAPPA_BUF_LIT(buf, ": ");
        kappa_print_literal(buf, field->value);
    }
    KAPPA_BUF_LIT(buf, " }");
}

void
kappa_print_literal(kappa_buf_t *buf, const kappa_literal_t *literal)
{
    switch (literal->kind) {
    case KAPPA_LITERAL_VARIABLE:
        kappa_buf_char(buf, '$');
        kappa_buf_str(buf, literal->text);
        return;
    case KAPPA_LITERAL_STRING:
        if (literal->block) {
            kappa_print_block_string(buf, literal->text, 0);
        } else {
            kappa_print_string(buf, literal->text);
        }
        return;
    case KAPPA_LITERAL_LIST:
        print_list(buf, literal);
        return;
    case KAPPA_LITERAL_OBJECT:
        print_object(buf, literal);
        return;
    case KAPPA_LITERAL_NULL:
        KAPPA_BUF_LIT(buf, "null");
        return;
    default:
        kappa_buf_str(buf, literal->text);
    }
}
