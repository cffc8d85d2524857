#ifndef KAPPA_LOG_BYTES_H
#define KAPPA_LOG_BYTES_H

#include <stdint.h>

/* Little-endian numbers in bytes, as the log's files have them. */

static inline void
kappa_put_u32(unsigned char *p, uint32_t v)
{
    p[0] = (unsigned char)v;
    p[1] = (unsigned char)(v >> 8);
    p[2] = (unsigned char)(v >> 16);
    p[3] = (unsigned char)(v >> 24);
}

static inline void
kappa_put_u64(unsigned char *p, uint64_t v)
{
    kappa_put_u32(p, (uint32_t)v);
    kappa_put_u32(p + 4, (uint32_t)(v >> 32));
}

static inline uint32_t
kappa_get_u32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16
        | (uint32_t)p[3] << 24;
}

static inline uint64_t
kappa_get_u64(const unsigned char *p)
{
    return (uint64_t)kappa_get_u32(p) | (uint64_t)kappa_get_u32(p + 4) << 32;
}

#endif
