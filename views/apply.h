#ifndef KAPPA_VIEWS_APPLY_H
#define KAPPA_VIEWS_APPLY_H

#include "views/changeset.h"
#include "views/writer.h"

/* One event being worked out: what the files apply_*.c, aggregate.c and
 * group.c share. Private to the writer. */

/* Items of one `each`. */
#define KAPPA_EACH_MAX 1000

typedef enum {
    KAPPA_APPLY_MUTATION,
    KAPPA_APPLY_EVENT, /* of an import or of /events */
    KAPPA_APPLY_REPLAY
} kappa_apply_mode_t;

typedef struct {
    kappa_changeset_t *set;
    const kappa_model_t *model;
    kappa_apply_mode_t mode;
    const kappa_event_t *in;        /* as it came */
    const kappa_event_rule_t *rule; /* NULL: none */
    const kappa_view_t *view;       /* of thing; NULL: none */
    kappa_effect_t effect;          /* on view's row */
    const kappa_mutation_t *mutation;
    const kappa_value_t *args;
    const kappa_caller_t *caller;
    kappa_caller_t actor; /* what a replay knows of the caller */
    kappa_errors_t *errors;
    kappa_scope_t scope;
    kappa_scope_event_t event;

    kappa_value_t data; /* OBJECT, typed; stamps are added */
    bool data_changed;  /* it is not what event->data says any more */
    const kappa_value_t **spread; /* objects whose members are data's too */
    uint32_t spread_count;

    kappa_value_t *key; /* parts of the thing's key; NULL: none */
    bool key_made;      /* it is not what event->key says */
    kappa_node_t *node; /* of the thing and its key; NULL: none */

    /* Rows that changed and have steps ahead, the earliest step first. */
    kappa_node_t *due;
    bool running;       /* the steps are being done */
    uint32_t next_step; /* the first that is not done */
} kappa_apply_t;

