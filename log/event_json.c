#define _GNU_SOURCE /* memmem */

/* An event as NDJSON, out and in (SEMANTICS 30). */

#include "base/json.h"
#include "base/time.h"
#include "log/event.h"

static void
write_string(kappa_buf_t *buf, kappa_str_t s)
{
    if (s.data == NULL) {
        KAPPA_BUF_LIT(buf, "null");
    } else {
        kappa_json_string(buf, s);
    }
}

static void
write_json(kappa_buf_t *buf, kappa_str_t json)
{
    kappa_buf_str(buf, json.data ? json : KAPPA_STR("null"));
}

static void
write_id(kappa_buf_t *buf, const kappa_event_t *event)
{
    char id[KAPPA_UUID_CHARS];

    kappa_uuid_format(event->id, id);
    KAPPA_BUF_LIT(buf, ",\"id\":\"");
    kappa_buf_add(buf, id, sizeof(id));
    kappa_buf_char(buf, '"');
}

static void
write_time(kappa_buf_t *buf, const kappa_event_t *event)
{
    char time[KAPPA_TIME_CHARS];

    kappa_time_format(event->time_ms, time);
    KAPPA_BUF_LIT(buf, ",\"time\":\"");
    kappa_buf_add(buf, time, sizeof(time));
    kappa_buf_char(buf, '"');
}

void
kappa_event_json(
    kappa_buf_t *buf, const kappa_event_t *event, kappa_str_t position)
{
    const char *effect = kappa_effect_name(event->effect);

    KAPPA_BUF_LIT(buf, "{\"position\":");
    write_string(buf, position);
    write_id(buf, event);
    write_time(buf, event);
    KAPPA_BUF_LIT(buf, ",\"actor\":{\"iss\":");
    write_string(buf, event->actor_iss);
    KAPPA_BUF_LIT(buf, ",\"sub\":");
    write_string(buf, event->actor_sub);
    KAPPA_BUF_LIT(buf, "},\"thing\":");
    write_string(buf, event->thing);
    KAPPA_BUF_LIT(buf, ",\"verb\":");
    write_string(buf, event->verb);
    KAPPA_BUF_LIT(buf, ",\"key\":");
    write_json(buf, event->key);
    KAPPA_BUF_LIT(buf, ",\"effect\":");
    write_string(buf, kappa_str_c(effect));
    KAPPA_BUF_LIT(buf, ",\"data\":");
    write_json(buf, event->data);
    KAPPA_BUF_LIT(buf, ",\"row\":");
    write_json(buf, event->row);
    kappa_buf_char(buf, '}');
}

/* A line on its way in: `text` is known to be JSON. */
typedef struct {
    kappa_arena_t *arena;
    kappa_str_t text;
    size_t at;
    kappa_event_t *out;
    kappa_errors_t *errors;
} line_t;

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_space(line_t *line)
{
    while (line->at < line->text.len && is_space(line->text.data[line->at])) {
        line->at++;
    }
}

static void
skip_string(line_t *line)
{
    for (line->at++; line->at < line->text.len; line->at++) {
        char c = line->text.data[line->at];

        if (c == '\\') {
            line->at++;
        } else if (c == '"') {
            line->at++;
            return;
        }
    }
}

/* Skips one value and gives its text. */
static kappa_str_t
take_value(line_t *line)
{
    size_t start, depth = 0;

    skip_space(line);
    start = line->at;
    while (line->at < line->text.len) {
        char c = line->text.data[line->at];

        if (depth == 0 && (c == ',' || c == '}' || is_space(c))) {
            break;
        }
        if (c == '"') {
            skip_string(line);
            continue;
        }
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        line->at++;
    }
    return kappa_str(line->text.data + start, line->at - start);
}

/* Past `{` or `,`, the name and the colon, to where the value begins. */
static void
skip_name(line_t *line)
{
    skip_space(line);
    line->at++;
    skip_space(line);
    skip_string(line);
    skip_space(line);
    line->at++;
}

static kappa_status_t
refuse(line_t *line, const char *message)
{
    kappa_errors_add(line->errors, "BAD_USER_INPUT", "%s", message);
    return KAPPA_INVALID;
}

