#include "t/unit/views/fixture.h"

#include "t/unit/alloc_failing.h"
#include "views/compare.h"

/* A schema, what is written instead of a part of it, and what that comes to:
 * a line for each difference, "build", "skipped?" or "seen?", then "loses". */

static const char base[] =
    "type Item @view(key: \"sku\") @index(fields: [\"shelf\", \"n\"])\n"
    "  @index(fields: [\"code\"], unique: true)\n"
    "  @check(if: \"row.n >= 0\", code: \"BELOW\")\n"
    "  @on(thing: \"Order\", verb: \"placed\", each: \"event.data.lines\",\n"
    "    key: \"item.sku\", set: \"n = row.n - item.count\")\n"
    "  @on(thing: \"Order\", verb: \"placed\", key: \"'all'\",\n"
    "    set: \"n = row.n + 1\", effect: UPSERT) {\n"
    "  \"How it is called.\"\n"
    "  sku: ID!\n"
    "  n: Int! @default(as: \"0\")\n"
    "  code: String\n"
    "  shelf: ID\n"
    "  state: State\n"
    "  size: Size\n"
    "  tags: [String!]\n"
    "  twice: Int @computed(as: \"row.n * 2\")\n"
    "  secret: String @allow(if: \"auth.sub != null\")\n"
    "  by: String @stamp(as: \"auth.sub\")\n"
    "  shelfRow: Shelf @belongsTo(by: \"shelf\")\n"
    "}\n"
    "type Shelf @view(key: \"name\") @groupBy(of: \"Item\", by: \"shelf\") {\n"
    "  name: ID!\n"
    "  items: Int! @count(where: \"row.n > 1\")\n"
    "}\n"
    "type Size { width: Int height: Int }\n"
    "enum State { OPEN CLOSED }\n"
    "input Line { sku: ID! count: Int! }\n"
    "type Note { text: String }\n"
    "type Query {\n"
    "  item(sku: ID!): Item\n"
    "  shelf(name: ID!): Shelf\n"
    "}\n"
    "type Mutation {\n"
    "  add(sku: ID!, n: Int, code: String, why: String): Item!\n"
    "    @event(thing: \"Item\", verb: \"added\", effect: CREATE)\n"
    "  mark(sku: ID!, amount: Int!): Item!\n"
    "    @event(thing: \"Item\", verb: \"marked\", effect: PATCH,\n"
    "      set: [\"n = row.n + event.data.amount\"])\n"
    "  place(lines: [Line!]!): Placed\n"
    "    @event(thing: \"Order\", verb: \"placed\")\n"
    "}\n"
    "type Placed { position: String! }\n";

