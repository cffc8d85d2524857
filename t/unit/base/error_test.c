#include "t/unit/test.h"

#include "base/error.h"

static void
finds_places(void **state)
{
    static const struct {
        const char *text;
        size_t offset;
        uint32_t line, column;
    } cases[] = {
        { "", 0, 1, 1 }, { "abc", 2, 1, 3 }, { "abc", 99, 1, 4 },
        { "a\nb", 1, 1, 2 }, { "a\nb", 2, 2, 1 },
        { "a\r\nb", 2, 1, 3 }, /* between \r and \n */
        { "a\r\nb", 3, 2, 1 }, { "a\rb", 2, 2, 1 }, { "a\n\n\r\nb", 5, 4, 1 },
        { "\xc3\xa4x", 2, 1, 2 },
        { "\xf0\x9f\x98\x80x", 4, 1, 3 }, /* a pair of UTF-16 units */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_source_t source = { KAPPA_STR("f"), kappa_str_c(cases[i].text) };
        kappa_location_t at = kappa_source_location(&source, cases[i].offset);

        assert_int_equal(at.line, cases[i].line);
        assert_int_equal(at.column, cases[i].column);
        assert_ptr_equal(at.source, &source);
    }
}

static void
keeps_order_and_bound(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_source_t source = { KAPPA_STR("f"), KAPPA_STR("a\nb") };
    kappa_errors_t errors;

    (void)state;
    kappa_errors_init(&errors, arena, 2);
    kappa_error_t *first = kappa_errors_add(&errors, "A", "one %d", 1);
    kappa_error_at(&errors, first, &source, 0);
    kappa_error_at(&errors, first, &source, 2);
    kappa_errors_add(&errors, "B", "two");
    assert_false(errors.more);
    assert_null(kappa_errors_add(&errors, "C", "three"));
    assert_true(errors.more);
    assert_int_equal(errors.count, 2);
    assert_ptr_equal(errors.first, first);
    assert_str_equal(first->message, "one 1");
    assert_int_equal(first->location_count, 2);
    assert_int_equal(first->locations[1].line, 2);
    assert_str_equal(first->next->message, "two");
    assert_null(kappa_errors_add(NULL, "D", "nowhere"));
    kappa_error_at(&errors, NULL, &source, 0);
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_places),
        cmocka_unit_test(keeps_order_and_bound),
    };
    return cmocka_run_group_tests_name("base/error", tests, NULL, NULL);
}