typedef kappa_status_t (*member_t)(
    line_t *line, const kappa_value_t *value, kappa_str_t raw);

static kappa_status_t
ignore(line_t *line, const kappa_value_t *value, kappa_str_t raw)
{
    (void)line;
    (void)value;
    (void)raw;
    return KAPPA_OK;
}

static kappa_status_t
take_id(line_t *line, const kappa_value_t *value, kappa_str_t raw)
{
    static const uint8_t
        none[KAPPA_UUID_BYTES]; /* how a want of one is kept */
    char *text = kappa_arena_bytes(line->arena, KAPPA_UUID_CHARS);

    (void)raw;
    if (text == NULL) {
        return KAPPA_NOMEM;
    }
    if (value->kind != KAPPA_STRING
        || !kappa_uuid_parse(value->as.string, line->out->id)
        || memcmp(line->out->id, none, sizeof(none)) == 0) {
        return refuse(line, "\"id\" must be a UUID, and not that of zeros");
    }
    kappa_uuid_format(line->out->id, text);
    line->out->idempotency_key = kappa_str(text, KAPPA_UUID_CHARS);
    return KAPPA_OK;
}

static kappa_status_t
take_time(line_t *line, const kappa_value_t *value, kappa_str_t raw)
{
    (void)raw;
    if (value->kind != KAPPA_STRING
        || !kappa_time_parse(value->as.string, &line->out->time_ms)) {
        return refuse(
            line, "\"time\" must be an RFC 3339 time: 2026-11-20T10:25:00Z");
    }
    return KAPPA_OK;
}

static kappa_status_t
take_thing(line_t *line, const kappa_value_t *value, kappa_str_t raw)
{
    (void)raw;
    if (value->kind != KAPPA_STRING || value->as.string.len == 0) {
        return refuse(line, "\"thing\" must be a string that is not empty");
    }
    line->out->thing = value->as.string;
    return KAPPA_OK;
}

static kappa_status_t
take_verb(line_t *line, const kappa_value_t *value, kappa_str_t raw)
{
    (void)raw;
    if (value->kind != KAPPA_STRING || value->as.string.len == 0) {
        return refuse(line, "\"verb\" must be a string that is not empty");
    }
    line->out->verb = value->as.string;
    return KAPPA_OK;
}

static kappa_status_t
take_effect(line_t *line, const kappa_value_t *value, kappa_str_t raw)
{
    (void)raw;
    if (value->kind != KAPPA_STRING
        || !kappa_effect_parse(value->as.string, &line->out->effect)) {
        return refuse(line,
            "\"effect\" must be CREATE, PUT, PATCH, UPSERT, DELETE or NONE");
    }
    return KAPPA_OK;
}

static bool
is_key_part(const kappa_value_t *value)
{
    return value->kind == KAPPA_STRING || value->kind == KAPPA_INT
        || value->kind == KAPPA_DOUBLE || value->kind == KAPPA_BOOL;
}

static bool
is_key(const kappa_value_t *value)
{
    if (value->kind != KAPPA_LIST) {
        return is_key_part(value);
    }
    for (uint32_t i = 0; i < value->count; i++) {
        if (!is_key_part(&value->as.items[i])) {
            return false;
        }
    }
    return value->count > 0;
}

/* Written anew, so that one key has one text however it was escaped. */
static kappa_status_t
take_key(line_t *line, const kappa_value_t *value, kappa_str_t raw)
{
    kappa_buf_t buf;

    (void)raw;
    if (!is_key(value)) {
        return refuse(line,
            "\"key\" must be a string, a number, true or false, or a list "
            "of them");
    }
    kappa_buf_init(&buf, kappa_arena_source(line->arena));
    kappa_json_value(&buf, value);
    if (!buf.failed) {
        line->out->key = kappa_str_dup(line->arena, kappa_buf_view(&buf));
    }
    kappa_buf_release(&buf);
    return line->out->key.data ? KAPPA_OK : KAPPA_NOMEM;
}

static kappa_status_t
take_data(line_t *line, const kappa_value_t *value, kappa_str_t raw)
{
    if (value->kind != KAPPA_OBJECT) {
        return refuse(line, "\"data\" must be an object");
    }
    line->out->data = raw;
    return KAPPA_OK;
}

