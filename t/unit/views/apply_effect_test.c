#include "t/unit/views/views_fixture.h"

/* The rules of effects (docs/schema.md, Mutations and @on), one a case: what
 * happens in turn, and what is there afterwards. */

typedef struct {
    const char *thing; /* or a mutation, when data is NULL: args in key */
    const char *verb;
    const char *key;
    const char *data;
    kappa_effect_t effect;
    const char *code; /* of the refusal; NULL: accepted */
} step_t;

#define EVENT(thing, verb, key, data)                                         \
    {                                                                         \
        thing, verb, key, data, KAPPA_EFFECT_UNSET, NULL                      \
    }
#define REFUSED(thing, verb, key, data, code)                                 \
    {                                                                         \
        thing, verb, key, data, KAPPA_EFFECT_UNSET, code                      \
    }
#define CALL(mutation, args)                                                  \
    {                                                                         \
        mutation, NULL, args, NULL, KAPPA_EFFECT_UNSET, NULL                  \
    }
#define CALL_REFUSED(mutation, args, code)                                    \
    {                                                                         \
        mutation, NULL, args, NULL, KAPPA_EFFECT_UNSET, code                  \
    }
#define MADE(thing, key, data)                                                \
    {                                                                         \
        thing, "made", key, data, KAPPA_EFFECT_CREATE, NULL                   \
    }

typedef struct {
    const char *rule;
    const char *schema;
    step_t steps[10];
    struct {
        const char *view, *key, *row;
    } rows[4];
} case_t;

