#include "t/unit/test.h"

#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "t/unit/alloc_failing.h"
#include "t/unit/torture.h"

static void
round_trips(void **state)
{
    static const struct {
        const char *in, *out; /* out NULL: as in */
    } cases[] = {
        { "null", NULL },
        { "true", NULL },
        { " [ 1 , -2 ] ", "[1,-2]" },
        { "9223372036854775807", NULL },
        { "-9223372036854775808", NULL },
        { "1.0", "1" },
        { "2.50", "2.5" },
        { "\"\\u00e4\\ud83d\\ude00\"", "\"\xc3\xa4\xf0\x9f\x98\x80\"" },
        { "\"\\/\\b\\f\\n\\r\\t\\\\\\\"\"", "\"/\\b\\f\\n\\r\\t\\\\\\\"\"" },
        { "\"\\u0001\\u001f\\u007f\"", "\"\\u0001\\u001f\x7f\"" },
        { "{\"b\":1,\"a\":{\"\":[]}}", NULL },
        { "[]", NULL },
        { "{}", NULL },
        { "\"\"", NULL },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *out = cases[i].out ? cases[i].out : cases[i].in;
        kappa_value_t v;

        assert_int_equal(
            kappa_json_parse(arena, kappa_str_c(cases[i].in), &v, NULL),
            KAPPA_OK);
        kappa_buf_reset(&buf);
        kappa_json_value(&buf, &v);
        assert_str_equal(kappa_buf_view(&buf), out);
    }
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

static void
refuses(void **state)
{
    static const struct {
        const char *in, *message; /* NULL: any */
    } cases[] = {
        { "", NULL },
        { "{", NULL },
        { "[1,]", NULL },
        { "{\"a\":1} x", NULL },
        { "{a:1}", NULL },
        { "'a'", NULL },
        { "nul", NULL },
        { "01", NULL },
        { "1.", NULL },
        { "NaN", NULL },
        { "1e999", NULL },
        { "9223372036854775808", NULL },
        { "-9223372036854775809", NULL },
        { "\"\\u0000\"", NULL },
        { "{\"\\u0000\":1}", NULL },
        { "\"\\ud800\"", NULL },
        { "\"\xff\"", NULL },
        { "\"\xed\xa0\x80\"", NULL },
        { "\"a\nb\"", NULL },
        { "{\"a\":1,\n\"a\":2}",
            "duplicate object key near '\"a\"' (line 2, column 3)" },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_str_t message = KAPPA_STR_NULL;
        kappa_value_t v;
        kappa_status_t status =
            kappa_json_parse(arena, kappa_str_c(cases[i].in), &v, &message);

        if (status != KAPPA_INVALID) {
            fail_msg("accepted: %s", cases[i].in);
        }
        assert_true(message.len > 0);
        assert_int_equal(kappa_utf8_valid(message), message.len);
        if (cases[i].message != NULL) {
            assert_str_equal(message, cases[i].message);
        }
    }
    kappa_arena_destroy(arena);
}

static kappa_status_t
parse_nested(int depth, kappa_str_t *message, kappa_arena_t *arena)
{
    char *text = kappa_arena_bytes(arena, (size_t)depth * 2);
    kappa_value_t v;

    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    return kappa_json_parse(
        arena, kappa_str(text, (size_t)depth * 2), &v, message);
}

static void
bounds_depth(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_str_t message;

    (void)state;
    assert_int_equal(parse_nested(128, &message, arena), KAPPA_OK);
    assert_int_equal(parse_nested(129, &message, arena), KAPPA_INVALID);
    assert_str_equal(message, "nested deeper than 128 levels");
    assert_int_equal(parse_nested(100000, &message, arena), KAPPA_INVALID);
    kappa_arena_destroy(arena);
}

static void
writes_doubles(void **state)
{
    static const struct {
        double d;
        const char *text;
    } cases[] = {
        { 0.0, "0" },
        { -0.0, "0" },
        { 1.0, "1" },
        { -1.5, "-1.5" },
        { 0.1, "0.1" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1e15, "1000000000000000" },
        { 123456789012345680.0, "123456789012345680" },
        { 1e21, "1e+21" },
        { 1e20, "1e+20" },
        { 1e18, "1e+18" },
        { 1.25e17, "125000000000000000" },
        { -1.25e+30, "-1.25e+30" },
        { 0.000001, "0.000001" },
        { 0.00000123, "0.00000123" },
        { 1e-7, "1e-7" },
        { 5e-324, "5e-324" },
        { 2.2250738585072014e-308, "2.2250738585072014e-308" },
        { 1.7976931348623157e308, "1.7976931348623157e+308" },
        { NAN, "null" },
        { INFINITY, "null" },
        { -INFINITY, "null" },
    };
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_buf_reset(&buf);
        kappa_json_double(&buf, cases[i].d);
        assert_str_equal(kappa_buf_view(&buf), cases[i].text);
    }
    kappa_buf_release(&buf);
}

