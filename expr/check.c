#include "expr/check.h"

#include "base/suggest.h"

const kappa_expr_type_t kappa_expr_error = { .kind = KAPPA_EXPR_ERROR };

static const struct {
    const char *name;
    kappa_expr_root_t root;
} root_names[] = {
    { "row", KAPPA_ROOT_ROW },
    { "old", KAPPA_ROOT_OLD },
    { "args", KAPPA_ROOT_ARGS },
    { "value", KAPPA_ROOT_VALUE },
    { "auth", KAPPA_ROOT_AUTH },
    { "now", KAPPA_ROOT_NOW },
    { "event", KAPPA_ROOT_EVENT },
    { "item", KAPPA_ROOT_ITEM },
};

void
kappa_expr_report_types(kappa_expr_compiler_t *c, uint32_t offset,
    const char *before, const kappa_expr_type_t *a, const char *between,
    const kappa_expr_type_t *b, const char *after)
{
    kappa_str_t first = kappa_expr_type_print(c->arena, a);
    kappa_str_t second = KAPPA_STR("");

    if (b != NULL) {
        second = kappa_expr_type_print(c->arena, b);
    }
    kappa_expr_report(c, offset, "%s%.*s%s%.*s%s", before,
        KAPPA_STR_ARG(first), between, KAPPA_STR_ARG(second), after);
}

/* "row, auth, now and lookups" */
static kappa_str_t
readable(kappa_expr_compiler_t *c)
{
    kappa_str_t text = KAPPA_STR("");

    for (size_t i = 0; i < KAPPA_ROOTS; i++) {
        if (c->scope->roots[root_names[i].root] != NULL) {
            text = kappa_str_printf(c->arena, "%.*s%s%s", KAPPA_STR_ARG(text),
                text.len ? ", " : "", root_names[i].name);
        }
    }
    if (c->scope->views != NULL) {
        text = kappa_str_printf(c->arena, "%.*s%slookups", KAPPA_STR_ARG(text),
            text.len ? ", " : "");
    }
    return text.len ? text : KAPPA_STR("nothing: it is a constant");
}

static void
report_unreadable(kappa_expr_compiler_t *c, const kappa_node_t *node)
{
    kappa_str_t may = readable(c);

    kappa_expr_report(c, node->offset,
        "\"%.*s\" can't be read in %s; it may read %.*s.",
        KAPPA_STR_ARG(node->name),
        c->scope->place ? c->scope->place : "this place", KAPPA_STR_ARG(may));
}

static void
report_unknown_name(kappa_expr_compiler_t *c, const kappa_node_t *node)
{
    kappa_suggest_t suggest;

    kappa_suggest_init(&suggest, node->name);
    for (size_t i = 0; i < KAPPA_ROOTS; i++) {
        if (c->scope->roots[root_names[i].root] != NULL) {
            kappa_suggest_try(&suggest, kappa_str_c(root_names[i].name));
        }
    }
    kappa_str_t near = kappa_suggest_print(&suggest, c->arena, NULL);
    if (near.len == 0) {
        kappa_str_t may = readable(c);
        near = kappa_str_printf(
            c->arena, " What may be read here: %.*s.", KAPPA_STR_ARG(may));
    }
    kappa_expr_report(c, node->offset, "Unknown name \"%.*s\".%.*s",
        KAPPA_STR_ARG(node->name), KAPPA_STR_ARG(near));
}

static void
check_name(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    for (size_t i = 0; i < KAPPA_ROOTS; i++) {
        if (!kappa_str_eq_c(node->name, root_names[i].name)) {
            continue;
        }
        kappa_expr_root_t root = root_names[i].root;
        if (c->scope->roots[root] == NULL) {
            report_unreadable(c, node);
            return;
        }
        node->op = KAPPA_OP_ROOT;
        node->number = (uint32_t)root;
        node->type = c->scope->roots[root];
        return;
    }
    for (uint32_t i = 0; i < c->scope->view_count; i++) {
        if (kappa_str_eq(node->name, c->scope->views[i].name)) {
            kappa_expr_report(c, node->offset,
                "\"%.*s\" is a view: look a row up by its key, as in "
                "%.*s(key).",
                KAPPA_STR_ARG(node->name), KAPPA_STR_ARG(node->name));
            return;
        }
    }
    report_unknown_name(c, node);
}

