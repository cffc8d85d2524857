#include "t/unit/views/store_case.h"

#include <sys/wait.h>

/* Schemas that change: adopted, built beside, refused. */

static int
set_up_items(void **state)
{
    set_up(state);
    mutate_text(&f, "mutation { add(name: \"a\", stock: 3) { stock } }");
    return 0;
}

static const char *
stock(void)
{
    return query_text(&f, "{ item(name: \"a\") { stock } }");
}

static char *
edit_schema(const char *from, const char *to)
{
    char *at = strstr(shop, from);
    kappa_str_t text = kappa_str_printf(
        f.arena, "%.*s%s%s", (int)(at - shop), shop, to, at + strlen(from));

    return (char *)text.data;
}

static void
adopts_what_needs_no_build(void **state)
{
    (void)state;
    bool done;
    kappa_job_t *old = make_job(&f,
        "mutation { take(name: \"a\", amount: 4) { stock } }", NULL, &done);
    int generation = current_of(&f);
    uint64_t version = kappa_store_version(f.store);
    close_store(&f, false);

    f.schema = edit_schema("OUT_OF_STOCK", "SOLD_OUT");
    open_store(&f);
    assert_int_equal(current_of(&f), generation);
    assert_true(kappa_store_version(f.store) > version);
    assert_false(kappa_store_wants_build(f.store));
    kappa_store_commit(f.store, old);
    assert_true(done);
    assert_contains(end_job(&f, old), "SCHEMA_CHANGED");
    assert_contains(
        mutate_text(&f, "mutation { take(name: \"a\", amount: 4) { stock } }"),
        "SOLD_OUT");
}

static void
builds_beside_what_needs_it(void **state)
{
    (void)state;
    mutate_text(&f, "mutation { take(name: \"a\", amount: 0) { stock } }");
    int generation = current_of(&f);
    close_store(&f, false);

    f.schema = edit_schema("stock = row.stock - event.data.amount",
        "stock = row.stock - 2 * event.data.amount");
    open_store(&f);
    assert_true(kappa_store_ready(f.store));
    assert_true(kappa_store_wants_build(f.store));
    assert_int_equal(current_of(&f), generation);
    assert_contains(
        mutate_text(&f, "mutation { take(name: \"a\", amount: 1) { stock } }"),
        "\"stock\":2"); /* the old rule decides still */

    assert_int_equal(
        kappa_store_build(f.store, NULL, NULL, &f.errors), KAPPA_OK);
    assert_false(kappa_store_wants_build(f.store));
    assert_int_equal(current_of(&f), generation + 1);
    assert_string_equal(query_text(&f, "{ item(name: \"a\") { stock } }"),
        "{\"data\":{\"item\":{\"stock\":1}}}");
    verify_store(&f);
    reopen(&f);
    assert_int_equal(current_of(&f), generation + 1);
    assert_false(kappa_store_wants_build(f.store));
}

static char *
more_mutations(const char *more)
{
    kappa_str_t text =
        kappa_str_printf(f.arena, "%sextend type Mutation { %s }", shop, more);

    return (char *)text.data;
}

static void
offer(const char *schema)
{
    close_store(&f, false);
    f.schema = schema;
    open_store(&f);
}

/* Rules for what never happened change no row. */
static void
rules_for_what_never_happened(void **state)
{
    static const char move[] =
        "move(name: ID!, shelf: ID!): Item @event(thing: \"Item\", verb: "
        "\"moved\", effect: PATCH)";
    static const char count[] =
        "count(name: ID!, stock: Int!): Item @event(thing: \"Item\", verb: "
        "\"counted\", effect: PATCH, set: \"stock = event.data.stock\")";

    (void)state;
    offer(more_mutations(move));
    assert_false(kappa_store_wants_build(f.store));
    assert_int_equal(current_of(&f), 1);
    assert_contains(
        mutate_text(
            &f, "mutation { move(name: \"a\", shelf: \"s\") { shelf } }"),
        "\"s\"");
    verify_store(&f);

    /* Without it again: the event says what it did. */
    offer(shop);
    assert_false(kappa_store_wants_build(f.store));
    verify_store(&f);

    /* What was noted without an effect would have one now. */
    append_lines(&f,
        "{\"thing\":\"Item\",\"verb\":\"counted\",\"key\":\"a\","
        "\"data\":{\"name\":\"a\",\"stock\":7}}\n");
    assert_contains(stock(), "3");
    offer(more_mutations(count));
    assert_true(kappa_store_wants_build(f.store));
    assert_contains(f.said, "event Item counted does something else");
    assert_int_equal(
        kappa_store_build(f.store, NULL, NULL, &f.errors), KAPPA_OK);
    assert_contains(stock(), "7");
    verify_store(&f);
}

