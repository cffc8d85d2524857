#include "t/unit/test.h"

#include "proto/websocket.h"

typedef struct {
    char text[256];
    int messages;
    bool binary;
} heard_t;

static void
hear(void *ctx, kappa_str_t text, bool binary)
{
    heard_t *heard = ctx;

    assert_true(text.len < sizeof(heard->text));
    memcpy(heard->text, text.data, text.len);
    heard->text[text.len] = '\0';
    heard->messages++;
    heard->binary = binary;
}

static kappa_websocket_t *
open_socket(heard_t *heard)
{
    kappa_websocket_options_t options = {
        .message = hear, .ctx = heard, .max_message = 200
    };

    memset(heard, 0, sizeof(*heard));
    return kappa_websocket_create(&kappa_alloc_libc, &options);
}

/* A client's frame: masked, with the mask 1 2 3 4. */
static kappa_str_t
frame(uint8_t first, const char *payload, size_t len)
{
    static uint8_t bytes[512];
    size_t n = 0;

    bytes[n++] = first;
    if (len < 126) {
        bytes[n++] = (uint8_t)(0x80 | len);
    } else {
        bytes[n++] = 0x80 | 126;
        bytes[n++] = (uint8_t)(len >> 8);
        bytes[n++] = (uint8_t)len;
    }
    for (uint8_t m = 1; m <= 4; m++) {
        bytes[n++] = m;
    }
    for (size_t i = 0; i < len; i++) {
        bytes[n++] = (uint8_t)payload[i] ^ (uint8_t)(1 + i % 4);
    }
    return kappa_str((char *)bytes, n);
}

static void
shakes_hands(void **state)
{
    char out[KAPPA_WEBSOCKET_ACCEPT_CHARS];

    (void)state;
    /* The example of RFC 6455, section 1.3. */
    assert_true(
        kappa_websocket_accept(KAPPA_STR("dGhlIHNhbXBsZSBub25jZQ=="), out));
    assert_memory_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", sizeof(out));
    assert_false(kappa_websocket_accept(KAPPA_STR(""), out));
    assert_false(
        kappa_websocket_accept(KAPPA_STR("dGhlIHNhbXBsZSBub25jZQ="), out));
    assert_false(
        kappa_websocket_accept(KAPPA_STR("dGhlIHNhbXBsZSBub25jZXo="), out));
    assert_false(
        kappa_websocket_accept(KAPPA_STR("!!!!IHNhbXBsZSBub25jZQ=="), out));

    assert_true(kappa_websocket_token(
        KAPPA_STR("keep-alive, Upgrade"), KAPPA_STR("upgrade")));
    assert_false(kappa_websocket_token(
        KAPPA_STR("keep-alive,Upgraded"), KAPPA_STR("upgrade")));
    assert_false(kappa_websocket_token(KAPPA_STR(""), KAPPA_STR("x")));
}

static void
reads_messages_however_they_are_cut(void **state)
{
    heard_t heard;
    kappa_websocket_t *ws = open_socket(&heard);
    char long_text[180];

    (void)state;
    memset(long_text, 'x', sizeof(long_text));
    kappa_str_t bytes = frame(0x81, long_text, sizeof(long_text));
    for (size_t i = 0; i < bytes.len; i++) {
        assert_int_equal(
            kappa_websocket_feed(ws, kappa_str(bytes.data + i, 1)), KAPPA_OK);
    }
    assert_int_equal(heard.messages, 1);
    assert_int_equal(strlen(heard.text), sizeof(long_text));

    /* Fragments, a ping between them. */
    kappa_websocket_feed(ws, frame(0x01, "Hel", 3));
    kappa_websocket_feed(ws, frame(0x89, "p", 1));
    kappa_websocket_feed(ws, frame(0x80, "lo", 2));
    assert_int_equal(heard.messages, 2);
    assert_string_equal(heard.text, "Hello");

    kappa_buf_t out;
    kappa_buf_init(&out, &kappa_alloc_libc);
    assert_int_equal(kappa_websocket_output(ws, &out), KAPPA_OK);
    assert_str_equal(kappa_buf_view(&out), "\x8a\x01p");
    kappa_buf_release(&out);
    kappa_websocket_destroy(ws);
}