static void
report_unknown_member(kappa_expr_compiler_t *c, const kappa_node_t *node,
    const kappa_expr_type_t *base)
{
    kappa_suggest_t suggest;
    kappa_str_t type = kappa_expr_type_print(c->arena, base);

    kappa_suggest_init(&suggest, node->name);
    for (uint32_t i = 0; i < base->member_count; i++) {
        kappa_suggest_try(&suggest, base->members[i].name);
    }
    kappa_str_t near = kappa_suggest_print(&suggest, c->arena, NULL);
    kappa_expr_report(c, node->offset,
        "Unknown field \"%.*s\" of \"%.*s\".%.*s", KAPPA_STR_ARG(node->name),
        KAPPA_STR_ARG(type), KAPPA_STR_ARG(near));
}

static bool
is_numbered_root(const kappa_node_t *node)
{
    return node->op == KAPPA_OP_ROOT
        && (node->number == KAPPA_ROOT_ARGS || node->number == KAPPA_ROOT_AUTH
            || node->number == KAPPA_ROOT_EVENT);
}

/* args[0].name, once args[0] is typed. */
static void
resolve_member(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    const kappa_expr_type_t *base = node->args[0]->type;

    node->op = KAPPA_OP_FIELD;
    node->number = UINT32_MAX;
    switch (base->kind) {
    case KAPPA_EXPR_ERROR:
        return;
    case KAPPA_EXPR_DYN:
    case KAPPA_EXPR_NULL:
        node->type = base;
        return;
    case KAPPA_EXPR_OBJECT:
    case KAPPA_EXPR_ROW:
        break;
    default:
        kappa_expr_report_types(
            c, node->offset, "", base, " has no fields", NULL, ".");
        return;
    }
    const kappa_expr_member_t *member =
        kappa_expr_type_member(base, node->name);
    if (member == NULL) {
        report_unknown_member(c, node, base);
        return;
    }
    node->type = member->type;
    node->number = member->number;
    if (base->kind == KAPPA_EXPR_ROW) {
        node->op = KAPPA_OP_COLUMN;
    } else if (is_numbered_root(node->args[0])) {
        node->op = KAPPA_OP_MEMBER;
    }
}

static void
check_select(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    kappa_expr_check_node(c, node->args[0]);
    resolve_member(c, node);
}

/* a['b'] is a.b, so that names that are none in CEL can be read. */
static bool
index_is_member(const kappa_node_t *node)
{
    const kappa_expr_type_t *base = node->args[0]->type;
    const kappa_node_t *index = node->args[1];

    return (base->kind == KAPPA_EXPR_OBJECT || base->kind == KAPPA_EXPR_ROW
               || base->kind == KAPPA_EXPR_DYN)
        && index->op == KAPPA_OP_LITERAL
        && index->literal.kind == KAPPA_STRING;
}

static void
check_index(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    kappa_expr_check_node(c, node->args[0]);
    kappa_expr_check_node(c, node->args[1]);
    const kappa_expr_type_t *base = node->args[0]->type;
    const kappa_expr_type_t *index = node->args[1]->type;

    if (index_is_member(node)) {
        node->name = node->args[1]->literal.as.string;
        node->count = 1;
        resolve_member(c, node);
    } else if (base->kind == KAPPA_EXPR_LIST) {
        if (index->kind == KAPPA_EXPR_INT || index->kind == KAPPA_EXPR_DYN) {
            node->type = base->item;
        } else if (index->kind != KAPPA_EXPR_ERROR) {
            kappa_expr_report_types(c, node->args[1]->offset,
                "A list's index is an Int, not ", index, "", NULL, ".");
        }
    } else if (base->kind == KAPPA_EXPR_DYN || base->kind == KAPPA_EXPR_NULL) {
        node->type = base;
    } else if (base->kind != KAPPA_EXPR_ERROR) {
        kappa_expr_report_types(c, node->offset, "", base,
            " has no index: lists and JSON have", NULL, ".");
    }
}

