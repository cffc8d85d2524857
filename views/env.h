#ifndef KAPPA_VIEWS_ENV_H
#define KAPPA_VIEWS_ENV_H

#include <lmdb.h>

#include "base/error.h"
#include "base/status.h"
#include "base/str.h"
#include "views/env_usage.h"
#include "views/hot.h"
#include "views/runs.h"

/* The LMDB environment of one generation (DESIGN 7 and 12). Opened once per
 * process, after fork; NOSYNC, never WRITEMAP, reader slots not tied to
 * threads. Everything is a function of the log: losing it costs a replay. */
typedef struct kappa_env_s kappa_env_t;

typedef enum {
    KAPPA_DBI_ROWS,        /* view, key -> row (views/row.h). Index 0 */
    KAPPA_DBI_INDEX,       /* view, index, fields, key -> nothing */
    KAPPA_DBI_AGGREGATES,  /* view, key -> what its aggregates come from */
    KAPPA_DBI_EXTREMES,    /* aggregate, target key, value, key -> nothing */
    KAPPA_DBI_CHANGES,     /* seq, 8 bytes big endian -> changes of an event */
    KAPPA_DBI_IDEMPOTENCY, /* SHA-256 of scope and key -> views/used_keys.h */
    KAPPA_DBI_HISTORY,     /* thing and key, seq -> nothing */
    KAPPA_DBI_COUNTS,      /* prefix of an entry -> how many (views/count.h) */
    KAPPA_DBI_MADE,        /* view, when made, key -> nothing (views/keep.h) */
    KAPPA_DBI_EXPIRIES,    /* when those are over */
    KAPPA_DBI_META,        /* name -> position, layout, skipped events, … */
    KAPPA_DBI_COUNT
} kappa_dbi_t;

#define KAPPA_TXN_KEY_MAX 511 /* LMDB's bound */

#define KAPPA_TXN_VERBS 16

/* A transaction. Cursors belong to it: each is opened when first asked for
 * and, in a read transaction, kept and renewed with it. */
typedef struct kappa_txn_s {
    kappa_env_t *env;
    MDB_txn *mdb;
    bool write;
    int problem; /* the return code behind the last KAPPA_IO */
    /* env's own */
    MDB_cursor *cursors[KAPPA_DBI_COUNT + 1]; /* the last: rows by key */
    MDB_cursor *writers[KAPPA_DBI_COUNT];     /* those that put */
    uint32_t renewed; /* bit per cursor that is of this transaction */
    /* What a read transaction knows of the snapshot it stands on, or of the
     * one it stood on before. */
    uint64_t snapshot;    /* mdb_txn_id; 0: writing */
    uint64_t position_of; /* a snapshot, and its position */
    uint64_t position;
    kappa_hot_t *hot;   /* or NULL */
    kappa_runs_t *runs; /* or NULL */
    /* Writing: digests of what views/verbs.h noted in this transaction. */
    uint64_t verbs[KAPPA_TXN_VERBS];
    struct kappa_txn_s *next;
} kappa_txn_t;

/* dir must exist. map_size 0: 1 TiB, or what it was made with; an environment
 * keeps the largest that it was ever opened with, for all processes. Clears
 * dead readers. KAPPA_IO with what the system said, and code
 * STORE_UNAVAILABLE, or LOG_UNAVAILABLE where the disk is full or fails. */
kappa_status_t kappa_env_open(const char *dir, size_t map_size,
    const kappa_alloc_t *alloc, kappa_env_t **out, kappa_errors_t *errors);

/* No transaction may be open. NULL is fine. */
void kappa_env_close(kappa_env_t *env);

/* Reading: any thread; the transaction comes from a pool and is renewed, so
 * this costs no allocation. End it before any wait. */
kappa_status_t kappa_env_read(kappa_env_t *env, kappa_txn_t **out);
/* Writing: waits for other processes' writers; one thread begins and ends. */
kappa_status_t kappa_env_write(
    kappa_env_t *env, kappa_txn_t **out, kappa_errors_t *errors);

/* What a read transaction's `snapshot` would be now, or the next one. */
uint64_t kappa_env_last(kappa_env_t *env);

/* Ends a read transaction, or drops a write transaction. NULL is fine. */
void kappa_txn_end(kappa_txn_t *txn);
/* Ends it either way. */
kappa_status_t kappa_txn_commit(kappa_txn_t *txn, kappa_errors_t *errors);

