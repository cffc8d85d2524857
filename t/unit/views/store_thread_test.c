#include "t/unit/views/store_case.h"

#include <pthread.h>
#include <stdatomic.h>

/* What a worker's threads do at once: the event loop reads and plans, the
 * append thread commits, the keeper ticks and builds generations that are
 * swapped in underneath. */

#define GENERATIONS 4

static atomic_bool stop;
static atomic_int reads, commits, changed, odd;

static int
set_up_items(void **state)
{
    set_up(state);
    mutate_text(&f, "mutation { add(name: \"a\", stock: 1000000) { stock } }");
    stop = false;
    reads = commits = changed = odd = 0;
    return 0;
}

/* A mind of its own: arena, errors, plans. */
static fixture_t
fork_fixture(void)
{
    fixture_t mine = f;

    mine.arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_init(&mine.errors, mine.arena, 0);
    return mine;
}

static kappa_status_t
read_once(fixture_t *mine, const kappa_plan_t *plan, uint64_t version)
{
    kappa_read_options_t options = { .version = version };
    kappa_snapshot_t *snapshot;
    const kappa_value_t *variables;
    kappa_outcome_t outcome;
    kappa_buf_t buf;
    kappa_status_t status =
        kappa_snapshot_begin(mine->store, &options, &snapshot);

    if (status != KAPPA_OK) {
        return status;
    }
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_plan_variables(plan, NULL, mine->arena, &variables, NULL);
    kappa_execute(plan, variables, kappa_snapshot_data(snapshot), mine->arena,
        &buf, &outcome);
    odd += outcome.error_count != 0
        || memmem(buf.data, buf.len, "\"stock\":", 8) == NULL;
    kappa_snapshot_end(snapshot);
    kappa_buf_release(&buf);
    return KAPPA_OK;
}

static void *
read_on(void *arg)
{
    fixture_t mine = fork_fixture();

    (void)arg;
    while (!stop) {
        uint64_t version = kappa_store_version(mine.store);
        kappa_plan_t *plan = plan_text(&mine, kappa_store_model(mine.store),
            "{ item(name: \"a\") { stock shelfRow { items } } }");

        for (int i = 0; i < 20 && !stop; i++) {
            kappa_status_t status = read_once(&mine, plan, version);
            reads += status == KAPPA_OK;
            odd += status != KAPPA_OK && status != KAPPA_CONFLICT;
            (void)kappa_store_position(mine.store);
        }
        kappa_plan_release(plan);
        kappa_arena_reset(mine.arena);
    }
    kappa_arena_destroy(mine.arena);
    return NULL;
}

static void *
commit_on(void *arg)
{
    fixture_t mine = fork_fixture();

    (void)arg;
    while (!stop) {
        kappa_job_t job;
        const char *got = mutate_as(&mine,
            "mutation { take(name: \"a\", amount: 1) { stock } }", NULL, &job);

        commits += (int)job.appended;
        changed += job.status == KAPPA_CONFLICT;
        odd += job.status != KAPPA_OK && job.status != KAPPA_CONFLICT;
        odd += job.status == KAPPA_OK && strstr(got, "errors") != NULL;
        kappa_arena_reset(mine.arena);
    }
    kappa_arena_destroy(mine.arena);
    return NULL;
}

static void *
keep_on(void *arg)
{
    fixture_t mine = fork_fixture();

    (void)arg;
    while (!stop) {
        kappa_errors_init(&mine.errors, mine.arena, 0);
        odd += kappa_store_tick(mine.store, &mine.errors) != KAPPA_OK;
        (void)kappa_store_wants_build(mine.store);
        kappa_arena_reset(mine.arena);
        usleep(300);
    }
    kappa_arena_destroy(mine.arena);
    return NULL;
}

static void
threads_do_not_disturb_each_other(void **state)
{
    void *(*const run[])(void *) = { read_on, read_on, commit_on, keep_on };
    pthread_t threads[COUNT(run)];

    (void)state;
    for (size_t i = 0; i < COUNT(run); i++) {
        pthread_create(&threads[i], NULL, run[i], NULL);
    }
    for (int i = 0; i < GENERATIONS; i++) {
        usleep(100000);
        assert_int_equal(
            kappa_store_rebuild(f.store, NULL, NULL, &f.errors), KAPPA_OK);
    }
    usleep(100000);
    stop = true;
    for (size_t i = 0; i < COUNT(run); i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(odd, 0);
    assert_true(reads > 100 && commits > 10);
    assert_int_equal(current_of(&f), 1 + GENERATIONS);
    assert_int_equal(kappa_store_position(f.store), 1 + commits);
    verify_store(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_FROM(set_up_items, threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests_name(
        "views/store_thread", tests, NULL, NULL);
}
