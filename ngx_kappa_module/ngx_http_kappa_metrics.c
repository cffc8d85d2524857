#include "ngx_kappa_module/ngx_http_kappa.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/time.h"
#include "proto/prometheus.h"

/* Counting: the shared memory zone, a worker's place in it, and what is
 * called where something happens. ngx_http_kappa_metrics_page.c writes what
 * was counted. */

#define ZONE_VERSION 1
/* Places for applications come by so many, so that one more does not mean
 * another zone, and all counters from nothing. */
#define BLOCKS_STEP 4

typedef struct {
    ngx_pid_t pid; /* 0: nobody's */
    ngx_http_kappa_block_t blocks[];
} ngx_http_kappa_slot_t;

typedef struct {
    uint32_t version;
    uint32_t block_count;    /* of a slot */
    ngx_atomic_t slot_count; /* that were ever used, from the first */
    u_char *slots;
    uint64_t names[]; /* of the blocks; 0: free */
} ngx_http_kappa_zone_t;

const char *const ngx_http_kappa_error_codes[] = { "PARSE_FAILED",
    "VALIDATION_FAILED", "BAD_USER_INPUT", "UNAUTHENTICATED", "FORBIDDEN",
    "NOT_FOUND", "ALREADY_EXISTS", "NOT_UNIQUE", "CHECK_FAILED",
    "IDEMPOTENCY_CONFLICT", "SCHEMA_CHANGED", "LOG_UNAVAILABLE",
    "OUTCOME_UNKNOWN", "OVERLOADED", "VIEWS_REBUILDING", "STORE_UNAVAILABLE",
    "LIMIT_EXCEEDED", "INTERNAL", "other", NULL };

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

/* Where what is counted goes when there is no zone, or before it. */
static ngx_http_kappa_block_t ngx_http_kappa_nowhere;
static ngx_http_kappa_block_t *ngx_http_kappa_common = &ngx_http_kappa_nowhere;
static ngx_http_kappa_slot_t *ngx_http_kappa_slot;

/* --- the zone --- */

static size_t
ngx_http_kappa_slot_bytes(ngx_uint_t block_count)
{
    return ngx_align(sizeof(ngx_http_kappa_slot_t)
            + block_count * sizeof(ngx_http_kappa_block_t),
        NGX_CPU_CACHE_LINE);
}

static size_t
ngx_http_kappa_zone_bytes(ngx_uint_t block_count)
{
    return ngx_align(
               sizeof(ngx_http_kappa_zone_t) + block_count * sizeof(uint64_t),
               NGX_CPU_CACHE_LINE)
        + NGX_MAX_PROCESSES * ngx_http_kappa_slot_bytes(block_count);
}

/* How many blocks a slot has for so many applications. */
static ngx_uint_t
ngx_http_kappa_block_count(ngx_uint_t apps)
{
    return ngx_align(apps + 1, BLOCKS_STEP);
}

static uint64_t
ngx_http_kappa_block_name(const ngx_http_kappa_app_t *app)
{
    return (uint64_t)app->name.len << 32
        | ngx_crc32_long(app->name.data, app->name.len);
}

/* Pages come as zeros, and only those that are used take memory. */
static ngx_http_kappa_zone_t *
ngx_http_kappa_zone_create(ngx_shm_zone_t *shm_zone, ngx_uint_t block_count)
{
    ngx_slab_pool_t *pool = (ngx_slab_pool_t *)shm_zone->shm.addr;
    ngx_http_kappa_zone_t *zone =
        ngx_slab_alloc(pool, ngx_http_kappa_zone_bytes(block_count));

    if (zone == NULL) {
        return NULL;
    }
    zone->version = ZONE_VERSION;
    zone->block_count = (uint32_t)block_count;
    zone->slots = (u_char *)zone + ngx_http_kappa_zone_bytes(block_count)
        - NGX_MAX_PROCESSES * ngx_http_kappa_slot_bytes(block_count);
    return zone;
}