/* A mended effect is for events to come. */
static void
another_effect_of_a_mutation(void **state)
{
    (void)state;
    offer(edit_schema(
        "verb: \"added\", effect: CREATE", "verb: \"added\", effect: PUT"));
    assert_false(kappa_store_wants_build(f.store));
    assert_contains(
        mutate_text(&f, "mutation { add(name: \"a\", stock: 4) { stock } }"),
        "4");
    verify_store(&f);
}

/* Views that do not know what they were made of are built. */
static void
views_of_an_older_version(void **state)
{
    (void)state;
    close_store(&f, false);
    char path[128];
    snprintf(path, sizeof path, "%s/views/0001", f.dir);
    kappa_env_t *env;
    kappa_txn_t *txn;
    assert_int_equal(
        kappa_env_open(path, FIXTURE_MAP, &kappa_alloc_libc, &env, &f.errors),
        KAPPA_OK);
    assert_int_equal(kappa_env_write(env, &txn, &f.errors), KAPPA_OK);
    assert_int_equal(
        kappa_txn_del(txn, KAPPA_DBI_META, KAPPA_STR("verbs")), KAPPA_OK);
    assert_int_equal(kappa_txn_commit(txn, &f.errors), KAPPA_OK);
    kappa_env_close(env);
    f.schema = more_mutations(
        "move(name: ID!, shelf: ID!): Item @event(thing: \"Item\", verb: "
        "\"moved\", effect: PATCH)");
    open_store(&f);
    assert_true(kappa_store_wants_build(f.store));
}

/* What an event did by old rules it need not do by new ones. */
static const char *
needs_code(void)
{
    return edit_schema("  code: String\n", "  code: String!\n");
}

static void
skips_what_new_rules_can_not_apply(void **state)
{
    (void)state;
    mutate_text(
        &f, "mutation { add(name: \"b\", stock: 3, code: \"x\") { stock } }");
    close_store(&f, false);
    f.schema = needs_code();
    open_store(&f);
    assert_int_equal(
        kappa_store_build(f.store, NULL, NULL, &f.errors), KAPPA_OK);
    assert_contains(f.said, "1 events could not be applied");
    assert_string_equal(stock(), "{\"data\":{\"item\":null}}");
    assert_contains(query_text(&f, "{ item(name: \"b\") { stock } }"), "3");
    verify_store(&f);
}

static void
strict_stops_instead(void **state)
{
    kappa_store_options_t options = { .dir = kappa_str_c(f.dir),
        .schema_name = KAPPA_STR("strict.graphql"),
        .map_size = FIXTURE_MAP,
        .alloc = &kappa_alloc_libc,
        .strict = true };
    int generation = current_of(&f);

    (void)state;
    close_store(&f, false);
    options.schema_text = kappa_str_c(needs_code());
    assert_int_equal(
        kappa_store_open(&options, &f.store, &f.errors), KAPPA_OK);
    assert_int_equal(
        kappa_store_build(f.store, NULL, NULL, &f.errors), KAPPA_INVALID);
    assert_contains(first_error(&f), "code");
    assert_int_equal(current_of(&f), generation);
    assert_false(kappa_store_wants_build(f.store));
    assert_contains(stock(), "3");
}

static void
keeps_one_generation_for_rollback(void **state)
{
    char path[128];

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            kappa_store_rebuild(f.store, NULL, NULL, &f.errors), KAPPA_OK);
    }
    assert_int_equal(current_of(&f), 4);
    for (int i = 1; i <= 5; i++) {
        snprintf(path, sizeof path, "%s/views/%04d", f.dir, i);
        assert_int_equal(access(path, F_OK) == 0, i == 3 || i == 4);
    }

    /* Rolling back is naming it: it is followed, and catches up. */
    mutate_text(&f, "mutation { take(name: \"a\", amount: 1) { stock } }");
    snprintf(path, sizeof path, "%s/views/current", f.dir);
    FILE *file = fopen(path, "w");
    fputs("0003\n", file);
    fclose(file);
    assert_int_equal(kappa_store_tick(f.store, &f.errors), KAPPA_OK);
    assert_contains(stock(), "2");
    assert_contains(
        mutate_text(&f, "mutation { take(name: \"a\", amount: 1) { stock } }"),
        "\"stock\":1");
    verify_store(&f);
}

