#include "t/unit/views/store_case.h"

#include <pthread.h>
#include <stdatomic.h>

#include "t/unit/alloc_failing.h"

/* The queue and its thread: bounded, in order, nothing left unanswered. */

#define SUBMITTERS 4
#define EACH 50

static atomic_int answered;
static atomic_int refused;

static int
set_up_items(void **state)
{
    set_up(state);
    mutate_text(&f, "mutation { add(name: \"a\", stock: 100000) { stock } }");
    answered = refused = 0;
    return 0;
}

static void
count_done(kappa_job_t *job)
{
    refused += job->status != KAPPA_OK || job->appended != 1;
    answered++;
}

static kappa_job_t *
job_of(kappa_plan_t *plan)
{
    kappa_job_t *job = calloc(1, sizeof *job);

    job->plan = plan;
    job->version = kappa_store_version(f.store);
    job->arena = kappa_arena_create(&kappa_alloc_libc, 0);
    assert_int_equal(
        kappa_plan_variables(plan, NULL, job->arena, &job->variables, NULL),
        KAPPA_OK);
    job->now_ms = kappa_now_ms();
    job->done = count_done;
    return job;
}

static void
free_job(kappa_job_t *job)
{
    kappa_buf_release(&job->response);
    kappa_arena_destroy(job->arena);
    free(job);
}

typedef struct {
    kappa_appender_t *appender;
    kappa_job_t *jobs[EACH];
} submitter_t;

static void *
submit_all(void *arg)
{
    submitter_t *submitter = arg;

    for (int i = 0; i < EACH; i++) {
        while (kappa_appender_submit(submitter->appender, submitter->jobs[i])
            == KAPPA_BUSY) {
            usleep(100);
        }
    }
    return NULL;
}

static void
answers_every_job_of_every_thread(void **state)
{
    submitter_t submitters[SUBMITTERS];
    pthread_t threads[SUBMITTERS];
    kappa_appender_t *appender;
    kappa_plan_t *plan = plan_text(&f, kappa_store_model(f.store),
        "mutation { take(name: \"a\", amount: 1) { stock } }");

    (void)state;
    assert_int_equal(
        kappa_appender_create(&kappa_alloc_libc, f.store, 16, &appender),
        KAPPA_OK);
    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i].appender = appender;
        for (int j = 0; j < EACH; j++) {
            submitters[i].jobs[j] = job_of(plan);
        }
        pthread_create(&threads[i], NULL, submit_all, &submitters[i]);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        pthread_join(threads[i], NULL);
    }
    kappa_appender_destroy(appender); /* finishes what is queued */
    assert_int_equal(answered, SUBMITTERS * EACH);
    assert_int_equal(refused, 0);
    for (int i = 0; i < SUBMITTERS; i++) {
        for (int j = 0; j < EACH; j++) {
            /* Each thread's jobs in their order. */
            assert_true(j == 0
                || submitters[i].jobs[j]->seq
                    > submitters[i].jobs[j - 1]->seq);
        }
        for (int j = 0; j < EACH; j++) {
            free_job(submitters[i].jobs[j]);
        }
    }
    kappa_plan_release(plan);
    assert_int_equal(kappa_store_position(f.store), 1 + SUBMITTERS * EACH);
    verify_store(&f);
}

static void
a_full_queue_refuses(void **state)
{
    kappa_appender_t *appender;
    kappa_job_t *jobs[10];
    kappa_log_t *log;
    int queued = 0;
    kappa_plan_t *plan = plan_text(&f, kappa_store_model(f.store),
        "mutation { take(name: \"a\", amount: 1) { stock } }");

    (void)state;
    assert_int_equal(
        kappa_log_open(f.dir, &kappa_alloc_libc, NULL, &log, &f.errors),
        KAPPA_OK);
    assert_int_equal(kappa_log_lock(log, &f.errors), KAPPA_OK);
    assert_int_equal(
        kappa_appender_create(&kappa_alloc_libc, f.store, 3, &appender),
        KAPPA_OK);
    for (int i = 0; i < 10; i++) {
        jobs[i] = job_of(plan);
        if (kappa_appender_submit(appender, jobs[i]) == KAPPA_OK) {
            queued++;
        }
        usleep(1000); /* the thread takes the first and waits for the log */
    }
    assert_in_range(queued, 3, 6);
    assert_int_equal(answered, 0);
    kappa_log_close(log);
    kappa_appender_destroy(appender);
    assert_int_equal(answered, queued);
    assert_int_equal(refused, 0);
    for (int i = 0; i < 10; i++) {
        free_job(jobs[i]);
    }
    kappa_plan_release(plan);
}

static kappa_status_t
create_one(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_appender_t *appender = NULL;
    kappa_status_t status =
        kappa_appender_create(alloc, f.store, 0, &appender);

    (void)ctx;
    if (status == KAPPA_OK) {
        kappa_appender_destroy(appender);
    }
    return status;
}

static void
survives_no_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(create_one, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_FROM(set_up_items, answers_every_job_of_every_thread),
        TEST_FROM(set_up_items, a_full_queue_refuses),
        TEST_FROM(set_up_items, survives_no_memory),
    };
    return cmocka_run_group_tests_name("views/appender", tests, NULL, NULL);
}
