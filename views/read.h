#ifndef KAPPA_VIEWS_READ_H
#define KAPPA_VIEWS_READ_H

#include "base/caller.h"
#include "graphql/data.h"
#include "views/change.h"
#include "views/env.h"
#include "views/model.h"

/* Reading views as GraphQL's data: the ops of a kappa_data_t over one
 * transaction. Costs nothing to make; holds nothing but what it is given. */
typedef struct {
    kappa_data_t data; /* first: give &read->data to kappa_execute */
    const kappa_model_t *model;
    kappa_txn_t *txn; /* a snapshot's, or a writer's after a flush */
    const kappa_caller_t *caller; /* NULL: anonymous */
    int64_t now_ms;
    int64_t clock_ms; /* rows whose keep is over by then are not there */
    kappa_dependencies_t *deps; /* NULL: don't note what is read */
    struct kappa_siv_s *siv;    /* seals cursors; NULL: there are none */
    bool personal; /* caller or now_ms were looked at: others may get another
                      answer, or the same one later */
} kappa_read_t;

/* Everything but mutate (NULL). An op's data is a kappa_read_t's. */
extern const kappa_data_ops_t kappa_read_ops;

/* Sets all (clock_ms to now, or a later time of an event), with data.ops =
 * &kappa_read_ops and data.ctx = read. */
void kappa_read_init(kappa_read_t *read, const kappa_model_t *model,
    kappa_txn_t *txn, const kappa_caller_t *caller, int64_t now_ms,
    kappa_dependencies_t *deps);

/* Whether the view's row rule (@allow) lets the caller see this row. */
kappa_status_t kappa_read_visible(kappa_read_t *read, const kappa_row_t *row,
    kappa_arena_t *scratch, bool *visible);

/* The arguments of a @changes field with stamped ones filled in; *out may be
 * args itself, what is filled in lives in the arena and with the caller.
 * KAPPA_INVALID: one error was added, as where nobody is signed in. */
kappa_status_t kappa_read_changes_args(const kappa_field_t *field,
    const kappa_caller_t *caller, const kappa_value_t *args,
    kappa_arena_t *arena, const kappa_value_t **out, kappa_errors_t *errors);

/* The row of `view` as an event left it: event->row, JSON by column name, in
 * today's layout. In the arena. KAPPA_NOT_FOUND: the event has none.
 * KAPPA_CORRUPT: it is no such row. */
kappa_status_t kappa_read_event_row(const kappa_event_t *event,
    const kappa_view_t *view, kappa_arena_t *arena, kappa_row_t *row);

/* What a type that is no view has of an event: an object of those members of
 * event->data that are fields of the type. Values are as they are in data,
 * leaves as their types have them now (a DateTime is canonical); one that
 * today's type can't hold is left out. In the arena. KAPPA_NOT_FOUND: the
 * event was forgotten or has no data. KAPPA_CORRUPT: it is no object. */
kappa_status_t kappa_read_event_data(const kappa_event_t *event,
    const kappa_type_t *type, kappa_arena_t *arena, kappa_value_t *out);

#endif
