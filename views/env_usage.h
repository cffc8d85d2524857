#ifndef KAPPA_VIEWS_ENV_USAGE_H
#define KAPPA_VIEWS_ENV_USAGE_H

#include <stdint.h>

/* How an environment is used. A reader that stays pins all pages that were
 * freed since its snapshot: readers_lag tells it, then used_bytes grows. */
typedef struct {
    uint64_t used_bytes;  /* of data.mdb: pages in use or to be used again */
    uint64_t map_bytes;   /* where it is full */
    uint32_t readers;     /* snapshots that are held just now */
    uint64_t readers_lag; /* commits since the oldest of them; 0: none */
    int oldest_reader;    /* the process that holds it, if that lags; or 0 */
} kappa_env_usage_t;

#endif
