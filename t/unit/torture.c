#include "t/unit/torture.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t chance = 1;

static bool
is_set(const char *value)
{
    return value != NULL && value[0] != '\0' && value[0] != '0';
}

uint64_t
kappa_test_rounds(uint64_t shortly, uint64_t at_length)
{
    return is_set(getenv("KAPPA_TORTURE")) ? at_length : shortly;
}

uint64_t
kappa_test_seed(void)
{
    const char *wanted = getenv("KAPPA_SEED");
    uint64_t seed = wanted != NULL && wanted[0] != '\0'
        ? strtoull(wanted, NULL, 10)
        : (uint64_t)time(NULL) * 1000 + (uint64_t)getpid() % 1000;

    printf("# KAPPA_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

void
kappa_test_chance(uint64_t seed)
{
    /* Seeds that follow each other begin differently; never 0. */
    chance = seed * 0x9e3779b97f4a7c15ULL | 1;
}

uint64_t
kappa_test_random(void)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return chance;
}
