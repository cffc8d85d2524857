#ifndef KAPPA_AUTH_CACHE_H
#define KAPPA_AUTH_CACHE_H

#include "auth/token.h"

/* Tokens that were verified, until they expire: a signature costs more than a
 * query. Bounded; the least recently used goes first. One per worker, used on
 * one thread. */
typedef struct kappa_token_cache_s kappa_token_cache_t;

/* max_tokens 0: 4096. NULL: no memory. */
kappa_token_cache_t *kappa_token_cache_create(
    const kappa_alloc_t *alloc, uint32_t max_tokens);
void kappa_token_cache_destroy(kappa_token_cache_t *cache);

/* As kappa_token_verify; *out is the caller's until kappa_identity_release,
 * also when the cache has let go of it. Only what was good is kept. */
kappa_status_t kappa_token_cache_verify(kappa_token_cache_t *cache,
    const kappa_issuer_t *const *issuers, uint32_t issuer_count,
    kappa_str_t token, int64_t now_s, const kappa_identity_t **out,
    const char **reason);

/* Both on the cache's thread, and before its allocator ends. NULL is fine. */
const kappa_identity_t *kappa_identity_retain(
    const kappa_identity_t *identity);
void kappa_identity_release(const kappa_identity_t *identity);

/* Forgets all: the keys are others now. */
void kappa_token_cache_clear(kappa_token_cache_t *cache);

typedef struct {
    uint64_t hits, misses;
    uint32_t count;
} kappa_token_cache_stats_t;

kappa_token_cache_stats_t kappa_token_cache_stats(
    const kappa_token_cache_t *cache);

#endif
