#include "graphql/validate/names.h"
#include "graphql/validate/rule.h"

/* 5.2.2.1 Operation name uniqueness */

static void
check(kappa_validation_t *v)
{
    kappa_names_t names;

    kappa_names_init(&names, v->arena);
    for (uint32_t i = 0; i < v->part_count; i++) {
        const kappa_definition_t *d = v->parts[i].definition;
        const kappa_name_place_t *first;

        if (!kappa_is_operation(&v->parts[i]) || d->name.text.data == NULL) {
            continue;
        }
        if (kappa_names_add(
                &names, d->name.text, v->source, d->name.offset, &first)
            != KAPPA_OK) {
            kappa_validation_fail(v, KAPPA_NOMEM);
            return;
        }
        if (first != NULL) {
            kappa_refuse_also(v,
                kappa_refuse(v, first->offset,
                    "There can be only one operation named \"%.*s\".",
                    KAPPA_STR_ARG(d->name.text)),
                d->name.offset);
        }
    }
}

const kappa_rule_t kappa_rule_unique_operation_names = {
    .info = { "UniqueOperationNames", "5.2.2.1" },
    .document = check,
};
