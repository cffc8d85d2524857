#include "ngx_kappa_module/ngx_http_kappa.h"

#include "base/json.h"
#include "base/time.h"
#include "log/position.h"
#include "proto/sse.h"

/* The subscription path over server-sent events (graphql-sse, distinct
 * connections). A stream takes the next frame only when the last one is on
 * its way, so a slow client holds one buffer and a reference. */

/* A stream keeps this much for its next frame. */
#define OUT_BYTES_KEPT 16384

typedef struct {
    kappa_subscriber_t subscriber; /* first: a subscriber is its stream */
    ngx_http_kappa_app_t *app;
    ngx_http_kappa_loc_conf_t *klcf;
    ngx_http_kappa_flow_t flow;
    ngx_queue_t queue; /* among the application's */
    ngx_event_t heartbeat;
    ngx_event_t work; /* posted: there may be something to write */
    ngx_uint_t beat;  /* a heartbeat is due */
} ngx_http_kappa_stream_t;

static void ngx_http_kappa_stream_pump(ngx_http_kappa_stream_t *stream);

static void
ngx_http_kappa_stream_cleanup(void *data)
{
    ngx_http_kappa_stream_t *stream = data;

    ngx_http_kappa_leave(stream->app, stream->klcf, &stream->subscriber);
    ngx_http_kappa_gauge(stream->app, NGX_HTTP_KAPPA_OPEN_SSE, -1);
    if (stream->heartbeat.timer_set) {
        ngx_del_timer(&stream->heartbeat);
    }
    if (stream->work.posted) {
        ngx_delete_posted_event(&stream->work);
    }
    ngx_queue_remove(&stream->queue);
    kappa_buf_release(&stream->flow.out);
}

static void
ngx_http_kappa_stream_post(ngx_http_kappa_stream_t *stream)
{
    if (!stream->work.posted) {
        ngx_post_event(&stream->work, &ngx_posted_events);
    }
}

/* --- what live calls --- */

static void
ngx_http_kappa_stream_ready(kappa_subscriber_t *subscriber)
{
    ngx_http_kappa_stream_t *stream = (ngx_http_kappa_stream_t *)subscriber;

    ngx_http_kappa_stream_post(stream);
}

/* --- writing --- */

static kappa_status_t
ngx_http_kappa_stream_frame(ngx_http_kappa_stream_t *stream)
{
    char position[KAPPA_POSITION_CHARS_MAX];
    kappa_frame_t *frame;
    kappa_status_t status =
        kappa_live_take(stream->app->live, &stream->subscriber, &frame);

    if (status != KAPPA_OK) {
        return status;
    }
    kappa_sse_next(&stream->flow.out,
        kappa_store_position_text(
            stream->app->store_handle, frame->seq, position),
        frame->json);
    kappa_frame_release(frame);
    ngx_http_kappa_count(stream->app, NGX_HTTP_KAPPA_SENT_SSE, 1);
    return KAPPA_OK;
}

/* The next thing to say; KAPPA_DONE: nothing. */
static kappa_status_t
ngx_http_kappa_stream_fill(ngx_http_kappa_stream_t *stream)
{
    kappa_status_t status;

    if (stream->flow.out.cap > OUT_BYTES_KEPT) {
        kappa_buf_release(&stream->flow.out);
    }
    kappa_buf_reset(&stream->flow.out);
    status = ngx_http_kappa_stream_frame(stream);
    /* Also while the log is read for what is to be resumed. */
    if (stream->beat && (status == KAPPA_DONE || status == KAPPA_AGAIN)) {
        kappa_sse_heartbeat(&stream->flow.out);
        status = KAPPA_OK;
    }
    if (status == KAPPA_OK) {
        stream->beat = 0;
    }
    return stream->flow.out.failed ? KAPPA_NOMEM : status;
}

/* Writes until there is nothing more or the client is slow. */
static void
ngx_http_kappa_stream_pump(ngx_http_kappa_stream_t *stream)
{
    while (!stream->flow.writing && !stream->flow.request->connection->error) {
        if (stream->subscriber.group == NULL) { /* the schema changed */
            ngx_http_kappa_cut(stream->flow.request);
            return;
        }
        kappa_status_t status = ngx_http_kappa_stream_fill(stream);

        if (status == KAPPA_DONE) {
            return;
        }
        if (status == KAPPA_AGAIN) {
            ngx_post_event(&stream->work, &ngx_posted_next_events);
            return;
        }
        if (status != KAPPA_OK
            || ngx_http_kappa_flow_send(&stream->flow) == NGX_ERROR) {
            ngx_http_kappa_cut(stream->flow.request);
            return;
        }
    }
}

static void
ngx_http_kappa_stream_work_handler(ngx_event_t *ev)
{
    ngx_http_kappa_stream_pump(ev->data);
}

static void
ngx_http_kappa_stream_heartbeat_handler(ngx_event_t *ev)
{
    ngx_http_kappa_stream_t *stream = ev->data;

    if (ngx_http_kappa_expired(stream->flow.request)) {
        ngx_http_kappa_cut(stream->flow.request);
        return;
    }
    ngx_add_timer(ev, stream->klcf->heartbeat);
    stream->beat = 1;
    ngx_http_kappa_stream_pump(stream);
}

