#include "views/apply.h"

/* What @min and @max are found by: a sorted index of all that contribute, by
 * aggregate, target, value and source. What an event does to it waits in the
 * changeset until the event is accepted. */

static void
begin_entry(
    kappa_key_t *entry, const kappa_aggregate_t *aggregate, kappa_str_t target)
{
    char slot[2] = { (char)(aggregate->slot >> 8), (char)aggregate->slot };

    kappa_key_init(entry);
    kappa_key_add_raw(entry, kappa_str(slot, sizeof(slot)));
    kappa_key_add_raw(entry, target);
}

/* *part is the value's, in the entry. False: it can be no entry. */
static bool
make_entry(kappa_key_t *entry, const kappa_aggregate_t *aggregate,
    kappa_str_t target, kappa_str_t value, kappa_str_t source,
    kappa_str_t *part)
{
    begin_entry(entry, aggregate, target);
    uint32_t start = entry->len;
    kappa_key_add_json(entry, kappa_aggregate_kind(aggregate), value);
    *part = kappa_str(entry->data + start, entry->len - start);
    kappa_key_add_raw(entry, source);
    return !entry->over && !entry->invalid;
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
    rest.len = kappa_key_part_len(kappa_aggregate_kind(aggregate), rest);
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

    begin_entry(&prefix, aggregate, target);
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

kappa_status_t
kappa_extremes_change(kappa_apply_t *apply, const kappa_node_t *source,
    const kappa_aggregate_t *aggregate, kappa_kept_t *kept, kappa_str_t target,
    kappa_str_t value, int sign)
{
    kappa_key_t entry;
    kappa_str_t part;

    if (!make_entry(&entry, aggregate, target, value, source->key, &part)) {
        kappa_apply_refuse(apply, "LIMIT_EXCEEDED",
            "%.*s: a value kept for @min or @max is too long (an entry has "
            "at most %d bytes)",
            KAPPA_STR_ARG(aggregate->target->name), KAPPA_ENTRY_BYTES_MAX);
        return KAPPA_LIMIT;
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
    kappa_kept_t *kept = &tally->kept[kappa_aggregate_position(aggregate)];
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
    kappa_str_t part;
    bool counts;

    kappa_key_init(&target);
    for (uint32_t i = 0; i < aggregate->by_count; i++) {
        kappa_key_add_json(&target,
            source->view->columns[aggregate->by[i]].kind,
            source->cells[aggregate->by[i]]);
    }
    bool fits = make_entry(&entry, aggregate, kappa_key_str(&target),
        source->cells[aggregate->source_column], source->key, &part);
    if (target.over || target.invalid || !fits) {
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
