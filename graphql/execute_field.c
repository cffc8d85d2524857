#include "graphql/execute_private.h"

#include "base/json.h"

kappa_written_t
kappa_execute_args(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_path_t *path, const kappa_value_t **out)
{
    const kappa_plan_args_t *args = f->args;
    kappa_status_t status;

    if (args == NULL || args->dynamic_count == 0) {
        *out = args ? args->values : NULL;
        return KAPPA_WRITTEN;
    }
    *out = x->args[args->slot];
    if (*out != NULL) {
        return KAPPA_WRITTEN;
    }
    status = kappa_plan_args_values(
        x->plan, args, x->variables, x->arena, out, &x->errors);
    if (status == KAPPA_INVALID) {
        return kappa_execute_fail_op(x, path);
    }
    if (status != KAPPA_OK) {
        return kappa_execute_stop(x, status);
    }
    x->args[args->slot] = *out;
    return KAPPA_WRITTEN;
}

static const kappa_plan_set_t *
find_case(const kappa_plan_select_t *select, const kappa_type_t *type)
{
    uint32_t low = 0, high = select->case_count;

    if (select->type->kind == KAPPA_TYPE_OBJECT) {
        return &select->cases[0].set;
    }
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const kappa_plan_case_t *c = &select->cases[middle];

        if (c->type == type) {
            return &c->set;
        }
        if (c->type->number < type->number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static kappa_written_t
write_row(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_row_t *row, const kappa_path_t *path)
{
    const kappa_plan_set_t *set;
    kappa_scope_t scope = { .row = row };

    if (row->data == NULL) {
        return KAPPA_WROTE_NULL;
    }
    set = f->select ? find_case(f->select, row->type) : NULL;
    if (set == NULL) {
        return kappa_execute_fail(x, path, "INTERNAL",
            KAPPA_STR("The row is of a type that is not possible here."));
    }
    return kappa_execute_set(x, set, &scope, path);
}

/* One item of a list of rows or edges; null where it may be. */
static kappa_written_t
end_item(kappa_execution_t *x, const kappa_plan_field_t *f, size_t mark,
    kappa_written_t written, const kappa_path_t *path)
{
    if (written == KAPPA_WROTE_NULL && f->item_non_null) {
        written = kappa_execute_fail_null(x, path);
    }
    if (written == KAPPA_WRITTEN || written == KAPPA_STOPPED
        || f->item_non_null) {
        return written;
    }
    x->buf->len = mark;
    KAPPA_BUF_LIT(x->buf, "null");
    return KAPPA_WRITTEN;
}

static kappa_written_t
write_rows(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_page_t *page, const kappa_path_t *path)
{
    kappa_path_t at = { .up = path };

    kappa_buf_char(x->buf, '[');
    for (; at.index < page->count; at.index++) {
        size_t mark;
        kappa_written_t written;

        if (at.index > 0) {
            kappa_buf_char(x->buf, ',');
        }
        mark = x->buf->len;
        written = write_row(x, f, &page->rows[at.index], &at);
        if (written != KAPPA_WRITTEN) {
            written = end_item(x, f, mark, written, &at);
        }
        if (written != KAPPA_WRITTEN) {
            return written;
        }
    }
    kappa_buf_char(x->buf, ']');
    return KAPPA_WRITTEN;
}

static kappa_written_t
write_edges(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_scope_t *scope, const kappa_path_t *path)
{
    kappa_scope_t edge = { .page = scope->page };
    kappa_path_t at = { .up = path };

    kappa_buf_char(x->buf, '[');
    for (; at.index < scope->page->count; at.index++) {
        size_t mark;
        kappa_written_t written;

        if (at.index > 0) {
            kappa_buf_char(x->buf, ',');
        }
        edge.index = at.index;
        mark = x->buf->len;
        written = kappa_execute_set(x, &f->select->cases[0].set, &edge, &at);
        if (written != KAPPA_WRITTEN) {
            written = end_item(x, f, mark, written, &at);
        }
        if (written != KAPPA_WRITTEN) {
            return written;
        }
    }
    kappa_buf_char(x->buf, ']');
    return KAPPA_WRITTEN;
}

/* An op's status: KAPPA_WRITTEN to go on. */
static kappa_written_t
after_op(kappa_execution_t *x, kappa_status_t status, const kappa_path_t *path)
{
    switch (status) {
    case KAPPA_OK:
        return KAPPA_WRITTEN;
    case KAPPA_NOT_FOUND:
        return KAPPA_WROTE_NULL;
    case KAPPA_NOMEM:
        return kappa_execute_stop(x, status);
    default:
        return status == KAPPA_INVALID || x->errors.first != NULL
            ? kappa_execute_fail_op(x, path)
            : kappa_execute_stop(x, status);
    }
}

/* Counts what was fetched; the execution ends when it is too much. */
static kappa_written_t
spend(kappa_execution_t *x, uint32_t rows)
{
    x->rows += 1 + (uint64_t)rows;
    return x->rows > KAPPA_EXECUTE_ROWS_MAX
        ? kappa_execute_stop(x, KAPPA_LIMIT)
        : KAPPA_WRITTEN;
}

static kappa_written_t
fetch_one(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_scope_t *scope, const kappa_value_t *args,
    const kappa_path_t *path)
{
    kappa_row_t row = { 0 };
    kappa_status_t status = x->data->ops->one(
        x->data, f->field, scope->row, args, x->arena, &row, &x->errors);
    kappa_written_t written = after_op(x, status, path);

    if (written == KAPPA_WRITTEN) {
        written = spend(x, 0);
    }
    return written == KAPPA_WRITTEN ? write_row(x, f, &row, path) : written;
}

static bool
wants_total(const kappa_execution_t *x, const kappa_plan_field_t *f)
{
    const kappa_plan_set_t *set;

    if (!f->total) {
        return false;
    }
    set = &f->select->cases[0].set;
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->fields[i].op == KAPPA_OP_TOTAL_COUNT
            && kappa_execute_included(x, &set->fields[i])) {
            return true;
        }
    }
    return false;
}

