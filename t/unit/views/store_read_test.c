#include "t/unit/views/store_case.h"

/* Where the views stand, and what of an answer depends on who asks. */

static kappa_standing_t
standing(void)
{
    kappa_standing_t out;

    assert_int_equal(kappa_store_standing(f.store, &out), KAPPA_OK);
    return out;
}

static bool
same(kappa_standing_t a, kappa_standing_t b)
{
    return a.version == b.version && a.snapshot == b.snapshot;
}

/* A query's standing, and whether it looked at who asks. */
static kappa_standing_t
query(const char *text, bool *personal)
{
    kappa_plan_t *plan = plan_text(&f, kappa_store_model(f.store), text);
    kappa_read_options_t options = { .caller = NULL };
    kappa_snapshot_t *snapshot;
    const kappa_value_t *variables;
    kappa_outcome_t outcome;
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    assert_int_equal(
        kappa_snapshot_begin(f.store, &options, &snapshot), KAPPA_OK);
    assert_false(kappa_snapshot_personal(snapshot));
    assert_int_equal(
        kappa_plan_variables(plan, NULL, f.arena, &variables, &f.errors),
        KAPPA_OK);
    assert_int_equal(
        kappa_execute(plan, variables, kappa_snapshot_data(snapshot), f.arena,
            &buf, &outcome),
        KAPPA_OK);
    kappa_standing_t stood = kappa_snapshot_standing(snapshot);
    *personal = kappa_snapshot_personal(snapshot);
    kappa_snapshot_end(snapshot);
    kappa_buf_release(&buf);
    kappa_plan_release(plan);
    return stood;
}

static void
stands_still_until_a_commit(void **state)
{
    static const char *const changes[] = {
        "mutation { add(name: \"a\", stock: 3) { name } }",
        "mutation { take(name: \"a\", amount: 1) { name } }",
        "mutation { drop(name: \"a\") { name } }",
    };
    kappa_standing_t before = standing();
    bool personal;

    (void)state;
    for (size_t i = 0; i < COUNT(changes); i++) {
        mutate_text(&f, changes[i]);
        kappa_standing_t now = standing();

        assert_false(same(before, now));
        assert_true(
            same(now, query("{ item(name: \"a\") { stock } }", &personal)));
        assert_true(same(now, standing()));
        before = now;
    }
    /* One that is refused changes nothing. */
    mutate_text(&f, "mutation { take(name: \"nobody\", amount: 1) { name } }");
    assert_true(same(before, standing()));
}

/* The new views may have seen as many commits as the old ones. */
static void
stands_elsewhere_in_other_views(void **state)
{
    char *schema = (char *)kappa_str_dup(f.arena, kappa_str_c(shop)).data;
    char *rule = strstr(schema, "row.stock - event");
    kappa_standing_t before;

    (void)state;
    mutate_text(&f, "mutation { add(name: \"a\", stock: 3) { name } }");
    mutate_text(&f, "mutation { take(name: \"a\", amount: 1) { name } }");
    close_store(&f, false);
    memcpy(rule, "row.stock + event", 17);
    f.schema = schema;
    open_store(&f);
    assert_true(kappa_store_wants_build(f.store));
    before = standing();
    assert_int_equal(
        kappa_store_build(f.store, NULL, NULL, &f.errors), KAPPA_OK);
    assert_int_not_equal(standing().version, before.version);
    assert_int_equal(standing().version, kappa_store_version(f.store));
}

static void
notes_who_was_looked_at(void **state)
{
    static const struct {
        const char *text;
        bool personal;
    } cases[] = {
        { "{ item(name: \"a\") { name stock by } }", false },
        { "{ shelf(name: \"s\") { items pieces } }", false },
        { "{ secret(id: \"nothing\") { text } }", false },
        { "{ __schema { queryType { name } } }", false },
    };

    (void)state;
    mutate_text(&f, "mutation { add(name: \"a\", stock: 3) { name } }");
    f.sub = "kim";
    const char *hidden =
        mutate_text(&f, "mutation { hide(text: \"t\") { id } }");
    f.sub = NULL;
    const char *id = strstr(hidden, "\"id\":\"") + 6;
    kappa_str_t secret = kappa_str_printf(f.arena,
        "{ item(name: \"a\") { name } secret(id: \"%.36s\") { text } }", id);
    bool looked;

    query(secret.data, &looked);
    assert_true(looked);
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool personal;

        query(cases[i].text, &personal);
        if (personal != cases[i].personal) {
            fail_msg("%s: %d", cases[i].text, personal);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stands_still_until_a_commit),
        TEST(stands_elsewhere_in_other_views),
        TEST(notes_who_was_looked_at),
    };

    return cmocka_run_group_tests_name("store_read", tests, NULL, NULL);
}