static const struct {
    const char *name;
    const char *part; /* of base, or NULL: the end */
    const char *instead;
    const char *differences;
} cases[] = {
    /* What makes the same rows. */
    { "nothing", "type Item", "type Item", "" },
    { "a description", "How it is called", "What it is called", "" },
    { "fields in another order", "  code: String\n  shelf: ID\n",
        "  shelf: ID\n  code: String\n", "" },
    { "indexes in another order",
        "@index(fields: [\"shelf\", \"n\"])\n"
        "  @index(fields: [\"code\"], unique: true)",
        "@index(fields: [\"code\"], unique: true)\n"
        "  @index(fields: [\"shelf\", \"n\"])",
        "" },
    { "enum values in another order", "OPEN CLOSED", "CLOSED OPEN", "" },
    { "a root field", "  item(sku: ID!): Item\n",
        "  item(sku: ID!): Item\n  on(shelf: ID!): [Item!]!\n", "" },
    { "a root field less", "  shelf(name: ID!): Shelf\n", "", "" },
    { "a link", "  shelfRow: Shelf @belongsTo(by: \"shelf\")\n", "", "" },
    { "a row rule", "@check(if: \"row.n >= 0\", code: \"BELOW\")",
        "@check(if: \"row.n >= 0\", code: \"BELOW\")\n"
        "  @allow(if: \"row.n < 7\")",
        "" },
    { "a check", "row.n >= 0", "row.n >= 1", "" },
    { "a check's code", "BELOW", "TOO_FEW", "" },
    { "no check", "@check(if: \"row.n >= 0\", code: \"BELOW\")", "", "" },
    { "a rule of a field", "auth.sub != null", "auth.sub == 'x'", "" },
    { "a cost", "  code: String\n", "  code: String @cost(weight: \"3\")\n",
        "" },
    { "deprecation", "  code: String\n", "  code: String @deprecated\n", "" },
    { "a field that is internal", "  code: String\n",
        "  code: String @internal\n", "" },
    { "read-time @computed", "  code: String\n",
        "  code: String\n  own: Boolean @computed(as: \"row.by == "
        "auth.sub\")\n",
        "" },
    { "blanks in expressions", "row.n - item.count", " row.n-item.count ",
        "" },
    { "blanks in a where", "row.n > 1", "row.n>1", "" },
    { "an argument that may be left out", "sku: ID!, n: Int,",
        "sku: ID!, n: Int, also: Int,", "" },
    { "an argument less", ", why: String", "", "" },
    { "an argument that must be given", "code: String, why",
        "code: String!, why", "" },
    { "a change stream", NULL,
        "type Subscription { added: Item @changes(thing: \"Item\") }\n", "" },
    { "a live field", NULL, "type Subscription { item(sku: ID!): Item }\n",
        "" },
    { "a type that is no view", "type Note { text: String }",
        "type Note { text: Int more: ID }", "" },
    { "a payload's field", "type Placed { position: String! }",
        "type Placed { position: String! event: ID! }", "" },
    { "a field less of an embedded object", "width: Int height: Int",
        "width: Int", "" },
    { "a field more of an embedded object, which may be anything",
        "width: Int height: Int", "width: Int height: Int more: JSON", "" },
    { "types in another order",
        "type Size { width: Int height: Int }\nenum State { OPEN CLOSED }\n",
        "enum State { OPEN CLOSED }\ntype Size { width: Int height: Int }\n",
        "" },

    { "an interface that is a view", NULL,
        "interface Any @view(key: \"sku\") { sku: ID! }\n"
        "extend type Item implements Any\n",
        "" },

    /* What need not make others. */
    { "an older name of a value", "OPEN CLOSED",
        "OPEN @was(name: \"NEW\") CLOSED",
        "skipped? Item.state takes more values than before\n" },
    { "a new enum value", "OPEN CLOSED", "OPEN CLOSED LOST",
        "skipped? Item.state takes more values than before\n" },
    { "an enum that becomes a String", "  state: State\n", "  state: String\n",
        "skipped? Item.state takes more values than before\n" },
    { "items that may be null", "[String!]", "[String]",
        "skipped? Item.tags takes more values than before\n" },
    { "an input field", "sku: ID! count: Int!", "sku: ID! count: Int! x: Int",
        "skipped? event Order placed lines of its data has another type\n" },
    { "a mutation", NULL,
        "extend type Mutation { drop(sku: ID!): Item @event(thing: \"Item\", "
        "verb: \"dropped\", effect: DELETE) }\n",
        "seen? event Item dropped has another effect, for events that name "
        "none\n" },
    { "an event that does nothing", NULL,
        "extend type Mutation { look(sku: ID!): Item @event(thing: \"Item\", "
        "verb: \"looked\") }\n",
        "" },
    { "another effect", "verb: \"added\", effect: CREATE",
        "verb: \"added\", effect: PUT",
        "seen? event Item added has another effect, for events that name "
        "none\n" },
    { "what an event sets", "row.n + event", "row.n - event",
        "seen? event Item marked does something else\n" },
    { "what an event does to others", "key: \"'all'\"", "key: \"'every'\"",
        "seen? event Order placed does something else\n" },
    { "a condition", "set: \"n = row.n + 1\"",
        "if: \"row.n < 9\", set: \"n = row.n + 1\"",
        "seen? event Order placed does something else\n" },
    { "an argument of another type that is read", "amount: Int!",
        "amount: BigInt!",
        "seen? event Item marked amount of its data has another type\n" },
    { "blanks between words matter", "row.n > 1", "row.n > 1 && 'a b' != 'x'",
        "build Shelf.items aggregates otherwise\n" },

    /* What makes others. */
    { "a field", "  code: String\n", "  code: String\n  more: Int\n",
        "build Item.more is new\n" },
    { "an index", "@index(fields: [\"shelf\", \"n\"])",
        "@index(fields: [\"shelf\", \"n\"]) @index(fields: [\"n\"])",
        "build Item @index(n) is new\n" },
    { "an index less", "@index(fields: [\"shelf\", \"n\"])", "",
        "build Item @index(shelf, n) is gone\n" },
    { "an index that is not unique", "[\"code\"], unique: true", "[\"code\"]",
        "build Item @index(code) is new\n"
        "build Item @index(code) is gone\n" },
    { "a field more of an embedded object", "width: Int height: Int",
        "width: Int height: Int depth: Int",
        "build Item.size has other fields inside\n" },
    { "one that must be there", "width: Int height: Int",
        "width: Int height: Int depth: Int!",
        "build loses Item.size has other fields inside: what does not fit is "
        "skipped\n" },
    { "a wider field of an embedded object", "width: Int", "width: Float",
        "build Item.size has other fields inside\n" },
    { "a narrower one", "width: Int", "width: Boolean",
        "build loses Item.size has other fields inside: what does not fit is "
        "skipped\n" },
    { "a default", "as: \"0\"", "as: \"1\"",
        "build Item.n has another @default\n" },
    { "a stamp", "@stamp(as: \"auth.sub\")", "@stamp(as: \"auth.iss\")",
        "build Item.by has another @stamp\n" },
    { "when a stamp is made", "@stamp(as: \"auth.sub\")",
        "@stamp(as: \"auth.sub\", on: WRITE)",
        "build Item.by has another @stamp\n" },
    { "a stored @computed", "row.n * 2", "row.n * 3",
        "build Item.twice has another @computed\n" },
    { "an aggregate", "row.n > 1", "row.n > 2",
        "build Shelf.items aggregates otherwise\n" },
    { "an aggregate more", "  items: Int!",
        "  sum: Int! @sum(field: \"n\")\n  items: Int!",
        "build Shelf.sum is new\n" },
    { "an aggregate less", "  items: Int! @count(where: \"row.n > 1\")\n", "",
        "build Shelf.items is gone\n" },
    { "a view", NULL, "type More @view { id: ID! }\n",
        "seen? More is a new view\n" },
    { "the order of effects",
        "  @on(thing: \"Order\", verb: \"placed\", each: "
        "\"event.data.lines\",\n"
        "    key: \"item.sku\", set: \"n = row.n - item.count\")\n"
        "  @on(thing: \"Order\", verb: \"placed\", key: \"'all'\",\n"
        "    set: \"n = row.n + 1\", effect: UPSERT)",
        "  @on(thing: \"Order\", verb: \"placed\", key: \"'all'\",\n"
        "    set: \"n = row.n + 1\", effect: UPSERT)\n"
        "  @on(thing: \"Order\", verb: \"placed\", each: "
        "\"event.data.lines\",\n"
        "    key: \"item.sku\", set: \"n = row.n - item.count\")",
        "seen? event Order placed does something else\n" },
    { "a wider number", "  n: Int! @", "  n: BigInt! @",
        "build Item.n was Int! and is BigInt!: what does not fit is "
        "skipped\n" },
    { "another name", "  state: State\n",
        "  status: State @was(name: \"state\")\n",
        "build Item.status is new\nbuild Item.state is gone\n" },
    { "another name of a value", "OPEN CLOSED",
        "NEW @was(name: \"OPEN\") CLOSED",
        "build Item.state has values that are called otherwise now\n" },
    { "a totalCount", NULL,
        "type ItemConnection { nodes: [Item!]! totalCount: Int "
        "pageInfo: PageInfo! }\n"
        "extend type Query { items(shelf: ID!, first: Int): "
        "ItemConnection! }\n",
        "build Item @index(shelf, n) is new\n"
        "build Item @index(shelf, n) is gone\n" },

    /* What loses. */
    { "a field less", "  state: State\n", "",
        "build loses Item.state is gone, though events fill it\n" },
    { "a narrower type", "  secret: String", "  secret: Int",
        "build loses Item.secret was String and is Int: what does not fit is "
        "skipped\n" },
    { "a list that is none", "  tags: [String!]\n", "  tags: String\n",
        "build loses Item.tags was [String!] and is String: what does not "
        "fit is skipped\n" },
    { "an enum value less", "OPEN CLOSED", "OPEN",
        "build loses Item.state State has no value CLOSED any more, nor a "
        "@was for it\n" },
    { "a field that must not be null", "  shelf: ID\n", "  shelf: ID!\n",
        "build loses Item.shelf is non-null now: events that leave it null "
        "are skipped\n" },
};

