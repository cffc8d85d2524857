#include "views/model_private.h"

/* @check on arguments and on the fields of their input objects. */

#define PATH_DEPTH_MAX 4
#define PATHS_MAX 20000

/* Whether an input type, or one within it, has a @check. Types may hold
 * themselves: each is looked at once. */
static kappa_status_t
has_check(kappa_model_builder_t *b, const kappa_type_t *type, bool *found)
{
    uint32_t total = b->schema->type_count, count = 0;
    const kappa_type_t **todo =
        KAPPA_NEW_ARRAY(b->arena, const kappa_type_t *, total);
    bool *seen = KAPPA_NEW_ARRAY(b->arena, bool, total);

    *found = false;
    if (!todo || !seen) {
        return KAPPA_NOMEM;
    }
    todo[count++] = type;
    seen[type->number] = true;
    while (count && !*found) {
        type = todo[--count];
        for (uint32_t i = 0; i < type->input_count; i++) {
            const kappa_type_t *next = type->inputs[i].type->named;

            if (kappa_model_directive(type->inputs[i].directives, "check")) {
                *found = true;
            }
            if (!seen[next->number]) {
                seen[next->number] = true;
                todo[count++] = next;
            }
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
value_checks(kappa_model_builder_t *b, const kappa_input_t *input, int32_t arg,
    kappa_str_t path, kappa_check_t **checks)
{
    kappa_expr_scope_t scope = kappa_model_scope("@check on an argument");

    scope.roots[KAPPA_ROOT_VALUE] = kappa_model_expr_type(b, input->type);
    if (!scope.roots[KAPPA_ROOT_VALUE]) {
        return KAPPA_NOMEM;
    }
    kappa_model_scope_caller(&scope);
    kappa_model_scope_lookups(b, &scope);
    return kappa_model_checks(b, input->directives, &scope, arg, path, checks);
}

/* At most PATH_DEPTH_MAX deep. */
static kappa_status_t
walk(kappa_model_builder_t *b, const kappa_input_t *input, int32_t arg,
    kappa_str_t path, uint32_t depth, kappa_check_t **checks)
{
    const kappa_type_t *type = input->type->named;
    kappa_status_t status = value_checks(b, input, arg, path, checks);
    bool found;

    if (status != KAPPA_OK || type->kind != KAPPA_TYPE_INPUT_OBJECT) {
        return status;
    }
    status = has_check(b, type, &found);
    if (status != KAPPA_OK || !found) {
        return status;
    }
    if (depth == PATH_DEPTH_MAX || ++b->input_paths > PATHS_MAX) {
        return kappa_model_refuse(b, input->source, input->offset,
            "@check on the fields of \"%.*s\" is not built yet where it is "
            "more than %d objects deep, or in more than %d places.",
            KAPPA_STR_ARG(type->name), PATH_DEPTH_MAX, PATHS_MAX);
    }
    uint32_t refused = b->refused;
    for (uint32_t i = 0;
         status == KAPPA_OK && b->refused == refused && i < type->input_count;
         i++) {
        const kappa_input_t *next = &type->inputs[i];
        kappa_str_t below =
            kappa_str_printf(b->arena, "%.*s%s%.*s", KAPPA_STR_ARG(path),
                path.len ? "." : "", KAPPA_STR_ARG(next->name));

        status = below.data ? walk(b, next, arg, below, depth + 1, checks)
                            : KAPPA_NOMEM;
    }
    return status;
}

kappa_status_t
kappa_model_input_checks(
    kappa_model_builder_t *b, const kappa_input_t *arg, kappa_check_t **checks)
{
    return walk(b, arg, (int32_t)arg->number, KAPPA_STR_NULL, 0, checks);
}
