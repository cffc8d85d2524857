#include "t/unit/graphql/documents.h"

#include "graphql/validate.h"
#include "t/unit/alloc_failing.h"

/* The places are graphql-js 17's. */
/* clang-format off */
static const char schema_text[] =
    "interface Node { id: ID! } "
    "interface Pet implements Node { id: ID! name(upper: "
    "Boolean): String } "
    "type Dog implements Pet & Node { id: ID! name(upper: "
    "Boolean): String barks: Boolean! owner: Human trick(of: "
    "Trick! = SIT, times: Int!): Boolean } "
    "type Cat implements Pet & Node { id: ID! name(upper: "
    "Boolean): String meows: Int owner: Human } "
    "type Human { id: ID! pets(first: Int = 5, where: Filter, "
    "ids: [ID!]): [Pet!]! any: CatOrDog size: Float } "
    "union CatOrDog = Cat | Dog "
    "enum Trick { SIT ROLL } "
    "input Filter { name: String age: Int = 1 and: [Filter!] "
    "must: Must } "
    "input Must { id: ID! } "
    "input One @oneOf { a: Int b: String } "
    "scalar Time "
    "directive @tag(name: String!) repeatable on FIELD | QUERY "
    "directive @once(n: Int) on FIELD | FRAGMENT_DEFINITION | "
    "VARIABLE_DEFINITION "
    "type Query { dog: Dog pet: Pet human(id: ID): Human "
    "one(of: One): Int at(time: Time): Int list(of: [Int!]!): "
    "Int f(x: Float, b: Boolean, s: String, i: Int, id: ID, t: "
    "Trick): Int node: Node either: CatOrDog } "
    "type Mutation { act(n: Int): Int } "
    "type Subscription { a: Int b: Int } ";

