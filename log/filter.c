#include "log/filter.h"

#include "base/json.h"

static kappa_status_t
add_key(
    kappa_arena_t *arena, const kappa_value_t *value, kappa_filter_t *filter)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, kappa_arena_source(arena));
    kappa_json_value(&buf, value);
    kappa_str_t json = buf.failed ? KAPPA_STR_NULL
                                  : kappa_str_dup(arena, kappa_buf_view(&buf));
    kappa_buf_release(&buf);
    if (json.data == NULL) {
        return KAPPA_NOMEM;
    }
    filter->keys[filter->key_count++] = json;
    return KAPPA_OK;
}

kappa_status_t
kappa_filter_key(
    kappa_arena_t *arena, kappa_str_t text, kappa_filter_t *filter)
{
    kappa_value_t plain = kappa_string(text), read;

    filter->key_count = 0;
    if (kappa_utf8_valid(text) != text.len) {
        return KAPPA_INVALID;
    }
    kappa_status_t status = kappa_json_parse(arena, text, &read, NULL);
    if (status == KAPPA_NOMEM) {
        return status;
    }
    if (status != KAPPA_OK || read.kind == KAPPA_OBJECT
        || read.kind == KAPPA_NULL) {
        return add_key(arena, &plain, filter);
    }
    status = add_key(arena, &read, filter);
    if (status == KAPPA_OK && read.kind != KAPPA_LIST
        && read.kind != KAPPA_STRING) {
        status = add_key(arena, &plain, filter);
    }
    return status;
}

static bool
names(kappa_str_t wanted, kappa_str_t is)
{
    return wanted.data == NULL || kappa_str_eq(wanted, is);
}

static bool
has_key(const kappa_filter_t *filter, kappa_str_t key)
{
    for (uint32_t i = 0; i < filter->key_count; i++) {
        if (kappa_str_eq(filter->keys[i], key)) {
            return true;
        }
    }
    return filter->key_count == 0;
}

bool
kappa_filter_wants(const kappa_filter_t *filter, const kappa_event_t *event)
{
    return (names(filter->thing, event->thing)
               || (filter->older.data && names(filter->older, event->thing)))
        && names(filter->verb, event->verb) && has_key(filter, event->key);
}
