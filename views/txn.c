#include "views/env.h"

#include <errno.h>

/* What is done inside a transaction. */

static MDB_val
to_val(kappa_str_t s)
{
    return (MDB_val){ s.len, (void *)(uintptr_t)s.data };
}

static kappa_str_t
from_val(MDB_val v)
{
    return kappa_str(v.mv_data, v.mv_size);
}

static kappa_status_t
result(kappa_txn_t *txn, int rc)
{
    if (rc == 0) {
        return KAPPA_OK;
    }
    txn->problem = rc;
    return rc == ENOMEM ? KAPPA_NOMEM : KAPPA_IO;
}

const char *
kappa_txn_problem(const kappa_txn_t *txn)
{
    return kappa_env_why(txn->problem);
}

/* Cursor `which` on a dbi: the dbi's own has its number. */
static MDB_cursor *
renew_cursor(kappa_txn_t *txn, unsigned which, kappa_dbi_t dbi)
{
    uint32_t bit = UINT32_C(1) << which;
    MDB_cursor **cursor = &txn->cursors[which];
    int rc = 0;

    if (txn->renewed & bit) {
        return *cursor;
    }
    if (*cursor == NULL) {
        rc = mdb_cursor_open(txn->mdb, kappa_env_dbi(txn->env, dbi), cursor);
    } else {
        rc = mdb_cursor_renew(txn->mdb, *cursor);
    }
    if (rc != 0) {
        txn->problem = rc;
        return NULL;
    }
    txn->renewed |= bit;
    return *cursor;
}

/* A row of a snapshot, by a cursor that no scan uses. */
static kappa_status_t
get_row(kappa_txn_t *txn, kappa_str_t key, kappa_str_t *out)
{
    MDB_cursor *cursor = renew_cursor(txn, KAPPA_DBI_COUNT, KAPPA_DBI_ROWS);
    MDB_val k = to_val(key), v;

    if (cursor == NULL) {
        return KAPPA_IO;
    }
    int rc =
        key.len ? mdb_cursor_get(cursor, &k, &v, MDB_SET_KEY) : MDB_NOTFOUND;
    if (rc == MDB_NOTFOUND) {
        return KAPPA_NOT_FOUND;
    }
    if (rc == 0) {
        *out = from_val(v);
        if (txn->hot == NULL) {
            txn->hot = kappa_env_hot(txn->env);
        }
        if (txn->hot != NULL) {
            kappa_hot_keep(txn->hot, txn->snapshot, from_val(k), *out);
        }
    }
    return result(txn, rc);
}

kappa_status_t
kappa_txn_get(
    kappa_txn_t *txn, kappa_dbi_t dbi, kappa_str_t key, kappa_str_t *out)
{
    if (dbi == KAPPA_DBI_ROWS && txn->snapshot != 0) {
        return txn->hot != NULL
                && kappa_hot_find(txn->hot, txn->snapshot, key, out)
            ? KAPPA_OK
            : get_row(txn, key, out);
    }

    MDB_val k = to_val(key), v;
    int rc = mdb_get(txn->mdb, kappa_env_dbi(txn->env, dbi), &k, &v);

    if (rc == MDB_NOTFOUND) {
        return KAPPA_NOT_FOUND;
    }
    if (rc == 0) {
        *out = from_val(v);
    }
    return result(txn, rc);
}

kappa_run_t *
kappa_txn_run(
    kappa_txn_t *txn, kappa_dbi_t dbi, bool backwards, kappa_str_t from)
{
    if (txn->snapshot == 0) {
        return NULL;
    }
    if (txn->runs == NULL) {
        txn->runs = kappa_env_runs(txn->env);
    }
    return txn->runs == NULL ? NULL
                             : kappa_runs_at(txn->runs, txn->snapshot,
                                 (uint8_t)dbi, backwards, from);
}

kappa_status_t
kappa_txn_put(
    kappa_txn_t *txn, kappa_dbi_t dbi, kappa_str_t key, kappa_str_t value)
{
    MDB_val k = to_val(key), v = to_val(value);

    return result(
        txn, mdb_put(txn->mdb, kappa_env_dbi(txn->env, dbi), &k, &v, 0));
}

static MDB_cursor *
open_writer(kappa_txn_t *txn, kappa_dbi_t dbi)
{
    MDB_cursor **cursor = &txn->writers[dbi];

    if (*cursor == NULL) {
        int rc =
            mdb_cursor_open(txn->mdb, kappa_env_dbi(txn->env, dbi), cursor);
        if (rc != 0) {
            txn->problem = rc;
            *cursor = NULL;
        }
    }
    return *cursor;
}

kappa_status_t
kappa_txn_find_end(kappa_txn_t *txn, kappa_dbi_t dbi, kappa_txn_end_t *end)
{
    MDB_cursor *cursor = open_writer(txn, dbi);
    MDB_val k, v;

    end->len = 0;
    end->behind = false;
    if (cursor == NULL) {
        return KAPPA_IO;
    }
    int rc = mdb_cursor_get(cursor, &k, &v, MDB_LAST);

    if (rc == 0) {
        end->len = k.mv_size;
        memcpy(end->key, k.mv_data, k.mv_size);
    }
    return result(txn, rc == MDB_NOTFOUND ? 0 : rc);
}

