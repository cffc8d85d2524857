#include "t/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "t/unit/torture.h"
#include "views/key.h"
#include "views/row.h"

static kappa_value_t
any_string(kappa_arena_t *arena)
{
    size_t len = kappa_test_random() % 5;
    char *text = kappa_arena_bytes(arena, len + 1);

    for (size_t i = 0; i < len; i++) {
        static const char alphabet[] = "\x00\x01\x02\x03\x1f\"\\abz\x7f";
        text[i] = alphabet[kappa_test_random() % (sizeof(alphabet) - 1)];
    }
    return kappa_string(kappa_str(text, len));
}

static int64_t
any_integer(void)
{
    switch (kappa_test_random() % 4) {
    case 0:
        return (int64_t)(kappa_test_random() % 5) - 2;
    case 1:
        return kappa_test_random() % 2 ? INT64_MIN : INT64_MAX;
    default:
        return (int64_t)kappa_test_random();
    }
}

static double
any_double(void)
{
    static const double special[] = { 0.0, -0.0, 1e-308, -1e-308, 1e308, 0.5,
        -0.5, 5e-324 };

    return kappa_test_random() % 2
        ? special[kappa_test_random() % COUNT(special)]
        : (double)(int64_t)kappa_test_random() / 1e6;
}

static kappa_value_t
any_value(kappa_arena_t *arena, kappa_column_kind_t kind)
{
    if (kappa_test_random() % 5 == 0) {
        return kappa_null();
    }
    switch (kind) {
    case KAPPA_COLUMN_BOOL:
        return kappa_bool(kappa_test_random() % 2);
    case KAPPA_COLUMN_INT:
        return kappa_int(any_integer());
    case KAPPA_COLUMN_BIGINT:
        return kappa_bigint(any_integer());
    case KAPPA_COLUMN_TIME:
        return kappa_time(
            (int64_t)(kappa_test_random() % UINT64_C(253402300799999)));
    case KAPPA_COLUMN_DOUBLE:
        return kappa_double(any_double());
    default:
        return any_string(arena);
    }
}

#define SIGN(x) ((x) < 0 ? -1 : (x) > 0)

static int
compare(const kappa_value_t *a, const kappa_value_t *b)
{
    if (kappa_is_null(a) || kappa_is_null(b)) {
        return kappa_is_null(b) - kappa_is_null(a);
    }
    switch (a->kind) {
    case KAPPA_BOOL:
        return a->as.boolean - b->as.boolean;
    case KAPPA_DOUBLE:
        return a->as.number < b->as.number ? -1 : a->as.number > b->as.number;
    case KAPPA_STRING:
        return SIGN(kappa_str_cmp(a->as.string, b->as.string));
    default:
        return a->as.integer < b->as.integer ? -1
                                             : a->as.integer > b->as.integer;
    }
}

#define PARTS 3

static void
encode(kappa_key_t *key, const kappa_column_kind_t kinds[PARTS],
    const kappa_value_t values[PARTS])
{
    kappa_key_init(key);
    for (int i = 0; i < PARTS; i++) {
        kappa_key_add_value(key, kinds[i], &values[i]);
    }
    assert_false(key->invalid);
    assert_false(key->over);
}

static int
compare_all(const kappa_value_t *a, const kappa_value_t *b)
{
    int order = 0;

    for (int i = 0; i < PARTS && order == 0; i++) {
        order = compare(&a[i], &b[i]);
    }
    return order;
}

static void
read_back(kappa_arena_t *arena, const kappa_key_t *key,
    const kappa_column_kind_t kinds[PARTS], const kappa_value_t *values)
{
    kappa_str_t rest = kappa_key_str(key);

    for (int i = 0; i < PARTS; i++) {
        kappa_value_t value;

        assert_int_equal(
            kappa_key_take(arena, kinds[i], &rest, &value), KAPPA_OK);
        assert_int_equal(compare(&value, &values[i]), 0);
    }
    assert_int_equal(rest.len, 0);
}

/* What a row holds gives the same key as the value does. */
static void
through_json(const kappa_key_t *key, const kappa_column_kind_t kinds[PARTS],
    const kappa_value_t *values)
{
    kappa_key_t from_json;
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_key_init(&from_json);
    for (int i = 0; i < PARTS; i++) {
        kappa_buf_reset(&buf);
        assert_int_equal(
            kappa_column_json(&buf, kinds[i], &values[i]), KAPPA_OK);
        kappa_key_add_json(&from_json, kinds[i], kappa_buf_view(&buf));
    }
    assert_int_equal(from_json.len, key->len);
    assert_memory_equal(from_json.data, key->data, key->len);
    assert_int_equal(from_json.parts_bytes, key->parts_bytes);
    kappa_buf_release(&buf);
}

