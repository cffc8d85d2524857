#include "graphql/execute_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "t/unit/graphql_run.h"
#include "t/unit/test.h"

/* What a data source gives as JSON, also when it is not what it should be. */

static const char sdl[] =
    "directive @bind(as: String) on FIELD_DEFINITION\n"
    "scalar JSON\n"
    "type Query { o: T @bind(as: \"VALUE\") l: [[T!]] @bind(as: \"VALUE\")\n"
    "  u: U @bind(as: \"VALUE\") j: JSON @bind(as: \"VALUE\") }\n"
    "type T { a: Int b: T c: [T] s: String n: Int! }\n"
    "type V { v: Int }\n"
    "union U = T | V\n";

static const struct {
    const char *selection;
    const char *json;
    const char *expected; /* the data; the message when there is an error */
} cases[] = {
    { "o { a }", "{\"a\":1}", "{\"o\":{\"a\":1}}" },
    { "o { a b { a } }", " { \"b\" : { \"a\" : 2 } , \"a\":\n1 } ",
        "{\"o\":{\"a\":1,\"b\":{\"a\":2}}}" },
    { "o { a }", "{\"x\":{\"a\":5,\"]\":[\"}\"]},\"y\":[[{}]],\"a\":1}",
        "{\"o\":{\"a\":1}}" },
    { "o { s }", "{\"s\":\"a\\\"}\\\\\"}", "{\"o\":{\"s\":\"a\\\"}\\\\\"}}" },
    { "o { a s }", "{}", "{\"o\":{\"a\":null,\"s\":null}}" },
    { "o { c { a } }", "{\"c\":[ {\"a\":1} , null,{ } ]}",
        "{\"o\":{\"c\":[{\"a\":1},null,{\"a\":null}]}}" },
    { "o { c { a } }", "{\"c\":[]}", "{\"o\":{\"c\":[]}}" },
    { "l { a }", "[[],null,[{\"a\":1},{\"a\":2}]]",
        "{\"l\":[[],null,[{\"a\":1},{\"a\":2}]]}" },
    { "l { a }", "[[{\"a\":1},null],[{}]]", "{\"l\":[null,[{\"a\":null}]]}" },
    { "o { a }", "null", "{\"o\":null}" },
    { "o { a }", "", "{\"o\":null}" },
    { "j", " {\"any\": 1} ", "{\"j\":{\"any\": 1}}" },
    { "u { ... on V { v } ... on T { a } }",
        "{\"__typename\":\"V\",\"v\":7,\"a\":8}", "{\"u\":{\"v\":7}}" },
    { "u { __typename }", "{\"__typename\":\"T\"}",
        "{\"u\":{\"__typename\":\"T\"}}" },
    { "u { __typename }", "{\"__typename\":\"Query\"}",
        "The stored value is not of a type that is possible here" },
    { "u { __typename }", "{}",
        "The stored value is not of a type that is possible here" },
    { "o { a }", "[]", "The stored value is not an object" },
    { "o { a }", "5", "The stored value is not an object" },
    { "l { a }", "{}", "The stored value is not a list" },
    { "l { a }", "[5]", "The stored value is not a list" },
    { "l { a }", "[[{\"a\":1}", "The stored value is not a whole list" },
    { "l { a }", "[\"x", "The stored value is not a whole list" },
    /* broken objects: what can't be found is null */
    { "o { a }", "{", "{\"o\":{\"a\":null}}" },
    { "o { a }", "{\"a", "{\"o\":{\"a\":null}}" },
    { "o { a }", "{\"a\"", "{\"o\":{\"a\":null}}" },
    { "o { a }", "{\"a\":", "{\"o\":{\"a\":null}}" },
    { "o { a }", "{\"a\\", "{\"o\":{\"a\":null}}" },
    { "o { a }", "{\"x\":[{\"", "{\"o\":{\"a\":null}}" },
    { "o { a }", "{5:1}", "{\"o\":{\"a\":null}}" },
};

static kappa_str_t given;

static kappa_status_t
give(kappa_data_t *data, const kappa_field_t *field, const kappa_row_t *parent,
    const kappa_value_t *args, kappa_arena_t *arena, kappa_str_t *json,
    kappa_errors_t *errors)
{
    (void)data;
    (void)field;
    (void)parent;
    (void)args;
    (void)arena;
    (void)errors;
    *json = given;
    return KAPPA_OK;
}

/* The JSON stands in memory of exactly its size: ASan sees each byte read
 * past it. */
static void
check(kappa_fake_t *fake, size_t i)
{
    size_t len = strlen(cases[i].json);
    char *exact = malloc(len ? len : 1);
    char text[256];
    kappa_fake_request_t request;
    kappa_buf_t out;

    memcpy(exact, cases[i].json, len);
    given = kappa_str(exact, len);
    snprintf(text, sizeof(text), "{ %s }", cases[i].selection);
    request = (kappa_fake_request_t){ .text = kappa_str_c(text) };
    kappa_buf_init(&out, &kappa_alloc_libc);
    assert_int_equal(
        kappa_fake_run(fake, &kappa_alloc_libc, &request, &out), KAPPA_OK);
    kappa_buf_char(&out, '\0');
    if (strstr(out.data, cases[i].expected) == NULL) {
        fail_msg("%s in %s: %s has no %s", text, cases[i].json, out.data,
            cases[i].expected);
    }
    kappa_buf_release(&out);
    free(exact);
}

static void
selects_in_json(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_t errors;
    kappa_data_ops_t ops;
    kappa_fake_t fake;

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(kappa_fake_init(&fake, arena, kappa_str_c(sdl),
                         KAPPA_STR("{\"Query\":{}}"), &errors),
        KAPPA_OK);
    ops = *fake.data.ops;
    ops.value = give;
    fake.data.ops = &ops;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check(&fake, i);
    }
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selects_in_json),
    };

    return cmocka_run_group_tests_name("execute_json", tests, NULL, NULL);
}
