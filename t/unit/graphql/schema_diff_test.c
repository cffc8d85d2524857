#include "t/unit/test.h"

#include "graphql/parser.h"
#include "graphql/schema_diff.h"
#include "t/unit/alloc_failing.h"

/* What t/graphql_differential.t compares with graphql-js by the thousand; here
 * one of each kind, and what is hidden. */

static const struct {
    const char *before, *after;
    const char *changes; /* "SEVERITY CODE at: message\n"… */
} cases[] = {
    { "a: Int", "a: Int", "" },
    { "a: Int", "b: Int",
        "breaking FIELD_REMOVED Query.a: the field is gone\n"
        "safe FIELD_ADDED Query.b: a new field\n" },
    { "a: Int!", "a: Int",
        "breaking FIELD_CHANGED_KIND Query.a: was Int! and is Int\n" },
    { "a: [Int]", "a: [Int!]!",
        "safe FIELD_CHANGED_KIND_SAFE Query.a: was [Int] and is [Int!]!\n" },
    { "a: [Int]", "a: Int",
        "breaking FIELD_CHANGED_KIND Query.a: was [Int] and is Int\n" },
    { "a: Int", "\"words\" a: Int",
        "safe DESCRIPTION_CHANGED Query.a: has another description\n" },
    { "a(x: Int): Int", "a: Int",
        "breaking ARG_REMOVED Query.a(x:): the argument is gone\n" },
    { "a: Int", "a(x: Int): Int",
        "dangerous OPTIONAL_ARG_ADDED Query.a(x:): a new argument\n" },
    { "a: Int", "a(x: Int! = 1): Int",
        "dangerous OPTIONAL_ARG_ADDED Query.a(x:): a new argument\n" },
    { "a: Int", "a(x: Int!): Int",
        "breaking REQUIRED_ARG_ADDED Query.a(x:): a new argument that must "
        "be given\n" },
    { "a(x: Int): Int", "a(x: Int!): Int",
        "breaking ARG_CHANGED_KIND Query.a(x:): was Int and is Int!\n" },
    { "a(x: [Int!]!): Int", "a(x: [Int]): Int",
        "safe ARG_CHANGED_KIND_SAFE Query.a(x:): was [Int!]! and is [Int]\n" },
    { "a(x: Int = 1): Int", "a(x: Int = 2): Int",
        "dangerous ARG_DEFAULT_VALUE_CHANGE Query.a(x:): its default was 1 "
        "and is 2\n" },
    { "a(x: Int = 1): Int", "a(x: Int): Int",
        "dangerous ARG_DEFAULT_VALUE_CHANGE Query.a(x:): its default 1 is "
        "gone\n" },
    { "a(x: Int): Int", "a(x: Int = 2): Int",
        "safe ARG_DEFAULT_VALUE_ADDED Query.a(x:): has the default 2 now\n" },
    { "a(x: I = {n: [1, 2], m: 3}): Int } input I { n: [Int] m: Int",
        "a(x: I = {m: 3, n: [1, 2]}): Int } input I { n: [Int] m: Int", "" },
    { "a(x: I = {n: [1, 2]}): Int } input I { n: [Int] m: Int",
        "a(x: I = {n: [1]}): Int } input I { n: [Int] m: Int",
        "dangerous ARG_DEFAULT_VALUE_CHANGE Query.a(x:): its default was { n: "
        "[1, 2] } and is { n: [1] }\n" },
    { "a(x: String = \"a\"): Int", "a(x: String = \"\"\"a\"\"\"): Int",
        "dangerous ARG_DEFAULT_VALUE_CHANGE Query.a(x:): its default was "
        "\"a\" and is \"\"\"a\"\"\"\n" },
    { "a(i: I): Int } input I { x: Int y: Int",
        "a(i: I): Int } input I { x: ID z: Int! w: Int",
        "breaking FIELD_CHANGED_KIND I.x: was Int and is ID\n"
        "breaking FIELD_REMOVED I.y: the input field is gone\n"
        "breaking REQUIRED_INPUT_FIELD_ADDED I.z: a new input field that "
        "must be given\n"
        "dangerous OPTIONAL_INPUT_FIELD_ADDED I.w: a new input field\n" },
    { "a: E } enum E { X Y", "a: E } enum E { Y Z",
        "dangerous VALUE_ADDED_TO_ENUM E.Z: a new value\n"
        "breaking VALUE_REMOVED_FROM_ENUM E.X: the value is gone\n" },
    { "a: A } type A { x: Int } type B { x: Int } union U = A | B type C { "
      "u: U",
        "a: A } type A { x: Int } type B { x: Int } union U = C | A type C { "
        "u: U",
        "dangerous TYPE_ADDED_TO_UNION U: may be a C now\n"
        "breaking TYPE_REMOVED_FROM_UNION U: is never a B any more\n" },
    { "a: A } interface I { x: Int } type A implements I { x: Int",
        "a: A } interface I { x: Int } type A { x: Int",
        "breaking IMPLEMENTED_INTERFACE_REMOVED A: does not implement I any "
        "more\n" },
    { "a: A } interface I { x: Int } type A { x: Int",
        "a: A } interface I { x: Int } type A implements I { x: Int",
        "dangerous IMPLEMENTED_INTERFACE_ADDED A: implements I now\n" },
    { "a: A } type A { x: Int", "a: A } scalar A type B { x: Int",
        "breaking TYPE_CHANGED_KIND A: was an object type and is a scalar\n"
        "safe TYPE_ADDED B: a new type\n" },
    { "a: Int } scalar S type B { x: Int", "a: Int",
        "breaking TYPE_REMOVED S: the type is gone\n"
        "breaking TYPE_REMOVED B: the type is gone\n" },
    { "a: Int } directive @d(x: Int) repeatable on FIELD type B { x: Int",
        "a: Int } directive @d(y: Int, z: Int!) on QUERY type B { x: Int",
        "breaking DIRECTIVE_ARG_REMOVED @d(x:): the argument is gone\n"
        "safe OPTIONAL_DIRECTIVE_ARG_ADDED @d(y:): a new argument\n"
        "breaking REQUIRED_DIRECTIVE_ARG_ADDED @d(z:): a new argument that "
        "must be given\n"
        "breaking DIRECTIVE_REPEATABLE_REMOVED @d: may not be repeated any "
        "more\n"
        "breaking DIRECTIVE_LOCATION_REMOVED @d: may not stand on FIELD any "
        "more\n"
        "safe DIRECTIVE_LOCATION_ADDED @d: may stand on QUERY now\n" },
    { "a: Int } directive @d on FIELD type B { x: Int",
        "a: Int } directive @e on FIELD type B { x: Int",
        "breaking DIRECTIVE_REMOVED @d: the directive is gone\n"
        "safe DIRECTIVE_ADDED @e: a new directive\n" },
    { "a: Int } directive @d on FIELD type B { x: Int",
        "a: Int } directive @d repeatable on FIELD type B { x: Int",
        "safe DIRECTIVE_REPEATABLE_ADDED @d: may be repeated now\n" },
};

