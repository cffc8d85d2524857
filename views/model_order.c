#include "views/model_private.h"

/* What is computed from what: columns are the nodes of a graph, aggregates
 * and stored @computed its edges. A cycle is refused; without one, aggregates
 * are put behind what they are computed from.
 *
 * Kahn's algorithm, without recursion: a column is done when all that it is
 * computed from are. */

typedef struct {
    uint32_t *first; /* of a view's columns, by view number */
    uint32_t count;  /* of columns */
    bool *done;
} graph_t;

static kappa_status_t
graph_init(kappa_model_builder_t *b, graph_t *g)
{
    const kappa_model_t *model = b->model;

    g->count = 0;
    g->first = KAPPA_NEW_ARRAY(b->arena, uint32_t, model->view_count);
    if (!g->first) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < model->view_count; i++) {
        g->first[i] = g->count;
        g->count += model->views[i]->column_count;
    }
    g->done = KAPPA_NEW_ARRAY(b->arena, bool, g->count);
    return g->done ? KAPPA_OK : KAPPA_NOMEM;
}

static bool
done(const graph_t *g, const kappa_view_t *view, uint32_t column)
{
    return g->done[g->first[view->number] + column];
}

static bool
all_done(const graph_t *g, const kappa_view_t *view, const uint32_t *columns,
    uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!done(g, view, columns[i])) {
            return false;
        }
    }
    return true;
}

static bool
reads_done(
    const graph_t *g, const kappa_view_t *view, const kappa_expr_t *expr)
{
    const kappa_expr_reads_t *reads = kappa_expr_reads(expr);

    return all_done(g, view, reads->row_columns, reads->row_column_count);
}

/* A group's key columns are there when what it groups by is. */
static bool
group_key_ready(const graph_t *g, const kappa_view_t *view, uint32_t column)
{
    for (uint32_t i = 0; i < view->key_count; i++) {
        if (view->key[i] == column) {
            return done(g, view->group_of, view->group_by[i]);
        }
    }
    return true;
}

static bool
ready(const graph_t *g, const kappa_view_t *view, uint32_t n)
{
    const kappa_column_t *column = &view->columns[n];
    const kappa_aggregate_t *a = column->aggregate;

    if (a) {
        return all_done(g, a->source, a->by, a->by_count)
            && (a->source_column < 0
                || done(g, a->source, (uint32_t)a->source_column))
            && (!a->where || reads_done(g, a->source, a->where));
    }
    if (column->computed) {
        return reads_done(g, view, column->computed);
    }
    return !view->group_of || group_key_ready(g, view, n);
}

/* One round over all columns; how many became done. */
static uint32_t
advance(const kappa_model_builder_t *b, graph_t *g, kappa_aggregate_t **sorted,
    uint32_t *sorted_count)
{
    uint32_t advanced = 0;

    for (uint32_t i = 0; i < b->model->view_count; i++) {
        const kappa_view_t *view = b->model->views[i];

        for (uint32_t n = 0; n < view->column_count; n++) {
            if (done(g, view, n) || !ready(g, view, n)) {
                continue;
            }
            g->done[g->first[i] + n] = true;
            advanced++;
            if (view->columns[n].aggregate) {
                sorted[(*sorted_count)++] =
                    (kappa_aggregate_t *)view->columns[n].aggregate;
            }
        }
    }
    return advanced;
}

static kappa_status_t
refuse_cycle(kappa_model_builder_t *b, const graph_t *g)
{
    for (uint32_t i = 0; i < b->model->view_count; i++) {
        const kappa_view_t *view = b->model->views[i];

        for (uint32_t n = 0; n < view->column_count; n++) {
            const kappa_field_t *field = view->columns[n].field;

            if (!done(g, view, n) && view->columns[n].aggregate) {
                return kappa_model_refuse(b, field->source, field->offset,
                    "\"%.*s.%.*s\" is computed from itself, through other "
                    "aggregates; take one of them out of the circle.",
                    KAPPA_STR_ARG(view->name), KAPPA_STR_ARG(field->name));
            }
        }
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_model_order_aggregates(kappa_model_builder_t *b)
{
    graph_t g;
    uint32_t total = 0, count = 0, advanced;
    kappa_status_t status = graph_init(b, &g);
    kappa_aggregate_t **sorted = KAPPA_NEW_ARRAY(
        b->arena, kappa_aggregate_t *, b->model->aggregate_count);

    if (status != KAPPA_OK || !sorted) {
        return KAPPA_NOMEM;
    }
    while ((advanced = advance(b, &g, sorted, &count)) > 0) {
        total += advanced;
    }
    if (total < g.count) {
        return refuse_cycle(b, &g);
    }
    b->model->aggregates = sorted;
    for (uint32_t i = 0; i < count; i++) {
        sorted[i]->number = i;
    }
    return KAPPA_OK;
}
