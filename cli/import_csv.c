#include "cli/import_csv.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/json.h"
#include "base/uuid.h"

/* A record becomes a line of NDJSON, which goes the way of all others: so
 * there is one place that says what an event must be. */

typedef enum {
    COLUMN_IGNORED,
    COLUMN_TEXT, /* a member of the event, as a string */
    COLUMN_KEY,
    COLUMN_JSON,  /* a member of the event, JSON as it is */
    COLUMN_FIELD, /* a member of data, by its type */
} column_kind_t;

typedef struct {
    column_kind_t kind;
    kappa_str_t name;
    const kappa_type_ref_t *type; /* FIELD; NULL: not known, a string */
} column_t;

struct kappa_import_csv_s {
    const kappa_import_csv_options_t *options;
    const kappa_model_t *model;
    kappa_csv_t csv;
    kappa_arena_t *arena;   /* of the columns */
    kappa_arena_t *scratch; /* of one record */
    column_t *columns;      /* NULL: the first record is still to come */
    uint32_t column_count;
    int64_t id;   /* the column that tells a line; -1: none */
    int64_t time; /* the column with the time; -1: none */
    bool held;    /* a whole record waits for room in the batch */
    kappa_buf_t line;
    kappa_buf_t data;
    kappa_buf_t told; /* what a line is told by */
};

kappa_status_t
kappa_import_csv_create(const kappa_import_csv_options_t *options,
    const kappa_model_t *model, kappa_import_csv_t **out)
{
    kappa_import_csv_t *csv = calloc(1, sizeof(*csv));

    if (csv == NULL) {
        return KAPPA_NOMEM;
    }
    csv->options = options;
    csv->model = model;
    csv->id = csv->time = -1;
    csv->arena = kappa_arena_create(&kappa_alloc_libc, 0);
    csv->scratch = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_csv_init(&csv->csv, &kappa_alloc_libc);
    kappa_buf_init(&csv->line, &kappa_alloc_libc);
    kappa_buf_init(&csv->data, &kappa_alloc_libc);
    kappa_buf_init(&csv->told, &kappa_alloc_libc);
    if (csv->arena == NULL || csv->scratch == NULL) {
        kappa_import_csv_destroy(csv);
        return KAPPA_NOMEM;
    }
    *out = csv;
    return KAPPA_OK;
}

void
kappa_import_csv_destroy(kappa_import_csv_t *csv)
{
    if (csv == NULL) {
        return;
    }
    kappa_csv_release(&csv->csv);
    kappa_arena_destroy(csv->arena);
    kappa_arena_destroy(csv->scratch);
    kappa_buf_release(&csv->line);
    kappa_buf_release(&csv->data);
    kappa_buf_release(&csv->told);
    free(csv);
}

static kappa_status_t refuse(kappa_import_csv_t *csv, kappa_ndjson_t *batch,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

static kappa_status_t
refuse(kappa_import_csv_t *csv, kappa_ndjson_t *batch, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    kappa_str_t reason = kappa_str_vprintf(csv->scratch, format, args);
    va_end(args);
    return reason.data == NULL
        ? KAPPA_NOMEM
        : kappa_ndjson_refuse(batch, csv->csv.line, reason);
}

/* --- the first record */

static const struct {
    const char *name;
    column_kind_t kind;
} members[] = {
    { "position", COLUMN_IGNORED },
    { "id", COLUMN_TEXT },
    { "time", COLUMN_TEXT },
    { "iss", COLUMN_IGNORED },
    { "sub", COLUMN_IGNORED },
    { "thing", COLUMN_TEXT },
    { "verb", COLUMN_TEXT },
    { "key", COLUMN_KEY },
    { "effect", COLUMN_TEXT },
    { "data", COLUMN_JSON },
    { "row", COLUMN_IGNORED },
};

#define MEMBERS (sizeof(members) / sizeof(members[0]))

static kappa_status_t
name_member(kappa_import_csv_t *csv, kappa_ndjson_t *batch, column_t *column)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        if (kappa_str_eq_c(column->name, members[i].name)) {
            column->kind = members[i].kind;
            return KAPPA_OK;
        }
    }
    return refuse(csv, batch,
        "the column \"%.*s\" is no member of an event (id, time, thing, "
        "verb, key, effect, data); with --thing and --verb columns are "
        "fields",
        KAPPA_STR_ARG(column->name));
}

