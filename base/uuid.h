#ifndef KAPPA_BASE_UUID_H
#define KAPPA_BASE_UUID_H

#include "base/str.h"

#define KAPPA_UUID_BYTES 16
#define KAPPA_UUID_CHARS 36

/* UUIDv7 (RFC 9562): 48 bits of ms, 74 random bits given by the caller. */
void kappa_uuid_v7(
    int64_t ms, const uint8_t random[10], uint8_t out[KAPPA_UUID_BYTES]);

/* Lower-case hex with dashes; no NUL. */
void kappa_uuid_format(
    const uint8_t uuid[KAPPA_UUID_BYTES], char out[KAPPA_UUID_CHARS]);

/* Upper or lower case; false: not one. */
bool kappa_uuid_parse(kappa_str_t s, uint8_t out[KAPPA_UUID_BYTES]);

/* From the kernel (getrandom). */
void kappa_random(void *out, size_t n);

#endif
