#include "t/unit/views/store_case.h"

/* Events as they come, in batches; what is too large for one. */

#define ID(n) "\"id\":\"00000000-0000-7000-8000-00000000000" #n "\","
#define ADDED(n, name, stock)                                                 \
    "{" ID(                                                                   \
        n) "\"thing\":\"Item\",\"verb\":\"added\",\"data\":{\"name\":\"" name \
           "\",\"stock\":" #stock "}}\n"

static void
takes_events_as_they_come(void **state)
{
    const char *lines = ADDED(1, "a", 1) ADDED(2, "b",
        2) "{\"thing\":\"Weather\",\"verb\":\"rained\",\"data\":{\"mm\":3}}\n"
           "{\"thing\":\"Item\",\"verb\":\"taken\",\"key\":\"b\","
           "\"time\":\"2001-02-03T04:05:06Z\",\"data\":{\"amount\":1}}\n";
    kappa_job_t job = append_lines(&f, lines);

    (void)state;
    assert_int_equal(job.status, KAPPA_OK);
    assert_int_equal(job.appended, 4);
    assert_int_equal(job.seq, 4);
    assert_string_equal(query_text(&f, "{ item(name: \"b\") { stock } }"),
        "{\"data\":{\"item\":{\"stock\":1}}}");

    kappa_log_cursor_t *cursor;
    kappa_event_t event;
    char time[KAPPA_TIME_CHARS];
    kappa_log_cursor_open(kappa_store_log(f.store), 3, &cursor, NULL);
    assert_int_equal(kappa_log_cursor_next(cursor, 4, &event, NULL), KAPPA_OK);
    assert_int_equal(event.effect, KAPPA_EFFECT_NONE);
    assert_str_equal(event.data, "{\"mm\":3}");
    assert_int_equal(kappa_log_cursor_next(cursor, 4, &event, NULL), KAPPA_OK);
    assert_int_equal(event.effect, KAPPA_EFFECT_PATCH);
    kappa_time_format(event.time_ms, time);
    assert_memory_equal(time, "2001-02-03T04:05:06.000Z", KAPPA_TIME_CHARS);
    kappa_log_cursor_close(cursor);
    verify_store(&f);
}

static void
a_broken_upload_can_be_sent_again(void **state)
{
    (void)state;
    kappa_job_t job =
        append_lines(&f, ADDED(1, "a", 1) ADDED(2, "b", -2) ADDED(3, "c", 3));

    assert_int_equal(job.status, KAPPA_INVALID);
    assert_string_equal(job.code, "OUT_OF_STOCK");
    assert_int_equal(job.failed, 1);
    assert_int_equal(job.appended, 1);
    assert_int_equal(job.seq, 1);

    job = append_lines(&f, ADDED(1, "a", 1) ADDED(2, "b", 2) ADDED(3, "c", 3));
    assert_int_equal(job.status, KAPPA_OK);
    assert_int_equal(job.appended, 2);
    assert_int_equal(job.duplicates, 1);
    assert_false(job.duplicate);
    assert_int_equal(job.seq, 3);

    f.sub = "somebody else";
    job = append_lines(&f, ADDED(1, "a", 1) ADDED(2, "b", 2) ADDED(3, "c", 3));
    assert_int_equal(job.appended, 0);
    assert_true(job.duplicate);
    assert_int_equal(job.seq, 3);

    job = append_lines(&f, ADDED(1, "z", 1));
    assert_string_equal(job.code, "IDEMPOTENCY_CONFLICT");
    assert_int_equal(job.failed, 0);
    assert_int_equal(kappa_store_position(f.store), 3);
    verify_store(&f);
}

static void
many_events_take_several_batches(void **state)
{
    enum {
        N = 2500
    };
    char *lines = malloc(N * 128), *at = lines;

    (void)state;
    for (int i = 0; i < N; i++) {
        at += sprintf(at,
            "{\"thing\":\"Item\",\"verb\":\"added\",\"data\":"
            "{\"name\":\"n%d\",\"stock\":1,\"shelf\":\"s\"}}\n",
            i);
    }
    kappa_job_t job = append_lines(&f, lines);
    free(lines);
    assert_int_equal(job.status, KAPPA_OK);
    assert_int_equal(job.appended, N);
    assert_int_equal(job.seq, N);
    assert_string_equal(query_text(&f, "{ shelf(name: \"s\") { items } }"),
        "{\"data\":{\"shelf\":{\"items\":2500}}}");
    verify_store(&f);
}

/* 600 KB are an event, but not with the row that they leave. */
static void
refuses_events_that_no_log_takes(void **state)
{
    const char *large = repeat_char(&f, 'x', 600 * 1024);
    const char *text = kappa_str_printf(f.arena,
        "mutation { a: hide(text: \"small\") { text } "
        "b: hide(text: \"%s\") { id } }",
        large)
                           .data;
    bool done[3];
    kappa_job_t *jobs[3];

    (void)state;
    jobs[0] = make_job(&f, "mutation { add(name: \"a\", stock: 1) { stock } }",
        "k", &done[0]);
    jobs[1] = make_job(&f, text, NULL, &done[1]);
    jobs[2] = make_job(&f,
        "mutation { take(name: \"a\", amount: 1) { stock } }", NULL, &done[2]);
    jobs[0]->next = jobs[1];
    jobs[1]->next = jobs[2];
    kappa_store_commit(f.store, jobs[0]);
    assert_true(done[0] && done[1] && done[2]);
    assert_int_equal(jobs[1]->appended, 1);
    assert_contains(end_job(&f, jobs[0]), "\"stock\":1");
    assert_contains(end_job(&f, jobs[1]), "LIMIT_EXCEEDED");
    assert_contains(end_job(&f, jobs[2]), "\"stock\":0");
    assert_int_equal(kappa_store_position(f.store), 3);
    verify_store(&f);
}

static void
lines_that_are_too_large_end_an_upload(void **state)
{
    const char *lines = kappa_str_printf(f.arena,
        "%s{\"thing\":\"Secret\",\"verb\":\"hidden\",\"data\":"
        "{\"text\":\"%s\"}}\n%s",
        ADDED(1, "a", 1), repeat_char(&f, 'x', 600 * 1024), ADDED(2, "b", 1))
                            .data;
    kappa_job_t job = append_lines(&f, lines);

    (void)state;
    assert_string_equal(job.code, "LIMIT_EXCEEDED");
    assert_int_equal(job.failed, 1);
    assert_int_equal(job.appended, 1);
    assert_int_equal(kappa_store_position(f.store), 1);
    verify_store(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(takes_events_as_they_come),
        TEST(a_broken_upload_can_be_sent_again),
        TEST(many_events_take_several_batches),
        TEST(refuses_events_that_no_log_takes),
        TEST(lines_that_are_too_large_end_an_upload),
    };
    return cmocka_run_group_tests_name("views/batch", tests, NULL, NULL);
}
