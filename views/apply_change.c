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

/* A stored @computed column: over the row alone. */
static kappa_status_t
compute(kappa_apply_t *apply, kappa_node_t *node, uint32_t position)
{
    const kappa_column_t *column = &node->view->columns[position];
    kappa_scope_row_t row = { .view = node->view, .cells = node->cells };
    const kappa_scope_row_t *outer = apply->scope.row;
    kappa_value_t value;

    apply->scope.row = &row;
    kappa_status_t status = kappa_apply_eval(
        apply, column->computed, "@computed", column->name, &value);
    apply->scope.row = outer;
    return status == KAPPA_OK
        ? kappa_apply_cell(apply, node, node->cells, position, &value)
        : status;
}

/* --- the rows that have steps ahead */

static uint32_t
next_step(const kappa_node_t *node)
{
    return node->view->steps[node->step];
}

static void
enqueue(kappa_apply_t *apply, kappa_node_t *node)
{
    kappa_node_t **at = &apply->due;

    if (node->step == node->view->step_count) {
        return;
    }
    while (*at != NULL && next_step(*at) <= next_step(node)) {
        at = &(*at)->next_due;
    }
    node->next_due = *at;
    *at = node;
}

/* A row that a step changes is read by later steps alone: what it was is what
 * it was when all this began. */
static void
note(kappa_apply_t *apply, kappa_node_t *node, const kappa_str_t *before)
{
    const kappa_view_t *view = node->view;

    if (node->round == apply->set->round) {
        return;
    }
    node->round = apply->set->round;
    node->before = before;
    node->step = 0;
    while (
        node->step < view->step_count && next_step(node) < apply->next_step) {
        node->step++;
    }
    enqueue(apply, node);
}

static kappa_status_t
do_step(kappa_apply_t *apply, const kappa_step_t *step, kappa_node_t *node)
{
    const kappa_str_t *after = node->exists ? node->cells : NULL;

    switch (step->kind) {
    case KAPPA_STEP_COMPUTE:
        return after ? compute(apply, node, step->column) : KAPPA_OK;
    case KAPPA_STEP_GROUP:
        return kappa_group_feed(
            apply, step->source, step->group, node->before, after);
    case KAPPA_STEP_AGGREGATE:
        return kappa_aggregate_feed(
            apply, node, step->aggregate, node->before, after);
    }
    return KAPPA_OK;
}

static kappa_status_t
run(kappa_apply_t *apply)
{
    kappa_status_t status = KAPPA_OK;

    apply->running = true;
    while (status == KAPPA_OK && apply->due != NULL) {
        kappa_node_t *node = apply->due;
        uint32_t number = next_step(node);

        apply->due = node->next_due;
        apply->next_step = number + 1;
        node->step++;
        status = do_step(apply, &apply->model->steps[number], node);
        enqueue(apply, node);
    }
    apply->running = false;
    return status;
}

/* A row that is made is fresh; that of a group is not, if the event only took
 * the members it had for others. */
static bool
is_fresh(const kappa_node_t *node, const kappa_str_t *cells)
{
    if (cells == NULL) {
        return false;
    }
    if (node->view->group_of != NULL) {
        return node->row == NULL || node->left;
    }
    return node->fresh || !node->exists;
}

kappa_status_t
kappa_apply_change(
    kappa_apply_t *apply, kappa_node_t *node, kappa_str_t *cells)
{
    kappa_status_t status = kappa_node_touch(apply->set, node);

    if (status != KAPPA_OK) {
        return status;
    }
    if (!apply->running) {
        apply->set->round++;
        apply->next_step = 0;
        apply->due = NULL;
    }
    note(apply, node, node->exists ? node->cells : NULL);
    node->fresh = is_fresh(node, cells);
    node->row_touched = true;
    node->exists = cells != NULL;
    node->cells = cells;
    return apply->running ? KAPPA_OK : run(apply);
}
