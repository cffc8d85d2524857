#define _GNU_SOURCE
#include "t/unit/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "views/env.h"

/* One environment, several processes: readers that stay, and maps of several
 * sizes. */

static char path[64];
static kappa_env_t *env;

static int
set_up(void **state)
{
    (void)state;
    strcpy(path, "/tmp/kappa-usage-XXXXXX");
    assert_non_null(mkdtemp(path));
    return kappa_env_open(path, 1 << 26, &kappa_alloc_libc, &env, NULL);
}

static int
tear_down(void **state)
{
    char file[96];

    (void)state;
    kappa_env_close(env);
    snprintf(file, sizeof file, "%s/data.mdb", path);
    unlink(file);
    snprintf(file, sizeof file, "%s/lock.mdb", path);
    unlink(file);
    return rmdir(path);
}

static void
put(kappa_env_t *into, unsigned key, size_t bytes)
{
    static const char value[60000];
    kappa_txn_t *txn;

    assert_int_equal(kappa_env_write(into, &txn, NULL), KAPPA_OK);
    assert_int_equal(
        kappa_txn_put(txn, KAPPA_DBI_ROWS, kappa_str((char *)&key, sizeof key),
            kappa_str(value, bytes)),
        KAPPA_OK);
    assert_int_equal(kappa_txn_commit(txn, NULL), KAPPA_OK);
}

static kappa_env_usage_t
usage(void)
{
    kappa_env_usage_t now;

    kappa_env_usage(env, &now);
    return now;
}

/* Runs in a process of its own, which has an environment of its own; it is
 * waited for until it says that it is ready. */
static pid_t
start(void (*run)(kappa_env_t *own), size_t map_size)
{
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        kappa_env_t *own;
        if (kappa_env_open(path, map_size, &kappa_alloc_libc, &own, NULL)
            != KAPPA_OK) {
            _exit(1);
        }
        run(own);
        if (write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void
end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void
begin_to_read(kappa_env_t *own)
{
    kappa_txn_t *txn;

    if (kappa_env_read(own, &txn) != KAPPA_OK) {
        _exit(1);
    }
}

/* A reader that stays is seen, as what it costs is; when it died its slot is
 * cleared, and pages are used again. */
static void
a_reader_that_stays(void **state)
{
    (void)state;
    kappa_env_close(env); /* not across fork */
    env = NULL;
    pid_t pid = start(begin_to_read, 1 << 26);
    assert_int_equal(
        kappa_env_open(path, 1 << 26, &kappa_alloc_libc, &env, NULL),
        KAPPA_OK);
    assert_int_equal(usage().readers, 1);
    put(env, 1, 20000);
    uint64_t before = usage().used_bytes;
    for (unsigned i = 0; i < 50; i++) {
        put(env, 1, 20000);
    }
    assert_int_equal(usage().readers_lag, 51);
    assert_int_equal(usage().oldest_reader, pid);
    uint64_t pinned = usage().used_bytes;
    assert_true(pinned > before + 40 * 20000);
    assert_int_equal(kappa_env_check_readers(env), 0);

    end(pid);
    assert_int_equal(kappa_env_check_readers(env), 1);
    assert_int_equal(usage().readers, 0);
    assert_int_equal(usage().readers_lag, 0);
    assert_int_equal(usage().oldest_reader, 0);
    for (unsigned i = 0; i < 100; i++) {
        put(env, 1, 20000);
    }
    assert_true(usage().used_bytes <= pinned + 100000);
}

static void
grow(kappa_env_t *own)
{
    for (unsigned i = 0; i < 60; i++) {
        put(own, i, 50000);
    }
}

static void
keeps_the_largest_map(void **state)
{
    (void)state;
    kappa_env_close(env);
    env = NULL;
    assert_int_equal(
        kappa_env_open(path, 0, &kappa_alloc_libc, &env, NULL), KAPPA_OK);
    assert_int_equal(usage().map_bytes, 1 << 26); /* as it was made */
    kappa_env_close(env);
    assert_int_equal(
        kappa_env_open(path, 1 << 20, &kappa_alloc_libc, &env, NULL),
        KAPPA_OK);
    assert_int_equal(usage().map_bytes, 1 << 26); /* never smaller */
    kappa_env_close(env);
    assert_int_equal(
        kappa_env_open(path, 1 << 27, &kappa_alloc_libc, &env, NULL),
        KAPPA_OK);
    assert_int_equal(usage().map_bytes, 1 << 27);
}

/* Another process raised it and went past ours: this one has to end. */
static void
a_map_that_became_too_small(void **state)
{
    kappa_txn_t *txn;
    char file[96];

    (void)state;
    kappa_env_close(env);
    snprintf(file, sizeof file, "%s/data.mdb", path);
    unlink(file);
    assert_int_equal(
        kappa_env_open(path, 1 << 20, &kappa_alloc_libc, &env, NULL),
        KAPPA_OK);
    pid_t pid = start(grow, 1 << 24);
    assert_false(kappa_env_is_over(env));
    assert_int_equal(kappa_env_read(env, &txn), KAPPA_IO);
    assert_true(kappa_env_is_over(env));
    end(pid);

    kappa_env_close(env); /* as it is when it is started anew */
    assert_int_equal(
        kappa_env_open(path, 1 << 20, &kappa_alloc_libc, &env, NULL),
        KAPPA_OK);
    assert_int_equal(usage().map_bytes, 1 << 24);
    assert_int_equal(kappa_env_read(env, &txn), KAPPA_OK);
    kappa_txn_end(txn);
}

static void
says_that_it_is_full(void **state)
{
    static const char value[60000];
    kappa_txn_t *txn;
    char file[96];

    (void)state;
    kappa_env_close(env);
    snprintf(file, sizeof file, "%s/data.mdb", path);
    unlink(file);
    assert_int_equal(
        kappa_env_open(path, 1 << 20, &kappa_alloc_libc, &env, NULL),
        KAPPA_OK);
    assert_int_equal(kappa_env_write(env, &txn, NULL), KAPPA_OK);
    kappa_status_t status = KAPPA_OK;
    for (unsigned i = 0; i < 30 && status == KAPPA_OK; i++) {
        status = kappa_txn_put(txn, KAPPA_DBI_ROWS,
            kappa_str((char *)&i, sizeof i), kappa_str(value, sizeof value));
    }
    assert_int_equal(status, KAPPA_IO);
    assert_non_null(strstr(kappa_txn_problem(txn), "map_size"));
    kappa_txn_end(txn);
    assert_false(kappa_env_is_over(env));
    assert_int_equal(
        kappa_env_read(env, &txn), KAPPA_OK); /* reading goes on */
    kappa_txn_end(txn);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_reader_that_stays),
        TEST(keeps_the_largest_map),
        TEST(a_map_that_became_too_small),
        TEST(says_that_it_is_full),
    };
    return cmocka_run_group_tests_name("views/env_usage", tests, NULL, NULL);
}
