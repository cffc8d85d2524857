#include "ngx_kappa_module/ngx_http_kappa.h"

#include "proto/prometheus.h"

/* The page of kappa_metrics: what ngx_http_kappa_metrics.c counted, summed
 * over the workers, in Prometheus' text format. */

#define GAUGE KAPPA_METRIC_GAUGE
#define COUNTER KAPPA_METRIC_COUNTER
#define HISTOGRAM KAPPA_METRIC_HISTOGRAM
#define MICROSECONDS 6

/* A number of an application, or of none, as a line. */
typedef struct {
    const kappa_metric_t *metric; /* the same as before: one more line of it */
    size_t word;                  /* its offset in the block */
    const char *label;            /* NULL: none of its own */
    const char *value;
} ngx_http_kappa_line_t;

#define COUNTED(name) offsetof(ngx_http_kappa_block_t, counters[name])
#define GAUGED(name) offsetof(ngx_http_kappa_block_t, gauges[name])

static const kappa_metric_t ngx_http_kappa_m_events = {
    "kappa_events_appended_total", "Events appended to the log.", COUNTER, 0
};
static const kappa_metric_t ngx_http_kappa_m_duplicates = {
    "kappa_duplicate_events_total",
    "Events not appended because their idempotency key was used before.",
    COUNTER, 0
};
static const kappa_metric_t ngx_http_kappa_m_failed = {
    "kappa_commit_failures_total",
    "Batches that could not be committed: the log or the views failed.",
    COUNTER, 0
};
static const kappa_metric_t ngx_http_kappa_m_upload = {
    "kappa_upload_bytes_total", "Bytes of events taken by POST.", COUNTER, 0
};
static const kappa_metric_t ngx_http_kappa_m_runs = { "kappa_live_runs_total",
    "Plans run for subscriptions.", COUNTER, 0 };
static const kappa_metric_t ngx_http_kappa_m_frames = {
    "kappa_live_frames_total",
    "Frames made for subscriptions, each for all of its group.", COUNTER, 0
};
static const kappa_metric_t ngx_http_kappa_m_messages = {
    "kappa_messages_sent_total", "Messages given to subscribers.", COUNTER, 0
};
static const kappa_metric_t ngx_http_kappa_m_slow = {
    "kappa_slow_clients_closed_total",
    "Streams ended because the client did not read within send_timeout.",
    COUNTER, 0
};
static const kappa_metric_t ngx_http_kappa_m_documents = {
    "kappa_document_cache_requests_total",
    "Looks into the cache of planned documents, by result.", COUNTER, 0
};
static const kappa_metric_t ngx_http_kappa_m_document_bytes = {
    "kappa_document_cache_bytes", "Memory of cached documents.", GAUGE, 0
};
static const kappa_metric_t ngx_http_kappa_m_answers = {
    "kappa_answer_cache_requests_total",
    "Queries answered with kept bytes (hit) or computed (miss).", COUNTER, 0
};
static const kappa_metric_t ngx_http_kappa_m_subscriptions = {
    "kappa_subscriptions", "Open subscriptions, by transport.", GAUGE, 0
};
static const kappa_metric_t ngx_http_kappa_m_sockets = {
    "kappa_websocket_connections", "Open WebSockets.", GAUGE, 0
};
static const kappa_metric_t ngx_http_kappa_m_groups = {
    "kappa_subscription_groups",
    "Groups of equal subscriptions, of all workers together.", GAUGE, 0
};

