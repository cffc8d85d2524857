#include "t/unit/test.h"

#include "t/unit/alloc_failing.h"
#include "t/unit/expr_world.h"

/* What does not load: text, column of the first error (from 1), message. */
static const struct {
    const char *text;
    unsigned column;
    const char *message;
} wrong[] = {
    /* tokens */
    { "", 1, "Expected an expression, found the end of the expression." },
    { "// only", 8,
        "Expected an expression, found the end of the expression." },
    { "9223372036854775808", 1, "Integer over 64 bits." },
    { "-9223372036854775809", 2, "Integer over 64 bits." },
    { "99999999999999999999999", 1, "Integer over 64 bits." },
    { "0x", 3, "Expected a hexadecimal digit behind \"0x\"." },
    { "0x12345678901234567", 1, "Integer over 64 bits." },
    { "1u", 2, "Unsigned integers are not in the language." },
    { "1x", 2, "Expected an operator behind a number." },
    { "1e999", 1, "Number too large." },
    { "1.", 3,
        "Expected a name behind \".\", found the end of the expression." },
    { "'abc", 1, "String without end." },
    { "'a\nb'", 1, "String without end." },
    { "'''abc''", 1, "String without end." },
    { "'\\q'", 2, NULL },
    { "'\\u12'", 2, NULL },
    { "'\\ud800'", 2, NULL },
    { "'\\U00110000'", 2, NULL },
    { "'\\x00'", 2, NULL },
    { "'\\400'", 2, NULL },
    { "'\\", 2, NULL },
    { "b'x'", 1, "Bytes are not in the language." },
    { "value = 1", 7, "\"=\" is no operator: equality is \"==\"." },
    { "true & true", 6, "\"&\" is no operator: and is \"&&\"." },
    { "true | true", 6, "\"|\" is no operator: or is \"||\"." },
    { "#", 1, "Unexpected character: nothing in the language has it." },

    /* grammar */
    { "(1", 3, "Expected \")\", found the end of the expression." },
    { "1 2", 3, "Expected an operator or the end, found \"2\"." },
    { "1 +", 4, "Expected an expression, found the end of the expression." },
    { "[1, , 2]", 5, "Expected an expression, found \",\"." },
    { "size(value,)", 12, "Expected an expression, found \")\"." },
    { "row.", 5,
        "Expected a name behind \".\", found the end of the expression." },
    { "true ? 1", 9, "Expected \":\", found the end of the expression." },
    { "in", 1, "Expected an expression, found \"in\"." },
    { "if", 1, "Expected an expression, found \"if\"." },
    { "{'a': 1}", 1, "Map literals are not in the language." },
    { "!-1", 2, "Expected an expression, found \"-\"." },
    { "a.b.c(", 7,
        "Expected an expression, found the end of the expression." },

    /* names */
    { "rwo.name", 1,
        "Unknown name \"rwo\". Did you mean \"row\" or \"now\"?" },
    { "zzzzzz", 1,
        "Unknown name \"zzzzzz\". What may be read here: row, old, args, "
        "value, auth, now, event, item, lookups." },
    { "row.nmae", 5,
        "Unknown field \"nmae\" of \"Package\". Did you mean \"name\"?" },
    { "args.pakage", 6,
        "Unknown field \"pakage\" of \"args\". Did you mean \"package\"?" },
    { "auth.role", 6,
        "Unknown field \"role\" of \"auth\". Did you mean \"roles\"?" },
    { "row.info.b", 10, NULL },
    { "row.name.x", 10, "String has no fields." },
    { "row['nmae']", 4,
        "Unknown field \"nmae\" of \"Package\". Did you mean \"name\"?" },
    { "Package", 1,
        "\"Package\" is a view: look a row up by its key, as in "
        "Package(key)." },
    { "Packge('a') == null", 1,
        "There is no function or view named \"Packge\". Did you mean "
        "\"Package\"?" },
    { "row.name.beginsWith('a')", 10, NULL },
    { "[1].exists(x, x > 0)", 5,
        "\"exists\" is CEL, but not in this subset of it." },
    { "Package('a', 'b') == null", 1,
        "The key of \"Package\" has 1 field, not 2." },
    { "Member('a') == null", 1, "The key of \"Member\" has 2 fields, not 1." },
    { "Package(1) == null", 9,
        "This key field is Int, but String is wanted." },

    /* types */
    { "1 + 1.0", 3,
        "There is no Int + Float: write 2.0 for 2, or double(x)." },
    { "row.price * 2", 11,
        "There is no Float * Int: write 2.0 for 2, or double(x)." },
    { "1.0 % 2.0", 5, "There is no Float % Float." },
    { "'a' + 1", 5, "There is no String + Int." },
    { "'a' - 'b'", 5, "There is no String - String." },
    { "1 + null", 3, "There is no Int + null." },
    { "now - row.at", 5,
        "There is no DateTime - DateTime: times are compared and truncated "
        "only." },
    { "1 == 'a'", 3, "There is no Int == String: types differ." },
    { "row.tags == 'a'", 10, "There is no [String] == String: types differ." },
    { "row == old", 5, "There is no Package == Package: compare their keys." },
    { "[1] < [2]", 5, "There is no [Int] < [Int]: one of them has no order." },
    { "1 in 2", 3,
        "There is no Int in Int: on the right stands a list, or JSON with "
        "names." },
    { "1 in auth.roles", 3, "There is no Int in [String]: types differ." },
    { "1 && true", 1, "\"&&\" takes Booleans, not Int." },
    { "!1", 2, "\"!\" takes Booleans, not Int." },
    { "Package('a') && true", 1,
        "\"&&\" takes Booleans, not Package: compare the row with null, as "
        "in \xe2\x80\xa6 != null." },
    { "-'a'", 1, "\"-\" takes a number, not String." },
    { "1 ? 2 : 3", 1, "What stands before \"?\" is a Boolean, not Int." },
    { "true ? 1 : 'a'", 6,
        "Both results of \"? :\" have one type, not Int and String." },
    { "[1, 'a']", 5, "A list has items of one type, not Int and String." },
    { "[1, 1.0]", 5, "A list has items of one type, not Int and Float." },
    { "row.tags['a']", 10, "A list's index is an Int, not String." },
    { "value[0]", 6, "Int has no index: lists and JSON have." },
    { "row.kind == 'INSTALLD'", 13,
        "\"INSTALLD\" is no value of enum \"Kind\". Did you mean "
        "\"INSTALLED\"?" },
    { "row.kind in ['BROKEN', 'X']", 24,
        "\"X\" is no value of enum \"Kind\"." },
    { "now > '2026'", 7, NULL },

    /* functions */
    { "size(1)", 6, "size(x) or x.size() does not take Int here." },
    { "size()", 1, "Wrong number of arguments: write size(x) or x.size()." },
    { "startsWith(row.name, 'a')", 1, "Write text.startsWith(prefix)." },
    { "value.min(1)", 7, "Write min(a, b)." },
    { "has(row)", 5, "has(a.b) does not take Package here." },
    { "has(1)", 5, "has(a.b) does not take Int here." },
    { "min(1)", 1, "Wrong number of arguments: write min(a, b)." },
    { "min(1, 'a')", 8, "min and max take one type, not Int and String." },
    { "min(1, 1.0)", 8, "min and max take one type, not Int and Float." },
    { "min(row.tags, row.tags)", 9, NULL },
    { "trunc(now, '0s')", 12, NULL },
    { "trunc(now, '5ms')", 12, NULL },
    { "trunc(now, '1y')", 12, NULL },
    { "trunc(now, row.name)", 16, NULL },
    { "trunc('a', '1h')", 7, "trunc(time, '1h') does not take String here." },
    { "double('1')", 8, "double(number) does not take String here." },
};

