#include "expr/expr.h"

#include "expr/node.h"

static void
report(kappa_expr_compiler_t *c, kappa_status_t status, uint32_t offset,
    const char *format, va_list args)
{
    kappa_str_t message = kappa_str_vprintf(c->arena, format, args);

    if (message.data == NULL) {
        c->status = KAPPA_NOMEM;
        return;
    }
    kappa_error_t *error = kappa_errors_add(
        c->errors, "VALIDATION_FAILED", "%.*s", KAPPA_STR_ARG(message));
    if (c->source != NULL) {
        kappa_error_at(c->errors, error, c->source,
            kappa_expr_place(c->source->text, c->offset, c->text, offset));
    }
    if (c->errors != NULL && c->errors->no_memory) {
        c->status = KAPPA_NOMEM;
    } else if (c->status != KAPPA_NOMEM && c->status != KAPPA_LIMIT) {
        c->status = status;
    }
}

void
kappa_expr_report(
    kappa_expr_compiler_t *c, uint32_t offset, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(c, KAPPA_INVALID, offset, format, args);
    va_end(args);
}

static void __attribute__((format(printf, 3, 4))) report_too_much(
    kappa_expr_compiler_t *c, uint32_t offset, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(c, KAPPA_LIMIT, offset, format, args);
    va_end(args);
}

void
kappa_expr_report_limit(kappa_expr_compiler_t *c, uint32_t offset,
    const char *what, unsigned limit)
{
    report_too_much(
        c, offset, "An expression has at most %u %s.", limit, what);
}

kappa_node_t *
kappa_expr_node(
    kappa_expr_compiler_t *c, kappa_op_t op, uint32_t offset, uint32_t count)
{
    if (c->nodes == KAPPA_EXPR_NODES_MAX) {
        kappa_expr_report_limit(c, offset, "parts", KAPPA_EXPR_NODES_MAX);
        return NULL;
    }
    kappa_node_t *node = KAPPA_NEW(c->arena, kappa_node_t);
    if (node != NULL && count > 0) {
        node->args = KAPPA_NEW_ARRAY(c->arena, kappa_node_t *, count);
    }
    if (node == NULL || (count > 0 && node->args == NULL)) {
        c->status = KAPPA_NOMEM;
        return NULL;
    }
    node->op = op;
    node->offset = offset;
    node->count = count;
    c->nodes++;
    return node;
}

bool
kappa_expr_node_close(kappa_expr_compiler_t *c, kappa_node_t *node)
{
    unsigned depth = 0;

    for (uint32_t i = 0; i < node->count; i++) {
        depth = node->args[i]->depth > depth ? node->args[i]->depth : depth;
    }
    if (depth == KAPPA_EXPR_DEPTH_MAX) {
        kappa_expr_report_limit(
            c, node->offset, "levels", KAPPA_EXPR_DEPTH_MAX);
        return false;
    }
    node->depth = (uint16_t)(depth + 1);
    return true;
}

static bool
check_text(kappa_expr_compiler_t *c)
{
    if (c->text.len > KAPPA_EXPR_TEXT_MAX) {
        kappa_expr_report_limit(c, 0, "bytes", KAPPA_EXPR_TEXT_MAX);
        return false;
    }
    size_t valid = kappa_utf8_valid(c->text);
    if (valid < c->text.len) {
        kappa_expr_report(c, (uint32_t)valid, "Invalid UTF-8.");
        return false;
    }
    const char *nul =
        c->text.len ? memchr(c->text.data, 0, c->text.len) : NULL;
    if (nul != NULL) {
        kappa_expr_report(c, (uint32_t)(nul - c->text.data),
            "An expression has no NUL bytes.");
        return false;
    }
    return true;
}

kappa_status_t
kappa_expr_compile(kappa_arena_t *arena, kappa_str_t text,
    const kappa_expr_scope_t *scope, const kappa_expr_type_t *expected,
    kappa_expr_t **out, kappa_errors_t *errors, const kappa_source_t *source,
    size_t offset)
{
    kappa_expr_compiler_t c = { .arena = arena,
        .text = text,
        .scope = scope,
        .errors = errors,
        .source = source,
        .offset = offset };
    kappa_node_t *root = check_text(&c) ? kappa_expr_parse(&c) : NULL;

    if (root == NULL || !kappa_expr_check(&c, &root, expected)) {
        return c.status;
    }
    kappa_expr_t *expr = KAPPA_NEW(arena, kappa_expr_t);
    if (expr == NULL) {
        return KAPPA_NOMEM;
    }
    expr->root = root;
    expr->text = text;
    kappa_status_t status = kappa_expr_collect(arena, root, &expr->reads);
    if (status == KAPPA_OK) {
        *out = expr;
    }
    return status;
}

const kappa_expr_type_t *
kappa_expr_result_type(const kappa_expr_t *expr)
{
    return expr->root->type;
}

kappa_str_t
kappa_expr_text(const kappa_expr_t *expr)
{
    return expr->text;
}

const kappa_expr_reads_t *
kappa_expr_reads(const kappa_expr_t *expr)
{
    return &expr->reads;
}
