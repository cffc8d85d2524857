#include "views/mutate.h"

#include "base/json.h"
#include "base/uuid.h"
#include "views/idempotency.h"
#include "views/key.h"
#include "views/read.h"
#include "views/row.h"

/* A mutation field becomes an event: what kappa_execute asks for while it
 * runs a mutation's plan inside the views' transaction (SEMANTICS 10). */

/* What the ops below are given as their data: a reader over the writer's
 * transaction, and the job. */
typedef struct {
    kappa_read_t read; /* first */
    kappa_batch_t *batch;
    kappa_job_t *job;
    uint32_t mutated;
    uint32_t repeated;
    uint64_t seq; /* of the last of either */
} deciding_t;

static deciding_t *
deciding_of(kappa_data_t *data)
{
    return (deciding_t *)(void *)data;
}

static kappa_status_t
lose(kappa_batch_t *batch, kappa_status_t status, const char *why)
{
    if (batch->lost == KAPPA_OK) {
        batch->lost = status;
        batch->why = kappa_str_c(why);
    }
    return status == KAPPA_CORRUPT ? KAPPA_IO : status;
}

/* Links and lists in a selection read through the transaction, which has to
 * see what was accepted. */
static kappa_status_t
flush(deciding_t *deciding)
{
    kappa_writer_t *writer = deciding->batch->writer;
    kappa_status_t status = kappa_writer_flush(writer);

    deciding->read.clock_ms =
        kappa_writer_clock(writer, deciding->read.now_ms);
    return status == KAPPA_OK
        ? KAPPA_OK
        : lose(deciding->batch, status, kappa_writer_problem(writer));
}

/* --- arguments */

static kappa_status_t
stamp(kappa_scope_t *scope, const kappa_field_t *field,
    const kappa_arg_stamp_t *stamp_of, kappa_arena_t *arena,
    kappa_value_t *out, kappa_errors_t *errors)
{
    const kappa_input_t *arg = &field->args[stamp_of->arg];
    const char *reason = NULL;
    kappa_status_t status =
        kappa_scope_eval(scope, stamp_of->value, arena, out, &reason);

    if (status == KAPPA_INVALID) {
        kappa_errors_add(errors, "BAD_USER_INPUT",
            "%.*s of %.*s can't be stamped: %s", KAPPA_STR_ARG(arg->name),
            KAPPA_STR_ARG(field->name), reason ? reason : "no value");
        return status;
    }
    if (status == KAPPA_OK && kappa_is_null(out)
        && arg->type->kind == KAPPA_REF_NON_NULL) {
        kappa_errors_add(errors, "UNAUTHENTICATED",
            "%.*s needs a caller who is known: send a token",
            KAPPA_STR_ARG(field->name));
        return KAPPA_INVALID;
    }
    return status;
}

/* The caller's arguments and the stamped ones. */
static kappa_status_t
complete_args(kappa_scope_t *scope, const kappa_mutation_t *mutation,
    const kappa_value_t *args, kappa_arena_t *arena, kappa_errors_t *errors)
{
    const kappa_field_t *field = mutation->field;
    kappa_value_t *full =
        KAPPA_NEW_ARRAY(arena, kappa_value_t, field->arg_count);
    kappa_status_t status = KAPPA_OK;

    if (full == NULL) {
        return KAPPA_NOMEM;
    }
    if (field->arg_count) {
        memcpy(full, args, field->arg_count * sizeof *full);
    }
    scope->args = full;
    scope->arg_count = field->arg_count;
    for (uint32_t i = 0; i < mutation->stamp_count && status == KAPPA_OK;
         i++) {
        const kappa_arg_stamp_t *one = &mutation->stamps[i];
        status = stamp(scope, field, one, arena, &full[one->arg], errors);
    }
    return status;
}

/* An empty key would be taken for none, and the second sending be another
 * event: whoever sends one meant to be safe from that. */
