#include "base/buf.h"

#include <stdio.h>

#define FIRST_CAP 256

void
kappa_buf_init(kappa_buf_t *buf, const kappa_alloc_t *alloc)
{
    *buf = (kappa_buf_t){ .alloc = alloc };
}

void
kappa_buf_release(kappa_buf_t *buf)
{
    if (buf->data != NULL) {
        buf->alloc->release(buf->alloc->ctx, buf->data);
    }
    kappa_buf_init(buf, buf->alloc);
}

bool
kappa_buf_reserve(kappa_buf_t *buf, size_t n)
{
    if (buf->failed) {
        return false;
    }
    if (n <= buf->cap - buf->len) {
        return true;
    }

    size_t cap = buf->cap ? buf->cap : FIRST_CAP;
    while (cap - buf->len < n) {
        if (cap > SIZE_MAX / 2) {
            buf->failed = true;
            return false;
        }
        cap *= 2;
    }

    char *data = buf->alloc->alloc(buf->alloc->ctx, cap);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    if (buf->data != NULL) {
        memcpy(data, buf->data, buf->len);
        buf->alloc->release(buf->alloc->ctx, buf->data);
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

void
kappa_buf_printf(kappa_buf_t *buf, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);

    if (len >= 0 && kappa_buf_reserve(buf, (size_t)len + 1)) {
        vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

void
kappa_buf_int64(kappa_buf_t *buf, int64_t v)
{
    char digits[20];
    size_t n = sizeof(digits);
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    do {
        digits[--n] = (char)('0' + u % 10);
        u /= 10;
    } while (u != 0);
    if (v < 0) {
        digits[--n] = '-';
    }
    kappa_buf_add(buf, digits + n, sizeof(digits) - n);
}
