#include "views/model_event.h"

/* What an event's expressions read, and `set: ["field = expression"]`. */

/* ---- the type of event ---- */

/* Members gathered by name; the first of a name stays. */
typedef struct {
    kappa_expr_member_t *members;
    uint32_t count;
    kappa_map_t names;
} data_t;

static kappa_status_t
add_member(kappa_model_builder_t *b, data_t *data, kappa_str_t name,
    const kappa_type_ref_t *type)
{
    if (kappa_map_get(&data->names, name)) {
        return KAPPA_OK;
    }
    kappa_expr_member_t *member = &data->members[data->count];
    member->name = name;
    member->number = data->count;
    member->type = kappa_model_expr_type(b, type);
    data->count++;
    return member->type ? kappa_map_put(&data->names, name, member)
                        : KAPPA_NOMEM;
}

static kappa_status_t
add_args(kappa_model_builder_t *b, data_t *data, const kappa_field_t *field)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < field->arg_count; i++) {
        const kappa_input_t *arg = &field->args[i];

        if (!kappa_model_directive(arg->directives, "idempotencyKey")) {
            status = add_member(b, data, arg->name, arg->type);
        }
    }
    return status;
}

/* Fields that hold values: of a view its columns, of another type all. */
static kappa_status_t
add_fields(kappa_model_builder_t *b, data_t *data, const kappa_type_t *type)
{
    const kappa_view_t *view = kappa_model_view_of(b, type);
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < type->field_count; i++) {
        const kappa_field_t *field = &type->fields[i];

        if (!view || kappa_model_column(view, field->name) >= 0) {
            status = add_member(b, data, field->name, field->type);
        }
    }
    return status;
}

static bool
is_use(const kappa_event_use_t *use, const kappa_event_rule_t *rule)
{
    return rule->verb.data && kappa_str_eq(use->thing, rule->thing)
        && kappa_str_eq(use->verb, rule->verb);
}

/* What nothing describes may hold anything. */
static const kappa_expr_type_t *
data_type(events_t *e, const kappa_event_rule_t *rule)
{
    const kappa_type_t *type = kappa_schema_type(e->b->schema, rule->thing);
    kappa_expr_type_t *out = KAPPA_NEW(e->b->arena, kappa_expr_type_t);
    uint32_t max = type ? type->field_count : 0;
    data_t data = { 0 };
    kappa_status_t status = KAPPA_OK;
    bool known = type && type->kind == KAPPA_TYPE_OBJECT;

    for (uint32_t i = 0; i < e->use_count; i++) {
        max += is_use(&e->uses[i], rule) ? e->uses[i].field->arg_count : 0;
    }
    data.members = KAPPA_NEW_ARRAY(e->b->arena, kappa_expr_member_t, max);
    if (!out || !data.members) {
        return NULL;
    }
    kappa_map_init(&data.names, e->b->arena);
    for (uint32_t i = 0; status == KAPPA_OK && i < e->use_count; i++) {
        if (is_use(&e->uses[i], rule)) {
            known = true;
            status = add_args(e->b, &data, e->uses[i].field);
        }
    }
    if (status == KAPPA_OK && type && type->kind == KAPPA_TYPE_OBJECT) {
        status = add_fields(e->b, &data, type);
    }
    *out = (kappa_expr_type_t){ .kind = KAPPA_EXPR_OBJECT,
        .name = KAPPA_STR("event.data"),
        .members = data.members,
        .member_count = data.count };
    if (!known) {
        return &kappa_expr_dyn;
    }
    return status == KAPPA_OK ? out : NULL;
}

static const kappa_expr_type_t *
key_type(events_t *e, const kappa_event_rule_t *rule)
{
    const kappa_view_t *view = rule->view;

    if (!view) {
        return &kappa_expr_dyn;
    }
    if (view->key_count == 1) {
        return kappa_model_expr_type(
            e->b, view->columns[view->key[0]].field->type);
    }
    kappa_expr_type_t *list = KAPPA_NEW(e->b->arena, kappa_expr_type_t);
    if (list) {
        list->kind = KAPPA_EXPR_LIST;
        list->item = &kappa_expr_dyn;
    }
    return list;
}

