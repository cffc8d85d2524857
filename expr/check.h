#ifndef KAPPA_EXPR_CHECK_H
#define KAPPA_EXPR_CHECK_H

#include "expr/node.h"

/* Inside expr/: between the checker's files. */

extern const kappa_expr_type_t kappa_expr_error;

/* Types a node and all below it. Never fails: what is wrong is reported and
 * typed kappa_expr_error, which agrees with everything. */
void kappa_expr_check_node(kappa_expr_compiler_t *c, kappa_node_t *node);

/* expr/check_call.c: CALL and METHOD. */
void kappa_expr_check_call(kappa_expr_compiler_t *c, kappa_node_t *node);

/* expr/adapt.c: lets literals of strings become times and enum values where
 * node meets a type; says what is wrong with them. */
void kappa_expr_adapt(kappa_expr_compiler_t *c, kappa_node_t *node,
    const kappa_expr_type_t *type);

/* A value of the node's type is wanted as `type`: adapts it, or puts a
 * conversion before it, or reports "WHAT is …, but TYPE is wanted". */
void kappa_expr_require(kappa_expr_compiler_t *c, kappa_node_t **node,
    const kappa_expr_type_t *type, const char *what);

/* The type of values that are one or the other; NULL: there is none. */
const kappa_expr_type_t *kappa_expr_join(
    const kappa_expr_type_t *a, const kappa_expr_type_t *b);

/* Reports with up to two types as the last arguments: "%s" in format. */
void kappa_expr_report_types(kappa_expr_compiler_t *c, uint32_t offset,
    const char *before, const kappa_expr_type_t *a, const char *between,
    const kappa_expr_type_t *b, const char *after);

#endif
