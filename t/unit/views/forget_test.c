#include "t/unit/views/store_fixture.h"

/* Forgetting: what is left is what the log gives without the events. */

static const char schema[] =
    "type Customer @was(name: \"Client\") @view\n"
    "  @on(thing: \"Order\", verb: \"placed\", key: \"event.data.customer\",\n"
    "    set: \"orders = row.orders + 1\") {\n"
    "  id: ID!\n"
    "  name: String\n"
    "  orders: Int! @default(as: \"0\")\n"
    "}\n"
    "type Cart @view\n"
    "  @on(thing: \"Customer\", verb: \"joined\", effect: CREATE) {\n"
    "  id: ID!\n"
    "  things: Int! @default(as: \"0\")\n"
    "}\n"
    "type Order @view {\n"
    "  id: ID!\n"
    "  customer: ID!\n"
    "}\n"
    "type Shop @view @on(thing: \"Cart\", verb: \"filled\", effect: UPSERT,\n"
    "    key: \"'all'\", set: \"filled = event.data.things\") {\n"
    "  id: ID!\n"
    "  filled: Int\n"
    "}\n"
    "type Query {\n"
    "  customer(id: ID!): Customer\n"
    "  cart(id: ID!): Cart\n"
    "  order(id: ID!): Order\n"
    "  shop(id: ID!): Shop\n"
    "}\n"
    "type Mutation {\n"
    "  join(id: ID!, name: String): Customer\n"
    "    @event(thing: \"Customer\", verb: \"joined\", effect: CREATE)\n"
    "  fill(id: ID!, things: Int!): Cart\n"
    "    @event(thing: \"Cart\", verb: \"filled\", effect: PATCH)\n"
    "  order(id: ID!, customer: ID!): Order\n"
    "    @event(thing: \"Order\", verb: \"placed\", effect: CREATE)\n"
    "}\n";

static void
start(fixture_t *f)
{
    make_store(f);
    f->schema = schema;
    open_store(f);
}

static kappa_status_t
forget(fixture_t *f, const char *thing, const char *key, uint64_t *events)
{
    kappa_filter_t filter = { .thing = kappa_str_c(thing) };

    kappa_errors_init(&f->errors, f->arena, 0);
    assert_int_equal(
        kappa_filter_key(f->arena, kappa_str_c(key), &filter), KAPPA_OK);
    return kappa_store_forget(
        f->store, &filter, NULL, NULL, events, &f->errors);
}

static uint64_t
skipped(fixture_t *f)
{
    const kappa_read_options_t any = { .caller = NULL };
    kappa_snapshot_t *snapshot;
    uint64_t count = 0;

    assert_int_equal(
        kappa_snapshot_begin(f->store, &any, &snapshot), KAPPA_OK);
    assert_int_equal(
        kappa_env_skipped(kappa_snapshot_txn(snapshot), &count), KAPPA_OK);
    kappa_snapshot_end(snapshot);
    return count;
}

static void
takes_what_it_made_and_leaves_what_others_did(void **state)
{
    fixture_t f;
    uint64_t events;

    (void)state;
    start(&f);
    mutate_text(&f, "mutation { join(id: \"a\", name: \"Ann\") { id } }");
    mutate_text(&f, "mutation { join(id: \"b\") { id } }");
    mutate_text(&f, "mutation { order(id: \"1\", customer: \"a\") { id } }");
    mutate_text(&f, "mutation { order(id: \"2\", customer: \"b\") { id } }");
    mutate_text(&f, "mutation { fill(id: \"a\", things: 3) { id } }");
    assert_int_equal(forget(&f, "Customer", "a", &events), KAPPA_OK);
    assert_int_equal(events, 1);
    assert_int_equal(skipped(&f), 0);
    assert_contains(query_text(&f,
                        "{ a: customer(id: \"a\") { id } c: cart(id: \"a\") "
                        "{ id } o: order(id: \"1\") { id } "
                        "b: customer(id: \"b\") { orders } "
                        "s: shop(id: \"all\") { filled } }"),
        "{\"a\":null,\"c\":null,\"o\":{\"id\":\"1\"},\"b\":{\"orders\":1},"
        "\"s\":{\"filled\":3}}");
    verify_store(&f);

    assert_int_equal(forget(&f, "Customer", "a", &events), KAPPA_NOT_FOUND);
    /* The rules of now are not softened. */
    assert_contains(
        mutate_text(&f, "mutation { fill(id: \"a\", things: 1) { id } }"),
        "NOT_FOUND");
    assert_contains(mutate_text(&f, "mutation { join(id: \"a\") { id } }"),
        "{\"id\":\"a\"}");
    assert_contains(
        query_text(&f, "{ cart(id: \"a\") { things } }"), "{\"things\":0}");
    verify_store(&f);
    end_store(&f);
}

static void
knows_older_names_and_ids_that_were_used(void **state)
{
    static const char line[] =
        "{\"id\":\"0190a000-0000-7000-8000-000000000001\",\"thing\":"
        "\"Client\",\"verb\":\"joined\",\"key\":\"c\",\"effect\":\"CREATE\","
        "\"data\":{\"id\":\"c\",\"name\":\"Carl\"}}\n";
    fixture_t f;
    uint64_t events;

    (void)state;
    start(&f);
    assert_int_equal(append_lines(&f, line).appended, 1);
    assert_int_equal(forget(&f, "Customer", "c", &events), KAPPA_OK);
    assert_int_equal(events, 1);
    assert_contains(query_text(&f, "{ customer(id: \"c\") { id } }"),
        "{\"customer\":null}");
    kappa_job_t again = append_lines(&f, line);
    assert_int_equal(again.appended, 0);
    assert_int_equal(again.duplicates, 1);
    verify_store(&f);
    end_store(&f);
}

static void
finishes_what_was_begun(void **state)
{
    const kappa_log_known_t nothing = { 0 };
    const uint64_t first = 1;
    fixture_t f;
    uint64_t events, tail;
    kappa_forgotten_t is;

    (void)state;
    start(&f);
    mutate_text(&f, "mutation { join(id: \"a\", name: \"Ann\") { id } }");
    kappa_log_t *log = kappa_store_log(f.store);
    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, &nothing, &tail, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_forget(log, &first, 1, NULL), KAPPA_OK);
    kappa_log_unlock(log); /* and dies here */
    reopen(&f);
    assert_int_equal(forget(&f, "Customer", "nobody", &events), KAPPA_OK);
    assert_contains(query_text(&f, "{ customer(id: \"a\") { id } }"),
        "{\"customer\":null}");
    assert_int_equal(kappa_log_forgotten(
                         kappa_store_log(f.store), 0, NULL, NULL, &is, NULL),
        KAPPA_OK);
    assert_int_equal(is.pending, 0);
    assert_int_equal(current_of(&f), 2);
    verify_store(&f);
    end_store(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_it_made_and_leaves_what_others_did),
        cmocka_unit_test(knows_older_names_and_ids_that_were_used),
        cmocka_unit_test(finishes_what_was_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
