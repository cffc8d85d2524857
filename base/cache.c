#include "base/cache.h"

#include "base/ring.h"
#include "base/uuid.h"

#define FIRST_BUCKETS 256

/* Sightings remembered; a power of two. A key's first one is a fingerprint
 * here, and costs nothing else. */
#define SIGHTINGS 4096

/* A value takes at most this part of the cache. */
#define SHARE 8

/* Entries stand in two lists, each by last use: those used since they were
 * kept, and the others, which go first. */
enum {
    TRIED,
    PROVEN,
    LISTS
};

typedef struct entry_s {
    kappa_cache_key_t key;
    void *value;
    size_t bytes;
    int list;
    kappa_ring_t used;     /* in its list */
    struct entry_s *chain; /* in its bucket */
} entry_t;

typedef struct {
    kappa_ring_t used; /* the least recently used first */
    size_t bytes;
} list_t;

struct kappa_cache_s {
    const kappa_alloc_t *alloc;
    size_t max_bytes;
    void (*release)(void *ctx, void *value);
    void *ctx;
    entry_t **buckets;
    size_t bucket_count; /* a power of two */
    list_t lists[LISTS];
    kappa_cache_stats_t stats;
    uint64_t secret[2];
    uint64_t sightings[SIGHTINGS];
};

static void *
take(const kappa_alloc_t *alloc, size_t size)
{
    void *p = alloc->alloc(alloc->ctx, size);

    if (p != NULL) {
        memset(p, 0, size);
    }
    return p;
}

kappa_cache_t *
kappa_cache_create(const kappa_alloc_t *alloc, size_t max_bytes,
    void (*release)(void *ctx, void *value), void *ctx)
{
    kappa_cache_t *cache = take(alloc, sizeof(*cache));
    entry_t **buckets = take(alloc, sizeof(entry_t *) * FIRST_BUCKETS);

    if (cache == NULL || buckets == NULL) {
        alloc->release(alloc->ctx, cache);
        alloc->release(alloc->ctx, buckets);
        return NULL;
    }
    cache->alloc = alloc;
    cache->max_bytes = max_bytes;
    cache->release = release;
    cache->ctx = ctx;
    cache->buckets = buckets;
    cache->bucket_count = FIRST_BUCKETS;
    kappa_random(cache->secret, sizeof(cache->secret));
    for (int i = 0; i < LISTS; i++) {
        kappa_ring_init(&cache->lists[i].used);
    }
    return cache;
}

/* ---- entries ---- */

static entry_t *
oldest(list_t *list)
{
    return kappa_ring_empty(&list->used)
        ? NULL
        : KAPPA_RING_OF(list->used.next, entry_t, used);
}

static void
unlink_entry(kappa_cache_t *cache, entry_t *e)
{
    kappa_ring_remove(&e->used);
    cache->lists[e->list].bytes -= e->bytes;
}

static void
link_newest(kappa_cache_t *cache, entry_t *e, int list)
{
    e->list = list;
    kappa_ring_append(&cache->lists[list].used, &e->used);
    cache->lists[list].bytes += e->bytes;
}

static entry_t **
bucket_of(const kappa_cache_t *cache, uint64_t hash)
{
    return &cache->buckets[hash & (cache->bucket_count - 1)];
}

static void
drop(kappa_cache_t *cache, entry_t *e)
{
    entry_t **link = bucket_of(cache, e->key.hash);

    while (*link != e) {
        link = &(*link)->chain;
    }
    *link = e->chain;
    unlink_entry(cache, e);
    cache->stats.bytes -= e->bytes;
    cache->stats.count--;
    cache->release(cache->ctx, e->value);
    cache->alloc->release(cache->alloc->ctx, e);
}

void
kappa_cache_clear(kappa_cache_t *cache)
{
    for (int i = 0; i < LISTS; i++) {
        while (oldest(&cache->lists[i]) != NULL) {
            drop(cache, oldest(&cache->lists[i]));
        }
    }
}

void
kappa_cache_destroy(kappa_cache_t *cache)
{
    if (cache != NULL) {
        kappa_cache_clear(cache);
        cache->alloc->release(cache->alloc->ctx, cache->buckets);
        cache->alloc->release(cache->alloc->ctx, cache);
    }
}

/* ---- keys ---- */

static uint64_t
mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of at most eight bytes. */
static uint64_t
word_of(const char *p, size_t n)
{
    uint64_t word = 0;

    memcpy(&word, p, n);
    return word;
}

/* It is computed for every request: thirty-two bytes a step, in two chains
 * that do not wait for each other. */
static uint64_t
hash_part(const kappa_cache_t *cache, uint64_t hash, kappa_str_t s)
{
    const uint64_t secret = cache->secret[1];
    const char *p = s.data;
    size_t left = s.len;
    uint64_t other = secret;

    hash ^= cache->secret[0];
    for (; left > 32; left -= 32, p += 32) {
        hash = mix(word_of(p, 8) ^ secret, word_of(p + 8, 8) ^ hash);
        other = mix(word_of(p + 16, 8) ^ secret, word_of(p + 24, 8) ^ other);
    }
    for (; left > 16; left -= 16, p += 16) {
        hash = mix(word_of(p, 8) ^ secret, word_of(p + 8, 8) ^ hash);
    }
    if (left > 8) {
        hash = mix(word_of(p, 8) ^ secret, word_of(p + 8, left - 8) ^ hash);
    } else if (left > 0) {
        hash = mix(word_of(p, left) ^ secret, hash);
    }
    return mix(hash ^ cache->secret[0], other ^ s.len);
}

