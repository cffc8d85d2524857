#include "ngx_kappa_module/ngx_http_kappa_ws.h"

#include "base/time.h"

/* graphql-transport-ws: one connection, many operations. Frames are
 * libwslay's, messages proto/graphql_ws's; here is what nginx has to do with
 * them: bytes in, bytes out, timers, and the operations' lives. Nothing new is
 * taken while bytes wait to be written, so a slow client holds one buffer. */

#define INIT_MS 10000
#define READ_BYTES 4096
#define MESSAGE_BYTES_MAX (16 * 1024 * 1024)
#define OUT_BYTES_KEPT 16384
/* Silent for so many heartbeats: the peer is gone. */
#define SILENT_BEATS 3

static void ngx_http_kappa_socket_pump(ngx_http_kappa_socket_t *socket);

void
ngx_http_kappa_socket_set(
    ngx_http_kappa_socket_t *socket, ngx_http_kappa_socket_state_t state)
{
    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, socket->request->connection->log, 0,
        "kappa socket: %d to %d", socket->state, state);
    socket->state = state;
}

void
ngx_http_kappa_socket_post(ngx_http_kappa_socket_t *socket)
{
    if (!socket->work.posted) {
        ngx_post_event(&socket->work, &ngx_posted_events);
    }
}

/* --- the end --- */

static void
ngx_http_kappa_socket_cleanup(void *data)
{
    ngx_http_kappa_socket_t *socket = data;

    while (!ngx_queue_empty(&socket->operations)) {
        ngx_http_kappa_ws_operation_end(
            ngx_queue_data(ngx_queue_head(&socket->operations),
                ngx_http_kappa_ws_operation_t, queue));
    }
    if (socket->beat.timer_set) {
        ngx_del_timer(&socket->beat);
    }
    if (socket->work.posted) {
        ngx_delete_posted_event(&socket->work);
    }
    ngx_queue_remove(&socket->queue);
    ngx_http_kappa_gauge(socket->app, NGX_HTTP_KAPPA_SOCKETS, -1);
    ngx_http_kappa_count_close(
        socket->app, kappa_websocket_close_code(socket->ws));
    kappa_websocket_destroy(socket->ws);
    kappa_buf_release(&socket->out);
}

static void
ngx_http_kappa_socket_free(ngx_http_kappa_socket_t *socket)
{
    ngx_connection_t *c = socket->request->connection;

    ngx_http_finalize_request(socket->request, NGX_ERROR);
    ngx_http_run_posted_requests(c);
}

static void
ngx_http_kappa_socket_finalize(ngx_http_kappa_socket_t *socket)
{
    if (socket->state != SOCKET_CLOSED) {
        ngx_http_kappa_socket_set(socket, SOCKET_CLOSED);
        if (socket->holders == 0) {
            ngx_http_kappa_socket_free(socket);
        }
    }
}

/* Between hold and release a socket that is finalized keeps its memory. */
static void
ngx_http_kappa_socket_hold(ngx_http_kappa_socket_t *socket)
{
    socket->holders++;
}

static void
ngx_http_kappa_socket_release(ngx_http_kappa_socket_t *socket)
{
    if (--socket->holders == 0 && socket->state == SOCKET_CLOSED) {
        ngx_http_kappa_socket_free(socket);
    }
}

/* Says why, then ends; the peer's own close is waited for until the next
 * heartbeat. */
void
ngx_http_kappa_socket_close(
    ngx_http_kappa_socket_t *socket, uint16_t code, kappa_str_t reason)
{
    if (socket->state >= SOCKET_CLOSING) {
        return;
    }
    /* What was said before goes before. */
    (void)kappa_websocket_output(socket->ws, &socket->out);
    (void)kappa_websocket_close(socket->ws, code, reason);
    ngx_http_kappa_socket_set(socket, SOCKET_CLOSING);
    while (!ngx_queue_empty(&socket->operations)) {
        ngx_http_kappa_ws_operation_end(
            ngx_queue_data(ngx_queue_head(&socket->operations),
                ngx_http_kappa_ws_operation_t, queue));
    }
    ngx_http_kappa_socket_post(socket);
}

