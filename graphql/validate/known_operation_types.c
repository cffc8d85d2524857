#include "graphql/validate/rule.h"

/* 5.2.1.1 Operation type existence */

static void
check(kappa_validation_t *v, const kappa_definition_t *operation)
{
    static const char *const names[] = { "query", "mutation", "subscription" };

    if (v->schema->roots[operation->operation] == NULL) {
        kappa_refuse(v, operation->offset,
            "The %s operation is not supported by the schema.",
            names[operation->operation]);
    }
}

const kappa_rule_t kappa_rule_known_operation_types = {
    .info = { "KnownOperationTypes", "5.2.1.1" },
    .operation = check,
};
