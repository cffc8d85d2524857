#include "ngx_kappa_module/ngx_http_kappa.h"

#include <sys/resource.h>

#include "base/time.h"
#include "proto/prometheus.h"

/* Counting: what is called where something happens. */

const char *const ngx_http_kappa_error_codes[] = { "PARSE_FAILED",
    "VALIDATION_FAILED", "BAD_USER_INPUT", "UNAUTHENTICATED", "FORBIDDEN",
    "NOT_FOUND", "ALREADY_EXISTS", "NOT_UNIQUE", "CHECK_FAILED",
    "IDEMPOTENCY_CONFLICT", "SCHEMA_CHANGED", "LOG_UNAVAILABLE",
    "OUTCOME_UNKNOWN", "OVERLOADED", "VIEWS_REBUILDING", "STORE_UNAVAILABLE",
    "LIMIT_EXCEEDED", "PERSISTED_QUERY_NOT_FOUND", "DOCUMENT_NOT_TRUSTED",
    "POSITION_NOT_REACHED", "POSITION_GONE", "INTERNAL", "other", NULL };

const uint16_t ngx_http_kappa_close_codes[] = { 1000, 1001, 1002, 1003, 1005,
    1006, 1007, 1009, 1011, 1012, 1013, 4400, 4401, 4403, 4406, 4408, 4409,
    4429, 4500, 0 };

_Static_assert(
    sizeof(ngx_http_kappa_error_codes) / sizeof(char *) <= NGX_HTTP_KAPPA_CODES
        && sizeof(ngx_http_kappa_close_codes) / sizeof(uint16_t)
            <= NGX_HTTP_KAPPA_CLOSES,
    "there is room for all codes");

const uint64_t ngx_http_kappa_time_bounds[] = { 10, 25, 50, 100, 250, 500,
    1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000,
    2500000, 10000000 };

const uint64_t ngx_http_kappa_batch_bounds[] = { 0, 1, 2, 3, 4, 6, 8, 12, 16,
    24, 32, 48, 64, 128, 256, 512, 768, 1000 };

/* --- counting --- */

static void
ngx_http_kappa_observe(ngx_http_kappa_block_t *block,
    ngx_http_kappa_histogram_t histogram, uint64_t value)
{
    const uint64_t *bounds = histogram == NGX_HTTP_KAPPA_BATCH_EVENTS
        ? ngx_http_kappa_batch_bounds
        : ngx_http_kappa_time_bounds;
    uint32_t bucket =
        kappa_metric_bucket(bounds, NGX_HTTP_KAPPA_BOUNDS, value);

    ngx_http_kappa_word_add(&block->histograms[histogram].counts[bucket], 1);
    ngx_http_kappa_word_add(&block->histograms[histogram].sum, value);
}

static uint64_t
ngx_http_kappa_since(int64_t begun_us)
{
    if (begun_us == NGX_HTTP_KAPPA_AT_ONCE) {
        return 1;
    }
    int64_t now = kappa_monotonic_us();

    return now > begun_us ? (uint64_t)(now - begun_us) : 0;
}

static void
ngx_http_kappa_count_ended(ngx_http_kappa_app_t *app, ngx_uint_t type,
    ngx_http_kappa_ended_t ended, int64_t begun_us)
{
    ngx_http_kappa_word_add(&app->counts->requests[type][ended], 1);
    if (begun_us == 0) {
        return;
    }
    if (type == NGX_HTTP_KAPPA_TYPE_QUERY) {
        ngx_http_kappa_observe(app->counts, NGX_HTTP_KAPPA_QUERY_TIME,
            ngx_http_kappa_since(begun_us));
    } else if (type == NGX_HTTP_KAPPA_TYPE_MUTATION) {
        ngx_http_kappa_observe(app->counts, NGX_HTTP_KAPPA_MUTATION_TIME,
            ngx_http_kappa_since(begun_us));
    }
}

static ngx_http_kappa_ended_t
ngx_http_kappa_ended_by(kappa_http_outcome_t outcome)
{
    switch (outcome) {
    case KAPPA_OUTCOME_DATA:
        return NGX_HTTP_KAPPA_ENDED_OK;
    case KAPPA_OUTCOME_DATA_ERRORS:
    case KAPPA_OUTCOME_FAILED:
        return NGX_HTTP_KAPPA_ENDED_ERROR;
    case KAPPA_OUTCOME_UNAVAILABLE:
        return NGX_HTTP_KAPPA_ENDED_UNAVAILABLE;
    default:
        return NGX_HTTP_KAPPA_ENDED_REFUSED;
    }
}

static void
ngx_http_kappa_count_code(ngx_http_kappa_app_t *app, const char *code)
{
    ngx_uint_t i = 0;

    while (ngx_http_kappa_error_codes[i + 1] != NULL
        && ngx_strcmp(ngx_http_kappa_error_codes[i], code) != 0) {
        i++;
    }
    ngx_http_kappa_word_add(&app->counts->errors[i], 1);
}

