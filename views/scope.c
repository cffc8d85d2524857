#include "views/scope.h"

#include "views/key.h"
#include "views/row.h"

static kappa_value_t
string_or_null(kappa_str_t s)
{
    return s.data ? kappa_string(s) : kappa_null();
}

static kappa_value_t
list_or_empty(const kappa_value_t *list)
{
    return list->kind == KAPPA_LIST ? *list
                                    : (kappa_value_t){ .kind = KAPPA_LIST };
}

static kappa_value_t
row_value(const kappa_scope_row_t *row)
{
    return row ? (kappa_value_t){ .kind = KAPPA_ROW, .as.row = row }
               : kappa_null();
}

static void
note_personal(const kappa_scope_t *scope)
{
    if (scope->personal != NULL) {
        *scope->personal = true;
    }
}

static kappa_status_t
scope_root(void *ctx, kappa_arena_t *scratch, kappa_expr_root_t root,
    kappa_value_t *out)
{
    const kappa_scope_t *scope = ctx;
    static const kappa_value_t object = { .kind = KAPPA_OBJECT };

    (void)scratch;
    switch (root) {
    case KAPPA_ROOT_ROW:
        *out = row_value(scope->row);
        break;
    case KAPPA_ROOT_OLD:
        *out = row_value(scope->old);
        break;
    case KAPPA_ROOT_VALUE:
        *out = scope->value;
        break;
    case KAPPA_ROOT_ITEM:
        *out = scope->item;
        break;
    case KAPPA_ROOT_NOW:
        note_personal(scope);
        *out = kappa_time(scope->now_ms);
        break;
    default:
        *out = object;
    }
    if (out->kind == KAPPA_UNSET) {
        *out = kappa_null();
    }
    return KAPPA_OK;
}

static void
auth_member(const kappa_caller_t *caller, uint32_t number, kappa_value_t *out)
{
    static const kappa_caller_t anonymous;

    caller = caller ? caller : &anonymous;
    switch (number) {
    case KAPPA_AUTH_SUB:
        *out = string_or_null(caller->sub);
        break;
    case KAPPA_AUTH_ISS:
        *out = string_or_null(caller->iss);
        break;
    case KAPPA_AUTH_ROLES:
        *out = list_or_empty(&caller->roles);
        break;
    case KAPPA_AUTH_SCOPES:
        *out = list_or_empty(&caller->scopes);
        break;
    case KAPPA_AUTH_CLAIMS:
        *out = caller->claims;
        break;
    }
}

static kappa_status_t
actor_value(const kappa_scope_event_t *event, kappa_arena_t *scratch,
    kappa_value_t *out)
{
    kappa_member_t *members = KAPPA_NEW_ARRAY(scratch, kappa_member_t, 2);

    if (members == NULL) {
        return KAPPA_NOMEM;
    }
    members[0].name = KAPPA_STR("iss");
    members[0].value = string_or_null(event->actor_iss);
    members[1].name = KAPPA_STR("sub");
    members[1].value = string_or_null(event->actor_sub);
    *out = (kappa_value_t){
        .kind = KAPPA_OBJECT, .count = 2, .as.members = members
    };
    return KAPPA_OK;
}

