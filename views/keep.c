#include "views/keep.h"

/* What an event takes with it beside twice what it makes: enough to get ahead
 * of what was left over when nothing happened for long, little enough for a
 * batch of a thousand. */
#define SWEEP 32

#define TIME_BYTES 8
#define PREFIX_BYTES (KAPPA_ROW_PREFIX_BYTES + TIME_BYTES)
#define SIGN (UINT64_C(1) << 63)

/* --- entries: the rows' prefix of the view, when, key */

void
kappa_keep_first(const kappa_view_t *view, kappa_key_t *entry)
{
    kappa_key_init(entry);
    kappa_key_row_prefix(entry, view);
}

static void
write_entry(const kappa_view_t *view, int64_t made_ms, kappa_str_t key,
    kappa_key_t *entry)
{
    uint64_t ordered = (uint64_t)made_ms ^ SIGN;
    char bytes[TIME_BYTES];

    for (int i = 0; i < TIME_BYTES; i++) {
        bytes[i] = (char)(ordered >> (56 - 8 * i));
    }
    kappa_keep_first(view, entry);
    kappa_key_add_raw(entry, kappa_str(bytes, sizeof(bytes)));
    kappa_key_add_raw(entry, key);
}

bool
kappa_keep_entry(const kappa_view_t *view, kappa_str_t entry, int64_t *made_ms,
    kappa_str_t *key)
{
    kappa_key_t prefix;
    uint64_t ordered = 0;

    kappa_keep_first(view, &prefix);
    if (entry.len < PREFIX_BYTES
        || !kappa_str_starts_with(entry, kappa_key_str(&prefix))) {
        return false;
    }
    for (int i = 0; i < TIME_BYTES; i++) {
        ordered = ordered << 8
            | (unsigned char)entry.data[KAPPA_ROW_PREFIX_BYTES + i];
    }
    *made_ms = (int64_t)(ordered ^ SIGN);
    *key = kappa_str(entry.data + PREFIX_BYTES, entry.len - PREFIX_BYTES);
    return true;
}

/* --- leaving */

static kappa_status_t
leave(kappa_changeset_t *set, kappa_node_t *node)
{
    kappa_status_t status = kappa_node_touch(set, node);

    if (status == KAPPA_OK) {
        status = kappa_extremes_leave(set, node);
    }
    node->exists = false;
    node->row_touched = true;
    return status;
}

static bool
is_over(const kappa_changeset_t *set, const kappa_node_t *node)
{
    bool fresh = node->event == set->number && node->fresh;

    return node->view->keep_ms != 0 && !fresh && kappa_node_exists(set, node)
        && kappa_keep_over(node->view, kappa_row_made(node->row), set->now_ms);
}

static kappa_status_t
leave_if_over(kappa_changeset_t *set, kappa_node_t *node)
{
    if (!is_over(set, node)) {
        return KAPPA_OK;
    }
    kappa_status_t status = leave(set, node);
    node->left = true;
    return status;
}

kappa_status_t
kappa_keep_node(kappa_changeset_t *set, const kappa_view_t *view,
    kappa_str_t key, kappa_node_t **out)
{
    kappa_status_t status = kappa_changeset_node(set, view, key, out);

    return status == KAPPA_OK ? leave_if_over(set, *out) : status;
}

kappa_status_t
kappa_keep_late(kappa_changeset_t *set)
{
    kappa_status_t status = KAPPA_OK;

    for (kappa_node_t *n = set->touched; n != NULL && status == KAPPA_OK;
         n = n->next_touched) {
        if (!n->fresh || !n->exists
            || !kappa_keep_over(n->view, set->event_ms, set->now_ms)) {
            continue;
        }
        n->late_row = n->new_row;
        n->late_len = n->new_len;
        status = leave(set, n);
    }
    return status;
}

/* --- the others */

static uint32_t
count_made(const kappa_changeset_t *set)
{
    uint32_t count = 0;

    for (const kappa_node_t *n = set->touched; n; n = n->next_touched) {
        count += n->fresh && n->exists && n->view->keep_ms != 0;
    }
    return count;
}

/* *due_ms becomes the time of the first that stays. */
static kappa_status_t
sweep_view(kappa_changeset_t *set, const kappa_view_t *view, uint32_t *left,
    int64_t *due_ms)
{
    kappa_key_t first;
    kappa_str_t entry, value, key;
    kappa_node_t *node;
    int64_t made_ms;

    kappa_keep_first(view, &first);
    kappa_status_t status = kappa_txn_seek(
        set->txn, KAPPA_DBI_MADE, kappa_key_str(&first), &entry, &value);
    while (
        status == KAPPA_OK && kappa_keep_entry(view, entry, &made_ms, &key)) {
        if (!kappa_keep_over(view, made_ms, set->now_ms)) {
            int64_t end = made_ms + view->keep_ms;

            *due_ms = end < *due_ms ? end : *due_ms;
            return KAPPA_OK;
        }
        if (*left == 0) {
            *due_ms = INT64_MIN;
            return KAPPA_OK;
        }
        (*left)--;
        status = kappa_keep_node(set, view, key, &node);
        if (status == KAPPA_OK) {
            status = kappa_txn_next(set->txn, KAPPA_DBI_MADE, &entry, &value);
        }
    }
    return status == KAPPA_DONE ? KAPPA_OK : status;
}

kappa_status_t
kappa_keep_sweep(kappa_changeset_t *set, const kappa_model_t *model)
{
    kappa_status_t status = KAPPA_OK;
    int64_t due_ms = INT64_MAX;

    set->next_due_ms = set->due_ms;
    if (model->keep_min_ms == 0 || set->now_ms < set->due_ms) {
        return KAPPA_OK;
    }
    uint32_t left = SWEEP + 2 * count_made(set);
    status = kappa_changeset_settle(set, KAPPA_DBI_MADE);
    for (uint32_t i = 0; i < model->view_count && status == KAPPA_OK; i++) {
        if (model->views[i]->keep_ms != 0) {
            status = sweep_view(set, model->views[i], &left, &due_ms);
        }
    }
    set->next_due_ms = due_ms;
    return status;
}

/* --- accepting */

kappa_status_t
kappa_keep_accept(kappa_changeset_t *set, const kappa_node_t *node)
{
    int64_t old = node->row ? kappa_row_made(node->row) : INT64_MAX;
    int64_t new = node->new_row ? kappa_row_made(node->new_row) : INT64_MAX;
    kappa_status_t status = KAPPA_OK;
    kappa_key_t entry;

    if (node->view->keep_ms == 0 || old == new) {
        return KAPPA_OK;
    }
    if (old != INT64_MAX) {
        write_entry(node->view, old, node->key, &entry);
        status =
            kappa_changeset_del(set, KAPPA_DBI_MADE, kappa_key_str(&entry));
    }
    if (status == KAPPA_OK && new != INT64_MAX) {
        int64_t end = kappa_keep_end(node->view, node->new_row);

        set->next_due_ms = end < set->next_due_ms ? end : set->next_due_ms;
        write_entry(node->view, new, node->key, &entry);
        status = kappa_changeset_put(
            set, KAPPA_DBI_MADE, kappa_key_str(&entry), KAPPA_STR(""));
    }
    return status;
}