kappa_status_t
kappa_model_event_type(
    events_t *e, const kappa_event_rule_t *rule, const kappa_expr_type_t **out)
{
    kappa_expr_type_t *type = KAPPA_NEW(e->b->arena, kappa_expr_type_t);
    kappa_expr_member_t *m =
        KAPPA_NEW_ARRAY(e->b->arena, kappa_expr_member_t, 5);
    const kappa_expr_type_t *data = data_type(e, rule);
    const kappa_expr_type_t *key = key_type(e, rule);

    if (!type || !m || !data || !key) {
        return KAPPA_NOMEM;
    }
    m[0] = (kappa_expr_member_t){ KAPPA_STR("data"), data, KAPPA_EVENT_DATA };
    m[1] = (kappa_expr_member_t){ KAPPA_STR("key"), key, KAPPA_EVENT_KEY };
    m[2] = (kappa_expr_member_t){ KAPPA_STR("time"), &kappa_expr_time,
        KAPPA_EVENT_TIME };
    m[3] = (kappa_expr_member_t){ KAPPA_STR("actor"), &kappa_expr_actor,
        KAPPA_EVENT_ACTOR };
    m[4] = (kappa_expr_member_t){ KAPPA_STR("id"), &kappa_expr_string,
        KAPPA_EVENT_ID };
    *type = (kappa_expr_type_t){ .kind = KAPPA_EXPR_OBJECT,
        .name = KAPPA_STR("event"),
        .members = m,
        .member_count = 5 };
    *out = type;
    return KAPPA_OK;
}

/* ---- set ---- */

/* Splits at the first '='; *value points behind it. */
static bool
split(kappa_str_t text, kappa_str_t *name, kappa_str_t *value)
{
    const char *equals = text.len ? memchr(text.data, '=', text.len) : NULL;

    if (!equals || equals + 1 == text.data + text.len || equals[1] == '=') {
        return false;
    }
    *name = kappa_str(text.data, (size_t)(equals - text.data));
    while (name->len && name->data[0] == ' ') {
        name->data++;
        name->len--;
    }
    while (name->len && name->data[name->len - 1] == ' ') {
        name->len--;
    }
    equals++;
    *value = kappa_str(equals, (size_t)(text.data + text.len - equals));
    return name->len > 0;
}

/* Why a column can't be set; NULL: it can. */
static const char *
unsettable(const kappa_view_t *view, int32_t column)
{
    for (uint32_t i = 0; i < view->key_count; i++) {
        if (view->key[i] == (uint32_t)column) {
            return "is in the key, and keys never change";
        }
    }
    if (view->columns[column].aggregate) {
        return "is an aggregate, kept by itself";
    }
    return view->columns[column].computed ? "is @computed" : NULL;
}

static kappa_status_t
one_set(events_t *e, const kappa_directive_node_t *node,
    const kappa_literal_t *literal, const kappa_expr_scope_t *scope,
    kappa_effect_rule_t *effect)
{
    const kappa_view_t *view = effect->view;
    kappa_str_t name, value;

    if (!split(literal->text, &name, &value)) {
        return kappa_model_refuse(e->b, node->source, literal->offset,
            "set: is a list of \"field = expression\".");
    }
    int32_t column = kappa_model_column(view, name);
    const char *why =
        column < 0 ? "is no stored field" : unsettable(view, column);
    if (why) {
        return kappa_model_refuse(e->b, node->source, literal->offset,
            "set: \"%.*s.%.*s\" %s.", KAPPA_STR_ARG(view->name),
            KAPPA_STR_ARG(name), why);
    }
    kappa_set_t *set = &effect->sets[effect->set_count++];
    const kappa_expr_type_t *type =
        kappa_model_expr_type(e->b, view->columns[column].field->type);
    if (!type) {
        return KAPPA_NOMEM;
    }
    set->column = (uint32_t)column;
    return kappa_model_compile_text(e->b, node, literal, value,
        (size_t)(value.data - literal->text.data), scope, type, &set->value);
}

kappa_status_t
kappa_model_sets(events_t *e, const kappa_directive_node_t *node,
    const kappa_expr_scope_t *scope, kappa_effect_rule_t *effect)
{
    kappa_status_t status = KAPPA_OK;
    const kappa_literal_t *literal;
    uint32_t count = 0;

    while (kappa_model_item(node, "set", count)) {
        count++;
    }
    effect->sets = KAPPA_NEW_ARRAY(e->b->arena, kappa_set_t, count);
    if (!effect->sets) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0;
         status == KAPPA_OK && (literal = kappa_model_item(node, "set", i));
         i++) {
        status = one_set(e, node, literal, scope, effect);
    }
    return status;
}