static kappa_str_t
edited(kappa_arena_t *arena, size_t i)
{
    const char *part = cases[i].part;
    const char *at = part ? strstr(base, part) : base + strlen(base);

    if (at == NULL) {
        fail_msg("%s: the schema has no part %s", cases[i].name, part);
        return KAPPA_STR_NULL;
    }
    return kappa_str_printf(arena, "%.*s%s%s", (int)(at - base), base,
        cases[i].instead, part ? at + strlen(part) : "");
}

static const kappa_model_t *
load(kappa_arena_t *arena, kappa_str_t text, const char *name)
{
    kappa_errors_t errors;
    kappa_model_t *model;

    kappa_errors_init(&errors, arena, 0);
    if (kappa_model_load(arena, KAPPA_STR("s.graphql"), text, &model, &errors)
        != KAPPA_OK) {
        fail_msg("%s: %s", name,
            errors.first ? errors.first->message.data : "no error");
    }
    return model;
}

static kappa_str_t
describe(kappa_arena_t *arena, const kappa_difference_t *d)
{
    static const char *const needs[] = { "none", "skipped?", "seen?",
        "build" };
    kappa_buf_t buf;

    kappa_buf_init(&buf, kappa_arena_source(arena));
    for (; d; d = d->next) {
        kappa_buf_printf(&buf, "%s %s%.*s %.*s\n", needs[d->need],
            d->loses ? "loses " : "", KAPPA_STR_ARG(d->what),
            KAPPA_STR_ARG(d->how));
    }
    kappa_str_t text = kappa_str_dup(arena, kappa_buf_view(&buf));
    kappa_buf_release(&buf);
    return text;
}

