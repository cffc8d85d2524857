#include "views/key.h"
#include "views/read_private.h"
#include "views/row.h"
#include "views/scratch.h"

/* A row as it was. In this order, whichever can tell: the row as it is, if no
 * event since has changed it; its last own event, which has the row, if
 * nothing but own events change rows of that view; a replay up to there. */

typedef struct {
    kappa_store_t *store;
    const kappa_model_t *model;
    const kappa_view_t *view;
    kappa_key_t key;
    uint64_t seq;
    kappa_arena_t *arena;
    kappa_buf_t *out;
    kappa_errors_t *errors;
    bool changed; /* since seq */
} show_t;

/* "hall: ID!, number: Int!" */
static kappa_str_t
print_key(kappa_arena_t *arena, const kappa_view_t *view)
{
    kappa_str_t text = KAPPA_STR("");

    for (uint32_t i = 0; i < view->key_count && text.data; i++) {
        const kappa_column_t *column = &view->columns[view->key[i]];
        kappa_str_t type = kappa_type_ref_print(arena, column->field->type);

        text = kappa_str_printf(arena, "%.*s%s%.*s: %.*s", KAPPA_STR_ARG(text),
            i ? ", " : "", KAPPA_STR_ARG(column->name), KAPPA_STR_ARG(type));
    }
    return text;
}

static kappa_status_t
find_key(show_t *s, const kappa_filter_t *filter)
{
    for (uint32_t i = 0; i < filter->key_count; i++) {
        kappa_status_t status =
            kappa_key_of_json(&s->key, s->view, filter->keys[i], s->arena);

        if (status != KAPPA_NOT_FOUND) {
            return status;
        }
    }
    kappa_str_t parts = print_key(s->arena, s->view);

    kappa_errors_add(s->errors, "BAD_USER_INPUT",
        "that is no key of %.*s, which has %u part%s (%.*s)",
        KAPPA_STR_ARG(s->view->name), s->view->key_count,
        s->view->key_count == 1 ? "" : "s: give them as a JSON list",
        KAPPA_STR_ARG(parts));
    return KAPPA_INVALID;
}

static kappa_status_t
write_row(show_t *s, kappa_txn_t *txn)
{
    kappa_read_t read;
    kappa_row_t row;

    kappa_read_init(&read, s->model, txn, NULL, 0, NULL);
    kappa_status_t status =
        kappa_read_get(&read, s->view, kappa_key_str(&s->key), &row);
    if (status == KAPPA_OK) {
        kappa_row_json(s->out, s->view, row.data);
    }
    return status == KAPPA_OK && s->out->failed ? KAPPA_NOMEM : status;
}

/* --- from the views that serve */

static bool
note_change(void *ctx, const kappa_change_t *change)
{
    show_t *s = ctx;

    s->changed = change->view == s->view
        && kappa_str_eq(change->key, kappa_key_str(&s->key));
    return !s->changed;
}

/* KAPPA_AGAIN: it was changed since, or that is not known any more. */
static kappa_status_t
show_served(show_t *s, kappa_snapshot_t *snapshot)
{
    if (kappa_snapshot_model(snapshot) != s->model) {
        return KAPPA_CONFLICT;
    }
    if (s->seq < kappa_snapshot_position(snapshot)) {
        kappa_status_t status =
            kappa_snapshot_changes(snapshot, s->seq, note_change, s);

        if (status == KAPPA_NOT_FOUND || s->changed) {
            return KAPPA_AGAIN;
        }
        if (status != KAPPA_OK) {
            return status;
        }
    }
    return write_row(s, kappa_snapshot_txn(snapshot));
}

/* --- from its events */

static bool
others_write(const show_t *s)
{
    const kappa_model_t *model = s->model;

    if (s->view->kept_count > 0 || s->view->group_of != NULL
        || s->view->keep_ms != 0) {
        return true;
    }
    for (uint32_t i = 0; i < model->rule_count; i++) {
        const kappa_event_rule_t *rule = model->rules[i];

        for (uint32_t k = 0; k < rule->effect_count; k++) {
            if (rule->effects[k]->view == s->view
                && !rule->effects[k]->by_name) {
                return true;
            }
        }
    }
    return false;
}

typedef struct {
    uint64_t seq; /* the greatest; 0: none */
} last_t;

static bool
note_last(void *ctx, uint64_t seq)
{
    last_t *last = ctx;

    last->seq = seq > last->seq ? seq : last->seq;
    return false;
}

