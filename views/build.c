#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "views/boot.h"
#include "views/store_private.h"

/* Long work on views: catching up from far behind, and building a generation
 * beside the one that serves (DESIGN 7). One builder at a time, by flock on
 * views/build. */

#define PAUSE_US 500 /* between chunks under the lock: others' turn */

typedef struct {
    kappa_store_t *store;
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end);
    void *ctx;
    int views;
    int lock;
    kappa_arena_t *scratch;
    kappa_errors_t *errors;
} build_t;

static bool
go_on(build_t *build, uint64_t seq, uint64_t end)
{
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
                KAPPA_CHUNK_EVENTS, position, build->errors);
            kappa_writer_no_changes(store->edition->writer, false);
        }
    }
    kappa_store_unlock(store);
    return status;
}

static kappa_status_t
fill_current(build_t *build)
{
    for (;;) {
        uint64_t position = 0, tail = 0;
        kappa_status_t status = advance(build, &position, &tail);

        if (status != KAPPA_OK) {
            return status;
        }
        bool more = go_on(build, position, tail);
        if (position == tail) {
            return KAPPA_OK;
        }
        if (!more) {
            return KAPPA_DONE;
        }
        usleep(PAUSE_US);
    }
}

/* --- a generation beside */

/* What was begun and is not, or no longer, of use: all but what serves and
 * the one before it, which stays for rollback. */
typedef struct {
    int views;
    uint32_t serving;
    uint32_t before; /* the highest below; 0: none */
} broom_t;

static void
find_before(void *ctx, uint32_t number)
{
    broom_t *broom = ctx;

    if (number < broom->serving) {
        broom->before = number;
    }
}

static void
sweep_one(void *ctx, uint32_t number)
{
    const broom_t *broom = ctx;

    if (number != broom->serving && number != broom->before) {
        kappa_generation_remove(broom->views, number);
    }
}

/* Under the locks: a process that begins a generation has them too. */
static void
sweep(build_t *build)
{
    broom_t broom = { .views = build->views };

    if (kappa_store_lock(build->store, NULL) != KAPPA_OK) {
        return;
    }
    if (kappa_current_read(build->views, &broom.serving, NULL) == KAPPA_OK) {
        (void)kappa_generations_each(build->views, find_before, &broom, NULL);
        (void)kappa_generations_each(build->views, sweep_one, &broom, NULL);
    }
    kappa_store_unlock(build->store);
}

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

/* A new generation with its edition; nobody else knows it. */
static kappa_status_t
begin_beside(build_t *build, const kappa_about_t *about, kappa_str_t text,
    kappa_edition_t **out)
{
    kappa_store_t *store = build->store;
    kappa_generation_t *generation;
    kappa_status_t status = kappa_generation_make(build->views, store->alloc,
        store->boot_id, &generation, build->errors);

    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_generation_attach(
        generation, store->views_path, store->map_size, build->errors);
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
    memcpy((*out)->about.projections, (*out)->model->projections,
        sizeof about->projections);
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

    while (end - position > KAPPA_CHUNK_EVENTS) {
        kappa_status_t status = kappa_store_catch_up(build->store, edition,
            end, KAPPA_CHUNK_EVENTS, &position, build->errors);

        if (status != KAPPA_OK) {
            return status;
        }
        end = known_end(build);
        if (!go_on(build, position, end)) {
            return KAPPA_DONE;
        }
    }
    return KAPPA_OK;
}

/* How many events its rules could not apply. */
static void
say_skipped(build_t *build, kappa_edition_t *edition)
{
    kappa_txn_t *txn;
    uint64_t skipped = 0;

    if (kappa_env_read(edition->generation->env, &txn) == KAPPA_OK) {
        (void)kappa_env_skipped(txn, &skipped);
        kappa_txn_end(txn);
    }
    kappa_store_say(build->store, skipped > 0,
        "generation %04u serves now; %llu events could not be applied by its "
        "rules and were skipped",
        edition->generation->number, (unsigned long long)skipped);
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
        status = kappa_generation_adopt(edition->generation, &edition->about,
            edition->text, build->errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_current_write(
            build->views, edition->generation->number, build->errors);
    }
    if (status == KAPPA_OK) {
        say_skipped(build, edition);
        kappa_store_serve(store, edition);
        kappa_store_announce(store);
        kappa_store_end_offer(store);
        store->ready = true;
    }
    return status;
}

/* Somebody else may have swapped another one in meanwhile: then an offer is
 * over, and what was built for it is of no use. */
static kappa_status_t
finish_beside(build_t *build, kappa_edition_t *edition, bool offered)
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
    if (status == KAPPA_OK && offered && !store->offer.wanted) {
        status = KAPPA_CONFLICT;
    }
    if (status == KAPPA_OK) {
        status = swap_in(build, edition, tail);
    }
    kappa_store_unlock(store);
    return status;
}

static void
give_up(build_t *build, kappa_edition_t *edition)
{
    kappa_generation_t *generation = edition->generation;
    uint32_t number = generation->number;

    kappa_edition_destroy(edition);
    kappa_generation_close(generation);
    kappa_generation_remove(build->views, number);
}

static kappa_status_t
build_beside(build_t *build, bool offered)
{
    kappa_about_t about;
    kappa_str_t text;
    kappa_edition_t *edition;
    kappa_status_t status = copy_schema(build, offered, &about, &text);

    if (status != KAPPA_OK || text.data == NULL) {
        return status;
    }
    status = begin_beside(build, &about, text, &edition);
    if (status != KAPPA_OK) {
        return status;
    }
    status = fill_beside(build, edition);
    if (status == KAPPA_OK) {
        status = finish_beside(build, edition, offered);
    }
    if (status != KAPPA_OK) {
        give_up(build, edition);
    }
    return status == KAPPA_CONFLICT ? KAPPA_OK : status;
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
    build->lock = openat(build->views, "build",
        O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (build->lock >= 0 && flock(build->lock, LOCK_EX | LOCK_NB) == 0) {
        return KAPPA_OK;
    }
    if (build->lock >= 0 && errno == EWOULDBLOCK) {
        return KAPPA_BUSY;
    }
    kappa_errors_add(build->errors, "STORE_UNAVAILABLE",
        "can't lock views/build: %s", strerror(errno));
    return KAPPA_IO;
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

static kappa_status_t
run(build_t *build, bool rebuild)
{
    kappa_status_t status = begin(build);

    if (status == KAPPA_OK) {
        sweep(build);
        status = fill_current(build);
    }
    if (status == KAPPA_OK && is_offered(build->store)) {
        status = build_beside(build, true);
        if (status == KAPPA_INVALID) {
            refuse_offer(build);
        }
    } else if (status == KAPPA_OK && rebuild) {
        status = build_beside(build, false);
    }
    if (status == KAPPA_OK) {
        sweep(build);
    }
    end(build);
    return status;
}

kappa_status_t
kappa_store_build(kappa_store_t *store,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_errors_t *errors)
{
    build_t build = { .store = store,
        .progress = progress,
        .ctx = ctx,
        .views = -1,
        .lock = -1,
        .errors = errors };

    return kappa_store_wants_build(store) ? run(&build, false) : KAPPA_OK;
}

kappa_status_t
kappa_store_rebuild(kappa_store_t *store,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_errors_t *errors)
{
    build_t build = { .store = store,
        .progress = progress,
        .ctx = ctx,
        .views = -1,
        .lock = -1,
        .errors = errors };

    return run(&build, true);
}
