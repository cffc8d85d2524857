#include "auth/cache.h"

#include "base/ring.h"

#define TOKENS_MAX 4096
#define BUCKETS 1024

typedef struct {
    kappa_arena_t *arena; /* the entry's own, itself included */
    kappa_str_t token;
    uint64_t hash;
    uint32_t refs; /* the cache's, and of each who has it */
    kappa_identity_t identity;
    kappa_ring_t bucket;
    kappa_ring_t used; /* the least recently used first */
} entry_t;

struct kappa_token_cache_s {
    const kappa_alloc_t *alloc;
    kappa_ring_t buckets[BUCKETS];
    kappa_ring_t used;
    uint32_t max;
    kappa_token_cache_stats_t stats;
};

kappa_token_cache_t *
kappa_token_cache_create(const kappa_alloc_t *alloc, uint32_t max_tokens)
{
    kappa_token_cache_t *cache = alloc->alloc(alloc->ctx, sizeof(*cache));

    if (cache == NULL) {
        return NULL;
    }
    cache->alloc = alloc;
    cache->max = max_tokens ? max_tokens : TOKENS_MAX;
    cache->stats = (kappa_token_cache_stats_t){ .count = 0 };
    kappa_ring_init(&cache->used);
    for (int i = 0; i < BUCKETS; i++) {
        kappa_ring_init(&cache->buckets[i]);
    }
    return cache;
}

static void
drop(kappa_token_cache_t *cache, entry_t *entry)
{
    kappa_ring_remove(&entry->bucket);
    kappa_ring_remove(&entry->used);
    cache->stats.count--;
    kappa_identity_release(&entry->identity);
}

const kappa_identity_t *
kappa_identity_retain(const kappa_identity_t *identity)
{
    if (identity != NULL) {
        KAPPA_RING_OF(identity, entry_t, identity)->refs++;
    }
    return identity;
}

void
kappa_identity_release(const kappa_identity_t *identity)
{
    if (identity == NULL) {
        return;
    }
    entry_t *entry = KAPPA_RING_OF(identity, entry_t, identity);

    if (--entry->refs == 0) {
        kappa_arena_destroy(entry->arena);
    }
}

void
kappa_token_cache_clear(kappa_token_cache_t *cache)
{
    while (!kappa_ring_empty(&cache->used)) {
        drop(cache, KAPPA_RING_OF(cache->used.next, entry_t, used));
    }
}

void
kappa_token_cache_destroy(kappa_token_cache_t *cache)
{
    if (cache != NULL) {
        kappa_token_cache_clear(cache);
        cache->alloc->release(cache->alloc->ctx, cache);
    }
}

static entry_t *
find(kappa_token_cache_t *cache, kappa_str_t token, uint64_t hash)
{
    kappa_ring_t *head = &cache->buckets[hash % BUCKETS];

    for (kappa_ring_t *l = head->next; l != head; l = l->next) {
        entry_t *entry = KAPPA_RING_OF(l, entry_t, bucket);

        if (entry->hash == hash && kappa_str_eq(entry->token, token)) {
            return entry;
        }
    }
    return NULL;
}

static kappa_status_t
add(kappa_token_cache_t *cache, const kappa_issuer_t *const *issuers,
    uint32_t issuer_count, kappa_str_t token, uint64_t hash, int64_t now_s,
    entry_t **out, const char **reason)
{
    kappa_arena_t *arena = kappa_arena_create(cache->alloc, 0);
    entry_t *entry = arena ? KAPPA_NEW(arena, entry_t) : NULL;
    kappa_status_t status = KAPPA_NOMEM;

    if (entry != NULL) {
        entry->arena = arena;
        entry->hash = hash;
        entry->refs = 1;
        entry->token = kappa_str_dup(arena, token);
    }
    if (entry != NULL && entry->token.data != NULL) {
        status = kappa_token_verify(arena, issuers, issuer_count, token, now_s,
            &entry->identity, reason);
    }
    if (status != KAPPA_OK) {
        kappa_arena_destroy(arena);
        return status;
    }
    if (cache->stats.count == cache->max) {
        drop(cache, KAPPA_RING_OF(cache->used.next, entry_t, used));
    }
    kappa_ring_append(&cache->buckets[hash % BUCKETS], &entry->bucket);
    kappa_ring_append(&cache->used, &entry->used);
    cache->stats.count++;
    *out = entry;
    return KAPPA_OK;
}

kappa_status_t
kappa_token_cache_verify(kappa_token_cache_t *cache,
    const kappa_issuer_t *const *issuers, uint32_t issuer_count,
    kappa_str_t token, int64_t now_s, const kappa_identity_t **out,
    const char **reason)
{
    uint64_t hash = kappa_str_hash(token);
    entry_t *entry = find(cache, token, hash);

    if (entry != NULL && now_s >= entry->identity.expires_s) {
        drop(cache, entry);
        entry = NULL;
    }
    if (entry != NULL) {
        cache->stats.hits++;
        kappa_ring_remove(&entry->used);
        kappa_ring_append(&cache->used, &entry->used);
    } else {
        cache->stats.misses++;
        kappa_status_t status = add(
            cache, issuers, issuer_count, token, hash, now_s, &entry, reason);
        if (status != KAPPA_OK) {
            return status;
        }
    }
    entry->refs++;
    *out = &entry->identity;
    return KAPPA_OK;
}

kappa_token_cache_stats_t
kappa_token_cache_stats(const kappa_token_cache_t *cache)
{
    return cache->stats;
}