static const struct {
    const char *rule, *text, *places;
} cases[] = {
    { "ExecutableDefinitions",
        "{ dog { id } } type T { a: Int } extend schema { query: "
        "Dog }",
        "1:16 | 1:34" },
    { "UniqueOperationNames",
        "query A { __typename } mutation A { __typename } query B { "
        "__typename }",
        "1:7 1:33" },
    { "LoneAnonymousOperation",
        "{ __typename } query A { __typename } { __typename }",
        "1:1 | 1:39" },
    { "SingleFieldSubscriptions",
        "subscription { a }",
        "" },
    { "SingleFieldSubscriptions",
        "subscription S { a b }",
        "1:20" },
    { "SingleFieldSubscriptions",
        "subscription S { ...F } fragment F on Subscription { a x: "
        "b ... { y: a } }",
        "1:56 1:67" },
    { "SingleFieldSubscriptions",
        "subscription S { a @skip(if: true) b @include(if: false) }",
        "1:20 1:38" },
    { "SingleFieldSubscriptions",
        "subscription S { __typename }",
        "1:18" },
    { "KnownTypeNames",
        "query ($a: Dg, $b: [Float!], $c: Dog2) { ... on Ct { id } "
        "} fragment F on Humn { id }",
        "1:12 | 1:16 | 1:30 | 1:34 | 1:49 | 1:61 | 1:75 | 1:8" },
    { "FragmentsOnCompositeTypes",
        "{ ... on Trick { id } ...F } fragment F on Filter { a }",
        "1:10 | 1:44" },
    { "VariablesAreInputTypes",
        "query ($a: Dog, $b: [Pet!]!, $c: Filter, $d: One) { "
        "__typename }",
        "1:12 | 1:17 | 1:21 | 1:30 | 1:42 | 1:8" },
    { "ScalarLeafs",
        "{ dog { id { x } barks } pet human }",
        "1:12 | 1:26 | 1:30" },
    { "FieldsOnCorrectType",
        "{ dog { nam meows } pet { barks } either { id } nope { a { "
        "b } } __type(name: \"a\") { name } }",
        "1:13 | 1:27 | 1:44 | 1:49 | 1:9" },
    { "FieldsOnCorrectType",
        "mutation { __schema { types { name } } act }",
        "1:12" },
    { "UniqueFragmentNames",
        "{ ...F } fragment F on Query { __typename } fragment F on "
        "Query { __typename }",
        "1:19 1:54" },
    { "KnownFragmentNames",
        "{ ...Fo ...F dog { ...Nope } } fragment Foo on Query { "
        "__typename }",
        "1:12 | 1:23 | 1:32 | 1:6" },
    { "NoUnusedFragments",
        "{ ...A } fragment A on Query { __typename } fragment B on "
        "Query { ...C } fragment C on Query { __typename }",
        "1:45 | 1:74" },
    { "PossibleFragmentSpreads",
        "{ dog { ... on Cat { id } ...C ... on Pet { id } ... on "
        "CatOrDog { __typename } } either { ... on Human { id } ... "
        "on Node { id } } } fragment C on Cat { id }",
        "1:27 | 1:9 | 1:92" },
    { "NoFragmentCycles",
        "{ ...A } fragment A on Query { ...B } fragment B on Query "
        "{ dog { id } ...A ...B }",
        "1:32 1:72 | 1:77" },
    { "UniqueVariableNames",
        "query ($a: Int, $b: Int, $a: String, $a: Int) { f(i: $a, "
        "x: $b) }",
        "1:17 1:61 | 1:9 1:27 1:39" },
    { "NoUndefinedVariables",
        "query A { ...F f(i: $x) } query B($x: Int) { ...F } "
        "fragment F on Query { list(of: [$x, $y]) }",
        "1:21 1:1 | 1:35 1:85 | 1:85 1:1 | 1:89 1:1 | 1:89 1:27" },
    { "NoUnusedVariables",
        "query A($x: Int, $y: Int, $z: Int) { ...F y: f(i: $y) } "
        "fragment F on Query { f(i: $x) }",
        "1:27" },
    { "KnownDirectives",
        "query @skip(if: true) { dog @nope { id @tag(name: \"x\") "
        "@once } ... @once { __typename } }",
        "1:29 | 1:68 | 1:7" },
    { "UniqueDirectivesPerLocation",
        "{ dog @once @once @tag(name: \"a\") @tag(name: \"b\") { id "
        "@skip(if: true) @skip(if: false) @skip(if: true) } }",
        "1:56 1:72 | 1:56 1:89 | 1:7 1:13" },
    { "KnownArgumentNames",
        "{ dog(x: 1) { name(uper: true) } human(id: 1, id2: 2) { id "
        "@tag(nme: \"x\", name: \"y\") } }",
        "1:20 | 1:47 | 1:65 | 1:7" },
    { "UniqueArgumentNames",
        "{ human(id: 1, id: 2, id: 3) { id @tag(name: \"a\", name: "
        "\"b\") } }",
        "1:40 1:51 | 1:9 1:16 1:23" },
    { "ValuesOfCorrectType",
        "{ a: f(i: \"1\") b: f(i: 1.5) c: f(i: 2147483648) d: f(x: "
        "\"1\") e: f(s: 1) g: f(b: 1) h: f(id: 1.5) i: f(t: SITT) j: "
        "f(t: \"SIT\") k: f(i: [1]) l: f(s: {a: 1}) m: f(i: null) n: "
        "f(x: 1, b: true, s: \"s\", i: 1, id: 1, t: SIT) }",
        "1:106 | 1:11 | 1:120 | 1:135 | 1:148 | 1:24 | 1:37 | 1:57 "
        "| 1:70 | 1:81 | 1:93" },
    { "ValuesOfCorrectType",
        "{ a: list(of: null) b: list(of: 1) c: list(of: [1, null, "
        "\"x\"]) d: list(of: \"x\") e: at(time: {any: [1]}) }",
        "1:15 | 1:52 | 1:58 | 1:76" },
    { "ValuesOfCorrectType",
        "{ human { a: pets(where: {nme: \"x\", and: [{must: {}}, "
        "{age: \"1\"}], must: 1}) { id } b: pets(where: {must: {id: "
        "null}}) { id } c: pets(ids: [\"a\", null]) { id } } }",
        "1:112 | 1:146 | 1:27 | 1:50 | 1:61 | 1:74" },
    { "ValuesOfCorrectType",
        "{ a: one(of: {a: 1}) b: one(of: {}) c: one(of: {a: 1, b: "
        "\"x\"}) d: one(of: {a: null}) e: one(of: {a: 1, x: 2}) }",
        "1:104 | 1:33 | 1:48 | 1:75" },
    { "ValuesOfCorrectType",
        "query ($a: Int = \"x\", $b: Filter = {age: true}, $c: "
        "[Trick!] = [SIT, null], $d: Dog = 1) { __typename }",
        "1:18 | 1:23 | 1:42 | 1:49 | 1:70 | 1:77 | 1:8 | 1:81" },
    { "ProvidedRequiredArguments",
        "{ dog { trick } a: dog { trick(of: ROLL) trick2: "
        "trick(times: 1) @tag @include } list }",
        "1:26 | 1:66 | 1:71 | 1:82 | 1:9" },
    { "VariablesInAllowedPosition",
        "query ($i: Int, $ii: Int!, $d: Int = 1, $l: [Int], $ll: "
        "[Int!]!, $s: String) { dog { a: trick(times: $i) b: "
        "trick(times: $ii) c: trick(times: $d) e: trick(times: $s) "
        "} x: list(of: $l) y: list(of: $ll) z: list(of: [$i]) w: "
        "list(of: $ii) }",
        "1:17 1:232 | 1:41 1:181 | 1:66 1:163 | 1:8 1:102 | 1:8 "
        "1:215" },
    { "VariablesInAllowedPosition",
        "query ($i: Int, $ii: Int!, $b: Boolean, $t: Trick) { a: "
        "one(of: {a: $i}) b: one(of: {a: $ii}) dog { id @skip(if: "
        "$b) trick(of: $t, times: 1) } }",
        "1:28 1:114 | 1:8 1:69" },
    { "OverlappingFields",
        "{ dog { id } dog { id } pet { id name } pet { id: name } }",
        "1:25 1:31 1:41 1:47" },
    { "OverlappingFields",
        "{ dog { x: id x: name } human(id: 1) { id } human(id: 2) { "
        "id } }",
        "1:25 1:45 | 1:9 1:15" },
    { "OverlappingFields",
        "{ pet { ... on Dog { v: barks n: name } ... on Cat { v: "
        "meows n: name(upper: true) } } }",
        "1:22 1:54" },
    { "OverlappingFields",
        "{ ...A ...B } fragment A on Query { x: dog { id } } "
        "fragment B on Query { x: pet { id } y: __typename }",
        "1:37 1:75" },
    { "OverlappingFields",
        "{ pet { ... on Dog { owner { x: id } } ... on Cat { owner "
        "{ x: size } } } human(id: 1) { pets(where: {name: \"a\", "
        "age: 1}) { id } pets(where: {age: 1, name: \"a\"}) { id } } "
        "}",
        "1:22 1:30 1:53 1:61" },
    { "UniqueInputFieldNames",
        "{ human { pets(where: {age: 1, age: 2, and: [{name: \"a\", "
        "name: \"b\"}]}) { id } } }",
        "1:24 1:32 | 1:47 1:58" },
    { "MaxIntrospectionDepth",
        "{ __schema { types { fields { type { fields { type { "
        "fields { name } } } } } } } }",
        "1:3" },
    { "KnownOperationTypes",
        "{ __typename }",
        "" },
};
/* clang-format on */