/* Refuses the event: adds the error, KAPPA_INVALID. */
kappa_status_t kappa_apply_refuse(kappa_apply_t *apply, const char *code,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* kappa_scope_eval in the event's arena; where it fails the event is refused,
 * naming what. */
kappa_status_t kappa_apply_eval(kappa_apply_t *apply, const kappa_expr_t *expr,
    const char *what, kappa_str_t name, kappa_value_t *out);

/* --- apply_data.c: the event's data and key as values */
kappa_status_t kappa_apply_data(
    kappa_apply_t *apply, const kappa_value_t *data);
/* What data has for a column; NULL: nothing. */
const kappa_value_t *kappa_apply_member(
    const kappa_apply_t *apply, const kappa_column_t *column);
/* Adds or replaces a member at data's top. */
kappa_status_t kappa_apply_set_member(
    kappa_apply_t *apply, kappa_str_t name, const kappa_value_t *value);
/* apply->key and node, made up if that is allowed. */
kappa_status_t kappa_apply_key(kappa_apply_t *apply, const uint8_t random[10]);
/* A part of a key as its column has it: lines of NDJSON hold keys as strings,
 * whatever they are. */
kappa_status_t kappa_apply_part(
    kappa_apply_t *apply, const kappa_column_t *column, kappa_value_t *part);
/* The key as JSON. */
void kappa_apply_key_json(const kappa_apply_t *apply, kappa_buf_t *buf);
/* A key from values, refusing what can't be one. KAPPA_NOT_FOUND: null. */
kappa_status_t kappa_apply_node(kappa_apply_t *apply, const kappa_view_t *view,
    kappa_value_t *parts, kappa_node_t **out);

/* --- apply_row.c: filling a row's cells */
kappa_status_t kappa_apply_cell(kappa_apply_t *apply, kappa_node_t *node,
    kappa_str_t *cells, uint32_t position, const kappa_value_t *value);
/* The cells a row of this node has after an effect that makes or changes it.
 */
kappa_status_t kappa_apply_fill(kappa_apply_t *apply, kappa_node_t *node,
    const kappa_effect_rule_t *rule, kappa_effect_t effect,
    const kappa_value_t *key, kappa_str_t **out);

/* --- apply_effect.c */
/* Whether the thing's own row allows the effect: existence and row rule. */
kappa_status_t kappa_apply_existence(kappa_apply_t *apply);
/* All effects, in order. */
kappa_status_t kappa_apply_effects(kappa_apply_t *apply);

/* --- apply_change.c: a row becomes another, and what follows from that: each
 * step of the model is done once for each row that is another then, in the
 * order of the steps. cells are the changeset's from then on; NULL: the row is
 * no more. */
kappa_status_t kappa_apply_change(
    kappa_apply_t *apply, kappa_node_t *node, kappa_str_t *cells);
/* A copy of the node's cells, to be changed. */
kappa_str_t *kappa_apply_copy_cells(
    const kappa_apply_t *apply, const kappa_node_t *node);

/* --- aggregate.c. before and after are the source row's cells; NULL: there
 * is none. */
kappa_status_t kappa_aggregate_feed(kappa_apply_t *apply,
    const kappa_node_t *source, const kappa_aggregate_t *aggregate,
    const kappa_str_t *before, const kappa_str_t *after);
/* Fills the aggregate columns of a new row from its tally. */
kappa_status_t kappa_aggregate_fill(
    kappa_apply_t *apply, kappa_node_t *node, kappa_str_t *cells);
/* Of the values that it is made of. */
static inline kappa_column_kind_t
kappa_aggregate_kind(const kappa_aggregate_t *aggregate)
{
    return aggregate->source->columns[aggregate->source_column].kind;
}
/* Its place among what the target's tally keeps. */
static inline uint32_t
kappa_aggregate_position(const kappa_aggregate_t *aggregate)
{
    uint32_t i = 0;

    while (aggregate->target->kept[i] != aggregate) {
        i++;
    }
    return i;
}

/* --- extreme.c. A value of a source row is added to a @min or @max (sign 1)
 * or taken away (-1). */
kappa_status_t kappa_extremes_change(kappa_apply_t *apply,
    const kappa_node_t *source, const kappa_aggregate_t *aggregate,
    kappa_kept_t *kept, kappa_str_t target, kappa_str_t value, int sign);
/* The source row leaves by its keep: what it gave to extremes stays without
 * it. */
kappa_status_t kappa_extremes_leave(
    kappa_changeset_t *set, const kappa_node_t *source);
/* Puts what the event did to extremes into the transaction. */
kappa_status_t kappa_extremes_accept(kappa_changeset_t *set);

/* --- group.c */
kappa_status_t kappa_group_feed(kappa_apply_t *apply,
    const kappa_view_t *source, const kappa_view_t *group,
    const kappa_str_t *before, const kappa_str_t *after);

/* --- apply_check.c */
kappa_status_t kappa_apply_check_mutation(kappa_apply_t *apply);
/* At the end: rows' bytes and entries, nulls, views' checks, unique. */
kappa_status_t kappa_apply_finish(kappa_apply_t *apply);
/* What leaves with the event; kappa_apply_finish does it, too. */
kappa_status_t kappa_apply_sweep(kappa_apply_t *apply);

/* --- apply_accept.c: the event stands */
kappa_status_t kappa_apply_accept(
    kappa_apply_t *apply, const kappa_event_t *event, bool changes);

/* --- forgotten.c */

/* A forgotten event is replayed: its views may lack rows that later events
 * have to do with. Its id stays used. */
kappa_status_t kappa_apply_forgotten(
    kappa_apply_t *apply, const kappa_event_t *event);

/* A row of this view is missing. KAPPA_OK: in a replay of a log in which its
 * maker may have been forgotten; then the effect is passed by.
 * KAPPA_NOT_FOUND: else. */
kappa_status_t kappa_apply_missing(
    const kappa_apply_t *apply, const kappa_view_t *view);

/* --- history.c */
kappa_status_t kappa_history_put(
    kappa_changeset_t *set, const kappa_event_t *event);
kappa_status_t kappa_skipped_put(
    kappa_txn_t *txn, uint64_t seq, kappa_str_t reason);

#endif
