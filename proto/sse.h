#ifndef KAPPA_PROTO_SSE_H
#define KAPPA_PROTO_SSE_H

#include "base/buf.h"
#include "base/str.h"

/* Server-sent events as graphql-sse's distinct connections mode writes them
 * (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md). Frames
 * are appended to a buffer, whose `failed` says if memory was short. */

/* One result: `event: next`, its JSON (one object, as in an HTTP answer), and
 * `id: POSITION` if position is not empty, which a client sends back as
 * Last-Event-ID. JSON with line breaks is written as several data lines. */
void kappa_sse_next(kappa_buf_t *buf, kappa_str_t position, kappa_str_t json);

/* The end of an operation: no further results. */
void kappa_sse_complete(kappa_buf_t *buf);

/* A comment that keeps proxies from closing the connection. */
void kappa_sse_heartbeat(kappa_buf_t *buf);

#endif
