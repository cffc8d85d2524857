#include "ngx_kappa_module/ngx_http_kappa.h"

#include <signal.h>

/* The keeper: a thread per application that does what takes long and must
 * not hold the event loop: opening a store that could not be opened at once,
 * building a generation, catching up. */

#define ROUND_MS 1000
/* The first try is made on the event loop. */
#define OPEN_PATIENCE_MS 1000

struct ngx_http_kappa_keeper_s {
    ngx_http_kappa_note_t note;  /* the store was opened */
    ngx_http_kappa_note_t leave; /* its views take no more writes */
    ngx_http_kappa_app_t *app;
    ngx_log_t *log;
    kappa_store_t *store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stop;
    bool poked;
    bool leaving;
    kappa_log_io_t io; /* of the log, as long as it is open */
    kappa_log_options_t log_options;
    char said[256]; /* the last trouble told, so as to tell it once */
};

static void
ngx_http_kappa_report(void *ctx, bool error, kappa_str_t message)
{
    ngx_http_kappa_keeper_t *keeper = ctx;
    ngx_str_t text = { message.len, (u_char *)message.data };
    ngx_uint_t level = error ? NGX_LOG_ERR : NGX_LOG_NOTICE;

    ngx_log_error(
        level, keeper->log, 0, "kappa \"%V\": %V", &keeper->app->name, &text);
}

/* Says an error when it is another one than before. */
static void
ngx_http_kappa_keeper_say(
    ngx_http_kappa_keeper_t *keeper, const kappa_errors_t *errors)
{
    char text[sizeof(keeper->said)] = "";

    if (errors->first != NULL) {
        size_t n = errors->first->message.len;

        n = n < sizeof(text) ? n : sizeof(text) - 1;
        memcpy(text, errors->first->message.data, n);
    }
    if (strcmp(text, keeper->said) != 0) {
        memcpy(keeper->said, text, sizeof(text));
        if (text[0] != '\0') {
            ngx_http_kappa_report(keeper, true, kappa_str_c(text));
        }
    }
}

static kappa_status_t
ngx_http_kappa_keeper_open(
    ngx_http_kappa_keeper_t *keeper, kappa_errors_t *errors)
{
    ngx_http_kappa_app_t *app = keeper->app;
    kappa_store_options_t options = {
        .dir = kappa_str((char *)app->store.data, app->store.len),
        .schema_name = kappa_str((char *)app->schema.data, app->schema.len),
        .schema_text =
            kappa_str((char *)app->schema_text.data, app->schema_text.len),
        .map_size = app->map_size,
        .idempotency_window_ms = (int64_t)app->idempotency_window,
        .patience_ms = OPEN_PATIENCE_MS,
        .alloc = &kappa_alloc_libc,
        .report = ngx_http_kappa_report,
        .report_ctx = keeper,
        .log = &keeper->log_options,
        .committed = ngx_http_kappa_count_commit,
        .committed_ctx = app,
    };

    ngx_http_kappa_timed_log(app, &keeper->io, &keeper->log_options);
    return kappa_store_open(&options, &keeper->store, errors);
}

static bool
ngx_http_kappa_keeper_progress(void *ctx, uint64_t seq, uint64_t end)
{
    ngx_http_kappa_keeper_t *keeper = ctx;

    (void)seq;
    (void)end;
    pthread_mutex_lock(&keeper->lock);
    bool stop = keeper->stop;
    pthread_mutex_unlock(&keeper->lock);
    return !stop;
}

static void
ngx_http_kappa_keeper_round(ngx_http_kappa_keeper_t *keeper)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_t errors;

    if (arena == NULL) {
        return;
    }
    kappa_errors_init(&errors, arena, 0);
    if (keeper->store == NULL) {
        if (ngx_http_kappa_keeper_open(keeper, &errors) == KAPPA_OK) {
            ngx_http_kappa_report(
                keeper, false, KAPPA_STR("the store is open now"));
            ngx_http_kappa_ring(&keeper->note);
        }
    } else {
        if (kappa_store_wants_build(keeper->store)) {
            (void)kappa_store_build(keeper->store,
                ngx_http_kappa_keeper_progress, keeper, &errors);
        }
        (void)kappa_store_tick(keeper->store, &errors);
        if (kappa_store_broken(keeper->store) && !keeper->leaving) {
            keeper->leaving = true;
            ngx_http_kappa_ring(&keeper->leave);
        }
    }
    ngx_http_kappa_keeper_say(keeper, &errors);
    kappa_arena_destroy(arena);
}

