#include "t/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/json.h"
#include "base/json_plain.h"
#include "t/unit/alloc_failing.h"
#include "t/unit/torture.h"

static void
reads_what_is_plain(void **state)
{
    static const struct {
        const char *text;
        const char *again; /* NULL: not plain */
    } cases[] = {
        { "null", "null" },
        { " true ", "true" },
        { "false", "false" },
        { "0", "0" },
        { "-7", "-7" },
        { "999999999999999999", "999999999999999999" },
        { "-999999999999999999", "-999999999999999999" },
        { "1000000000000000000", NULL },
        { "-0", NULL },
        { "01", NULL },
        { "1.5", NULL },
        { "1e3", NULL },
        { "-", NULL },
        { "+1", NULL },
        { "\"\"", "\"\"" },
        { "\"\xc3\xa4\"", "\"\xc3\xa4\"" },
        { "\"\xc3\"", NULL },
        { "\"a\\nb\\\\\"", "\"a\\nb\\\\\"" },
        { "{\"\\u00e4\":1}", "{\"\xc3\xa4\":1}" },
        { "{\"\\u0061\":1,\"a\":1}", NULL },
        { "\"\\u0000\"", NULL },
        { "\"\\x\"", NULL },
        { "\"a\\\"", NULL },
        { "\"a\nb\"", NULL },
        { "\"a", NULL },
        { "[]", "[]" },
        { "[ ]", "[]" },
        { "[1 , \"b\",[]]", "[1,\"b\",[]]" },
        { "[1,]", NULL },
        { "[,1]", NULL },
        { "[1 2]", NULL },
        { "[1", NULL },
        { "{}", "{}" },
        { "{\"a\":1,\n\"b\" : {\"a\":null} }",
            "{\"a\":1,\"b\":{\"a\":null}}" },
        { "{\"a\":1,\"a\":2}", NULL },
        { "{\"a\":1,}", NULL },
        { "{\"a\"}", NULL },
        { "{a:1}", NULL },
        { "{\"a\":1", NULL },
        { "", NULL },
        { "  ", NULL },
        { "1 1", NULL },
        { "nul", NULL },
        { "nulll", NULL },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_value_t v;
        kappa_status_t status =
            kappa_json_plain(arena, kappa_str_c(cases[i].text), &v);

        if (status != (cases[i].again ? KAPPA_OK : KAPPA_AGAIN)) {
            fail_msg("%s: %d", cases[i].text, status);
        }
        if (cases[i].again) {
            kappa_buf_reset(&buf);
            kappa_json_value(&buf, &v);
            assert_str_equal(kappa_buf_view(&buf), cases[i].again);
        }
    }
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

static void
leaves_what_is_large_to_others(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_value_t v;
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (int depth = 30; depth < 36; depth++) {
        kappa_buf_reset(&buf);
        for (int i = 0; i < 2 * depth; i++) {
            kappa_buf_char(&buf, i < depth ? '[' : ']');
        }
        assert_int_equal(kappa_json_plain(arena, kappa_buf_view(&buf), &v),
            depth <= 32 ? KAPPA_OK : KAPPA_AGAIN);
    }
    for (int members = 60; members < 70; members++) {
        kappa_buf_reset(&buf);
        for (int i = 0; i < members; i++) {
            kappa_buf_printf(&buf, "%c\"m%d\":%d", i ? ',' : '{', i, i);
        }
        kappa_buf_char(&buf, '}');
        assert_int_equal(kappa_json_plain(arena, kappa_buf_view(&buf), &v),
            members <= 64 ? KAPPA_OK : KAPPA_AGAIN);
    }
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

/* Whatever it takes for plain, jansson reads, and as the same. */
static bool
compare(kappa_arena_t *arena, kappa_buf_t *buf, const char *text)
{
    kappa_value_t v;
    kappa_str_t all = kappa_str_c(text);

    if (kappa_json_plain(arena, all, &v) != KAPPA_OK) {
        return false;
    }
    json_t *json = json_loadb(
        text, all.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    if (json == NULL) {
        fail_msg("%s is no JSON", text);
    }
    char *want = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    kappa_buf_reset(buf);
    kappa_json_value(buf, &v);
    assert_str_equal(kappa_buf_view(buf), want);
    free(want);
    json_decref(json);
    return true;
}

static void
agrees_with_jansson(void **state)
{
    static const char *const pieces[] = { "{", "}", "[", "]", ",", ":", " ",
        "\"a\"", "\"b\"", "\"\xc3\xa4\"", "\"", "\\", "1", "-", "0", "12", ".",
        "e", "true", "null", "\x7f", "{\"a\":", "[1,2]", "\xc3",
        "\"\\u00e4\\n\"", "\"\\\\\"", "\"\\ud83d\\ude00\"", "\"\\u0000\"" };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int plain = 0;
    kappa_buf_t buf;

    (void)state;
    srandom((unsigned)kappa_test_seed());
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (uint64_t i = 0; i < kappa_test_rounds(200000, 20000000); i++) {
        char text[128] = "";

        for (long n = random() % 9; n >= 0; n--) {
            strcat(text, pieces[(size_t)random() % COUNT(pieces)]);
        }
        plain += compare(arena, &buf, text);
        kappa_arena_reset(arena);
    }
    assert_true(plain > 1000);
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

/* A value, and what stands behind it. */
static void
reads_what_stands_first(void **state)
{
    static const struct {
        const char *text;
        const char *rest; /* NULL: not plain */
    } cases[] = {
        { "{\"a\":1} , \"b\"", ", \"b\"" },
        { " 1 2", "2" },
        { "\"a\"\"b\"", "\"b\"" },
        { "[] ", "" },
        { "truex", "x" },
        { "1.5", NULL },
        { "[1", NULL },
        { "", NULL },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_str_t text = kappa_str_c(cases[i].text);
        const char *rest = cases[i].rest ? cases[i].rest : cases[i].text;
        kappa_value_t v;

        assert_int_equal(kappa_json_plain_first(arena, &text, &v),
            cases[i].rest ? KAPPA_OK : KAPPA_AGAIN);
        assert_true(kappa_str_eq_c(text, rest));
    }
    kappa_arena_destroy(arena);
}

static kappa_status_t
read_one(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *arena = kappa_arena_create(alloc, 32);
    kappa_status_t status = KAPPA_NOMEM;
    kappa_value_t v;

    if (arena != NULL) {
        status = kappa_json_plain(arena, kappa_str_c(ctx), &v);
    }
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_without_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(read_one,
        (void *)(uintptr_t) "{\"a\":[1,2,3,4,5,6,7,8,9,10],\"b\":{\"c\":"
                            "\"some text\"}}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_plain),
        cmocka_unit_test(leaves_what_is_large_to_others),
        cmocka_unit_test(reads_what_stands_first),
        cmocka_unit_test(agrees_with_jansson),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests_name("base/json_plain", tests, NULL, NULL);
}
