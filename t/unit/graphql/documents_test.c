#include "graphql/documents.h"

#include <stdio.h>

#include "t/unit/alloc_failing.h"
#include "t/unit/graphql_fake.h"
#include "t/unit/test.h"

static kappa_fake_t fake;
static kappa_arena_t *lasting, *arena;
static kappa_errors_t errors;

static int
set_up(void **state)
{
    kappa_str_t sdl, json;

    (void)state;
    lasting = kappa_arena_create(&kappa_alloc_libc, 0);
    arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_init(&errors, lasting, 0);
    sdl = kappa_fake_read(lasting, "t/fixtures/execute/schema.graphql");
    json = kappa_fake_read(lasting, "t/fixtures/execute/data.json");
    assert_int_equal(
        kappa_fake_init(&fake, lasting, sdl, json, &errors), KAPPA_OK);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    kappa_arena_destroy(arena);
    kappa_arena_destroy(lasting);
    return 0;
}

/* Asks for a text and gives the plan back. */
static kappa_status_t
get(kappa_documents_t *documents, kappa_str_t text, const char *name)
{
    kappa_plan_t *plan = NULL;
    kappa_status_t status;

    kappa_arena_reset(arena);
    kappa_errors_init(&errors, arena, 0);
    status = kappa_documents_get(
        documents, text, kappa_str_c(name), &plan, &errors);
    assert_true((status == KAPPA_OK) == (plan != NULL));
    kappa_plan_release(plan);
    return status;
}

/* A document of its own for each number. */
static kappa_str_t
text_of(int i)
{
    static char text[64];

    return kappa_str(text,
        (size_t)snprintf(
            text, sizeof(text), "{ a%d: section { id name } }", i));
}

static void
keeps_from_the_second_sighting(void **state)
{
    kappa_documents_t *d =
        kappa_documents_create(&kappa_alloc_libc, fake.schema, NULL);
    kappa_plan_t *a, *b;

    (void)state;
    assert_int_equal(get(d, text_of(1), NULL), KAPPA_OK);
    assert_int_equal(kappa_documents_stats(d).count, 0);
    assert_int_equal(get(d, text_of(1), NULL), KAPPA_OK);
    assert_int_equal(kappa_documents_stats(d).count, 1);
    assert_int_equal(kappa_documents_stats(d).misses, 2);
    kappa_documents_get(d, text_of(1), KAPPA_STR_NULL, &a, &errors);
    kappa_documents_get(d, text_of(1), KAPPA_STR_NULL, &b, &errors);
    assert_ptr_equal(a, b);
    assert_int_equal(kappa_documents_stats(d).hits, 2);
    kappa_plan_release(b);
    kappa_documents_destroy(d);
    assert_int_equal(kappa_plan_root_count(a), 1); /* outlives the cache */
    kappa_plan_release(a);
}

static void
tells_operation_names_apart(void **state)
{
    kappa_documents_t *d =
        kappa_documents_create(&kappa_alloc_libc, fake.schema, NULL);
    kappa_str_t text =
        KAPPA_STR("query A { section { id } } query B { node { id } }");
    kappa_plan_t *plan;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(get(d, text, "A"), KAPPA_OK);
        assert_int_equal(get(d, text, "B"), KAPPA_OK);
        assert_int_equal(get(d, text, NULL), KAPPA_INVALID);
        assert_int_equal(get(d, text, ""), KAPPA_INVALID);
        assert_int_equal(get(d, text, "C"), KAPPA_INVALID);
    }
    assert_int_equal(kappa_documents_stats(d).count, 2);
    kappa_documents_get(d, text, KAPPA_STR("B"), &plan, &errors);
    assert_str_equal(kappa_plan_root(plan, 0)->name, "node");
    kappa_plan_release(plan);
    kappa_documents_destroy(d);
}

/* Documents seen once, and documents seen twice, push out nothing that is
 * used; and the bound holds whatever is asked for. */
static void
withstands_floods(void **state)
{
    kappa_document_limits_t limits = { .max_bytes = 256 * 1024 };
    kappa_documents_t *d =
        kappa_documents_create(&kappa_alloc_libc, fake.schema, &limits);
    kappa_documents_stats_t before, after;

    (void)state;
    for (int i = 0; i < 10; i++) {
        get(d, text_of(0), NULL);
    }
    for (int i = 1; i < 3000; i++) {
        get(d, text_of(i), NULL);
    }
    assert_int_equal(kappa_documents_stats(d).count, 1);
    for (int i = 3000; i < 6000; i++) {
        get(d, text_of(i), NULL);
        get(d, text_of(i), NULL);
        assert_true(kappa_documents_stats(d).bytes <= limits.max_bytes);
    }
    assert_true(kappa_documents_stats(d).count > 10);
    before = kappa_documents_stats(d);
    get(d, text_of(0), NULL);
    after = kappa_documents_stats(d);
    assert_int_equal(after.hits, before.hits + 1);

    /* proven ones give way to proven ones, and the bound holds still */
    for (int i = 6000; i < 7000; i++) {
        for (int k = 0; k < 4; k++) {
            get(d, text_of(i), NULL);
        }
        assert_true(kappa_documents_stats(d).bytes <= limits.max_bytes);
    }
    before = kappa_documents_stats(d);
    get(d, text_of(6999), NULL);
    assert_int_equal(kappa_documents_stats(d).hits, before.hits + 1);
    kappa_documents_destroy(d);
}