kappa_cache_key_t
kappa_cache_key(
    const kappa_cache_t *cache, kappa_str_t first, kappa_str_t second)
{
    return (kappa_cache_key_t){ .first = first,
        .second = second,
        .hash = hash_part(cache, hash_part(cache, 0, first), second) };
}

static bool
same_key(const kappa_cache_key_t *a, const kappa_cache_key_t *b)
{
    return a->hash == b->hash && kappa_str_eq(a->second, b->second)
        && (a->first.data == NULL) == (b->first.data == NULL)
        && kappa_str_eq(a->first, b->first);
}

static entry_t *
find(const kappa_cache_t *cache, const kappa_cache_key_t *key)
{
    entry_t *e = *bucket_of(cache, key->hash);

    while (e != NULL && !same_key(&e->key, key)) {
        e = e->chain;
    }
    return e;
}

bool
kappa_cache_seen(kappa_cache_t *cache, const kappa_cache_key_t *key)
{
    uint64_t *sighting =
        &cache->sightings[(key->hash >> 32) & (SIGHTINGS - 1)];
    bool seen = *sighting == key->hash;

    *sighting = key->hash;
    return seen;
}

/* ---- keeping ---- */

/* An entry was used: it is proven. Should too many be, the one longest unused
 * is so no more. */
static void
touch(kappa_cache_t *cache, entry_t *e)
{
    list_t *proven = &cache->lists[PROVEN];

    unlink_entry(cache, e);
    link_newest(cache, e, PROVEN);
    while (proven->bytes > cache->max_bytes / 5 * 4 && oldest(proven) != e) {
        entry_t *old = oldest(proven);

        unlink_entry(cache, old);
        link_newest(cache, old, TRIED);
    }
}

void *
kappa_cache_find(kappa_cache_t *cache, const kappa_cache_key_t *key)
{
    entry_t *e = find(cache, key);

    if (e == NULL) {
        return NULL;
    }
    touch(cache, e);
    return e->value;
}

/* Without memory the chains just grow longer. */
static void
grow(kappa_cache_t *cache)
{
    size_t count = cache->bucket_count;
    entry_t **old = cache->buckets, **buckets;

    if (cache->stats.count < count) {
        return;
    }
    buckets = take(cache->alloc, sizeof(entry_t *) * count * 2);
    if (buckets == NULL) {
        return;
    }
    cache->buckets = buckets;
    cache->bucket_count = count * 2;
    for (size_t i = 0; i < count; i++) {
        for (entry_t *e = old[i], *next; e != NULL; e = next) {
            next = e->chain;
            e->chain = *bucket_of(cache, e->key.hash);
            *bucket_of(cache, e->key.hash) = e;
        }
    }
    cache->alloc->release(cache->alloc->ctx, old);
}

static void
make_room(kappa_cache_t *cache, size_t bytes)
{
    while (cache->stats.bytes + bytes > cache->max_bytes) {
        entry_t *tried = oldest(&cache->lists[TRIED]);

        drop(cache, tried ? tried : oldest(&cache->lists[PROVEN]));
    }
}

/* An entry and its key in one piece, in no list yet. */
static entry_t *
make_entry(
    kappa_cache_t *cache, const kappa_cache_key_t *key, size_t value_bytes)
{
    size_t size = sizeof(entry_t) + key->first.len + key->second.len;
    entry_t *e = take(cache->alloc, size);

    if (e != NULL) {
        char *p = (char *)(e + 1);

        e->bytes = size + value_bytes;
        e->key = *key;
        if (key->first.len > 0) {
            memcpy(p, key->first.data, key->first.len);
        }
        e->key.first.data = key->first.data ? p : NULL;
        p += key->first.len;
        if (key->second.len > 0) {
            memcpy(p, key->second.data, key->second.len);
        }
        e->key.second.data = p;
    }
    return e;
}

bool
kappa_cache_put(kappa_cache_t *cache, const kappa_cache_key_t *key,
    void *value, size_t value_bytes)
{
    size_t bytes =
        sizeof(entry_t) + key->first.len + key->second.len + value_bytes;
    entry_t *before = find(cache, key);
    int list = before ? before->list : TRIED;

    if (before != NULL) {
        drop(cache, before);
    }
    entry_t *e = bytes <= cache->max_bytes / SHARE
        ? make_entry(cache, key, value_bytes)
        : NULL;
    if (e == NULL) {
        return false;
    }
    make_room(cache, bytes);
    e->value = value;
    e->chain = *bucket_of(cache, key->hash);
    *bucket_of(cache, key->hash) = e;
    link_newest(cache, e, list);
    cache->stats.bytes += bytes;
    cache->stats.count++;
    grow(cache);
    return true;
}

kappa_cache_stats_t
kappa_cache_stats(const kappa_cache_t *cache)
{
    return cache->stats;
}
