#include "t/unit/views/store_fixture.h"

/* Rows as they are and were, a view's rows in parts, and a key's history. */

static const char world[] =
    "type Item @view(key: \"name\")\n"
    "  @on(thing: \"Sale\", verb: \"made\", key: \"event.data.item\",\n"
    "    set: \"stock = row.stock - 1\") {\n"
    "  name: ID!\n"
    "  stock: Int!\n"
    "}\n"
    "type Plain @view(key: [\"a\", \"b\"]) { a: ID! b: Int! text: String }\n"
    "type Query { item(name: ID!): Item plain(a: ID!, b: Int!): Plain }\n"
    "type Mutation {\n"
    "  put(name: ID!, stock: Int!): Item\n"
    "    @event(thing: \"Item\", verb: \"put\", effect: PUT)\n"
    "  sell(item: ID!): SalePayload @event(thing: \"Sale\", verb: \"made\")\n"
    "  write(a: ID!, b: Int!, text: String): Plain\n"
    "    @event(thing: \"Plain\", verb: \"written\", effect: UPSERT)\n"
    "  drop(a: ID!, b: Int!): Plain\n"
    "    @event(thing: \"Plain\", verb: \"dropped\", effect: DELETE)\n"
    "}\n"
    "type SalePayload { position: String! }\n";

static void
start(fixture_t *f)
{
    make_store(f);
    f->schema = world;
    open_store(f);
}

static void
filter_by(
    fixture_t *f, const char *thing, const char *key, kappa_filter_t *filter)
{
    *filter = (kappa_filter_t){ .thing = kappa_str_c(thing) };
    assert_int_equal(
        kappa_filter_key(f->arena, kappa_str_c(key), filter), KAPPA_OK);
}

/* The row, or "-". */
static const char *
shown(fixture_t *f, const char *thing, const char *key, uint64_t seq)
{
    kappa_filter_t filter;
    kappa_buf_t buf;

    filter_by(f, thing, key, &filter);
    kappa_errors_init(&f->errors, f->arena, 0);
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_status_t status =
        kappa_store_show(f->store, &filter, seq, NULL, NULL, &buf, &f->errors);
    if (status != KAPPA_OK && status != KAPPA_NOT_FOUND) {
        fail_msg("show %s %s: %d %s", thing, key, status, first_error(f));
    }
    kappa_str_t text = kappa_str_dup(f->arena, kappa_buf_view(&buf));
    kappa_buf_release(&buf);
    return status == KAPPA_OK ? text.data : "-";
}

static void
shows_a_row_as_it_was(void **state)
{
    static const struct {
        const char *thing, *key;
        uint64_t seq;
        const char *row;
    } cases[] = {
        { "Item", "tea", 0, "-" },
        { "Item", "tea", 1, "{\"name\":\"tea\",\"stock\":5}" },
        { "Item", "tea", 2, "{\"name\":\"tea\",\"stock\":4}" },
        { "Item", "tea", 3, "{\"name\":\"tea\",\"stock\":4}" },
        { "Item", "tea", 5, "{\"name\":\"tea\",\"stock\":3}" },
        { "Item", "tea", UINT64_MAX, "{\"name\":\"tea\",\"stock\":3}" },
        { "Item", "\"tea\"", 6, "{\"name\":\"tea\",\"stock\":3}" },
        { "Item", "milk", UINT64_MAX, "-" },
        { "Plain", "[\"x\",1]", 2, "-" },
        { "Plain", "[\"x\", 1]", 3, "{\"a\":\"x\",\"b\":1,\"text\":\"p\"}" },
        { "Plain", "[\"x\",1]", 4, "{\"a\":\"x\",\"b\":1,\"text\":\"q\"}" },
        { "Plain", "[\"x\",1]", 6, "-" },
    };
    fixture_t f;

    (void)state;
    start(&f);
    mutate_text(&f, "mutation { put(name: \"tea\", stock: 5) { name } }");
    mutate_text(&f, "mutation { sell(item: \"tea\") { position } }");
    mutate_text(&f, "mutation { write(a: \"x\", b: 1, text: \"p\") { a } }");
    mutate_text(&f, "mutation { write(a: \"x\", b: 1, text: \"q\") { a } }");
    mutate_text(&f, "mutation { sell(item: \"tea\") { position } }");
    mutate_text(&f, "mutation { drop(a: \"x\", b: 1) { a } }");
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT(cases); i++) {
            assert_string_equal(
                shown(&f, cases[i].thing, cases[i].key, cases[i].seq),
                cases[i].row);
        }
        /* Again without records of what changed. */
        assert_int_equal(
            kappa_store_rebuild(f.store, NULL, NULL, &f.errors), KAPPA_OK);
    }
    end_store(&f);
}

