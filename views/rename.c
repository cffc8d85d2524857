#include "views/rename.h"

/* JSON is nested no deeper when it is parsed. */
#define DEPTH_MAX 128

static void rename_value(
    const kappa_type_ref_t *type, kappa_value_t *value, unsigned depth);

static void
rename_enum(const kappa_type_t *type, kappa_value_t *value)
{
    const kappa_map_t *older = type->binding;
    const kappa_enum_value_t *now =
        older ? kappa_map_get(older, value->as.string) : NULL;

    if (now) {
        value->as.string = now->name;
    }
}

static const kappa_type_ref_t *
member_type(const kappa_type_t *type, kappa_str_t name)
{
    if (type->kind == KAPPA_TYPE_INPUT_OBJECT) {
        const kappa_input_t *input = kappa_map_get(&type->input_map, name);
        return input ? input->type : NULL;
    }
    const kappa_field_t *field = kappa_type_field(type, name);
    return field ? field->type : NULL;
}

static void
rename_members(
    const kappa_type_t *type, const kappa_value_t *object, unsigned depth)
{
    if (type->kind != KAPPA_TYPE_INPUT_OBJECT
        && type->kind != KAPPA_TYPE_OBJECT) {
        return;
    }
    for (uint32_t i = 0; i < object->count; i++) {
        const kappa_member_t *member = &object->as.members[i];
        const kappa_type_ref_t *of = member_type(type, member->name);

        if (of) {
            rename_value(of, (kappa_value_t *)&member->value, depth + 1);
        }
    }
}

static void
rename_value(
    const kappa_type_ref_t *type, kappa_value_t *value, unsigned depth)
{
    if (type->kind == KAPPA_REF_NON_NULL) {
        type = type->of;
    }
    if (depth > DEPTH_MAX) {
        return;
    }
    if (value->kind == KAPPA_LIST) {
        const kappa_type_ref_t *item =
            type->kind == KAPPA_REF_LIST ? type->of : type;

        for (uint32_t i = 0; i < value->count; i++) {
            rename_value(
                item, (kappa_value_t *)&value->as.items[i], depth + 1);
        }
    } else if (value->kind == KAPPA_OBJECT) {
        rename_members(type->named, value, depth);
    } else if (value->kind == KAPPA_STRING
        && type->named->kind == KAPPA_TYPE_ENUM) {
        rename_enum(type->named, value);
    }
}

void
kappa_rename_values(const kappa_type_ref_t *type, kappa_value_t *value)
{
    rename_value(type, value, 0);
}

const kappa_value_t *
kappa_rename_member(const kappa_value_t *object, const kappa_column_t *column)
{
    const kappa_value_t *value = kappa_value_member(object, column->name);

    for (uint32_t i = 0; value == NULL && i < column->was_count; i++) {
        value = kappa_value_member(object, column->was[i]);
    }
    return value;
}

const kappa_column_t *
kappa_rename_column(
    const kappa_view_t *view, const kappa_value_t *object, kappa_str_t older)
{
    for (uint32_t i = 0; i < view->column_count; i++) {
        const kappa_column_t *column = &view->columns[i];

        for (uint32_t n = 0; n < column->was_count; n++) {
            if (kappa_str_eq(column->was[n], older)) {
                return kappa_value_member(object, column->name) ? NULL
                                                                : column;
            }
        }
    }
    return NULL;
}
