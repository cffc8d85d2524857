#include "t/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "log/event.h"
#include "t/unit/alloc_failing.h"

#define ID "01020304-0506-7008-800a-0b0c0d0e0f10"

static void
writes(void **state)
{
    kappa_event_t event = {
        .id = { 1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 16 },
        .time_ms = 1763634300123,
        .actor_iss = KAPPA_STR("https://a.example"),
        .actor_sub = KAPPA_STR("a\"b"),
        .verb = KAPPA_STR("reported"),
        .thing = KAPPA_STR("Report"),
        .effect = KAPPA_EFFECT_CREATE,
        .key = KAPPA_STR("\"k1\""),
        .data = KAPPA_STR("{\"n\":1}"),
        .row = KAPPA_STR("{\"id\":\"k1\"}"),
    };
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_event_json(&buf, &event, KAPPA_STR("abcdefgh-7"));
    assert_str_equal(kappa_buf_view(&buf),
        "{\"position\":\"abcdefgh-7\",\"id\":\"" ID "\","
        "\"time\":\"2025-11-20T10:25:00.123Z\","
        "\"actor\":{\"iss\":\"https://a.example\",\"sub\":\"a\\\"b\"},"
        "\"thing\":\"Report\",\"verb\":\"reported\",\"key\":\"k1\","
        "\"effect\":\"CREATE\",\"data\":{\"n\":1},\"row\":{\"id\":\"k1\"}}");

    event = (kappa_event_t){ .verb = KAPPA_STR("v"), .thing = KAPPA_STR("T") };
    kappa_buf_reset(&buf);
    kappa_event_json(&buf, &event, KAPPA_STR("abcdefgh-8"));
    assert_str_equal(kappa_buf_view(&buf),
        "{\"position\":\"abcdefgh-8\","
        "\"id\":\"00000000-0000-0000-0000-000000000000\","
        "\"time\":\"1970-01-01T00:00:00.000Z\","
        "\"actor\":{\"iss\":null,\"sub\":null},"
        "\"thing\":\"T\",\"verb\":\"v\",\"key\":null,"
        "\"effect\":\"NONE\",\"data\":null,\"row\":null}");
    kappa_buf_release(&buf);
}

#define TV "\"thing\":\"T\",\"verb\":\"v\""

static void
reads(void **state)
{
    static const struct {
        const char *in, *key, *data, *id; /* NULL: absent */
        int64_t time_ms;
        kappa_effect_t effect;
    } cases[] = {
        { "{" TV "}", NULL, "{}", NULL, KAPPA_EVENT_NO_TIME,
            KAPPA_EFFECT_UNSET },
        { " { " TV " } \r", NULL, "{}", NULL, KAPPA_EVENT_NO_TIME,
            KAPPA_EFFECT_UNSET },
        { "{" TV ",\"key\":\"k\"}", "\"k\"", "{}", NULL, KAPPA_EVENT_NO_TIME,
            KAPPA_EFFECT_UNSET },
        { "{" TV ",\"key\":\"\\u006b\\/\"}", "\"k/\"", "{}", NULL,
            KAPPA_EVENT_NO_TIME, KAPPA_EFFECT_UNSET },
        { "{" TV ",\"key\":[ \"a\", 7 ]}", "[\"a\",7]", "{}", NULL,
            KAPPA_EVENT_NO_TIME, KAPPA_EFFECT_UNSET },
        { "{" TV ",\"key\":[true, 1.50]}", "[true,1.5]", "{}", NULL,
            KAPPA_EVENT_NO_TIME, KAPPA_EFFECT_UNSET },
        { "{" TV ",\"key\":-7}", "-7", "{}", NULL, KAPPA_EVENT_NO_TIME,
            KAPPA_EFFECT_UNSET },
        { "{\"data\": {\"a\" : [1.0,\"}\\\"{\"]} ," TV "}", NULL,
            "{\"a\" : [1.0,\"}\\\"{\"]}", NULL, KAPPA_EVENT_NO_TIME,
            KAPPA_EFFECT_UNSET },
        { "{\"d\\u0061ta\":{}, " TV "}", NULL, "{}", NULL, KAPPA_EVENT_NO_TIME,
            KAPPA_EFFECT_UNSET },
        { "{" TV ",\"id\":\"01020304-0506-7008-800A-0B0C0D0E0F10\"}", NULL,
            "{}", ID, KAPPA_EVENT_NO_TIME, KAPPA_EFFECT_UNSET },
        { "{" TV ",\"time\":\"1970-01-01T01:00:00.5+01:00\"}", NULL, "{}",
            NULL, 500, KAPPA_EFFECT_UNSET },
        { "{" TV ",\"effect\":\"NONE\"}", NULL, "{}", NULL,
            KAPPA_EVENT_NO_TIME, KAPPA_EFFECT_NONE },
        { "{" TV ",\"effect\":\"DELETE\"}", NULL, "{}", NULL,
            KAPPA_EVENT_NO_TIME, KAPPA_EFFECT_DELETE },
        { "{" TV ",\"position\":7,\"actor\":\"x\",\"row\":[[[]]]}", NULL, "{}",
            NULL, KAPPA_EVENT_NO_TIME, KAPPA_EFFECT_UNSET },
        { "{" TV ",\"key\":null,\"data\":null,\"id\":null,\"time\":null,"
          "\"effect\":null}",
            NULL, "{}", NULL, KAPPA_EVENT_NO_TIME, KAPPA_EFFECT_UNSET },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_event_t out;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (kappa_event_parse_json(arena, kappa_str_c(cases[i].in), &out, NULL)
            != KAPPA_OK) {
            fail_msg("refused: %s", cases[i].in);
        }
        assert_str_equal(out.thing, "T");
        assert_str_equal(out.verb, "v");
        assert_true(kappa_str_eq_c(out.key, cases[i].key));
        assert_str_equal(out.data, cases[i].data);
        assert_true(kappa_str_eq_c(out.idempotency_key, cases[i].id));
        assert_int_equal(out.time_ms, cases[i].time_ms);
        assert_int_equal(out.effect, cases[i].effect);
    }
    kappa_arena_destroy(arena);
}