static const ngx_http_kappa_line_t ngx_http_kappa_lines[] = {
    { &ngx_http_kappa_m_events, COUNTED(NGX_HTTP_KAPPA_EVENTS_APPENDED), NULL,
        NULL },
    { &ngx_http_kappa_m_duplicates, COUNTED(NGX_HTTP_KAPPA_DUPLICATES), NULL,
        NULL },
    { &ngx_http_kappa_m_failed, COUNTED(NGX_HTTP_KAPPA_COMMITS_FAILED), NULL,
        NULL },
    { &ngx_http_kappa_m_upload, COUNTED(NGX_HTTP_KAPPA_UPLOAD_BYTES), NULL,
        NULL },
    { &ngx_http_kappa_m_runs, COUNTED(NGX_HTTP_KAPPA_LIVE_RUNS), NULL, NULL },
    { &ngx_http_kappa_m_frames, COUNTED(NGX_HTTP_KAPPA_LIVE_FRAMES), NULL,
        NULL },
    { &ngx_http_kappa_m_messages, COUNTED(NGX_HTTP_KAPPA_SENT_SSE),
        "transport", "sse" },
    { &ngx_http_kappa_m_messages, COUNTED(NGX_HTTP_KAPPA_SENT_WS), "transport",
        "websocket" },
    { &ngx_http_kappa_m_messages, COUNTED(NGX_HTTP_KAPPA_SENT_EVENTS),
        "transport", "events" },
    { &ngx_http_kappa_m_slow, COUNTED(NGX_HTTP_KAPPA_SLOW_CLIENTS), NULL,
        NULL },
    { &ngx_http_kappa_m_documents, COUNTED(NGX_HTTP_KAPPA_DOCUMENT_HITS),
        "result", "hit" },
    { &ngx_http_kappa_m_documents, COUNTED(NGX_HTTP_KAPPA_DOCUMENT_MISSES),
        "result", "miss" },
    { &ngx_http_kappa_m_document_bytes, GAUGED(NGX_HTTP_KAPPA_DOCUMENT_BYTES),
        NULL, NULL },
    { &ngx_http_kappa_m_answers, COUNTED(NGX_HTTP_KAPPA_ANSWER_HITS), "result",
        "hit" },
    { &ngx_http_kappa_m_answers, COUNTED(NGX_HTTP_KAPPA_ANSWER_MISSES),
        "result", "miss" },
    { &ngx_http_kappa_m_subscriptions, GAUGED(NGX_HTTP_KAPPA_OPEN_SSE),
        "transport", "sse" },
    { &ngx_http_kappa_m_subscriptions, GAUGED(NGX_HTTP_KAPPA_OPEN_WS),
        "transport", "websocket" },
    { &ngx_http_kappa_m_subscriptions, GAUGED(NGX_HTTP_KAPPA_OPEN_EVENTS),
        "transport", "events" },
    { &ngx_http_kappa_m_sockets, GAUGED(NGX_HTTP_KAPPA_SOCKETS), NULL, NULL },
    { &ngx_http_kappa_m_groups, GAUGED(NGX_HTTP_KAPPA_GROUPS), NULL, NULL },
};

static const kappa_metric_t ngx_http_kappa_m_tokens = {
    "kappa_token_cache_requests_total",
    "Looks into the caches of verified tokens, by result.", COUNTER, 0
};
static const kappa_metric_t ngx_http_kappa_m_refused = {
    "kappa_tokens_refused_total",
    "Tokens refused: forged, expired, of an unknown issuer, malformed.",
    COUNTER, 0
};
static const kappa_metric_t ngx_http_kappa_m_cached = { "kappa_tokens_cached",
    "Verified tokens in the caches.", GAUGE, 0 };
static const kappa_metric_t ngx_http_kappa_m_answer_bytes = {
    "kappa_answer_cache_bytes", "Memory of kept answers.", GAUGE, 0
};
static const kappa_metric_t ngx_http_kappa_m_faults = {
    "kappa_major_page_faults_total",
    "Pages of workers that had to be read from disk.", COUNTER, 0
};

static const ngx_http_kappa_line_t ngx_http_kappa_common_lines[] = {
    { &ngx_http_kappa_m_tokens, COUNTED(NGX_HTTP_KAPPA_TOKEN_HITS), "result",
        "hit" },
    { &ngx_http_kappa_m_tokens, COUNTED(NGX_HTTP_KAPPA_TOKEN_MISSES), "result",
        "miss" },
    { &ngx_http_kappa_m_refused, COUNTED(NGX_HTTP_KAPPA_TOKENS_REFUSED), NULL,
        NULL },
    { &ngx_http_kappa_m_cached, GAUGED(NGX_HTTP_KAPPA_TOKENS_CACHED), NULL,
        NULL },
    { &ngx_http_kappa_m_answer_bytes, GAUGED(NGX_HTTP_KAPPA_ANSWER_BYTES),
        NULL, NULL },
    { &ngx_http_kappa_m_faults, COUNTED(NGX_HTTP_KAPPA_MAJOR_FAULTS), NULL,
        NULL },
};

