#include "views/fit.h"

#include "graphql/coerce.h"
#include "views/rename.h"

#define DEPTH_MAX 128 /* as kappa_json_parse */

typedef struct {
    kappa_arena_t *arena;
    const kappa_view_t *view;
    const kappa_column_t *column;
    kappa_errors_t *errors;
} fit_t;

bool
kappa_fit_needed(const kappa_column_t *column)
{
    const kappa_type_t *type =
        column->field ? column->field->type->named : NULL;

    if (type == NULL || column->aggregate != NULL) {
        return false;
    }
    if (column->kind == KAPPA_COLUMN_JSON) {
        return type->kind != KAPPA_TYPE_SCALAR
            || type->scalar != KAPPA_SCALAR_JSON
            || column->field->type->kind != KAPPA_REF_NAMED;
    }
    return type->kind == KAPPA_TYPE_ENUM || type->scalar == KAPPA_SCALAR_DATE
        || type->scalar == KAPPA_SCALAR_UUID;
}

static kappa_status_t
refuse(const fit_t *fit, const char *why, kappa_str_t name)
{
    kappa_errors_add(fit->errors, "BAD_USER_INPUT", "%.*s.%.*s: %.*s%s%s",
        KAPPA_STR_ARG(fit->view->name), KAPPA_STR_ARG(fit->column->name),
        KAPPA_STR_ARG(name), name.len ? " " : "", why);
    return KAPPA_INVALID;
}

static kappa_status_t fit_ref(const fit_t *fit, const kappa_type_ref_t *type,
    kappa_str_t name, kappa_value_t *value, unsigned depth);

static kappa_status_t
fit_items(const fit_t *fit, const kappa_type_ref_t *type, kappa_str_t name,
    kappa_value_t *list, unsigned depth)
{
    kappa_value_t *items =
        KAPPA_NEW_ARRAY(fit->arena, kappa_value_t, list->count);
    kappa_status_t status = items ? KAPPA_OK : KAPPA_NOMEM;

    for (uint32_t i = 0; i < list->count && status == KAPPA_OK; i++) {
        items[i] = list->as.items[i];
        status = fit_ref(fit, type, name, &items[i], depth + 1);
    }
    list->as.items = items;
    return status;
}

/* What an object lacks is null. */
static kappa_status_t
check_missing(
    const fit_t *fit, const kappa_type_t *type, const kappa_value_t *object)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const kappa_field_t *field = &type->fields[i];

        if (field->type->kind == KAPPA_REF_NON_NULL
            && kappa_value_member(object, field->name) == NULL) {
            return refuse(fit, "must not be null", field->name);
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
fit_members(const fit_t *fit, const kappa_type_t *type, kappa_value_t *object,
    unsigned depth)
{
    kappa_member_t *members =
        KAPPA_NEW_ARRAY(fit->arena, kappa_member_t, object->count);
    kappa_status_t status =
        members ? check_missing(fit, type, object) : KAPPA_NOMEM;

    for (uint32_t i = 0; i < object->count && status == KAPPA_OK; i++) {
        members[i] = object->as.members[i];
        const kappa_field_t *field = kappa_type_field(type, members[i].name);
        if (field != NULL) {
            status = fit_ref(
                fit, field->type, field->name, &members[i].value, depth + 1);
        }
    }
    object->as.members = members;
    return status;
}

static kappa_status_t
fit_leaf(const fit_t *fit, const kappa_type_ref_t *type, kappa_str_t name,
    kappa_value_t *value)
{
    kappa_value_t in = *value;

    if (type->named->kind == KAPPA_TYPE_ENUM) {
        kappa_rename_values(type, &in); /* of what nothing described */
    }
    return kappa_coerce_value(fit->arena, &in, type,
        name.len ? name : fit->column->name, value, fit->errors);
}

static kappa_status_t
fit_ref(const fit_t *fit, const kappa_type_ref_t *type, kappa_str_t name,
    kappa_value_t *value, unsigned depth)
{
    bool required = type->kind == KAPPA_REF_NON_NULL;

    type = required ? type->of : type;
    if (depth > DEPTH_MAX) {
        kappa_errors_add(
            fit->errors, "LIMIT_EXCEEDED", "data is nested too deeply");
        return KAPPA_LIMIT;
    }
    if (kappa_is_null(value)) {
        return required && depth > 0 ? refuse(fit, "must not be null", name)
                                     : KAPPA_OK;
    }
    if (type->kind == KAPPA_REF_LIST) {
        return value->kind == KAPPA_LIST
            ? fit_items(fit, type->of, name, value, depth)
            : refuse(fit, "got a value of another type, not a list", name);
    }
    if (type->named->kind == KAPPA_TYPE_OBJECT) {
        return value->kind == KAPPA_OBJECT
            ? fit_members(fit, type->named, value, depth)
            : refuse(fit, "got a value of another type, not an object", name);
    }
    return fit_leaf(fit, type, name, value);
}

kappa_status_t
kappa_fit_value(kappa_arena_t *arena, const kappa_view_t *view,
    const kappa_column_t *column, kappa_value_t *value, kappa_errors_t *errors)
{
    fit_t fit = {
        .arena = arena, .view = view, .column = column, .errors = errors
    };

    return fit_ref(&fit, column->field->type, KAPPA_STR(""), value, 0);
}
