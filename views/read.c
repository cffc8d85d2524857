#include "views/read_private.h"

#include "base/json.h"

/* ---- rows ---- */

kappa_status_t
kappa_read_status(kappa_status_t status)
{
    return status == KAPPA_OK || status == KAPPA_NOMEM ? status : KAPPA_IO;
}

static kappa_status_t
note_key(kappa_read_t *read, const kappa_view_t *view, kappa_str_t key)
{
    kappa_dependency_t dependency = { .view = view, .low = key };

    return read->deps ? kappa_dependencies_add(read->deps, &dependency)
                      : KAPPA_OK;
}

kappa_status_t
kappa_read_note_range(kappa_read_t *read, const kappa_index_t *index,
    kappa_str_t low, kappa_str_t high)
{
    kappa_dependency_t dependency = { .view = index->view,
        .range = true,
        .index = index->number,
        .low = low,
        .high = high };

    return read->deps ? kappa_dependencies_add(read->deps, &dependency)
                      : KAPPA_OK;
}

kappa_status_t
kappa_read_get(kappa_read_t *read, const kappa_view_t *view, kappa_str_t key,
    kappa_row_t *row)
{
    kappa_key_t stored;
    kappa_str_t bytes;
    kappa_status_t status = note_key(read, view, key);

    if (status != KAPPA_OK) {
        return status;
    }
    kappa_key_init(&stored);
    kappa_key_row_prefix(&stored, view);
    kappa_key_add_raw(&stored, key);
    if (stored.over) {
        return KAPPA_NOT_FOUND;
    }
    status = kappa_txn_get(
        read->txn, KAPPA_DBI_ROWS, kappa_key_str(&stored), &bytes);
    if (status == KAPPA_OK
        && !kappa_read_kept(read, view, (const uint8_t *)bytes.data)) {
        return KAPPA_NOT_FOUND;
    }
    if (status == KAPPA_OK) {
        *row = (kappa_row_t){ .data = (const uint8_t *)bytes.data,
            .len = bytes.len,
            .type = view->type,
            .view = view,
            .key = key };
    }
    return status;
}

/* ---- expressions ---- */

static kappa_status_t
scope_get(void *ctx, kappa_arena_t *scratch, const kappa_view_t *view,
    kappa_str_t key, kappa_scope_row_t *out)
{
    kappa_row_t row;
    kappa_status_t status = kappa_read_get(ctx, view, key, &row);

    (void)scratch;
    if (status == KAPPA_OK) {
        *out = (kappa_scope_row_t){ .view = view, .data = row.data };
    }
    return status;
}

kappa_scope_t
kappa_read_scope(kappa_read_t *read)
{
    return (kappa_scope_t){ .caller = read->caller,
        .now_ms = read->now_ms,
        .personal = &read->personal,
        .get = scope_get,
        .get_ctx = read };
}

kappa_status_t
kappa_read_visible(kappa_read_t *read, const kappa_row_t *row,
    kappa_arena_t *scratch, bool *visible)
{
    const kappa_view_t *view = row->view;
    kappa_scope_row_t scope_row = { .view = view, .data = row->data };

    *visible = true;
    if (!view->allow) {
        return KAPPA_OK;
    }
    kappa_scope_t scope = kappa_read_scope(read);
    scope.row = &scope_row;
    return kappa_scope_holds(&scope, view->allow, scratch, visible);
}

static kappa_status_t
refuse_stamp(kappa_errors_t *errors, const kappa_input_t *arg,
    kappa_status_t status, const char *reason)
{
    if (status == KAPPA_INVALID) {
        kappa_errors_add(errors, "BAD_USER_INPUT",
            "Argument \"%.*s\" can't be filled in: %s.",
            KAPPA_STR_ARG(arg->name), reason ? reason : "it failed");
        return KAPPA_INVALID;
    }
    kappa_errors_add(errors, "UNAUTHENTICATED",
        "You must be signed in for this: send a token.");
    return KAPPA_INVALID;
}

