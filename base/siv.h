#ifndef KAPPA_BASE_SIV_H
#define KAPPA_BASE_SIV_H

#include "base/str.h"

/* AES-SIV (RFC 5297) with keys of 128 bits and one text beside the message:
 * encrypted and authenticated, and the same message has the same bytes every
 * time, so nothing random is needed and answers can be compared.
 *
 * One thread at a time uses one. */
typedef struct kappa_siv_s kappa_siv_t;

#define KAPPA_SIV_KEY_BYTES 32
#define KAPPA_SIV_TAG_BYTES 16

/* NULL: no memory, or libcrypto can't. */
kappa_siv_t *kappa_siv_create(
    const kappa_alloc_t *alloc, const uint8_t key[KAPPA_SIV_KEY_BYTES]);
void kappa_siv_destroy(kappa_siv_t *siv); /* NULL is fine */

/* What a message is bound to (RFC 5297's associated data), worked out once
 * for many messages. */
typedef struct {
    uint8_t bytes[KAPPA_SIV_TAG_BYTES];
} kappa_siv_context_t;

/* False: libcrypto failed. */
bool kappa_siv_context(
    kappa_siv_t *siv, kappa_str_t text, kappa_siv_context_t *out);

/* Writes tag and message: KAPPA_SIV_TAG_BYTES more than plain has. */
bool kappa_siv_seal(kappa_siv_t *siv, const kappa_siv_context_t *context,
    kappa_str_t plain, uint8_t *out);

/* Writes KAPPA_SIV_TAG_BYTES less than sealed has. False: it was not sealed
 * by this key with this context; out is undefined. */
bool kappa_siv_open(kappa_siv_t *siv, const kappa_siv_context_t *context,
    kappa_str_t sealed, uint8_t *out);

#endif
