#include "base/suggest.h"
#include "graphql/validate/directives.h"
#include "graphql/validate/rule.h"

/* 5.4.1 Argument names */

static const kappa_input_node_t *
find_input(const kappa_definition_t *definition, kappa_str_t name)
{
    const kappa_input_node_t *input = definition->inputs;

    while (input != NULL && !kappa_str_eq(input->name.text, name)) {
        input = input->next;
    }
    return input;
}

static void
report(const kappa_directive_rules_t *rules,
    const kappa_definition_t *definition, const kappa_argument_t *argument,
    const kappa_source_t *source)
{
    kappa_suggest_t suggest;

    kappa_suggest_init(&suggest, argument->name.text);
    for (const kappa_input_node_t *i = definition->inputs; i; i = i->next) {
        kappa_suggest_try(&suggest, i->name.text);
    }
    kappa_error_at(rules->errors,
        kappa_errors_add(rules->errors, "VALIDATION_FAILED",
            "Unknown argument \"%.*s\" on directive \"@%.*s\".%s",
            KAPPA_STR_ARG(argument->name.text),
            KAPPA_STR_ARG(definition->name.text),
            kappa_errors_text(rules->errors,
                kappa_suggest_print(&suggest, rules->arena, NULL))),
        source, argument->name.offset);
}

void
kappa_check_known_directive_arguments(
    const kappa_directive_rules_t *rules, const kappa_directive_node_t *list)
{
    for (; list != NULL; list = list->next) {
        const kappa_definition_t *definition =
            rules->find(rules->ctx, list->name.text);

        for (const kappa_argument_t *a = definition ? list->arguments : NULL;
             a != NULL; a = a->next) {
            if (find_input(definition, a->name.text) == NULL) {
                report(rules, definition, a, list->source);
            }
        }
    }
}

static void
refuse_argument(kappa_validation_t *v, const kappa_argument_t *argument)
{
    kappa_suggest_t suggest;

    kappa_suggest_init(&suggest, argument->name.text);
    for (uint32_t i = 0; i < v->field->arg_count && !kappa_is_full(v); i++) {
        if (!v->field->args[i].hidden) {
            kappa_suggest_try(&suggest, v->field->args[i].name);
        }
    }
    kappa_refuse(v, argument->name.offset,
        "Unknown argument \"%.*s\" on field \"%.*s.%.*s\".%s",
        KAPPA_STR_ARG(argument->name.text),
        KAPPA_STR_ARG(v->field->parent->name), KAPPA_STR_ARG(v->field->name),
        kappa_errors_text(
            v->errors, kappa_suggest_print(&suggest, v->arena, NULL)));
}

static void
check_arguments(kappa_validation_t *v, const kappa_argument_t *arguments)
{
    for (; v->field != NULL && arguments != NULL;
         arguments = arguments->next) {
        if (kappa_public_arg(v->field, arguments->name.text) == NULL) {
            refuse_argument(v, arguments);
        }
    }
}

static void
check_directives(kappa_validation_t *v, const kappa_directive_node_t *list,
    const char *location)
{
    (void)location;
    kappa_check_known_directive_arguments(&v->directives, list);
}

const kappa_rule_t kappa_rule_known_argument_names = {
    .info = { "KnownArgumentNames", "5.4.1" },
    .arguments = check_arguments,
    .list = check_directives,
};
