#include "graphql/validate/names.h"
#include "graphql/validate/rule.h"

/* 5.8.1 Variable uniqueness */

static void
report(void *ctx, const kappa_named_item_t *const *group, uint32_t count)
{
    kappa_validation_t *v = ctx;
    kappa_error_t *error = kappa_refuse(v, group[0]->offset,
        "There can be only one variable named \"$%.*s\".",
        KAPPA_STR_ARG(group[0]->name));

    for (uint32_t i = 1; i < count; i++) {
        kappa_refuse_also(v, error, group[i]->offset);
    }
}

static void
check(kappa_validation_t *v, const kappa_definition_t *operation)
{
    uint32_t count = 0;

    for (kappa_variable_node_t *n = operation->variables; n; n = n->next) {
        count++;
    }
    kappa_named_item_t *items =
        KAPPA_NEW_ARRAY(v->arena, kappa_named_item_t, count);
    if (items == NULL) {
        kappa_validation_fail(v, KAPPA_NOMEM);
        return;
    }
    count = 0;
    for (kappa_variable_node_t *n = operation->variables; n; n = n->next) {
        items[count++] =
            (kappa_named_item_t){ n->name.text, v->source, n->name.offset };
    }
    if (kappa_group_names(v->arena, items, count, report, v) != KAPPA_OK) {
        kappa_validation_fail(v, KAPPA_NOMEM);
    }
}

const kappa_rule_t kappa_rule_unique_variable_names = {
    .info = { "UniqueVariableNames", "5.8.1" },
    .operation = check,
};
