#include <openssl/sha.h>

#include "views/apply.h"

/* System views: which events a key has, and which events replay skipped. */

#define SEQ_BYTES 8
#define PLAIN_MAX (KAPPA_ENTRY_BYTES_MAX - SEQ_BYTES)
#define SKIPPED_LISTED_MAX 1000
#define REASON_MAX 1000

static void
write_seq(char *out, uint64_t seq)
{
    for (int i = 0; i < SEQ_BYTES; i++) {
        out[i] = (char)(seq >> (56 - 8 * i));
    }
}

static uint64_t
read_seq(const char *p)
{
    uint64_t seq = 0;

    for (int i = 0; i < SEQ_BYTES; i++) {
        seq = seq << 8 | (unsigned char)p[i];
    }
    return seq;
}

/* thing 00 key 00, or 00 and a hash of both where that is too long. No name
 * starts with 00, and JSON has none. */
static void
history_prefix(kappa_key_t *prefix, kappa_str_t thing, kappa_str_t key)
{
    uint8_t hashes[2 * SHA256_DIGEST_LENGTH];

    kappa_key_init(prefix);
    if (thing.len + key.len + 2 <= PLAIN_MAX) {
        kappa_key_add_raw(prefix, thing);
        kappa_key_add_raw(prefix, kappa_str("", 1));
        kappa_key_add_raw(prefix, key);
        kappa_key_add_raw(prefix, kappa_str("", 1));
        return;
    }
    SHA256((const unsigned char *)thing.data, thing.len, hashes);
    SHA256((const unsigned char *)key.data, key.len,
        hashes + SHA256_DIGEST_LENGTH);
    kappa_key_add_raw(prefix, kappa_str("", 1));
    kappa_key_add_raw(prefix, kappa_str((const char *)hashes, sizeof(hashes)));
}

static void
add_seq(kappa_key_t *key, uint64_t seq)
{
    char bytes[SEQ_BYTES];

    write_seq(bytes, seq);
    kappa_key_add_raw(key, kappa_str(bytes, sizeof(bytes)));
}

kappa_status_t
kappa_history_put(kappa_changeset_t *set, const kappa_event_t *event)
{
    kappa_key_t key;

    if (event->key.len == 0) {
        return KAPPA_OK;
    }
    history_prefix(&key, event->thing, event->key);
    add_seq(&key, event->seq);
    return kappa_changeset_put(
        set, KAPPA_DBI_HISTORY, kappa_key_str(&key), KAPPA_STR(""));
}

kappa_status_t
kappa_history_each(kappa_txn_t *txn, kappa_str_t thing, kappa_str_t key,
    uint64_t before, bool (*each)(void *ctx, uint64_t seq), void *ctx)
{
    kappa_key_t prefix, from;
    kappa_str_t entry, value;

    history_prefix(&prefix, thing, key);
    from = prefix;
    add_seq(&from, before ? before : UINT64_MAX);
    kappa_status_t status = kappa_txn_seek_before(
        txn, KAPPA_DBI_HISTORY, kappa_key_str(&from), &entry, &value);
    while (status == KAPPA_OK && entry.len == from.len
        && kappa_str_starts_with(entry, kappa_key_str(&prefix))) {
        if (!each(ctx, read_seq(entry.data + prefix.len))) {
            return KAPPA_OK;
        }
        status = kappa_txn_previous(txn, KAPPA_DBI_HISTORY, &entry, &value);
    }
    return status == KAPPA_DONE ? KAPPA_OK : status;
}

kappa_status_t
kappa_history_next(kappa_txn_t *txn, kappa_str_t thing, kappa_str_t key,
    uint64_t after, uint64_t *seq)
{
    kappa_key_t prefix, from;
    kappa_str_t entry, value;

    if (after == UINT64_MAX) {
        return KAPPA_DONE;
    }
    history_prefix(&prefix, thing, key);
    from = prefix;
    add_seq(&from, after + 1);
    kappa_status_t status = kappa_txn_seek(
        txn, KAPPA_DBI_HISTORY, kappa_key_str(&from), &entry, &value);
    if (status != KAPPA_OK) {
        return status;
    }
    if (entry.len != from.len
        || !kappa_str_starts_with(entry, kappa_key_str(&prefix))) {
        return KAPPA_DONE;
    }
    *seq = read_seq(entry.data + prefix.len);
    return KAPPA_OK;
}

/* --- skipped events: META under "skipped " and the seq */

static void
skipped_key(kappa_key_t *key, uint64_t seq)
{
    kappa_key_init(key);
    kappa_key_add_raw(key, KAPPA_STR(KAPPA_META_SKIPPED " "));
    add_seq(key, seq);
}

#define SKIPPED_KEY_BYTES (sizeof(KAPPA_META_SKIPPED " ") - 1 + SEQ_BYTES)

static bool
is_skipped(kappa_str_t key)
{
    return key.len == SKIPPED_KEY_BYTES
        && kappa_str_starts_with(key, KAPPA_STR(KAPPA_META_SKIPPED " "));
}

static kappa_status_t
first_skipped(kappa_txn_t *txn, kappa_str_t *key, kappa_str_t *value)
{
    kappa_key_t first;

    skipped_key(&first, 0);
    kappa_status_t status =
        kappa_txn_seek(txn, KAPPA_DBI_META, kappa_key_str(&first), key, value);
    return status == KAPPA_OK && !is_skipped(*key) ? KAPPA_DONE : status;
}

static kappa_status_t
drop_oldest(kappa_txn_t *txn)
{
    kappa_str_t key, value;
    kappa_status_t status = first_skipped(txn, &key, &value);
    kappa_key_t copy;

    if (status != KAPPA_OK) {
        return status == KAPPA_DONE ? KAPPA_OK : status;
    }
    kappa_key_init(&copy);
    kappa_key_add_raw(&copy, key);
    return kappa_txn_del(txn, KAPPA_DBI_META, kappa_key_str(&copy));
}

kappa_status_t
kappa_skipped_put(kappa_txn_t *txn, uint64_t seq, kappa_str_t reason)
{
    uint64_t count;
    kappa_key_t key;
    kappa_status_t status = kappa_env_skipped(txn, &count);

    if (status == KAPPA_OK && count >= SKIPPED_LISTED_MAX) {
        status = drop_oldest(txn);
    }
    if (status == KAPPA_OK) {
        status = kappa_meta_put(txn, KAPPA_META_SKIPPED, count + 1);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (reason.len > REASON_MAX) {
        reason.len = REASON_MAX;
        reason.len = kappa_utf8_valid(reason);
    }
    skipped_key(&key, seq);
    return kappa_txn_put(txn, KAPPA_DBI_META, kappa_key_str(&key),
        reason.len ? reason : KAPPA_STR("?"));
}

kappa_status_t
kappa_skipped_each(kappa_txn_t *txn,
    bool (*each)(void *ctx, uint64_t seq, kappa_str_t reason), void *ctx)
{
    kappa_str_t key, value;
    kappa_key_t behind;

    skipped_key(&behind, UINT64_MAX);
    kappa_status_t status = kappa_txn_seek_before(
        txn, KAPPA_DBI_META, kappa_key_str(&behind), &key, &value);
    while (status == KAPPA_OK && is_skipped(key)) {
        if (!each(ctx, read_seq(key.data + key.len - SEQ_BYTES), value)) {
            return KAPPA_OK;
        }
        status = kappa_txn_previous(txn, KAPPA_DBI_META, &key, &value);
    }
    return status == KAPPA_DONE ? KAPPA_OK : status;
}
