#include "t/unit/test.h"

#include "base/status.h"
#include "t/unit/alloc_failing.h"

static void
aligns_and_zeroes(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 64);

    (void)state;
    for (size_t size = 0; size < 300; size++) {
        char *bytes = kappa_arena_bytes(arena, size);
        char *p = kappa_arena_zalloc(arena, size);

        assert_non_null(bytes);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(p[i], 0);
            p[i] = 1;
            bytes[i] = 2;
        }
    }
    kappa_arena_destroy(arena);
    kappa_arena_destroy(NULL);
}

static void
refuses_sizes_that_wrap(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    assert_null(kappa_arena_alloc(arena, SIZE_MAX));
    assert_null(kappa_arena_bytes(arena, SIZE_MAX - 8));
    assert_non_null(kappa_arena_alloc(arena, 8));
    kappa_arena_destroy(arena);
}

static void
reset_keeps_one_block(void **state)
{
    kappa_alloc_failing_t counting;

    (void)state;
    kappa_alloc_failing_init(&counting, 0);
    kappa_arena_t *arena = kappa_arena_create(&counting.alloc, 128);
    assert_ptr_equal(kappa_arena_source(arena), &counting.alloc);
    kappa_arena_reset(arena);
    for (int i = 0; i < 100; i++) {
        assert_non_null(kappa_arena_alloc(arena, 100));
    }
    size_t used = kappa_arena_used(arena);
    kappa_arena_reset(arena);
    assert_true(kappa_arena_used(arena) < used);
    assert_int_equal(counting.live, 2);
    assert_non_null(kappa_arena_alloc(arena, 100));
    assert_int_equal(counting.live, 2);
    kappa_arena_destroy(arena);
    assert_int_equal(counting.live, 0);
}

static kappa_status_t
allocate_a_lot(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *arena = kappa_arena_create(alloc, 64);
    kappa_status_t status = arena ? KAPPA_OK : KAPPA_NOMEM;

    (void)ctx;
    for (int i = 0; i < 50 && status == KAPPA_OK; i++) {
        status = kappa_arena_alloc(arena, 40) ? KAPPA_OK : KAPPA_NOMEM;
    }
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_no_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(allocate_a_lot, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligns_and_zeroes),
        cmocka_unit_test(refuses_sizes_that_wrap),
        cmocka_unit_test(reset_keeps_one_block),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests_name("base/alloc", tests, NULL, NULL);
}
