#include "t/unit/test.h"

#include <stdio.h>
#include <time.h>

#include "base/time.h"

static void
parses_and_formats(void **state)
{
    static const struct {
        const char *in, *out; /* out NULL: refused */
    } cases[] = {
        { "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z" },
        { "2026-11-20T10:25:00.123Z", "2026-11-20T10:25:00.123Z" },
        { "2026-11-20t10:25:00.1z", "2026-11-20T10:25:00.100Z" },
        { "2026-11-20T10:25:00.123999999Z", "2026-11-20T10:25:00.123Z" },
        { "2026-11-20T00:30:00+01:00", "2026-11-19T23:30:00.000Z" },
        { "2026-12-31T23:30:00-00:45", "2027-01-01T00:15:00.000Z" },
        { "2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000Z" },
        { "2000-02-29T12:00:00Z", "2000-02-29T12:00:00.000Z" },
        { "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z" },
        { "0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z" },
        { "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z" },
        { "0000-01-01T00:00:00+00:01", NULL },
        { "9999-12-31T23:59:59-00:01", NULL },
        { "1900-02-29T12:00:00Z", NULL },
        { "2026-02-29T12:00:00Z", NULL },
        { "2026-04-31T12:00:00Z", NULL },
        { "2026-13-01T12:00:00Z", NULL },
        { "2026-00-01T12:00:00Z", NULL },
        { "2026-01-00T12:00:00Z", NULL },
        { "2026-01-01T24:00:00Z", NULL },
        { "2026-01-01T12:60:00Z", NULL },
        { "2026-01-01T12:00:60Z", NULL },
        { "2026-01-01T12:00:00", NULL },
        { "2026-01-01T12:00:00.Z", NULL },
        { "2026-01-01T12:00:00+24:00", NULL },
        { "2026-01-01T12:00:00+01", NULL },
        { "2026-01-01T12:00:00Z ", NULL },
        { "2026-01-01 12:00:00Z", NULL },
        { "2026-01-01", NULL },
        { "26-01-01T12:00:00Z", NULL },
        { "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[KAPPA_TIME_CHARS];
        int64_t ms;
        bool ok = kappa_time_parse(kappa_str_c(cases[i].in), &ms);

        if (ok != (cases[i].out != NULL)) {
            fail_msg("%s: %d", cases[i].in, ok);
        }
        if (ok) {
            kappa_time_format(ms, out);
            assert_str_equal(kappa_str(out, sizeof(out)), cases[i].out);
        }
    }
}

/* Every seventh day of the calendar against the C library's. */
static void
agrees_with_libc(void **state)
{
    char out[KAPPA_TIME_CHARS];
    int64_t back;

    (void)state;
    for (int64_t day = -719528; day < 2932897; day += 7) {
        int64_t ms = day * INT64_C(86400000) + 1;

        kappa_time_format(ms, out);
        assert_true(kappa_time_parse(kappa_str(out, sizeof(out)), &back));
        assert_true(back == ms);
        if (day % 5 == 0) {
            time_t t = (time_t)(day * 86400);
            struct tm tm;
            char date[16];

            assert_non_null(gmtime_r(&t, &tm));
            snprintf(date, sizeof(date), "%04d-%02d-%02d",
                (tm.tm_year + 1900) % 10000, (tm.tm_mon + 1) % 100,
                tm.tm_mday % 100);
            assert_str_equal(kappa_str(out, 10), date);
        }
    }
}

static void
clamps_what_it_formats(void **state)
{
    char out[KAPPA_TIME_CHARS];

    (void)state;
    kappa_time_format(INT64_MIN, out);
    assert_str_equal(kappa_str(out, sizeof(out)), "0000-01-01T00:00:00.000Z");
    kappa_time_format(INT64_MAX, out);
    assert_str_equal(kappa_str(out, sizeof(out)), "9999-12-31T23:59:59.999Z");
}

static void
validates_dates(void **state)
{
    (void)state;
    assert_true(kappa_date_valid(KAPPA_STR("2024-02-29")));
    assert_false(kappa_date_valid(KAPPA_STR("2023-02-29")));
    assert_false(kappa_date_valid(KAPPA_STR("2023-2-28")));
    assert_false(kappa_date_valid(KAPPA_STR("2023-02-28T")));
    assert_false(kappa_date_valid(KAPPA_STR("")));
}

static void
parses_durations(void **state)
{
    static const struct {
        const char *in;
        int64_t ms; /* -1: refused */
    } cases[] = {
        { "30d", INT64_C(2592000000) },
        { "12h", 43200000 },
        { "5m", 300000 },
        { "10s", 10000 },
        { "500ms", 500 },
        { "0s", 0 },
        { "", -1 },
        { "d", -1 },
        { "5", -1 },
        { "-5s", -1 },
        { "5 s", -1 },
        { "5y", -1 },
        { "1h30m", -1 },
        { "9223372036854775807d", -1 },
        { "99999999999999999999s", -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ms;
        bool ok = kappa_duration_parse(kappa_str_c(cases[i].in), &ms);

        assert_int_equal(ok, cases[i].ms >= 0);
        if (ok) {
            assert_true(ms == cases[i].ms);
        }
    }
}

static void
clocks_run(void **state)
{
    (void)state;
    int64_t start = kappa_monotonic_us();

    assert_true(kappa_now_ms() > INT64_C(1700000000000));
    assert_true(kappa_monotonic_us() >= start);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_and_formats),
        cmocka_unit_test(agrees_with_libc),
        cmocka_unit_test(clamps_what_it_formats),
        cmocka_unit_test(validates_dates),
        cmocka_unit_test(parses_durations),
        cmocka_unit_test(clocks_run),
    };
    return cmocka_run_group_tests_name("base/time", tests, NULL, NULL);
}
