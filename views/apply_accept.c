#include "views/apply.h"
#include "views/changes.h"
#include "views/count.h"
#include "views/keep.h"
#include "views/used_keys.h"
#include "views/verbs.h"

static kappa_status_t
accept_entries(kappa_changeset_t *set, const kappa_node_t *node)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < node->view->index_count && status == KAPPA_OK;
         i++) {
        kappa_str_t old = node->old_entries[i];
        kappa_str_t new = node->new_entries[i];

        if (kappa_str_eq(old, new)) {
            continue;
        }
        status =
            kappa_counts_change(set->txn, &node->view->indexes[i], old, new);
        if (i == 0 || status != KAPPA_OK) {
            continue; /* rows are put when the changeset is flushed */
        }
        if (old.len != 0) {
            status = kappa_changeset_del(set, KAPPA_DBI_INDEX, old);
        }
        if (status == KAPPA_OK && new.len != 0) {
            status =
                kappa_changeset_put(set, KAPPA_DBI_INDEX, new, KAPPA_STR(""));
        }
    }
    return status;
}

static uint64_t *
differing(kappa_arena_t *arena, const kappa_node_t *node)
{
    const kappa_view_t *view = node->view;
    uint64_t *bits =
        KAPPA_NEW_ARRAY(arena, uint64_t, view->column_count / 64 + 1);

    for (uint32_t i = 0; bits != NULL && i < view->column_count; i++) {
        uint32_t number = view->columns[i].number;
        kappa_str_t old =
            node->row ? kappa_row_column(node->row, number) : KAPPA_STR_NULL;
        kappa_str_t new = node->new_row
            ? kappa_row_column(node->new_row, number)
            : KAPPA_STR_NULL;

        if (!kappa_str_eq(old, new)) {
            bits[i / 64] |= UINT64_C(1) << i % 64;
        }
    }
    return bits;
}

static kappa_status_t
record_changes(kappa_changeset_t *set, uint64_t seq)
{
    uint32_t count = 0;

    for (kappa_node_t *n = set->touched; n != NULL; n = n->next_touched) {
        count += n->changed;
    }
    kappa_change_t *changes =
        KAPPA_NEW_ARRAY(set->event, kappa_change_t, count);
    if (changes == NULL) {
        return KAPPA_NOMEM;
    }
    count = 0;
    for (kappa_node_t *n = set->touched; n != NULL; n = n->next_touched) {
        if (!n->changed) {
            continue;
        }
        const uint64_t *columns = differing(set->event, n);
        if (columns == NULL) {
            return KAPPA_NOMEM;
        }
        changes[count++] = (kappa_change_t){ .seq = seq,
            .view = n->view,
            .key = n->key,
            .existed = n->row != NULL,
            .exists = n->new_row != NULL,
            .columns = columns,
            .old_entries = n->old_entries,
            .new_entries = n->new_entries };
    }
    return kappa_changes_put(set->txn, seq, changes, count, &set->buf);
}

kappa_status_t
kappa_apply_accept(
    kappa_apply_t *apply, const kappa_event_t *event, bool changes)
{
    kappa_changeset_t *set = apply->set;
    kappa_status_t status =
        changes ? record_changes(set, event->seq) : KAPPA_OK;

    for (kappa_node_t *n = set->touched; n != NULL && status == KAPPA_OK;
         n = n->next_touched) {
        if (n->changed) {
            status = accept_entries(set, n);
        }
        if (status == KAPPA_OK && n->changed) {
            status = kappa_keep_accept(set, n);
        }
        if (status == KAPPA_OK) {
            status = kappa_node_accept(set, n);
        }
    }
    set->due_ms = set->next_due_ms;
    set->clock_ms = set->now_ms;
    if (status == KAPPA_OK) {
        status = kappa_extremes_accept(set);
    }
    if (status == KAPPA_OK) {
        status = kappa_used_keys_put(set, event);
    }
    if (status == KAPPA_OK) {
        status = kappa_verbs_put(set->txn, event);
    }
    return status == KAPPA_OK ? kappa_history_put(set, event) : status;
}
