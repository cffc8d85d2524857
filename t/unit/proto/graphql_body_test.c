#include "t/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "proto/graphql_body.h"
#include "t/unit/torture.h"

static bool
scan(kappa_arena_t *arena, const char *text, kappa_graphql_params_t *out)
{
    kappa_status_t status = KAPPA_OK;
    bool done =
        kappa_graphql_body_scan(arena, kappa_str_c(text), out, &status);

    assert_int_equal(status == KAPPA_NOMEM, 0);
    return done;
}

/* What it takes by itself, and what it leaves to the parser. */
static void
knows_what_it_knows(void **state)
{
    static const struct {
        const char *text;
        bool done;
    } cases[] = {
        { "{\"query\":\"{a}\"}", true },
        { " { \"query\" : \"{a}\" , \"variables\" : { } }\n", true },
        { "{\"query\":\"a\\n\\u00e4\",\"variables\":{\"a\":[\"}\"]},"
          "\"operationName\":null,\"extensions\":null}",
            true },
        { "{\"variables\":{\"a\":\"\\\"}\"},\"query\":\"\"}", true },
        { "{\"variables\":{\"a\":1,\"b\":\"x\",\"c\":null,\"d\":true}}",
            true },
        { "{\"variables\":{\"a\":[{\"b\":1.5}]}}", true },
        { "{\"variables\":{ }}", true },
        { "{\"documentId\":\"a\",\"variables\":{}}", true },
        { "{\"documentId\":1}", false },
        { "{\"id\":\"a\"}", false },
        { "{\"variables\":{\"a\":1,}}", false },
        { "{\"variables\":{\"a\":1 2}}", false },
        { "{\"variables\":{\"a\":01}}", false },
        { "{}", false },
        { "[]", false },
        { "", false },
        { "{\"query\":\"{a}\",\"other\":1}", false },
        { "{\"query\":\"{a}\",\"query\":\"{a}\"}", false },
        { "{\"qu\\u0065ry\":\"{a}\"}", false },
        { "{\"query\":1}", false },
        { "{\"query\":\"{a}\",}", false },
        { "{\"query\":\"{a}\"} x", false },
        { "{\"query\":\"{a}\"", false },
        { "{\"query\":\"{a}", false },
        { "{\"query\":\"{a}\\", false },
        { "{\"query\":\"\\x\"}", false },
        { "{\"query\":\"\xff\"}", false },
        { "{\"query\":nul}", false },
        { "{\"query\":nullx}", false },
        { "{\"variables\":[]}", false },
        { "{\"variables\":{]}", false },
        { "{\"variables\":{\"a\":1,\"a\":2}}", false },
        { "{\"variables\":{\"a\"}}", false },
        { "{\"variables\":", false },
        { "{\"variables\":{", false },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_graphql_params_t params;

        if (scan(arena, cases[i].text, &params) != cases[i].done) {
            fail_msg("%s", cases[i].text);
        }
    }
    kappa_arena_destroy(arena);
}

static void
same_text(kappa_str_t text, const kappa_value_t *member)
{
    if (member == NULL || kappa_is_null(member)) {
        assert_null(text.data);
    } else {
        assert_int_equal(member->kind, KAPPA_STRING);
        assert_true(kappa_str_eq(text, member->as.string));
    }
}

static void
same_object(const kappa_value_t *object, const kappa_value_t *member)
{
    if (member == NULL || kappa_is_null(member)) {
        assert_int_equal(object->kind, KAPPA_UNSET);
    } else {
        assert_true(kappa_value_eq(object, member));
    }
}

/* Bodies put together at random, some of them bodies: what is taken means
 * what jansson says it means. */
static void
agrees_with_the_parser(void **state)
{
    static const char *const pieces[] = { "{", "}", "[", "]", ",", ":",
        "\"query\":", "\"variables\":", "\"operationName\":",
        "\"extensions\":", "\"documentId\":", "\"{a}\"", "\"\\\"}\"", "null",
        "1", "{}", "{\"a\":1}", "{\"a\":[{}]}", " ", "\"", "\\",
        "{\"query\":\"{a}\"", "\"query\":\"a\"",
        ",\"variables\":{\"a\":\"{\"}", ",\"operationName\":\"A\"",
        "\"variables\":{}" };
    static const char *const scalars[] = { "1", "-0", "0", "01", "-", "1.5",
        "1e3", "999999999999999999", "9223372036854775807",
        "-9223372036854775808", "9223372036854775808", "true", "false",
        "truex", "nul", "null", "\"t\\u00e4\"", "\"\\u0000\"", "\"\xff\"",
        "[1]", "{}", "\"\"", " 7 ", "- 1", "+1", ".5", "\"a\" \"b\"" };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    unsigned seed = (unsigned)kappa_test_seed();
    int taken = 0;

    (void)state;
    srandom(seed);
    for (int i = 0; i < 50000; i++) {
        char text[256] = "{";
        kappa_graphql_params_t params;
        kappa_value_t v;

        if (i % 2 == 0) {
            for (long n = random() % 6; n > 0; n--) {
                strcat(text, pieces[(size_t)random() % COUNT(pieces)]);
            }
            strcat(text, "}");
        } else {
            const char *scalar = scalars[(size_t)random() % COUNT(scalars)];
            const char *other = scalars[(size_t)random() % COUNT(scalars)];

            snprintf(text, sizeof(text),
                "{\"query\":\"\",\"variables\":{\"a\":%s,\"%s\" :%s}}", scalar,
                random() % 5 ? "b" : "a", other);
        }
        kappa_arena_reset(arena);
        if (!scan(arena, text, &params)) {
            continue;
        }
        taken++;
        if (kappa_json_parse(arena, kappa_str_c(text), &v, NULL) != KAPPA_OK) {
            fail_msg("taken, but no JSON: %s", text);
        }
        same_text(params.query, kappa_value_member(&v, KAPPA_STR("query")));
        same_text(params.operation_name,
            kappa_value_member(&v, KAPPA_STR("operationName")));
        same_text(params.document_id,
            kappa_value_member(&v, KAPPA_STR("documentId")));
        same_object(
            &params.variables, kappa_value_member(&v, KAPPA_STR("variables")));
        same_object(&params.extensions,
            kappa_value_member(&v, KAPPA_STR("extensions")));
    }
    assert_true(taken > 100);
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_it_knows),
        cmocka_unit_test(agrees_with_the_parser),
    };
    return cmocka_run_group_tests_name(
        "proto/graphql_body", tests, NULL, NULL);
}
