#include "t/unit/views/read_fixture.h"

#include "base/json.h"

static const char schema[] =
    "type Person @view { id: ID! name: String\n"
    "  salary: BigInt @allow(if: \"'hr' in auth.roles\")\n"
    "  shout: String @computed(as: \"row.name + '!'\")\n"
    "  mine: Boolean @computed(as: \"row.id == auth.sub\")\n"
    "  double: BigInt @computed(as: \"now == now ? row.salary * 2 : 0\")\n"
    "  boss: ID bossInfo: Person @belongsTo(by: \"boss\")\n"
    "  bossName: String @computed(as: \"Person(row.boss).name\") }\n"
    "type Note @view @index(fields: [\"owner\"])\n"
    "  @allow(if: \"row.owner == auth.sub || row.open == true\") {\n"
    "  id: ID! owner: ID! open: Boolean }\n"
    "type Mail @view @index(fields: [\"to\", \"at\"])\n"
    "  @index(fields: [\"at\"]) @allow(if: \"row.to == auth.sub\") {\n"
    "  id: ID! to: ID at: Int! }\n"
    "type Level @view @index(fields: [\"level\"])\n"
    "  @allow(if: \"auth.claims.level == row.level\") {\n"
    "  id: ID! level: BigInt }\n"
    "enum MailOrder { AT }\n"
    "type NoteConnection { nodes: [Note!]! pageInfo: PageInfo! }\n"
    "type Pair @view(key: [\"a\", \"b\"]) { a: ID! b: Int! v: Float }\n"
    "type Query {\n"
    "  person(id: ID!): Person\n"
    "  me(id: ID! @stamp(as: \"auth.sub\")): Person\n"
    "  secret(id: ID!): Person @allow(if: \"args.id == auth.sub\")\n"
    "  note(id: ID!): Note\n"
    "  notes(first: Int): [Note!]!\n"
    "  pages(first: Int, after: String, last: Int,\n"
    "    before: String): NoteConnection!\n"
    "  mails(orderBy: MailOrder, first: Int): [Mail!]!\n"
    "  levels: [Level!]!\n"
    "  own(owner: ID! @stamp(as: \"auth.sub\")): [Note!]!\n"
    "  pair(b: Int!, a: ID!): Pair\n"
    "}\n";

static int
set_up(void **state)
{
    read_fixture_t *f = malloc(sizeof(*f));
    char row[128];

    read_fixture_open(f, schema);
    put_row(f, "Person",
        "{\"id\":\"p\",\"name\":\"Pia\",\"salary\":\"9\",\"shout\":\"Pia!\","
        "\"boss\":\"q\"}");
    put_row(f, "Person", "{\"id\":\"q\",\"name\":\"Q\",\"boss\":\"gone\"}");
    put_row(f, "Pair", "{\"a\":\"x\",\"b\":-1,\"v\":1.5}");
    for (int i = 0; i < 40; i++) {
        snprintf(row, sizeof(row),
            "{\"id\":\"n%02d\",\"owner\":\"%s\",\"open\":%s}", i,
            i == 35 ? "p" : "q", i == 2 ? "true" : "false");
        put_row(f, "Note", row);
    }
    for (int i = 0; i < 40; i++) {
        snprintf(row, sizeof(row), "{\"id\":\"m%02d\",\"to\":%s,\"at\":%d}", i,
            i % 20  ? "\"q\""
                : i ? "\"p\""
                    : "null",
            i);
        put_row(f, "Mail", row);
    }
    put_row(f, "Level", "{\"id\":\"five\",\"level\":\"5\"}");
    put_row(f, "Level", "{\"id\":\"six\",\"level\":\"6\"}");
    put_row(f, "Level", "{\"id\":\"none\",\"level\":null}");
    read_fixture_commit(f);
    *state = f;
    return 0;
}

typedef struct {
    const char *sub;
    const char *role;
    const char *query;
    const char *answer; /* ends with "…": the rest is not looked at */
} case_t;

