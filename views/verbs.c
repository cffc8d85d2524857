#include "views/verbs.h"

#include "views/key.h"

#define VERB "verb "
/* Written with the first event of all: that all are noted. */
#define COMPLETE "verbs"
/* Longer names are not noted, and count as seen. */
#define NAMES_MAX 400

/* What was seen: events that name their effect, and events that don't. */
#define SEEN_EFFECT 1
#define SEEN_EFFECTLESS 2

static void
name_of(kappa_key_t *key, kappa_str_t thing, kappa_str_t verb)
{
    kappa_key_init(key);
    kappa_key_add_raw(key, KAPPA_STR(VERB));
    kappa_key_add_raw(key, thing);
    kappa_key_add_raw(key, kappa_str("", 1));
    kappa_key_add_raw(key, verb);
}

static char
flag_of(const kappa_event_t *event)
{
    return event->effect == KAPPA_EFFECT_NONE
            || event->effect == KAPPA_EFFECT_UNSET
        ? SEEN_EFFECTLESS
        : SEEN_EFFECT;
}

/* Most events of a batch are of the same few: those are noted once. */
static bool
is_noted(kappa_txn_t *txn, const kappa_event_t *event, char flags)
{
    uint64_t digest =
        (kappa_str_hash(event->thing) * 31 + kappa_str_hash(event->verb)) * 31
        + (uint64_t)flags;
    uint64_t *slot = &txn->verbs[digest % KAPPA_TXN_VERBS];

    if (*slot == digest) {
        return true;
    }
    *slot = digest;
    return false;
}

kappa_status_t
kappa_verbs_put(kappa_txn_t *txn, const kappa_event_t *event)
{
    kappa_key_t key;
    kappa_str_t value;
    char flags = flag_of(event);

    if (event->thing.len + event->verb.len > NAMES_MAX
        || is_noted(txn, event, flags)) {
        return KAPPA_OK;
    }
    name_of(&key, event->thing, event->verb);
    kappa_status_t status =
        kappa_txn_get(txn, KAPPA_DBI_META, kappa_key_str(&key), &value);
    if (status == KAPPA_OK && value.len == 1) {
        if ((value.data[0] & flags) == flags) {
            return KAPPA_OK;
        }
        flags |= value.data[0];
    } else if (status != KAPPA_OK && status != KAPPA_NOT_FOUND) {
        return status;
    }
    status = kappa_txn_put(
        txn, KAPPA_DBI_META, kappa_key_str(&key), kappa_str(&flags, 1));
    return status == KAPPA_OK && event->seq == 1
        ? kappa_meta_put(txn, COMPLETE, 1)
        : status;
}

static kappa_status_t
any_seen(kappa_txn_t *txn, kappa_str_t thing, char wanted, bool *seen)
{
    kappa_key_t prefix;
    kappa_str_t key, value;

    name_of(&prefix, thing, KAPPA_STR(""));
    kappa_status_t status = kappa_txn_seek(
        txn, KAPPA_DBI_META, kappa_key_str(&prefix), &key, &value);
    while (status == KAPPA_OK && !*seen
        && kappa_str_starts_with(key, kappa_key_str(&prefix))) {
        *seen = value.len != 1 || (value.data[0] & wanted);
        status = kappa_txn_next(txn, KAPPA_DBI_META, &key, &value);
    }
    return status == KAPPA_DONE ? KAPPA_OK : status;
}

static kappa_status_t
one_seen(kappa_txn_t *txn, kappa_str_t thing, kappa_str_t verb, char wanted,
    bool *seen)
{
    kappa_key_t key;
    kappa_str_t value;

    name_of(&key, thing, verb);
    kappa_status_t status =
        kappa_txn_get(txn, KAPPA_DBI_META, kappa_key_str(&key), &value);
    *seen = status == KAPPA_OK && (value.len != 1 || (value.data[0] & wanted));
    return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
}

kappa_status_t
kappa_verbs_seen(kappa_txn_t *txn, kappa_str_t thing, kappa_str_t verb,
    bool effectless, bool *seen)
{
    char wanted = effectless ? SEEN_EFFECTLESS : SEEN_EFFECT | SEEN_EFFECTLESS;
    uint64_t complete = 0;
    kappa_status_t status = kappa_meta_get(txn, COMPLETE, &complete);

    *seen = complete == 0 || thing.len + verb.len > NAMES_MAX;
    if (status != KAPPA_OK || *seen) {
        return status;
    }
    return verb.data ? one_seen(txn, thing, verb, wanted, seen)
                     : any_seen(txn, thing, wanted, seen);
}