typedef struct {
    kappa_arena_t *arena;
    kappa_errors_t errors;
    kappa_source_t source;
    kappa_expr_t *expr;
    kappa_status_t status;
} try_t;

static void
try_compile(try_t *t, const char *text, const kappa_expr_scope_t *scope,
    const kappa_expr_type_t *expected)
{
    *t = (try_t){ .arena = kappa_arena_create(&kappa_alloc_libc, 0) };
    t->source = (kappa_source_t){ KAPPA_STR("test"), kappa_str_c(text) };
    kappa_errors_init(&t->errors, t->arena, 0);
    t->status = kappa_expr_compile(t->arena, t->source.text, scope, expected,
        &t->expr, &t->errors, &t->source, 0);
    assert_int_equal(t->status == KAPPA_OK, t->errors.count == 0);
}

static void
refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        try_t t;

        try_compile(&t, wrong[i].text, &kappa_world_scope, NULL);
        if (t.status != KAPPA_INVALID) {
            fail_msg("loads: %s", wrong[i].text);
        }
        const kappa_error_t *e = t.errors.first;
        if (e->locations[0].column != wrong[i].column
            || (wrong[i].message != NULL
                && !kappa_str_eq_c(e->message, wrong[i].message))) {
            fail_msg("%s: %u: %.*s", wrong[i].text, e->locations[0].column,
                KAPPA_STR_ARG(e->message));
        }
        kappa_arena_destroy(t.arena);
    }
}

