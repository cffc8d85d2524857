#include "t/unit/graphql/documents.h"

#include "graphql/print.h"
#include "t/unit/alloc_failing.h"

/* The places are graphql-js 17's. */
/* clang-format off */
static const struct {
    const char *text, *places;
} cases[] = {
    { "type Query { a: Int }",
      "" },
    { "type Foo { a: Int }",
      "-" },
    { "schema { query: Q mutation: M subscription: S } interface "
      "Q { a: Int } union M = S type S { a: Int }",
      "1:17 | 1:29" },
    { "schema { query: Q mutation: Q } type Q { a: Int }",
      "1:17 1:29" },
    { "schema { query: Q } schema { query: Q } extend schema { "
      "query: Q mutation: Q } type Q { a: Int }",
      "1:10 1:30 | 1:10 1:57 | 1:21" },
    { "type Query { a: Int } type Query { b: Int } enum Query { A "
      "}",
      "1:6 1:28 | 1:6 1:50" },
    { "type Query { a: E } enum E { A B A } extend enum E { B }",
      "1:30 1:34 | 1:32 1:54" },
    { "type Query { a: Int b: Int a: Int } extend type Query { b: "
      "Int } input I { x: Int x: Int }",
      "1:14 1:28 | 1:21 1:57 | 1:76 1:83" },
    { "type Query { a(x: Int, y: Int, x: Int): Int } directive "
      "@d(x: Int, x: Int) on FIELD",
      "1:16 1:32 | 1:60 1:68" },
    { "directive @d on FIELD directive @d on QUERY type Query { "
      "a: Int }",
      "1:12 1:34" },
    { "type Query implements Nope { a(x: Missing): Strin } union "
      "U = Query | Nada extend schema { mutation: Gone }",
      "1:102 | 1:23 | 1:35 | 1:45 | 1:71" },
    { "type Query @nope @skip(if: true) { a: Int @deprecated "
      "@deprecated(reason: \"x\") @specifiedBy(url: \"u\") }",
      "1:12 | 1:18 | 1:43 1:55 | 1:80" },
    { "directive @d(x: Int!, y: Int) on OBJECT type Query @d(z: "
      "1, z: 2) @d(x: {a: 1, a: 2}) { a: Int }",
      "1:52 | 1:52 1:67 | 1:55 | 1:55 1:61 | 1:61 | 1:74 1:80" },
    { "scalar S @specifiedBy extend scalar S @specifiedBy(url: "
      "\"x\") type Query { a: S }",
      "1:10 | 1:10 1:39" },
    { "type Query { a: Int } extend type Quer { b: Int } extend "
      "enum Query { A } extend union Gone = Query",
      "1:1 1:51 | 1:35 | 1:88" },
    { "type Query { a: Int @deprecated(reason: 1) }",
      "1:41" },
    { "directive @__d(__x: Query) on FIELD type __T { a: Int } "
      "type Query { __a(__b: Int): __T } enum E { __V }",
      "1:1 | 1:100 | 1:16 | 1:16 | 1:37 | 1:70 | 1:74" },
    { "type Query { a(x: Query): I b: [I!] } input I { a: Query }",
      "1:19 | 1:27 | 1:32 | 1:52" },
    { "type Query { a(x: Int! @deprecated): Int } input I { a: "
      "Int! @deprecated b: Int! = 1 @deprecated } directive @d(x: "
      "Int! @deprecated) on FIELD",
      "1:121 1:116 | 1:24 1:19 | 1:62 1:57" },
    { "type Query union U enum E input I interface N",
      "1:1 | 1:12 | 1:20 | 1:27 | 1:35" },
    { "type Query { a: U } union U = Query | Query | I | E "
      "interface I { a: Int } enum E { A }",
      "1:31 1:39 | 1:47 | 1:51" },
    { "interface N { id: ID! x(a: Int, b: Int): [Int] } type "
      "Query implements N & N { id: ID x(a: Int!, c: Int!): Int }",
      "1:19 1:84 | 1:28 1:92 | 1:33 1:87 | 1:42 1:108 | 1:72 1:76 "
      "| 1:98 1:23" },
    { "interface A implements B { x: Int } interface B implements "
      "A { x: Int } interface C implements C { y: Int } type "
      "Query implements Query & E { a: Int } enum E { A }",
      "1:131 | 1:139 | 1:24 1:60 | 1:60 1:24 | 1:96" },
    { "interface A { x: A } interface B implements A { x: B y: "
      "Int } type Query implements B { x: Query y: Int }",
      "1:45 1:85" },
    { "interface A { x: U } union U = Query type Query implements "
      "A { x: Query! }",
      "" },
    { "input A { b: B! } input B { c: C! a: A } input C { a: A! "
      "c: C! } type Query { a(x: A): Int }",
      "1:11 1:29 1:52 | 1:58" },
    { "input A @oneOf { a: A b: B } input B @oneOf { a: A } input "
      "C @oneOf { x: Int! y: Int = 1 c: C } type Query { a(x: A, "
      "c: C): Int }",
      "1:18 | 1:23 1:47 | 1:74 | 1:79" },
    { "type Query { a(i: Int = \"x\", e: E = C, l: [Int!] = [1, "
      "null], f: F = {a: 1, b: 2}, n: Int! = null): Int } enum E "
      "{ A B } input F { a: String c: Int! }",
      "1:25 | 1:37 | 1:56 | 1:70 | 1:74 | 1:77 | 1:94" },
    { "input A { x: A = {} } input B { c: C = {} } input C { b: B "
      "= {} n: Int = 1 } type Query { a(x: A, b: B = {c: {b: "
      "{}}}): Int }",
      "1:18 | 1:40 1:62" },
    { "directive @d(x: Int = \"s\", y: [E] = [X]) on FIELD enum E { "
      "A } type Query { a: Int }",
      "1:23 | 1:38" },
    { "\"d\" schema { query: Q } \"q\" type Q { \"f\" a(\"x\" b: Int): "
      "Int } query { a @nope }",
      "1:73" },
};
/* clang-format on */