static kappa_status_t
find_last(show_t *s, const kappa_filter_t *filter, kappa_snapshot_t *snapshot,
    uint64_t *seq)
{
    const kappa_str_t things[] = { s->view->name, s->view->was };
    last_t last = { 0 };
    kappa_status_t status = KAPPA_OK;

    for (size_t t = 0; t < 2; t++) {
        for (uint32_t i = 0; things[t].data != NULL && i < filter->key_count
             && status == KAPPA_OK;
             i++) {
            status = kappa_history_each(kappa_snapshot_txn(snapshot),
                things[t], filter->keys[i], s->seq + 1, note_last, &last);
        }
    }
    *seq = last.seq;
    return status;
}

/* The row as that event left it. */
static kappa_status_t
show_event(show_t *s, uint64_t seq)
{
    kappa_log_cursor_t *cursor;
    kappa_event_t event;
    kappa_status_t status =
        kappa_log_cursor_open(s->store->log, seq, &cursor, s->errors);

    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_log_cursor_next(cursor, seq, &event, s->errors);
    if (status == KAPPA_OK
        && (event.row.data == NULL || event.effect == KAPPA_EFFECT_DELETE)) {
        status = KAPPA_NOT_FOUND;
    }
    if (status == KAPPA_OK) {
        kappa_buf_str(s->out, event.row);
        status = s->out->failed ? KAPPA_NOMEM : KAPPA_OK;
    }
    kappa_log_cursor_close(cursor);
    return status;
}

/* --- from a replay */

static kappa_status_t
show_replayed(show_t *s,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx)
{
    const kappa_alloc_t *alloc = s->store->alloc;
    kappa_scratch_t *scratch = alloc->alloc(alloc->ctx, sizeof *scratch);
    kappa_txn_t *txn;

    if (scratch == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status =
        kappa_scratch_open(scratch, s->store, progress, ctx, s->errors);
    if (status == KAPPA_OK && scratch->served->model != s->model) {
        status = KAPPA_CONFLICT;
    }
    if (status == KAPPA_OK) {
        status = kappa_scratch_replay(scratch, s->seq, s->errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_env_read(scratch->generation.env, &txn);
    }
    if (status == KAPPA_OK) {
        status = write_row(s, txn);
        kappa_txn_end(txn);
    }
    kappa_scratch_close(scratch);
    alloc->release(alloc->ctx, scratch);
    return status;
}

/* --- */

/* KAPPA_AGAIN: only a replay can tell. */
static kappa_status_t
show_recorded(show_t *s, const kappa_filter_t *filter)
{
    const kappa_read_options_t any = { .caller = NULL };
    kappa_snapshot_t *snapshot;
    uint64_t last = 0;
    kappa_status_t status = kappa_snapshot_begin(s->store, &any, &snapshot);

    if (status != KAPPA_OK) {
        return status;
    }
    status = show_served(s, snapshot);
    if (status == KAPPA_AGAIN && !others_write(s)) {
        status = find_last(s, filter, snapshot, &last);
        status = status == KAPPA_OK && last == 0 ? KAPPA_NOT_FOUND : status;
    }
    kappa_snapshot_end(snapshot);
    return status == KAPPA_OK && last != 0 ? show_event(s, last) : status;
}

static kappa_status_t
show(show_t *s, const kappa_filter_t *filter,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx)
{
    s->model = kappa_store_model(s->store);
    s->view = kappa_model_view(s->model, filter->thing);
    if (s->view == NULL) {
        kappa_errors_add(s->errors, "BAD_USER_INPUT", "%.*s is no view",
            KAPPA_STR_ARG(filter->thing));
        return KAPPA_INVALID;
    }
    kappa_status_t status = find_key(s, filter);
    if (status == KAPPA_OK) {
        status = show_recorded(s, filter);
    }
    if (status == KAPPA_AGAIN) {
        status = show_replayed(s, progress, ctx);
    }
    if (status == KAPPA_CONFLICT) {
        kappa_errors_add(s->errors, "SCHEMA_CHANGED",
            "another schema came into force; ask again");
    }
    return status;
}

kappa_status_t
kappa_store_show(kappa_store_t *store, const kappa_filter_t *filter,
    uint64_t seq, bool (*progress)(void *ctx, uint64_t seq, uint64_t end),
    void *ctx, kappa_buf_t *out, kappa_errors_t *errors)
{
    show_t s = { .store = store, .seq = seq, .out = out, .errors = errors };

    s.arena = kappa_arena_create(store->alloc, 0);
    kappa_status_t status =
        s.arena ? show(&s, filter, progress, ctx) : KAPPA_NOMEM;
    kappa_arena_destroy(s.arena);
    return status;
}
