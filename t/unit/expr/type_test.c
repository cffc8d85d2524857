#include "t/unit/test.h"

#include "expr/type.h"
#include "t/unit/expr_world.h"

static const kappa_expr_type_t ints = { .kind = KAPPA_EXPR_LIST,
    .item = &kappa_expr_int };
static const kappa_expr_type_t doubles = { .kind = KAPPA_EXPR_LIST,
    .item = &kappa_expr_double };
static const kappa_expr_type_t int_lists = { .kind = KAPPA_EXPR_LIST,
    .item = &ints };
static const kappa_expr_type_t row_a = { .kind = KAPPA_EXPR_ROW,
    .name = { "A", 1 } };
static const kappa_expr_type_t row_b = { .kind = KAPPA_EXPR_ROW,
    .name = { "B", 1 } };
static const kappa_str_t one_kind[] = { { "BROKEN", 6 } };
static const kappa_expr_type_t narrow = {
    .kind = KAPPA_EXPR_ENUM, .values = one_kind, .value_count = 1
};

/* input In { a: Int, in: In }, and objects that it may go into, or not. */
static kappa_expr_type_t input, wide, poor, text, json_in, json_out;

static kappa_expr_type_t
object(const char *name, bool is_input, kappa_expr_member_t *members,
    uint32_t count)
{
    return (kappa_expr_type_t){ .kind = KAPPA_EXPR_OBJECT,
        .name = kappa_str_c(name),
        .members = members,
        .member_count = count,
        .input = is_input };
}

static void
make_objects(void)
{
    static kappa_expr_member_t in[] = { { { "a", 1 }, &kappa_expr_int, 0 },
        { { "in", 2 }, &input, 1 } };
    static kappa_expr_member_t out[] = { { { "more", 4 }, &kappa_expr_time,
                                             0 },
        { { "in", 2 }, &wide, 1 }, { { "a", 1 }, &kappa_expr_double, 2 } };
    static kappa_expr_member_t other[] = {
        { { "a", 1 }, &kappa_expr_string, 0 }, { { "in", 2 }, &wide, 1 }
    };
    static kappa_expr_member_t json[] = { { { "a", 1 }, &kappa_expr_dyn, 0 } };

    input = object("In", true, in, 2);
    wide = object("Wide", false, out, 3);
    poor = object("Poor", false, out + 2, 1);
    text = object("Text", false, other, 2);
    json_in = object("JsonIn", true, json, 1);
    json_out = object("JsonOut", false, json, 1);
}

static void
assigns_input_objects(void **state)
{
    static const struct {
        const kappa_expr_type_t *from, *to;
        bool assignable;
    } cases[] = {
        { &input, &input, true },
        { &input, &wide, true }, /* and so all the way down */
        { &wide, &input, false },
        { &input, &poor, false },
        { &input, &text, false },
        { &poor, &wide, false }, /* no input object */
        { &json_in, &json_out, true },
        { &json_in, &poor, false },
        { &input, &row_a, false },
    };

    (void)state;
    make_objects();
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(
            kappa_expr_type_assignable(cases[i].from, cases[i].to),
            cases[i].assignable);
    }
}

/* Pairs of types are bounded. */
static void
refuses_endless_chains(void **state)
{
    static kappa_expr_type_t from[300], to[300];
    static kappa_expr_member_t from_next[300], to_next[300];

    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t next = i < 299 ? i + 1 : i;

        from_next[i] = (kappa_expr_member_t){ { "n", 1 }, &from[next], 0 };
        to_next[i] = (kappa_expr_member_t){ { "n", 1 }, &to[next], 0 };
        from[i] = object("From", true, &from_next[i], 1);
        to[i] = object("To", false, &to_next[i], 1);
    }
    assert_true(kappa_expr_type_assignable(&from[100], &to[100]));
    assert_false(kappa_expr_type_assignable(&from[0], &to[0]));
}

static void
compares_and_assigns(void **state)
{
    static const struct {
        const kappa_expr_type_t *from, *to;
        bool comparable, assignable;
    } cases[] = {
        { &kappa_expr_int, &kappa_expr_int, true, true },
        { &kappa_expr_int, &kappa_expr_double, true, true },
        { &kappa_expr_double, &kappa_expr_int, true, false },
        { &kappa_expr_int, &kappa_expr_string, false, false },
        { &kappa_expr_bool, &kappa_expr_int, false, false },
        { &kappa_world_kind, &kappa_expr_string, true, true },
        { &kappa_expr_string, &kappa_world_kind, true, false },
        { &narrow, &kappa_world_kind, true, true },
        { &kappa_world_kind, &narrow, true, false },
        { &kappa_expr_null, &row_a, true, true },
        { &row_a, &kappa_expr_null, true, false },
        { &kappa_expr_dyn, &kappa_expr_time, true, true },
        { &kappa_expr_time, &kappa_expr_dyn, true, true },
        { &kappa_expr_time, &kappa_expr_string, false, false },
        { &row_a, &row_a, true, true },
        { &row_a, &row_b, false, false },
        { &ints, &doubles, true, true },
        { &doubles, &ints, true, false },
        { &ints, &kappa_expr_string_list, false, false },
        { &ints, &kappa_expr_int, false, false },
        { &int_lists, &int_lists, true, true },
        { &int_lists, &ints, false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(
            kappa_expr_type_comparable(cases[i].from, cases[i].to),
            cases[i].comparable);
        assert_int_equal(
            kappa_expr_type_comparable(cases[i].to, cases[i].from),
            cases[i].comparable);
        assert_int_equal(
            kappa_expr_type_assignable(cases[i].from, cases[i].to),
            cases[i].assignable);
    }
}

static void
prints(void **state)
{
    static const struct {
        const kappa_expr_type_t *type;
        const char *text;
    } cases[] = {
        { &kappa_expr_null, "null" },
        { &kappa_expr_time, "DateTime" },
        { &kappa_expr_string_list, "[String]" },
        { &doubles, "[Float]" },
        { &int_lists, "a list" },
        { &row_a, "A" },
        { &narrow, "an enum" },
        { &kappa_world_kind, "Kind" },
        { &kappa_expr_auth, "auth" },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_str_equal(
            kappa_expr_type_print(arena, cases[i].type), cases[i].text);
    }
    kappa_arena_destroy(arena);
}

static void
finds_members(void **state)
{
    const kappa_expr_member_t *roles =
        kappa_expr_type_member(&kappa_expr_auth, KAPPA_STR("roles"));

    (void)state;
    assert_int_equal(roles->number, KAPPA_AUTH_ROLES);
    assert_ptr_equal(roles->type, &kappa_expr_string_list);
    assert_null(kappa_expr_type_member(&kappa_expr_auth, KAPPA_STR("role")));
    assert_null(kappa_expr_type_member(&kappa_expr_int, KAPPA_STR("x")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_and_assigns),
        cmocka_unit_test(assigns_input_objects),
        cmocka_unit_test(refuses_endless_chains),
        cmocka_unit_test(prints),
        cmocka_unit_test(finds_members),
    };
    return cmocka_run_group_tests_name("expr/type", tests, NULL, NULL);
}
