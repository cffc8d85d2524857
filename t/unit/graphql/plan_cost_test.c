#include "graphql/plan.h"

#include <stdio.h>

#include "base/json.h"
#include "graphql/parser.h"
#include "t/unit/alloc_failing.h"
#include "t/unit/graphql_fake.h"
#include "t/unit/test.h"

static const char directives[] =
    "directive @cost(weight: String!) on ARGUMENT_DEFINITION | ENUM"
    " | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR\n"
    "directive @listSize(assumedSize: Int, slicingArguments: [String!],"
    " sizedFields: [String!], requireOneSlicingArgument: Boolean = true)"
    " on FIELD_DEFINITION\n"
    "directive @bind(as: String) on FIELD_DEFINITION\n";

static const char sdl[] =
    "type Query {\n"
    "  user(id: ID): User\n"
    "  users(first: Int, last: Int): [User!]!\n"
    "  max(max: Int): [User] @listSize(slicingArguments: [\"max\"])\n"
    "  either(a: Int, b: Int = 3): [User] @listSize(assumedSize: 7,"
    " slicingArguments: [\"a\", \"b\"], requireOneSlicingArgument: false)\n"
    "  assumed: [User] @listSize(assumedSize: 20)\n"
    "  found(filter: Filter): [User] @listSize(slicingArguments:"
    " [\"filter.max\"], requireOneSlicingArgument: false)\n"
    "  paged(first: Int): Users @bind(as: \"CONNECTION\")\n"
    "  sized(n: Int = 4): Sized @listSize(slicingArguments: \"n\","
    " sizedFields: [\"them\"])\n"
    "  dear(cheap: Int @cost(weight: \"-2\"), x: Int @cost(weight: \"0.5\")):"
    " User @cost(weight: \"10\")\n"
    "  node: Node\n"
    "}\n"
    "type User implements Node { id: ID! age: Int @cost(weight: \"2.0\")"
    " color: Color tags: [Color] friend: User }\n"
    "type Gold implements Node @cost(weight: \"5\") { id: ID! user: User }\n"
    "interface Node { id: ID! }\n"
    "enum Color @cost(weight: \"0.25\") { RED }\n"
    "input Filter { max: Int deep: Filter w: Int @cost(weight: \"3\") }\n"
    "type Users { edges: [Edge] @bind(as: \"EDGES\") nodes: [User]"
    " @bind(as: \"NODES\") pageInfo: Info @bind(as: \"PAGE_INFO\") }\n"
    "type Edge { node: User @bind(as: \"EDGE_NODE\") }\n"
    "type Info { more: Boolean }\n"
    "type Sized { them: [User] others: [User] }\n";

static const struct {
    const char *text;
    const char *variables;
    double field, type;
} cases[] = {
    { "{ __typename }", NULL, 0, 1 },
    { "{ user { id } }", NULL, 1, 2 },
    { "{ user { id friend { id } } a: user { id } }", NULL, 3, 4 },
    { "{ max(max: 5) { age } }", NULL, 11, 6 },
    { "query($m: Int) { max(max: $m) { age } }", "{\"m\":5}", 11, 6 },
    { "query($m: Int) { max(max: $m) { age } }", NULL, 201, 101 },
    { "{ max(max: -5) { age } }", NULL, 1, 1 },
    { "{ users(first: 3) { friend { friend { id } } } }", NULL, 7, 10 },
    { "{ users(last: 2, first: 4) { id } }", NULL, 1, 5 },
    { "{ users { id } }", NULL, 1, 101 },
    { "{ either { id } }", NULL, 1, 4 },
    { "{ either(a: 9) { id } }", NULL, 1, 10 },
    { "{ either(b: null) { id } }", NULL, 1, 8 },
    { "{ assumed { id } }", NULL, 1, 21 },
    { "{ found(filter: {max: 2}) { id } }", NULL, 2, 3 },
    { "query($f: Filter) { found(filter: $f) { id } }",
        "{\"f\":{\"max\":2,\"w\":1,\"deep\":{\"deep\":{\"w\":1}}}}", 10, 3 },
    { "{ paged(first: 3) { edges { node { age } } nodes { id } pageInfo"
      " { more } } }",
        NULL, 13, 12 },
    { "{ sized { them { id } others { id } } }", NULL, 3, 106 },
    { "{ dear { id } }", NULL, 10, 2 },
    { "{ dear(cheap: 1, x: 2) { id } }", NULL, 8.5, 2 },
    { "{ user { color tags } }", NULL, 1, 2 + 0.25 + 10 * 0.25 },
    { "{ node { id } }", NULL, 1, 6 },
    { "{ node { ... on User { friend { friend { friend { friend { friend { id"
      " } } } } } } ... on Gold { user { id } } } }",
        NULL, 6, 7 },
    { "query($x: Boolean!) { user @include(if: $x) { id } }", "{\"x\":false}",
        0, 1 },
    { "{ __schema { types { name } } __type(name: \"A\") { name } }", NULL, 0,
        1 },
};

static kappa_fake_t fake;
static kappa_arena_t *arena;
static kappa_errors_t errors;

static kappa_status_t
load(const char *text)
{
    kappa_errors_init(&errors, arena, 0);
    return kappa_fake_init(&fake, arena,
        kappa_str_printf(arena, "%s%s", directives, text),
        KAPPA_STR("{\"Query\":{}}"), &errors);
}

