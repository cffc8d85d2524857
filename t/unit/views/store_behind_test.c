#include "t/unit/views/store_case.h"

/* Views that are behind the log: who catches up, and what is answered until
 * then. The log is written here as a process would that dies before it commits
 * its views. */

static kappa_event_t
item_added(int i)
{
    kappa_event_t event = { .time_ms = 1700000000000 + i,
        .thing = KAPPA_STR("Item"),
        .verb = KAPPA_STR("added"),
        .effect = KAPPA_EFFECT_CREATE };

    event.id[0] = (uint8_t)i;
    event.key = kappa_str_printf(f.arena, "\"n%d\"", i);
    event.data = kappa_str_printf(
        f.arena, "{\"name\":\"n%d\",\"stock\":1,\"shelf\":\"s\"}", i);
    return event;
}

/* Appends to the log alone. */
static void
append_behind_its_back(int count)
{
    kappa_log_t *log;
    uint64_t tail;
    static int next;

    assert_int_equal(
        kappa_log_open(f.dir, &kappa_alloc_libc, NULL, &log, &f.errors),
        KAPPA_OK);
    assert_int_equal(kappa_log_lock(log, &f.errors), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, NULL, &tail, &f.errors), KAPPA_OK);
    while (count > 0) {
        kappa_event_t events[500];
        int n = count < 500 ? count : 500;

        for (int i = 0; i < n; i++) {
            events[i] = item_added(next++);
        }
        assert_int_equal(
            kappa_log_append(log, events, (size_t)n, tail, &tail, &f.errors),
            KAPPA_OK);
        count -= n;
    }
    kappa_log_close(log);
}

static const char *
items(void)
{
    return query_text(&f, "{ shelf(name: \"s\") { items } }");
}

static kappa_status_t
snapshot_status(uint64_t version)
{
    kappa_read_options_t options = { .version = version };
    kappa_snapshot_t *snapshot;
    kappa_status_t status = kappa_snapshot_begin(f.store, &options, &snapshot);

    if (status == KAPPA_OK) {
        kappa_snapshot_end(snapshot);
    }
    return status;
}

static void
the_timer_catches_up(void **state)
{
    kappa_tail_t file;
    kappa_position_t tail;

    (void)state;
    append_behind_its_back(3);
    assert_string_equal(items(), "{\"data\":{\"shelf\":null}}");
    assert_int_equal(kappa_store_tick(f.store, &f.errors), KAPPA_OK);
    assert_string_equal(items(), "{\"data\":{\"shelf\":{\"items\":3}}}");
    assert_int_equal(kappa_tail_open(&file, f.dir, &f.errors), KAPPA_OK);
    assert_int_equal(kappa_tail_read(&file, &tail), KAPPA_OK);
    assert_int_equal(tail.seq, 3); /* others are woken */
    kappa_tail_close(&file);
    verify_store(&f);
}

static void
the_timer_leaves_it_to_who_appends(void **state)
{
    kappa_log_t *log;

    (void)state;
    append_behind_its_back(1);
    assert_int_equal(
        kappa_log_open(f.dir, &kappa_alloc_libc, NULL, &log, &f.errors),
        KAPPA_OK);
    assert_int_equal(kappa_log_lock(log, &f.errors), KAPPA_OK);
    assert_int_equal(kappa_store_tick(f.store, &f.errors), KAPPA_OK);
    assert_int_equal(kappa_store_position(f.store), 0);
    kappa_log_close(log);
    assert_int_equal(kappa_store_tick(f.store, &f.errors), KAPPA_OK);
    assert_int_equal(kappa_store_position(f.store), 1);
}

static void
the_next_appender_catches_up(void **state)
{
    kappa_job_t job;

    (void)state;
    append_behind_its_back(3);
    assert_contains(mutate_as(&f,
                        "mutation { add(name: \"x\", stock: 1, shelf: \"s\") "
                        "{ shelfRow { items } } }",
                        NULL, &job),
        "{\"items\":4}");
    assert_int_equal(job.seq, 4);
    verify_store(&f);
}

static void
openers_catch_up(void **state)
{
    (void)state;
    append_behind_its_back(10000);
    reopen(&f);
    assert_true(kappa_store_ready(f.store));
    assert_string_equal(items(), "{\"data\":{\"shelf\":{\"items\":10000}}}");
}

static bool
stop_after_two(void *ctx, uint64_t seq, uint64_t end)
{
    assert_true(seq <= end);
    return ++*(int *)ctx < 2;
}