/* --- writing --- */

/* NGX_OK: all is out. NGX_AGAIN: the client is slow. */
static ngx_int_t
ngx_http_kappa_socket_flush(ngx_http_kappa_socket_t *socket)
{
    ngx_http_request_t *r = socket->request;
    ngx_connection_t *c = r->connection;
    ngx_http_core_loc_conf_t *clcf =
        ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    while (socket->sent < socket->out.len) {
        ssize_t n = c->send(c, (u_char *)socket->out.data + socket->sent,
            socket->out.len - socket->sent);

        if (n == NGX_ERROR || n == 0) {
            return NGX_ERROR;
        }
        if (n == NGX_AGAIN) {
            if (!c->write->timer_set) {
                ngx_add_timer(c->write, clcf->send_timeout);
            }
            return ngx_handle_write_event(c->write, 0) == NGX_OK ? NGX_AGAIN
                                                                 : NGX_ERROR;
        }
        socket->sent += (size_t)n;
    }
    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }
    socket->sent = 0;
    kappa_buf_reset(&socket->out);
    if (socket->out.cap > OUT_BYTES_KEPT) {
        kappa_buf_release(&socket->out);
    }
    return NGX_OK;
}

void
ngx_http_kappa_socket_say(
    ngx_http_kappa_socket_t *socket, const kappa_buf_t *message)
{
    if (message->failed
        || kappa_websocket_send(socket->ws, kappa_buf_view(message))
            != KAPPA_OK) {
        ngx_http_kappa_socket_close(
            socket, KAPPA_WS_TRY_LATER, KAPPA_STR("out of memory"));
    }
    ngx_http_kappa_socket_post(socket);
}

/* A round over the operations: a frame each. KAPPA_AGAIN: there is more. */
static kappa_status_t
ngx_http_kappa_socket_take(ngx_http_kappa_socket_t *socket)
{
    kappa_status_t all = KAPPA_DONE;

    for (ngx_queue_t *q = ngx_queue_head(&socket->operations);
         q != ngx_queue_sentinel(&socket->operations); q = ngx_queue_next(q)) {
        ngx_http_kappa_ws_operation_t *operation =
            ngx_queue_data(q, ngx_http_kappa_ws_operation_t, queue);
        kappa_status_t status = ngx_http_kappa_ws_operation_take(operation);

        if (socket->state >= SOCKET_CLOSING) { /* no operation is left */
            return KAPPA_DONE;
        }
        if (status != KAPPA_OK && status != KAPPA_DONE
            && status != KAPPA_AGAIN) {
            ngx_http_kappa_socket_close(
                socket, KAPPA_WS_TRY_LATER, KAPPA_STR("Try again later"));
            return KAPPA_DONE;
        }
        if (status != KAPPA_DONE) {
            all = KAPPA_AGAIN;
        }
    }
    return all;
}

/* Everything that moves a socket on comes here. */
static void
ngx_http_kappa_socket_pump(ngx_http_kappa_socket_t *socket)
{
    if (socket->state == SOCKET_CLOSED) {
        return;
    }
    ngx_int_t rc = ngx_http_kappa_socket_flush(socket);

    if (rc == NGX_OK && socket->state == SOCKET_READY
        && ngx_http_kappa_socket_take(socket) == KAPPA_AGAIN) {
        ngx_post_event(&socket->work, &ngx_posted_next_events);
    }
    if (rc == NGX_OK) {
        if (kappa_websocket_output(socket->ws, &socket->out) != KAPPA_OK) {
            rc = NGX_ERROR;
        } else {
            rc = ngx_http_kappa_socket_flush(socket);
        }
    }
    if (rc == NGX_ERROR
        || (rc == NGX_OK && kappa_websocket_closed(socket->ws))) {
        ngx_http_kappa_socket_finalize(socket);
    }
}

