#include "ngx_kappa_module/ngx_http_kappa.h"

#include "log/filter.h"
#include "log/position.h"
#include "proto/sse.h"

/* /events: the log as NDJSON, or tailed for ever as server-sent events; from
 * the log's files, in constant memory. Uploads are in
 * ngx_http_kappa_upload.c. */

/* Events looked at, their bytes, and bytes made, before the event loop has its
 * turn. */
#define EVENTS_A_TURN 512
#define LOOKED_AT_A_TURN (1024 * 1024)
#define BYTES_A_TURN (64 * 1024)

typedef struct {
    ngx_http_kappa_flow_t flow;
    ngx_http_kappa_app_t *app;
    ngx_http_kappa_loc_conf_t *klcf;
    kappa_log_cursor_t *cursor;
    ngx_queue_t queue; /* among the application's, a tail */
    ngx_event_t heartbeat;
    ngx_event_t work;
    kappa_filter_t filter;
    uint64_t seq;   /* the last event looked at */
    uint64_t end;   /* without tail: stop there */
    uint64_t limit; /* events to give */
    bool tail;      /* server-sent events, endless */
    bool beat;
    bool held; /* an exiting worker waits for it */
    bool over; /* the last buffer is on its way */
} ngx_http_kappa_reader_t;

static void ngx_http_kappa_reader_pump(ngx_http_kappa_reader_t *reader);

/* --- what is asked for --- */

static kappa_status_t
ngx_http_kappa_events_argument(ngx_http_request_t *r, const char *name,
    kappa_arena_t *arena, kappa_str_t *out)
{
    ngx_str_t value;

    *out = KAPPA_STR_NULL;
    if (ngx_http_arg(r, (u_char *)name, ngx_strlen(name), &value) != NGX_OK) {
        return KAPPA_OK;
    }
    u_char *dst = kappa_arena_bytes(arena, value.len + 1);
    u_char *src = kappa_arena_bytes(arena, value.len + 1);

    if (dst == NULL || src == NULL) {
        return KAPPA_NOMEM;
    }
    ngx_memcpy(src, value.data, value.len);
    out->data = (char *)dst;
    for (size_t i = 0; i < value.len; i++) { /* as forms write a space */
        if (src[i] == '+') {
            src[i] = ' ';
        }
    }
    ngx_unescape_uri(&dst, &src, value.len, NGX_UNESCAPE_URI);
    out->len = (size_t)(dst - (u_char *)out->data);
    return KAPPA_OK;
}

/* KAPPA_INVALID: the position is none. KAPPA_CONFLICT: it is another log's. */
static kappa_status_t
ngx_http_kappa_events_after(ngx_http_kappa_reader_t *reader, kappa_str_t text)
{
    if (text.data == NULL || text.len == 0) {
        return KAPPA_OK;
    }
    kappa_status_t status = kappa_position_locate(
        text, kappa_store_epoch(reader->app->store_handle), &reader->seq);

    if (reader->seq == UINT64_MAX) { /* there must be one behind it */
        reader->seq--;
    }
    return status;
}

static kappa_status_t
ngx_http_kappa_events_limit(ngx_http_kappa_reader_t *reader, kappa_str_t text)
{
    int64_t limit;

    reader->limit = UINT64_MAX;
    if (text.data == NULL) {
        return KAPPA_OK;
    }
    if (!kappa_str_to_int64(text, &limit) || limit < 0) {
        return KAPPA_INVALID;
    }
    reader->limit = (uint64_t)limit;
    return KAPPA_OK;
}

