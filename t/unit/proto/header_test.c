#include "t/unit/test.h"

#include "base/buf.h"
#include "proto/header.h"

/* A list, and what is read of it: value(name=value)… joined by '|'. */
static void
splits(void **state)
{
    static const struct {
        const char *header, *parts;
    } cases[] = {
        { "", "" },
        { " , ,, ", "" },
        { "a", "a" },
        { " a ,\tb", "a|b" },
        { "a;q=0.5, b ; x = y ;z", "a(q=0.5)|b(x=y)(z=)" },
        { "a;p=\"x,y;z\", b", "a(p=x,y;z)|b" },
        { "a;p=\"q\\\",r\",b", "a(p=q\\\",r)|b" },
        { "a;p=\"open, b", "a(p=\"open, b)" },
        { "a;;q=1;", "a(q=1)" },
        { ";q=1", "(q=1)" },
    };
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_str_t rest = kappa_str_c(cases[i].header), name, value;
        kappa_header_item_t item;

        kappa_buf_reset(&buf);
        while (kappa_header_next(&rest, &item)) {
            if (buf.len > 0) {
                kappa_buf_char(&buf, '|');
            }
            kappa_buf_str(&buf, item.value);
            while (kappa_header_param(&item, &name, &value)) {
                kappa_buf_printf(&buf, "(%.*s=%.*s)", KAPPA_STR_ARG(name),
                    KAPPA_STR_ARG(value));
            }
        }
        assert_str_equal(kappa_buf_view(&buf), cases[i].parts);
    }
    kappa_buf_release(&buf);
}

static void
reads_qualities(void **state)
{
    static const struct {
        const char *text;
        int thousandths; /* -1: not one */
    } cases[] = {
        { "1", 1000 },
        { "0", 0 },
        { "0.", 0 },
        { "0.5", 500 },
        { "0.05", 50 },
        { "0.999", 999 },
        { "1.000", 1000 },
        { "", -1 },
        { "1.001", -1 },
        { "2", -1 },
        { "0.1234", -1 },
        { "0,5", -1 },
        { ".5", -1 },
        { "-1", -1 },
        { "0.x", -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint16_t q = 0;
        bool ok = kappa_header_quality(kappa_str_c(cases[i].text), &q);

        assert_int_equal(ok ? q : -1, cases[i].thousandths);
    }
}

static void
compares_without_case(void **state)
{
    (void)state;
    assert_true(kappa_header_is(KAPPA_STR("UTF-8"), "utf-8"));
    assert_false(kappa_header_is(KAPPA_STR("utf-80"), "utf-8"));
    assert_false(kappa_header_is(KAPPA_STR_NULL, "utf-8"));
}

static void
reads_a_bearers_token(void **state)
{
    static const struct {
        const char *value;
        const char *token; /* NULL: another scheme */
    } cases[] = {
        { "Bearer abc", "abc" },
        { "bEARER  a.b ", "a.b" },
        { "Bearer ", "" },
        { "Bearer", NULL },
        { "Bearerabc", NULL },
        { "Basic abc", NULL },
        { "", NULL },
        { NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_str_t token = kappa_header_bearer(kappa_str_c(cases[i].value));

        assert_int_equal(token.data != NULL, cases[i].token != NULL);
        assert_true(kappa_str_eq(token, kappa_str_c(cases[i].token)));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits),
        cmocka_unit_test(reads_qualities),
        cmocka_unit_test(compares_without_case),
        cmocka_unit_test(reads_a_bearers_token),
    };
    return cmocka_run_group_tests_name("proto/header", tests, NULL, NULL);
}
