#include "t/unit/views/store_case.h"

/* Mutations: what they answer, what they leave, and their keys. */

static void
commits_and_answers(void **state)
{
    kappa_job_t job;
    kappa_position_t tail;
    kappa_tail_t file;

    (void)state;
    f.sub = "ada";
    assert_string_equal(
        mutate_as(&f,
            "mutation { add(name: \"a\", stock: 3, shelf: \"s\") "
            "{ name stock by shelfRow { items pieces } } }",
            NULL, &job),
        "{\"data\":{\"add\":{\"name\":\"a\",\"stock\":3,\"by\":\"ada\","
        "\"shelfRow\":{\"items\":1,\"pieces\":3}}}}");
    assert_int_equal(job.seq, 1);
    assert_false(job.duplicate);
    assert_int_equal(job.appended, 1);
    assert_int_equal(kappa_store_position(f.store), 1);
    assert_string_equal(query_text(&f, "{ item(name: \"a\") { stock by } }"),
        "{\"data\":{\"item\":{\"stock\":3,\"by\":\"ada\"}}}");

    assert_int_equal(kappa_tail_open(&file, f.dir, &f.errors), KAPPA_OK);
    assert_int_equal(kappa_tail_read(&file, &tail), KAPPA_OK);
    assert_int_equal(tail.seq, 1);
    kappa_tail_close(&file);
    verify_store(&f);
}

static void
refuses_without_a_trace(void **state)
{
    static const struct {
        const char *text;
        const char *code;
    } cases[] = {
        { "mutation { add(name: \"a\", stock: 3) { name } }",
            "ALREADY_EXISTS" },
        { "mutation { take(name: \"b\", amount: 1) { name } }", "NOT_FOUND" },
        { "mutation { take(name: \"a\", amount: 4) { name } }",
            "OUT_OF_STOCK" },
        { "mutation { add(name: \"b\", stock: -1) { name } }",
            "OUT_OF_STOCK" },
        { "mutation { add(name: \"b\", stock: 1, code: \"x\") { name } }",
            "NOT_UNIQUE" },
        { "mutation { drop(name: \"b\") { name } }", "NOT_FOUND" },
        { "mutation { admin(name: \"b\", stock: 1) { name } }", "FORBIDDEN" },
    };

    (void)state;
    mutate_text(
        &f, "mutation { add(name: \"a\", stock: 3, code: \"x\") { name } }");
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_job_t job;
        const char *got = mutate_as(&f, cases[i].text, NULL, &job);

        assert_contains(got, cases[i].code);
        assert_int_equal(job.status, KAPPA_OK);
        assert_int_equal(job.appended, 0);
        assert_int_equal(job.seq, 1);
    }
    assert_int_equal(kappa_store_position(f.store), 1);
    assert_string_equal(query_text(&f, "{ item(name: \"b\") { name } }"),
        "{\"data\":{\"item\":null}}");
    verify_store(&f);
}

static void
jobs_of_a_batch_see_the_ones_before(void **state)
{
    static const char *const texts[] = {
        "mutation { add(name: \"a\", stock: 2, shelf: \"s\") { stock } }",
        "mutation { take(name: \"a\", amount: 1) "
        "{ stock shelfRow { pieces } } }",
        "mutation { take(name: \"a\", amount: 2) { stock } }",
        "mutation { take(name: \"a\", amount: 1) "
        "{ stock shelfRow { pieces } } }",
        "mutation { drop(name: \"a\") { stock } }",
        "mutation { take(name: \"a\", amount: 1) { stock } }",
        "mutation { x: add(name: \"a\", stock: 7) { stock } "
        "y: take(name: \"a\", amount: 7) { stock } }",
    };
    static const char *const answers[] = {
        "{\"add\":{\"stock\":2}}",
        "{\"take\":{\"stock\":1,\"shelfRow\":{\"pieces\":1}}}",
        "OUT_OF_STOCK",
        "{\"take\":{\"stock\":0,\"shelfRow\":{\"pieces\":0}}}",
        "{\"drop\":{\"stock\":0}}",
        "NOT_FOUND",
        "{\"x\":{\"stock\":7},\"y\":{\"stock\":0}}",
    };
    kappa_job_t *jobs[COUNT(texts)];
    bool done[COUNT(texts)];

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        jobs[i] = make_job(&f, texts[i], NULL, &done[i]);
        if (i > 0) {
            jobs[i - 1]->next = jobs[i];
        }
    }
    kappa_store_commit(f.store, jobs[0]);
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_true(done[i]);
        assert_contains(end_job(&f, jobs[i]), answers[i]);
    }
    assert_int_equal(kappa_store_position(f.store), 6);
    verify_store(&f);
}

