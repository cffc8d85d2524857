#include "t/unit/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t/unit/alloc_failing.h"
#include "views/env.h"

typedef struct {
    char dir[64];
    kappa_arena_t *arena;
    kappa_errors_t errors;
    kappa_env_t *env;
} env_t;

static void
open_again(env_t *e, size_t map_bytes)
{
    assert_int_equal(kappa_env_open(e->dir, map_bytes, &kappa_alloc_libc,
                         &e->env, &e->errors),
        KAPPA_OK);
}

static void
start(env_t *e)
{
    memset(e, 0, sizeof(*e));
    strcpy(e->dir, "/tmp/kappa-env-XXXXXX");
    assert_non_null(mkdtemp(e->dir));
    e->arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_init(&e->errors, e->arena, 0);
    open_again(e, 1024 * 1024);
}

static void
finish(env_t *e)
{
    char path[128];

    kappa_env_close(e->env);
    snprintf(path, sizeof(path), "%s/data.mdb", e->dir);
    unlink(path);
    snprintf(path, sizeof(path), "%s/lock.mdb", e->dir);
    unlink(path);
    rmdir(e->dir);
    kappa_arena_destroy(e->arena);
}

static void
put(env_t *e, const char *const *keys, size_t count)
{
    kappa_txn_t *txn;

    assert_int_equal(kappa_env_write(e->env, &txn, &e->errors), KAPPA_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(kappa_txn_put(txn, KAPPA_DBI_ROWS,
                             kappa_str_c(keys[i]), kappa_str_c(keys[i])),
            KAPPA_OK);
    }
    assert_int_equal(kappa_txn_commit(txn, &e->errors), KAPPA_OK);
}

static const char *const letters[] = { "b", "d", "f" };

static void
keeps_what_is_committed(void **state)
{
    kappa_str_t value;
    kappa_txn_t *txn;
    env_t e;

    (void)state;
    start(&e);
    put(&e, letters, COUNT(letters));
    assert_int_equal(kappa_env_write(e.env, &txn, &e.errors), KAPPA_OK);
    assert_int_equal(
        kappa_txn_del(txn, KAPPA_DBI_ROWS, KAPPA_STR("b")), KAPPA_OK);
    assert_int_equal(
        kappa_txn_del(txn, KAPPA_DBI_ROWS, KAPPA_STR("none")), KAPPA_OK);
    kappa_txn_end(txn); /* dropped */
    assert_int_equal(kappa_env_sync(e.env, &e.errors), KAPPA_OK);
    kappa_env_close(e.env);

    open_again(&e, 0);
    assert_int_equal(kappa_env_read(e.env, &txn), KAPPA_OK);
    assert_int_equal(
        kappa_txn_get(txn, KAPPA_DBI_ROWS, KAPPA_STR("b"), &value), KAPPA_OK);
    assert_str_equal(value, "b");
    assert_int_equal(
        kappa_txn_get(txn, KAPPA_DBI_ROWS, KAPPA_STR("a"), &value),
        KAPPA_NOT_FOUND);
    assert_int_equal(
        kappa_txn_get(txn, KAPPA_DBI_INDEX, KAPPA_STR("b"), &value),
        KAPPA_NOT_FOUND);
    kappa_txn_end(txn);
    finish(&e);
}

static void
seeks(void **state)
{
    static const struct {
        const char *at;
        const char *from;   /* the first at or past it */
        const char *before; /* the last before it */
    } cases[] = {
        { "", "b", NULL },
        { "a", "b", NULL },
        { "b", "b", NULL },
        { "c", "d", "b" },
        { "f", "f", "d" },
        { "g", NULL, "f" },
    };
    kappa_str_t key, value;
    kappa_txn_t *txn;
    env_t e;

    (void)state;
    start(&e);
    put(&e, letters, COUNT(letters));
    assert_int_equal(kappa_env_read(e.env, &txn), KAPPA_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_str_t at = kappa_str_c(cases[i].at);

        assert_int_equal(kappa_txn_seek(txn, KAPPA_DBI_ROWS, at, &key, &value),
            cases[i].from ? KAPPA_OK : KAPPA_DONE);
        if (cases[i].from != NULL) {
            assert_str_equal(key, cases[i].from);
        }
        assert_int_equal(
            kappa_txn_seek_before(txn, KAPPA_DBI_ROWS, at, &key, &value),
            cases[i].before ? KAPPA_OK : KAPPA_DONE);
        if (cases[i].before != NULL) {
            assert_str_equal(key, cases[i].before);
        }
    }
    assert_int_equal(
        kappa_txn_seek(txn, KAPPA_DBI_ROWS, KAPPA_STR("c"), &key, &value),
        KAPPA_OK);
    assert_int_equal(
        kappa_txn_next(txn, KAPPA_DBI_ROWS, &key, &value), KAPPA_OK);
    assert_str_equal(key, "f");
    assert_int_equal(
        kappa_txn_next(txn, KAPPA_DBI_ROWS, &key, &value), KAPPA_DONE);
    assert_int_equal(
        kappa_txn_previous(txn, KAPPA_DBI_ROWS, &key, &value), KAPPA_OK);
    kappa_txn_end(txn);
    finish(&e);
}

