#include "base/json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/json_plain.h"
#include "base/time.h"

#define DEPTH_MAX 128
#define INT64_DIGITS 18 /* any number of so many fits */
/* Significant digits that tell any two doubles apart. */
#define DIGITS_MAX 17

/* What each byte needs: 0 nothing, 'u' \u00XX, else the letter behind '\'. */
static const char escapes[256] = { 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b',
    't', 'n', 'u', 'f', 'r', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\' };

static void
write_escaped(kappa_buf_t *buf, unsigned char c)
{
    if (escapes[c] == 'u') {
        kappa_buf_printf(buf, "\\u%04x", c);
        return;
    }
    kappa_buf_char(buf, '\\');
    kappa_buf_char(buf, escapes[c]);
}

void
kappa_json_string(kappa_buf_t *buf, kappa_str_t s)
{
    size_t start = 0;

    kappa_buf_char(buf, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];

        if (escapes[c] != 0) {
            kappa_buf_add(buf, s.data + start, i - start);
            write_escaped(buf, c);
            start = i + 1;
        }
    }
    if (s.len > start) {
        kappa_buf_add(buf, s.data + start, s.len - start);
    }
    kappa_buf_char(buf, '"');
}

/* The fewest digits (returned, not terminated) that read back as d, and the
 * place of the decimal point before them: 0.ddd * 10^point. d > 0. */
static int
shortest_digits(double d, char digits[DIGITS_MAX], int *point)
{
    char text[32];
    int n = d < DBL_MIN ? 1 : 15; /* 15 digits survive, but for denormals */

    for (; n < DIGITS_MAX; n++) {
        snprintf(text, sizeof(text), "%.*e", n - 1, d);
        if (strtod(text, NULL) == d) {
            break;
        }
    }
    if (n == DIGITS_MAX) {
        snprintf(text, sizeof(text), "%.*e", n - 1, d);
    }
    digits[0] = text[0];
    for (int i = 1; i < n; i++) {
        digits[i] = text[i + 1]; /* past the locale's point */
    }
    while (n > 1 && digits[n - 1] == '0') {
        n--;
    }
    *point = atoi(strchr(text, 'e') + 1) + 1;
    return n;
}

static void
write_zeros(kappa_buf_t *buf, int n)
{
    for (int i = 0; i < n; i++) {
        kappa_buf_char(buf, '0');
    }
}

/* As ECMAScript's Number::toString, so that answers look as those of other
 * servers; but what no int64 can hold has an exponent, else it could not be
 * read back (kappa_json_parse). */
static void
write_digits(kappa_buf_t *buf, const char *digits, int n, int point)
{
    if (point > INT64_DIGITS || point < -5) {
        kappa_buf_char(buf, digits[0]);
        if (n > 1) {
            kappa_buf_char(buf, '.');
            kappa_buf_add(buf, digits + 1, (size_t)n - 1);
        }
        kappa_buf_printf(buf, "e%+d", point - 1);
    } else if (point <= 0) {
        KAPPA_BUF_LIT(buf, "0.");
        write_zeros(buf, -point);
        kappa_buf_add(buf, digits, (size_t)n);
    } else if (point >= n) {
        kappa_buf_add(buf, digits, (size_t)n);
        write_zeros(buf, point - n);
    } else {
        kappa_buf_add(buf, digits, (size_t)point);
        kappa_buf_char(buf, '.');
        kappa_buf_add(buf, digits + point, (size_t)(n - point));
    }
}

void
kappa_json_double(kappa_buf_t *buf, double d)
{
    char digits[DIGITS_MAX];
    int point;

    if (!isfinite(d)) {
        KAPPA_BUF_LIT(buf, "null");
        return;
    }
    if (fabs(d) < 1e15 && d == (double)(int64_t)d) {
        kappa_buf_int64(buf, (int64_t)d);
        return;
    }
    if (d < 0) {
        kappa_buf_char(buf, '-');
        d = -d;
    }
    int n = shortest_digits(d, digits, &point);
    write_digits(buf, digits, n, point);
}

static void write_value(
    kappa_buf_t *buf, const kappa_value_t *v, unsigned depth);