/* The application of a GraphQL or events location; NULL: another one. */
static ngx_http_kappa_app_t *
ngx_http_kappa_app_of(const ngx_http_kappa_loc_conf_t *klcf)
{
    return klcf->app ? klcf->app : klcf->events;
}

static ngx_uint_t
ngx_http_kappa_type_of(ngx_http_request_t *r,
    const ngx_http_kappa_loc_conf_t *klcf, const ngx_http_kappa_ctx_t *ctx)
{
    if (klcf->app == NULL) {
        return r->method & NGX_HTTP_POST ? NGX_HTTP_KAPPA_TYPE_UPLOAD
                                         : NGX_HTTP_KAPPA_TYPE_READ;
    }
    return ctx ? ctx->operation_type : NGX_HTTP_KAPPA_TYPE_UNKNOWN;
}

void
ngx_http_kappa_count_answer(
    ngx_http_request_t *r, kappa_http_outcome_t outcome)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    ngx_http_kappa_app_t *app = ngx_http_kappa_app_of(klcf);

    if (app == NULL || ctx == NULL || ctx->counted) {
        return;
    }
    ctx->counted = true;
    ngx_http_kappa_count_ended(app, ngx_http_kappa_type_of(r, klcf, ctx),
        ngx_http_kappa_ended_by(outcome), ctx->op.begun_us);
}

void
ngx_http_kappa_count_error(ngx_http_request_t *r, const char *code)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);
    ngx_http_kappa_app_t *app = ngx_http_kappa_app_of(klcf);

    if (app != NULL && code != NULL) {
        ngx_http_kappa_count_code(app, code);
    }
}

void
ngx_http_kappa_count_operation(const ngx_http_kappa_operation_t *op,
    kappa_http_outcome_t outcome, const char *code)
{
    ngx_http_kappa_count_ended(op->app,
        op->plan ? (ngx_uint_t)kappa_plan_operation(op->plan) + 1
                 : NGX_HTTP_KAPPA_TYPE_UNKNOWN,
        ngx_http_kappa_ended_by(outcome), op->begun_us);
    if (code != NULL) {
        ngx_http_kappa_count_code(op->app, code);
    }
}

void
ngx_http_kappa_count_failed(const ngx_http_kappa_operation_t *op,
    kappa_status_t status, const kappa_errors_t *errors)
{
    kappa_http_outcome_t outcome = KAPPA_OUTCOME_VALIDATION;

    if (status == KAPPA_BUSY || status == KAPPA_IO || status == KAPPA_CONFLICT
        || (status == KAPPA_LIMIT && op->plan != NULL)) { /* too many open */
        outcome = KAPPA_OUTCOME_UNAVAILABLE;
    } else if (errors->first == NULL) {
        outcome = KAPPA_OUTCOME_FAILED;
    }
    ngx_http_kappa_count_operation(
        op, outcome, errors->first ? errors->first->code : NULL);
}

/* LOG: what nginx answered in our place (a body that is too large, a limit, a
 * failure), and who left before there was an answer. */
ngx_int_t
ngx_http_kappa_log_handler(ngx_http_request_t *r)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    ngx_http_kappa_app_t *app = ngx_http_kappa_app_of(klcf);
    ngx_uint_t status = r->headers_out.status;
    ngx_http_kappa_ended_t ended = NGX_HTTP_KAPPA_ENDED_REFUSED;

    if (app == NULL || app->counts == NULL || (ctx && ctx->counted)
        || status < NGX_HTTP_BAD_REQUEST) {
        return NGX_OK;
    }
    if (status == NGX_HTTP_CLIENT_CLOSED_REQUEST) {
        ended = NGX_HTTP_KAPPA_ENDED_GONE;
    } else if (status == NGX_HTTP_SERVICE_UNAVAILABLE) {
        ended = NGX_HTTP_KAPPA_ENDED_UNAVAILABLE;
    } else if (status >= NGX_HTTP_INTERNAL_SERVER_ERROR) {
        ended = NGX_HTTP_KAPPA_ENDED_ERROR;
    }
    ngx_http_kappa_count_ended(
        app, ngx_http_kappa_type_of(r, klcf, ctx), ended, 0);
    return NGX_OK;
}

void
ngx_http_kappa_count_close(ngx_http_kappa_app_t *app, uint16_t code)
{
    ngx_uint_t i = 0;

    while (ngx_http_kappa_close_codes[i] != 0
        && ngx_http_kappa_close_codes[i] != code) {
        i++;
    }
    ngx_http_kappa_word_add(&app->counts->closes[i], 1);
}

void
ngx_http_kappa_count_slow(ngx_http_request_t *r)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);
    ngx_http_kappa_app_t *app = ngx_http_kappa_app_of(klcf);

    if (app != NULL) {
        ngx_http_kappa_count(app, NGX_HTTP_KAPPA_SLOW_CLIENTS, 1);
    }
}

