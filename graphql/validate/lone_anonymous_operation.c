#include "graphql/validate/rule.h"

/* 5.2.3.1 Lone anonymous operation */

static void
check(kappa_validation_t *v, const kappa_definition_t *operation)
{
    if (operation->name.text.data == NULL && v->operation_count > 1) {
        kappa_refuse(v, operation->offset,
            "This anonymous operation must be the only defined operation.");
    }
}

const kappa_rule_t kappa_rule_lone_anonymous_operation = {
    .info = { "LoneAnonymousOperation", "5.2.3.1" },
    .operation = check,
};
