#include "base/json.h"
#include "views/apply.h"
#include "views/fit.h"
#include "views/row.h"

/* Filling a row (SEMANTICS 5): stamps, defaults, key, arguments, set; stored
 * @computed follows when the row is changed. */

/* Expressions compute with 64 bits, GraphQL's Int has 32. */
static bool
fits_int(const kappa_value_t *value)
{
    return value->kind != KAPPA_INT
        || (value->as.integer >= INT32_MIN && value->as.integer <= INT32_MAX);
}

kappa_status_t
kappa_apply_cell(kappa_apply_t *apply, kappa_node_t *node, kappa_str_t *cells,
    uint32_t position, const kappa_value_t *value)
{
    const kappa_column_t *column = &node->view->columns[position];
    kappa_buf_t *buf = &apply->set->buf;
    kappa_value_t fitting = *value;

    if (kappa_fit_needed(column)) {
        kappa_status_t status = kappa_fit_value(
            apply->set->event, node->view, column, &fitting, apply->errors);
        if (status != KAPPA_OK) {
            return status;
        }
        value = &fitting;
    }

    if (column->kind == KAPPA_COLUMN_INT && !fits_int(value)) {
        return kappa_apply_refuse(apply, "BAD_USER_INPUT",
            "%.*s.%.*s: %lld does not fit Int; a BigInt could hold it",
            KAPPA_STR_ARG(node->view->name), KAPPA_STR_ARG(column->name),
            (long long)value->as.integer);
    }
    kappa_buf_reset(buf);
    if (kappa_column_json(buf, column->kind, value) != KAPPA_OK) {
        return kappa_apply_refuse(apply, "BAD_USER_INPUT",
            "%.*s.%.*s got a value of another type",
            KAPPA_STR_ARG(node->view->name), KAPPA_STR_ARG(column->name));
    }
    if (buf->failed) {
        return KAPPA_NOMEM;
    }
    /* A double that is no number is null. */
    if (buf->len == 0
        || kappa_str_eq(kappa_buf_view(buf), KAPPA_STR("null"))) {
        cells[position] = KAPPA_STR_NULL;
        return KAPPA_OK;
    }
    cells[position] = kappa_str_dup(apply->set->event, kappa_buf_view(buf));
    return cells[position].data ? KAPPA_OK : KAPPA_NOMEM;
}

static bool
is_key(const kappa_view_t *view, uint32_t position)
{
    for (uint32_t i = 0; i < view->key_count; i++) {
        if (view->key[i] == position) {
            return true;
        }
    }
    return false;
}

/* One row being filled. */
typedef struct {
    kappa_apply_t *apply;
    kappa_node_t *node;
    const kappa_effect_rule_t *rule;
    kappa_str_t *cells;
    bool by_name;
    bool existed;
    bool fresh; /* made, or replaced by PUT */
} fill_t;

static kappa_status_t
evaluate(fill_t *fill, const kappa_expr_t *expr, const char *what,
    uint32_t position)
{
    kappa_value_t value;
    kappa_status_t status = kappa_apply_eval(fill->apply, expr, what,
        fill->node->view->columns[position].name, &value);

    return status == KAPPA_OK ? kappa_apply_cell(
               fill->apply, fill->node, fill->cells, position, &value)
                              : status;
}

/* What the stamp gave is kept in the event: a replay gives the same. */
static kappa_status_t
keep_in_data(fill_t *fill, uint32_t position)
{
    const kappa_column_t *column = &fill->node->view->columns[position];
    kappa_value_t value;
    kappa_status_t status = kappa_column_value(
        fill->apply->set->event, column->kind, fill->cells[position], &value);

    return status == KAPPA_OK
        ? kappa_apply_set_member(fill->apply, column->name, &value)
        : status;
}

static kappa_status_t
act_stamp(fill_t *fill, uint32_t position)
{
    kappa_apply_t *apply = fill->apply;
    const kappa_column_t *column = &fill->node->view->columns[position];

    apply->scope.caller = fill->by_name && apply->mode != KAPPA_APPLY_REPLAY
        ? apply->caller
        : &apply->actor;
    kappa_status_t status = evaluate(fill, column->stamp, "@stamp", position);
    if (status != KAPPA_OK) {
        return status;
    }
    if (fill->cells[position].len == 0 && column->required) {
        return kappa_apply_refuse(apply, "UNAUTHENTICATED",
            "%.*s.%.*s is stamped with who asks, and nobody is signed in",
            KAPPA_STR_ARG(fill->node->view->name),
            KAPPA_STR_ARG(column->name));
    }
    return fill->by_name ? keep_in_data(fill, position) : KAPPA_OK;
}

static kappa_status_t
stamp(fill_t *fill, uint32_t position)
{
    kappa_apply_t *apply = fill->apply;
    const kappa_column_t *column = &fill->node->view->columns[position];
    bool acts = column->stamp_always || !fill->existed;
    bool in_data = fill->by_name && kappa_apply_member(apply, column) != NULL;

    if (acts && in_data && apply->mode != KAPPA_APPLY_MUTATION) {
        return KAPPA_OK; /* data wins, below */
    }
    if (acts) {
        return act_stamp(fill, position);
    }
    if (!fill->fresh) {
        return KAPPA_OK;
    }
    fill->cells[position] = fill->node->cells[position];
    return in_data && apply->mode == KAPPA_APPLY_MUTATION
        ? keep_in_data(fill, position)
        : KAPPA_OK;
}

