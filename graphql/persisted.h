#ifndef KAPPA_GRAPHQL_PERSISTED_H
#define KAPPA_GRAPHQL_PERSISTED_H

#include "base/cache.h"
#include "graphql/trusted.h"

/* Automatic persisted queries, Apollo's protocol: a request names its document
 * by hash, `extensions.persistedQuery: {version: 1, sha256Hash: HEX}`; where
 * the hash is not known, the client sends it again with the text, and from
 * then on the hash will do.
 *
 * Texts by hash, bounded in bytes (base/cache.h). One per worker, used on one
 * thread. What is kept is text alone: schema and limits
 * are asked each time that it is sent. */
typedef struct kappa_persisted_s kappa_persisted_t;

#define KAPPA_PERSISTED_HASH_BYTES KAPPA_TRUSTED_HASH_BYTES

/* What a request said of its document. */
typedef struct {
    bool fresh; /* text and hash fit, and are not kept yet */
    uint8_t hash[KAPPA_PERSISTED_HASH_BYTES];
} kappa_persisted_key_t;

/* max_bytes: of texts and what keeps them; 0: 4 MiB. NULL: no memory. */
kappa_persisted_t *kappa_persisted_create(
    const kappa_alloc_t *alloc, size_t max_bytes);
void kappa_persisted_destroy(kappa_persisted_t *persisted);

/* How a request names its document beside or instead of the text, and what
 * it may be. */
typedef struct {
    kappa_str_t document_id;         /* data NULL: none */
    const kappa_value_t *extensions; /* OBJECT, or UNSET */
    const kappa_trusted_t *trusted;  /* NULL: there are none */
    bool trusted_only;               /* refuse any other document */
} kappa_persisted_request_t;

/* The document's text. *text is what the request gave, data NULL or empty:
 * none; where the request names it, it is found (a trusted one as it lies, or
 * a copy in the arena) or checked. It still has none where nothing names it.
 *
 * KAPPA_NOT_FOUND (PERSISTED_QUERY_NOT_FOUND): send the text too.
 * KAPPA_INVALID: BAD_USER_INPUT, to be answered with 400: another version, no
 * hash, or the text is not the one that was named. Else there is no document
 * of that id (PERSISTED_QUERY_NOT_FOUND), or it is not a trusted one
 * (DOCUMENT_NOT_TRUSTED). */
kappa_status_t kappa_persisted_resolve(kappa_persisted_t *persisted,
    const kappa_persisted_request_t *request, kappa_arena_t *arena,
    kappa_str_t *text, kappa_persisted_key_t *key, kappa_errors_t *errors);

/* Keeps the text of a fresh key, once it proved to be a valid document, if
 * there is memory and it takes less than an eighth of the room. */
void kappa_persisted_keep(kappa_persisted_t *persisted,
    const kappa_persisted_key_t *key, kappa_str_t text);

kappa_cache_stats_t kappa_persisted_stats(const kappa_persisted_t *persisted);

#endif
