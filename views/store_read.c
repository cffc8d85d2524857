#include "views/changes.h"
#include "views/read.h"
#include "views/store_private.h"

/* Snapshots. They are kept for the next one, because there is one a
 * request. */
struct kappa_snapshot_s {
    kappa_read_t read; /* first */
    kappa_store_t *store;
    kappa_generation_t *generation;
    kappa_txn_t *txn;
    uint64_t position;
    uint64_t version;       /* of the edition */
    kappa_arena_t *scratch; /* or NULL */
    kappa_siv_t *siv;
    kappa_snapshot_t *next;
};

/* An idle one, or a new one. */
static kappa_snapshot_t *
take(kappa_store_t *store, const kappa_read_options_t *options,
    kappa_status_t *status)
{
    kappa_snapshot_t *snapshot;

    pthread_mutex_lock(&store->serving);
    const kappa_edition_t *edition = store->edition;
    if (options->version && options->version != edition->version) {
        *status = KAPPA_CONFLICT;
        snapshot = NULL;
    } else if ((snapshot = store->idle)) {
        store->idle = snapshot->next;
    } else {
        *status = KAPPA_NOMEM;
        snapshot = store->alloc->alloc(store->alloc->ctx, sizeof *snapshot);
        if (snapshot) {
            *snapshot = (kappa_snapshot_t){ .store = store };
        }
    }
    if (snapshot) {
        snapshot->generation = edition->generation;
        snapshot->generation->users++;
        snapshot->read.model = edition->model;
        snapshot->version = edition->version;
        *status = KAPPA_OK;
    }
    pthread_mutex_unlock(&store->serving);
    return snapshot;
}

static void
give_back(kappa_snapshot_t *snapshot)
{
    kappa_store_t *store = snapshot->store;

    pthread_mutex_lock(&store->serving);
    kappa_generation_release(snapshot->generation);
    snapshot->generation = NULL;
    snapshot->next = store->idle;
    store->idle = snapshot;
    pthread_mutex_unlock(&store->serving);
}

kappa_status_t
kappa_snapshot_begin(kappa_store_t *store, const kappa_read_options_t *options,
    kappa_snapshot_t **out)
{
    kappa_status_t status;

    if (!store->ready) {
        return KAPPA_BUSY;
    }

    kappa_snapshot_t *snapshot = take(store, options, &status);
    if (snapshot == NULL) {
        return status;
    }
    if (snapshot->siv == NULL) {
        snapshot->siv = kappa_siv_create(store->alloc, store->cursor_key);
    }
    status = snapshot->siv
        ? kappa_env_read(snapshot->generation->env, &snapshot->txn)
        : KAPPA_NOMEM;
    if (status == KAPPA_OK) {
        status = kappa_env_position(snapshot->txn, &snapshot->position);
        if (status != KAPPA_OK) {
            kappa_txn_end(snapshot->txn);
        }
    }
    if (status != KAPPA_OK) {
        give_back(snapshot);
        return status == KAPPA_NOMEM ? status : KAPPA_IO;
    }
    kappa_read_init(&snapshot->read, snapshot->read.model, snapshot->txn,
        options->caller, options->now_ms, options->deps);
    snapshot->read.siv = snapshot->siv;
    *out = snapshot;
    return KAPPA_OK;
}

void
kappa_snapshot_end(kappa_snapshot_t *snapshot)
{
    if (snapshot) {
        kappa_txn_end(snapshot->txn);
        snapshot->txn = NULL;
        give_back(snapshot);
    }
}

kappa_snapshot_t *
kappa_snapshot_free(kappa_snapshot_t *snapshot)
{
    const kappa_alloc_t *alloc = snapshot->store->alloc;
    kappa_snapshot_t *next = snapshot->next;

    kappa_arena_destroy(snapshot->scratch);
    kappa_siv_destroy(snapshot->siv);
    alloc->release(alloc->ctx, snapshot);
    return next;
}

kappa_data_t *
kappa_snapshot_data(kappa_snapshot_t *snapshot)
{
    return &snapshot->read.data;
}

uint64_t
kappa_snapshot_position(const kappa_snapshot_t *snapshot)
{
    return snapshot->position;
}

const kappa_model_t *
kappa_snapshot_model(const kappa_snapshot_t *snapshot)
{
    return snapshot->read.model;
}

kappa_standing_t
kappa_snapshot_standing(const kappa_snapshot_t *snapshot)
{
    return (kappa_standing_t){ snapshot->version, snapshot->txn->snapshot };
}

