#include "graphql/persisted.h"

#include <openssl/sha.h>

#include "base/uuid.h"

#define MAX_BYTES (4U * 1024 * 1024)
#define BUCKETS 4096 /* a power of two */
#define SHARE 8

typedef struct entry_s {
    uint8_t hash[KAPPA_PERSISTED_HASH_BYTES];
    struct entry_s *newer, *older;
    struct entry_s *chain; /* in its bucket */
    size_t len;
    char text[];
} entry_t;

struct kappa_persisted_s {
    const kappa_alloc_t *alloc;
    size_t max_bytes;
    uint64_t secret;
    entry_t *newest, *oldest;
    kappa_persisted_stats_t stats;
    entry_t *buckets[BUCKETS];
};

kappa_persisted_t *
kappa_persisted_create(const kappa_alloc_t *alloc, size_t max_bytes)
{
    kappa_persisted_t *p = alloc->alloc(alloc->ctx, sizeof(*p));

    if (p == NULL) {
        return NULL;
    }
    memset(p, 0, sizeof(*p));
    p->alloc = alloc;
    p->max_bytes = max_bytes ? max_bytes : MAX_BYTES;
    kappa_random(&p->secret, sizeof(p->secret));
    return p;
}

/* Clients choose the texts, and so the hashes: not the bucket. */
static entry_t **
bucket_of(kappa_persisted_t *p, const uint8_t hash[KAPPA_PERSISTED_HASH_BYTES])
{
    uint64_t word;

    memcpy(&word, hash, sizeof(word));
    unsigned __int128 mixed =
        (unsigned __int128)(word ^ p->secret) * (p->secret | 1);
    return &p->buckets[(size_t)(mixed >> 64) & (BUCKETS - 1)];
}

static size_t
bytes_of(size_t len)
{
    return sizeof(entry_t) + len;
}

static void
unlink_entry(kappa_persisted_t *p, entry_t *e)
{
    *(e->newer ? &e->newer->older : &p->newest) = e->older;
    *(e->older ? &e->older->newer : &p->oldest) = e->newer;
}

static void
link_newest(kappa_persisted_t *p, entry_t *e)
{
    e->newer = NULL;
    e->older = p->newest;
    *(e->older ? &e->older->newer : &p->oldest) = e;
    p->newest = e;
}

static void
drop(kappa_persisted_t *p, entry_t *e)
{
    entry_t **link = bucket_of(p, e->hash);

    while (*link != e) {
        link = &(*link)->chain;
    }
    *link = e->chain;
    unlink_entry(p, e);
    p->stats.bytes -= bytes_of(e->len);
    p->stats.count--;
    p->alloc->release(p->alloc->ctx, e);
}

void
kappa_persisted_destroy(kappa_persisted_t *p)
{
    if (p == NULL) {
        return;
    }
    while (p->oldest != NULL) {
        drop(p, p->oldest);
    }
    p->alloc->release(p->alloc->ctx, p);
}

kappa_persisted_stats_t
kappa_persisted_stats(const kappa_persisted_t *p)
{
    return p->stats;
}

/* Found is used: it becomes the newest. */
static entry_t *
find(kappa_persisted_t *p, const uint8_t hash[KAPPA_PERSISTED_HASH_BYTES])
{
    entry_t *e = *bucket_of(p, hash);

    while (e != NULL && memcmp(e->hash, hash, sizeof(e->hash)) != 0) {
        e = e->chain;
    }
    if (e != NULL) {
        unlink_entry(p, e);
        link_newest(p, e);
    }
    return e;
}

static kappa_status_t
refuse(kappa_errors_t *errors, const char *message)
{
    kappa_errors_add(errors, "BAD_USER_INPUT", "%s", message);
    return KAPPA_INVALID;
}

