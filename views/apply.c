#include "views/apply.h"

#include "base/json.h"
#include "views/changes.h"
#include "views/keep.h"
#include "views/used_keys.h"

struct kappa_writer_s {
    const kappa_alloc_t *alloc;
    kappa_env_t *env;
    const kappa_model_t *model;
    kappa_txn_t *txn; /* NULL: no transaction is open */
    bool no_changes;
    int64_t asked_ms;  /* when it is for whoever reads what is accepted */
    int64_t window_ms; /* of idempotency keys; 0: for ever */
    int64_t now_ms;    /* the latest time of a mutation decided */
    uint32_t decided;  /* in this transaction */
    kappa_changeset_t set;
};

/* Of keys that are over, by a transaction: a few, and more than it brings. */
#define SWEEP_LEAST 64
#define SWEEP_TIMES 2

/* --- what the files apply_*.c share */

kappa_status_t
kappa_apply_refuse(
    kappa_apply_t *apply, const char *code, const char *format, ...)
{
    va_list args;

    if (apply->errors == NULL) {
        return KAPPA_INVALID;
    }
    va_start(args, format);
    kappa_str_t message =
        kappa_str_vprintf(apply->errors->arena, format, args);
    va_end(args);
    kappa_errors_add(apply->errors, code, "%.*s", KAPPA_STR_ARG(message));
    return message.data == NULL || apply->errors->no_memory ? KAPPA_NOMEM
                                                            : KAPPA_INVALID;
}

kappa_status_t
kappa_apply_eval(kappa_apply_t *apply, const kappa_expr_t *expr,
    const char *what, kappa_str_t name, kappa_value_t *out)
{
    const char *reason = NULL;
    kappa_status_t status =
        kappa_scope_eval(&apply->scope, expr, apply->set->event, out, &reason);

    if (status != KAPPA_INVALID) {
        return status;
    }
    return kappa_apply_refuse(apply, "BAD_USER_INPUT", "%s of %.*s: %s", what,
        KAPPA_STR_ARG(name), reason ? reason : "it can't be evaluated");
}

static kappa_status_t
get_row(void *ctx, kappa_arena_t *scratch, const kappa_view_t *view,
    kappa_str_t key, kappa_scope_row_t *out)
{
    kappa_changeset_t *set = ctx;
    kappa_node_t *node;
    kappa_status_t status = kappa_keep_node(set, view, key, &node);

    (void)scratch;
    if (status != KAPPA_OK) {
        return status;
    }
    if (!kappa_node_exists(set, node)) {
        return KAPPA_NOT_FOUND;
    }
    kappa_node_row(set, node, out);
    return KAPPA_OK;
}

/* --- the writer's life */

kappa_status_t
kappa_writer_create(const kappa_alloc_t *alloc, kappa_env_t *env,
    const kappa_model_t *model, kappa_writer_t **out)
{
    kappa_writer_t *writer = alloc->alloc(alloc->ctx, sizeof(*writer));

    if (writer == NULL) {
        return KAPPA_NOMEM;
    }
    memset(writer, 0, sizeof(*writer));
    writer->alloc = alloc;
    writer->env = env;
    writer->model = model;
    if (kappa_changeset_init(&writer->set, alloc) != KAPPA_OK) {
        alloc->release(alloc->ctx, writer);
        return KAPPA_NOMEM;
    }
    *out = writer;
    return KAPPA_OK;
}

void
kappa_writer_destroy(kappa_writer_t *writer)
{
    if (writer == NULL) {
        return;
    }
    kappa_writer_abort(writer);
    kappa_changeset_release(&writer->set);
    writer->alloc->release(writer->alloc->ctx, writer);
}

/* Says what the store failed at, once. */
static kappa_status_t
explain(kappa_writer_t *writer, kappa_status_t status, kappa_errors_t *errors)
{
    if (status == KAPPA_IO) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE", "the views: %s",
            kappa_txn_problem(writer->txn));
    } else if (status == KAPPA_CORRUPT) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "the views: what is stored is not what was written");
    }
    return status;
}

kappa_status_t
kappa_writer_begin(kappa_writer_t *writer, kappa_errors_t *errors)
{
    kappa_status_t status = kappa_env_write(writer->env, &writer->txn, errors);
    int64_t clock_ms = INT64_MIN;

    if (status != KAPPA_OK) {
        writer->txn = NULL;
        return status;
    }
    status = kappa_env_clock(writer->txn, &clock_ms);
    kappa_changeset_begin(&writer->set, writer->txn, clock_ms);
    writer->asked_ms = INT64_MIN;
    writer->decided = 0;
    if (status != KAPPA_OK) {
        status = explain(writer, status, errors);
        kappa_writer_abort(writer);
    }
    return status;
}

