#include <stdio.h>

#include "views/apply.h"
#include "views/idempotency.h"
#include "views/used_keys.h"

/* Replaying a log in which events were forgotten (docs/events.md). They did
 * nothing; what came after them stands. So an effect on a row that is missing
 * is passed by, where a forgotten event may have been what made it; without
 * that, forgetting a customer would take all orders along. */

/* In META: that a view had events forgotten. */
#define MARK "forgotten "
#define MARK_BYTES_MAX 32

static void
mark_name(const kappa_view_t *view, char out[MARK_BYTES_MAX])
{
    snprintf(out, MARK_BYTES_MAX, MARK "%u", view->slot);
}

static kappa_status_t
mark(kappa_txn_t *txn, const kappa_view_t *view)
{
    char name[MARK_BYTES_MAX];

    mark_name(view, name);
    return kappa_meta_put(txn, name, 1);
}

/* What is left of the event is its id. An upload's events have it as their
 * key, so sent again they are duplicates, and what was forgotten stays so. No
 * hash of arguments is all zero: this one goes with any. */
static kappa_status_t
remember_id(kappa_changeset_t *set, const kappa_event_t *event)
{
    char id[KAPPA_UUID_CHARS];
    kappa_event_t again = { .seq = event->seq,
        .idempotency_key = kappa_str(id, sizeof(id)),
        .idempotency_scope = KAPPA_STR(KAPPA_IDEMPOTENCY_EVENT) };

    kappa_uuid_format(event->id, id);
    return kappa_used_keys_put(set, &again);
}

kappa_status_t
kappa_apply_forgotten(kappa_apply_t *apply, const kappa_event_t *event)
{
    kappa_txn_t *txn = apply->set->txn;
    const kappa_event_rule_t *rule = apply->rule;
    kappa_status_t status = apply->view ? mark(txn, apply->view) : KAPPA_OK;

    for (uint32_t i = 0;
         rule != NULL && i < rule->effect_count && status == KAPPA_OK; i++) {
        status = mark(txn, rule->effects[i]->view);
    }
    if (status == KAPPA_OK) {
        status = kappa_apply_sweep(apply);
    }
    return status == KAPPA_OK ? remember_id(apply->set, event) : status;
}

kappa_status_t
kappa_apply_missing(const kappa_apply_t *apply, const kappa_view_t *view)
{
    char name[MARK_BYTES_MAX];
    uint64_t marked;

    if (apply->mode != KAPPA_APPLY_REPLAY) {
        return KAPPA_NOT_FOUND;
    }
    mark_name(view, name);
    kappa_status_t status = kappa_meta_get(apply->set->txn, name, &marked);
    return status != KAPPA_OK ? status : marked ? KAPPA_OK : KAPPA_NOT_FOUND;
}