/* False: stop. */
static bool
ngx_http_kappa_keeper_wait(ngx_http_kappa_keeper_t *keeper)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ROUND_MS / 1000;
    pthread_mutex_lock(&keeper->lock);
    int rc = 0;
    while (!keeper->stop && !keeper->poked && rc == 0) {
        rc = pthread_cond_timedwait(&keeper->stopped, &keeper->lock, &until);
    }
    bool stop = keeper->stop;
    keeper->poked = false;
    pthread_mutex_unlock(&keeper->lock);
    return !stop;
}

static void *
ngx_http_kappa_keeper_main(void *arg)
{
    ngx_http_kappa_keeper_t *keeper = arg;

    /* What open left to do is done at once. */
    while (keeper->store != NULL && !kappa_store_ready(keeper->store)
        && ngx_http_kappa_keeper_progress(keeper, 0, 0)) {
        ngx_http_kappa_keeper_round(keeper);
        if (!kappa_store_ready(keeper->store)
            && !ngx_http_kappa_keeper_wait(keeper)) {
            return NULL;
        }
    }
    while (ngx_http_kappa_keeper_wait(keeper)) {
        ngx_http_kappa_keeper_round(keeper);
    }
    return NULL;
}

static void
ngx_http_kappa_keeper_opened(ngx_http_kappa_note_t *note)
{
    ngx_http_kappa_keeper_t *keeper = (ngx_http_kappa_keeper_t *)note;

    ngx_http_kappa_adopt(keeper->app, keeper->store);
}

/* Only another process can write to the views again: this one ends in order,
 * and the master starts it anew. */
static void
ngx_http_kappa_keeper_leave(ngx_http_kappa_note_t *note)
{
    (void)note;
    ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
        "kappa: the views take no more writes; this worker leaves");
    ngx_quit = 1;
}

static ngx_int_t
ngx_http_kappa_keeper_spawn(ngx_http_kappa_keeper_t *keeper)
{
    pthread_condattr_t attr;
    sigset_t all, old;

    pthread_mutex_init(&keeper->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper->stopped, &attr);
    pthread_condattr_destroy(&attr);

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    int err = pthread_create(
        &keeper->thread, NULL, ngx_http_kappa_keeper_main, keeper);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err != 0) {
        ngx_log_error(NGX_LOG_ALERT, keeper->log, err,
            "kappa \"%V\": can't start a thread", &keeper->app->name);
        return NGX_ERROR;
    }
    return NGX_OK;
}

ngx_int_t
ngx_http_kappa_keeper_start(ngx_cycle_t *cycle, ngx_http_kappa_app_t *app)
{
    ngx_http_kappa_keeper_t *keeper =
        ngx_pcalloc(cycle->pool, sizeof(ngx_http_kappa_keeper_t));

    if (keeper == NULL) {
        return NGX_ERROR;
    }
    keeper->note.handler = ngx_http_kappa_keeper_opened;
    keeper->leave.handler = ngx_http_kappa_keeper_leave;
    keeper->app = app;
    keeper->log = cycle->log;

    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_t errors;
    if (arena == NULL) {
        return NGX_ERROR;
    }
    kappa_errors_init(&errors, arena, 0);
    if (ngx_http_kappa_keeper_open(keeper, &errors) == KAPPA_OK) {
        ngx_http_kappa_keeper_opened(&keeper->note);
    } else {
        keeper->store = NULL;
        ngx_http_kappa_keeper_say(keeper, &errors);
    }
    kappa_arena_destroy(arena);

    if (ngx_http_kappa_keeper_spawn(keeper) != NGX_OK) {
        return NGX_ERROR;
    }
    app->keeper = keeper;
    return NGX_OK;
}

void
ngx_http_kappa_keeper_poke(ngx_http_kappa_app_t *app)
{
    ngx_http_kappa_keeper_t *keeper = app->keeper;

    if (keeper != NULL) {
        pthread_mutex_lock(&keeper->lock);
        keeper->poked = true;
        pthread_cond_signal(&keeper->stopped);
        pthread_mutex_unlock(&keeper->lock);
    }
}

void
ngx_http_kappa_keeper_stop(ngx_http_kappa_app_t *app)
{
    ngx_http_kappa_keeper_t *keeper = app->keeper;

    if (keeper == NULL) {
        return;
    }
    pthread_mutex_lock(&keeper->lock);
    keeper->stop = true;
    pthread_cond_signal(&keeper->stopped);
    pthread_mutex_unlock(&keeper->lock);
    pthread_join(keeper->thread, NULL);
    app->keeper = NULL;
}
