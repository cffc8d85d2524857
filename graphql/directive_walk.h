#ifndef KAPPA_GRAPHQL_DIRECTIVE_WALK_H
#define KAPPA_GRAPHQL_DIRECTIVE_WALK_H

#include "graphql/ast.h"

/* Every list of directives that a type system definition applies, with what
 * it stands on. */

typedef struct {
    const char *location; /* "FIELD_DEFINITION" (specification 3.13) */
    const kappa_definition_t *definition;
    const kappa_field_node_t *field; /* NULL where not inside one */
    const kappa_input_node_t *input;
    const kappa_enum_value_node_t *value;
} kappa_directive_place_t;

/* false ends the walk. Lists without a directive are left out. */
typedef bool (*kappa_directive_visit_f)(void *ctx,
    const kappa_directive_node_t *list, const kappa_directive_place_t *place);

/* In source order. Nothing for operations and fragments. */
bool kappa_directive_walk(const kappa_definition_t *definition,
    kappa_directive_visit_f visit, void *ctx);

#endif
