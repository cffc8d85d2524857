#include "graphql/execute.h"

#include "t/unit/alloc_failing.h"
#include "t/unit/graphql_run.h"
#include "t/unit/test.h"

typedef struct {
    const char *text;
    const char *variables;
    const char *expected;
} case_t;

static const case_t shapes[] = {
    /* rows, lists, columns */
    { "{ section(name: \"x\") { id name } }", NULL,
        "{\"data\":{\"section\":{\"id\":\"s1\",\"name\":\"admin\"}}}" },
    { "{ nothing { id } }", NULL, "{\"data\":{\"nothing\":null}}" },
    { "{ sections(first: 2) { id packages { size } } }", NULL,
        "{\"data\":{\"sections\":[{\"id\":\"s1\",\"packages\":[]},"
        "{\"id\":\"s2\",\"packages\":[{\"size\":3}]}]}}" },
    { "{ a: section { b: id c: id parent { id } } d: nothing { id } }", NULL,
        "{\"data\":{\"a\":{\"b\":\"s1\",\"c\":\"s1\",\"parent\":null},"
        "\"d\":null}}" },
    { "{ __typename section { __typename t: __typename } }", NULL,
        "{\"data\":{\"__typename\":\"Query\",\"section\":{"
        "\"__typename\":\"Section\",\"t\":\"Section\"}}}" },
    { "{ section { packages(first: 1) { tags color computed } } }", NULL,
        "{\"data\":{\"section\":{\"packages\":[{\"tags\":[\"a\",\"b\"],"
        "\"color\":\"RED\",\"computed\":1.5}]}}}" },
    { "{ aNameThatIsLongerThanThirtyTwoBytesInTheAnswer: section {"
      " anotherNameThatIsLongerThanThirtyTwoBytes: id"
      " andYetAnotherNameOfMoreThanThirtyTwoBytes: name } }",
        NULL,
        "{\"data\":{\"aNameThatIsLongerThanThirtyTwoBytesInTheAnswer\":{"
        "\"anotherNameThatIsLongerThanThirtyTwoBytes\":\"s1\","
        "\"andYetAnotherNameOfMoreThanThirtyTwoBytes\":\"admin\"}}}" },
    /* more columns than are copied in one go, and what follows them */
    { "{ section { a0: id a1: id a2: id a3: id a4: id a5: id a6: "
      "id a7: id a8: id a9: id a10: id a11: id a12: id a13: id a1"
      "4: id a15: id a16: id a17: id __typename b: name } }",
        NULL,
        "{\"data\":{\"section\":{\"a0\":\"s1\",\"a1\":\"s1\",\"a2\""
        ":\"s1\",\"a3\":\"s1\",\"a4\":\"s1\",\"a5\":\"s1\",\"a6\":\""
        "s1\",\"a7\":\"s1\",\"a8\":\"s1\",\"a9\":\"s1\",\"a10\":\"s"
        "1\",\"a11\":\"s1\",\"a12\":\"s1\",\"a13\":\"s1\",\"a14\":\""
        "s1\",\"a15\":\"s1\",\"a16\":\"s1\",\"a17\":\"s1\",\"__type"
        "name\":\"Section\",\"b\":\"admin\"}}}" },
    /* connections */
    { "{ connection { edges { cursor node { id } } nodes { name }"
      " pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
      " totalCount __typename } }",
        NULL,
        "{\"data\":{\"connection\":{\"edges\":["
        "{\"cursor\":\"c0\",\"node\":{\"id\":\"p1\"}},"
        "{\"cursor\":\"c1\",\"node\":{\"id\":\"p2\"}}],"
        "\"nodes\":[{\"name\":\"apt\"},{\"name\":\"bash\"}],"
        "\"pageInfo\":{\"hasNextPage\":true,\"hasPreviousPage\":false,"
        "\"startCursor\":\"c0\",\"endCursor\":\"c1\"},"
        "\"totalCount\":3,\"__typename\":\"PackageConnection\"}}}" },
    { "{ emptyConnection { edges { cursor } nodes { id } totalCount"
      " pageInfo { hasNextPage startCursor endCursor } } }",
        NULL,
        "{\"data\":{\"emptyConnection\":{\"edges\":[],\"nodes\":[],"
        "\"totalCount\":0,\"pageInfo\":{\"hasNextPage\":false,"
        "\"startCursor\":null,\"endCursor\":null}}}}" },
    /* stored JSON that is selected in */
    { "{ section { packages(first: 1) { address { zip street geo { lat } "
      "lines } addresses { zip geo { lon } } grid { street }"
      " thing { __typename ... on Geo { lat } ... on Address { zip } } } } }",
        NULL,
        "{\"data\":{\"section\":{\"packages\":[{\"address\":{\"zip\":1,"
        "\"street\":\"Main\",\"geo\":{\"lat\":1.5},"
        "\"lines\":[\"x\",null]},\"addresses\":[{\"zip\":2,\"geo\":null},"
        "{\"zip\":3,\"geo\":{\"lon\":-1}}],"
        "\"grid\":[[{\"street\":\"g\"},null],null,[]],"
        "\"thing\":{\"__typename\":\"Geo\",\"lat\":3}}]}}}" },
    /* mutations, one after another */
    { "mutation { a: rename(name: \"x\") { name }"
      " retire { package { name } position duplicate event }"
      " retireNothing { package { name } position } }",
        NULL,
        "{\"data\":{\"a\":{\"name\":\"renamed\"},\"retire\":{"
        "\"package\":{\"name\":\"retired\"},\"position\":\"epoch-1\","
        "\"duplicate\":false,\"event\":\"retire\"},"
        "\"retireNothing\":{\"package\":null,\"position\":\"epoch-1\"}}}" },
    { "subscription { section { name } }", NULL,
        "{\"data\":{\"section\":{\"name\":\"admin\"}}}" },
    { "subscription { changed { name } }", NULL,
        "{\"data\":{\"changed\":{\"name\":\"changed\"}}}" },
};

