#ifndef KAPPA_PROTO_PROMETHEUS_H
#define KAPPA_PROTO_PROMETHEUS_H

#include "base/buf.h"
#include "base/str.h"

/* Prometheus' text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Numbers in,
 * lines out: a family, then its samples, then the next family.
 *
 * Numbers are whole: `decimals` of a family says how many of a value's digits
 * stand behind the point, so that microseconds (6) are written as the seconds
 * that the format wants, without a float on the way. */

#define KAPPA_PROMETHEUS_MEDIA "text/plain; version=0.0.4; charset=utf-8"

typedef enum {
    KAPPA_METRIC_COUNTER, /* its name ends in _total */
    KAPPA_METRIC_GAUGE,
    KAPPA_METRIC_HISTOGRAM /* its name ends in a unit */
} kappa_metric_type_t;

typedef struct {
    const char *name;
    const char *help; /* one line; escaped when written */
    kappa_metric_type_t type;
    unsigned decimals; /* 0 to 18 */
} kappa_metric_t;

typedef struct {
    const char *name;
    kappa_str_t value; /* any UTF-8; escaped when written */
} kappa_metric_label_t;

/* What was observed, by size. */
typedef struct {
    const uint64_t *bounds; /* rising; a value equal to one belongs to it */
    const uint64_t *counts; /* bound_count + 1, not cumulated: the last is of
                               what is over all bounds */
    uint32_t bound_count;
    uint64_t sum; /* of all values */
} kappa_metric_histogram_t;

/* # HELP and # TYPE. */
void kappa_prometheus_family(kappa_buf_t *buf, const kappa_metric_t *metric);

/* One line of a counter or gauge. */
void kappa_prometheus_sample(kappa_buf_t *buf, const kappa_metric_t *metric,
    const kappa_metric_label_t *labels, size_t label_count, uint64_t value);

/* The _bucket lines up to le="+Inf", _sum and _count of a histogram. */
void kappa_prometheus_histogram(kappa_buf_t *buf, const kappa_metric_t *metric,
    const kappa_metric_label_t *labels, size_t label_count,
    const kappa_metric_histogram_t *histogram);

/* Which of bound_count + 1 counts a value belongs to. */
static inline uint32_t
kappa_metric_bucket(
    const uint64_t *bounds, uint32_t bound_count, uint64_t value)
{
    uint32_t i = 0;

    while (i < bound_count && value > bounds[i]) {
        i++;
    }
    return i;
}

#endif
