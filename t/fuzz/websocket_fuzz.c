#include <stdlib.h>

#include "proto/graphql_ws.h"
#include "proto/websocket.h"

/* A client's bytes, cut where the first byte says; its messages are read as
 * graphql-transport-ws, and what they answer is put out. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESSAGE_MAX 4096

typedef struct {
    kappa_websocket_t *ws;
    bool closing;
} peer_t;

static void
answer(peer_t *peer, const kappa_ws_message_t *message)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    switch (message->type) {
    case KAPPA_WS_INIT:
        kappa_ws_ack(&buf);
        break;
    case KAPPA_WS_PING:
        kappa_ws_pong(&buf, &message->payload);
        break;
    case KAPPA_WS_SUBSCRIBE:
        if (message->id.len == 0) {
            abort();
        }
        kappa_ws_next(&buf, message->id, KAPPA_STR("{\"data\":null}"));
        break;
    default:
        kappa_ws_complete(&buf, message->id);
        break;
    }
    if (buf.failed || kappa_utf8_valid(kappa_buf_view(&buf)) != buf.len
        || kappa_websocket_send(peer->ws, kappa_buf_view(&buf)) != KAPPA_OK) {
        abort();
    }
    kappa_buf_release(&buf);
}

static void
hear(void *ctx, kappa_str_t text, bool binary)
{
    peer_t *peer = ctx;
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_ws_message_t message;
    kappa_str_t reason = KAPPA_STR_NULL;

    if (text.len > MESSAGE_MAX
        || (!binary && kappa_utf8_valid(text) != text.len)) {
        abort();
    }
    if (!peer->closing) {
        if (!binary
            && kappa_ws_parse(arena, text, &message, &reason) == KAPPA_OK) {
            answer(peer, &message);
        } else {
            peer->closing = true;
            kappa_websocket_close(peer->ws, KAPPA_WS_BAD_REQUEST, reason);
        }
    }
    kappa_arena_destroy(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    peer_t peer = { .closing = false };
    kappa_websocket_options_t options = {
        .message = hear, .ctx = &peer, .max_message = MESSAGE_MAX
    };
    kappa_buf_t out;

    if (size == 0) {
        return 0;
    }
    size_t step = data[0] ? data[0] : size;
    peer.ws = kappa_websocket_create(&kappa_alloc_libc, &options);
    kappa_buf_init(&out, &kappa_alloc_libc);
    for (size_t at = 1; at < size; at += step) {
        size_t n = size - at < step ? size - at : step;
        kappa_status_t status = kappa_websocket_feed(
            peer.ws, kappa_str((const char *)data + at, n));

        if (kappa_websocket_output(peer.ws, &out) != KAPPA_OK) {
            abort();
        }
        if (status != KAPPA_OK) {
            break;
        }
    }
    kappa_buf_release(&out);
    kappa_websocket_destroy(peer.ws);
    return 0;
}
