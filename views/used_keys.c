#include "views/used_keys.h"

#include "views/idempotency.h"

/* Times in EXPIRIES are of mutations: never before 1970. */
#define TIME_BYTES 8
#define EXPIRY_BYTES (TIME_BYTES + KAPPA_IDEMPOTENCY_BYTES)
#define FOR_EVER INT64_MAX

typedef struct {
    uint64_t seq;
    int64_t time_ms; /* FOR_EVER: of no mutation */
    uint8_t hash[KAPPA_ARGS_HASH_BYTES];
} used_t;

static kappa_str_t
bytes_of(const void *p, size_t len)
{
    return kappa_str(p, len);
}

static bool
read_used(kappa_str_t value, used_t *out)
{
    if (value.len != sizeof(*out)) {
        return false;
    }
    memcpy(out, value.data, sizeof(*out));
    return true;
}

static void
write_expiry(char out[EXPIRY_BYTES], int64_t time_ms,
    const uint8_t name[KAPPA_IDEMPOTENCY_BYTES])
{
    for (int i = 0; i < TIME_BYTES; i++) {
        out[i] = (char)((uint64_t)time_ms >> (56 - 8 * i));
    }
    memcpy(out + TIME_BYTES, name, KAPPA_IDEMPOTENCY_BYTES);
}

static int64_t
read_time(const char *p)
{
    uint64_t time = 0;

    for (int i = 0; i < TIME_BYTES; i++) {
        time = time << 8 | (unsigned char)p[i];
    }
    return (int64_t)time;
}

static bool
is_mutation(const kappa_event_t *event)
{
    return !kappa_str_eq_c(event->idempotency_scope, KAPPA_IDEMPOTENCY_EVENT)
        && event->time_ms >= 0;
}

kappa_status_t
kappa_used_keys_put(kappa_changeset_t *set, const kappa_event_t *event)
{
    uint8_t name[KAPPA_IDEMPOTENCY_BYTES];
    char expiry[EXPIRY_BYTES];
    used_t used = { .seq = event->seq, .time_ms = FOR_EVER };

    if (event->idempotency_key.len == 0) {
        return KAPPA_OK;
    }
    kappa_idempotency_name(event, name);
    memcpy(used.hash, event->args_hash, sizeof(used.hash));
    if (is_mutation(event)) {
        used.time_ms = event->time_ms;
        write_expiry(expiry, used.time_ms, name);
        kappa_status_t status = kappa_changeset_put(set, KAPPA_DBI_EXPIRIES,
            bytes_of(expiry, sizeof(expiry)), KAPPA_STR(""));

        if (status != KAPPA_OK) {
            return status;
        }
    }
    return kappa_changeset_put(set, KAPPA_DBI_IDEMPOTENCY,
        bytes_of(name, sizeof(name)), bytes_of(&used, sizeof(used)));
}

static bool
is_over(const used_t *used, int64_t now_ms, int64_t window_ms)
{
    return window_ms > 0 && used->time_ms != FOR_EVER
        && used->time_ms < now_ms - window_ms;
}

kappa_status_t
kappa_used_keys_find(kappa_changeset_t *set, const kappa_event_t *event,
    int64_t window_ms, uint64_t *seq)
{
    static const uint8_t forgotten[KAPPA_ARGS_HASH_BYTES];
    uint8_t name[KAPPA_IDEMPOTENCY_BYTES];
    kappa_str_t value;
    used_t used;

    if (event->idempotency_key.len == 0) {
        return KAPPA_NOT_FOUND;
    }
    kappa_idempotency_name(event, name);
    kappa_status_t status = kappa_changeset_settle(set, KAPPA_DBI_IDEMPOTENCY);
    if (status == KAPPA_OK) {
        status = kappa_txn_get(set->txn, KAPPA_DBI_IDEMPOTENCY,
            bytes_of(name, sizeof(name)), &value);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (!read_used(value, &used)) {
        return KAPPA_CORRUPT;
    }
    if (is_over(&used, event->time_ms, window_ms)) {
        return KAPPA_NOT_FOUND;
    }
    *seq = used.seq;
    return memcmp(used.hash, event->args_hash, sizeof(used.hash)) == 0
            || memcmp(used.hash, forgotten, sizeof(forgotten)) == 0
        ? KAPPA_OK
        : KAPPA_CONFLICT;
}

/* --- sweeping */

/* The key itself, unless it was used again since. */
static kappa_status_t
drop_key(kappa_txn_t *txn, kappa_str_t name, int64_t time_ms)
{
    kappa_str_t value;
    kappa_status_t status =
        kappa_txn_get(txn, KAPPA_DBI_IDEMPOTENCY, name, &value);
    used_t used;

    if (status != KAPPA_OK) {
        return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
    }
    if (!read_used(value, &used)) {
        return KAPPA_CORRUPT;
    }
    return used.time_ms == time_ms
        ? kappa_txn_del(txn, KAPPA_DBI_IDEMPOTENCY, name)
        : KAPPA_OK;
}

/* KAPPA_DONE: there is nothing more of that age. */
static kappa_status_t
sweep_one(kappa_txn_t *txn, int64_t before_ms, int64_t *time_ms)
{
    kappa_str_t key, value;
    char copy[EXPIRY_BYTES];
    kappa_status_t status =
        kappa_txn_seek(txn, KAPPA_DBI_EXPIRIES, KAPPA_STR("\0"), &key, &value);

    if (status != KAPPA_OK) {
        return status;
    }
    if (key.len != EXPIRY_BYTES) {
        return KAPPA_CORRUPT;
    }
    memcpy(copy, key.data, sizeof(copy));
    *time_ms = read_time(copy);
    if (*time_ms >= before_ms) {
        return KAPPA_DONE;
    }
    status = drop_key(
        txn, kappa_str(copy + TIME_BYTES, KAPPA_IDEMPOTENCY_BYTES), *time_ms);
    return status == KAPPA_OK
        ? kappa_txn_del(txn, KAPPA_DBI_EXPIRIES, kappa_str(copy, sizeof(copy)))
        : status;
}

kappa_status_t
kappa_used_keys_sweep(kappa_txn_t *txn, int64_t before_ms, uint32_t max)
{
    kappa_status_t status = KAPPA_OK;
    int64_t last_ms = -1, time_ms;
    uint64_t swept;

    for (uint32_t i = 0; i < max && status == KAPPA_OK; i++) {
        status = sweep_one(txn, before_ms, &time_ms);
        last_ms = status == KAPPA_OK ? time_ms : last_ms;
    }
    if (status != KAPPA_OK && status != KAPPA_DONE) {
        return status;
    }
    if (last_ms < 0) {
        return KAPPA_OK;
    }
    status = kappa_meta_get(txn, KAPPA_META_SWEPT, &swept);
    return status == KAPPA_OK && (uint64_t)last_ms >= swept
        ? kappa_meta_put(txn, KAPPA_META_SWEPT, (uint64_t)last_ms + 1)
        : status;
}

bool
kappa_used_keys_may_lack(
    kappa_dbi_t dbi, kappa_str_t key, kappa_str_t value, uint64_t swept)
{
    used_t used;

    if (dbi == KAPPA_DBI_EXPIRIES) {
        return key.len == EXPIRY_BYTES
            && (uint64_t)read_time(key.data) < swept;
    }
    return dbi == KAPPA_DBI_IDEMPOTENCY && read_used(value, &used)
        && used.time_ms != FOR_EVER && (uint64_t)used.time_ms < swept;
}
