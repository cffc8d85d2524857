#include "t/unit/views/fixture.h"

#include "graphql/parser.h"
#include "views/caller.h"

static const char schema[] =
    "type A @view {\n"
    "  id: ID! n: Int\n"
    "  secret: Int @allow(if: \"'hr' in auth.roles\")\n"
    "  mine: Boolean @computed(as: \"row.id == auth.sub\")\n"
    "  tenant: String @computed(as: \"auth.claims.tenant\")\n"
    "  known: Boolean @computed(as: \"auth != null\")\n"
    "  b: ID own: B @belongsTo(by: \"b\") }\n"
    "type B @view @index(fields: [\"owner\"])\n"
    "  @allow(if: \"row.owner == auth.sub\") { id: ID! owner: ID }\n"
    "type Bs { nodes: [B!]! }\n"
    "type Query { a(id: ID!): A me(id: ID! @stamp(as: \"auth.sub\")): A\n"
    "  bs: [B] bc: Bs!\n"
    "  staff(id: ID!): A @allow(if: \"'hr' in auth.roles\") }\n"
    "type Mutation { m(id: ID!): A @event(thing: \"A\", verb: \"x\",\n"
    "  effect: PATCH) }\n"
    "type Subscription { news: B @changes(thing: \"B\")\n"
    "  plain: A @changes(thing: \"A\")\n"
    "  stamped(id: ID! @stamp(as: \"auth.sub\")): A @changes(thing: \"A\")\n"
    "}\n";

static kappa_plan_t *
plan_of(kappa_arena_t *arena, const kappa_model_t *model, const char *query)
{
    kappa_source_t source = { KAPPA_STR("q"), kappa_str_c(query) };
    kappa_document_t *document;
    kappa_plan_t *plan;

    assert_int_equal(
        kappa_parse(arena, &source, NULL, &document, NULL), KAPPA_OK);
    assert_int_equal(kappa_plan_create(&kappa_alloc_libc, model->schema,
                         document, KAPPA_STR_NULL, &plan, NULL),
        KAPPA_OK);
    return plan;
}

static void
knows_what_answers_depend_on(void **state)
{
    static const struct {
        const char *query;
        const char *key; /* of sub "p", role "hr"; "*…": the whole caller */
    } cases[] = {
        { "{a(id:1){id n}}", "" },
        { "{__typename}", "" },
        { "{__schema{types{name}}}", "" },
        { "{a(id:1){secret}}", "auth.roles=[\"hr\"];" },
        { "{a(id:1){mine id}}", "auth.sub=\"p\";" },
        { "{a(id:1){tenant}}", "auth.claims.tenant=null;" },
        { "{a(id:1){mine secret}}", "auth.sub=\"p\";auth.roles=[\"hr\"];" },
        { "{a(id:1){own{id}}}", "auth.sub=\"p\";" },
        { "{a(id:1){...{...on A{own{id}}}}}", "auth.sub=\"p\";" },
        { "{me{n}}", "auth.sub=\"p\";" },
        { "{bs{id}}", "auth.sub=\"p\";" },
        { "{bc{nodes{id}}}", "auth.sub=\"p\";" },
        { "{staff(id:1){id}}", "auth.roles=[\"hr\"];" },
        { "{a(id:1){known}}", "*" },
        { "mutation{m(id:1){id}}", "*" },
        { "subscription{news{id}}", "auth.sub=\"p\";" },
        { "subscription{plain{id}}", "" },
        { "subscription{stamped{id}}", "auth.sub=\"p\";" },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    const kappa_model_t *model = load_model(arena, schema);
    kappa_value_t role = kappa_string(KAPPA_STR("hr"));
    kappa_caller_t caller = { .sub = KAPPA_STR("p"),
        .roles = { .kind = KAPPA_LIST, .count = 1, .as.items = &role } };
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_plan_t *plan = plan_of(arena, model, cases[i].query);
        bool whole = cases[i].key[0] == '*';

        kappa_buf_reset(&buf);
        assert_int_equal(
            kappa_caller_key(plan, &caller, arena, &buf), KAPPA_OK);
        if (whole ? buf.len == 0 || buf.data[0] != '*'
                  : !kappa_str_eq_c(kappa_buf_view(&buf), cases[i].key)) {
            fail_msg("%s: %.*s, not %s", cases[i].query,
                KAPPA_STR_ARG(kappa_buf_view(&buf)), cases[i].key);
        }
        kappa_plan_release(plan);
    }
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_answers_depend_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
