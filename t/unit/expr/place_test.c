#include "t/unit/test.h"

#include "expr/node.h"

/* A string in a file, its text, an offset in the text: the character that
 * stands there in the file, and the rest of it. */
static void
finds_places(void **state)
{
    static const struct {
        const char *file, *text;
        const char *at, *found; /* in the text, in the file */
    } cases[] = {
        { "as: \"row.a\")", "row.a", "a", "a\")" },
        { "as: \"row.a\")", "row.a", "row", "row.a\")" },
        { "as: \"row.a\")", "row.a", "", "\")" },
        { "as: \"a == \\\"x\\\" + b\")", "a == \"x\" + b", "b", "b\")" },
        { "as: \"'\\\\n' + b\")", "'\\n' + b", "b", "b\")" },
        { "as: \"'\\u00e4' + b\")", "'\xc3\xa4' + b", "b", "b\")" },
        { "as: \"'\\u{1F600}' + b\")", "'\xf0\x9f\x98\x80' + b", "b", "b\")" },
        { "as: \"'\\uD83D\\uDE00' + b\")", "'\xf0\x9f\x98\x80' + b", "b",
            "b\")" },
        { "as: \"a \\n+ b\")", "a \n+ b", "b", "b\")" },
        { "as: \"\"\"\n    a\n    + b\n  \"\"\")", "a\n+ b", "b",
            "b\n  \"\"\")" },
        { "as: \"\"\"\n    a\n      + b\n  \"\"\")", "a\n  + b", "b",
            "b\n  \"\"\")" },
        { "as: \"\"\"'\\\"\"\"' + b\"\"\")", "'\"\"\"' + b", "b", "b\"\"\")" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_str_t file = kappa_str_c(cases[i].file);
        kappa_str_t text = kappa_str_c(cases[i].text);
        const char *quote = strchr(cases[i].file, '"');
        size_t start = (size_t)(quote - cases[i].file) + 1;
        const char *at = *cases[i].at ? strstr(text.data, cases[i].at)
                                      : text.data + text.len;

        start += strncmp(quote, "\"\"\"", 3) == 0 ? 2 : 0;
        size_t place =
            kappa_expr_place(file, start, text, (size_t)(at - text.data));
        assert_string_equal(file.data + place, cases[i].found);
    }
}

/* What does not belong together ends somewhere in the file. */
static void
stays_inside(void **state)
{
    kappa_str_t text = KAPPA_STR("abc");

    (void)state;
    assert_int_equal(kappa_expr_place(KAPPA_STR(""), 0, text, 3), 0);
    assert_int_equal(kappa_expr_place(KAPPA_STR("x"), 5, text, 3), 5);
    assert_int_equal(kappa_expr_place(KAPPA_STR("xyz"), 0, text, 3), 3);
    assert_int_equal(kappa_expr_place(KAPPA_STR("\\"), 0, text, 3), 1);
    assert_int_equal(kappa_expr_place(KAPPA_STR("\\u{12"), 0, text, 3), 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_places),
        cmocka_unit_test(stays_inside),
    };
    return cmocka_run_group_tests_name("expr/place", tests, NULL, NULL);
}
