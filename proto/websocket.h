#ifndef KAPPA_PROTO_WEBSOCKET_H
#define KAPPA_PROTO_WEBSOCKET_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/* WebSocket (RFC 6455), the server's side, by libwslay: bytes in, messages
 * out; no I/O. */

/* The bytes of Sec-WebSocket-Accept (section 4.2.2). */
#define KAPPA_WEBSOCKET_ACCEPT_CHARS 28

/* False: key is not the base64 of 16 bytes. */
bool kappa_websocket_accept(
    kappa_str_t key, char out[KAPPA_WEBSOCKET_ACCEPT_CHARS]);

/* Whether a comma-separated header (Sec-WebSocket-Protocol, Connection) has
 * the token, in any case. */
bool kappa_websocket_token(kappa_str_t header, kappa_str_t token);

typedef struct kappa_websocket_s kappa_websocket_t;

typedef struct {
    /* A whole text message (valid UTF-8), or a binary one. It may call
     * kappa_websocket_send and _close, not _destroy. */
    void (*message)(void *ctx, kappa_str_t text, bool binary);
    void *ctx;
    size_t max_message; /* bytes; longer ones close with 1009 */
} kappa_websocket_options_t;

/* NULL: no memory. libwslay takes its memory from malloc. */
kappa_websocket_t *kappa_websocket_create(
    const kappa_alloc_t *alloc, const kappa_websocket_options_t *options);
void kappa_websocket_destroy(kappa_websocket_t *ws); /* NULL is fine */

/* Takes all of bytes. Pings are answered, broken frames close with the right
 * code. KAPPA_DONE: nothing more will be read (the close handshake is done or
 * the peer broke the protocol); write what kappa_websocket_output gives, then
 * hang up. KAPPA_NOMEM: hang up. */
kappa_status_t kappa_websocket_feed(kappa_websocket_t *ws, kappa_str_t bytes);

/* Queue for output. After a close nothing else is sent. */
kappa_status_t kappa_websocket_send(kappa_websocket_t *ws, kappa_str_t text);
/* reason is cut at 123 bytes. Goes before messages that were queued and not
 * yet put out: those are dropped. */
kappa_status_t kappa_websocket_close(
    kappa_websocket_t *ws, uint16_t code, kappa_str_t reason);

/* Appends all that is queued to buf. */
kappa_status_t kappa_websocket_output(kappa_websocket_t *ws, kappa_buf_t *buf);

/* The code of the close that was sent, else of the peer's; 1005: one without a
 * code, 1006: none was sent or came. */
uint16_t kappa_websocket_close_code(const kappa_websocket_t *ws);

/* Both sides have said close, or reading has ended. */
bool kappa_websocket_closed(const kappa_websocket_t *ws);

#endif