static void
run(read_fixture_t *f, const case_t *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kappa_value_t role = kappa_string(kappa_str_c(cases[i].role));
        const char *want = cases[i].answer;
        size_t len = strlen(want);
        bool cut = len > 3 && strcmp(want + len - 3, "\xe2\x80\xa6") == 0;

        f->caller = (kappa_caller_t){ .sub = kappa_str_c(cases[i].sub) };
        if (cases[i].role) {
            f->caller.roles = (kappa_value_t){
                .kind = KAPPA_LIST, .count = 1, .as.items = &role
            };
        }
        const char *got = ask(f, cases[i].query);
        if (cut ? strncmp(got, want, len - 3) != 0 : strcmp(got, want) != 0) {
            fail_msg("%s: %s\nnot %s", cases[i].query, got, want);
        }
    }
    f->caller = (kappa_caller_t){ 0 };
}

static void
reads_rows_by_key(void **state)
{
    static const case_t cases[] = {
        { NULL, NULL,
            "{person(id:\"p\"){id name bossInfo{name bossInfo{id}}}}",
            "{\"data\":{\"person\":{\"id\":\"p\",\"name\":\"Pia\","
            "\"bossInfo\":{\"name\":\"Q\",\"bossInfo\":null}}}}" },
        { NULL, NULL, "{person(id:\"nobody\"){id}}",
            "{\"data\":{\"person\":null}}" },
        { NULL, NULL, "{pair(a:\"x\" b:-1){v}}",
            "{\"data\":{\"pair\":{\"v\":1.5}}}" },
        { NULL, NULL, "{pair(a:\"x\" b:1){v}}", "{\"data\":{\"pair\":null}}" },
    };

    run(*state, cases, COUNT(cases));
}

static void
fills_stamped_arguments(void **state)
{
    static const case_t cases[] = {
        { "p", NULL, "{me{id}}", "{\"data\":{\"me\":{\"id\":\"p\"}}}" },
        { "p", NULL, "{own{id}}", "{\"data\":{\"own\":[{\"id\":\"n35\"}]}}" },
    };
    read_fixture_t *f = *state;

    run(f, cases, COUNT(cases));
    assert_non_null(strstr(ask(f, "{me{id}}"), "UNAUTHENTICATED"));
    assert_non_null(strstr(ask(f, "{own{id}}"), "UNAUTHENTICATED"));
}

/* An index that serves the rule finds what the rule alone would. */
static void
compares_claims_as_json(void **state)
{
    static const struct {
        const char *claims, *id;
    } cases[] = {
        { "{\"level\":5}", "{\"id\":\"five\"}" },
        { "{\"level\":5.0}", "{\"id\":\"five\"}" },
        { "{\"level\":5.5}", "" },
        { "{\"level\":1e300}", "" },
        { "{\"level\":\"5\"}", "" },
        { "{\"level\":[5]}", "" },
        { "{\"level\":null}", "{\"id\":\"none\"}" },
        { "{}", "{\"id\":\"none\"}" },
    };
    read_fixture_t *f = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_str_t want = kappa_str_printf(
            f->arena, "{\"data\":{\"levels\":[%s]}}", cases[i].id);

        f->caller = (kappa_caller_t){ 0 };
        assert_int_equal(
            kappa_json_parse(f->arena, kappa_str_c(cases[i].claims),
                &f->caller.claims, NULL),
            KAPPA_OK);
        assert_string_equal(ask(f, "{levels{id}}"), want.data);
    }
    f->caller = (kappa_caller_t){ 0 };
}

static void
computes_when_read(void **state)
{
    static const case_t cases[] = {
        { "p", NULL, "{person(id:\"p\"){shout mine double bossName}}",
            "{\"data\":{\"person\":{\"shout\":\"Pia!\",\"mine\":true,"
            "\"double\":\"18\",\"bossName\":\"Q\"}}}" },
        { NULL, NULL, "{person(id:\"q\"){mine double bossName}}",
            "{\"data\":{\"person\":{\"mine\":false,\"double\":null,"
            "\"bossName\":null}}}" },
    };

    run(*state, cases, COUNT(cases));
}

