#include "base/json.h"
#include "graphql/coerce.h"
#include "views/key.h"
#include "views/read.h"
#include "views/rename.h"
#include "views/row.h"

/* Rows and data of past events, from their JSON. */

static kappa_status_t
column_json(kappa_arena_t *arena, const kappa_column_t *column,
    const kappa_value_t *value, kappa_str_t *out)
{
    kappa_buf_t buf;

    *out = KAPPA_STR_NULL;
    if (!value || kappa_is_null(value)) {
        return KAPPA_OK;
    }
    kappa_buf_init(&buf, kappa_arena_source(arena));
    kappa_status_t status = kappa_column_json(&buf, column->kind, value);
    if (status == KAPPA_OK && buf.failed) {
        status = KAPPA_NOMEM;
    }
    if (status == KAPPA_OK) {
        *out = kappa_str_dup(arena, kappa_buf_view(&buf));
        status = out->data ? KAPPA_OK : KAPPA_NOMEM;
    }
    kappa_buf_release(&buf);
    return status;
}

static kappa_status_t
all_columns(kappa_arena_t *arena, const kappa_view_t *view,
    const kappa_value_t *object, kappa_str_t *columns)
{
    for (uint32_t i = 0; i < view->column_count; i++) {
        const kappa_column_t *column = &view->columns[i];
        const kappa_value_t *value = kappa_rename_member(object, column);

        if (value) { /* of the object that was just parsed */
            kappa_rename_values(column->field->type, (kappa_value_t *)value);
        }
        kappa_status_t status =
            column_json(arena, column, value, &columns[column->number]);

        /* Of another type than today's schema has: null. */
        if (status != KAPPA_OK && status != KAPPA_INVALID) {
            return status;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
key_of(kappa_arena_t *arena, const kappa_view_t *view,
    const kappa_str_t *columns, kappa_str_t *out)
{
    kappa_key_t key;

    kappa_key_init(&key);
    for (uint32_t i = 0; i < view->key_count; i++) {
        const kappa_column_t *column = &view->columns[view->key[i]];

        kappa_key_add_json(&key, column->kind, columns[column->number]);
    }
    if (key.null || !kappa_key_fits(&key)) {
        return KAPPA_CORRUPT;
    }
    *out = kappa_str_dup(arena, kappa_key_str(&key));
    return out->data ? KAPPA_OK : KAPPA_NOMEM;
}

static kappa_status_t
make_row(kappa_arena_t *arena, const kappa_view_t *view,
    const kappa_str_t *columns, uint32_t count, kappa_row_t *row)
{
    kappa_str_t key;
    kappa_status_t status = key_of(arena, view, columns, &key);

    if (status != KAPPA_OK) {
        return status;
    }
    size_t len = kappa_row_size(columns, count);
    uint8_t *bytes = kappa_arena_bytes(arena, len);
    if (!bytes) {
        return KAPPA_NOMEM;
    }
    kappa_row_write(bytes, columns, count);
    *row = (kappa_row_t){
        .data = bytes, .len = len, .type = view->type, .view = view, .key = key
    };
    return KAPPA_OK;
}

static kappa_status_t
parse_object(const kappa_event_t *event, kappa_str_t text,
    kappa_arena_t *arena, kappa_value_t *object)
{
    if (event->forgotten || !text.data) {
        return KAPPA_NOT_FOUND;
    }
    kappa_status_t status = kappa_json_parse(arena, text, object, NULL);
    if (status == KAPPA_NOMEM) {
        return status;
    }
    return status == KAPPA_OK && object->kind == KAPPA_OBJECT ? KAPPA_OK
                                                              : KAPPA_CORRUPT;
}

kappa_status_t
kappa_read_event_row(const kappa_event_t *event, const kappa_view_t *view,
    kappa_arena_t *arena, kappa_row_t *row)
{
    kappa_value_t object;
    uint32_t count = 0;
    kappa_status_t status = parse_object(event, event->row, arena, &object);

    if (status != KAPPA_OK) {
        return status;
    }
    for (uint32_t i = 0; i < view->column_count; i++) {
        if (view->columns[i].number >= count) {
            count = view->columns[i].number + 1;
        }
    }
    kappa_str_t *columns = KAPPA_NEW_ARRAY(arena, kappa_str_t, count);
    if (!columns) {
        return KAPPA_NOMEM;
    }
    status = all_columns(arena, view, &object, columns);
    return status == KAPPA_OK ? make_row(arena, view, columns, count, row)
                              : status;
}

/* KAPPA_INVALID: the field's type can't hold it. */
static kappa_status_t
data_member(kappa_arena_t *arena, const kappa_field_t *field,
    const kappa_value_t *value, kappa_value_t *out)
{
    kappa_errors_t errors;

    if (kappa_is_null(value)) {
        return KAPPA_INVALID;
    }
    kappa_rename_values(field->type, (kappa_value_t *)value);
    if (!kappa_type_is_leaf(field->type->named)) {
        *out = *value; /* what is in it is checked as it is selected */
        return KAPPA_OK;
    }
    kappa_errors_init(&errors, arena, 1);
    return kappa_coerce_value(
        arena, value, field->type, field->name, out, &errors);
}

kappa_status_t
kappa_read_event_data(const kappa_event_t *event, const kappa_type_t *type,
    kappa_arena_t *arena, kappa_value_t *out)
{
    kappa_value_t object;
    uint32_t count = 0;
    kappa_status_t status = parse_object(event, event->data, arena, &object);

    if (status != KAPPA_OK) {
        return status;
    }
    kappa_member_t *members =
        KAPPA_NEW_ARRAY(arena, kappa_member_t, type->field_count);
    if (!members) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < type->field_count; i++) {
        const kappa_field_t *field = &type->fields[i];
        const kappa_value_t *value = kappa_value_member(&object, field->name);

        status = value
            ? data_member(arena, field, value, &members[count].value)
            : KAPPA_INVALID;
        if (status == KAPPA_OK) {
            members[count++].name = field->name;
        } else if (status != KAPPA_INVALID) {
            return status;
        }
    }
    *out = (kappa_value_t){
        .kind = KAPPA_OBJECT, .count = count, .as.members = members
    };
    return KAPPA_OK;
}