static kappa_status_t
check_idempotency_key(const kappa_mutation_t *mutation,
    const kappa_value_t *args, kappa_str_t header, kappa_errors_t *errors)
{
    static const char *const why =
        "is empty: an idempotency key is made up once for what is to happen "
        "once, or left out";
    int32_t arg = mutation->idempotency_arg;

    if (arg >= 0 && args[arg].kind == KAPPA_STRING) {
        if (args[arg].as.string.len > 0) {
            return KAPPA_OK;
        }
        kappa_errors_add(errors, "BAD_USER_INPUT", "%.*s of %.*s %s",
            KAPPA_STR_ARG(mutation->field->args[arg].name),
            KAPPA_STR_ARG(mutation->field->name), why);
        return KAPPA_INVALID;
    }
    if (header.data == NULL || header.len > 0) {
        return KAPPA_OK;
    }
    kappa_errors_add(
        errors, "BAD_USER_INPUT", "the header Idempotency-Key %s", why);
    return KAPPA_INVALID;
}

/* Recursion is as deep as arguments are nested, which has a bound. */
static bool
holds_nul(const kappa_value_t *value)
{
    bool found = value->kind == KAPPA_STRING && value->as.string.len > 0
        && memchr(value->as.string.data, '\0', value->as.string.len);

    for (uint32_t i = 0; value->kind == KAPPA_LIST && i < value->count; i++) {
        found |= holds_nul(&value->as.items[i]);
    }
    for (uint32_t i = 0; value->kind == KAPPA_OBJECT && i < value->count;
         i++) {
        found |= holds_nul(&value->as.members[i].value);
    }
    return found;
}

/* GraphQL has "\u0000", JSON as kappa reads it has not: the event could never
 * be read again. */
static kappa_status_t
check_text(const kappa_mutation_t *mutation, const kappa_value_t *args,
    kappa_errors_t *errors)
{
    const kappa_field_t *field = mutation->field;

    for (uint32_t i = 0; i < field->arg_count; i++) {
        if (holds_nul(&args[i])) {
            kappa_errors_add(errors, "BAD_USER_INPUT",
                "argument %.*s of %.*s holds the character U+0000, which no "
                "text of an event may",
                KAPPA_STR_ARG(field->args[i].name),
                KAPPA_STR_ARG(field->name));
            return KAPPA_INVALID;
        }
    }
    return KAPPA_OK;
}

/* event.data: every argument by its name, but for the idempotency key. */
static kappa_status_t
make_data(const kappa_mutation_t *mutation, const kappa_value_t *args,
    kappa_arena_t *arena, kappa_value_t *out)
{
    const kappa_field_t *field = mutation->field;
    kappa_member_t *members =
        KAPPA_NEW_ARRAY(arena, kappa_member_t, field->arg_count);
    uint32_t count = 0;

    if (members == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < field->arg_count; i++) {
        if (args[i].kind != KAPPA_UNSET
            && (int32_t)i != mutation->idempotency_arg) {
            members[count++] = (kappa_member_t){ .name = field->args[i].name,
                .value = args[i] };
        }
    }
    *out = (kappa_value_t){
        .kind = KAPPA_OBJECT, .count = count, .as.members = members
    };
    return KAPPA_OK;
}

static kappa_status_t
check_allowed(kappa_scope_t *scope, const kappa_mutation_t *mutation,
    kappa_arena_t *arena, kappa_errors_t *errors)
{
    bool holds;
    kappa_status_t status =
        kappa_scope_holds(scope, mutation->allow, arena, &holds);

    if (status == KAPPA_OK && !holds) {
        kappa_errors_add(errors, "FORBIDDEN", "you may not call %.*s",
            KAPPA_STR_ARG(mutation->field->name));
        return KAPPA_INVALID;
    }
    return status;
}

/* --- the event */

static void
begin_event(kappa_batch_t *batch, kappa_event_t *event, const kappa_job_t *job)
{
    uint8_t random[10];

    kappa_batch_random(batch, random);
    *event = (kappa_event_t){ .time_ms = job->now_ms,
        .actor_iss = job->caller.iss,
        .actor_sub = job->caller.sub,
        .traceparent = job->traceparent };
    kappa_uuid_v7(job->now_ms, random, event->id);
}

