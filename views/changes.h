#ifndef KAPPA_VIEWS_CHANGES_H
#define KAPPA_VIEWS_CHANGES_H

#include "views/change.h"
#include "views/env.h"

/* Change records: what each event changed, kept in the views' transaction and
 * trimmed to a bounded tail. */

/* What is kept at most, whichever is reached first. */
#define KAPPA_CHANGES_EVENTS_MAX 20000
#define KAPPA_CHANGES_BYTES_MAX (16 * 1024 * 1024)

/* Calls each for every change of the events in (after, upto], in order; each
 * returns false to stop (KAPPA_OK all the same). What it is given lives during
 * the call. Changes of views that the model does not have are passed by.
 * KAPPA_NOT_FOUND: records that old are trimmed (or were never written: a
 * generation that was built without). arena is scratch. */
kappa_status_t kappa_changes_each(kappa_txn_t *txn, const kappa_model_t *model,
    uint64_t after, uint64_t upto, kappa_arena_t *arena,
    bool (*each)(void *ctx, const kappa_change_t *change), void *ctx);

/* Writing, for the writer: the changes of one event, which has seq. */
kappa_status_t kappa_changes_put(kappa_txn_t *txn, uint64_t seq,
    const kappa_change_t *changes, uint32_t count, kappa_buf_t *scratch);

/* Once per transaction, before it is committed: drops what is too old. */
kappa_status_t kappa_changes_trim(kappa_txn_t *txn, uint64_t position);

/* Drops all and says that nothing before position can be told. */
kappa_status_t kappa_changes_forget(kappa_txn_t *txn, uint64_t position);

#endif
