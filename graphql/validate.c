#include "graphql/validate.h"

#include "graphql/validate/walk.h"

/* What graphql-js checks in this order too. Rules about @defer and @stream,
 * which are no part of the specification, are not among them. */
const kappa_rule_t *const kappa_rules[] = {
    &kappa_rule_executable_definitions,
    &kappa_rule_known_operation_types,
    &kappa_rule_unique_operation_names,
    &kappa_rule_lone_anonymous_operation,
    &kappa_rule_single_field_subscriptions,
    &kappa_rule_known_type_names,
    &kappa_rule_fragments_on_composite_types,
    &kappa_rule_variables_are_input_types,
    &kappa_rule_scalar_leafs,
    &kappa_rule_fields_on_correct_type,
    &kappa_rule_unique_fragment_names,
    &kappa_rule_known_fragment_names,
    &kappa_rule_no_unused_fragments,
    &kappa_rule_possible_fragment_spreads,
    &kappa_rule_no_fragment_cycles,
    &kappa_rule_unique_variable_names,
    &kappa_rule_no_undefined_variables,
    &kappa_rule_no_unused_variables,
    &kappa_rule_known_directives,
    &kappa_rule_unique_directives,
    &kappa_rule_known_argument_names,
    &kappa_rule_unique_argument_names,
    &kappa_rule_values_of_correct_type,
    &kappa_rule_required_arguments,
    &kappa_rule_variables_in_allowed_position,
    &kappa_rule_overlapping_fields,
    &kappa_rule_unique_input_field_names,
    &kappa_rule_max_introspection_depth,
    NULL,
};

kappa_status_t
kappa_validate(kappa_arena_t *arena, const kappa_schema_t *schema,
    const kappa_document_t *document, kappa_errors_t *errors)
{
    kappa_validation_t v = { .status = KAPPA_OK };
    uint32_t before = errors->count;

    kappa_validation_init(&v, arena, schema, document, errors);
    if (v.status == KAPPA_OK) {
        kappa_validation_walk(&v);
    }
    if (errors->no_memory) {
        return KAPPA_NOMEM;
    }
    if (v.status != KAPPA_OK) {
        return v.status;
    }
    return errors->count > before || errors->more ? KAPPA_INVALID : KAPPA_OK;
}