static const case_t fragments[] = {
    { "{ ...F } fragment F on Query { section { ...G name } }"
      " fragment G on Section { id }",
        NULL, "{\"data\":{\"section\":{\"id\":\"s1\",\"name\":\"admin\"}}}" },
    { "{ search { ... on Section { name } ... on Package { version name }"
      " ... on Node { id } ... on Person { age } } }",
        NULL,
        "{\"data\":{\"search\":[{\"name\":\"admin\",\"id\":\"s1\"},"
        "{\"version\":\"2\",\"name\":\"apt\",\"id\":\"p1\"},null,"
        "{\"id\":\"u1\",\"age\":42}]}}" },
    { "{ node { __typename id ... on Named { name } ... on Person { age } } }",
        NULL,
        "{\"data\":{\"node\":{\"__typename\":\"Person\",\"id\":\"u1\","
        "\"age\":42}}}" },
    { "{ nodes { ...N ... on Section { packages { ...N } }"
      " ... on Package { section { ...N } } } }"
      " fragment N on Named { id name }",
        NULL,
        "{\"data\":{\"nodes\":[{\"id\":\"s1\",\"name\":\"admin\","
        "\"packages\":[{\"id\":\"p9\",\"name\":\"nine\"}]},"
        "{\"id\":\"p1\",\"name\":\"apt\",\"section\":{\"id\":\"s1\","
        "\"name\":\"admin\"}}]}}" },
    { "{ section { id } section { name } ... { section { packages(first: 1)"
      " { id } } } ... on Query { section { packages(first: 1) { name } } } }",
        NULL,
        "{\"data\":{\"section\":{\"id\":\"s1\",\"name\":\"admin\","
        "\"packages\":[{\"id\":\"p1\",\"name\":\"apt\"}]}}}" },
};