static void
writes_messages_and_close(void **state)
{
    heard_t heard;
    kappa_websocket_t *ws = open_socket(&heard);
    kappa_buf_t out;

    (void)state;
    kappa_buf_init(&out, &kappa_alloc_libc);
    assert_int_equal(kappa_websocket_send(ws, KAPPA_STR("hi")), KAPPA_OK);
    assert_int_equal(kappa_websocket_output(ws, &out), KAPPA_OK);
    assert_int_equal(out.len, 4);
    assert_int_equal(
        kappa_websocket_close(ws, 4400, KAPPA_STR("no")), KAPPA_OK);
    assert_int_equal(kappa_websocket_send(ws, KAPPA_STR("late")), KAPPA_OK);
    assert_int_equal(kappa_websocket_output(ws, &out), KAPPA_OK);
    assert_int_equal(out.len, 4 + 6);
    assert_memory_equal(out.data, "\x81\x02hi", 4);
    assert_memory_equal(out.data + out.len - 4, "\x11\x30no", 4);
    assert_false(kappa_websocket_closed(ws));
    kappa_websocket_feed(ws, frame(0x88, "\x11\x30", 2));
    assert_true(kappa_websocket_closed(ws));
    kappa_buf_release(&out);
    kappa_websocket_destroy(ws);
}

/* Who said what when it ended. */
static void
tells_the_close_code(void **state)
{
    static const struct {
        uint16_t ours; /* 0: none */
        const char *theirs;
        size_t len; /* 0: no frame at all */
        uint16_t code;
    } cases[] = {
        { 0, NULL, 0, 1006 },
        { 4400, NULL, 0, 4400 },
        { 4400, "\x03\xe8", 2, 4400 },
        { 0, "\x03\xe8", 2, 1000 },
        { 0, "\x11\x30", 2, 4400 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        heard_t heard;
        kappa_websocket_t *ws = open_socket(&heard);
        kappa_buf_t out;

        kappa_buf_init(&out, &kappa_alloc_libc);
        if (cases[i].ours) {
            kappa_websocket_close(ws, cases[i].ours, KAPPA_STR("no"));
            kappa_websocket_output(ws, &out);
        }
        if (cases[i].len) {
            kappa_websocket_feed(
                ws, frame(0x88, cases[i].theirs, cases[i].len));
            kappa_websocket_output(ws, &out);
        }
        assert_int_equal(kappa_websocket_close_code(ws), cases[i].code);
        kappa_buf_release(&out);
        kappa_websocket_destroy(ws);
    }
}

/* What breaks the protocol is closed with the code that says so. */
static void
closes_broken_connections(void **state)
{
    static char big[201];
    static const struct {
        uint8_t first;
        const char *payload;
        size_t len;
        unsigned code;
    } cases[] = {
        { 0x81, "\xff\xfe", 2, 1007 },    /* no UTF-8 */
        { 0x81, big, sizeof(big), 1009 }, /* too big */
        { 0xc1, "a", 1, 1002 },           /* a reserved bit */
        { 0x83, "a", 1, 1002 },           /* an unknown opcode */
        { 0x80, "a", 1, 1002 },           /* a continuation of nothing */
        /* libwslay gives no code for these two */
        { 0x09, "a", 1, 0 },    /* a fragmented ping */
        { 0x88, "\x03", 1, 0 }, /* a close of one byte */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        heard_t heard;
        kappa_websocket_t *ws = open_socket(&heard);
        kappa_buf_t out;

        kappa_buf_init(&out, &kappa_alloc_libc);
        kappa_status_t status = kappa_websocket_feed(
            ws, frame(cases[i].first, cases[i].payload, cases[i].len));
        if (status != KAPPA_DONE) {
            fail_msg("case %zu: status %d", i, status);
        }
        assert_int_equal(kappa_websocket_output(ws, &out), KAPPA_OK);
        assert_int_equal(heard.messages, 0);
        unsigned code = out.len < 4
            ? 0
            : (unsigned)((uint8_t)out.data[2] << 8 | (uint8_t)out.data[3]);
        if ((uint8_t)out.data[0] != 0x88 || code != cases[i].code) {
            fail_msg("case %zu: code %u", i, code);
        }
        kappa_buf_release(&out);
        kappa_websocket_destroy(ws);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shakes_hands),
        cmocka_unit_test(reads_messages_however_they_are_cut),
        cmocka_unit_test(writes_messages_and_close),
        cmocka_unit_test(tells_the_close_code),
        cmocka_unit_test(closes_broken_connections),
    };

    return cmocka_run_group_tests_name("proto/websocket", tests, NULL, NULL);
}
