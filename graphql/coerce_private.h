#ifndef KAPPA_GRAPHQL_COERCE_PRIVATE_H
#define KAPPA_GRAPHQL_COERCE_PRIVATE_H

#include "graphql/coerce.h"

/* What coerce.c (JSON values) and coerce_literal.c share. */

/* Nesting past this is refused; parsers refuse sooner. */
#define KAPPA_COERCE_DEPTH_MAX 256

/* The room a shown value gets in a message. */
#define KAPPA_COERCE_SHOWN_MAX 80

/* One scalar. KAPPA_INVALID sets *complaint to the message's beginning, which
 * the value as given completes: "Int cannot represent non-integer value: ". */
kappa_status_t kappa_coerce_scalar_value(kappa_arena_t *arena,
    const kappa_type_t *type, const kappa_value_t *in, kappa_value_t *out,
    const char **complaint);

/* literal is no variable, null, list or object unless type is opaque, which
 * is not for this function. */
kappa_status_t kappa_coerce_scalar_literal(kappa_arena_t *arena,
    const kappa_type_t *type, const kappa_literal_t *literal,
    kappa_value_t *out, const char **complaint);

/* The enum value of that name, or NULL. */
const kappa_enum_value_t *kappa_coerce_enum(
    const kappa_type_t *type, kappa_str_t name);

/* ` Did you mean …` for a name that type (an enum or an input object) does not
 * have; empty when nothing is near. data NULL: no memory. */
kappa_str_t kappa_coerce_suggest(
    kappa_arena_t *arena, const kappa_type_t *type, kappa_str_t name);

#endif
