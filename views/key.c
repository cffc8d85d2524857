#include "views/key.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/time.h"
#include "views/row.h"
#include "views/text.h"

#define TAG_NULL 0
#define TAG_VALUE 1
#define ESCAPE 1
#define NUMBER_CHARS_MAX 64

static void
add_byte(kappa_key_t *key, unsigned char c)
{
    if (key->len >= KAPPA_ENTRY_BYTES_MAX) {
        key->over = true;
        return;
    }
    key->data[key->len++] = (char)c;
}

void
kappa_key_add_raw(kappa_key_t *key, kappa_str_t bytes)
{
    if (bytes.len > KAPPA_ENTRY_BYTES_MAX - key->len) {
        key->over = true;
        return;
    }
    if (bytes.len) {
        memcpy(key->data + key->len, bytes.data, bytes.len);
    }
    key->len += (uint32_t)bytes.len;
}

static void
add_null(kappa_key_t *key)
{
    key->null = true;
    add_byte(key, TAG_NULL);
}

static void
add_bool(kappa_key_t *key, bool b)
{
    key->parts_bytes++;
    add_byte(key, TAG_VALUE);
    add_byte(key, b);
}

static void
add_ordered(kappa_key_t *key, uint64_t ordered)
{
    char bytes[9] = { TAG_VALUE };

    for (int i = 0; i < 8; i++) {
        bytes[1 + i] = (char)(ordered >> (56 - 8 * i));
    }
    key->parts_bytes += 8;
    kappa_key_add_raw(key, kappa_str(bytes, sizeof(bytes)));
}

static void
add_integer(kappa_key_t *key, int64_t v)
{
    add_ordered(key, (uint64_t)v ^ UINT64_C(1) << 63);
}

/* Positive numbers get the sign bit set, negative ones all bits flipped. */
static void
add_double(kappa_key_t *key, double d)
{
    uint64_t bits;

    if (d == 0) {
        d = 0; /* -0 is 0 */
    }
    memcpy(&bits, &d, sizeof(bits));
    add_ordered(key, bits >> 63 ? ~bits : bits | UINT64_C(1) << 63);
}

static void
add_escaped(kappa_key_t *key, unsigned char c)
{
    if (c <= ESCAPE) {
        add_byte(key, ESCAPE);
        add_byte(key, (unsigned char)(c + 1));
    } else {
        add_byte(key, c);
    }
}

static void
add_string(kappa_key_t *key, kappa_str_t s)
{
    key->parts_bytes += s.len > KAPPA_ENTRY_BYTES_MAX ? KAPPA_ENTRY_BYTES_MAX
                                                      : (uint32_t)s.len;
    add_byte(key, TAG_VALUE);
    if (s.len > KAPPA_ENTRY_BYTES_MAX) {
        key->over = true;
        return;
    }
    for (size_t i = 0; i < s.len; i++) {
        add_escaped(key, (unsigned char)s.data[i]);
    }
    add_byte(key, 0);
}

static bool
value_integer(kappa_column_kind_t kind, const kappa_value_t *v, int64_t *out)
{
    if (v->kind == KAPPA_STRING) {
        return kind == KAPPA_COLUMN_TIME ? kappa_time_parse(v->as.string, out)
                                         : kind == KAPPA_COLUMN_BIGINT
                && kappa_str_to_int64(v->as.string, out);
    }
    bool fits = kind == KAPPA_COLUMN_TIME
        ? v->kind == KAPPA_TIME
        : v->kind == KAPPA_INT || v->kind == KAPPA_BIGINT;
    if (fits) {
        *out = v->as.integer;
    }
    return fits;
}

static bool
value_double(const kappa_value_t *v, double *out)
{
    if (v->kind == KAPPA_DOUBLE) {
        *out = v->as.number;
        return true;
    }
    if (v->kind == KAPPA_INT || v->kind == KAPPA_BIGINT) {
        *out = (double)v->as.integer;
        return true;
    }
    return false;
}