static const kappa_expr_type_t *
type_of_literal(const kappa_value_t *v)
{
    switch (v->kind) {
    case KAPPA_BOOL:
        return &kappa_expr_bool;
    case KAPPA_INT:
        return &kappa_expr_int;
    case KAPPA_DOUBLE:
        return &kappa_expr_double;
    case KAPPA_STRING:
        return &kappa_expr_string;
    default:
        return &kappa_expr_null;
    }
}

static kappa_expr_type_t *
list_of(kappa_expr_compiler_t *c, const kappa_expr_type_t *item)
{
    kappa_expr_type_t *type = KAPPA_NEW(c->arena, kappa_expr_type_t);

    if (type == NULL) {
        c->status = KAPPA_NOMEM;
        return NULL;
    }
    type->kind = KAPPA_EXPR_LIST;
    type->item = item;
    return type;
}

/* Lets the literals of each see the other's type. */
static void
adapt_both(kappa_expr_compiler_t *c, kappa_node_t *a, kappa_node_t *b)
{
    kappa_expr_adapt(c, a, b->type);
    kappa_expr_adapt(c, b, a->type);
}

static void
check_list(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    const kappa_expr_type_t *item = &kappa_expr_null;

    for (uint32_t i = 0; i < node->count; i++) {
        kappa_expr_check_node(c, node->args[i]);
        kappa_expr_adapt(c, node->args[i], item);
        const kappa_expr_type_t *joined =
            kappa_expr_join(item, node->args[i]->type);

        if (joined == NULL) {
            kappa_expr_report_types(c, node->args[i]->offset,
                "A list has items of one type, not ", item, " and ",
                node->args[i]->type, ".");
            joined = &kappa_expr_error;
        }
        item = joined;
    }
    kappa_expr_type_t *type = list_of(c, item);
    node->type = type ? type : &kappa_expr_error;
}

static const char *
operator_text(kappa_op_t op)
{
    static const char *const texts[] = {
        [KAPPA_OP_NOT] = "!",
        [KAPPA_OP_NEGATE] = "-",
        [KAPPA_OP_OR] = "||",
        [KAPPA_OP_AND] = "&&",
        [KAPPA_OP_EQ] = "==",
        [KAPPA_OP_NE] = "!=",
        [KAPPA_OP_LT] = "<",
        [KAPPA_OP_LE] = "<=",
        [KAPPA_OP_GT] = ">",
        [KAPPA_OP_GE] = ">=",
        [KAPPA_OP_IN] = "in",
        [KAPPA_OP_ADD] = "+",
        [KAPPA_OP_SUB] = "-",
        [KAPPA_OP_MUL] = "*",
        [KAPPA_OP_DIV] = "/",
        [KAPPA_OP_REM] = "%",
    };

    return texts[op];
}

static bool
is_bool(const kappa_expr_type_t *type)
{
    return type->kind == KAPPA_EXPR_BOOL || type->kind == KAPPA_EXPR_DYN
        || type->kind == KAPPA_EXPR_ERROR;
}

/* !, && and || take booleans. */
static void
check_logic(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        kappa_node_t *operand = node->args[i];

        kappa_expr_check_node(c, operand);
        if (!is_bool(operand->type)) {
            kappa_str_t type = kappa_expr_type_print(c->arena, operand->type);

            kappa_expr_report(c, operand->offset,
                "\"%s\" takes Booleans, not %.*s%s", operator_text(node->op),
                KAPPA_STR_ARG(type),
                operand->type->kind == KAPPA_EXPR_ROW
                    ? ": compare the row with null, as in … != null."
                    : ".");
        }
    }
    node->type = &kappa_expr_bool;
}

static void
check_negate(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    kappa_expr_check_node(c, node->args[0]);
    const kappa_expr_type_t *type = node->args[0]->type;

    if (type->kind == KAPPA_EXPR_INT || type->kind == KAPPA_EXPR_DOUBLE
        || type->kind == KAPPA_EXPR_DYN) {
        node->type = type;
    } else if (type->kind != KAPPA_EXPR_ERROR) {
        kappa_expr_report_types(c, node->offset, "\"-\" takes a number, not ",
            type, "", NULL, ".");
    }
}