static void
refuses(void **state)
{
    static const struct {
        const char *in, *message; /* a part of it */
    } cases[] = {
        { "", "not JSON" },
        { "{", "not JSON" },
        { "[]", "must be a JSON object" },
        { "null", "must be a JSON object" },
        { "{}", "needs \"thing\" and \"verb\"" },
        { "{\"thing\":\"T\"}", "needs \"thing\" and \"verb\"" },
        { "{\"verb\":\"v\",\"thing\":null}", "needs \"thing\" and \"verb\"" },
        { "{\"thing\":\"\",\"verb\":\"v\"}", "\"thing\" must be a string" },
        { "{\"thing\":\"T\",\"verb\":1}", "\"verb\" must be a string" },
        { "{" TV ",\"key\":[]}", "\"key\" must be" },
        { "{" TV ",\"key\":[[\"a\"]]}", "\"key\" must be" },
        { "{" TV ",\"key\":[null]}", "\"key\" must be" },
        { "{" TV ",\"key\":{}}", "\"key\" must be" },
        { "{" TV ",\"id\":\"x\"}", "\"id\" must be a UUID" },
        { "{" TV ",\"id\":1}", "\"id\" must be a UUID" },
        { "{" TV ",\"time\":\"yesterday\"}", "\"time\" must be" },
        { "{" TV ",\"time\":0}", "\"time\" must be" },
        { "{" TV ",\"effect\":\"create\"}", "\"effect\" must be" },
        { "{" TV ",\"effect\":\"UNSET\"}", "\"effect\" must be" },
        { "{" TV ",\"data\":[]}", "\"data\" must be an object" },
        { "{" TV ",\"data\":\"{}\"}", "\"data\" must be an object" },
        { "{" TV ",\"Data\":{}}", "\"Data\" is no member of an event" },
        { "{" TV "," TV "}", "duplicate" },
        { "{" TV "} {}", "not JSON" },
        { "{" TV ",\"data\":{\"a\":tru}}", " (column 39)" },
        { "{" TV ",\"id\":\"00000000-0000-0000-0000-000000000000\"}",
            "not that of zeros" },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_event_t out;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_errors_t errors;

        kappa_errors_init(&errors, arena, 0);
        if (kappa_event_parse_json(
                arena, kappa_str_c(cases[i].in), &out, &errors)
            != KAPPA_INVALID) {
            fail_msg("accepted: %s", cases[i].in);
        }
        assert_int_equal(errors.count, 1);
        assert_string_equal(errors.first->code, "BAD_USER_INPUT");
        if (strstr(errors.first->message.data, cases[i].message) == NULL) {
            fail_msg(
                "\"%s\" says: %s", cases[i].in, errors.first->message.data);
        }
    }
    kappa_arena_destroy(arena);
}

static void
bounds_what_it_reads(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    size_t len = KAPPA_EVENT_LINE_MAX + 1;
    char *line = malloc(len);
    kappa_event_t out;

    (void)state;
    memset(line, '[', len);
    assert_int_equal(
        kappa_event_parse_json(arena, kappa_str(line, len), &out, NULL),
        KAPPA_LIMIT);
    assert_int_equal(
        kappa_event_parse_json(arena, kappa_str(line, 100000), &out, NULL),
        KAPPA_INVALID);
    free(line);
    kappa_arena_destroy(arena);
}

/* What is written can be read, and gives the same event. */
static void
what_is_written_is_read(void **state)
{
    static const char line[] =
        "{\"position\":\"abcdefgh-7\",\"id\":\"" ID "\","
        "\"time\":\"2025-11-20T10:25:00.123Z\","
        "\"actor\":{\"iss\":null,\"sub\":null},"
        "\"thing\":\"T\",\"verb\":\"v\",\"key\":[\"a\",\"b\"],"
        "\"effect\":\"PATCH\",\"data\":{\"n\":1.50},\"row\":null}";
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_event_t event;
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    assert_int_equal(
        kappa_event_parse_json(arena, kappa_str_c(line), &event, NULL),
        KAPPA_OK);
    kappa_event_json(&buf, &event, KAPPA_STR("abcdefgh-7"));
    assert_str_equal(kappa_buf_view(&buf), line);
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes),
        cmocka_unit_test(reads),
        cmocka_unit_test(refuses),
        cmocka_unit_test(bounds_what_it_reads),
        cmocka_unit_test(what_is_written_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