void
kappa_writer_abort(kappa_writer_t *writer)
{
    kappa_txn_end(writer->txn);
    writer->txn = NULL;
}

static kappa_status_t
sweep(kappa_writer_t *writer)
{
    return writer->window_ms == 0 || writer->decided == 0
        ? KAPPA_OK
        : kappa_used_keys_sweep(writer->txn,
            writer->now_ms - writer->window_ms,
            SWEEP_LEAST + SWEEP_TIMES * writer->decided);
}

static kappa_status_t
flush(kappa_writer_t *writer, uint64_t position)
{
    kappa_txn_t *txn = writer->txn;
    kappa_status_t status = kappa_changeset_flush(&writer->set);

    if (status == KAPPA_OK) {
        status = sweep(writer);
    }
    if (status == KAPPA_OK) {
        status = writer->no_changes ? kappa_changes_forget(txn, position)
                                    : kappa_changes_trim(txn, position);
    }
    if (status == KAPPA_OK) {
        status = kappa_env_put_clock(txn, writer->set.clock_ms);
    }
    return status == KAPPA_OK
        ? kappa_meta_put(txn, KAPPA_META_POSITION, position)
        : status;
}

kappa_status_t
kappa_writer_commit(
    kappa_writer_t *writer, uint64_t position, kappa_errors_t *errors)
{
    kappa_status_t status = explain(writer, flush(writer, position), errors);

    if (status != KAPPA_OK) {
        kappa_writer_abort(writer);
        return status;
    }
    status = kappa_txn_commit(writer->txn, errors);
    writer->txn = NULL;
    return status;
}

kappa_status_t
kappa_writer_flush(kappa_writer_t *writer)
{
    return kappa_changeset_flush(&writer->set);
}

const char *
kappa_writer_problem(const kappa_writer_t *writer)
{
    return writer->txn && writer->txn->problem ? kappa_txn_problem(writer->txn)
                                               : "the views can't be written";
}

kappa_txn_t *
kappa_writer_txn(kappa_writer_t *writer)
{
    return writer->txn;
}

kappa_status_t
kappa_writer_position(kappa_writer_t *writer, uint64_t *seq)
{
    return kappa_env_position(writer->txn, seq);
}

size_t
kappa_writer_bytes(const kappa_writer_t *writer)
{
    return kappa_arena_used(writer->set.batch)
        + kappa_arena_used(writer->set.event);
}

void
kappa_writer_window(kappa_writer_t *writer, int64_t window_ms)
{
    writer->window_ms = window_ms;
}

void
kappa_writer_no_changes(kappa_writer_t *writer, bool on)
{
    writer->no_changes = on;
}

/* --- reading what is accepted */

int64_t
kappa_writer_clock(const kappa_writer_t *writer, int64_t now_ms)
{
    return now_ms > writer->set.clock_ms ? now_ms : writer->set.clock_ms;
}

kappa_status_t
kappa_writer_get(kappa_writer_t *writer, const kappa_view_t *view,
    kappa_str_t key, const uint8_t **row)
{
    kappa_node_t *node;
    kappa_status_t status =
        kappa_changeset_node(&writer->set, view, key, &node);

    if (status != KAPPA_OK) {
        return status;
    }
    int64_t now_ms = kappa_writer_clock(writer, writer->asked_ms);
    *row = node->row;
    return node->row && kappa_keep_end(view, node->row) > now_ms
        ? KAPPA_OK
        : KAPPA_NOT_FOUND;
}

static kappa_status_t
get_accepted(void *ctx, kappa_arena_t *scratch, const kappa_view_t *view,
    kappa_str_t key, kappa_scope_row_t *out)
{
    (void)scratch;
    *out = (kappa_scope_row_t){ .view = view };
    return kappa_writer_get(ctx, view, key, &out->data);
}

void
kappa_writer_scope(kappa_writer_t *writer, kappa_scope_t *scope)
{
    scope->get = get_accepted;
    scope->get_ctx = writer;
    writer->asked_ms = scope->now_ms;
}

/* --- one event */

/* In the log "" and absent are the same. */
static kappa_str_t
named(kappa_str_t name)
{
    return name.len ? name : KAPPA_STR_NULL;
}