static void
write_list(kappa_buf_t *buf, const kappa_value_t *v, unsigned depth)
{
    kappa_buf_char(buf, '[');
    for (uint32_t i = 0; i < v->count; i++) {
        if (i > 0) {
            kappa_buf_char(buf, ',');
        }
        write_value(buf, &v->as.items[i], depth);
    }
    kappa_buf_char(buf, ']');
}

static void
write_object(kappa_buf_t *buf, const kappa_value_t *v, unsigned depth)
{
    bool first = true;

    kappa_buf_char(buf, '{');
    for (uint32_t i = 0; i < v->count; i++) {
        const kappa_member_t *member = &v->as.members[i];

        if (member->value.kind == KAPPA_UNSET) {
            continue;
        }
        if (!first) {
            kappa_buf_char(buf, ',');
        }
        first = false;
        kappa_json_string(buf, member->name);
        kappa_buf_char(buf, ':');
        write_value(buf, &member->value, depth);
    }
    kappa_buf_char(buf, '}');
}

static void
write_time(kappa_buf_t *buf, int64_t ms)
{
    char text[KAPPA_TIME_CHARS];

    kappa_time_format(ms, text);
    kappa_buf_char(buf, '"');
    kappa_buf_add(buf, text, sizeof(text));
    kappa_buf_char(buf, '"');
}

static void
write_scalar(kappa_buf_t *buf, const kappa_value_t *v)
{
    switch (v->kind) {
    case KAPPA_BOOL:
        kappa_buf_str(
            buf, v->as.boolean ? KAPPA_STR("true") : KAPPA_STR("false"));
        break;
    case KAPPA_INT:
        kappa_buf_int64(buf, v->as.integer);
        break;
    case KAPPA_BIGINT:
        kappa_buf_char(buf, '"');
        kappa_buf_int64(buf, v->as.integer);
        kappa_buf_char(buf, '"');
        break;
    case KAPPA_DOUBLE:
        kappa_json_double(buf, v->as.number);
        break;
    case KAPPA_STRING:
        kappa_json_string(buf, v->as.string);
        break;
    case KAPPA_TIME:
        write_time(buf, v->as.integer);
        break;
    default:
        KAPPA_BUF_LIT(buf, "null");
    }
}

/* Values come out of parsers that bound nesting at 128; deeper ones can only
 * be a mistake of ours and fail the buffer rather than the stack. */
static void
write_value(kappa_buf_t *buf, const kappa_value_t *v, unsigned depth)
{
    if (depth > 2 * DEPTH_MAX) {
        buf->failed = true;
    } else if (v->kind == KAPPA_LIST) {
        write_list(buf, v, depth + 1);
    } else if (v->kind == KAPPA_OBJECT) {
        write_object(buf, v, depth + 1);
    } else {
        write_scalar(buf, v);
    }
}

void
kappa_json_value(kappa_buf_t *buf, const kappa_value_t *v)
{
    write_value(buf, v, 0);
}

static void
write_locations(kappa_buf_t *buf, const kappa_error_t *error)
{
    bool first = true;

    for (uint32_t i = 0; i < error->location_count; i++) {
        const kappa_location_t *at = &error->locations[i];

        if (at->line == 0) {
            continue;
        }
        kappa_buf_printf(buf, "%s{\"line\":%u,\"column\":%u}",
            first ? ",\"locations\":[" : ",", at->line, at->column);
        first = false;
    }
    if (!first) {
        kappa_buf_char(buf, ']');
    }
}

static void
write_error(kappa_buf_t *buf, const kappa_error_t *error)
{
    KAPPA_BUF_LIT(buf, "{\"message\":");
    kappa_json_string(buf, error->message);
    write_locations(buf, error);
    if (error->code != NULL) {
        KAPPA_BUF_LIT(buf, ",\"extensions\":{\"code\":");
        kappa_json_string(buf, kappa_str_c(error->code));
        kappa_buf_char(buf, '}');
    }
    kappa_buf_char(buf, '}');
}

void
kappa_json_errors(kappa_buf_t *buf, const kappa_errors_t *errors)
{
    kappa_buf_char(buf, '[');
    for (const kappa_error_t *e = errors->first; e != NULL; e = e->next) {
        if (e != errors->first) {
            kappa_buf_char(buf, ',');
        }
        write_error(buf, e);
    }
    kappa_buf_char(buf, ']');
}

static kappa_status_t convert(
    kappa_arena_t *arena, json_t *json, kappa_value_t *out, unsigned depth);

