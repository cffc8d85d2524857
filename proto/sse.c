#include "proto/sse.h"

/* A field's value must not break the line; what would is cut there. */
static kappa_str_t
first_line(kappa_str_t s)
{
    size_t n = 0;

    while (n < s.len && s.data[n] != '\n' && s.data[n] != '\r'
        && s.data[n] != '\0') {
        n++;
    }
    return kappa_str(s.data, n);
}

/* One data line for each line; \r\n, \r and \n end one. */
static void
add_data(kappa_buf_t *buf, kappa_str_t text)
{
    size_t start = 0;

    KAPPA_BUF_LIT(buf, "data: ");
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c != '\n' && c != '\r') {
            continue;
        }
        kappa_buf_add(buf, text.data + start, i - start);
        KAPPA_BUF_LIT(buf, "\ndata: ");
        if (c == '\r' && i + 1 < text.len && text.data[i + 1] == '\n') {
            i++;
        }
        start = i + 1;
    }
    if (text.len > start) {
        kappa_buf_add(buf, text.data + start, text.len - start);
    }
    kappa_buf_char(buf, '\n');
}

void
kappa_sse_next(kappa_buf_t *buf, kappa_str_t position, kappa_str_t json)
{
    position = first_line(position);
    KAPPA_BUF_LIT(buf, "event: next\n");
    if (position.len > 0) {
        KAPPA_BUF_LIT(buf, "id: ");
        kappa_buf_str(buf, position);
        kappa_buf_char(buf, '\n');
    }
    add_data(buf, json);
    kappa_buf_char(buf, '\n');
}

/* The empty data line is needed: browsers dispatch no event without data. */
void
kappa_sse_complete(kappa_buf_t *buf)
{
    KAPPA_BUF_LIT(buf, "event: complete\ndata: \n\n");
}

void
kappa_sse_heartbeat(kappa_buf_t *buf)
{
    KAPPA_BUF_LIT(buf, ":\n\n");
}