static const case_t cases[] = {
    { "@on CREATE: the row must not exist, and nothing of the event happens",
        "type A @view @on(thing: \"T\", verb: \"t\", effect: PUT,"
        " key: [\"'x'\"], set: [\"n = event.data.n\"]) { id: ID! n: Int }"
        "type B @view @on(thing: \"T\", verb: \"t\", effect: CREATE,"
        " key: [\"event.data.k\"]) { id: ID! }"
        "type Query { a(id: ID!): A }",
        { EVENT("T", "t", NULL, "{\"n\":1,\"k\":\"b\"}"),
            REFUSED(
                "T", "t", NULL, "{\"n\":2,\"k\":\"b\"}", "ALREADY_EXISTS") },
        { { "A", "\"x\"", "{\"id\":\"x\",\"n\":1}" },
            { "B", "\"b\"", "{\"id\":\"b\"}" } } },
    { "@on PUT: fields start anew, from defaults; CREATE stamps stay",
        "type A @view @on(thing: \"T\", verb: \"t\", effect: PUT,"
        " key: [\"'x'\"], set: [\"n = event.data.n\"]) { id: ID! n: Int"
        " m: Int @default(as: \"7\") at: DateTime! @stamp(as: \"now\")"
        " v: Int! @stamp(as: \"old == null ? 1 : old.v + 1\", on: WRITE) }"
        "type Query { a(id: ID!): A }",
        { MADE("A", "\"x\"", "{\"m\":1,\"at\":\"2020-01-01T00:00:00Z\"}"),
            EVENT("T", "t", NULL, "{\"n\":1}") },
        { { "A", "\"x\"",
            "{\"id\":\"x\",\"n\":1,\"m\":7,"
            "\"at\":\"2020-01-01T00:00:00.000Z\",\"v\":2}" } } },
    { "@on DELETE and PATCH need the row, unless if is false without it",
        "type A @view"
        " @on(thing: \"T\", verb: \"end\", effect: DELETE)"
        " @on(thing: \"T\", verb: \"drop\", effect: DELETE,"
        "   if: \"row != null\")"
        " @on(thing: \"T\", verb: \"set\", set: [\"n = 1\"])"
        " @on(thing: \"T\", verb: \"try\", set: [\"n = row.n + 1\"],"
        "   if: \"row.n < 5\") { id: ID! n: Int }"
        "type Query { a(id: ID!): A }",
        { REFUSED("T", "end", "\"a\"", "{}", "NOT_FOUND"),
            REFUSED("T", "set", "\"a\"", "{}", "NOT_FOUND"),
            EVENT("T", "drop", "\"a\"", "{}"),
            EVENT("T", "try", "\"a\"", "{}"), MADE("A", "\"a\"", "{\"n\":3}"),
            EVENT("T", "try", "\"a\"", "{}"), MADE("A", "\"b\"", "{\"n\":3}"),
            EVENT("T", "end", "\"b\"", "{}"), MADE("A", "\"c\"", "{\"n\":3}"),
            EVENT("T", "drop", "\"c\"", "{}") },
        { { "A", "\"a\"", "{\"id\":\"a\",\"n\":4}" }, { "A", "\"b\"", "none" },
            { "A", "\"c\"", "none" } } },
    { "@on UPSERT starts from defaults, row in set is the row so far",
        "type A @view @on(thing: \"T\", verb: \"t\", effect: UPSERT,"
        " set: [\"n = row.n + 1\", \"m = row.n * 10\"])"
        " { id: ID! n: Int @default(as: \"5\") m: Int }"
        "type Query { a(id: ID!): A }",
        { EVENT("T", "t", "\"a\"", "{}"), EVENT("T", "t", "\"a\"", "{}") },
        { { "A", "\"a\"", "{\"id\":\"a\",\"n\":7,\"m\":70}" } } },
    { "@on takes nothing by name",
        "type A @view @on(thing: \"T\", verb: \"t\", effect: UPSERT)"
        " { id: ID! n: Int }"
        "type Query { a(id: ID!): A }",
        { EVENT("T", "t", "\"a\"", "{\"n\":3}") },
        { { "A", "\"a\"", "{\"id\":\"a\",\"n\":null}" } } },
    { "a null key, or a null part of one, skips the effect",
        "type A @view(key: [\"x\", \"y\"]) @on(thing: \"T\", verb: \"t\","
        " effect: UPSERT, key: [\"event.data.x\", \"event.data.y\"])"
        " { x: ID! y: Int! }"
        "type Query { a(x: ID!, y: Int!): A }",
        { EVENT("T", "t", NULL, "{\"x\":\"a\",\"y\":1}"),
            EVENT("T", "t", NULL, "{\"x\":\"b\",\"y\":null}"),
            EVENT("T", "t", NULL, "{}") },
        { { "A", "[\"a\",1]", "{\"x\":\"a\",\"y\":1}" },
            { "A", "[\"b\",0]", "none" } } },
    { "without key: the event's own, a list for a composite one",
        "type T @view(key: [\"p\", \"q\"]) { p: ID! q: Int! }"
        "type A @view(key: [\"x\", \"y\"]) @on(thing: \"T\","
        " effect: UPSERT, set: [\"z = event.key[0]\"])"
        " { x: ID! y: Int! z: ID }"
        "type Query { a(x: ID!, y: Int!): A }",
        { MADE("T", "[\"a\",1]", "{}") },
        { { "A", "[\"a\",1]", "{\"x\":\"a\",\"y\":1,\"z\":\"a\"}" },
            { "T", "[\"a\",1]", "{\"p\":\"a\",\"q\":1}" } } },
    { "verb: several, or any",
        "type A @view @on(thing: \"T\", verb: [\"t\", \"u\"],"
        " effect: UPSERT, set: [\"n = row.n + 1\"])"
        " { id: ID! n: Int @default(as: \"0\") }"
        "type B @view @on(thing: \"T\", effect: UPSERT,"
        " set: [\"n = row.n + 1\"]) { id: ID! n: Int @default(as: \"0\") }"
        "type Query { a(id: ID!): A }",
        { EVENT("T", "t", "\"a\"", "{}"), EVENT("T", "u", "\"a\"", "{}"),
            EVENT("T", "v", "\"a\"", "{}"), EVENT("U", "t", "\"a\"", "{}") },
        { { "A", "\"a\"", "{\"id\":\"a\",\"n\":2}" },
            { "B", "\"a\"", "{\"id\":\"a\",\"n\":3}" } } },
    { "the @event comes first, then the @ons in the order of the text, each "
      "seeing the ones before",
        "type T @view { id: ID! n: Int }"
        "type A @view @on(thing: \"T\", verb: \"made\", effect: UPSERT,"
        " set: [\"n = T(event.key).n + 1\"]) { id: ID! n: Int }"
        "type B @view @on(thing: \"T\", verb: \"made\", effect: UPSERT,"
        " set: [\"n = A(event.key).n + 1\"])"
        " @on(thing: \"T\", verb: \"made\", set: [\"n = row.n * 2\"])"
        " { id: ID! n: Int }"
        "type Query { a(id: ID!): A }",
        { MADE("T", "\"a\"", "{\"n\":1}") },
        { { "A", "\"a\"", "{\"id\":\"a\",\"n\":2}" },
            { "B", "\"a\"", "{\"id\":\"a\",\"n\":6}" } } },
    { "a lookup sees aggregates that came before",
        "type T @view { id: ID! of: ID }"
        "type P @view { id: ID!"
        " n: Int! @count(of: \"T\", by: \"of\") }"
        "type A @view @on(thing: \"T\", verb: \"made\", effect: UPSERT,"
        " key: [\"event.data.of\"], set: [\"n = P(event.data.of).n\"])"
        " { id: ID! n: Int }"
        "type Query { a(id: ID!): A }",
        { MADE("P", "\"p\"", "{}"), MADE("T", "\"a\"", "{\"of\":\"p\"}"),
            MADE("T", "\"b\"", "{\"of\":\"p\"}") },
        { { "A", "\"p\"", "{\"id\":\"p\",\"n\":2}" } } },
    { "each: every item in turn, each seeing the ones before; a WRITE stamp "
      "acts once an event",
        "type A @view @on(thing: \"T\", verb: \"t\", each: \"event.data.l\","
        " key: [\"item.k\"], effect: UPSERT, set: [\"n = row.n + item.n\"],"
        " if: \"item.n != 0\")"
        " { id: ID! n: Int @default(as: \"0\")"
        " v: Int! @stamp(as: \"old == null ? 1 : old.v + 1\", on: WRITE) }"
        "type Query { a(id: ID!): A }",
        { EVENT("T", "t", NULL,
              "{\"l\":[{\"k\":\"a\",\"n\":1},{\"k\":\"a\",\"n\":2},"
              "{\"k\":\"b\",\"n\":0},{\"n\":5}]}"),
            EVENT("T", "t", NULL, "{\"l\":[{\"k\":\"a\",\"n\":4}]}"),
            EVENT("T", "t", NULL, "{\"l\":[]}"), EVENT("T", "t", NULL, "{}") },
        { { "A", "\"a\"", "{\"id\":\"a\",\"n\":7,\"v\":2}" },
            { "A", "\"b\"", "none" } } },
    { "a view's @check reads row and old, after all effects and aggregates",
        "type Account @view"
        " @check(if: \"row.balance >= 0\", code: \"NO_FUNDS\")"
        " @check(if: \"old == null || row.entries >= old.entries\","
        "   code: \"SHRUNK\", message: \"entries stay\") {"
        " id: ID! entries: Int! @count(of: \"Entry\", by: \"account\")"
        " balance: BigInt! @sum(field: \"n\", of: \"Entry\","
        "   by: \"account\") }"
        "type Entry @view { id: ID! account: ID n: Int! }"
        "type Query { account(id: ID!): Account }",
        { MADE("Account", "\"a\"", "{}"),
            MADE("Entry", "\"1\"", "{\"account\":\"a\",\"n\":5}"),
            { "Entry", "made", "\"2\"", "{\"account\":\"a\",\"n\":-6}",
                KAPPA_EFFECT_CREATE, "NO_FUNDS" },
            MADE("Entry", "\"3\"", "{\"account\":\"a\",\"n\":-5}"),
            { "Entry", "made", "\"3\"", "{}", KAPPA_EFFECT_DELETE, "SHRUNK" },
            MADE("Entry", "\"4\"", "{\"account\":\"b\",\"n\":-9}"),
            { "Account", "made", "\"b\"", "{}", KAPPA_EFFECT_CREATE,
                "NO_FUNDS" } },
        { { "Account", "\"a\"",
              "{\"id\":\"a\",\"entries\":2,\"balance\":\"0\"}" },
            { "Account", "\"b\"", "none" }, { "Entry", "\"2\"", "none" } } },
    { "unique: null is no value; rows of one event are compared as it leaves "
      "them",
        "type A @view @index(fields: [\"x\", \"y\"], unique: true)"
        " @on(thing: \"Swap\", each: \"event.data.l\", key: [\"item.k\"],"
        "   set: [\"y = item.y\"]) { id: ID! x: ID y: Int }"
        "type Query { a(id: ID!): A }",
        { MADE("A", "\"a\"", "{\"x\":\"x\",\"y\":1}"),
            MADE("A", "\"b\"", "{\"x\":\"x\",\"y\":2}"),
            { "A", "made", "\"c\"", "{\"x\":\"x\",\"y\":2}",
                KAPPA_EFFECT_CREATE, "NOT_UNIQUE" },
            MADE("A", "\"d\"", "{\"x\":\"x\"}"),
            MADE("A", "\"e\"", "{\"x\":\"x\"}"),
            EVENT("Swap", "s", NULL,
                "{\"l\":[{\"k\":\"a\",\"y\":2},{\"k\":\"b\",\"y\":1}]}"),
            REFUSED("Swap", "s", NULL, "{\"l\":[{\"k\":\"a\",\"y\":1}]}",
                "NOT_UNIQUE") },
        { { "A", "\"a\"", "{\"id\":\"a\",\"x\":\"x\",\"y\":2}" },
            { "A", "\"b\"", "{\"id\":\"b\",\"x\":\"x\",\"y\":1}" },
            { "A", "\"c\"", "none" } } },
    { "what fails in set, key, @default or stored @computed refuses the event",
        "type A @view @on(thing: \"T\", verb: \"set\", effect: UPSERT,"
        "   set: [\"n = 1 / event.data.n\"])"
        " @on(thing: \"T\", verb: \"key\", effect: UPSERT,"
        "   key: [\"event.data.l[event.data.n]\"])"
        " { id: ID! n: Int @default(as: \"0\")"
        "   m: Int @computed(as: \"row.n + 2147483647\") }"
        "type Query { a(id: ID!): A }"
        "type Mutation { t(id: ID!, n: Int, l: [ID!]): P"
        " @event(thing: \"T\", verb: \"key\")"
        " u(id: ID!, n: Int): P @event(thing: \"T\", verb: \"set\") }"
        "type P { position: String! }",
        { REFUSED("T", "set", "\"a\"", "{\"n\":0}", "BAD_USER_INPUT"),
            REFUSED("T", "set", "\"a\"", "{\"n\":1}", "BAD_USER_INPUT"),
            EVENT("T", "set", "\"a\"", "{\"n\":-1}"),
            REFUSED(
                "T", "key", NULL, "{\"n\":1,\"l\":[\"x\"]}", "BAD_USER_INPUT"),
            EVENT("T", "key", NULL, "{\"n\":0,\"l\":[\"x\"]}") },
        { { "A", "\"a\"", "{\"id\":\"a\",\"n\":-1,\"m\":2147483646}" },
            { "A", "\"x\"", "{\"id\":\"x\",\"n\":0,\"m\":2147483647}" } } },
    { "set may not null a field that can't be; absent leaves, null clears",
        "type A @view @on(thing: \"T\", verb: \"t\","
        " set: [\"n = event.data.n\"]) { id: ID! n: Int! m: Int }"
        "type Query { a(id: ID!): A }"
        "type Mutation { p(id: ID!, n: Int, m: Int): A"
        " @event(thing: \"A\", verb: \"p\", effect: PATCH) }",
        { MADE("A", "\"a\"", "{\"n\":1,\"m\":2}"),
            REFUSED("T", "t", "\"a\"", "{}", "BAD_USER_INPUT"),
            CALL_REFUSED("p", "{\"id\":\"a\",\"n\":null}", "BAD_USER_INPUT"),
            CALL("p", "{\"id\":\"a\",\"n\":4}"),
            CALL("p", "{\"id\":\"a\",\"m\":null}") },
        { { "A", "\"a\"", "{\"id\":\"a\",\"n\":4,\"m\":null}" } } },
    { "an argument named like a field goes to it, objects embedded; another "
      "input object is spread one level; the mutation's set comes last",
        "type A @view { id: ID! n: Int o: O l: [Int!] s: String t: Int }"
        "type O { x: Int } input OI { x: Int }"
        "input More { n: Int o: OI t: Int }"
        "type Query { a(id: ID!): A }"
        "type Mutation {"
        " one(id: ID!, n: Int, o: OI, l: [Int!]): A"
        "   @event(thing: \"A\", verb: \"one\", effect: PUT)"
        " two(input: More, id: ID!): A @event(thing: \"A\", verb: \"two\","
        "   effect: UPSERT, set: [\"s = 'set'\", \"t = event.data.input.t"
        " + 1\"]) }",
        { CALL("one", "{\"id\":\"a\",\"n\":1,\"o\":{\"x\":2},\"l\":[3,4]}"),
            CALL("two",
                "{\"id\":\"b\",\"input\":{\"n\":5,\"o\":{\"x\":6},"
                "\"t\":7}}") },
        { { "A", "\"a\"",
              "{\"id\":\"a\",\"n\":1,\"o\":{\"x\":2},\"l\":[3,4],"
              "\"s\":null,\"t\":null}" },
            { "A", "\"b\"",
                "{\"id\":\"b\",\"n\":5,\"o\":{\"x\":6},\"l\":null,"
                "\"s\":\"set\",\"t\":8}" } } },
    { "a mutation's @check reads args and its row before, or null",
        "type A @view { id: ID! n: Int! }"
        "type Query { a(id: ID!): A }"
        "type Mutation { put(id: ID!, n: Int! @check(if: \"value < 9\","
        "   code: \"MUCH\"), was: Int): A"
        " @event(thing: \"A\", verb: \"put\", effect: PUT)"
        " @check(if: \"args.was == row.n\", code: \"CHANGED\")"
        " @check(if: \"args.n != 4\", code: \"FOUR\") }",
        { CALL_REFUSED("put", "{\"id\":\"a\",\"n\":9,\"was\":7}", "MUCH"),
            CALL_REFUSED("put", "{\"id\":\"a\",\"n\":4,\"was\":7}", "CHANGED"),
            CALL_REFUSED("put", "{\"id\":\"a\",\"n\":4}", "FOUR"),
            CALL("put", "{\"id\":\"a\",\"n\":1}"),
            CALL_REFUSED("put", "{\"id\":\"a\",\"n\":2}", "CHANGED"),
            CALL("put", "{\"id\":\"a\",\"n\":2,\"was\":1}") },
        { { "A", "\"a\"", "{\"id\":\"a\",\"n\":2}" } } },
};