static void
far_behind_is_a_builders_work(void **state)
{
    int calls = 0;

    (void)state;
    append_behind_its_back(13000);
    assert_contains(
        mutate_text(&f, "mutation { add(name: \"x\", stock: 1) { stock } }"),
        "VIEWS_REBUILDING");
    assert_int_equal(kappa_store_tick(f.store, &f.errors), KAPPA_OK);
    assert_int_equal(kappa_store_position(f.store), 0);
    assert_true(kappa_store_wants_build(f.store));

    char path[128];
    snprintf(path, sizeof path, "%s/views", f.dir);
    close_store(&f, true);
    remove_tree(path);
    open_store(&f);
    assert_false(kappa_store_ready(f.store));
    assert_true(kappa_store_wants_build(f.store));
    assert_int_equal(snapshot_status(0), KAPPA_BUSY);
    assert_contains(
        mutate_text(&f, "mutation { add(name: \"x\", stock: 1) { stock } }"),
        "VIEWS_REBUILDING");

    assert_int_equal(
        kappa_store_build(f.store, stop_after_two, &calls, &f.errors),
        KAPPA_DONE);
    assert_int_equal(calls, 2);
    uint64_t built = kappa_store_position(f.store);
    assert_in_range(built, 1, 10000);
    assert_int_equal(
        kappa_store_build(f.store, NULL, NULL, &f.errors), KAPPA_OK);
    assert_true(kappa_store_ready(f.store));
    assert_string_equal(items(), "{\"data\":{\"shelf\":{\"items\":13000}}}");
    assert_contains(
        mutate_text(&f, "mutation { add(name: \"x\", stock: 1) { stock } }"),
        "\"stock\":1");
    verify_store(&f);
}

static void
who_serves_may_be_far_behind_too(void **state)
{
    (void)state;
    append_behind_its_back(13000);
    assert_false(kappa_store_wants_build(f.store));
    assert_int_equal(kappa_store_tick(f.store, &f.errors), KAPPA_OK);
    assert_true(kappa_store_wants_build(f.store));
    assert_int_equal(snapshot_status(0), KAPPA_OK); /* reads what it has */
    assert_int_equal(
        kappa_store_build(f.store, NULL, NULL, &f.errors), KAPPA_OK);
    assert_false(kappa_store_wants_build(f.store));
    assert_string_equal(items(), "{\"data\":{\"shelf\":{\"items\":13000}}}");
}

static bool
build_again_meanwhile(void *ctx, uint64_t seq, uint64_t end)
{
    (void)seq;
    (void)end;
    *(kappa_status_t *)ctx = kappa_store_build(f.store, NULL, NULL, &f.errors);
    return false;
}

static void
one_builds_at_a_time(void **state)
{
    kappa_status_t second = KAPPA_OK;
    char path[128];

    (void)state;
    append_behind_its_back(12000);
    snprintf(path, sizeof path, "%s/views", f.dir);
    close_store(&f, true);
    remove_tree(path);
    open_store(&f);
    assert_int_equal(
        kappa_store_build(f.store, build_again_meanwhile, &second, &f.errors),
        KAPPA_DONE);
    assert_int_equal(second, KAPPA_BUSY);
}

/* --- what readers are told */

static void
plans_of_another_version_are_refused(void **state)
{
    uint64_t version = kappa_store_version(f.store);

    (void)state;
    assert_int_equal(snapshot_status(version), KAPPA_OK);
    assert_int_equal(snapshot_status(0), KAPPA_OK);
    assert_int_equal(snapshot_status(version + 1), KAPPA_CONFLICT);
}

static bool
count_change(void *ctx, const kappa_change_t *change)
{
    uint64_t *last = ctx;

    assert_true(change->seq >= *last);
    *last = change->seq;
    return true;
}

static kappa_status_t
changes_after(uint64_t after, uint64_t *last)
{
    kappa_read_options_t options = { .caller = NULL };
    kappa_snapshot_t *snapshot;

    *last = 0;
    assert_int_equal(
        kappa_snapshot_begin(f.store, &options, &snapshot), KAPPA_OK);
    kappa_status_t status =
        kappa_snapshot_changes(snapshot, after, count_change, last);
    kappa_snapshot_end(snapshot);
    return status;
}

static void
changes_are_told_until_a_rebuild(void **state)
{
    uint64_t last;

    (void)state;
    mutate_text(&f, "mutation { add(name: \"a\", stock: 5) { stock } }");
    mutate_text(&f, "mutation { take(name: \"a\", amount: 1) { stock } }");
    assert_int_equal(changes_after(0, &last), KAPPA_OK);
    assert_int_equal(last, 2);
    assert_int_equal(changes_after(2, &last), KAPPA_OK);
    assert_int_equal(last, 0);

    assert_int_equal(
        kappa_store_rebuild(f.store, NULL, NULL, &f.errors), KAPPA_OK);
    assert_int_equal(changes_after(1, &last), KAPPA_NOT_FOUND);
    mutate_text(&f, "mutation { take(name: \"a\", amount: 1) { stock } }");
    assert_int_equal(changes_after(2, &last), KAPPA_OK);
    assert_int_equal(last, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_timer_catches_up),
        TEST(the_timer_leaves_it_to_who_appends),
        TEST(the_next_appender_catches_up),
        TEST(openers_catch_up),
        TEST(far_behind_is_a_builders_work),
        TEST(who_serves_may_be_far_behind_too),
        TEST(one_builds_at_a_time),
        TEST(plans_of_another_version_are_refused),
        TEST(changes_are_told_until_a_rebuild),
    };
    return cmocka_run_group_tests_name(
        "views/store_behind", tests, NULL, NULL);
}