static void
grows_its_table(void **state)
{
    kappa_documents_t *d =
        kappa_documents_create(&kappa_alloc_libc, fake.schema, NULL);

    (void)state;
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < 1000; i++) {
            get(d, text_of(i), NULL);
        }
    }
    assert_true(kappa_documents_stats(d).count > 700);
    assert_true(kappa_documents_stats(d).hits > 700);
    kappa_documents_destroy(d);
}

static const struct {
    const char *text;
    kappa_document_limits_t limits;
    kappa_status_t status;
    const char *code;
    const char *message;
} refusals[] = {
    { "{", { 0 }, KAPPA_INVALID, "PARSE_FAILED", NULL },
    { "{ __typename }", { .max_document = 13 }, KAPPA_LIMIT, "LIMIT_EXCEEDED",
        "The document has 14 bytes, past the limit of 13." },
    { "{ __typename }", { .max_document = 14 }, KAPPA_OK, NULL, NULL },
    { "{ a b c d }", { .max_tokens = 3 }, KAPPA_LIMIT, "LIMIT_EXCEEDED",
        NULL },
    { "{ section { parent { id } } }", { .max_depth = 3 }, KAPPA_OK, NULL,
        NULL },
    { "{ section { parent { parent { id } } } }", { .max_depth = 3 },
        KAPPA_LIMIT, "LIMIT_EXCEEDED",
        "The operation nests fields deeper than the limit of 3. Ask for less "
        "at once." },
    { "{ ...F } fragment F on Query { section { ...G } }"
      " fragment G on Section { parent { ...H } }"
      " fragment H on Section { ... { ... { id } } }",
        { .max_depth = 3 }, KAPPA_OK, NULL, NULL },
    { "{ ...F } fragment F on Query { section { ...G } }"
      " fragment G on Section { parent { ...H } }"
      " fragment H on Section { parent { id } }",
        { .max_depth = 3 }, KAPPA_LIMIT, "LIMIT_EXCEEDED", NULL },
    { "{ a: section { b: id ...F } } fragment F on Section { ... { c: id } }",
        { .max_aliases = 3 }, KAPPA_OK, NULL, NULL },
    { "{ a: section { b: id ...F } } fragment F on Section { ... { c: id } }",
        { .max_aliases = 2 }, KAPPA_LIMIT, "LIMIT_EXCEEDED",
        "The document has 3 aliases, past the limit of 2. Ask for less at "
        "once." },
    { "{ a: section { id } section { id } }", { .max_root_fields = 2 },
        KAPPA_OK, NULL, NULL },
    { "{ a: section { id } ... { section { id } } __typename }",
        { .max_root_fields = 2 }, KAPPA_LIMIT, "LIMIT_EXCEEDED",
        "The operation has more root fields than the limit of 2. Ask for less "
        "at once." },
    { "{ ...F ...F } fragment F on Query { __typename ...G }"
      " fragment G on Query { ... { section { id parent { id } } } }",
        { .max_root_fields = 4 }, KAPPA_OK, NULL, NULL },
    { "{ ...F ...F } fragment F on Query { __typename ...G }"
      " fragment G on Query { ... { section { id parent { id } } } }",
        { .max_root_fields = 3 }, KAPPA_LIMIT, "LIMIT_EXCEEDED", NULL },
    { "query A { __typename } query B { a: __typename __typename }",
        { .max_root_fields = 1 }, KAPPA_LIMIT, "LIMIT_EXCEEDED", NULL },
    { "query ($a: Boolean = true) { ...F @skip(if: $a) ... @include(if: $a)"
      " { __typename @skip(if: $a) } } fragment F on Query { __typename"
      " @include(if: $a) }",
        { .max_directives = 4 }, KAPPA_OK, NULL, NULL },
    { "query ($a: Boolean = true) { ...F @skip(if: $a) ... @include(if: $a)"
      " { __typename @skip(if: $a) } } fragment F on Query { __typename"
      " @include(if: $a) }",
        { .max_directives = 3 }, KAPPA_LIMIT, "LIMIT_EXCEEDED",
        "The document has 4 directives, past the limit of 3. Ask for less at "
        "once." },
    /* Valid or not, wherever they stand. */
    { "query @a { __typename }", { .max_directives = 1 }, KAPPA_INVALID,
        "VALIDATION_FAILED", NULL },
    { "query ($a: Boolean @a @b) @c { a @d } fragment F on Query @e { a @f }",
        { .max_directives = 5 }, KAPPA_LIMIT, "LIMIT_EXCEEDED", NULL },
    { "{ ...F } fragment F on Query { ...F ...G } fragment G on Query { ...F "
      "}",
        { .max_root_fields = 1 }, KAPPA_INVALID, "VALIDATION_FAILED", NULL },
    { "{ __schema { description } ...F } fragment F on Query { a: __schema"
      " { description } }",
        { .max_aliases = 9 }, KAPPA_OK, NULL, NULL },
    { "{ __schema { description } ...F ... { ...F } } fragment F on Query {"
      " a: __schema { description } }",
        { .max_aliases = 9 }, KAPPA_LIMIT, "LIMIT_EXCEEDED",
        "The operation asks for \"__schema\" more than 2 times. Once gives "
        "all "
        "of it." },
    { "{ __schema { description } }", { .no_introspection = true },
        KAPPA_INVALID, "VALIDATION_FAILED",
        "Introspection is turned off here, but the document asks for "
        "\"__schema\"." },
    { "{ __typename ...F } fragment F on Query { __type(name: \"A\")"
      " { name } }",
        { .no_introspection = true }, KAPPA_INVALID, "VALIDATION_FAILED",
        NULL },
    { "{ __typename section { __typename } }", { .no_introspection = true },
        KAPPA_OK, NULL, NULL },
};

