#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/flock.h"
#include "views/boot.h"
#include "views/store_private.h"

/* flock is not fair: who unlocks and locks again at once wins nearly always.
 * So there is a turn as well: who has it waits for the lock alone, and the one
 * who just had the lock has to wait for the turn. */
static void
take_turn(kappa_store_t *store)
{
    if (store->turn >= 0) {
        /* Who has it too long is stopped: then there is no order. */
        (void)kappa_flock(store->turn, store->patience_ms);
    }
}

static void
pass_turn(kappa_store_t *store)
{
    if (store->turn >= 0) {
        flock(store->turn, LOCK_UN);
    }
}

/* Never written through the mapping: where a full disk has no block for it,
 * that would be a signal. Without it the timer notices. */
static bool
write_changes(kappa_store_t *store, uint64_t changes)
{
    return pwrite(store->turn, &changes, sizeof changes, 0)
        == (ssize_t)sizeof changes;
}

void
kappa_store_map_turn(kappa_store_t *store)
{
    struct stat st;

    if (fstat(store->turn, &st) == 0
        && (st.st_size >= (off_t)sizeof(uint64_t)
            || write_changes(store, 0))) {
        void *map = mmap(
            NULL, sizeof(uint64_t), PROT_READ, MAP_SHARED, store->turn, 0);
        store->changes = map == MAP_FAILED ? NULL : map;
    }
}

void
kappa_store_unmap_turn(kappa_store_t *store)
{
    if (store->changes) {
        munmap((void *)store->changes, sizeof(uint64_t));
    }
}

void
kappa_store_announce(kappa_store_t *store)
{
    uint64_t tail = kappa_store_durable(store);

    if (store->changes) {
        (void)write_changes(store, atomic_load(store->changes) + 1);
        store->followed = atomic_load(store->changes);
    }
    if (tail) {
        (void)kappa_tail_write(
            &store->tail, kappa_log_epoch(store->log), tail);
    }
}

bool
kappa_store_outdated(kappa_store_t *store)
{
    return store->changes
        && atomic_load(store->changes) != atomic_load(&store->followed);
}

kappa_status_t
kappa_store_lock(kappa_store_t *store, kappa_errors_t *errors)
{
    pthread_mutex_lock(&store->writing);
    take_turn(store);

    kappa_status_t status =
        kappa_log_lock_within(store->log, store->patience_ms, errors);
    pass_turn(store);
    if (status != KAPPA_OK) {
        pthread_mutex_unlock(&store->writing);
    }
    return status;
}

kappa_status_t
kappa_store_trylock(kappa_store_t *store, kappa_errors_t *errors)
{
    if (pthread_mutex_trylock(&store->writing) != 0) {
        return KAPPA_BUSY;
    }

    kappa_status_t status = kappa_log_trylock(store->log, errors);
    if (status != KAPPA_OK) {
        pthread_mutex_unlock(&store->writing);
    }
    return status;
}

void
kappa_store_unlock(kappa_store_t *store)
{
    kappa_arena_reset(store->scratch);
    kappa_log_unlock(store->log);
    pthread_mutex_unlock(&store->writing);
}

uint64_t
kappa_store_durable(kappa_store_t *store)
{
    kappa_position_t position;

    if (kappa_tail_read(&store->tail, &position) != KAPPA_OK
        || !kappa_epoch_eq(&position.epoch, kappa_log_epoch(store->log))) {
        return 0;
    }
    return position.seq;
}

/* Where the views and the log stand. */
static kappa_status_t
look(kappa_store_t *store, uint64_t *position, uint64_t *tail,
    kappa_errors_t *errors)
{
    kappa_status_t status =
        kappa_edition_position(store->edition, position, errors);
    kappa_log_known_t known = { .durable = kappa_store_durable(store),
        .views = *position };

    if (status == KAPPA_OK) {
        status = kappa_log_tail(store->log, &known, tail, errors);
    }
    if (status == KAPPA_OK && *position > *tail) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "the views stand at %llu, past the log's end, %llu; delete views/ "
            "and start again, the log gives them back",
            (unsigned long long)*position, (unsigned long long)*tail);
        return KAPPA_CORRUPT;
    }
    return status;
}

static kappa_status_t
catch_up(kappa_store_t *store, uint64_t *position, uint64_t tail,
    kappa_errors_t *errors)
{
    if (tail - *position > KAPPA_BEHIND_MAX) {
        store->behind = true;
        return KAPPA_BUSY;
    }

    kappa_status_t status = kappa_store_dirty(store, errors);
    return status == KAPPA_OK ? kappa_store_catch_up(
               store, store->edition, tail, 0, position, errors)
                              : status;
}

kappa_status_t
kappa_store_enter(kappa_store_t *store, uint64_t *tail, kappa_errors_t *errors)
{
    uint64_t position = 0;
    kappa_status_t status = kappa_store_settle(store, errors);

    if (status == KAPPA_OK && store->changes) {
        store->followed = atomic_load(store->changes);
    }
    if (status == KAPPA_OK) {
        status = look(store, &position, tail, errors);
    }
    if (status == KAPPA_OK && position < *tail) {
        status = catch_up(store, &position, *tail, errors);
    }
    if (status == KAPPA_OK) {
        store->ready = true;
        store->behind = false;
    }
    return status;
}

kappa_status_t
kappa_store_dirty(kappa_store_t *store, kappa_errors_t *errors)
{
    kappa_generation_t *generation = store->edition->generation;

    return kappa_boot_dirty(
        generation->dir, store->boot_id, &generation->boot_ours, errors);
}
