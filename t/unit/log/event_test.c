#define _GNU_SOURCE /* memmem */
#include "t/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "log/event.h"
#include "t/unit/alloc_failing.h"
#include "t/unit/torture.h"

static const kappa_event_t full = {
    .id = { 1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 16 },
    .time_ms = 1763634300123,
    .actor_iss = KAPPA_STR("https://login.example.com"),
    .actor_sub = KAPPA_STR("ann\xc3\xa9"),
    .verb = KAPPA_STR("reported"),
    .thing = KAPPA_STR("Report"),
    .effect = KAPPA_EFFECT_CREATE,
    .traceparent =
        KAPPA_STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    .key = KAPPA_STR("\"k1\""),
    .data = KAPPA_STR("{\"package\":\"bash\",\"n\":\"\\u0001\"}"),
    .row = KAPPA_STR("{\"id\":\"k1\"}"),
    .idempotency_key = KAPPA_STR("retry-1"),
    .idempotency_scope = KAPPA_STR("report"),
    .args_hash = { 0xaa, 0, 0xbb },
};

static const kappa_event_t least = {
    .id = { 0xff },
    .time_ms = -62167219200000, /* 0000-01-01 */
    .verb = KAPPA_STR("v"),
    .thing = KAPPA_STR("T"),
};

static void
assert_same(const kappa_event_t *a, const kappa_event_t *b)
{
    assert_memory_equal(a->id, b->id, KAPPA_UUID_BYTES);
    assert_int_equal(a->time_ms, b->time_ms);
    assert_true(kappa_str_eq(a->actor_iss, b->actor_iss));
    assert_true(kappa_str_eq(a->actor_sub, b->actor_sub));
    assert_true(kappa_str_eq(a->verb, b->verb));
    assert_true(kappa_str_eq(a->thing, b->thing));
    assert_int_equal(a->effect, b->effect);
    assert_true(kappa_str_eq(a->traceparent, b->traceparent));
    assert_int_equal(a->forgotten, b->forgotten);
    assert_true(kappa_str_eq(a->key, b->key));
    assert_true(kappa_str_eq(a->data, b->data));
    assert_true(kappa_str_eq(a->row, b->row));
    assert_true(kappa_str_eq(a->idempotency_key, b->idempotency_key));
    assert_true(kappa_str_eq(a->idempotency_scope, b->idempotency_scope));
    assert_memory_equal(a->args_hash, b->args_hash, KAPPA_ARGS_HASH_BYTES);
}

static kappa_status_t
round_trip(const kappa_alloc_t *alloc, const kappa_event_t *event)
{
    kappa_arena_t *arena = kappa_arena_create(alloc, 64);
    kappa_event_t out;
    kappa_buf_t buf;
    size_t header_bytes = 0;

    if (arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_buf_init(&buf, alloc);
    KAPPA_BUF_LIT(&buf, "before");
    kappa_status_t status = kappa_event_encode(&buf, event, &header_bytes);

    if (status == KAPPA_OK) {
        const char *start = buf.data + 6;

        assert_memory_equal(buf.data, "before", 6);
        status = kappa_event_decode(arena, kappa_str(start, header_bytes),
            kappa_str(start + header_bytes, buf.len - 6 - header_bytes), &out);
    }
    if (status == KAPPA_OK) {
        assert_same(&out, event);
    }
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
    return status;
}

static void
round_trips(void **state)
{
    kappa_event_t event;

    (void)state;
    assert_int_equal(round_trip(&kappa_alloc_libc, &full), KAPPA_OK);
    assert_int_equal(round_trip(&kappa_alloc_libc, &least), KAPPA_OK);
    for (int effect = 0; effect <= KAPPA_EFFECT_DELETE; effect++) {
        event = full;
        event.effect = (kappa_effect_t)effect;
        assert_int_equal(round_trip(&kappa_alloc_libc, &event), KAPPA_OK);
    }
}

static kappa_status_t
run_full(const kappa_alloc_t *alloc, void *ctx)
{
    (void)ctx;
    return round_trip(alloc, &full);
}

static void
survives_want_of_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(run_full, NULL);
}

static void
knows_effects(void **state)
{
    static const char *const names[] = { "NONE", "CREATE", "PUT", "PATCH",
        "UPSERT", "DELETE" };
    kappa_effect_t effect;

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_string_equal(kappa_effect_name((kappa_effect_t)i), names[i]);
        assert_true(kappa_effect_parse(kappa_str_c(names[i]), &effect));
        assert_int_equal(effect, i);
    }
    assert_null(kappa_effect_name(KAPPA_EFFECT_UNSET));
    assert_null(kappa_effect_name((kappa_effect_t)6));
    assert_null(kappa_effect_name((kappa_effect_t)-1));
    assert_false(kappa_effect_parse(KAPPA_STR("create"), &effect));
    assert_false(kappa_effect_parse(KAPPA_STR(""), &effect));
}