static kappa_written_t
fetch_list(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_scope_t *scope, const kappa_value_t *args,
    const kappa_path_t *path)
{
    kappa_page_t page = { .total = -1 };
    kappa_scope_t below = { .page = &page };
    kappa_status_t status = x->data->ops->list(x->data, f->field, scope->row,
        args, wants_total(x, f), x->arena, &page, &x->errors);
    kappa_written_t written = after_op(x, status, path);

    if (written == KAPPA_WRITTEN) {
        written = spend(x, page.count);
    }
    if (written != KAPPA_WRITTEN) {
        return written;
    }
    return f->op == KAPPA_OP_LIST
        ? write_rows(x, f, &page, path)
        : kappa_execute_set(x, &f->select->cases[0].set, &below, path);
}

static kappa_written_t
fetch_value(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_scope_t *scope, const kappa_value_t *args,
    const kappa_path_t *path)
{
    kappa_str_t json = KAPPA_STR_NULL;
    kappa_status_t status = x->data->ops->value(
        x->data, f->field, scope->row, args, x->arena, &json, &x->errors);
    kappa_written_t written = after_op(x, status, path);

    return written == KAPPA_WRITTEN ? kappa_execute_json(x, f, json, path)
                                    : written;
}

static kappa_written_t
mutate(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_value_t *args, const kappa_path_t *path)
{
    kappa_mutated_t mutated = { 0 };
    kappa_scope_t scope = { .mutated = &mutated };
    kappa_status_t status = x->data->ops->mutate(
        x->data, f->field, f->name, args, x->arena, &mutated, &x->errors);
    kappa_written_t written = after_op(x, status, path);

    if (written != KAPPA_WRITTEN) {
        return written;
    }
    if (!f->payload) {
        return write_row(x, f, &mutated.row, path);
    }
    scope.row = mutated.row.data ? &mutated.row : NULL;
    return kappa_execute_set(x, &f->select->cases[0].set, &scope, path);
}

/* The field's arguments, and whether its rule lets it be read. */
static kappa_written_t
ask(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_scope_t *scope, const kappa_path_t *path,
    const kappa_value_t **args)
{
    kappa_written_t written = kappa_execute_args(x, f, path, args);

    if (written != KAPPA_WRITTEN || !f->rule
        || x->data->ops->allowed(
            x->data, f->field, scope->row, *args, x->arena)) {
        return written;
    }
    kappa_str_t message = kappa_str_printf(x->arena,
        "You may not see %.*s.%.*s.", KAPPA_STR_ARG(f->field->parent->name),
        KAPPA_STR_ARG(f->field->name));

    return message.data ? kappa_execute_fail(x, path, "FORBIDDEN", message)
                        : kappa_execute_stop(x, KAPPA_NOMEM);
}