static kappa_status_t
id_value(const kappa_scope_event_t *event, kappa_arena_t *scratch,
    kappa_value_t *out)
{
    char *text = kappa_arena_bytes(scratch, KAPPA_UUID_CHARS);

    if (text == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_uuid_format(event->id, text);
    *out = kappa_string(kappa_str(text, KAPPA_UUID_CHARS));
    return KAPPA_OK;
}

static kappa_status_t
event_member(const kappa_scope_event_t *event, kappa_arena_t *scratch,
    uint32_t number, kappa_value_t *out)
{
    if (event == NULL) {
        return KAPPA_OK;
    }
    switch (number) {
    case KAPPA_EVENT_DATA:
        *out = event->data;
        break;
    case KAPPA_EVENT_KEY:
        *out = event->key;
        break;
    case KAPPA_EVENT_TIME:
        *out = kappa_time(event->time_ms);
        break;
    case KAPPA_EVENT_ACTOR:
        return actor_value(event, scratch, out);
    case KAPPA_EVENT_ID:
        return id_value(event, scratch, out);
    }
    return KAPPA_OK;
}

static kappa_status_t
scope_member(void *ctx, kappa_arena_t *scratch, kappa_expr_root_t root,
    uint32_t number, kappa_value_t *out)
{
    const kappa_scope_t *scope = ctx;
    kappa_status_t status = KAPPA_OK;

    *out = kappa_null();
    if (root == KAPPA_ROOT_ARGS && number < scope->arg_count) {
        *out = scope->args[number];
    } else if (root == KAPPA_ROOT_AUTH) {
        note_personal(scope);
        auth_member(scope->caller, number, out);
    } else if (root == KAPPA_ROOT_EVENT) {
        status = event_member(scope->event, scratch, number, out);
    }
    if (out->kind == KAPPA_UNSET) {
        *out = kappa_null();
    }
    return status;
}

static kappa_status_t
scope_column(void *ctx, kappa_arena_t *scratch, const kappa_expr_type_t *type,
    const void *row, uint32_t number, kappa_value_t *out)
{
    const kappa_scope_row_t *from = row;

    (void)ctx;
    (void)type;
    number = from->columns ? from->columns[number] : number;
    if (number >= from->view->column_count) {
        *out = kappa_null();
        return KAPPA_OK;
    }
    const kappa_column_t *column = &from->view->columns[number];
    kappa_str_t json = from->data
        ? kappa_row_column(from->data, column->number)
        : from->cells[number];
    return kappa_column_value(scratch, column->kind, json, out);
}

/* The first of the views that has the key. */
static kappa_status_t
get_first(kappa_scope_t *scope, kappa_arena_t *scratch,
    const kappa_rows_t *rows, kappa_str_t key, kappa_scope_row_t *row)
{
    kappa_status_t status = KAPPA_NOT_FOUND;

    for (uint32_t i = 0; status == KAPPA_NOT_FOUND && i < rows->count; i++) {
        status = scope->get(scope->get_ctx, scratch, rows->views[i], key, row);
        row->columns = rows->columns
            ? rows->columns + (size_t)i * rows->row_type.member_count
            : NULL;
    }
    return status;
}

/* What is no key (too long, of another kind) is the key of no row. */
static kappa_status_t
scope_lookup(void *ctx, kappa_arena_t *scratch,
    const kappa_expr_view_t *expr_view, const kappa_value_t *keys,
    uint32_t count, kappa_value_t *out)
{
    kappa_scope_t *scope = ctx;
    const kappa_rows_t *rows = expr_view->handle;
    const kappa_view_t *view = rows->views[0];
    kappa_key_t key;

    *out = kappa_null();
    if (scope->get == NULL || count != view->key_count
        || kappa_key_of_values(&key, view, keys) != KAPPA_OK) {
        return KAPPA_OK;
    }
    kappa_scope_row_t *row = KAPPA_NEW(scratch, kappa_scope_row_t);
    if (row == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status =
        get_first(scope, scratch, rows, kappa_key_str(&key), row);
    if (status == KAPPA_OK) {
        *out = row_value(row);
    }
    return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
}

static kappa_expr_env_t
scope_env(kappa_scope_t *scope)
{
    return (kappa_expr_env_t){ .ctx = scope,
        .root = scope_root,
        .member = scope_member,
        .column = scope_column,
        .lookup = scope_lookup };
}

kappa_status_t
kappa_scope_holds(kappa_scope_t *scope, const kappa_expr_t *expr,
    kappa_arena_t *scratch, bool *holds)
{
    kappa_expr_env_t env = scope_env(scope);

    *holds = expr == NULL;
    return expr ? kappa_expr_holds(expr, &env, scratch, holds) : KAPPA_OK;
}

kappa_status_t
kappa_scope_eval(kappa_scope_t *scope, const kappa_expr_t *expr,
    kappa_arena_t *scratch, kappa_value_t *out, const char **reason)
{
    kappa_expr_env_t env = scope_env(scope);

    return kappa_expr_eval(expr, &env, scratch, out, reason);
}