static bool
read_hex(kappa_str_t hex, uint8_t hash[KAPPA_PERSISTED_HASH_BYTES])
{
    bool ok = hex.len == KAPPA_PERSISTED_HASH_BYTES * 2;

    for (size_t i = 0; ok && i < KAPPA_PERSISTED_HASH_BYTES; i++) {
        int high = kappa_hex_value(hex.data[2 * i]);
        int low = kappa_hex_value(hex.data[2 * i + 1]);

        ok = high >= 0 && low >= 0;
        hash[i] = (uint8_t)(ok ? high << 4 | low : 0);
    }
    return ok;
}

static kappa_status_t
read_key(const kappa_value_t *persisted, kappa_persisted_key_t *key,
    kappa_errors_t *errors)
{
    const kappa_value_t *version =
        kappa_value_member(persisted, KAPPA_STR("version"));
    const kappa_value_t *hash =
        kappa_value_member(persisted, KAPPA_STR("sha256Hash"));

    if (version == NULL || version->kind != KAPPA_INT
        || version->as.integer != 1) {
        return refuse(errors,
            "Unsupported persisted query version: "
            "extensions.persistedQuery.version must be 1.");
    }
    if (hash == NULL || hash->kind != KAPPA_STRING
        || !read_hex(hash->as.string, key->hash)) {
        return refuse(errors,
            "extensions.persistedQuery.sha256Hash must be the SHA-256 of the "
            "document's text, in 64 hexadecimal digits.");
    }
    return KAPPA_OK;
}

/* The text beside a hash: what is kept needs no hashing. */
static kappa_status_t
check_text(const entry_t *known, kappa_str_t text, kappa_persisted_key_t *key,
    kappa_errors_t *errors)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];

    if (known != NULL
        && kappa_str_eq(kappa_str(known->text, known->len), text)) {
        return KAPPA_OK;
    }
    SHA256((const unsigned char *)text.data, text.len, hash);
    if (memcmp(hash, key->hash, sizeof(hash)) != 0) {
        return refuse(errors, "provided sha does not match query");
    }
    key->fresh = true;
    return KAPPA_OK;
}

kappa_status_t
kappa_persisted_resolve(kappa_persisted_t *p, const kappa_value_t *extensions,
    kappa_arena_t *arena, kappa_str_t *text, kappa_persisted_key_t *key,
    kappa_errors_t *errors)
{
    const kappa_value_t *persisted =
        kappa_value_member(extensions, KAPPA_STR("persistedQuery"));

    *key = (kappa_persisted_key_t){ .fresh = false };
    if (persisted == NULL || kappa_is_null(persisted)) {
        return KAPPA_OK;
    }
    kappa_status_t status = read_key(persisted, key, errors);
    if (status != KAPPA_OK) {
        return status;
    }
    const entry_t *known = find(p, key->hash);
    if (text->len > 0) {
        return check_text(known, *text, key, errors);
    }
    if (known == NULL) {
        /* Clients look for these very words. */
        kappa_errors_add(
            errors, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound");
        return KAPPA_NOT_FOUND;
    }
    *text = kappa_str_dup(arena, kappa_str(known->text, known->len));
    return text->data ? KAPPA_OK : KAPPA_NOMEM;
}

void
kappa_persisted_keep(
    kappa_persisted_t *p, const kappa_persisted_key_t *key, kappa_str_t text)
{
    size_t bytes = bytes_of(text.len);

    if (!key->fresh || bytes >= p->max_bytes / SHARE
        || find(p, key->hash) != NULL) {
        return;
    }
    entry_t *e = p->alloc->alloc(p->alloc->ctx, bytes);
    if (e == NULL) {
        return;
    }
    while (p->oldest != NULL && p->stats.bytes + bytes > p->max_bytes) {
        drop(p, p->oldest);
    }
    entry_t **bucket = bucket_of(p, key->hash);

    memcpy(e->hash, key->hash, sizeof(e->hash));
    memcpy(e->text, text.data, text.len);
    e->len = text.len;
    e->chain = *bucket;
    *bucket = e;
    link_newest(p, e);
    p->stats.bytes += bytes;
    p->stats.count++;
}
