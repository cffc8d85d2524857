#include "graphql/validate/variables.h"

/* 5.8.4 All variables used */

static void
note_usage(kappa_validation_t *v, const kappa_definition_t *operation,
    const kappa_usage_t *usage, const kappa_variable_node_t *variable,
    void *ctx)
{
    kappa_map_t *used = ctx;

    (void)operation;
    if (variable != NULL
        && kappa_map_put(
               used, usage->literal->text, (void *)(uintptr_t)variable)
            != KAPPA_OK) {
        kappa_validation_fail(v, KAPPA_NOMEM);
    }
}

static void
check_operation(
    kappa_validation_t *v, const kappa_definition_t *operation, void *ctx)
{
    kappa_map_t *used = ctx;
    kappa_str_t name = operation->name.text;

    for (kappa_variable_node_t *n = operation->variables; n; n = n->next) {
        if (kappa_map_get(used, n->name.text) != NULL) {
            continue;
        }
        if (name.data != NULL) {
            kappa_refuse(v, n->offset,
                "Variable \"$%.*s\" is never used in operation \"%.*s\".",
                KAPPA_STR_ARG(n->name.text), KAPPA_STR_ARG(name));
        } else {
            kappa_refuse(v, n->offset, "Variable \"$%.*s\" is never used.",
                KAPPA_STR_ARG(n->name.text));
        }
    }
    kappa_map_init(used, v->arena);
}

static void
check(kappa_validation_t *v)
{
    kappa_map_t used;

    kappa_map_init(&used, v->arena);
    kappa_each_usage(v, note_usage, check_operation, &used);
}

const kappa_rule_t kappa_rule_no_unused_variables = {
    .info = { "NoUnusedVariables", "5.8.4" },
    .end = check,
};
