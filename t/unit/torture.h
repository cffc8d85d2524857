#ifndef KAPPA_T_UNIT_TORTURE_H
#define KAPPA_T_UNIT_TORTURE_H

#include <stdint.h>

/* How long, and with which seed, a test goes on that could go on for ever.
 * `make test` runs it shortly; `make torture` (KAPPA_TORTURE=1) runs every
 * test that asks here once more, at length. */

/* How often, or how much, or how many seconds. */
uint64_t kappa_test_rounds(uint64_t shortly, uint64_t at_length);

/* KAPPA_SEED, or a new one. It is printed, to be played again. */
uint64_t kappa_test_seed(void);

/* Chance that a seed plays again (xorshift). One for the whole process. */
void kappa_test_chance(uint64_t seed);
uint64_t kappa_test_random(void);

#endif
