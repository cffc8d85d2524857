#include "ngx_kappa_module/ngx_http_kappa.h"

#include "log/position.h"

/* Kappa-Min-Position: a request that comes before the views have what its
 * caller wrote elsewhere waits for them, at most the kappa block's `wait`.
 * A commit wakes it; should that be missed, it looks again by itself. */

#define LOOK_MS 25

typedef struct {
    ngx_http_request_t *request;
    ngx_http_kappa_ctx_t *ctx;
    ngx_http_kappa_go_on_pt go_on;
    uint64_t seq;
    ngx_msec_t until;
    ngx_queue_t queue; /* among the application's */
    ngx_event_t look;  /* timer, and posted by a wake-up */
} ngx_http_kappa_wait_t;

static void
ngx_http_kappa_wait_end(ngx_http_kappa_wait_t *wait)
{
    if (wait->request == NULL) {
        return;
    }
    wait->request = NULL;
    ngx_queue_remove(&wait->queue);
    if (wait->look.timer_set) {
        ngx_del_timer(&wait->look);
    }
    if (wait->look.posted) {
        ngx_delete_posted_event(&wait->look);
    }
}

static void
ngx_http_kappa_wait_cleanup(void *data)
{
    ngx_http_kappa_wait_end(data);
}

static bool
ngx_http_kappa_wait_reached(const ngx_http_kappa_app_t *app, uint64_t seq)
{
    return app->store_handle == NULL /* which is told like any time */
        || kappa_store_position(app->store_handle) >= seq;
}

static ngx_int_t
ngx_http_kappa_wait_refuse(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    kappa_http_outcome_t outcome, const char *code, const char *message)
{
    static ngx_str_t no_store = ngx_string("no-store");
    ngx_http_kappa_answer_t answer = ngx_http_kappa_answer(ctx, outcome);

    answer.retry_after = outcome == KAPPA_OUTCOME_UNAVAILABLE ? 1 : 0;
    return ngx_http_kappa_header(r, "Cache-Control", no_store) == NGX_OK
        ? ngx_http_kappa_refuse(r, &answer, code, message)
        : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

static ngx_int_t
ngx_http_kappa_wait_late(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    return ngx_http_kappa_wait_refuse(r, ctx, KAPPA_OUTCOME_UNAVAILABLE,
        "POSITION_NOT_REACHED",
        "the views have not come to Kappa-Min-Position yet: try again soon");
}

static void
ngx_http_kappa_wait_look(ngx_event_t *ev)
{
    ngx_http_kappa_wait_t *wait = ev->data;
    ngx_http_request_t *r = wait->request;
    ngx_connection_t *c = r->connection;
    bool reached = ngx_http_kappa_wait_reached(wait->ctx->op.app, wait->seq);

    if (!reached && (ngx_msec_int_t)(wait->until - ngx_current_msec) > 0) {
        if (!ev->timer_set) {
            ngx_add_timer(ev, LOOK_MS);
        }
        return;
    }
    ngx_http_kappa_wait_end(wait);
    r->read_event_handler = ngx_http_block_reading;
    ngx_http_finalize_request(r,
        reached ? wait->go_on(r, wait->ctx)
                : ngx_http_kappa_wait_late(r, wait->ctx));
    ngx_http_run_posted_requests(c);
}

static ngx_int_t
ngx_http_kappa_wait_begin(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    uint64_t seq, ngx_http_kappa_go_on_pt go_on)
{
    ngx_http_kappa_app_t *app = ctx->op.app;
    ngx_pool_cleanup_t *cleanup =
        ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_kappa_wait_t));

    if (cleanup == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_http_kappa_wait_t *wait = cleanup->data;
    ngx_memzero(wait, sizeof(*wait));
    wait->request = r;
    wait->ctx = ctx;
    wait->go_on = go_on;
    wait->seq = seq;
    wait->until = ngx_current_msec + app->wait;
    wait->look.handler = ngx_http_kappa_wait_look;
    wait->look.data = wait;
    wait->look.log = r->connection->log;
    ngx_queue_insert_tail(&app->waits, &wait->queue);
    cleanup->handler = ngx_http_kappa_wait_cleanup;
    /* The log may be ahead of the views, or other views be in force. */
    ngx_http_kappa_keeper_poke(app);
    ngx_add_timer(&wait->look, ngx_min(app->wait, LOOK_MS));
    r->main->count++;
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;
    return NGX_DONE;
}

ngx_int_t
ngx_http_kappa_await(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    ngx_http_kappa_go_on_pt go_on)
{
    ngx_http_kappa_app_t *app = ctx->op.app;
    uint64_t seq;

    if (ctx->min_position == NULL || app->store_handle == NULL) {
        return go_on(r, ctx);
    }
    ngx_str_t *text = &ctx->min_position->value;
    switch (kappa_position_locate(kappa_str((char *)text->data, text->len),
        kappa_store_epoch(app->store_handle), &seq)) {
    case KAPPA_OK:
        break;
    case KAPPA_CONFLICT:
        return ngx_http_kappa_wait_refuse(r, ctx, KAPPA_OUTCOME_GONE,
            "POSITION_GONE",
            "Kappa-Min-Position is of another log: forget it and ask again");
    default:
        return ngx_http_kappa_wait_refuse(r, ctx, KAPPA_OUTCOME_BAD_REQUEST,
            "BAD_USER_INPUT",
            "Kappa-Min-Position takes a position (EPOCH-SEQ), as "
            "Kappa-Position said it");
    }
    if (ngx_http_kappa_wait_reached(app, seq)) {
        return go_on(r, ctx);
    }
    return app->wait > 0 ? ngx_http_kappa_wait_begin(r, ctx, seq, go_on)
                         : ngx_http_kappa_wait_late(r, ctx);
}

void
ngx_http_kappa_waits_wake(ngx_http_kappa_app_t *app)
{
    for (ngx_queue_t *q = ngx_queue_head(&app->waits);
         q != ngx_queue_sentinel(&app->waits); q = ngx_queue_next(q)) {
        ngx_http_kappa_wait_t *wait =
            ngx_queue_data(q, ngx_http_kappa_wait_t, queue);

        if (!wait->look.posted) {
            ngx_post_event(&wait->look, &ngx_posted_events);
        }
    }
}