kappa_status_t
kappa_read_args(kappa_read_t *read, const kappa_field_t *field,
    const kappa_arg_stamp_t *stamps, uint32_t count, const kappa_value_t *args,
    kappa_arena_t *arena, const kappa_value_t **out, kappa_errors_t *errors)
{
    kappa_value_t *filled;

    *out = args;
    if (!count) {
        return KAPPA_OK;
    }
    *out = filled = KAPPA_NEW_ARRAY(arena, kappa_value_t, field->arg_count);
    if (!filled) {
        return KAPPA_NOMEM;
    }
    memcpy(filled, args, sizeof(*args) * field->arg_count);
    kappa_scope_t scope = kappa_read_scope(read);
    for (uint32_t i = 0; i < count; i++) {
        const kappa_input_t *arg = &field->args[stamps[i].arg];
        kappa_value_t *value = &filled[stamps[i].arg];
        const char *reason = NULL;
        kappa_status_t status =
            kappa_scope_eval(&scope, stamps[i].value, arena, value, &reason);

        if (status != KAPPA_OK && status != KAPPA_INVALID) {
            return status;
        }
        if (status == KAPPA_INVALID
            || (kappa_is_null(value)
                && arg->type->kind == KAPPA_REF_NON_NULL)) {
            return refuse_stamp(errors, arg, status, reason);
        }
    }
    return KAPPA_OK;
}

/* ---- ops ---- */

static kappa_str_t
read_column(const kappa_row_t *row, uint32_t column)
{
    return kappa_row_column(row->data, column);
}

/* kappa_row_column for each, with what is the same for all taken once. */
static void
read_columns(const kappa_row_t *row, const uint32_t *columns, uint32_t count,
    kappa_str_t *out)
{
    const uint8_t *offsets = row->data + KAPPA_ROW_HEADER_BYTES;
    uint32_t all = kappa_row_count(row->data);
    const char *bytes = (const char *)offsets + (size_t)all * 2;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = columns[i];
        uint16_t start = 0, end;

        if (n >= all || (row->data[0] & KAPPA_ROW_WIDE)) {
            out[i] = kappa_row_column(row->data, n);
            continue;
        }
        if (n > 0) {
            memcpy(&start, offsets + (size_t)n * 2 - 2, 2);
        }
        memcpy(&end, offsets + (size_t)n * 2, 2);
        out[i] = kappa_str(bytes + start, (size_t)(end - start));
    }
}

static const kappa_field_binding_t *
binding_of(const kappa_field_t *field)
{
    return (const kappa_field_binding_t *)field->binding;
}

/* An answer's JSON in the arena. */
static kappa_status_t
keep_json(kappa_buf_t *buf, kappa_arena_t *arena, kappa_str_t *json)
{
    kappa_status_t status = buf->failed ? KAPPA_NOMEM : KAPPA_OK;

    if (status == KAPPA_OK) {
        *json = kappa_str_dup(arena, kappa_buf_view(buf));
        status = json->data ? KAPPA_OK : KAPPA_NOMEM;
    }
    kappa_buf_release(buf);
    return status;
}

/* What an integer is in JSON depends on the field, not on the value. */
static kappa_column_kind_t
json_kind(const kappa_type_ref_t *type)
{
    while (type->kind == KAPPA_REF_NON_NULL) {
        type = type->of;
    }
    if (type->kind == KAPPA_REF_LIST
        || type->named->kind != KAPPA_TYPE_SCALAR) {
        return KAPPA_COLUMN_JSON;
    }
    return type->named->scalar == KAPPA_SCALAR_BIGINT ? KAPPA_COLUMN_BIGINT
                                                      : KAPPA_COLUMN_JSON;
}

