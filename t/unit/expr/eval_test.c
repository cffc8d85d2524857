#include "t/unit/test.h"

#include "base/json.h"
#include "t/unit/alloc_failing.h"
#include "t/unit/expr_world.h"

/* What the language means: an expression over the world of expr_world.h, and
 * its value as JSON or, behind '!', the reason why there is none. */
static const struct {
    const char *text;
    const char *result;
} cases[] = {
    /* literals */
    { "1", "1" },
    { "-9223372036854775808", "-9223372036854775808" },
    { "9223372036854775807", "9223372036854775807" },
    { "0x1F", "31" },
    { "-0x10", "-16" },
    { "1.5", "1.5" },
    { ".5", "0.5" },
    { "1e3", "1000" },
    { "2.5E-1", "0.25" },
    { "true", "true" },
    { "false", "false" },
    { "null", "null" },
    { "'a'", "\"a\"" },
    { "\"it's\"", "\"it's\"" },
    { "'\\a\\b\\f\\n\\r\\t\\v\\\\\\?\\\"\\'\\`'",
        "\"\\u0007\\b\\f\\n\\r\\t\\u000b\\\\?\\\"'`\"" },
    { "'\\x41\\u00e4\\U0001F600\\101'",
        "\"A\xc3\xa4\xf0\x9f\x98\x80"
        "A\"" },
    { "r'\\n'", "\"\\\\n\"" },
    { "'''a\n'b''c'''", "\"a\\n'b''c\"" },
    { "\"\"\"\"\"\"", "\"\"" },
    { "[]", "[]" },
    { "[1, 2, 3]", "[1,2,3]" },
    { "[1, 2,]", "[1,2]" },
    { "[[1], []]", "[[1],[]]" },
    { "[null, 'a']", "[null,\"a\"]" },
    { "1 // and so on\n + 2", "3" },

    /* precedence and grouping */
    { "1 + 2 * 3", "7" },
    { "(1 + 2) * 3", "9" },
    { "10 - 4 - 3", "3" },
    { "100 / 10 / 5", "2" },
    { "-2 * -3", "6" },
    { "- - 2", "2" },
    { "-(2)", "-2" },
    { "!true || true", "true" },
    { "!!true", "true" },
    { "true || false && false", "true" },
    { "1 + 1 == 2 && 3 > 2", "true" },
    { "true ? 1 : 2", "1" },
    { "false ? 1 : true ? 2 : 3", "2" },
    { "1 < 2 == true", "true" },

    /* arithmetic */
    { "7 / 2", "3" },
    { "-7 / 2", "-3" },
    { "-7 % 3", "-1" },
    { "7.0 / 2.0", "3.5" },
    { "1.0 / 0.0", "null" },
    { "1e308 * 10.0", "null" },
    { "1 / 0", "!division by zero" },
    { "1 % 0", "!division by zero" },
    { "9223372036854775807 + 1", "!integer overflow" },
    { "-9223372036854775808 - 1", "!integer overflow" },
    { "9223372036854775807 * 2", "!integer overflow" },
    { "-9223372036854775808 / -1", "!integer overflow" },
    { "-9223372036854775808 % -1", "!integer overflow" },
    { "-(-9223372036854775808)", "!integer overflow" },
    { "'a' + 'b'", "\"ab\"" },
    { "'' + ''", "\"\"" },
    { "[1] + [2, 3]", "[1,2,3]" },
    { "[] + [1]", "[1]" },
    { "row.missing + 1", "!null in arithmetic" },
    { "1 - row.missing", "!null in arithmetic" },
    { "-row.missing", "!null in arithmetic" },
    { "row.size * 2 + 1", "14001" },
    { "double(row.size) / 2.0", "3500" },
    { "row.price + 1.0", "3.5" },

    /* comparison */
    { "1 == 1.0", "true" },
    { "1 < 1.5", "true" },
    { "9007199254740993 == 9007199254740992.0", "false" },
    { "9007199254740993 > 9007199254740992.0", "true" },
    { "9223372036854775807 < 9223372036854775808.0", "true" },
    { "-1 > -1.5", "true" },
    { "'a' < 'b'", "true" },
    { "'a' < 'B'", "false" },
    { "'a' <= 'a'", "true" },
    { "'ab' > 'a'", "true" },
    { "false < true", "true" },
    { "[1, 2] == [1, 2]", "true" },
    { "[1, 2] == [1.0, 2.0]", "true" },
    { "[1] == [1, 2]", "false" },
    { "[] == []", "true" },
    { "null == null", "true" },
    { "null != null", "false" },
    { "row.missing == null", "true" },
    { "row.size != null", "true" },
    { "null == row.missing", "true" },
    { "row.missing == 1", "false" },
    { "row.missing != 1", "true" },
    { "row.missing < 1", "!null in a comparison" },
    { "row.at < now", "true" },
    { "row.at == '2026-11-20T10:25:30.123Z'", "true" },
    { "'2026-11-20T11:25:30.123+01:00' == row.at", "true" },
    { "row.at > '2026-11-20T10:25:30.122Z'", "true" },
    { "row.kind == 'INSTALLED'", "true" },
    { "row.kind != args.kind", "true" },
    { "row.kind < 'REMOVED'", "true" },
    { "row == null", "false" },
    { "old == null", "true" },
    { "old != null", "false" },

    /* logic: one operand that decides, whatever the other does */
    { "false && 1 / 0 == 0", "false" },
    { "1 / 0 == 0 && false", "false" },
    { "true || 1 / 0 == 0", "true" },
    { "1 / 0 == 0 || true", "true" },
    { "1 / 0 == 0 || false", "!division by zero" },
    { "true && 1 / 0 == 0", "!division by zero" },
    { "1 / 0 == 0 || 1 % 0 == 0 || true", "true" },
    { "old.flag && false", "false" },
    { "old.flag || true", "true" },
    { "old.flag || false", "!null where a Boolean is needed" },
    { "!old.flag", "!null where a Boolean is needed" },
    { "old.flag ? 1 : 2", "!null where a Boolean is needed" },
    { "true ? 1 : 1 / 0", "1" },
    { "row.flag ? 'y' : 'n'", "\"y\"" },
    { "old == null ? 0 : old.size", "0" },
    { "true ? null : 1", "null" },

    /* members and indexes */
    { "row.name", "\"bash\"" },
    { "row['name']", "\"bash\"" },
    { "row.info.a", "1" },
    { "row.info.nested.a", "2" },
    { "row.info.nested.nested.a", "null" },
    { "old.name", "null" },
    { "old.info.nested.a", "null" },
    { "row.tags[0]", "\"shell\"" },
    { "row.tags[1 - 1 + 1]", "\"gnu\"" },
    { "row.tags[2]", "!index out of range" },
    { "row.tags[-1]", "!index out of range" },
    { "old.tags[5]", "null" },
    { "row.tags[row.missing]", "!null as an index" },
    { "[10, 20][1]", "20" },
    { "item.a", "10" },
    { "item.nested.a", "null" },
    { "value", "42" },
    { "value > 41", "true" },
    { "now", "\"2026-11-20T10:25:31.123Z\"" },
    { "args.absent == null", "true" },
    { "event.data.package", "\"zsh\"" },
    { "event.data.count", "null" },
    { "event.data.kind == 'REMOVED'", "true" },
    { "event.key[0]", "\"zsh\"" },
    { "event.key[1]", "4" },
    { "event.actor.sub", "\"bob\"" },
    { "event.actor.iss", "null" },
    { "event.id", "\"e1\"" },
    { "event.time < now", "true" },
    { "auth.sub", "\"alice\"" },
    { "auth.claims.tenant", "\"t1\"" },
    { "auth.claims.deep.x + 1", "6" },
    { "auth.claims.nothing.at.all", "null" },

    /* in */
    { "'dev' in auth.roles", "true" },
    { "'x' in auth.roles", "false" },
    { "'x' in auth.scopes", "false" },
    { "1 in [3, 2, 1]", "true" },
    { "1 in [2.0, 1.0]", "true" },
    { "null in [1, null]", "true" },
    { "row.missing in [1]", "false" },
    { "row.kind in ['BROKEN', 'INSTALLED']", "true" },
    { "'gnu' in row.tags", "true" },
    { "'gnu' in old.tags", "!in null" },
    { "'tenant' in auth.claims", "true" },
    { "'x' in auth.claims", "false" },
    { "!('x' in auth.roles)", "true" },
    { "row.at in ['2026-11-20T10:25:30.123Z']", "true" },

    /* JSON */
    { "row.json.n", "1" },
    { "row.json['s']", "\"t\"" },
    { "row.json.n + 1", "2" },
    { "row.json.x + 1", "3" },
    { "row.json.n == 1.0", "true" },
    { "row.json.s + 'u'", "\"tu\"" },
    { "row.json.s + 1", "!arithmetic on the wrong types" },
    { "row.json.l[1]", "\"b\"" },
    { "row.json.l[2]", "null" },
    { "row.json.l[row.json.n]", "\"b\"" },
    { "row.json.l[row.json.s]", "!an index of the wrong type" },
    { "row.json.l[3]", "!index out of range" },
    { "row.json.n.deeper", "!a field of something without" },
    { "row.json.none.deeper", "null" },
    { "row.json.o.p && true", "true" },
    { "row.json.n && true", "!no Boolean where one is needed" },
    { "row.json.s == row.json.n", "false" },
    { "row.json.s < row.json.n", "!comparison of two different types" },
    { "row.json.o < row.json.o", "!comparison of values without an order" },
    { "row.json.o == row.json.o", "true" },
    { "size(row.json)", "6" },
    { "size(row.json.n)", "!size of something that has none" },
    { "1 in row.json.l", "true" },
    { "1 in row.json.n", "!in something that is no list" },
    { "row.json % 2", "!arithmetic on the wrong types" },
    { "row.json.x % 2", "!% of a Float" },

    /* types that JSON has lost: a Float, a BigInt, a DateTime */
    { "item.ratio / 2.0", "2.5" },
    { "item.ratio / item.ratio", "1" },
    { "item.ratio / item.ratio / 2.0", "0.5" },
    { "item.big + 1", "13" },
    { "item.times[0] == row.at", "true" },
    { "row.at in item.times", "true" },
    { "item.times[1]", "null" },

    /* functions */
    { "size('a\xc3\xa4\xf0\x9f\x98\x80')", "3" },
    { "'abc'.size()", "3" },
    { "size(row.tags)", "2" },
    { "row.tags.size()", "2" },
    { "size([])", "0" },
    { "size(old.tags)", "!size of null" },
    { "row.name.startsWith('ba')", "true" },
    { "row.name.startsWith('')", "true" },
    { "row.name.startsWith('bash!')", "false" },
    { "row.name.endsWith('sh')", "true" },
    { "row.name.endsWith('bbash')", "false" },
    { "row.name.contains('as')", "true" },
    { "row.name.contains('')", "true" },
    { "''.contains('a')", "false" },
    { "row.kind.startsWith('INST')", "true" },
    { "old.name.startsWith('a')", "!null where a String is needed" },
    { "row.json.n.startsWith('a')", "!no String where one is needed" },
    { "'Gr\xc3\x84SSE Z[@'.lowerAscii()", "\"gr\xc3\x84sse z[@\"" },
    { "has(row.name)", "true" },
    { "has(row.missing)", "false" },
    { "has(old.name)", "false" },
    { "has(row.json.n)", "true" },
    { "has(row.json.none)", "false" },
    { "has(row.info.nested.nested.a)", "false" },
    { "min(2, 1)", "1" },
    { "max(2, 1, 3)", "3" },
    { "min('b', 'a')", "\"a\"" },
    { "max(1.5, 0.5)", "1.5" },
    { "max(row.at, '2027-01-01T00:00:00Z')", "\"2027-01-01T00:00:00.000Z\"" },
    { "min(row.missing, 1)", "!null in a comparison" },
    { "min(1, row.missing)", "!null in a comparison" },
    { "double(3)", "3" },
    { "double(3) / 2.0", "1.5" },
    { "double(row.missing)", "!double of null" },
    { "double(row.json.s)", "!double of something that is no number" },
    { "trunc(now, '1s')", "\"2026-11-20T10:25:31.000Z\"" },
    { "trunc(now, '15m')", "\"2026-11-20T10:15:00.000Z\"" },
    { "trunc(now, '1h')", "\"2026-11-20T10:00:00.000Z\"" },
    { "trunc(now, '1d')", "\"2026-11-20T00:00:00.000Z\"" },
    { "trunc(old.at, '1h')", "!trunc of null" },

    /* lookups */
    { "Package(args.package) != null", "true" },
    { "Package('zsh') != null", "false" },
    { "Package('zsh') == null", "true" },
    { "Package('bash').size", "7000" },
    { "Package('zsh').size", "null" },
    { "Package(null) == null", "true" },
    { "Package(old.name).size", "null" },
    { "Member('kitchen', auth.sub).rank", "9" },
    { "Member('kitchen', auth.sub).rank > 8", "true" },
    { "Member('kitchen', null) == null", "true" },
    { "Member('garden', auth.sub) == null", "true" },
    { "Package(Package('bash').name).name", "\"bash\"" },
    { "Package(auth.claims.tenant) == null", "true" },
    { "Package(auth.claims.deep.x)", "!a value of the wrong type" },
    { "has(Package('bash').name)", "true" },
};

