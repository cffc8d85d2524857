#ifndef KAPPA_GRAPHQL_COERCE_H
#define KAPPA_GRAPHQL_COERCE_H

#include "base/value.h"
#include "graphql/schema.h"

/* Input coercion (specification sections 3.5, 3.10, 6.1.2): what came in
 * becomes a value of its type.
 *
 *   Int BOOLEAN Float String   INT, BOOL, DOUBLE, STRING
 *   ID, UUID, Date, enums      STRING (UUID in lower case)
 *   BigInt                     BIGINT, from an integer or a string of digits
 *   DateTime                   TIME
 *   JSON, other scalars        as it came
 *   input objects              OBJECT, members in the type's order, defaults
 *                              filled in, absent ones left out
 *   lists                      LIST; one value is a list of one
 *
 * The result shares strings with what it was made from (and defaults with the
 * schema); the rest is in the arena. Every mistake found is an error, until
 * errors is full. KAPPA_INVALID (there was one) or KAPPA_NOMEM. */

/* Values of an operation's variables, for literals that name them. */
typedef struct {
    const kappa_str_t *names;
    const kappa_value_t *values; /* UNSET: absent */
    uint32_t count;
} kappa_variables_t;

/* A constant literal by its type: defaults, directive arguments. Errors have
 * code VALIDATION_FAILED and the literal's place in source. */
kappa_status_t kappa_coerce_literal(kappa_arena_t *arena,
    const kappa_literal_t *literal, const kappa_type_ref_t *type,
    kappa_value_t *out, kappa_errors_t *errors, const kappa_source_t *source);

/* A literal that may hold variables. source NULL: the literal is no longer
 * beside its text, and errors (BAD_USER_INPUT then) have no place. *out is
 * UNSET for a variable that is absent. */
kappa_status_t kappa_coerce_literal_with(kappa_arena_t *arena,
    const kappa_literal_t *literal, const kappa_type_ref_t *type,
    const kappa_variables_t *variables, kappa_value_t *out,
    kappa_errors_t *errors, const kappa_source_t *source);

/* A value as it came in JSON (a variable, a member of an imported event's
 * data) by its type. what begins the message (`Variable "$x"`, "data.x");
 * places inside it are named as paths ("at \"lines[2].size\""). Errors have
 * code BAD_USER_INPUT. */
kappa_status_t kappa_coerce_value(kappa_arena_t *arena,
    const kappa_value_t *json, const kappa_type_ref_t *type, kappa_str_t what,
    kappa_value_t *out, kappa_errors_t *errors);

#endif
