#define _GNU_SOURCE
#include "t/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "views/verbs.h"

static char path[64];
static kappa_env_t *env;
static kappa_txn_t *txn;

static int
set_up(void **state)
{
    (void)state;
    strcpy(path, "/tmp/kappa-verbs-XXXXXX");
    assert_non_null(mkdtemp(path));
    assert_int_equal(
        kappa_env_open(path, 1 << 24, &kappa_alloc_libc, &env, NULL),
        KAPPA_OK);
    return kappa_env_write(env, &txn, NULL);
}

static int
tear_down(void **state)
{
    char file[96];

    (void)state;
    kappa_txn_end(txn);
    kappa_env_close(env);
    snprintf(file, sizeof file, "%s/data.mdb", path);
    unlink(file);
    snprintf(file, sizeof file, "%s/lock.mdb", path);
    unlink(file);
    return rmdir(path);
}

static void
happens(
    uint64_t seq, const char *thing, const char *verb, kappa_effect_t effect)
{
    kappa_event_t event = { .seq = seq,
        .thing = kappa_str_c(thing),
        .verb = kappa_str_c(verb),
        .effect = effect };

    assert_int_equal(kappa_verbs_put(txn, &event), KAPPA_OK);
}

static bool
seen(const char *thing, const char *verb, bool effectless)
{
    bool was = false;

    assert_int_equal(kappa_verbs_seen(txn, kappa_str_c(thing),
                         kappa_str_c(verb), effectless, &was),
        KAPPA_OK);
    return was;
}

static void
notes_what_happened(void **state)
{
    char name[500];

    (void)state;
    happens(1, "Item", "added", KAPPA_EFFECT_CREATE);
    happens(2, "Item", "added", KAPPA_EFFECT_CREATE);
    happens(3, "Item", "seen", KAPPA_EFFECT_NONE);
    happens(4, "Items", "counted", KAPPA_EFFECT_PUT);
    assert_true(seen("Item", "added", false));
    assert_false(seen("Item", "added", true));
    assert_true(seen("Item", "seen", true));
    assert_true(seen("Item", "seen", false));
    assert_false(seen("Item", "dropped", false));
    assert_false(seen("Ite", "added", false));
    assert_false(seen("Other", "added", false));
    assert_true(seen("Item", NULL, false));
    assert_true(seen("Item", NULL, true));
    assert_true(seen("Items", NULL, false));
    assert_false(seen("Items", NULL, true));
    assert_false(seen("It", NULL, false));
    happens(5, "Items", "counted", KAPPA_EFFECT_UNSET);
    assert_true(seen("Items", NULL, true));
    assert_true(seen("Items", "counted", false));

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    happens(6, name, "long", KAPPA_EFFECT_PUT);
    assert_true(seen(name, "long", true)); /* can't be known */
}

static void
without_the_first_all_may_have_been(void **state)
{
    (void)state;
    happens(2, "Item", "added", KAPPA_EFFECT_CREATE);
    assert_true(seen("Item", "dropped", true));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(notes_what_happened),
        TEST(without_the_first_all_may_have_been),
    };
    return cmocka_run_group_tests_name("views/verbs", tests, NULL, NULL);
}