static void
agrees_about_schemas(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
        kappa_schema_t *schema;
        kappa_errors_t errors;

        kappa_errors_init(&errors, arena, 1000);
        kappa_status_t status =
            build_text(arena, cases[i].text, false, &schema, &errors);
        assert_places(&errors, cases[i].places, cases[i].text);
        assert_int_equal(
            status, cases[i].places[0] ? KAPPA_INVALID : KAPPA_OK);
        kappa_arena_destroy(arena);
    }
}

static const char sdl[] =
    "\"root\" schema { query: Q }\n"
    "type Q implements N { id: ID! f(a: A = {x: 1}, e: E = ONE): [[U!]]! "
    "@deprecated(reason: \"old\") }\n"
    "interface N { id: ID! }\n"
    "extend type Q @tag { g: Int }\n"
    "union U = Q | T\n"
    "type T implements N { id: ID! }\n"
    "enum E { ONE TWO @deprecated }\n"
    "input A { x: Int! y: String = \"d\" z: B = {} }\n"
    "input B @oneOf { v: Float w: Time }\n"
    "scalar Time @specifiedBy(url: \"u\")\n"
    "directive @tag on OBJECT\n";

static kappa_schema_t *
build(kappa_arena_t *arena, const char *text, bool library)
{
    kappa_schema_t *schema = NULL;
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status = build_text(arena, text, library, &schema, &errors);
    assert_places(&errors, "", text);
    assert_int_equal(status, KAPPA_OK);
    return schema;
}

static const kappa_type_t *
type_of(const kappa_schema_t *schema, const char *name)
{
    const kappa_type_t *type = kappa_schema_type(schema, kappa_str_c(name));

    assert_non_null(type);
    return type;
}

static void
builds_types(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_str_t text = kappa_str(sdl, sizeof(sdl) - 1);
    char *fixed = strstr(kappa_str_dup(arena, text).data, "\"root\"");

    (void)state;
    /* {} is no value of a @oneOf type */
    char *cut = strstr(fixed, " z: B = {}");
    memcpy(cut, " z: B     ", 10);
    const kappa_schema_t *schema = build(arena, fixed, false);
    const kappa_type_t *q = type_of(schema, "Q");
    const kappa_type_t *n = type_of(schema, "N");
    const kappa_field_t *f = kappa_type_field(q, KAPPA_STR("f"));

    assert_str_equal(schema->description, "root");
    assert_ptr_equal(schema->roots[KAPPA_OPERATION_QUERY], q);
    assert_null(schema->roots[KAPPA_OPERATION_MUTATION]);
    assert_int_equal(q->field_count, 3);
    assert_str_equal(q->fields[2].name, "g");
    assert_non_null(kappa_directive_find(q->directives, KAPPA_STR("tag")));
    assert_str_equal(kappa_type_ref_print(arena, f->type), "[[U!]]!");
    assert_str_equal(f->deprecation, "old");
    assert_null(q->fields[0].deprecation.data);

    /* Defaults are coerced, those of fields within them filled in. */
    const kappa_value_t *a = &f->args[0].default_value;
    assert_int_equal(a->kind, KAPPA_OBJECT);
    assert_int_equal(a->count, 2);
    assert_str_equal(a->as.members[1].name, "y");
    assert_str_equal(a->as.members[1].value.as.string, "d");
    assert_str_equal(f->args[1].default_value.as.string, "ONE");

    assert_int_equal(n->possible_count, 2);
    assert_true(kappa_type_is_possible(n, type_of(schema, "T")));
    assert_true(kappa_type_is_possible(type_of(schema, "U"), q));
    assert_false(kappa_type_is_possible(
        type_of(schema, "U"), type_of(schema, "__Type")));
    assert_true(type_of(schema, "B")->one_of);
    assert_str_equal(type_of(schema, "Time")->specified_by, "u");
    assert_int_equal(type_of(schema, "Time")->scalar, KAPPA_SCALAR_JSON);
    assert_str_equal(
        type_of(schema, "E")->values[1].deprecation, "No longer supported");

    /* Boolean and String are everybody's, Float is referred to, and what
     * nothing refers to is not there. */
    assert_true(type_of(schema, "Float")->builtin);
    assert_non_null(kappa_schema_type(schema, KAPPA_STR("Boolean")));
    assert_null(kappa_schema_type(
        build(arena, "type Query { a: Int }", false), KAPPA_STR("Float")));
    kappa_arena_destroy(arena);
}

