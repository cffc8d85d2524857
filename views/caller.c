#include "views/caller.h"

#include "base/json.h"
#include "views/model.h"
#include "views/scope.h"

typedef struct {
    kappa_arena_t *arena;
    kappa_map_t reads; /* path to kappa_expr_auth_read_t */
    bool whole;
    kappa_status_t status;
} walk_t;

static void
add_expr(walk_t *w, const kappa_expr_t *expr)
{
    if (!expr) {
        return;
    }
    const kappa_expr_reads_t *reads = kappa_expr_reads(expr);
    bool auth = reads->roots & KAPPA_READS(KAPPA_ROOT_AUTH);

    w->whole |= auth && !reads->auth_count;
    for (uint32_t i = 0; i < reads->auth_count; i++) {
        const kappa_expr_auth_read_t *read = &reads->auth[i];

        if (kappa_map_put(&w->reads, read->path, (void *)read) != KAPPA_OK) {
            w->status = KAPPA_NOMEM;
        }
    }
}

static void
add_stamps(walk_t *w, const kappa_arg_stamp_t *stamps, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        add_expr(w, stamps[i].value);
    }
}

static void
add_data(walk_t *w, const kappa_binding_t *binding)
{
    const kappa_one_t *one = binding->data;
    const kappa_list_t *list = binding->data;
    const kappa_changes_t *changes = binding->data;

    switch (binding->kind) {
    case KAPPA_BIND_ONE:
        add_stamps(w, one->stamps, one->stamp_count);
        for (uint32_t i = 0; i < one->rows->count; i++) {
            add_expr(w, one->rows->views[i]->allow);
        }
        break;
    case KAPPA_BIND_LIST:
    case KAPPA_BIND_CONNECTION:
        add_stamps(w, list->stamps, list->stamp_count);
        for (; list; list = list->next) {
            add_expr(w, list->view->allow);
        }
        break;
    case KAPPA_BIND_CHANGES:
        add_stamps(w, changes->stamps, changes->stamp_count);
        add_expr(w, changes->rule ? changes->rule->allow : NULL);
        break;
    case KAPPA_BIND_MUTATION:
        w->whole = true;
        break;
    default:
        break;
    }
}

static bool
add_field(void *ctx, const kappa_field_t *field)
{
    walk_t *w = ctx;
    const kappa_field_binding_t *binding =
        (const kappa_field_binding_t *)field->binding;

    if (binding) {
        add_expr(w, binding->allow);
        add_expr(w, binding->computed);
        add_data(w, &binding->binding);
    }
    return w->status == KAPPA_OK && !w->whole;
}

static void
write_whole(kappa_buf_t *buf, const kappa_caller_t *caller)
{
    kappa_buf_printf(buf, "*%zu:", caller->sub.len);
    kappa_buf_str(buf, caller->sub);
    kappa_buf_printf(buf, "%zu:", caller->iss.len);
    kappa_buf_str(buf, caller->iss);
    kappa_json_value(buf, &caller->roles);
    kappa_json_value(buf, &caller->scopes);
    kappa_json_value(buf, &caller->claims);
}

/* Paths in the order in which the plan reads them: equal for equal plans. */
static kappa_status_t
write_reads(walk_t *w, const kappa_caller_t *caller, kappa_buf_t *buf)
{
    kappa_scope_t scope = { .caller = caller };

    for (uint32_t i = 0; i < w->reads.count; i++) {
        const kappa_expr_auth_read_t *read = w->reads.entries[i].value;
        kappa_value_t value = kappa_null();
        kappa_status_t status =
            kappa_scope_eval(&scope, read->expr, w->arena, &value, NULL);

        if (status != KAPPA_OK && status != KAPPA_INVALID) {
            return status;
        }
        kappa_buf_str(buf, read->path);
        kappa_buf_char(buf, '=');
        if (status == KAPPA_OK) {
            kappa_json_value(buf, &value);
        }
        kappa_buf_char(buf, ';');
    }
    return buf->failed ? KAPPA_NOMEM : KAPPA_OK;
}

kappa_status_t
kappa_caller_key(const kappa_plan_t *plan, const kappa_caller_t *caller,
    kappa_arena_t *arena, kappa_buf_t *buf)
{
    static const kappa_caller_t anonymous;
    walk_t w = { .arena = arena };

    caller = caller ? caller : &anonymous;
    kappa_map_init(&w.reads, arena);
    kappa_plan_each_field(plan, add_field, &w);
    if (w.status != KAPPA_OK) {
        return w.status;
    }
    if (w.whole) {
        write_whole(buf, caller);
        return buf->failed ? KAPPA_NOMEM : KAPPA_OK;
    }
    return write_reads(&w, caller, buf);
}
