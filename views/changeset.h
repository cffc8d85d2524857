#ifndef KAPPA_VIEWS_CHANGESET_H
#define KAPPA_VIEWS_CHANGESET_H

#include "base/map.h"
#include "views/env.h"
#include "views/exact.h"
#include "views/key.h"
#include "views/pending.h"
#include "views/scope.h"

/* What the events of a transaction do, in memory: nodes over what is stored.
 * A node is a place of a view, under one key: its row, and what the row's
 * aggregates come from (which is kept whether there is a row or not). It
 * holds what the accepted events left, and over it what the event under way
 * makes of it; refusing that event is forgetting the latter. */

/* What one aggregate is made from. */
typedef struct {
    int64_t count;       /* rows that count */
    int64_t sum;         /* of integers */
    kappa_exact_t exact; /* of doubles */
    kappa_str_t extreme; /* MIN, MAX: the value as a key part; len 0: none */
    kappa_str_t left;    /* the same, of rows that left by their keep */
} kappa_kept_t;

/* What all aggregates of one place come from. */
typedef struct {
    int64_t members;     /* of a group */
    kappa_kept_t kept[]; /* by position in view->kept */
} kappa_tally_t;

typedef struct kappa_node_s {
    const kappa_view_t *view;
    kappa_str_t key;  /* encoded */
    kappa_str_t full; /* what it is stored under: row prefix, key */

    /* As the accepted events left it. */
    const uint8_t *row; /* NULL: no row */
    uint32_t row_len;
    uint32_t row_cap;     /* of the memory that row has; 0: none of its own */
    kappa_tally_t *tally; /* NULL: nothing in it, or not loaded */
    bool tally_loaded;
    bool row_dirty; /* not yet in the transaction */
    bool tally_dirty;
    bool listed; /* among the dirty ones */
    struct kappa_node_s *next_dirty;

    /* As the event under way leaves it. */
    uint64_t event; /* its number; another one: untouched */
    bool exists;
    bool row_touched;
    bool stamped;             /* a stamp has filled a column in this event */
    bool fresh;               /* the row was made by this event */
    bool left;                /* the row that was there left by its keep */
    kappa_str_t *cells;       /* JSON by position in view->columns */
    kappa_tally_t *tally_now; /* NULL: untouched */
    struct kappa_node_s *next_touched;

    /* While what follows from a change is worked out (apply_change.c). */
    uint64_t round;            /* its number; another one: not part of it */
    const kappa_str_t *before; /* its cells when that began; NULL: no row */
    uint32_t step;             /* position in view->steps of the next one */
    struct kappa_node_s *next_due;

    /* Worked out at its end. */
    bool changed;
    const uint8_t *new_row;
    uint32_t new_len;
    const uint8_t *late_row; /* made past its keep: it left at once */
    uint32_t late_len;
    kappa_str_t *old_entries; /* per index */
    kappa_str_t *new_entries;
} kappa_node_t;

typedef struct {
    const kappa_alloc_t *alloc;
    kappa_txn_t *txn;
    kappa_arena_t *batch; /* accepted; until the transaction ends */
    kappa_arena_t *event; /* the event under way */
    kappa_map_t nodes;    /* by full */
    kappa_node_t *dirty;
    uint64_t number; /* of the event under way */
    uint64_t round;  /* the last one */
    kappa_node_t *touched;
    kappa_node_t *last_touched;
    kappa_map_t extremes; /* entry to what the event does: see below */
    int64_t clock_ms;     /* the latest time of an accepted event */
    int64_t event_ms;     /* the time of the event under way */
    int64_t now_ms;       /* the latest, with the event under way */
    int64_t due_ms;       /* no row leaves before the clock is there */
    int64_t next_due_ms;  /* that, if the event under way is accepted */
    /* Accepted, and not yet in the transaction. */
    kappa_pending_t pending[KAPPA_DBI_COUNT];
    kappa_buf_t buf; /* for whoever needs it for a moment */
} kappa_changeset_t;

/* Values in `extremes`. */
#define KAPPA_EXTREME_ADDED ((void *)(uintptr_t)1)
#define KAPPA_EXTREME_REMOVED ((void *)(uintptr_t)2)

kappa_status_t kappa_changeset_init(
    kappa_changeset_t *set, const kappa_alloc_t *alloc);
void kappa_changeset_release(kappa_changeset_t *set);

/* Begins with nothing over txn, at its clock. */
void kappa_changeset_begin(
    kappa_changeset_t *set, kappa_txn_t *txn, int64_t clock_ms);

/* The next event: forgets what the one before did and did not accept. */
void kappa_changeset_next(kappa_changeset_t *set);

/* The node for a key, its row read. */
kappa_status_t kappa_changeset_node(kappa_changeset_t *set,
    const kappa_view_t *view, kappa_str_t key, kappa_node_t **out);

/* Whether it has a row now, and that row for expressions. */
bool kappa_node_exists(const kappa_changeset_t *set, const kappa_node_t *node);
void kappa_node_row(const kappa_changeset_t *set, const kappa_node_t *node,
    kappa_scope_row_t *out);

/* Makes it part of the event under way. Its cells are there from then on if
 * it exists. */
kappa_status_t kappa_node_touch(kappa_changeset_t *set, kappa_node_t *node);

/* Its tally as the event under way has it, to be changed; never NULL. */
kappa_status_t kappa_node_tally(
    kappa_changeset_t *set, kappa_node_t *node, kappa_tally_t **out);

/* The event is accepted: what it made of this node stands. */
kappa_status_t kappa_node_accept(kappa_changeset_t *set, kappa_node_t *node);

/* What an accepted event writes beside rows and tallies: it waits (see
 * views/pending.h), so who reads such a database asks for what is there. */
kappa_status_t kappa_changeset_put(kappa_changeset_t *set, kappa_dbi_t dbi,
    kappa_str_t key, kappa_str_t value);
kappa_status_t kappa_changeset_del(
    kappa_changeset_t *set, kappa_dbi_t dbi, kappa_str_t key);
kappa_status_t kappa_changeset_settle(kappa_changeset_t *set, kappa_dbi_t dbi);

/* Puts all that waits and all that is dirty into the transaction. */
kappa_status_t kappa_changeset_flush(kappa_changeset_t *set);

/* Tallies in KAPPA_DBI_AGGREGATES (views/tally.c). Reading needs the view's
 * aggregates; an aggregate that is not there has nothing in it. */
kappa_tally_t *kappa_tally_copy(
    kappa_arena_t *arena, const kappa_view_t *view, const kappa_tally_t *from);
bool kappa_tally_empty(const kappa_view_t *view, const kappa_tally_t *tally);
void kappa_tally_write(
    kappa_buf_t *buf, const kappa_view_t *view, const kappa_tally_t *tally);
kappa_status_t kappa_tally_read(kappa_arena_t *arena, const kappa_view_t *view,
    kappa_str_t bytes, kappa_tally_t **out);

#endif
