#include "views/keep.h"

/* Groups (@groupBy): a row of the group view exists while the group has
 * members, or until its own keep is over. Their number is in its tally. */

/* KAPPA_NOT_FOUND: the row belongs to no group. */
static kappa_status_t
group_key(kappa_apply_t *apply, const kappa_view_t *source,
    const kappa_view_t *group, const kappa_str_t *cells, kappa_key_t *key)
{
    kappa_key_init(key);
    if (cells == NULL) {
        return KAPPA_NOT_FOUND;
    }
    for (uint32_t i = 0; i < group->key_count; i++) {
        uint32_t column = group->group_by[i];

        kappa_key_add_json(key, source->columns[column].kind, cells[column]);
    }
    if (key->null) {
        return KAPPA_NOT_FOUND;
    }
    if (!kappa_key_fits(key)) {
        kappa_apply_refuse(apply, "LIMIT_EXCEEDED",
            "%.*s: a key has at most %d bytes", KAPPA_STR_ARG(group->name),
            KAPPA_KEY_BYTES_MAX);
        return KAPPA_LIMIT;
    }
    return KAPPA_OK;
}

static kappa_status_t
make_row(kappa_apply_t *apply, const kappa_view_t *group, kappa_node_t *node,
    const kappa_str_t *source_cells)
{
    kappa_str_t *cells =
        KAPPA_NEW_ARRAY(apply->set->event, kappa_str_t, group->column_count);

    if (cells == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < group->key_count; i++) {
        cells[group->key[i]] = source_cells[group->group_by[i]];
    }
    kappa_status_t status = kappa_aggregate_fill(apply, node, cells);
    return status == KAPPA_OK ? kappa_apply_change(apply, node, cells)
                              : status;
}

static kappa_status_t
change_members(kappa_apply_t *apply, const kappa_view_t *group,
    const kappa_key_t *key, const kappa_str_t *source_cells, int sign)
{
    kappa_node_t *node;
    kappa_tally_t *tally;
    kappa_status_t status =
        kappa_keep_node(apply->set, group, kappa_key_str(key), &node);

    if (status == KAPPA_OK) {
        status = kappa_node_tally(apply->set, node, &tally);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    tally->members += sign;
    if (sign > 0 && !node->exists) {
        return make_row(apply, group, node, source_cells);
    }
    if (sign < 0 && tally->members == 0 && node->exists) {
        return kappa_apply_change(apply, node, NULL);
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_group_feed(kappa_apply_t *apply, const kappa_view_t *source,
    const kappa_view_t *group, const kappa_str_t *before,
    const kappa_str_t *after)
{
    kappa_key_t out, in;
    kappa_status_t left = group_key(apply, source, group, before, &out);
    kappa_status_t joined = group_key(apply, source, group, after, &in);

    if (left != KAPPA_OK && left != KAPPA_NOT_FOUND) {
        return left;
    }
    if (joined != KAPPA_OK && joined != KAPPA_NOT_FOUND) {
        return joined;
    }
    if (left == joined
        && (left == KAPPA_NOT_FOUND
            || kappa_str_eq(kappa_key_str(&out), kappa_key_str(&in)))) {
        return KAPPA_OK;
    }
    kappa_status_t status = KAPPA_OK;
    if (left == KAPPA_OK) {
        status = change_members(apply, group, &out, before, -1);
    }
    if (status == KAPPA_OK && joined == KAPPA_OK) {
        status = change_members(apply, group, &in, after, 1);
    }
    return status;
}