static const case_t conditions[] = {
    { "{ section { id @skip(if: true) name @include(if: false) } }", NULL,
        "{\"data\":{\"section\":{}}}" },
    { "query($a: Boolean!) { section { id @skip(if: $a)"
      " name @include(if: $a) } }",
        "{\"a\":true}", "{\"data\":{\"section\":{\"name\":\"admin\"}}}" },
    { "query($a: Boolean!) { section { id @skip(if: $a)"
      " name @include(if: $a) } }",
        "{\"a\":false}", "{\"data\":{\"section\":{\"id\":\"s1\"}}}" },
    { "query($a: Boolean = true) { section @include(if: $a) { id } }", NULL,
        "{\"data\":{\"section\":{\"id\":\"s1\"}}}" },
    { "query($a: Boolean!, $b: Boolean!) { section @include(if: $a) { id }"
      " section @include(if: $b) { name } }",
        "{\"a\":true,\"b\":false}",
        "{\"data\":{\"section\":{\"id\":\"s1\"}}}" },
    { "query($a: Boolean!, $b: Boolean!) { section @include(if: $a) { id }"
      " section @include(if: $b) { name } }",
        "{\"a\":false,\"b\":true}",
        "{\"data\":{\"section\":{\"name\":\"admin\"}}}" },
    { "query($a: Boolean!, $b: Boolean!) { section @include(if: $a) { id }"
      " section @include(if: $b) { name } }",
        "{\"a\":true,\"b\":true}",
        "{\"data\":{\"section\":{\"id\":\"s1\",\"name\":\"admin\"}}}" },
    { "query($a: Boolean!, $b: Boolean!) { section @include(if: $a) { id }"
      " section @include(if: $b) { name } }",
        "{\"a\":false,\"b\":false}", "{\"data\":{}}" },
    /* the place of a field is that of the first that is included */
    { "query($a: Boolean!) { section { id @include(if: $a) name id } }",
        "{\"a\":true}",
        "{\"data\":{\"section\":{\"id\":\"s1\",\"name\":\"admin\"}}}" },
    { "query($a: Boolean!) { section { id @include(if: $a) name id } }",
        "{\"a\":false}",
        "{\"data\":{\"section\":{\"name\":\"admin\",\"id\":\"s1\"}}}" },
    { "query($a: Boolean!, $b: Boolean!) { section { id } ...F"
      " @include(if: $a) ...F @skip(if: $b) }"
      " fragment F on Query { section { name } }",
        "{\"a\":false,\"b\":false}",
        "{\"data\":{\"section\":{\"id\":\"s1\",\"name\":\"admin\"}}}" },
    { "query($a: Boolean!) { section { ... @include(if: $a) { id } ..."
      " @skip(if: $a) { id } ... @include(if: $a) { name @skip(if: $a) } } }",
        "{\"a\":true}", "{\"data\":{\"section\":{\"id\":\"s1\"}}}" },
    { "query($t: Boolean!) { connection { totalCount @include(if: $t) } }",
        "{\"t\":true}", "{\"data\":{\"connection\":{\"totalCount\":3}}}" },
};

/* An error of a field, as the answer shows it. */
#define ERROR(message, line, column, path, code)                              \
    "{\"message\":\"" message "\",\"locations\":[{\"line\":" line             \
    ",\"column\":" column "}],\"path\":[" path                                \
    "],\"extensions\":{\"code\":\"" code "\"}}"
#define NON_NULL(field, line, column, path)                                   \
    ERROR("Cannot return null for non-nullable field " field ".", line,       \
        column, path, "INTERNAL")

