#ifndef KAPPA_GRAPHQL_TRUSTED_H
#define KAPPA_GRAPHQL_TRUSTED_H

#include "graphql/schema.h"

/* Trusted documents: texts that are known before anybody asks, from files
 * that a client's build made. Filled once, then read by many processes (it
 * holds no hash under a process's secret).
 *
 *   kappa_trusted_create -> kappa_trusted_add for each file
 *   -> kappa_trusted_finish -> kappa_trusted_by_id, _by_hash, _by_text
 *
 * A file is one of
 *
 *   HASH.graphql  a document, HASH is its SHA-256 in hexadecimal digits
 *   NAME.json     a manifest: Apollo's {"format":
 *                 "apollo-persisted-query-manifest", "version": 1,
 *                 "operations": [{"id", "body", …}]}, or a map from ids to
 *                 texts, as the compilers of Relay and others write it
 *
 * An id of 64 hexadecimal digits must be the SHA-256 of its document. Any
 * other (Relay's MD5) is a name, and names one document. */
typedef struct kappa_trusted_s kappa_trusted_t;

#define KAPPA_TRUSTED_HASH_BYTES 32

/* It lives in the arena. NULL: no memory. */
kappa_trusted_t *kappa_trusted_create(kappa_arena_t *arena);

/* Adds what a file holds; bytes must outlive it. path is for messages, what
 * stands behind its last '/' is the file's name. KAPPA_INVALID
 * (BAD_USER_INPUT): its name isn't its hash, it is no manifest, or an id has
 * two documents. */
kappa_status_t kappa_trusted_add(kappa_trusted_t *trusted, kappa_str_t path,
    kappa_str_t bytes, kappa_errors_t *errors);

/* Sorts, and validates each document against the schema. KAPPA_INVALID
 * (PARSE_FAILED, VALIDATION_FAILED): errors say where; the place of one that
 * stands in a manifest is PATH#ID. */
kappa_status_t kappa_trusted_finish(kappa_trusted_t *trusted,
    const kappa_schema_t *schema, kappa_errors_t *errors);

/* Different texts. */
uint32_t kappa_trusted_count(const kappa_trusted_t *trusted);

/* The document's text, data NULL: there is none. trusted may be NULL. */

/* As GraphQL over HTTP names it: "sha256:HASH", HASH, or an id. */
kappa_str_t kappa_trusted_by_id(
    const kappa_trusted_t *trusted, kappa_str_t id);
kappa_str_t kappa_trusted_by_hash(const kappa_trusted_t *trusted,
    const uint8_t hash[KAPPA_TRUSTED_HASH_BYTES]);
/* Whether this very text is one: it, or data NULL. */
kappa_str_t kappa_trusted_by_text(
    const kappa_trusted_t *trusted, kappa_str_t text);

/* 64 hexadecimal digits, of any case. */
bool kappa_trusted_read_hash(
    kappa_str_t hex, uint8_t hash[KAPPA_TRUSTED_HASH_BYTES]);

#endif
