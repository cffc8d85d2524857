#ifndef KAPPA_BASE_PAIRS_H
#define KAPPA_BASE_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

/* Pairs of things that are to be compared, each once: so a walk over types
 * that may hold themselves ends. Begins with count 0; pairs may be added while
 * they are gone through. */

#define KAPPA_PAIRS_MAX 256

typedef struct {
    const void *a[KAPPA_PAIRS_MAX];
    const void *b[KAPPA_PAIRS_MAX];
    uint32_t count;
} kappa_pairs_t;

/* Adds the pair unless it is there. False: there are too many. */
bool kappa_pairs_add(kappa_pairs_t *pairs, const void *a, const void *b);

#endif
