#include "views/model_private.h"

/* Links between views: @belongsTo holds the other's key, @hasMany is held by
 * the others. */

static kappa_status_t
belongs_target(kappa_model_builder_t *b, const kappa_field_t *field,
    const kappa_directive_node_t *node, kappa_view_t **target)
{
    *target = kappa_model_view_of(b, field->type->named);
    if (!*target || kappa_model_ref_is_list(field->type)) {
        *target = NULL;
        return kappa_model_refuse(b, node->source, node->offset,
            "@belongsTo is one row, so \"%.*s.%.*s\" must be of a view's "
            "type.",
            KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name));
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
    const kappa_field_t *field, const kappa_view_t *target, const uint32_t *by)
{
    kappa_one_t *one = KAPPA_NEW(b->arena, kappa_one_t);
    kappa_field_binding_t *binding =
        kappa_model_bind(b, field, KAPPA_BIND_ONE, one);

    if (!one || !binding) {
        return KAPPA_NOMEM;
    }
    binding->view = view;
    one->view = target;
    one->parts = KAPPA_NEW_ARRAY(b->arena, int32_t, target->key_count);
    if (!one->parts) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < target->key_count; i++) {
        one->parts[i] = (int32_t)by[i];
    }
    return KAPPA_OK;
}

static kappa_status_t
belongs_to(kappa_model_builder_t *b, kappa_view_t *view,
    const kappa_field_t *field, const kappa_directive_node_t *node)
{
    kappa_view_t *target;
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
    status = kappa_model_check_by(b, node, view, by, count, target, &ok);
    return status == KAPPA_OK && ok ? bind_one(b, view, field, target, by)
                                    : status;
}

/* `by` are the other's columns, in the order of my key. */
static kappa_status_t
bind_many(kappa_model_builder_t *b, kappa_view_t *view,
    const kappa_field_t *field, const kappa_view_t *target, bool connection,
    const uint32_t *by)
{
    kappa_list_t *list = KAPPA_NEW(b->arena, kappa_list_t);
    kappa_field_binding_t *binding = kappa_model_bind(
        b, field, connection ? KAPPA_BIND_CONNECTION : KAPPA_BIND_LIST, list);

    if (!list || !binding) {
        return KAPPA_NOMEM;
    }
    binding->view = view;
    list->view = target;
    list->by_count = view->key_count;
    list->by = KAPPA_NEW_ARRAY(b->arena, int32_t, list->by_count);
    list->by_parent = KAPPA_NEW_ARRAY(b->arena, int32_t, list->by_count);
    if (!list->by || !list->by_parent) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < list->by_count; i++) {
        list->by[i] = (int32_t)by[i];
        list->by_parent[i] = (int32_t)view->key[i];
    }
    return kappa_model_list(b, field, list);
}

static kappa_status_t
has_many(kappa_model_builder_t *b, kappa_view_t *view,
    const kappa_field_t *field, const kappa_directive_node_t *node)
{
    const kappa_view_t *target;
    uint32_t *by, count, refused = b->refused;
    bool connection, ok;
    kappa_status_t status = kappa_model_many(b, field, &target, &connection);

    if (status != KAPPA_OK || b->refused != refused) {
        return status;
    }
    if (!target) {
        return kappa_model_refuse(b, node->source, node->offset,
            "@hasMany is many rows, so \"%.*s.%.*s\" must be a list or a "
            "connection of a view.",
            KAPPA_STR_ARG(view->name), KAPPA_STR_ARG(field->name));
    }
    status = kappa_model_columns(b, target, node, "by", &by, &count);
    if (status != KAPPA_OK || !count) {
        return status;
    }
    status = kappa_model_check_by(b, node, target, by, count, view, &ok);
    return status == KAPPA_OK && ok
        ? bind_many(b, view, field, target, connection, by)
        : status;
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