/* kappa_runs_at for a read transaction. NULL: nothing is kept. */
kappa_run_t *kappa_txn_run(
    kappa_txn_t *txn, kappa_dbi_t dbi, bool backwards, kappa_str_t from);

/* KAPPA_NOT_FOUND: no such key. out points into the map: valid until the
 * transaction ends or writes. */
kappa_status_t kappa_txn_get(
    kappa_txn_t *txn, kappa_dbi_t dbi, kappa_str_t key, kappa_str_t *out);
/* After a failure (KAPPA_IO: map full, disk full, I/O error) the transaction
 * can only be dropped. */
kappa_status_t kappa_txn_put(
    kappa_txn_t *txn, kappa_dbi_t dbi, kappa_str_t key, kappa_str_t value);
/* Many puts in the order of their keys: one that falls beside the one before
 * needs no way down the tree, and what comes behind the last key that was
 * there at the beginning fills pages to the brim. */
typedef struct {
    char key[KAPPA_TXN_KEY_MAX];
    size_t len;  /* 0: there was none */
    bool behind; /* the last one put came behind it */
} kappa_txn_end_t;

kappa_status_t kappa_txn_find_end(
    kappa_txn_t *txn, kappa_dbi_t dbi, kappa_txn_end_t *end);
kappa_status_t kappa_txn_put_sorted(kappa_txn_t *txn, kappa_dbi_t dbi,
    kappa_str_t key, kappa_str_t value, kappa_txn_end_t *end);
/* Deleting what is not there is fine. */
kappa_status_t kappa_txn_del(
    kappa_txn_t *txn, kappa_dbi_t dbi, kappa_str_t key);

/* The first entry at or past key (KAPPA_DONE: none), the one before it
 * (seek_before: the last entry less than key), and onwards. */
kappa_status_t kappa_txn_seek(kappa_txn_t *txn, kappa_dbi_t dbi,
    kappa_str_t at, kappa_str_t *key, kappa_str_t *value);
kappa_status_t kappa_txn_seek_before(kappa_txn_t *txn, kappa_dbi_t dbi,
    kappa_str_t before, kappa_str_t *key, kappa_str_t *value);
kappa_status_t kappa_txn_next(
    kappa_txn_t *txn, kappa_dbi_t dbi, kappa_str_t *key, kappa_str_t *value);
kappa_status_t kappa_txn_previous(
    kappa_txn_t *txn, kappa_dbi_t dbi, kappa_str_t *key, kappa_str_t *value);

/* Why the last call on this transaction gave KAPPA_IO, for people. */
const char *kappa_txn_problem(const kappa_txn_t *txn);

/* LMDB's return code, for people. */
const char *kappa_env_why(int rc);

/* This process can't use it any more (a meta page could not be written, or
 * another process made the map larger): it has to end and be started anew. */
bool kappa_env_is_over(const kappa_env_t *env);

/* Frees slots of readers that died. Cheap; at start and on a timer. */
uint32_t kappa_env_check_readers(kappa_env_t *env); /* how many */

/* Any thread. */
void kappa_env_usage(kappa_env_t *env, kappa_env_usage_t *out);

/* Everything on disk: before the clean mark is written. */
kappa_status_t kappa_env_sync(kappa_env_t *env, kappa_errors_t *errors);

/* META: the seq up to which events are applied; 0: none. */
#define KAPPA_META_POSITION "position"
kappa_status_t kappa_env_position(kappa_txn_t *txn, uint64_t *seq);
/* Events that replay skipped: how many in all. */
#define KAPPA_META_SKIPPED "skipped"
kappa_status_t kappa_env_skipped(kappa_txn_t *txn, uint64_t *count);

/* The latest time of an event so far; INT64_MIN: none. */
kappa_status_t kappa_env_clock(kappa_txn_t *txn, int64_t *ms);
kappa_status_t kappa_env_put_clock(kappa_txn_t *txn, int64_t ms);

/* A number in META by its name; 0 when it is not there. */
kappa_status_t kappa_meta_get(
    kappa_txn_t *txn, const char *name, uint64_t *out);
kappa_status_t kappa_meta_put(
    kappa_txn_t *txn, const char *name, uint64_t value);

/* For a transaction's `hot` and `runs`; NULL: no memory. */
kappa_hot_t *kappa_env_hot(kappa_env_t *env);
kappa_runs_t *kappa_env_runs(kappa_env_t *env);

MDB_dbi kappa_env_dbi(const kappa_env_t *env, kappa_dbi_t dbi);

#endif
