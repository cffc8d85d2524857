#include "graphql/introspect.h"

#include "t/unit/alloc_failing.h"
#include "t/unit/graphql_run.h"
#include "t/unit/test.h"

/* A schema of ours needs no data to be introspected. */
static const char sdl[] =
    "\"\"\"The \"whole\" thing.\"\"\" schema { query: Q mutation: M }\n"
    "\"What is read.\" type Q implements I & J {\n"
    "  \"One.\" a(x: Int = 5, y: In = {z: [\"q\", null]}, old: Int"
    " @deprecated): [S!]!\n"
    "  id: ID!\n"
    "  gone: Int @deprecated(reason: \"Use \\\"a\\\".\")\n"
    "}\n"
    "type M { make: Q }\n"
    "interface J implements I { id: ID! }\n"
    "interface I { id: ID! }\n"
    "union U = Q | M\n"
    "enum E { ONE TWO @deprecated }\n"
    "input In { z: [String] = [] old: Int @deprecated(reason: \"no\") }\n"
    "input One @oneOf { a: Int b: Int }\n"
    "scalar S @specifiedBy(url: \"https://example.com/s\")\n"
    "directive @d(a: Int! = 1) repeatable on FIELD | QUERY\n";

static const struct {
    const char *text;
    const char *variables;
    const char *expected;
} cases[] = {
    { "{ __schema { description queryType { name } mutationType { name }"
      " subscriptionType { name } } }",
        NULL,
        "{\"__schema\":{\"description\":\"The \\\"whole\\\" thing.\","
        "\"queryType\":{\"name\":\"Q\"},\"mutationType\":{\"name\":\"M\"},"
        "\"subscriptionType\":null}}" },
    { "{ __schema { directives { name isRepeatable locations args { name"
      " defaultValue type { kind ofType { name } } } } } }",
        NULL,
        "{\"__schema\":{\"directives\":[{\"name\":\"d\",\"isRepeatable\":true,"
        "\"locations\":[\"FIELD\",\"QUERY\"],\"args\":[{\"name\":\"a\","
        "\"defaultValue\":\"1\",\"type\":{\"kind\":\"NON_NULL\",\"ofType\":{"
        "\"name\":\"Int\"}}}]}" },
    { "{ __type(name: \"Q\") { kind name description specifiedByURL isOneOf"
      " fields { name description isDeprecated deprecationReason }"
      " interfaces { name } possibleTypes { name } enumValues { name }"
      " inputFields { name } ofType { name } __typename } }",
        NULL,
        "{\"__type\":{\"kind\":\"OBJECT\",\"name\":\"Q\","
        "\"description\":\"What is read.\",\"specifiedByURL\":null,"
        "\"isOneOf\":null,\"fields\":[{\"name\":\"a\",\"description\":"
        "\"One.\",\"isDeprecated\":false,\"deprecationReason\":null},"
        "{\"name\":\"id\",\"description\":null,\"isDeprecated\":false,"
        "\"deprecationReason\":null}],\"interfaces\":[{\"name\":\"I\"},"
        "{\"name\":\"J\"}],\"possibleTypes\":null,\"enumValues\":null,"
        "\"inputFields\":null,\"ofType\":null,\"__typename\":\"__Type\"}}" },
    { "{ __type(name: \"Q\") { fields(includeDeprecated: true) { name"
      " deprecationReason args(includeDeprecated: true) { name defaultValue"
      " isDeprecated deprecationReason } type { ...T } } } }"
      " fragment T on __Type { kind name ofType { kind name ofType { kind"
      " ofType { kind name } } } }",
        NULL,
        "{\"__type\":{\"fields\":[{\"name\":\"a\",\"deprecationReason\":null,"
        "\"args\":[{\"name\":\"x\",\"defaultValue\":\"5\",\"isDeprecated\":"
        "false,\"deprecationReason\":null},{\"name\":\"y\",\"defaultValue\":"
        "\"{ z: [\\\"q\\\", null] }\",\"isDeprecated\":false,"
        "\"deprecationReason\":null},{\"name\":\"old\",\"defaultValue\":null,"
        "\"isDeprecated\":true,\"deprecationReason\":"
        "\"No longer supported\"}],\"type\":{\"kind\":\"NON_NULL\",\"name\":"
        "null,\"ofType\":{\"kind\":\"LIST\",\"name\":null,\"ofType\":{"
        "\"kind\":\"NON_NULL\",\"ofType\":{\"kind\":\"SCALAR\",\"name\":"
        "\"S\"}}}}}," },
    { "query($d: Boolean!) { __type(name: \"Q\") { fields(includeDeprecated:"
      " $d) { name args(includeDeprecated: $d) { name } } } }",
        "{\"d\":true}",
        "{\"__type\":{\"fields\":[{\"name\":\"a\",\"args\":[{\"name\":\"x\"},"
        "{\"name\":\"y\"},{\"name\":\"old\"}]},{\"name\":\"id\",\"args\":[]},"
        "{\"name\":\"gone\",\"args\":[]}]}}" },
    { "{ __type(name: \"I\") { kind interfaces { name } possibleTypes { name }"
      " fields { name } } }",
        NULL,
        "{\"__type\":{\"kind\":\"INTERFACE\",\"interfaces\":[],"
        "\"possibleTypes\":[{\"name\":\"Q\"}],\"fields\":[{\"name\":\"id\"}]"
        "}}" },
    { "{ __type(name: \"U\") { kind possibleTypes { name } fields { name } } "
      "}",
        NULL,
        "{\"__type\":{\"kind\":\"UNION\",\"possibleTypes\":[{\"name\":\"Q\"},"
        "{\"name\":\"M\"}],\"fields\":null}}" },
    { "{ __type(name: \"E\") { enumValues { name } all: enumValues("
      "includeDeprecated: true) { name isDeprecated deprecationReason } } }",
        NULL,
        "{\"__type\":{\"enumValues\":[{\"name\":\"ONE\"}],\"all\":[{"
        "\"name\":\"ONE\",\"isDeprecated\":false,\"deprecationReason\":null},"
        "{\"name\":\"TWO\",\"isDeprecated\":true,\"deprecationReason\":"
        "\"No longer supported\"}]}}" },
    { "{ a: __type(name: \"In\") { isOneOf inputFields { name defaultValue }"
      " } b: __type(name: \"One\") { kind isOneOf } c: __type(name: \"S\")"
      " { kind specifiedByURL } d: __type(name: \"None\") { name } }",
        NULL,
        "{\"a\":{\"isOneOf\":false,\"inputFields\":[{\"name\":\"z\","
        "\"defaultValue\":\"[]\"}]},\"b\":{\"kind\":\"INPUT_OBJECT\","
        "\"isOneOf\":true},\"c\":{\"kind\":\"SCALAR\",\"specifiedByURL\":"
        "\"https://example.com/s\"},\"d\":null}" },
    { "{ __schema { types { name } } }", NULL,
        "{\"__schema\":{\"types\":[{\"name\":\"Q\"},{\"name\":\"M\"},"
        "{\"name\":\"J\"},{\"name\":\"I\"},{\"name\":\"U\"},{\"name\":\"E\"},"
        "{\"name\":\"In\"},{\"name\":\"One\"},{\"name\":\"S\"},"
        "{\"name\":\"Int\"}" },
};

