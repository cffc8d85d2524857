#include "graphql/validate/variables.h"

/* 5.8.3 All variable uses defined */

static void
check_usage(kappa_validation_t *v, const kappa_definition_t *operation,
    const kappa_usage_t *usage, const kappa_variable_node_t *variable,
    void *ctx)
{
    (void)ctx;
    if (variable != NULL) {
        return;
    }
    kappa_str_t name = operation->name.text;
    kappa_error_t *error = name.data
        ? kappa_refuse(v, usage->literal->offset,
            "Variable \"$%.*s\" is not defined by operation \"%.*s\".",
            KAPPA_STR_ARG(usage->literal->text), KAPPA_STR_ARG(name))
        : kappa_refuse(v, usage->literal->offset,
            "Variable \"$%.*s\" is not defined.",
            KAPPA_STR_ARG(usage->literal->text));
    kappa_refuse_also(v, error, operation->offset);
}

static void
check(kappa_validation_t *v)
{
    kappa_each_usage(v, check_usage, NULL, NULL);
}

const kappa_rule_t kappa_rule_no_undefined_variables = {
    .info = { "NoUndefinedVariables", "5.8.3" },
    .end = check,
};