/* --- events --- */

static void
ngx_http_kappa_socket_feed(
    ngx_http_kappa_socket_t *socket, u_char *data, size_t len)
{
    socket->silent_beats = 0;
    if (kappa_websocket_feed(socket->ws, kappa_str((char *)data, len))
        == KAPPA_NOMEM) {
        ngx_http_kappa_socket_finalize(socket);
        return;
    }
    ngx_http_kappa_socket_post(socket);
}

/* Reads only while nothing waits to be written: who does not read is not
 * listened to. */
static void
ngx_http_kappa_socket_read(ngx_http_kappa_socket_t *socket)
{
    ngx_connection_t *c = socket->request->connection;
    u_char buf[READ_BYTES];

    while (socket->state != SOCKET_CLOSED && socket->out.len == socket->sent) {
        ssize_t n = c->recv(c, buf, sizeof(buf));

        if (n == NGX_AGAIN) {
            break;
        }
        if (n == 0 || n == NGX_ERROR) {
            ngx_http_kappa_socket_finalize(socket);
            return;
        }
        ngx_http_kappa_socket_feed(socket, buf, (size_t)n);
        if (socket->state != SOCKET_CLOSED) {
            ngx_http_kappa_socket_pump(socket);
        }
    }
    if (socket->state != SOCKET_CLOSED
        && ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_kappa_socket_finalize(socket);
    }
}

static void
ngx_http_kappa_socket_readable(ngx_http_request_t *r)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    ngx_http_kappa_socket_t *socket = ctx->stream;

    ngx_http_kappa_socket_hold(socket);
    ngx_http_kappa_socket_read(socket);
    ngx_http_kappa_socket_release(socket);
}

static void
ngx_http_kappa_socket_writable(ngx_http_request_t *r)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    ngx_http_kappa_socket_t *socket = ctx->stream;

    if (r->connection->write->timedout) {
        r->connection->timedout = 1;
        ngx_http_kappa_count_slow(r);
        ngx_http_kappa_socket_finalize(socket);
        return;
    }
    ngx_http_kappa_socket_hold(socket);
    ngx_http_kappa_socket_pump(socket);
    if (socket->state != SOCKET_CLOSED && r->connection->read->ready) {
        ngx_http_kappa_socket_read(socket);
    }
    ngx_http_kappa_socket_release(socket);
}

static void
ngx_http_kappa_socket_work_handler(ngx_event_t *ev)
{
    ngx_http_kappa_socket_pump(ev->data);
}

static void
ngx_http_kappa_socket_beat_handler(ngx_event_t *ev)
{
    ngx_http_kappa_socket_t *socket = ev->data;
    kappa_buf_t ping;

    if (socket->state == SOCKET_NEW) {
        ngx_http_kappa_socket_close(socket, KAPPA_WS_INIT_TIMEOUT,
            KAPPA_STR("Connection initialisation timeout"));
    } else if (ngx_http_kappa_expired(socket->request)) {
        ngx_http_kappa_socket_close(
            socket, KAPPA_WS_UNAUTHORIZED, KAPPA_STR("it has expired"));
    } else if (socket->state == SOCKET_CLOSING
        || ++socket->silent_beats > SILENT_BEATS) {
        ngx_http_kappa_socket_finalize(socket);
        return;
    } else {
        kappa_buf_init(&ping, &kappa_alloc_libc);
        kappa_ws_ping(&ping);
        ngx_http_kappa_socket_say(socket, &ping);
        kappa_buf_release(&ping);
    }
    ngx_add_timer(ev, socket->klcf->heartbeat);
}

/* --- the handshake --- */

