#include "base/crc32c.h"

#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* reflected */

static uint32_t table[8][256];

static void
fill_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;

        for (int bit = 0; bit < 8; bit++) {
            crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
        }
        table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++) {
        for (int k = 1; k < 8; k++) {
            uint32_t crc = table[k - 1][i];

            table[k][i] = crc >> 8 ^ table[0][crc & 0xff];
        }
    }
}

static inline uint32_t
by_byte(uint32_t crc, const unsigned char *p, size_t n)
{
    while (n-- > 0) {
        crc = crc >> 8 ^ table[0][(crc ^ *p++) & 0xff];
    }
    return crc;
}

/* Eight tables, eight bytes a step: where the processor has no help. */
static uint32_t
by_table(uint32_t crc, const unsigned char *p, size_t n)
{
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t low = crc
            ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16
                | (uint32_t)p[3] << 24);

        crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff]
            ^ table[5][low >> 16 & 0xff] ^ table[4][low >> 24] ^ table[3][p[4]]
            ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
    }
    return by_byte(crc, p, n);
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t
by_processor(uint32_t crc, const unsigned char *p, size_t n)
{
    uint64_t wide = crc;

    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;

        memcpy(&word, p, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    while (n-- > 0) {
        crc = _mm_crc32_u8(crc, *p++);
    }
    return crc;
}

static int
processor_helps(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") != 0;
}
#else
#define by_processor by_table
static int
processor_helps(void)
{
    return 0;
}
#endif

static int has_processor;

/* Before main, so that no thread sees half a table. */
__attribute__((constructor)) static void
prepare(void)
{
    fill_table();
    has_processor = processor_helps();
}

uint32_t
kappa_crc32c(uint32_t crc, const void *data, size_t n)
{
    return ~(has_processor ? by_processor : by_table)(~crc, data, n);
}

uint32_t
kappa_crc32c_portable(uint32_t crc, const void *data, size_t n)
{
    return ~by_table(~crc, data, n);
}