static int
set_up(void **state)
{
    (void)state;
    arena = kappa_arena_create(&kappa_alloc_libc, 0);
    assert_int_equal(load(sdl), KAPPA_OK);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    kappa_arena_destroy(arena);
    return 0;
}

static kappa_status_t
cost_of(const kappa_alloc_t *alloc, kappa_arena_t *own, size_t i,
    kappa_cost_t *cost)
{
    kappa_source_t source = { KAPPA_STR("test"), kappa_str_c(cases[i].text) };
    kappa_document_t *document;
    kappa_value_t json = { 0 };
    const kappa_value_t *values;
    kappa_plan_t *plan = NULL;
    kappa_str_t message;
    kappa_status_t status =
        kappa_parse(own, &source, NULL, &document, &errors);

    if (status == KAPPA_OK) {
        status = kappa_plan_create(
            alloc, fake.schema, document, KAPPA_STR_NULL, &plan, &errors);
    }
    if (status == KAPPA_OK && cases[i].variables != NULL) {
        status = kappa_json_parse(
            own, kappa_str_c(cases[i].variables), &json, &message);
    }
    if (status == KAPPA_OK) {
        status = kappa_plan_variables(plan, &json, own, &values, &errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_plan_cost(plan, values, own, cost);
    }
    kappa_plan_release(plan);
    return status;
}

static void
counts_calls_and_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_cost_t cost;

        kappa_errors_init(&errors, arena, 0);
        assert_int_equal(
            cost_of(&kappa_alloc_libc, arena, i, &cost), KAPPA_OK);
        if (cost.field != cases[i].field || cost.type != cases[i].type) {
            fail_msg("%s: field %g, type %g is not %g, %g", cases[i].text,
                cost.field, cost.type, cases[i].field, cases[i].type);
        }
    }
}

static void
wants_one_slicing_argument(void **state)
{
    kappa_source_t source = { KAPPA_STR("test"), KAPPA_STR("{ max { id } }") };
    kappa_document_t *document;
    kappa_plan_t *plan;

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(
        kappa_parse(arena, &source, NULL, &document, &errors), KAPPA_OK);
    assert_int_equal(kappa_plan_create(&kappa_alloc_libc, fake.schema,
                         document, KAPPA_STR_NULL, &plan, &errors),
        KAPPA_INVALID);
    assert_str_equal(errors.first->message,
        "Field \"max\" takes exactly one of the arguments that bound its "
        "list, but 0 are given.");
    assert_int_equal(errors.first->locations->column, 3);
}

static const struct {
    const char *sdl;
    const char *message; /* NULL: it is fine */
} schemas[] = {
    { "type Query { a: Int @cost(weight: \"-1.5e2\") }", NULL },
    { "type Query { a: Int @cost(weight: \"much\") }",
        "@cost: the weight is a number in a string, not \"much\"." },
    { "type Query { a: Int @cost(weight: \"\") }",
        "@cost: the weight is a number in a string, not \"\"." },
    { "type Query @cost(weight: \"inf\") { a: Int }",
        "@cost: the weight is a number in a string, not \"inf\"." },
    { "type Query { a(x: Int @cost(weight: \"1x\")): Int }",
        "@cost: the weight is a number in a string, not \"1x\"." },
    { "type Query { a(n: Int): [Int] @listSize(slicingArguments: [\"n\"]) }",
        NULL },
    { "type Query { a(n: I): [Int] @listSize(slicingArguments: [\"n.i.m\"]) }"
      " input I { i: I m: Int }",
        NULL },
    { "type Query { a(n: I): [Int] @listSize(slicingArguments: [\"n.i.x\"]) }"
      " input I { i: I m: Int }",
        "@listSize: the field has no argument \"n.i.x\"." },
    { "type Query { a: [Int] @listSize(slicingArguments: [\"n\"]) }",
        "@listSize: the field has no argument \"n\"." },
    { "type Query { a: [Query] @listSize(sizedFields: [\"b\"]) }",
        "@listSize: the field's type has no field \"b\"." },
    { "type Query { a: [Int] @listSize(assumedSize: -1) }",
        "@listSize: no list has the size \"-1\"." },
};

static void
checks_the_schema(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(schemas); i++) {
        kappa_status_t status;

        assert_int_equal(load(schemas[i].sdl), KAPPA_OK);
        status = kappa_cost_check(fake.schema, &errors);
        if (schemas[i].message == NULL) {
            assert_int_equal(status, KAPPA_OK);
            continue;
        }
        assert_int_equal(status, KAPPA_INVALID);
        assert_str_equal(errors.first->message, schemas[i].message);
        assert_true(errors.first->locations->line > 0);
    }
    assert_int_equal(load(sdl), KAPPA_OK);
    assert_int_equal(kappa_cost_check(fake.schema, &errors), KAPPA_OK);
}

static kappa_status_t
run_one(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *own = kappa_arena_create(alloc, 0);
    kappa_status_t status = KAPPA_NOMEM;
    kappa_cost_t cost;

    if (own != NULL) {
        kappa_errors_init(&errors, own, 0);
        status = cost_of(alloc, own, *(size_t *)ctx, &cost);
    }
    kappa_arena_destroy(own);
    return status;
}

static void
survives_without_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_alloc_failing_each(run_one, &i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_calls_and_values),
        cmocka_unit_test(wants_one_slicing_argument),
        cmocka_unit_test(survives_without_memory),
        cmocka_unit_test(checks_the_schema),
    };

    return cmocka_run_group_tests_name("plan_cost", tests, set_up, tear_down);
}
