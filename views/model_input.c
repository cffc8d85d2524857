#include "views/model_private.h"

/* @check on arguments and on the fields of input objects. */

static kappa_status_t
value_checks(kappa_model_builder_t *b, const kappa_input_t *input, int32_t arg,
    kappa_check_t **checks)
{
    kappa_expr_scope_t scope = kappa_model_scope("@check on an argument");

    scope.roots[KAPPA_ROOT_VALUE] = kappa_model_expr_type(b, input->type);
    if (!scope.roots[KAPPA_ROOT_VALUE]) {
        return KAPPA_NOMEM;
    }
    kappa_model_scope_caller(&scope);
    kappa_model_scope_lookups(b, &scope);
    return kappa_model_checks(b, input->directives, &scope, arg, checks);
}

/* A binding, if the type has none yet. */
static kappa_status_t
bind_checks(kappa_model_builder_t *b, kappa_type_t *type)
{
    kappa_input_checks_t *own = KAPPA_NEW(b->arena, kappa_input_checks_t);

    if (!own) {
        return KAPPA_NOMEM;
    }
    own->fields =
        KAPPA_NEW_ARRAY(b->arena, kappa_check_t *, type->input_count);
    type->binding = own;
    return own->fields ? KAPPA_OK : KAPPA_NOMEM;
}

static kappa_status_t
type_checks(kappa_model_builder_t *b, kappa_type_t *type)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < type->input_count; i++) {
        const kappa_input_t *input = &type->inputs[i];

        if (!kappa_model_directive(input->directives, "check")) {
            continue;
        }
        status = type->binding ? KAPPA_OK : bind_checks(b, type);
        if (status == KAPPA_OK) {
            const kappa_input_checks_t *own = type->binding;
            status = value_checks(b, input, 0, &own->fields[input->number]);
        }
    }
    return status;
}

static bool
leads_to_checks(const kappa_type_t *type)
{
    for (uint32_t i = 0; i < type->input_count; i++) {
        const kappa_type_t *next = type->inputs[i].type->named;

        if (next->kind == KAPPA_TYPE_INPUT_OBJECT && next->binding) {
            return true;
        }
    }
    return false;
}

/* Whether what holds a type with checks was found that had none so far. */
static kappa_status_t
spread(kappa_model_builder_t *b, bool *progress)
{
    kappa_status_t status = KAPPA_OK;

    *progress = false;
    for (uint32_t i = 0; status == KAPPA_OK && i < b->schema->type_count;
         i++) {
        kappa_type_t *type = b->schema->types[i];

        if (type->kind == KAPPA_TYPE_INPUT_OBJECT && !type->binding
            && leads_to_checks(type)) {
            status = bind_checks(b, type);
            *progress = true;
        }
    }
    return status;
}

/* Types may hold themselves: what has checks in it is spread until nothing is
 * new. */
kappa_status_t
kappa_model_inputs(kappa_model_builder_t *b)
{
    kappa_status_t status = KAPPA_OK;
    bool progress = true;

    for (uint32_t i = 0; status == KAPPA_OK && i < b->schema->type_count;
         i++) {
        if (b->schema->types[i]->kind == KAPPA_TYPE_INPUT_OBJECT) {
            status = type_checks(b, b->schema->types[i]);
        }
    }
    while (status == KAPPA_OK && progress) {
        status = spread(b, &progress);
    }
    return status;
}

kappa_status_t
kappa_model_input_checks(
    kappa_model_builder_t *b, const kappa_input_t *arg, kappa_check_t **checks)
{
    const kappa_type_t *type = arg->type->named;
    kappa_status_t status = value_checks(b, arg, (int32_t)arg->number, checks);

    if (status != KAPPA_OK || type->kind != KAPPA_TYPE_INPUT_OBJECT
        || !type->binding) {
        return status;
    }
    kappa_check_t *inside = KAPPA_NEW(b->arena, kappa_check_t);
    if (!inside) {
        return KAPPA_NOMEM;
    }
    inside->arg = (int32_t)arg->number;
    inside->inside = type;
    while (*checks) {
        checks = &(*checks)->next;
    }
    *checks = inside;
    return KAPPA_OK;
}
