#ifndef KAPPA_VIEWS_STORE_H
#define KAPPA_VIEWS_STORE_H

#include "base/caller.h"
#include "graphql/execute.h"
#include "log/filter.h"
#include "log/log.h"
#include "views/change.h"
#include "views/env_usage.h"
#include "views/model.h"

/* A store, opened in one process: a log, the generations of its views, and
 * the schema that serves (DESIGN 6 and 7, SEMANTICS 21 to 29).
 *
 *   DIR/log/          segments, epoch, lock
 *   DIR/views/NNNN/   a generation: LMDB environment, schema, layout
 *   DIR/views/current names the generation that serves and decides
 *   DIR/tail          written after each commit, watched by inotify
 *
 * Open after fork, once per process. Threads: any thread may begin snapshots;
 * one thread commits (views/appender.h gives it). */
typedef struct kappa_store_s kappa_store_t;

/* How a batch went, for who counts. Times in microseconds. */
typedef struct {
    kappa_status_t status; /* not KAPPA_OK: nothing of it stands, or it can't
                              be known */
    uint32_t events;       /* appended */
    uint32_t duplicates;   /* passed by: they were in the log */
    int64_t lock_us;       /* waited for the log's lock */
    int64_t append_us;     /* write and fsync; 0 if there was nothing to */
    int64_t views_us;      /* commit of the views; the same */
    int64_t total_us;
} kappa_commit_t;

typedef struct {
    kappa_str_t dir;
    kappa_str_t schema_name;    /* file name, for messages */
    kappa_str_t schema_text;    /* data NULL: follow what `current` has */
    size_t map_size;            /* 0: 1 TiB */
    const kappa_alloc_t *alloc; /* thread-safe */
    /* Idempotency keys of mutations are forgotten so long after; 0: never. */
    int64_t idempotency_window_ms;
    /* Builds stop at an event that today's rules can't apply, instead of
     * skipping, counting and listing it. */
    bool strict;
    /* The schema comes into force even if it was rolled back. */
    bool insist;
    /* How long to wait for the log's lock while opening; 0: as ever (5 s).
     * Who has it longer is stopped: KAPPA_IO. */
    int patience_ms;
    /* For tests; NULL: the kernel's boot id, the log's defaults. The boot id
     * is the log's, too. */
    const char *boot_id;
    const kappa_log_options_t *log;
    /* Where to say what happens (recovery, builds), from any thread that
     * calls the store; may be NULL. */
    void (*report)(void *ctx, bool error, kappa_str_t message);
    void *report_ctx;
    /* Told of each batch on the committing thread, before its jobs are done;
     * may be NULL. */
    void (*committed)(void *ctx, const kappa_commit_t *commit);
    void *committed_ctx;
} kappa_store_options_t;

/* Makes DIR and a log when missing (0700). What in it belongs to root is
 * given to uid and gid, unless they are -1; a directory that is neither empty
 * nor a store is refused. KAPPA_CORRUPT: there is a store, but a part of it is
 * gone, or the file system lets nothing be made in it; it is as it was, and
 * who opens it is told more. Errors are STORE_UNAVAILABLE. */
kappa_status_t kappa_store_create(
    kappa_str_t dir, int uid, int gid, kappa_errors_t *errors);

/* Opens, offers the schema (SEMANTICS 27) and brings the views to the log's
 * end, or leaves that to kappa_store_build when much is missing: then
 * kappa_store_ready says false and reads answer VIEWS_REBUILDING.
 * KAPPA_INVALID: the schema is refused, errors say where. KAPPA_NOT_FOUND:
 * there is no store at DIR, or it has no schema yet and none is offered.
 * KAPPA_IO, KAPPA_CORRUPT: STORE_UNAVAILABLE or LOG_UNAVAILABLE and why. May
 * wait for other processes. */
kappa_status_t kappa_store_open(const kappa_store_options_t *options,
    kappa_store_t **out, kappa_errors_t *errors);