static kappa_expr_t *
compile(kappa_arena_t *arena, const char *text)
{
    kappa_source_t source = { KAPPA_STR("test"), kappa_str_c(text) };
    kappa_expr_t *expr = NULL;
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status = kappa_expr_compile(arena, source.text,
        &kappa_world_scope, NULL, &expr, &errors, &source, 0);
    if (status != KAPPA_OK) {
        fail_msg("%s: %.*s", text,
            KAPPA_STR_ARG(
                errors.first ? errors.first->message : KAPPA_STR("?")));
    }
    return expr;
}

static void
check(const char *text, const char *result)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    const char *reason = NULL;
    kappa_value_t v;
    kappa_world_t world;
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    assert_int_equal(kappa_world_init(&world, arena), KAPPA_OK);
    kappa_expr_env_t env = kappa_world_env(&world);
    kappa_expr_t *expr = compile(arena, text);
    kappa_status_t status = kappa_expr_eval(expr, &env, arena, &v, &reason);

    if (status == KAPPA_OK) {
        kappa_json_value(&buf, &v);
    } else {
        assert_int_equal(status, KAPPA_INVALID);
        kappa_buf_printf(&buf, "!%s", reason);
    }
    if (!kappa_str_eq_c(kappa_buf_view(&buf), result)) {
        fail_msg("%s gives %.*s, not %s", text,
            KAPPA_STR_ARG(kappa_buf_view(&buf)), result);
    }
    bool holds, expected = kappa_str_eq_c(kappa_buf_view(&buf), "true");
    assert_int_equal(kappa_expr_holds(expr, &env, arena, &holds), KAPPA_OK);
    assert_int_equal(holds, expected);
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

