#include "log/event.h"

#include "proto/kappa/v1/event.pb-c.h"

#define TRACEPARENT_MAX 128

typedef Kappa__V1__EventHeader header_t;
typedef Kappa__V1__EventPayload payload_t;

static const char *const effect_names[] = { "NONE", "CREATE", "PUT", "PATCH",
    "UPSERT", "DELETE" };

#define EFFECTS (sizeof(effect_names) / sizeof(effect_names[0]))

const char *
kappa_effect_name(kappa_effect_t effect)
{
    return (size_t)effect < EFFECTS ? effect_names[effect] : NULL;
}

bool
kappa_effect_parse(kappa_str_t name, kappa_effect_t *out)
{
    for (size_t i = 0; i < EFFECTS; i++) {
        if (kappa_str_eq_c(name, effect_names[i])) {
            *out = (kappa_effect_t)i;
            return true;
        }
    }
    return false;
}

/* The header's strings, then the payload's: in one place, so that none is
 * checked and not written. */
typedef struct {
    const char *name;
    kappa_str_t value;
    size_t max;
    bool required;
} text_t;

#define TEXTS 7

static void
list_texts(const kappa_event_t *e, text_t texts[TEXTS])
{
    const size_t max = KAPPA_EVENT_NAME_MAX;

    texts[0] = (text_t){ "thing", e->thing, max, true };
    texts[1] = (text_t){ "verb", e->verb, max, true };
    texts[2] = (text_t){ "actor's issuer", e->actor_iss, max, false };
    texts[3] = (text_t){ "actor's sub", e->actor_sub, max, false };
    texts[4] =
        (text_t){ "traceparent", e->traceparent, TRACEPARENT_MAX, false };
    texts[5] = (text_t){ "idempotency key", e->idempotency_key, max, false };
    texts[6] =
        (text_t){ "idempotency scope", e->idempotency_scope, max, false };
}

static kappa_status_t
check_text(const text_t *text, kappa_errors_t *errors)
{
    kappa_str_t s = text->value;

    if (s.len == 0) {
        if (text->required) {
            kappa_errors_add(errors, "BAD_USER_INPUT",
                "an event needs a %s that is not empty", text->name);
            return KAPPA_INVALID;
        }
        return KAPPA_OK;
    }
    if (s.len > text->max) {
        kappa_errors_add(errors, "LIMIT_EXCEEDED",
            "the event's %s has %zu bytes, at most %zu are kept", text->name,
            s.len, text->max);
        return KAPPA_LIMIT;
    }
    if (memchr(s.data, '\0', s.len) != NULL || kappa_utf8_valid(s) != s.len) {
        kappa_errors_add(errors, "BAD_USER_INPUT",
            "the event's %s is not UTF-8 without U+0000", text->name);
        return KAPPA_INVALID;
    }
    return KAPPA_OK;
}

static kappa_status_t
check_texts(const kappa_event_t *event, kappa_errors_t *errors)
{
    text_t texts[TEXTS];

    list_texts(event, texts);
    for (size_t i = 0; i < TEXTS; i++) {
        kappa_status_t status = check_text(&texts[i], errors);

        if (status != KAPPA_OK) {
            return status;
        }
    }
    return KAPPA_OK;
}

/* What the fixed fields, tags and lengths take at most. */
#define OVERHEAD_BYTES 256

static size_t
bytes_max(const kappa_event_t *event)
{
    text_t texts[TEXTS];
    size_t n = OVERHEAD_BYTES;

    list_texts(event, texts);
    for (size_t i = 0; i < TEXTS; i++) {
        n += texts[i].value.len;
    }
    return n + event->key.len + event->data.len + event->row.len;
}

