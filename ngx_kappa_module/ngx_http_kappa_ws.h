#ifndef NGX_HTTP_KAPPA_WS_H
#define NGX_HTTP_KAPPA_WS_H

#include "ngx_kappa_module/ngx_http_kappa.h"
#include "proto/graphql_ws.h"
#include "proto/websocket.h"

/* What ngx_http_kappa_ws.c (a connection: bytes, timers, life) and
 * ngx_http_kappa_ws_operation.c (its messages and operations) share. */

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

/* --- the connection */
void ngx_http_kappa_socket_set(
    ngx_http_kappa_socket_t *socket, ngx_http_kappa_socket_state_t state);
/* There may be something to write. */
void ngx_http_kappa_socket_post(ngx_http_kappa_socket_t *socket);
void ngx_http_kappa_socket_say(
    ngx_http_kappa_socket_t *socket, const kappa_buf_t *message);
/* Says why, then ends; its operations end at once. */
void ngx_http_kappa_socket_close(
    ngx_http_kappa_socket_t *socket, uint16_t code, kappa_str_t reason);

/* --- operations */
/* A message has come: kappa_websocket_options_t.message. */
void ngx_http_kappa_ws_message(void *data, kappa_str_t text, bool binary);
/* One frame of one operation. KAPPA_DONE: it has none. KAPPA_NOT_FOUND: the
 * socket is being closed. */
kappa_status_t ngx_http_kappa_ws_operation_take(
    ngx_http_kappa_ws_operation_t *operation);
void ngx_http_kappa_ws_operation_end(ngx_http_kappa_ws_operation_t *operation);

#endif