static kappa_status_t
ngx_http_kappa_events_ask(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    ngx_http_kappa_reader_t *reader)
{
    ngx_table_elt_t *last = ngx_http_kappa_request_header(r, "last-event-id");
    kappa_arena_t *arena = ctx->op.arena;
    kappa_filter_t *filter = &reader->filter;
    kappa_str_t after, limit, key;

    if (ngx_http_kappa_events_argument(r, "after", arena, &after) != KAPPA_OK
        || ngx_http_kappa_events_argument(r, "limit", arena, &limit)
            != KAPPA_OK
        || ngx_http_kappa_events_argument(r, "thing", arena, &filter->thing)
            != KAPPA_OK
        || ngx_http_kappa_events_argument(r, "verb", arena, &filter->verb)
            != KAPPA_OK
        || ngx_http_kappa_events_argument(r, "key", arena, &key) != KAPPA_OK) {
        return KAPPA_NOMEM;
    }
    if (last != NULL) { /* an EventSource that comes back */
        after = kappa_str((char *)last->value.data, last->value.len);
    }
    kappa_status_t status =
        key.data != NULL ? kappa_filter_key(arena, key, filter) : KAPPA_OK;
    if (status == KAPPA_OK) {
        status = ngx_http_kappa_events_limit(reader, limit);
    }
    return status == KAPPA_OK ? ngx_http_kappa_events_after(reader, after)
                              : status;
}

/* --- reading --- */

/* The next event that may be wanted, up to `to`: with thing and key the views
 * know which, else it is the one behind. KAPPA_DONE: there is none. */
static kappa_status_t
ngx_http_kappa_reader_next(
    ngx_http_kappa_reader_t *reader, uint64_t to, kappa_event_t *event)
{
    const kappa_filter_t *filter = &reader->filter;
    uint64_t seq = reader->seq + 1;

    if (seq <= to && filter->thing.data != NULL && filter->key_count > 0) {
        kappa_status_t status = kappa_store_history(
            reader->app->store_handle, filter, reader->seq, &seq);

        if (status == KAPPA_DONE || (status == KAPPA_OK && seq > to)) {
            seq = seq < to ? seq : to;
            reader->seq = seq > reader->seq ? seq : reader->seq;
            return KAPPA_DONE;
        }
        if (status != KAPPA_OK) {
            seq = reader->seq + 1;
        }
    }
    kappa_log_cursor_seek(reader->cursor, seq);
    return kappa_log_cursor_next(reader->cursor, to, event, NULL);
}

static void
ngx_http_kappa_reader_write(
    ngx_http_kappa_reader_t *reader, const kappa_event_t *event)
{
    char text[KAPPA_POSITION_CHARS_MAX];
    kappa_buf_t *out = &reader->flow.out;
    kappa_str_t position =
        kappa_store_position_text(reader->app->store_handle, event->seq, text);

    if (reader->tail) {
        KAPPA_BUF_LIT(out, "id: ");
        kappa_buf_str(out, position);
        KAPPA_BUF_LIT(out, "\ndata: ");
    }
    kappa_event_json(out, event, position);
    kappa_buf_char(out, '\n');
    if (reader->tail) {
        ngx_http_kappa_count(reader->app, NGX_HTTP_KAPPA_SENT_EVENTS, 1);
        kappa_buf_char(out, '\n');
    }
    reader->limit--;
}

/* Fills the buffer. KAPPA_OK: something is in it, or the turn is over.
 * KAPPA_DONE: all that was asked for has been read. */
static kappa_status_t
ngx_http_kappa_reader_fill(ngx_http_kappa_reader_t *reader)
{
    kappa_buf_t *out = &reader->flow.out;
    uint64_t to = reader->tail
        ? kappa_store_position(reader->app->store_handle)
        : reader->end;
    size_t looked_at = 0;

    kappa_buf_reset(out);
    for (int n = 0; n < EVENTS_A_TURN && looked_at < LOOKED_AT_A_TURN
         && out->len < BYTES_A_TURN;
         n++) {
        kappa_event_t event;

        if (reader->limit == 0) {
            return KAPPA_DONE;
        }
        kappa_status_t status = ngx_http_kappa_reader_next(reader, to, &event);
        if (status != KAPPA_OK) {
            return status;
        }
        reader->seq = event.seq;
        looked_at += event.data.len + event.row.len;
        if (kappa_filter_wants(&reader->filter, &event)) {
            ngx_http_kappa_reader_write(reader, &event);
        }
    }
    return out->failed ? KAPPA_NOMEM : KAPPA_OK;
}

