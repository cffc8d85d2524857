#include "graphql/validate/rule.h"

/* 5.1.1 Executable definitions */

static void
check(kappa_validation_t *v)
{
    for (const kappa_definition_t *d = v->document->definitions; d;
         d = d->next) {
        if (d->kind <= KAPPA_DEFINITION_FRAGMENT) {
            continue;
        }
        if (d->kind == KAPPA_DEFINITION_SCHEMA) {
            kappa_refuse(
                v, d->offset, "The schema definition is not executable.");
        } else {
            kappa_refuse(v, d->offset,
                "The \"%.*s\" definition is not executable.",
                KAPPA_STR_ARG(d->name.text));
        }
    }
}

const kappa_rule_t kappa_rule_executable_definitions = {
    .info = { "ExecutableDefinitions", "5.1.1" },
    .document = check,
};