/* A root field whose row was given: a change stream's event. */
static kappa_written_t
write_given(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_scope_t *scope, const kappa_path_t *path)
{
    const kappa_row_t *row = x->root;
    const kappa_value_t *args;
    kappa_written_t written = ask(x, f, scope, path, &args);

    if (written != KAPPA_WRITTEN) {
        return written;
    }
    return f->field->binding->json ? kappa_execute_json(
               x, f, kappa_str((const char *)row->data, row->len), path)
                                   : write_row(x, f, row, path);
}

/* Fields whose values the data source fetches, with arguments and rules. */
static kappa_written_t
fetch(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_scope_t *scope, const kappa_path_t *path)
{
    const kappa_value_t *args;
    kappa_written_t written = ask(x, f, scope, path, &args);

    if (written != KAPPA_WRITTEN) {
        return written;
    }
    switch ((kappa_op_t)f->op) {
    case KAPPA_OP_ONE:
        return fetch_one(x, f, scope, args, path);
    case KAPPA_OP_LIST:
    case KAPPA_OP_CONNECTION:
        return fetch_list(x, f, scope, args, path);
    case KAPPA_OP_MUTATION:
        return mutate(x, f, args, path);
    case KAPPA_OP_COLUMN:
        return kappa_execute_json(
            x, f, x->data->ops->column(scope->row, f->column), path);
    default:
        return fetch_value(x, f, scope, args, path);
    }
}

static kappa_written_t
write_cursor(
    kappa_execution_t *x, const kappa_page_t *page, bool any, uint32_t i)
{
    if (!any) {
        return KAPPA_WROTE_NULL;
    }
    x->data->ops->cursor(x->data, page, i, x->buf);
    return KAPPA_WRITTEN;
}

static kappa_written_t
write_bool(kappa_execution_t *x, bool b)
{
    kappa_buf_str(x->buf, b ? KAPPA_STR("true") : KAPPA_STR("false"));
    return KAPPA_WRITTEN;
}

static kappa_written_t
write_page(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_scope_t *scope, const kappa_path_t *path)
{
    const kappa_page_t *page = scope->page;

    switch ((kappa_op_t)f->op) {
    case KAPPA_OP_EDGES:
        return write_edges(x, f, scope, path);
    case KAPPA_OP_NODES:
        return write_rows(x, f, page, path);
    case KAPPA_OP_PAGE_INFO:
        return kappa_execute_set(x, &f->select->cases[0].set, scope, path);
    case KAPPA_OP_TOTAL_COUNT:
        if (page->total < 0) {
            return KAPPA_WROTE_NULL;
        }
        kappa_buf_int64(x->buf, page->total);
        return KAPPA_WRITTEN;
    case KAPPA_OP_EDGE_NODE:
        return write_row(x, f, &page->rows[scope->index], path);
    case KAPPA_OP_EDGE_CURSOR:
        return write_cursor(x, page, true, scope->index);
    case KAPPA_OP_HAS_NEXT:
        return write_bool(x, page->has_next);
    case KAPPA_OP_HAS_PREVIOUS:
        return write_bool(x, page->has_previous);
    case KAPPA_OP_START_CURSOR:
        return page->cut < 0 ? write_cursor(x, page, true, page->count)
                             : write_cursor(x, page, page->count > 0, 0);
    default: /* END_CURSOR */
        return page->cut > 0
            ? write_cursor(x, page, true, page->count)
            : write_cursor(x, page, page->count > 0, page->count - 1);
    }
}

static kappa_written_t
write_text(kappa_execution_t *x, kappa_str_t text)
{
    if (text.data == NULL) {
        return KAPPA_WROTE_NULL;
    }
    kappa_json_string(x->buf, text);
    return KAPPA_WRITTEN;
}

static kappa_written_t
write_payload(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_scope_t *scope, const kappa_path_t *path)
{
    const kappa_mutated_t *mutated = scope->mutated;

    switch ((kappa_op_t)f->op) {
    case KAPPA_OP_PAYLOAD_ROW:
        return write_row(x, f, &mutated->row, path);
    case KAPPA_OP_PAYLOAD_POSITION:
        return write_text(x, mutated->position);
    case KAPPA_OP_PAYLOAD_EVENT:
        return write_text(x, mutated->event_id);
    default: /* PAYLOAD_DUPLICATE */
        return write_bool(x, mutated->duplicate);
    }
}

