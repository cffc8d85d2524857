#include "views/keep.h"
#include "views/read_private.h"

/* Rows whose keep is over and that no event took with it yet: reads step over
 * them. */

bool
kappa_read_kept(
    kappa_read_t *read, const kappa_view_t *view, const uint8_t *row)
{
    if (view->keep_ms == 0) {
        return true;
    }
    read->personal = true;
    int64_t end_ms = kappa_keep_end(view, row);
    if (end_ms <= read->clock_ms) {
        return false;
    }
    if (read->deps) {
        kappa_dependencies_until(read->deps, end_ms);
    }
    return true;
}

/* Whether the row under this key stands in the range, by its equalities. */
static kappa_status_t
stands_in(kappa_read_t *read, const kappa_range_entries_t *range,
    kappa_str_t key, bool *in)
{
    const kappa_index_t *index = range->choice->index;
    kappa_key_t stored, entry;
    kappa_str_t row;

    kappa_key_init(&stored);
    kappa_key_row_prefix(&stored, index->view);
    kappa_key_add_raw(&stored, key);
    kappa_status_t status =
        kappa_txn_get(read->txn, KAPPA_DBI_ROWS, kappa_key_str(&stored), &row);
    if (status != KAPPA_OK) {
        return status == KAPPA_NOT_FOUND ? KAPPA_CORRUPT : status;
    }
    if (index->number == 0) {
        *in = kappa_str_starts_with(kappa_key_str(&stored), range->prefix);
        return KAPPA_OK;
    }
    kappa_key_entry(&entry, index, (const uint8_t *)row.data, key);
    *in = kappa_str_starts_with(kappa_key_str(&entry), range->prefix);
    return KAPPA_OK;
}

kappa_status_t
kappa_read_count_over(
    kappa_read_t *read, const kappa_range_entries_t *range, int64_t *total)
{
    const kappa_view_t *view = range->list->view;
    kappa_key_t first;
    kappa_str_t entry, value, key;
    int64_t made_ms;
    bool in;

    if (view->keep_ms == 0) {
        return KAPPA_OK;
    }
    read->personal = true;
    kappa_keep_first(view, &first);
    kappa_status_t status = kappa_txn_seek(
        read->txn, KAPPA_DBI_MADE, kappa_key_str(&first), &entry, &value);
    for (int i = 0;
         status == KAPPA_OK && kappa_keep_entry(view, entry, &made_ms, &key)
         && kappa_keep_over(view, made_ms, read->clock_ms);
         i++) {
        if (i == KAPPA_READ_OVER_MAX) {
            *total = -1;
            return KAPPA_OK;
        }
        status = stands_in(read, range, key, &in);
        if (status == KAPPA_OK) {
            *total -= in;
            status = kappa_txn_next(read->txn, KAPPA_DBI_MADE, &entry, &value);
        }
    }
    return status == KAPPA_DONE ? KAPPA_OK : status;
}
