#include "t/unit/test.h"

#include <stdlib.h>

#include "views/row.h"

static uint8_t *
make(const kappa_str_t *columns, uint32_t count, size_t *len)
{
    *len = kappa_row_size(columns, count);
    uint8_t *row = malloc(*len);

    assert_non_null(row);
    kappa_row_write(row, columns, count);
    return row;
}

static void
gives_back_what_was_written(void **state)
{
    const kappa_str_t columns[] = { KAPPA_STR("\"name\""), KAPPA_STR_NULL,
        KAPPA_STR("42"), KAPPA_STR_NULL, KAPPA_STR("{\"a\":[1]}") };
    size_t len;

    (void)state;
    for (uint32_t count = 0; count <= COUNT(columns); count++) {
        uint8_t *row = make(columns, count, &len);

        assert_true(kappa_row_valid(row, len));
        assert_int_equal(kappa_row_count(row), count);
        for (uint32_t i = 0; i < COUNT(columns) + 3; i++) {
            kappa_str_t expected = i < count ? columns[i] : KAPPA_STR_NULL;

            assert_true(kappa_str_eq(kappa_row_column(row, i), expected));
        }
        free(row);
    }
}

static void
holds_large_columns(void **state)
{
    char *large = malloc(100000);
    size_t len;

    (void)state;
    assert_non_null(large);
    memset(large, '7', 100000);
    const kappa_str_t columns[] = { KAPPA_STR("1"), { large, 100000 },
        KAPPA_STR("\"end\"") };
    uint8_t *row = make(columns, 3, &len);
    assert_true(kappa_row_valid(row, len));
    assert_str_equal(kappa_row_column(row, 0), "1");
    assert_int_equal(kappa_row_column(row, 1).len, 100000);
    assert_str_equal(kappa_row_column(row, 2), "\"end\"");
    free(row);
    free(large);
}

/* Every prefix and every changed byte of the head is found out, or is still
 * a row that can be read. */
static void
refuses_broken_rows(void **state)
{
    const kappa_str_t columns[] = { KAPPA_STR("12"), KAPPA_STR("\"abc\"") };
    size_t len;
    uint8_t *row = make(columns, 2, &len);

    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);

        memcpy(copy, row, cut);
        assert_false(kappa_row_valid(copy, cut));
        free(copy);
    }
    for (size_t at = 0; at < 8; at++) {
        for (int bit = 0; bit < 8; bit++) {
            row[at] ^= (uint8_t)(1 << bit);
            if (kappa_row_valid(row, len)) {
                for (uint32_t i = 0; i < kappa_row_count(row); i++) {
                    kappa_str_t c = kappa_row_column(row, i);

                    assert_true((const uint8_t *)c.data + c.len <= row + len);
                }
            }
            row[at] ^= (uint8_t)(1 << bit);
        }
    }
    free(row);
}

static void
values_become_json_and_back(void **state)
{
    static const struct {
        kappa_column_kind_t kind;
        const char *json;
    } cases[] = {
        { KAPPA_COLUMN_BOOL, "true" },
        { KAPPA_COLUMN_BOOL, "false" },
        { KAPPA_COLUMN_INT, "-42" },
        { KAPPA_COLUMN_BIGINT, "\"9223372036854775807\"" },
        { KAPPA_COLUMN_DOUBLE, "0.1" },
        { KAPPA_COLUMN_DOUBLE, "5" },
        { KAPPA_COLUMN_STRING, "\"plain\"" },
        { KAPPA_COLUMN_STRING,
            "\"a \\\"quote\\\" \\\\ \\n \\u0001 \xc3\xa9\"" },
        { KAPPA_COLUMN_STRING, "\"\"" },
        { KAPPA_COLUMN_TIME, "\"2026-11-20T10:25:00.000Z\"" },
        { KAPPA_COLUMN_JSON, "{\"a\":[1,null,\"x\"]}" },
        { KAPPA_COLUMN_JSON, "[]" },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_value_t value;

        kappa_buf_reset(&buf);
        assert_int_equal(kappa_column_value(arena, cases[i].kind,
                             kappa_str_c(cases[i].json), &value),
            KAPPA_OK);
        assert_int_equal(
            kappa_column_json(&buf, cases[i].kind, &value), KAPPA_OK);
        assert_str_equal(kappa_buf_view(&buf), cases[i].json);
    }
    kappa_value_t null;
    assert_int_equal(
        kappa_column_value(arena, KAPPA_COLUMN_INT, KAPPA_STR_NULL, &null),
        KAPPA_OK);
    assert_int_equal(null.kind, KAPPA_NULL);
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

static void
takes_what_expressions_give(void **state)
{
    const struct {
        kappa_column_kind_t kind;
        kappa_value_t value;
        const char *json; /* NULL: refused */
    } cases[] = {
        { KAPPA_COLUMN_BIGINT, kappa_int(7), "\"7\"" },
        { KAPPA_COLUMN_INT, kappa_bigint(7), "7" },
        { KAPPA_COLUMN_DOUBLE, kappa_int(7), "7" },
        { KAPPA_COLUMN_BIGINT, kappa_string(KAPPA_STR("12")), "\"12\"" },
        { KAPPA_COLUMN_TIME,
            kappa_string(KAPPA_STR("2026-11-20T11:25:00+01:00")),
            "\"2026-11-20T10:25:00.000Z\"" },
        { KAPPA_COLUMN_INT, kappa_double(7), NULL },
        { KAPPA_COLUMN_INT, kappa_string(KAPPA_STR("7")), NULL },
        { KAPPA_COLUMN_STRING, kappa_int(7), NULL },
        { KAPPA_COLUMN_BOOL, kappa_int(1), NULL },
        { KAPPA_COLUMN_TIME, kappa_string(KAPPA_STR("soon")), NULL },
    };
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_buf_reset(&buf);
        kappa_status_t status =
            kappa_column_json(&buf, cases[i].kind, &cases[i].value);

        assert_int_equal(status, cases[i].json ? KAPPA_OK : KAPPA_INVALID);
        if (cases[i].json != NULL) {
            assert_str_equal(kappa_buf_view(&buf), cases[i].json);
        }
    }
    kappa_buf_release(&buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_written),
        cmocka_unit_test(holds_large_columns),
        cmocka_unit_test(refuses_broken_rows),
        cmocka_unit_test(values_become_json_and_back),
        cmocka_unit_test(takes_what_expressions_give),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
