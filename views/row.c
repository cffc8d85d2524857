#include "views/row.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/time.h"
#include "views/text.h"

#define NUMBER_CHARS_MAX 64

bool
kappa_row_valid(const uint8_t *row, size_t len)
{
    if (len < KAPPA_ROW_HEADER_BYTES) {
        return false;
    }
    uint32_t count = kappa_row_count(row);
    size_t head = KAPPA_ROW_HEADER_BYTES
        + (size_t)count * (row[0] & KAPPA_ROW_WIDE ? 4 : 2);
    uint32_t before = 0;

    head += row[0] & KAPPA_ROW_MADE ? KAPPA_ROW_MADE_BYTES : 0;
    if (len < head || (row[0] & ~(KAPPA_ROW_WIDE | KAPPA_ROW_MADE)) != 0) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t end = kappa_row_offset(row, i);

        if (end < before) {
            return false;
        }
        before = end;
    }
    return before == len - head;
}

static size_t
columns_bytes(const kappa_str_t *columns, uint32_t count)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < count; i++) {
        bytes += columns[i].len;
    }
    return bytes;
}

size_t
kappa_row_size(const kappa_str_t *columns, uint32_t count)
{
    size_t bytes = columns_bytes(columns, count);

    return KAPPA_ROW_HEADER_BYTES
        + (size_t)count * (bytes > UINT16_MAX ? 4 : 2) + bytes;
}

static uint8_t *
write_offset(uint8_t *out, uint32_t offset, bool wide)
{
    uint16_t narrow = (uint16_t)offset;

    if (wide) {
        memcpy(out, &offset, 4);
        return out + 4;
    }
    memcpy(out, &narrow, 2);
    return out + 2;
}

void
kappa_row_write(uint8_t *out, const kappa_str_t *columns, uint32_t count)
{
    bool wide = columns_bytes(columns, count) > UINT16_MAX;
    uint32_t end = 0;

    out[0] = wide ? KAPPA_ROW_WIDE : 0;
    out[1] = 0;
    out[2] = (uint8_t)count;
    out[3] = (uint8_t)(count >> 8);
    out += KAPPA_ROW_HEADER_BYTES;
    for (uint32_t i = 0; i < count; i++) {
        end += (uint32_t)columns[i].len;
        out = write_offset(out, end, wide);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (columns[i].len) {
            memcpy(out, columns[i].data, columns[i].len);
            out += columns[i].len;
        }
    }
}

void
kappa_row_write_made(uint8_t *row, int64_t made_ms)
{
    memcpy(row + kappa_row_bytes(row), &made_ms, sizeof(made_ms));
    row[0] |= KAPPA_ROW_MADE;
}

static kappa_status_t
read_string(kappa_arena_t *arena, kappa_str_t json, kappa_value_t *out)
{
    kappa_str_t inside = kappa_text_inside(json);

    if (inside.data == NULL) {
        return KAPPA_CORRUPT;
    }
    if (!kappa_text_escaped(inside)) {
        *out = kappa_string(inside);
        return KAPPA_OK;
    }
    char *text = kappa_arena_bytes(arena, inside.len);
    size_t len = 0;
    if (text == NULL) {
        return KAPPA_NOMEM;
    }
    while (inside.len) {
        int c = kappa_text_next(&inside);

        if (c < 0) {
            return KAPPA_CORRUPT;
        }
        text[len++] = (char)c;
    }
    *out = kappa_string(kappa_str(text, len));
    return KAPPA_OK;
}

static kappa_status_t
read_integer(kappa_column_kind_t kind, kappa_str_t json, kappa_value_t *out)
{
    kappa_str_t text =
        kind == KAPPA_COLUMN_INT ? json : kappa_text_inside(json);
    int64_t v;

    if (text.data == NULL
        || !(kind == KAPPA_COLUMN_TIME ? kappa_time_parse(text, &v)
                                       : kappa_str_to_int64(text, &v))) {
        return KAPPA_CORRUPT;
    }
    *out = kind == KAPPA_COLUMN_TIME ? kappa_time(v)
        : kind == KAPPA_COLUMN_INT   ? kappa_int(v)
                                     : kappa_bigint(v);
    return KAPPA_OK;
}

static kappa_status_t
read_double(kappa_str_t json, kappa_value_t *out)
{
    char text[NUMBER_CHARS_MAX];
    char *end;

    if (json.len >= sizeof(text)) {
        return KAPPA_CORRUPT;
    }
    memcpy(text, json.data, json.len);
    text[json.len] = '\0';
    *out = kappa_double(strtod(text, &end));
    return end == text + json.len ? KAPPA_OK : KAPPA_CORRUPT;
}

