#include "t/unit/views/shop.h"

/* What an event may hold. */

static void
events_are_refused(void **state)
{
    static const struct {
        const char *thing;
        kappa_effect_t effect;
        const char *key;
        const char *data;
        const char *code;
    } cases[] = {
        { "Product", KAPPA_EFFECT_CREATE, "\"p\"", "{\"stock\":\"x\"}",
            "BAD_USER_INPUT" },
        { "Product", KAPPA_EFFECT_CREATE, "\"p\"", "{\"stock\":null}",
            "BAD_USER_INPUT" },
        { "Product", KAPPA_EFFECT_CREATE, "\"p\"", "{\"stock\":-1}",
            "OUT_OF_STOCK" },
        { "Product", KAPPA_EFFECT_CREATE, "\"p\"", "[]", "BAD_USER_INPUT" },
        { "Product", KAPPA_EFFECT_CREATE, "\"p\"", "{", "BAD_USER_INPUT" },
        { "Product", KAPPA_EFFECT_CREATE, "{", "{}", "BAD_USER_INPUT" },
        { "Product", KAPPA_EFFECT_CREATE, "[\"a\",\"b\"]", "{}",
            "BAD_USER_INPUT" },
        { "Product", KAPPA_EFFECT_PATCH, NULL, "{}", "BAD_USER_INPUT" },
        { "Product", KAPPA_EFFECT_PATCH, "\"p\"", "{}", "NOT_FOUND" },
        { "Product", KAPPA_EFFECT_DELETE, "\"p\"", "{}", "NOT_FOUND" },
        { "Order", KAPPA_EFFECT_CREATE, "\"o\"",
            "{\"customer\":\"c\",\"state\":\"LOST\"}", "BAD_USER_INPUT" },
        { "Member", KAPPA_EFFECT_CREATE, "[\"x\",\"ann\"]", "{}",
            "BAD_USER_INPUT" },
        { "Member", KAPPA_EFFECT_CREATE, "\"ann\"", "{}", "BAD_USER_INPUT" },
    };
    views_t v;

    (void)state;
    views_open(&v, shop);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_status_t status = views_event(&v, cases[i].thing, "told",
            cases[i].effect, cases[i].key, cases[i].data);

        if (status == KAPPA_OK || strcmp(views_code(&v), cases[i].code) != 0) {
            fail_msg("%zu: %s, not %s: %s", i, views_code(&v), cases[i].code,
                print_errors(v.arena, &v.errors));
        }
    }
    /* Numbers in keys may be written as text, keys may be in data. */
    import(&v, "Member", KAPPA_EFFECT_CREATE, "[\"7\",\"ann\"]", "{}");
    assert_str_equal(v.event.key, "[7,\"ann\"]");
    import(&v, "Member", KAPPA_EFFECT_CREATE, NULL,
        "{\"room\":8,\"user\":\"ann\"}");
    assert_str_equal(v.event.key, "[8,\"ann\"]");
    /* Numbers are read back as they were meant. */
    import(&v, "Order", KAPPA_EFFECT_CREATE, "\"n\"",
        "{\"customer\":\"c\",\"lines\":{\"x\":[5.0,1e20,0.5]}}");
    assert_non_null(strstr(v.event.data.data, "{\"x\":[5,1e+20,0.5]}"));
    /* What is no view is kept. */
    import(&v, "Weather", KAPPA_EFFECT_CREATE, "\"today\"", "{\"rain\":true}");
    assert_str_equal(v.event.data, "{\"rain\":true}");
    views_replay(&v);
    views_close(&v);
}

