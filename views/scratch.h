#ifndef KAPPA_VIEWS_SCRATCH_H
#define KAPPA_VIEWS_SCRATCH_H

#include "views/store_private.h"

/* Views that nobody is served from: an environment of its own under
 * STORE/views, filled from the log by the rules in force, as far as somebody
 * wants to look, and deleted afterwards. One that was left by a process that
 * died is deleted by the next. */
typedef struct {
    kappa_store_t *store;
    const kappa_edition_t *served; /* whose rules; held open */
    kappa_generation_t *held;
    char path[4096];
    kappa_generation_t generation; /* only env and number */
    kappa_edition_t edition;
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end); /* or NULL */
    void *ctx;
    uint64_t position;
} kappa_scratch_t;

/* Large: on the heap. Close it also when this fails. Rows have the numbers of
 * the served ones: equal rows are equal bytes. */
kappa_status_t kappa_scratch_open(kappa_scratch_t *scratch,
    kappa_store_t *store,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_errors_t *errors);
void kappa_scratch_close(kappa_scratch_t *scratch);

/* Deletes what processes that died left. */
void kappa_scratch_sweep(kappa_store_t *store);

/* Applies events up to `end`. KAPPA_DONE: progress said stop. */
kappa_status_t kappa_scratch_replay(
    kappa_scratch_t *scratch, uint64_t end, kappa_errors_t *errors);

#endif
