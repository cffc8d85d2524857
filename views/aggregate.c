#include "views/apply.h"
#include "views/keep.h"
#include "views/row.h"

/* Aggregates: each row of a source contributes at most one value to one
 * target; a change of the row takes the old contribution away and adds the
 * new one. What they come from is in the target's tally, the values are in
 * the target's row when there is one. */

/* What a row contributes: nothing, or its value to the row of target. */
typedef struct {
    bool counts;
    kappa_str_t value; /* JSON */
    kappa_key_t target;
} contribution_t;

static kappa_status_t
where_holds(kappa_apply_t *apply, const kappa_aggregate_t *aggregate,
    const kappa_str_t *cells, bool *holds)
{
    kappa_scope_row_t row = { .view = aggregate->source, .cells = cells };
    const kappa_scope_row_t *outer = apply->scope.row;

    apply->scope.row = &row;
    kappa_status_t status = kappa_scope_holds(
        &apply->scope, aggregate->where, apply->set->event, holds);
    apply->scope.row = outer;
    return status;
}

static kappa_status_t
target_of(kappa_apply_t *apply, const kappa_view_t *source,
    const kappa_view_t *target, const uint32_t *by, uint32_t by_count,
    const kappa_str_t *cells, kappa_key_t *key)
{
    kappa_key_init(key);
    for (uint32_t i = 0; i < by_count; i++) {
        kappa_key_add_json(key, source->columns[by[i]].kind, cells[by[i]]);
    }
    if (key->null) {
        return KAPPA_NOT_FOUND;
    }
    if (!kappa_key_fits(key)) {
        kappa_apply_refuse(apply, "LIMIT_EXCEEDED",
            "%.*s: a key has at most %d bytes", KAPPA_STR_ARG(target->name),
            KAPPA_KEY_BYTES_MAX);
        return KAPPA_LIMIT;
    }
    return KAPPA_OK;
}

static kappa_status_t
contribution(kappa_apply_t *apply, const kappa_aggregate_t *aggregate,
    const kappa_str_t *cells, contribution_t *out)
{
    out->counts = false;
    if (cells == NULL) {
        return KAPPA_OK;
    }
    if (aggregate->source_column >= 0) {
        out->value = cells[aggregate->source_column];
        if (out->value.len == 0) {
            return KAPPA_OK;
        }
    }
    kappa_status_t status =
        target_of(apply, aggregate->source, aggregate->target, aggregate->by,
            aggregate->by_count, cells, &out->target);
    if (status != KAPPA_OK) {
        return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
    }
    return where_holds(apply, aggregate, cells, &out->counts);
}

static kappa_status_t
refuse_overflow(kappa_apply_t *apply, const kappa_aggregate_t *aggregate)
{
    const kappa_view_t *target = aggregate->target;

    return kappa_apply_refuse(apply, "LIMIT_EXCEEDED",
        "%.*s.%.*s: the sum would overflow", KAPPA_STR_ARG(target->name),
        KAPPA_STR_ARG(target->columns[aggregate->target_column].name));
}

static kappa_status_t
change_sum(kappa_apply_t *apply, const kappa_aggregate_t *aggregate,
    kappa_kept_t *kept, kappa_str_t json, int sign)
{
    kappa_value_t value;
    kappa_status_t status = kappa_column_value(
        apply->set->event, kappa_aggregate_kind(aggregate), json, &value);
    bool fits;

    if (status != KAPPA_OK) {
        return status;
    }
    if (value.kind == KAPPA_DOUBLE) {
        fits = kappa_exact_add(&kept->exact, sign * value.as.number);
    } else if (sign > 0) {
        fits =
            !__builtin_add_overflow(kept->sum, value.as.integer, &kept->sum);
    } else {
        fits =
            !__builtin_sub_overflow(kept->sum, value.as.integer, &kept->sum);
    }
    return fits ? KAPPA_OK : refuse_overflow(apply, aggregate);
}

/* --- values */

static kappa_value_t
average(kappa_column_kind_t kind, const kappa_kept_t *kept)
{
    double sum = kind == KAPPA_COLUMN_DOUBLE ? kappa_exact_value(&kept->exact)
                                             : (double)kept->sum;

    return kept->count ? kappa_double(sum / (double)kept->count)
                       : kappa_null();
}

static kappa_status_t
value_of(kappa_apply_t *apply, const kappa_aggregate_t *aggregate,
    const kappa_kept_t *kept, kappa_value_t *out)
{
    kappa_str_t part = kept->extreme;

    *out = kappa_null();
    switch (aggregate->kind) {
    case KAPPA_AGGREGATE_COUNT:
        *out = kappa_int(kept->count);
        return KAPPA_OK;
    case KAPPA_AGGREGATE_SUM:
        *out = kappa_aggregate_kind(aggregate) == KAPPA_COLUMN_DOUBLE
            ? kappa_double(kappa_exact_value(&kept->exact))
            : kappa_int(kept->sum);
        return KAPPA_OK;
    case KAPPA_AGGREGATE_AVG:
        *out = average(kappa_aggregate_kind(aggregate), kept);
        return KAPPA_OK;
    case KAPPA_AGGREGATE_MIN:
    case KAPPA_AGGREGATE_MAX:
        return part.len == 0 ? KAPPA_OK
                             : kappa_key_take(apply->set->event,
                                 kappa_aggregate_kind(aggregate), &part, out);
    }
    return KAPPA_OK;
}

