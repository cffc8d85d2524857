#include "views/idempotency.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "base/json.h"

_Static_assert(KAPPA_ARGS_HASH_BYTES == SHA256_DIGEST_LENGTH
        && KAPPA_IDEMPOTENCY_BYTES == SHA256_DIGEST_LENGTH,
    "both are SHA-256");

#define DEPTH_MAX 200

/* A text with its length before it, so that no two lists of texts are the
 * same bytes. */
static size_t
put_text(char *out, kappa_str_t s)
{
    uint64_t len = s.len;

    memcpy(out, &len, sizeof len);
    if (s.len) {
        memcpy(out + sizeof len, s.data, s.len);
    }
    return sizeof len + s.len;
}

static kappa_str_t
at_most(kappa_str_t s)
{
    return kappa_str(
        s.data, s.len < KAPPA_EVENT_NAME_MAX ? s.len : KAPPA_EVENT_NAME_MAX);
}

/* Longer names than an event may have are refused before they get here. */
void
kappa_idempotency_name(
    const kappa_event_t *event, uint8_t out[KAPPA_IDEMPOTENCY_BYTES])
{
    char bytes[4 * (KAPPA_EVENT_NAME_MAX + sizeof(uint64_t))];
    bool everyone =
        kappa_str_eq_c(event->idempotency_scope, KAPPA_IDEMPOTENCY_EVENT);
    size_t n = put_text(bytes, at_most(event->idempotency_scope));

    n += put_text(bytes + n, at_most(event->idempotency_key));
    if (!everyone) {
        n += put_text(bytes + n, at_most(event->actor_iss));
        n += put_text(bytes + n, at_most(event->actor_sub));
    }
    SHA256((const unsigned char *)bytes, n, out);
}

/* --- one text for one value, whatever order its members came in */

static kappa_status_t canonical(kappa_arena_t *arena, kappa_buf_t *buf,
    const kappa_value_t *v, unsigned depth);

static int
by_name(const void *a, const void *b)
{
    const kappa_member_t *const *left = a, *const *right = b;

    return kappa_str_cmp((*left)->name, (*right)->name);
}

static kappa_status_t
canonical_object(kappa_arena_t *arena, kappa_buf_t *buf,
    const kappa_value_t *object, unsigned depth)
{
    uint32_t count = object->count;
    const kappa_member_t **sorted =
        kappa_arena_alloc(arena, count * sizeof *sorted);
    kappa_status_t status = KAPPA_OK;

    if (sorted == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = &object->as.members[i];
    }
    if (count > 1) {
        qsort(sorted, count, sizeof *sorted, by_name);
    }
    kappa_buf_char(buf, '{');
    for (uint32_t i = 0; i < count && status == KAPPA_OK; i++) {
        if (sorted[i]->value.kind != KAPPA_UNSET) {
            kappa_json_string(buf, sorted[i]->name);
            kappa_buf_char(buf, ':');
            status = canonical(arena, buf, &sorted[i]->value, depth + 1);
            kappa_buf_char(buf, ',');
        }
    }
    kappa_buf_char(buf, '}');
    return status;
}

static kappa_status_t
canonical_list(kappa_arena_t *arena, kappa_buf_t *buf,
    const kappa_value_t *list, unsigned depth)
{
    kappa_status_t status = KAPPA_OK;

    kappa_buf_char(buf, '[');
    for (uint32_t i = 0; i < list->count && status == KAPPA_OK; i++) {
        status = canonical(arena, buf, &list->as.items[i], depth + 1);
        kappa_buf_char(buf, ',');
    }
    kappa_buf_char(buf, ']');
    return status;
}

static kappa_status_t
canonical(kappa_arena_t *arena, kappa_buf_t *buf, const kappa_value_t *v,
    unsigned depth)
{
    if (depth > DEPTH_MAX) {
        return KAPPA_LIMIT;
    }
    if (v->kind == KAPPA_OBJECT) {
        return canonical_object(arena, buf, v, depth);
    }
    if (v->kind == KAPPA_LIST) {
        return canonical_list(arena, buf, v, depth);
    }
    kappa_json_value(buf, v);
    return KAPPA_OK;
}

static kappa_status_t
hash(kappa_buf_t *buf, uint8_t out[KAPPA_ARGS_HASH_BYTES])
{
    kappa_status_t status = buf->failed ? KAPPA_NOMEM : KAPPA_OK;

    if (status == KAPPA_OK) {
        SHA256((const unsigned char *)buf->data, buf->len, out);
    }
    kappa_buf_release(buf);
    return status;
}

static void
start(kappa_buf_t *buf, kappa_arena_t *arena, kappa_str_t first)
{
    kappa_buf_init(buf, kappa_arena_source(arena));
    kappa_json_string(buf, first);
}

/* --- mutations */

static kappa_status_t
hash_args(kappa_arena_t *arena, const kappa_mutation_t *mutation,
    const kappa_value_t *args, uint8_t out[KAPPA_ARGS_HASH_BYTES])
{
    const kappa_field_t *field = mutation->field;
    kappa_status_t status = KAPPA_OK;
    kappa_buf_t buf;

    start(&buf, arena, field->name);
    for (uint32_t i = 0; i < field->arg_count && status == KAPPA_OK; i++) {
        if (args[i].kind != KAPPA_UNSET
            && (int32_t)i != mutation->idempotency_arg) {
            kappa_json_string(&buf, field->args[i].name);
            status = canonical(arena, &buf, &args[i], 0);
        }
    }
    if (status != KAPPA_OK) {
        kappa_buf_release(&buf);
        return status;
    }
    return hash(&buf, out);
}

kappa_status_t
kappa_idempotency_of_mutation(kappa_arena_t *arena,
    const kappa_mutation_t *mutation, kappa_str_t path, kappa_str_t header,
    const kappa_value_t *args, kappa_event_t *event)
{
    int32_t arg = mutation->idempotency_arg;

    if (arg >= 0 && args[arg].kind == KAPPA_STRING
        && args[arg].as.string.len) {
        event->idempotency_key = args[arg].as.string;
        event->idempotency_scope = mutation->field->name;
    } else if (header.len) {
        event->idempotency_key = header;
        event->idempotency_scope =
            kappa_str_printf(arena, "/%.*s", KAPPA_STR_ARG(path));
    } else {
        return KAPPA_OK;
    }
    if (event->idempotency_scope.data == NULL) {
        return KAPPA_NOMEM;
    }
    return hash_args(arena, mutation, args, event->args_hash);
}

/* --- events that come as they are */

static kappa_status_t
add_json(kappa_arena_t *arena, kappa_buf_t *buf, kappa_str_t json)
{
    kappa_value_t value = kappa_null();
    kappa_str_t message;
    kappa_status_t status = KAPPA_OK;

    if (json.data) {
        status = kappa_json_parse(arena, json, &value, &message);
    }
    return status == KAPPA_OK ? canonical(arena, buf, &value, 0) : status;
}

kappa_status_t
kappa_idempotency_of_event(kappa_arena_t *arena, kappa_event_t *event)
{
    kappa_buf_t buf;

    event->idempotency_scope = kappa_str_c(KAPPA_IDEMPOTENCY_EVENT);
    start(&buf, arena, event->thing);
    kappa_json_string(&buf, event->verb);

    kappa_status_t status = add_json(arena, &buf, event->key);
    if (status == KAPPA_OK) {
        status = add_json(arena, &buf, event->data);
    }
    if (status != KAPPA_OK) {
        kappa_buf_release(&buf);
        return status;
    }
    return hash(&buf, event->args_hash);
}
