#include "views/runs.h"

#include "t/unit/alloc_failing.h"
#include "t/unit/test.h"

static void
finds_a_run_where_it_began(void **state)
{
    kappa_runs_t *runs = kappa_runs_create(&kappa_alloc_libc);
    kappa_run_t *run = kappa_runs_at(runs, 7, 1, false, KAPPA_STR("from"));

    (void)state;
    assert_int_equal(run->count, 0);
    assert_false(run->ended);
    run->entries[run->count++] =
        (kappa_run_entry_t){ .entry = "here", .entry_len = 4 };
    run->ended = true;
    assert_ptr_equal(kappa_runs_at(runs, 7, 1, false, KAPPA_STR("from")), run);
    assert_int_equal(run->count, 1);
    assert_true(run->ended);
    assert_false(run->entries[0].known);
    kappa_runs_destroy(runs, &kappa_alloc_libc);
}

/* Each of these begins anew. */
static void
tells_runs_apart(void **state)
{
    const struct {
        uint64_t snapshot;
        uint8_t dbi;
        bool backwards;
        kappa_str_t from;
    } others[] = {
        { 8, 1, false, KAPPA_STR("from") },
        { 6, 1, false, KAPPA_STR("from") },
        { 7, 0, false, KAPPA_STR("from") },
        { 7, 1, true, KAPPA_STR("from") },
        { 7, 1, false, KAPPA_STR("fron") },
        { 7, 1, false, KAPPA_STR("from\0") },
        { 7, 1, false, KAPPA_STR("fro") },
        { 7, 1, false, KAPPA_STR("") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        kappa_runs_t *runs = kappa_runs_create(&kappa_alloc_libc);
        kappa_run_t *run = kappa_runs_at(runs, 7, 1, false, KAPPA_STR("from"));

        run->count = 3;
        run->ended = true;
        run = kappa_runs_at(runs, others[i].snapshot, others[i].dbi,
            others[i].backwards, others[i].from);
        assert_int_equal(run->count, 0);
        assert_false(run->ended);
        kappa_runs_destroy(runs, &kappa_alloc_libc);
    }
}

static void
keeps_no_long_beginning(void **state)
{
    static char from[KAPPA_RUN_FROM_BYTES + 1];
    kappa_runs_t *runs = kappa_runs_create(&kappa_alloc_libc);

    (void)state;
    assert_non_null(kappa_runs_at(
        runs, 1, 0, false, kappa_str(from, KAPPA_RUN_FROM_BYTES)));
    assert_null(
        kappa_runs_at(runs, 1, 0, false, kappa_str(from, sizeof from)));
    kappa_runs_destroy(runs, &kappa_alloc_libc);
}

static void
does_without_memory(void **state)
{
    kappa_alloc_failing_t failing;

    (void)state;
    kappa_alloc_failing_init(&failing, 1);
    assert_null(kappa_runs_create(&failing.alloc));
    kappa_runs_destroy(NULL, &failing.alloc);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_run_where_it_began),
        cmocka_unit_test(tells_runs_apart),
        cmocka_unit_test(keeps_no_long_beginning),
        cmocka_unit_test(does_without_memory),
    };

    return cmocka_run_group_tests_name("runs", tests, NULL, NULL);
}
