#include "ngx_kappa_module/ngx_http_kappa.h"

#include "base/json.h"
#include "base/time.h"
#include "proto/graphql_ws.h"
#include "proto/websocket.h"

/* graphql-transport-ws: one connection, many operations. Frames are
 * libwslay's, messages proto/graphql_ws's; here is what nginx has to do with
 * them: bytes in, bytes out, timers, and the operations' lives. Nothing new is
 * taken while bytes wait to be written, so a slow client holds one buffer. */

#define INIT_MS 10000
#define READ_BYTES 4096
#define MESSAGE_BYTES_MAX (16 * 1024 * 1024)
#define OPERATIONS_MAX 1000
#define OUT_BYTES_KEPT 16384
/* Silent for so many heartbeats: the peer is gone. */
#define SILENT_BEATS 3

typedef enum {
    SOCKET_NEW,     /* connection_init has not come */
    SOCKET_READY,   /* acknowledged */
    SOCKET_CLOSING, /* a close is queued; nothing else is sent */
    SOCKET_CLOSED   /* being finalized */
} ngx_http_kappa_socket_state_t;

typedef struct {
    ngx_http_request_t *request;
    ngx_http_kappa_ctx_t *ctx;
    ngx_http_kappa_app_t *app;
    ngx_http_kappa_loc_conf_t *klcf;
    kappa_websocket_t *ws;
    ngx_queue_t queue; /* among the application's */
    ngx_queue_t operations;
    ngx_uint_t operation_count;
    ngx_event_t beat;   /* init's time, then heartbeats */
    ngx_uint_t holders; /* callers that still need it after it closed */
    ngx_event_t work;   /* posted: there may be something to write */
    kappa_buf_t out;
    size_t sent; /* of out */
    ngx_uint_t silent_beats;
    ngx_http_kappa_socket_state_t state;
} ngx_http_kappa_socket_t;

/* A subscription or a mutation that runs. */
typedef struct {
    kappa_subscriber_t subscriber; /* first: a subscriber is its operation */
    ngx_http_kappa_socket_t *socket;
    ngx_http_kappa_mutation_t *mutation; /* NULL: a subscription */
    ngx_queue_t queue;
    kappa_str_t id;
} ngx_http_kappa_ws_operation_t;

static void ngx_http_kappa_socket_pump(ngx_http_kappa_socket_t *socket);

static void
ngx_http_kappa_socket_set(
    ngx_http_kappa_socket_t *socket, ngx_http_kappa_socket_state_t state)
{
    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, socket->request->connection->log, 0,
        "kappa socket: %d to %d", socket->state, state);
    socket->state = state;
}

static void
ngx_http_kappa_socket_post(ngx_http_kappa_socket_t *socket)
{
    if (!socket->work.posted) {
        ngx_post_event(&socket->work, &ngx_posted_events);
    }
}

/* --- the end --- */

static void
ngx_http_kappa_ws_operation_end(ngx_http_kappa_ws_operation_t *operation)
{
    ngx_http_kappa_socket_t *socket = operation->socket;

    if (operation->mutation != NULL) {
        operation->mutation->owner = NULL;
    } else {
        ngx_http_kappa_leave(
            socket->app, socket->klcf, &operation->subscriber);
        ngx_http_kappa_gauge(socket->app, NGX_HTTP_KAPPA_OPEN_WS, -1);
    }
    ngx_queue_remove(&operation->queue);
    socket->operation_count--;
    kappa_alloc_libc.release(kappa_alloc_libc.ctx, operation);
}

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
static void
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

static void
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