static void
prepare(kappa_writer_t *writer, kappa_apply_t *apply,
    const kappa_event_t *event, const kappa_caller_t *caller,
    kappa_errors_t *errors)
{
    static const kappa_caller_t anonymous;

    kappa_changeset_next(&writer->set);
    writer->set.event_ms = event->time_ms;
    writer->set.now_ms = kappa_writer_clock(writer, event->time_ms);
    apply->set = &writer->set;
    apply->model = writer->model;
    apply->in = event;
    apply->errors = errors;
    apply->caller = caller ? caller : &anonymous;
    apply->actor.iss = named(event->actor_iss);
    apply->actor.sub = named(event->actor_sub);
    apply->rule = kappa_model_rule(writer->model, event->thing, event->verb);
    apply->view = apply->rule && apply->rule->view
        ? apply->rule->view
        : kappa_model_view(writer->model, event->thing);
    apply->event.time_ms = event->time_ms;
    apply->event.actor_iss = apply->actor.iss;
    apply->event.actor_sub = apply->actor.sub;
    apply->event.id = event->id;
    apply->scope.now_ms = event->time_ms;
    apply->scope.event = &apply->event;
    apply->scope.get = get_row;
    apply->scope.get_ctx = &writer->set;
}

static kappa_effect_t
effect_of(const kappa_apply_t *apply)
{
    kappa_effect_t given = apply->in->effect;
    kappa_effect_t none = apply->mode == KAPPA_APPLY_REPLAY
        ? KAPPA_EFFECT_NONE
        : KAPPA_EFFECT_UNSET;

    if (given != none && given != KAPPA_EFFECT_UNSET) {
        return given;
    }
    if (apply->mutation != NULL) {
        return apply->mutation->effect;
    }
    return apply->rule ? apply->rule->effect : KAPPA_EFFECT_NONE;
}

/* SEMANTICS 10, from existence on. */
static kappa_status_t
work_out(
    kappa_apply_t *apply, const kappa_value_t *data, const uint8_t random[10])
{
    apply->effect = effect_of(apply);
    kappa_status_t status = kappa_apply_data(apply, data);
    if (status == KAPPA_OK) {
        status = kappa_apply_key(apply, random);
    }
    if (status == KAPPA_OK) {
        status = kappa_apply_existence(apply);
    }
    if (status == KAPPA_OK) {
        status = kappa_apply_check_mutation(apply);
    }
    if (status == KAPPA_OK) {
        status = kappa_apply_effects(apply);
    }
    return status == KAPPA_OK ? kappa_apply_finish(apply) : status;
}

static kappa_status_t
take_text(kappa_arena_t *arena, kappa_buf_t *buf, kappa_str_t *out)
{
    if (!buf->failed) {
        *out = kappa_str_dup(arena, kappa_buf_view(buf));
    }
    return buf->failed || out->data == NULL ? KAPPA_NOMEM : KAPPA_OK;
}

static kappa_status_t
describe_key(kappa_apply_t *apply, kappa_arena_t *arena, kappa_event_t *event)
{
    kappa_buf_t *buf = &apply->set->buf;

    if (kappa_is_null(&apply->event.key)) {
        event->key = KAPPA_STR_NULL;
        return KAPPA_OK;
    }
    kappa_buf_reset(buf);
    kappa_apply_key_json(apply, buf);
    return take_text(arena, buf, &event->key);
}

static kappa_status_t
describe_data(kappa_apply_t *apply, kappa_arena_t *arena, kappa_event_t *event)
{
    kappa_buf_t *buf = &apply->set->buf;

    if (!apply->data_changed) {
        return KAPPA_OK;
    }
    kappa_buf_reset(buf);
    kappa_json_value(buf, &apply->data);
    return take_text(arena, buf, &event->data);
}

/* The row as the event leaves it; of DELETE as it was. */
static kappa_status_t
describe_row(
    kappa_apply_t *apply, kappa_decision_t *decision, kappa_event_t *event)
{
    kappa_node_t *node = apply->node;
    kappa_buf_t *buf = &apply->set->buf;
    const uint8_t *row = NULL;
    size_t len = 0;

    event->row = KAPPA_STR_NULL;
    if (node != NULL) {
        bool now = node->event == apply->set->number && node->row_touched
            && apply->effect != KAPPA_EFFECT_DELETE;

        row = now ? node->new_row : node->row;
        len = now ? node->new_len : node->row_len;
        if (now && node->late_row != NULL) {
            row = node->late_row;
            len = node->late_len;
        }
        decision->key = kappa_str_dup(decision->arena, node->key);
        if (decision->key.data == NULL) {
            return KAPPA_NOMEM;
        }
    }
    if (row == NULL) {
        return KAPPA_OK;
    }
    uint8_t *copy = kappa_arena_alloc(decision->arena, len);
    if (copy == NULL) {
        return KAPPA_NOMEM;
    }
    memcpy(copy, row, len);
    decision->row = copy;
    decision->row_len = len;
    kappa_buf_reset(buf);
    kappa_row_json(buf, node->view, row);
    return take_text(decision->arena, buf, &event->row);
}

