#include "t/unit/test.h"

#include "base/status.h"
#include "proto/prometheus.h"
#include "t/unit/alloc_failing.h"

static void
writes_families(void **state)
{
    static const struct {
        kappa_metric_t metric;
        const char *text;
    } cases[] = {
        { { "a_total", "Things.", KAPPA_METRIC_COUNTER, 0 },
            "# HELP a_total Things.\n# TYPE a_total counter\n" },
        { { "b", "Back\\slash, \"quote\"\nand line.", KAPPA_METRIC_GAUGE, 0 },
            "# HELP b Back\\\\slash, \"quote\"\\nand line.\n"
            "# TYPE b gauge\n" },
        { { "c_seconds", "Time.", KAPPA_METRIC_HISTOGRAM, 6 },
            "# HELP c_seconds Time.\n# TYPE c_seconds histogram\n" },
    };
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_buf_reset(&buf);
        kappa_prometheus_family(&buf, &cases[i].metric);
        assert_str_equal(kappa_buf_view(&buf), cases[i].text);
    }
    kappa_buf_release(&buf);
}

static void
writes_numbers(void **state)
{
    static const struct {
        uint64_t value;
        unsigned decimals;
        const char *text;
    } cases[] = {
        { 0, 0, "n 0\n" },
        { 7, 0, "n 7\n" },
        { UINT64_MAX, 0, "n 18446744073709551615\n" },
        { 0, 6, "n 0\n" },
        { 1, 6, "n 0.000001\n" },
        { 10, 6, "n 0.00001\n" },
        { 1500000, 6, "n 1.5\n" },
        { 1050000, 6, "n 1.05\n" },
        { 2000000, 6, "n 2\n" },
        { 123456789, 6, "n 123.456789\n" },
        { UINT64_MAX, 6, "n 18446744073709.551615\n" },
        { UINT64_MAX, 18, "n 18.446744073709551615\n" },
    };
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_metric_t metric = { "n", "", KAPPA_METRIC_GAUGE,
            cases[i].decimals };

        kappa_buf_reset(&buf);
        kappa_prometheus_sample(&buf, &metric, NULL, 0, cases[i].value);
        assert_str_equal(kappa_buf_view(&buf), cases[i].text);
    }
    kappa_buf_release(&buf);
}

static void
escapes_labels(void **state)
{
    static const struct {
        const char *value, *text;
    } cases[] = {
        { "plain", "n{a=\"plain\",z=\"1\"} 3\n" },
        { "", "n{a=\"\",z=\"1\"} 3\n" },
        { "a\"b\\c\nd", "n{a=\"a\\\"b\\\\c\\nd\",z=\"1\"} 3\n" },
        { "{},=\xc3\xbc", "n{a=\"{},=\xc3\xbc\",z=\"1\"} 3\n" },
    };
    const kappa_metric_t metric = { "n", "", KAPPA_METRIC_GAUGE, 0 };
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_metric_label_t labels[] = {
            { "a", kappa_str_c(cases[i].value) },
            { "z", KAPPA_STR("1") },
        };

        kappa_buf_reset(&buf);
        kappa_prometheus_sample(&buf, &metric, labels, COUNT(labels), 3);
        assert_str_equal(kappa_buf_view(&buf), cases[i].text);
    }
    kappa_buf_release(&buf);
}

static const uint64_t bounds[] = { 10, 2500, 1000000 };

static const kappa_metric_histogram_t sizes = { bounds,
    (const uint64_t[]){ 1, 0, 4, 2 }, COUNT(bounds), 5000017 };

static const kappa_metric_t times = { "t_seconds", "Time.",
    KAPPA_METRIC_HISTOGRAM, 6 };

static void
writes_histograms(void **state)
{
    const kappa_metric_label_t label = { "type", KAPPA_STR("query") };
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_prometheus_histogram(&buf, &times, &label, 1, &sizes);
    assert_str_equal(kappa_buf_view(&buf),
        "t_seconds_bucket{type=\"query\",le=\"0.00001\"} 1\n"
        "t_seconds_bucket{type=\"query\",le=\"0.0025\"} 1\n"
        "t_seconds_bucket{type=\"query\",le=\"1\"} 5\n"
        "t_seconds_bucket{type=\"query\",le=\"+Inf\"} 7\n"
        "t_seconds_sum{type=\"query\"} 5.000017\n"
        "t_seconds_count{type=\"query\"} 7\n");
    kappa_buf_reset(&buf);
    kappa_metric_histogram_t bare = sizes;
    bare.bound_count = 0;
    kappa_prometheus_histogram(&buf, &times, NULL, 0, &bare);
    assert_str_equal(kappa_buf_view(&buf),
        "t_seconds_bucket{le=\"+Inf\"} 1\n"
        "t_seconds_sum 5.000017\n"
        "t_seconds_count 1\n");
    kappa_buf_release(&buf);
}

static void
finds_buckets(void **state)
{
    static const struct {
        uint64_t value;
        uint32_t bucket;
    } cases[] = {
        { 0, 0 },
        { 10, 0 },
        { 11, 1 },
        { 2500, 1 },
        { 2501, 2 },
        { 1000000, 2 },
        { 1000001, 3 },
        { UINT64_MAX, 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(
            kappa_metric_bucket(bounds, COUNT(bounds), cases[i].value),
            cases[i].bucket);
    }
    assert_int_equal(kappa_metric_bucket(bounds, 0, 1), 0);
}

static kappa_status_t
write_all(const kappa_alloc_t *alloc, void *ctx)
{
    const kappa_metric_label_t label = { "a", KAPPA_STR("\\\"\n") };
    kappa_buf_t buf;

    (void)ctx;
    kappa_buf_init(&buf, alloc);
    for (int i = 0; i < 40; i++) {
        kappa_prometheus_family(&buf, &times);
        kappa_prometheus_histogram(&buf, &times, &label, 1, &sizes);
        kappa_prometheus_sample(&buf, &times, &label, 1, 1500);
    }
    kappa_status_t status = buf.failed ? KAPPA_NOMEM : KAPPA_OK;
    kappa_buf_release(&buf);
    return status;
}

static void
survives_no_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(write_all, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_families),
        cmocka_unit_test(writes_numbers),
        cmocka_unit_test(escapes_labels),
        cmocka_unit_test(writes_histograms),
        cmocka_unit_test(finds_buckets),
        cmocka_unit_test(survives_no_memory),
    };

    return cmocka_run_group_tests_name("proto/prometheus", tests, NULL, NULL);
}