static void
take(views_t *v, const case_t *c, const step_t *s)
{
    kappa_errors_init(&v->errors, v->arena, 0);
    if (s->data == NULL) {
        (void)views_mutate(v, s->thing, s->key);
    } else {
        (void)views_event(v, s->thing, s->verb, s->effect, s->key, s->data);
    }
    if (strcmp(views_code(v), s->code ? s->code : "accepted") != 0) {
        fail_msg("%s: %s %s: %s %s", c->rule, s->thing,
            s->data ? s->data : s->key, views_code(v),
            print_errors(v->arena, &v->errors));
    }
}

static void
effects_do_what_the_rules_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const case_t *c = &cases[i];
        views_t v;

        views_open(&v, c->schema);
        for (size_t n = 0; n < COUNT(c->steps) && c->steps[n].thing; n++) {
            take(&v, c, &c->steps[n]);
        }
        for (size_t n = 0; n < COUNT(c->rows) && c->rows[n].view; n++) {
            kappa_str_t row = views_row(&v, c->rows[n].view, c->rows[n].key);

            if (!kappa_str_eq(row, kappa_str_c(c->rows[n].row))) {
                fail_msg("%s: %s %s: %.*s", c->rule, c->rows[n].view,
                    c->rows[n].key, KAPPA_STR_ARG(row));
            }
        }
        views_replay(&v);
        views_close(&v);
    }
}

