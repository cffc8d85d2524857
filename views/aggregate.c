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
refuse_key(kappa_apply_t *apply, const kappa_view_t *view, bool entry)
{
    if (entry) {
        kappa_apply_refuse(apply, "LIMIT_EXCEEDED",
            "%.*s: a value kept for @min or @max is too long (an entry has "
            "at most %d bytes)",
            KAPPA_STR_ARG(view->name), KAPPA_ENTRY_BYTES_MAX);
    } else {
        kappa_apply_refuse(apply, "LIMIT_EXCEEDED",
            "%.*s: a key has at most %d bytes", KAPPA_STR_ARG(view->name),
            KAPPA_KEY_BYTES_MAX);
    }
    return KAPPA_LIMIT;
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
    return kappa_key_fits(key) ? KAPPA_OK : refuse_key(apply, target, false);
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

static kappa_column_kind_t
value_kind(const kappa_aggregate_t *aggregate)
{
    return aggregate->source->columns[aggregate->source_column].kind;
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
        apply->set->event, value_kind(aggregate), json, &value);
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

static uint32_t
position_in(const kappa_aggregate_t *aggregate)
{
    uint32_t i = 0;

    while (aggregate->target->kept[i] != aggregate) {
        i++;
    }
    return i;
}

/* --- extremes: a sorted index of all that contribute */

static void
extreme_prefix(
    kappa_key_t *entry, const kappa_aggregate_t *aggregate, kappa_str_t target)
{
    char slot[2] = { (char)(aggregate->slot >> 8), (char)aggregate->slot };

    kappa_key_init(entry);
    kappa_key_add_raw(entry, kappa_str(slot, sizeof(slot)));
    kappa_key_add_raw(entry, target);
}

/* Notes that an entry comes or goes; opposite notes are one in the end. */
static kappa_status_t
note_extreme(kappa_changeset_t *set, kappa_str_t entry, int sign)
{
    kappa_str_t copy = kappa_str_dup(set->event, entry);

    return copy.data == NULL
        ? KAPPA_NOMEM
        : kappa_map_put(&set->extremes, copy,
            sign > 0 ? KAPPA_EXTREME_ADDED : KAPPA_EXTREME_REMOVED);
}

static bool
beats(const kappa_aggregate_t *aggregate, kappa_str_t part, kappa_str_t best)
{
    int order;

    if (best.len == 0) {
        return true;
    }
    order = kappa_str_cmp(part, best);
    return aggregate->kind == KAPPA_AGGREGATE_MIN ? order < 0 : order > 0;
}

/* The part behind a prefix, if entry starts with it. */
static kappa_str_t
part_of(
    const kappa_aggregate_t *aggregate, kappa_str_t prefix, kappa_str_t entry)
{
    if (!kappa_str_starts_with(entry, prefix)) {
        return KAPPA_STR_NULL;
    }
    kappa_str_t rest =
        kappa_str(entry.data + prefix.len, entry.len - prefix.len);
    rest.len = kappa_key_part_len(value_kind(aggregate), rest);
    return rest;
}

/* The best of what is stored and was not removed by this event. */
static kappa_status_t
best_stored(kappa_apply_t *apply, const kappa_aggregate_t *aggregate,
    kappa_key_t *prefix, kappa_str_t *best)
{
    kappa_changeset_t *set = apply->set;
    bool min = aggregate->kind == KAPPA_AGGREGATE_MIN;
    kappa_key_t end = *prefix;
    kappa_str_t entry, value;
    kappa_status_t status;

    kappa_key_end(&end);
    status = kappa_changeset_settle(set, KAPPA_DBI_EXTREMES);
    if (status != KAPPA_OK) {
        return status;
    }
    status = min ? kappa_txn_seek(set->txn, KAPPA_DBI_EXTREMES,
                 kappa_key_str(prefix), &entry, &value)
                 : kappa_txn_seek_before(set->txn, KAPPA_DBI_EXTREMES,
                     kappa_key_str(&end), &entry, &value);
    while (status == KAPPA_OK) {
        kappa_str_t part = part_of(aggregate, kappa_key_str(prefix), entry);

        if (part.len == 0) {
            return KAPPA_OK;
        }
        if (kappa_map_get(&set->extremes, entry) != KAPPA_EXTREME_REMOVED) {
            *best = part;
            return KAPPA_OK;
        }
        status = min
            ? kappa_txn_next(set->txn, KAPPA_DBI_EXTREMES, &entry, &value)
            : kappa_txn_previous(set->txn, KAPPA_DBI_EXTREMES, &entry, &value);
    }
    return status == KAPPA_DONE ? KAPPA_OK : status;
}

static kappa_status_t
find_extreme(kappa_apply_t *apply, const kappa_aggregate_t *aggregate,
    kappa_str_t target, kappa_kept_t *kept)
{
    const kappa_map_t *extremes = &apply->set->extremes;
    kappa_key_t prefix;
    kappa_str_t best = KAPPA_STR_NULL;

    extreme_prefix(&prefix, aggregate, target);
    kappa_status_t status = best_stored(apply, aggregate, &prefix, &best);
    if (status != KAPPA_OK) {
        return status;
    }
    for (uint32_t i = 0; i < extremes->count; i++) {
        const kappa_map_entry_t *entry = &extremes->entries[i];

        if (entry->value != KAPPA_EXTREME_ADDED) {
            continue;
        }
        kappa_str_t part =
            part_of(aggregate, kappa_key_str(&prefix), entry->key);
        if (part.len != 0 && beats(aggregate, part, best)) {
            best = part;
        }
    }
    if (kept->left.len != 0 && beats(aggregate, kept->left, best)) {
        best = kept->left;
    }
    kept->extreme = KAPPA_STR_NULL;
    if (best.len != 0) {
        kept->extreme = kappa_str_dup(apply->set->event, best);
        return kept->extreme.data ? KAPPA_OK : KAPPA_NOMEM;
    }
    return KAPPA_OK;
}

static kappa_status_t
change_extreme(kappa_apply_t *apply, const kappa_node_t *source,
    const kappa_aggregate_t *aggregate, kappa_kept_t *kept,
    const contribution_t *c, int sign)
{
    kappa_str_t target = kappa_key_str(&c->target);
    kappa_key_t entry;

    extreme_prefix(&entry, aggregate, target);
    uint32_t start = entry.len;
    kappa_key_add_json(&entry, value_kind(aggregate), c->value);
    kappa_str_t part = kappa_str(entry.data + start, entry.len - start);
    kappa_key_add_raw(&entry, source->key);
    if (entry.over || entry.invalid) {
        return refuse_key(apply, aggregate->target, true);
    }
    kappa_status_t status =
        note_extreme(apply->set, kappa_key_str(&entry), sign);
    if (status != KAPPA_OK) {
        return status;
    }
    if (sign < 0) {
        return kappa_str_eq(part, kept->extreme)
            ? find_extreme(apply, aggregate, target, kept)
            : KAPPA_OK;
    }
    if (beats(aggregate, part, kept->extreme)) {
        kept->extreme = kappa_str_dup(apply->set->event, part);
        return kept->extreme.data ? KAPPA_OK : KAPPA_NOMEM;
    }
    return KAPPA_OK;
}

static kappa_status_t
contributed(kappa_changeset_t *set, kappa_str_t entry, bool *out)
{
    const void *noted = kappa_map_get(&set->extremes, entry);
    kappa_str_t value;

    *out = noted == KAPPA_EXTREME_ADDED;
    if (noted != NULL) {
        return KAPPA_OK;
    }
    kappa_status_t status = kappa_changeset_settle(set, KAPPA_DBI_EXTREMES);
    if (status == KAPPA_OK) {
        status = kappa_txn_get(set->txn, KAPPA_DBI_EXTREMES, entry, &value);
    }
    *out = status == KAPPA_OK;
    return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
}

static kappa_status_t
keep_extreme(kappa_changeset_t *set, const kappa_aggregate_t *aggregate,
    kappa_str_t target, kappa_str_t part)
{
    kappa_node_t *node;
    kappa_tally_t *tally;
    kappa_status_t status =
        kappa_changeset_node(set, aggregate->target, target, &node);

    if (status == KAPPA_OK) {
        status = kappa_node_tally(set, node, &tally);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    kappa_kept_t *kept = &tally->kept[position_in(aggregate)];
    if (beats(aggregate, part, kept->left)) {
        kept->left = kappa_str_dup(set->event, part);
        return kept->left.data ? KAPPA_OK : KAPPA_NOMEM;
    }
    return KAPPA_OK;
}

/* What can't be an entry did not contribute. */
static kappa_status_t
leave_extreme(kappa_changeset_t *set, const kappa_node_t *source,
    const kappa_aggregate_t *aggregate)
{
    kappa_key_t target, entry;
    bool counts;

    kappa_key_init(&target);
    for (uint32_t i = 0; i < aggregate->by_count; i++) {
        kappa_key_add_json(&target,
            source->view->columns[aggregate->by[i]].kind,
            source->cells[aggregate->by[i]]);
    }
    extreme_prefix(&entry, aggregate, kappa_key_str(&target));
    uint32_t start = entry.len;
    kappa_key_add_json(&entry, value_kind(aggregate),
        source->cells[aggregate->source_column]);
    kappa_str_t part = kappa_str(entry.data + start, entry.len - start);
    kappa_key_add_raw(&entry, source->key);
    if (target.over || target.invalid || entry.over || entry.invalid) {
        return KAPPA_OK;
    }
    kappa_status_t status = contributed(set, kappa_key_str(&entry), &counts);
    if (status != KAPPA_OK || !counts) {
        return status;
    }
    status = note_extreme(set, kappa_key_str(&entry), -1);
    return status == KAPPA_OK
        ? keep_extreme(set, aggregate, kappa_key_str(&target), part)
        : status;
}

kappa_status_t
kappa_extremes_leave(kappa_changeset_t *set, const kappa_node_t *source)
{
    const kappa_view_t *view = source->view;
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < view->fed_count && status == KAPPA_OK; i++) {
        const kappa_aggregate_t *aggregate = view->fed[i];

        if (aggregate->kind == KAPPA_AGGREGATE_MIN
            || aggregate->kind == KAPPA_AGGREGATE_MAX) {
            status = leave_extreme(set, source, aggregate);
        }
    }
    return status;
}

kappa_status_t
kappa_extremes_accept(kappa_changeset_t *set)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < set->extremes.count && status == KAPPA_OK; i++) {
        const kappa_map_entry_t *entry = &set->extremes.entries[i];

        status = entry->value == KAPPA_EXTREME_ADDED
            ? kappa_changeset_put(
                set, KAPPA_DBI_EXTREMES, entry->key, KAPPA_STR(""))
            : kappa_changeset_del(set, KAPPA_DBI_EXTREMES, entry->key);
    }
    return status;
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
        *out = value_kind(aggregate) == KAPPA_COLUMN_DOUBLE
            ? kappa_double(kappa_exact_value(&kept->exact))
            : kappa_int(kept->sum);
        return KAPPA_OK;
    case KAPPA_AGGREGATE_AVG:
        *out = average(value_kind(aggregate), kept);
        return KAPPA_OK;
    case KAPPA_AGGREGATE_MIN:
    case KAPPA_AGGREGATE_MAX:
        return part.len == 0 ? KAPPA_OK
                             : kappa_key_take(apply->set->event,
                                 value_kind(aggregate), &part, out);
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
        return change_extreme(apply, source, aggregate, kept, c, sign);
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
    kappa_kept_t *kept = &tally->kept[position_in(aggregate)];
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
