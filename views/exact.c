#include "views/exact.h"

#include <math.h>
#include <string.h>

bool
kappa_exact_add(kappa_exact_t *sum, double d)
{
    double parts[KAPPA_EXACT_PARTS_MAX + 1];
    uint32_t kept = 0;

    for (uint32_t i = 0; i < sum->count; i++) {
        double big = d, small = sum->parts[i];

        if (fabs(big) < fabs(small)) {
            double swap = big;
            big = small;
            small = swap;
        }
        d = big + small;
        double rest = small - (d - big);
        if (rest != 0) {
            parts[kept++] = rest;
        }
    }
    if (!isfinite(d) || kept >= KAPPA_EXACT_PARTS_MAX) {
        return false;
    }
    if (d != 0) {
        parts[kept++] = d;
    }
    if (kept != 0) {
        memcpy(sum->parts, parts, kept * sizeof(*parts));
    }
    sum->count = kept;
    return true;
}

/* Adding from the largest part down, the first rest that is not zero decides
 * how it is rounded, unless it is half a unit: then what is below it does. */
double
kappa_exact_value(const kappa_exact_t *sum)
{
    uint32_t n = sum->count;
    double total = n ? sum->parts[--n] : 0;
    double rest = 0;

    while (n > 0 && rest == 0) {
        double before = total;
        double part = sum->parts[--n];

        total = before + part;
        rest = part - (total - before);
    }
    if (n > 0
        && ((rest < 0 && sum->parts[n - 1] < 0)
            || (rest > 0 && sum->parts[n - 1] > 0))) {
        double twice = rest * 2;
        double up = total + twice;

        if (twice == up - total) {
            total = up;
        }
    }
    return total;
}