bool
kappa_snapshot_personal(const kappa_snapshot_t *snapshot)
{
    return snapshot->read.personal;
}

kappa_status_t
kappa_store_standing(kappa_store_t *store, kappa_standing_t *out)
{
    if (!store->ready) {
        return KAPPA_BUSY;
    }
    pthread_mutex_lock(&store->serving);
    const kappa_edition_t *edition = store->edition;
    *out = (kappa_standing_t){ edition->version,
        kappa_env_last(edition->generation->env) };
    pthread_mutex_unlock(&store->serving);
    return KAPPA_OK;
}

kappa_txn_t *
kappa_snapshot_txn(kappa_snapshot_t *snapshot)
{
    return snapshot->txn;
}

kappa_status_t
kappa_snapshot_changes(kappa_snapshot_t *snapshot, uint64_t after,
    bool (*each)(void *ctx, const kappa_change_t *change), void *ctx)
{
    if (after >= snapshot->position) {
        return KAPPA_OK;
    }
    if (snapshot->scratch == NULL) {
        snapshot->scratch = kappa_arena_create(snapshot->store->alloc, 0);
    }
    if (snapshot->scratch == NULL) {
        return KAPPA_NOMEM;
    }

    kappa_status_t status =
        kappa_changes_each(snapshot->txn, snapshot->read.model, after,
            snapshot->position, snapshot->scratch, each, ctx);
    kappa_arena_reset(snapshot->scratch);
    return status;
}

/* Lowers *seq to the first event of that thing, if there is one. */
static kappa_status_t
find_of_thing(kappa_snapshot_t *snapshot, kappa_str_t thing,
    const kappa_filter_t *filter, uint64_t after, uint64_t *seq)
{
    for (uint32_t i = 0; i < filter->key_count; i++) {
        uint64_t next;
        kappa_status_t status = kappa_history_next(
            snapshot->txn, thing, filter->keys[i], after, &next);

        if (status == KAPPA_OK && next < *seq) {
            *seq = next;
        } else if (status != KAPPA_OK && status != KAPPA_DONE) {
            return status;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
find_in_history(kappa_snapshot_t *snapshot, const kappa_filter_t *filter,
    uint64_t after, uint64_t *seq)
{
    const uint64_t none = snapshot->position + 1;

    *seq = none;
    kappa_status_t status =
        find_of_thing(snapshot, filter->thing, filter, after, seq);
    if (status == KAPPA_OK && filter->older.data) {
        status = find_of_thing(snapshot, filter->older, filter, after, seq);
    }
    if (status != KAPPA_OK || *seq < none) {
        return status;
    }
    *seq = snapshot->position;
    return KAPPA_DONE;
}

kappa_status_t
kappa_store_history(kappa_store_t *store, const kappa_filter_t *filter,
    uint64_t after, uint64_t *seq)
{
    const kappa_read_options_t any = { .caller = NULL };
    kappa_snapshot_t *snapshot;
    kappa_status_t status = kappa_snapshot_begin(store, &any, &snapshot);

    if (status == KAPPA_OK) {
        status = find_in_history(snapshot, filter, after, seq);
        kappa_snapshot_end(snapshot);
    }
    return status;
}

kappa_generation_t *
kappa_store_hold(kappa_store_t *store)
{
    pthread_mutex_lock(&store->serving);
    kappa_generation_t *generation = store->edition->generation;
    generation->users++;
    pthread_mutex_unlock(&store->serving);
    return generation;
}

void
kappa_store_let_go(kappa_store_t *store, kappa_generation_t *generation)
{
    pthread_mutex_lock(&store->serving);
    kappa_generation_release(generation);
    pthread_mutex_unlock(&store->serving);
}

/* Without a snapshot's promises: where the views stand just now. */
uint64_t
kappa_store_position(kappa_store_t *store)
{
    kappa_status_t status;
    const kappa_read_options_t any = { .caller = NULL };
    kappa_snapshot_t *snapshot = take(store, &any, &status);
    uint64_t position = 0;

    if (snapshot == NULL) {
        return 0;
    }
    if (kappa_env_read(snapshot->generation->env, &snapshot->txn)
        == KAPPA_OK) {
        (void)kappa_env_position(snapshot->txn, &position);
        kappa_txn_end(snapshot->txn);
    }
    give_back(snapshot);
    return position;
}