static void
asks_who_is_allowed(void **state)
{
    static const case_t cases[] = {
        { NULL, "hr", "{person(id:\"p\"){salary}}",
            "{\"data\":{\"person\":{\"salary\":\"9\"}}}" },
        { NULL, "it", "{person(id:\"p\"){salary}}",
            "{\"data\":{\"person\":{\"salary\":null}},\"errors\":[…" },
        { "p", NULL, "{secret(id:\"p\"){id}}",
            "{\"data\":{\"secret\":{\"id\":\"p\"}}}" },
        { "q", NULL, "{secret(id:\"p\"){id}}",
            "{\"data\":{\"secret\":null},\"errors\":[…" },
        { "p", NULL, "{note(id:\"n35\"){id}}",
            "{\"data\":{\"note\":{\"id\":\"n35\"}}}" },
        { "x", NULL, "{note(id:\"n35\"){id}}", "{\"data\":{\"note\":null}}" },
        { NULL, NULL, "{note(id:\"n02\"){id}}",
            "{\"data\":{\"note\":{\"id\":\"n02\"}}}" },
    };

    run(*state, cases, COUNT(cases));
}

/* A row rule looks at ten times the page, no more. */
static void
hides_rows_of_lists(void **state)
{
    static const case_t cases[] = {
        { "p", NULL, "{notes{id}}",
            "{\"data\":{\"notes\":[{\"id\":\"n02\"},{\"id\":\"n35\"}]}}" },
        { "p", NULL, "{notes(first:2){id}}",
            "{\"data\":{\"notes\":[{\"id\":\"n02\"}]}}" },
        { "p", NULL, "{notes(first:1){id}}",
            "{\"data\":{\"notes\":[{\"id\":\"n02\"}]}}" },
    };

    run(*state, cases, COUNT(cases));
}

/* Where a row rule cuts a page short, its cursor goes on from there. */
static void
goes_on_behind_hidden_rows(void **state)
{
    read_fixture_t *f = *state;
    static const char *const ways[][3] = {
        { "first", "after", "endCursor" },
        { "last", "before", "startCursor" },
    };

    f->caller = (kappa_caller_t){ .sub = KAPPA_STR("p") };
    for (size_t way = 0; way < COUNT(ways); way++) {
        const char *cursor = "null";
        int pages = 0, found = 0;
        const char *answer;

        do {
            kappa_str_t query = kappa_str_printf(f->arena,
                "{pages(%s:1 %s:%s){nodes{id} pageInfo{hasNextPage "
                "hasPreviousPage startCursor endCursor}}}",
                ways[way][0], ways[way][1], cursor);

            answer = ask(f, query.data);
            found += strstr(answer, "\"id\":") != NULL;
            if (strstr(answer,
                    way ? "\"hasPreviousPage\":false"
                        : "\"hasNextPage\":false")) {
                break;
            }
            cursor = kappa_str_printf(
                f->arena, "\"%s\"", pick(f, answer, ways[way][2]))
                         .data;
        } while (++pages < 20);
        assert_int_equal(found, 2);
        assert_in_range(pages, 3, 6);
    }
    f->caller = (kappa_caller_t){ 0 };
}

/* Hidden rows are no page on the other side of a cursor, as far as they may
 * be looked at. */
