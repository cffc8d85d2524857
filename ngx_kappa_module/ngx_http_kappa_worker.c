#include "ngx_kappa_module/ngx_http_kappa.h"

#include <sys/eventfd.h>

#include "base/uuid.h"
#include "log/tail.h"

/* A worker's life: it opens the applications, hears of its threads by a bell
 * (an eventfd; ngx_notify belongs to the thread pools), of other processes'
 * commits by inotify, and of what both missed by a tick. */

#define TICK_MS 1000
/* Re-armed while work is held; its only use is to be a timer that an exiting
 * worker waits for. */
#define HOLD_MS 60000
#define ARENA_BYTES 16384
#define ARENA_BYTES_KEPT (256 * 1024)
#define ARENAS_KEPT 64

static struct {
    ngx_array_t *apps; /* ngx_http_kappa_app_t * */
    ngx_connection_t *bell;
    ngx_event_t tick;
    ngx_event_t hold;
    ngx_uint_t held;
    pthread_mutex_t lock; /* of notes */
    ngx_http_kappa_note_t *notes;
    ngx_http_kappa_note_t **last;
    kappa_arena_t *arenas[ARENAS_KEPT];
    ngx_uint_t arena_count;
} ngx_http_kappa_worker;

/* --- the bell --- */

void
ngx_http_kappa_ring(ngx_http_kappa_note_t *note)
{
    uint64_t one = 1;

    note->next = NULL;
    pthread_mutex_lock(&ngx_http_kappa_worker.lock);
    bool ringing = ngx_http_kappa_worker.notes != NULL;
    *ngx_http_kappa_worker.last = note;
    ngx_http_kappa_worker.last = &note->next;
    pthread_mutex_unlock(&ngx_http_kappa_worker.lock);
    if (ringing) {
        return;
    }
    /* Can only fail when the counter is full: then it is ringing. */
    if (write(ngx_http_kappa_worker.bell->fd, &one, sizeof(one)) < 0) {
        return;
    }
}

static void
ngx_http_kappa_run_notes(void)
{
    pthread_mutex_lock(&ngx_http_kappa_worker.lock);
    ngx_http_kappa_note_t *note = ngx_http_kappa_worker.notes;
    ngx_http_kappa_worker.notes = NULL;
    ngx_http_kappa_worker.last = &ngx_http_kappa_worker.notes;
    pthread_mutex_unlock(&ngx_http_kappa_worker.lock);

    while (note != NULL) {
        ngx_http_kappa_note_t *next = note->next;

        note->handler(note);
        note = next;
    }
}

static void
ngx_http_kappa_bell_handler(ngx_event_t *ev)
{
    ngx_connection_t *c = ev->data;
    uint64_t count;

    /* One read takes the whole counter. */
    if (read(c->fd, &count, sizeof(count)) < 0 && ngx_errno != NGX_EAGAIN) {
        ngx_log_error(NGX_LOG_ERR, ev->log, ngx_errno, "kappa: the bell");
    }
    ngx_http_kappa_run_notes();
    (void)ngx_handle_read_event(ev, 0);
}

/* --- arenas --- */

kappa_arena_t *
ngx_http_kappa_arena_get(void)
{
    if (ngx_http_kappa_worker.arena_count > 0) {
        return ngx_http_kappa_worker
            .arenas[--ngx_http_kappa_worker.arena_count];
    }
    return kappa_arena_create(&kappa_alloc_libc, ARENA_BYTES);
}

void
ngx_http_kappa_arena_put(kappa_arena_t *arena)
{
    if (ngx_http_kappa_worker.arena_count == ARENAS_KEPT
        || kappa_arena_used(arena) > ARENA_BYTES_KEPT) {
        kappa_arena_destroy(arena);
        return;
    }
    kappa_arena_reset(arena);
    ngx_http_kappa_worker.arenas[ngx_http_kappa_worker.arena_count++] = arena;
}

/* --- holding an exiting worker --- */

static void
ngx_http_kappa_hold_handler(ngx_event_t *ev)
{
    if (ngx_http_kappa_worker.held) {
        ngx_add_timer(ev, HOLD_MS);
    }
}

void
ngx_http_kappa_hold(void)
{
    if (ngx_http_kappa_worker.held++ == 0) {
        ngx_add_timer(&ngx_http_kappa_worker.hold, HOLD_MS);
    }
}

void
ngx_http_kappa_unhold(void)
{
    if (--ngx_http_kappa_worker.held == 0
        && ngx_http_kappa_worker.hold.timer_set) {
        ngx_del_timer(&ngx_http_kappa_worker.hold);
    }
}

/* --- descriptors in the event loop --- */