static kappa_status_t
prepare(deciding_t *deciding, const kappa_mutation_t *mutation,
    kappa_str_t path, const kappa_value_t *args, kappa_event_t *event,
    kappa_decision_t *decision)
{
    kappa_arena_t *arena = decision->arena;
    kappa_job_t *job = deciding->job;
    kappa_value_t *data = KAPPA_NEW(arena, kappa_value_t);
    kappa_scope_t scope = { .caller = &job->caller, .now_ms = job->now_ms };

    if (data == NULL) {
        return KAPPA_NOMEM;
    }
    begin_event(deciding->batch, event, job);
    event->thing = mutation->thing;
    event->verb = mutation->verb;
    event->effect = mutation->effect;
    kappa_writer_scope(deciding->batch->writer, &scope);

    kappa_status_t status =
        complete_args(&scope, mutation, args, arena, decision->errors);
    if (status == KAPPA_OK) {
        status = check_allowed(&scope, mutation, arena, decision->errors);
    }
    if (status == KAPPA_OK) {
        status = check_idempotency_key(
            mutation, args, job->idempotency_key, decision->errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_idempotency_of_mutation(
            arena, mutation, path, job->idempotency_key, args, event);
    }
    if (status == KAPPA_OK) {
        status = check_text(mutation, scope.args, decision->errors);
    }
    if (status == KAPPA_OK) {
        status = make_data(mutation, scope.args, arena, data);
    }
    if (status == KAPPA_LIMIT) {
        kappa_errors_add(decision->errors, "BAD_USER_INPUT",
            "an argument of %.*s is nested too deep",
            KAPPA_STR_ARG(mutation->field->name));
        return KAPPA_INVALID;
    }
    kappa_batch_random(deciding->batch, decision->random);
    decision->event = event;
    decision->caller = &job->caller;
    decision->mutation = mutation;
    decision->args = scope.args;
    decision->data = data;
    return status;
}

/* --- the answer */

static void
set_row(kappa_row_t *row, const kappa_view_t *view, kappa_str_t key,
    const uint8_t *data, size_t len)
{
    *row = (kappa_row_t){
        .data = data, .len = len, .type = view->type, .view = view, .key = key
    };
}

/* A row that the caller may not see is no answer either. */
static kappa_status_t
hide_row(deciding_t *deciding, kappa_row_t *row, const kappa_view_t *view,
    kappa_arena_t *arena)
{
    bool visible = true;
    kappa_status_t status = KAPPA_OK;

    if (row->data && view->allow) {
        status = flush(deciding);
        if (status == KAPPA_OK) {
            status = kappa_read_visible(&deciding->read, row, arena, &visible);
        }
    }
    if (!visible) {
        row->data = NULL;
    }
    return status;
}

static kappa_status_t
tell(deciding_t *deciding, uint64_t seq, const uint8_t *id, bool duplicate,
    kappa_arena_t *arena, kappa_mutated_t *out)
{
    char *position = kappa_arena_bytes(arena, KAPPA_POSITION_CHARS_MAX);
    char *event_id = kappa_arena_bytes(arena, KAPPA_UUID_CHARS);

    if (position == NULL || event_id == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_uuid_format(id, event_id);
    out->event_id = kappa_str(event_id, KAPPA_UUID_CHARS);
    out->position =
        kappa_store_position_text(deciding->batch->store, seq, position);
    out->duplicate = duplicate;
    return KAPPA_OK;
}

static kappa_status_t
answer(deciding_t *deciding, const kappa_decision_t *decision,
    kappa_arena_t *arena, kappa_mutated_t *out)
{
    kappa_status_t status = KAPPA_OK;

    if (decision->row && decision->view) {
        set_row(&out->row, decision->view, decision->key, decision->row,
            decision->row_len);
        status = hide_row(deciding, &out->row, decision->view, arena);
    }
    return status == KAPPA_OK
        ? tell(deciding, decision->seq, decision->event->id, false, arena, out)
        : status;
}

/* --- the answer to a mutation that was there before */

/* The event `seq`: of this batch, or of the log. Lives until the next one. */
static kappa_status_t
find_event(kappa_batch_t *batch, uint64_t seq, kappa_event_t *out)
{
    kappa_edition_t *edition = batch->store->edition;
    kappa_status_t status = KAPPA_OK;

    if (seq > batch->tail) {
        *out = batch->events[seq - batch->tail - 1];
        return KAPPA_OK;
    }
    if (edition->cursor == NULL) {
        status = kappa_log_cursor_open(
            batch->store->log, seq, &edition->cursor, NULL);
    }
    if (status == KAPPA_OK) {
        kappa_log_cursor_seek(edition->cursor, seq);
        status =
            kappa_log_cursor_next(edition->cursor, batch->tail, out, NULL);
    }
    return status;
}

/* The row as it is now; when it is gone, as the event left it. */
static kappa_status_t
find_row(deciding_t *deciding, const kappa_view_t *view,
    const kappa_event_t *event, kappa_arena_t *arena, kappa_row_t *row)
{
    kappa_key_t key;
    kappa_status_t status = kappa_key_of_json(&key, view, event->key, arena);
    const uint8_t *data = NULL;

    if (status == KAPPA_OK) {
        status = kappa_writer_get(
            deciding->batch->writer, view, kappa_key_str(&key), &data);
    }
    if (status == KAPPA_OK) {
        size_t len = kappa_row_bytes(data);
        uint8_t *copy = kappa_arena_alloc(arena, len);
        kappa_str_t name = kappa_str_dup(arena, kappa_key_str(&key));

        if (copy == NULL || name.data == NULL) {
            return KAPPA_NOMEM;
        }
        memcpy(copy, data, len);
        set_row(row, view, name, copy, len);
        return KAPPA_OK;
    }
    if (status == KAPPA_NOT_FOUND) {
        status = kappa_read_event_row(event, view, arena, row);
    }
    return status == KAPPA_NOT_FOUND || status == KAPPA_CORRUPT ? KAPPA_OK
                                                                : status;
}

static kappa_status_t
repeat(deciding_t *deciding, const kappa_mutation_t *mutation, uint64_t seq,
    kappa_arena_t *arena, kappa_mutated_t *out, kappa_errors_t *errors)
{
    kappa_event_t event;
    kappa_status_t status = find_event(deciding->batch, seq, &event);

    if (status == KAPPA_NOMEM) {
        return status;
    }
    if (status != KAPPA_OK) {
        kappa_errors_add(errors, "LOG_UNAVAILABLE",
            "this mutation was done before, but its event can't be read; "
            "nothing was appended");
        return KAPPA_INVALID;
    }
    if (mutation->view) {
        status = find_row(deciding, mutation->view, &event, arena, &out->row);
    }
    if (status == KAPPA_OK && mutation->view) {
        status = hide_row(deciding, &out->row, mutation->view, arena);
    }
    return status == KAPPA_OK ? tell(deciding, seq, event.id, true, arena, out)
                              : status;
}

/* --- the ops */

static kappa_status_t
decide(deciding_t *deciding, const kappa_mutation_t *mutation,
    kappa_str_t path, const kappa_value_t *args, kappa_arena_t *arena,
    kappa_mutated_t *out, kappa_errors_t *errors)
{
    kappa_event_t event;
    kappa_decision_t decision = { .arena = arena, .errors = errors };
    kappa_status_t status =
        prepare(deciding, mutation, path, args, &event, &decision);

    if (status == KAPPA_OK) {
        status = kappa_batch_decide(deciding->batch, &decision);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    deciding->seq = decision.seq;
    if (decision.duplicate) {
        deciding->repeated++;
        return repeat(deciding, mutation, decision.seq, arena, out, errors);
    }
    deciding->mutated++;
    return answer(deciding, &decision, arena, out);
}

static kappa_status_t
mutate(kappa_data_t *data, const kappa_field_t *field, kappa_str_t path,
    const kappa_value_t *args, kappa_arena_t *arena, kappa_mutated_t *out,
    kappa_errors_t *errors)
{
    *out = (kappa_mutated_t){ .duplicate = false };
    return decide(deciding_of(data), field->binding->data, path, args, arena,
        out, errors);
}

static kappa_status_t
value(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, kappa_arena_t *arena,
    kappa_str_t *json, kappa_errors_t *errors)
{
    kappa_status_t status = flush(deciding_of(data));

    return status == KAPPA_OK
        ? kappa_read_ops.value(data, field, parent, args, arena, json, errors)
        : status;
}

static kappa_status_t
one(kappa_data_t *data, const kappa_field_t *field, const kappa_row_t *parent,
    const kappa_value_t *args, kappa_arena_t *arena, kappa_row_t *row,
    kappa_errors_t *errors)
{
    kappa_status_t status = flush(deciding_of(data));

    return status == KAPPA_OK
        ? kappa_read_ops.one(data, field, parent, args, arena, row, errors)
        : status;
}

static kappa_status_t
list(kappa_data_t *data, const kappa_field_t *field, const kappa_row_t *parent,
    const kappa_value_t *args, bool want_total, kappa_arena_t *arena,
    kappa_page_t *page, kappa_errors_t *errors)
{
    kappa_status_t status = flush(deciding_of(data));

    return status == KAPPA_OK ? kappa_read_ops.list(
               data, field, parent, args, want_total, arena, page, errors)
                              : status;
}

static bool
allowed(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, kappa_arena_t *arena)
{
    return flush(deciding_of(data)) == KAPPA_OK
        && kappa_read_ops.allowed(data, field, parent, args, arena);
}

/* --- a job */

static void
finish(kappa_batch_t *batch, kappa_job_t *job, const deciding_t *deciding)
{
    job->work.batch_appended = deciding->mutated;
    job->work.batch_duplicates = deciding->repeated;
    job->work.seq = deciding->mutated + deciding->repeated
        ? deciding->seq
        : batch->tail + batch->count;
    job->work.over = true;
}

void
kappa_batch_mutations(kappa_batch_t *batch, kappa_job_t *job)
{
    kappa_data_ops_t ops = kappa_read_ops;
    deciding_t deciding = { .batch = batch, .job = job };

    if (job->version != batch->version) {
        kappa_job_fail(job, KAPPA_CONFLICT, "SCHEMA_CHANGED",
            KAPPA_STR("the schema changed meanwhile; send it again"));
        return;
    }
    ops.value = value;
    ops.one = one;
    ops.list = list;
    ops.allowed = allowed;
    ops.mutate = mutate;
    kappa_read_init(&deciding.read, batch->model,
        kappa_writer_txn(batch->writer), &job->caller, job->now_ms, NULL);
    deciding.read.data.ops = &ops;
    deciding.read.siv = batch->store->siv;

    kappa_status_t status = kappa_execute(job->plan, job->variables,
        &deciding.read.data, job->arena, &job->response, &job->outcome);
    if (status == KAPPA_OK && batch->lost == KAPPA_OK) {
        finish(batch, job, &deciding);
        return;
    }
    if (batch->lost == KAPPA_IO || batch->lost == KAPPA_CORRUPT) {
        return;
    }
    if (batch->lost == KAPPA_OK && status != KAPPA_NOMEM) {
        (void)lose(batch, KAPPA_IO, "the views can't be read");
        return;
    }
    (void)lose(batch, KAPPA_NOMEM, "out of memory");
    if (!job->work.over) {
        kappa_job_fail(job, KAPPA_NOMEM, "OVERLOADED",
            KAPPA_STR("out of memory; nothing was appended, retry later"));
    }
}
