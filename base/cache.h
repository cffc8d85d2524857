#ifndef KAPPA_BASE_CACHE_H
#define KAPPA_BASE_CACHE_H

#include "base/alloc.h"
#include "base/str.h"

/* Values by bytes that clients choose, bounded in bytes. Used on one thread.
 *
 * Safe against floods: a key is to be kept from its second sighting on
 * (kappa_cache_seen), so keys that never come again take no place; and of what
 * is kept, what was asked for again goes last, so keys that come twice and
 * never again push out nothing that is in use. The hash has a secret of the
 * cache, and keys are compared byte by byte. */
typedef struct kappa_cache_s kappa_cache_t;

/* A key has two parts; the first with data NULL is another key than an empty
 * one. */
typedef struct {
    kappa_str_t first;
    kappa_str_t second;
    uint64_t hash;
} kappa_cache_key_t;

typedef struct {
    size_t bytes; /* of keys, values and what keeps them */
    uint32_t count;
} kappa_cache_stats_t;

/* release: of a value that is kept no longer. NULL: no memory. */
kappa_cache_t *kappa_cache_create(const kappa_alloc_t *alloc, size_t max_bytes,
    void (*release)(void *ctx, void *value), void *ctx);
void kappa_cache_destroy(kappa_cache_t *cache); /* NULL is fine */
void kappa_cache_clear(kappa_cache_t *cache);

/* The parts are not copied. */
kappa_cache_key_t kappa_cache_key(
    const kappa_cache_t *cache, kappa_str_t first, kappa_str_t second);

/* The value, and it counts as used; NULL: there is none. */
void *kappa_cache_find(kappa_cache_t *cache, const kappa_cache_key_t *key);

/* Whether this key was asked about before, as far as is remembered. */
bool kappa_cache_seen(kappa_cache_t *cache, const kappa_cache_key_t *key);

/* Keeps a value of so many bytes, in the place of the key's value before. The
 * key is copied. False: it is not kept, and still the caller's, because it
 * takes more than an eighth of the room or there is no memory; then the key
 * has no value. */
bool kappa_cache_put(kappa_cache_t *cache, const kappa_cache_key_t *key,
    void *value, size_t value_bytes);

kappa_cache_stats_t kappa_cache_stats(const kappa_cache_t *cache);

#endif
