#ifndef KAPPA_T_UNIT_ALLOC_FAILING_H
#define KAPPA_T_UNIT_ALLOC_FAILING_H

#include "base/alloc.h"
#include "base/status.h"

/* An allocator over libc that fails its n-th allocation and counts what is
 * alive. Pass &failing.alloc to the code under test. */
typedef struct {
    kappa_alloc_t alloc;
    size_t fail_at; /* from 1; 0: never */
    size_t count;   /* allocations asked for so far */
    size_t live;    /* allocated and not released */
} kappa_alloc_failing_t;

void kappa_alloc_failing_init(kappa_alloc_failing_t *failing, size_t fail_at);

/* What is to be tried: does its work with `alloc`, gives everything back, and
 * says how it went. */
typedef kappa_status_t (*kappa_alloc_failing_run_t)(
    const kappa_alloc_t *alloc, void *ctx);

/* Runs it with the first allocation failing, then the second, and so on until
 * a run asks for fewer. Each run must return KAPPA_NOMEM where one failed, the
 * last KAPPA_OK, and none may leave anything behind; a cmocka assertion fails
 * otherwise. At most 100,000 runs. */
void kappa_alloc_failing_each(kappa_alloc_failing_run_t run, void *ctx);

#endif
