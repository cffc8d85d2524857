#include <stdlib.h>

#include "base/json.h"
#include "graphql/coerce.h"
#include "views/keep.h"
#include "views/rename.h"

/* The event's data and key, as typed values. */

#define NUMBER_CHARS_MAX 64
#define JSON_DEPTH_MAX 128 /* as kappa_json_parse */

static const kappa_type_ref_t *
type_of(const kappa_apply_t *apply, kappa_str_t name)
{
    const kappa_event_rule_t *rule = apply->rule;

    for (uint32_t i = 0; rule != NULL && i < rule->member_count; i++) {
        if (kappa_str_eq(rule->members[i].name, name)) {
            return rule->members[i].type;
        }
    }
    if (apply->mutation != NULL) {
        const kappa_input_t *arg =
            kappa_field_arg(apply->mutation->field, name);

        return arg ? arg->type : NULL;
    }
    return NULL;
}

/* Objects of output types are stored as they are. */
static bool
coercible(const kappa_type_ref_t *type)
{
    return kappa_type_is_input(type->named);
}

static kappa_status_t normalise(
    kappa_apply_t *apply, kappa_value_t *value, unsigned depth);

static kappa_status_t
normalise_list(kappa_apply_t *apply, kappa_value_t *list, unsigned depth)
{
    kappa_value_t *items =
        KAPPA_NEW_ARRAY(apply->set->event, kappa_value_t, list->count);
    kappa_status_t status = items ? KAPPA_OK : KAPPA_NOMEM;

    for (uint32_t i = 0; i < list->count && status == KAPPA_OK; i++) {
        items[i] = list->as.items[i];
        status = normalise(apply, &items[i], depth + 1);
    }
    list->as.items = items;
    return status;
}

static kappa_status_t
normalise_object(kappa_apply_t *apply, kappa_value_t *object, unsigned depth)
{
    kappa_member_t *members =
        KAPPA_NEW_ARRAY(apply->set->event, kappa_member_t, object->count);
    kappa_status_t status = members ? KAPPA_OK : KAPPA_NOMEM;

    for (uint32_t i = 0; i < object->count && status == KAPPA_OK; i++) {
        members[i] = object->as.members[i];
        status = normalise(apply, &members[i].value, depth + 1);
    }
    object->as.members = members;
    return status;
}

/* A double that is written without point is read back as an integer: it is
 * made one at once, so that a replay computes with the same. */
static kappa_status_t
normalise_double(kappa_apply_t *apply, kappa_value_t *value)
{
    kappa_buf_t *buf = &apply->set->buf;
    int64_t integer;

    kappa_buf_reset(buf);
    kappa_json_double(buf, value->as.number);
    if (buf->failed) {
        return KAPPA_NOMEM;
    }
    if (kappa_str_to_int64(kappa_buf_view(buf), &integer)) {
        *value = kappa_int(integer);
    }
    return KAPPA_OK;
}

/* What has no type but JSON's: as it will be when it is read from the log. */
static kappa_status_t
normalise(kappa_apply_t *apply, kappa_value_t *value, unsigned depth)
{
    if (depth > JSON_DEPTH_MAX) {
        kappa_apply_refuse(
            apply, "LIMIT_EXCEEDED", "data is nested too deeply");
        return KAPPA_LIMIT;
    }
    switch (value->kind) {
    case KAPPA_DOUBLE:
        return normalise_double(apply, value);
    case KAPPA_LIST:
        return normalise_list(apply, value, depth);
    case KAPPA_OBJECT:
        return normalise_object(apply, value, depth);
    default:
        return KAPPA_OK;
    }
}

static bool
is_json(const kappa_type_ref_t *type)
{
    return type == NULL
        || (type->named->kind == KAPPA_TYPE_SCALAR
            && type->named->scalar == KAPPA_SCALAR_JSON);
}

