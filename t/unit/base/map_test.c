#include "t/unit/test.h"

#include "base/map.h"
#include "t/unit/alloc_failing.h"

static kappa_status_t
fill(const kappa_alloc_t *alloc, void *ctx)
{
    enum {
        N = 500
    };
    kappa_arena_t *arena = kappa_arena_create(alloc, 0);
    kappa_status_t status = arena ? KAPPA_OK : KAPPA_NOMEM;
    static int values[N];
    kappa_map_t map;

    (void)ctx;
    kappa_map_init(&map, arena);
    for (int i = 0; i < N && status == KAPPA_OK; i++) {
        kappa_str_t key = kappa_str_printf(arena, "key%d", i);

        status = key.data ? kappa_map_put(&map, key, &values[i]) : KAPPA_NOMEM;
        if (status == KAPPA_OK) {
            assert_int_equal(map.count, i + 1);
            assert_str_equal(map.entries[i].key, key.data);
            assert_ptr_equal(kappa_map_get(&map, key), &values[i]);
            assert_ptr_equal(
                kappa_map_get(&map, KAPPA_STR("key0")), &values[0]);
        }
    }
    kappa_arena_destroy(arena);
    return status;
}

static void
puts_and_gets(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_map_t map;
    int a, b;

    (void)state;
    kappa_map_init(&map, arena);
    assert_null(kappa_map_get(&map, KAPPA_STR("a")));
    assert_int_equal(kappa_map_put(&map, KAPPA_STR("a"), &a), KAPPA_OK);
    assert_int_equal(kappa_map_put(&map, KAPPA_STR(""), &b), KAPPA_OK);
    assert_ptr_equal(kappa_map_get(&map, KAPPA_STR("a")), &a);
    assert_ptr_equal(kappa_map_get(&map, KAPPA_STR("")), &b);
    assert_null(kappa_map_get(&map, KAPPA_STR("b")));
    assert_int_equal(kappa_map_put(&map, KAPPA_STR("a"), &b), KAPPA_OK);
    assert_ptr_equal(kappa_map_get(&map, KAPPA_STR("a")), &b);
    assert_int_equal(map.count, 2);
    kappa_arena_destroy(arena);
    assert_int_equal(fill(&kappa_alloc_libc, NULL), KAPPA_OK);
}

static void
survives_no_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(fill, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_and_gets),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests_name("base/map", tests, NULL, NULL);
}