kappa_status_t
kappa_txn_put_sorted(kappa_txn_t *txn, kappa_dbi_t dbi, kappa_str_t key,
    kappa_str_t value, kappa_txn_end_t *end)
{
    MDB_cursor *cursor = open_writer(txn, dbi);
    MDB_val k = to_val(key), v = to_val(value);

    if (cursor == NULL) {
        return KAPPA_IO;
    }
    end->behind = end->behind || end->len == 0
        || kappa_str_cmp(key, kappa_str(end->key, end->len)) > 0;
    return result(
        txn, mdb_cursor_put(cursor, &k, &v, end->behind ? MDB_APPEND : 0));
}

kappa_status_t
kappa_txn_del(kappa_txn_t *txn, kappa_dbi_t dbi, kappa_str_t key)
{
    MDB_val k = to_val(key);
    int rc = mdb_del(txn->mdb, kappa_env_dbi(txn->env, dbi), &k, NULL);

    return result(txn, rc == MDB_NOTFOUND ? 0 : rc);
}

static MDB_cursor *
cursor_on(kappa_txn_t *txn, kappa_dbi_t dbi)
{
    return renew_cursor(txn, dbi, dbi);
}

static kappa_status_t
move(kappa_txn_t *txn, MDB_cursor *cursor, MDB_val k, MDB_cursor_op op,
    kappa_str_t *key, kappa_str_t *value)
{
    MDB_val v;
    int rc = mdb_cursor_get(cursor, &k, &v, op);

    if (rc == MDB_NOTFOUND) {
        return KAPPA_DONE;
    }
    if (rc == 0) {
        *key = from_val(k);
        *value = from_val(v);
    }
    return result(txn, rc);
}

kappa_status_t
kappa_txn_seek(kappa_txn_t *txn, kappa_dbi_t dbi, kappa_str_t at,
    kappa_str_t *key, kappa_str_t *value)
{
    MDB_cursor *cursor = cursor_on(txn, dbi);

    /* LMDB takes no empty key: nothing is before the first entry. */
    return cursor == NULL ? KAPPA_IO
                          : move(txn, cursor, to_val(at),
                              at.len ? MDB_SET_RANGE : MDB_FIRST, key, value);
}

kappa_status_t
kappa_txn_seek_before(kappa_txn_t *txn, kappa_dbi_t dbi, kappa_str_t before,
    kappa_str_t *key, kappa_str_t *value)
{
    kappa_status_t status = kappa_txn_seek(txn, dbi, before, key, value);

    if (status != KAPPA_OK && status != KAPPA_DONE) {
        return status;
    }
    return move(txn, txn->cursors[dbi], (MDB_val){ 0 },
        status == KAPPA_OK ? MDB_PREV : MDB_LAST, key, value);
}

static kappa_status_t
step(kappa_txn_t *txn, kappa_dbi_t dbi, MDB_cursor_op op, kappa_str_t *key,
    kappa_str_t *value)
{
    MDB_cursor *cursor = cursor_on(txn, dbi);

    return cursor == NULL ? KAPPA_IO
                          : move(txn, cursor, (MDB_val){ 0 }, op, key, value);
}

kappa_status_t
kappa_txn_next(
    kappa_txn_t *txn, kappa_dbi_t dbi, kappa_str_t *key, kappa_str_t *value)
{
    return step(txn, dbi, MDB_NEXT, key, value);
}

kappa_status_t
kappa_txn_previous(
    kappa_txn_t *txn, kappa_dbi_t dbi, kappa_str_t *key, kappa_str_t *value)
{
    return step(txn, dbi, MDB_PREV, key, value);
}

kappa_status_t
kappa_meta_get(kappa_txn_t *txn, const char *name, uint64_t *out)
{
    kappa_str_t value;
    kappa_status_t status =
        kappa_txn_get(txn, KAPPA_DBI_META, kappa_str_c(name), &value);

    *out = 0;
    if (status == KAPPA_NOT_FOUND) {
        return KAPPA_OK;
    }
    if (status == KAPPA_OK && value.len != sizeof(*out)) {
        return KAPPA_CORRUPT;
    }
    if (status == KAPPA_OK) {
        memcpy(out, value.data, sizeof(*out));
    }
    return status;
}

kappa_status_t
kappa_meta_put(kappa_txn_t *txn, const char *name, uint64_t value)
{
    return kappa_txn_put(txn, KAPPA_DBI_META, kappa_str_c(name),
        kappa_str((const char *)&value, sizeof(value)));
}

/* A snapshot has one position: it is looked up once. */
kappa_status_t
kappa_env_position(kappa_txn_t *txn, uint64_t *seq)
{
    if (txn->snapshot != 0 && txn->position_of == txn->snapshot) {
        *seq = txn->position;
        return KAPPA_OK;
    }
    kappa_status_t status = kappa_meta_get(txn, KAPPA_META_POSITION, seq);

    if (status == KAPPA_OK) {
        txn->position_of = txn->snapshot;
        txn->position = *seq;
    }
    return status;
}

kappa_status_t
kappa_env_skipped(kappa_txn_t *txn, uint64_t *count)
{
    return kappa_meta_get(txn, KAPPA_META_SKIPPED, count);
}

/* Numbers in META are unsigned and 0 when they are not there: the sign bit is
 * flipped. */
#define CLOCK "clock"
#define SIGN (UINT64_C(1) << 63)

kappa_status_t
kappa_env_clock(kappa_txn_t *txn, int64_t *ms)
{
    uint64_t stored;
    kappa_status_t status = kappa_meta_get(txn, CLOCK, &stored);

    *ms = (int64_t)(stored ^ SIGN);
    return status;
}

kappa_status_t
kappa_env_put_clock(kappa_txn_t *txn, int64_t ms)
{
    return kappa_meta_put(txn, CLOCK, (uint64_t)ms ^ SIGN);
}