/* Columns of a view that no event fills: rows that were exported have them. */
static bool
is_derived(const kappa_event_rule_t *rule, kappa_str_t name)
{
    const kappa_view_t *view = rule->view;

    for (uint32_t i = 0; view != NULL && i < view->column_count; i++) {
        const kappa_column_t *column = &view->columns[i];

        if (kappa_str_eq(column->name, name)) {
            return column->aggregate != NULL || column->computed != NULL;
        }
    }
    return false;
}

/* Without a rule nothing is known of the thing: all are strings. */
static kappa_status_t
name_field(kappa_import_csv_t *csv, kappa_ndjson_t *batch, column_t *column,
    bool used)
{
    const kappa_import_csv_options_t *o = csv->options;
    const kappa_event_rule_t *rule = kappa_model_rule(
        csv->model, kappa_str_c(o->thing), kappa_str_c(o->verb));

    column->kind = COLUMN_FIELD;
    if (rule == NULL) {
        return KAPPA_OK;
    }
    if (is_derived(rule, column->name)) {
        column->kind = COLUMN_IGNORED;
        return KAPPA_OK;
    }
    for (uint32_t i = 0; i < rule->member_count; i++) {
        if (kappa_str_eq(rule->members[i].name, column->name)) {
            column->type = rule->members[i].type;
            return KAPPA_OK;
        }
    }
    if (used) { /* for the id or the time alone */
        column->kind = COLUMN_IGNORED;
        return KAPPA_OK;
    }
    return refuse(csv, batch, "the column \"%.*s\" is no field of %s",
        KAPPA_STR_ARG(column->name), o->thing);
}

static bool
is_named(const char *name, kappa_str_t column)
{
    return name != NULL && kappa_str_eq_c(column, name);
}

static bool
came_before(const kappa_import_csv_t *csv, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (kappa_str_eq(csv->columns[i].name, csv->columns[n].name)) {
            return true;
        }
    }
    return false;
}

static kappa_status_t
name_column(kappa_import_csv_t *csv, kappa_ndjson_t *batch, uint32_t i)
{
    const kappa_import_csv_options_t *o = csv->options;
    column_t *column = &csv->columns[i];

    column->name = kappa_str_dup(csv->arena, csv->csv.fields[i].text);
    if (column->name.data == NULL) {
        return KAPPA_NOMEM;
    }
    if (column->name.len == 0 || came_before(csv, i)) {
        return refuse(csv, batch, "column %u has %s", i + 1,
            column->name.len ? "the name of one before" : "no name");
    }
    bool is_id = is_named(o->id, column->name);
    bool is_time = is_named(o->time, column->name);

    csv->id = is_id ? (int64_t)i : csv->id;
    csv->time = is_time ? (int64_t)i : csv->time;
    return o->thing == NULL ? name_member(csv, batch, column)
                            : name_field(csv, batch, column, is_id || is_time);
}

static kappa_status_t
take_names(kappa_import_csv_t *csv, kappa_ndjson_t *batch)
{
    const kappa_import_csv_options_t *o = csv->options;
    kappa_status_t status = KAPPA_OK;

    csv->column_count = csv->csv.count;
    csv->columns = KAPPA_NEW_ARRAY(csv->arena, column_t, csv->column_count);
    if (csv->columns == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < csv->column_count && status == KAPPA_OK; i++) {
        status = name_column(csv, batch, i);
    }
    if (status == KAPPA_OK && o->id != NULL && csv->id < 0) {
        return refuse(csv, batch, "there is no column \"%s\"", o->id);
    }
    if (status == KAPPA_OK && o->time != NULL && csv->time < 0) {
        return refuse(csv, batch, "there is no column \"%s\"", o->time);
    }
    return status;
}

/* --- values */

static bool
is_number(kappa_str_t text, kappa_arena_t *scratch, bool *whole)
{
    kappa_value_t value;

    if (kappa_json_parse(scratch, text, &value, NULL) != KAPPA_OK) {
        return false;
    }
    *whole = value.kind == KAPPA_INT;
    return *whole || value.kind == KAPPA_DOUBLE;
}

/* What a text must be to be a value of this type; NULL: it is one, and is
 * written to buf. */