void
kappa_key_add_value(
    kappa_key_t *key, kappa_column_kind_t kind, const kappa_value_t *v)
{
    int64_t integer;
    double number;

    if (kappa_is_null(v)) {
        add_null(key);
        return;
    }
    switch (kind) {
    case KAPPA_COLUMN_BOOL:
        if (v->kind == KAPPA_BOOL) {
            add_bool(key, v->as.boolean);
            return;
        }
        break;
    case KAPPA_COLUMN_INT:
    case KAPPA_COLUMN_BIGINT:
    case KAPPA_COLUMN_TIME:
        if (value_integer(kind, v, &integer)) {
            add_integer(key, integer);
            return;
        }
        break;
    case KAPPA_COLUMN_DOUBLE:
        if (value_double(v, &number)) {
            add_double(key, number);
            return;
        }
        break;
    case KAPPA_COLUMN_STRING:
        if (v->kind == KAPPA_STRING) {
            add_string(key, v->as.string);
            return;
        }
        break;
    case KAPPA_COLUMN_JSON:
        break;
    }
    key->invalid = true;
}

/* The hot path: what a row holds goes into the key as it is. */
static void
add_json_string(kappa_key_t *key, kappa_str_t json)
{
    kappa_str_t inside = kappa_text_inside(json);
    uint32_t bytes = 0;

    if (inside.data == NULL) {
        key->invalid = true;
        return;
    }
    if (!kappa_text_escaped(inside)) {
        add_string(key, inside);
        return;
    }
    add_byte(key, TAG_VALUE);
    while (inside.len && !key->over) {
        int c = kappa_text_next(&inside);

        if (c < 0) {
            key->invalid = true;
            return;
        }
        bytes++;
        add_escaped(key, (unsigned char)c);
    }
    key->parts_bytes += bytes;
    add_byte(key, 0);
}

static void
add_json_integer(kappa_key_t *key, kappa_column_kind_t kind, kappa_str_t json)
{
    bool quoted = kind != KAPPA_COLUMN_INT;
    kappa_str_t text = quoted ? kappa_text_inside(json) : json;
    int64_t v;

    if (text.data != NULL
        && (kind == KAPPA_COLUMN_TIME ? kappa_time_parse(text, &v)
                                      : kappa_str_to_int64(text, &v))) {
        add_integer(key, v);
    } else {
        key->invalid = true;
    }
}

static void
add_json_double(kappa_key_t *key, kappa_str_t json)
{
    char text[NUMBER_CHARS_MAX];
    char *end;

    if (json.len >= sizeof(text)) {
        key->invalid = true;
        return;
    }
    memcpy(text, json.data, json.len);
    text[json.len] = '\0';
    double d = strtod(text, &end);
    if (end != text + json.len) {
        key->invalid = true;
        return;
    }
    add_double(key, d);
}

void
kappa_key_add_json(
    kappa_key_t *key, kappa_column_kind_t kind, kappa_str_t json)
{
    if (json.len == 0 || kappa_str_eq(json, KAPPA_STR("null"))) {
        add_null(key);
        return;
    }
    switch (kind) {
    case KAPPA_COLUMN_BOOL:
        add_bool(key, json.data[0] == 't');
        break;
    case KAPPA_COLUMN_INT:
    case KAPPA_COLUMN_BIGINT:
    case KAPPA_COLUMN_TIME:
        add_json_integer(key, kind, json);
        break;
    case KAPPA_COLUMN_DOUBLE:
        add_json_double(key, json);
        break;
    case KAPPA_COLUMN_STRING:
        add_json_string(key, json);
        break;
    case KAPPA_COLUMN_JSON:
        key->invalid = true;
        break;
    }
}

