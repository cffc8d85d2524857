#define _GNU_SOURCE /* fallocate */
#include "views/env.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each worker's reads are short; builders, the command line and old workers
 * come on top. */
#define READERS_MAX 1024
#define MAP_SIZE (UINT64_C(1) << 40)
#define FILE_MODE 0600
/* Of lock.mdb, for READERS_MAX and what LMDB has before them. */
#define LOCK_BYTES (68 * 1024)
#define AGAIN_MAX 8

static const char *const names[KAPPA_DBI_COUNT] = { "rows", "index",
    "aggregates", "extremes", "changes", "idempotency", "history", "counts",
    "made", "expiries", "meta" };

struct kappa_env_s {
    const kappa_alloc_t *alloc;
    MDB_env *mdb;
    MDB_dbi dbis[KAPPA_DBI_COUNT];
    pthread_mutex_t mutex; /* of the pool */
    kappa_txn_t *idle;     /* read transactions that were reset */
    atomic_bool over;      /* kappa_env_is_over */
};

const char *
kappa_env_why(int rc)
{
    switch (rc) {
    case MDB_MAP_FULL:
        return "they are as large as map_size lets them be: raise it and "
               "reload";
    case MDB_MAP_RESIZED:
        return "another process raised map_size: this one has to start anew";
    case MDB_READERS_FULL:
        return "too many processes read them at once";
    default:
        return mdb_strerror(rc);
    }
}

/* The disk is full or fails: for who wants to append that is the log's
 * trouble, too. LMDB says EIO also where a write was short. */
static bool
is_the_disks(int rc)
{
    return rc == ENOSPC || rc == EDQUOT || rc == EFBIG || rc == EROFS
        || rc == EIO || rc == MDB_PANIC;
}

static kappa_status_t
refuse(kappa_errors_t *errors, const char *what, int rc)
{
    if (rc == ENOMEM) {
        return KAPPA_NOMEM;
    }
    kappa_errors_add(errors,
        is_the_disks(rc) ? "LOG_UNAVAILABLE" : "STORE_UNAVAILABLE",
        "the views: can't %s: %s%s", what, kappa_env_why(rc),
        rc == EIO ? " (the disk fails or is full)" : "");
    return KAPPA_IO;
}

static int
open_dbis(kappa_env_t *env, unsigned txn_flags, unsigned dbi_flags)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(env->mdb, NULL, txn_flags, &txn);

    if (rc != 0) {
        return rc;
    }
    for (int i = 0; i < KAPPA_DBI_COUNT && rc == 0; i++) {
        rc = mdb_dbi_open(txn, names[i], dbi_flags, &env->dbis[i]);
    }
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

static bool
is_new(const char *dir)
{
    struct stat st;
    bool there = false;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        there = fstatat(fd, "data.mdb", &st, 0) == 0 && st.st_size > 0;
        close(fd);
    }
    return !there;
}

/* LMDB writes to lock.mdb through a mapping: where a full disk has no block
 * for it, that would be a signal, in every worker that starts. Before LMDB
 * opens it: to close it later would give its locks back. */
