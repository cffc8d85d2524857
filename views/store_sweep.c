#include <fcntl.h>
#include <unistd.h>

#include "views/build_state.h"
#include "views/store_private.h"
#include "views/unfinished.h"

/* What is not, or no longer, of use: all but what serves, the one before it,
 * which stays for rollback, and a build that somebody may go on with. */
typedef struct {
    kappa_store_t *store;
    int views;
    uint32_t serving;
    uint32_t before; /* 0: none */
    uint32_t found;
    bool remove;
} broom_t;

static void
sweep_one(void *ctx, uint32_t number)
{
    broom_t *broom = ctx;

    if (number == broom->serving || number == broom->before
        || kappa_unfinished_waits(broom->store, broom->views, number)) {
        return;
    }
    broom->found++;
    if (broom->remove) {
        kappa_generation_remove(broom->views, number);
    }
}

static uint32_t
sweep(kappa_store_t *store, int views, bool really)
{
    broom_t broom = { .store = store, .views = views, .remove = really };

    if (kappa_current_read(views, &broom.serving, NULL) == KAPPA_OK
        && kappa_generation_before(views, broom.serving, &broom.before, NULL)
            == KAPPA_OK) {
        (void)kappa_generations_each(views, sweep_one, &broom, NULL);
    }
    return broom.found;
}

/* Under the store's locks: a process that begins a generation has them too. */
void
kappa_store_sweep_locked(kappa_store_t *store, int views)
{
    if (sweep(store, views, false)
        && kappa_store_lock(store, NULL) == KAPPA_OK) {
        (void)sweep(store, views, true);
        kappa_store_unlock(store);
    }
}

void
kappa_store_sweep(kappa_store_t *store)
{
    int lock;
    int views =
        openat(store->dir, "views", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (views < 0) {
        return;
    }
    if (sweep(store, views, false)
        && kappa_build_lock(views, 0, &lock, NULL) == KAPPA_OK) {
        kappa_store_sweep_locked(store, views);
        close(lock);
    }
    close(views);
}