static void
hidden_rows_do_not_exist(void **state)
{
    (void)state;
    f.sub = "ada";
    const char *got =
        mutate_text(&f, "mutation { hide(text: \"t\") { id text } }");
    char id[37], text[256];

    assert_contains(got, "\"text\":\"t\"");
    memcpy(id, strstr(got, "\"id\":\"") + 6, 36);
    id[36] = '\0';
    snprintf(text, sizeof text,
        "mutation { reveal(id: \"%s\", text: \"u\") { text } }", id);
    f.sub = "bob";
    assert_contains(mutate_text(&f, text), "NOT_FOUND");
    f.sub = "ada";
    assert_contains(mutate_text(&f, text), "{\"text\":\"u\"}");
    verify_store(&f);
}

/* --- idempotency */

static void
the_same_key_again_appends_nothing(void **state)
{
    const char *add = "mutation { add(name: \"a\", stock: 3) { stock } }";
    kappa_job_t job;

    (void)state;
    mutate_as(&f, add, "k", &job);
    assert_false(job.duplicate);
    mutate_text(&f, "mutation { take(name: \"a\", amount: 1) { stock } }");
    for (int i = 0; i < 3; i++) {
        assert_string_equal(mutate_as(&f, add, "k", &job),
            "{\"data\":{\"add\":{\"stock\":2}}}");
        assert_true(job.duplicate);
        assert_int_equal(job.seq, 1);
        assert_int_equal(job.appended, 0);
        assert_int_equal(job.duplicates, 1);
        if (i == 1) {
            reopen(&f);
        }
    }
    assert_contains(
        mutate_as(&f, "mutation { add(name: \"b\", stock: 3) { stock } }", "k",
            NULL),
        "IDEMPOTENCY_CONFLICT");
    assert_contains(
        mutate_as(&f, "mutation { x: add(name: \"b\", stock: 3) { stock } }",
            "k", NULL),
        "\"stock\":3"); /* another path */
    f.sub = "ada";
    assert_contains(
        mutate_as(&f, "mutation { add(name: \"c\", stock: 3) { stock } }", "k",
            NULL),
        "\"stock\":3"); /* another actor */
    assert_int_equal(kappa_store_position(f.store), 4);
    verify_store(&f);
}

static void
a_key_may_be_an_argument(void **state)
{
    const char *first =
        "mutation { keyed(name: \"a\", stock: 1, once: \"k\") { stock } }";
    kappa_job_t job;

    (void)state;
    assert_contains(mutate_as(&f, first, NULL, &job), "\"stock\":1");
    assert_contains(mutate_as(&f, first, NULL, &job), "\"stock\":1");
    assert_true(job.duplicate);
    assert_contains(
        mutate_as(&f,
            "mutation { x: keyed(stock: 1, name: \"a\", once: \"k\") "
            "{ stock } }",
            "header", &job),
        "\"stock\":1"); /* whatever its path */
    assert_true(job.duplicate);
    assert_contains(mutate_text(&f,
                        "mutation { keyed(name: \"a\", stock: 2, once: \"k\") "
                        "{ stock } }"),
        "IDEMPOTENCY_CONFLICT");
    assert_int_equal(kappa_store_position(f.store), 1);
    verify_store(&f);
}

static void
a_repeated_delete_answers_the_row(void **state)
{
    const char *drop = "mutation { drop(name: \"a\") { name stock } }";
    kappa_job_t job;

    (void)state;
    mutate_text(&f, "mutation { add(name: \"a\", stock: 3) { stock } }");
    for (int i = 0; i < 2; i++) {
        assert_string_equal(mutate_as(&f, drop, "k", &job),
            "{\"data\":{\"drop\":{\"name\":\"a\",\"stock\":3}}}");
        assert_int_equal(job.seq, 2);
        assert_int_equal(job.duplicate, i > 0);
    }
}

static void
refusals_are_not_remembered(void **state)
{
    const char *take = "mutation { take(name: \"a\", amount: 1) { stock } }";
    kappa_job_t job;

    (void)state;
    assert_contains(mutate_as(&f, take, "k", NULL), "NOT_FOUND");
    mutate_text(&f, "mutation { add(name: \"a\", stock: 3) { stock } }");
    assert_contains(mutate_as(&f, take, "k", &job), "\"stock\":2");
    assert_false(job.duplicate);
}

static void
keys_that_are_too_long_are_refused(void **state)
{
    const char *add = "mutation { add(name: \"a\", stock: 1) { stock } }";

    (void)state;
    assert_contains(mutate_as(&f, add,
                        repeat_char(&f, 'k', KAPPA_EVENT_NAME_MAX + 1), NULL),
        "idempotency key");
    assert_contains(
        mutate_as(&f, add, repeat_char(&f, 'k', KAPPA_EVENT_NAME_MAX), NULL),
        "\"stock\":1");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commits_and_answers),
        TEST(refuses_without_a_trace),
        TEST(jobs_of_a_batch_see_the_ones_before),
        TEST(hidden_rows_do_not_exist),
        TEST(the_same_key_again_appends_nothing),
        TEST(a_key_may_be_an_argument),
        TEST(a_repeated_delete_answers_the_row),
        TEST(refusals_are_not_remembered),
        TEST(keys_that_are_too_long_are_refused),
    };
    return cmocka_run_group_tests_name("views/mutate", tests, NULL, NULL);
}
