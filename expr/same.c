#include "expr/node.h"

/* Two trees after the check. What settles a value (expr/ops.c) asks of a type
 * only which of these it is. */

static bool
is_text(const kappa_expr_type_t *type)
{
    return type->kind == KAPPA_EXPR_STRING || type->kind == KAPPA_EXPR_ENUM;
}

static bool
same_type(const kappa_expr_type_t *a, const kappa_expr_type_t *b)
{
    while (a->kind == KAPPA_EXPR_LIST && b->kind == KAPPA_EXPR_LIST) {
        a = a->item;
        b = b->item;
    }
    return a->kind == b->kind || (is_text(a) && is_text(b));
}

static bool
has_value(const kappa_expr_type_t *type, kappa_str_t value)
{
    for (uint32_t i = 0; i < type->value_count; i++) {
        if (kappa_str_eq(type->values[i], value)) {
            return true;
        }
    }
    return false;
}

/* Of what is converted to an enum, only its values are left. */
static bool
same_conversion(const kappa_expr_type_t *a, const kappa_expr_type_t *b)
{
    while (a->kind == KAPPA_EXPR_LIST && b->kind == KAPPA_EXPR_LIST) {
        a = a->item;
        b = b->item;
    }
    bool same = a->kind == b->kind && a->value_count == b->value_count;

    for (uint32_t i = 0; i < a->value_count && same; i++) {
        same = has_value(b, a->values[i]);
    }
    return same;
}

/* A column's number is the schema's own, so it goes by its name. */
static bool
same_operation(const kappa_node_t *a, const kappa_node_t *b)
{
    if (a->op != b->op || a->count != b->count
        || !same_type(a->type, b->type)) {
        return false;
    }
    switch (a->op) {
    case KAPPA_OP_LITERAL:
        return kappa_value_eq(&a->literal, &b->literal);
    case KAPPA_OP_ROOT:
        return a->number == b->number;
    case KAPPA_OP_MEMBER:
    case KAPPA_OP_COLUMN:
    case KAPPA_OP_FIELD:
        return kappa_str_eq(a->name, b->name);
    case KAPPA_OP_LOOKUP:
        return kappa_str_eq(a->view->name, b->view->name);
    case KAPPA_OP_CALL:
        return a->function == b->function && a->unit_ms == b->unit_ms;
    case KAPPA_OP_CONVERT:
        return same_conversion(a->type, b->type);
    default:
        return true;
    }
}

/* As deep as an expression may be. */
static bool
same(const kappa_node_t *a, const kappa_node_t *b)
{
    bool equal = same_operation(a, b);

    for (uint32_t i = 0; i < a->count && equal; i++) {
        equal = same(a->args[i], b->args[i]);
    }
    return equal;
}

bool
kappa_expr_same(const kappa_expr_t *a, const kappa_expr_t *b)
{
    return same(a->root, b->root);
}