static kappa_written_t
fail_unbound(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_path_t *path)
{
    kappa_str_t message = kappa_str_printf(x->arena,
        "Nothing says how %.*s.%.*s is read.",
        KAPPA_STR_ARG(f->field->parent->name), KAPPA_STR_ARG(f->field->name));

    return message.data ? kappa_execute_fail(x, path, "INTERNAL", message)
                        : kappa_execute_stop(x, KAPPA_NOMEM);
}

/* The field's value, whatever it takes. */
static kappa_written_t
write_value(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_scope_t *scope, const kappa_path_t *path)
{
    switch ((kappa_op_t)f->op) {
    case KAPPA_OP_COLUMN:
        return scope->row ? fetch(x, f, scope, path) : KAPPA_WROTE_NULL;
    case KAPPA_OP_MEMBER:
        return kappa_execute_json(
            x, f, kappa_execute_member(scope->json, f->field->name), path);
    case KAPPA_OP_ONE:
    case KAPPA_OP_LIST:
    case KAPPA_OP_CONNECTION:
    case KAPPA_OP_VALUE:
    case KAPPA_OP_MUTATION:
        return fetch(x, f, scope, path);
    case KAPPA_OP_EDGES:
    case KAPPA_OP_NODES:
    case KAPPA_OP_PAGE_INFO:
    case KAPPA_OP_TOTAL_COUNT:
    case KAPPA_OP_EDGE_NODE:
    case KAPPA_OP_EDGE_CURSOR:
    case KAPPA_OP_HAS_NEXT:
    case KAPPA_OP_HAS_PREVIOUS:
    case KAPPA_OP_START_CURSOR:
    case KAPPA_OP_END_CURSOR:
        return scope->page ? write_page(x, f, scope, path)
                           : fail_unbound(x, f, path);
    case KAPPA_OP_PAYLOAD_ROW:
    case KAPPA_OP_PAYLOAD_POSITION:
    case KAPPA_OP_PAYLOAD_DUPLICATE:
    case KAPPA_OP_PAYLOAD_EVENT:
        return scope->mutated ? write_payload(x, f, scope, path)
                              : fail_unbound(x, f, path);
    case KAPPA_OP_META_SCHEMA:
    case KAPPA_OP_META_TYPE:
    case KAPPA_OP_META:
        return kappa_execute_meta(x, f, scope, path);
    case KAPPA_OP_CONSTANT:
    case KAPPA_OP_UNBOUND:
        break;
    }
    return fail_unbound(x, f, path);
}

/* A field with its key: null where it may be, else it fails its parent. */
static kappa_written_t
write_field(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_scope_t *scope, const kappa_path_t *up, bool first)
{
    kappa_path_t path = { .up = up, .field = f };
    kappa_written_t written;
    size_t mark;

    kappa_execute_key(x->buf, f, first);
    if (f->op == KAPPA_OP_CONSTANT) {
        return KAPPA_WRITTEN;
    }
    mark = x->buf->len;
    written = x->root != NULL && up == NULL ? write_given(x, f, scope, &path)
                                            : write_value(x, f, scope, &path);
    if (written == KAPPA_WRITTEN || written == KAPPA_STOPPED) {
        return written;
    }
    if (written == KAPPA_WROTE_NULL && f->non_null) {
        written = kappa_execute_fail_null(x, &path);
    }
    if (f->non_null || written == KAPPA_STOPPED) {
        return written;
    }
    x->buf->len = mark;
    KAPPA_BUF_LIT(x->buf, "null");
    return KAPPA_WRITTEN;
}

kappa_written_t
kappa_execute_set(kappa_execution_t *x, const kappa_plan_set_t *set,
    const kappa_scope_t *scope, const kappa_path_t *path)
{
    bool first;
    uint32_t i = 0;

    kappa_buf_char(x->buf, '{');
    if (set->plain > 0 && scope->row != NULL) {
        i = kappa_execute_columns(x, set, scope->row);
    }
    for (first = i == 0; i < set->count; i++) {
        const kappa_plan_field_t *f = &set->fields[i];
        kappa_written_t written;

        if (!kappa_execute_included(x, f)) {
            continue;
        }
        written = write_field(x, f, scope, path, first);
        if (written != KAPPA_WRITTEN) {
            return written;
        }
        first = false;
    }
    kappa_buf_char(x->buf, '}');
    if (x->buf->failed) {
        return kappa_execute_stop(x, KAPPA_NOMEM);
    }
    return x->buf->len > x->len_max ? kappa_execute_stop(x, KAPPA_LIMIT)
                                    : KAPPA_WRITTEN;
}
