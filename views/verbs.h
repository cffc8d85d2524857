#ifndef KAPPA_VIEWS_VERBS_H
#define KAPPA_VIEWS_VERBS_H

#include "log/event.h"
#include "views/env.h"

/* Which things and verbs the applied events have: META under "verb ", the
 * thing, 00, the verb. Rules for what never happened need no build. */

/* For each event that is applied. */
kappa_status_t kappa_verbs_put(kappa_txn_t *txn, const kappa_event_t *event);

/* verb data NULL: any. effectless: only events that name no effect count.
 * *seen is true where it can't be known: views of older versions did not note
 * it. */
kappa_status_t kappa_verbs_seen(kappa_txn_t *txn, kappa_str_t thing,
    kappa_str_t verb, bool effectless, bool *seen);

#endif
