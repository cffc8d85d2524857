#include "t/unit/test.h"

#include "base/json.h"
#include "base/value.h"
#include "t/unit/alloc_failing.h"

static kappa_value_t
parse(kappa_arena_t *arena, const char *text)
{
    kappa_value_t v = { 0 };

    assert_int_equal(
        kappa_json_parse(arena, kappa_str_c(text), &v, NULL), KAPPA_OK);
    return v;
}

static void
compares(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        { "null", "null", true },
        { "null", "false", false },
        { "true", "true", true },
        { "1", "1", true },
        { "1", "1.0", false },
        { "1.5", "1.5", true },
        { "\"a\"", "\"a\"", true },
        { "\"a\"", "\"b\"", false },
        { "[1,2]", "[1,2]", true },
        { "[1,2]", "[2,1]", false },
        { "[1]", "[1,2]", false },
        { "{}", "{}", true },
        { "{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":3,\"b\":2,\"a\":1}", true },
        { "{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false },
        { "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":3}", false },
        { "{\"a\":[{\"b\":1}]}", "{\"a\":[{\"b\":1}]}", true },
        { "{\"a\":[{\"b\":1}]}", "{\"a\":[{\"b\":2}]}", false },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_value_t a = parse(arena, cases[i].a);
        kappa_value_t b = parse(arena, cases[i].b);

        assert_int_equal(kappa_value_eq(&a, &b), cases[i].equal);
        assert_int_equal(kappa_value_eq(&b, &a), cases[i].equal);
    }
    kappa_value_t one = kappa_int(1), big = kappa_bigint(1);
    kappa_value_t time = kappa_time(1), unset = { 0 }, null = kappa_null();
    assert_true(kappa_value_eq(&one, &big));
    assert_false(kappa_value_eq(&one, &time));
    assert_false(kappa_value_eq(&unset, &null));
    kappa_arena_destroy(arena);
}

/* 20,000 members in reverse order: instant, or minutes under ASan. */
static void
compares_large_objects(void **state)
{
    enum {
        N = 20000
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_member_t *forth = KAPPA_NEW_ARRAY(arena, kappa_member_t, N);
    kappa_member_t *back = KAPPA_NEW_ARRAY(arena, kappa_member_t, N);

    (void)state;
    for (int i = 0; i < N; i++) {
        forth[i].name = kappa_str_printf(arena, "%d", i);
        forth[i].value = kappa_int(i);
        back[N - 1 - i] = forth[i];
    }
    kappa_value_t a = {
        .kind = KAPPA_OBJECT, .count = N, .as.members = forth
    };
    kappa_value_t b = { .kind = KAPPA_OBJECT, .count = N, .as.members = back };
    assert_true(kappa_value_eq(&a, &b));
    back[7].value = kappa_int(-1);
    assert_false(kappa_value_eq(&a, &b));
    back[7].value = forth[N - 8].value;
    back[8].name = KAPPA_STR("other");
    assert_false(kappa_value_eq(&a, &b));
    kappa_arena_destroy(arena);
}

static void
finds_members(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_value_t v = parse(arena, "{\"a\":1,\"b\":null}");

    (void)state;
    assert_int_equal(kappa_value_member(&v, KAPPA_STR("a"))->as.integer, 1);
    assert_true(kappa_is_null(kappa_value_member(&v, KAPPA_STR("b"))));
    assert_null(kappa_value_member(&v, KAPPA_STR("c")));
    v = kappa_int(1);
    assert_null(kappa_value_member(&v, KAPPA_STR("a")));
    kappa_arena_destroy(arena);
}

static kappa_status_t
copy(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *arena = kappa_arena_create(alloc, 64);
    kappa_value_t out;

    if (arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = kappa_value_dup(arena, ctx, &out);
    if (status == KAPPA_OK) {
        assert_true(kappa_value_eq(ctx, &out));
    }
    kappa_arena_destroy(arena);
    return status;
}

static void
copies(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_value_t v = parse(arena,
        "{\"text\":\"a long string that takes room of its own\","
        "\"list\":[1,2.5,{\"x\":[null,true]}],\"e\":{},\"l\":[]}");

    (void)state;
    kappa_alloc_failing_each(copy, &v);
    kappa_arena_destroy(arena);
}

static void
bounds_depth(void **state)
{
    enum {
        DEPTH = 1000
    };
    static kappa_value_t levels[DEPTH];
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_value_t out;

    (void)state;
    levels[0] = kappa_null();
    for (int i = 1; i < DEPTH; i++) {
        levels[i] = (kappa_value_t){
            .kind = KAPPA_LIST, .count = 1, .as.items = &levels[i - 1]
        };
    }
    assert_int_equal(
        kappa_value_dup(arena, &levels[DEPTH - 1], &out), KAPPA_LIMIT);
    assert_false(kappa_value_eq(&levels[DEPTH - 1], &levels[DEPTH - 1]));
    assert_true(kappa_value_eq(&levels[100], &levels[100]));
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(compares_large_objects),
        cmocka_unit_test(finds_members),
        cmocka_unit_test(copies),
        cmocka_unit_test(bounds_depth),
    };
    return cmocka_run_group_tests_name("base/value", tests, NULL, NULL);
}
