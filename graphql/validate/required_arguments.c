#include "graphql/validate/directives.h"

/* 5.4.3 Required arguments */

static bool
is_given(const kappa_argument_t *arguments, kappa_str_t name)
{
    while (arguments != NULL && !kappa_str_eq(arguments->name.text, name)) {
        arguments = arguments->next;
    }
    return arguments != NULL;
}

static void
report(const kappa_directive_rules_t *rules,
    const kappa_directive_node_t *node, const kappa_input_node_t *input)
{
    kappa_str_t type = kappa_type_node_print(rules->arena, input->type);

    kappa_error_at(rules->errors,
        kappa_errors_add(rules->errors, "VALIDATION_FAILED",
            "Argument \"@%.*s(%.*s:)\" of type \"%.*s\" is required, but it "
            "was not provided.",
            KAPPA_STR_ARG(node->name.text), KAPPA_STR_ARG(input->name.text),
            KAPPA_STR_ARG(type)),
        node->source, node->offset);
}

void
kappa_check_required_directive_arguments(
    const kappa_directive_rules_t *rules, const kappa_directive_node_t *list)
{
    for (; list != NULL; list = list->next) {
        const kappa_definition_t *definition =
            rules->find(rules->ctx, list->name.text);
        const kappa_input_node_t *input =
            definition ? definition->inputs : NULL;

        for (; input != NULL; input = input->next) {
            if (input->type->kind == KAPPA_REF_NON_NULL
                && input->default_value == NULL
                && !is_given(list->arguments, input->name.text)) {
                report(rules, list, input);
            }
        }
    }
}
