#include "graphql/validate/rule.h"

/* 5.8.2 Variables are input types */

static void
check(kappa_validation_t *v, const kappa_variable_node_t *variable)
{
    const kappa_type_ref_t *type = kappa_type_of_node(v, variable->type);

    if (type != NULL && !kappa_type_is_input(type->named)) {
        kappa_refuse(v, variable->type->offset,
            "Variable \"$%.*s\" cannot be non-input type \"%s\".",
            KAPPA_STR_ARG(variable->name.text),
            kappa_errors_text(
                v->errors, kappa_type_ref_print(v->arena, type)));
    }
}

const kappa_rule_t kappa_rule_variables_are_input_types = {
    .info = { "VariablesAreInputTypes", "5.8.2" },
    .variable = check,
};