static void
means_what_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check(cases[i].text, cases[i].result);
    }
}

/* What a callback says is passed on, even past && and ||. */
static void
passes_failures_on(void **state)
{
    static const char *const texts[] = { "row.size > 1", "auth.sub == 'x'",
        "Package('a') == null", "true && row.flag", "false || now > now",
        "value == 1", "item.a + 1", "has(args.count)" };
    static const kappa_status_t fails[] = { KAPPA_NOMEM, KAPPA_IO,
        KAPPA_CORRUPT };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_world_t world;

    (void)state;
    assert_int_equal(kappa_world_init(&world, arena), KAPPA_OK);
    kappa_expr_env_t env = kappa_world_env(&world);
    for (size_t i = 0; i < COUNT(texts); i++) {
        kappa_expr_t *expr = compile(arena, texts[i]);

        for (size_t j = 0; j < COUNT(fails); j++) {
            kappa_value_t v;
            bool holds = true;

            world.fails = fails[j];
            assert_int_equal(
                kappa_expr_eval(expr, &env, arena, &v, NULL), fails[j]);
            assert_int_equal(
                kappa_expr_holds(expr, &env, arena, &holds), fails[j]);
            assert_false(holds);
        }
    }
    kappa_arena_destroy(arena);
}

/* What is not needed is not read. */
static void
reads_what_it_needs(void **state)
{
    static const struct {
        const char *text;
        unsigned calls;
    } reads[] = {
        { "1 + 2 == 3", 0 },
        { "value == 1", 1 },
        { "false && value == 1", 0 },
        { "true || Package('a') != null", 0 },
        { "true ? 1 : value", 0 },
        { "Package(null) == null", 0 },
        { "row.size", 2 },
        { "auth.claims.deep.x", 1 },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_world_t world;
    kappa_value_t v;

    (void)state;
    assert_int_equal(kappa_world_init(&world, arena), KAPPA_OK);
    kappa_expr_env_t env = kappa_world_env(&world);
    for (size_t i = 0; i < COUNT(reads); i++) {
        world.calls = 0;
        assert_int_equal(kappa_expr_eval(compile(arena, reads[i].text), &env,
                             arena, &v, NULL),
            KAPPA_OK);
        assert_int_equal(world.calls, reads[i].calls);
    }
    kappa_arena_destroy(arena);
}

/* Results that grow at every + are stopped. */
static void
bounds_results(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    const char *reason = NULL;
    kappa_world_t world;
    kappa_value_t v;

    (void)state;
    assert_int_equal(kappa_world_init(&world, arena), KAPPA_OK);
    kappa_expr_env_t env = kappa_world_env(&world);
    char *big = kappa_arena_bytes(arena, 300000);
    memset(big, 'x', 300000);
    kappa_member_t members[] = { { KAPPA_STR("package"),
        kappa_string(kappa_str(big, 300000)) } };
    world.args = (kappa_value_t){
        .kind = KAPPA_OBJECT, .count = 1, .as.members = members
    };
    kappa_expr_t *expr = compile(
        arena, "args.package + args.package + args.package + args.package");
    assert_int_equal(
        kappa_expr_eval(expr, &env, arena, &v, &reason), KAPPA_INVALID);
    assert_string_equal(reason, "a string over 1 MiB");

    kappa_value_t *items = KAPPA_NEW_ARRAY(arena, kappa_value_t, 6000);
    members[0] = (kappa_member_t){ KAPPA_STR("tags"),
        { .kind = KAPPA_LIST, .count = 6000, .as.items = items } };
    world.row = world.args;
    expr = compile(arena, "row.tags + row.tags");
    assert_int_equal(
        kappa_expr_eval(expr, &env, arena, &v, &reason), KAPPA_INVALID);
    assert_string_equal(reason, "a list over 10,000 items");
    kappa_arena_destroy(arena);
}

static kappa_status_t
run(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *data = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_arena_t *arena = kappa_arena_create(alloc, 64);
    kappa_expr_t *expr = NULL;
    kappa_errors_t errors;
    kappa_world_t world;
    kappa_value_t v;
    kappa_status_t status = KAPPA_NOMEM;

    if (arena != NULL) {
        kappa_errors_init(&errors, arena, 0);
        assert_int_equal(kappa_world_init(&world, data), KAPPA_OK);
        kappa_expr_env_t env = kappa_world_env(&world);

        status = kappa_expr_compile(arena, kappa_str_c(ctx),
            &kappa_world_scope, NULL, &expr, &errors, NULL, 0);
        if (status == KAPPA_OK) {
            status = kappa_expr_eval(expr, &env, arena, &v, NULL);
        }
    }
    kappa_arena_destroy(arena);
    kappa_arena_destroy(data);
    return status;
}

static void
survives_no_memory(void **state)
{
    static const char *const texts[] = {
        "[[row.name + 'abc', '\\u00e4'.lowerAscii()]] + [row.tags + ['a']] "
        "!= [] && trunc(now, '1h') < now && 1.5 > 1.25",
        "row.section == auth.claims.tenant || Member('kitchen', auth.sub)."
        "rank in [1, 2, min(3, value)] ? has(row.json.n) : true",
        "Package(auth.claims.tenant) == null && row.kind in ['BROKEN', "
        "'REMOVED', args.kind] == false",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        kappa_alloc_failing_each(run, (void *)(uintptr_t)texts[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_what_it_says),
        cmocka_unit_test(passes_failures_on),
        cmocka_unit_test(reads_what_it_needs),
        cmocka_unit_test(bounds_results),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests_name("expr/eval", tests, NULL, NULL);
}
