#include "ngx_kappa_module/ngx_http_kappa_ws.h"

#include "base/time.h"
#include "proto/header.h"

/* graphql-transport-ws above the connection: its messages, and the operations
 * that run on it. */

#define OPERATIONS_MAX 1000

void
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

/* One frame of one operation. KAPPA_DONE: it has none. */
kappa_status_t
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
        ngx_http_kappa_count_operation(
            op, ngx_http_kappa_outcome(&outcome), outcome.code);
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
            ngx_http_kappa_outcome(&mutation->job.outcome),
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

/* A trouble that passes. Clients take an error message for the end of a
 * subscription, but come back after a close. */
static bool
ngx_http_kappa_ws_passes(
    const ngx_http_kappa_operation_t *op, kappa_status_t status)
{
    return (status == KAPPA_BUSY || status == KAPPA_IO
               || status == KAPPA_CONFLICT)
        && (op->plan == NULL
            || kappa_plan_operation(op->plan) == KAPPA_OPERATION_SUBSCRIPTION);
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
    if (status != KAPPA_OK && errors.count > 0
        && !ngx_http_kappa_ws_passes(&op, status)) {
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
        kappa_str_t bearer = kappa_header_bearer(v->as.string);
        return bearer.data != NULL ? bearer : v->as.string;
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

void
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
