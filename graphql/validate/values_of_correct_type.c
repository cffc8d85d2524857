#include "graphql/validate/literal.h"
#include "graphql/validate/rule.h"

/* 5.6.1 Values of correct type; 5.6.2, 5.6.4 of input objects */

static void
check(kappa_validation_t *v, const kappa_literal_t *value,
    const kappa_type_ref_t *type)
{
    if (type != NULL
        && kappa_check_literal(
               v->arena, v->errors, value, type, v->source, KAPPA_STR(""))
            != KAPPA_OK) {
        kappa_validation_fail(v, KAPPA_NOMEM);
    }
}

const kappa_rule_t kappa_rule_values_of_correct_type = {
    .info = { "ValuesOfCorrectType", "5.6.1" },
    .value = check,
};