static const case_t nulls[] = {
    { "{ neverNothing { id } }", NULL,
        "{\"data\":null,\"errors\":[" NON_NULL(
            "Query.neverNothing", "1", "3", "\"neverNothing\"") "]}" },
    { "{ section { packages { broken } } nothing { id } }", NULL,
        "{\"data\":{\"section\":null,\"nothing\":null},\"errors\":[" NON_NULL(
            "Package.broken", "1", "24",
            "\"section\",\"packages\",1,\"broken\"") "]}" },
    { "{ section { maybe { b: broken } } }", NULL,
        "{\"data\":{\"section\":{\"maybe\":[{\"b\":\"b\"},null,null]}},"
        "\"errors\":[" NON_NULL("Package.broken", "1", "21",
            "\"section\",\"maybe\",2,\"b\"") "]}" },
    { "{ section {\n  largest { id\n    broken } name } }", NULL,
        "{\"data\":{\"section\":{\"largest\":null,\"name\":\"admin\"}},"
        "\"errors\":[" NON_NULL("Package.broken", "3", "5",
            "\"section\",\"largest\",\"broken\"") "]}" },
    { "{ maybeSections { name id } }", NULL,
        "{\"data\":{\"maybeSections\":[{\"name\":\"admin\",\"id\":\"s1\"},"
        "null,null,{\"name\":\"last\",\"id\":\"s4\"}]},\"errors\":[" NON_NULL(
            "Section.id", "1", "24", "\"maybeSections\",2,\"id\"") "]}" },
    { "{ badSections { id } }", NULL,
        "{\"data\":{\"badSections\":null},\"errors\":[" NON_NULL(
            "Section.id", "1", "17", "\"badSections\",1,\"id\"") "]}" },
    { "{ connection { edges { node { broken } } nodes { broken } } }", NULL,
        "{\"data\":{\"connection\":{\"edges\":null,\"nodes\":null}},"
        "\"errors\":[" NON_NULL("Package.broken", "1", "31",
            "\"connection\",\"edges\",1,\"node\",\"broken\"") "," NON_NULL("Pa"
                                                                           "ck"
                                                                           "ag"
                                                                           "e."
                                                                           "br"
                                                                           "ok"
                                                                           "e"
                                                                           "n",
            "1", "50", "\"connection\",\"nodes\",1,\"broken\"") "]}" },
    { "{ section { packages { address { zip } addresses { zip }"
      " grid { zip } } } }",
        NULL,
        "{\"data\":{\"section\":{\"packages\":["
        "{\"address\":{\"zip\":1},\"addresses\":[{\"zip\":2},{\"zip\":3}],"
        "\"grid\":[[{\"zip\":4},null],null,[]]},"
        "{\"address\":null,\"addresses\":null,\"grid\":[[null]]}]}},"
        "\"errors\":[" NON_NULL("Address.zip", "1", "34",
            "\"section\",\"packages\",1,\"address\",\"zip\"") "," NON_NULL("Ad"
                                                                           "dr"
                                                                           "es"
                                                                           "s."
                                                                           "zi"
                                                                           "p",
            "1", "52",
            "\"section\",\"packages\",1,\"addresses\",1,\"zip\"") "," NON_NULL("Address.zip",
            "1", "65",
            "\"section\",\"packages\",1,\"grid\",0,0,\"zip\"") "]}" },
    /* errors of the source */
    { "{ fails { id } f: failsList { id } section { id } }", NULL,
        "{\"data\":{\"fails\":null,\"f\":null,\"section\":{\"id\":\"s1\"}},"
        "\"errors\":[" ERROR("it \\\"failed\\\"", "1", "3", "\"fails\"",
            "NOT_FOUND") "," ERROR("no list", "1", "16", "\"f\"",
            "LIMIT_EXCEEDED") "]}" },
    { "{ forbidden { id } section { packages(first: 1) { secret } } }", NULL,
        "{\"data\":{\"forbidden\":null,\"section\":{\"packages\":["
        "{\"secret\":null}]}},\"errors\":[" ERROR(
            "You may not see Query.forbidden.", "1", "3", "\"forbidden\"",
            "FORBIDDEN") "," ERROR("You may not see Package.secret.", "1",
            "51", "\"section\",\"packages\",0,\"secret\"", "FORBIDDEN") "]}" },
    { "mutation { refuse { id } rename(name: \"a\") { id } }", NULL,
        "{\"data\":{\"refuse\":null,\"rename\":{\"id\":\"p1\"}},"
        "\"errors\":[" ERROR(
            "refused", "1", "12", "\"refuse\"", "CHECK_FAILED") "]}" },
    { "mutation { renameAll(name: \"a\") { broken } rename(name: \"a\")"
      " { id } }",
        NULL,
        "{\"data\":null,\"errors\":[" NON_NULL(
            "Package.broken", "1", "35", "\"renameAll\",\"broken\"") "]}" },
    /* a merged field has all its places */
    { "{ fails { id } fails { name } }", NULL,
        "{\"data\":{\"fails\":null},\"errors\":[{\"message\":"
        "\"it \\\"failed\\\"\",\"locations\":[{\"line\":1,\"column\":3},"
        "{\"line\":1,\"column\":16}],\"path\":[\"fails\"],"
        "\"extensions\":{\"code\":\"NOT_FOUND\"}}]}" },
};