static void
what_json_holds_is_checked_by_the_column(void **state)
{
    static const struct {
        const char *items;
        const char *code; /* NULL: accepted */
    } cases[] = {
        { "[]", NULL },
        { "[{\"sku\":\"7\",\"n\":1,\"s\":\"PAID\"}]", NULL },
        { "[{\"sku\":\"8\",\"n\":2.0}]", NULL },
        { "[{\"n\":1}]", NULL }, /* a null key skips the effect */
        { "null", NULL },
        { "[{\"sku\":\"7\",\"n\":1,\"s\":\"LOST\"}]", "BAD_USER_INPUT" },
        { "[{\"sku\":\"7\",\"n\":\"x\"}]", "BAD_USER_INPUT" },
        { "[{\"sku\":\"7\",\"n\":2147483648}]", "BAD_USER_INPUT" },
        { "[{\"sku\":\"7\",\"n\":2147483647}]", "BAD_USER_INPUT" },
        { "[{\"sku\":[],\"n\":1}]", "BAD_USER_INPUT" },
        { "[1]", "BAD_USER_INPUT" },
    };
    views_t v;

    (void)state;
    views_open(&v, shop);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char data[128];

        snprintf(data, sizeof(data), "{\"items\":%s}", cases[i].items);
        views_event(&v, "Count", "told", KAPPA_EFFECT_UNSET, NULL, data);
        if (strcmp(views_code(&v), cases[i].code ? cases[i].code : "accepted")
            != 0) {
            fail_msg("%s: %s %s", cases[i].items, views_code(&v),
                print_errors(v.arena, &v.errors));
        }
    }
    assert_str_equal(views_row(&v, "Tally", "\"7\""),
        "{\"sku\":\"7\",\"n\":1,\"s\":\"PAID\",\"next\":2}");
    assert_str_equal(views_row(&v, "Tally", "\"8\""),
        "{\"sku\":\"8\",\"n\":2,\"s\":null,\"next\":3}");
    views_replay(&v);
    views_close(&v);
}

static void
sizes_are_bounded(void **state)
{
    char text[1300];
    views_t v;

    (void)state;
    views_open(&v, shop);
    assert_int_equal(views_event(&v, "Big", "told", KAPPA_EFFECT_CREATE,
                         repeat(text, "\"%s\"", 'k', 256), "{}"),
        KAPPA_LIMIT);
    assert_string_equal(views_code(&v), "LIMIT_EXCEEDED");
    import(&v, "Big", KAPPA_EFFECT_CREATE, repeat(text, "\"%s\"", 'k', 255),
        "{}");
    assert_int_equal(views_event(&v, "Big", "told", KAPPA_EFFECT_CREATE,
                         "\"a\"", repeat(text, "{\"text\":\"%s\"}", 't', 503)),
        KAPPA_LIMIT);
    assert_string_equal(views_code(&v), "LIMIT_EXCEEDED");
    import(&v, "Big", KAPPA_EFFECT_CREATE, "\"a\"",
        repeat(text, "{\"text\":\"%s\"}", 't', 502));
    /* by holds what can be no key. */
    assert_int_equal(
        views_event(&v, "Big", "told", KAPPA_EFFECT_CREATE, "\"b\"",
            repeat(text, "{\"n\":1,\"of\":\"%s\"}", 't', 256)),
        KAPPA_LIMIT);
    views_replay(&v);
    views_close(&v);
}

static void
sums_do_not_overflow(void **state)
{
    views_t v;

    (void)state;
    views_open(&v, shop);
    import(&v, "Big", KAPPA_EFFECT_CREATE, "\"t\"",
        "{\"of\":\"t\",\"n\":\"9223372036854775807\"}");
    assert_str_equal(views_row(&v, "Big", "\"t\""),
        "{\"id\":\"t\",\"text\":null,\"of\":\"t\","
        "\"n\":\"9223372036854775807\",\"total\":\"9223372036854775807\"}");
    assert_int_equal(views_event(&v, "Big", "told", KAPPA_EFFECT_CREATE,
                         "\"b\"", "{\"n\":\"1\",\"of\":\"t\"}"),
        KAPPA_INVALID);
    assert_string_equal(views_code(&v), "LIMIT_EXCEEDED");
    import(&v, "Big", KAPPA_EFFECT_CREATE, "\"b\"",
        "{\"n\":\"-7\",\"of\":\"t\"}");
    import(&v, "Big", KAPPA_EFFECT_DELETE, "\"t\"", "{}");
    import(&v, "Big", KAPPA_EFFECT_CREATE, "\"t\"", "{}");
    assert_str_equal(views_row(&v, "Big", "\"t\""),
        "{\"id\":\"t\",\"text\":null,\"of\":null,\"n\":null,"
        "\"total\":\"-7\"}");
    views_replay(&v);
    views_close(&v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_refused),
        cmocka_unit_test(what_json_holds_is_checked_by_the_column),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(sums_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