static const kappa_metric_t ngx_http_kappa_m_duration = {
    "kappa_request_duration_seconds",
    "From the whole request to its answer, of queries and mutations.",
    HISTOGRAM, MICROSECONDS
};

static const struct {
    kappa_metric_t metric;
    ngx_http_kappa_histogram_t histogram;
} ngx_http_kappa_histograms[] = {
    { { "kappa_commit_duration_seconds",
          "Commit of a batch: lock, decisions, log, views.", HISTOGRAM,
          MICROSECONDS },
        NGX_HTTP_KAPPA_COMMIT_TIME },
    { { "kappa_log_lock_wait_seconds",
          "Waiting for the log's lock before a batch.", HISTOGRAM,
          MICROSECONDS },
        NGX_HTTP_KAPPA_LOCK_TIME },
    { { "kappa_append_duration_seconds",
          "Writing a batch to the log, its fsync included.", HISTOGRAM,
          MICROSECONDS },
        NGX_HTTP_KAPPA_APPEND_TIME },
    { { "kappa_fsync_duration_seconds", "Each fsync of the log.", HISTOGRAM,
          MICROSECONDS },
        NGX_HTTP_KAPPA_FSYNC_TIME },
    { { "kappa_batch_events", "Events appended by one batch.", HISTOGRAM, 0 },
        NGX_HTTP_KAPPA_BATCH_EVENTS },
};

/* What is being written, and of whom. */
typedef struct {
    kappa_buf_t *buf;
    ngx_http_kappa_app_t **apps;
    ngx_uint_t app_count;
    ngx_http_kappa_block_t *blocks; /* the applications', then the common */
    ngx_uint_t workers;
} ngx_http_kappa_page_t;

static kappa_metric_label_t
ngx_http_kappa_app_label(const ngx_http_kappa_page_t *page, ngx_uint_t i)
{
    ngx_str_t *name = &page->apps[i]->name;

    return (kappa_metric_label_t){ "application",
        kappa_str((char *)name->data, name->len) };
}

/* --- tables --- */

/* app_count: no application. */
static void
ngx_http_kappa_write_line(const ngx_http_kappa_page_t *page, ngx_uint_t app,
    const ngx_http_kappa_line_t *line)
{
    kappa_metric_label_t labels[2];
    size_t n = 0;

    if (app < page->app_count) {
        labels[n++] = ngx_http_kappa_app_label(page, app);
    }
    if (line->label != NULL) {
        labels[n++] =
            (kappa_metric_label_t){ line->label, kappa_str_c(line->value) };
    }
    kappa_prometheus_sample(page->buf, line->metric, labels, n,
        *(const uint64_t *)((u_char *)&page->blocks[app] + line->word));
}

/* The lines of a family stand together, whatever application they are of. */
static void
ngx_http_kappa_write_lines(const ngx_http_kappa_page_t *page, ngx_uint_t first,
    ngx_uint_t end, const ngx_http_kappa_line_t *lines, size_t line_count)
{
    for (size_t i = 0, next; i < line_count; i = next) {
        kappa_prometheus_family(page->buf, lines[i].metric);
        next = i;
        while (next < line_count && lines[next].metric == lines[i].metric) {
            next++;
        }
        for (ngx_uint_t app = first; app < end; app++) {
            for (size_t j = i; j < next; j++) {
                ngx_http_kappa_write_line(page, app, &lines[j]);
            }
        }
    }
}

/* --- families with labels of their own --- */

static void
ngx_http_kappa_write_requests(const ngx_http_kappa_page_t *page)
{
    static const kappa_metric_t metric = { "kappa_requests_total",
        "Operations and requests answered, by type and outcome.", COUNTER, 0 };
    static const char *const types[] = { "unknown", "query", "mutation",
        "subscription", "read", "upload" };
    static const char *const outcomes[] = { "ok", "error", "refused",
        "unavailable", "gone" };

    kappa_prometheus_family(page->buf, &metric);
    for (ngx_uint_t app = 0; app < page->app_count; app++) {
        for (int type = 0; type < NGX_HTTP_KAPPA_TYPES; type++) {
            for (int ended = 0; ended < NGX_HTTP_KAPPA_ENDED; ended++) {
                kappa_metric_label_t labels[] = {
                    ngx_http_kappa_app_label(page, app),
                    { "type", kappa_str_c(types[type]) },
                    { "outcome", kappa_str_c(outcomes[ended]) },
                };

                kappa_prometheus_sample(page->buf, &metric, labels, 3,
                    page->blocks[app].requests[type][ended]);
            }
        }
    }
}

