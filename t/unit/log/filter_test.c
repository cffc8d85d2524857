#include "t/unit/test.h"

#include "log/filter.h"
#include "t/unit/alloc_failing.h"

static kappa_arena_t *arena;

static int
set_up(void **state)
{
    (void)state;
    arena = kappa_arena_create(&kappa_alloc_libc, 0);
    return arena == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    kappa_arena_destroy(arena);
    return 0;
}

static void
finds_keys_however_they_are_given(void **state)
{
    static const struct {
        const char *given;
        const char *key; /* in the log */
        bool found;
    } cases[] = {
        { "bash", "\"bash\"", true },
        { "\"bash\"", "\"bash\"", true },
        { "bash", "\"Bash\"", false },
        { "", "\"\"", true },
        { "a \"b\"", "\"a \\\"b\\\"\"", true },
        { "\"a \\\"b\\\"\"", "\"a \\\"b\\\"\"", true },
        { "\"a\\u0062\"", "\"ab\"", true },
        { "caf\xc3\xa9", "\"caf\xc3\xa9\"", true },
        { "5", "5", true },
        { "5", "\"5\"", true },
        { "\"5\"", "5", false },
        { "05", "\"05\"", true },
        { "05", "5", false },
        { "true", "\"true\"", true },
        { "null", "\"null\"", true },
        { "[\"x\", \"y\"]", "[\"x\",\"y\"]", true },
        { "[\"x\", 5]", "[\"x\",5]", true },
        { "[\"x\", \"5\"]", "[\"x\",5]", false },
        { "[\"\\u0078\"]", "[\"x\"]", true },
        { "[x", "\"[x\"", true },
        { "\"[\\\"x\\\"]\"", "\"[\\\"x\\\"]\"", true },
        { "{\"a\":1}", "\"{\\\"a\\\":1}\"", true },
        { "bash", NULL, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_filter_t filter = { .key_count = 0 };
        kappa_event_t event = { .key = kappa_str_c(cases[i].key) };

        assert_int_equal(
            kappa_filter_key(arena, kappa_str_c(cases[i].given), &filter),
            KAPPA_OK);
        if (kappa_filter_wants(&filter, &event) != cases[i].found) {
            fail_msg("%s and %s", cases[i].given, cases[i].key);
        }
    }
}

static void
refuses_what_is_no_text(void **state)
{
    kappa_filter_t filter = { .key_count = 0 };

    (void)state;
    assert_int_equal(
        kappa_filter_key(arena, KAPPA_STR("a\xff"), &filter), KAPPA_INVALID);
    assert_int_equal(filter.key_count, 0);
}

static void
all_that_is_given_must_hold(void **state)
{
    static const struct {
        const char *thing, *verb, *key;
        bool wanted;
    } cases[] = {
        { NULL, NULL, NULL, true },
        { "T", NULL, NULL, true },
        { "t", NULL, NULL, false },
        { "T", "v", "k", true },
        { "T", "w", "k", false },
        { "T", "v", "l", false },
        { "", NULL, NULL, false },
    };
    const kappa_event_t event = { .thing = KAPPA_STR("T"),
        .verb = KAPPA_STR("v"),
        .key = KAPPA_STR("\"k\"") };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_filter_t filter = { .thing = kappa_str_c(cases[i].thing),
            .verb = kappa_str_c(cases[i].verb) };

        if (cases[i].key != NULL) {
            assert_int_equal(
                kappa_filter_key(arena, kappa_str_c(cases[i].key), &filter),
                KAPPA_OK);
        }
        assert_int_equal(kappa_filter_wants(&filter, &event), cases[i].wanted);
    }
}

static kappa_status_t
set_key(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *own = kappa_arena_create(alloc, 0);
    kappa_filter_t filter = { .key_count = 0 };

    if (own == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = kappa_filter_key(own, KAPPA_STR("5"), &filter);
    kappa_arena_destroy(own);
    (void)ctx;
    return status;
}

static void
says_when_there_is_no_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(set_key, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_keys_however_they_are_given),
        cmocka_unit_test(refuses_what_is_no_text),
        cmocka_unit_test(all_that_is_given_must_hold),
        cmocka_unit_test(says_when_there_is_no_memory),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