/* A row that was stamped in this event and is replaced keeps its stamps. */
static void
keep_stamps(fill_t *fill)
{
    const kappa_view_t *view = fill->node->view;

    for (uint32_t i = 0; fill->fresh && i < view->column_count; i++) {
        if (view->columns[i].stamp != NULL) {
            fill->cells[i] = fill->node->cells[i];
        }
    }
}

/* A key's stamp acts where the key is made up (apply_data.c). */
static kappa_status_t
stamps(fill_t *fill)
{
    const kappa_view_t *view = fill->node->view;
    kappa_status_t status = KAPPA_OK;

    if (fill->node->stamped && fill->existed) {
        keep_stamps(fill);
        return KAPPA_OK;
    }
    fill->node->stamped = true;
    for (uint32_t i = 0; i < view->column_count && status == KAPPA_OK; i++) {
        if (view->columns[i].stamp != NULL && !is_key(view, i)) {
            status = stamp(fill, i);
        }
    }
    return status;
}

static kappa_status_t
defaults(fill_t *fill)
{
    const kappa_view_t *view = fill->node->view;
    kappa_status_t status = KAPPA_OK;

    fill->apply->scope.caller = &fill->apply->actor;
    for (uint32_t i = 0; i < view->column_count && status == KAPPA_OK; i++) {
        if (view->columns[i].fallback != NULL && fill->cells[i].len == 0) {
            status = evaluate(fill, view->columns[i].fallback, "@default", i);
        }
    }
    return status;
}

/* Stamps and defaults see the row as it was before the event. */
static kappa_status_t
before_event(fill_t *fill)
{
    const kappa_node_t *node = fill->node;
    kappa_scope_row_t old = { .view = node->view,
        .data = node->left ? NULL : node->row };

    fill->apply->scope.old = old.data ? &old : NULL;
    kappa_status_t status = stamps(fill);
    if (status == KAPPA_OK && fill->fresh) {
        status = defaults(fill);
    }
    fill->apply->scope.old = NULL;
    return status;
}

static kappa_status_t
keys(fill_t *fill, const kappa_value_t *key)
{
    const kappa_view_t *view = fill->node->view;
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < view->key_count && status == KAPPA_OK; i++) {
        status = kappa_apply_cell(
            fill->apply, fill->node, fill->cells, view->key[i], &key[i]);
    }
    return status;
}

static kappa_status_t
arguments(fill_t *fill)
{
    const kappa_view_t *view = fill->node->view;
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < view->column_count && status == KAPPA_OK; i++) {
        const kappa_column_t *column = &view->columns[i];

        if (column->computed != NULL || column->aggregate != NULL
            || is_key(view, i)) {
            continue;
        }
        const kappa_value_t *value = kappa_apply_member(fill->apply, column);
        if (value != NULL) {
            status = kappa_apply_cell(
                fill->apply, fill->node, fill->cells, i, value);
        }
    }
    return status;
}

static kappa_status_t
sets(fill_t *fill)
{
    kappa_apply_t *apply = fill->apply;
    kappa_scope_row_t row = { .view = fill->node->view, .cells = fill->cells };
    kappa_status_t status = KAPPA_OK;

    apply->scope.row = &row;
    for (uint32_t i = 0; i < fill->rule->set_count && status == KAPPA_OK;
         i++) {
        status = evaluate(fill, fill->rule->sets[i].value, "set",
            fill->rule->sets[i].column);
    }
    apply->scope.row = NULL;
    return status;
}

static kappa_status_t
start(fill_t *fill, kappa_effect_t effect)
{
    kappa_apply_t *apply = fill->apply;
    kappa_status_t status = kappa_node_touch(apply->set, fill->node);

    if (status != KAPPA_OK) {
        return status;
    }
    fill->existed = fill->node->exists;
    fill->fresh = !fill->existed || effect == KAPPA_EFFECT_PUT;
    fill->cells = fill->fresh ? KAPPA_NEW_ARRAY(apply->set->event, kappa_str_t,
                      fill->node->view->column_count)
                              : kappa_apply_copy_cells(apply, fill->node);
    return fill->cells ? KAPPA_OK : KAPPA_NOMEM;
}

kappa_status_t
kappa_apply_fill(kappa_apply_t *apply, kappa_node_t *node,
    const kappa_effect_rule_t *rule, kappa_effect_t effect,
    const kappa_value_t *key, kappa_str_t **out)
{
    fill_t fill = { .apply = apply,
        .node = node,
        .rule = rule,
        .by_name = rule == NULL || rule->by_name };
    kappa_status_t status = start(&fill, effect);

    if (status == KAPPA_OK) {
        status = before_event(&fill);
    }
    if (status == KAPPA_OK && fill.fresh) {
        status = keys(&fill, key);
        if (status == KAPPA_OK) {
            status = kappa_aggregate_fill(apply, node, fill.cells);
        }
    }
    if (status == KAPPA_OK && fill.by_name) {
        status = arguments(&fill);
    }
    if (status == KAPPA_OK && rule != NULL) {
        status = sets(&fill);
    }
    *out = fill.cells;
    return status;
}