static void
ngx_http_kappa_write_errors(const ngx_http_kappa_page_t *page)
{
    static const kappa_metric_t metric = { "kappa_errors_total",
        "Answers with an error, by the code of the first.", COUNTER, 0 };

    kappa_prometheus_family(page->buf, &metric);
    for (ngx_uint_t app = 0; app < page->app_count; app++) {
        for (int i = 0; ngx_http_kappa_error_codes[i] != NULL; i++) {
            kappa_metric_label_t labels[] = {
                ngx_http_kappa_app_label(page, app),
                { "code", kappa_str_c(ngx_http_kappa_error_codes[i]) },
            };

            kappa_prometheus_sample(
                page->buf, &metric, labels, 2, page->blocks[app].errors[i]);
        }
    }
}

static void
ngx_http_kappa_write_close(const ngx_http_kappa_page_t *page, ngx_uint_t app,
    const kappa_metric_t *metric, ngx_uint_t i)
{
    char text[8];
    uint16_t code = ngx_http_kappa_close_codes[i];
    u_char *end =
        ngx_snprintf((u_char *)text, sizeof(text), "%ui", (ngx_uint_t)code);
    kappa_metric_label_t labels[] = {
        ngx_http_kappa_app_label(page, app),
        { "code",
            code ? kappa_str(text, (size_t)(end - (u_char *)text))
                 : KAPPA_STR("other") },
    };

    kappa_prometheus_sample(
        page->buf, metric, labels, 2, page->blocks[app].closes[i]);
}

static void
ngx_http_kappa_write_closes(const ngx_http_kappa_page_t *page)
{
    static const kappa_metric_t metric = { "kappa_websocket_closes_total",
        "WebSockets that ended, by close code (1006: without one).", COUNTER,
        0 };

    kappa_prometheus_family(page->buf, &metric);
    for (ngx_uint_t app = 0; app < page->app_count; app++) {
        ngx_uint_t i = 0;

        do {
            ngx_http_kappa_write_close(page, app, &metric, i);
        } while (ngx_http_kappa_close_codes[i++] != 0);
    }
}

/* type NULL: none. */
static void
ngx_http_kappa_write_histogram(const ngx_http_kappa_page_t *page,
    ngx_uint_t app, const kappa_metric_t *metric,
    ngx_http_kappa_histogram_t which, const char *type)
{
    kappa_metric_label_t labels[2] = { ngx_http_kappa_app_label(page, app) };
    kappa_metric_histogram_t histogram = {
        .bounds = which == NGX_HTTP_KAPPA_BATCH_EVENTS
            ? ngx_http_kappa_batch_bounds
            : ngx_http_kappa_time_bounds,
        .bound_count = NGX_HTTP_KAPPA_BOUNDS,
        .counts = page->blocks[app].histograms[which].counts,
        .sum = page->blocks[app].histograms[which].sum,
    };

    labels[1] = (kappa_metric_label_t){ "type", kappa_str_c(type) };
    kappa_prometheus_histogram(
        page->buf, metric, labels, type ? 2 : 1, &histogram);
}

static void
ngx_http_kappa_write_histograms(const ngx_http_kappa_page_t *page)
{
    size_t n = sizeof(ngx_http_kappa_histograms)
        / sizeof(ngx_http_kappa_histograms[0]);

    kappa_prometheus_family(page->buf, &ngx_http_kappa_m_duration);
    for (ngx_uint_t app = 0; app < page->app_count; app++) {
        ngx_http_kappa_write_histogram(page, app, &ngx_http_kappa_m_duration,
            NGX_HTTP_KAPPA_QUERY_TIME, "query");
        ngx_http_kappa_write_histogram(page, app, &ngx_http_kappa_m_duration,
            NGX_HTTP_KAPPA_MUTATION_TIME, "mutation");
    }
    for (size_t i = 0; i < n; i++) {
        const kappa_metric_t *metric = &ngx_http_kappa_histograms[i].metric;

        kappa_prometheus_family(page->buf, metric);
        for (ngx_uint_t app = 0; app < page->app_count; app++) {
            ngx_http_kappa_write_histogram(page, app, metric,
                ngx_http_kappa_histograms[i].histogram, NULL);
        }
    }
}