static const case_t arguments[] = {
    { "{ echo }", NULL,
        "{\"data\":{\"echo\":{\"string\":\"default\",\"color\":\"RED\","
        "\"required\":7}}}" },
    { "{ echo(int: -5, float: 2, string: null, boolean: true, id: 7,"
      " color: BLUE, ints: 1, matrix: [1, null, [2, null]], json: {a: [1,"
      " 2.5, X, \"s\", true, null]}, required: 1) }",
        NULL,
        "{\"data\":{\"echo\":{\"int\":-5,\"float\":2,\"string\":null,"
        "\"boolean\":true,\"id\":\"7\",\"color\":\"BLUE\",\"ints\":[1],"
        "\"matrix\":[[1],null,[2,null]],\"json\":{\"a\":[1,2.5,\"X\",\"s\","
        "true,null]},\"required\":1}}}" },
    { "query($i: Int, $s: String, $f: [Int!]) { echo(int: $i, string: $s,"
      " ints: $f) }",
        "{\"i\":3,\"f\":4}",
        "{\"data\":{\"echo\":{\"int\":3,\"string\":\"default\","
        "\"color\":\"RED\",\"ints\":[4],\"required\":7}}}" },
    { "query($i: Int, $n: String, $w: Filter, $c: Color!, $j: JSON) {"
      " echo(ints: [1, 2], matrix: [[$i], [$i, 2]], filter: {name: $n,"
      " colors: [$c], within: $w}, json: {x: $j, y: [$j], z: $i}) }",
        "{\"c\":\"GREEN\",\"w\":{\"limit\":1}}",
        "{\"data\":{\"echo\":{\"string\":\"default\",\"color\":\"RED\","
        "\"ints\":[1,2],\"matrix\":[[null],[null,2]],\"filter\":{"
        "\"colors\":[\"GREEN\"],\"limit\":10,\"within\":{\"colors\":["
        "\"RED\",\"BLUE\"],\"limit\":1}},\"json\":{\"y\":[null]},"
        "\"required\":7}}}" },
    { "query($a: Int) { echo(choice: {a: 1}) second: echo(choice: {b: \"x\"},"
      " int: $a) }",
        "{}",
        "{\"data\":{\"echo\":{\"string\":\"default\",\"color\":\"RED\","
        "\"choice\":{\"a\":1},\"required\":7},\"second\":{"
        "\"string\":\"default\",\"color\":\"RED\",\"choice\":{\"b\":\"x\"},"
        "\"required\":7}}}" },
    { "query($r: Int = 3) { echo(required: $r) }", "{\"r\":null}",
        "{\"data\":{\"echo\":null},\"errors\":[" ERROR(
            "Argument \\\"required\\\" of non-null type \\\"Int!\\\" must not"
            " be null, as variable \\\"$r\\\" is.",
            "1", "37", "\"echo\"", "BAD_USER_INPUT") "]}" },
    { "query($r: Int) { echo(required: $r) }", NULL,
        "{\"data\":{\"echo\":{\"string\":\"default\",\"color\":\"RED\","
        "\"required\":7}}}" },
};

static kappa_fake_t fake;
static kappa_arena_t *fake_arena;

static int
set_up(void **state)
{
    kappa_errors_t errors;
    kappa_str_t sdl, json;

    (void)state;
    fake_arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_init(&errors, fake_arena, 0);
    sdl = kappa_fake_read(fake_arena, "t/fixtures/execute/schema.graphql");
    json = kappa_fake_read(fake_arena, "t/fixtures/execute/data.json");
    assert_non_null(sdl.data);
    assert_non_null(json.data);
    kappa_status_t status =
        kappa_fake_init(&fake, fake_arena, sdl, json, &errors);
    if (errors.first != NULL) {
        fail_msg("%s", errors.first->message.data);
    }
    assert_int_equal(status, KAPPA_OK);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    kappa_arena_destroy(fake_arena);
    return 0;
}

