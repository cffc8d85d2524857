#include "t/unit/views/store_fixture.h"

static fixture_t f;

static int
set_up(void **state)
{
    (void)state;
    make_store(&f);
    open_store(&f);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    end_store(&f);
    return 0;
}

/* --- making and opening */

static void
makes_a_store_once(void **state)
{
    (void)state;
    kappa_epoch_t epoch = *kappa_log_epoch(kappa_store_log(f.store));

    assert_true(kappa_store_ready(f.store));
    assert_int_equal(kappa_store_position(f.store), 0);
    assert_int_equal(
        kappa_store_create(kappa_str_c(f.dir), -1, -1, &f.errors), KAPPA_OK);
    reopen(&f);
    assert_str_equal(kappa_store_epoch(f.store), epoch.name);
}

static void
leaves_other_directories_alone(void **state)
{
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/views", f.dir);
    assert_int_equal(kappa_store_create(kappa_str_c(path), -1, -1, &f.errors),
        KAPPA_INVALID);
    assert_contains(first_error(&f), "is not empty and no store");
    kappa_errors_init(&f.errors, f.arena, 0);
    assert_int_equal(kappa_store_create(KAPPA_STR("/nonexistent/kappa/store"),
                         -1, -1, &f.errors),
        KAPPA_IO);
    assert_contains(first_error(&f), "No such file or directory");
}

static void
says_why_it_can_not_open(void **state)
{
    fixture_t other = f;

    (void)state;
    strcpy(other.dir, "/nonexistent");
    assert_int_equal(try_open(&other), KAPPA_NOT_FOUND);
    assert_contains(first_error(&other), "/nonexistent");

    close_store(&f, false);
    f.schema = "type Query { a: Nothing }";
    assert_int_equal(try_open(&f), KAPPA_INVALID);
    assert_contains(first_error(&f), "Nothing");
    f.schema = shop;
    open_store(&f);
}

static void
follows_without_a_schema(void **state)
{
    (void)state;
    mutate_text(&f, "mutation { add(name: \"a\", stock: 1) { name } }");
    close_store(&f, false);
    f.schema = NULL;
    open_store(&f);
    assert_string_equal(query_text(&f, "{ item(name: \"a\") { stock } }"),
        "{\"data\":{\"item\":{\"stock\":1}}}");
    close_store(&f, false);

    fixture_t fresh;
    make_store(&fresh);
    fresh.schema = NULL;
    assert_int_equal(try_open(&fresh), KAPPA_NOT_FOUND);
    assert_contains(first_error(&fresh), "no schema");
    end_store(&fresh);
}

/* --- committing */

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

/* --- events as they come */

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

/* --- too large */

static char *
repeat_char(char c, size_t n)
{
    char *text = kappa_arena_bytes(f.arena, n + 1);

    memset(text, c, n);
    text[n] = '\0';
    return text;
}

/* 600 KB are an event, but not with the row that they leave. */
static void
refuses_events_that_no_log_takes(void **state)
{
    const char *large = repeat_char('x', 600 * 1024);
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
        ADDED(1, "a", 1), repeat_char('x', 600 * 1024), ADDED(2, "b", 1))
                            .data;
    kappa_job_t job = append_lines(&f, lines);

    (void)state;
    assert_string_equal(job.code, "LIMIT_EXCEEDED");
    assert_int_equal(job.failed, 1);
    assert_int_equal(job.appended, 1);
    assert_int_equal(kappa_store_position(f.store), 1);
    verify_store(&f);
}

static void
keys_that_are_too_long_are_refused(void **state)
{
    const char *add = "mutation { add(name: \"a\", stock: 1) { stock } }";

    (void)state;
    assert_contains(
        mutate_as(&f, add, repeat_char('k', KAPPA_EVENT_NAME_MAX + 1), NULL),
        "idempotency key");
    assert_contains(
        mutate_as(&f, add, repeat_char('k', KAPPA_EVENT_NAME_MAX), NULL),
        "\"stock\":1");
}

/* --- coming back */

