#include "graphql/validate/rule.h"

/* 5.3.3 Leaf field selections */

static void
check(kappa_validation_t *v, const kappa_selection_t *s)
{
    if (v->field == NULL) {
        return;
    }
    bool leaf = !kappa_type_is_composite(v->field->type->named);
    if (leaf == (s->selections == NULL)) {
        return;
    }

    kappa_str_t type = kappa_type_ref_print(v->arena, v->field->type);
    if (leaf) {
        kappa_refuse(v, s->selections_offset,
            "Field \"%.*s\" must not have a selection since type \"%.*s\" "
            "has no subfields.",
            KAPPA_STR_ARG(s->name.text), KAPPA_STR_ARG(type));
    } else {
        kappa_refuse(v, s->offset,
            "Field \"%.*s\" of type \"%.*s\" must have a selection of "
            "subfields. Did you mean \"%.*s { ... }\"?",
            KAPPA_STR_ARG(s->name.text), KAPPA_STR_ARG(type),
            KAPPA_STR_ARG(s->name.text));
    }
}

const kappa_rule_t kappa_rule_scalar_leafs = {
    .info = { "ScalarLeafs", "5.3.3" },
    .on_field = check,
};
