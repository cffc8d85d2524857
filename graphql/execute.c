#include "graphql/execute_private.h"

#include "base/json.h"

static void
write_errors(kappa_execution_t *x)
{
    if (x->error_count > 0) {
        KAPPA_BUF_LIT(x->buf, ",\"errors\":[");
        kappa_buf_str(x->buf, kappa_buf_view(&x->errors_json));
        kappa_buf_char(x->buf, ']');
    }
}

static kappa_status_t
write_answer(kappa_execution_t *x, kappa_outcome_t *outcome)
{
    kappa_scope_t scope = { 0 };
    kappa_written_t written;
    size_t mark;

    KAPPA_BUF_LIT(x->buf, "{\"data\":");
    mark = x->buf->len;
    written = kappa_execute_set(x, &x->plan->root, &scope, NULL);
    if (written == KAPPA_STOPPED) {
        return x->status;
    }
    if (written == KAPPA_FAILED) {
        x->buf->len = mark;
        KAPPA_BUF_LIT(x->buf, "null");
    }
    write_errors(x);
    *outcome = (kappa_outcome_t){
        .data_null = written == KAPPA_FAILED,
        .error_count = x->error_count,
        .code = x->code,
    };
    return x->buf->failed ? KAPPA_NOMEM : KAPPA_OK;
}

/* The whole answer of an execution that became too large. */
static kappa_status_t
write_too_large(kappa_buf_t *buf, kappa_outcome_t *outcome)
{
    KAPPA_BUF_LIT(buf,
        "{\"data\":null,\"errors\":[{\"message\":\"The answer takes too many "
        "rows or bytes. Ask for less at once.\",\"extensions\":{\"code\":"
        "\"LIMIT_EXCEEDED\"}}]");
    *outcome = (kappa_outcome_t){
        .data_null = true, .error_count = 1, .code = "LIMIT_EXCEEDED"
    };
    return buf->failed ? KAPPA_NOMEM : KAPPA_OK;
}

kappa_status_t
kappa_execute_row(const kappa_plan_t *plan, const kappa_value_t *variables,
    kappa_data_t *data, const kappa_row_t *row, kappa_arena_t *arena,
    kappa_buf_t *buf, kappa_outcome_t *outcome)
{
    kappa_execution_t x = { .plan = plan,
        .variables = variables,
        .data = data,
        .arena = arena,
        .buf = buf,
        .root = row,
        .len_max = buf->len + KAPPA_EXECUTE_BYTES_MAX };
    size_t mark = buf->len;
    kappa_status_t status;

    kappa_errors_init(&x.errors, arena, KAPPA_EXECUTE_ERRORS_MAX);
    kappa_buf_init(&x.errors_json, buf->alloc);
    if (plan->slot_count > 0) {
        x.args =
            KAPPA_NEW_ARRAY(arena, const kappa_value_t *, plan->slot_count);
        if (x.args == NULL) {
            return KAPPA_NOMEM;
        }
    }
    status = write_answer(&x, outcome);
    kappa_buf_release(&x.errors_json);
    if (status == KAPPA_LIMIT) {
        buf->len = mark;
        status = write_too_large(buf, outcome);
    }
    if (status != KAPPA_OK) {
        buf->len = mark;
        buf->failed = false;
    }
    return status;
}

kappa_status_t
kappa_execute(const kappa_plan_t *plan, const kappa_value_t *variables,
    kappa_data_t *data, kappa_arena_t *arena, kappa_buf_t *buf,
    kappa_outcome_t *outcome)
{
    return kappa_execute_row(plan, variables, data, NULL, arena, buf, outcome);
}

void
kappa_response_end(kappa_buf_t *buf, kappa_str_t extensions)
{
    if (extensions.len > 0) {
        KAPPA_BUF_LIT(buf, ",\"extensions\":{");
        kappa_buf_str(buf, extensions);
        kappa_buf_char(buf, '}');
    }
    kappa_buf_char(buf, '}');
}

void
kappa_response_errors(kappa_buf_t *buf, const kappa_errors_t *errors)
{
    KAPPA_BUF_LIT(buf, "{\"errors\":");
    kappa_json_errors(buf, errors);
    kappa_buf_char(buf, '}');
}
