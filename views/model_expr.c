#include "views/model_private.h"

/* What expressions may read, and compiling them where they stand. */

static const kappa_expr_type_t *
scalar_type(kappa_scalar_t scalar)
{
    switch (scalar) {
    case KAPPA_SCALAR_INT:
    case KAPPA_SCALAR_BIGINT:
        return &kappa_expr_int;
    case KAPPA_SCALAR_FLOAT:
        return &kappa_expr_double;
    case KAPPA_SCALAR_BOOLEAN:
        return &kappa_expr_bool;
    case KAPPA_SCALAR_DATETIME:
        return &kappa_expr_time;
    case KAPPA_SCALAR_JSON:
        return &kappa_expr_dyn;
    case KAPPA_SCALAR_STRING:
    case KAPPA_SCALAR_ID:
    case KAPPA_SCALAR_DATE:
    case KAPPA_SCALAR_UUID:
        break;
    }
    return &kappa_expr_string;
}

static bool
fill_enum(
    kappa_model_builder_t *b, const kappa_type_t *type, kappa_expr_type_t *out)
{
    kappa_str_t *values =
        KAPPA_NEW_ARRAY(b->arena, kappa_str_t, type->value_count);

    if (!values) {
        return false;
    }
    for (uint32_t i = 0; i < type->value_count; i++) {
        values[i] = type->values[i].name;
    }
    out->values = values;
    out->value_count = type->value_count;
    return true;
}

/* The named types of a schema that are seen by expressions are made without
 * recursion: first an empty type each, then its members. */
static bool
make_named(kappa_model_builder_t *b, const kappa_type_t *type)
{
    kappa_expr_type_t *out = KAPPA_NEW(b->arena, kappa_expr_type_t);

    b->types[type->number] = out;
    if (!out) {
        return false;
    }
    out->name = type->name;
    switch (type->kind) {
    case KAPPA_TYPE_SCALAR:
        *out = *scalar_type(type->scalar);
        return true;
    case KAPPA_TYPE_ENUM:
        out->kind = KAPPA_EXPR_ENUM;
        return fill_enum(b, type, out);
    case KAPPA_TYPE_OBJECT:
    case KAPPA_TYPE_INPUT_OBJECT:
        out->kind = KAPPA_EXPR_OBJECT;
        out->input = type->kind == KAPPA_TYPE_INPUT_OBJECT;
        return true;
    case KAPPA_TYPE_INTERFACE:
    case KAPPA_TYPE_UNION:
        break;
    }
    *out = kappa_expr_dyn;
    return true;
}

static const kappa_expr_type_t *
wrap_list(kappa_model_builder_t *b, const kappa_expr_type_t *item)
{
    kappa_expr_type_t *list = KAPPA_NEW(b->arena, kappa_expr_type_t);

    if (list) {
        list->kind = KAPPA_EXPR_LIST;
        list->item = item;
    }
    return list;
}

const kappa_expr_type_t *
kappa_model_expr_type(kappa_model_builder_t *b, const kappa_type_ref_t *ref)
{
    const kappa_expr_type_t *type = b->types[ref->named->number];

    for (; type && ref; ref = ref->of) {
        if (ref->kind == KAPPA_REF_LIST) {
            type = wrap_list(b, type);
        }
    }
    return type;
}

static bool
fill_object(kappa_model_builder_t *b, const kappa_type_t *type)
{
    bool input = type->kind == KAPPA_TYPE_INPUT_OBJECT;
    uint32_t count = input ? type->input_count : type->field_count;
    kappa_expr_member_t *members =
        KAPPA_NEW_ARRAY(b->arena, kappa_expr_member_t, count);
    kappa_expr_type_t *out = b->types[type->number];

    if (!members) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        members[i].name = input ? type->inputs[i].name : type->fields[i].name;
        members[i].number = i;
        members[i].type = kappa_model_expr_type(
            b, input ? type->inputs[i].type : type->fields[i].type);
        if (!members[i].type) {
            return false;
        }
    }
    out->members = members;
    out->member_count = count;
    return true;
}

static kappa_status_t
make_types(kappa_model_builder_t *b)
{
    for (uint32_t i = 0; i < b->schema->type_count; i++) {
        if (!make_named(b, b->schema->types[i])) {
            return KAPPA_NOMEM;
        }
    }
    for (uint32_t i = 0; i < b->schema->type_count; i++) {
        const kappa_type_t *type = b->schema->types[i];

        if (b->types[i]->kind == KAPPA_EXPR_OBJECT && !fill_object(b, type)) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_model_row_type(kappa_model_builder_t *b, kappa_view_t *view)
{
    kappa_expr_member_t *members =
        KAPPA_NEW_ARRAY(b->arena, kappa_expr_member_t, view->column_count);

    if (!members) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < view->column_count; i++) {
        members[i].name = view->columns[i].name;
        members[i].number = i;
        members[i].type =
            kappa_model_expr_type(b, view->columns[i].field->type);
        if (!members[i].type) {
            return KAPPA_NOMEM;
        }
    }
    view->row_type = (kappa_expr_type_t){ .kind = KAPPA_EXPR_ROW,
        .name = view->name,
        .members = members,
        .member_count = view->column_count };
    return KAPPA_OK;
}

static kappa_status_t
make_lookup(kappa_model_builder_t *b, const kappa_rows_t *rows)
{
    const kappa_view_t *view = rows->views[0];
    kappa_expr_view_t *lookup = &b->model->lookups[b->model->lookup_count++];
    const kappa_expr_type_t **key =
        KAPPA_NEW_ARRAY(b->arena, const kappa_expr_type_t *, view->key_count);

    if (!key) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < view->key_count; i++) {
        key[i] =
            kappa_model_expr_type(b, view->columns[view->key[i]].field->type);
        if (!key[i]) {
            return KAPPA_NOMEM;
        }
    }
    *lookup = (kappa_expr_view_t){ .name = rows->type->name,
        .row = rows->columns ? &rows->row_type : &view->row_type,
        .key = key,
        .key_count = view->key_count,
        .handle = rows };
    return KAPPA_OK;
}