static int
allocate_lock(const char *dir)
{
    int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = at < 0
        ? at
        : openat(at, "lock.mdb", O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    int rc = fd < 0 || fallocate(fd, 0, 0, LOCK_BYTES) != 0 ? errno : 0;

    if (fd >= 0) {
        close(fd);
    }
    if (at >= 0) {
        close(at);
    }
    return rc == EOPNOTSUPP ? 0 : rc; /* then LMDB is on its own */
}

/* All processes work with the same map, whoever opens it by a smaller
 * map_size or by none: it is only ever raised. */
static int
raise_map(kappa_env_t *env, size_t map_size)
{
    MDB_envinfo info;
    int rc = mdb_env_info(env->mdb, &info);

    return rc == 0 && map_size > info.me_mapsize
        ? mdb_env_set_mapsize(env->mdb, map_size)
        : rc;
}

/* Reading suffices where they exist: that waits for no other process. */
static int
open_mdb(kappa_env_t *env, const char *dir, size_t map_size)
{
    int rc = is_new(dir)
        ? mdb_env_set_mapsize(env->mdb, map_size ? map_size : MAP_SIZE)
        : 0; /* as it was */

    if (rc == 0) {
        rc = mdb_env_set_maxdbs(env->mdb, KAPPA_DBI_COUNT);
    }
    if (rc == 0) {
        rc = mdb_env_set_maxreaders(env->mdb, READERS_MAX);
    }
    if (rc == 0) {
        rc = allocate_lock(dir);
    }
    if (rc == 0) {
        rc = mdb_env_open(env->mdb, dir, MDB_NOSYNC | MDB_NOTLS, FILE_MODE);
    }
    if (rc == 0) {
        rc = raise_map(env, map_size);
    }
    if (rc != 0) {
        return rc;
    }
    kappa_env_check_readers(env);
    rc = open_dbis(env, MDB_RDONLY, 0);
    return rc == MDB_NOTFOUND ? open_dbis(env, 0, MDB_CREATE) : rc;
}

kappa_status_t
kappa_env_open(const char *dir, size_t map_size, const kappa_alloc_t *alloc,
    kappa_env_t **out, kappa_errors_t *errors)
{
    kappa_env_t *env = alloc->alloc(alloc->ctx, sizeof(*env));

    if (env == NULL) {
        return KAPPA_NOMEM;
    }
    memset(env, 0, sizeof(*env));
    env->alloc = alloc;
    pthread_mutex_init(&env->mutex, NULL);
    int rc = mdb_env_create(&env->mdb);
    if (rc == 0) {
        rc = open_mdb(env, dir, map_size);
    }
    if (rc != 0) {
        kappa_env_close(env);
        return refuse(errors, "open them", rc);
    }
    *out = env;
    return KAPPA_OK;
}

static void
release_txn(kappa_env_t *env, kappa_txn_t *txn)
{
    kappa_hot_destroy(txn->hot, env->alloc);
    kappa_runs_destroy(txn->runs, env->alloc);
    env->alloc->release(env->alloc->ctx, txn);
}

static void
drop_cursors(kappa_txn_t *txn)
{
    for (int i = 0; i <= KAPPA_DBI_COUNT; i++) {
        if (txn->cursors[i] != NULL) {
            mdb_cursor_close(txn->cursors[i]);
            txn->cursors[i] = NULL;
        }
    }
    for (int i = 0; i < KAPPA_DBI_COUNT; i++) {
        if (txn->writers[i] != NULL) {
            mdb_cursor_close(txn->writers[i]);
            txn->writers[i] = NULL;
        }
    }
}

static void
drop_txn(kappa_txn_t *txn)
{
    drop_cursors(txn);
    mdb_txn_abort(txn->mdb);
    release_txn(txn->env, txn);
}

void
kappa_env_close(kappa_env_t *env)
{
    if (env == NULL) {
        return;
    }
    while (env->idle != NULL) {
        kappa_txn_t *txn = env->idle;

        env->idle = txn->next;
        drop_txn(txn);
    }
    if (env->mdb != NULL) {
        mdb_env_close(env->mdb);
    }
    pthread_mutex_destroy(&env->mutex);
    env->alloc->release(env->alloc->ctx, env);
}

static kappa_txn_t *
take_idle(kappa_env_t *env)
{
    pthread_mutex_lock(&env->mutex);
    kappa_txn_t *txn = env->idle;
    if (txn != NULL) {
        env->idle = txn->next;
    }
    pthread_mutex_unlock(&env->mutex);
    return txn;
}

static void
put_idle(kappa_txn_t *txn)
{
    kappa_env_t *env = txn->env;

    pthread_mutex_lock(&env->mutex);
    txn->next = env->idle;
    env->idle = txn;
    pthread_mutex_unlock(&env->mutex);
}

/* What only another process gets over. */
static int
note_end(kappa_env_t *env, int rc)
{
    if (rc == MDB_PANIC || rc == MDB_MAP_RESIZED) {
        env->over = true;
    }
    return rc;
}

bool
kappa_env_is_over(const kappa_env_t *env)
{
    return env->over;
}

static kappa_txn_t *
new_txn(kappa_env_t *env, bool write, int *rc)
{
    kappa_txn_t *txn = env->alloc->alloc(env->alloc->ctx, sizeof(*txn));

    if (txn == NULL) {
        *rc = ENOMEM;
        return NULL;
    }
    memset(txn, 0, sizeof(*txn));
    txn->env = env;
    txn->write = write;
    *rc = note_end(
        env, mdb_txn_begin(env->mdb, NULL, write ? 0 : MDB_RDONLY, &txn->mdb));
    if (*rc != 0) {
        release_txn(env, txn);
        return NULL;
    }
    return txn;
}

/* LMDB takes the state to read from a page that the commit after next writes
 * over, and does not look whether that happened meanwhile. While no later
 * commit has begun to show, it did not. A writer that died between its page
 * and its number shows for ever: hence the end of it. */
static int
begin_again(kappa_env_t *env, MDB_txn *txn)
{
    int rc = 0;

    for (int i = 0;
         i < AGAIN_MAX && rc == 0 && kappa_env_last(env) > mdb_txn_id(txn);
         i++) {
        mdb_txn_reset(txn);
        rc = note_end(env, mdb_txn_renew(txn));
    }
    return rc;
}

kappa_status_t
kappa_env_read(kappa_env_t *env, kappa_txn_t **out)
{
    kappa_txn_t *txn = take_idle(env);
    int rc = 0;

    if (txn == NULL) {
        txn = new_txn(env, false, &rc);
        if (txn == NULL) {
            return rc == ENOMEM ? KAPPA_NOMEM : KAPPA_IO;
        }
    } else if (note_end(env, mdb_txn_renew(txn->mdb)) != 0) {
        drop_txn(txn);
        return KAPPA_IO;
    }
    if (begin_again(env, txn->mdb) != 0) {
        drop_txn(txn);
        return KAPPA_IO;
    }
    txn->renewed = 0;
    txn->problem = 0;
    txn->snapshot = mdb_txn_id(txn->mdb);
    *out = txn;
    return KAPPA_OK;
}

/* LMDB writes the meta page that this is from before readers may stand on it,
 * so it is never behind them. */
uint64_t
kappa_env_last(kappa_env_t *env)
{
    MDB_envinfo info;

    return mdb_env_info(env->mdb, &info) == 0 ? info.me_last_txnid : 0;
}

kappa_status_t
kappa_env_write(kappa_env_t *env, kappa_txn_t **out, kappa_errors_t *errors)
{
    int rc;

    *out = new_txn(env, true, &rc);
    return *out ? KAPPA_OK : refuse(errors, "begin to write", rc);
}

void
kappa_txn_end(kappa_txn_t *txn)
{
    if (txn == NULL) {
        return;
    }
    if (txn->write) {
        drop_txn(txn);
        return;
    }
    mdb_txn_reset(txn->mdb);
    put_idle(txn);
}

kappa_status_t
kappa_txn_commit(kappa_txn_t *txn, kappa_errors_t *errors)
{
    drop_cursors(txn);
    int rc = mdb_txn_commit(txn->mdb);

    release_txn(txn->env, txn);
    return rc == 0 ? KAPPA_OK : refuse(errors, "commit", rc);
}

uint32_t
kappa_env_check_readers(kappa_env_t *env)
{
    int dead = 0;

    return mdb_reader_check(env->mdb, &dead) == 0 && dead > 0 ? (uint32_t)dead
                                                              : 0;
}

typedef struct {
    uint32_t count;
    uint64_t oldest;
    int pid; /* of the oldest */
} readers_t;

/* "       PID THREAD TXNID\n", TXNID "-" where no snapshot is held; before
 * them a line of words. */
static int
note_reader(const char *line, void *ctx)
{
    readers_t *readers = ctx;
    int pid;
    char thread[32], txn[32];

    if (sscanf(line, "%d %31s %31s", &pid, thread, txn) == 3
        && txn[0] != '-') {
        uint64_t id = strtoull(txn, NULL, 10);

        if (readers->count++ == 0 || id < readers->oldest) {
            readers->oldest = id;
            readers->pid = pid;
        }
    }
    return 0;
}

void
kappa_env_usage(kappa_env_t *env, kappa_env_usage_t *out)
{
    readers_t readers = { .count = 0 };
    MDB_envinfo info;
    MDB_stat st;

    *out = (kappa_env_usage_t){ .readers = 0 };
    if (mdb_env_info(env->mdb, &info) != 0
        || mdb_env_stat(env->mdb, &st) != 0) {
        return;
    }
    mdb_reader_list(env->mdb, note_reader, &readers);
    out->used_bytes = ((uint64_t)info.me_last_pgno + 1) * st.ms_psize;
    out->map_bytes = info.me_mapsize;
    out->readers = readers.count;
    if (readers.count && readers.oldest < info.me_last_txnid) {
        out->readers_lag = info.me_last_txnid - readers.oldest;
        out->oldest_reader = readers.pid;
    }
}

kappa_status_t
kappa_env_sync(kappa_env_t *env, kappa_errors_t *errors)
{
    int rc = mdb_env_sync(env->mdb, 1);

    return rc == 0 ? KAPPA_OK : refuse(errors, "sync", rc);
}

kappa_hot_t *
kappa_env_hot(kappa_env_t *env)
{
    return kappa_hot_create(env->alloc);
}

kappa_runs_t *
kappa_env_runs(kappa_env_t *env)
{
    return kappa_runs_create(env->alloc);
}

MDB_dbi
kappa_env_dbi(const kappa_env_t *env, kappa_dbi_t dbi)
{
    return env->dbis[dbi];
}
