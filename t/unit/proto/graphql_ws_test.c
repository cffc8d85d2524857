#include "t/unit/test.h"

#include "base/json.h"
#include "proto/graphql_ws.h"
#include "t/unit/alloc_failing.h"

static kappa_status_t
parse(kappa_arena_t *arena, const char *text, kappa_ws_message_t *out,
    kappa_str_t *reason)
{
    *reason = KAPPA_STR_NULL;
    return kappa_ws_parse(arena, kappa_str_c(text), out, reason);
}

static void
reads_messages(void **state)
{
    static const struct {
        const char *text;
        kappa_ws_type_t type;
        const char *id;
        const char *query;
    } cases[] = {
        { "{\"type\":\"connection_init\"}", KAPPA_WS_INIT, "", "" },
        { "{\"type\":\"connection_init\",\"payload\":{\"a\":1}}",
            KAPPA_WS_INIT, "", "" },
        { "{\"type\":\"ping\",\"payload\":null}", KAPPA_WS_PING, "", "" },
        { "{\"type\":\"pong\"}", KAPPA_WS_PONG, "", "" },
        { "{\"id\":\"1\",\"type\":\"complete\"}", KAPPA_WS_COMPLETE, "1", "" },
        { "{\"id\":\"x\",\"type\":\"subscribe\",\"payload\":{\"query\":"
          "\"{a}\",\"variables\":{},\"operationName\":null}}",
            KAPPA_WS_SUBSCRIBE, "x", "{a}" },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kappa_ws_message_t message;
        kappa_str_t reason;

        assert_int_equal(
            parse(arena, cases[i].text, &message, &reason), KAPPA_OK);
        assert_int_equal(message.type, cases[i].type);
        assert_str_equal(message.id, cases[i].id);
        assert_str_equal(message.params.query, cases[i].query);
    }
    kappa_arena_destroy(arena);
}

static void
refuses_what_is_no_message(void **state)
{
    static const char *const cases[] = {
        "",
        "{",
        "[]",
        "1",
        "{}",
        "{\"type\":1}",
        "{\"type\":\"next\"}",
        "{\"type\":\"subscribe\",\"payload\":{\"query\":\"{a}\"}}",
        "{\"id\":\"\",\"type\":\"complete\"}",
        "{\"id\":1,\"type\":\"complete\"}",
        "{\"id\":\"1\",\"type\":\"subscribe\"}",
        "{\"id\":\"1\",\"type\":\"subscribe\",\"payload\":[]}",
        "{\"id\":\"1\",\"type\":\"subscribe\",\"payload\":{}}",
        "{\"id\":\"1\",\"type\":\"subscribe\",\"payload\":{\"query\":1}}",
        "{\"id\":\"1\",\"type\":\"subscribe\",\"payload\":{\"query\":\"{a}\","
        "\"variables\":1}}",
        "{\"type\":\"connection_init\",\"payload\":1}",
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kappa_ws_message_t message;
        kappa_str_t reason;

        if (parse(arena, cases[i], &message, &reason) != KAPPA_INVALID
            || reason.len == 0) {
            fail_msg("%s", cases[i]);
        }
    }
    kappa_arena_destroy(arena);
}

static void
writes_messages(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_value_t none = { .kind = KAPPA_UNSET };
    kappa_errors_t errors;
    kappa_buf_t buf;

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    kappa_errors_add(&errors, "FORBIDDEN", "no");
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_ws_ack(&buf);
    kappa_ws_ping(&buf);
    kappa_ws_pong(&buf, &none);
    kappa_ws_next(&buf, KAPPA_STR("a\"b"), KAPPA_STR("{\"data\":null}"));
    kappa_ws_complete(&buf, KAPPA_STR("1"));
    assert_str_equal(kappa_buf_view(&buf),
        "{\"type\":\"connection_ack\"}{\"type\":\"ping\"}{\"type\":\"pong\"}"
        "{\"id\":\"a\\\"b\",\"type\":\"next\",\"payload\":{\"data\":null}}"
        "{\"id\":\"1\",\"type\":\"complete\"}");
    kappa_buf_reset(&buf);
    kappa_ws_error(&buf, KAPPA_STR("1"), &errors);
    assert_str_equal(kappa_buf_view(&buf),
        "{\"id\":\"1\",\"type\":\"error\",\"payload\":[{\"message\":\"no\","
        "\"extensions\":{\"code\":\"FORBIDDEN\"}}]}");
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_messages),
        cmocka_unit_test(refuses_what_is_no_message),
        cmocka_unit_test(writes_messages),
    };

    return cmocka_run_group_tests_name("proto/graphql_ws", tests, NULL, NULL);
}
