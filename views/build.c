#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "views/boot.h"
#include "views/build_state.h"
#include "views/store_private.h"
#include "views/unfinished.h"

/* Long work on views: catching up from far behind, building a generation
 * beside the one that serves, and going back to the one before it (DESIGN 7).
 * One builder at a time (views/build_state.h). */

#define PATIENCE_MS 1000 /* with who only sweeps, or is nearly done */
#define PAUSE_US 500     /* between chunks under the lock: others' turn */

/* What a builder is asked for, beside catching up. */
typedef enum {
    GOAL_OFFER,   /* the schema offered, if it needs a build */
    GOAL_REBUILD, /* the offer, else what serves anew */
    GOAL_BACK     /* the generation before */
} goal_t;

typedef struct {
    kappa_store_t *store;
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end);
    void *ctx;
    int views;
    int lock;
    uint32_t chunk; /* of events, the next; 0: the first */
    kappa_arena_t *scratch;
    kappa_build_state_t state;
    kappa_errors_t *errors;
} build_t;

/* How many events are to be applied next. */
static uint32_t
chunk_of(build_t *build, uint32_t most)
{
    uint32_t now = build->chunk ? build->chunk : KAPPA_CHUNK_FIRST;

    now = now < most ? now : most;
    build->chunk = 2 * now;
    return now;
}

/* From here on it is `edition` that is being filled. */
static void
begin_state(build_t *build, kappa_edition_t *edition)
{
    build->state =
        (kappa_build_state_t){ .generation = edition->generation->number,
            .begun_us = kappa_monotonic_us() };
    (void)kappa_edition_position(edition, &build->state.from, NULL);
}

static uint64_t
skipped_of(kappa_edition_t *edition)
{
    kappa_txn_t *txn;
    uint64_t skipped = 0;

    if (kappa_env_read(edition->generation->env, &txn) == KAPPA_OK) {
        (void)kappa_env_skipped(txn, &skipped);
        kappa_txn_end(txn);
    }
    return skipped;
}

/* Tells how far `edition` is; false: stop. */
static bool
go_on(build_t *build, kappa_edition_t *edition, uint64_t seq, uint64_t end)
{
    build->state.built = seq;
    build->state.total = end;
    build->state.skipped = skipped_of(edition);
    kappa_build_write(build->lock, &build->state);
    return build->progress == NULL || build->progress(build->ctx, seq, end);
}

/* --- what serves, from far behind */

/* One chunk under the locks. */
static kappa_status_t
advance(build_t *build, uint64_t *position, uint64_t *tail)
{
    kappa_store_t *store = build->store;
    kappa_status_t status = kappa_store_lock(store, build->errors);

    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_store_enter(store, tail, build->errors);
    *position = *tail;
    if (status == KAPPA_BUSY) {
        status =
            kappa_edition_position(store->edition, position, build->errors);
        if (status == KAPPA_OK) {
            status = kappa_store_dirty(store, build->errors);
        }
        if (status == KAPPA_OK) {
            kappa_writer_no_changes(store->edition->writer, true);
            status = kappa_store_catch_up(store, store->edition, *tail,
                chunk_of(build, KAPPA_CHUNK_LOCKED), position, build->errors);
            kappa_writer_no_changes(store->edition->writer, false);
        }
    }
    kappa_store_unlock(store);
    return status;
}

static kappa_status_t
fill_current(build_t *build)
{
    begin_state(build, build->store->edition);
    for (;;) {
        uint64_t position = 0, tail = 0;
        kappa_status_t status = advance(build, &position, &tail);

        if (status != KAPPA_OK) {
            return status;
        }
        if (position == tail) {
            return KAPPA_OK;
        }
        if (!go_on(build, build->store->edition, position, tail)) {
            return KAPPA_DONE;
        }
        usleep(PAUSE_US);
    }
}

/* --- a generation beside */

