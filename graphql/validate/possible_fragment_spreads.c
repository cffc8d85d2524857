#include "graphql/validate/rule.h"

/* 5.5.2.3 Fragment spread is possible */

static bool
overlap(
    const kappa_schema_t *schema, const kappa_type_t *a, const kappa_type_t *b)
{
    if (a == b) {
        return true;
    } else if (a->kind == KAPPA_TYPE_OBJECT) {
        return kappa_type_is_possible(b, a);
    } else if (b->kind == KAPPA_TYPE_OBJECT) {
        return kappa_type_is_possible(a, b);
    }
    for (uint32_t i = 0; i < schema->set_words; i++) {
        if (a->possible_set[i] & b->possible_set[i]) {
            return true;
        }
    }
    return false;
}

static bool
is_impossible(const kappa_validation_t *v, const kappa_type_t *type)
{
    return type != NULL && v->parent != NULL && kappa_type_is_composite(type)
        && !overlap(v->schema, type, v->parent);
}

static void
check_inline(kappa_validation_t *v, const kappa_selection_t *fragment,
    const kappa_type_t *type)
{
    if (is_impossible(v, type)) {
        kappa_refuse(v, fragment->offset,
            "Fragment cannot be spread here as objects of type \"%.*s\" can "
            "never be of type \"%.*s\".",
            KAPPA_STR_ARG(v->parent->name), KAPPA_STR_ARG(type->name));
    }
}

static void
check_spread(kappa_validation_t *v, const kappa_selection_t *spread)
{
    const kappa_part_t *part = kappa_fragment(v, spread->name.text);

    if (part != NULL && is_impossible(v, part->type)) {
        kappa_refuse(v, spread->offset,
            "Fragment \"%.*s\" cannot be spread here as objects of type "
            "\"%.*s\" can never be of type \"%.*s\".",
            KAPPA_STR_ARG(spread->name.text), KAPPA_STR_ARG(v->parent->name),
            KAPPA_STR_ARG(part->type->name));
    }
}

const kappa_rule_t kappa_rule_possible_fragment_spreads = {
    .info = { "PossibleFragmentSpreads", "5.5.2.3" },
    .spread = check_spread,
    .inline_fragment = check_inline,
};
