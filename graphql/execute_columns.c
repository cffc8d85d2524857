#include "graphql/execute_private.h"

/* Short texts, without a call. */
static inline char *
put(char *p, kappa_str_t s)
{
    if (s.len > 16) {
        memcpy(p, s.data, s.len);
    } else if (s.len >= 8) {
        uint64_t first, last;

        memcpy(&first, s.data, 8);
        memcpy(&last, s.data + s.len - 8, 8);
        memcpy(p, &first, 8);
        memcpy(p + s.len - 8, &last, 8);
    } else if (s.len >= 4) {
        uint32_t first, last;

        memcpy(&first, s.data, 4);
        memcpy(&last, s.data + s.len - 4, 4);
        memcpy(p, &first, 4);
        memcpy(p + s.len - 4, &last, 4);
    } else if (s.len > 0) {
        p[0] = s.data[0];
        p[s.len / 2] = s.data[s.len / 2];
        p[s.len - 1] = s.data[s.len - 1];
    }
    return p + s.len;
}

static inline char *
put_key(char *p, const kappa_plan_field_t *f, bool first)
{
    if (f->key_len <= KAPPA_PLAN_KEY_ROOM - 1) {
        memcpy(p, f->key + first, KAPPA_PLAN_KEY_ROOM - 1);
    } else {
        memcpy(p, f->key + first, f->key_len - first);
    }
    return p + f->key_len - first;
}

/* Columns that are copied in one go. */
#define PLAIN_MAX 16

uint32_t
kappa_execute_columns(
    kappa_execution_t *x, const kappa_plan_set_t *set, const kappa_row_t *row)
{
    kappa_str_t json[PLAIN_MAX];
    uint32_t count = set->plain < PLAIN_MAX ? set->plain : PLAIN_MAX;
    size_t need = KAPPA_PLAN_KEY_ROOM;
    kappa_buf_t *buf = x->buf;

    x->data->ops->columns(row, set->columns, count, json);
    for (uint32_t i = 0; i < count; i++) {
        if (json[i].len == 0) {
            if (set->fields[i].non_null) {
                return 0;
            }
            json[i] = KAPPA_STR("null");
        }
        need += set->fields[i].key_len + json[i].len;
    }
    if (need > buf->cap - buf->len && !kappa_buf_reserve(buf, need)) {
        return 0;
    }
    char *p = buf->data + buf->len;
    for (uint32_t i = 0; i < count; i++) {
        p = put(put_key(p, &set->fields[i], i == 0), json[i]);
    }
    buf->len = (size_t)(p - buf->data);
    return count;
}