static kappa_fake_t fake;
static kappa_arena_t *arena;

static int
set_up(void **state)
{
    kappa_errors_t errors;

    (void)state;
    arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(kappa_fake_init(&fake, arena, kappa_str_c(sdl),
                         KAPPA_STR("{\"Q\":{}}"), &errors),
        KAPPA_OK);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    kappa_arena_destroy(arena);
    return 0;
}

static kappa_fake_request_t
request_of(size_t i)
{
    return (kappa_fake_request_t){ .text = kappa_str_c(cases[i].text),
        .variables = kappa_str_c(cases[i].variables) };
}

static void
answers_from_the_schema(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_fake_request_t request = request_of(i);
        kappa_buf_t out;
        kappa_str_t start = KAPPA_STR("{\"data\":"), answer;

        kappa_buf_init(&out, &kappa_alloc_libc);
        kappa_fake_run(&fake, &kappa_alloc_libc, &request, &out);
        answer = kappa_buf_view(&out);
        assert_true(kappa_str_starts_with(answer, start));
        answer = kappa_str(answer.data + start.len, answer.len - start.len);
        if (!kappa_str_starts_with(answer, kappa_str_c(cases[i].expected))) {
            fail_msg("%s\n%.*s\n does not start with\n%s", cases[i].text,
                KAPPA_STR_ARG(answer), cases[i].expected);
        }
        kappa_buf_release(&out);
    }
}

static kappa_status_t
run_one(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_fake_request_t request = request_of(*(size_t *)ctx);
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
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_alloc_failing_each(run_one, &i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_from_the_schema),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests_name("introspect", tests, set_up, tear_down);
}
