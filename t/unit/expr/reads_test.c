#include "t/unit/test.h"

#include "base/buf.h"
#include "t/unit/expr_world.h"

#define R(root) KAPPA_READS(KAPPA_ROOT_##root)

/* "row 0 1; old 2; auth auth.sub; views Package; eq 6=auth.sub" */
static void
describe(const kappa_expr_reads_t *reads, kappa_buf_t *buf)
{
    for (uint32_t i = 0; i < reads->row_column_count; i++) {
        kappa_buf_printf(buf, "row %u;", reads->row_columns[i]);
    }
    for (uint32_t i = 0; i < reads->old_column_count; i++) {
        kappa_buf_printf(buf, "old %u;", reads->old_columns[i]);
    }
    for (uint32_t i = 0; i < reads->auth_count; i++) {
        kappa_buf_printf(buf, "%.*s;", KAPPA_STR_ARG(reads->auth[i].path));
    }
    for (uint32_t i = 0; i < reads->view_count; i++) {
        kappa_buf_printf(buf, "%.*s;", KAPPA_STR_ARG(reads->views[i]->name));
    }
    for (uint32_t i = 0; i < reads->equality_count; i++) {
        kappa_buf_printf(buf, "%u=%.*s;", reads->equalities[i].column,
            KAPPA_STR_ARG(reads->equalities[i].auth->path));
    }
}

static kappa_expr_t *
compile(kappa_arena_t *arena, const char *text)
{
    kappa_expr_t *expr = NULL;

    assert_int_equal(kappa_expr_compile(arena, kappa_str_c(text),
                         &kappa_world_scope, NULL, &expr, NULL, NULL, 0),
        KAPPA_OK);
    return expr;
}

static void
tells_what_it_reads(void **state)
{
    static const struct {
        const char *text;
        uint32_t roots;
        const char *lists;
    } cases[] = {
        { "1 + 2", 0, "" },
        { "row.size + row.size > value", R(ROW) | R(VALUE), "row 1;" },
        { "row.kind == 'BROKEN' && row.name == old.name", R(ROW) | R(OLD),
            "row 0;row 4;old 0;" },
        { "row != null", R(ROW), "" },
        { "now > event.time", R(NOW) | R(EVENT), "" },
        { "args.count == item.a", R(ARGS) | R(ITEM), "" },
        { "'a' in auth.roles && auth.sub != null && auth.sub != 'x'", R(AUTH),
            "auth.roles;auth.sub;" },
        { "auth.claims.a.b == 1 && auth.claims['a.b'] == 1", R(AUTH),
            "auth.claims.a.b;auth.claims[\"a.b\"];" },
        { "auth.roles[0] == 'x'", R(AUTH), "auth.roles;" },
        { "Member(row.section, auth.sub).rank > 1 || Member('a', 'b') != "
          "null",
            R(ROW) | R(AUTH) | KAPPA_READS_LOOKUP, "row 6;auth.sub;Member;" },
        { "Package(Member('a', 'b').who) != null", KAPPA_READS_LOOKUP,
            "Package;Member;" },
        { "row.section == auth.sub", R(ROW) | R(AUTH),
            "row 6;auth.sub;6=auth.sub;" },
        { "row.size > 1 && (auth.claims.t == row.name && row.flag)",
            R(ROW) | R(AUTH),
            "row 0;row 1;row 10;auth.claims.t;0=auth.claims.t;" },
        { "row.section == auth.sub || row.flag", R(ROW) | R(AUTH),
            "row 6;row 10;auth.sub;" },
        { "!(row.section == auth.sub)", R(ROW) | R(AUTH), "row 6;auth.sub;" },
        { "old.section == auth.sub", R(OLD) | R(AUTH), "old 6;auth.sub;" },
        { "row.section != auth.sub", R(ROW) | R(AUTH), "row 6;auth.sub;" },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const kappa_expr_reads_t *reads =
            kappa_expr_reads(compile(arena, cases[i].text));

        assert_int_equal(reads->roots, cases[i].roots);
        kappa_buf_reset(&buf);
        describe(reads, &buf);
        assert_str_equal(kappa_buf_view(&buf), cases[i].lists);
    }
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

static void
reads_of_auth_can_be_evaluated(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    const kappa_expr_reads_t *reads =
        kappa_expr_reads(compile(arena, "row.size == auth.claims.deep.x"));
    kappa_world_t world;
    kappa_value_t v;

    (void)state;
    assert_int_equal(kappa_world_init(&world, arena), KAPPA_OK);
    kappa_expr_env_t env = kappa_world_env(&world);
    assert_int_equal(reads->auth_count, 1);
    assert_ptr_equal(reads->equalities[0].auth, &reads->auth[0]);
    assert_int_equal(
        kappa_expr_eval(reads->auth[0].expr, &env, arena, &v, NULL), KAPPA_OK);
    assert_int_equal(v.as.integer, 5);
    assert_int_equal(kappa_expr_reads(reads->auth[0].expr)->roots, R(AUTH));
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_it_reads),
        cmocka_unit_test(reads_of_auth_can_be_evaluated),
    };
    return cmocka_run_group_tests_name("expr/reads", tests, NULL, NULL);
}