static const char *
write_scalar(kappa_buf_t *buf, kappa_scalar_t scalar, kappa_str_t text,
    kappa_arena_t *scratch)
{
    kappa_value_t value;
    int64_t integer;
    bool whole;

    switch (scalar) {
    case KAPPA_SCALAR_INT:
        if (!kappa_str_to_int64(text, &integer)) {
            return "a whole number";
        }
        kappa_buf_int64(buf, integer);
        return NULL;
    case KAPPA_SCALAR_FLOAT:
        if (!is_number(text, scratch, &whole)) {
            return "a number";
        }
        kappa_buf_str(buf, text);
        return NULL;
    case KAPPA_SCALAR_BOOLEAN:
        if (!kappa_str_eq_c(text, "true") && !kappa_str_eq_c(text, "false")) {
            return "true or false";
        }
        kappa_buf_str(buf, text);
        return NULL;
    case KAPPA_SCALAR_JSON:
        if (kappa_json_parse(scratch, text, &value, NULL) != KAPPA_OK) {
            return "JSON";
        }
        kappa_buf_str(buf, text);
        return NULL;
    default:
        kappa_json_string(buf, text);
        return NULL;
    }
}

static const char *
write_value(kappa_buf_t *buf, const kappa_type_ref_t *type, kappa_str_t text,
    kappa_arena_t *scratch)
{
    while (type != NULL && type->kind == KAPPA_REF_NON_NULL) {
        type = type->of;
    }
    if (type == NULL) {
        kappa_json_string(buf, text);
        return NULL;
    }
    if (type->kind == KAPPA_REF_LIST
        || (type->named->kind != KAPPA_TYPE_SCALAR
            && type->named->kind != KAPPA_TYPE_ENUM)) {
        return write_scalar(buf, KAPPA_SCALAR_JSON, text, scratch);
    }
    return write_scalar(buf,
        type->named->kind == KAPPA_TYPE_ENUM ? KAPPA_SCALAR_STRING
                                             : type->named->scalar,
        text, scratch);
}

/* A key is its text, or JSON where it would be another thing than a string, or
 * a string that looks like one. */
static void
write_key(kappa_buf_t *buf, kappa_str_t text, kappa_arena_t *scratch)
{
    kappa_value_t value;

    if (kappa_json_parse(scratch, text, &value, NULL) == KAPPA_OK) {
        kappa_buf_str(buf, text);
    } else {
        kappa_json_string(buf, text);
    }
}

/* --- a record */

static void
write_name(kappa_buf_t *buf, kappa_str_t name)
{
    kappa_buf_char(buf, buf->len > 1 ? ',' : ' ');
    kappa_json_string(buf, name);
    kappa_buf_char(buf, ':');
}

static void
write_member(kappa_buf_t *buf, const char *name, kappa_str_t text)
{
    write_name(buf, kappa_str_c(name));
    kappa_json_string(buf, text);
}

/* A UUID of version 8 (RFC 9562): a hash of what tells the line. */
static void
write_id(kappa_import_csv_t *csv, kappa_str_t tells)
{
    const kappa_import_csv_options_t *o = csv->options;
    uint8_t hash[SHA256_DIGEST_LENGTH], uuid[KAPPA_UUID_BYTES];
    char id[KAPPA_UUID_CHARS];

    if (csv->id >= 0 && kappa_uuid_parse(tells, uuid)) {
        write_member(&csv->line, "id", tells);
        return;
    }
    kappa_buf_reset(&csv->told);
    kappa_buf_add(&csv->told, o->thing, strlen(o->thing) + 1);
    kappa_buf_add(&csv->told, o->verb, strlen(o->verb) + 1);
    kappa_buf_str(&csv->told, tells);
    if (csv->told.failed) {
        csv->line.failed = true;
        return;
    }
    SHA256((const unsigned char *)csv->told.data, csv->told.len, hash);
    memcpy(uuid, hash, sizeof(uuid));
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x80);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
    kappa_uuid_format(uuid, id);
    write_member(&csv->line, "id", kappa_str(id, sizeof(id)));
}

static kappa_status_t
add_field(kappa_import_csv_t *csv, kappa_ndjson_t *batch, uint32_t i)
{
    const column_t *column = &csv->columns[i];
    kappa_str_t text = csv->csv.fields[i].text;
    const char *wanted = NULL;

    switch (column->kind) {
    case COLUMN_FIELD:
        write_name(&csv->data, column->name);
        wanted = write_value(&csv->data, column->type, text, csv->scratch);
        break;
    case COLUMN_TEXT:
        write_name(&csv->line, column->name);
        kappa_json_string(&csv->line, text);
        break;
    case COLUMN_KEY:
        write_name(&csv->line, column->name);
        write_key(&csv->line, text, csv->scratch);
        break;
    case COLUMN_JSON:
        write_name(&csv->line, column->name);
        wanted =
            write_scalar(&csv->line, KAPPA_SCALAR_JSON, text, csv->scratch);
        break;
    default:
        break;
    }
    return wanted == NULL
        ? KAPPA_OK
        : refuse(csv, batch, "%.*s must be %s, not \"%.*s\"",
            KAPPA_STR_ARG(column->name), wanted,
            (int)(text.len < 64 ? text.len
                                : kappa_utf8_valid(kappa_str(text.data, 64))),
            text.data);
}