/* A transaction from the pool sees what is new, through its old cursors. */
static void
readers_are_renewed(void **state)
{
    static const char *const more[] = { "a" };
    kappa_str_t key, value;
    kappa_txn_t *first, *second, *again;
    env_t e;

    (void)state;
    start(&e);
    put(&e, letters, COUNT(letters));
    assert_int_equal(kappa_env_read(e.env, &first), KAPPA_OK);
    assert_int_equal(
        kappa_txn_seek(first, KAPPA_DBI_ROWS, KAPPA_STR_NULL, &key, &value),
        KAPPA_OK);
    assert_int_equal(kappa_env_read(e.env, &second), KAPPA_OK);
    assert_ptr_not_equal(first, second);
    put(&e, more, COUNT(more));
    assert_int_equal(
        kappa_txn_seek(first, KAPPA_DBI_ROWS, KAPPA_STR_NULL, &key, &value),
        KAPPA_OK);
    assert_str_equal(key, "b"); /* its own state of things */
    kappa_txn_end(first);
    assert_int_equal(kappa_env_read(e.env, &again), KAPPA_OK);
    assert_ptr_equal(first, again);
    assert_int_equal(
        kappa_txn_seek(again, KAPPA_DBI_ROWS, KAPPA_STR_NULL, &key, &value),
        KAPPA_OK);
    assert_str_equal(key, "a");
    kappa_txn_end(again);
    kappa_txn_end(second);
    kappa_env_check_readers(e.env);
    finish(&e);
}

static void
set_a(env_t *e, const char *value, uint64_t position)
{
    kappa_txn_t *txn;

    assert_int_equal(kappa_env_write(e->env, &txn, &e->errors), KAPPA_OK);
    assert_int_equal(
        kappa_txn_put(txn, KAPPA_DBI_ROWS, KAPPA_STR("a"), kappa_str_c(value)),
        KAPPA_OK);
    assert_int_equal(
        kappa_meta_put(txn, KAPPA_META_POSITION, position), KAPPA_OK);
    assert_int_equal(kappa_txn_commit(txn, &e->errors), KAPPA_OK);
}

static void
expect_a(kappa_txn_t *txn, const char *expected, uint64_t position)
{
    kappa_str_t value;
    uint64_t seq;

    assert_int_equal(
        kappa_txn_get(txn, KAPPA_DBI_ROWS, KAPPA_STR("a"), &value), KAPPA_OK);
    assert_str_equal(value, expected);
    assert_int_equal(
        kappa_txn_get(txn, KAPPA_DBI_ROWS, KAPPA_STR("none"), &value),
        KAPPA_NOT_FOUND);
    assert_int_equal(kappa_env_position(txn, &seq), KAPPA_OK);
    assert_int_equal(seq, position);
}

/* What a transaction knows of its snapshot serves the next one on the same
 * snapshot, and no other. */
static void
knows_one_snapshot(void **state)
{
    static const char *const values[] = { "one", "two", "three", "four" };
    kappa_txn_t *txn, *old;
    env_t e;

    (void)state;
    start(&e);
    for (size_t i = 0; i < COUNT(values); i++) {
        set_a(&e, values[i], i + 1);
        for (int again = 0; again < 3; again++) {
            assert_int_equal(kappa_env_read(e.env, &txn), KAPPA_OK);
            expect_a(txn, values[i], i + 1);
            expect_a(txn, values[i], i + 1);
            kappa_txn_end(txn);
        }
    }
    assert_int_equal(kappa_env_read(e.env, &old), KAPPA_OK);
    expect_a(old, "four", 4);
    set_a(&e, "five", 5);
    expect_a(old, "four", 4);
    assert_int_equal(kappa_env_read(e.env, &txn), KAPPA_OK);
    expect_a(txn, "five", 5);
    expect_a(old, "four", 4);
    kappa_txn_end(old);
    kappa_txn_end(txn);
    finish(&e);
}

/* Looking up a row leaves a scan of rows where it is. */
static void
gets_do_not_move_scans(void **state)
{
    kappa_str_t key, value;
    kappa_txn_t *txn;
    env_t e;

    (void)state;
    start(&e);
    put(&e, letters, COUNT(letters));
    assert_int_equal(kappa_env_read(e.env, &txn), KAPPA_OK);
    assert_int_equal(
        kappa_txn_seek(txn, KAPPA_DBI_ROWS, KAPPA_STR("b"), &key, &value),
        KAPPA_OK);
    assert_int_equal(
        kappa_txn_get(txn, KAPPA_DBI_ROWS, KAPPA_STR("f"), &value), KAPPA_OK);
    assert_int_equal(
        kappa_txn_next(txn, KAPPA_DBI_ROWS, &key, &value), KAPPA_OK);
    assert_str_equal(key, "d");
    kappa_txn_end(txn);
    finish(&e);
}

