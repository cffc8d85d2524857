#include "views/apply.h"

kappa_str_t *
kappa_apply_copy_cells(const kappa_apply_t *apply, const kappa_node_t *node)
{
    size_t bytes = node->view->column_count * sizeof(kappa_str_t);
    kappa_str_t *cells = kappa_arena_alloc(apply->set->event, bytes);

    if (cells != NULL && bytes != 0) {
        memcpy(cells, node->cells, bytes);
    }
    return cells;
}

/* Stored @computed columns: over the row alone, in the order of the schema. */
static kappa_status_t
compute(kappa_apply_t *apply, kappa_node_t *node)
{
    const kappa_view_t *view = node->view;
    kappa_scope_row_t row = { .view = view, .cells = node->cells };
    const kappa_scope_row_t *outer = apply->scope.row;
    kappa_status_t status = KAPPA_OK;

    apply->scope.row = &row;
    for (uint32_t i = 0; i < view->column_count && status == KAPPA_OK; i++) {
        const kappa_column_t *column = &view->columns[i];
        kappa_value_t value;

        if (column->computed == NULL) {
            continue;
        }
        status = kappa_apply_eval(
            apply, column->computed, "@computed", column->name, &value);
        if (status == KAPPA_OK) {
            status = kappa_apply_cell(apply, node, node->cells, i, &value);
        }
    }
    apply->scope.row = outer;
    return status;
}

static kappa_status_t
feed(kappa_apply_t *apply, kappa_node_t *node, const kappa_str_t *before,
    const kappa_str_t *after)
{
    const kappa_view_t *view = node->view;
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < view->group_count && status == KAPPA_OK; i++) {
        status = kappa_group_feed(apply, view, view->groups[i], before, after);
    }
    for (uint32_t i = 0; i < view->fed_count && status == KAPPA_OK; i++) {
        status =
            kappa_aggregate_feed(apply, node, view->fed[i], before, after);
    }
    return status;
}

kappa_status_t
kappa_apply_change(
    kappa_apply_t *apply, kappa_node_t *node, kappa_str_t *cells)
{
    kappa_status_t status = kappa_node_touch(apply->set, node);
    const kappa_str_t *before = node->exists ? node->cells : NULL;

    if (status != KAPPA_OK) {
        return status;
    }
    if (apply->depth == KAPPA_FEED_DEPTH_MAX) {
        return kappa_apply_refuse(apply, "LIMIT_EXCEEDED",
            "aggregates feed each other more than %d deep",
            KAPPA_FEED_DEPTH_MAX);
    }
    apply->depth++;
    node->fresh = cells != NULL && (node->fresh || !node->exists);
    node->row_touched = true;
    node->exists = cells != NULL;
    node->cells = cells;
    if (cells != NULL) {
        status = compute(apply, node);
    }
    if (status == KAPPA_OK) {
        status = feed(apply, node, before, cells);
    }
    apply->depth--;
    return status;
}