static void
knows_what_needs_a_build(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
        kappa_difference_t *first;

        const kappa_model_t *before = load(arena, kappa_str_c(base), "base");
        const kappa_model_t *after =
            load(arena, edited(arena, i), cases[i].name);
        assert_int_equal(
            kappa_model_compare(arena, before, after, &first), KAPPA_OK);
        kappa_str_t got = describe(arena, first);
        if (strcmp(got.data, cases[i].differences) != 0) {
            print_error("%s:\n%s instead of:\n%s", cases[i].name, got.data,
                cases[i].differences);
            wrong++;
        }
        kappa_arena_destroy(arena);
    }
    assert_int_equal(wrong, 0);
}

typedef struct {
    const char *before, *after, *differences;
} pair_t;

static void
compares_pairs(const pair_t *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
        kappa_difference_t *first;
        const kappa_model_t *before =
            load(arena, kappa_str_c(pairs[i].before), pairs[i].before);
        const kappa_model_t *after =
            load(arena, kappa_str_c(pairs[i].after), pairs[i].after);

        assert_int_equal(
            kappa_model_compare(arena, before, after, &first), KAPPA_OK);
        kappa_str_t got = describe(arena, first);
        if (strcmp(got.data, pairs[i].differences) != 0) {
            fail_msg("%s to %s:\n%s instead of:\n%s", pairs[i].before,
                pairs[i].after, got.data, pairs[i].differences);
        }
        kappa_arena_destroy(arena);
    }
}

#define Q " type Query { a(id: ID!): A }"
#define A "type A @view { id: ID! n: Int }"
#define ADDS(args)                                                            \
    " type Mutation { m(" args                                                \
    "): A @event(thing: \"A\", verb: \"v\", effect: PUT) }"