static void
doubles_read_back(void **state)
{
    unsigned seed = (unsigned)kappa_test_seed();
    kappa_buf_t buf;

    (void)state;
    srandom(seed);
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = (uint64_t)random() << 42 ^ (uint64_t)random() << 21
            ^ (uint64_t)random();
        double d;

        memcpy(&d, &bits, sizeof(d));
        if (!isfinite(d)) {
            continue;
        }
        kappa_buf_reset(&buf);
        kappa_json_double(&buf, d);
        kappa_buf_char(&buf, '\0');
        assert_true(strtod(buf.data, NULL) == d);
    }
    kappa_buf_release(&buf);
}

static void
writes_other_kinds(void **state)
{
    const kappa_member_t members[] = {
        { KAPPA_STR("big"), kappa_bigint(-5) },
        { KAPPA_STR("unset"), { 0 } },
        { KAPPA_STR("time"), kappa_time(1) },
        { KAPPA_STR("row"), { .kind = KAPPA_ROW } },
    };
    kappa_value_t v = {
        .kind = KAPPA_OBJECT, .count = COUNT(members), .as.members = members
    };
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_json_value(&buf, &v);
    assert_str_equal(kappa_buf_view(&buf),
        "{\"big\":\"-5\",\"time\":\"1970-01-01T00:00:00.001Z\","
        "\"row\":null}");
    kappa_buf_release(&buf);
}

static void
writes_errors(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_source_t source = { KAPPA_STR("f"), KAPPA_STR("ab") };
    kappa_errors_t errors;
    kappa_buf_t buf;

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_json_errors(&buf, &errors);
    assert_str_equal(kappa_buf_view(&buf), "[]");
    kappa_error_t *e = kappa_errors_add(&errors, "PARSE_FAILED", "a \"b\"");
    kappa_error_at(&errors, e, &source, 0);
    kappa_error_at(&errors, e, &source, 1);
    kappa_errors_add(&errors, NULL, "c");
    kappa_buf_reset(&buf);
    kappa_json_errors(&buf, &errors);
    assert_str_equal(kappa_buf_view(&buf),
        "[{\"message\":\"a \\\"b\\\"\",\"locations\":[{\"line\":1,"
        "\"column\":1},{\"line\":1,\"column\":2}],\"extensions\":{"
        "\"code\":\"PARSE_FAILED\"}},{\"message\":\"c\"}]");
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

static kappa_status_t
parse_and_write(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *arena = kappa_arena_create(alloc, 64);
    kappa_value_t v;
    kappa_buf_t buf;

    if (arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_buf_init(&buf, alloc);
    kappa_status_t status =
        kappa_json_parse(arena, kappa_str_c(ctx), &v, NULL);
    if (status == KAPPA_OK) {
        kappa_json_value(&buf, &v);
        status = buf.failed ? KAPPA_NOMEM : KAPPA_OK;
    }
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_no_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(parse_and_write,
        "{\"text\":\"a long string that takes room of its own\","
        "\"list\":[1,2.5,{\"x\":[null,true]}],\"e\":{},\"l\":[]}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(refuses),
        cmocka_unit_test(bounds_depth),
        cmocka_unit_test(writes_doubles),
        cmocka_unit_test(doubles_read_back),
        cmocka_unit_test(writes_other_kinds),
        cmocka_unit_test(writes_errors),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
