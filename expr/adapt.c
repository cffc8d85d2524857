#include "expr/check.h"

#include "base/suggest.h"
#include "base/time.h"

static bool
is_string_literal(const kappa_node_t *node)
{
    return node->op == KAPPA_OP_LITERAL && node->literal.kind == KAPPA_STRING;
}

static void
adapt_time(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    int64_t ms;

    if (!kappa_time_parse(node->literal.as.string, &ms)) {
        kappa_expr_report(c, node->offset,
            "\"%.*s\" is no DateTime: write it as "
            "'2026-11-20T10:25:00.000Z'.",
            KAPPA_STR_ARG(node->literal.as.string));
        node->type = &kappa_expr_error;
        return;
    }
    node->literal = kappa_time(ms);
    node->type = &kappa_expr_time;
}

static void
adapt_enum(kappa_expr_compiler_t *c, kappa_node_t *node,
    const kappa_expr_type_t *type)
{
    kappa_str_t value = node->literal.as.string;
    kappa_suggest_t suggest;

    kappa_suggest_init(&suggest, value);
    for (uint32_t i = 0; i < type->value_count; i++) {
        if (kappa_str_eq(type->values[i], value)) {
            node->type = type;
            return;
        }
        kappa_suggest_try(&suggest, type->values[i]);
    }
    kappa_str_t near = kappa_suggest_print(&suggest, c->arena, NULL);
    kappa_expr_report(c, node->offset,
        "\"%.*s\" is no value of enum \"%.*s\".%.*s", KAPPA_STR_ARG(value),
        KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(near));
    node->type = &kappa_expr_error;
}

void
kappa_expr_adapt(kappa_expr_compiler_t *c, kappa_node_t *node,
    const kappa_expr_type_t *type)
{
    if (node->op == KAPPA_OP_COND) {
        kappa_expr_adapt(c, node->args[1], type);
        kappa_expr_adapt(c, node->args[2], type);
        const kappa_expr_type_t *joined =
            kappa_expr_join(node->args[1]->type, node->args[2]->type);
        node->type = joined ? joined : node->type;
    } else if (node->op == KAPPA_OP_LIST && type->kind == KAPPA_EXPR_LIST) {
        bool adapted = node->count > 0;

        for (uint32_t i = 0; i < node->count; i++) {
            kappa_expr_adapt(c, node->args[i], type->item);
            adapted = adapted
                && kappa_expr_type_assignable(node->args[i]->type, type->item);
        }
        if (adapted && type->item->kind != KAPPA_EXPR_DOUBLE) {
            node->type = type;
        }
    } else if (is_string_literal(node)) {
        if (type->kind == KAPPA_EXPR_TIME) {
            adapt_time(c, node);
        } else if (type->kind == KAPPA_EXPR_ENUM) {
            adapt_enum(c, node, type);
        }
    }
}

/* Whether values of `from` need a look when evaluated before they are of type
 * `to`: JSON does, and ints that become doubles. */
static bool
needs_conversion(const kappa_expr_type_t *from, const kappa_expr_type_t *to)
{
    while (from->kind == KAPPA_EXPR_LIST && to->kind == KAPPA_EXPR_LIST) {
        from = from->item;
        to = to->item;
    }
    return (from->kind == KAPPA_EXPR_DYN && to->kind != KAPPA_EXPR_DYN)
        || (from->kind == KAPPA_EXPR_INT && to->kind == KAPPA_EXPR_DOUBLE);
}

static void
put_conversion(kappa_expr_compiler_t *c, kappa_node_t **node,
    const kappa_expr_type_t *type)
{
    kappa_node_t *convert =
        kappa_expr_node(c, KAPPA_OP_CONVERT, (*node)->offset, 1);

    if (convert == NULL) {
        return;
    }
    convert->args[0] = *node;
    convert->type = type;
    convert->depth = (uint16_t)((*node)->depth + 1);
    *node = convert;
}

void
kappa_expr_require(kappa_expr_compiler_t *c, kappa_node_t **node,
    const kappa_expr_type_t *type, const char *what)
{
    kappa_expr_adapt(c, *node, type);
    const kappa_expr_type_t *from = (*node)->type;

    if (from->kind == KAPPA_EXPR_ERROR) {
        return;
    }
    if (!kappa_expr_type_assignable(from, type)) {
        bool row =
            from->kind == KAPPA_EXPR_ROW && type->kind == KAPPA_EXPR_BOOL;

        kappa_str_t have = kappa_expr_type_print(c->arena, from);
        kappa_str_t want = kappa_expr_type_print(c->arena, type);
        kappa_expr_report(c, (*node)->offset,
            "%s is %.*s, but %.*s is "
            "wanted%s",
            what, KAPPA_STR_ARG(have), KAPPA_STR_ARG(want),
            row ? ": compare the row with null, as in … != null." : ".");
        return;
    }
    if (needs_conversion(from, type)) {
        put_conversion(c, node, type);
    }
}

const kappa_expr_type_t *
kappa_expr_join(const kappa_expr_type_t *a, const kappa_expr_type_t *b)
{
    static const kappa_expr_type_t string_list = { .kind = KAPPA_EXPR_LIST,
        .item = &kappa_expr_string };

    if (a->kind == KAPPA_EXPR_ERROR || b->kind == KAPPA_EXPR_NULL) {
        return a;
    }
    if (b->kind == KAPPA_EXPR_ERROR || a->kind == KAPPA_EXPR_NULL) {
        return b;
    }
    if (a->kind == KAPPA_EXPR_DYN || b->kind == KAPPA_EXPR_DYN) {
        return &kappa_expr_dyn;
    }
    if (kappa_expr_type_assignable(a, b)) {
        return a->kind == KAPPA_EXPR_INT && b->kind == KAPPA_EXPR_DOUBLE ? NULL
                                                                         : b;
    }
    if (kappa_expr_type_assignable(b, a)) {
        return b->kind == KAPPA_EXPR_INT && a->kind == KAPPA_EXPR_DOUBLE ? NULL
                                                                         : a;
    }
    if (a->kind == KAPPA_EXPR_ENUM && b->kind == KAPPA_EXPR_ENUM) {
        return &kappa_expr_string;
    }
    if (a->kind == KAPPA_EXPR_LIST && b->kind == KAPPA_EXPR_LIST
        && a->item->kind == KAPPA_EXPR_ENUM
        && b->item->kind == KAPPA_EXPR_ENUM) {
        return &string_list;
    }
    return NULL;
}