static kappa_status_t
describe(
    kappa_apply_t *apply, kappa_decision_t *decision, kappa_event_t *event)
{
    event->effect = apply->effect;
    kappa_status_t status = describe_key(apply, decision->arena, event);
    if (status == KAPPA_OK) {
        status = describe_data(apply, decision->arena, event);
    }
    if (status == KAPPA_OK) {
        status = describe_row(apply, decision, event);
    }
    return status == KAPPA_OK ? kappa_event_check(event, apply->errors)
                              : status;
}

static kappa_status_t
find_duplicate(kappa_writer_t *writer, kappa_decision_t *decision)
{
    kappa_status_t status = kappa_used_keys_find(
        &writer->set, decision->event, writer->window_ms, &decision->seq);

    if (status == KAPPA_CONFLICT) {
        kappa_errors_add(decision->errors, "IDEMPOTENCY_CONFLICT",
            "this idempotency key was used before with other arguments");
        return KAPPA_INVALID;
    }
    decision->duplicate = status == KAPPA_OK;
    return status;
}

kappa_status_t
kappa_writer_decide(kappa_writer_t *writer, kappa_decision_t *decision)
{
    kappa_apply_t apply = { .mutation = decision->mutation,
        .args = decision->args,
        .mode =
            decision->mutation ? KAPPA_APPLY_MUTATION : KAPPA_APPLY_EVENT };
    kappa_event_t event = *decision->event;

    decision->duplicate = false;
    decision->seq = event.seq;
    decision->key = KAPPA_STR_NULL;
    decision->row = NULL;
    decision->row_len = 0;
    prepare(writer, &apply, &event, decision->caller, decision->errors);
    decision->view = apply.view;

    if (decision->mutation != NULL) {
        writer->now_ms = writer->decided++ && writer->now_ms > event.time_ms
            ? writer->now_ms
            : event.time_ms;
    }
    kappa_status_t status = find_duplicate(writer, decision);
    if (status != KAPPA_NOT_FOUND) {
        return explain(writer, status, decision->errors);
    }
    status = work_out(&apply, decision->data, decision->random);
    if (status == KAPPA_OK) {
        status = describe(&apply, decision, &event);
    }
    if (status == KAPPA_OK) {
        status = kappa_apply_accept(&apply, &event, !writer->no_changes);
    }
    if (status == KAPPA_OK) {
        *decision->event = event;
    }
    return explain(writer, status, decision->errors);
}

/* What it did is forgotten, not that it happened: its key is used. */
static kappa_status_t
skip(kappa_writer_t *writer, kappa_apply_t *apply, const kappa_event_t *event,
    const kappa_errors_t *why, bool *skipped)
{
    kappa_status_t status = kappa_skipped_put(writer->txn, event->seq,
        why->first ? why->first->message : KAPPA_STR_NULL);

    *skipped = true;
    kappa_changeset_next(&writer->set);
    if (status == KAPPA_OK) {
        status = kappa_apply_sweep(apply);
    }
    return status == KAPPA_OK ? kappa_apply_accept(apply, event, false)
                              : status;
}

static void
tell_strict(const kappa_event_t *event, const kappa_errors_t *why,
    kappa_errors_t *errors)
{
    kappa_str_t message =
        why->first ? why->first->message : KAPPA_STR("refused");

    kappa_errors_add(errors, why->first ? why->first->code : NULL,
        "event %llu (%.*s %.*s) can't be applied: %.*s",
        (unsigned long long)event->seq, KAPPA_STR_ARG(event->thing),
        KAPPA_STR_ARG(event->verb), KAPPA_STR_ARG(message));
}

kappa_status_t
kappa_writer_replay(kappa_writer_t *writer, const kappa_event_t *event,
    bool strict, bool *skipped, kappa_errors_t *errors)
{
    kappa_apply_t apply = { .mode = KAPPA_APPLY_REPLAY };
    kappa_errors_t why;

    *skipped = false;
    prepare(writer, &apply, event, NULL, &why);
    kappa_errors_init(&why, writer->set.event, 1);
    kappa_status_t status = event->forgotten
        ? kappa_apply_forgotten(&apply, event)
        : work_out(&apply, NULL, NULL);
    if (status == KAPPA_OK) {
        status = kappa_apply_accept(&apply, event, !writer->no_changes);
    } else if (status == KAPPA_INVALID || status == KAPPA_LIMIT) {
        if (strict) {
            tell_strict(event, &why, errors);
            return KAPPA_INVALID;
        }
        status = skip(writer, &apply, event, &why, skipped);
    }
    return explain(writer, status, errors);
}