static const char ours[] =
    "type Item @view { id: ID! secret: Int @internal at: DateTime }\n"
    "type Log @view @internal { id: ID! }\n"
    "scalar Date\n"
    "type Query { item(id: ID! @stamp(as: \"auth.sub\"), day: Int): Item }\n";

static void
hides_what_is_kappas(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    const kappa_schema_t *schema = build(arena, ours, true);
    const kappa_type_t *item = type_of(schema, "Item");
    kappa_buf_t buf;

    (void)state;
    assert_true(schema->has_library);
    assert_true(item->fields[1].hidden);
    assert_true(type_of(schema, "Query")->fields[0].args[0].hidden);
    assert_false(type_of(schema, "Query")->fields[0].args[1].hidden);
    assert_true(type_of(schema, "Log")->hidden);
    assert_true(type_of(schema, "KappaEffect")->hidden);
    assert_true(type_of(schema, "UUID")->hidden);
    assert_int_equal(
        type_of(schema, "DateTime")->scalar, KAPPA_SCALAR_DATETIME);
    assert_int_equal(type_of(schema, "JSON")->scalar, KAPPA_SCALAR_JSON);

    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_print_schema(&buf, schema);
    assert_str_equal(kappa_buf_view(&buf),
        "type Item {\n  id: ID!\n  at: DateTime\n}\n\n"
        "type Query {\n  item(day: Int): Item\n}\n\n"
        "scalar DateTime\n");
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

/* The same definition in both files is one; another is an error. */
static void
takes_identical_definitions_as_one(void **state)
{
    static const struct {
        const char *text, *places;
    } twice[] = {
        { "scalar DateTime type Query { a: DateTime }", "" },
        { "\"a time\" scalar   DateTime # spec\n type Query { a: Int }", "" },
        { "directive @internal on | OBJECT | FIELD_DEFINITION type Query { "
          "a: Int }",
            "1:12 20:12" },
        { "directive @internal on OBJECT | FIELD_DEFINITION type Query { "
          "a: Int }",
            "" },
        { "type DateTime { a: Int } type Query { a: Int }", "1:6 4:8" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(twice); i++) {
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
        kappa_schema_t *schema;
        kappa_errors_t errors;

        kappa_errors_init(&errors, arena, 0);
        build_text(arena, twice[i].text, true, &schema, &errors);
        assert_places(&errors, twice[i].places, twice[i].text);
        kappa_arena_destroy(arena);
    }
}

static void
knows_a_schema_of_ours(void **state)
{
    static const struct {
        const char *text;
        bool ours;
    } schemas[] = {
        { "type Query { a: Int }", false },
        { "type Query { a: DateTime }", false },
        { "type A @view { a: Int }", true },
        { "type A { a(x: Int @stamp(as: \"now\")): Int }", true },
        { "directive @view on OBJECT type A @view { a: Int }", false },
        { "type A @key(fields: \"id\") @deprecated { a: Int }", false },
        { "enum E { A @was(name: \"B\") }", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(schemas); i++) {
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
        kappa_document_t *document, *library;
        kappa_errors_t errors;
        bool used;

        kappa_errors_init(&errors, arena, 0);
        assert_int_equal(
            parse_text(arena, schemas[i].text, &document, &errors), KAPPA_OK);
        assert_int_equal(
            kappa_library_parse(arena, &library, &errors), KAPPA_OK);
        assert_int_equal(
            kappa_library_is_used(arena, document, library, &used), KAPPA_OK);
        assert_int_equal(used, schemas[i].ours);
        kappa_arena_destroy(arena);
    }
}

static kappa_status_t
build_once(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *arena = kappa_arena_create(alloc, 512);
    kappa_schema_t *schema;
    kappa_errors_t errors;

    if (arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status = build_text(arena, ctx, true, &schema, &errors);
    kappa_arena_destroy(arena);
    return status == KAPPA_INVALID ? KAPPA_OK : status;
}

static void
survives_want_of_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(build_once, (void *)(uintptr_t)ours);
    kappa_alloc_failing_each(build_once, (void *)(uintptr_t)sdl);
    for (size_t i = 0; i < COUNT(cases); i += 3) {
        kappa_alloc_failing_each(build_once, (void *)(uintptr_t)cases[i].text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_about_schemas),
        cmocka_unit_test(builds_types),
        cmocka_unit_test(hides_what_is_kappas),
        cmocka_unit_test(takes_identical_definitions_as_one),
        cmocka_unit_test(knows_a_schema_of_ours),
        cmocka_unit_test(survives_want_of_memory),
    };

    return cmocka_run_group_tests_name("graphql/schema", tests, NULL, NULL);
}