#define HALVES(type, what)                                                    \
    "type A @view { id: ID! n: Int s: S h: Float @computed(as: "              \
    "\"double(" what ")\") } type S { w: " type " h: " type " }" Q
#define LOOKS(family, of_a, of_b)                                             \
    family " type A " of_a " @view { id: ID! n: Int } type B " of_b           \
           " @view { id: ID! n: Int } type R @view @on(thing: \"E\", key: "   \
           "\"event.data.k\", effect: PUT, set: \"n = I(event.data.k).n\") "  \
           "{ id: "                                                           \
           "ID! n: Int }" Q
#define UNIQUE(field) "@index(fields: [\"" field "\"], unique: true)"

static void
compares_views(void **state)
{
    static const pair_t pairs[] = {
        { A " type B @view { id: ID! n: Int }" Q, A Q,
            "build loses B is no view any more, though events fill it\n" },
        { A " type B @view { id: ID! n: Int }" Q,
            A " type C @view @was(name: \"B\") { id: ID! n: Int }" Q,
            "build C is a new view\nbuild B is no view any more\n" },
        /* Only what it is fed by makes it anything without events of its
         * own. */
        { A Q,
            A " type B @view @on(thing: \"A\", set: \"n = 1\") { id: ID! "
              "n: Int }" Q,
            "seen? B is a new view\n"
            "seen? event A (any verb) does something else\n" },
        { A Q,
            A " type G @view(key: \"n\") @groupBy(of: \"A\", by: \"n\") "
              "{ n: Int! c: Int! @count }" Q,
            "build G is a new view\n" },
        { "type A @view @index(fields: [\"n\"]) { id: ID! n: ID }" Q,
            "type A @view @index(fields: [\"n\"]) { id: ID! n: ID } "
            "type B @view { id: ID! c: Int! @count(of: \"A\", by: \"n\") }" Q,
            "build B is a new view\n" },
        { A " type G @view(key: \"n\") @groupBy(of: \"A\", by: \"n\") "
            "{ n: Int! c: Int! @count }" Q,
            A Q, "build G is no view any more\n" },
        { "type A @view { id: ID! k: ID! }" Q,
            "type A @view(key: \"k\") { id: ID! k: ID! } type Query { a(k: "
            "ID!): A }",
            "build loses A has another key: events that do not name it are "
            "skipped\n" },
        { "type A @view { id: ID! n: Int! }" Q,
            "type A @view { id: ID! n: Int }" Q,
            "skipped? A.n may be null now\n" },
        { "type A @view { id: ID! n: Int }" Q,
            "type A @view { id: ID! n: Int! @default(as: \"1\") }" Q,
            "build A.n is non-null now\nbuild A.n has another @default\n" },
        { "type A @view { id: ID! s: String }" Q,
            "type A @view { id: ID! s: ID }" Q,
            "skipped? A.s takes more values than before\n" },
        { "type A @view { id: ID! s: ID }" Q,
            "type A @view { id: ID! s: String }" Q,
            "build loses A.s was ID and is String: what does not fit is "
            "skipped\n" },
        /* Views and types that name each other. */
        { "type A @view { id: ID! t: T } type T { t: [T] n: Int }" Q,
            "type A @view { id: ID! t: T } type T { t: [T] n: ID }" Q,
            "build A.t has other fields inside\n" },
        { "type A @view { id: ID! t: T } type T { t: [T] s: S } enum S { X "
          "Y }" Q,
            "type A @view { id: ID! t: T } type T { t: [T] s: S } enum S { X "
            "}" Q,
            "build loses A.t S has no value Y any more, nor a @was for it\n" },
        { "type A @view { id: ID! n: [DateTime] }" Q,
            "type A @view { id: ID! n: JSON }" Q,
            "build A.n was [DateTime] and is JSON: what does not fit is "
            "skipped\n" },
        { A Q " input I { i: I k: Int } type Mutation { m(id: ID!, x: I): A "
              "@event(thing: \"A\", verb: \"v\", effect: PUT) }",
            A Q " input I { i: I k: BigInt } type Mutation { m(id: ID!, x: I)"
                ": A @event(thing: \"A\", verb: \"v\", effect: PUT) }",
            "seen? event A v x of its data has another type\n" },
        { A Q " input I { i: I k: Int } type Mutation { m(id: ID!, x: I): A "
              "@event(thing: \"A\", verb: \"v\", effect: PUT) }",
            A Q " input J { i: J k: Int } type Mutation { m(id: ID!, x: J)"
                ": A @event(thing: \"A\", verb: \"v\", effect: PUT) }",
            "" },
        /* Arguments that are spread. */
        { A Q ADDS("input: I!") " input I { id: ID! n: Int }",
            A Q ADDS("id: ID!, n: Int"),
            "seen? event A v input of its data has another type\n" },
        { A Q ADDS("id: ID!, n: Int"),
            A Q ADDS("input: I!") " input I { id: ID! n: Int }",
            "seen? event A v input of its data has another type\n" },
        { A Q ADDS("input: I!") " input I { id: ID! n: Int }",
            A Q ADDS("input: I!, n: Int") " input I { id: ID! }",
            "seen? loses event A v input of its data has another type\n" },
        { A Q ADDS("input: I!") " input I { id: ID! n: Int }",
            A Q ADDS("input: I!") " input I { id: ID! n: Int m: Int }",
            "skipped? event A v input of its data has another type\n" },
        /* Defaults that replays fill in, and those that they don't. */
        { A Q ADDS("input: I!") " input I { id: ID! n: Int = 1 }",
            A Q ADDS("input: I!") " input I { id: ID! n: Int = 2 }",
            "seen? event A v input of its data has another type\n" },
        { A Q ADDS("input: I!") " input I { id: ID! n: Int = 1 }",
            A Q ADDS("input: I!") " input I { id: ID! n: Int }",
            "seen? event A v input of its data has another type\n" },
        { A Q ADDS("input: I!") " input I { id: ID! n: Int! = 1 }",
            A Q ADDS("input: I!") " input I { id: ID! n: Int! }",
            "seen? loses event A v input of its data has another type\n" },
        { A Q ADDS("input: I!") " input I { id: ID! n: Int! }",
            A Q ADDS("input: I!") " input I { id: ID! n: Int! = 1 }",
            "skipped? event A v input of its data has another type\n" },
        { A Q ADDS("id: ID!, n: Int = 1"), A Q ADDS("id: ID!, n: Int = 2"),
            "" },
        /* Types inside, where an expression reads them. */
        { HALVES("Int", "row.s.w / row.s.h"),
            HALVES("Float", "row.s.w / row.s.h"),
            "build A.s has other fields inside\nbuild A.h has another "
            "@computed\n" },

        { HALVES("Int", "row.n / 2"), HALVES("Int", "( row.n/ 2 )"), "" },
        /* What a lookup may find. */
        { LOOKS("interface I @view { id: ID! n: Int }", "implements I", ""),
            LOOKS("interface I @view { id: ID! n: Int }", "implements I",
                "implements I"),
            "seen? event E (any verb) does something else\n" },
        { LOOKS("union I @view = A | B", "", ""),
            LOOKS("union I @view = B | A", "", ""),
            "seen? event E (any verb) does something else\n" },
        /* Older names of values, where no enum gives them their name. */
        { "type A @view { id: ID! s: S } enum S { X @was(name: \"Y\") }" Q,
            "type A @view { id: ID! s: String }" Q,
            "build A.s has values that are called otherwise now\n" },
        { "type A @view { id: ID! t: T } type T { s: S } enum S { X @was("
          "name: \"Y\") }" Q,
            "type A @view { id: ID! t: T } type T { s: String }" Q,
            "build A.t has values that are called otherwise now\n" },
        { "type A @view { id: ID! t: T } type T { u: Int }" Q,
            "type A @view { id: ID! t: T } type T { u: Int s: S } enum S { X "
            "@was(name: \"Y\") }" Q,
            "build A.t has other fields inside\n" },
        /* What is computed and null refuses the event where it may not be. */
        { "type A @view { id: ID! n: Int m: Int @computed(as: \"row.n\") }" Q,
            "type A @view { id: ID! n: Int m: Int! @computed(as: \"row.n\") "
            "}" Q,
            "build loses A.m is non-null now: events that leave it null are "
            "skipped\n" },
        { "type A @view { id: ID! n: Int m: Int! @computed(as: \"row.n\") "
          "}" Q,
            "type A @view { id: ID! n: Int m: Int @computed(as: \"row.n\") "
            "}" Q,
            "skipped? A.m may be null now\n" },
        /* Rows that there were may be the same in it. */
        { A Q, "type A @view " UNIQUE("n") " { id: ID! n: Int }" Q,
            "build loses A @index(n) is unique now: events that give two "
            "rows the same values are skipped\n" },
        { A Q, "type A @view " UNIQUE("m") " { id: ID! n: Int m: Int }" Q,
            "build A.m is new\nbuild A @index(m) is new\n" },
        { A Q,
            "type A @view @index(fields: [\"n\", \"id\"], unique: true) { "
            "id: ID! n: Int }" Q,
            "build A @index(n, id) is new\n" },
        /* Numbers that all fit. */
        { "type A @view { id: ID! n: [Int] }" Q,
            "type A @view { id: ID! n: [Float] }" Q,
            "build A.n was [Int] and is [Float]: what does not fit is "
            "skipped\n" },
        /* What stands in strings is not blank. */
        { "type A @view { id: ID! n: String @default(as: \"'a b'\") }" Q,
            "type A @view { id: ID! n: String @default(as: \"'a  b'\") }" Q,
            "build A.n has another @default\n" },
        { "type A @view { id: ID! n: String @default(as: \"'\\\\' b'\") }" Q,
            "type A @view { id: ID! n: String @default(as: \"'\\\\'  b'\") "
            "}" Q,
            "build A.n has another @default\n" },
        /* A comment may hide the rest of a line. */
        { "type A @view { id: ID! n: Int m: Int @computed(as: \"row.n // "
          "x\\n + 1\") }" Q,
            "type A @view { id: ID! n: Int m: Int @computed(as: \"row.n // x "
            "+ 1\") }" Q,
            "build A.m has another @computed\n" },
    };

    (void)state;
    compares_pairs(pairs, COUNT(pairs));
}

