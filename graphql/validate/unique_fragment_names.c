#include "graphql/validate/names.h"
#include "graphql/validate/rule.h"

/* 5.5.1.1 Fragment name uniqueness */

static void
check(kappa_validation_t *v)
{
    kappa_names_t names;

    kappa_names_init(&names, v->arena);
    for (uint32_t i = 0; i < v->part_count; i++) {
        const kappa_name_t *name = &v->parts[i].definition->name;
        const kappa_name_place_t *first;

        if (kappa_is_operation(&v->parts[i])) {
            continue;
        }
        if (kappa_names_add(
                &names, name->text, v->source, name->offset, &first)
            != KAPPA_OK) {
            kappa_validation_fail(v, KAPPA_NOMEM);
            return;
        }
        if (first != NULL) {
            kappa_refuse_also(v,
                kappa_refuse(v, first->offset,
                    "There can be only one fragment named \"%.*s\".",
                    KAPPA_STR_ARG(name->text)),
                name->offset);
        }
    }
}

const kappa_rule_t kappa_rule_unique_fragment_names = {
    .info = { "UniqueFragmentNames", "5.5.1.1" },
    .document = check,
};
