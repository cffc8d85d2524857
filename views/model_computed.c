#include "views/model_private.h"

/* @computed: over `row` alone a stored column, else evaluated when read. */

/* A @computed that was neither bound nor given up. */
static bool
pending(const kappa_field_t *field)
{
    return !field->binding
        && kappa_model_directive(field->directives, "computed");
}

static kappa_expr_scope_t
scope_of(const kappa_model_builder_t *b, const kappa_view_t *view)
{
    kappa_expr_scope_t scope = kappa_model_scope("@computed");

    scope.roots[KAPPA_ROOT_ROW] = &view->row_type;
    kappa_model_scope_caller(&scope);
    kappa_model_scope_lookups(b, &scope);
    return scope;
}

static kappa_status_t
bind_stored(kappa_model_builder_t *b, kappa_view_t *view,
    const kappa_field_t *field, const kappa_expr_t *expr)
{
    kappa_status_t status = kappa_model_add_column(b, view, field, false);

    if (status != KAPPA_OK || !field->binding) {
        return status;
    }
    view->columns[view->column_count - 1].computed = expr;
    return kappa_model_row_type(b, view);
}

static kappa_status_t
bind_read(kappa_model_builder_t *b, kappa_view_t *view,
    const kappa_field_t *field, const kappa_expr_t *expr)
{
    kappa_field_binding_t *binding =
        kappa_model_bind(b, field, KAPPA_BIND_VALUE, NULL);

    if (!binding) {
        return KAPPA_NOMEM;
    }
    binding->computed = expr;
    binding->view = view;
    return KAPPA_OK;
}

/* loud: say what is wrong; else try, and leave it pending. */
static kappa_status_t
compute(kappa_model_builder_t *b, kappa_view_t *view,
    const kappa_field_t *field, bool loud)
{
    kappa_errors_t quiet, *errors = b->errors;
    uint32_t refused = b->refused;
    const kappa_expr_t *expr;
    const kappa_directive_node_t *node =
        kappa_model_directive(field->directives, "computed");
    const kappa_expr_type_t *type = kappa_model_expr_type(b, field->type);
    kappa_expr_scope_t scope = scope_of(b, view);

    if (!type) {
        return KAPPA_NOMEM;
    }
    kappa_errors_init(&quiet, b->arena, 1);
    b->errors = loud ? errors : &quiet;
    kappa_status_t status =
        kappa_model_compile_arg(b, node, "as", &scope, type, &expr);
    b->errors = errors;
    b->refused = loud ? b->refused : refused;
    if (status != KAPPA_OK || !expr) {
        return status;
    }
    return (kappa_expr_reads(expr)->roots & ~KAPPA_READS(KAPPA_ROOT_ROW)) == 0
        ? bind_stored(b, view, field, expr)
        : bind_read(b, view, field, expr);
}

static kappa_status_t
pass(kappa_model_builder_t *b, bool loud, bool *progress)
{
    *progress = false;
    for (uint32_t i = 0; i < b->model->view_count; i++) {
        kappa_view_t *view = b->model->views[i];

        for (uint32_t j = 0; j < view->type->field_count; j++) {
            const kappa_field_t *field = &view->type->fields[j];

            if (!pending(field)) {
                continue;
            }
            kappa_status_t status = compute(b, view, field, loud);
            if (status != KAPPA_OK) {
                return status;
            }
            *progress |= field->binding != NULL;
        }
    }
    return KAPPA_OK;
}

/* One may read another that is stored: whatever compiles is taken, again and
 * again, and what then is left is wrong (or reads itself). */
kappa_status_t
kappa_model_computed(kappa_model_builder_t *b)
{
    bool progress = true;
    kappa_status_t status = KAPPA_OK;

    while (status == KAPPA_OK && progress) {
        status = pass(b, false, &progress);
    }
    return status == KAPPA_OK ? pass(b, true, &progress) : status;
}
