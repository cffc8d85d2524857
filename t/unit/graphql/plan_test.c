#include "graphql/plan.h"

#include "base/json.h"
#include "graphql/parser.h"
#include "graphql/validate.h"
#include "t/unit/graphql_run.h"
#include "t/unit/test.h"

static kappa_fake_t fake;
static kappa_arena_t *arena;
static kappa_errors_t errors;

static int
set_up(void **state)
{
    kappa_str_t sdl, json;

    (void)state;
    arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_init(&errors, arena, 0);
    sdl = kappa_fake_read(arena, "t/fixtures/execute/schema.graphql");
    json = kappa_fake_read(arena, "t/fixtures/execute/data.json");
    assert_int_equal(
        kappa_fake_init(&fake, arena, sdl, json, &errors), KAPPA_OK);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    kappa_arena_destroy(arena);
    return 0;
}

/* Without validation: planning is to be bounded by itself. */
static kappa_status_t
plan_text(kappa_str_t text, const char *name, kappa_plan_t **plan)
{
    kappa_source_t *source = KAPPA_NEW(arena, kappa_source_t);
    kappa_document_t *document;

    *plan = NULL;
    *source = (kappa_source_t){ KAPPA_STR("GraphQL request"), text };
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(
        kappa_parse(arena, source, NULL, &document, &errors), KAPPA_OK);
    return kappa_plan_create(&kappa_alloc_libc, fake.schema, document,
        kappa_str_c(name), plan, &errors);
}

static const struct {
    const char *text;
    const char *name;
    const char *expected; /* message, or NULL: the operation's name */
    const char *found;
} operations[] = {
    { "{ nothing { id } }", NULL, NULL, "" },
    { "query A { nothing { id } } query B { __typename }", "B", NULL, "B" },
    { "query A { nothing { id } } query B { __typename }", NULL,
        "Must provide operation name if query contains multiple operations.",
        NULL },
    { "query A { nothing { id } }", "C", "Unknown operation named \"C\".",
        NULL },
    { "fragment F on Query { __typename }", NULL, "Must provide an operation.",
        NULL },
};

static void
chooses_the_operation(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(operations); i++) {
        kappa_plan_t *plan;
        kappa_status_t status = plan_text(
            kappa_str_c(operations[i].text), operations[i].name, &plan);

        if (operations[i].expected != NULL) {
            assert_int_equal(status, KAPPA_INVALID);
            assert_str_equal(errors.first->message, operations[i].expected);
            assert_string_equal(errors.first->code, "BAD_USER_INPUT");
            continue;
        }
        assert_int_equal(status, KAPPA_OK);
        assert_str_equal(kappa_plan_operation_name(plan), operations[i].found);
        kappa_plan_release(plan);
    }
}

/* Documents that cost far more than their size when taken literally. */
static kappa_str_t
bomb(const char *start, const char *format, int count, const char *end)
{
    kappa_buf_t buf;
    kappa_str_t text;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_buf_printf(&buf, "%s", start);
    for (int i = 0; i < count; i++) {
        kappa_buf_printf(&buf, "%s", " ");
        for (const char *p = format; *p != '\0'; p++) {
            if (*p == '#') {
                kappa_buf_int64(&buf, i);
            } else if (*p == '+') {
                kappa_buf_int64(&buf, i + 1);
            } else {
                kappa_buf_char(&buf, *p);
            }
        }
    }
    kappa_buf_printf(&buf, "%s", end);
    text = kappa_str_dup(arena, kappa_buf_view(&buf));
    kappa_buf_release(&buf);
    return text;
}