/* T0 { a: T1 b: T1 } and so on: 2^24 ways down. */
static kappa_str_t
many_ways(kappa_arena_t *arena, const char *last)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, kappa_arena_source(arena));
    kappa_buf_printf(&buf, "type A @view { id: ID! t: T0 }" Q);
    for (int i = 0; i < 24; i++) {
        kappa_buf_printf(&buf, " type T%d { a: T%d b: T%d }", i, i + 1, i + 1);
    }
    kappa_buf_printf(&buf, " type T24 { x: %s }", last);
    kappa_str_t text = kappa_str_dup(arena, kappa_buf_view(&buf));
    kappa_buf_release(&buf);
    return text;
}

static void
compares_a_type_once(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_difference_t *first;

    (void)state;
    assert_int_equal(
        kappa_model_compare(arena, load(arena, many_ways(arena, "Int"), "Int"),
            load(arena, many_ways(arena, "Float"), "Float"), &first),
        KAPPA_OK);
    assert_string_equal(
        describe(arena, first).data, "build A.t has other fields inside\n");
    kappa_arena_destroy(arena);
}

typedef struct {
    const kappa_model_t *before, *after;
} models_t;

static kappa_status_t
compare_with(const kappa_alloc_t *alloc, void *ctx)
{
    const models_t *models = ctx;
    kappa_arena_t *arena = kappa_arena_create(alloc, 64);
    kappa_difference_t *first;

    if (arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status =
        kappa_model_compare(arena, models->before, models->after, &first);
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_without_memory(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    models_t models = { load(arena, kappa_str_c(base), "base"),
        load(arena, KAPPA_STR(A Q), "A") };

    (void)state;
    kappa_alloc_failing_each(compare_with, &models);
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_needs_a_build),
        cmocka_unit_test(compares_views),
        cmocka_unit_test(compares_a_type_once),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests_name("views/compare", tests, NULL, NULL);
}
