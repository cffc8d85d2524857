#ifndef KAPPA_GRAPHQL_VALIDATE_LITERAL_H
#define KAPPA_GRAPHQL_VALIDATE_LITERAL_H

#include "graphql/schema.h"

/* 5.6.1 Values of correct type: whether a literal can be coerced to a type.
 * Variables are passed by: their positions have rules of their own. Adds an
 * error for each mistake, at its place in source; what begins each message
 * ("Query.a(x:) has invalid default value: "), may be empty. KAPPA_OK also
 * when there were errors. */
kappa_status_t kappa_check_literal(kappa_arena_t *arena,
    kappa_errors_t *errors, const kappa_literal_t *literal,
    const kappa_type_ref_t *type, const kappa_source_t *source,
    kappa_str_t what);

#endif