static void
refuses_what_blows_up(void **state)
{
    /* clang-format off */
    const struct {
        kappa_str_t text;
        kappa_status_t expected;
    } cases[] = {
        /* each fragment spreads the next twice: fields within fields */
        { bomb("{ section { ...F0 } }",
            "fragment F# on Section { a: parent { ...F+ } b: parent"
            " { ...F+ } }", 30, " fragment F30 on Section { id }"),
            KAPPA_LIMIT },
        /* the same in one set: costs nothing */
        { bomb("{ section { ...F0 } }",
            "fragment F# on Section { ...F+ ...F+ ... { ...F+ } }", 400,
            " fragment F400 on Section { id }"), KAPPA_OK },
        /* fragments nested past what the stack is for */
        { bomb("{ section { ...F0 } }",
            "fragment F# on Section { ...F+ }", 5000,
            " fragment F5000 on Section { id }"), KAPPA_LIMIT },
        /* spreads under ever more conditions */
        { bomb("query($a: Boolean!, $b: Boolean!, $c: Boolean!,"
               " $d: Boolean!, $e: Boolean!, $f: Boolean!, $g: Boolean!,"
               " $h: Boolean!, $i: Boolean!, $j: Boolean!, $k: Boolean!) {"
               " section { ...F0 } }",
            "fragment F# on Section { ...F+ @include(if: $a)"
            " ...F+ @include(if: $b) ...F+ @include(if: $c)"
            " ...F+ @skip(if: $d) ...F+ @include(if: $e)"
            " ...F+ @include(if: $f) ...F+ @include(if: $g)"
            " ...F+ @skip(if: $h) ...F+ @include(if: $i)"
            " ...F+ @skip(if: $j) ...F+ @skip(if: $k) }", 60,
            " fragment F60 on Section { id }"), KAPPA_LIMIT },
        /* more fields than there may be, and as many as there may be */
        { bomb("{", "a#: __typename", 10001, "}"), KAPPA_LIMIT },
        { bomb("{", "a#: __typename", 10000, "}"), KAPPA_OK },
        /* the same field again and again */
        { bomb("{", "section { id }", 30000, "}"), KAPPA_OK },
        { bomb("query($a: Boolean!, $b: Boolean!) {",
            "section @include(if: $a) { id } section @skip(if: $b) { id }",
            3000, "}"), KAPPA_OK },
        /* deep */
        { bomb("{ section {", "parent {", 98, " id") , KAPPA_OK },
        { bomb("{ section {", "parent {", 99, " id") , KAPPA_LIMIT },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_str_t text = cases[i].text;
        kappa_plan_t *plan;
        kappa_status_t status;

        if (i >= COUNT(cases) - 2) {
            kappa_buf_t buf;
            int open = i == COUNT(cases) - 2 ? 100 : 101;

            kappa_buf_init(&buf, &kappa_alloc_libc);
            kappa_buf_str(&buf, text);
            while (open-- > 0) {
                kappa_buf_char(&buf, '}');
            }
            text = kappa_str_dup(arena, kappa_buf_view(&buf));
            kappa_buf_release(&buf);
        }
        status = plan_text(text, NULL, &plan);
        if (status != cases[i].expected) {
            fail_msg("case %zu: status %d", i, status);
        }
        if (status == KAPPA_LIMIT) {
            assert_string_equal(errors.first->code, "LIMIT_EXCEEDED");
        } else {
            assert_true(kappa_plan_bytes(plan) < 4 * 1024 * 1024);
        }
        kappa_plan_release(plan);
    }
}

/* What is not valid is refused, not followed. */
static void
survives_invalid_documents(void **state)
{
    static const char *const texts[] = { "{ unknown }", "{ section { ...F } }",
        "{ section @include(if: $x) { id } }", "{ section }",
        "{ section { id { x } } }", "{ echo(int: $x) }",
        "query($x: Unknown) { nothing { id } }",
        "query($x: Section) { nothing { id } }",
        "query($x: Int = \"a\") { nothing { id } }", "{ echo(int: \"a\") }",
        "{ section(name: {a: 1}) { id } }" };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        kappa_plan_t *plan;
        kappa_status_t status = plan_text(kappa_str_c(texts[i]), NULL, &plan);

        if (status == KAPPA_INVALID) {
            assert_true(errors.count > 0);
        }
        kappa_plan_release(plan);
    }
}