static void
bytes_compare_as_values(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    kappa_test_chance(kappa_test_seed());
    for (int n = 0; n < 20000; n++) {
        kappa_column_kind_t kinds[PARTS];
        kappa_value_t a[PARTS], b[PARTS];
        kappa_key_t key_a, key_b;

        kappa_arena_reset(arena);
        for (int i = 0; i < PARTS; i++) {
            kinds[i] =
                (kappa_column_kind_t)(kappa_test_random() % KAPPA_COLUMN_JSON);
            a[i] = any_value(arena, kinds[i]);
            b[i] = kappa_test_random() % 2 ? a[i] : any_value(arena, kinds[i]);
        }
        encode(&key_a, kinds, a);
        encode(&key_b, kinds, b);
        assert_int_equal(
            SIGN(kappa_str_cmp(kappa_key_str(&key_a), kappa_key_str(&key_b))),
            compare_all(a, b));
        read_back(arena, &key_a, kinds, a);
        through_json(&key_a, kinds, a);
    }
    kappa_arena_destroy(arena);
}

/* A prefix's end is past every key that starts with it. */
static void
ends_past_its_prefix(void **state)
{
    kappa_key_t prefix, longer, next;
    kappa_value_t a = kappa_string(KAPPA_STR("a"));
    kappa_value_t after = kappa_string(KAPPA_STR("a\x01"));
    kappa_value_t high = kappa_string(KAPPA_STR("\xff\xff"));

    (void)state;
    kappa_key_init(&prefix);
    kappa_key_add_value(&prefix, KAPPA_COLUMN_STRING, &a);
    longer = prefix;
    kappa_key_add_value(&longer, KAPPA_COLUMN_STRING, &high);
    kappa_key_end(&prefix);
    assert_true(
        kappa_str_cmp(kappa_key_str(&longer), kappa_key_str(&prefix)) < 0);
    kappa_key_init(&next);
    kappa_key_add_value(&next, KAPPA_COLUMN_STRING, &after);
    assert_true(
        kappa_str_cmp(kappa_key_str(&next), kappa_key_str(&prefix)) > 0);
}

static void
text_of(char *text, size_t len)
{
    memset(text, 'k', len);
    text[len] = '\0';
}

static void
knows_its_limits(void **state)
{
    char text[1024];
    static const struct {
        size_t len;
        bool fits;
    } cases[] = { { 0, true }, { 1, true }, { 255, true }, { 256, false },
        { 511, false }, { 1000, false } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_key_t key;

        text_of(text, cases[i].len);
        kappa_value_t v = kappa_string(kappa_str(text, cases[i].len));
        kappa_key_init(&key);
        kappa_key_add_value(&key, KAPPA_COLUMN_STRING, &v);
        assert_int_equal(kappa_key_fits(&key), cases[i].fits);
        assert_true(key.len <= KAPPA_ENTRY_BYTES_MAX);
    }
    /* Escapes count for the entry, not for the key's own limit. */
    kappa_key_t key;
    memset(text, 1, 255);
    kappa_value_t v = kappa_string(kappa_str(text, 254));
    kappa_key_init(&key);
    kappa_key_add_value(&key, KAPPA_COLUMN_STRING, &v);
    assert_int_equal(key.parts_bytes, 254);
    assert_false(kappa_key_fits(&key)); /* 510 and a prefix of 2 */
}

static void
refuses_other_kinds(void **state)
{
    static const struct {
        kappa_column_kind_t kind;
        const char *json;
    } cases[] = {
        { KAPPA_COLUMN_INT, "\"5\"" },
        { KAPPA_COLUMN_INT, "1.5" },
        { KAPPA_COLUMN_INT, "99999999999999999999" },
        { KAPPA_COLUMN_BIGINT, "5" },
        { KAPPA_COLUMN_TIME, "\"yesterday\"" },
        { KAPPA_COLUMN_TIME, "5" },
        { KAPPA_COLUMN_DOUBLE, "x" },
        { KAPPA_COLUMN_STRING, "abc" },
        { KAPPA_COLUMN_STRING, "\"a\\qb\"" },
        { KAPPA_COLUMN_STRING, "\"a\\u12\"" },
        { KAPPA_COLUMN_STRING, "\"" },
        { KAPPA_COLUMN_JSON, "{}" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_key_t key;

        kappa_key_init(&key);
        kappa_key_add_json(&key, cases[i].kind, kappa_str_c(cases[i].json));
        if (!key.invalid) {
            fail_msg("%s is a key", cases[i].json);
        }
    }
}

static void
refuses_broken_bytes(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    static const struct {
        kappa_column_kind_t kind;
        kappa_str_t bytes;
    } cases[] = {
        { KAPPA_COLUMN_STRING, { "", 0 } },
        { KAPPA_COLUMN_STRING, { "\x01", 1 } },
        { KAPPA_COLUMN_STRING,
            { "\x01"
              "abc",
                4 } },
        { KAPPA_COLUMN_STRING,
            { "\x02"
              "abc\0",
                5 } },
        { KAPPA_COLUMN_STRING, { "\x01\x01\0", 3 } },
        { KAPPA_COLUMN_INT,
            { "\x01"
              "1234567",
                8 } },
        { KAPPA_COLUMN_BOOL, { "\x01", 1 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_str_t rest = cases[i].bytes;
        kappa_value_t value;

        assert_int_equal(kappa_key_take(arena, cases[i].kind, &rest, &value),
            KAPPA_CORRUPT);
    }
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_compare_as_values),
        cmocka_unit_test(ends_past_its_prefix),
        cmocka_unit_test(knows_its_limits),
        cmocka_unit_test(refuses_other_kinds),
        cmocka_unit_test(refuses_broken_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
