#ifndef KAPPA_GRAPHQL_SCHEMA_DIFF_H
#define KAPPA_GRAPHQL_SCHEMA_DIFF_H

#include "graphql/schema.h"

/* What a client of one public schema meets with another one. The kinds of
 * change and how bad they are held to be are those of graphql-js 17's
 * findSchemaChanges, and so are their names. */

typedef enum {
    KAPPA_CHANGE_SAFE,
    KAPPA_CHANGE_DANGEROUS, /* valid still, but may surprise: a new enum
                               value, another default */
    KAPPA_CHANGE_BREAKING   /* a document may be invalid, or read wrongly */
} kappa_severity_t;

typedef struct kappa_schema_change_s {
    kappa_severity_t severity;
    const char *code; /* "FIELD_REMOVED" */
    kappa_str_t at;   /* a schema coordinate: "Query.item(sku:)" */
    kappa_str_t message;
    struct kappa_schema_change_s *next;
} kappa_schema_change_t;

/* In the arena, in the order of the older schema, then of the newer; NULL:
 * none. What is hidden in a schema is not in it. */
kappa_status_t kappa_schema_diff(kappa_arena_t *arena,
    const kappa_schema_t *before, const kappa_schema_t *after,
    kappa_schema_change_t **out);

/* Whether two defaults are the same; fields of objects in any order. */
bool kappa_literal_same(const kappa_literal_t *a, const kappa_literal_t *b);

#endif