static ngx_connection_t *
ngx_http_kappa_watch_fd(
    ngx_cycle_t *cycle, int fd, ngx_event_handler_pt handler, void *data)
{
    ngx_connection_t *c = ngx_get_connection(fd, cycle->log);

    if (c == NULL) {
        (void)close(fd);
        return NULL;
    }
    c->data = data;
    c->read->handler = handler;
    c->read->log = cycle->log;
    c->write->log = cycle->log;
    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_close_connection(c);
        return NULL;
    }
    return c;
}

static void
ngx_http_kappa_unwatch(ngx_connection_t **c)
{
    if (*c != NULL) {
        ngx_close_connection(*c);
        *c = NULL;
    }
}

/* --- applications --- */

static void
ngx_http_kappa_wake_handler(ngx_event_t *ev)
{
    ngx_http_kappa_app_t *app = ev->data;

    if (app->store_handle != NULL && kappa_store_outdated(app->store_handle)) {
        ngx_http_kappa_keeper_poke(app); /* to follow `current` */
    }
    ngx_http_kappa_tails_wake(app);
    ngx_http_kappa_waits_wake(app);
    if (app->live != NULL && kappa_live_wake(app->live) == KAPPA_AGAIN) {
        ngx_post_event(ev, &ngx_posted_next_events);
    }
    ngx_http_kappa_count_live(app);
}

static void
ngx_http_kappa_wake(ngx_http_kappa_app_t *app)
{
    if (!app->wake.posted) {
        ngx_post_event(&app->wake, &ngx_posted_events);
    }
}

static void ngx_http_kappa_watch_tail(ngx_http_kappa_app_t *app);

static void
ngx_http_kappa_tail_handler(ngx_event_t *ev)
{
    ngx_connection_t *c = ev->data;
    ngx_http_kappa_app_t *app = c->data;
    kappa_status_t status = kappa_tail_drain(c->fd);

    if (status == KAPPA_NOT_FOUND || status == KAPPA_IO) {
        ngx_http_kappa_unwatch(&app->tail);
        ngx_http_kappa_watch_tail(app);
    } else {
        (void)ngx_handle_read_event(ev, 0);
    }
    ngx_http_kappa_wake(app);
}

/* Once, until it works again. */
static void
ngx_http_kappa_say_unwatched(
    ngx_http_kappa_app_t *app, const kappa_errors_t *errors)
{
    const kappa_str_t none = KAPPA_STR("no connection or memory is left");
    kappa_str_t why = errors->first ? errors->first->message : none;
    ngx_str_t text = { why.len, (u_char *)why.data };

    if (!app->unwatched) {
        app->unwatched = true;
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
            "kappa \"%V\": %V: other processes' events are heard of up to a "
            "second late, until it can be watched",
            &app->name, &text);
    }
}

/* Without it the tick still finds every change, a second later, and tries
 * again. */
static void
ngx_http_kappa_watch_tail(ngx_http_kappa_app_t *app)
{
    ngx_cycle_t *cycle = (ngx_cycle_t *)ngx_cycle;
    kappa_arena_t *arena = ngx_http_kappa_arena_get();
    kappa_errors_t errors;
    int fd;

    if (arena == NULL) {
        return;
    }
    kappa_errors_init(&errors, arena, 0);
    if (kappa_tail_watch((char *)app->store.data, &fd, &errors) == KAPPA_OK) {
        app->tail = ngx_http_kappa_watch_fd(
            cycle, fd, ngx_http_kappa_tail_handler, app);
    }
    if (app->tail == NULL) {
        ngx_http_kappa_say_unwatched(app, &errors);
    } else {
        app->unwatched = false;
    }
    ngx_http_kappa_arena_put(arena);
}

void
ngx_http_kappa_adopt(ngx_http_kappa_app_t *app, kappa_store_t *store)
{
    app->store_handle = store;
    app->live = kappa_live_create(&kappa_alloc_libc, store);
    if (kappa_appender_create(&kappa_alloc_libc, store, 0, &app->appender)
        != KAPPA_OK) {
        app->appender = NULL;
    }
    if (app->live == NULL || app->appender == NULL) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
            "kappa \"%V\": no memory or no thread: mutations and "
            "subscriptions are refused",
            &app->name);
    }
    ngx_http_kappa_watch_tail(app);
}

static ngx_int_t
ngx_http_kappa_start(ngx_cycle_t *cycle, ngx_http_kappa_app_t *app)
{
    ngx_queue_init(&app->streams);
    ngx_queue_init(&app->sockets);
    ngx_queue_init(&app->tails);
    ngx_queue_init(&app->waits);
    app->wake.handler = ngx_http_kappa_wake_handler;
    app->wake.data = app;
    app->wake.log = cycle->log;
    return ngx_http_kappa_keeper_start(cycle, app);
}

static void
ngx_http_kappa_stop(ngx_http_kappa_app_t *app)
{
    ngx_http_kappa_keeper_stop(app);
    ngx_http_kappa_unwatch(&app->tail);
    kappa_appender_destroy(app->appender);
    app->appender = NULL;
}

