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

/* The hash, or what stands in its place: Apollo's client sends the ids of its
 * manifest there, whatever they are. */
static kappa_status_t
read_persisted(
    const kappa_value_t *persisted, kappa_str_t *hash, kappa_errors_t *errors)
{
    const kappa_value_t *version =
        kappa_value_member(persisted, KAPPA_STR("version"));
    const kappa_value_t *v =
        kappa_value_member(persisted, KAPPA_STR("sha256Hash"));

    if (version == NULL || version->kind != KAPPA_INT
        || version->as.integer != 1) {
        return refuse(errors,
            "Unsupported persisted query version: "
            "extensions.persistedQuery.version must be 1.");
    }
    *hash = v && v->kind == KAPPA_STRING ? v->as.string : KAPPA_STR_NULL;
    return KAPPA_OK;
}

static kappa_status_t
read_key(kappa_str_t hash, kappa_persisted_key_t *key, kappa_errors_t *errors)
{
    return kappa_trusted_read_hash(hash, key->hash)
        ? KAPPA_OK
        : refuse(errors,
            "extensions.persistedQuery.sha256Hash must be the SHA-256 of the "
            "document's text, in 64 hexadecimal digits.");
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

/* --- trusted documents */

static kappa_status_t
not_trusted(kappa_errors_t *errors)
{
    kappa_errors_add(errors, "DOCUMENT_NOT_TRUSTED",
        "only trusted documents are run here, and this is none of them");
    return KAPPA_INVALID;
}

/* found: the text that was named. */
static kappa_status_t
take_trusted(kappa_str_t found, kappa_str_t *text, const char *other,
    kappa_errors_t *errors)
{
    if (text->len > 0 && !kappa_str_eq(*text, found)) {
        return refuse(errors, other);
    }
    *text = found;
    return KAPPA_OK;
}

static kappa_status_t
resolve_id(const kappa_persisted_request_t *request, kappa_str_t *text,
    kappa_errors_t *errors)
{
    kappa_str_t found =
        kappa_trusted_by_id(request->trusted, request->document_id);

    if (found.data != NULL) {
        return take_trusted(found, text,
            "\"documentId\" names another document than \"query\": send one "
            "of them",
            errors);
    }
    if (request->trusted_only) {
        return not_trusted(errors);
    }
    kappa_errors_add(errors, "PERSISTED_QUERY_NOT_FOUND",
        "there is no document of this \"documentId\" here");
    return KAPPA_INVALID;
}

/* --- by hash */

static kappa_status_t
resolve_hash(kappa_persisted_t *p, kappa_arena_t *arena, kappa_str_t *text,
    kappa_persisted_key_t *key, kappa_errors_t *errors)
{
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

/* Text alone. */
static kappa_status_t
resolve_text(const kappa_persisted_request_t *request, kappa_str_t text,
    kappa_errors_t *errors)
{
    return !request->trusted_only || text.len == 0
            || kappa_trusted_by_text(request->trusted, text).data != NULL
        ? KAPPA_OK
        : not_trusted(errors);
}

kappa_status_t
kappa_persisted_resolve(kappa_persisted_t *p,
    const kappa_persisted_request_t *request, kappa_arena_t *arena,
    kappa_str_t *text, kappa_persisted_key_t *key, kappa_errors_t *errors)
{
    const kappa_value_t *persisted =
        kappa_value_member(request->extensions, KAPPA_STR("persistedQuery"));

    *key = (kappa_persisted_key_t){ .fresh = false };
    if (request->document_id.data != NULL) {
        return resolve_id(request, text, errors);
    }
    if (persisted == NULL || kappa_is_null(persisted)) {
        return resolve_text(request, *text, errors);
    }
    kappa_str_t hash;
    kappa_status_t status = read_persisted(persisted, &hash, errors);
    if (status != KAPPA_OK) {
        return status;
    }
    kappa_str_t found = kappa_trusted_by_id(request->trusted, hash);
    if (found.data != NULL) {
        return take_trusted(
            found, text, "provided sha does not match query", errors);
    }
    status = read_key(hash, key, errors);
    if (status != KAPPA_OK) {
        return status;
    }
    return request->trusted_only ? not_trusted(errors)
                                 : resolve_hash(p, arena, text, key, errors);
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
