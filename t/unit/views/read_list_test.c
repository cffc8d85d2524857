#include "t/unit/views/read_fixture.h"

static const char schema[] =
    "type Item @view @index(fields: [\"shop\", \"price\"])\n"
    "  @index(fields: [\"price\"]) @index(fields: [\"shop\", \"name\"]) {\n"
    "  id: ID! shop: ID! name: String! price: Int at: DateTime }\n"
    "type Shop @view {\n"
    "  id: ID!\n"
    "  items(first: Int, price_gt: Int, price_gte: Int, price_lt: Int,\n"
    "    price_lte: Int, price_in: [Int!]): [Item!]!\n"
    "    @hasMany(by: \"shop\") }\n"
    "enum ItemOrder { PRICE PRICE_DESC }\n"
    "type ItemConnection { edges: [ItemEdge!]! nodes: [Item!]!\n"
    "  pageInfo: PageInfo! totalCount: Int }\n"
    "type ItemEdge { node: Item! cursor: String! }\n"
    "type Query {\n"
    "  item(id: ID!): Item\n"
    "  shop(id: ID!): Shop\n"
    "  list(shop: ID, orderBy: ItemOrder, first: Int, last: Int,\n"
    "    after: String, before: String): ItemConnection!\n"
    "  range(price_lt: Int, first: Int, after: String,\n"
    "    orderBy: ItemOrder): ItemConnection!\n"
    "  all: [Item!]!\n"
    "  both(first: Int = 2, last: Int): [Item!]!\n"
    "}\n";

static const char *const items[] = {
    "{\"id\":\"a\",\"shop\":\"s\",\"name\":\"A\",\"price\":3}",
    "{\"id\":\"b\",\"shop\":\"s\",\"name\":\"B\",\"price\":1}",
    "{\"id\":\"c\",\"shop\":\"s\",\"name\":\"C\",\"price\":null}",
    "{\"id\":\"d\",\"shop\":\"s\",\"name\":\"D\",\"price\":3}",
    "{\"id\":\"e\",\"shop\":\"t\",\"name\":\"E\",\"price\":-5}",
    "{\"id\":\"f\",\"shop\":\"t\",\"name\":\"F\",\"price\":2}",
};

static int
set_up(void **state)
{
    read_fixture_t *f = malloc(sizeof(*f));

    read_fixture_open(f, schema);
    for (size_t i = 0; i < COUNT(items); i++) {
        put_row(f, "Item", items[i]);
    }
    put_row(f, "Shop", "{\"id\":\"s\"}");
    put_row(f, "Shop", "{\"id\":\"t\"}");
    read_fixture_commit(f);
    *state = f;
    return 0;
}

/* The ids of an answer, in order. */
static const char *
ids(read_fixture_t *f, const char *answer)
{
    kappa_str_t out = KAPPA_STR("");

    for (const char *at = answer; (at = strstr(at, "\"id\":\"")); at += 6) {
        out = kappa_str_printf(f->arena, "%.*s%c", KAPPA_STR_ARG(out), at[6]);
    }
    return out.data;
}

static void
lists_in_the_order_of_an_index(void **state)
{
    static const struct {
        const char *query, *ids;
    } cases[] = {
        { "{all{id}}", "abcdef" },
        { "{list{nodes{id}}}", "abcdef" },
        { "{list(orderBy:PRICE){nodes{id}}}", "cebfad" },
        { "{list(orderBy:PRICE_DESC){nodes{id}}}", "dafbec" },
        { "{list(shop:\"s\"){nodes{id}}}", "cbad" },
        { "{list(shop:\"s\" orderBy:PRICE_DESC){nodes{id}}}", "dabc" },
        { "{list(shop:\"nobody\"){nodes{id}}}", "" },
        { "{list(shop:\"s\" first:2){nodes{id}}}", "cb" },
        { "{list(shop:\"s\" last:3){nodes{id}}}", "bad" },
        { "{list(first:0){nodes{id}}}", "" },
        /* A default gives way to what a caller gives. */
        { "{both{id}}", "ab" },
        { "{both(first:3){id}}", "abc" },
        { "{both(last:1){id}}", "f" },
        { "{both(first:null last:3){id}}", "def" },
        { "{range(price_lt:3){nodes{id}}}", "ebf" },
        { "{range(price_lt:3 orderBy:PRICE_DESC){nodes{id}}}", "fbe" },
        { "{range{nodes{id}}}", "abcdef" },
        { "{shop(id:\"s\"){items{id}}}", "cbad" },
        { "{shop(id:\"s\"){items(price_gt:1){id}}}", "ad" },
        { "{shop(id:\"s\"){items(price_gte:1){id}}}", "bad" },
        { "{shop(id:\"s\"){items(price_lt:3){id}}}", "b" },
        { "{shop(id:\"s\"){items(price_lte:3){id}}}", "bad" },
        { "{shop(id:\"s\"){items(price_gt:1 price_lt:3){id}}}", "" },
        { "{shop(id:\"s\"){items(price_gt:3 price_lt:1){id}}}", "" },
        { "{shop(id:\"s\"){items(price_in:[3,1,3]){id}}}", "bad" },
        { "{shop(id:\"s\"){items(price_in:[3,1] price_gt:1){id}}}", "ad" },
        { "{shop(id:\"s\"){items(price_in:[]){id}}}", "" },
    };
    read_fixture_t *f = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *answer = ask(f, cases[i].query);
        const char *got = ids(f, answer);

        if (strcmp(got, cases[i].ids) != 0) {
            fail_msg("%s: %s, not %s\n%s", cases[i].query, got, cases[i].ids,
                answer);
        }
    }
}

