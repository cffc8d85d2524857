#include "views/model_private.h"

/* What stands on columns and views besides their shape: @stamp, @default,
 * @allow, @check. */

/* Views that an @on writes stamp only from what replay knows (SEMANTICS 8). */
static bool
replayable(const kappa_expr_t *expr)
{
    const kappa_expr_reads_t *reads = kappa_expr_reads(expr);

    for (uint32_t i = 0; i < reads->auth_count; i++) {
        if (!kappa_str_eq_c(reads->auth[i].path, "auth.sub")
            && !kappa_str_eq_c(reads->auth[i].path, "auth.iss")) {
            return false;
        }
    }
    return true;
}

static kappa_status_t
fill_expr(kappa_model_builder_t *b, kappa_view_t *view, kappa_column_t *column,
    const char *directive, const kappa_expr_t **out)
{
    const kappa_directive_node_t *node =
        kappa_model_directive(column->field->directives, directive);
    kappa_expr_scope_t scope = kappa_model_scope(
        strcmp(directive, "stamp") == 0 ? "@stamp" : "@default");

    if (!node) {
        return KAPPA_OK;
    }
    const kappa_expr_type_t *type =
        kappa_model_expr_type(b, column->field->type);
    if (!type) {
        return KAPPA_NOMEM;
    }
    kappa_model_scope_caller(&scope);
    scope.roots[KAPPA_ROOT_OLD] = &view->row_type;
    kappa_status_t status =
        kappa_model_compile_arg(b, node, "as", &scope, type, out);
    if (status != KAPPA_OK || !*out) {
        return status;
    }
    if (replayable(*out)) {
        return KAPPA_OK;
    }
    if (out == &column->fallback) {
        return kappa_model_refuse(b, node->source,
            kappa_model_arg_offset(node, "as"),
            "@default is evaluated again when events are replayed: only now, "
            "old, auth.sub and auth.iss are known then. A @stamp is kept in "
            "the event.");
    }
    if (kappa_model_directive(view->type->directives, "on")) {
        return kappa_model_refuse(b, node->source,
            kappa_model_arg_offset(node, "as"),
            "@stamp: view \"%.*s\" is written by @on, whose events are "
            "replayed: only now, old, auth.sub and auth.iss are known then.",
            KAPPA_STR_ARG(view->name));
    }
    return KAPPA_OK;
}

static bool
in_key(const kappa_view_t *view, const kappa_column_t *column)
{
    for (uint32_t i = 0; i < view->key_count; i++) {
        if (&view->columns[view->key[i]] == column) {
            return true;
        }
    }
    return false;
}

static kappa_status_t
column_rules(
    kappa_model_builder_t *b, kappa_view_t *view, kappa_column_t *column)
{
    const kappa_directive_node_t *stamp =
        kappa_model_directive(column->field->directives, "stamp");

    if (stamp) {
        column->stamp_always =
            kappa_str_eq_c(kappa_model_text(stamp, "on"), "WRITE");
        if (column->stamp_always && in_key(view, column)) {
            return kappa_model_refuse(b, stamp->source,
                kappa_model_arg_offset(stamp, "on"),
                "\"%.*s.%.*s\" is in the key, and keys never change: stamp "
                "it on CREATE.",
                KAPPA_STR_ARG(view->name), KAPPA_STR_ARG(column->name));
        }
    }
    kappa_status_t status =
        fill_expr(b, view, column, "stamp", &column->stamp);
    return status == KAPPA_OK
        ? fill_expr(b, view, column, "default", &column->fallback)
        : status;
}

/* @allow on a view's field. Links are bound before. */
static kappa_status_t
field_allow(
    kappa_model_builder_t *b, kappa_view_t *view, const kappa_field_t *field)
{
    const kappa_directive_node_t *node =
        kappa_model_directive(field->directives, "allow");
    kappa_expr_scope_t scope = kappa_model_scope("@allow on a view's field");
    /* Our own binding on our own schema. */
    kappa_field_binding_t *binding = (kappa_field_binding_t *)field->binding;

    if (!node || !binding) {
        return KAPPA_OK;
    }
    if (kappa_model_ref_is_required(field->type)) {
        return kappa_model_refuse(b, node->source, node->offset,
            "\"%.*s.%.*s\" has @allow, so it is null for whom it is not "
            "allowed: its type must be nullable.",
            KAPPA_STR_ARG(view->name), KAPPA_STR_ARG(field->name));
    }
    scope.roots[KAPPA_ROOT_ROW] = &view->row_type;
    kappa_model_scope_caller(&scope);
    kappa_model_scope_lookups(b, &scope);
    binding->binding.rule = true;
    return kappa_model_compile_arg(
        b, node, "if", &scope, &kappa_expr_bool, &binding->allow);
}

static kappa_status_t
view_allow(kappa_model_builder_t *b, kappa_view_t *view)
{
    const kappa_directive_node_t *node =
        kappa_model_directive(view->type->directives, "allow");
    kappa_expr_scope_t scope = kappa_model_scope("@allow on a view");

    if (!node) {
        return KAPPA_OK;
    }
    scope.roots[KAPPA_ROOT_ROW] = &view->row_type;
    kappa_model_scope_caller(&scope);
    kappa_model_scope_lookups(b, &scope);
    return kappa_model_compile_arg(
        b, node, "if", &scope, &kappa_expr_bool, &view->allow);
}

static kappa_status_t
view_checks(kappa_model_builder_t *b, kappa_view_t *view)
{
    kappa_expr_scope_t scope = kappa_model_scope("@check on a view");

    scope.roots[KAPPA_ROOT_ROW] = &view->row_type;
    scope.roots[KAPPA_ROOT_OLD] = &view->row_type;
    kappa_model_scope_caller(&scope);
    kappa_model_scope_lookups(b, &scope);
    return kappa_model_checks(
        b, view->type->directives, &scope, -1, &view->checks);
}

static kappa_status_t
view_rules(kappa_model_builder_t *b, kappa_view_t *view)
{
    kappa_status_t status = view_allow(b, view);

    for (uint32_t i = 0; status == KAPPA_OK && i < view->column_count; i++) {
        status = column_rules(b, view, &view->columns[i]);
    }
    return status == KAPPA_OK ? view_checks(b, view) : status;
}

kappa_status_t
kappa_model_column_rules(kappa_model_builder_t *b)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < b->model->view_count; i++) {
        status = view_rules(b, b->model->views[i]);
    }
    return status;
}

kappa_status_t
kappa_model_field_rules(kappa_model_builder_t *b)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < b->model->view_count; i++) {
        kappa_view_t *view = b->model->views[i];

        for (uint32_t j = 0; status == KAPPA_OK && j < view->type->field_count;
             j++) {
            status = field_allow(b, view, &view->type->fields[j]);
        }
    }
    return status;
}