/* After the last note, which may still have brought a store. */
static void
ngx_http_kappa_close(ngx_http_kappa_app_t *app)
{
    ngx_http_kappa_stop(app);
    ngx_http_kappa_sse_close_all(app);
    ngx_http_kappa_ws_close_all(app);
    ngx_http_kappa_tails_close_all(app);
    ngx_http_kappa_count_live(app);
    kappa_live_destroy(app->live);
    app->live = NULL;
    if (app->store_handle != NULL) {
        kappa_store_close(app->store_handle, true);
        app->store_handle = NULL;
    }
}

static void
ngx_http_kappa_tick_handler(ngx_event_t *ev)
{
    ngx_http_kappa_app_t **apps = ngx_http_kappa_worker.apps->elts;

    for (ngx_uint_t i = 0; i < ngx_http_kappa_worker.apps->nelts; i++) {
        if (ngx_exiting) {
            ngx_http_kappa_sse_close_all(apps[i]);
            ngx_http_kappa_ws_close_all(apps[i]);
            ngx_http_kappa_tails_close_all(apps[i]);
        }
        if (apps[i]->store_handle != NULL && apps[i]->tail == NULL) {
            ngx_http_kappa_watch_tail(apps[i]);
        }
        ngx_http_kappa_wake(apps[i]);
    }
    ngx_http_kappa_count_faults();
    ngx_add_timer(ev, TICK_MS);
}

/* --- begin and end --- */

static ngx_int_t
ngx_http_kappa_hang_bell(ngx_cycle_t *cycle)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (fd < 0) {
        ngx_log_error(
            NGX_LOG_ALERT, cycle->log, ngx_errno, "kappa: eventfd failed");
        return NGX_ERROR;
    }
    ngx_http_kappa_worker.last = &ngx_http_kappa_worker.notes;
    pthread_mutex_init(&ngx_http_kappa_worker.lock, NULL);
    ngx_http_kappa_worker.bell =
        ngx_http_kappa_watch_fd(cycle, fd, ngx_http_kappa_bell_handler, NULL);
    if (ngx_http_kappa_worker.bell == NULL) {
        return NGX_ERROR;
    }
    return NGX_OK;
}

static void
ngx_http_kappa_start_timers(ngx_cycle_t *cycle)
{
    ngx_event_t *tick = &ngx_http_kappa_worker.tick;
    ngx_event_t *hold = &ngx_http_kappa_worker.hold;

    tick->handler = ngx_http_kappa_tick_handler;
    tick->log = cycle->log;
    tick->cancelable = 1;
    ngx_add_timer(tick, TICK_MS);
    hold->handler = ngx_http_kappa_hold_handler;
    hold->log = cycle->log;
}

/* An init that fails is never tried again by nginx, and would take other
 * sites with it: what can't be had is refused per request instead. */
ngx_int_t
ngx_http_kappa_init_process(ngx_cycle_t *cycle)
{
    ngx_http_kappa_main_conf_t *kmcf =
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_kappa_module);
    uint64_t seed;

    if ((ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE)
        || kmcf == NULL) {
        return NGX_OK;
    }
    ngx_http_kappa_metrics_start(kmcf);
    if (kmcf->apps.nelts == 0) {
        return NGX_OK;
    }
    kappa_random(&seed, sizeof(seed));
    kappa_hash_seed(seed);
    if (ngx_http_kappa_hang_bell(cycle) != NGX_OK) {
        return NGX_OK;
    }
    ngx_http_kappa_worker.apps = &kmcf->apps;

    ngx_http_kappa_app_t **apps = kmcf->apps.elts;
    for (ngx_uint_t i = 0; i < kmcf->apps.nelts; i++) {
        (void)ngx_http_kappa_start(cycle, apps[i]);
    }
    ngx_http_kappa_start_timers(cycle);
    return NGX_OK;
}

void
ngx_http_kappa_exit_process(ngx_cycle_t *cycle)
{
    (void)cycle;
    ngx_http_kappa_metrics_stop();
    if (ngx_http_kappa_worker.apps == NULL) {
        return;
    }
    ngx_http_kappa_app_t **apps = ngx_http_kappa_worker.apps->elts;
    ngx_uint_t n = ngx_http_kappa_worker.apps->nelts;

    for (ngx_uint_t i = 0; i < n; i++) {
        ngx_http_kappa_stop(apps[i]);
    }
    ngx_http_kappa_run_notes();
    for (ngx_uint_t i = 0; i < n; i++) {
        ngx_http_kappa_close(apps[i]);
    }
    ngx_http_kappa_answers_clear();
    ngx_http_kappa_unwatch(&ngx_http_kappa_worker.bell);
    ngx_http_kappa_worker.apps = NULL;
}
