#include "t/unit/test.h"

#include "t/unit/expr_world.h"

static kappa_expr_t *
compile(kappa_arena_t *arena, const char *text)
{
    kappa_expr_t *expr = NULL;

    assert_int_equal(kappa_expr_compile(arena, kappa_str_c(text),
                         &kappa_world_scope, NULL, &expr, NULL, NULL, 0),
        KAPPA_OK);
    return expr;
}

/* However they are written. */
static void
knows_the_same(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        { "row.size + 1", " row.size+1 ", true },
        { "row.size + 1", "(row.size) + (1) // one more", true },
        { "row.size // x\n + 1", "row.size // x + 1", false },
        { "row.size + 1", "row.size + 2", false },
        { "row.size + 1", "row.size - 1", false },
        { "row.size + 1", "1 + row.size", false },
        { "row.name == 'a b'", "row.name == \"a b\"", true },
        { "row.name == 'a b'", "row.name == 'a  b'", false },
        { "row.name == 'a'", "old.name == 'a'", false },
        { "row.name == 'a'", "row.section == 'a'", false },
        { "row.size > 1 && row.size < 5", "row.size > 1&&row.size<5", true },
        { "row.size > 1 && row.size < 5", "row.size > 1 || row.size < 5",
            false },
        { "row.kind == 'BROKEN'", "row.kind == 'INSTALLED'", false },
        { "Member('a', 'b').rank > 1", "Member('a','b').rank>1", true },
        { "Member('a', 'b').rank > 1", "Member('a', 'c').rank > 1", false },
        { "Member('a', 'b') != null", "Package('a') != null", false },
        { "trunc(now, '1h') == now", "trunc(now, '2h') == now", false },
        { "trunc(now, '1h') == now", "trunc( now, '1h')==now", true },
        { "min(row.size, 1) == 1", "max(row.size, 1) == 1", false },
        { "auth.claims.a.b == 1", "auth.claims['a'].b == 1", true },
        { "auth.claims.a.b == 1", "auth.claims.a.c == 1", false },
        { "'a' in auth.roles", "'a' in auth.scopes", false },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const kappa_expr_t *a = compile(arena, cases[i].a);
        const kappa_expr_t *b = compile(arena, cases[i].b);

        if (kappa_expr_same(a, b) != cases[i].same
            || kappa_expr_same(b, a) != cases[i].same
            || !kappa_expr_same(a, a)) {
            fail_msg("%s and %s", cases[i].a, cases[i].b);
        }
    }
    kappa_arena_destroy(arena);
}

typedef struct {
    const kappa_expr_type_t *type;
    kappa_expr_type_t args;
    kappa_expr_member_t member;
    kappa_expr_scope_t scope;
} place_t;

static const kappa_expr_t *
compile_over(kappa_arena_t *arena, place_t *place,
    const kappa_expr_type_t *type, const kappa_expr_type_t *expected)
{
    kappa_expr_t *expr = NULL;

    place->member =
        (kappa_expr_member_t){ .name = KAPPA_STR("x"), .type = type };
    place->args = (kappa_expr_type_t){ .kind = KAPPA_EXPR_OBJECT,
        .name = KAPPA_STR("args"),
        .members = &place->member,
        .member_count = 1 };
    place->scope = (kappa_expr_scope_t){ .place = "a test" };
    place->scope.roots[KAPPA_ROOT_ARGS] = &place->args;
    assert_int_equal(kappa_expr_compile(arena, KAPPA_STR("args.x"),
                         &place->scope, expected, &expr, NULL, NULL, 0),
        KAPPA_OK);
    return expr;
}

/* What a name stands for. */
static void
knows_other_types(void **state)
{
    static const kappa_str_t few[] = { { "A", 1 } };
    static const kappa_str_t more[] = { { "B", 1 }, { "A", 1 } };
    static const kappa_expr_type_t small = { .kind = KAPPA_EXPR_ENUM,
        .name = { "E", 1 },
        .values = few,
        .value_count = 1 };
    static const kappa_expr_type_t large = { .kind = KAPPA_EXPR_ENUM,
        .name = { "E", 1 },
        .values = more,
        .value_count = 2 };
    static const kappa_expr_type_t list = { .kind = KAPPA_EXPR_LIST,
        .item = &kappa_expr_int };
    static const kappa_expr_type_t doubles = { .kind = KAPPA_EXPR_LIST,
        .item = &kappa_expr_double };
    static const struct {
        const kappa_expr_type_t *a, *as, *b, *bs;
        bool same;
    } cases[] = {
        { &kappa_expr_int, NULL, &kappa_expr_int, NULL, true },
        { &kappa_expr_int, NULL, &kappa_expr_double, NULL, false },
        { &kappa_expr_string, NULL, &kappa_expr_time, NULL, false },
        { &kappa_expr_string, NULL, &kappa_expr_dyn, NULL, false },
        { &kappa_expr_string, NULL, &small, NULL, true },
        { &small, NULL, &large, NULL, true },
        { &list, NULL, &list, NULL, true },
        { &list, NULL, &doubles, NULL, false },
        { &list, NULL, &kappa_expr_int, NULL, false },
        { &kappa_expr_dyn, &small, &kappa_expr_dyn, &small, true },
        { &kappa_expr_dyn, &small, &kappa_expr_dyn, &large, false },
        { &kappa_expr_dyn, &small, &kappa_expr_dyn, &kappa_expr_string,
            false },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        place_t left, right;
        const kappa_expr_t *a =
            compile_over(arena, &left, cases[i].a, cases[i].as);
        const kappa_expr_t *b =
            compile_over(arena, &right, cases[i].b, cases[i].bs);

        if (kappa_expr_same(a, b) != cases[i].same
            || kappa_expr_same(b, a) != cases[i].same) {
            fail_msg("case %zu", i);
        }
    }
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_same),
        cmocka_unit_test(knows_other_types),
    };

    return cmocka_run_group_tests_name("expr/same", tests, NULL, NULL);
}
