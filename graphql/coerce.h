#ifndef KAPPA_GRAPHQL_COERCE_H
#define KAPPA_GRAPHQL_COERCE_H

#include "base/value.h"
#include "graphql/schema.h"

/* Input coercion (specification sections 3.5, 3.10, 6.1.2). */

/* A constant literal by its type: defaults, directive arguments. */
kappa_status_t kappa_coerce_literal(kappa_arena_t *arena,
    const kappa_literal_t *literal, const kappa_type_ref_t *type,
    kappa_value_t *out, kappa_errors_t *errors, const kappa_source_t *source);

/* A value as it came in JSON (a variable, a member of an imported event's
 * data) by its type. what: "variable $x", for the message. */
kappa_status_t kappa_coerce_value(kappa_arena_t *arena,
    const kappa_value_t *json, const kappa_type_ref_t *type, kappa_str_t what,
    kappa_value_t *out, kappa_errors_t *errors);

#endif
