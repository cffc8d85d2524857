#include "graphql/validate/rule.h"

/* 5.5.1.3 Fragments on object, interface or union types */

static bool
is_wrong(kappa_validation_t *v, kappa_str_t name)
{
    const kappa_type_t *type = kappa_public_type(v, name);

    return type != NULL && !kappa_type_is_composite(type);
}

static void
check_fragment(kappa_validation_t *v, const kappa_definition_t *fragment)
{
    if (is_wrong(v, fragment->type_condition.text)) {
        kappa_refuse(v, fragment->type_condition.offset,
            "Fragment \"%.*s\" cannot condition on non composite type "
            "\"%.*s\".",
            KAPPA_STR_ARG(fragment->name.text),
            KAPPA_STR_ARG(fragment->type_condition.text));
    }
}

static void
check_inline(kappa_validation_t *v, const kappa_selection_t *fragment,
    const kappa_type_t *type)
{
    (void)type;
    if (fragment->type_condition.text.data != NULL
        && is_wrong(v, fragment->type_condition.text)) {
        kappa_refuse(v, fragment->type_condition.offset,
            "Fragment cannot condition on non composite type \"%.*s\".",
            KAPPA_STR_ARG(fragment->type_condition.text));
    }
}

const kappa_rule_t kappa_rule_fragments_on_composite_types = {
    .info = { "FragmentsOnCompositeTypes", "5.5.1.3" },
    .fragment = check_fragment,
    .inline_fragment = check_inline,
};
