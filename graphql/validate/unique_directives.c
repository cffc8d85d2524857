#include "graphql/validate/directives.h"
#include "graphql/validate/rule.h"

/* 5.7.3 Directives are unique per location */

static kappa_status_t
note(const kappa_directive_rules_t *rules, const kappa_directive_node_t *node,
    kappa_map_t *seen)
{
    const kappa_directive_node_t *first = kappa_map_get(seen, node->name.text);

    if (first == NULL) {
        return kappa_map_put(seen, node->name.text, (void *)(uintptr_t)node);
    }
    kappa_error_t *error = kappa_errors_add(rules->errors, "VALIDATION_FAILED",
        "The directive \"@%.*s\" can only be used once at this location.",
        KAPPA_STR_ARG(node->name.text));
    kappa_error_at(rules->errors, error, first->source, first->offset);
    kappa_error_at(rules->errors, error, node->source, node->offset);
    return KAPPA_OK;
}

kappa_status_t
kappa_check_unique_directives(const kappa_directive_rules_t *rules,
    const kappa_directive_node_t *list, kappa_map_t *seen)
{
    for (; list != NULL; list = list->next) {
        const kappa_definition_t *definition =
            rules->find(rules->ctx, list->name.text);

        if (definition != NULL && !definition->repeatable
            && note(rules, list, seen) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

static void
check(kappa_validation_t *v, const kappa_directive_node_t *list,
    const char *location)
{
    kappa_map_t seen;

    (void)location;
    if (list->next == NULL) {
        return;
    }
    kappa_map_init(&seen, v->arena);
    if (kappa_check_unique_directives(&v->directives, list, &seen)
        != KAPPA_OK) {
        kappa_validation_fail(v, KAPPA_NOMEM);
    }
}

const kappa_rule_t kappa_rule_unique_directives = {
    .info = { "UniqueDirectivesPerLocation", "5.7.3" },
    .list = check,
};
