#include "proto/websocket.h"

#include <openssl/evp.h>
#include <wslay/wslay.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_CHARS 24 /* base64 of 16 bytes */
#define KEY_BYTES 16
#define SHA1_BYTES 20
#define REASON_BYTES_MAX 123

struct kappa_websocket_s {
    const kappa_alloc_t *alloc;
    kappa_websocket_options_t options;
    wslay_event_context_ptr event;
    kappa_str_t in;   /* what is being fed */
    kappa_buf_t *out; /* where output goes */
};

/* --- the handshake --- */

bool
kappa_websocket_accept(kappa_str_t key, char out[KAPPA_WEBSOCKET_ACCEPT_CHARS])
{
    unsigned char bytes[KEY_CHARS], digest[EVP_MAX_MD_SIZE];
    unsigned char encoded[KAPPA_WEBSOCKET_ACCEPT_CHARS + 1];
    char text[KEY_CHARS + sizeof(GUID) - 1];

    /* 16 bytes end in "==": EVP counts the padding as bytes. */
    if (key.len != KEY_CHARS || key.data[KEY_CHARS - 1] != '='
        || key.data[KEY_CHARS - 2] != '='
        || EVP_DecodeBlock(bytes, (const unsigned char *)key.data, KEY_CHARS)
            != KEY_BYTES + 2) {
        return false;
    }
    memcpy(text, key.data, KEY_CHARS);
    memcpy(text + KEY_CHARS, GUID, sizeof(GUID) - 1);
    if (!EVP_Digest(text, sizeof(text), digest, NULL, EVP_sha1(), NULL)) {
        return false;
    }
    EVP_EncodeBlock(encoded, digest, SHA1_BYTES);
    memcpy(out, encoded, KAPPA_WEBSOCKET_ACCEPT_CHARS);
    return true;
}

static bool
same_token(kappa_str_t a, kappa_str_t b)
{
    for (size_t i = 0; i < a.len && a.len == b.len; i++) {
        unsigned char x = (unsigned char)a.data[i];
        unsigned char y = (unsigned char)b.data[i];

        x = x >= 'A' && x <= 'Z' ? x | 0x20 : x;
        y = y >= 'A' && y <= 'Z' ? y | 0x20 : y;
        if (x != y) {
            return false;
        }
    }
    return a.len == b.len;
}

