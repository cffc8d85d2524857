#ifndef KAPPA_T_UNIT_EXPR_WORLD_H
#define KAPPA_T_UNIT_EXPR_WORLD_H

#include "expr/expr.h"

/* A small schema for expressions, and data behind it: what the tests and the
 * fuzz target of expr/ compile and evaluate against.
 *
 *   type Package @view(key: "name") { name: String size: Int price: Float
 *     at: DateTime kind: Kind tags: [String] section: String
 *     info: Info json: JSON }          enum Kind { INSTALLED REMOVED BROKEN }
 *   type Info { a: Int nested: Info
 *     ratio: Float big: BigInt times: [DateTime] }
 *   type Member @view(key: ["room", "who"]) { room: String who: String
 *     rank: Int }
 */

/* Every root may be read, both views looked up. */
extern const kappa_expr_scope_t kappa_world_scope;

/* Only row may be read, nothing looked up. */
extern const kappa_expr_scope_t kappa_world_row_scope;

extern const kappa_expr_type_t kappa_world_kind; /* the enum */

/* One row of Package, whose columns are members of an object; lookups find
 * Package('bash') and Member('kitchen', 'alice'). */
typedef struct {
    kappa_value_t row; /* as JSON, members by name; null: no row */
    kappa_value_t old;
    kappa_value_t args;
    kappa_value_t auth;
    kappa_value_t event;
    kappa_value_t value;
    kappa_value_t item;
    int64_t now;
    kappa_status_t fails; /* what every callback returns if not KAPPA_OK */
    unsigned calls;
} kappa_world_t;

/* The standard data, as expr_world.c has it, in the arena. */
kappa_status_t kappa_world_init(kappa_world_t *world, kappa_arena_t *arena);

kappa_expr_env_t kappa_world_env(kappa_world_t *world);

#endif
