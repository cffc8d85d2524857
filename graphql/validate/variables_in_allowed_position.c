#include "graphql/validate/variables.h"

/* 5.8.5 All variable usages are allowed */

/* Whether every value of the variable's type may stand where `place` is. */
static bool
fits(const kappa_type_ref_t *type, const kappa_type_ref_t *place)
{
    if (place->kind == KAPPA_REF_NON_NULL) {
        return type->kind == KAPPA_REF_NON_NULL && fits(type->of, place->of);
    }
    if (type->kind == KAPPA_REF_NON_NULL) {
        return fits(type->of, place);
    }
    if (type->kind != place->kind) {
        return false;
    }
    return type->kind == KAPPA_REF_LIST ? fits(type->of, place->of)
                                        : type->named == place->named;
}

static bool
is_allowed(const kappa_variable_node_t *variable, const kappa_type_ref_t *type,
    const kappa_usage_t *usage)
{
    bool default_value = variable->default_value != NULL
        && variable->default_value->kind != KAPPA_LITERAL_NULL;

    if (usage->type->kind == KAPPA_REF_NON_NULL
        && type->kind != KAPPA_REF_NON_NULL) {
        return (default_value || usage->has_default)
            && fits(type, usage->type->of);
    }
    return fits(type, usage->type);
}

static void
check_usage(kappa_validation_t *v, const kappa_definition_t *operation,
    const kappa_usage_t *usage, const kappa_variable_node_t *variable,
    void *ctx)
{
    (void)operation;
    (void)ctx;
    const kappa_type_ref_t *type =
        variable && usage->type ? kappa_type_of_node(v, variable->type) : NULL;

    if (type == NULL) {
        return;
    }
    if (!is_allowed(variable, type, usage)) {
        kappa_error_t *error = kappa_refuse(v, variable->offset,
            "Variable \"$%.*s\" of type \"%s\" used in position expecting "
            "type \"%s\".",
            KAPPA_STR_ARG(variable->name.text),
            kappa_errors_text(v->errors, kappa_type_ref_print(v->arena, type)),
            kappa_errors_text(
                v->errors, kappa_type_ref_print(v->arena, usage->type)));

        kappa_refuse_also(v, error, usage->literal->offset);
    }
    if (usage->one_of != NULL && type->kind != KAPPA_REF_NON_NULL) {
        kappa_error_t *error = kappa_refuse(v, variable->offset,
            "Variable \"$%.*s\" is of type \"%s\" but must be "
            "non-nullable to be used for OneOf Input Object \"%.*s\".",
            KAPPA_STR_ARG(variable->name.text),
            kappa_errors_text(v->errors, kappa_type_ref_print(v->arena, type)),
            KAPPA_STR_ARG(usage->one_of->name));

        kappa_refuse_also(v, error, usage->literal->offset);
    }
}

static void
check(kappa_validation_t *v)
{
    kappa_each_usage(v, check_usage, NULL, NULL);
}

const kappa_rule_t kappa_rule_variables_in_allowed_position = {
    .info = { "VariablesInAllowedPosition", "5.8.5" },
    .end = check,
};