static kappa_fake_request_t
request_of(const case_t *c)
{
    return (kappa_fake_request_t){ .text = kappa_str_c(c->text),
        .variables = kappa_str_c(c->variables) };
}

static void
check_all(const case_t *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kappa_fake_request_t request = request_of(&cases[i]);
        kappa_buf_t out;

        kappa_buf_init(&out, &kappa_alloc_libc);
        kappa_fake_run(&fake, &kappa_alloc_libc, &request, &out);
        if (!kappa_str_eq_c(kappa_buf_view(&out), cases[i].expected)) {
            fail_msg("%s\n%.*s\n is not\n%s", cases[i].text,
                KAPPA_STR_ARG(kappa_buf_view(&out)), cases[i].expected);
        }
        kappa_buf_release(&out);
    }
}

static void
writes_every_shape(void **state)
{
    (void)state;
    check_all(shapes, COUNT(shapes));
}

static void
resolves_fragments(void **state)
{
    (void)state;
    check_all(fragments, COUNT(fragments));
}

static void
obeys_conditions(void **state)
{
    (void)state;
    check_all(conditions, COUNT(conditions));
}

static void
propagates_nulls(void **state)
{
    (void)state;
    check_all(nulls, COUNT(nulls));
}

static void
passes_arguments(void **state)
{
    (void)state;
    check_all(arguments, COUNT(arguments));
}

static void
writes_a_given_row(void **state)
{
    kappa_row_t row =
        kappa_fake_row(&fake, KAPPA_OPERATION_SUBSCRIPTION, "changed");
    kappa_row_t none = { 0 };
    kappa_fake_request_t request = {
        .text = KAPPA_STR("subscription { c: changed { id name } }"),
        .row = &row
    };
    kappa_buf_t out;

    (void)state;
    kappa_buf_init(&out, &kappa_alloc_libc);
    assert_int_equal(
        kappa_fake_run(&fake, &kappa_alloc_libc, &request, &out), KAPPA_OK);
    assert_str_equal(kappa_buf_view(&out),
        "{\"data\":{\"c\":{\"id\":\"p1\",\"name\":\"changed\"}}}");
    kappa_buf_reset(&out);
    request.row = &none;
    assert_int_equal(
        kappa_fake_run(&fake, &kappa_alloc_libc, &request, &out), KAPPA_OK);
    assert_str_equal(kappa_buf_view(&out),
        "{\"data\":null,\"errors\":[" NON_NULL(
            "Subscription.changed", "1", "16", "\"c\"") "]}");
    kappa_buf_release(&out);
}

static void
keeps_a_hundred_errors(void **state)
{
    kappa_fake_request_t request = { 0 };
    kappa_buf_t text, out;
    uint32_t found = 0;

    (void)state;
    kappa_buf_init(&text, &kappa_alloc_libc);
    kappa_buf_init(&out, &kappa_alloc_libc);
    KAPPA_BUF_LIT(&text, "{");
    for (int i = 0; i < 150; i++) {
        kappa_buf_printf(&text, " a%d: fails { id }", i);
    }
    KAPPA_BUF_LIT(&text, "}");
    request.text = kappa_buf_view(&text);
    assert_int_equal(
        kappa_fake_run(&fake, &kappa_alloc_libc, &request, &out), KAPPA_OK);
    kappa_buf_char(&out, '\0');
    for (const char *p = out.data; (p = strstr(p, "NOT_FOUND")); p++) {
        found++;
    }
    assert_int_equal(found, 100);
    kappa_buf_release(&text);
    kappa_buf_release(&out);
}

/* A source that gives long lists and long values. */
static kappa_status_t
list_much(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, bool want_total,
    kappa_arena_t *arena, kappa_page_t *page, kappa_errors_t *errors)
{
    (void)data;
    (void)field;
    (void)parent;
    (void)args;
    (void)want_total;
    (void)errors;
    page->count = 60000;
    page->rows = KAPPA_NEW_ARRAY(arena, kappa_row_t, page->count);
    return page->rows ? KAPPA_OK : KAPPA_NOMEM;
}

