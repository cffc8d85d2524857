#include "t/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "t/unit/alloc_failing.h"
#include "t/unit/torture.h"

static void
reads(void **state)
{
    static const struct {
        const char *inside, *text; /* NULL: refused */
    } cases[] = {
        { "", "" },
        { "plain", "plain" },
        { "\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t" },
        { "\\u0041\\u00e4\\u20AC", "A\xc3\xa4\xe2\x82\xac" },
        { "\\ud83d\\ude00!", "\xf0\x9f\x98\x80!" },
        { "\xc3\xa4", "\xc3\xa4" },
        { "\\", NULL },
        { "\\x41", NULL },
        { "\\u12", NULL },
        { "\\u12g4", NULL },
        { "\\u0000", NULL },
        { "\\ud83d", NULL },
        { "\\ud83dx", NULL },
        { "\\ud83d\\n", NULL },
        { "\\ud83d\\u0041", NULL },
        { "\\ude00", NULL },
        { "a\"b", NULL },
        { "a\nb", NULL },
        { "\xff", NULL },
        { "\xed\xa0\x80", NULL },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_str_t out = KAPPA_STR_NULL;
        kappa_status_t status =
            kappa_json_text(arena, kappa_str_c(cases[i].inside), &out);

        assert_int_equal(status, cases[i].text ? KAPPA_OK : KAPPA_INVALID);
        if (cases[i].text != NULL) {
            assert_str_equal(out, cases[i].text);
        }
    }
    kappa_arena_destroy(arena);
}

/* The same as jansson, on pieces that are put together at random. */
static void
agrees_with_the_parser(void **state)
{
    static const char *const pieces[] = { "a", "\\", "\\n", "\\u00e4",
        "\\ud83d", "\\ude00", "\\u0000", "\xc3", "\xa4", "\xf0\x9f",
        "\x98\x80", "\"", "/", "\\/", "\t", "u", "d83d", "\x7f" };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    unsigned seed = (unsigned)kappa_test_seed();
    int valid = 0;

    (void)state;
    srandom(seed);
    for (int i = 0; i < 20000; i++) {
        char text[64] = "\"";
        kappa_value_t v;
        kappa_str_t out;

        for (long n = random() % 6; n > 0; n--) {
            strcat(text, pieces[(size_t)random() % COUNT(pieces)]);
        }
        strcat(text, "\"");
        kappa_str_t all = kappa_str_c(text);
        kappa_status_t expected = kappa_json_parse(arena, all, &v, NULL);
        kappa_status_t status =
            kappa_json_text(arena, kappa_str(all.data + 1, all.len - 2), &out);

        if (status != expected) {
            fail_msg("%s: %d, not %d", text, status, expected);
        }
        if (status == KAPPA_OK) {
            valid++;
            assert_true(kappa_str_eq(out, v.as.string));
        }
        kappa_arena_reset(arena);
    }
    assert_true(valid > 100);
    kappa_arena_destroy(arena);
}

/* Each byte at each place of texts of each length: sixteen are looked at at
 * once. */
static void
sees_every_byte(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    char text[40];

    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        for (size_t at = 0; at < len; at++) {
            for (int c = 0; c < 256; c++) {
                bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
                kappa_str_t out;

                memset(text, 'x', len);
                text[at] = (char)c;
                kappa_status_t status =
                    kappa_json_text(arena, kappa_str(text, len), &out);
                assert_int_equal(status, plain ? KAPPA_OK : KAPPA_INVALID);
                if (plain) {
                    assert_true(kappa_str_eq(out, kappa_str(text, len)));
                    assert_int_equal(out.data[len], '\0');
                }
                kappa_arena_reset(arena);
            }
        }
    }
    kappa_arena_destroy(arena);
}

static kappa_status_t
read_one(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *arena = kappa_arena_create(alloc, 32);
    kappa_status_t status = KAPPA_NOMEM;
    kappa_str_t out;

    (void)ctx;
    if (arena != NULL) {
        status = kappa_json_text(
            arena, KAPPA_STR("some text that needs more room\\n"), &out);
    }
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_no_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(read_one, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(agrees_with_the_parser),
        cmocka_unit_test(sees_every_byte),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests_name("base/json_text", tests, NULL, NULL);
}