/* The schema to build by: the offer, or what is in force, copied. */
static kappa_status_t
copy_schema(
    build_t *build, bool offered, kappa_about_t *about, kappa_str_t *text)
{
    kappa_store_t *store = build->store;
    kappa_str_t name = KAPPA_STR("");

    pthread_mutex_lock(&store->serving);
    if (!offered) {
        name =
            kappa_str_dup(build->scratch, store->edition->about.schema_name);
        *text = kappa_str_dup(build->scratch, store->edition->text);
    } else if (store->offer.arena && store->offer.wanted) {
        name = kappa_str_dup(build->scratch, store->offer.name);
        *text = kappa_str_dup(build->scratch, store->offer.text);
    } else {
        *text = KAPPA_STR_NULL;
    }
    pthread_mutex_unlock(&store->serving);
    *about = (kappa_about_t){ .epoch = *kappa_log_epoch(store->log),
        .revision = 1,
        .schema_name = name };
    return offered || text->data ? KAPPA_OK : KAPPA_NOMEM;
}

/* Where none is configured (the command line): as what serves has it. */
static size_t
map_size_of(kappa_store_t *store)
{
    kappa_env_usage_t usage;

    if (store->map_size) {
        return store->map_size;
    }
    kappa_generation_t *generation = kappa_store_hold(store);
    kappa_env_usage(generation->env, &usage);
    kappa_store_let_go(store, generation);
    return (size_t)usage.map_bytes;
}

/* A generation with its edition; nobody else knows it. */
static kappa_status_t
begin_beside(build_t *build, const kappa_about_t *about, kappa_str_t text,
    kappa_edition_t **out)
{
    kappa_store_t *store = build->store;
    kappa_generation_t *generation;
    kappa_status_t status = kappa_unfinished_begin(
        store, build->views, about, text, &generation, build->errors);

    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_generation_attach(
        generation, store->views_path, map_size_of(store), build->errors);
    if (status == KAPPA_OK) {
        status = kappa_edition_make(store, generation, about, text, NULL, NULL,
            true, out, build->errors);
    }
    if (status != KAPPA_OK) {
        uint32_t number = generation->number;
        kappa_generation_close(generation);
        kappa_generation_remove(build->views, number);
        return status;
    }
    kappa_writer_no_changes((*out)->writer, true);
    return KAPPA_OK;
}

/* Where the views that serve stand: up to there the log is true without its
 * lock. */
static uint64_t
known_end(build_t *build)
{
    return kappa_store_position(build->store);
}

static kappa_status_t
fill_beside(build_t *build, kappa_edition_t *edition)
{
    uint64_t position = 0, end = known_end(build);

    begin_state(build, edition);
    position = build->state.from;
    build->chunk = 0;
    while (end > position && end - position > KAPPA_CHUNK_FIRST) {
        kappa_status_t status =
            kappa_store_catch_up(build->store, edition, end,
                chunk_of(build, KAPPA_CHUNK_EVENTS), &position, build->errors);

        if (status != KAPPA_OK) {
            return status;
        }
        end = known_end(build);
        if (!go_on(build, edition, position, end)) {
            return KAPPA_DONE;
        }
    }
    return KAPPA_OK;
}

/* How many events its rules could not apply. */
static void
say_skipped(build_t *build, kappa_edition_t *edition)
{
    uint64_t skipped = skipped_of(edition);

    kappa_store_say(build->store, skipped > 0,
        "generation %04u serves now; %llu events could not be applied by its "
        "rules and were skipped",
        edition->generation->number, (unsigned long long)skipped);
}

