#include "t/unit/views/store_case.h"

#include <time.h>

#include "t/unit/torture.h"
#include "views/store_private.h"
#include "views/used_keys.h"

#define WINDOW 100000

static void
reopen_with(int64_t window_ms)
{
    f.window_ms = window_ms;
    reopen(&f);
}

/* Whether the mutation was a duplicate. */
static bool
keyed(int key)
{
    char text[128];
    kappa_job_t job;

    snprintf(text, sizeof(text),
        "mutation { keyed(name: \"a\", stock: 1, once: \"%d\") { stock } }",
        key);
    assert_contains(mutate_as(&f, text, NULL, &job), "\"stock\":1");
    return job.duplicate;
}

static unsigned
entries(kappa_dbi_t dbi)
{
    kappa_str_t key, value;
    kappa_txn_t *txn;
    unsigned count = 0;

    assert_int_equal(
        kappa_env_read(f.store->edition->generation->env, &txn), KAPPA_OK);
    kappa_status_t status =
        kappa_txn_seek(txn, dbi, KAPPA_STR("\0"), &key, &value);
    for (; status == KAPPA_OK; count++) {
        status = kappa_txn_next(txn, dbi, &key, &value);
    }
    assert_int_equal(status, KAPPA_DONE);
    kappa_txn_end(txn);
    return count;
}

static void
keys_are_kept_for_ever_by_default(void **state)
{
    (void)state;
    assert_false(keyed(1));
    f.ahead_ms = INT64_C(100000000000);
    assert_true(keyed(1));
    reopen(&f);
    assert_true(keyed(1));
    assert_int_equal(entries(KAPPA_DBI_IDEMPOTENCY), 1);
    verify_store(&f);
}

static void
keys_are_forgotten_past_the_window(void **state)
{
    kappa_job_t job;

    (void)state;
    reopen_with(WINDOW);
    mutate_as(
        &f, "mutation { add(name: \"b\", stock: 1) { stock } }", "h", NULL);
    assert_false(keyed(1));
    f.ahead_ms = WINDOW / 2;
    assert_true(keyed(1));
    assert_false(keyed(2));
    reopen(&f);
    assert_true(keyed(2));
    f.ahead_ms = 2 * WINDOW;
    assert_false(keyed(1)); /* used again: remembered from now */
    assert_true(keyed(1));
    assert_contains(
        mutate_as(&f, "mutation { add(name: \"b\", stock: 1) { stock } }", "h",
            &job),
        "ALREADY_EXISTS"); /* a key in the header is forgotten, too */
    verify_store(&f);
    f.ahead_ms = 2 * WINDOW + WINDOW / 2;
    assert_true(keyed(1));
    assert_false(keyed(2));
    verify_store(&f);
    assert_int_equal(entries(KAPPA_DBI_IDEMPOTENCY), 2);
    assert_int_equal(entries(KAPPA_DBI_EXPIRIES), 2);
}

/* A commit takes some along, until none is left that is over. */
static void
entries_are_swept_by_and_by(void **state)
{
    enum {
        KEYS = 200
    };
    unsigned before, now = KEYS + 1;

    (void)state;
    for (int i = 0; i < KEYS; i++) {
        assert_false(keyed(i));
    }
    reopen_with(WINDOW);
    f.ahead_ms = 2 * WINDOW;
    assert_false(keyed(KEYS));
    do {
        verify_store(&f);
        before = now;
        now = entries(KAPPA_DBI_IDEMPOTENCY);
        assert_int_equal(entries(KAPPA_DBI_EXPIRIES), now);
        assert_true(before - now <= 70);
        mutate_text(&f, "mutation { admin(name: \"a\", stock: 1) { stock } }");
        f.role = "admin";
    } while (now > 1);
    assert_true(keyed(KEYS));
    /* A rebuild has them all again, and forgets them again. */
    kappa_errors_init(&f.errors, f.arena, 0);
    assert_int_equal(
        kappa_store_rebuild(f.store, NULL, NULL, &f.errors), KAPPA_OK);
    assert_int_equal(entries(KAPPA_DBI_IDEMPOTENCY), KEYS + 1);
    verify_store(&f);
    assert_true(keyed(KEYS));
    assert_false(keyed(0));
    verify_store(&f);
    assert_true(entries(KAPPA_DBI_IDEMPOTENCY) < KEYS);
}

/* Random keys and times, workers that come and go: whether a key is known is
 * what its time says, never what was swept or replayed. */
static void
agrees_with_the_clock(void **state)
{
    enum {
        KEYS = 12
    };
    int64_t used[KEYS];
    unsigned seed = (unsigned)kappa_test_seed();

    (void)state;
    srandom(seed);
    for (int i = 0; i < KEYS; i++) {
        used[i] = -10 * WINDOW;
    }
    reopen_with(WINDOW);
    for (int i = 0; i < 250; i++) {
        int key = (int)(random() % KEYS);
        /* Away from the edge by more than the test takes. */
        int64_t age = f.ahead_ms - used[key];
        bool known = age < WINDOW;

        assert_int_equal(keyed(key), known);
        used[key] = known ? used[key] : f.ahead_ms;
        f.ahead_ms += random() % 4 == 0 ? WINDOW / 4 * 3 : 0;
        if (random() % 30 == 0) {
            reopen(&f);
        } else if (random() % 40 == 0) {
            kappa_errors_init(&f.errors, f.arena, 0);
            assert_int_equal(
                kappa_store_rebuild(f.store, NULL, NULL, &f.errors), KAPPA_OK);
        }
        if (random() % 20 == 0) {
            verify_store(&f);
        }
    }
    verify_store(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_are_kept_for_ever_by_default),
        TEST(keys_are_forgotten_past_the_window),
        TEST(entries_are_swept_by_and_by),
        TEST(agrees_with_the_clock),
    };
    return cmocka_run_group_tests_name("views/used_keys", tests, NULL, NULL);
}