static ngx_http_kappa_slot_t *
ngx_http_kappa_slot_at(ngx_http_kappa_zone_t *zone, ngx_uint_t i)
{
    return (ngx_http_kappa_slot_t *)(zone->slots
        + i * ngx_http_kappa_slot_bytes(zone->block_count));
}

static bool
ngx_http_kappa_name_is_used(ngx_array_t *apps, uint64_t name)
{
    ngx_http_kappa_app_t **app = apps->elts;

    for (ngx_uint_t i = 0; i < apps->nelts; i++) {
        if (ngx_http_kappa_block_name(app[i]) == name) {
            return true;
        }
    }
    return false;
}

/* The place of an application that is gone; there is one. */
static ngx_uint_t
ngx_http_kappa_block_reclaim(ngx_http_kappa_zone_t *zone, ngx_array_t *apps)
{
    ngx_uint_t i = 1;

    while (ngx_http_kappa_name_is_used(apps, zone->names[i])) {
        i++;
    }
    for (ngx_uint_t s = 0; s < zone->slot_count; s++) {
        ngx_memzero(&ngx_http_kappa_slot_at(zone, s)->blocks[i],
            sizeof(ngx_http_kappa_block_t));
    }
    return i;
}

/* An application keeps its block over reloads. */
static ngx_uint_t
ngx_http_kappa_block_of(ngx_http_kappa_zone_t *zone, ngx_array_t *apps,
    const ngx_http_kappa_app_t *app)
{
    uint64_t name = ngx_http_kappa_block_name(app);
    ngx_uint_t empty = 0;

    for (ngx_uint_t i = zone->block_count - 1; i > 0; i--) {
        if (zone->names[i] == name) {
            return i;
        }
        if (zone->names[i] == 0) {
            empty = i;
        }
    }
    if (empty == 0) {
        empty = ngx_http_kappa_block_reclaim(zone, apps);
    }
    zone->names[empty] = name;
    return empty;
}

static ngx_int_t
ngx_http_kappa_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_kappa_main_conf_t *kmcf = shm_zone->data;
    ngx_http_kappa_main_conf_t *before = data;
    ngx_uint_t block_count = ngx_http_kappa_block_count(kmcf->apps.nelts);
    ngx_http_kappa_zone_t *zone = before ? before->metrics : NULL;

    if (zone == NULL || zone->version != ZONE_VERSION
        || zone->block_count != block_count) {
        zone = ngx_http_kappa_zone_create(shm_zone, block_count);
    }
    if (zone == NULL) {
        return NGX_ERROR;
    }
    kmcf->metrics = zone;
    ngx_http_kappa_app_t **apps = kmcf->apps.elts;
    for (ngx_uint_t i = 0; i < kmcf->apps.nelts; i++) {
        apps[i]->block = ngx_http_kappa_block_of(zone, &kmcf->apps, apps[i]);
    }
    return NGX_OK;
}

/* nginx's page table comes before the pages. */
static size_t
ngx_http_kappa_shm_bytes(ngx_uint_t apps)
{
    size_t bytes = ngx_http_kappa_zone_bytes(ngx_http_kappa_block_count(apps));
    size_t pages = bytes / ngx_pagesize + 1;

    return (pages + 8) * ngx_pagesize
        + ngx_align(pages * sizeof(ngx_slab_page_t) * 2, ngx_pagesize);
}

char *
ngx_http_kappa_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    static ngx_str_t name = ngx_string("kappa_metrics");
    ngx_http_kappa_main_conf_t *kmcf =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_kappa_module);
    ngx_http_core_loc_conf_t *clcf =
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    (void)cmd;
    (void)conf;
    if (clcf->handler == ngx_http_kappa_metrics_handler) {
        return "is duplicate";
    }
    clcf->handler = ngx_http_kappa_metrics_handler;
    /* How large is known when all applications are. */
    kmcf->metrics_zone =
        ngx_shared_memory_add(cf, &name, 0, &ngx_http_kappa_module);
    return kmcf->metrics_zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}

