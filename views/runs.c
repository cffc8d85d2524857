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

/* Beginnings that clash only push each other out. */
static size_t
place_of(kappa_str_t from)
{
    uint64_t h = from.len, word = 0;
    size_t i = 0;

    for (; from.len - i >= sizeof(word); i += sizeof(word)) {
        memcpy(&word, from.data + i, sizeof(word));
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    for (word = 0; i < from.len; i++) {
        word = word << 8 | (unsigned char)from.data[i];
    }
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(h >> 32) % RUNS;
}

kappa_run_t *
kappa_runs_at(kappa_runs_t *runs, uint64_t snapshot, uint8_t dbi,
    bool backwards, kappa_str_t from)
{
    size_t place = place_of(from);
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
