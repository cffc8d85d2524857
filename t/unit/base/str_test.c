#include "t/unit/test.h"

static void
compares(void **state)
{
    (void)state;
    assert_true(kappa_str_eq(KAPPA_STR("ab"), kappa_str_c("ab")));
    assert_true(kappa_str_eq(KAPPA_STR_NULL, KAPPA_STR("")));
    assert_false(kappa_str_eq(KAPPA_STR("ab"), KAPPA_STR("abc")));
    assert_true(kappa_str_cmp(KAPPA_STR("ab"), KAPPA_STR("abc")) < 0);
    assert_true(kappa_str_cmp(KAPPA_STR("b"), KAPPA_STR("abc")) > 0);
    assert_true(kappa_str_cmp(KAPPA_STR("\xff"), KAPPA_STR("a")) > 0);
    assert_int_equal(kappa_str_cmp(KAPPA_STR_NULL, KAPPA_STR("")), 0);
    assert_true(kappa_str_starts_with(KAPPA_STR("abc"), KAPPA_STR("ab")));
    assert_true(kappa_str_starts_with(KAPPA_STR("abc"), KAPPA_STR_NULL));
    assert_false(kappa_str_starts_with(KAPPA_STR("a"), KAPPA_STR("ab")));
    assert_true(kappa_str_ends_with(KAPPA_STR("abc"), KAPPA_STR("bc")));
    assert_true(kappa_str_ends_with(KAPPA_STR("abc"), KAPPA_STR_NULL));
    assert_false(kappa_str_ends_with(KAPPA_STR("abc"), KAPPA_STR("ab")));
    assert_false(kappa_str_ends_with(KAPPA_STR("c"), KAPPA_STR("bc")));
}

static void
hashes_by_seed(void **state)
{
    (void)state;
    uint64_t before = kappa_str_hash(KAPPA_STR("name"));

    assert_true(before != kappa_str_hash(KAPPA_STR("nam")));
    kappa_hash_seed(12345);
    assert_true(before != kappa_str_hash(KAPPA_STR("name")));
    kappa_hash_seed(0);
    assert_true(before == kappa_str_hash(KAPPA_STR("name")));
}

/* Every byte counts, and how many there are. */
static void
hashes_words(void **state)
{
    char text[24] = "";
    uint32_t seen[2 * sizeof(text)], count = 0;

    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        seen[count++] = kappa_str_hash_words(kappa_str(text, len));
        text[len] = 'x';
        seen[count++] = kappa_str_hash_words(kappa_str(text, sizeof(text)));
        text[len] = '\0';
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            assert_true(seen[i] != seen[j]);
        }
    }
}

static void
copies_and_prints(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    kappa_str_t s = kappa_str_dup(arena, KAPPA_STR_NULL);
    assert_non_null(s.data);
    assert_int_equal(s.len, 0);
    assert_int_equal(s.data[0], '\0');
    s = kappa_str_printf(arena, "%s-%d", "x", 7);
    assert_str_equal(s, "x-7");
    assert_int_equal(s.data[s.len], '\0');
    kappa_arena_destroy(arena);
}

/* Table 3-7 of the Unicode standard, its edges from both sides. */
static void
finds_invalid_utf8(void **state)
{
    static const struct {
        const char *text;
        size_t valid;
    } cases[] = {
        { "", 0 },
        { "plain", 5 },
        { "\xc2\x80", 2 },
        { "\xdf\xbf", 2 },
        { "\xe0\xa0\x80", 3 },
        { "\xed\x9f\xbf", 3 },
        { "\xee\x80\x80", 3 },
        { "\xf0\x90\x80\x80", 4 },
        { "\xf4\x8f\xbf\xbf", 4 },
        { "a\x80", 1 },             /* a continuation alone */
        { "a\xc1\xbf", 1 },         /* overlong */
        { "a\xe0\x9f\xbf", 1 },     /* overlong */
        { "a\xed\xa0\x80", 1 },     /* a surrogate */
        { "a\xf0\x8f\xbf\xbf", 1 }, /* overlong */
        { "a\xf4\x90\x80\x80", 1 }, /* past U+10FFFF */
        { "a\xf5\x80\x80\x80", 1 },
        { "a\xff", 1 },
        { "ab\xc3", 2 }, /* cut short */
        { "ab\xe2\x82", 2 },
        { "ab\xf0\x9f\x98", 2 },
        { "ab\xe2\x28\xa1", 2 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(
            kappa_utf8_valid(kappa_str_c(cases[i].text)), cases[i].valid);
    }
}

static void
counts_utf16(void **state)
{
    (void)state;
    assert_int_equal(kappa_utf16_units(KAPPA_STR("abc")), 3);
    assert_int_equal(kappa_utf16_units(KAPPA_STR("\xc3\xa4\xe2\x82\xac")), 2);
    assert_int_equal(kappa_utf16_units(KAPPA_STR("\xf0\x9f\x98\x80")), 2);
}

static void
reads_integers(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        { "0", true, 0 },
        { "-0", true, 0 },
        { "42", true, 42 },
        { "-7", true, -7 },
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "99999999999999999999999", false, 0 },
        { "", false, 0 },
        { "-", false, 0 },
        { "+1", false, 0 },
        { "1.0", false, 0 },
        { " 1", false, 0 },
        { "1a", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t v = 0;

        assert_int_equal(
            kappa_str_to_int64(kappa_str_c(cases[i].text), &v), cases[i].ok);
        if (cases[i].ok) {
            assert_true(v == cases[i].value);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(hashes_by_seed),
        cmocka_unit_test(hashes_words),
        cmocka_unit_test(copies_and_prints),
        cmocka_unit_test(finds_invalid_utf8),
        cmocka_unit_test(counts_utf16),
        cmocka_unit_test(reads_integers),
    };
    return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}
