#include "graphql/validate/directives.h"
#include "graphql/validate/names.h"
#include "graphql/validate/rule.h"

/* 5.4.2 Argument uniqueness */

static void
report(void *ctx, const kappa_named_item_t *const *group, uint32_t count)
{
    kappa_errors_t *errors = ctx;
    kappa_error_t *error = kappa_errors_add(errors, "VALIDATION_FAILED",
        "There can be only one argument named \"%.*s\".",
        KAPPA_STR_ARG(group[0]->name));

    for (uint32_t i = 0; i < count; i++) {
        kappa_error_at(errors, error, group[i]->source, group[i]->offset);
    }
}

kappa_status_t
kappa_check_unique_arguments(kappa_arena_t *arena, kappa_errors_t *errors,
    const kappa_argument_t *arguments, const kappa_source_t *source)
{
    uint32_t count = 0;

    for (const kappa_argument_t *a = arguments; a != NULL; a = a->next) {
        count++;
    }
    if (count < 2) {
        return KAPPA_OK;
    }
    kappa_named_item_t *items =
        KAPPA_NEW_ARRAY(arena, kappa_named_item_t, count);
    if (items == NULL) {
        return KAPPA_NOMEM;
    }
    count = 0;
    for (const kappa_argument_t *a = arguments; a != NULL; a = a->next) {
        items[count++] =
            (kappa_named_item_t){ a->name.text, source, a->name.offset };
    }
    return kappa_group_names(arena, items, count, report, errors);
}

static void
check_arguments(kappa_validation_t *v, const kappa_argument_t *arguments)
{
    if (kappa_check_unique_arguments(v->arena, v->errors, arguments, v->source)
        != KAPPA_OK) {
        kappa_validation_fail(v, KAPPA_NOMEM);
    }
}

static void
check_directives(kappa_validation_t *v, const kappa_directive_node_t *list,
    const char *location)
{
    (void)location;
    for (; list != NULL; list = list->next) {
        check_arguments(v, list->arguments);
    }
}

const kappa_rule_t kappa_rule_unique_argument_names = {
    .info = { "UniqueArgumentNames", "5.4.2" },
    .arguments = check_arguments,
    .list = check_directives,
};