static void
agrees_rule_by_rule(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_schema_t *schema;
    kappa_errors_t errors;

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(
        build_text(arena, schema_text, false, &schema, &errors), KAPPA_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_document_t *document;

        kappa_errors_init(&errors, arena, 0);
        assert_int_equal(
            parse_text(arena, cases[i].text, &document, &errors), KAPPA_OK);
        kappa_status_t status =
            kappa_validate(arena, schema, document, &errors);
        assert_places(&errors, cases[i].places, cases[i].text);
        assert_int_equal(
            status, cases[i].places[0] ? KAPPA_INVALID : KAPPA_OK);
    }
    kappa_arena_destroy(arena);
}

static const char ours[] =
    "type Item @view { id: ID! name: String secret: String @internal "
    "at: DateTime } type Hidden @view @internal { id: ID! }\n"
    "type Query { item(id: ID!): Item mine(id: ID! @stamp(as: \"auth.sub\")): "
    "Item }\n"
    "input Unused { day: Date }\n";

static void
validates(const char *schema_sdl, bool library, const char *text,
    const char *expected)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_document_t *document;
    kappa_schema_t *schema;
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(
        build_text(arena, schema_sdl, library, &schema, &errors), KAPPA_OK);
    assert_int_equal(parse_text(arena, text, &document, &errors), KAPPA_OK);
    kappa_validate(arena, schema, document, &errors);
    assert_places(&errors, expected, text);
    kappa_arena_destroy(arena);
}