static void
views_come_back_from_the_log(void **state)
{
    char path[128];

    (void)state;
    mutate_text(&f, "mutation { add(name: \"a\", stock: 3) { stock } }");
    mutate_as(
        &f, "mutation { take(name: \"a\", amount: 1) { stock } }", "k", NULL);
    close_store(&f, true);
    snprintf(path, sizeof path, "%s/views", f.dir);
    remove_tree(path);
    snprintf(path, sizeof path, "%s/tail", f.dir);
    unlink(path);
    open_store(&f);
    assert_true(kappa_store_ready(f.store));
    assert_int_equal(kappa_store_position(f.store), 2);
    assert_string_equal(query_text(&f, "{ item(name: \"a\") { stock } }"),
        "{\"data\":{\"item\":{\"stock\":2}}}");

    kappa_job_t job;
    mutate_as(
        &f, "mutation { take(name: \"a\", amount: 1) { stock } }", "k", &job);
    assert_true(job.duplicate);
}

static void
views_may_vanish_while_it_runs(void **state)
{
    char path[128];

    (void)state;
    mutate_text(&f, "mutation { add(name: \"a\", stock: 3) { stock } }");
    snprintf(path, sizeof path, "%s/views", f.dir);
    remove_tree(path);
    assert_int_equal(kappa_store_tick(f.store, &f.errors), KAPPA_OK);
    assert_true(kappa_store_ready(f.store));
    assert_string_equal(query_text(&f, "{ item(name: \"a\") { stock } }"),
        "{\"data\":{\"item\":{\"stock\":3}}}");
    assert_contains(
        mutate_text(&f, "mutation { take(name: \"a\", amount: 1) { stock } }"),
        "\"stock\":2");
    verify_store(&f);
}

static void
distrusts_views_of_another_boot(void **state)
{
    (void)state;
    close_store(&f, false);
    f.boot_id = "boot-1";
    open_store(&f); /* other boot than the set-up's, and no mark */
    int generation = current_of(&f);
    mutate_text(&f, "mutation { add(name: \"a\", stock: 3) { stock } }");

    close_store(&f, true);
    f.boot_id = "boot-2";
    open_store(&f); /* marked: believed */
    assert_int_equal(current_of(&f), generation);
    mutate_text(&f, "mutation { take(name: \"a\", amount: 1) { stock } }");

    close_store(&f, false);
    open_store(&f); /* the same boot: believed */
    assert_int_equal(current_of(&f), generation);

    close_store(&f, false);
    f.boot_id = "boot-3";
    f.said[0] = '\0';
    open_store(&f);
    assert_int_not_equal(current_of(&f), generation);
    assert_contains(f.said, "discarded");
    assert_string_equal(query_text(&f, "{ item(name: \"a\") { stock } }"),
        "{\"data\":{\"item\":{\"stock\":2}}}");
    verify_store(&f);

    close_store(&f, false);
    f.boot_id = "boot-4";
    f.schema = NULL; /* the schema outlives its views */
    open_store(&f);
    assert_string_equal(query_text(&f, "{ item(name: \"a\") { stock } }"),
        "{\"data\":{\"item\":{\"stock\":2}}}");
}

static void
views_of_another_log_are_discarded(void **state)
{
    char path[128];

    (void)state;
    mutate_text(&f, "mutation { add(name: \"a\", stock: 3) { stock } }");
    close_store(&f, true);
    snprintf(path, sizeof path, "%s/log", f.dir);
    remove_tree(path);
    snprintf(path, sizeof path, "%s/views/0001/data.mdb", f.dir);
    assert_int_equal(access(path, F_OK), 0);
    uint8_t random[KAPPA_EPOCH_RANDOM] = { 7 };
    assert_int_equal(
        kappa_log_create(f.dir, random, NULL, &f.errors), KAPPA_OK);
    open_store(&f);
    assert_contains(f.said, "another log");
    assert_int_equal(kappa_store_position(f.store), 0);
    assert_string_equal(query_text(&f, "{ item(name: \"a\") { stock } }"),
        "{\"data\":{\"item\":null}}");
}

static void
says_what_to_do_about_broken_files(void **state)
{
    static const char *const files[] = { "current", "0001/about" };
    char path[128];

    (void)state;
    mutate_text(&f, "mutation { add(name: \"a\", stock: 3) { stock } }");
    close_store(&f, true);
    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof path, "%s/views/%s", f.dir, files[i]);
        FILE *file = fopen(path, "w");
        fputs("nonsense\n", file);
        fclose(file);
        assert_int_equal(try_open(&f), KAPPA_CORRUPT);
        assert_contains(first_error(&f), "delete views/");
        snprintf(path, sizeof path, "%s/views", f.dir);
        remove_tree(path);
        open_store(&f);
        assert_contains(
            query_text(&f, "{ item(name: \"a\") { stock } }"), "3");
        close_store(&f, true);
    }
}

