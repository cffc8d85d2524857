#include "graphql/validate/directives.h"
#include "graphql/validate/rule.h"

/* 5.7.1 Directives are defined, 5.7.2 Directives are in valid locations */

static bool
is_allowed(const kappa_definition_t *definition, const char *location)
{
    for (const kappa_named_node_t *n = definition->locations; n; n = n->next) {
        if (kappa_str_eq_c(n->name.text, location)) {
            return true;
        }
    }
    return false;
}

void
kappa_check_known_directives(const kappa_directive_rules_t *rules,
    const kappa_directive_node_t *list, const char *location)
{
    for (; list != NULL; list = list->next) {
        const kappa_definition_t *definition =
            rules->find(rules->ctx, list->name.text);
        kappa_error_t *error;

        if (definition == NULL) {
            error = kappa_errors_add(rules->errors, "VALIDATION_FAILED",
                "Unknown directive \"@%.*s\".",
                KAPPA_STR_ARG(list->name.text));
        } else if (!is_allowed(definition, location)) {
            error = kappa_errors_add(rules->errors, "VALIDATION_FAILED",
                "Directive \"@%.*s\" may not be used on %s.",
                KAPPA_STR_ARG(list->name.text), location);
        } else {
            continue;
        }
        kappa_error_at(rules->errors, error, list->source, list->offset);
    }
}

static void
check(kappa_validation_t *v, const kappa_directive_node_t *list,
    const char *location)
{
    kappa_check_known_directives(&v->directives, list, location);
}

const kappa_rule_t kappa_rule_known_directives = {
    .info = { "KnownDirectives", "5.7.1" },
    .list = check,
};