static void
says_what_can_not_be_shown(void **state)
{
    static const struct {
        const char *thing, *key, *says;
    } cases[] = {
        { "Sale", "x", "Sale is no view" },
        { "Plain", "x", "no key of Plain, which has 2 parts" },
        { "Plain", "[\"x\"]", "no key of Plain" },
        { "Plain", "[\"x\",\"y\"]", "no key of Plain" },
        { "Item", "[\"x\",\"y\"]", "no key of Item, which has 1 part" },
    };
    kappa_filter_t filter;
    kappa_buf_t buf;
    fixture_t f;

    (void)state;
    start(&f);
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        filter_by(&f, cases[i].thing, cases[i].key, &filter);
        kappa_errors_init(&f.errors, f.arena, 0);
        assert_int_equal(kappa_store_show(f.store, &filter, UINT64_MAX, NULL,
                             NULL, &buf, &f.errors),
            KAPPA_INVALID);
        assert_contains(first_error(&f), cases[i].says);
    }
    kappa_buf_release(&buf);
    end_store(&f);
}

static void
finds_a_keys_events(void **state)
{
    kappa_filter_t filter;
    uint64_t seq = 0;
    fixture_t f;

    (void)state;
    start(&f);
    for (int i = 0; i < 3; i++) {
        mutate_text(&f, "mutation { put(name: \"5\", stock: 5) { name } }");
        mutate_text(&f, "mutation { put(name: \"6\", stock: 5) { name } }");
    }
    append_lines(&f, "{\"thing\":\"Item\",\"verb\":\"seen\",\"key\":\"5\"}\n");
    filter_by(&f, "Item", "5", &filter);
    for (uint64_t expected = 1; expected <= 7; expected += 2) {
        assert_int_equal(
            kappa_store_history(f.store, &filter, seq, &seq), KAPPA_OK);
        assert_int_equal(seq, expected);
    }
    assert_int_equal(
        kappa_store_history(f.store, &filter, seq, &seq), KAPPA_DONE);
    assert_int_equal(seq, 7); /* as far as the views stand */
    assert_int_equal(
        kappa_store_history(f.store, &filter, UINT64_MAX, &seq), KAPPA_DONE);
    filter_by(&f, "Nothing", "5", &filter);
    assert_int_equal(
        kappa_store_history(f.store, &filter, 0, &seq), KAPPA_DONE);
    end_store(&f);
}

static bool
count_row(void *ctx, const kappa_view_t *view, const uint8_t *row)
{
    uint32_t *left = ctx;

    assert_str_equal(view->name, "Plain");
    assert_non_null(row);
    return --*left > 0;
}

static void
gives_rows_in_parts(void **state)
{
    char text[128];
    fixture_t f;

    (void)state;
    start(&f);
    mutate_text(&f, "mutation { put(name: \"tea\", stock: 5) { name } }");
    for (int i = 0; i < 10; i++) {
        snprintf(text, sizeof text,
            "mutation { write(a: \"%s\", b: %d) { a } }", i % 2 ? "x" : "", i);
        mutate_text(&f, text);
    }
    for (uint32_t max = 1; max <= 11; max++) {
        kappa_rows_at_t at = { .view = KAPPA_STR("Plain") };
        uint32_t left = 1000, turns = 0;
        kappa_status_t status;

        do {
            status = kappa_store_rows(f.store, &at, max, count_row, &left);
            turns++;
        } while (status == KAPPA_OK);
        assert_int_equal(status, KAPPA_DONE);
        assert_int_equal(left, 990);
        assert_true(turns >= 10 / max);
    }
    kappa_rows_at_t at = { .view = KAPPA_STR("Plain") };
    uint32_t left = 3; /* enough of it */
    assert_int_equal(
        kappa_store_rows(f.store, &at, 100, count_row, &left), KAPPA_DONE);
    assert_int_equal(left, 0);
    at = (kappa_rows_at_t){ .view = KAPPA_STR("Sale") };
    assert_int_equal(
        kappa_store_rows(f.store, &at, 1, count_row, &left), KAPPA_NOT_FOUND);
    end_store(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_a_row_as_it_was),
        cmocka_unit_test(says_what_can_not_be_shown),
        cmocka_unit_test(finds_a_keys_events),
        cmocka_unit_test(gives_rows_in_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