static uid_t
owner_of(const char *name)
{
    struct stat st;
    char path[160];

    snprintf(path, sizeof path, "%s/%s", f.dir, name);
    assert_int_equal(lstat(path, &st), 0);
    return st.st_uid;
}

static void
root_gives_it_away(void **state)
{
    const uid_t nobody = 65534;
    char path[128], link_path[160];

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    /* What another user could have put there stays root's. */
    snprintf(path, sizeof path, "%s.else", f.dir);
    FILE *file = fopen(path, "w");
    fclose(file);
    snprintf(link_path, sizeof link_path, "%s/views/hard", f.dir);
    assert_int_equal(link(path, link_path), 0);
    snprintf(link_path, sizeof link_path, "%s/views/soft", f.dir);
    assert_int_equal(symlink(path, link_path), 0);

    assert_int_equal(kappa_store_create(kappa_str_c(f.dir), (int)nobody,
                         (int)nobody, &f.errors),
        KAPPA_OK);
    assert_int_equal(owner_of("."), nobody);
    assert_int_equal(owner_of("log"), nobody);
    assert_int_equal(owner_of("log/lock"), nobody);
    assert_int_equal(owner_of("views/0001/data.mdb"), nobody);
    assert_int_equal(owner_of("views/current"), nobody);
    assert_int_equal(owner_of("views/hard"), 0);
    assert_int_equal(owner_of("views/soft"), 0);
    unlink(path);
}

static void
verify_finds_what_differs(void **state)
{
    (void)state;
    mutate_text(&f, "mutation { add(name: \"a\", stock: 3) { stock } }");
    close_store(&f, false);

    char path[160];
    kappa_env_t *env;
    kappa_txn_t *txn;
    snprintf(path, sizeof path, "%s/views/%04d", f.dir, current_of(&f));
    assert_int_equal(
        kappa_env_open(path, FIXTURE_MAP, &kappa_alloc_libc, &env, &f.errors),
        KAPPA_OK);
    assert_int_equal(kappa_env_write(env, &txn, &f.errors), KAPPA_OK);
    assert_int_equal(
        kappa_txn_put(txn, KAPPA_DBI_HISTORY, KAPPA_STR("x"), KAPPA_STR("y")),
        KAPPA_OK);
    assert_int_equal(kappa_txn_commit(txn, &f.errors), KAPPA_OK);
    kappa_env_close(env);

    open_store(&f);
    kappa_errors_init(&f.errors, f.arena, 0);
    assert_int_equal(
        kappa_store_verify(f.store, NULL, NULL, &f.errors), KAPPA_CORRUPT);
    assert_contains(first_error(&f), "the log does not make it");
    kappa_errors_init(&f.errors, f.arena, 0);
    if (kappa_store_rebuild(f.store, NULL, NULL, &f.errors) != KAPPA_OK) {
        fail_msg("%s", first_error(&f));
    }
    verify_store(&f);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(makes_a_store_once),
        TEST(leaves_other_directories_alone),
        TEST(says_why_it_can_not_open),
        TEST(follows_without_a_schema),
        TEST(commits_and_answers),
        TEST(refuses_without_a_trace),
        TEST(jobs_of_a_batch_see_the_ones_before),
        TEST(hidden_rows_do_not_exist),
        TEST(the_same_key_again_appends_nothing),
        TEST(a_key_may_be_an_argument),
        TEST(a_repeated_delete_answers_the_row),
        TEST(refusals_are_not_remembered),
        TEST(takes_events_as_they_come),
        TEST(a_broken_upload_can_be_sent_again),
        TEST(many_events_take_several_batches),
        TEST(views_come_back_from_the_log),
        TEST(views_may_vanish_while_it_runs),
        TEST(distrusts_views_of_another_boot),
        TEST(refuses_events_that_no_log_takes),
        TEST(lines_that_are_too_large_end_an_upload),
        TEST(keys_that_are_too_long_are_refused),
        TEST(views_of_another_log_are_discarded),
        TEST(says_what_to_do_about_broken_files),
        TEST(root_gives_it_away),
        TEST(verify_finds_what_differs),
    };
    return cmocka_run_group_tests_name("views/store", tests, NULL, NULL);
}
