#include "views/model_private.h"

/* Links between views: @belongsTo holds the other's key, @hasMany is held by
 * the others. */

static kappa_status_t
belongs_target(kappa_model_builder_t *b, const kappa_field_t *field,
    const kappa_directive_node_t *node, const kappa_rows_t **target)
{
    bool said = false;

    *target = kappa_model_rows_of(b, field->type->named);
    if (!*target || kappa_model_ref_is_list(field->type)) {
        kappa_status_t status =
            *target ? KAPPA_OK : kappa_model_refuse_abstract(b, field, &said);
        *target = NULL;
        return said
            ? status
            : kappa_model_refuse(b, node->source, node->offset,
                "@belongsTo is one row, so \"%.*s.%.*s\" must be of a view's "
                "type.",
                KAPPA_STR_ARG(field->parent->name),
                KAPPA_STR_ARG(field->name));
    }
    if (field->arg_count) {
        *target = NULL;
        return kappa_model_refuse(b, field->source, field->offset,
            "\"%.*s.%.*s\" is one row by its key and can't take arguments.",
            KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name));
    }
    return KAPPA_OK;
}

static kappa_status_t
bind_one(kappa_model_builder_t *b, kappa_view_t *view,
    const kappa_field_t *field, const kappa_rows_t *target, const uint32_t *by)
{
    uint32_t count = target->views[0]->key_count;
    kappa_one_t *one = KAPPA_NEW(b->arena, kappa_one_t);
    kappa_field_binding_t *binding =
        kappa_model_bind(b, field, KAPPA_BIND_ONE, one);

    if (!one || !binding) {
        return KAPPA_NOMEM;
    }
    binding->view = view;
    one->rows = target;
    one->parts = KAPPA_NEW_ARRAY(b->arena, int32_t, count);
    if (!one->parts) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        one->parts[i] = (int32_t)by[i];
    }
    return KAPPA_OK;
}

static kappa_status_t
belongs_to(kappa_model_builder_t *b, kappa_view_t *view,
    const kappa_field_t *field, const kappa_directive_node_t *node)
{
    const kappa_rows_t *target;
    uint32_t *by, count;
    bool ok;
    kappa_status_t status = belongs_target(b, field, node, &target);

    if (status != KAPPA_OK || !target) {
        return status;
    }
    status = kappa_model_columns(b, view, node, "by", &by, &count);
    if (status != KAPPA_OK || !count) {
        return status;
    }
    status =
        kappa_model_check_by(b, node, view, by, count, target->views[0], &ok);
    return status == KAPPA_OK && ok ? bind_one(b, view, field, target, by)
                                    : status;
}

/* What the rows of `list` are found by: fields of theirs that hold my key, in
 * its order. *ok: nothing was refused. */
static kappa_status_t
many_by(kappa_model_builder_t *b, const kappa_view_t *view,
    const kappa_directive_node_t *node, kappa_list_t *list, bool *ok)
{
    uint32_t *by, count;
    kappa_status_t status =
        kappa_model_columns(b, list->view, node, "by", &by, &count);

    *ok = false;
    if (status == KAPPA_OK && count) {
        status =
            kappa_model_check_by(b, node, list->view, by, count, view, ok);
    }
    if (status != KAPPA_OK || !*ok) {
        return status;
    }
    list->by_count = count;
    list->by = KAPPA_NEW_ARRAY(b->arena, int32_t, count);
    list->by_parent = KAPPA_NEW_ARRAY(b->arena, int32_t, count);
    if (!list->by || !list->by_parent) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        list->by[i] = (int32_t)by[i];
        list->by_parent[i] = (int32_t)view->key[i];
    }
    return KAPPA_OK;
}

static kappa_status_t
bind_many(kappa_model_builder_t *b, kappa_view_t *view,
    const kappa_field_t *field, const kappa_directive_node_t *node,
    const kappa_rows_t *target, bool connection)
{
    kappa_list_t *list = kappa_model_new_list(b, target);
    kappa_field_binding_t *binding = kappa_model_bind(
        b, field, connection ? KAPPA_BIND_CONNECTION : KAPPA_BIND_LIST, list);
    kappa_status_t status = KAPPA_OK;
    bool ok = true;

    if (!list || !binding) {
        return KAPPA_NOMEM;
    }
    binding->view = view;
    for (const kappa_list_t *l = list; status == KAPPA_OK && ok && l;
         l = l->next) {
        status = many_by(b, view, node, (kappa_list_t *)l, &ok);
    }
    return status == KAPPA_OK && ok ? kappa_model_list(b, field, list)
                                    : status;
}

static kappa_status_t
has_many(kappa_model_builder_t *b, kappa_view_t *view,
    const kappa_field_t *field, const kappa_directive_node_t *node)
{
    const kappa_rows_t *target;
    uint32_t refused = b->refused;
    bool connection, said;
    kappa_status_t status = kappa_model_many(b, field, &target, &connection);

    if (status != KAPPA_OK || b->refused != refused) {
        return status;
    }
    if (!target) {
        status = kappa_model_refuse_abstract(b, field, &said);
        return said
            ? status
            : kappa_model_refuse(b, node->source, node->offset,
                "@hasMany is many rows, so \"%.*s.%.*s\" must be a list or a "
                "connection of a view.",
                KAPPA_STR_ARG(view->name), KAPPA_STR_ARG(field->name));
    }
    return bind_many(b, view, field, node, target, connection);
}

static kappa_status_t
link_field(
    kappa_model_builder_t *b, kappa_view_t *view, const kappa_field_t *field)
{
    const kappa_directive_node_t *node =
        kappa_model_directive(field->directives, "belongsTo");

    if (node) {
        return belongs_to(b, view, field, node);
    }
    node = kappa_model_directive(field->directives, "hasMany");
    return node ? has_many(b, view, field, node) : KAPPA_OK;
}

kappa_status_t
kappa_model_links(kappa_model_builder_t *b)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < b->model->view_count; i++) {
        kappa_view_t *view = b->model->views[i];

        for (uint32_t j = 0; status == KAPPA_OK && j < view->type->field_count;
             j++) {
            status = link_field(b, view, &view->type->fields[j]);
        }
    }
    return status;
}
