#include "base/suggest.h"
#include "graphql/validate/rule.h"

/* 5.3.1 Field selections */

#define TYPES_MAX 5

/* The object types behind an abstract one that have the field. */
static kappa_str_t
types_with(kappa_validation_t *v, kappa_str_t field)
{
    const kappa_type_t *parent = v->parent;
    kappa_str_t text = KAPPA_STR("");
    uint32_t count = 0;

    if (parent->kind == KAPPA_TYPE_OBJECT) {
        return text;
    }
    for (uint32_t i = 0; i < parent->possible_count && count < TYPES_MAX;
         i++) {
        const kappa_type_t *type = parent->possible[i];

        if (!type->hidden && kappa_public_field(v, type, field) != NULL) {
            text = kappa_errors_str(v->errors,
                kappa_str_printf(v->arena, "%.*s%s\"%.*s\"",
                    KAPPA_STR_ARG(text), count++ ? ", " : "",
                    KAPPA_STR_ARG(type->name)));
        }
    }
    return count == 0
        ? text
        : kappa_errors_str(v->errors,
            kappa_str_printf(v->arena,
                " Did you mean to use an inline fragment on %.*s?",
                KAPPA_STR_ARG(text)));
}

static kappa_str_t
near_fields(kappa_validation_t *v, kappa_str_t name)
{
    kappa_suggest_t suggest;

    kappa_suggest_init(&suggest, name);
    for (uint32_t i = 0; i < v->parent->field_count; i++) {
        if (!v->parent->fields[i].hidden) {
            kappa_suggest_try(&suggest, v->parent->fields[i].name);
        }
    }
    return kappa_errors_str(
        v->errors, kappa_suggest_print(&suggest, v->arena, NULL));
}

static void
check(kappa_validation_t *v, const kappa_selection_t *s)
{
    if (v->parent == NULL || v->field != NULL) {
        return;
    }
    kappa_str_t suggestion = KAPPA_STR("");
    if (!kappa_is_full(v)) {
        suggestion = types_with(v, s->name.text);
        if (suggestion.len == 0) {
            suggestion = near_fields(v, s->name.text);
        }
    }
    kappa_refuse(v, s->offset,
        "Cannot query field \"%.*s\" on type \"%.*s\".%.*s",
        KAPPA_STR_ARG(s->name.text), KAPPA_STR_ARG(v->parent->name),
        KAPPA_STR_ARG(suggestion));
}

const kappa_rule_t kappa_rule_fields_on_correct_type = {
    .info = { "FieldsOnCorrectType", "5.3.1" },
    .on_field = check,
};