/* --- what others count by themselves --- */

void
ngx_http_kappa_count_documents(ngx_http_kappa_app_t *app,
    const kappa_documents_stats_t *before, const kappa_documents_stats_t *now)
{
    ngx_http_kappa_count(
        app, NGX_HTTP_KAPPA_DOCUMENT_HITS, now->hits - before->hits);
    ngx_http_kappa_count(
        app, NGX_HTTP_KAPPA_DOCUMENT_MISSES, now->misses - before->misses);
    ngx_http_kappa_gauge(app, NGX_HTTP_KAPPA_DOCUMENT_BYTES,
        (int64_t)now->bytes - (int64_t)before->bytes);
}

void
ngx_http_kappa_count_token(const kappa_token_cache_t *tokens, bool refused)
{
    static kappa_token_cache_stats_t before;
    kappa_token_cache_stats_t now = kappa_token_cache_stats(tokens);
    uint64_t *counters = ngx_http_kappa_common->counters;

    ngx_http_kappa_word_add(
        &counters[NGX_HTTP_KAPPA_TOKEN_HITS], now.hits - before.hits);
    ngx_http_kappa_word_add(
        &counters[NGX_HTTP_KAPPA_TOKEN_MISSES], now.misses - before.misses);
    if (refused) {
        ngx_http_kappa_word_add(&counters[NGX_HTTP_KAPPA_TOKENS_REFUSED], 1);
    }
    ngx_http_kappa_common->gauges[NGX_HTTP_KAPPA_TOKENS_CACHED] = now.count;
    before = now;
}

void
ngx_http_kappa_count_live(ngx_http_kappa_app_t *app)
{
    if (app->live == NULL) {
        return;
    }
    kappa_live_stats_t now = kappa_live_stats(app->live);

    ngx_http_kappa_count(
        app, NGX_HTTP_KAPPA_LIVE_RUNS, now.runs - app->live_before.runs);
    ngx_http_kappa_count(
        app, NGX_HTTP_KAPPA_LIVE_FRAMES, now.frames - app->live_before.frames);
    __atomic_store_n(&app->counts->gauges[NGX_HTTP_KAPPA_GROUPS], now.groups,
        __ATOMIC_RELAXED);
    app->live_before = now;
}

void
ngx_http_kappa_count_faults(void)
{
    static long before;
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        ngx_http_kappa_word_add(
            &ngx_http_kappa_common->counters[NGX_HTTP_KAPPA_MAJOR_FAULTS],
            (uint64_t)(usage.ru_majflt - before));
        before = usage.ru_majflt;
    }
}

/* --- on the append thread --- */

static uint64_t
ngx_http_kappa_positive(int64_t us)
{
    return us > 0 ? (uint64_t)us : 0;
}

void
ngx_http_kappa_count_commit(void *data, const kappa_commit_t *commit)
{
    ngx_http_kappa_app_t *app = data;
    ngx_http_kappa_block_t *counts = app->counts;

    ngx_http_kappa_count(app, NGX_HTTP_KAPPA_EVENTS_APPENDED, commit->events);
    ngx_http_kappa_count(app, NGX_HTTP_KAPPA_DUPLICATES, commit->duplicates);
    if (commit->status != KAPPA_OK && commit->status != KAPPA_BUSY) {
        ngx_http_kappa_count(app, NGX_HTTP_KAPPA_COMMITS_FAILED, 1);
    }
    ngx_http_kappa_observe(counts, NGX_HTTP_KAPPA_COMMIT_TIME,
        ngx_http_kappa_positive(commit->total_us));
    ngx_http_kappa_observe(counts, NGX_HTTP_KAPPA_LOCK_TIME,
        ngx_http_kappa_positive(commit->lock_us));
    if (commit->append_us > 0) {
        ngx_http_kappa_observe(counts, NGX_HTTP_KAPPA_APPEND_TIME,
            ngx_http_kappa_positive(commit->append_us));
    }
    ngx_http_kappa_observe(
        counts, NGX_HTTP_KAPPA_BATCH_EVENTS, commit->events);
}

/* The log's only fsync, timed; under its lock. ctx is the application. */
static int
ngx_http_kappa_timed_fdatasync(void *ctx, int fd)
{
    ngx_http_kappa_app_t *app = ctx;
    int64_t begun = kappa_monotonic_us();
    int rc = kappa_log_io_libc.fdatasync(NULL, fd);

    ngx_http_kappa_observe(
        app->counts, NGX_HTTP_KAPPA_FSYNC_TIME, ngx_http_kappa_since(begun));
    return rc;
}

void
ngx_http_kappa_timed_log(
    ngx_http_kappa_app_t *app, kappa_log_io_t *io, kappa_log_options_t *log)
{
    *io = kappa_log_io_libc;
    io->fdatasync = ngx_http_kappa_timed_fdatasync;
    io->ctx = app;
    *log = (kappa_log_options_t){ .io = io };
}