static void
check_cond(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    kappa_node_t *then = node->args[1], *otherwise = node->args[2];

    for (uint32_t i = 0; i < 3; i++) {
        kappa_expr_check_node(c, node->args[i]);
    }
    if (!is_bool(node->args[0]->type)) {
        kappa_expr_report_types(c, node->args[0]->offset,
            "What stands before \"?\" is a Boolean, not ", node->args[0]->type,
            "", NULL, ".");
    }
    adapt_both(c, then, otherwise);
    const kappa_expr_type_t *type =
        kappa_expr_join(then->type, otherwise->type);
    if (type == NULL) {
        kappa_expr_report_types(c, node->offset,
            "Both results of \"? :\" have one type, not ", then->type, " and ",
            otherwise->type, ".");
        type = &kappa_expr_error;
    }
    node->type = type;
}

static void
report_operands(
    kappa_expr_compiler_t *c, const kappa_node_t *node, const char *hint)
{
    kappa_str_t a = kappa_expr_type_print(c->arena, node->args[0]->type);
    kappa_str_t b = kappa_expr_type_print(c->arena, node->args[1]->type);

    kappa_expr_report(c, node->offset, "There is no %.*s %s %.*s%s",
        KAPPA_STR_ARG(a), operator_text(node->op), KAPPA_STR_ARG(b), hint);
}

static bool
any_error(const kappa_node_t *node)
{
    return node->args[0]->type->kind == KAPPA_EXPR_ERROR
        || node->args[1]->type->kind == KAPPA_EXPR_ERROR;
}

static bool
has_order(const kappa_expr_type_t *type)
{
    switch (type->kind) {
    case KAPPA_EXPR_BOOL:
    case KAPPA_EXPR_INT:
    case KAPPA_EXPR_DOUBLE:
    case KAPPA_EXPR_STRING:
    case KAPPA_EXPR_ENUM:
    case KAPPA_EXPR_TIME:
    case KAPPA_EXPR_DYN:
        return true;
    default:
        return false;
    }
}

static void
check_comparison(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    adapt_both(c, node->args[0], node->args[1]);
    const kappa_expr_type_t *a = node->args[0]->type;
    const kappa_expr_type_t *b = node->args[1]->type;

    node->type = &kappa_expr_bool;
    if (any_error(node)) {
        return;
    }
    bool equality = node->op == KAPPA_OP_EQ || node->op == KAPPA_OP_NE;
    bool rows = a->kind == KAPPA_EXPR_ROW && b->kind == KAPPA_EXPR_ROW;
    if (!kappa_expr_type_comparable(a, b) || rows) {
        report_operands(
            c, node, rows ? ": compare their keys." : ": types differ.");
    } else if (!equality && !(has_order(a) && has_order(b))) {
        report_operands(c, node, ": one of them has no order.");
    }
}

static void
check_in(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    kappa_node_t *item = node->args[0], *container = node->args[1];

    node->type = &kappa_expr_bool;
    if (any_error(node) || container->type->kind == KAPPA_EXPR_DYN) {
        return;
    }
    if (container->type->kind != KAPPA_EXPR_LIST) {
        report_operands(
            c, node, ": on the right stands a list, or JSON with names.");
        return;
    }
    kappa_expr_type_t *list = list_of(c, item->type);
    if (list == NULL) {
        return;
    }
    kappa_expr_adapt(c, container, list);
    kappa_expr_adapt(c, item, container->type->item);
    if (!kappa_expr_type_comparable(item->type, container->type->item)) {
        report_operands(c, node, ": types differ.");
    }
}

