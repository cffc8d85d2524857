#include "views/exact.h"

#include <math.h>
#include <string.h>

/* big + small as their rounded sum and what that lost; |big| >= |small|. */
static double
two_sum(double big, double small, double *rest)
{
    double sum = big + small;

    *rest = small - (sum - big);
    return sum;
}

/* Adds d to parts[0 .. count); how many there are then. Parts do not overlap,
 * but they may be sparse. */
static uint32_t
grow(double *parts, uint32_t count, double d)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        double rest;

        d = fabs(d) < fabs(parts[i]) ? two_sum(parts[i], d, &rest)
                                     : two_sum(d, parts[i], &rest);
        if (rest != 0) {
            parts[kept++] = rest;
        }
    }
    if (d != 0) {
        parts[kept++] = d;
    }
    return kept;
}

/* From the largest down each part takes all the bits it has room for: then
 * each is less than half a unit of the next, which bounds their number. */
static uint32_t
compress(double *parts, uint32_t count)
{
    double dense[KAPPA_EXACT_PARTS_MAX + 1];
    uint32_t kept = 0;
    double sum, rest;

    if (count == 0) {
        return 0;
    }
    sum = parts[count - 1];
    for (uint32_t i = count - 1; i > 0; i--) {
        sum = two_sum(sum, parts[i - 1], &rest);
        if (rest != 0) {
            dense[kept++] = sum;
            sum = rest;
        }
    }
    dense[kept++] = sum;
    for (uint32_t i = 0; i < kept; i++) {
        parts[i] = dense[kept - 1 - i];
    }
    return kept;
}

bool
kappa_exact_add(kappa_exact_t *sum, double d)
{
    double parts[KAPPA_EXACT_PARTS_MAX + 1];

    if (sum->count != 0) {
        memcpy(parts, sum->parts, sum->count * sizeof(*parts));
    }
    uint32_t kept = compress(parts, grow(parts, sum->count, d));
    if (kept > KAPPA_EXACT_PARTS_MAX
        || (kept != 0 && !isfinite(parts[kept - 1]))) {
        return false;
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