static void
pages_forth_and_back(void **state)
{
    read_fixture_t *f = *state;
    static const char *const orders[] = { "PRICE", "PRICE_DESC" };
    static const char *const expected[] = { "cebfad", "dafbec" };

    for (int o = 0; o < 2; o++) {
        kappa_str_t seen = KAPPA_STR("");
        const char *after = "null";

        for (int page = 0; page < 3; page++) {
            kappa_str_t query = kappa_str_printf(f->arena,
                "{list(orderBy:%s first:2 after:%s){nodes{id} pageInfo{"
                "hasNextPage hasPreviousPage endCursor}}}",
                orders[o], after);
            const char *answer = ask(f, query.data);

            seen = kappa_str_printf(
                f->arena, "%.*s%s", KAPPA_STR_ARG(seen), ids(f, answer));
            assert_non_null(strstr(answer,
                page < 2 ? "\"hasNextPage\":true" : "\"hasNextPage\":false"));
            assert_non_null(strstr(answer,
                page > 0 ? "\"hasPreviousPage\":true"
                         : "\"hasPreviousPage\":false"));
            after = kappa_str_printf(
                f->arena, "\"%s\"", pick(f, answer, "endCursor"))
                        .data;
        }
        assert_string_equal(seen.data, expected[o]);
        /* From the end: before the last page's end stands the first 5. */
        kappa_str_t query = kappa_str_printf(f->arena,
            "{list(orderBy:%s last:2 before:%s){nodes{id} pageInfo{"
            "hasNextPage hasPreviousPage}}}",
            orders[o], after);
        const char *answer = ask(f, query.data);
        assert_memory_equal(ids(f, answer), expected[o] + 3, 2);
        assert_non_null(strstr(answer, "\"hasPreviousPage\":true"));
        assert_non_null(strstr(answer, "\"hasNextPage\":true"));
    }
}

static void
refuses_other_lists_cursors(void **state)
{
    read_fixture_t *f = *state;
    const char *answer = ask(f, "{list(orderBy:PRICE){pageInfo{endCursor}}}");
    const char *cursor = pick(f, answer, "endCursor");
    char *broken = kappa_str_dup(f->arena, kappa_str_c(cursor)).data
        ? (char *)kappa_str_dup(f->arena, kappa_str_c(cursor)).data
        : NULL;
    static const char *const queries[] = {
        "{list(after:\"%s\"){nodes{id}}}",
        "{list(orderBy:PRICE_DESC after:\"%s\"){nodes{id}}}",
        "{list(orderBy:PRICE shop:\"s\" after:\"%s\"){nodes{id}}}",
        "{range(orderBy:PRICE after:\"%s\"){nodes{id}}}",
        "{list(orderBy:PRICE after:\"x%s\"){nodes{id}}}",
    };

    for (size_t i = 0; i < COUNT(queries); i++) {
        char query[256];

        snprintf(query, sizeof(query), queries[i], cursor);
        answer = ask(f, query);
        if (!strstr(answer, "BAD_USER_INPUT")) {
            fail_msg("%s: %s", query, answer);
        }
    }
    broken[8] ^= 1;
    kappa_str_t query = kappa_str_printf(
        f->arena, "{list(orderBy:PRICE after:\"%s\"){nodes{id}}}", broken);
    assert_non_null(strstr(ask(f, query.data), "BAD_USER_INPUT"));
    assert_non_null(
        strstr(ask(f, "{list(after:\"\"){nodes{id}}}"), "BAD_USER_INPUT"));
}

static void
bounds_pages(void **state)
{
    static const struct {
        const char *query, *code;
    } cases[] = {
        { "{list(first:-1){nodes{id}}}", "BAD_USER_INPUT" },
        { "{list(first:1001){nodes{id}}}", "LIMIT_EXCEEDED" },
        { "{list(last:1001){nodes{id}}}", "LIMIT_EXCEEDED" },
        { "{list(first:1 last:1){nodes{id}}}", "BAD_USER_INPUT" },
        { "{both(first:1 last:1){id}}", "BAD_USER_INPUT" },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *answer = ask(*state, cases[i].query);

        if (!strstr(answer, cases[i].code)) {
            fail_msg("%s: %s", cases[i].query, answer);
        }
    }
}

