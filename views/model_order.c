#include "views/model_private.h"

/* What is computed from what: stored @computed, groups and aggregates are the
 * steps that follow from a changed row, and each reads what others give. A
 * cycle is refused; without one, steps are put behind what they read.
 *
 * Kahn's algorithm, without recursion: a step is placed when all that it
 * reads is done, and then what it gives is. */

typedef struct {
    uint32_t *first; /* of a view's columns, by view number */
    bool *done;      /* columns */
    bool *settled;   /* by view number: which rows there are is known */
    kappa_step_t *steps;
    uint32_t step_count;
    bool *placed;
} graph_t;

static bool
in_key(const kappa_view_t *view, uint32_t column)
{
    for (uint32_t i = 0; i < view->key_count; i++) {
        if (view->key[i] == column) {
            return true;
        }
    }
    return false;
}

/* What events fill is there from the start. */
static void
start(const kappa_model_t *model, graph_t *g)
{
    for (uint32_t i = 0; i < model->view_count; i++) {
        const kappa_view_t *view = model->views[i];

        g->settled[i] = !view->group_of;
        for (uint32_t n = 0; n < view->column_count; n++) {
            const kappa_column_t *column = &view->columns[n];

            g->done[g->first[i] + n] = !column->aggregate && !column->computed
                && !(view->group_of && in_key(view, n));
        }
    }
}

static kappa_status_t
graph_init(kappa_model_builder_t *b, graph_t *g)
{
    const kappa_model_t *model = b->model;
    uint32_t columns = 0, steps = 0;

    g->first = KAPPA_NEW_ARRAY(b->arena, uint32_t, model->view_count);
    if (!g->first) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < model->view_count; i++) {
        const kappa_view_t *view = model->views[i];

        g->first[i] = columns;
        columns += view->column_count;
        steps += view->column_count + view->group_count + view->fed_count;
    }
    g->done = KAPPA_NEW_ARRAY(b->arena, bool, columns);
    g->settled = KAPPA_NEW_ARRAY(b->arena, bool, model->view_count);
    g->steps = KAPPA_NEW_ARRAY(b->arena, kappa_step_t, steps);
    g->placed = KAPPA_NEW_ARRAY(b->arena, bool, steps);
    g->step_count = 0;
    if (!g->done || !g->settled || !g->steps || !g->placed) {
        return KAPPA_NOMEM;
    }
    start(model, g);
    return KAPPA_OK;
}

static void
collect(graph_t *g, const kappa_view_t *view)
{
    for (uint32_t i = 0; i < view->column_count; i++) {
        if (view->columns[i].computed) {
            g->steps[g->step_count++] = (kappa_step_t){
                .kind = KAPPA_STEP_COMPUTE, .source = view, .column = i
            };
        }
    }
    for (uint32_t i = 0; i < view->group_count; i++) {
        g->steps[g->step_count++] = (kappa_step_t){
            .kind = KAPPA_STEP_GROUP, .source = view, .group = view->groups[i]
        };
    }
    for (uint32_t i = 0; i < view->fed_count; i++) {
        g->steps[g->step_count++] =
            (kappa_step_t){ .kind = KAPPA_STEP_AGGREGATE,
                .source = view,
                .aggregate = view->fed[i] };
    }
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

static bool
aggregate_ready(const graph_t *g, const kappa_aggregate_t *a)
{
    return all_done(g, a->source, a->by, a->by_count)
        && (a->source_column < 0
            || done(g, a->source, (uint32_t)a->source_column))
        && (!a->where || reads_done(g, a->source, a->where));
}

static bool
ready(const graph_t *g, const kappa_step_t *step)
{
    const kappa_view_t *view = step->source;

    if (!g->settled[view->number]) {
        return false;
    }
    switch (step->kind) {
    case KAPPA_STEP_COMPUTE:
        return reads_done(g, view, view->columns[step->column].computed);
    case KAPPA_STEP_GROUP:
        return all_done(
            g, view, step->group->group_by, step->group->key_count);
    case KAPPA_STEP_AGGREGATE:
        return aggregate_ready(g, step->aggregate);
    }
    return false;
}

/* What a step gives is there when it is placed. */
static void
finish(graph_t *g, const kappa_step_t *step)
{
    switch (step->kind) {
    case KAPPA_STEP_COMPUTE:
        g->done[g->first[step->source->number] + step->column] = true;
        break;
    case KAPPA_STEP_GROUP:
        g->settled[step->group->number] = true;
        for (uint32_t i = 0; i < step->group->key_count; i++) {
            g->done[g->first[step->group->number] + step->group->key[i]] =
                true;
        }
        break;
    case KAPPA_STEP_AGGREGATE:
        g->done[g->first[step->aggregate->target->number]
            + step->aggregate->target_column] = true;
        break;
    }
}

static void
place(kappa_model_t *model, graph_t *g, uint32_t n)
{
    const kappa_step_t *step = &g->steps[n];
    /* Ours until the model is built. */
    kappa_view_t *source = (kappa_view_t *)step->source;
    kappa_aggregate_t *aggregate = (kappa_aggregate_t *)step->aggregate;

    g->placed[n] = true;
    finish(g, step);
    source->steps[source->step_count++] = model->step_count;
    model->steps[model->step_count++] = *step;
    if (aggregate) {
        aggregate->number = model->aggregate_count;
        model->aggregates[model->aggregate_count++] = aggregate;
    }
}

/* One round over all steps; whether one was placed. */
static bool
advance(kappa_model_t *model, graph_t *g)
{
    bool advanced = false;

    for (uint32_t i = 0; i < g->step_count; i++) {
        if (!g->placed[i] && ready(g, &g->steps[i])) {
            place(model, g, i);
            advanced = true;
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

static kappa_status_t
make_room(kappa_model_builder_t *b, const graph_t *g)
{
    kappa_model_t *model = b->model;

    model->steps = KAPPA_NEW_ARRAY(b->arena, kappa_step_t, g->step_count);
    if (!model->steps) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < model->view_count; i++) {
        kappa_view_t *view = model->views[i];

        view->steps = KAPPA_NEW_ARRAY(b->arena, uint32_t,
            view->column_count + view->group_count + view->fed_count);
        if (!view->steps) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_model_order_aggregates(kappa_model_builder_t *b)
{
    kappa_model_t *model = b->model;
    graph_t g;
    kappa_status_t status = graph_init(b, &g);

    for (uint32_t i = 0; status == KAPPA_OK && i < model->view_count; i++) {
        collect(&g, model->views[i]);
    }
    if (status == KAPPA_OK) {
        status = make_room(b, &g);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    model->aggregate_count = 0;
    while (advance(model, &g)) {
    }
    return model->step_count < g.step_count ? refuse_cycle(b, &g) : KAPPA_OK;
}
