#include "graphql/persisted.h"

#include <openssl/sha.h>

#include "base/cache.h"

#define MAX_BYTES (4U * 1024 * 1024)

typedef struct {
    size_t len;
    char bytes[];
} text_t;

struct kappa_persisted_s {
    const kappa_alloc_t *alloc;
    kappa_cache_t *cache; /* text_t by hash */
};

static void
release_text(void *ctx, void *text)
{
    const kappa_alloc_t *alloc = ctx;

    alloc->release(alloc->ctx, text);
}

kappa_persisted_t *
kappa_persisted_create(const kappa_alloc_t *alloc, size_t max_bytes)
{
    kappa_persisted_t *p = alloc->alloc(alloc->ctx, sizeof(*p));

    if (p == NULL) {
        return NULL;
    }
    p->alloc = alloc;
    p->cache = kappa_cache_create(
        alloc, max_bytes ? max_bytes : MAX_BYTES, release_text, (void *)alloc);
    if (p->cache == NULL) {
        alloc->release(alloc->ctx, p);
        return NULL;
    }
    return p;
}

void
kappa_persisted_destroy(kappa_persisted_t *p)
{
    if (p != NULL) {
        kappa_cache_destroy(p->cache);
        p->alloc->release(p->alloc->ctx, p);
    }
}

kappa_cache_stats_t
kappa_persisted_stats(const kappa_persisted_t *p)
{
    return kappa_cache_stats(p->cache);
}

static kappa_cache_key_t
cache_key(const kappa_persisted_t *p, const kappa_persisted_key_t *key)
{
    return kappa_cache_key(p->cache, KAPPA_STR_NULL,
        kappa_str((const char *)key->hash, sizeof(key->hash)));
}

/* The text that is kept; data NULL: none. */
static kappa_str_t
find(kappa_persisted_t *p, const kappa_persisted_key_t *key)
{
    kappa_cache_key_t by_hash = cache_key(p, key);
    const text_t *text = kappa_cache_find(p->cache, &by_hash);

    return text ? kappa_str(text->bytes, text->len) : KAPPA_STR_NULL;
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
check_text(kappa_str_t known, kappa_str_t text, kappa_persisted_key_t *key,
    kappa_errors_t *errors)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];

    if (known.data != NULL && kappa_str_eq(known, text)) {
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
    kappa_str_t known = find(p, key);

    if (text->len > 0) {
        return check_text(known, *text, key, errors);
    }
    if (known.data == NULL) {
        /* Clients look for these very words. */
        kappa_errors_add(
            errors, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound");
        return KAPPA_NOT_FOUND;
    }
    *text = kappa_str_dup(arena, known);
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
    if (!key->fresh || find(p, key).data != NULL) {
        return;
    }
    kappa_cache_key_t by_hash = cache_key(p, key);
    size_t bytes = sizeof(text_t) + text.len;
    text_t *kept = p->alloc->alloc(p->alloc->ctx, bytes);

    if (kept == NULL) {
        return;
    }
    kept->len = text.len;
    memcpy(kept->bytes, text.data, text.len);
    if (!kappa_cache_put(p->cache, &by_hash, kept, bytes)) {
        release_text((void *)p->alloc, kept);
    }
}