static kappa_status_t
fill_cell(kappa_apply_t *apply, kappa_node_t *node,
    const kappa_aggregate_t *aggregate, const kappa_kept_t *kept,
    kappa_str_t *cells)
{
    const kappa_column_t *column =
        &node->view->columns[aggregate->target_column];
    kappa_value_t value;
    kappa_status_t status = value_of(apply, aggregate, kept, &value);

    if (status != KAPPA_OK) {
        return status;
    }
    if (column->kind == KAPPA_COLUMN_INT && value.kind == KAPPA_INT
        && value.as.integer != (int32_t)value.as.integer) {
        return kappa_apply_refuse(apply, "LIMIT_EXCEEDED",
            "%.*s.%.*s: %lld does not fit Int; a BigInt could hold it",
            KAPPA_STR_ARG(node->view->name), KAPPA_STR_ARG(column->name),
            (long long)value.as.integer);
    }
    return kappa_apply_cell(
        apply, node, cells, aggregate->target_column, &value);
}

kappa_status_t
kappa_aggregate_fill(
    kappa_apply_t *apply, kappa_node_t *node, kappa_str_t *cells)
{
    const kappa_view_t *view = node->view;
    kappa_tally_t *tally;

    if (view->kept_count == 0) {
        return KAPPA_OK;
    }
    kappa_status_t status = kappa_node_tally(apply->set, node, &tally);
    for (uint32_t i = 0; i < view->kept_count && status == KAPPA_OK; i++) {
        status = fill_cell(apply, node, view->kept[i], &tally->kept[i], cells);
    }
    return status;
}

/* --- feeding */

static kappa_status_t
change_kept(kappa_apply_t *apply, const kappa_node_t *source,
    const kappa_aggregate_t *aggregate, kappa_kept_t *kept,
    const contribution_t *c, int sign)
{
    kept->count += sign;
    switch (aggregate->kind) {
    case KAPPA_AGGREGATE_COUNT:
        return KAPPA_OK;
    case KAPPA_AGGREGATE_SUM:
    case KAPPA_AGGREGATE_AVG:
        return change_sum(apply, aggregate, kept, c->value, sign);
    default:
        return kappa_extremes_change(apply, source, aggregate, kept,
            kappa_key_str(&c->target), c->value, sign);
    }
}

/* The target's row has the new value. */
static kappa_status_t
refresh(kappa_apply_t *apply, kappa_node_t *target,
    const kappa_aggregate_t *aggregate, const kappa_kept_t *kept)
{
    if (!target->exists) {
        return KAPPA_OK;
    }
    kappa_str_t *cells = kappa_apply_copy_cells(apply, target);
    if (cells == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = fill_cell(apply, target, aggregate, kept, cells);
    if (status != KAPPA_OK
        || kappa_str_eq(cells[aggregate->target_column],
            target->cells[aggregate->target_column])) {
        return status;
    }
    return kappa_apply_change(apply, target, cells);
}

/* out and in: what is taken from this target and what is added; NULL: not. */
static kappa_status_t
change_target(kappa_apply_t *apply, const kappa_node_t *source,
    const kappa_aggregate_t *aggregate, const contribution_t *out,
    const contribution_t *in)
{
    const kappa_key_t *key = in ? &in->target : &out->target;
    kappa_node_t *target;
    kappa_tally_t *tally;
    kappa_status_t status = kappa_keep_node(
        apply->set, aggregate->target, kappa_key_str(key), &target);

    if (status == KAPPA_OK) {
        status = kappa_node_tally(apply->set, target, &tally);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    kappa_kept_t *kept = &tally->kept[kappa_aggregate_position(aggregate)];
    if (out != NULL) {
        status = change_kept(apply, source, aggregate, kept, out, -1);
    }
    if (status == KAPPA_OK && in != NULL) {
        status = change_kept(apply, source, aggregate, kept, in, 1);
    }
    return status == KAPPA_OK ? refresh(apply, target, aggregate, kept)
                              : status;
}

static bool
same_columns(const uint32_t *columns, uint32_t count,
    const kappa_str_t *before, const kappa_str_t *after)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!kappa_str_eq(before[columns[i]], after[columns[i]])) {
            return false;
        }
    }
    return true;
}

/* Nothing that it depends on differs. */
static bool
unaffected(const kappa_aggregate_t *aggregate, const kappa_str_t *before,
    const kappa_str_t *after)
{
    if (before == NULL || after == NULL) {
        return before == after;
    }
    if (aggregate->where != NULL) {
        const kappa_expr_reads_t *reads = kappa_expr_reads(aggregate->where);

        if (!same_columns(
                reads->row_columns, reads->row_column_count, before, after)) {
            return false;
        }
    }
    return same_columns(aggregate->by, aggregate->by_count, before, after)
        && (aggregate->source_column < 0
            || kappa_str_eq(before[aggregate->source_column],
                after[aggregate->source_column]));
}

kappa_status_t
kappa_aggregate_feed(kappa_apply_t *apply, const kappa_node_t *source,
    const kappa_aggregate_t *aggregate, const kappa_str_t *before,
    const kappa_str_t *after)
{
    contribution_t out, in;

    if (unaffected(aggregate, before, after)) {
        return KAPPA_OK;
    }
    kappa_status_t status = contribution(apply, aggregate, before, &out);
    if (status == KAPPA_OK) {
        status = contribution(apply, aggregate, after, &in);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (out.counts && in.counts
        && kappa_str_eq(
            kappa_key_str(&out.target), kappa_key_str(&in.target))) {
        return change_target(apply, source, aggregate, &out, &in);
    }
    if (out.counts) {
        status = change_target(apply, source, aggregate, &out, NULL);
    }
    if (status == KAPPA_OK && in.counts) {
        status = change_target(apply, source, aggregate, NULL, &in);
    }
    return status;
}
