#include <stdlib.h>

#include "log/event.h"

/* The first byte chooses: an encoded event (the second says where its payload
 * begins), or a line of NDJSON. What is accepted can be written again, and
 * reads the same. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void
must_be_same(const kappa_event_t *a, const kappa_event_t *b)
{
    must(memcmp(a->id, b->id, sizeof(a->id)) == 0);
    must(a->time_ms == b->time_ms && a->effect == b->effect);
    must(kappa_str_eq(a->verb, b->verb) && kappa_str_eq(a->thing, b->thing));
    must(kappa_str_eq(a->key, b->key) && kappa_str_eq(a->data, b->data));
    must(kappa_str_eq(a->idempotency_key, b->idempotency_key));
}

static void
encode_again(kappa_arena_t *arena, const kappa_event_t *event)
{
    size_t header_bytes;
    kappa_event_t again;
    kappa_buf_t buf;

    if (event->forgotten || kappa_event_check(event, NULL) != KAPPA_OK) {
        return;
    }
    kappa_buf_init(&buf, &kappa_alloc_libc);
    must(kappa_event_encode(&buf, event, &header_bytes) == KAPPA_OK);
    must(
        kappa_event_decode(arena, kappa_str(buf.data, header_bytes),
            kappa_str(buf.data + header_bytes, buf.len - header_bytes), &again)
        == KAPPA_OK);
    must_be_same(event, &again);
    kappa_buf_release(&buf);
}

static void
decode(kappa_arena_t *arena, kappa_str_t text)
{
    size_t header_bytes = text.len ? (unsigned char)text.data[0] : 0;
    kappa_event_t event;

    if (text.len < 1 + header_bytes) {
        return;
    }
    kappa_str_t header = kappa_str(text.data + 1, header_bytes);
    kappa_str_t payload =
        kappa_str(text.data + 1 + header_bytes, text.len - 1 - header_bytes);
    kappa_status_t status = kappa_event_decode(arena, header, payload, &event);

    must(status == KAPPA_OK || status == KAPPA_CORRUPT);
    if (status == KAPPA_OK) {
        encode_again(arena, &event);
    }
}

static void
write_again(kappa_arena_t *arena, kappa_event_t *event)
{
    kappa_event_t again;
    kappa_buf_t buf;

    if (event->effect == KAPPA_EFFECT_UNSET) {
        event->effect = KAPPA_EFFECT_NONE;
    }
    if (event->time_ms == KAPPA_EVENT_NO_TIME) {
        event->time_ms = 0;
    }
    encode_again(arena, event);
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_event_json(&buf, event, KAPPA_STR("abcdefgh-1"));
    must(kappa_event_parse_json(arena, kappa_buf_view(&buf), &again, NULL)
        == KAPPA_OK);
    again.idempotency_key = event->idempotency_key; /* zeros without an id */
    must_be_same(event, &again);
    kappa_buf_release(&buf);
}

static void
parse(kappa_arena_t *arena, kappa_str_t line)
{
    kappa_errors_t errors;
    kappa_event_t event;

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status =
        kappa_event_parse_json(arena, line, &event, &errors);

    must((status == KAPPA_OK) == (errors.count == 0));
    if (status == KAPPA_OK) {
        write_again(arena, &event);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    if (size > 0) {
        (data[0] == 'E' ? decode : parse)(
            arena, kappa_str((const char *)data + 1, size - 1));
    }
    kappa_arena_destroy(arena);
    return 0;
}