static void
refuses_what_is_past_its_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        kappa_documents_t *d = kappa_documents_create(
            &kappa_alloc_libc, fake.schema, &refusals[i].limits);

        for (int k = 0; k < 3; k++) {
            kappa_status_t status =
                get(d, kappa_str_c(refusals[i].text), NULL);

            if (status != refusals[i].status) {
                fail_msg("%s: status %d", refusals[i].text, status);
            }
            if (status == KAPPA_OK) {
                continue;
            }
            assert_string_equal(errors.first->code, refusals[i].code);
            if (refusals[i].message != NULL) {
                assert_str_equal(errors.first->message, refusals[i].message);
            }
            assert_int_equal(kappa_documents_stats(d).count, 0);
        }
        kappa_documents_destroy(d);
    }
}

/* The introspection query of GraphiQL is within the depth of the default. */
static void
lets_graphiql_introspect(void **state)
{
    kappa_documents_t *d =
        kappa_documents_create(&kappa_alloc_libc, fake.schema, NULL);

    (void)state;
    assert_int_equal(
        get(d,
            KAPPA_STR("{ __schema { types { fields { args { type { ...T } } }"
                      " } } } fragment T on __Type { ofType { ofType { ofType"
                      " { ofType { ofType { ofType { ofType { ofType { ofType"
                      " { name } } } } } } } } } }"),
            NULL),
        KAPPA_OK);
    kappa_documents_destroy(d);
}

static kappa_status_t
use_all(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_documents_t *d = kappa_documents_create(alloc, fake.schema, NULL);
    kappa_arena_t *own = d ? kappa_arena_create(alloc, 0) : NULL;
    kappa_status_t status = own ? KAPPA_OK : KAPPA_NOMEM;
    uint64_t hits = 0;

    (void)ctx;
    for (int i = 0; i < 3 && status == KAPPA_OK; i++) {
        kappa_plan_t *plan = NULL;
        kappa_errors_t own_errors;

        kappa_errors_init(&own_errors, own, 0);
        status = kappa_documents_get(
            d, text_of(1), KAPPA_STR_NULL, &plan, &own_errors);
        kappa_plan_release(plan);
        hits = kappa_documents_stats(d).hits;
    }
    kappa_arena_destroy(own);
    kappa_documents_destroy(d);
    /* A plan that can't be kept is no failure: the next time finds none. */
    return status == KAPPA_OK && hits == 0 ? KAPPA_NOMEM : status;
}

static void
survives_without_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(use_all, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_from_the_second_sighting),
        cmocka_unit_test(tells_operation_names_apart),
        cmocka_unit_test(withstands_floods),
        cmocka_unit_test(grows_its_table),
        cmocka_unit_test(refuses_what_is_past_its_limits),
        cmocka_unit_test(lets_graphiql_introspect),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests_name("documents", tests, set_up, tear_down);
}
