#include "views/model_event.h"

/* The types of event.data's members at a rule (SEMANTICS 3), for those who
 * read data as JSON: model_set.c has the same as types of expressions. */

static bool
has_member(const kappa_event_rule_t *rule, kappa_str_t name)
{
    for (uint32_t i = 0; i < rule->member_count; i++) {
        if (kappa_str_eq(rule->members[i].name, name)) {
            return true;
        }
    }
    return false;
}

static void
add_member(
    kappa_event_rule_t *rule, kappa_str_t name, const kappa_type_ref_t *type)
{
    if (!has_member(rule, name)) {
        rule->members[rule->member_count++] =
            (kappa_data_member_t){ .name = name, .type = type };
    }
}

static bool
is_use(const kappa_event_use_t *use, const kappa_event_rule_t *rule)
{
    return rule->verb.data && kappa_str_eq(use->thing, rule->thing)
        && kappa_str_eq(use->verb, rule->verb);
}

static void
add_args(kappa_event_rule_t *rule, const kappa_field_t *field)
{
    for (uint32_t i = 0; i < field->arg_count; i++) {
        if (!kappa_model_directive(
                field->args[i].directives, "idempotencyKey")) {
            add_member(rule, field->args[i].name, field->args[i].type);
        }
    }
}

static void
add_fields(events_t *e, kappa_event_rule_t *rule, const kappa_type_t *type)
{
    const kappa_view_t *view = kappa_model_view_of(e->b, type);

    for (uint32_t i = 0; i < type->field_count; i++) {
        const kappa_field_t *field = &type->fields[i];

        if (!view || kappa_model_column(view, field->name) >= 0) {
            add_member(rule, field->name, field->type);
        }
    }
}

kappa_status_t
kappa_model_data_members(events_t *e, kappa_event_rule_t *rule)
{
    const kappa_type_t *type = kappa_schema_type(e->b->schema, rule->thing);
    bool object = type && type->kind == KAPPA_TYPE_OBJECT;
    uint32_t max = object ? type->field_count : 0;

    for (uint32_t i = 0; i < e->use_count; i++) {
        max += is_use(&e->uses[i], rule) ? e->uses[i].field->arg_count : 0;
    }
    rule->members = KAPPA_NEW_ARRAY(e->b->arena, kappa_data_member_t, max);
    if (!rule->members) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < e->use_count; i++) {
        if (is_use(&e->uses[i], rule)) {
            add_args(rule, e->uses[i].field);
        }
    }
    if (object) {
        add_fields(e, rule, type);
    }
    return KAPPA_OK;
}