static kappa_str_t
trim(kappa_str_t s)
{
    while (s.len && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }
    while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

bool
kappa_websocket_token(kappa_str_t header, kappa_str_t token)
{
    while (header.len > 0) {
        const char *comma = memchr(header.data, ',', header.len);
        size_t len = comma ? (size_t)(comma - header.data) : header.len;

        if (same_token(trim(kappa_str(header.data, len)), token)) {
            return true;
        }
        len += comma ? 1 : 0;
        header = kappa_str(header.data + len, header.len - len);
    }
    return false;
}

/* --- what libwslay calls --- */

static ssize_t
take_input(wslay_event_context_ptr event, uint8_t *buf, size_t len, int flags,
    void *arg)
{
    kappa_websocket_t *ws = arg;

    (void)flags;
    if (ws->in.len == 0) {
        wslay_event_set_error(event, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    size_t n = len < ws->in.len ? len : ws->in.len;
    memcpy(buf, ws->in.data, n);
    ws->in = kappa_str(ws->in.data + n, ws->in.len - n);
    return (ssize_t)n;
}

static ssize_t
give_output(wslay_event_context_ptr event, const uint8_t *data, size_t len,
    int flags, void *arg)
{
    kappa_websocket_t *ws = arg;

    (void)flags;
    kappa_buf_add(ws->out, data, len);
    if (ws->out->failed) {
        wslay_event_set_error(event, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)len;
}

static void
receive(wslay_event_context_ptr event,
    const struct wslay_event_on_msg_recv_arg *arg, void *user)
{
    kappa_websocket_t *ws = user;

    (void)event;
    if (arg->opcode == WSLAY_TEXT_FRAME || arg->opcode == WSLAY_BINARY_FRAME) {
        ws->options.message(ws->options.ctx,
            kappa_str((const char *)arg->msg, arg->msg_length),
            arg->opcode == WSLAY_BINARY_FRAME);
    }
}

/* --- the connection --- */

kappa_websocket_t *
kappa_websocket_create(
    const kappa_alloc_t *alloc, const kappa_websocket_options_t *options)
{
    static const struct wslay_event_callbacks callbacks = { .recv_callback =
                                                                take_input,
        .send_callback = give_output,
        .on_msg_recv_callback = receive };
    kappa_websocket_t *ws = alloc->alloc(alloc->ctx, sizeof(*ws));

    if (ws == NULL) {
        return NULL;
    }
    *ws = (kappa_websocket_t){ .alloc = alloc, .options = *options };
    if (wslay_event_context_server_init(&ws->event, &callbacks, ws) != 0) {
        alloc->release(alloc->ctx, ws);
        return NULL;
    }
    wslay_event_config_set_max_recv_msg_length(
        ws->event, options->max_message);
    return ws;
}

void
kappa_websocket_destroy(kappa_websocket_t *ws)
{
    if (ws != NULL) {
        wslay_event_context_free(ws->event);
        ws->alloc->release(ws->alloc->ctx, ws);
    }
}

kappa_status_t
kappa_websocket_feed(kappa_websocket_t *ws, kappa_str_t bytes)
{
    ws->in = bytes;
    while (ws->in.len > 0 && wslay_event_get_read_enabled(ws->event)) {
        if (wslay_event_recv(ws->event) != 0) {
            /* A broken frame has queued a close and ended reading. */
            return wslay_event_get_close_sent(ws->event)
                    || wslay_event_want_write(ws->event)
                ? KAPPA_DONE
                : KAPPA_NOMEM;
        }
    }
    return wslay_event_get_read_enabled(ws->event) ? KAPPA_OK : KAPPA_DONE;
}

/* Queuing after a close is refused by libwslay, and no failure to us. */
static kappa_status_t
queued(int rc)
{
    return rc == 0 || rc == WSLAY_ERR_NO_MORE_MSG ? KAPPA_OK : KAPPA_NOMEM;
}

static kappa_status_t
queue(kappa_websocket_t *ws, uint8_t opcode, kappa_str_t text)
{
    struct wslay_event_msg message = { opcode, (const uint8_t *)text.data,
        text.len };

    return queued(wslay_event_queue_msg(ws->event, &message));
}

kappa_status_t
kappa_websocket_send(kappa_websocket_t *ws, kappa_str_t text)
{
    return queue(ws, WSLAY_TEXT_FRAME, text);
}

/* Not in the middle of a character. */
static size_t
reason_bytes(kappa_str_t reason)
{
    size_t len = reason.len;

    if (len > REASON_BYTES_MAX) {
        len = kappa_utf8_valid(kappa_str(reason.data, REASON_BYTES_MAX));
    }
    return len;
}

kappa_status_t
kappa_websocket_close(kappa_websocket_t *ws, uint16_t code, kappa_str_t reason)
{
    return queued(wslay_event_queue_close(
        ws->event, code, (const uint8_t *)reason.data, reason_bytes(reason)));
}

kappa_status_t
kappa_websocket_output(kappa_websocket_t *ws, kappa_buf_t *buf)
{
    ws->out = buf;
    while (wslay_event_want_write(ws->event)) {
        if (wslay_event_send(ws->event) != 0) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

uint16_t
kappa_websocket_close_code(const kappa_websocket_t *ws)
{
    uint16_t sent = wslay_event_get_status_code_sent(ws->event);

    return sent != WSLAY_CODE_ABNORMAL_CLOSURE
        ? sent
        : wslay_event_get_status_code_received(ws->event);
}

bool
kappa_websocket_closed(const kappa_websocket_t *ws)
{
    return !wslay_event_get_read_enabled(ws->event)
        || (wslay_event_get_close_received(ws->event)
            && wslay_event_get_close_sent(ws->event));
}
