#include "ngx_kappa_module/ngx_http_kappa.h"

#include "proto/prometheus.h"

/* The stores' part of the page of kappa_metrics: asked of them when the page
 * is, not counted. */

#define GAUGE KAPPA_METRIC_GAUGE

static uint64_t
ngx_http_kappa_is_open(const ngx_http_kappa_app_t *app)
{
    return app->store_handle != NULL;
}

static uint64_t
ngx_http_kappa_is_rebuilding(const ngx_http_kappa_app_t *app)
{
    return app->store_handle != NULL && !kappa_store_ready(app->store_handle);
}

static uint64_t
ngx_http_kappa_views_position(const ngx_http_kappa_app_t *app)
{
    return app->store_handle ? kappa_store_position(app->store_handle) : 0;
}

/* The tail may say nothing yet; the views are never past the log. */
static uint64_t
ngx_http_kappa_log_position(const ngx_http_kappa_app_t *app)
{
    uint64_t views = ngx_http_kappa_views_position(app);
    uint64_t log =
        app->store_handle ? kappa_store_durable(app->store_handle) : 0;

    return log > views ? log : views;
}

static uint64_t
ngx_http_kappa_generation(const kappa_store_state_t *state)
{
    return state->generation;
}

static uint64_t
ngx_http_kappa_skipped(const kappa_store_state_t *state)
{
    return state->skipped;
}

static uint64_t
ngx_http_kappa_build_running(const kappa_store_state_t *state)
{
    return state->build.running;
}

static uint64_t
ngx_http_kappa_build_position(const kappa_store_state_t *state)
{
    return state->build.built;
}

static uint64_t
ngx_http_kappa_build_target(const kappa_store_state_t *state)
{
    return state->build.total;
}

static uint64_t
ngx_http_kappa_build_eta(const kappa_store_state_t *state)
{
    return state->build.left_ms > 0 ? (uint64_t)state->build.left_ms : 0;
}

static uint64_t
ngx_http_kappa_build_skipped(const kappa_store_state_t *state)
{
    return state->build.skipped;
}

static uint64_t
ngx_http_kappa_used_bytes(const kappa_store_state_t *state)
{
    return state->usage.used_bytes;
}

static uint64_t
ngx_http_kappa_map_bytes(const kappa_store_state_t *state)
{
    return state->usage.map_bytes;
}

static uint64_t
ngx_http_kappa_readers(const kappa_store_state_t *state)
{
    return state->usage.readers;
}

static uint64_t
ngx_http_kappa_reader_lag(const kappa_store_state_t *state)
{
    return state->usage.readers_lag;
}

/* What a store tells of itself: words of kappa_store_state_t. */
static const struct {
    kappa_metric_t metric;
    uint64_t (*value)(const kappa_store_state_t *state);
} ngx_http_kappa_states[] = {
    { { "kappa_generation", "Number of the generation that serves.", GAUGE,
          0 },
        ngx_http_kappa_generation },
    { { "kappa_skipped_events",
          "Events that the rules of the views that serve can't apply.", GAUGE,
          0 },
        ngx_http_kappa_skipped },
    { { "kappa_build_running",
          "1 while a generation is being built, by whatever process.", GAUGE,
          0 },
        ngx_http_kappa_build_running },
    { { "kappa_build_position",
          "Sequence number of the last event in the generation being built.",
          GAUGE, 0 },
        ngx_http_kappa_build_position },
    { { "kappa_build_target",
          "Sequence number that the generation being built has to reach.",
          GAUGE, 0 },
        ngx_http_kappa_build_target },
    { { "kappa_build_eta_seconds",
          "How long the build will take yet, by its pace so far.", GAUGE, 3 },
        ngx_http_kappa_build_eta },
    { { "kappa_build_skipped_events",
          "Events that the generation being built could not apply.", GAUGE,
          0 },
        ngx_http_kappa_build_skipped },
    { { "kappa_views_used_bytes", "Bytes of the views' file that are used.",
          GAUGE, 0 },
        ngx_http_kappa_used_bytes },
    { { "kappa_views_map_bytes", "Bytes that the views may use (map_size).",
          GAUGE, 0 },
        ngx_http_kappa_map_bytes },
    { { "kappa_views_readers", "Snapshots of the views held just now.", GAUGE,
          0 },
        ngx_http_kappa_readers },
    { { "kappa_views_reader_lag",
          "Commits since the oldest snapshot that is held.", GAUGE, 0 },
        ngx_http_kappa_reader_lag },
};

static const struct {
    kappa_metric_t metric;
    uint64_t (*value)(const ngx_http_kappa_app_t *app);
} ngx_http_kappa_stores[] = {
    { { "kappa_store_open",
          "1 when the store is open in the worker that was asked.", GAUGE, 0 },
        ngx_http_kappa_is_open },
    { { "kappa_views_rebuilding",
          "1 while the views are computed from the log.", GAUGE, 0 },
        ngx_http_kappa_is_rebuilding },
    { { "kappa_log_position", "Sequence number of the log's last event.",
          GAUGE, 0 },
        ngx_http_kappa_log_position },
    { { "kappa_views_position",
          "Sequence number of the last event that the views have.", GAUGE, 0 },
        ngx_http_kappa_views_position },
};

static void
ngx_http_kappa_write_sample(kappa_buf_t *buf, const kappa_metric_t *metric,
    const ngx_http_kappa_app_t *app, uint64_t value)
{
    kappa_metric_label_t label = { "application",
        kappa_str((char *)app->name.data, app->name.len) };

    kappa_prometheus_sample(buf, metric, &label, 1, value);
}

static void
ngx_http_kappa_write_states(kappa_buf_t *buf,
    ngx_http_kappa_app_t *const *apps, const kappa_store_state_t *states,
    ngx_uint_t n)
{
    size_t count =
        sizeof(ngx_http_kappa_states) / sizeof(ngx_http_kappa_states[0]);

    for (size_t i = 0; i < count; i++) {
        const kappa_metric_t *metric = &ngx_http_kappa_states[i].metric;

        kappa_prometheus_family(buf, metric);
        for (ngx_uint_t app = 0; app < n; app++) {
            ngx_http_kappa_write_sample(buf, metric, apps[app],
                ngx_http_kappa_states[i].value(&states[app]));
        }
    }
}

void
ngx_http_kappa_write_stores(
    kappa_buf_t *buf, ngx_http_kappa_app_t *const *apps, ngx_uint_t n)
{
    size_t count =
        sizeof(ngx_http_kappa_stores) / sizeof(ngx_http_kappa_stores[0]);
    kappa_store_state_t *states = calloc(n + 1, sizeof(*states));

    for (size_t i = 0; i < count; i++) {
        const kappa_metric_t *metric = &ngx_http_kappa_stores[i].metric;

        kappa_prometheus_family(buf, metric);
        for (ngx_uint_t app = 0; app < n; app++) {
            ngx_http_kappa_write_sample(buf, metric, apps[app],
                ngx_http_kappa_stores[i].value(apps[app]));
        }
    }
    if (states == NULL) {
        buf->failed = true;
        return;
    }
    for (ngx_uint_t app = 0; app < n; app++) {
        if (apps[app]->store_handle != NULL) {
            (void)kappa_store_state(apps[app]->store_handle, &states[app]);
        }
    }
    ngx_http_kappa_write_states(buf, apps, states, n);
    free(states);
}
