#include "t/unit/test.h"

#include <math.h>
#include <stdlib.h>

#include "t/unit/torture.h"
#include "views/exact.h"

static void
adds_what_doubles_lose(void **state)
{
    static const struct {
        double terms[6];
        double sum;
    } cases[] = {
        { { 0 }, 0 }, { { 0.1, 0.2, -0.3 }, 2.7755575615628914e-17 },
        { { 1e16, 1, -1e16 }, 1 }, { { 1e308, 1e-308, -1e308 }, 1e-308 },
        { { 0.1, 0.1, 0.1, 0.1, 0.1, 0.1 }, 0.6000000000000001 },
        { { 1, 0x1p-53, 0x1p-106 }, 1 + 0x1p-52 }, /* not half: up */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        double parts[KAPPA_EXACT_PARTS_MAX];
        kappa_exact_t sum = { parts, 0 };

        for (size_t j = 0; j < 6; j++) {
            assert_true(kappa_exact_add(&sum, cases[i].terms[j]));
        }
        if (kappa_exact_value(&sum) != cases[i].sum) {
            fail_msg("%zu: %.17g is not %.17g", i, kappa_exact_value(&sum),
                cases[i].sum);
        }
    }
}

static double
any_double(void)
{
    return ldexp((double)rand() - RAND_MAX / 2, rand() % 1800 - 900);
}

/* Whatever was added and taken away in whatever order leaves nothing. */
static void
forgets_what_is_taken_away(void **state)
{
    unsigned seed = (unsigned)kappa_test_seed();
    double terms[300], parts[KAPPA_EXACT_PARTS_MAX];
    kappa_exact_t sum = { parts, 0 };

    (void)state;
    srand(seed);
    for (size_t i = 0; i < COUNT(terms); i++) {
        terms[i] = any_double();
        assert_true(kappa_exact_add(&sum, terms[i]));
        assert_true(sum.count <= KAPPA_EXACT_PARTS_MAX);
    }
    for (size_t i = COUNT(terms); i > 1; i--) {
        size_t j = (size_t)rand() % i;
        double swap = terms[i - 1];

        terms[i - 1] = terms[j];
        terms[j] = swap;
        assert_true(kappa_exact_add(&sum, -terms[i - 1]));
    }
    assert_true(kappa_exact_value(&sum) == terms[0]);
}

static void
refuses_infinity(void **state)
{
    double parts[KAPPA_EXACT_PARTS_MAX];
    kappa_exact_t sum = { parts, 0 };

    (void)state;
    assert_true(kappa_exact_add(&sum, 1.7e308));
    assert_false(kappa_exact_add(&sum, 1.7e308));
    assert_true(kappa_exact_value(&sum) == 1.7e308);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_what_doubles_lose),
        cmocka_unit_test(forgets_what_is_taken_away),
        cmocka_unit_test(refuses_infinity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