/* --- writing --- */

static void
ngx_http_kappa_reader_finish(ngx_http_kappa_reader_t *reader)
{
    ngx_http_request_t *r = reader->flow.request;
    ngx_connection_t *c = r->connection;

    reader->over = true;
    r->write_event_handler = ngx_http_request_empty_handler;
    ngx_http_finalize_request(r, ngx_http_send_special(r, NGX_HTTP_LAST));
    ngx_http_run_posted_requests(c);
}

/* Sends what is in the buffer, if anything. False: wait, or it is over. */
static bool
ngx_http_kappa_reader_send(ngx_http_kappa_reader_t *reader)
{
    ngx_int_t rc = reader->flow.out.len > 0
        ? ngx_http_kappa_flow_send(&reader->flow)
        : NGX_OK;

    if (rc == NGX_ERROR) {
        ngx_http_kappa_cut(reader->flow.request);
    }
    return rc == NGX_OK;
}

/* The end of what there is: a tail waits for more. */
static void
ngx_http_kappa_reader_pause(ngx_http_kappa_reader_t *reader)
{
    if (!reader->tail || reader->limit == 0) {
        ngx_http_kappa_reader_finish(reader);
        return;
    }
    if (reader->beat) {
        reader->beat = false;
        kappa_buf_reset(&reader->flow.out);
        kappa_sse_heartbeat(&reader->flow.out);
        (void)ngx_http_kappa_reader_send(reader);
    }
}

static void
ngx_http_kappa_reader_pump(ngx_http_kappa_reader_t *reader)
{
    if (reader->flow.writing || reader->over
        || reader->flow.request->connection->error) {
        return;
    }
    kappa_status_t status = ngx_http_kappa_reader_fill(reader);

    if (status != KAPPA_OK && status != KAPPA_DONE) {
        ngx_http_kappa_cut(reader->flow.request);
        return;
    }
    if (!ngx_http_kappa_reader_send(reader)) {
        return;
    }
    if (status == KAPPA_DONE) {
        ngx_http_kappa_reader_pause(reader);
    } else if (!reader->work.posted) { /* others first */
        ngx_post_event(&reader->work, &ngx_posted_next_events);
    }
}

static void
ngx_http_kappa_reader_work_handler(ngx_event_t *ev)
{
    ngx_http_kappa_reader_pump(ev->data);
}

static void
ngx_http_kappa_reader_heartbeat_handler(ngx_event_t *ev)
{
    ngx_http_kappa_reader_t *reader = ev->data;

    if (ngx_http_kappa_expired(reader->flow.request)) {
        ngx_http_kappa_cut(reader->flow.request);
        return;
    }
    ngx_add_timer(ev, reader->klcf->heartbeat);
    reader->beat = true;
    ngx_http_kappa_reader_pump(reader);
}

static void
ngx_http_kappa_reader_writable(ngx_http_request_t *r)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    ngx_http_kappa_reader_t *reader = ctx->stream;

    if (ngx_http_kappa_flow_continue(&reader->flow) == NGX_ERROR) {
        ngx_http_kappa_cut(r);
        return;
    }
    ngx_http_kappa_reader_pump(reader);
}

void
ngx_http_kappa_tails_wake(ngx_http_kappa_app_t *app)
{
    for (ngx_queue_t *q = ngx_queue_head(&app->tails);
         q != ngx_queue_sentinel(&app->tails); q = ngx_queue_next(q)) {
        ngx_http_kappa_reader_t *reader =
            ngx_queue_data(q, ngx_http_kappa_reader_t, queue);

        if (!reader->work.posted) {
            ngx_post_event(&reader->work, &ngx_posted_events);
        }
    }
}