static kappa_status_t
convert_list(
    kappa_arena_t *arena, json_t *json, kappa_value_t *out, unsigned depth)
{
    size_t count = json_array_size(json);
    kappa_value_t *items = KAPPA_NEW_ARRAY(arena, kappa_value_t, count);

    if (items == NULL) {
        return KAPPA_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        kappa_status_t status =
            convert(arena, json_array_get(json, i), &items[i], depth);

        if (status != KAPPA_OK) {
            return status;
        }
    }
    *out = (kappa_value_t){
        .kind = KAPPA_LIST, .count = (uint32_t)count, .as.items = items
    };
    return KAPPA_OK;
}

static kappa_status_t
convert_object(
    kappa_arena_t *arena, json_t *json, kappa_value_t *out, unsigned depth)
{
    size_t count = json_object_size(json);
    kappa_member_t *members = KAPPA_NEW_ARRAY(arena, kappa_member_t, count);
    const char *key;
    json_t *item;
    size_t i = 0;

    if (members == NULL) {
        return KAPPA_NOMEM;
    }
    json_object_foreach(json, key, item)
    {
        members[i].name = kappa_str_dup(arena, kappa_str_c(key));
        if (members[i].name.data == NULL) {
            return KAPPA_NOMEM;
        }
        kappa_status_t status = convert(arena, item, &members[i].value, depth);
        if (status != KAPPA_OK) {
            return status;
        }
        i++;
    }
    *out = (kappa_value_t){
        .kind = KAPPA_OBJECT, .count = (uint32_t)count, .as.members = members
    };
    return KAPPA_OK;
}

static kappa_status_t
convert_string(kappa_arena_t *arena, json_t *json, kappa_value_t *out)
{
    *out = kappa_string(kappa_str_dup(
        arena, kappa_str(json_string_value(json), json_string_length(json))));
    return out->as.string.data ? KAPPA_OK : KAPPA_NOMEM;
}

static kappa_status_t
convert(kappa_arena_t *arena, json_t *json, kappa_value_t *out, unsigned depth)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return depth == DEPTH_MAX
            ? KAPPA_LIMIT
            : convert_object(arena, json, out, depth + 1);
    case JSON_ARRAY:
        return depth == DEPTH_MAX ? KAPPA_LIMIT
                                  : convert_list(arena, json, out, depth + 1);
    case JSON_STRING:
        return convert_string(arena, json, out);
    case JSON_INTEGER:
        *out = kappa_int(json_integer_value(json));
        return KAPPA_OK;
    case JSON_REAL:
        *out = kappa_double(json_real_value(json));
        return KAPPA_OK;
    case JSON_TRUE:
    case JSON_FALSE:
        *out = kappa_bool(json_is_true(json));
        return KAPPA_OK;
    case JSON_NULL:
        *out = kappa_null();
        return KAPPA_OK;
    }
    return KAPPA_INVALID;
}

static kappa_status_t
refuse(kappa_arena_t *arena, kappa_str_t *message, const char *what, int line,
    int column)
{
    if (message == NULL) {
        return KAPPA_INVALID;
    }
    if (kappa_utf8_valid(kappa_str_c(what)) != strlen(what)) {
        what = "invalid token"; /* it quoted broken bytes */
    }
    *message = line > 0 ? kappa_str_printf(
                   arena, "%s (line %d, column %d)", what, line, column)
                        : kappa_str_printf(arena, "%s", what);
    return message->data ? KAPPA_INVALID : KAPPA_NOMEM;
}

kappa_status_t
kappa_json_parse(kappa_arena_t *arena, kappa_str_t text, kappa_value_t *out,
    kappa_str_t *message)
{
    json_error_t error;
    kappa_status_t status = kappa_json_plain(arena, text, out);

    if (status != KAPPA_AGAIN) {
        return status;
    }
    json_t *json = json_loadb(text.data ? text.data : "", text.len,
        JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

    if (json == NULL) {
        return json_error_code(&error) == json_error_out_of_memory
            ? KAPPA_NOMEM
            : refuse(arena, message, error.text, error.line, error.column);
    }
    status = convert(arena, json, out, 0);
    json_decref(json);
    if (status == KAPPA_LIMIT) {
        return refuse(arena, message, "nested deeper than 128 levels", 0, 0);
    }
    return status;
}
