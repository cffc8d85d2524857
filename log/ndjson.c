#include "log/ndjson.h"

kappa_status_t
kappa_ndjson_init(kappa_ndjson_t *ndjson, const kappa_alloc_t *alloc)
{
    memset(ndjson, 0, sizeof(*ndjson));
    kappa_buf_init(&ndjson->partial, alloc);
    ndjson->arena = kappa_arena_create(alloc, 0);
    return ndjson->arena ? KAPPA_OK : KAPPA_NOMEM;
}

void
kappa_ndjson_release(kappa_ndjson_t *ndjson)
{
    kappa_buf_release(&ndjson->partial);
    kappa_arena_destroy(ndjson->arena);
    ndjson->arena = NULL;
}

void
kappa_ndjson_clear(kappa_ndjson_t *ndjson)
{
    kappa_arena_reset(ndjson->arena);
    ndjson->count = 0;
    ndjson->bytes = 0;
}

static bool
is_blank(kappa_str_t line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (memchr(" \t\r", line.data[i], 3) == NULL) {
            return false;
        }
    }
    return true;
}

static bool
is_full(const kappa_ndjson_t *ndjson)
{
    return ndjson->count == KAPPA_NDJSON_EVENTS
        || ndjson->bytes >= KAPPA_NDJSON_BYTES;
}

static kappa_status_t
refuse(kappa_ndjson_t *ndjson, const char *code, kappa_str_t reason)
{
    ndjson->code = code;
    ndjson->reason = reason;
    return KAPPA_INVALID;
}

/* A whole line becomes an event. Its bytes are copied: the event points into
 * them. */
static kappa_status_t
add_line(kappa_ndjson_t *ndjson, kappa_str_t text)
{
    static const kappa_str_t byte_order_mark = { "\xef\xbb\xbf", 3 };
    kappa_errors_t errors;

    if (ndjson->line == 1 && kappa_str_starts_with(text, byte_order_mark)) {
        text = kappa_str(text.data + 3, text.len - 3);
    }
    if (is_blank(text)) {
        return KAPPA_OK;
    }
    kappa_str_t line = kappa_str_dup(ndjson->arena, text);
    if (line.data == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_errors_init(&errors, ndjson->arena, 1);
    kappa_status_t status = kappa_event_parse_json(
        ndjson->arena, line, &ndjson->events[ndjson->count], &errors);
    if (status == KAPPA_INVALID || status == KAPPA_LIMIT) {
        return errors.first
            ? refuse(ndjson, errors.first->code, errors.first->message)
            : refuse(
                ndjson, "BAD_USER_INPUT", KAPPA_STR("it is not an event"));
    }
    if (status != KAPPA_OK) {
        return status;
    }
    ndjson->lines[ndjson->count++] = ndjson->line;
    ndjson->bytes += line.len;
    return KAPPA_OK;
}

/* Part of a line: kept until the rest comes. */
static kappa_status_t
keep(kappa_ndjson_t *ndjson, kappa_str_t part)
{
    if (part.len > KAPPA_EVENT_LINE_MAX - ndjson->partial.len) {
        return refuse(ndjson, "LIMIT_EXCEEDED",
            KAPPA_STR("it is too long: a line has at most 4 MiB, an event "
                      "1 MiB"));
    }
    kappa_buf_str(&ndjson->partial, part);
    return ndjson->partial.failed ? KAPPA_NOMEM : KAPPA_OK;
}

static kappa_status_t
finish_line(kappa_ndjson_t *ndjson, kappa_str_t rest)
{
    kappa_status_t status;

    ndjson->in_line = false;
    if (ndjson->partial.len == 0) {
        return add_line(ndjson, rest);
    }
    status = keep(ndjson, rest);
    if (status == KAPPA_OK) {
        status = add_line(ndjson, kappa_buf_view(&ndjson->partial));
    }
    kappa_buf_reset(&ndjson->partial);
    return status;
}

kappa_status_t
kappa_ndjson_feed(kappa_ndjson_t *ndjson, kappa_str_t *bytes)
{
    while (bytes->len > 0) {
        if (is_full(ndjson)) {
            return KAPPA_BUSY;
        }
        if (!ndjson->in_line) {
            ndjson->in_line = true;
            ndjson->line++;
        }
        const char *end = memchr(bytes->data, '\n', bytes->len);
        size_t len = end ? (size_t)(end - bytes->data) : bytes->len;
        kappa_str_t part = kappa_str(bytes->data, len);
        kappa_status_t status =
            end ? finish_line(ndjson, part) : keep(ndjson, part);

        len += end ? 1 : 0;
        *bytes = kappa_str(bytes->data + len, bytes->len - len);
        if (status != KAPPA_OK) {
            return status;
        }
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_ndjson_end(kappa_ndjson_t *ndjson)
{
    if (!ndjson->in_line) {
        return KAPPA_OK;
    }
    if (is_full(ndjson)) {
        return KAPPA_BUSY;
    }
    return finish_line(ndjson, KAPPA_STR(""));
}

kappa_status_t
kappa_ndjson_add(kappa_ndjson_t *ndjson, uint64_t line, kappa_str_t text)
{
    if (is_full(ndjson)) {
        return KAPPA_BUSY;
    }
    ndjson->line = line;
    return add_line(ndjson, text);
}

kappa_status_t
kappa_ndjson_refuse(kappa_ndjson_t *ndjson, uint64_t line, kappa_str_t reason)
{
    kappa_str_t copy = kappa_str_dup(ndjson->arena, reason);

    ndjson->line = line;
    return copy.data == NULL ? KAPPA_NOMEM
                             : refuse(ndjson, "BAD_USER_INPUT", copy);
}
