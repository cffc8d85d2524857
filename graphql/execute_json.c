#include "graphql/execute_private.h"

/* Selecting in stored JSON without parsing it into a tree: values are found
 * by skipping what stands before them. The JSON is ours or the data source's;
 * where it is broken all the same, a value is not found and nothing is read
 * past its end. */

static const char *
skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) {
        p++;
    }
    return p;
}

/* Behind the string that starts at p; NULL: it does not end. */
static const char *
skip_string(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '"') {
            return p + 1;
        }
        if (*p == '\\') {
            p++;
        }
    }
    return NULL;
}

/* Behind the object or list that starts at p. */
static const char *
skip_nested(const char *p, const char *end)
{
    size_t depth = 0;

    while (p < end) {
        if (*p == '"') {
            p = skip_string(p, end);
            if (p == NULL) {
                return NULL;
            }
            continue;
        }
        if (*p == '{' || *p == '[') {
            depth++;
        } else if ((*p == '}' || *p == ']') && --depth == 0) {
            return p + 1;
        }
        p++;
    }
    return NULL;
}

/* Behind the value that starts at p; NULL: there is none. */
static const char *
skip_value(const char *p, const char *end)
{
    const char *start = p;

    if (p == end) {
        return NULL;
    }
    if (*p == '"') {
        return skip_string(p, end);
    }
    if (*p == '{' || *p == '[') {
        return skip_nested(p, end);
    }
    while (p < end && *p != ',' && *p != '}' && *p != ']' && *p != ' '
        && *p != '\n' && *p != '\t' && *p != '\r') {
        p++;
    }
    return p > start ? p : NULL;
}

static kappa_str_t
trim(kappa_str_t json)
{
    const char *end, *p;

    if (json.len == 0) {
        return json;
    }
    end = json.data + json.len;
    p = skip_space(json.data, end);
    while (end > p
        && (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\t'
            || end[-1] == '\r')) {
        end--;
    }
    return kappa_str(p, (size_t)(end - p));
}

static bool
is_null(kappa_str_t json)
{
    return json.len == 0
        || (json.len == 4 && memcmp(json.data, "null", 4) == 0);
}

/* Reads `"name" : value` at *p; false: no more members. */
static bool
next_member(
    const char **p, const char *end, kappa_str_t *name, kappa_str_t *value)
{
    const char *at = skip_space(*p, end), *behind;

    if (at == end || *at != '"' || (behind = skip_string(at, end)) == NULL) {
        return false;
    }
    *name = kappa_str(at + 1, (size_t)(behind - at) - 2);
    at = skip_space(behind, end);
    if (at == end || *at != ':') {
        return false;
    }
    at = skip_space(at + 1, end);
    behind = skip_value(at, end);
    if (behind == NULL) {
        return false;
    }
    *value = kappa_str(at, (size_t)(behind - at));
    at = skip_space(behind, end);
    *p = at < end && *at == ',' ? at + 1 : at;
    return true;
}

kappa_str_t
kappa_execute_member(kappa_str_t object, kappa_str_t name)
{
    const char *p, *end;
    kappa_str_t found, value;

    if (object.len == 0 || object.data[0] != '{') {
        return KAPPA_STR_NULL;
    }
    p = object.data + 1;
    end = object.data + object.len;
    while (next_member(&p, end, &found, &value)) {
        if (kappa_str_eq(found, name)) {
            return value;
        }
    }
    return KAPPA_STR_NULL;
}

static kappa_written_t write_json(kappa_execution_t *x,
    const kappa_plan_field_t *f, const kappa_type_ref_t *type,
    kappa_str_t json, const kappa_path_t *path);

static kappa_written_t
fail_shape(
    kappa_execution_t *x, const kappa_path_t *path, const char *expected)
{
    kappa_str_t message = kappa_str_printf(
        x->arena, "The stored value is not %s, as its type says.", expected);

    return message.data ? kappa_execute_fail(x, path, "INTERNAL", message)
                        : kappa_execute_stop(x, KAPPA_NOMEM);
}