/* One frame of one operation. KAPPA_DONE: it has none. */
static kappa_status_t
ngx_http_kappa_ws_operation_take(ngx_http_kappa_ws_operation_t *operation)
{
    ngx_http_kappa_socket_t *socket = operation->socket;
    kappa_frame_t *frame;
    kappa_buf_t message;

    if (operation->mutation != NULL) {
        return KAPPA_DONE;
    }
    if (operation->subscriber.group == NULL) { /* the schema changed */
        ngx_http_kappa_socket_close(
            socket, KAPPA_WS_RESTART, KAPPA_STR("The schema changed"));
        return KAPPA_NOT_FOUND;
    }
    kappa_status_t status =
        kappa_live_take(socket->app->live, &operation->subscriber, &frame);
    if (status == KAPPA_OK) {
        kappa_buf_init(&message, &kappa_alloc_libc);
        kappa_ws_next(&message, operation->id, frame->json);
        kappa_frame_release(frame);
        ngx_http_kappa_count(socket->app, NGX_HTTP_KAPPA_SENT_WS, 1);
        ngx_http_kappa_socket_say(socket, &message);
        kappa_buf_release(&message);
    }
    return status;
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

/* --- operations --- */

static ngx_http_kappa_ws_operation_t *
ngx_http_kappa_ws_find(ngx_http_kappa_socket_t *socket, kappa_str_t id)
{
    for (ngx_queue_t *q = ngx_queue_head(&socket->operations);
         q != ngx_queue_sentinel(&socket->operations); q = ngx_queue_next(q)) {
        ngx_http_kappa_ws_operation_t *operation =
            ngx_queue_data(q, ngx_http_kappa_ws_operation_t, queue);

        if (kappa_str_eq(operation->id, id)) {
            return operation;
        }
    }
    return NULL;
}

static void
ngx_http_kappa_ws_ready(kappa_subscriber_t *subscriber)
{
    ngx_http_kappa_socket_post(
        ((ngx_http_kappa_ws_operation_t *)subscriber)->socket);
}

static ngx_http_kappa_ws_operation_t *
ngx_http_kappa_ws_operation_add(
    ngx_http_kappa_socket_t *socket, kappa_str_t id)
{
    ngx_http_kappa_ws_operation_t *operation = kappa_alloc_libc.alloc(
        kappa_alloc_libc.ctx, sizeof(*operation) + id.len);

    if (operation == NULL) {
        return NULL;
    }
    memset(operation, 0, sizeof(*operation));
    memcpy((char *)(operation + 1), id.data, id.len);
    operation->id = kappa_str((char *)(operation + 1), id.len);
    operation->socket = socket;
    operation->subscriber.ready = ngx_http_kappa_ws_ready;
    operation->subscriber.ended = ngx_http_kappa_ws_ready;
    ngx_queue_insert_tail(&socket->operations, &operation->queue);
    socket->operation_count++;
    return operation;
}

static void
ngx_http_kappa_ws_operation_drop(ngx_http_kappa_ws_operation_t *operation)
{
    ngx_queue_remove(&operation->queue);
    operation->socket->operation_count--;
    kappa_alloc_libc.release(kappa_alloc_libc.ctx, operation);
}

static void
ngx_http_kappa_ws_say_error(ngx_http_kappa_socket_t *socket, kappa_str_t id,
    const kappa_errors_t *errors)
{
    kappa_buf_t message;

    kappa_buf_init(&message, &kappa_alloc_libc);
    kappa_ws_error(&message, id, errors);
    ngx_http_kappa_socket_say(socket, &message);
    kappa_buf_release(&message);
}

/* The one answer of a query or mutation, and its end. */
static void
ngx_http_kappa_ws_say_answer(
    ngx_http_kappa_socket_t *socket, kappa_str_t id, kappa_str_t json)
{
    kappa_buf_t message, complete;

    kappa_buf_init(&message, &kappa_alloc_libc);
    kappa_buf_init(&complete, &kappa_alloc_libc);
    kappa_ws_next(&message, id, json);
    kappa_ws_complete(&complete, id);
    /* What is said may close the socket, and id end with it. */
    ngx_http_kappa_socket_say(socket, &message);
    ngx_http_kappa_socket_say(socket, &complete);
    kappa_buf_release(&message);
    kappa_buf_release(&complete);
}

static kappa_status_t
ngx_http_kappa_ws_query(ngx_http_kappa_socket_t *socket, kappa_str_t id,
    ngx_http_kappa_operation_t *op, kappa_errors_t *errors)
{
    char extensions[NGX_HTTP_KAPPA_EXTENSIONS];
    kappa_outcome_t outcome;
    kappa_buf_t out;
    uint64_t seq;

    kappa_buf_init(&out, &kappa_alloc_libc);
    kappa_status_t status =
        ngx_http_kappa_read(op, &out, &outcome, &seq, errors);
    if (status == KAPPA_OK) {
        kappa_response_end(
            &out, ngx_http_kappa_extensions(op, seq, false, extensions));
        status = out.failed ? KAPPA_NOMEM : KAPPA_OK;
    }
    if (status == KAPPA_OK) {
        ngx_http_kappa_count_operation(op,
            outcome.error_count ? KAPPA_OUTCOME_DATA_ERRORS
                                : KAPPA_OUTCOME_DATA,
            outcome.code);
        ngx_http_kappa_ws_say_answer(socket, id, kappa_buf_view(&out));
    }
    kappa_buf_release(&out);
    return status;
}

static void
ngx_http_kappa_ws_mutation_answer(ngx_http_kappa_mutation_t *mutation)
{
    ngx_http_kappa_ws_operation_t *operation = mutation->owner;
    ngx_http_kappa_socket_t *socket = operation->socket;
    kappa_errors_t errors;
    kappa_str_t response;

    kappa_errors_init(&errors, mutation->job.arena, 1);
    if (ngx_http_kappa_mutation_response(mutation, &response, &errors)
        == KAPPA_OK) {
        ngx_http_kappa_count_operation(&mutation->op,
            mutation->job.outcome.error_count ? KAPPA_OUTCOME_DATA_ERRORS
                                              : KAPPA_OUTCOME_DATA,
            mutation->job.outcome.code);
        ngx_http_kappa_ws_say_answer(socket, operation->id, response);
    } else {
        ngx_http_kappa_count_operation(&mutation->op,
            KAPPA_OUTCOME_UNAVAILABLE,
            errors.first ? errors.first->code : NULL);
        ngx_http_kappa_ws_say_error(socket, operation->id, &errors);
    }
    if (socket->state < SOCKET_CLOSING) { /* else it is gone already */
        ngx_http_kappa_ws_operation_drop(operation);
    }
}

static kappa_status_t
ngx_http_kappa_ws_begin(ngx_http_kappa_socket_t *socket, kappa_str_t id,
    ngx_http_kappa_operation_t *op, kappa_errors_t *errors)
{
    ngx_http_kappa_ws_operation_t *operation =
        ngx_http_kappa_ws_operation_add(socket, id);
    kappa_status_t status = KAPPA_NOMEM;

    if (operation == NULL) {
        return status;
    }
    if (kappa_plan_operation(op->plan) == KAPPA_OPERATION_MUTATION) {
        status = ngx_http_kappa_mutation_start(op, KAPPA_STR_NULL,
            KAPPA_STR_NULL, ngx_http_kappa_ws_mutation_answer, operation,
            &operation->mutation, errors);
    } else {
        status = ngx_http_kappa_join(
            op, KAPPA_STR_NULL, &operation->subscriber, errors);
        if (status == KAPPA_OK) {
            ngx_http_kappa_gauge(socket->app, NGX_HTTP_KAPPA_OPEN_WS, 1);
            ngx_http_kappa_count_operation(op, KAPPA_OUTCOME_DATA, NULL);
        }
    }
    if (status != KAPPA_OK) {
        ngx_http_kappa_ws_operation_drop(operation);
    }
    ngx_http_kappa_socket_post(socket);
    return status;
}

static kappa_status_t
ngx_http_kappa_ws_run(ngx_http_kappa_socket_t *socket, kappa_str_t id,
    ngx_http_kappa_operation_t *op, kappa_errors_t *errors)
{
    kappa_status_t status = ngx_http_kappa_prepare(op, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    return kappa_plan_operation(op->plan) == KAPPA_OPERATION_QUERY
        ? ngx_http_kappa_ws_query(socket, id, op, errors)
        : ngx_http_kappa_ws_begin(socket, id, op, errors);
}

/* op->arena is the message's; it ends here, unless a mutation took it. */
static void
ngx_http_kappa_ws_subscribe(ngx_http_kappa_socket_t *socket,
    kappa_ws_message_t *message, kappa_arena_t *arena)
{
    ngx_http_kappa_operation_t op = { .app = socket->app,
        .klcf = socket->klcf,
        .identity = kappa_identity_retain(socket->ctx->op.identity),
        .params = message->params,
        .arena = arena,
        .begun_us = kappa_monotonic_us() };
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status =
        ngx_http_kappa_ws_run(socket, message->id, &op, &errors);
    if (status != KAPPA_OK) {
        ngx_http_kappa_count_failed(&op, status, &errors);
    }
    if (status != KAPPA_OK && errors.count > 0) {
        ngx_http_kappa_ws_say_error(socket, message->id, &errors);
    } else if (status != KAPPA_OK) {
        ngx_http_kappa_socket_close(
            socket, KAPPA_WS_TRY_LATER, KAPPA_STR("Try again later"));
    }
    ngx_http_kappa_operation_release(&op);
}

/* --- messages --- */

/* A token in connection_init: {"authorization": "Bearer …"} in any case, or
 * {"token": "…"}. */
static kappa_str_t
ngx_http_kappa_ws_token(const kappa_value_t *payload)
{
    static const kappa_str_t names[] = { KAPPA_STR("authorization"),
        KAPPA_STR("Authorization"), KAPPA_STR("token") };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const kappa_value_t *v = kappa_value_member(payload, names[i]);

        if (v == NULL || v->kind != KAPPA_STRING) {
            continue;
        }
        kappa_str_t text = v->as.string;
        if (text.len >= 7
            && ngx_strncasecmp((u_char *)text.data, (u_char *)"bearer ", 7)
                == 0) {
            return kappa_str(text.data + 7, text.len - 7);
        }
        return text;
    }
    return KAPPA_STR_NULL;
}

/* False: the socket is being closed. */
static bool
ngx_http_kappa_ws_authenticate(
    ngx_http_kappa_socket_t *socket, const kappa_value_t *payload)
{
    ngx_http_kappa_loc_conf_t *klcf = socket->klcf;
    kappa_str_t token = ngx_http_kappa_ws_token(payload);
    const char *reason = "";

    if (klcf->auth == NGX_HTTP_KAPPA_AUTH_OFF) {
        return true;
    }
    if (token.data != NULL) {
        ngx_int_t rc =
            ngx_http_kappa_auth_token(socket->request, token, &reason);

        if (rc != NGX_OK) {
            ngx_http_kappa_socket_close(
                socket, KAPPA_WS_UNAUTHORIZED, kappa_str_c(reason));
            return false;
        }
    } else if (klcf->auth == NGX_HTTP_KAPPA_AUTH_REQUIRED
        && socket->ctx->op.identity == NULL) {
        ngx_http_kappa_socket_close(socket, KAPPA_WS_UNAUTHORIZED,
            KAPPA_STR("Send a token in connection_init"));
        return false;
    }
    if (klcf->require != NULL
        && !ngx_http_kappa_auth_allows(socket->request)) {
        ngx_http_kappa_socket_close(
            socket, KAPPA_WS_FORBIDDEN, KAPPA_STR("Forbidden"));
        return false;
    }
    return true;
}

static void
ngx_http_kappa_ws_init(
    ngx_http_kappa_socket_t *socket, const kappa_ws_message_t *message)
{
    kappa_buf_t ack;

    if (socket->state != SOCKET_NEW) {
        ngx_http_kappa_socket_close(socket, KAPPA_WS_TOO_MANY_INIT,
            KAPPA_STR("Too many initialisation requests"));
        return;
    }
    if (!ngx_http_kappa_ws_authenticate(socket, &message->payload)) {
        return;
    }
    ngx_http_kappa_socket_set(socket, SOCKET_READY);
    ngx_add_timer(&socket->beat, socket->klcf->heartbeat);
    kappa_buf_init(&ack, &kappa_alloc_libc);
    kappa_ws_ack(&ack);
    ngx_http_kappa_socket_say(socket, &ack);
    kappa_buf_release(&ack);
}

static void
ngx_http_kappa_ws_pong(
    ngx_http_kappa_socket_t *socket, const kappa_ws_message_t *message)
{
    kappa_buf_t pong;

    kappa_buf_init(&pong, &kappa_alloc_libc);
    kappa_ws_pong(&pong, &message->payload);
    ngx_http_kappa_socket_say(socket, &pong);
    kappa_buf_release(&pong);
}

/* Whether a subscribe may begin; closes the socket when not. */
static bool
ngx_http_kappa_ws_may_begin(
    ngx_http_kappa_socket_t *socket, const kappa_ws_message_t *message)
{
    if (socket->state == SOCKET_NEW) {
        ngx_http_kappa_socket_close(
            socket, KAPPA_WS_UNAUTHORIZED, KAPPA_STR("Unauthorized"));
        return false;
    }
    if (ngx_http_kappa_ws_find(socket, message->id) != NULL) {
        char reason[128];
        u_char *end = ngx_snprintf((u_char *)reason, sizeof(reason),
            "Subscriber for %*s already exists", ngx_min(message->id.len, 64),
            message->id.data);

        ngx_http_kappa_socket_close(socket, KAPPA_WS_SUBSCRIBER_EXISTS,
            kappa_str(reason, (size_t)(end - (u_char *)reason)));
        return false;
    }
    if (socket->operation_count >= OPERATIONS_MAX) {
        ngx_http_kappa_socket_close(socket, KAPPA_WS_BAD_REQUEST,
            KAPPA_STR("Too many operations at once"));
        return false;
    }
    return true;
}

static void
ngx_http_kappa_ws_complete(
    ngx_http_kappa_socket_t *socket, const kappa_ws_message_t *message)
{
    ngx_http_kappa_ws_operation_t *operation =
        ngx_http_kappa_ws_find(socket, message->id);

    if (operation != NULL) {
        ngx_http_kappa_ws_operation_end(operation);
    }
}

static void
ngx_http_kappa_ws_message(void *data, kappa_str_t text, bool binary)
{
    ngx_http_kappa_socket_t *socket = data;
    kappa_arena_t *arena = ngx_http_kappa_arena_get();
    kappa_ws_message_t message;
    kappa_str_t reason = KAPPA_STR("Invalid message");

    if (arena == NULL || socket->state >= SOCKET_CLOSING) {
        if (arena != NULL) {
            ngx_http_kappa_arena_put(arena);
        }
        return;
    }
    if (binary || kappa_ws_parse(arena, text, &message, &reason) != KAPPA_OK) {
        ngx_http_kappa_socket_close(socket, KAPPA_WS_BAD_REQUEST, reason);
        ngx_http_kappa_arena_put(arena);
        return;
    }
    if (message.type == KAPPA_WS_SUBSCRIBE
        && ngx_http_kappa_ws_may_begin(socket, &message)) {
        ngx_http_kappa_ws_subscribe(socket, &message, arena);
        return;
    }
    if (message.type == KAPPA_WS_INIT) {
        ngx_http_kappa_ws_init(socket, &message);
    } else if (message.type == KAPPA_WS_PING) {
        ngx_http_kappa_ws_pong(socket, &message);
    } else if (message.type == KAPPA_WS_COMPLETE) {
        ngx_http_kappa_ws_complete(socket, &message);
    }
    ngx_http_kappa_arena_put(arena);
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
