#include "graphql/validate.h"

static const kappa_rule_info_t all = { "every rule", "5" };
static const kappa_rule_info_t *const missing[] = { &all, NULL };

const kappa_rule_info_t *const *
kappa_validate_missing(void)
{
    return missing;
}

kappa_status_t
kappa_validate(kappa_arena_t *arena, const kappa_schema_t *schema,
    const kappa_document_t *document, kappa_errors_t *errors)
{
    (void)arena;
    (void)schema;
    (void)document;
    (void)errors;
    return KAPPA_OK;
}
