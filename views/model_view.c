#include "views/model_private.h"

#include "base/time.h"

/* Views and their columns. */

#define COLUMNS_MAX 1000

/* Directives that make a field something else than a stored value. */
static const char *const derived[] = { "belongsTo", "hasMany", "count", "sum",
    "avg", "min", "max", "computed" };

#define DERIVED (sizeof(derived) / sizeof(derived[0]))

kappa_rows_t *
kappa_model_new_rows(
    kappa_model_builder_t *b, const kappa_type_t *type, uint32_t max)
{
    kappa_rows_t *rows = KAPPA_NEW(b->arena, kappa_rows_t);

    if (!rows) {
        return NULL;
    }
    rows->type = type;
    rows->views = KAPPA_NEW_ARRAY(b->arena, const kappa_view_t *, max);
    b->rows[type->number] = rows;
    b->roles[type->number] = KAPPA_ROLE_VIEW;
    return rows->views ? rows : NULL;
}

static kappa_status_t
keep_of(kappa_model_builder_t *b, const kappa_directive_node_t *node,
    kappa_view_t *view)
{
    kappa_str_t keep = kappa_model_text(node, "keep");
    uint32_t offset = kappa_model_arg_offset(node, "keep");

    if (!keep.data) {
        return KAPPA_OK;
    }
    if (!kappa_duration_parse(keep, &view->keep_ms) || view->keep_ms <= 0) {
        return kappa_model_refuse(b, node->source, offset,
            "@view(keep:) is a time such as \"30d\", \"12h\" or \"5m\".");
    }
    if (!b->model->keep_min_ms || view->keep_ms < b->model->keep_min_ms) {
        b->model->keep_min_ms = view->keep_ms;
    }
    return KAPPA_OK;
}

static kappa_status_t
add_view(kappa_model_builder_t *b, kappa_type_t *type)
{
    const kappa_directive_node_t *node =
        kappa_model_directive(type->directives, "view");

    if (!node) {
        return KAPPA_OK;
    }
    if (kappa_model_is_family(type)) {
        return kappa_model_add_family(b, type);
    }
    if (b->roles[type->number]) {
        return kappa_model_refuse(b, node->source, node->offset,
            "\"%.*s\" is an operation's root and can't be a view.",
            KAPPA_STR_ARG(type->name));
    }
    kappa_view_t *view = KAPPA_NEW(b->arena, kappa_view_t);
    kappa_rows_t *rows = kappa_model_new_rows(b, type, 1);
    if (!view || !rows) {
        return KAPPA_NOMEM;
    }
    rows->views[rows->count++] = view;
    view->name = type->name;
    view->type = type;
    view->number = b->model->view_count;
    b->model->views[b->model->view_count++] = view;
    type->binding = view;
    kappa_status_t status =
        kappa_map_put(&b->model->view_map, type->name, view);
    return status == KAPPA_OK ? keep_of(b, node, view) : status;
}

/* An older name leads to the view too; it may not be another type's. */
static kappa_status_t
add_was(kappa_model_builder_t *b, kappa_view_t *view)
{
    const kappa_directive_node_t *node =
        kappa_model_directive(view->type->directives, "was");

    if (!node) {
        return KAPPA_OK;
    }
    view->was = kappa_model_text(node, "name");
    if (kappa_map_get(&b->model->view_map, view->was)) {
        return kappa_model_refuse(b, node->source, node->offset,
            "@was(name: \"%.*s\"): there is a view of that name.",
            KAPPA_STR_ARG(view->was));
    }
    return kappa_map_put(&b->model->view_map, view->was, view);
}

static const char *
derived_by(const kappa_field_t *field, uint32_t *count)
{
    const char *first = NULL;

    *count = 0;
    for (uint32_t i = 0; i < DERIVED; i++) {
        if (kappa_model_directive(field->directives, derived[i])) {
            first = first ? first : derived[i];
            (*count)++;
        }
    }
    return first;
}

