#include "t/unit/views/store_case.h"

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
    assert_contains(first_error(&f),
        "No such file or directory: make the directory that it is to be in");
}

/* It is damaged, and none to make anew. */
static void
leaves_a_damaged_store_alone(void **state)
{
    static const struct {
        const char *path;
        const char *says;
    } cases[] = { { "log/epoch", "that names this log is gone" },
        { "log", "its log/ is gone: restore it" } };

    (void)state;
    mutate_text(&f, "mutation { add(name: \"a\", stock: 1) { stock } }");
    close_store(&f, true);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char path[128], away[128];

        snprintf(path, sizeof path, "%s/%s", f.dir, cases[i].path);
        snprintf(away, sizeof away, "%s.away", f.dir);
        assert_int_equal(rename(path, away), 0);
        assert_int_equal(
            kappa_store_create(kappa_str_c(f.dir), -1, -1, &f.errors),
            KAPPA_CORRUPT);
        assert_contains(first_error(&f), cases[i].says);
        kappa_errors_init(&f.errors, f.arena, 0);
        assert_int_equal(rename(away, path), 0);
    }
    open_store(&f);
    assert_int_equal(kappa_store_position(f.store), 1);
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
    const struct CMUnitTest tests[] = {
        TEST(makes_a_store_once),
        TEST(leaves_other_directories_alone),
        TEST(leaves_a_damaged_store_alone),
        TEST(says_why_it_can_not_open),
        TEST(follows_without_a_schema),
        TEST(views_come_back_from_the_log),
        TEST(views_may_vanish_while_it_runs),
        TEST(distrusts_views_of_another_boot),
        TEST(views_of_another_log_are_discarded),
        TEST(says_what_to_do_about_broken_files),
        TEST(root_gives_it_away),
        TEST(verify_finds_what_differs),
    };
    return cmocka_run_group_tests_name("views/store", tests, NULL, NULL);
}