static const struct {
    const char *declared;
    const char *json;     /* NULL: none given */
    const char *expected; /* the values as JSON, or the messages */
} variables[] = {
    { "$a: Int", NULL, "[null]" },
    { "$a: Int = 5, $b: String", "{\"b\":\"x\",\"c\":1}", "[5,\"x\"]" },
    { "$a: Int!", "{\"a\":1}", "[1]" },
    { "$a: Int! = 2", "{}", "[2]" },
    { "$a: Int!", "{}",
        "Variable \"$a\" of required type \"Int!\" was not provided." },
    { "$a: Int!", "{\"a\":null}",
        "Variable \"$a\" of non-null type \"Int!\" must not be null." },
    { "$a: Int, $b: [Int!]", "{\"a\":\"x\",\"b\":[1,null]}",
        "Variable \"$a\" got invalid value \"x\"; Int cannot represent "
        "non-integer value: \"x\"|Variable \"$b\" got invalid value null at "
        "\"b[1]\"; Expected non-nullable type \"Int!\" not to be null." },
    { "$f: Filter", "{\"f\":{\"nme\":\"x\"}}",
        "Variable \"$f\" got invalid value { nme }; Field \"nme\" is not "
        "defined by type \"Filter\". Did you mean \"name\"?" },
    { "$f: Filter", "{\"f\":{\"within\":{\"colors\":[\"RAD\"]}}}",
        "Variable \"$f\" got invalid value \"RAD\" at "
        "\"f.within.colors[0]\"; The value does not exist in enum \"Color\". "
        "Did you mean the enum value \"RED\"?" },
    { "$f: Filter", "{\"f\":{\"name\":\"x\"}}",
        "[{\"name\":\"x\",\"colors\":[\"RED\",\"BLUE\"],\"limit\":10}]" },
    { "$c: Choice", "{\"c\":{\"a\":1,\"b\":\"x\"}}",
        "Variable \"$c\" got invalid value { a, b }; Exactly one key must be "
        "specified for OneOf type \"Choice\"." },
    { "$a: Int", "[1]", "Variables must be given as a JSON object, by name." },
    { "$a: Int", "null", "[null]" },
};

static kappa_str_t
coerce_variables(const kappa_plan_t *plan, const char *json, uint32_t count)
{
    const kappa_value_t *values;
    kappa_value_t in = { 0 };
    kappa_str_t message, text;
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    if (json != NULL) {
        assert_int_equal(
            kappa_json_parse(arena, kappa_str_c(json), &in, &message),
            KAPPA_OK);
    }
    if (kappa_plan_variables(plan, &in, arena, &values, &errors) == KAPPA_OK) {
        kappa_value_t list = {
            .kind = KAPPA_LIST, .count = count, .as.items = values
        };
        kappa_json_value(&buf, &list);
    }
    for (kappa_error_t *e = errors.first; e != NULL; e = e->next) {
        assert_string_equal(e->code, "BAD_USER_INPUT");
        kappa_buf_str(&buf, e->message);
        if (e->next != NULL) {
            kappa_buf_char(&buf, '|');
        }
    }
    text = kappa_str_dup(arena, kappa_buf_view(&buf));
    kappa_buf_release(&buf);
    return text;
}

static void
coerces_variables(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(variables); i++) {
        kappa_plan_t *plan;
        uint32_t count = 0;

        for (const char *p = variables[i].declared; *p; p++) {
            count += *p == '$';
        }
        assert_int_equal(
            plan_text(kappa_str_printf(arena, "query(%s) { nothing { id } }",
                          variables[i].declared),
                NULL, &plan),
            KAPPA_OK);
        assert_str_equal(coerce_variables(plan, variables[i].json, count),
            variables[i].expected);
        if (errors.first != NULL && variables[i].json[0] == '{') {
            assert_int_equal(errors.first->location_count, 1);
            assert_int_equal(errors.first->locations->line, 1);
            assert_int_equal(errors.first->locations->column, 7);
        }
        kappa_plan_release(plan);
    }
}