static ngx_http_kappa_socket_t *
ngx_http_kappa_socket_create(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    ngx_pool_cleanup_t *cleanup =
        ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_kappa_socket_t));
    ngx_http_core_loc_conf_t *clcf =
        ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (cleanup == NULL) {
        return NULL;
    }
    ngx_http_kappa_socket_t *socket = cleanup->data;
    ngx_memzero(socket, sizeof(*socket));
    kappa_websocket_options_t options = { .message = ngx_http_kappa_ws_message,
        .ctx = socket,
        .max_message = clcf->client_max_body_size
            ? (size_t)clcf->client_max_body_size
            : MESSAGE_BYTES_MAX };
    socket->request = r;
    socket->ctx = ctx;
    socket->app = ctx->op.app;
    socket->klcf = ctx->op.klcf;
    socket->ws = kappa_websocket_create(&kappa_alloc_libc, &options);
    if (socket->ws == NULL) {
        return NULL;
    }
    socket->beat.handler = ngx_http_kappa_socket_beat_handler;
    socket->beat.data = socket;
    socket->beat.log = r->connection->log;
    socket->work.handler = ngx_http_kappa_socket_work_handler;
    socket->work.data = socket;
    socket->work.log = r->connection->log;
    kappa_buf_init(&socket->out, &kappa_alloc_libc);
    ngx_queue_init(&socket->operations);
    ngx_queue_insert_tail(&socket->app->sockets, &socket->queue);
    ngx_http_kappa_gauge(socket->app, NGX_HTTP_KAPPA_SOCKETS, 1);
    cleanup->handler = ngx_http_kappa_socket_cleanup;
    return socket;
}

static kappa_str_t
ngx_http_kappa_header_value(ngx_http_request_t *r, const char *name)
{
    ngx_table_elt_t *header = ngx_http_kappa_request_header(r, name);

    return header ? kappa_str((char *)header->value.data, header->value.len)
                  : KAPPA_STR_NULL;
}

bool
ngx_http_kappa_ws_asked(ngx_http_request_t *r)
{
    ngx_table_elt_t *upgrade = r->headers_in.upgrade;

    return upgrade != NULL && r == r->main
        && kappa_websocket_token(
            kappa_str((char *)upgrade->value.data, upgrade->value.len),
            KAPPA_STR("websocket"));
}

