#ifndef KAPPA_LOG_EVENT_H
#define KAPPA_LOG_EVENT_H

#include "base/buf.h"
#include "base/error.h"
#include "base/status.h"
#include "base/str.h"
#include "base/uuid.h"
#include "log/position.h"

/* An event: one thing that happened. Immutable once it is in the log. Its
 * envelope is proto/kappa/v1/event.proto (docs/events.md): two messages, a
 * header that stays for ever and a payload that `kappa forget` may blank. */

#define KAPPA_ARGS_HASH_BYTES 32

/* Header and payload together, encoded: the same bound on every backend. */
#define KAPPA_EVENT_BYTES_MAX (1024 * 1024)

/* A line of NDJSON: room for a row beside the data, and for escapes. */
#define KAPPA_EVENT_LINE_MAX (4 * KAPPA_EVENT_BYTES_MAX)

/* thing, verb, issuer, sub, idempotency key and scope, each. */
#define KAPPA_EVENT_NAME_MAX 1024

/* kappa_event_t.time_ms of a line that names no time. */
#define KAPPA_EVENT_NO_TIME INT64_MIN

/* What the event does to the row of `thing`. The numbers are on disk. */
typedef enum {
    KAPPA_EFFECT_NONE = 0,
    KAPPA_EFFECT_CREATE = 1,
    KAPPA_EFFECT_PUT = 2,
    KAPPA_EFFECT_PATCH = 3,
    KAPPA_EFFECT_UPSERT = 4,
    KAPPA_EFFECT_DELETE = 5,
    KAPPA_EFFECT_UNSET = 99 /* a line that names none; never in the log */
} kappa_effect_t;

/* A string whose data is NULL is absent. "" and absent are the same in the
 * log. Strings are valid UTF-8 without U+0000. */
typedef struct {
    uint64_t seq; /* from 1; given by the log, ignored by append */
    uint8_t id[KAPPA_UUID_BYTES];
    int64_t time_ms;
    kappa_str_t actor_iss; /* NULL data: anonymous */
    kappa_str_t actor_sub;
    kappa_str_t verb;
    kappa_str_t thing;
    kappa_effect_t effect;
    kappa_str_t traceparent; /* W3C Trace Context; or NULL data */
    /* The payload. */
    bool forgotten;   /* the payload was blanked: all below is absent */
    kappa_str_t key;  /* JSON text: a string, a list, …; NULL data: null */
    kappa_str_t data; /* JSON object text, bytes as encoded */
    kappa_str_t row;  /* JSON object text; NULL data: null */
    kappa_str_t idempotency_key;              /* NULL data: none */
    kappa_str_t idempotency_scope;            /* response path, or mutation */
    uint8_t args_hash[KAPPA_ARGS_HASH_BYTES]; /* zeros without a key */
} kappa_event_t;

/* "CREATE"; NULL for UNSET and for numbers that are none. */
const char *kappa_effect_name(kappa_effect_t effect);
bool kappa_effect_parse(kappa_str_t name, kappa_effect_t *out);

/* Whether the log would take it: KAPPA_OK; KAPPA_LIMIT: a name or the whole
 * is too long; KAPPA_INVALID: no thing or verb, UNSET effect or no time,
 * invalid UTF-8 or U+0000 in a name. JSON texts are not parsed. Ask before
 * you put it in a batch: append refuses the whole batch. */
kappa_status_t kappa_event_check(
    const kappa_event_t *event, kappa_errors_t *errors);

/* Appends EventHeader, then EventPayload to buf; the header's length goes to
 * header_bytes. The event must pass kappa_event_check. seq is not part of
 * it. KAPPA_NOMEM leaves buf failed. */
kappa_status_t kappa_event_encode(
    kappa_buf_t *buf, const kappa_event_t *event, size_t *header_bytes);

/* Reads both messages; payload of NULL data: it was forgotten. Strings are
 * copied into the arena, seq is 0. KAPPA_CORRUPT: these bytes are no event;
 * unknown fields are fine, an unknown effect is not. */
kappa_status_t kappa_event_decode(kappa_arena_t *arena, kappa_str_t header,
    kappa_str_t payload, kappa_event_t *out);

/* The event as one JSON object (SEMANTICS 30), without newline:
 * {"position","id","time","actor":{"iss","sub"},"thing","verb","key",
 * "effect","data","row"}. position is "EPOCH-SEQ"; key, data and row are
 * written as they are; absent is null. */
void kappa_event_json(
    kappa_buf_t *buf, const kappa_event_t *event, kappa_str_t position);

/* Reads one line of NDJSON (SEMANTICS 30, in), without its newline. thing
 * and verb are required; key is a string, a number, a boolean or a list of
 * them; data an object, {} when absent; null is absent. What the line leaves
 * out: id is all zero, time_ms is KAPPA_EVENT_NO_TIME, effect is
 * KAPPA_EFFECT_UNSET. With an id, idempotency_key is its text. position, actor
 * and row are ignored; other members are refused. data points into `line`, as
 * written; the rest is in the arena, the key's text without needless escapes.
 * KAPPA_INVALID: errors says why (BAD_USER_INPUT); KAPPA_LIMIT: too long. */
kappa_status_t kappa_event_parse_json(kappa_arena_t *arena, kappa_str_t line,
    kappa_event_t *out, kappa_errors_t *errors);

#endif
