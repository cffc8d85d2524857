#ifndef KAPPA_VIEWS_USED_KEYS_H
#define KAPPA_VIEWS_USED_KEYS_H

#include "log/event.h"
#include "views/changeset.h"

/* Which idempotency keys were used (a system view), and until when that is
 * known.
 *
 *   IDEMPOTENCY  name (views/idempotency.h) -> seq, hash of the arguments,
 *                time of the event
 *   EXPIRIES     time, big endian; name -> nothing
 *
 * A window forgets a mutation's key so long after its event. The ids of
 * events of an import or of /events are not forgotten: their times are the
 * sender's, and say nothing of when they came.
 *
 * A key past the window is not found, whether its entry is still there or
 * not, so entries can be swept a few at a time. Replay makes all entries, and
 * KAPPA_META_SWEPT tells which of them may be missing. */

/* META: entries of a time before it may be gone. */
#define KAPPA_META_SWEPT "keys swept"

/* That the event's key is used. No key: nothing. */
kappa_status_t kappa_used_keys_put(
    kappa_changeset_t *set, const kappa_event_t *event);

/* The last event that used the key of event (whose time is now). window_ms 0:
 * for ever. KAPPA_NOT_FOUND: none that is remembered. KAPPA_CONFLICT: with
 * another hash of arguments. */
kappa_status_t kappa_used_keys_find(kappa_changeset_t *set,
    const kappa_event_t *event, int64_t window_ms, uint64_t *seq);

/* Drops at most max entries of a time before before_ms. */
kappa_status_t kappa_used_keys_sweep(
    kappa_txn_t *txn, int64_t before_ms, uint32_t max);

/* Whether an entry of either database may be missing where swept is what META
 * has. */
bool kappa_used_keys_may_lack(
    kappa_dbi_t dbi, kappa_str_t key, kappa_str_t value, uint64_t swept);

#endif