static void
ngx_http_kappa_stream_writable(ngx_http_request_t *r)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    ngx_http_kappa_stream_t *stream = ctx->stream;

    if (ngx_http_kappa_flow_continue(&stream->flow) == NGX_ERROR) {
        ngx_http_kappa_cut(r);
        return;
    }
    ngx_http_kappa_stream_pump(stream);
}

/* --- beginning --- */

static ngx_http_kappa_stream_t *
ngx_http_kappa_stream_create(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    ngx_http_kappa_stream_t *stream = ngx_pcalloc(r->pool, sizeof(*stream));

    if (stream == NULL) {
        return NULL;
    }
    stream->app = ctx->op.app;
    stream->klcf = ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);
    stream->flow.request = r;
    stream->subscriber.ready = ngx_http_kappa_stream_ready;
    stream->subscriber.ended = ngx_http_kappa_stream_ready;
    stream->heartbeat.handler = ngx_http_kappa_stream_heartbeat_handler;
    stream->heartbeat.data = stream;
    stream->heartbeat.log = r->connection->log;
    stream->work.handler = ngx_http_kappa_stream_work_handler;
    stream->work.data = stream;
    stream->work.log = r->connection->log;
    kappa_buf_init(&stream->flow.out, &kappa_alloc_libc);
    return stream;
}

/* No stream: the error as an answer of its own; where asking again is no use,
 * told in a stream that ends. */
static ngx_int_t
ngx_http_kappa_refuse_stream(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    kappa_status_t status, const kappa_errors_t *errors)
{
    ngx_http_kappa_answer_t answer = ngx_http_kappa_answer(ctx,
        status == KAPPA_INVALID ? KAPPA_OUTCOME_VALIDATION
                                : KAPPA_OUTCOME_UNAVAILABLE);

    if (errors->count == 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (status == KAPPA_INVALID) {
        return ngx_http_kappa_send_errors(r, &answer, errors);
    }
    answer.media = kappa_graphql_http_error_media(&ctx->accept);
    answer.retry_after = 1;
    return ngx_http_kappa_send_errors(r, &answer, errors);
}

static ngx_int_t
ngx_http_kappa_stream_begin(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    ngx_http_kappa_stream_t *stream)
{
    static ngx_str_t no_cache = ngx_string("no-cache");
    static ngx_str_t no_buffering = ngx_string("no");
    ngx_http_kappa_answer_t answer =
        ngx_http_kappa_answer(ctx, KAPPA_OUTCOME_DATA);

    if (ngx_http_kappa_header(r, "Cache-Control", no_cache) != NGX_OK
        || ngx_http_kappa_header(r, "X-Accel-Buffering", no_buffering)
            != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    r->keepalive = 0;
    ngx_int_t rc = ngx_http_kappa_send_header(r, &answer, -1);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }
    kappa_plan_release(ctx->op.plan);
    ctx->op.plan = NULL;
    ngx_http_kappa_arena_put(ctx->op.arena);
    ctx->op.arena = NULL;
    ctx->stream = stream;
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_kappa_stream_writable;
    ngx_add_timer(&stream->heartbeat, stream->klcf->heartbeat);
    /* A comment at once, so that the headers leave and proxies see life. */
    stream->beat = 1;
    r->main->count++;
    ngx_http_kappa_stream_post(stream);
    return NGX_DONE;
}

ngx_int_t
ngx_http_kappa_subscribe(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    ngx_table_elt_t *last = ngx_http_kappa_request_header(r, "last-event-id");
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, 0);
    ngx_http_kappa_stream_t *stream = ngx_http_kappa_stream_create(r, ctx);
    kappa_errors_t errors;

    if (stream == NULL || cleanup == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    kappa_errors_init(&errors, ctx->op.arena, 1);
    kappa_status_t status = ngx_http_kappa_join(&ctx->op,
        last ? kappa_str((char *)last->value.data, last->value.len)
             : KAPPA_STR_NULL,
        &stream->subscriber, &errors);
    if (status != KAPPA_OK) {
        return ngx_http_kappa_refuse_stream(r, ctx, status, &errors);
    }
    ngx_http_kappa_gauge(stream->app, NGX_HTTP_KAPPA_OPEN_SSE, 1);
    ngx_queue_insert_tail(&stream->app->streams, &stream->queue);
    cleanup->handler = ngx_http_kappa_stream_cleanup;
    cleanup->data = stream;
    return ngx_http_kappa_stream_begin(r, ctx, stream);
}

void
ngx_http_kappa_sse_close_all(ngx_http_kappa_app_t *app)
{
    while (!ngx_queue_empty(&app->streams)) {
        ngx_queue_t *q = ngx_queue_head(&app->streams);
        ngx_http_kappa_stream_t *stream =
            ngx_queue_data(q, ngx_http_kappa_stream_t, queue);

        /* Over HTTP/2 it may outlive the cut until its frames are sent. */
        ngx_queue_remove(q);
        ngx_queue_init(q);
        ngx_http_kappa_cut(stream->flow.request);
    }
}