static void
checks(void **state)
{
    static char big[KAPPA_EVENT_BYTES_MAX + 1];
    const kappa_str_t long_name = { big, KAPPA_EVENT_NAME_MAX + 1 };
    kappa_event_t event;

    (void)state;
    memset(big, ' ', sizeof(big));
#define CHECK(field, value, expected)                                         \
    event = full;                                                             \
    event.field = (value);                                                    \
    assert_int_equal(kappa_event_check(&event, NULL), expected)
    CHECK(seq, 0, KAPPA_OK);
    CHECK(thing, KAPPA_STR_NULL, KAPPA_INVALID);
    CHECK(verb, KAPPA_STR(""), KAPPA_INVALID);
    CHECK(verb, KAPPA_STR("a\0b"), KAPPA_INVALID);
    CHECK(actor_sub, KAPPA_STR("\xff"), KAPPA_INVALID);
    CHECK(effect, KAPPA_EFFECT_UNSET, KAPPA_INVALID);
    CHECK(effect, (kappa_effect_t)6, KAPPA_INVALID);
    CHECK(time_ms, KAPPA_EVENT_NO_TIME, KAPPA_INVALID);
    CHECK(thing, long_name, KAPPA_LIMIT);
    CHECK(idempotency_key, long_name, KAPPA_LIMIT);
    CHECK(data, kappa_str(big, sizeof(big)), KAPPA_LIMIT);
    CHECK(row, kappa_str(big, SIZE_MAX), KAPPA_LIMIT);
    CHECK(data, kappa_str(big, KAPPA_EVENT_BYTES_MAX / 2), KAPPA_OK);
#undef CHECK
    event = full;
    event.data = event.row = kappa_str(big, KAPPA_EVENT_BYTES_MAX / 2);
    assert_int_equal(kappa_event_check(&event, NULL), KAPPA_LIMIT);
}

static void
the_largest_fits(void **state)
{
    static char big[KAPPA_EVENT_BYTES_MAX];
    kappa_event_t event = full;
    size_t header_bytes;
    kappa_buf_t buf;

    (void)state;
    memset(big, ' ', sizeof(big));
    event.row = KAPPA_STR_NULL;
    event.data.data = big;
    for (size_t less = 0; less < 1024; less++) {
        event.data.len = sizeof(big) - less;
        if (kappa_event_check(&event, NULL) == KAPPA_OK) {
            break;
        }
    }
    kappa_buf_init(&buf, &kappa_alloc_libc);
    assert_int_equal(kappa_event_check(&event, NULL), KAPPA_OK);
    assert_int_equal(
        kappa_event_encode(&buf, &event, &header_bytes), KAPPA_OK);
    assert_true(buf.len <= KAPPA_EVENT_BYTES_MAX);
    kappa_buf_release(&buf);
}

static void
a_forgotten_payload_leaves_the_header(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    size_t header_bytes;
    kappa_event_t out;
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    assert_int_equal(kappa_event_encode(&buf, &full, &header_bytes), KAPPA_OK);
    assert_int_equal(
        kappa_event_decode(
            arena, kappa_str(buf.data, header_bytes), KAPPA_STR_NULL, &out),
        KAPPA_OK);
    assert_true(out.forgotten);
    assert_str_equal(out.verb, "reported");
    assert_null(out.data.data);
    assert_null(out.key.data);
    /* No personal data of the payload stands in the header's bytes. */
    assert_null(memmem(buf.data, header_bytes, "bash", 4));
    assert_null(memmem(buf.data, header_bytes, "retry-1", 7));
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

static void
refuses_what_is_no_event(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        { "", 0 },
        { "\x0a\x01x", 3 },                /* id of one byte */
        { "\x0a\xff\xff\xff\xff\x0f", 6 }, /* over the end */
        { "garbage that is no message", 26 },
        { "\x0a\x10"
          "0123456789abcdef"
          "\x2a\x01v",
            21 }, /* no thing */
        { "\x0a\x10"
          "0123456789abcdef"
          "\x2a\x01v\x32\x01T\x38\x07",
            26 },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_event_t out;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (kappa_event_decode(arena, kappa_str(cases[i].bytes, cases[i].len),
                KAPPA_STR(""), &out)
            != KAPPA_CORRUPT) {
            fail_msg("case %zu", i);
        }
    }
    kappa_arena_destroy(arena);
}

/* Whatever bytes are flipped: an event or KAPPA_CORRUPT, never a crash. */
static void
survives_noise(void **state)
{
    unsigned seed = (unsigned)kappa_test_seed();
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    size_t header_bytes;
    kappa_event_t out;
    kappa_buf_t buf;

    (void)state;
    srand(seed);
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (int i = 0; i < 3000; i++) {
        kappa_buf_reset(&buf);
        assert_int_equal(
            kappa_event_encode(&buf, &full, &header_bytes), KAPPA_OK);
        for (int flips = rand() % 8; flips >= 0; flips--) {
            buf.data[(size_t)rand() % buf.len] ^= (char)(1 << rand() % 8);
        }
        kappa_status_t status = kappa_event_decode(arena,
            kappa_str(buf.data, header_bytes),
            kappa_str(buf.data + header_bytes, buf.len - header_bytes), &out);
        assert_true(status == KAPPA_OK || status == KAPPA_CORRUPT);
        kappa_arena_reset(arena);
    }
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(survives_want_of_memory),
        cmocka_unit_test(knows_effects),
        cmocka_unit_test(checks),
        cmocka_unit_test(the_largest_fits),
        cmocka_unit_test(a_forgotten_payload_leaves_the_header),
        cmocka_unit_test(refuses_what_is_no_event),
        cmocka_unit_test(survives_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