static kappa_status_t
build(kappa_arena_t *arena, const char *fields, kappa_schema_t **out)
{
    kappa_source_t *source = KAPPA_NEW(arena, kappa_source_t);
    kappa_document_t *document;
    kappa_errors_t errors;

    if (source == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_errors_init(&errors, arena, 0);
    source->text = kappa_str_printf(arena, "type Query { %s }", fields);
    kappa_status_t status = source->text.data
        ? kappa_parse(arena, source, NULL, &document, &errors)
        : KAPPA_NOMEM;
    if (status == KAPPA_OK) {
        status = kappa_schema_build(arena, &document, 1, out, &errors);
    }
    if (status != KAPPA_OK && status != KAPPA_NOMEM) {
        fail_msg("%s: %s", fields, errors.first->message.data);
    }
    return status;
}

static kappa_status_t
diff(kappa_arena_t *arena, size_t i, const char **out)
{
    static const char *const names[] = { "safe", "dangerous", "breaking" };
    kappa_schema_t *before, *after;
    kappa_schema_change_t *changes = NULL;
    kappa_str_t text = KAPPA_STR("");
    kappa_status_t status = build(arena, cases[i].before, &before);

    if (status == KAPPA_OK) {
        status = build(arena, cases[i].after, &after);
    }
    if (status == KAPPA_OK) {
        status = kappa_schema_diff(arena, before, after, &changes);
    }
    for (const kappa_schema_change_t *c = changes; c && status == KAPPA_OK;
         c = c->next) {
        text = kappa_str_printf(arena, "%.*s%s %s %.*s: %.*s\n",
            KAPPA_STR_ARG(text), names[c->severity], c->code,
            KAPPA_STR_ARG(c->at), KAPPA_STR_ARG(c->message));
        status = text.data ? KAPPA_OK : KAPPA_NOMEM;
    }
    *out = text.data;
    return status;
}

static void
names_every_change(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
        const char *got;

        assert_int_equal(diff(arena, i, &got), KAPPA_OK);
        if (strcmp(got, cases[i].changes) != 0) {
            fail_msg("{ %s } to { %s }:\n%sinstead of:\n%s", cases[i].before,
                cases[i].after, got, cases[i].changes);
        }
        kappa_arena_destroy(arena);
    }
}

static kappa_status_t
diff_with(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *arena = kappa_arena_create(alloc, 64);
    const char *got;

    if (arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = diff(arena, *(size_t *)ctx, &got);
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_without_memory(void **state)
{
    (void)state;
    for (size_t i = 16; i < COUNT(cases); i += 9) {
        kappa_alloc_failing_each(diff_with, &i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_every_change),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests_name(
        "graphql/schema_diff", tests, NULL, NULL);
}