/* What is said for every line of a thing. */
static void
finish_line(kappa_import_csv_t *csv)
{
    const kappa_import_csv_options_t *o = csv->options;
    const kappa_csv_field_t *fields = csv->csv.fields;

    kappa_buf_char(&csv->data, '}');
    write_member(&csv->line, "thing", kappa_str_c(o->thing));
    write_member(&csv->line, "verb", kappa_str_c(o->verb));
    if (o->effect != NULL) {
        write_member(&csv->line, "effect", kappa_str_c(o->effect));
    }
    if (csv->time >= 0 && fields[csv->time].text.len > 0) {
        write_member(&csv->line, "time", fields[csv->time].text);
    }
    write_id(
        csv, csv->id >= 0 ? fields[csv->id].text : kappa_buf_view(&csv->data));
    write_name(&csv->line, KAPPA_STR("data"));
    kappa_buf_str(&csv->line, kappa_buf_view(&csv->data));
}

static kappa_status_t
make_line(kappa_import_csv_t *csv, kappa_ndjson_t *batch)
{
    const kappa_csv_field_t *fields = csv->csv.fields;

    if (csv->csv.count != csv->column_count) {
        return refuse(csv, batch, "it has %u fields, and there are %u columns",
            csv->csv.count, csv->column_count);
    }
    kappa_buf_reset(&csv->line);
    kappa_buf_reset(&csv->data);
    kappa_buf_char(&csv->line, '{');
    kappa_buf_char(&csv->data, '{');
    for (uint32_t i = 0; i < csv->column_count; i++) {
        if (fields[i].text.len == 0 && !fields[i].quoted) {
            continue; /* nothing is there */
        }
        kappa_status_t status = add_field(csv, batch, i);
        if (status != KAPPA_OK) {
            return status;
        }
    }
    if (csv->options->thing != NULL) {
        finish_line(csv);
    }
    kappa_buf_char(&csv->line, '}');
    return csv->line.failed || csv->data.failed ? KAPPA_NOMEM : KAPPA_OK;
}

/* The record that is whole; KAPPA_BUSY: it waits. */
static kappa_status_t
take_record(kappa_import_csv_t *csv, kappa_ndjson_t *batch)
{
    kappa_status_t status;

    kappa_arena_reset(csv->scratch);
    if (csv->columns == NULL) {
        return take_names(csv, batch);
    }
    status = make_line(csv, batch);
    if (status == KAPPA_OK) {
        status =
            kappa_ndjson_add(batch, csv->csv.line, kappa_buf_view(&csv->line));
    }
    csv->held = status == KAPPA_BUSY;
    return status;
}

static kappa_status_t
take(kappa_import_csv_t *csv, kappa_ndjson_t *batch, kappa_status_t status)
{
    switch (status) {
    case KAPPA_OK:
        return take_record(csv, batch);
    case KAPPA_INVALID:
        kappa_arena_reset(csv->scratch);
        return refuse(csv, batch, "%s", csv->csv.reason);
    default:
        return status;
    }
}

static kappa_status_t
take_held(kappa_import_csv_t *csv, kappa_ndjson_t *batch)
{
    return csv->held ? take_record(csv, batch) : KAPPA_OK;
}

kappa_status_t
kappa_import_csv_feed(
    kappa_import_csv_t *csv, kappa_ndjson_t *batch, kappa_str_t *bytes)
{
    kappa_status_t status = take_held(csv, batch);

    while (status == KAPPA_OK) {
        status = take(csv, batch, kappa_csv_feed(&csv->csv, bytes));
    }
    return status == KAPPA_AGAIN ? KAPPA_OK : status;
}

kappa_status_t
kappa_import_csv_end(kappa_import_csv_t *csv, kappa_ndjson_t *batch)
{
    kappa_status_t status = take_held(csv, batch);

    if (status == KAPPA_OK) {
        status = take(csv, batch, kappa_csv_end(&csv->csv));
    }
    return status == KAPPA_DONE ? KAPPA_OK : status;
}
