#include "t/unit/test.h"

#include <stdio.h>

#include "views/hot.h"

#define KEYS 5000

static void
finds_what_was_kept(void **state)
{
    kappa_hot_t *hot = kappa_hot_create(&kappa_alloc_libc);
    kappa_str_t value;

    (void)state;
    assert_non_null(hot);
    assert_false(kappa_hot_find(hot, 1, KAPPA_STR("a"), &value));
    assert_false(kappa_hot_find(hot, 1, KAPPA_STR(""), &value));
    kappa_hot_keep(hot, 7, KAPPA_STR("a"), KAPPA_STR("one"));
    assert_true(kappa_hot_find(hot, 7, KAPPA_STR("a"), &value));
    assert_str_equal(value, "one");
    assert_false(kappa_hot_find(hot, 7, KAPPA_STR("b"), &value));
    assert_false(kappa_hot_find(hot, 7, KAPPA_STR("aa"), &value));
    kappa_hot_destroy(hot, &kappa_alloc_libc);
    kappa_hot_destroy(NULL, &kappa_alloc_libc);
}

/* What another snapshot holds is not even looked at. */
static void
snapshots_are_apart(void **state)
{
    kappa_hot_t *hot = kappa_hot_create(&kappa_alloc_libc);
    kappa_str_t value;

    (void)state;
    kappa_hot_keep(hot, 7, KAPPA_STR("a"), KAPPA_STR("one"));
    assert_false(kappa_hot_find(hot, 8, KAPPA_STR("a"), &value));
    assert_false(kappa_hot_find(hot, 6, KAPPA_STR("a"), &value));
    kappa_hot_keep(hot, 8, KAPPA_STR("a"), KAPPA_STR("two"));
    assert_true(kappa_hot_find(hot, 8, KAPPA_STR("a"), &value));
    assert_str_equal(value, "two");
    kappa_hot_destroy(hot, &kappa_alloc_libc);
}

/* More keys than places: each is found as itself or not at all. */
static void
keys_push_each_other_out(void **state)
{
    static char keys[KEYS][24];
    kappa_hot_t *hot = kappa_hot_create(&kappa_alloc_libc);
    kappa_str_t value;
    unsigned found = 0;

    (void)state;
    for (int i = 0; i < KEYS; i++) {
        snprintf(keys[i], sizeof(keys[i]), "package-%d", i);
        kappa_hot_keep(hot, 1, kappa_str_c(keys[i]), kappa_str_c(keys[i]));
    }
    for (int i = 0; i < KEYS; i++) {
        if (kappa_hot_find(hot, 1, kappa_str_c(keys[i]), &value)) {
            assert_ptr_equal(value.data, keys[i]);
            found++;
        }
    }
    assert_in_range(found, 1000, 2048);
    kappa_hot_destroy(hot, &kappa_alloc_libc);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_kept),
        cmocka_unit_test(snapshots_are_apart),
        cmocka_unit_test(keys_push_each_other_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
