#include "base/pairs.h"

bool
kappa_pairs_add(kappa_pairs_t *pairs, const void *a, const void *b)
{
    for (uint32_t i = 0; i < pairs->count; i++) {
        if (pairs->a[i] == a && pairs->b[i] == b) {
            return true;
        }
    }
    if (pairs->count == KAPPA_PAIRS_MAX) {
        return false;
    }
    pairs->a[pairs->count] = a;
    pairs->b[pairs->count++] = b;
    return true;
}