/* An expression that fails gives null (SEMANTICS 12). */
static kappa_status_t
read_value(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, kappa_arena_t *arena,
    kappa_str_t *json, kappa_errors_t *errors)
{
    kappa_read_t *read = data->ctx;
    kappa_scope_row_t row = { .view = parent->view, .data = parent->data };
    kappa_scope_t scope = kappa_read_scope(read);
    kappa_value_t value;
    kappa_buf_t buf;

    (void)args;
    (void)errors;
    *json = KAPPA_STR_NULL;
    scope.row = &row;
    kappa_status_t status = kappa_scope_eval(
        &scope, binding_of(field)->computed, arena, &value, NULL);
    if (status == KAPPA_INVALID
        || (status == KAPPA_OK && kappa_is_null(&value))) {
        return KAPPA_OK;
    }
    if (status != KAPPA_OK) {
        return kappa_read_status(status);
    }
    if (value.kind == KAPPA_INT
        && json_kind(field->type) == KAPPA_COLUMN_BIGINT) {
        value.kind = KAPPA_BIGINT;
    }
    kappa_buf_init(&buf, kappa_arena_source(arena));
    kappa_json_value(&buf, &value);
    return keep_json(&buf, arena, json);
}

static void
one_key_of_parent(
    const kappa_one_t *one, const kappa_row_t *parent, kappa_key_t *key)
{
    const kappa_view_t *from = parent->view;

    kappa_key_init(key);
    for (uint32_t i = 0; i < one->rows->views[0]->key_count; i++) {
        const kappa_column_t *column = &from->columns[one->parts[i]];

        kappa_key_add_json(
            key, column->kind, kappa_row_column(parent->data, column->number));
    }
}

static void
one_key_of_args(
    const kappa_one_t *one, const kappa_value_t *args, kappa_key_t *key)
{
    const kappa_view_t *view = one->rows->views[0];

    kappa_key_init(key);
    for (uint32_t i = 0; i < view->key_count; i++) {
        const kappa_column_t *column = &view->columns[view->key[i]];

        kappa_key_add_value(key, column->kind, &args[one->parts[i]]);
    }
}

static kappa_status_t
fetch(kappa_read_t *read, const kappa_view_t *view, kappa_str_t key,
    kappa_arena_t *arena, kappa_row_t *row)
{
    bool visible;
    kappa_status_t status = kappa_read_get(read, view, key, row);

    if (status == KAPPA_NOT_FOUND) {
        return status;
    }
    if (status == KAPPA_OK) {
        status = kappa_read_visible(read, row, arena, &visible);
    }
    if (status != KAPPA_OK) {
        return kappa_read_status(status);
    }
    return visible ? KAPPA_OK : KAPPA_NOT_FOUND;
}

/* The key lives in the row: it goes to the arena. A row that the caller may
 * not see is not there, so another view's may be found behind it. */
static kappa_status_t
fetch_first(kappa_read_t *read, const kappa_rows_t *rows,
    const kappa_key_t *key, kappa_arena_t *arena, kappa_row_t *row)
{
    kappa_str_t kept = kappa_str_dup(arena, kappa_key_str(key));
    kappa_status_t status = kept.data ? KAPPA_NOT_FOUND : KAPPA_NOMEM;

    for (uint32_t i = 0; status == KAPPA_NOT_FOUND && i < rows->count; i++) {
        status = fetch(read, rows->views[i], kept, arena, row);
    }
    return status;
}

static kappa_status_t
read_one(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, kappa_arena_t *arena,
    kappa_row_t *row, kappa_errors_t *errors)
{
    kappa_read_t *read = data->ctx;
    const kappa_one_t *one = field->binding->data;
    kappa_key_t key;

    if (one->from_args) {
        kappa_status_t status = kappa_read_args(read, field, one->stamps,
            one->stamp_count, args, arena, &args, errors);
        if (status != KAPPA_OK) {
            return status;
        }
        one_key_of_args(one, args, &key);
    } else {
        one_key_of_parent(one, parent, &key);
    }
    if (key.null || !kappa_key_fits(&key)) {
        return KAPPA_NOT_FOUND;
    }
    return fetch_first(read, one->rows, &key, arena, row);
}

static void
read_cursor(
    kappa_data_t *data, const kappa_page_t *page, uint32_t i, kappa_buf_t *buf)
{
    (void)data;
    kappa_cursor_write(buf, page->scan, i);
}

