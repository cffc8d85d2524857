#ifndef KAPPA_VIEWS_WRITER_H
#define KAPPA_VIEWS_WRITER_H

#include "base/caller.h"
#include "views/env.h"
#include "views/model.h"
#include "views/scope.h"

/* The writer: decides and applies events, one after the other, in one views'
 * transaction. Rows and aggregates stay in memory until the commit; an event
 * is worked out in a changeset over them and thrown away when it is refused,
 * so a refusal leaves no trace. One thread uses a writer at a time.
 *
 *     kappa_writer_begin(writer, errors)
 *     for each event: kappa_writer_decide, or kappa_writer_replay
 *     … append the accepted ones to the log …
 *     kappa_writer_commit(writer, position, errors), or kappa_writer_abort
 *
 * KAPPA_IO, KAPPA_CORRUPT and KAPPA_NOMEM from any call mean that the whole
 * transaction is lost: abort it. */
typedef struct kappa_writer_s kappa_writer_t;

/* The model must have been numbered by kappa_layout_apply for this env, and
 * both outlive the writer. */
kappa_status_t kappa_writer_create(const kappa_alloc_t *alloc,
    kappa_env_t *env, const kappa_model_t *model, kappa_writer_t **out);
void kappa_writer_destroy(kappa_writer_t *writer); /* NULL is fine */

/* Waits for other processes' writers: hold the log's lock. */
kappa_status_t kappa_writer_begin(
    kappa_writer_t *writer, kappa_errors_t *errors);
/* Writes what is in memory and the position (the last applied seq). Ends the
 * transaction either way. */
kappa_status_t kappa_writer_commit(
    kappa_writer_t *writer, uint64_t position, kappa_errors_t *errors);
void kappa_writer_abort(kappa_writer_t *writer); /* without one: nothing */

/* The position that is committed, as the open transaction sees it. */
kappa_status_t kappa_writer_position(kappa_writer_t *writer, uint64_t *seq);

/* Bytes held for the open transaction: commit when it is much (16 MiB). */
size_t kappa_writer_bytes(const kappa_writer_t *writer);

/* Keep no change records (a build that nobody reads yet). Set between
 * transactions; the records that were there are dropped by the next commit. */
void kappa_writer_no_changes(kappa_writer_t *writer, bool on);

/* A mutation's idempotency key is forgotten so long after its event; 0, as at
 * first: never. Set between transactions. What is over is swept away by and
 * by: a transaction in which mutations are decided takes a few along. */
void kappa_writer_window(kappa_writer_t *writer, int64_t window_ms);

/* One event to be decided (SEMANTICS 5 to 10). A mutation gives mutation,
 * args and data; an event of an import or of /events leaves them NULL and
 * gives event->data and event->key as JSON.
 *
 * Set in event by the caller: seq (the one it will have: the log's tail plus
 * the accepted ones of the batch plus 1), id, time_ms, actor, thing, verb,
 * traceparent, idempotency key, scope and hash; effect (UNSET: the rule's).
 * Set by deciding: key, data (with stamps), row and effect; texts in arena.
 * When it is not accepted they are as they were. */
typedef struct {
    kappa_event_t *event;
    const kappa_caller_t *caller; /* NULL: anonymous */
    const kappa_mutation_t *mutation;
    const kappa_value_t *args; /* by number, stamped ones filled in */
    const kappa_value_t *data; /* OBJECT: what event.data is to be, without
                                  the rows' stamps */
    uint8_t random[10];        /* for the key that CREATE makes up */
    kappa_arena_t *arena;      /* results and scratch; the job's */
    kappa_errors_t *errors;

    /* out */
    bool duplicate; /* the idempotency key was used: nothing is applied */
    uint64_t seq;   /* duplicate: of the first; else event->seq */
    const kappa_view_t *view; /* of thing; NULL: no view */
    kappa_str_t key;          /* encoded; data NULL: none */
    const uint8_t *row; /* of thing, as the event left it (DELETE: as it was);
                           in arena; NULL: none */
    size_t row_len;
} kappa_decision_t;

/* In this order: idempotency; existence and row rule of the @event row; the
 * mutation's @checks; effects; views' @checks; unique. (A mutation's @allow is
 * asked by the caller before, see kappa_writer_scope.)
 * KAPPA_OK: applied, or duplicate. KAPPA_INVALID, KAPPA_LIMIT: refused, one
 * error is in errors with its code: ALREADY_EXISTS, NOT_FOUND, NOT_UNIQUE,
 * CHECK_FAILED or the check's, BAD_USER_INPUT, UNAUTHENTICATED,
 * IDEMPOTENCY_CONFLICT, LIMIT_EXCEEDED. */
kappa_status_t kappa_writer_decide(
    kappa_writer_t *writer, kappa_decision_t *decision);

/* Applies an event of the log: no @allow, no @check, no idempotency. What
 * today's rules can't apply is skipped: *skipped, counted and listed in META;
 * with strict it is KAPPA_INVALID and errors says why. */
kappa_status_t kappa_writer_replay(kappa_writer_t *writer,
    const kappa_event_t *event, bool strict, bool *skipped,
    kappa_errors_t *errors);

/* A row as the accepted events so far left it. KAPPA_NOT_FOUND. Valid until
 * the next event is decided. */
kappa_status_t kappa_writer_get(kappa_writer_t *writer,
    const kappa_view_t *view, kappa_str_t key, const uint8_t **row);

/* The later of now and the latest time of an event so far: rows whose keep is
 * over by then are gone. */
int64_t kappa_writer_clock(const kappa_writer_t *writer, int64_t now_ms);

/* Lets a scope's lookups see what kappa_writer_get sees. scope->now_ms is set:
 * rows whose keep is over by then are hidden, until the transaction ends. */
void kappa_writer_scope(kappa_writer_t *writer, kappa_scope_t *scope);

/* Puts what is in memory into the open transaction, so that who reads through
 * it (links and lists in a mutation's answer) sees the accepted events. Cheap
 * when nothing changed since. Deciding goes on as before. KAPPA_IO,
 * KAPPA_NOMEM: the transaction is lost. */
kappa_status_t kappa_writer_flush(kappa_writer_t *writer);

/* Why the transaction was lost, for people. */
const char *kappa_writer_problem(const kappa_writer_t *writer);

/* The open transaction, for reading only, after kappa_writer_flush. */
kappa_txn_t *kappa_writer_txn(kappa_writer_t *writer);

/* Events that replay skipped, the newest 1,000 of them, newest first. */
kappa_status_t kappa_skipped_each(kappa_txn_t *txn,
    bool (*each)(void *ctx, uint64_t seq, kappa_str_t reason), void *ctx);

/* The seqs of the events of a thing and key (key as in kappa_event_t: JSON
 * text), newest first, before `before` (0: all). each returns false to
 * stop. */
kappa_status_t kappa_history_each(kappa_txn_t *txn, kappa_str_t thing,
    kappa_str_t key, uint64_t before, bool (*each)(void *ctx, uint64_t seq),
    void *ctx);

/* The first of them past `after`; KAPPA_DONE: there is none. */
kappa_status_t kappa_history_next(kappa_txn_t *txn, kappa_str_t thing,
    kappa_str_t key, uint64_t after, uint64_t *seq);

#endif