/* mark: write the clean mark (an orderly exit). */
void kappa_store_close(kappa_store_t *store, bool mark);

bool kappa_store_ready(kappa_store_t *store);

/* Whether kappa_store_build has something to do: the views are not ready, or
 * the schema offered needs a generation of its own. */
bool kappa_store_wants_build(kappa_store_t *store);

/* Whether another process changed `current`: reads here are of the generation
 * before until kappa_store_tick follows. Costs one load; to be asked at each
 * wake-up by STORE/tail, which is written then. */
bool kappa_store_outdated(kappa_store_t *store);

/* The views' environment takes no writes any more (a page could not be
 * written): leave in order and let the process be respawned. */
bool kappa_store_broken(kappa_store_t *store);

/* Catches up or builds a generation, in chunks, yielding the log's lock, on a
 * thread of the caller's; KAPPA_OK: done, or nothing to do. KAPPA_BUSY:
 * another process builds; ask again. progress may be NULL; it is called after
 * each chunk, false stops (KAPPA_DONE), what was built stays. */
kappa_status_t kappa_store_build(kappa_store_t *store,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_errors_t *errors);

/* Builds a new generation by the schema in force, whether needed or not, and
 * swaps it in (`kappa rebuild`). As kappa_store_build. */
kappa_status_t kappa_store_rebuild(kappa_store_t *store,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_errors_t *errors);

/* Puts the generation that served before back in force, after bringing it to
 * the log's end; the one that served stays, and is the next to go back to.
 * Where another schema served, that is not put in force again by being
 * offered (only with `insist`), until another one is. KAPPA_NOT_FOUND: there
 * is none. Else as kappa_store_build. */
kappa_status_t kappa_store_rollback(kappa_store_t *store,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_errors_t *errors);

/* What is told of a store, by any of its processes, from any thread: reads
 * files and the views. */
typedef struct {
    uint32_t generation; /* that serves */
    uint64_t skipped;    /* events its rules could not apply */
    kappa_env_usage_t usage;
    struct {
        bool running; /* in whatever process; else all is 0 */
        uint32_t generation;
        uint64_t built; /* seq */
        uint64_t total;
        uint64_t skipped;
        int64_t elapsed_ms;
        int64_t left_ms; /* by the pace so far; -1: not known yet */
    } build;
} kappa_store_state_t;
kappa_status_t kappa_store_state(
    kappa_store_t *store, kappa_store_state_t *out);

/* The timer's work, about once a second: catch up when the log is ahead and
 * nobody appends, look at `current`, mdb_reader_check. Cheap when there is
 * nothing; else it may wait for other processes and read or write files: not
 * on an event loop. */
kappa_status_t kappa_store_tick(kappa_store_t *store, kappa_errors_t *errors);

/* The model in force, readable from any thread. Another `current` (found by
 * kappa_store_tick or a commit) puts another model in its place and raises
 * version; earlier models stay valid until the store is closed, because plans
 * made for them may still run. */
const kappa_model_t *kappa_store_model(kappa_store_t *store);
uint64_t kappa_store_version(kappa_store_t *store);

kappa_str_t kappa_store_epoch(kappa_store_t *store);
/* EPOCH-SEQ, in out. */
kappa_str_t kappa_store_position_text(
    kappa_store_t *store, uint64_t seq, char out[KAPPA_POSITION_CHARS_MAX]);
uint64_t kappa_store_position(kappa_store_t *store); /* of the views */
kappa_log_t *kappa_store_log(kappa_store_t *store);

/* Of the log: the highest seq that STORE/tail names; 0: it says nothing. From
 * any thread; reads the file. */
uint64_t kappa_store_durable(kappa_store_t *store);

/* Reading. A snapshot is a consistent state of all views; hold it for one
 * request and never across a wait. */
typedef struct kappa_snapshot_s kappa_snapshot_t;

