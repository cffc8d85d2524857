#include "views/key.h"
#include "views/store_private.h"

/* All rows of a view, a part at a time, each part from a snapshot of its own:
 * a transaction that is held while somebody writes them somewhere would keep
 * the views' old pages from being used again. */

/* What rows of the view are stored under, from behind the last one given. */
static void
first_key(
    const kappa_rows_at_t *rows, const kappa_view_t *view, kappa_key_t *key)
{
    kappa_key_init(key);
    kappa_key_row_prefix(key, view);
    if (rows->begun) {
        kappa_key_add_raw(
            key, kappa_str(rows->last, rows->last_len)); /* and past it: */
        kappa_key_add_raw(key, kappa_str("", 1));
    }
}

static void
remember(kappa_rows_at_t *rows, kappa_str_t key)
{
    rows->begun = true;
    rows->last_len = key.len;
    memcpy(rows->last, key.data, key.len);
}

static kappa_status_t
give_rows(kappa_rows_at_t *rows, kappa_txn_t *txn, const kappa_view_t *view,
    uint32_t max, kappa_row_each_t each, void *ctx)
{
    kappa_key_t prefix, from;
    kappa_str_t key, row;

    kappa_key_init(&prefix);
    kappa_key_row_prefix(&prefix, view);
    first_key(rows, view, &from);
    kappa_status_t status =
        kappa_txn_seek(txn, KAPPA_DBI_ROWS, kappa_key_str(&from), &key, &row);
    for (uint32_t n = 0; status == KAPPA_OK
         && kappa_str_starts_with(key, kappa_key_str(&prefix));
         n++) {
        if (n == max) {
            return KAPPA_OK;
        }
        remember(rows, kappa_str(key.data + prefix.len, key.len - prefix.len));
        if (!each(ctx, view, (const uint8_t *)row.data)) {
            return KAPPA_DONE;
        }
        status = kappa_txn_next(txn, KAPPA_DBI_ROWS, &key, &row);
    }
    return status == KAPPA_OK ? KAPPA_DONE : status;
}

kappa_status_t
kappa_store_rows(kappa_store_t *store, kappa_rows_at_t *rows, uint32_t max,
    kappa_row_each_t each, void *ctx)
{
    const kappa_read_options_t any = { .caller = NULL };
    kappa_snapshot_t *snapshot;
    kappa_status_t status = kappa_snapshot_begin(store, &any, &snapshot);

    if (status != KAPPA_OK) {
        return status;
    }
    const kappa_view_t *view =
        kappa_model_view(kappa_snapshot_model(snapshot), rows->view);
    status = view == NULL
        ? KAPPA_NOT_FOUND
        : give_rows(rows, kappa_snapshot_txn(snapshot), view, max, each, ctx);
    kappa_snapshot_end(snapshot);
    return status;
}
