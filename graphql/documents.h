#ifndef KAPPA_GRAPHQL_DOCUMENTS_H
#define KAPPA_GRAPHQL_DOCUMENTS_H

#include "graphql/plan.h"

/* Documents seen before: text and operation name to plan, so that a repeated
 * request is neither parsed nor validated again. One per worker and schema,
 * used on one thread. Bounded in bytes; a document is kept from its second
 * sighting on, so a flood of different ones evicts nothing (segmented LRU or
 * the like). Refused documents are not kept. */
typedef struct kappa_documents_s kappa_documents_t;

typedef struct {
    size_t max_bytes;         /* of plans kept; 0: 16 MiB */
    size_t max_document;      /* bytes of one text; 0: 256 KiB */
    uint32_t max_tokens;      /* 0: 10,000 */
    uint32_t max_depth;       /* of fields; 0: 32 */
    uint32_t max_aliases;     /* in the text of one document; 0: 200 */
    uint32_t max_root_fields; /* of an operation, fragments resolved; 0: 50 */
    uint32_t max_directives;  /* in the text of one document; 0: 100 */
    bool no_introspection;    /* refuse __schema and __type */
} kappa_document_limits_t;

kappa_documents_t *kappa_documents_create(const kappa_alloc_t *alloc,
    const kappa_schema_t *schema, const kappa_document_limits_t *limits);
void kappa_documents_destroy(kappa_documents_t *documents);

/* Parses, validates and plans, or finds. *out is retained for the caller.
 * KAPPA_INVALID (PARSE_FAILED, VALIDATION_FAILED, BAD_USER_INPUT) or
 * KAPPA_LIMIT (LIMIT_EXCEEDED) with errors. */
kappa_status_t kappa_documents_get(kappa_documents_t *documents,
    kappa_str_t text, kappa_str_t operation_name, kappa_plan_t **out,
    kappa_errors_t *errors);

typedef struct {
    uint64_t hits, misses;
    size_t bytes;
    uint32_t count;
} kappa_documents_stats_t;

kappa_documents_stats_t kappa_documents_stats(
    const kappa_documents_t *documents);

#endif