void
ngx_http_kappa_metrics_configure(ngx_conf_t *cf)
{
    ngx_http_kappa_main_conf_t *kmcf =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_kappa_module);

    if (kmcf->metrics_zone != NULL) {
        kmcf->metrics_zone->shm.size =
            ngx_http_kappa_shm_bytes(kmcf->apps.nelts);
        kmcf->metrics_zone->init = ngx_http_kappa_zone_init;
        kmcf->metrics_zone->data = kmcf;
    }
}

/* --- a worker's slot --- */

void
ngx_http_kappa_metrics_start(ngx_http_kappa_main_conf_t *kmcf)
{
    ngx_http_kappa_app_t **apps = kmcf->apps.elts;
    ngx_http_kappa_zone_t *zone = kmcf->metrics;

    for (ngx_uint_t i = 0; i < kmcf->apps.nelts; i++) {
        apps[i]->counts = &ngx_http_kappa_nowhere;
    }
    if (zone == NULL || ngx_process_slot < 0
        || ngx_process_slot >= NGX_MAX_PROCESSES) {
        return;
    }
    ngx_http_kappa_slot_t *slot =
        ngx_http_kappa_slot_at(zone, (ngx_uint_t)ngx_process_slot);
    for (ngx_uint_t i = 0; i < zone->block_count; i++) {
        ngx_memzero(slot->blocks[i].gauges, sizeof(slot->blocks[i].gauges));
    }
    slot->pid = ngx_pid;
    ngx_http_kappa_slot = slot;
    ngx_http_kappa_common = &slot->blocks[0];
    for (ngx_uint_t i = 0; i < kmcf->apps.nelts; i++) {
        apps[i]->counts = &slot->blocks[apps[i]->block];
    }
    ngx_atomic_uint_t mine = (ngx_atomic_uint_t)ngx_process_slot + 1, seen;
    do {
        seen = zone->slot_count;
    } while (
        seen < mine && !ngx_atomic_cmp_set(&zone->slot_count, seen, mine));
}

void
ngx_http_kappa_metrics_stop(void)
{
    if (ngx_http_kappa_slot != NULL) {
        ngx_http_kappa_slot->pid = 0;
    }
}

/* --- reading --- */

static void
ngx_http_kappa_block_sum(ngx_http_kappa_block_t *sum,
    const ngx_http_kappa_block_t *block, bool alive)
{
    const uint64_t *from = (const uint64_t *)block;
    uint64_t *to = (uint64_t *)sum;
    size_t words = alive
        ? sizeof(*block) / sizeof(uint64_t)
        : offsetof(ngx_http_kappa_block_t, gauges) / sizeof(uint64_t);

    for (size_t i = 0; i < words; i++) {
        to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
    }
}

static bool
ngx_http_kappa_slot_is_alive(const ngx_http_kappa_slot_t *slot)
{
    return slot->pid > 0
        && (slot->pid == ngx_pid || kill(slot->pid, 0) == 0
            || ngx_errno == NGX_EPERM);
}

ngx_uint_t
ngx_http_kappa_metrics_sum(ngx_http_kappa_main_conf_t *kmcf,
    const ngx_http_kappa_app_t *app, ngx_http_kappa_block_t *sum)
{
    ngx_http_kappa_zone_t *zone = kmcf->metrics;
    ngx_uint_t workers = 0;

    ngx_memzero(sum, sizeof(*sum));
    for (ngx_uint_t i = 0; zone != NULL && i < zone->slot_count; i++) {
        ngx_http_kappa_slot_t *slot = ngx_http_kappa_slot_at(zone, i);
        bool alive = ngx_http_kappa_slot_is_alive(slot);

        ngx_http_kappa_block_sum(
            sum, &slot->blocks[app ? app->block : 0], alive);
        workers += alive ? 1 : 0;
    }
    return workers;
}

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

    if (status == KAPPA_BUSY || status == KAPPA_IO
        || status == KAPPA_CONFLICT) {
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
    if (commit->status != KAPPA_OK) {
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