void
kappa_key_add_start(
    kappa_key_t *key, kappa_column_kind_t kind, const kappa_value_t *v)
{
    kappa_value_t start = *v;

    if (start.kind == KAPPA_STRING
        && start.as.string.len > KAPPA_ENTRY_BYTES_MAX) {
        start.as.string.len = KAPPA_ENTRY_BYTES_MAX;
    }
    kappa_key_add_value(key, kind, &start);
}

/* Here and below one byte past an entry's limit is fine: it is only compared
 * with. */
void
kappa_key_add_cut(kappa_key_t *key, kappa_str_t bytes)
{
    size_t room = sizeof(key->data) - key->len;

    bytes.len = bytes.len < room ? bytes.len : room;
    if (bytes.len) {
        memcpy(key->data + key->len, bytes.data, bytes.len);
    }
    key->len += (uint32_t)bytes.len;
}

void
kappa_key_end(kappa_key_t *key)
{
    if (key->len <= KAPPA_ENTRY_BYTES_MAX) {
        key->data[key->len++] = (char)0xff;
    }
}

static size_t
string_part_len(kappa_str_t rest)
{
    const char *end = memchr(rest.data + 1, 0, rest.len - 1);

    return end ? (size_t)(end - rest.data) + 1 : 0;
}

size_t
kappa_key_part_len(kappa_column_kind_t kind, kappa_str_t rest)
{
    size_t len = 9;

    if (rest.len == 0) {
        return 0;
    }
    if (rest.data[0] == TAG_NULL) {
        return 1;
    }
    if (rest.data[0] != TAG_VALUE || kind == KAPPA_COLUMN_JSON) {
        return 0;
    }
    if (kind == KAPPA_COLUMN_STRING) {
        return string_part_len(rest);
    }
    if (kind == KAPPA_COLUMN_BOOL) {
        len = 2;
    }
    return len <= rest.len ? len : 0;
}

static uint64_t
read_ordered(const char *p)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++) {
        v = v << 8 | (unsigned char)p[i];
    }
    return v;
}

static kappa_value_t
take_number(kappa_column_kind_t kind, const char *p)
{
    uint64_t ordered = read_ordered(p);
    int64_t integer = (int64_t)(ordered ^ UINT64_C(1) << 63);
    double d;

    switch (kind) {
    case KAPPA_COLUMN_TIME:
        return kappa_time(integer);
    case KAPPA_COLUMN_BIGINT:
        return kappa_bigint(integer);
    case KAPPA_COLUMN_DOUBLE:
        ordered = ordered >> 63 ? ordered & ~(UINT64_C(1) << 63) : ~ordered;
        memcpy(&d, &ordered, sizeof(d));
        return kappa_double(d);
    default:
        return kappa_int(integer);
    }
}

/* part: without tag and end. */
static kappa_status_t
take_string(kappa_arena_t *arena, kappa_str_t part, kappa_value_t *out)
{
    if (part.len == 0 || memchr(part.data, ESCAPE, part.len) == NULL) {
        *out = kappa_string(part);
        return KAPPA_OK;
    }
    char *text = kappa_arena_bytes(arena, part.len);
    size_t len = 0;

    if (text == NULL) {
        return KAPPA_NOMEM;
    }
    for (size_t i = 0; i < part.len; i++) {
        char c = part.data[i];

        if (c == ESCAPE) {
            if (++i == part.len || (part.data[i] != 1 && part.data[i] != 2)) {
                return KAPPA_CORRUPT;
            }
            c = (char)(part.data[i] - 1);
        }
        text[len++] = c;
    }
    *out = kappa_string(kappa_str(text, len));
    return KAPPA_OK;
}

