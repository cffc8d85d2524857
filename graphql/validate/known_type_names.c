#include "base/suggest.h"
#include "graphql/validate/rule.h"

/* 5.5.1.2 Fragment spread type existence; 5.8 for variables. */

static void
check_name(kappa_validation_t *v, const kappa_name_t *name)
{
    kappa_suggest_t suggest;

    if (kappa_public_type(v, name->text) != NULL) {
        return;
    }
    kappa_suggest_init(&suggest, name->text);
    for (uint32_t i = 0; i < v->schema->type_count && !kappa_is_full(v); i++) {
        if (!v->schema->types[i]->hidden) {
            kappa_suggest_try(&suggest, v->schema->types[i]->name);
        }
    }
    kappa_refuse(v, name->offset, "Unknown type \"%.*s\".%.*s",
        KAPPA_STR_ARG(name->text),
        KAPPA_STR_ARG(kappa_suggest_print(&suggest, v->arena, NULL)));
}

static void
check_variable(kappa_validation_t *v, const kappa_variable_node_t *variable)
{
    const kappa_type_node_t *node = variable->type;

    while (node->kind != KAPPA_REF_NAMED) {
        node = node->of;
    }
    check_name(v, &node->name);
}

static void
check_fragment(kappa_validation_t *v, const kappa_definition_t *fragment)
{
    check_name(v, &fragment->type_condition);
}

static void
check_inline(kappa_validation_t *v, const kappa_selection_t *fragment,
    const kappa_type_t *type)
{
    (void)type;
    if (fragment->type_condition.text.data != NULL) {
        check_name(v, &fragment->type_condition);
    }
}

const kappa_rule_t kappa_rule_known_type_names = {
    .info = { "KnownTypeNames", "5.5.1.2" },
    .variable = check_variable,
    .fragment = check_fragment,
    .inline_fragment = check_inline,
};