static kappa_status_t
coerce(kappa_apply_t *apply, kappa_str_t name, const kappa_type_ref_t *type,
    kappa_value_t *value)
{
    kappa_value_t json = *value;

    if (kappa_is_null(value)) {
        return KAPPA_OK;
    }
    if (type && apply->model->renames) {
        kappa_rename_values(type, &json);
    }
    if (is_json(type)) {
        return normalise(apply, value, 0);
    }
    if (!coercible(type)) {
        *value = json;
        return KAPPA_OK;
    }
    return kappa_coerce_value(
        apply->set->event, &json, type, name, value, apply->errors);
}

/* A member by its field's name of today, where no argument has its own. */
static kappa_str_t
name_of(const kappa_apply_t *apply, const kappa_value_t *json,
    const kappa_member_t *member)
{
    const kappa_column_t *column = NULL;

    if (apply->view && !type_of(apply, member->name)) {
        column = kappa_rename_column(apply->view, json, member->name);
    }
    return column ? column->name : member->name;
}

static kappa_status_t
coerce_members(kappa_apply_t *apply, const kappa_value_t *json)
{
    kappa_member_t *members =
        KAPPA_NEW_ARRAY(apply->set->event, kappa_member_t, json->count);

    if (members == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < json->count; i++) {
        members[i] = json->as.members[i];
        members[i].name = name_of(apply, json, &members[i]);
        kappa_status_t status = coerce(apply, members[i].name,
            type_of(apply, members[i].name), &members[i].value);
        if (status != KAPPA_OK) {
            return status;
        }
    }
    apply->data = *json;
    apply->data.as.members = members;
    return KAPPA_OK;
}

static kappa_status_t
parse_data(kappa_apply_t *apply)
{
    kappa_value_t json = { .kind = KAPPA_OBJECT };
    kappa_str_t message = KAPPA_STR_NULL;

    if (apply->in->data.data != NULL) {
        kappa_status_t status = kappa_json_parse(
            apply->set->event, apply->in->data, &json, &message);

        if (status == KAPPA_INVALID) {
            return kappa_apply_refuse(apply, "BAD_USER_INPUT",
                "data is no JSON: %.*s", KAPPA_STR_ARG(message));
        }
        if (status != KAPPA_OK) {
            return status;
        }
    }
    if (json.kind != KAPPA_OBJECT) {
        return kappa_apply_refuse(
            apply, "BAD_USER_INPUT", "data must be an object");
    }
    return coerce_members(apply, &json);
}

/* A mutation's arguments are coerced but for what JSON holds. */
static kappa_status_t
take_data(kappa_apply_t *apply, const kappa_value_t *data)
{
    kappa_member_t *members =
        KAPPA_NEW_ARRAY(apply->set->event, kappa_member_t, data->count);
    kappa_status_t status = members ? KAPPA_OK : KAPPA_NOMEM;

    for (uint32_t i = 0; i < data->count && status == KAPPA_OK; i++) {
        members[i] = data->as.members[i];
        if (is_json(type_of(apply, members[i].name))) {
            status = normalise(apply, &members[i].value, 0);
        }
    }
    apply->data = *data;
    apply->data.as.members = members;
    return status;
}

