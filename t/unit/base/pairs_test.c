#include "t/unit/test.h"

#include "base/pairs.h"

static void
keeps_each_pair_once(void **state)
{
    static const char things[KAPPA_PAIRS_MAX + 1];
    kappa_pairs_t pairs = { .count = 0 };

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < KAPPA_PAIRS_MAX; i++) {
            assert_true(kappa_pairs_add(&pairs, &things[i], &things[0]));
            assert_int_equal(pairs.count, round ? KAPPA_PAIRS_MAX : i + 1);
        }
    }
    assert_ptr_equal(pairs.a[3], &things[3]);
    assert_ptr_equal(pairs.b[3], &things[0]);
    assert_false(kappa_pairs_add(&pairs, &things[0], &things[1]));
    assert_false(
        kappa_pairs_add(&pairs, &things[KAPPA_PAIRS_MAX], &things[0]));
    assert_int_equal(pairs.count, KAPPA_PAIRS_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_each_pair_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
