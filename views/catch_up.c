#include "views/store_private.h"

/* Bringing views to where the log is: what replays, builds and openers do. */

kappa_status_t
kappa_edition_position(
    kappa_edition_t *edition, uint64_t *position, kappa_errors_t *errors)
{
    kappa_txn_t *txn;
    kappa_status_t status = kappa_env_read(edition->generation->env, &txn);

    if (status == KAPPA_OK) {
        status = kappa_env_position(txn, position);
        kappa_txn_end(txn);
    }
    if (status == KAPPA_IO || status == KAPPA_CORRUPT) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "the views do not say where they stand");
    }
    return status;
}

/* One chunk, inside its transaction. */
static kappa_status_t
replay(kappa_store_t *store, kappa_edition_t *edition, uint64_t upto,
    uint32_t max, uint64_t *position, kappa_errors_t *errors)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t n = 0; n < max && *position < upto
         && kappa_writer_bytes(edition->writer) < KAPPA_CHUNK_BYTES;
         n++) {
        kappa_event_t event;
        bool skipped = false;

        status = kappa_log_cursor_next(edition->cursor, upto, &event, errors);
        if (status == KAPPA_OK) {
            status = kappa_writer_replay(
                edition->writer, &event, store->strict, &skipped, errors);
        }
        if (status != KAPPA_OK) {
            return status;
        }
        *position = event.seq;
    }
    return KAPPA_OK;
}

static kappa_status_t
chunk(kappa_store_t *store, kappa_edition_t *edition, uint64_t upto,
    uint32_t max, uint64_t *position, kappa_errors_t *errors)
{
    kappa_writer_t *writer = edition->writer;
    kappa_status_t status = kappa_writer_begin(writer, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_writer_position(writer, position);
    if (status == KAPPA_OK && *position < upto) {
        kappa_log_cursor_seek(edition->cursor, *position + 1);
        status = replay(store, edition, upto, max, position, errors);
    }
    if (status != KAPPA_OK) {
        kappa_writer_abort(writer);
        return status;
    }
    return kappa_writer_commit(writer, *position, errors);
}

kappa_status_t
kappa_store_catch_up(kappa_store_t *store, kappa_edition_t *edition,
    uint64_t upto, uint32_t max, uint64_t *position, kappa_errors_t *errors)
{
    kappa_status_t status = KAPPA_OK;
    uint64_t end = max && *position + max < upto ? *position + max : upto;

    if (edition->cursor == NULL) {
        status = kappa_log_cursor_open(
            store->log, *position + 1, &edition->cursor, errors);
    }
    while (status == KAPPA_OK && *position < end) {
        status =
            chunk(store, edition, end, KAPPA_CHUNK_EVENTS, position, errors);
    }
    return status;
}