typedef struct {
    const kappa_caller_t *caller; /* NULL: anonymous */
    int64_t now_ms;
    kappa_dependencies_t *deps; /* NULL: don't note what is read */
    uint64_t version;           /* of the plan to be run; 0: any */
} kappa_read_options_t;

/* What options point to must outlive the snapshot. KAPPA_BUSY:
 * VIEWS_REBUILDING. KAPPA_IO: STORE_UNAVAILABLE. KAPPA_CONFLICT: another
 * version is in force by now: plan again. */
kappa_status_t kappa_snapshot_begin(kappa_store_t *store,
    const kappa_read_options_t *options, kappa_snapshot_t **out);
void kappa_snapshot_end(kappa_snapshot_t *snapshot);
kappa_data_t *kappa_snapshot_data(kappa_snapshot_t *snapshot);
uint64_t kappa_snapshot_position(const kappa_snapshot_t *snapshot);
const kappa_model_t *kappa_snapshot_model(const kappa_snapshot_t *snapshot);

/* A state of the views, and the schema they are read by. Where it is the same
 * as before, in this process, so is every answer; but for those that depend on
 * who asks or what time it is (kappa_snapshot_personal). Costs no transaction:
 * what is told is true at that moment. */
typedef struct {
    uint64_t version;  /* kappa_store_version */
    uint64_t snapshot; /* of LMDB: counts commits */
} kappa_standing_t;

kappa_standing_t kappa_snapshot_standing(const kappa_snapshot_t *snapshot);
/* Whether what has been read so far depends on the caller or the time. */
bool kappa_snapshot_personal(const kappa_snapshot_t *snapshot);
/* KAPPA_BUSY, as for a snapshot. */
kappa_status_t kappa_store_standing(
    kappa_store_t *store, kappa_standing_t *out);

/* The views' transaction, for what views/ offers over one (history, skipped
 * events). Ends with the snapshot. */
struct kappa_txn_s *kappa_snapshot_txn(kappa_snapshot_t *snapshot);

/* What changed in events after `after` up to the snapshot's position, in
 * order. KAPPA_NOT_FOUND: records that old are trimmed. each returns false to
 * stop. */
kappa_status_t kappa_snapshot_changes(kappa_snapshot_t *snapshot,
    uint64_t after, bool (*each)(void *ctx, const kappa_change_t *change),
    void *ctx);

/* The first event past `after` that a filter with thing and key asks for (its
 * verb is not looked at), from the views, without looking at others.
 * KAPPA_DONE: none up to where they stand, which *seq says then. KAPPA_BUSY,
 * KAPPA_IO: as kappa_snapshot_begin. */
kappa_status_t kappa_store_history(kappa_store_t *store,
    const kappa_filter_t *filter, uint64_t after, uint64_t *seq);

/* All rows of a view in the order of their keys, at most max a call. Each call
 * reads one snapshot: a row that changes meanwhile is given as it was when its
 * turn came, a row that is there all the time is given once. */
typedef struct {
    kappa_str_t view; /* its name */
    bool begun;       /* the rest is the store's; begin with zeros */
    size_t last_len;
    char last[512];
} kappa_rows_at_t;

typedef bool (*kappa_row_each_t)(
    void *ctx, const kappa_view_t *view, const uint8_t *row);

/* KAPPA_OK: there may be more. KAPPA_DONE: that was all, or each said false.
 * KAPPA_NOT_FOUND: there is no such view. Else as kappa_snapshot_begin. */
kappa_status_t kappa_store_rows(kappa_store_t *store, kappa_rows_at_t *rows,
    uint32_t max, kappa_row_each_t each, void *ctx);

/* Writing. A job is one GraphQL mutation request, or events to append.
 *
 * Events (an import, /events) are decided one by one. The first that is
 * refused ends the job: those before it stand, nothing after it is appended.
 * One whose id was used before is passed by and counted. */