static void
stamps_of(const kappa_field_t *field, const kappa_arg_stamp_t **stamps,
    uint32_t *count)
{
    *stamps = NULL;
    *count = 0;
    if (field->binding->kind == KAPPA_BIND_ONE) {
        const kappa_one_t *one = field->binding->data;

        *stamps = one->stamps;
        *count = one->stamp_count;
    } else if (field->binding->kind == KAPPA_BIND_LIST
        || field->binding->kind == KAPPA_BIND_CONNECTION) {
        const kappa_list_t *list = field->binding->data;

        *stamps = list->stamps;
        *count = list->stamp_count;
    } else if (field->binding->kind == KAPPA_BIND_CHANGES) {
        const kappa_changes_t *changes = field->binding->data;

        *stamps = changes->stamps;
        *count = changes->stamp_count;
    }
}

/* A stamp that can't be had is null here; the op itself says so loudly. */
static bool
read_allowed(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, kappa_arena_t *arena)
{
    kappa_read_t *read = data->ctx;
    kappa_scope_t scope = kappa_read_scope(read);
    kappa_scope_row_t row = { 0 };
    const kappa_arg_stamp_t *stamps;
    uint32_t count;
    bool holds;

    if (parent) {
        row =
            (kappa_scope_row_t){ .view = parent->view, .data = parent->data };
        scope.row = &row;
    }
    stamps_of(field, &stamps, &count);
    scope.args = args;
    if (kappa_read_args(
            read, field, stamps, count, args, arena, &scope.args, NULL)
        == KAPPA_NOMEM) {
        return false;
    }
    scope.arg_count = scope.args ? field->arg_count : 0;
    return kappa_scope_holds(&scope, binding_of(field)->allow, arena, &holds)
        == KAPPA_OK
        && holds;
}

const kappa_data_ops_t kappa_read_ops = {
    .column = read_column,
    .columns = read_columns,
    .value = read_value,
    .one = read_one,
    .list = kappa_read_list,
    .cursor = read_cursor,
    .allowed = read_allowed,
};

void
kappa_read_init(kappa_read_t *read, const kappa_model_t *model,
    kappa_txn_t *txn, const kappa_caller_t *caller, int64_t now_ms,
    kappa_dependencies_t *deps)
{
    *read = (kappa_read_t){ .data = { &kappa_read_ops, read },
        .model = model,
        .txn = txn,
        .caller = caller,
        .now_ms = now_ms,
        .clock_ms = now_ms,
        .deps = deps };
    if (model != NULL && model->keep_min_ms != 0) {
        int64_t clock_ms;

        if (kappa_env_clock(txn, &clock_ms) == KAPPA_OK && clock_ms > now_ms) {
            read->clock_ms = clock_ms;
        }
    }
}

/* Integers of expressions are of no GraphQL type yet. */
static void
type_stamps(const kappa_field_t *field, const kappa_changes_t *changes,
    kappa_value_t *args)
{
    for (uint32_t i = 0; i < changes->stamp_count; i++) {
        const kappa_input_t *arg = &field->args[changes->stamps[i].arg];
        kappa_value_t *value = &args[arg->number];

        if (value->kind == KAPPA_INT
            && json_kind(arg->type) == KAPPA_COLUMN_BIGINT) {
            value->kind = KAPPA_BIGINT;
        }
    }
}

kappa_status_t
kappa_read_changes_args(const kappa_field_t *field,
    const kappa_caller_t *caller, const kappa_value_t *args,
    kappa_arena_t *arena, const kappa_value_t **out, kappa_errors_t *errors)
{
    const kappa_changes_t *changes = field->binding->data;
    kappa_read_t read;

    kappa_read_init(&read, NULL, NULL, caller, 0, NULL);
    kappa_status_t status = kappa_read_args(&read, field, changes->stamps,
        changes->stamp_count, args, arena, out, errors);
    if (status == KAPPA_OK && changes->stamp_count) {
        type_stamps(field, changes, (kappa_value_t *)*out);
    }
    return status;
}