/* As a newer version leaves it behind, whose language this one lacks. */
static void
put_foreign_schema(void)
{
    char path[160], about[1024];

    snprintf(path, sizeof path, "%s/views/%04d/schema-2.graphql", f.dir,
        current_of(&f));
    FILE *file = fopen(path, "w");
    fputs("type Query { later: Thing @fromTheFuture }", file);
    fclose(file);
    snprintf(path, sizeof path, "%s/views/%04d/about", f.dir, current_of(&f));
    file = fopen(path, "r+");
    size_t n = fread(about, 1, sizeof about - 1, file);
    about[n] = '\0';
    *(strstr(about, "revision ") + 9) = '2';
    rewind(file);
    fwrite(about, 1, n, file);
    fclose(file);
}

static void
mutations_wait_for_a_schema_that_loads(void **state)
{
    (void)state;
    put_foreign_schema();
    assert_contains(
        mutate_text(&f, "mutation { take(name: \"a\", amount: 1) { stock } }"),
        "STORE_UNAVAILABLE");
    assert_int_not_equal(kappa_store_tick(f.store, &f.errors), KAPPA_OK);
    assert_contains(stock(), "3"); /* reading goes on */
    close_store(&f, false);

    f.schema = NULL;
    assert_int_not_equal(try_open(&f), KAPPA_OK);
    f.schema = shop; /* one that loads takes its place */
    f.said[0] = '\0';
    open_store(&f);
    assert_contains(f.said, "can't read their schema");
    assert_contains(stock(), "3");
    verify_store(&f);
}

/* In a process of its own: builds by another schema, and swaps it in. */
static bool
build_elsewhere(const char *schema)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        fixture_t second = f;

        second.schema = schema;
        _exit(try_open(&second) != KAPPA_OK
            || kappa_store_build(second.store, NULL, NULL, &second.errors)
                != KAPPA_OK);
    }
    return waitpid(pid, &status, 0) == pid && status == 0;
}

/* Two processes, two schemas. What is swapped in while an offer waits for its
 * build ends the offer: no two take turns for ever. */
static void
an_offer_is_made_once(void **state)
{
    (void)state;
    mutate_text(&f, "mutation { take(name: \"a\", amount: 0) { stock } }");
    close_store(&f, false);
    f.schema = edit_schema("- event.data.amount", "- 2 * event.data.amount");
    open_store(&f);
    assert_true(kappa_store_wants_build(f.store));
    assert_true(build_elsewhere(
        edit_schema("- event.data.amount", "- 3 * event.data.amount")));
    int generation = current_of(&f);
    assert_true(kappa_store_outdated(f.store));
    assert_int_equal(
        kappa_store_build(f.store, NULL, NULL, &f.errors), KAPPA_OK);
    assert_int_equal(current_of(&f), generation);
    assert_false(kappa_store_wants_build(f.store));
    assert_false(kappa_store_outdated(f.store));
    assert_contains(
        mutate_text(&f, "mutation { take(name: \"a\", amount: 1) { stock } }"),
        "\"stock\":0");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_FROM(set_up_items, adopts_what_needs_no_build),
        TEST_FROM(set_up_items, builds_beside_what_needs_it),
        TEST_FROM(set_up_items, rules_for_what_never_happened),
        TEST_FROM(set_up_items, another_effect_of_a_mutation),
        TEST_FROM(set_up_items, views_of_an_older_version),
        TEST_FROM(set_up_items, skips_what_new_rules_can_not_apply),
        TEST_FROM(set_up_items, strict_stops_instead),
        TEST_FROM(set_up_items, keeps_one_generation_for_rollback),
        TEST_FROM(set_up_items, mutations_wait_for_a_schema_that_loads),
        TEST_FROM(set_up_items, an_offer_is_made_once),
    };
    return cmocka_run_group_tests_name(
        "views/store_schema", tests, NULL, NULL);
}
