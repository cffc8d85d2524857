#include "graphql/validate/directives.h"
#include "graphql/validate/rule.h"

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
    kappa_str_t type = kappa_errors_str(
        rules->errors, kappa_type_node_print(rules->arena, input->type));

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

static void
check_field(kappa_validation_t *v, const kappa_selection_t *s)
{
    for (uint32_t i = 0; v->field != NULL && i < v->field->arg_count; i++) {
        const kappa_input_t *arg = &v->field->args[i];

        if (arg->hidden || arg->type->kind != KAPPA_REF_NON_NULL
            || arg->default_literal != NULL
            || is_given(s->arguments, arg->name)) {
            continue;
        }
        kappa_refuse(v, s->offset,
            "Argument \"%.*s.%.*s(%.*s:)\" of type \"%s\" is required, "
            "but it was not provided.",
            KAPPA_STR_ARG(v->field->parent->name),
            KAPPA_STR_ARG(v->field->name), KAPPA_STR_ARG(arg->name),
            kappa_errors_text(
                v->errors, kappa_type_ref_print(v->arena, arg->type)));
    }
}

static void
check_directives(kappa_validation_t *v, const kappa_directive_node_t *list,
    const char *location)
{
    (void)location;
    kappa_check_required_directive_arguments(&v->directives, list);
}

const kappa_rule_t kappa_rule_required_arguments = {
    .info = { "ProvidedRequiredArguments", "5.4.3" },
    .on_field = check_field,
    .list = check_directives,
};
