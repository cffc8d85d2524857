#ifndef KAPPA_BASE_BUF_H
#define KAPPA_BASE_BUF_H

#include "base/alloc.h"
#include "base/str.h"

/* A growing byte buffer on an allocator. A failed append sets `failed` and
 * does nothing from then on, so a writer checks once, at its end. */
typedef struct {
    const kappa_alloc_t *alloc;
    char *data;
    size_t len;
    size_t cap;
    bool failed;
} kappa_buf_t;

void kappa_buf_init(kappa_buf_t *buf, const kappa_alloc_t *alloc);
void kappa_buf_release(kappa_buf_t *buf); /* gives the memory back */

/* Room for n more bytes; false (and failed) when there is no memory. */
bool kappa_buf_reserve(kappa_buf_t *buf, size_t n);

/* len = 0; keeps the memory; clears failed. */
static inline void
kappa_buf_reset(kappa_buf_t *buf)
{
    buf->len = 0;
    buf->failed = false;
}

static inline void
kappa_buf_add(kappa_buf_t *buf, const void *data, size_t n)
{
    if (n > buf->cap - buf->len && !kappa_buf_reserve(buf, n)) {
        return;
    }
    if (n) {
        memcpy(buf->data + buf->len, data, n);
    }
    buf->len += n;
}

static inline void
kappa_buf_str(kappa_buf_t *buf, kappa_str_t s)
{
    kappa_buf_add(buf, s.data, s.len);
}

static inline void
kappa_buf_char(kappa_buf_t *buf, char c)
{
    if (buf->len == buf->cap && !kappa_buf_reserve(buf, 1)) {
        return;
    }
    buf->data[buf->len++] = c;
}

#define KAPPA_BUF_LIT(buf, literal)                                           \
    kappa_buf_add(buf, "" literal, sizeof(literal) - 1)

void kappa_buf_printf(kappa_buf_t *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void kappa_buf_int64(kappa_buf_t *buf, int64_t v);

static inline kappa_str_t
kappa_buf_view(const kappa_buf_t *buf)
{
    return kappa_str(buf->data, buf->len);
}

#endif