static kappa_status_t
value_much(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, kappa_arena_t *arena,
    kappa_str_t *json, kappa_errors_t *errors)
{
    size_t len = 20 * 1024 * 1024;
    char *bytes = kappa_arena_bytes(arena, len);

    (void)data;
    (void)field;
    (void)parent;
    (void)args;
    (void)errors;
    if (bytes == NULL) {
        return KAPPA_NOMEM;
    }
    memset(bytes, '1', len);
    *json = kappa_str(bytes, len);
    return KAPPA_OK;
}

/* Aliases and lists multiply: such an answer is cut short. */
static void
refuses_too_much(void **state)
{
    static const struct {
        const char *text;
        bool too_much;
    } tries[] = {
        { "{ a: maybeSections { id } }", false },
        { "{ a: maybeSections { id } b: maybeSections { id } }", true },
        { "{ a: echo }", false },
        { "{ a: echo b: echo }", true },
    };
    kappa_data_ops_t ops = *fake.data.ops;
    const kappa_data_ops_t *usual = fake.data.ops;

    (void)state;
    ops.list = list_much;
    ops.value = value_much;
    fake.data.ops = &ops;
    for (size_t i = 0; i < COUNT(tries); i++) {
        kappa_fake_request_t request = { .text = kappa_str_c(tries[i].text) };
        kappa_buf_t out;

        kappa_buf_init(&out, &kappa_alloc_libc);
        assert_int_equal(
            kappa_fake_run(&fake, &kappa_alloc_libc, &request, &out),
            KAPPA_OK);
        if (tries[i].too_much) {
            assert_str_equal(kappa_buf_view(&out),
                "{\"data\":null,\"errors\":[{\"message\":\"The answer takes "
                "too many rows or bytes. Ask for less at once.\","
                "\"extensions\":{\"code\":\"LIMIT_EXCEEDED\"}}]}");
        } else {
            assert_true(out.len > 200000);
        }
        kappa_buf_release(&out);
    }
    fake.data.ops = usual;
}

static void
ends_an_answer(void **state)
{
    kappa_buf_t out;

    (void)state;
    kappa_buf_init(&out, &kappa_alloc_libc);
    KAPPA_BUF_LIT(&out, "{\"data\":null");
    kappa_response_end(&out, KAPPA_STR("\"kappa\":{\"position\":\"e-1\"}"));
    assert_str_equal(kappa_buf_view(&out),
        "{\"data\":null,\"extensions\":{\"kappa\":{\"position\":\"e-1\"}}}");
    kappa_buf_release(&out);
}

static kappa_status_t
run_one(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_fake_request_t request = request_of(ctx);
    kappa_buf_t out;
    kappa_status_t status;

    kappa_buf_init(&out, alloc);
    status = kappa_fake_run(&fake, alloc, &request, &out);
    kappa_buf_release(&out);
    return status;
}

static void
survives_without_memory(void **state)
{
    static const struct {
        const case_t *cases;
        size_t count;
    } tables[] = { { shapes, COUNT(shapes) }, { fragments, COUNT(fragments) },
        { conditions, COUNT(conditions) }, { nulls, COUNT(nulls) },
        { arguments, COUNT(arguments) } };

    (void)state;
    for (size_t t = 0; t < COUNT(tables); t++) {
        for (size_t i = 0; i < tables[t].count; i++) {
            kappa_alloc_failing_each(run_one, (void *)&tables[t].cases[i]);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_every_shape),
        cmocka_unit_test(resolves_fragments),
        cmocka_unit_test(obeys_conditions),
        cmocka_unit_test(propagates_nulls),
        cmocka_unit_test(passes_arguments),
        cmocka_unit_test(writes_a_given_row),
        cmocka_unit_test(keeps_a_hundred_errors),
        cmocka_unit_test(refuses_too_much),
        cmocka_unit_test(ends_an_answer),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests_name("execute", tests, set_up, tear_down);
}
