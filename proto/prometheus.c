#include "proto/prometheus.h"

static const char *const types[] = {
    [KAPPA_METRIC_COUNTER] = "counter",
    [KAPPA_METRIC_GAUGE] = "gauge",
    [KAPPA_METRIC_HISTOGRAM] = "histogram",
};

/* A label's value escapes the quote too, a help text does not. */
static void
write_escaped(kappa_buf_t *buf, kappa_str_t text, bool quoted)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == '\n') {
            KAPPA_BUF_LIT(buf, "\\n");
            continue;
        }
        if (c == '\\' || (c == '"' && quoted)) {
            kappa_buf_char(buf, '\\');
        }
        kappa_buf_char(buf, c);
    }
}

/* 1500 with three decimals is 1.5. */
static void
write_number(kappa_buf_t *buf, uint64_t value, unsigned decimals)
{
    uint64_t one = 1;

    for (unsigned i = 0; i < decimals; i++) {
        one *= 10;
    }
    kappa_buf_printf(buf, "%llu", (unsigned long long)(value / one));
    if (value % one == 0) {
        return;
    }
    kappa_buf_char(buf, '.');
    for (value %= one; value != 0; value %= one) {
        one /= 10;
        kappa_buf_char(buf, (char)('0' + value / one));
    }
}

static void
write_help(kappa_buf_t *buf, const kappa_metric_t *metric)
{
    KAPPA_BUF_LIT(buf, "# HELP ");
    kappa_buf_str(buf, kappa_str_c(metric->name));
    kappa_buf_char(buf, ' ');
    write_escaped(buf, kappa_str_c(metric->help), false);
    kappa_buf_char(buf, '\n');
}

void
kappa_prometheus_family(kappa_buf_t *buf, const kappa_metric_t *metric)
{
    write_help(buf, metric);
    kappa_buf_printf(buf, "# TYPE %s %s\n", metric->name, types[metric->type]);
}

/* NAME{a="b" and whether there was a label. */
static bool
write_labels(kappa_buf_t *buf, const kappa_metric_t *metric,
    const char *suffix, const kappa_metric_label_t *labels, size_t n)
{
    kappa_buf_str(buf, kappa_str_c(metric->name));
    kappa_buf_str(buf, kappa_str_c(suffix));
    for (size_t i = 0; i < n; i++) {
        kappa_buf_char(buf, i ? ',' : '{');
        kappa_buf_str(buf, kappa_str_c(labels[i].name));
        KAPPA_BUF_LIT(buf, "=\"");
        write_escaped(buf, labels[i].value, true);
        kappa_buf_char(buf, '"');
    }
    return n > 0;
}

static void
write_sample(kappa_buf_t *buf, const kappa_metric_t *metric,
    const char *suffix, const kappa_metric_label_t *labels, size_t n,
    uint64_t value, unsigned decimals)
{
    if (write_labels(buf, metric, suffix, labels, n)) {
        kappa_buf_char(buf, '}');
    }
    kappa_buf_char(buf, ' ');
    write_number(buf, value, decimals);
    kappa_buf_char(buf, '\n');
}

void
kappa_prometheus_sample(kappa_buf_t *buf, const kappa_metric_t *metric,
    const kappa_metric_label_t *labels, size_t label_count, uint64_t value)
{
    write_sample(
        buf, metric, "", labels, label_count, value, metric->decimals);
}

/* bound NULL: of everything. */
static void
write_bucket(kappa_buf_t *buf, const kappa_metric_t *metric,
    const kappa_metric_label_t *labels, size_t n, const uint64_t *bound,
    uint64_t count)
{
    kappa_buf_char(
        buf, write_labels(buf, metric, "_bucket", labels, n) ? ',' : '{');
    KAPPA_BUF_LIT(buf, "le=\"");
    if (bound != NULL) {
        write_number(buf, *bound, metric->decimals);
    } else {
        KAPPA_BUF_LIT(buf, "+Inf");
    }
    kappa_buf_printf(buf, "\"} %llu\n", (unsigned long long)count);
}

void
kappa_prometheus_histogram(kappa_buf_t *buf, const kappa_metric_t *metric,
    const kappa_metric_label_t *labels, size_t label_count,
    const kappa_metric_histogram_t *histogram)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i <= histogram->bound_count; i++) {
        count += histogram->counts[i];
        write_bucket(buf, metric, labels, label_count,
            i < histogram->bound_count ? &histogram->bounds[i] : NULL, count);
    }
    write_sample(buf, metric, "_sum", labels, label_count, histogram->sum,
        metric->decimals);
    write_sample(buf, metric, "_count", labels, label_count, count, 0);
}
