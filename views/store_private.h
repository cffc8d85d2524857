#ifndef KAPPA_VIEWS_STORE_PRIVATE_H
#define KAPPA_VIEWS_STORE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/siv.h"
#include "log/tail.h"
#include "views/generation.h"
#include "views/sight.h"
#include "views/store.h"
#include "views/writer.h"

/* What the files behind views/store.h share.
 *
 * Locks, in the order they are taken: `writing` (one thread of this process),
 * the turn and the log's lock (one process), the views' write transaction.
 * `serving` guards what readers look up and is held for moments only. */

/* Behind by more, appenders and openers leave it to kappa_store_build. */
#define KAPPA_BEHIND_MAX 10000

/* One batch: one write and one fsync. */
#define KAPPA_BATCH_EVENTS_MAX 1000
#define KAPPA_BATCH_BYTES_MAX (4 * 1024 * 1024)
#define KAPPA_BATCH_JOBS_MAX 1024

/* Events applied in one transaction by who catches up, and memory that they
 * may take. Many, because each page of the views that they touch is written
 * anew in every transaction. A build begins with few and doubles them, so that
 * a short one is not all or nothing; with less it holds the log's lock. */
#define KAPPA_CHUNK_FIRST 1000
#define KAPPA_CHUNK_LOCKED 20000
#define KAPPA_CHUNK_EVENTS 25000
#define KAPPA_CHUNK_BYTES (32 * 1024 * 1024)

/* An edition: a schema over a generation, as this process follows it. */
typedef struct kappa_edition_s kappa_edition_t;
struct kappa_edition_s {
    kappa_generation_t *generation;
    kappa_arena_t *arena; /* of all below */
    kappa_about_t about;
    uint64_t version; /* counts what this process served; from 1 */
    kappa_model_t *model;
    kappa_str_t text;
    kappa_writer_t *writer;     /* under `writing` */
    kappa_log_cursor_t *cursor; /* for catching up; under `writing` */
    kappa_edition_t *next;      /* among the retired */
};

/* The schema that this process was started with. */
typedef struct {
    kappa_arena_t *arena; /* NULL: none */
    kappa_model_t *model;
    kappa_str_t name;
    kappa_str_t text;
    bool wanted; /* it needs a generation of its own, which isn't there */
} kappa_offer_t;

struct kappa_store_s {
    const kappa_alloc_t *alloc;
    char *path;       /* DIR */
    char *views_path; /* DIR/views */
    int dir;
    int turn; /* flock: who comes next at the log's lock */
    /* In that file, mapped: how often `current` changed; or NULL. And the
     * count that this process has followed. */
    const _Atomic uint64_t *changes;
    _Atomic uint64_t followed;
    kappa_log_t *log;
    kappa_tail_t tail;
    uint8_t cursor_key[KAPPA_SIV_KEY_BYTES];
    kappa_siv_t *siv; /* of that; under writing */
    char boot_id[KAPPA_BOOT_ID_CHARS + 1];
    size_t map_size;
    int64_t idempotency_window_ms;
    bool strict;
    bool insist;
    int patience_ms; /* for the locks of other processes */
    void (*report)(void *ctx, bool error, kappa_str_t message);
    void *report_ctx;
    void (*committed)(void *ctx, const kappa_commit_t *commit);
    void *committed_ctx;

    pthread_mutex_t writing;
    kappa_sight_t sight;      /* under writing: what `settled` looked like */
    kappa_edition_t *settled; /* an edition that was `current`, or NULL */
    kappa_offer_t offer;      /* under writing, `wanted` also under serving */
    kappa_arena_t *scratch;   /* under writing */
    uint32_t ticks;

    pthread_mutex_t serving;
    kappa_edition_t *edition; /* in force; changed under both */
    kappa_edition_t *retired; /* their models live until the store is closed */
    kappa_snapshot_t *idle;

    atomic_bool ready;
    atomic_bool behind; /* too far for who appends: kappa_store_build's work */
    atomic_bool broken;
};

