#ifndef KAPPA_BASE_CRC32C_H
#define KAPPA_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli, RFC 3720 B.4). Start with crc 0; to continue, pass
 * what the last call returned. */
uint32_t kappa_crc32c(uint32_t crc, const void *data, size_t n);

/* The same without the processor's help: for other machines, and tests. */
uint32_t kappa_crc32c_portable(uint32_t crc, const void *data, size_t n);

#endif