/* 0: a good one; else the status, which it sets headers for. */
static ngx_int_t
ngx_http_kappa_ws_check(ngx_http_request_t *r)
{
    static ngx_str_t version = ngx_string("13");

    if (!(r->method & NGX_HTTP_GET) || r->http_version != NGX_HTTP_VERSION_11
        || !kappa_websocket_token(ngx_http_kappa_header_value(r, "connection"),
            KAPPA_STR("upgrade"))) {
        return NGX_HTTP_BAD_REQUEST;
    }
    if (!kappa_str_eq_c(
            ngx_http_kappa_header_value(r, "sec-websocket-version"), "13")) {
        return ngx_http_kappa_header(r, "Sec-WebSocket-Version", version)
                == NGX_OK
            ? 426
            : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return ngx_http_kappa_origin_allowed(r) ? 0 : NGX_HTTP_FORBIDDEN;
}

static ngx_int_t
ngx_http_kappa_ws_send_handshake(
    ngx_http_request_t *r, kappa_str_t key, bool protocol)
{
    static ngx_str_t websocket = ngx_string("websocket");
    static ngx_str_t graphql = ngx_string(KAPPA_GRAPHQL_WS_PROTOCOL);
    ngx_str_t accept;

    accept.len = KAPPA_WEBSOCKET_ACCEPT_CHARS;
    accept.data = ngx_pnalloc(r->pool, accept.len);
    if (accept.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (!kappa_websocket_accept(key, (char *)accept.data)) {
        return NGX_HTTP_BAD_REQUEST;
    }
    if (ngx_http_kappa_header(r, "Upgrade", websocket) != NGX_OK
        || ngx_http_kappa_header(r, "Sec-WebSocket-Accept", accept) != NGX_OK
        || (protocol
            && ngx_http_kappa_header(r, "Sec-WebSocket-Protocol", graphql)
                != NGX_OK)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;
    r->keepalive = 0;
    ngx_int_t rc = ngx_http_send_header(r);
    return rc == NGX_OK ? ngx_http_send_special(r, NGX_HTTP_FLUSH) : rc;
}

/* Bytes that came behind the handshake lie in nginx's header buffer. */
static void
ngx_http_kappa_ws_early_bytes(
    ngx_http_request_t *r, ngx_http_kappa_socket_t *socket)
{
    ngx_buf_t *b = r->header_in;
    size_t len = (size_t)(b->last - b->pos);

    if (len > 0) {
        ngx_http_kappa_socket_feed(socket, b->pos, len);
        b->pos = b->last;
    }
}

static ngx_int_t
ngx_http_kappa_ws_start(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    ngx_http_kappa_socket_t *socket, bool protocol)
{
    ngx_connection_t *c = r->connection;

    kappa_identity_retain(ctx->op.identity);
    const kappa_identity_t *identity = ctx->op.identity;
    ngx_http_kappa_operation_release(&ctx->op);
    ctx->op.identity = identity;
    ctx->stream = socket;
    c->log->action = "in a WebSocket";
    r->read_event_handler = ngx_http_kappa_socket_readable;
    r->write_event_handler = ngx_http_kappa_socket_writable;
    r->main->count++;
    ngx_add_timer(&socket->beat, INIT_MS);
    if (!protocol) {
        ngx_http_kappa_socket_close(socket, KAPPA_WS_SUBPROTOCOL,
            KAPPA_STR("Subprotocol not acceptable"));
    }
    ngx_http_kappa_socket_hold(socket);
    ngx_http_kappa_ws_early_bytes(r, socket);
    if (socket->state != SOCKET_CLOSED && c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);
    } else if (socket->state != SOCKET_CLOSED
        && ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_kappa_socket_finalize(socket);
    }
    socket->holders--;
    /* The caller finalizes the request by what it is told. */
    return socket->state == SOCKET_CLOSED ? NGX_ERROR : NGX_DONE;
}

ngx_int_t
ngx_http_kappa_ws_handler(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    kappa_str_t key = ngx_http_kappa_header_value(r, "sec-websocket-key");
    bool protocol = kappa_websocket_token(
        ngx_http_kappa_header_value(r, "sec-websocket-protocol"),
        KAPPA_STR(KAPPA_GRAPHQL_WS_PROTOCOL));
    ngx_int_t rc = ngx_http_discard_request_body(r);

    if (rc == NGX_OK) {
        rc = ngx_http_kappa_ws_check(r);
    }
    if (rc != NGX_OK) {
        return rc;
    }
    if (ctx->op.app->store_handle == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }
    ngx_http_kappa_socket_t *socket = ngx_http_kappa_socket_create(r, ctx);
    if (socket == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    rc = ngx_http_kappa_ws_send_handshake(r, key, protocol);
    return rc == NGX_OK ? ngx_http_kappa_ws_start(r, ctx, socket, protocol)
                        : rc;
}

void
ngx_http_kappa_ws_close_all(ngx_http_kappa_app_t *app)
{
    ngx_queue_t *q = ngx_queue_head(&app->sockets);

    while (q != ngx_queue_sentinel(&app->sockets)) {
        ngx_http_kappa_socket_t *socket =
            ngx_queue_data(q, ngx_http_kappa_socket_t, queue);

        q = ngx_queue_next(q);
        if (socket->state < SOCKET_CLOSING) {
            ngx_http_kappa_socket_close(
                socket, KAPPA_WS_RESTART, KAPPA_STR("The server restarts"));
            ngx_http_kappa_socket_pump(socket);
        } else {
            ngx_http_kappa_socket_finalize(socket);
        }
    }
}