static const struct {
    const char *name;
    member_t take;
} members[] = {
    { "position", ignore },
    { "id", take_id },
    { "time", take_time },
    { "actor", ignore },
    { "thing", take_thing },
    { "verb", take_verb },
    { "key", take_key },
    { "effect", take_effect },
    { "data", take_data },
    { "row", ignore },
};

#define MEMBERS (sizeof(members) / sizeof(members[0]))
#define NAME_SHOWN_MAX 64

static kappa_status_t
refuse_member(line_t *line, kappa_str_t name)
{
    bool cut = name.len > NAME_SHOWN_MAX;

    name.len = cut ? NAME_SHOWN_MAX : name.len;
    name.len = kappa_utf8_valid(name);
    kappa_errors_add(line->errors, "BAD_USER_INPUT",
        "\"%.*s%s\" is no member of an event: id, time, thing, verb, key, "
        "effect and data are (position, actor and row are ignored)",
        KAPPA_STR_ARG(name), cut ? "…" : "");
    return KAPPA_INVALID;
}

static kappa_status_t
take_member(line_t *line, const kappa_member_t *member)
{
    skip_name(line);
    kappa_str_t raw = take_value(line);

    skip_space(line);
    for (size_t i = 0; i < MEMBERS; i++) {
        if (!kappa_str_eq_c(member->name, members[i].name)) {
            continue;
        }
        if (member->value.kind == KAPPA_NULL) {
            return KAPPA_OK; /* as if absent */
        }
        return members[i].take(line, &member->value, raw);
    }
    return refuse_member(line, member->name);
}

static kappa_status_t
take_members(line_t *line, const kappa_value_t *object)
{
    skip_space(line);
    for (uint32_t i = 0; i < object->count; i++) {
        kappa_status_t status = take_member(line, &object->as.members[i]);

        if (status != KAPPA_OK) {
            return status;
        }
    }
    return KAPPA_OK;
}

/* "… (column 7)": which line it is knows who reads lines. */
static void
refuse_json(line_t *line, kappa_str_t message)
{
    kappa_str_t place = KAPPA_STR("(line 1, ");
    const char *at = message.len
        ? memmem(message.data, message.len, place.data, place.len)
        : NULL;
    size_t before = at ? (size_t)(at - message.data) + 1 : message.len;
    size_t rest = at ? before + place.len - 1 : message.len;

    kappa_errors_add(line->errors, "BAD_USER_INPUT", "not JSON: %.*s%.*s",
        (int)before, message.data, (int)(message.len - rest),
        message.data + rest);
}

static kappa_status_t
parse_object(line_t *line, kappa_value_t *object)
{
    kappa_str_t message = KAPPA_STR_NULL;
    kappa_status_t status =
        kappa_json_parse(line->arena, line->text, object, &message);

    if (status == KAPPA_INVALID) {
        refuse_json(line, message);
    } else if (status == KAPPA_OK && object->kind != KAPPA_OBJECT) {
        return refuse(line, "an event must be a JSON object");
    }
    return status;
}

kappa_status_t
kappa_event_parse_json(kappa_arena_t *arena, kappa_str_t text,
    kappa_event_t *out, kappa_errors_t *errors)
{
    line_t line = {
        .arena = arena, .text = text, .out = out, .errors = errors
    };
    kappa_value_t object;

    *out = (kappa_event_t){ .time_ms = KAPPA_EVENT_NO_TIME,
        .effect = KAPPA_EFFECT_UNSET,
        .data = KAPPA_STR("{}") };
    if (text.len > KAPPA_EVENT_LINE_MAX) {
        kappa_errors_add(errors, "LIMIT_EXCEEDED",
            "the line has %zu bytes, it may have %d, and the event in it %d",
            text.len, KAPPA_EVENT_LINE_MAX, KAPPA_EVENT_BYTES_MAX);
        return KAPPA_LIMIT;
    }
    kappa_status_t status = parse_object(&line, &object);

    if (status == KAPPA_OK) {
        status = take_members(&line, &object);
    }
    if (status == KAPPA_OK
        && (out->thing.data == NULL || out->verb.data == NULL)) {
        return refuse(&line, "an event needs \"thing\" and \"verb\"");
    }
    return status;
}
