#ifndef KAPPA_GRAPHQL_PARSER_H
#define KAPPA_GRAPHQL_PARSER_H

#include "base/status.h"
#include "graphql/ast.h"

/* Text to syntax tree: the whole grammar of September 2025, executable and
 * type system documents alike. The tree points into source->text, which must
 * outlive it. */

typedef struct {
    uint32_t max_tokens; /* 0: no limit. Past it: KAPPA_LIMIT */
    uint32_t max_depth;  /* nesting of selections, values and types; 0: 200 */
} kappa_parse_limits_t;

/* KAPPA_INVALID: one PARSE_FAILED error where graphql-js puts it (invalid
 * UTF-8 is one). KAPPA_LIMIT: one LIMIT_EXCEEDED error. limits may be NULL. */
kappa_status_t kappa_parse(kappa_arena_t *arena, const kappa_source_t *source,
    const kappa_parse_limits_t *limits, kappa_document_t **out,
    kappa_errors_t *errors);

#endif