static void
tells_of_pages_that_are_seen(void **state)
{
    static const struct {
        int rows; /* whose last one's cursor is given */
        const char *query, *answer;
    } cases[] = {
        /* Before n02 are n00 and n01, behind n35 are n36 to n39. */
        { 2,
            "{pages(first:1 after:\"%s\"){nodes{id} pageInfo{hasPreviousPage}"
            "}}",
            "{\"data\":{\"pages\":{\"nodes\":[{\"id\":\"n02\"}],"
            "\"pageInfo\":{\"hasPreviousPage\":false}}}}" },
        { 36, "{pages(last:1 before:\"%s\"){nodes{id} pageInfo{hasNextPage}}}",
            "{\"data\":{\"pages\":{\"nodes\":[{\"id\":\"n35\"}],"
            "\"pageInfo\":{\"hasNextPage\":false}}}}" },
        /* Before it are more than may be looked at. */
        { 35,
            "{pages(first:1 after:\"%s\"){nodes{id} pageInfo{hasNextPage "
            "hasPreviousPage}}}",
            "{\"data\":{\"pages\":{\"nodes\":[{\"id\":\"n35\"}],"
            "\"pageInfo\":{\"hasNextPage\":false,\"hasPreviousPage\":true}}}"
            "}" },
    };
    read_fixture_t *f = *state;
    char query[256];

    for (size_t i = 0; i < COUNT(cases); i++) {
        f->caller = (kappa_caller_t){ .sub = KAPPA_STR("q") };
        snprintf(query, sizeof(query),
            "{pages(first:%d){pageInfo{endCursor}}}", cases[i].rows);
        const char *cursor = pick(f, ask(f, query), "endCursor");

        f->caller = (kappa_caller_t){ .sub = KAPPA_STR("p") };
        snprintf(query, sizeof(query), cases[i].query, cursor);
        assert_string_equal(ask(f, query), cases[i].answer);
    }
    f->caller = (kappa_caller_t){ 0 };
}

/* A rule's equality with auth is looked up, not looked for: the second mail
 * is forty rows away. */
static void
narrows_by_the_row_rule(void **state)
{
    static const case_t cases[] = {
        { "p", NULL, "{mails(first:2 orderBy:AT){id}}",
            "{\"data\":{\"mails\":[{\"id\":\"m20\"}]}}" },
        { "nobody", NULL, "{mails(orderBy:AT){id}}",
            "{\"data\":{\"mails\":[]}}" },
        { NULL, NULL, "{mails(first:2 orderBy:AT){id}}",
            "{\"data\":{\"mails\":[{\"id\":\"m00\"}]}}" },
    };
    read_fixture_t *f = *state;
    kappa_dependencies_t deps = { .arena = f->arena };

    run(f, cases, COUNT(cases));
    f->deps = &deps;
    f->caller = (kappa_caller_t){ .sub = KAPPA_STR("p") };
    ask(f, "{mails(first:2 orderBy:AT){id}}");
    f->caller = (kappa_caller_t){ 0 };
    f->deps = NULL;
    assert_int_equal(deps.count, 1);
    assert_non_null(
        memchr(deps.items[0].low.data, 'p', deps.items[0].low.len));
}

static void
makes_rows_of_events(void **state)
{
    read_fixture_t *f = *state;
    const kappa_view_t *pair = kappa_model_view(f->model, KAPPA_STR("Pair"));
    static const struct {
        const char *row;
        kappa_status_t status;
    } cases[] = {
        { "{\"a\":\"x\",\"b\":1,\"v\":2,\"more\":[]}", KAPPA_OK },
        { "{\"a\":\"x\",\"b\":1,\"v\":\"of another type\"}", KAPPA_OK },
        { "{\"a\":\"x\"}", KAPPA_CORRUPT },
        { "{\"a\":1,\"b\":1}", KAPPA_CORRUPT },
        { "[]", KAPPA_CORRUPT },
        { "{", KAPPA_CORRUPT },
    };
    kappa_event_t event = { 0 };
    kappa_row_t row;

    assert_int_equal(
        kappa_read_event_row(&event, pair, f->arena, &row), KAPPA_NOT_FOUND);
    for (size_t i = 0; i < COUNT(cases); i++) {
        event.row = kappa_str_c(cases[i].row);
        assert_int_equal(kappa_read_event_row(&event, pair, f->arena, &row),
            cases[i].status);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_rows_by_key),
        cmocka_unit_test(fills_stamped_arguments),
        cmocka_unit_test(compares_claims_as_json),
        cmocka_unit_test(computes_when_read),
        cmocka_unit_test(asks_who_is_allowed),
        cmocka_unit_test(hides_rows_of_lists),
        cmocka_unit_test(goes_on_behind_hidden_rows),
        cmocka_unit_test(tells_of_pages_that_are_seen),
        cmocka_unit_test(narrows_by_the_row_rule),
        cmocka_unit_test(makes_rows_of_events),
    };

    return cmocka_run_group_tests(tests, set_up, read_fixture_tear_down);
}