static bool
is_column(const kappa_view_t *view, kappa_str_t name)
{
    for (uint32_t i = 0; i < view->column_count; i++) {
        if (kappa_str_eq(view->columns[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* Input objects that are no column themselves: DESIGN 5.2, Rules. */
static bool
is_spread(const kappa_apply_t *apply, const kappa_member_t *member)
{
    if (member->value.kind != KAPPA_OBJECT
        || is_column(apply->view, member->name)) {
        return false;
    }
    const kappa_type_ref_t *type = type_of(apply, member->name);
    return type != NULL && type->named->kind == KAPPA_TYPE_INPUT_OBJECT;
}

static kappa_status_t
find_spread(kappa_apply_t *apply)
{
    const kappa_value_t *data = &apply->data;

    if (apply->view == NULL) {
        return KAPPA_OK;
    }
    for (uint32_t i = 0; i < data->count; i++) {
        if (!is_spread(apply, &data->as.members[i])) {
            continue;
        }
        if (apply->spread == NULL) {
            apply->spread = KAPPA_NEW_ARRAY(
                apply->set->event, const kappa_value_t *, data->count);
            if (apply->spread == NULL) {
                return KAPPA_NOMEM;
            }
        }
        apply->spread[apply->spread_count++] = &data->as.members[i].value;
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_apply_data(kappa_apply_t *apply, const kappa_value_t *data)
{
    kappa_status_t status = KAPPA_OK;

    if (data != NULL) {
        apply->data_changed = true;
        status = take_data(apply, data);
    } else {
        status = parse_data(apply);
    }
    apply->event.data = apply->data;
    return status == KAPPA_OK ? find_spread(apply) : status;
}

const kappa_value_t *
kappa_apply_member(const kappa_apply_t *apply, const kappa_column_t *column)
{
    const kappa_value_t *value = kappa_rename_member(&apply->data, column);

    for (uint32_t i = 0; value == NULL && i < apply->spread_count; i++) {
        value = kappa_rename_member(apply->spread[i], column);
    }
    return value && value->kind != KAPPA_UNSET ? value : NULL;
}

kappa_status_t
kappa_apply_set_member(
    kappa_apply_t *apply, kappa_str_t name, const kappa_value_t *value)
{
    uint32_t count = apply->data.count;
    kappa_member_t *members =
        KAPPA_NEW_ARRAY(apply->set->event, kappa_member_t, count + 1);
    uint32_t at = 0;

    if (members == NULL) {
        return KAPPA_NOMEM;
    }
    if (count != 0) {
        memcpy(members, apply->data.as.members, count * sizeof(*members));
    }
    while (at < count && !kappa_str_eq(members[at].name, name)) {
        at++;
    }
    members[at] = (kappa_member_t){ .name = name, .value = *value };
    apply->data.count = at == count ? count + 1 : count;
    apply->data.as.members = members;
    apply->event.data = apply->data;
    apply->data_changed = true;
    return KAPPA_OK;
}

/* --- keys */

static kappa_value_t
number_from_text(kappa_column_kind_t kind, const kappa_value_t *text)
{
    kappa_str_t s = text->as.string;
    kappa_value_t value = kappa_int(0);
    char digits[NUMBER_CHARS_MAX];
    char *end;

    if (kind != KAPPA_COLUMN_DOUBLE) {
        return kappa_str_to_int64(s, &value.as.integer) ? value : *text;
    }
    if (s.len == 0 || s.len >= sizeof(digits)) {
        return *text;
    }
    memcpy(digits, s.data, s.len);
    digits[s.len] = '\0';
    value = kappa_double(strtod(digits, &end));
    return end == digits + s.len ? value : *text;
}

kappa_status_t
kappa_apply_part(
    kappa_apply_t *apply, const kappa_column_t *column, kappa_value_t *part)
{
    bool number = column->kind == KAPPA_COLUMN_INT
        || column->kind == KAPPA_COLUMN_BIGINT
        || column->kind == KAPPA_COLUMN_DOUBLE;

    if (part->kind == KAPPA_STRING && number) {
        *part = number_from_text(column->kind, part);
    }
    return coerce(
        apply, column->name, column->field ? column->field->type : NULL, part);
}

static kappa_status_t
parse_key(kappa_apply_t *apply, kappa_value_t *out)
{
    *out = kappa_null();
    if (apply->in->key.data == NULL) {
        return KAPPA_OK;
    }
    kappa_status_t status =
        kappa_json_parse(apply->set->event, apply->in->key, out, NULL);
    return status == KAPPA_INVALID
        ? kappa_apply_refuse(apply, "BAD_USER_INPUT", "key is no JSON")
        : status;
}

static kappa_status_t
parts_of_json(kappa_apply_t *apply, const kappa_value_t *json)
{
    const kappa_view_t *view = apply->view;

    if (kappa_is_null(json)) {
        apply->key_made = true;
        for (uint32_t i = 0; i < view->key_count; i++) {
            const kappa_value_t *value =
                kappa_apply_member(apply, &view->columns[view->key[i]]);

            apply->key[i] = value ? *value : kappa_null();
        }
    } else if (json->kind == KAPPA_LIST) {
        if (json->count != view->key_count) {
            return kappa_apply_refuse(apply, "BAD_USER_INPUT",
                "the key of %.*s has %u parts, not %u",
                KAPPA_STR_ARG(view->name), view->key_count, json->count);
        }
        memcpy(apply->key, json->as.items, json->count * sizeof(*json));
    } else if (view->key_count != 1) {
        return kappa_apply_refuse(apply, "BAD_USER_INPUT",
            "the key of %.*s is a list of %u", KAPPA_STR_ARG(view->name),
            view->key_count);
    } else {
        apply->key[0] = *json;
    }
    return KAPPA_OK;
}

static void
parts_of_args(kappa_apply_t *apply)
{
    const kappa_mutation_t *mutation = apply->mutation;

    apply->key_made = true;
    for (uint32_t i = 0; i < apply->view->key_count; i++) {
        int32_t number = mutation->key_args[i];
        int32_t member = mutation->key_members ? mutation->key_members[i] : -1;
        const kappa_value_t *value = NULL;

        if (number >= 0) {
            value = &apply->args[number];
        }
        if (value != NULL && member >= 0) {
            const kappa_type_t *type =
                mutation->field->args[number].type->named;

            value = kappa_value_member(value, type->inputs[member].name);
        }
        apply->key[i] = value && !kappa_is_null(value) ? *value : kappa_null();
    }
}

static kappa_status_t
make_part(kappa_apply_t *apply, const uint8_t random[10], kappa_value_t *part)
{
    uint8_t id[KAPPA_UUID_BYTES];
    char *text = kappa_arena_bytes(apply->set->event, KAPPA_UUID_CHARS);

    if (text == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_uuid_v7(apply->in->time_ms, random, id);
    kappa_uuid_format(id, text);
    *part = kappa_string(kappa_str(text, KAPPA_UUID_CHARS));
    apply->key_made = true;
    return KAPPA_OK;
}

/* What the stamp of a key's field gives is kept in the event, like others. */
static kappa_status_t
stamp_part(
    kappa_apply_t *apply, const kappa_column_t *column, kappa_value_t *part)
{
    apply->scope.caller =
        apply->mode == KAPPA_APPLY_REPLAY ? &apply->actor : apply->caller;
    kappa_status_t status =
        kappa_apply_eval(apply, column->stamp, "@stamp", column->name, part);

    if (status != KAPPA_OK) {
        return status;
    }
    if (kappa_is_null(part)) {
        return kappa_apply_refuse(apply, "UNAUTHENTICATED",
            "%.*s.%.*s is stamped with who asks, and nobody is signed in",
            KAPPA_STR_ARG(apply->view->name), KAPPA_STR_ARG(column->name));
    }
    return kappa_apply_set_member(apply, column->name, part);
}

/* An effect that may make the row: its stamp gives the part, or its default,
 * or CREATE makes it up, once. */
static kappa_status_t
make_missing(kappa_apply_t *apply, const kappa_column_t *column,
    const uint8_t random[10], bool *made, kappa_value_t *part)
{
    kappa_status_t status = KAPPA_OK;

    if (column->stamp != NULL) {
        return stamp_part(apply, column, part);
    }
    if (column->fallback != NULL) {
        apply->scope.caller = &apply->actor;
        status = kappa_apply_eval(
            apply, column->fallback, "@default", column->name, part);
        if (status != KAPPA_OK || !kappa_is_null(part)) {
            return status;
        }
    }
    if (apply->effect == KAPPA_EFFECT_CREATE && !*made
        && kappa_model_makes_up(column) && random != NULL) {
        *made = true;
        return make_part(apply, random, part);
    }
    return KAPPA_OK;
}

/* A part that nothing gave. */
static kappa_status_t
missing_part(kappa_apply_t *apply, const kappa_column_t *column,
    const uint8_t random[10], bool *made, kappa_value_t *part)
{
    kappa_status_t status = KAPPA_OK;

    if (apply->effect == KAPPA_EFFECT_CREATE
        || apply->effect == KAPPA_EFFECT_PUT
        || apply->effect == KAPPA_EFFECT_UPSERT) {
        apply->key_made = true;
        status = make_missing(apply, column, random, made, part);
    }
    if (status != KAPPA_OK || !kappa_is_null(part)
        || apply->effect == KAPPA_EFFECT_NONE) {
        return status;
    }
    return kappa_apply_refuse(apply, "BAD_USER_INPUT",
        "%.*s.%.*s is needed: it is part of the key",
        KAPPA_STR_ARG(apply->view->name), KAPPA_STR_ARG(column->name));
}

static kappa_status_t
complete_parts(kappa_apply_t *apply, const uint8_t random[10], bool *whole)
{
    const kappa_view_t *view = apply->view;
    bool made = false;

    *whole = true;
    for (uint32_t i = 0; i < view->key_count; i++) {
        const kappa_column_t *column = &view->columns[view->key[i]];
        kappa_value_t *part = &apply->key[i];
        kappa_status_t status = kappa_is_null(part)
            ? missing_part(apply, column, random, &made, part)
            : kappa_apply_part(apply, column, part);

        if (status != KAPPA_OK) {
            return status;
        }
        *whole = *whole && !kappa_is_null(part);
    }
    return KAPPA_OK;
}

static void
show_key(kappa_apply_t *apply)
{
    uint32_t count = apply->view->key_count;

    if (count == 1) {
        apply->event.key = apply->key[0];
        return;
    }
    apply->event.key = (kappa_value_t){
        .kind = KAPPA_LIST, .count = count, .as.items = apply->key
    };
}

kappa_status_t
kappa_apply_node(kappa_apply_t *apply, const kappa_view_t *view,
    kappa_value_t *parts, kappa_node_t **out)
{
    kappa_key_t key;
    kappa_status_t status = kappa_key_of_values(&key, view, parts);

    switch (status) {
    case KAPPA_OK:
        return kappa_keep_node(apply->set, view, kappa_key_str(&key), out);
    case KAPPA_INVALID:
        return kappa_apply_refuse(apply, "BAD_USER_INPUT",
            "a key of %.*s has a part of another type",
            KAPPA_STR_ARG(view->name));
    case KAPPA_LIMIT:
        kappa_apply_refuse(apply, "LIMIT_EXCEEDED",
            "a key of %.*s has at most %d bytes", KAPPA_STR_ARG(view->name),
            KAPPA_KEY_BYTES_MAX);
        return KAPPA_LIMIT;
    default:
        return status;
    }
}

kappa_status_t
kappa_apply_key(kappa_apply_t *apply, const uint8_t random[10])
{
    const kappa_view_t *view = apply->view;
    kappa_value_t json;
    bool whole;
    kappa_status_t status = KAPPA_OK;

    if (view == NULL) {
        return parse_key(apply, &apply->event.key);
    }
    apply->key =
        KAPPA_NEW_ARRAY(apply->set->event, kappa_value_t, view->key_count);
    if (apply->key == NULL) {
        return KAPPA_NOMEM;
    }
    if (apply->mutation != NULL) {
        parts_of_args(apply);
    } else {
        status = parse_key(apply, &json);
        if (status == KAPPA_OK) {
            status = parts_of_json(apply, &json);
        }
    }
    if (status == KAPPA_OK) {
        status = complete_parts(apply, random, &whole);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (!whole) {
        apply->key = NULL;
        return KAPPA_OK;
    }
    show_key(apply);
    return kappa_apply_node(apply, view, apply->key, &apply->node);
}

void
kappa_apply_key_json(const kappa_apply_t *apply, kappa_buf_t *buf)
{
    kappa_json_value(buf, &apply->event.key);
}