/* Under the locks: it is all there, `current` may name it. */
static kappa_status_t
make_current(build_t *build, kappa_edition_t *edition)
{
    const kappa_edition_t *before = build->store->edition;
    kappa_status_t status = kappa_generation_adopt(
        edition->generation, &edition->about, edition->text, build->errors);

    if (status == KAPPA_OK) {
        status = kappa_previous_write(
            build->views, before->generation->number, build->errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_current_write(
            build->views, edition->generation->number, build->errors);
    }
    return status;
}

/* Under the locks: the rest of the log, then `current`. */
static kappa_status_t
swap_in(build_t *build, kappa_edition_t *edition, uint64_t tail)
{
    kappa_store_t *store = build->store;
    uint64_t position = 0;
    kappa_status_t status =
        kappa_edition_position(edition, &position, build->errors);

    if (status == KAPPA_OK) {
        status = kappa_store_catch_up(
            store, edition, tail, 0, &position, build->errors);
    }
    kappa_writer_no_changes(edition->writer, false);
    if (status == KAPPA_OK) {
        status = make_current(build, edition);
    }
    if (status == KAPPA_OK) {
        kappa_unfinished_end(edition->generation);
        say_skipped(build, edition);
        kappa_store_serve(store, edition);
        kappa_store_announce(store);
        kappa_store_keep_schema(store, edition->text);
        kappa_store_end_offer(store);
        store->ready = true;
    }
    return status;
}

/* What is rolled back must not come again by the next worker that starts with
 * it; what is built for an offer may come. */
static kappa_status_t
note_refusal(build_t *build, const kappa_edition_t *edition, goal_t goal)
{
    kappa_str_t serves = build->store->edition->text;

    if (goal == GOAL_OFFER) {
        return kappa_refused_write(
            build->views, KAPPA_STR_NULL, build->errors);
    }
    return kappa_str_eq(serves, edition->text)
        ? KAPPA_OK
        : kappa_refused_write(build->views, serves, build->errors);
}

/* Somebody else may have swapped another one in meanwhile: then an offer is
 * over, and what was built for it is of no use. */
static kappa_status_t
finish_beside(build_t *build, kappa_edition_t *edition, goal_t goal)
{
    kappa_store_t *store = build->store;
    uint64_t tail = 0;
    kappa_status_t status = kappa_store_lock(store, build->errors);

    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_store_enter(store, &tail, build->errors);
    if (status == KAPPA_BUSY) {
        status = KAPPA_OK;
    }
    if (status == KAPPA_OK && goal == GOAL_OFFER && !store->offer.wanted) {
        status = KAPPA_CONFLICT;
    }
    if (status == KAPPA_OK && goal != GOAL_REBUILD) {
        status = note_refusal(build, edition, goal);
    }
    if (status == KAPPA_OK) {
        status = swap_in(build, edition, tail);
    }
    kappa_store_unlock(store);
    return status;
}

/* Who was stopped may go on. */
static void
give_up(build_t *build, kappa_edition_t *edition, kappa_status_t status)
{
    kappa_generation_t *generation = edition->generation;
    uint32_t number = generation->number;

    kappa_edition_destroy(edition);
    kappa_generation_close(generation);
    if (status != KAPPA_DONE) {
        kappa_generation_remove(build->views, number);
    }
}

static kappa_status_t
build_beside(build_t *build, goal_t goal)
{
    kappa_about_t about;
    kappa_str_t text;
    kappa_edition_t *edition;
    kappa_status_t status =
        copy_schema(build, goal == GOAL_OFFER, &about, &text);

    if (status != KAPPA_OK || text.data == NULL) {
        return status;
    }
    status = begin_beside(build, &about, text, &edition);
    if (status != KAPPA_OK) {
        return status;
    }
    status = fill_beside(build, edition);
    if (status == KAPPA_OK) {
        status = finish_beside(build, edition, goal);
    }
    if (status != KAPPA_OK) {
        give_up(build, edition, status);
    }
    return status == KAPPA_CONFLICT ? KAPPA_OK : status;
}

/* --- the generation before */

static kappa_status_t
open_before(build_t *build, kappa_generation_t **out)
{
    kappa_store_t *store = build->store;
    uint32_t serving = 0, before = 0;
    kappa_status_t status =
        kappa_current_read(build->views, &serving, build->errors);

    if (status == KAPPA_OK) {
        status = kappa_generation_before(
            build->views, serving, &before, build->errors);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (before == 0) {
        kappa_errors_add(build->errors, "NOT_FOUND",
            "%s has no generation before the one that serves", store->path);
        return KAPPA_NOT_FOUND;
    }
    return kappa_generation_open(
        build->views, before, store->alloc, out, build->errors);
}

/* Its schema is built anew where its rows can't be believed any more. */
static kappa_status_t
take_before(build_t *build, kappa_generation_t *generation,
    kappa_edition_t **out, bool *anew)
{
    kappa_store_t *store = build->store;
    kappa_about_t about;
    kappa_str_t text;
    bool trusted = false;
    kappa_status_t status = kappa_generation_about(
        generation, build->scratch, &about, build->errors);

    if (status == KAPPA_OK) {
        status = kappa_generation_schema(
            generation, about.revision, build->scratch, &text, build->errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_boot_trusted(
            generation->dir, store->boot_id, &trusted, build->errors);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    *anew =
        !trusted || !kappa_epoch_eq(&about.epoch, kappa_log_epoch(store->log));
    if (*anew) {
        about.epoch = *kappa_log_epoch(store->log);
        about.revision = 1;
        return begin_beside(build, &about, text, out);
    }
    status = kappa_generation_attach(
        generation, store->views_path, store->map_size, build->errors);
    if (status == KAPPA_OK) {
        status = kappa_boot_dirty(generation->dir, store->boot_id,
            &generation->boot_ours, build->errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_edition_make(store, generation, &about, text, NULL,
            NULL, false, out, build->errors);
    }
    if (status == KAPPA_OK) {
        kappa_writer_no_changes((*out)->writer, true);
    }
    return status;
}

static kappa_status_t
go_back(build_t *build)
{
    kappa_generation_t *generation;
    kappa_edition_t *edition;
    bool anew = false;
    kappa_status_t status = open_before(build, &generation);

    if (status != KAPPA_OK) {
        return status;
    }
    status = take_before(build, generation, &edition, &anew);
    if (status != KAPPA_OK || anew) {
        kappa_generation_close(generation);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    status = fill_beside(build, edition);
    if (status == KAPPA_OK) {
        status = finish_beside(build, edition, GOAL_BACK);
    }
    if (status != KAPPA_OK && anew) {
        give_up(build, edition, status);
    } else if (status != KAPPA_OK) {
        kappa_edition_destroy(edition);
        kappa_generation_close(generation);
    }
    return status;
}

/* --- one builder */

static kappa_status_t
begin(build_t *build)
{
    build->scratch = kappa_arena_create(build->store->alloc, 0);
    build->views = kappa_store_views(build->store, build->errors);
    if (build->views < 0) {
        return KAPPA_IO;
    }
    if (build->scratch == NULL) {
        return KAPPA_NOMEM;
    }
    return kappa_build_lock(
        build->views, PATIENCE_MS, &build->lock, build->errors);
}

static void
end(build_t *build)
{
    if (build->lock >= 0) {
        close(build->lock);
    }
    if (build->views >= 0) {
        close(build->views);
    }
    kappa_arena_destroy(build->scratch);
}

static bool
is_offered(kappa_store_t *store)
{
    pthread_mutex_lock(&store->serving);
    bool wanted = store->offer.wanted;
    pthread_mutex_unlock(&store->serving);
    return wanted;
}

/* Its rules can't apply the log (strict): asking again changes nothing. */
static void
refuse_offer(build_t *build)
{
    if (kappa_store_lock(build->store, NULL) == KAPPA_OK) {
        kappa_store_end_offer(build->store);
        kappa_store_unlock(build->store);
    }
}

/* The first offer that needs a build is built; GOAL_REBUILD without one:
 * what serves. */
static kappa_status_t
pursue(build_t *build, goal_t goal)
{
    kappa_status_t status = KAPPA_OK;

    if (goal == GOAL_BACK) {
        return go_back(build);
    }
    if (is_offered(build->store)) {
        status = build_beside(build, GOAL_OFFER);
        if (status == KAPPA_INVALID) {
            refuse_offer(build);
        }
    } else if (goal == GOAL_REBUILD) {
        status = build_beside(build, GOAL_REBUILD);
    }
    return status;
}

static kappa_status_t
run(kappa_store_t *store, goal_t goal,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_errors_t *errors)
{
    build_t build = { .store = store,
        .progress = progress,
        .ctx = ctx,
        .views = -1,
        .lock = -1,
        .errors = errors };
    kappa_status_t status = begin(&build);

    if (status == KAPPA_OK) {
        kappa_store_sweep_locked(store, build.views);
        status = fill_current(&build);
    }
    if (status == KAPPA_OK) {
        status = pursue(&build, goal);
    }
    if (status == KAPPA_OK) {
        kappa_store_sweep_locked(store, build.views);
    }
    end(&build);
    return status;
}

kappa_status_t
kappa_store_build(kappa_store_t *store,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_errors_t *errors)
{
    return kappa_store_wants_build(store)
        ? run(store, GOAL_OFFER, progress, ctx, errors)
        : KAPPA_OK;
}

kappa_status_t
kappa_store_rebuild(kappa_store_t *store,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_errors_t *errors)
{
    return run(store, GOAL_REBUILD, progress, ctx, errors);
}

kappa_status_t
kappa_store_rollback(kappa_store_t *store,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_errors_t *errors)
{
    return run(store, GOAL_BACK, progress, ctx, errors);
}