/* What is not public does not exist. */
static void
passes_hidden_things_by(void **state)
{
    (void)state;
    validates(ours, true, "{ item(id: 1) { id at } mine { id } }", "");
    validates(ours, true, "{ item(id: 1) { secret } }", "1:17");
    validates(ours, true, "{ mine(id: 1) { id } }", "1:8");
    validates(ours, true, "{ item(id: 1) { ... on Hidden { id } } }", "1:24");
    validates(ours, true,
        "query ($u: UUID, $e: KappaEffect) { item(id: 1) "
        "{ id } }",
        "1:12 | 1:18 | 1:22 | 1:8");
}

static void
refuses_operations_without_a_root(void **state)
{
    (void)state;
    validates("type Query { a: Int }", false, "mutation { a }", "1:1");
    validates("type Query { a: Int }", false, "subscription { a }", "1:1");
}

/* Whatever is repeated however often: bounded, and a verdict. */
static void
bounds_hostile_documents(void **state)
{
    static const struct {
        const char *head, *unit, *tail;
        kappa_status_t status;
    } hostile[] = {
        { "{", " id", "}", KAPPA_OK },
        { "{", " a {id}", "}", KAPPA_INVALID },
        { "{ id", " @skip(if: true)", "}", KAPPA_INVALID },
        { "{ a(", " x: 1", ") { id } }", KAPPA_INVALID },
        { "query (", " $v: Int", ") { id }", KAPPA_INVALID },
        { "", "{id}", "", KAPPA_INVALID },
        { "", "query A {...F}", "fragment F on Query {id}", KAPPA_INVALID },
        { "{ ...F } fragment F on Query { id", " ...F", "}", KAPPA_INVALID },
        { "", "fragment F on Query {...F}", "{ ...F }", KAPPA_INVALID },
    };
    enum {
        TIMES = 20000
    };

    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
        kappa_document_t *document;
        kappa_schema_t *schema;
        kappa_errors_t errors;
        size_t unit = strlen(hostile[i].unit);
        char *text = malloc(strlen(hostile[i].head) + unit * TIMES
            + strlen(hostile[i].tail) + 1);
        char *p = stpcpy(text, hostile[i].head);

        for (int n = 0; n < TIMES; n++) {
            p = stpcpy(p, hostile[i].unit);
        }
        strcpy(p, hostile[i].tail);
        kappa_errors_init(&errors, arena, 0);
        assert_int_equal(
            build_text(arena, "type Query { id: ID a(x: Int): Query }", false,
                &schema, &errors),
            KAPPA_OK);
        assert_int_equal(
            parse_text(arena, text, &document, &errors), KAPPA_OK);
        assert_int_equal(kappa_validate(arena, schema, document, &errors),
            hostile[i].status);
        assert_true(kappa_arena_used(arena) < 256 * 1024 * 1024);
        free(text);
        kappa_arena_destroy(arena);
    }
}

static kappa_status_t
validate_all(const kappa_alloc_t *alloc, void *ctx)
{
    const char *text = ctx;
    kappa_arena_t *arena = kappa_arena_create(alloc, 1024);
    kappa_document_t *document;
    kappa_schema_t *schema;
    kappa_errors_t errors;

    if (arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status =
        build_text(arena, schema_text, false, &schema, &errors);
    if (status == KAPPA_OK) {
        status = parse_text(arena, text, &document, &errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_validate(arena, schema, document, &errors);
    }
    kappa_arena_destroy(arena);
    return status == KAPPA_INVALID ? KAPPA_OK : status;
}

static void
survives_want_of_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i += 4) {
        kappa_alloc_failing_each(
            validate_all, (void *)(uintptr_t)cases[i].text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_rule_by_rule),
        cmocka_unit_test(passes_hidden_things_by),
        cmocka_unit_test(refuses_operations_without_a_root),
        cmocka_unit_test(bounds_hostile_documents),
        cmocka_unit_test(survives_want_of_memory),
    };

    return cmocka_run_group_tests_name("graphql/validate", tests, NULL, NULL);
}
