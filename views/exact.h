#ifndef KAPPA_VIEWS_EXACT_H
#define KAPPA_VIEWS_EXACT_H

#include <stdbool.h>
#include <stdint.h>

/* The exact sum of doubles, as a list of parts that do not overlap, smallest
 * first (J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic and
 * Fast Robust Geometric Predicates", 1997). What was added can be taken away
 * again without a trace, whatever the order: so a kept @sum is what a sum
 * made afresh would be. */

/* Parts that any sum can have: 2098 bits by 52, and some room. */
#define KAPPA_EXACT_PARTS_MAX 44

typedef struct {
    double *parts; /* room for KAPPA_EXACT_PARTS_MAX; NULL while count is 0 */
    uint32_t count;
} kappa_exact_t;

/* Adds d (subtract by adding -d). sum->parts must have the room. False: it
 * would not be finite; the sum is as it was. */
bool kappa_exact_add(kappa_exact_t *sum, double d);

/* The double nearest to the sum. */
double kappa_exact_value(const kappa_exact_t *sum);

#endif
