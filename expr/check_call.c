#include "expr/call.h"
#include "expr/check.h"

#include "base/suggest.h"
#include "base/time.h"

static const kappa_expr_view_t *
find_view(const kappa_expr_compiler_t *c, kappa_str_t name)
{
    for (uint32_t i = 0; i < c->scope->view_count; i++) {
        if (kappa_str_eq(c->scope->views[i].name, name)) {
            return &c->scope->views[i];
        }
    }
    return NULL;
}

static void
check_lookup(kappa_expr_compiler_t *c, kappa_node_t *node,
    const kappa_expr_view_t *view)
{
    for (uint32_t i = 0; i < node->count; i++) {
        kappa_expr_check_node(c, node->args[i]);
    }
    node->op = KAPPA_OP_LOOKUP;
    node->view = view;
    node->type = view->row;
    if (node->count != view->key_count) {
        kappa_expr_report(c, node->offset,
            "The key of \"%.*s\" has %u field%s, not %u.",
            KAPPA_STR_ARG(view->name), view->key_count,
            view->key_count == 1 ? "" : "s", node->count);
        return;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        kappa_expr_require(c, &node->args[i], view->key[i], "This key field");
    }
}

static bool
is_macro(kappa_str_t name)
{
    static const char *const macros[] = { "all", "exists", "exists_one", "map",
        "filter", "matches", "timestamp", "duration", "int", "uint", "string",
        "bool", "bytes", "type", "dyn" };

    for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
        if (kappa_str_eq_c(name, macros[i])) {
            return true;
        }
    }
    return false;
}

static void
report_unknown(kappa_expr_compiler_t *c, const kappa_node_t *node)
{
    kappa_suggest_t suggest;
    const kappa_function_t *f;

    if (is_macro(node->name)) {
        kappa_expr_report(c, node->offset,
            "\"%.*s\" is CEL, but not in this subset of it.",
            KAPPA_STR_ARG(node->name));
        return;
    }
    kappa_suggest_init(&suggest, node->name);
    for (uint32_t i = 0; (f = kappa_expr_function_at(i)) != NULL; i++) {
        kappa_suggest_try(&suggest, f->name);
    }
    for (uint32_t i = 0; i < c->scope->view_count; i++) {
        kappa_suggest_try(&suggest, c->scope->views[i].name);
    }
    kappa_str_t near = kappa_suggest_print(&suggest, c->arena, NULL);
    kappa_expr_report(c, node->offset,
        "There is no function%s named \"%.*s\"%s.%.*s",
        node->op == KAPPA_OP_CALL ? " or view" : "", KAPPA_STR_ARG(node->name),
        node->op == KAPPA_OP_CALL && c->scope->views == NULL
            ? " that can be called here"
            : "",
        KAPPA_STR_ARG(near));
}

static bool
takes(kappa_takes_t what, const kappa_expr_type_t *type)
{
    kappa_expr_kind_t kind = type->kind;
    bool text = kind == KAPPA_EXPR_STRING || kind == KAPPA_EXPR_ENUM;
    bool number = kind == KAPPA_EXPR_INT || kind == KAPPA_EXPR_DOUBLE;

    if (kind == KAPPA_EXPR_DYN || kind == KAPPA_EXPR_ERROR) {
        return true;
    }
    switch (what) {
    case KAPPA_TAKES_TEXT:
    case KAPPA_TAKES_DURATION:
        return text;
    case KAPPA_TAKES_SIZED:
        return text || kind == KAPPA_EXPR_LIST;
    case KAPPA_TAKES_NUMBER:
        return number;
    case KAPPA_TAKES_ORDERED:
        return text || number || kind == KAPPA_EXPR_TIME;
    case KAPPA_TAKES_TIME:
        return kind == KAPPA_EXPR_TIME;
    case KAPPA_TAKES_MEMBER:
        return true;
    }
    return false;
}

static bool
is_selection(const kappa_node_t *node)
{
    return node->op == KAPPA_OP_MEMBER || node->op == KAPPA_OP_COLUMN
        || node->op == KAPPA_OP_FIELD;
}

static void
check_unit(kappa_expr_compiler_t *c, kappa_node_t *node, kappa_node_t *unit)
{
    int64_t ms;

    if (unit->op != KAPPA_OP_LITERAL || unit->literal.kind != KAPPA_STRING
        || !kappa_duration_parse(unit->literal.as.string, &ms) || ms < 1000
        || ms % 1000 != 0) {
        kappa_expr_report(c, unit->offset,
            "trunc takes a literal of whole s, m, h or d, such as '15m'.");
        return;
    }
    node->unit_ms = ms;
}

static bool
check_arg(kappa_expr_compiler_t *c, kappa_node_t *node, uint32_t i)
{
    const kappa_function_t *f = node->function;
    kappa_takes_t what = f->takes[i < 2 ? i : 1];
    kappa_node_t *arg = node->args[i];

    if (arg->type->kind == KAPPA_EXPR_ERROR) {
        return false;
    }
    if (!takes(what, arg->type)
        || (what == KAPPA_TAKES_MEMBER && !is_selection(arg))) {
        kappa_str_t type = kappa_expr_type_print(c->arena, arg->type);

        kappa_expr_report(c, arg->offset, "%s does not take %.*s here.",
            f->usage, KAPPA_STR_ARG(type));
        return false;
    }
    if (what == KAPPA_TAKES_DURATION) {
        check_unit(c, node, arg);
    }
    return true;
}

/* min and max: all of one type, which is the result's. */
static const kappa_expr_type_t *
common_type(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    const kappa_expr_type_t *type = node->args[0]->type;

    for (uint32_t i = 1; i < node->count; i++) {
        kappa_expr_adapt(c, node->args[i], type);
        kappa_expr_adapt(c, node->args[0], node->args[i]->type);
        type = i == 1 ? node->args[0]->type : type;
        const kappa_expr_type_t *joined =
            kappa_expr_join(type, node->args[i]->type);
        if (joined == NULL) {
            kappa_expr_report_types(c, node->args[i]->offset,
                "min and max take one type, not ", type, " and ",
                node->args[i]->type, ".");
            return &kappa_expr_error;
        }
        type = joined;
    }
    return type;
}

static void
check_function(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    const kappa_function_t *f = node->function;
    bool ok = true;

    for (uint32_t i = 0; i < node->count; i++) {
        kappa_expr_check_node(c, node->args[i]);
    }
    if (node->count < f->least || node->count > f->most) {
        kappa_expr_report(
            c, node->offset, "Wrong number of arguments: write %s.", f->usage);
        return;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        ok = check_arg(c, node, i) && ok;
    }
    if (f->result != NULL) {
        node->type = f->result;
    } else if (ok) {
        node->type = common_type(c, node);
    }
}

void
kappa_expr_check_call(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    bool method = node->op == KAPPA_OP_METHOD;
    const kappa_function_t *f = kappa_expr_function(node->name);
    const kappa_expr_view_t *view =
        f == NULL && !method ? find_view(c, node->name) : NULL;

    if (view != NULL) {
        check_lookup(c, node, view);
        return;
    }
    if (f == NULL) {
        report_unknown(c, node);
        for (uint32_t i = 0; i < node->count && !is_macro(node->name); i++) {
            kappa_expr_check_node(c, node->args[i]);
        }
        return;
    }
    node->op = KAPPA_OP_CALL;
    node->function = f;
    if (method ? !f->as_method : !f->as_function) {
        kappa_expr_report(c, node->offset, "Write %s.", f->usage);
        return;
    }
    check_function(c, node);
}
