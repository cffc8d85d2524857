#ifndef KAPPA_PROTO_GRAPHQL_WS_H
#define KAPPA_PROTO_GRAPHQL_WS_H

#include "base/buf.h"
#include "proto/graphql_http.h"

/* The messages of graphql-transport-ws
 * (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md): JSON
 * texts in and out. What order they may come in is the connection's
 * business. */

#define KAPPA_GRAPHQL_WS_PROTOCOL "graphql-transport-ws"

/* Close codes of the protocol. */
#define KAPPA_WS_BAD_REQUEST 4400
#define KAPPA_WS_UNAUTHORIZED 4401
#define KAPPA_WS_FORBIDDEN 4403
#define KAPPA_WS_SUBPROTOCOL 4406
#define KAPPA_WS_INIT_TIMEOUT 4408
#define KAPPA_WS_SUBSCRIBER_EXISTS 4409
#define KAPPA_WS_TOO_MANY_INIT 4429
/* Of WebSocket itself: try again later; come back elsewhere. */
#define KAPPA_WS_TRY_LATER 1013
#define KAPPA_WS_RESTART 1012

typedef enum {
    KAPPA_WS_INIT,
    KAPPA_WS_PING,
    KAPPA_WS_PONG,
    KAPPA_WS_SUBSCRIBE,
    KAPPA_WS_COMPLETE
} kappa_ws_type_t;

typedef struct {
    kappa_ws_type_t type;
    kappa_str_t id;                /* SUBSCRIBE, COMPLETE; never empty */
    kappa_value_t payload;         /* INIT, PING, PONG: OBJECT, or UNSET */
    kappa_graphql_params_t params; /* SUBSCRIBE */
} kappa_ws_message_t;

/* KAPPA_INVALID: not a message that a client may send; close with 4400 and
 * the reason. Strings are in the arena. */
kappa_status_t kappa_ws_parse(kappa_arena_t *arena, kappa_str_t text,
    kappa_ws_message_t *out, kappa_str_t *reason);

void kappa_ws_ack(kappa_buf_t *buf);
void kappa_ws_ping(kappa_buf_t *buf);
/* payload: what the ping had; null or UNSET: none. */
void kappa_ws_pong(kappa_buf_t *buf, const kappa_value_t *payload);
/* json: the response, {"data":…}. */
void kappa_ws_next(kappa_buf_t *buf, kappa_str_t id, kappa_str_t json);
/* For an operation that could not begin. */
void kappa_ws_error(
    kappa_buf_t *buf, kappa_str_t id, const kappa_errors_t *errors);
void kappa_ws_complete(kappa_buf_t *buf, kappa_str_t id);

#endif