/* The set for an object: of an abstract type by its "__typename". */
static const kappa_plan_set_t *
choose_set(const kappa_plan_select_t *select, kappa_str_t object)
{
    kappa_str_t name;

    if (select->type->kind == KAPPA_TYPE_OBJECT) {
        return &select->cases[0].set;
    }
    name = kappa_execute_member(object, KAPPA_STR("__typename"));
    if (name.len < 2) {
        return NULL;
    }
    name = kappa_str(name.data + 1, name.len - 2);
    for (uint32_t i = 0; i < select->case_count; i++) {
        if (kappa_str_eq(select->cases[i].type->name, name)) {
            return &select->cases[i].set;
        }
    }
    return NULL;
}

static kappa_written_t
write_object(kappa_execution_t *x, const kappa_plan_field_t *f,
    kappa_str_t json, const kappa_path_t *path)
{
    kappa_scope_t scope = { .json = json };
    const kappa_plan_set_t *set;

    if (json.data[0] != '{') {
        return fail_shape(x, path, "an object");
    }
    set = choose_set(f->select, json);
    if (set == NULL) {
        return fail_shape(x, path, "of a type that is possible here");
    }
    return kappa_execute_set(x, set, &scope, path);
}

static kappa_written_t
write_item(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_type_ref_t *type, kappa_str_t json, const kappa_path_t *path)
{
    size_t mark = x->buf->len;
    kappa_written_t written = write_json(x, f, type, json, path);

    if (written == KAPPA_WRITTEN || written == KAPPA_STOPPED
        || type->kind == KAPPA_REF_NON_NULL) {
        return written;
    }
    x->buf->len = mark;
    KAPPA_BUF_LIT(x->buf, "null");
    return KAPPA_WRITTEN;
}

static kappa_written_t
write_list(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_type_ref_t *item, kappa_str_t json, const kappa_path_t *path)
{
    const char *p = json.data + 1, *end = json.data + json.len;
    kappa_path_t at = { .up = path };

    if (json.data[0] != '[') {
        return fail_shape(x, path, "a list");
    }
    kappa_buf_char(x->buf, '[');
    for (p = skip_space(p, end); p < end && *p != ']'; at.index++) {
        const char *behind = skip_value(p, end);
        kappa_written_t written;

        if (behind == NULL) {
            return fail_shape(x, path, "a whole list");
        }
        if (at.index > 0) {
            kappa_buf_char(x->buf, ',');
        }
        written =
            write_item(x, f, item, kappa_str(p, (size_t)(behind - p)), &at);
        if (written != KAPPA_WRITTEN) {
            return written;
        }
        p = skip_space(behind, end);
        if (p < end && *p == ',') {
            p = skip_space(p + 1, end);
        }
    }
    kappa_buf_char(x->buf, ']');
    return KAPPA_WRITTEN;
}

static kappa_written_t
write_json(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_type_ref_t *type, kappa_str_t json, const kappa_path_t *path)
{
    if (type->kind == KAPPA_REF_NON_NULL) {
        kappa_written_t written = write_json(x, f, type->of, json, path);

        return written == KAPPA_WROTE_NULL ? kappa_execute_fail_null(x, path)
                                           : written;
    }
    if (is_null(json)) {
        return KAPPA_WROTE_NULL;
    }
    if (type->kind == KAPPA_REF_LIST) {
        return write_list(x, f, type->of, json, path);
    }
    return write_object(x, f, json, path);
}

kappa_written_t
kappa_execute_json(kappa_execution_t *x, const kappa_plan_field_t *f,
    kappa_str_t json, const kappa_path_t *path)
{
    json = trim(json);
    if (is_null(json)) {
        return KAPPA_WROTE_NULL;
    }
    if (f->select == NULL) {
        kappa_buf_str(x->buf, json);
        return KAPPA_WRITTEN;
    }
    return write_json(x, f, f->field->type, json, path);
}