kappa_status_t
kappa_key_take(kappa_arena_t *arena, kappa_column_kind_t kind,
    kappa_str_t *rest, kappa_value_t *out)
{
    size_t len = kappa_key_part_len(kind, *rest);
    const char *part = rest->data;

    if (len == 0) {
        return KAPPA_CORRUPT;
    }
    rest->data += len;
    rest->len -= len;
    if (part[0] == TAG_NULL) {
        *out = kappa_null();
        return KAPPA_OK;
    }
    if (kind == KAPPA_COLUMN_STRING) {
        return take_string(arena, kappa_str(part + 1, len - 2), out);
    }
    *out = kind == KAPPA_COLUMN_BOOL ? kappa_bool(part[1] != 0)
                                     : take_number(kind, part + 1);
    return KAPPA_OK;
}

kappa_status_t
kappa_key_of_values(
    kappa_key_t *key, const kappa_view_t *view, const kappa_value_t *parts)
{
    kappa_key_init(key);
    for (uint32_t i = 0; i < view->key_count; i++) {
        kappa_key_add_value(key, view->columns[view->key[i]].kind, &parts[i]);
    }
    if (key->invalid) {
        return KAPPA_INVALID;
    }
    if (key->null) {
        return KAPPA_NOT_FOUND;
    }
    return kappa_key_fits(key) ? KAPPA_OK : KAPPA_LIMIT;
}

kappa_status_t
kappa_key_of_json(kappa_key_t *key, const kappa_view_t *view, kappa_str_t json,
    kappa_arena_t *arena)
{
    kappa_value_t value;
    kappa_status_t status = json.data == NULL
        ? KAPPA_NOT_FOUND
        : kappa_json_parse(arena, json, &value, NULL);

    if (status != KAPPA_OK) {
        return status == KAPPA_NOMEM ? status : KAPPA_NOT_FOUND;
    }
    bool list = value.kind == KAPPA_LIST;
    const kappa_value_t *parts = list ? value.as.items : &value;

    return (list ? value.count : 1) == view->key_count
            && kappa_key_of_values(key, view, parts) == KAPPA_OK
        ? KAPPA_OK
        : KAPPA_NOT_FOUND;
}

static void
add_slot(kappa_key_t *key, uint32_t slot)
{
    add_byte(key, (unsigned char)(slot >> 8));
    add_byte(key, (unsigned char)slot);
}

void
kappa_key_row_prefix(kappa_key_t *key, const kappa_view_t *view)
{
    add_slot(key, view->slot);
}

void
kappa_key_index_prefix(kappa_key_t *key, const kappa_index_t *index)
{
    add_slot(key, index->view->slot);
    if (index->number != 0) {
        add_slot(key, index->slot);
    }
}

void
kappa_key_entry(kappa_key_t *entry, const kappa_index_t *index,
    const uint8_t *row, kappa_str_t key)
{
    kappa_key_init(entry);
    kappa_key_index_prefix(entry, index);
    for (uint32_t i = 0; index->number != 0 && i < index->column_count; i++) {
        const kappa_column_t *column =
            &index->view->columns[index->columns[i]];

        kappa_key_add_json(
            entry, column->kind, kappa_row_column(row, column->number));
    }
    kappa_key_add_raw(entry, key);
}

kappa_str_t
kappa_key_behind(const kappa_index_t *index, uint32_t from, kappa_str_t rest)
{
    for (uint32_t i = from; i < index->column_count; i++) {
        size_t len = kappa_key_part_len(
            index->view->columns[index->columns[i]].kind, rest);

        if (len == 0) {
            return KAPPA_STR_NULL;
        }
        rest.data += len;
        rest.len -= len;
    }
    return rest;
}

kappa_str_t
kappa_key_of_entry(const kappa_index_t *index, kappa_str_t entry)
{
    size_t prefix =
        index->number ? KAPPA_INDEX_PREFIX_BYTES : KAPPA_ROW_PREFIX_BYTES;

    if (entry.len < prefix) {
        return KAPPA_STR_NULL;
    }
    kappa_str_t rest = kappa_str(entry.data + prefix, entry.len - prefix);
    return index->number ? kappa_key_behind(index, 0, rest) : rest;
}