void
ngx_http_kappa_tails_close_all(ngx_http_kappa_app_t *app)
{
    while (!ngx_queue_empty(&app->tails)) {
        ngx_queue_t *q = ngx_queue_head(&app->tails);
        ngx_http_kappa_reader_t *reader =
            ngx_queue_data(q, ngx_http_kappa_reader_t, queue);

        /* Over HTTP/2 it may outlive the cut until its frames are sent. */
        ngx_queue_remove(q);
        ngx_queue_init(q);
        ngx_http_kappa_cut(reader->flow.request);
    }
}

/* --- beginning and end --- */

static void
ngx_http_kappa_reader_cleanup(void *data)
{
    ngx_http_kappa_reader_t *reader = data;

    kappa_log_cursor_close(reader->cursor);
    if (reader->held) {
        ngx_http_kappa_unhold();
    }
    if (reader->heartbeat.timer_set) {
        ngx_del_timer(&reader->heartbeat);
    }
    if (reader->work.posted) {
        ngx_delete_posted_event(&reader->work);
    }
    if (!ngx_queue_empty(&reader->queue)) { /* it is a tail */
        ngx_http_kappa_gauge(reader->app, NGX_HTTP_KAPPA_OPEN_EVENTS, -1);
    }
    ngx_queue_remove(&reader->queue);
    kappa_buf_release(&reader->flow.out);
}

static ngx_http_kappa_reader_t *
ngx_http_kappa_reader_create(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    ngx_pool_cleanup_t *cleanup =
        ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_kappa_reader_t));

    if (cleanup == NULL) {
        return NULL;
    }
    ngx_http_kappa_reader_t *reader = cleanup->data;
    ngx_memzero(reader, sizeof(*reader));
    reader->app = ctx->op.app;
    reader->klcf = ctx->op.klcf;
    reader->flow.request = r;
    reader->end = kappa_store_position(reader->app->store_handle);
    /* By name: who takes anything gets what there is. */
    reader->tail = ctx->accept.quality[KAPPA_MEDIA_SSE] > 0
        && ctx->accept.order[KAPPA_MEDIA_SSE] > 0;
    kappa_buf_init(&reader->flow.out, &kappa_alloc_libc);
    reader->heartbeat.handler = ngx_http_kappa_reader_heartbeat_handler;
    reader->heartbeat.data = reader;
    reader->heartbeat.log = r->connection->log;
    reader->work.handler = ngx_http_kappa_reader_work_handler;
    reader->work.data = reader;
    reader->work.log = r->connection->log;
    ngx_queue_init(&reader->queue);
    cleanup->handler = ngx_http_kappa_reader_cleanup;
    return reader;
}

static ngx_int_t
ngx_http_kappa_reader_start(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    ngx_http_kappa_reader_t *reader)
{
    static ngx_str_t no_cache = ngx_string("no-cache");
    static ngx_str_t no_buffering = ngx_string("no");
    ngx_http_kappa_answer_t answer =
        ngx_http_kappa_answer(ctx, KAPPA_OUTCOME_DATA);

    answer.media = reader->tail ? KAPPA_MEDIA_SSE : KAPPA_MEDIA_JSON;
    answer.ndjson = !reader->tail;
    if (ngx_http_kappa_header(r, "Cache-Control", no_cache) != NGX_OK
        || ngx_http_kappa_header(r, "X-Accel-Buffering", no_buffering)
            != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_int_t rc = ngx_http_kappa_send_header(r, &answer, -1);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }
    ctx->stream = reader;
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_kappa_reader_writable;
    if (reader->tail) {
        ngx_queue_insert_tail(&reader->app->tails, &reader->queue);
        ngx_http_kappa_gauge(reader->app, NGX_HTTP_KAPPA_OPEN_EVENTS, 1);
        ngx_add_timer(&reader->heartbeat, reader->klcf->heartbeat);
        reader->beat = true; /* so that the headers leave */
    } else {
        reader->held = true;
        ngx_http_kappa_hold();
    }
    r->main->count++;
    ngx_post_event(&reader->work, &ngx_posted_events);
    return NGX_DONE;
}