kappa_status_t
kappa_column_value(kappa_arena_t *arena, kappa_column_kind_t kind,
    kappa_str_t json, kappa_value_t *out)
{
    kappa_status_t status;

    if (json.len == 0 || kappa_str_eq(json, KAPPA_STR("null"))) {
        *out = kappa_null();
        return KAPPA_OK;
    }
    switch (kind) {
    case KAPPA_COLUMN_BOOL:
        *out = kappa_bool(json.data[0] == 't');
        return KAPPA_OK;
    case KAPPA_COLUMN_INT:
    case KAPPA_COLUMN_BIGINT:
    case KAPPA_COLUMN_TIME:
        return read_integer(kind, json, out);
    case KAPPA_COLUMN_DOUBLE:
        return read_double(json, out);
    case KAPPA_COLUMN_STRING:
        return read_string(arena, json, out);
    case KAPPA_COLUMN_JSON:
        break;
    }
    status = kappa_json_parse(arena, json, out, NULL);
    return status == KAPPA_INVALID ? KAPPA_CORRUPT : status;
}

static kappa_status_t
write_integer(kappa_buf_t *buf, const kappa_value_t *v, kappa_kind_t as)
{
    kappa_value_t copy = *v;

    if (v->kind != KAPPA_INT && v->kind != KAPPA_BIGINT) {
        return KAPPA_INVALID;
    }
    copy.kind = as;
    kappa_json_value(buf, &copy);
    return KAPPA_OK;
}

static kappa_status_t
write_bigint(kappa_buf_t *buf, const kappa_value_t *v)
{
    kappa_value_t read = kappa_bigint(0);

    if (v->kind != KAPPA_STRING) {
        return write_integer(buf, v, KAPPA_BIGINT);
    }
    return kappa_str_to_int64(v->as.string, &read.as.integer)
        ? write_integer(buf, &read, KAPPA_BIGINT)
        : KAPPA_INVALID;
}

static kappa_status_t
write_time(kappa_buf_t *buf, const kappa_value_t *v)
{
    kappa_value_t read = *v;

    if (v->kind == KAPPA_STRING) {
        read = kappa_time(0);
        if (!kappa_time_parse(v->as.string, &read.as.integer)) {
            return KAPPA_INVALID;
        }
    }
    if (read.kind != KAPPA_TIME) {
        return KAPPA_INVALID;
    }
    kappa_json_value(buf, &read);
    return KAPPA_OK;
}

static kappa_status_t
write_double(kappa_buf_t *buf, const kappa_value_t *v)
{
    if (v->kind == KAPPA_DOUBLE) {
        kappa_json_double(buf, v->as.number);
        return KAPPA_OK;
    }
    if (v->kind == KAPPA_INT || v->kind == KAPPA_BIGINT) {
        kappa_json_double(buf, (double)v->as.integer);
        return KAPPA_OK;
    }
    return KAPPA_INVALID;
}

static kappa_status_t
write_same(kappa_buf_t *buf, const kappa_value_t *v, kappa_kind_t kind)
{
    if (v->kind != kind) {
        return KAPPA_INVALID;
    }
    kappa_json_value(buf, v);
    return KAPPA_OK;
}

kappa_status_t
kappa_column_json(
    kappa_buf_t *buf, kappa_column_kind_t kind, const kappa_value_t *v)
{
    if (kappa_is_null(v)) {
        return KAPPA_OK;
    }
    switch (kind) {
    case KAPPA_COLUMN_BOOL:
        return write_same(buf, v, KAPPA_BOOL);
    case KAPPA_COLUMN_INT:
        return write_integer(buf, v, KAPPA_INT);
    case KAPPA_COLUMN_BIGINT:
        return write_bigint(buf, v);
    case KAPPA_COLUMN_TIME:
        return write_time(buf, v);
    case KAPPA_COLUMN_DOUBLE:
        return write_double(buf, v);
    case KAPPA_COLUMN_STRING:
        return write_same(buf, v, KAPPA_STRING);
    case KAPPA_COLUMN_JSON:
        break;
    }
    kappa_json_value(buf, v);
    return KAPPA_OK;
}

void
kappa_row_json(kappa_buf_t *buf, const kappa_view_t *view, const uint8_t *row)
{
    bool first = true;

    kappa_buf_char(buf, '{');
    for (uint32_t i = 0; i < view->column_count; i++) {
        const kappa_column_t *column = &view->columns[i];

        if (column->field == NULL) {
            continue; /* hidden */
        }
        if (!first) {
            kappa_buf_char(buf, ',');
        }
        first = false;
        kappa_json_string(buf, column->name);
        kappa_buf_char(buf, ':');
        kappa_str_t json = kappa_row_column(row, column->number);
        kappa_buf_str(buf, json.len ? json : KAPPA_STR("null"));
    }
    kappa_buf_char(buf, '}');
}