/* A field is one thing: what is derived is neither filled in nor renamed. */
static kappa_status_t
check_derived(
    kappa_model_builder_t *b, const kappa_field_t *field, const char *what)
{
    static const char *const stored[] = { "stamp", "default", "was" };

    for (uint32_t i = 0; i < sizeof(stored) / sizeof(stored[0]); i++) {
        const kappa_directive_node_t *node =
            kappa_model_directive(field->directives, stored[i]);
        if (node) {
            return kappa_model_refuse(b, node->source, node->offset,
                "@%s fills a stored field, and @%s makes \"%.*s.%.*s\" "
                "another thing; take one of them away.",
                stored[i], what, KAPPA_STR_ARG(field->parent->name),
                KAPPA_STR_ARG(field->name));
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
column_was(kappa_model_builder_t *b, kappa_column_t *column)
{
    const kappa_directive_node_t *node =
        kappa_model_directive(column->field->directives, "was");

    if (!node) {
        return KAPPA_OK;
    }
    kappa_str_t name = kappa_model_text(node, "name");
    if (kappa_type_field(column->field->parent, name)) {
        return kappa_model_refuse(b, node->source, node->offset,
            "@was(name: \"%.*s\"): \"%.*s\" has a field of that name.",
            KAPPA_STR_ARG(name), KAPPA_STR_ARG(column->field->parent->name));
    }
    column->was = KAPPA_NEW(b->arena, kappa_str_t);
    if (!column->was) {
        return KAPPA_NOMEM;
    }
    column->was[0] = name;
    column->was_count = 1;
    return KAPPA_OK;
}

/* Whether a field can hold a value: no arguments, no row in its type. */
static kappa_status_t
check_stored(kappa_model_builder_t *b, const kappa_field_t *field)
{
    if (field->arg_count) {
        return kappa_model_refuse(b, field->source, field->offset,
            "Field \"%.*s.%.*s\" is a value and can't take arguments.",
            KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name));
    }
    return kappa_model_embed(b, field);
}

kappa_status_t
kappa_model_add_column(kappa_model_builder_t *b, kappa_view_t *view,
    const kappa_field_t *field, bool aggregate)
{
    kappa_status_t status = check_stored(b, field);
    if (status != KAPPA_OK) {
        return status;
    }
    kappa_field_binding_t *binding =
        kappa_model_bind(b, field, KAPPA_BIND_COLUMN, NULL);
    if (!binding) {
        return KAPPA_NOMEM;
    }
    kappa_column_t *column = &view->columns[view->column_count];
    column->name = field->name;
    column->number = view->column_count;
    column->kind = kappa_model_ref_kind(field->type);
    column->required = kappa_model_ref_is_required(field->type) && !aggregate;
    column->field = field;
    binding->view = view;
    binding->binding.column = view->column_count;
    binding->binding.data = column;
    view->column_count++;
    return column_was(b, column);
}

/* model_computed.c finds out which @computed fields are stored and adds
 * those. */
static kappa_status_t
view_field(
    kappa_model_builder_t *b, kappa_view_t *view, const kappa_field_t *field)
{
    uint32_t count;
    const char *what = derived_by(field, &count);

    if (count > 1) {
        return kappa_model_refuse(b, field->source, field->offset,
            "Field \"%.*s.%.*s\" has several of @belongsTo, @hasMany, "
            "@count, @sum, @avg, @min, @max and @computed; it can be one.",
            KAPPA_STR_ARG(view->name), KAPPA_STR_ARG(field->name));
    }
    if (!what) {
        return kappa_model_add_column(b, view, field, false);
    }
    kappa_status_t status = check_derived(b, field, what);
    if (status == KAPPA_OK && strcmp(what, "computed") == 0) {
        return check_stored(b, field);
    }
    bool aggregate =
        strcmp(what, "belongsTo") != 0 && strcmp(what, "hasMany") != 0;
    return status == KAPPA_OK && aggregate
        ? kappa_model_add_column(b, view, field, true)
        : status;
}

static kappa_status_t
view_columns(kappa_model_builder_t *b, kappa_view_t *view)
{
    kappa_status_t status = KAPPA_OK;

    view->columns =
        KAPPA_NEW_ARRAY(b->arena, kappa_column_t, view->type->field_count);
    if (!view->columns) {
        return KAPPA_NOMEM;
    }
    if (view->type->field_count > COLUMNS_MAX) {
        return kappa_model_refuse(b, view->type->source, view->type->offset,
            "View \"%.*s\" has more than %d fields.",
            KAPPA_STR_ARG(view->name), COLUMNS_MAX);
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < view->type->field_count;
         i++) {
        status = view_field(b, view, &view->type->fields[i]);
    }
    return status == KAPPA_OK ? add_was(b, view) : status;
}

kappa_status_t
kappa_model_views(kappa_model_builder_t *b)
{
    kappa_model_t *model = b->model;
    kappa_status_t status = KAPPA_OK;

    kappa_map_init(&model->view_map, b->arena);
    model->views =
        KAPPA_NEW_ARRAY(b->arena, kappa_view_t *, b->schema->type_count);
    if (!model->views) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < b->schema->type_count;
         i++) {
        status = add_view(b, b->schema->types[i]);
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < model->view_count; i++) {
        status = view_columns(b, model->views[i]);
    }
    return status;
}
