#include "graphql/validate/directives.h"
#include "graphql/validate/names.h"
#include "graphql/validate/rule.h"

/* 5.6.3 Input object field uniqueness */

static kappa_status_t
check_object(kappa_arena_t *arena, kappa_errors_t *errors,
    const kappa_literal_t *literal, const kappa_source_t *source)
{
    kappa_names_t names;
    kappa_status_t status = KAPPA_OK;

    kappa_names_init(&names, arena);
    for (const kappa_literal_field_t *f = literal->fields;
         f != NULL && status == KAPPA_OK; f = f->next) {
        const kappa_name_place_t *first;

        status = kappa_names_add(
            &names, f->name.text, source, f->name.offset, &first);
        if (status == KAPPA_OK && first != NULL) {
            kappa_error_two(errors,
                kappa_errors_add(errors, "VALIDATION_FAILED",
                    "There can be only one input field named \"%.*s\".",
                    KAPPA_STR_ARG(f->name.text)),
                first, source, f->name.offset);
        }
        if (status == KAPPA_OK) {
            status = kappa_check_unique_input_fields(
                arena, errors, f->value, source);
        }
    }
    return status;
}

kappa_status_t
kappa_check_unique_input_fields(kappa_arena_t *arena, kappa_errors_t *errors,
    const kappa_literal_t *literal, const kappa_source_t *source)
{
    kappa_status_t status = KAPPA_OK;

    if (literal == NULL) {
        return KAPPA_OK;
    }
    if (literal->kind == KAPPA_LITERAL_OBJECT) {
        return check_object(arena, errors, literal, source);
    }
    for (const kappa_literal_t *i = literal->items;
         i != NULL && status == KAPPA_OK; i = i->next) {
        status = kappa_check_unique_input_fields(arena, errors, i, source);
    }
    return status;
}

static void
check_value(kappa_validation_t *v, const kappa_literal_t *value,
    const kappa_type_ref_t *type)
{
    (void)type;
    if (kappa_check_unique_input_fields(v->arena, v->errors, value, v->source)
        != KAPPA_OK) {
        kappa_validation_fail(v, KAPPA_NOMEM);
    }
}

const kappa_rule_t kappa_rule_unique_input_field_names = {
    .info = { "UniqueInputFieldNames", "5.6.3" },
    .value = check_value,
};