static void *
read_often(void *arg)
{
    env_t *e = arg;
    intptr_t failed = 0;

    for (int i = 0; i < 2000; i++) {
        kappa_str_t value;
        kappa_txn_t *txn;

        if (kappa_env_read(e->env, &txn) != KAPPA_OK) {
            failed++;
            continue;
        }
        failed += kappa_txn_get(txn, KAPPA_DBI_ROWS, KAPPA_STR("d"), &value)
            != KAPPA_OK;
        kappa_txn_end(txn);
    }
    return (void *)failed;
}

static void
many_threads_read_while_one_writes(void **state)
{
    pthread_t threads[4];
    env_t e;

    (void)state;
    start(&e);
    put(&e, letters, COUNT(letters));
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_often, &e), 0);
    }
    for (int i = 0; i < 200; i++) {
        put(&e, letters, COUNT(letters));
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *failed;

        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    finish(&e);
}

static void
numbers_in_meta(void **state)
{
    kappa_txn_t *txn;
    uint64_t n;
    env_t e;

    (void)state;
    start(&e);
    assert_int_equal(kappa_env_write(e.env, &txn, &e.errors), KAPPA_OK);
    assert_int_equal(kappa_env_position(txn, &n), KAPPA_OK);
    assert_int_equal(n, 0);
    assert_int_equal(kappa_meta_put(txn, KAPPA_META_POSITION, 42), KAPPA_OK);
    assert_int_equal(kappa_env_position(txn, &n), KAPPA_OK);
    assert_int_equal(n, 42);
    assert_int_equal(kappa_txn_put(txn, KAPPA_DBI_META,
                         KAPPA_STR(KAPPA_META_POSITION), KAPPA_STR("x")),
        KAPPA_OK);
    assert_int_equal(kappa_env_position(txn, &n), KAPPA_CORRUPT);
    kappa_txn_end(txn);
    finish(&e);
}

static void
says_why_it_can_not(void **state)
{
    char large[4096];
    kappa_env_t *env;
    kappa_txn_t *txn;
    kappa_status_t status = KAPPA_OK;
    env_t e;

    (void)state;
    start(&e);
    assert_int_equal(kappa_env_open("/nonexistent/views", 0, &kappa_alloc_libc,
                         &env, &e.errors),
        KAPPA_IO);
    assert_string_equal(e.errors.first->code, "STORE_UNAVAILABLE");
    assert_str_equal(e.errors.first->message,
        "the views: can't open them: No such file or directory");

    memset(large, 'x', sizeof(large));
    assert_int_equal(kappa_env_write(e.env, &txn, &e.errors), KAPPA_OK);
    for (int i = 0; i < 1000 && status == KAPPA_OK; i++) {
        status = kappa_txn_put(txn, KAPPA_DBI_ROWS,
            kappa_str((const char *)&i, sizeof(i)),
            kappa_str(large, sizeof(large)));
    }
    assert_int_equal(status, KAPPA_IO);
    assert_non_null(strstr(kappa_txn_problem(txn), "map_size"));
    kappa_txn_end(txn);
    put(&e, letters, COUNT(letters)); /* goes on */
    finish(&e);
}

static kappa_status_t
open_and_read(const kappa_alloc_t *alloc, void *ctx)
{
    env_t *e = ctx;
    kappa_env_t *env;
    kappa_txn_t *txn;
    kappa_status_t status =
        kappa_env_open(e->dir, 1024 * 1024, alloc, &env, NULL);

    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_env_read(env, &txn);
    if (status == KAPPA_OK) {
        kappa_txn_end(txn);
        status = kappa_env_write(env, &txn, NULL);
    }
    if (status == KAPPA_OK) {
        status = kappa_txn_commit(txn, NULL);
    }
    kappa_env_close(env);
    return status;
}

static void
survives_without_memory(void **state)
{
    env_t e;

    (void)state;
    start(&e);
    kappa_env_close(e.env);
    kappa_alloc_failing_each(open_and_read, &e);
    open_again(&e, 0);
    finish(&e);
}

/* Its blocks are there before it is written through a mapping: where the disk
 * is full that is said, instead of a SIGBUS. */
static void
expect_lock_allocated(const env_t *e)
{
    struct stat st;
    char path[128];

    snprintf(path, sizeof path, "%s/lock.mdb", e->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size > 0);
    assert_true(st.st_blocks * 512 >= st.st_size);
}

static void
the_lock_file_has_no_holes(void **state)
{
    char path[128];
    env_t e;

    (void)state;
    start(&e);
    expect_lock_allocated(&e);
    kappa_env_close(e.env);
    snprintf(path, sizeof path, "%s/lock.mdb", e.dir);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(truncate(path, 65664), 0);
    open_again(&e, 0);
    expect_lock_allocated(&e);
    finish(&e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_is_committed),
        cmocka_unit_test(seeks),
        cmocka_unit_test(readers_are_renewed),
        cmocka_unit_test(knows_one_snapshot),
        cmocka_unit_test(gets_do_not_move_scans),
        cmocka_unit_test(many_threads_read_while_one_writes),
        cmocka_unit_test(numbers_in_meta),
        cmocka_unit_test(says_why_it_can_not),
        cmocka_unit_test(survives_without_memory),
        cmocka_unit_test(the_lock_file_has_no_holes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