kappa_status_t
kappa_event_check(const kappa_event_t *event, kappa_errors_t *errors)
{
    kappa_status_t status = check_texts(event, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    if (kappa_effect_name(event->effect) == NULL
        || event->time_ms == KAPPA_EVENT_NO_TIME) {
        kappa_errors_add(errors, "BAD_USER_INPUT", "an event needs %s",
            event->time_ms == KAPPA_EVENT_NO_TIME ? "a time" : "an effect");
        return KAPPA_INVALID;
    }
    if (event->key.len > KAPPA_EVENT_BYTES_MAX
        || event->data.len > KAPPA_EVENT_BYTES_MAX
        || event->row.len > KAPPA_EVENT_BYTES_MAX
        || bytes_max(event) > KAPPA_EVENT_BYTES_MAX) {
        kappa_errors_add(errors, "LIMIT_EXCEEDED",
            "the event is too large: key, data and row have %zu, %zu and %zu "
            "bytes, all of it may have %d",
            event->key.len, event->data.len, event->row.len,
            KAPPA_EVENT_BYTES_MAX - OVERHEAD_BYTES);
        return KAPPA_LIMIT;
    }
    return KAPPA_OK;
}

/* protobuf-c takes strings with a NUL behind: copies them to *scratch, which
 * moves on. */
static char *
terminated(kappa_str_t s, char **scratch)
{
    char *copy = *scratch;

    if (s.len > 0) {
        memcpy(copy, s.data, s.len);
    }
    copy[s.len] = '\0';
    *scratch += s.len + 1;
    return copy;
}

static ProtobufCBinaryData
bytes_of(const void *data, size_t len)
{
    return (ProtobufCBinaryData){ .len = len, .data = (uint8_t *)data };
}

static void
fill_header(header_t *header, const kappa_event_t *event, char **scratch)
{
    kappa__v1__event_header__init(header);
    header->id = bytes_of(event->id, KAPPA_UUID_BYTES);
    header->time_ms = event->time_ms;
    header->effect = (Kappa__V1__Effect)event->effect;
    header->actor_issuer = terminated(event->actor_iss, scratch);
    header->actor_sub = terminated(event->actor_sub, scratch);
    header->verb = terminated(event->verb, scratch);
    header->thing = terminated(event->thing, scratch);
    header->traceparent = terminated(event->traceparent, scratch);
}

static void
fill_payload(payload_t *payload, const kappa_event_t *event, char **scratch)
{
    kappa__v1__event_payload__init(payload);
    payload->key = bytes_of(event->key.data, event->key.len);
    payload->data = bytes_of(event->data.data, event->data.len);
    payload->row = bytes_of(event->row.data, event->row.len);
    payload->idempotency_key = terminated(event->idempotency_key, scratch);
    payload->idempotency_scope = terminated(event->idempotency_scope, scratch);
    if (event->idempotency_key.len > 0) {
        payload->args_hash = bytes_of(event->args_hash, KAPPA_ARGS_HASH_BYTES);
    }
}

kappa_status_t
kappa_event_encode(
    kappa_buf_t *buf, const kappa_event_t *event, size_t *header_bytes)
{
    size_t scratch_bytes = bytes_max(event);
    char *scratch;
    header_t header;
    payload_t payload;

    /* The copies stand behind where the messages will end. */
    if (!kappa_buf_reserve(buf, 2 * scratch_bytes)) {
        return KAPPA_NOMEM;
    }
    scratch = buf->data + buf->len + scratch_bytes;
    fill_header(&header, event, &scratch);
    fill_payload(&payload, event, &scratch);
    *header_bytes = kappa__v1__event_header__pack(
        &header, (uint8_t *)buf->data + buf->len);
    buf->len += *header_bytes;
    buf->len += kappa__v1__event_payload__pack(
        &payload, (uint8_t *)buf->data + buf->len);
    return KAPPA_OK;
}

/* An arena as protobuf-c's allocator; it tells want of memory apart from
 * bytes that are no message. */
typedef struct {
    kappa_arena_t *arena;
    bool no_memory;
} arena_source_t;

static void *
arena_alloc(void *data, size_t size)
{
    arena_source_t *source = data;
    void *p = kappa_arena_alloc(source->arena, size);

    source->no_memory |= p == NULL;
    return p;
}

static void
arena_free(void *data, void *p)
{
    (void)data;
    (void)p;
}

static kappa_str_t
text_of(const char *s)
{
    return s[0] ? kappa_str_c(s) : KAPPA_STR_NULL;
}

static kappa_str_t
json_of(ProtobufCBinaryData bytes)
{
    return bytes.len ? kappa_str((const char *)bytes.data, bytes.len)
                     : KAPPA_STR_NULL;
}

static bool
take_header(const header_t *header, kappa_event_t *out)
{
    if (header->id.len != KAPPA_UUID_BYTES
        || kappa_effect_name((kappa_effect_t)header->effect) == NULL
        || header->thing[0] == '\0' || header->verb[0] == '\0') {
        return false;
    }
    memcpy(out->id, header->id.data, KAPPA_UUID_BYTES);
    out->time_ms = header->time_ms;
    out->effect = (kappa_effect_t)header->effect;
    out->actor_iss = text_of(header->actor_issuer);
    out->actor_sub = text_of(header->actor_sub);
    out->verb = text_of(header->verb);
    out->thing = text_of(header->thing);
    out->traceparent = text_of(header->traceparent);
    return true;
}

static bool
take_payload(const payload_t *payload, kappa_event_t *out)
{
    size_t hash_bytes = payload->args_hash.len;

    if (hash_bytes != 0 && hash_bytes != KAPPA_ARGS_HASH_BYTES) {
        return false;
    }
    if (hash_bytes != 0) {
        memcpy(out->args_hash, payload->args_hash.data, hash_bytes);
    }
    out->key = json_of(payload->key);
    out->data = json_of(payload->data);
    out->row = json_of(payload->row);
    out->idempotency_key = text_of(payload->idempotency_key);
    out->idempotency_scope = text_of(payload->idempotency_scope);
    return true;
}

kappa_status_t
kappa_event_decode(kappa_arena_t *arena, kappa_str_t header_bytes,
    kappa_str_t payload_bytes, kappa_event_t *out)
{
    arena_source_t source = { arena, false };
    ProtobufCAllocator allocator = { arena_alloc, arena_free, &source };
    const payload_t *payload;

    *out = (kappa_event_t){ 0 };
    const header_t *header = kappa__v1__event_header__unpack(
        &allocator, header_bytes.len, (const uint8_t *)header_bytes.data);

    if (header == NULL || !take_header(header, out)) {
        return source.no_memory ? KAPPA_NOMEM : KAPPA_CORRUPT;
    }
    if (payload_bytes.data == NULL) {
        out->forgotten = true;
        return KAPPA_OK;
    }
    payload = kappa__v1__event_payload__unpack(
        &allocator, payload_bytes.len, (const uint8_t *)payload_bytes.data);
    if (payload == NULL || !take_payload(payload, out)) {
        return source.no_memory ? KAPPA_NOMEM : KAPPA_CORRUPT;
    }
    return KAPPA_OK;
}
