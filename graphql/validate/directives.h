#ifndef KAPPA_GRAPHQL_VALIDATE_DIRECTIVES_H
#define KAPPA_GRAPHQL_VALIDATE_DIRECTIVES_H

#include "base/map.h"
#include "graphql/ast.h"
#include "graphql/directive_walk.h"

/* The rules about applied directives, which hold in executable and type
 * system documents alike. Each is in the file of its rule. */

typedef struct {
    kappa_arena_t *arena;
    kappa_errors_t *errors;
    /* The definition of a directive, NULL when there is none. */
    const kappa_definition_t *(*find)(void *ctx, kappa_str_t name);
    void *ctx;
} kappa_directive_rules_t;

/* known_directives.c: 5.7.1, 5.7.2 */
void kappa_check_known_directives(const kappa_directive_rules_t *rules,
    const kappa_directive_node_t *list, const char *location);

/* unique_directives.c: 5.7.3. seen: name to node, of what counts as one
 * location: in a type system document a definition and its extensions. */
typedef struct {
    kappa_map_t schema; /* directives of schema { } and its extensions */
    kappa_map_t types;  /* type name to the map of its directives */
} kappa_directives_seen_t;

void kappa_directives_seen_init(
    kappa_directives_seen_t *seen, kappa_arena_t *arena);
/* own: for what is a location of its own. NULL: no memory. */
kappa_map_t *kappa_directives_seen_at(kappa_directives_seen_t *seen,
    kappa_arena_t *arena, const kappa_directive_node_t *list,
    const kappa_directive_place_t *place, kappa_map_t *own);
kappa_status_t kappa_check_unique_directives(
    const kappa_directive_rules_t *rules, const kappa_directive_node_t *list,
    kappa_map_t *seen);

/* known_arguments.c: 5.4.1 */
void kappa_check_known_directive_arguments(
    const kappa_directive_rules_t *rules, const kappa_directive_node_t *list);

/* unique_arguments.c: 5.4.2 */
kappa_status_t kappa_check_unique_arguments(kappa_arena_t *arena,
    kappa_errors_t *errors, const kappa_argument_t *arguments,
    const kappa_source_t *source);

/* required_arguments.c: 5.4.3 */
void kappa_check_required_directive_arguments(
    const kappa_directive_rules_t *rules, const kappa_directive_node_t *list);

/* unique_input_fields.c: 5.6.3, in a literal and all within it */
kappa_status_t kappa_check_unique_input_fields(kappa_arena_t *arena,
    kappa_errors_t *errors, const kappa_literal_t *literal,
    const kappa_source_t *source);

/* A type as written, "[Int!]", in the arena; data NULL: no memory. */
kappa_str_t kappa_type_node_print(
    kappa_arena_t *arena, const kappa_type_node_t *node);

#endif