/* 2,000 variables given in a JSON object of 100,000 members. */
static void
finds_many_variables_among_many(void **state)
{
    kappa_str_t text = bomb("query(", "$v#: Int,", 2000, ") { __typename }");
    kappa_str_t json = bomb("{\"x\":0", ",\"v#\":#", 100000, "}");
    kappa_value_t in;
    const kappa_value_t *values;
    kappa_str_t message;
    kappa_plan_t *plan;

    (void)state;
    assert_int_equal(plan_text(text, NULL, &plan), KAPPA_OK);
    assert_int_equal(kappa_json_parse(arena, json, &in, &message), KAPPA_OK);
    assert_int_equal(
        kappa_plan_variables(plan, &in, arena, &values, &errors), KAPPA_OK);
    assert_int_equal(values[1999].as.integer, 1999);
    kappa_plan_release(plan);
}

static void
tells_its_roots(void **state)
{
    const kappa_value_t *values, *args;
    kappa_value_t in;
    kappa_str_t message;
    kappa_plan_t *plan;

    (void)state;
    assert_int_equal(
        plan_text(KAPPA_STR("query($n: Int) { ...F __typename }"
                            " fragment F on Query { a: echo(int: $n, id: 3)"
                            " section { id } }"),
            NULL, &plan),
        KAPPA_OK);
    assert_int_equal(kappa_plan_operation(plan), KAPPA_OPERATION_QUERY);
    assert_int_equal(kappa_plan_root_count(plan), 3);
    assert_str_equal(kappa_plan_root(plan, 0)->name, "echo");
    assert_str_equal(kappa_plan_root(plan, 1)->name, "section");
    assert_str_equal(kappa_plan_root(plan, 2)->name, "__typename");
    assert_int_equal(
        kappa_json_parse(arena, KAPPA_STR("{\"n\":4}"), &in, &message),
        KAPPA_OK);
    assert_int_equal(
        kappa_plan_variables(plan, &in, arena, &values, &errors), KAPPA_OK);
    assert_int_equal(
        kappa_plan_root_args(plan, 0, values, arena, &args, &errors),
        KAPPA_OK);
    assert_int_equal(args[0].as.integer, 4);
    assert_str_equal(args[4].as.string, "3");
    assert_int_equal(args[6].kind, KAPPA_UNSET);
    kappa_plan_release(kappa_plan_retain(plan));
    kappa_plan_release(plan);
}

/* A hidden argument is the data source's to fill in: no document and no
 * default of the schema gives it. */
static void
leaves_hidden_arguments_alone(void **state)
{
    kappa_field_t *echo = (kappa_field_t *)kappa_type_field(
        fake.schema->roots[KAPPA_OPERATION_QUERY], KAPPA_STR("echo"));
    const kappa_value_t *args;
    kappa_plan_t *plan;

    (void)state;
    echo->args[2].hidden = true; /* string, with a default */
    assert_int_equal(
        plan_text(KAPPA_STR("{ echo(string: \"given\") }"), NULL, &plan),
        KAPPA_OK);
    assert_int_equal(
        kappa_plan_root_args(plan, 0, NULL, arena, &args, &errors), KAPPA_OK);
    echo->args[2].hidden = false;
    assert_int_equal(args[2].kind, KAPPA_UNSET);
    assert_str_equal(args[5].as.string, "RED");
    kappa_plan_release(plan);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_the_operation),
        cmocka_unit_test(refuses_what_blows_up),
        cmocka_unit_test(survives_invalid_documents),
        cmocka_unit_test(coerces_variables),
        cmocka_unit_test(finds_many_variables_among_many),
        cmocka_unit_test(tells_its_roots),
        cmocka_unit_test(leaves_hidden_arguments_alone),
    };

    return cmocka_run_group_tests_name("plan", tests, set_up, tear_down);
}