/* At most 1,000 items; one more refuses the event. */
static void
each_is_bounded(void **state)
{
    static const char schema[] =
        "type A @view @on(thing: \"T\", verb: \"t\", each: \"event.data.l\","
        " key: [\"'a'\"], effect: UPSERT, set: [\"n = row.n + item\"])"
        " { id: ID! n: BigInt @default(as: \"0\") }"
        "type Query { a(id: ID!): A }";
    views_t v;
    kappa_buf_t buf;

    (void)state;
    views_open(&v, schema);
    for (int count = 1000; count <= 1001; count++) {
        kappa_buf_init(&buf, &kappa_alloc_libc);
        KAPPA_BUF_LIT(&buf, "{\"l\":[");
        for (int i = 0; i < count; i++) {
            kappa_buf_printf(&buf, "%s1", i ? "," : "");
        }
        KAPPA_BUF_LIT(&buf, "]}");
        kappa_buf_char(&buf, '\0');
        (void)views_event(
            &v, "T", "t", KAPPA_EFFECT_UNSET, NULL, kappa_buf_view(&buf).data);
        assert_string_equal(
            views_code(&v), count == 1000 ? "accepted" : "LIMIT_EXCEEDED");
        kappa_buf_release(&buf);
    }
    assert_str_equal(
        views_row(&v, "A", "\"a\""), "{\"id\":\"a\",\"n\":\"1000\"}");
    views_close(&v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_do_what_the_rules_say),
        cmocka_unit_test(each_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
