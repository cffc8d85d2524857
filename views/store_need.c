#include "views/compare.h"
#include "views/store_private.h"
#include "views/verbs.h"

/* Whether a schema offered needs a generation of its own: what differs from
 * the one in force (views/compare.h), and whether that concerns any event that
 * there was. */

static kappa_status_t
was_seen(const kappa_edition_t *edition, kappa_txn_t *txn,
    const kappa_difference_t *difference, bool *seen)
{
    const kappa_view_t *view =
        kappa_model_view(edition->model, difference->thing);
    kappa_status_t status = kappa_verbs_seen(txn, difference->thing,
        difference->verb, difference->effectless, seen);

    if (status == KAPPA_OK && !*seen && view && view->was.data) {
        status = kappa_verbs_seen(
            txn, view->was, difference->verb, difference->effectless, seen);
    }
    return status;
}

static kappa_status_t
concerns(const kappa_edition_t *edition, kappa_txn_t *txn, uint64_t skipped,
    const kappa_difference_t *difference, bool *does)
{
    switch (difference->need) {
    case KAPPA_NEED_NONE:
        *does = false;
        return KAPPA_OK;
    case KAPPA_NEED_IF_SKIPPED:
        *does = skipped > 0;
        return KAPPA_OK;
    case KAPPA_NEED_IF_SEEN:
        *does = skipped > 0;
        return *does ? KAPPA_OK : was_seen(edition, txn, difference, does);
    default:
        *does = true;
        return KAPPA_OK;
    }
}

/* The first difference that does. */
static kappa_status_t
find_reason(const kappa_edition_t *edition,
    const kappa_difference_t *differences, const kappa_difference_t **out)
{
    kappa_txn_t *txn;
    uint64_t skipped = 0;
    kappa_status_t status = kappa_env_read(edition->generation->env, &txn);

    *out = NULL;
    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_env_skipped(txn, &skipped);
    for (const kappa_difference_t *d = differences;
         d && status == KAPPA_OK && *out == NULL; d = d->next) {
        bool does = false;

        status = concerns(edition, txn, skipped, d, &does);
        *out = does ? d : NULL;
    }
    kappa_txn_end(txn);
    return status;
}

kappa_status_t
kappa_store_needs_build(
    kappa_store_t *store, bool *needed, kappa_errors_t *errors)
{
    kappa_difference_t *differences;
    const kappa_difference_t *reason = NULL;
    kappa_status_t status = kappa_model_compare(store->scratch,
        store->edition->model, store->offer.model, &differences);

    if (status == KAPPA_OK) {
        status = find_reason(store->edition, differences, &reason);
    }
    if (status == KAPPA_IO || status == KAPPA_CORRUPT) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "the views do not say what they were made of");
    }
    *needed = reason != NULL;
    if (reason) {
        kappa_store_say(store, false,
            "the schema changes what the views hold (%.*s %.*s): a new "
            "generation is built beside generation %04u, which serves until "
            "then",
            KAPPA_STR_ARG(reason->what), KAPPA_STR_ARG(reason->how),
            store->edition->generation->number);
    }
    return status;
}