/* The result of a + b and so on; NULL: there is none. */
static const kappa_expr_type_t *
arithmetic_type(
    kappa_op_t op, const kappa_expr_type_t *a, const kappa_expr_type_t *b)
{
    bool text_a = a->kind == KAPPA_EXPR_STRING || a->kind == KAPPA_EXPR_ENUM;
    bool text_b = b->kind == KAPPA_EXPR_STRING || b->kind == KAPPA_EXPR_ENUM;
    bool add = op == KAPPA_OP_ADD;

    if (a->kind == KAPPA_EXPR_DYN || b->kind == KAPPA_EXPR_DYN) {
        const kappa_expr_type_t *other = a->kind == KAPPA_EXPR_DYN ? b : a;
        bool number = other->kind == KAPPA_EXPR_DYN
            || other->kind == KAPPA_EXPR_INT
            || other->kind == KAPPA_EXPR_DOUBLE;
        bool list = other->kind == KAPPA_EXPR_LIST;

        return number || (add && (text_a || text_b || list)) ? &kappa_expr_dyn
                                                             : NULL;
    }
    if (a->kind == KAPPA_EXPR_INT && b->kind == KAPPA_EXPR_INT) {
        return a;
    }
    if (a->kind == KAPPA_EXPR_DOUBLE && b->kind == KAPPA_EXPR_DOUBLE) {
        return op == KAPPA_OP_REM ? NULL : a;
    }
    if (add && text_a && text_b) {
        return &kappa_expr_string;
    }
    if (add && a->kind == KAPPA_EXPR_LIST && b->kind == KAPPA_EXPR_LIST) {
        return kappa_expr_join(a, b);
    }
    return NULL;
}

static const char *
arithmetic_hint(const kappa_expr_type_t *a, const kappa_expr_type_t *b)
{
    if ((a->kind == KAPPA_EXPR_INT && b->kind == KAPPA_EXPR_DOUBLE)
        || (a->kind == KAPPA_EXPR_DOUBLE && b->kind == KAPPA_EXPR_INT)) {
        return ": write 2.0 for 2, or double(x).";
    }
    if (a->kind == KAPPA_EXPR_TIME || b->kind == KAPPA_EXPR_TIME) {
        return ": times are compared and truncated only.";
    }
    return ".";
}

static void
check_arithmetic(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    const kappa_expr_type_t *a = node->args[0]->type;
    const kappa_expr_type_t *b = node->args[1]->type;

    if (any_error(node)) {
        return;
    }
    const kappa_expr_type_t *type = arithmetic_type(node->op, a, b);
    if (type == NULL) {
        report_operands(c, node, arithmetic_hint(a, b));
        return;
    }
    node->type = type;
}

static void
check_binary(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    kappa_expr_check_node(c, node->args[0]);
    kappa_expr_check_node(c, node->args[1]);
    if (node->op == KAPPA_OP_IN) {
        check_in(c, node);
    } else if (node->op >= KAPPA_OP_ADD) {
        check_arithmetic(c, node);
    } else {
        check_comparison(c, node);
    }
}

void
kappa_expr_check_node(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    node->type = &kappa_expr_error;
    switch (node->op) {
    case KAPPA_OP_LITERAL:
        node->type = type_of_literal(&node->literal);
        break;
    case KAPPA_OP_LIST:
        check_list(c, node);
        break;
    case KAPPA_OP_NAME:
        check_name(c, node);
        break;
    case KAPPA_OP_SELECT:
        check_select(c, node);
        break;
    case KAPPA_OP_INDEX:
        check_index(c, node);
        break;
    case KAPPA_OP_CALL:
    case KAPPA_OP_METHOD:
        kappa_expr_check_call(c, node);
        break;
    case KAPPA_OP_NOT:
    case KAPPA_OP_AND:
    case KAPPA_OP_OR:
        check_logic(c, node);
        break;
    case KAPPA_OP_NEGATE:
        check_negate(c, node);
        break;
    case KAPPA_OP_COND:
        check_cond(c, node);
        break;
    default:
        check_binary(c, node);
    }
}

bool
kappa_expr_check(kappa_expr_compiler_t *c, kappa_node_t **root,
    const kappa_expr_type_t *expected)
{
    kappa_expr_check_node(c, *root);
    if (expected != NULL) {
        kappa_expr_require(c, root, expected, "The expression");
    }
    return c->status == KAPPA_OK;
}