static void
counts_equalities_only(void **state)
{
    static const struct {
        const char *query, *answer;
    } cases[] = {
        { "{list{totalCount}}", "{\"data\":{\"list\":{\"totalCount\":6}}}" },
        { "{list(shop:\"s\" first:1){totalCount}}",
            "{\"data\":{\"list\":{\"totalCount\":4}}}" },
        { "{list(shop:\"x\"){totalCount}}",
            "{\"data\":{\"list\":{\"totalCount\":0}}}" },
        { "{range(price_lt:9){totalCount}}",
            "{\"data\":{\"range\":{\"totalCount\":null}}}" },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(ask(*state, cases[i].query), cases[i].answer);
    }
}

/* What a page was made from: what it noted, and what would change it. */
static void
notes_what_it_read(void **state)
{
    read_fixture_t *f = *state;
    kappa_dependencies_t deps = { .arena = f->arena };
    static const struct {
        const char *row;
        bool hit;
    } cases[] = {
        { "{\"id\":\"x\",\"shop\":\"s\",\"name\":\"x\",\"price\":0}", true },
        { "{\"id\":\"x\",\"shop\":\"s\",\"name\":\"x\",\"price\":1}", true },
        { "{\"id\":\"x\",\"shop\":\"s\",\"name\":\"x\",\"price\":4}", false },
        { "{\"id\":\"x\",\"shop\":\"t\",\"name\":\"x\",\"price\":0}", false },
    };

    f->deps = &deps;
    ask(f, "{list(shop:\"s\" orderBy:PRICE first:2){nodes{id}}}");
    f->deps = NULL;
    assert_int_equal(deps.count, 1);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(
            row_hits(f, &deps, "Item", cases[i].row), cases[i].hit);
    }
}

/* Whether there is a page before depends on rows that are on none. */
static void
notes_what_is_beyond(void **state)
{
    static const struct {
        const char *row;
        bool hit;
    } cases[] = {
        { "{\"id\":\"e\",\"shop\":\"t\",\"name\":\"E\",\"price\":-5}", true },
        { "{\"id\":\"a\",\"shop\":\"s\",\"name\":\"A\",\"price\":3}", false },
    };
    read_fixture_t *f = *state;
    kappa_dependencies_t deps = { .arena = f->arena };
    const char *cursor =
        pick(f, ask(f, "{list(orderBy:PRICE first:2){pageInfo{endCursor}}}"),
            "endCursor");
    kappa_str_t query = kappa_str_printf(f->arena,
        "{list(orderBy:PRICE first:1 after:\"%s\"){nodes{id}}}", cursor);

    f->deps = &deps;
    assert_string_equal(ids(f, ask(f, query.data)), "b");
    f->deps = NULL;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(
            row_hits(f, &deps, "Item", cases[i].row), cases[i].hit);
    }
}

/* One query that goes through most of what reading does. */
static void
survives_without_memory(void **state)
{
    read_fixture_t *f = *state;
    const char *cursor =
        pick(f, ask(f, "{list(orderBy:PRICE first:1){pageInfo{endCursor}}}"),
            "endCursor");
    kappa_str_t query = kappa_str_printf(f->arena,
        "{list(orderBy:PRICE first:3 after:\"%s\"){totalCount "
        "edges{cursor node{id name price at}} pageInfo{endCursor}} "
        "shop(id:\"s\"){items(price_in:[3,1]){id}}}",
        cursor);

    ask_starved(f, query.data);
}

/* Whatever a cursor is, it is refused or leads into its own list. */
static void
takes_any_text_as_a_cursor(void **state)
{
    read_fixture_t *f = *state;
    uint64_t seed = (uint64_t)getpid() * 2654435761u;
    kappa_str_t cursor = kappa_str_c(
        pick(f, ask(f, "{list(orderBy:PRICE first:1){pageInfo{endCursor}}}"),
            "endCursor"));

    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 300; i++) {
        char text[64];
        size_t len = cursor.len;

        memcpy(text, cursor.data, len);
        for (int n = 0; n < 1 + i % 3; n++) {
            seed = seed * UINT64_C(6364136223846793005) + 1;
            text[(seed >> 33) % len] = (char)('!' + (seed >> 40) % 90);
        }
        len -= (seed >> 50) % len;
        for (size_t n = 0; n < len; n++) {
            if (text[n] == '"' || text[n] == '\\') {
                text[n] = 'A';
            }
        }
        if (kappa_str_eq(kappa_str(text, len), cursor)) {
            continue;
        }
        kappa_str_t query = kappa_str_printf(f->arena,
            "{list(orderBy:PRICE after:\"%.*s\"){nodes{id}}}", (int)len, text);
        const char *answer = ask(f, query.data);
        if (!strstr(answer, "BAD_USER_INPUT")) {
            fail_msg("%s: %s", query.data, answer);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_in_the_order_of_an_index),
        cmocka_unit_test(pages_forth_and_back),
        cmocka_unit_test(refuses_other_lists_cursors),
        cmocka_unit_test(bounds_pages),
        cmocka_unit_test(counts_equalities_only),
        cmocka_unit_test(notes_what_it_read),
        cmocka_unit_test(notes_what_is_beyond),
        cmocka_unit_test(survives_without_memory),
        cmocka_unit_test(takes_any_text_as_a_cursor),
    };

    return cmocka_run_group_tests(tests, set_up, read_fixture_tear_down);
}