/* --- the page --- */

static void
ngx_http_kappa_write_page(const ngx_http_kappa_page_t *page)
{
    static const kappa_metric_t workers = { "kappa_workers",
        "Worker processes, those that are leaving included.", GAUGE, 0 };

    ngx_http_kappa_write_requests(page);
    ngx_http_kappa_write_errors(page);
    ngx_http_kappa_write_histograms(page);
    ngx_http_kappa_write_stores(page->buf, page->apps, page->app_count);
    ngx_http_kappa_write_lines(page, 0, page->app_count, ngx_http_kappa_lines,
        sizeof(ngx_http_kappa_lines) / sizeof(ngx_http_kappa_lines[0]));
    ngx_http_kappa_write_closes(page);
    ngx_http_kappa_write_lines(page, page->app_count, page->app_count + 1,
        ngx_http_kappa_common_lines,
        sizeof(ngx_http_kappa_common_lines)
            / sizeof(ngx_http_kappa_common_lines[0]));
    kappa_prometheus_family(page->buf, &workers);
    kappa_prometheus_sample(page->buf, &workers, NULL, 0, page->workers);
}

static ngx_int_t
ngx_http_kappa_make_page(ngx_http_request_t *r, kappa_buf_t *buf)
{
    ngx_http_kappa_main_conf_t *kmcf =
        ngx_http_get_module_main_conf(r, ngx_http_kappa_module);
    ngx_uint_t n = kmcf->apps.nelts;
    ngx_http_kappa_page_t page = { .buf = buf,
        .apps = kmcf->apps.elts,
        .app_count = n,
        .blocks = ngx_palloc(r->pool, (n + 1) * sizeof(*page.blocks)) };

    if (page.blocks == NULL) {
        return NGX_ERROR;
    }
    ngx_http_kappa_count_faults();
    for (ngx_uint_t i = 0; i < n; i++) {
        ngx_http_kappa_count_live(page.apps[i]);
        (void)ngx_http_kappa_metrics_sum(kmcf, page.apps[i], &page.blocks[i]);
    }
    page.workers = ngx_http_kappa_metrics_sum(kmcf, NULL, &page.blocks[n]);
    ngx_http_kappa_write_page(&page);
    return buf->failed ? NGX_ERROR : NGX_OK;
}

static ngx_int_t
ngx_http_kappa_send_page(ngx_http_request_t *r, const kappa_buf_t *page)
{
    static ngx_str_t no_store = ngx_string("no-store");

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = (off_t)page->len;
    ngx_str_set(&r->headers_out.content_type, KAPPA_PROMETHEUS_MEDIA);
    r->headers_out.content_type_len = sizeof("text/plain") - 1;
    if (ngx_http_kappa_header(r, "Cache-Control", no_store) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_int_t rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }
    ngx_buf_t *b = ngx_create_temp_buf(r->pool, page->len);
    if (b == NULL) {
        return NGX_ERROR;
    }
    b->last = ngx_cpymem(b->last, page->data, page->len);
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;
    ngx_chain_t out = { b, NULL };
    return ngx_http_output_filter(r, &out);
}

ngx_int_t
ngx_http_kappa_metrics_handler(ngx_http_request_t *r)
{
    static ngx_str_t allow = ngx_string("GET, HEAD");
    kappa_buf_t page;

    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
        return ngx_http_kappa_header(r, "Allow", allow) == NGX_OK
            ? NGX_HTTP_NOT_ALLOWED
            : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }
    kappa_buf_init(&page, &kappa_alloc_libc);
    rc = ngx_http_kappa_make_page(r, &page) == NGX_OK
        ? ngx_http_kappa_send_page(r, &page)
        : NGX_HTTP_INTERNAL_SERVER_ERROR;
    kappa_buf_release(&page);
    return rc;
}
