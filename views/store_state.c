#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/time.h"
#include "views/build_state.h"
#include "views/store_private.h"

/* What health and metrics tell of a store. */

static int64_t
left_of(const kappa_build_state_t *state, int64_t elapsed_us)
{
    uint64_t done =
        state->built > state->from ? state->built - state->from : 0;
    uint64_t missing =
        state->total > state->built ? state->total - state->built : 0;

    if (missing == 0) {
        return 0;
    }
    return done == 0
        ? -1
        : (int64_t)((double)elapsed_us / (double)done * (double)missing / 1e3);
}

static void
tell_build(kappa_store_t *store, kappa_store_state_t *out)
{
    int views =
        openat(store->dir, "views", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    kappa_build_state_t state;

    if (views < 0) {
        return;
    }
    if (kappa_build_read(views, &state)) {
        int64_t elapsed_us = kappa_monotonic_us() - state.begun_us;

        out->build.running = true;
        out->build.generation = (uint32_t)state.generation;
        out->build.built = state.built;
        out->build.total = state.total;
        out->build.skipped = state.skipped;
        out->build.elapsed_ms = elapsed_us / 1000;
        out->build.left_ms = left_of(&state, elapsed_us);
    }
    close(views);
}

kappa_status_t
kappa_store_state(kappa_store_t *store, kappa_store_state_t *out)
{
    kappa_txn_t *txn;

    *out = (kappa_store_state_t){ .build = { .left_ms = -1 } };
    tell_build(store, out);

    kappa_generation_t *generation = kappa_store_hold(store);
    out->generation = generation->number;
    kappa_env_usage(generation->env, &out->usage);
    kappa_status_t status = kappa_env_read(generation->env, &txn);
    if (status == KAPPA_OK) {
        status = kappa_env_skipped(txn, &out->skipped);
        kappa_txn_end(txn);
    }
    kappa_store_let_go(store, generation);
    return status;
}
