#ifndef KAPPA_VIEWS_SIGHT_H
#define KAPPA_VIEWS_SIGHT_H

#include <stdbool.h>
#include <stdint.h>

/* What two files looked like: STORE/views/current and the generation's
 * `about`. They are replaced, never changed, so while both look the same
 * nothing needs to be read again: two system calls instead of nine, before
 * every batch. */
typedef struct {
    struct {
        uint64_t inode;
        int64_t changed_s;
        int64_t changed_ns;
    } files[2];
} kappa_sight_t;

/* store: an open STORE; generation: its number. False: one is not there. */
bool kappa_sight_take(int store, uint32_t generation, kappa_sight_t *sight);

bool kappa_sight_same(const kappa_sight_t *a, const kappa_sight_t *b);

#endif