/* What is expected of the whole. */
static void
wants_a_type(void **state)
{
    static const struct {
        const char *text;
        const kappa_expr_type_t *expected;
        const char *message; /* NULL: loads */
    } wants[] = {
        { "true", &kappa_expr_bool, NULL },
        { "null", &kappa_expr_bool, NULL },
        { "row.flag", &kappa_expr_bool, NULL },
        { "row.json.o.p", &kappa_expr_bool, NULL },
        { "1", &kappa_expr_bool,
            "The expression is Int, but Boolean is wanted." },
        { "Package('a')", &kappa_expr_bool,
            "The expression is Package, but Boolean is wanted: compare the "
            "row with null, as in \xe2\x80\xa6 != null." },
        { "1", &kappa_expr_double, NULL },
        { "row.size", &kappa_expr_double, NULL },
        { "1.0", &kappa_expr_int,
            "The expression is Float, but Int is wanted." },
        { "row.kind", &kappa_expr_string, NULL },
        { "row.name", &kappa_world_kind,
            "The expression is String, but Kind is wanted." },
        { "'BROKEN'", &kappa_world_kind, NULL },
        { "true ? 'BROKEN' : 'REMOVED'", &kappa_world_kind, NULL },
        { "true ? 'BROKEN' : 'X'", &kappa_world_kind,
            "\"X\" is no value of enum \"Kind\"." },
        { "'2026-11-20T10:25:00Z'", &kappa_expr_time, NULL },
        { "'yesterday'", &kappa_expr_time,
            "\"yesterday\" is no DateTime: write it as "
            "'2026-11-20T10:25:00.000Z'." },
        { "row.name", &kappa_expr_time,
            "The expression is String, but DateTime is wanted." },
        { "[]", &kappa_expr_string_list, NULL },
        { "['a']", &kappa_expr_string_list, NULL },
        { "[1]", &kappa_expr_string_list,
            "The expression is [Int], but [String] is wanted." },
        { "row.info", &kappa_expr_dyn, NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(wants); i++) {
        try_t t;

        try_compile(&t, wants[i].text, &kappa_world_scope, wants[i].expected);
        if (wants[i].message != NULL) {
            assert_int_equal(t.status, KAPPA_INVALID);
            assert_str_equal(t.errors.first->message, wants[i].message);
        } else {
            assert_int_equal(t.status, KAPPA_OK);
        }
        kappa_arena_destroy(t.arena);
    }
}

/* What comes out where a type was expected. */
static void
converts(void **state)
{
    static const struct {
        const char *text;
        const kappa_expr_type_t *expected;
        kappa_kind_t kind; /* KAPPA_UNSET: an error */
    } converted[] = {
        { "row.size", &kappa_expr_double, KAPPA_DOUBLE },
        { "row.missing", &kappa_expr_double, KAPPA_NULL },
        { "2", &kappa_expr_double, KAPPA_DOUBLE },
        { "'2026-11-20T10:25:00Z'", &kappa_expr_time, KAPPA_TIME },
        { "row.json.at", &kappa_expr_time, KAPPA_TIME },
        { "row.json.s", &kappa_expr_time, KAPPA_UNSET },
        { "row.json.n", &kappa_expr_int, KAPPA_INT },
        { "row.json.x", &kappa_expr_int, KAPPA_UNSET },
        { "row.json.n", &kappa_expr_double, KAPPA_DOUBLE },
        { "row.json.s", &kappa_expr_string, KAPPA_STRING },
        { "row.json.n", &kappa_expr_string, KAPPA_UNSET },
        { "row.json.s", &kappa_world_kind, KAPPA_UNSET },
        { "row.json.l", &kappa_expr_string_list, KAPPA_UNSET },
        { "row.json.none", &kappa_expr_string_list, KAPPA_NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(converted); i++) {
        kappa_value_t v = { 0 };
        kappa_world_t world;
        try_t t;

        try_compile(
            &t, converted[i].text, &kappa_world_scope, converted[i].expected);
        assert_int_equal(t.status, KAPPA_OK);
        assert_int_equal(kappa_world_init(&world, t.arena), KAPPA_OK);
        kappa_expr_env_t env = kappa_world_env(&world);
        kappa_status_t status =
            kappa_expr_eval(t.expr, &env, t.arena, &v, NULL);
        assert_int_equal(status == KAPPA_OK, converted[i].kind != KAPPA_UNSET);
        assert_int_equal(v.kind, converted[i].kind);
        kappa_arena_destroy(t.arena);
    }
}

static void
keeps_to_its_place(void **state)
{
    try_t t;

    (void)state;
    try_compile(&t, "auth.sub == row.name && row.sze > 1",
        &kappa_world_row_scope, NULL);
    assert_int_equal(t.status, KAPPA_INVALID);
    assert_int_equal(t.errors.count, 2); /* several at once */
    assert_str_equal(t.errors.first->message,
        "\"auth\" can't be read in where; it may read row.");
    assert_str_equal(t.errors.last->message,
        "Unknown field \"sze\" of \"Package\". Did you mean \"size\"?");
    kappa_arena_destroy(t.arena);

    try_compile(&t, "Package('a') == null", &kappa_world_row_scope, NULL);
    assert_str_equal(t.errors.first->message,
        "There is no function or view named \"Package\" that can be called "
        "here.");
    kappa_arena_destroy(t.arena);
}

/* The place is that in the file the text stands in. */
static void
points_into_the_file(void **state)
{
    const char *file = "type A {\n  b: Int @computed(as: \"row.nmae\")\n}";
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_source_t source = { KAPPA_STR("f"), kappa_str_c(file) };
    size_t offset = (size_t)(strstr(file, "row.") - file);
    kappa_expr_t *expr = NULL;
    kappa_errors_t errors;

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(
        kappa_expr_compile(arena, KAPPA_STR("row.nmae"), &kappa_world_scope,
            NULL, &expr, &errors, &source, offset),
        KAPPA_INVALID);
    assert_int_equal(errors.first->locations[0].line, 2);
    assert_int_equal(errors.first->locations[0].column, 29);
    assert_ptr_equal(errors.first->locations[0].source, &source);
    kappa_arena_destroy(arena);
}

static char *
repeat(kappa_arena_t *arena, const char *unit, size_t times, const char *end)
{
    size_t n = strlen(unit);
    char *text = kappa_arena_bytes(arena, n * times + strlen(end) + 1);

    for (size_t i = 0; i < times; i++) {
        memcpy(text + i * n, unit, n);
    }
    strcpy(text + n * times, end);
    return text;
}

static void
bounds_size(void **state)
{
    static const struct {
        const char *unit, *end;
        size_t most; /* times that still load */
    } bounds[] = {
        { "(", "1", 0 },
        { "[", "1", 0 },
        { "!", "true", 63 },
        { "-", "value", 63 },
        { "1 + ", "1", 63 },
        { "true && ", "true", 998 },
        { "true ? 1 : ", "1", 63 },
        { " ", "1", 8191 },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    try_t t;

    (void)state;
    for (size_t i = 0; i < COUNT(bounds); i++) {
        size_t most = bounds[i].most;

        if (most > 0) {
            try_compile(&t, repeat(arena, bounds[i].unit, most, bounds[i].end),
                &kappa_world_scope, NULL);
            assert_int_equal(t.status, KAPPA_OK);
            kappa_arena_destroy(t.arena);
            try_compile(&t,
                repeat(arena, bounds[i].unit, most + 1, bounds[i].end),
                &kappa_world_scope, NULL);
            assert_int_equal(t.status, KAPPA_LIMIT);
            kappa_arena_destroy(t.arena);
        }
        try_compile(&t, repeat(arena, bounds[i].unit, 8000, bounds[i].end),
            &kappa_world_scope, NULL);
        assert_int_equal(t.status == KAPPA_OK, most > 8000);
        kappa_arena_destroy(t.arena);
    }
    try_compile(&t, "'\xff'", &kappa_world_scope, NULL);
    assert_str_equal(t.errors.first->message, "Invalid UTF-8.");
    kappa_arena_destroy(t.arena);
    kappa_arena_destroy(arena);
}

/* Errors are allocated too. */
static kappa_status_t
compile_wrong(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *arena = kappa_arena_create(alloc, 64);
    kappa_source_t source = { KAPPA_STR("test"), kappa_str_c(ctx) };
    kappa_status_t status = KAPPA_NOMEM;
    kappa_expr_t *expr = NULL;
    kappa_errors_t errors;

    if (arena != NULL) {
        kappa_errors_init(&errors, arena, 0);
        status = kappa_expr_compile(arena, source.text, &kappa_world_scope,
            &kappa_expr_bool, &expr, &errors, &source, 0);
        if (status == KAPPA_INVALID) {
            assert_non_null(errors.first);
            status = KAPPA_OK;
        }
    }
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_no_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(compile_wrong, "1 +");
    kappa_alloc_failing_each(compile_wrong, "'\\q'");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(wants_a_type),
        cmocka_unit_test(converts),
        cmocka_unit_test(keeps_to_its_place),
        cmocka_unit_test(points_into_the_file),
        cmocka_unit_test(bounds_size),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests_name("expr/expr", tests, NULL, NULL);
}