typedef struct kappa_job_s kappa_job_t;
struct kappa_job_s {
    /* in */
    kappa_plan_t *plan; /* a mutation; NULL: `events` */
    uint64_t version;   /* of the model the plan was made for */
    const kappa_value_t *variables;
    kappa_event_t *events; /* thing, verb, key, data …: as
                              kappa_event_parse_json gives them */
    uint32_t event_count;
    kappa_caller_t caller;
    kappa_str_t idempotency_key; /* header; data NULL: none */
    kappa_str_t traceparent;
    int64_t now_ms;
    kappa_arena_t *arena; /* the job's own; lives until it is answered */
    void (*done)(kappa_job_t *job); /* on the committing thread */
    void *owner;

    /* out */
    kappa_buf_t response; /* `{"data":…`, to be ended by the caller; for
                             events nothing. Initialised here when its alloc
                             is NULL; the caller releases it */
    kappa_outcome_t outcome;
    kappa_status_t status; /* OK: response stands */
    const char *code;      /* not OK: LOG_UNAVAILABLE, … */
    kappa_str_t message;
    uint64_t seq;        /* the position to tell: of the last event; 0: none
                            of it stands */
    bool duplicate;      /* every event of it was one already */
    uint32_t failed;     /* events, not OK: number of the first that was not
                            appended */
    uint32_t appended;   /* events of it in the log */
    uint32_t duplicates; /* events of it that were there before */
    kappa_job_t *next;
    struct { /* the store's own */
        uint32_t decided;
        uint32_t batch_appended, batch_duplicates;
        uint64_t seq; /* to tell, once the batch is in the log */
        size_t response_start;
        bool hungry;
        bool over;
    } work;
};

/* Decides, appends, fsyncs once, commits, answers (calls done) each, in their
 * order. More than fits one batch takes several, each with its own fsync. Jobs
 * are zeroed but for what is `in`. Codes of a job that is not OK:
 *   SCHEMA_CHANGED     planned for another version; nothing was appended
 *   VIEWS_REBUILDING   nothing was appended
 *   LOG_UNAVAILABLE    nothing was appended
 *   STORE_UNAVAILABLE  the views can't be written; nothing was appended
 *   OUTCOME_UNKNOWN    retry with the same idempotency key
 *   OVERLOADED         no memory; nothing was appended
 *   others             events: why one was refused */
void kappa_store_commit(kappa_store_t *store, kappa_job_t *jobs);

/* Writes the row of a view (filter's thing) with a key as it was after event
 * `seq` (UINT64_MAX: as it is), as JSON, columns by name. What other things'
 * events, aggregates and groups did to it is in it, by today's rules: where
 * only a replay can tell, the log is replayed up to there. Where nothing but
 * the row's own events change it, it is the row that the last of them has.
 * KAPPA_NOT_FOUND: there was none. KAPPA_INVALID: no such view, or no key of
 * it. */
kappa_status_t kappa_store_show(kappa_store_t *store,
    const kappa_filter_t *filter, uint64_t seq,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_buf_t *out, kappa_errors_t *errors);

/* Forgets all events of a thing and key (docs/events.md): blanks them in the
 * log, builds the views anew from what is left, swaps them in, and deletes the
 * ones before. *events: how many were blanked. What a run before began and did
 * not finish is finished. KAPPA_NOT_FOUND: there is nothing to forget. Else as
 * kappa_store_rebuild, except that it waits for another builder; after
 * KAPPA_IO and KAPPA_DONE it is to be called again. */
kappa_status_t kappa_store_forget(kappa_store_t *store,
    const kappa_filter_t *filter,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    uint64_t *events, kappa_errors_t *errors);

/* Replays the whole log into a scratch environment and compares it with what
 * serves; checks the log's sequence and checksums. Differences are errors. */
kappa_status_t kappa_store_verify(kappa_store_t *store,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_errors_t *errors);

#endif
