#include "views/model_private.h"

#include <openssl/sha.h>

#include "base/buf.h"

/* What decides how events become rows, written down in full and hashed. Two
 * schemas of one hash make the same rows of the same log. */

static void
add_str(kappa_buf_t *buf, kappa_str_t s)
{
    kappa_buf_int64(buf, (int64_t)s.len);
    kappa_buf_char(buf, ':');
    kappa_buf_str(buf, s);
}

static void
add_number(kappa_buf_t *buf, int64_t n)
{
    kappa_buf_int64(buf, n);
    kappa_buf_char(buf, ';');
}

static void
add_expr(kappa_buf_t *buf, const kappa_expr_t *expr)
{
    if (!expr) {
        kappa_buf_char(buf, '-');
        return;
    }
    add_str(buf, kappa_expr_text(expr));
}

static void
add_columns(kappa_buf_t *buf, const kappa_view_t *view,
    const uint32_t *columns, uint32_t count)
{
    add_number(buf, count);
    for (uint32_t i = 0; i < count; i++) {
        add_str(buf, view->columns[columns[i]].name);
    }
}

static void
add_column(kappa_buf_t *buf, const kappa_column_t *column)
{
    add_str(buf, column->name);
    add_number(buf, column->kind);
    add_number(buf, column->required);
    add_number(buf, column->stamp_always);
    for (uint32_t i = 0; i < column->was_count; i++) {
        add_str(buf, column->was[i]);
    }
    add_expr(buf, column->stamp);
    add_expr(buf, column->fallback);
    add_expr(buf, column->computed);
}

static void
add_aggregate(kappa_buf_t *buf, const kappa_aggregate_t *a)
{
    add_number(buf, a->kind);
    add_str(buf, a->target->name);
    add_columns(buf, a->target, &a->target_column, 1);
    add_str(buf, a->source->name);
    add_columns(buf, a->source, a->by, a->by_count);
    if (a->source_column >= 0) {
        uint32_t column = (uint32_t)a->source_column;
        add_columns(buf, a->source, &column, 1);
    }
    add_expr(buf, a->where);
}

static void
add_view(kappa_buf_t *buf, const kappa_view_t *view)
{
    add_str(buf, view->name);
    add_str(buf, view->was);
    add_number(buf, view->keep_ms);
    for (uint32_t i = 0; i < view->column_count; i++) {
        add_column(buf, &view->columns[i]);
    }
    for (uint32_t i = 0; i < view->index_count; i++) {
        const kappa_index_t *index = &view->indexes[i];

        add_number(buf, index->unique);
        add_number(buf, (int64_t)index->counted);
        add_columns(buf, view, index->columns, index->column_count);
    }
    if (view->group_of) {
        add_str(buf, view->group_of->name);
        add_columns(buf, view->group_of, view->group_by, view->key_count);
    }
}

static void
add_effect(kappa_buf_t *buf, const kappa_effect_rule_t *effect)
{
    add_str(buf, effect->view->name);
    add_number(buf, effect->effect);
    add_number(buf, effect->by_name);
    add_expr(buf, effect->each);
    add_expr(buf, effect->condition);
    for (uint32_t i = 0; effect->key && i < effect->view->key_count; i++) {
        add_expr(buf, effect->key[i]);
    }
    for (uint32_t i = 0; i < effect->set_count; i++) {
        add_columns(buf, effect->view, &effect->sets[i].column, 1);
        add_expr(buf, effect->sets[i].value);
    }
}

static void
add_rule(kappa_buf_t *buf, const kappa_event_rule_t *rule)
{
    add_str(buf, rule->thing);
    add_str(buf, rule->verb);
    add_number(buf, rule->effect);
    for (uint32_t i = 0; i < rule->effect_count; i++) {
        add_effect(buf, rule->effects[i]);
    }
}

kappa_status_t
kappa_model_hash(kappa_model_builder_t *b)
{
    const kappa_model_t *model = b->model;
    kappa_buf_t buf;

    kappa_buf_init(&buf, kappa_arena_source(b->arena));
    for (uint32_t i = 0; i < model->view_count; i++) {
        add_view(&buf, model->views[i]);
    }
    for (uint32_t i = 0; i < model->aggregate_count; i++) {
        add_aggregate(&buf, model->aggregates[i]);
    }
    for (uint32_t i = 0; i < model->rule_count; i++) {
        add_rule(&buf, model->rules[i]);
    }
    kappa_status_t status = buf.failed ? KAPPA_NOMEM : KAPPA_OK;
    if (status == KAPPA_OK) {
        SHA256(
            (const unsigned char *)buf.data, buf.len, b->model->projections);
    }
    kappa_buf_release(&buf);
    return status;
}