static kappa_status_t
make_lookups(kappa_model_builder_t *b)
{
    kappa_status_t status = KAPPA_OK;

    b->model->lookups =
        KAPPA_NEW_ARRAY(b->arena, kappa_expr_view_t, b->schema->type_count);
    if (!b->model->lookups) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < b->schema->type_count;
         i++) {
        kappa_rows_t *rows = (kappa_rows_t *)b->rows[i];

        if (rows && kappa_model_is_family(rows->type)) {
            status = kappa_model_family_row_type(b, rows);
        }
        if (status == KAPPA_OK && rows) {
            status = make_lookup(b, rows);
        }
    }
    return status;
}

kappa_status_t
kappa_model_row_types(kappa_model_builder_t *b)
{
    kappa_status_t status = make_types(b);

    for (uint32_t i = 0; status == KAPPA_OK && i < b->model->view_count; i++) {
        status = kappa_model_row_type(b, b->model->views[i]);
    }
    return status == KAPPA_OK ? make_lookups(b) : status;
}

kappa_expr_scope_t
kappa_model_scope(const char *place)
{
    return (kappa_expr_scope_t){ .place = place };
}

void
kappa_model_scope_caller(kappa_expr_scope_t *scope)
{
    scope->roots[KAPPA_ROOT_AUTH] = &kappa_expr_auth;
    scope->roots[KAPPA_ROOT_NOW] = &kappa_expr_time;
}

void
kappa_model_scope_lookups(
    const kappa_model_builder_t *b, kappa_expr_scope_t *scope)
{
    scope->views = b->model->lookups;
    scope->view_count = b->model->lookup_count;
}

const kappa_expr_type_t *
kappa_model_args_type(kappa_model_builder_t *b, const kappa_field_t *field)
{
    kappa_expr_type_t *type = KAPPA_NEW(b->arena, kappa_expr_type_t);
    kappa_expr_member_t *members =
        KAPPA_NEW_ARRAY(b->arena, kappa_expr_member_t, field->arg_count);

    if (!type || !members) {
        return NULL;
    }
    for (uint32_t i = 0; i < field->arg_count; i++) {
        members[i].name = field->args[i].name;
        members[i].number = field->args[i].number;
        members[i].type = kappa_model_expr_type(b, field->args[i].type);
        if (!members[i].type) {
            return NULL;
        }
    }
    type->kind = KAPPA_EXPR_OBJECT;
    type->name = KAPPA_STR("args");
    type->members = members;
    type->member_count = field->arg_count;
    return type;
}

kappa_status_t
kappa_model_compile_text(kappa_model_builder_t *b,
    const kappa_directive_node_t *node, const kappa_literal_t *literal,
    kappa_str_t text, size_t skip, const kappa_expr_scope_t *scope,
    const kappa_expr_type_t *expected, const kappa_expr_t **out)
{
    uint32_t quotes = literal->block ? 3 : 1;
    kappa_expr_t *expr = NULL;
    kappa_status_t status = kappa_expr_compile(b->arena, text, scope, expected,
        &expr, b->errors, node->source, literal->offset + quotes + skip);

    *out = NULL;
    if (status == KAPPA_NOMEM || b->errors->no_memory) {
        return KAPPA_NOMEM;
    }
    if (status != KAPPA_OK) {
        b->refused++;
        return KAPPA_OK;
    }
    *out = expr;
    return KAPPA_OK;
}

kappa_status_t
kappa_model_compile(kappa_model_builder_t *b,
    const kappa_directive_node_t *node, const kappa_literal_t *literal,
    const kappa_expr_scope_t *scope, const kappa_expr_type_t *expected,
    const kappa_expr_t **out)
{
    return kappa_model_compile_text(
        b, node, literal, literal->text, 0, scope, expected, out);
}

kappa_status_t
kappa_model_compile_arg(kappa_model_builder_t *b,
    const kappa_directive_node_t *node, const char *arg,
    const kappa_expr_scope_t *scope, const kappa_expr_type_t *expected,
    const kappa_expr_t **out)
{
    const kappa_literal_t *literal = kappa_model_item(node, arg, 0);

    *out = NULL;
    return literal
        ? kappa_model_compile(b, node, literal, scope, expected, out)
        : KAPPA_OK;
}
