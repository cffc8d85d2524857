#ifndef KAPPA_VIEWS_KEEP_H
#define KAPPA_VIEWS_KEEP_H

#include "views/apply.h"
#include "views/row.h"

/* Rows that leave (@view(keep:)): `keep` after they were made, by the log's
 * clock, which is the latest time of an event so far. So the same log always
 * makes the same rows. What a row gave to aggregates and groups stays.
 *
 * By the clock an event sees, a row whose time has come is not there. Its
 * bytes go when an event meets it, or in its turn: each event takes some such
 * rows with it, oldest first. Reads hide by the time of day as well. */

/* Whether a row made then is gone by now. */
static inline bool
kappa_keep_over(const kappa_view_t *view, int64_t made_ms, int64_t now_ms)
{
    int64_t end;

    return view->keep_ms != 0
        && !__builtin_add_overflow(made_ms, view->keep_ms, &end)
        && end <= now_ms;
}

/* When a row leaves; INT64_MAX: never. */
static inline int64_t
kappa_keep_end(const kappa_view_t *view, const uint8_t *row)
{
    int64_t end;

    return view->keep_ms == 0
            || __builtin_add_overflow(kappa_row_made(row), view->keep_ms, &end)
        ? INT64_MAX
        : end;
}

/* As kappa_changeset_node, for the event under way: a row that is over has
 * left. */
kappa_status_t kappa_keep_node(kappa_changeset_t *set,
    const kappa_view_t *view, kappa_str_t key, kappa_node_t **out);

/* Rows that the event made and that are over at once leave. */
kappa_status_t kappa_keep_late(kappa_changeset_t *set);

/* Some of the others whose time has come do. */
kappa_status_t kappa_keep_sweep(
    kappa_changeset_t *set, const kappa_model_t *model);

/* The event is accepted: the node's entry in KAPPA_DBI_MADE. Before
 * kappa_node_accept. */
kappa_status_t kappa_keep_accept(
    kappa_changeset_t *set, const kappa_node_t *node);

/* KAPPA_DBI_MADE has a view's rows by when they were made: what all its
 * entries are past. */
void kappa_keep_first(const kappa_view_t *view, kappa_key_t *entry);
/* When, and which row; false: it is no entry of this view. */
bool kappa_keep_entry(const kappa_view_t *view, kappa_str_t entry,
    int64_t *made_ms, kappa_str_t *key);

#endif