void kappa_store_say(kappa_store_t *store, bool error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The first error's message, or "no memory". */
kappa_str_t kappa_errors_why(const kappa_errors_t *errors);

/* --- store_lock.c */

void kappa_store_map_turn(kappa_store_t *store);
void kappa_store_unmap_turn(kappa_store_t *store);

/* Takes `writing`, the turn and the log's lock. */
kappa_status_t kappa_store_lock(kappa_store_t *store, kappa_errors_t *errors);
/* KAPPA_BUSY: somebody has one of them. */
kappa_status_t kappa_store_trylock(
    kappa_store_t *store, kappa_errors_t *errors);
void kappa_store_unlock(kappa_store_t *store);

/* Under the locks: follows `current` (store_settle.c), makes the log's tail
 * true and brings the views there. KAPPA_BUSY: they are too far behind, and
 * are left to kappa_store_build. */
kappa_status_t kappa_store_enter(
    kappa_store_t *store, uint64_t *tail, kappa_errors_t *errors);

/* Under the locks, before the views in force are written. */
kappa_status_t kappa_store_dirty(kappa_store_t *store, kappa_errors_t *errors);

/* --- store_settle.c */

/* Under the locks: sees to it that `edition` is what `current` names. Makes
 * and discards generations where it must. */
kappa_status_t kappa_store_settle(
    kappa_store_t *store, kappa_errors_t *errors);

/* Without the log's lock, which can't be had, when a store is opened: follows
 * what `current` names, if it may be believed, for reading. Writes, makes and
 * discards nothing; whoever has the lock can't make it untrue in this boot. */
kappa_status_t kappa_store_peek(kappa_store_t *store);

/* Without locks: whether `current` is something else than the edition. */
bool kappa_store_unsettled(kappa_store_t *store);

/* Under the locks, after `current` or its schema changed: tells the others. */
void kappa_store_announce(kappa_store_t *store);

/* Under the locks, when settled: the offered schema is adopted, or a build is
 * wanted. */
kappa_status_t kappa_store_offer(kappa_store_t *store, kappa_errors_t *errors);

/* Under the locks: the offer is over. */
void kappa_store_end_offer(kappa_store_t *store);

/* An open STORE/views, made when missing; -1 with an error. */
int kappa_store_views(kappa_store_t *store, kappa_errors_t *errors);

/* --- store_schema.c */

/* STORE/schema.graphql: puts the schema there, or if there is none; and reads
 * it, into store->scratch (KAPPA_NOT_FOUND). */
void kappa_store_keep_schema(kappa_store_t *store, kappa_str_t text);
void kappa_store_need_schema(kappa_store_t *store);
kappa_status_t kappa_store_kept_schema(
    kappa_store_t *store, kappa_str_t *text, kappa_errors_t *errors);

/* --- store_need.c */

/* Under the locks, with an offer: whether it needs a build. Says why. */
kappa_status_t kappa_store_needs_build(
    kappa_store_t *store, bool *needed, kappa_errors_t *errors);

/* --- edition.c */

/* Makes an edition of a generation whose environment is open: loads the
 * schema unless the model is given (with its arena, which becomes the
 * edition's, also on failure). write: numbers what has no number yet. */
kappa_status_t kappa_edition_make(kappa_store_t *store,
    kappa_generation_t *generation, const kappa_about_t *about,
    kappa_str_t text, kappa_model_t *model, kappa_arena_t *arena, bool write,
    kappa_edition_t **out, kappa_errors_t *errors);
void kappa_edition_destroy(kappa_edition_t *edition);

/* Puts it in force; the one before retires. Under the locks. */
void kappa_store_serve(kappa_store_t *store, kappa_edition_t *edition);

/* Users of a generation; the last one closes it. Under `serving`. */
void kappa_generation_release(kappa_generation_t *generation);

/* --- store_sweep.c */

/* Deletes generations that are of no use: builds that were killed, and those
 * before the one before. Does nothing while somebody builds. */
void kappa_store_sweep(kappa_store_t *store);
/* The same for who has views/build. */
void kappa_store_sweep_locked(kappa_store_t *store, int views);

/* --- store_read.c */

/* The generation that serves, kept open until it is let go. Any thread. */
kappa_generation_t *kappa_store_hold(kappa_store_t *store);
void kappa_store_let_go(kappa_store_t *store, kappa_generation_t *generation);

/* An idle snapshot; gives the one after it. */
kappa_snapshot_t *kappa_snapshot_free(kappa_snapshot_t *snapshot);

/* --- catch_up.c */

/* Where the views stand. */
kappa_status_t kappa_edition_position(
    kappa_edition_t *edition, uint64_t *position, kappa_errors_t *errors);

/* Applies events up to `upto`, at most max of them (0: all), each chunk in
 * its own transaction; *position is where that led. */
kappa_status_t kappa_store_catch_up(kappa_store_t *store,
    kappa_edition_t *edition, uint64_t upto, uint32_t max, uint64_t *position,
    kappa_errors_t *errors);

#endif