static ngx_int_t
ngx_http_kappa_events_refuse(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    kappa_http_outcome_t outcome, const char *code, const char *message)
{
    ngx_http_kappa_answer_t answer = ngx_http_kappa_answer(ctx, outcome);

    answer.retry_after = outcome == KAPPA_OUTCOME_UNAVAILABLE ? 1 : 0;
    return ngx_http_kappa_refuse(r, &answer, code, message);
}

static ngx_int_t
ngx_http_kappa_events_read(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    ngx_http_kappa_reader_t *reader = ngx_http_kappa_reader_create(r, ctx);

    if (reader == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    switch (ngx_http_kappa_events_ask(r, ctx, reader)) {
    case KAPPA_OK:
        break;
    case KAPPA_INVALID:
        return ngx_http_kappa_events_refuse(r, ctx, KAPPA_OUTCOME_BAD_REQUEST,
            "BAD_USER_INPUT",
            "after takes a position (EPOCH-SEQ), limit a number, key text or "
            "a JSON list");
    case KAPPA_CONFLICT:
        return ngx_http_kappa_events_refuse(r, ctx, KAPPA_OUTCOME_GONE,
            "POSITION_GONE",
            "that position is of another log: read from the beginning");
    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (kappa_log_cursor_open(kappa_store_log(reader->app->store_handle),
            reader->seq + 1, &reader->cursor, NULL)
        != KAPPA_OK) {
        return ngx_http_kappa_events_refuse(r, ctx, KAPPA_OUTCOME_UNAVAILABLE,
            "LOG_UNAVAILABLE",
            "the log can't be read; the server's log says why");
    }
    return ngx_http_kappa_reader_start(r, ctx, reader);
}

static ngx_int_t
ngx_http_kappa_events_begin(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    static ngx_str_t allow = ngx_string("GET, POST");
    bool reading = r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD);

    if (!reading && !(r->method & NGX_HTTP_POST)) {
        if (ngx_http_kappa_header(r, "Allow", allow) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
        return NGX_HTTP_NOT_ALLOWED;
    }
    ngx_str_t *scope =
        reading ? &ctx->op.klcf->read_scope : &ctx->op.klcf->write_scope;
    if (!kappa_caller_has_scope(ngx_http_kappa_caller(&ctx->op),
            kappa_str((char *)scope->data, scope->len))) {
        ngx_int_t rc = ngx_http_kappa_want_no_body(r);

        return rc != NGX_OK
            ? rc
            : ngx_http_kappa_events_refuse(r, ctx, KAPPA_OUTCOME_FORBIDDEN,
                "FORBIDDEN", "the token lacks the scope for this");
    }
    if (ctx->op.app->store_handle == NULL) {
        return ngx_http_kappa_events_refuse(r, ctx, KAPPA_OUTCOME_UNAVAILABLE,
            "STORE_UNAVAILABLE",
            "the store can't be used; the server's log says why");
    }
    if (!reading) {
        return ngx_http_kappa_upload(r, ctx);
    }
    ngx_int_t rc = ngx_http_discard_request_body(r);
    return rc != NGX_OK
        ? rc
        : ngx_http_kappa_await(r, ctx, ngx_http_kappa_events_read);
}

ngx_int_t
ngx_http_kappa_events_handler(ngx_http_request_t *r)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);

    if (r->method & NGX_HTTP_OPTIONS) {
        return ngx_http_kappa_preflight(r);
    }
    ngx_http_kappa_ctx_t *ctx = ngx_http_kappa_begin(r, klcf->events);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ctx->media = KAPPA_MEDIA_JSON;
    ctx->op.arena = ngx_http_kappa_arena_get();
    if (ctx->op.arena == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return ngx_http_kappa_events_begin(r, ctx);
}
