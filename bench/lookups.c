/* lookups: what LMDB alone takes for the reads behind the queries of
 * bench/curve.pl, in the views of such a store.
 *
 *     lookups DIR
 *
 * of a store's directory, prints `row N ten N`, in nanoseconds of CPU time: a
 * row by its key at a random place, and the same, then a place in an index
 * with the nine behind it and the ten rows, of a thousand such places. Exits
 * 0, or 2 and says why. */

#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROWS 20000
#define PLACES 1000
#define PAGE 10
#define ROUNDS 10
#define KEY_MAX 64

typedef struct {
    size_t len;
    char key[KEY_MAX];
} name_t;

typedef struct {
    MDB_txn *txn;
    MDB_cursor *rows;
    MDB_cursor *index;
    name_t row[ROWS];
    name_t place[PLACES];
    volatile uint64_t seen; /* so that no read is left out */
} bench_t;

static void
check(int rc, const char *what)
{
    if (rc != 0) {
        fprintf(stderr, "lookups: %s: %s\n", what, mdb_strerror(rc));
        exit(2);
    }
}

/* A handle outlives the transaction only if that is committed. */
static void
begin(bench_t *bench, MDB_env *env)
{
    MDB_dbi rows, index;

    check(mdb_txn_begin(env, NULL, MDB_RDONLY, &bench->txn), "begin");
    check(mdb_dbi_open(bench->txn, "rows", 0, &rows), "rows");
    check(mdb_dbi_open(bench->txn, "index", 0, &index), "index");
    check(mdb_txn_commit(bench->txn), "begin");
    check(mdb_txn_begin(env, NULL, MDB_RDONLY, &bench->txn), "begin");
    check(mdb_cursor_open(bench->txn, rows, &bench->rows), "rows");
    check(mdb_cursor_open(bench->txn, index, &bench->index), "index");
}

/* So many keys, each as likely as any other (reservoir sampling). */
static void
sample(MDB_cursor *cursor, name_t *out, uint64_t want)
{
    MDB_val k, v;
    uint64_t n = 0;

    while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) {
        uint64_t i = n < want ? n : (uint64_t)random() % (n + 1);

        n++;
        if (i < want && k.mv_size <= KEY_MAX) {
            out[i].len = k.mv_size;
            memcpy(out[i].key, k.mv_data, k.mv_size);
        }
    }
    for (uint64_t i = n; n && i < want; i++) {
        out[i] = out[i % n];
    }
}

static void
get(bench_t *bench, MDB_cursor *cursor, const name_t *name)
{
    MDB_val k = { name->len, (void *)(uintptr_t)name->key }, v;

    check(mdb_cursor_get(cursor, &k, &v, MDB_SET_KEY), "get");
    bench->seen += *(const unsigned char *)v.mv_data;
}

static void
get_index(bench_t *bench, const name_t *name)
{
    MDB_val k = { name->len, (void *)(uintptr_t)name->key }, v;

    check(mdb_cursor_get(bench->index, &k, &v, MDB_SET_RANGE), "seek");
    for (int i = 1;
         i < PAGE && mdb_cursor_get(bench->index, &k, &v, MDB_NEXT) == 0;
         i++) {
        bench->seen += *(const unsigned char *)k.mv_data;
    }
}

/* One read of the first kind or of the second. */
static void
look_up(bench_t *bench, size_t i, int ten)
{
    if (!ten) {
        get(bench, bench->rows, &bench->row[i]);
        return;
    }
    get_index(bench, &bench->place[i % PLACES]);
    for (size_t j = 0; j <= PAGE; j++) { /* one more: the page's owner */
        get(bench, bench->rows, &bench->row[(i % PLACES) * (PAGE + 1) + j]);
    }
}

static double
cpu_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Each read in a transaction of its own, as a request's. */
static double
measure(bench_t *bench, int ten)
{
    double start = 0;

    for (int round = 0; round <= ROUNDS; round++) {
        start = round == 1 ? cpu_ns() : start; /* the first warms up */
        for (size_t i = 0; i < ROWS; i++) {
            mdb_txn_reset(bench->txn);
            check(mdb_txn_renew(bench->txn), "begin");
            check(mdb_cursor_renew(bench->txn, bench->rows), "begin");
            check(mdb_cursor_renew(bench->txn, bench->index), "begin");
            look_up(bench, i, ten);
        }
    }
    return (cpu_ns() - start) / ROUNDS / ROWS;
}

int
main(int argc, char **argv)
{
    static bench_t bench;
    char path[4200];
    MDB_env *env;

    if (argc != 2) {
        fputs("usage: lookups DIR\n", stderr);
        return 2;
    }
    snprintf(path, sizeof path, "%s/views/0001", argv[1]);
    check(mdb_env_create(&env), "create");
    check(mdb_env_set_maxdbs(env, 16), "set up");
    check(mdb_env_open(env, path, MDB_RDONLY | MDB_NORDAHEAD, 0), path);
    begin(&bench, env);
    sample(bench.rows, bench.row, ROWS);
    sample(bench.index, bench.place, PLACES);
    printf("row %.0f ten %.0f\n", measure(&bench, 0), measure(&bench, 1));
    mdb_env_close(env);
    return 0;
}
