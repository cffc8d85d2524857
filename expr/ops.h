#ifndef KAPPA_EXPR_OPS_H
#define KAPPA_EXPR_OPS_H

#include "expr/node.h"

/* Inside expr/: what operators do to values. All take values as
 * kappa_expr_normalize leaves them. Those that can fail give KAPPA_INVALID and
 * set *reason. */

/* BIGINT to INT, UNSET and a double that is not finite to NULL. */
void kappa_expr_normalize(kappa_value_t *v);

/* What was stored as JSON and read back has lost types: a Float of 5.0 is an
 * integer, a BigInt and a DateTime are strings. Gives a value the kind of its
 * declared type, items of a list too; what can't be that stays as it is, for
 * the operators to refuse. */
kappa_status_t kappa_expr_settle(
    const kappa_expr_type_t *type, kappa_value_t *v, kappa_arena_t *scratch);

/* Of any two values; numbers by their numeric value. */
bool kappa_expr_equal(const kappa_value_t *a, const kappa_value_t *b);

/* <0, 0, >0 in *order; for booleans, numbers, strings and times. */
kappa_status_t kappa_expr_order(const kappa_value_t *a, const kappa_value_t *b,
    int *order, const char **reason);

/* ADD to REM. */
kappa_status_t kappa_expr_arithmetic(kappa_op_t op, const kappa_value_t *a,
    const kappa_value_t *b, kappa_arena_t *scratch, kappa_value_t *out,
    const char **reason);

kappa_status_t kappa_expr_negate(
    const kappa_value_t *a, kappa_value_t *out, const char **reason);

/* Whether item is in a list, or the name of a member of an object. */
kappa_status_t kappa_expr_in(const kappa_value_t *item,
    const kappa_value_t *container, bool *out, const char **reason);

/* To a type that is expected; null stays null. */
kappa_status_t kappa_expr_convert(const kappa_expr_type_t *type,
    kappa_value_t *v, kappa_arena_t *scratch, const char **reason);

#endif
