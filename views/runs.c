#include "views/runs.h"

#include <stdint.h>

#define RUNS 256

struct kappa_runs_s {
    uint64_t snapshots[RUNS]; /* 0: none */
    kappa_run_t runs[RUNS]; /* memory that is not touched before it is used */
};

kappa_runs_t *
kappa_runs_create(const kappa_alloc_t *alloc)
{
    kappa_runs_t *runs = alloc->alloc(alloc->ctx, sizeof(*runs));

    if (runs != NULL) {
        memset(runs->snapshots, 0, sizeof(runs->snapshots));
    }
    return runs;
}

void
kappa_runs_destroy(kappa_runs_t *runs, const kappa_alloc_t *alloc)
{
    if (runs != NULL) {
        alloc->release(alloc->ctx, runs);
    }
}

kappa_run_t *
kappa_runs_at(kappa_runs_t *runs, uint64_t snapshot, uint8_t dbi,
    bool backwards, kappa_str_t from)
{
    size_t place = kappa_str_hash_words(from) % RUNS;
    kappa_run_t *run = &runs->runs[place];

    if (from.len > KAPPA_RUN_FROM_BYTES) {
        return NULL;
    }
    if (runs->snapshots[place] == snapshot && run->dbi == dbi
        && run->backwards == backwards && run->from_len == from.len
        && memcmp(run->from, from.data, from.len) == 0) {
        return run;
    }
    runs->snapshots[place] = snapshot;
    run->dbi = dbi;
    run->backwards = backwards;
    run->ended = false;
    run->count = 0;
    run->from_len = (uint8_t)from.len;
    memcpy(run->from, from.data, from.len);
    return run;
}
