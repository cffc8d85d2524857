#include "t/unit/views/shop.h"

#include "t/unit/alloc_failing.h"

static const char catalogue[] =
    "type Package @view(key: \"name\") @index(fields: [\"section\", \"name\"])"
    " @index(fields: [\"section\", \"size\"]) {\n"
    "  name: ID!  version: String!  size: Int!  section: ID!\n"
    "  maintainer: String!\n"
    "  installs: Int! @count(of: \"Report\", by: \"package\","
    "    where: \"row.kind == 'INSTALLED'\")\n"
    "}\n"
    "type Section @view(key: \"name\")"
    " @groupBy(of: \"Package\", by: \"section\") {\n"
    "  name: ID!  packages: Int! @count  bytes: BigInt! @sum(field: "
    "\"size\")\n"
    "  largest: Int @max(field: \"size\")\n"
    "}\n"
    "enum ReportKind { INSTALLED REMOVED BROKEN }\n"
    "type Report @view @index(fields: [\"package\", \"at\"]) {\n"
    "  id: ID!  package: ID!  kind: ReportKind!\n"
    "  by: String @stamp(as: \"auth.sub\") @allow(if: \"auth.sub != null\")\n"
    "  at: DateTime! @stamp(as: \"now\")\n"
    "}\n"
    "type Query { package(name: ID!): Package section(name: ID!): Section }\n"
    "type Mutation {\n"
    "  report(package: ID!, kind: ReportKind!): Report!\n"
    "    @event(thing: \"Report\", verb: \"reported\", effect: CREATE)\n"
    "    @check(if: \"Package(args.package) != null\","
    "      code: \"NO_SUCH_PACKAGE\")\n"
    "  retire(name: ID!): Package\n"
    "    @event(thing: \"Package\", verb: \"retired\", effect: DELETE)\n"
    "}\n";

static void
put_package(views_t *v, const char *key, const char *data)
{
    if (views_event(v, "Package", "uploaded", KAPPA_EFFECT_PUT, key, data)
        != KAPPA_OK) {
        fail_msg("%s: %s", key, print_errors(v->arena, &v->errors));
    }
}

static void
keeps_the_catalogue(void **state)
{
    views_t v;

    (void)state;
    views_open(&v, catalogue);
    put_package(&v, "\"bash\"",
        "{\"version\":\"5.2\",\"size\":100,\"section\":\"shells\","
        "\"maintainer\":\"m\"}");
    put_package(&v, "\"zsh\"",
        "{\"version\":\"5.9\",\"size\":70,\"section\":\"shells\","
        "\"maintainer\":\"m\"}");
    assert_str_equal(views_row(&v, "Section", "\"shells\""),
        "{\"name\":\"shells\",\"packages\":2,\"bytes\":\"170\","
        "\"largest\":100}");
    views_commit(&v);
    views_begin(&v);

    put_package(&v, "\"bash\"",
        "{\"version\":\"5.3\",\"size\":60,\"section\":\"shells\","
        "\"maintainer\":\"m\"}");
    assert_str_equal(views_row(&v, "Section", "\"shells\""),
        "{\"name\":\"shells\",\"packages\":2,\"bytes\":\"130\","
        "\"largest\":70}");

    v.caller.sub = KAPPA_STR("ann");
    assert_int_equal(views_mutate(&v, "report",
                         "{\"package\":\"bash\",\"kind\":\"INSTALLED\"}"),
        KAPPA_OK);
    assert_str_equal(v.event.data,
        "{\"package\":\"bash\",\"kind\":\"INSTALLED\",\"by\":\"ann\","
        "\"at\":\"2026-09-21T14:13:20.000Z\"}");
    assert_str_equal(views_row(&v, "Package", "\"bash\""),
        "{\"name\":\"bash\",\"version\":\"5.3\",\"size\":60,"
        "\"section\":\"shells\",\"maintainer\":\"m\",\"installs\":1}");

    assert_int_equal(views_mutate(&v, "report",
                         "{\"package\":\"nope\",\"kind\":\"INSTALLED\"}"),
        KAPPA_INVALID);
    assert_string_equal(views_code(&v), "NO_SUCH_PACKAGE");

    assert_int_equal(
        views_mutate(&v, "retire", "{\"name\":\"zsh\"}"), KAPPA_OK);
    assert_int_equal(v.event.effect, KAPPA_EFFECT_DELETE);
    assert_str_equal(v.event.row,
        "{\"name\":\"zsh\",\"version\":\"5.9\",\"size\":70,"
        "\"section\":\"shells\",\"maintainer\":\"m\",\"installs\":0}");
    assert_int_equal(
        views_mutate(&v, "retire", "{\"name\":\"zsh\"}"), KAPPA_INVALID);
    assert_string_equal(views_code(&v), "NOT_FOUND");
    views_commit(&v);
    views_begin(&v);
    assert_int_equal(
        views_mutate(&v, "retire", "{\"name\":\"bash\"}"), KAPPA_OK);
    assert_str_equal(views_row(&v, "Section", "\"shells\""), "none");
    put_package(&v, "\"bash\"",
        "{\"version\":\"6\",\"size\":60,\"section\":\"shells\","
        "\"maintainer\":\"m\"}");
    assert_str_equal(views_row(&v, "Package", "\"bash\""),
        "{\"name\":\"bash\",\"version\":\"6\",\"size\":60,"
        "\"section\":\"shells\",\"maintainer\":\"m\",\"installs\":1}");
    views_replay(&v);
    views_close(&v);
}

static void
effects_happen_together_or_not(void **state)
{
    views_t v;

    (void)state;
    views_open(&v, shop);
    v.caller.sub = KAPPA_STR("ann");
    import(&v, "Product", KAPPA_EFFECT_CREATE, "\"p\"", "{}");
    import(&v, "Product", KAPPA_EFFECT_CREATE, "\"q\"", "{\"stock\":1}");

    accept(&v, "order",
        "{\"customer\":\"c\",\"lines\":[{\"sku\":\"p\",\"count\":2},"
        "{\"sku\":\"p\",\"count\":3}]}");
    assert_str_equal(views_row(&v, "Product", "\"p\""),
        "{\"sku\":\"p\",\"stock\":5,\"name\":null}");
    assert_str_equal(v.event.key, "\"01a0c450-6c00-7000-8000-000000000003\"");
    assert_str_equal(views_row(&v, "Customer", "\"c\""),
        "{\"id\":\"c\",\"orders\":1,"
        "\"lastId\":\"01a0c450-6c00-7000-8000-000000000003\","
        "\"lastTime\":\"2026-09-21T14:13:20.000Z\"}");

    refuse(&v, "order",
        "{\"customer\":\"c\",\"lines\":[{\"sku\":\"p\",\"count\":1},"
        "{\"sku\":\"q\",\"count\":2}]}",
        "OUT_OF_STOCK");
    refuse(&v, "order",
        "{\"customer\":\"c\",\"lines\":[{\"sku\":\"p\",\"count\":1},"
        "{\"sku\":\"none\",\"count\":2}]}",
        "NOT_FOUND");
    assert_str_equal(views_row(&v, "Product", "\"p\""),
        "{\"sku\":\"p\",\"stock\":5,\"name\":null}");

    accept(&v, "order", "{\"customer\":\"c\"}");
    kappa_str_t customer = views_row(&v, "Customer", "\"c\"");
    assert_non_null(strstr(customer.data, "\"orders\":2"));
    views_replay(&v);
    views_close(&v);
}

static void
rows_are_filled_in_order(void **state)
{
    views_t v;

    (void)state;
    views_open(&v, shop);
    v.caller.sub = KAPPA_STR("ann");
    accept(&v, "order",
        "{\"customer\":\"c\",\"address\":{\"city\":\"Ulm\"},"
        "\"details\":{\"note\":\"n\",\"street\":\"s\"}}");
    kappa_str_t id = v.event.key;
    assert_str_equal(v.event.data,
        "{\"customer\":\"c\",\"address\":{\"city\":\"Ulm\"},"
        "\"details\":{\"note\":\"n\",\"street\":\"s\"},"
        "\"at\":\"2026-09-21T14:13:20.000Z\",\"by\":\"ann\","
        "\"changed\":\"2026-09-21T14:13:20.000Z\"}");
    kappa_str_t row = views_row(&v, "Order", id.data);
    assert_str_equal(kappa_str(row.data + 45, row.len - 45),
        "\"customer\":\"c\",\"note\":\"n\",\"lines\":null,"
        "\"address\":{\"city\":\"Ulm\"},\"street\":\"s\",\"tag\":null,"
        "\"at\":\"2026-09-21T14:13:20.000Z\",\"by\":\"ann\","
        "\"changed\":\"2026-09-21T14:13:20.000Z\",\"state\":\"OPEN\"}");

    /* PATCH: WRITE stamps act, CREATE stamps stay, absent stays. */
    v.now_ms += 1000;
    v.caller.sub = KAPPA_STR("bob");
    char args[128];
    snprintf(args, sizeof(args), "{\"id\":%s,\"note\":null}", id.data);
    accept(&v, "change", args);
    row = views_row(&v, "Order", id.data);
    assert_str_equal(kappa_str(row.data + 45, row.len - 45),
        "\"customer\":\"c\",\"note\":null,\"lines\":null,"
        "\"address\":{\"city\":\"Ulm\"},\"street\":\"bob\",\"tag\":null,"
        "\"at\":\"2026-09-21T14:13:20.000Z\",\"by\":\"ann\","
        "\"changed\":\"2026-09-21T14:13:21.000Z\",\"state\":\"OPEN\"}");

    /* A PUT by import: fields start anew, CREATE stamps are kept, an older
     * name counts, data wins over a WRITE stamp. */
    import(&v, "Order", KAPPA_EFFECT_PUT, id.data,
        "{\"customer\":\"d\",\"label\":\"t\","
        "\"changed\":\"2020-01-01T00:00:00Z\"}");
    row = views_row(&v, "Order", id.data);
    assert_str_equal(kappa_str(row.data + 45, row.len - 45),
        "\"customer\":\"d\",\"note\":null,\"lines\":null,"
        "\"address\":null,\"street\":null,\"tag\":\"t\","
        "\"at\":\"2026-09-21T14:13:20.000Z\",\"by\":\"ann\","
        "\"changed\":\"2020-01-01T00:00:00.000Z\",\"state\":\"OPEN\"}");
    views_replay(&v);
    views_close(&v);
}

/* Types, fields and enum values by the names that older events have for them,
 * also where expressions read the data. */
static const char renamed[] =
    "type Item @view @was(name: \"Thing\") @index(fields: [\"state\"]) {\n"
    "  id: ID!  state: State! @was(name: \"status\")  n: Int\n"
    "  by: Input2  times: Int! @default(as: \"1\")\n"
    "}\n"
    "type Input2 { state: State }\n"
    "input In { state: State }\n"
    "enum State { NEW @was(name: \"OPEN\") DONE @was(name: \"CLOSED\") }\n"
    "type Log @view @on(thing: \"Item\", verb: \"made\", effect: PUT,\n"
    "    key: [\"event.key\"], set: [\"state = event.data.state\",\n"
    "      \"fresh = event.data.state == 'NEW'\"]) {\n"
    "  id: ID!  state: State  fresh: Boolean\n"
    "}\n"
    "type Bin @view(key: \"state\") @groupBy(of: \"Item\", by: \"state\") {\n"
    "  state: State!  items: Int! @count\n"
    "}\n"
    "type Query { item(id: ID!): Item }\n"
    "type Mutation {\n"
    "  make(id: ID!, state: State!, by: In): Item\n"
    "    @event(thing: \"Item\", verb: \"made\", effect: CREATE)\n"
    "}\n";

static void
older_names_are_known(void **state)
{
    views_t v;

    (void)state;
    views_open(&v, renamed);
    import(&v, "Thing", KAPPA_EFFECT_CREATE, "\"a\"",
        "{\"status\":\"OPEN\",\"by\":{\"state\":\"CLOSED\"}}");
    accept(&v, "make", "{\"id\":\"b\",\"state\":\"DONE\"}");
    import(&v, "Item", KAPPA_EFFECT_CREATE, "\"c\"", "{\"state\":\"CLOSED\"}");
    assert_str_equal(views_row(&v, "Item", "\"a\""),
        "{\"id\":\"a\",\"state\":\"NEW\",\"n\":null,"
        "\"by\":{\"state\":\"DONE\"},\"times\":1}");
    assert_str_equal(
        views_row(&v, "Bin", "\"DONE\""), "{\"state\":\"DONE\",\"items\":2}");
    assert_str_equal(views_row(&v, "Bin", "\"OPEN\""), "none");
    assert_int_equal(views_event(&v, "Thing", "made", KAPPA_EFFECT_CREATE,
                         "\"d\"", "{\"status\":\"OPEN\"}"),
        KAPPA_OK);
    assert_str_equal(views_row(&v, "Log", "\"d\""),
        "{\"id\":\"d\",\"state\":\"NEW\",\"fresh\":true}");
    views_replay(&v);
    views_close(&v);
}

static void
hidden_rows_do_not_exist(void **state)
{
    views_t v;

    (void)state;
    views_open(&v, shop);
    v.caller.sub = KAPPA_STR("ann");
    accept(&v, "join", "{\"room\":7,\"user\":\"ann\",\"level\":1}");
    assert_str_equal(v.event.key, "[7,\"ann\"]");
    accept(&v, "join", "{\"room\":7,\"user\":\"ann\"}");
    assert_str_equal(views_row(&v, "Member", "[7,\"ann\"]"),
        "{\"room\":7,\"user\":\"ann\",\"level\":1}");
    v.caller.sub = KAPPA_STR("bob");
    refuse(&v, "leave", "{\"room\":7,\"user\":\"ann\"}", "NOT_FOUND");
    refuse(&v, "join", "{\"room\":7,\"user\":\"ann\",\"level\":9}",
        "ALREADY_EXISTS");
    v.caller.sub = KAPPA_STR("ann");
    accept(&v, "leave", "{\"room\":7,\"user\":\"ann\"}");
    views_replay(&v);
    views_close(&v);
}

static kappa_status_t
with_key(views_t *v, const char *key, uint8_t hash)
{
    kappa_event_t event = { .seq = v->seq + 1,
        .time_ms = v->now_ms,
        .id = { 1 },
        .thing = KAPPA_STR("Product"),
        .verb = KAPPA_STR("told"),
        .effect = KAPPA_EFFECT_UPSERT,
        .key = KAPPA_STR("\"p\""),
        .idempotency_key = kappa_str_c(key),
        .idempotency_scope = KAPPA_STR("/told"),
        .args_hash = { hash } };

    v->event = event;
    v->last = (kappa_decision_t){
        .event = &v->event, .arena = v->arena, .errors = &v->errors
    };
    kappa_errors_init(&v->errors, v->arena, 0);
    return views_note(v, kappa_writer_decide(v->writer, &v->last));
}

static void
keys_are_used_once(void **state)
{
    views_t v;

    (void)state;
    views_open(&v, shop);
    assert_int_equal(with_key(&v, "k", 1), KAPPA_OK);
    assert_false(v.last.duplicate);
    assert_int_equal(with_key(&v, "k", 1), KAPPA_OK);
    assert_true(v.last.duplicate);
    assert_int_equal(v.last.seq, 1);
    assert_int_equal(with_key(&v, "k", 2), KAPPA_INVALID);
    assert_string_equal(views_code(&v), "IDEMPOTENCY_CONFLICT");
    views_commit(&v);
    views_begin(&v);
    assert_int_equal(with_key(&v, "k", 1), KAPPA_OK);
    assert_true(v.last.duplicate);
    assert_int_equal(with_key(&v, "l", 1), KAPPA_OK);
    assert_false(v.last.duplicate);
    views_replay(&v);
    views_close(&v);
}

static void
keys_of_uploads_are_used_for_ever(void **state)
{
    views_t v;

    (void)state;
    views_open(&v, shop);
    kappa_writer_window(v.writer, 1000);
    for (int i = 0; i < 3; i++) {
        kappa_event_t event = { .seq = v.seq + 1,
            .time_ms = v.now_ms,
            .id = { 1 },
            .thing = KAPPA_STR("Product"),
            .verb = KAPPA_STR("told"),
            .effect = KAPPA_EFFECT_UPSERT,
            .key = KAPPA_STR("\"p\""),
            .idempotency_key = KAPPA_STR("k"),
            .idempotency_scope = KAPPA_STR("*") };

        v.event = event;
        v.last = (kappa_decision_t){
            .event = &v.event, .arena = v.arena, .errors = &v.errors
        };
        assert_int_equal(
            views_note(&v, kappa_writer_decide(v.writer, &v.last)), KAPPA_OK);
        assert_int_equal(v.last.duplicate, i > 0);
        v.now_ms += 1000000;
    }
    views_replay(&v);
    views_close(&v);
}

/* --- what can't be had */

static kappa_status_t
write_with(const kappa_alloc_t *alloc, void *ctx)
{
    views_t *v = ctx;
    kappa_arena_t *arena = kappa_arena_create(alloc, 64);
    kappa_writer_t *writer;

    if (arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status =
        kappa_writer_create(alloc, v->env, v->model, &writer);
    if (status == KAPPA_OK) {
        kappa_errors_t errors;

        kappa_errors_init(&errors, arena, 0);
        status = kappa_writer_begin(writer, &errors);
        for (int i = 0; i < 40 && status == KAPPA_OK; i++) {
            char key[16], data[1100];
            kappa_event_t event = { .seq = (uint64_t)i + 1,
                .id = { 1 },
                .time_ms = v->now_ms,
                .thing = KAPPA_STR("Big"),
                .verb = KAPPA_STR("told"),
                .effect = KAPPA_EFFECT_UPSERT };
            kappa_decision_t decision = {
                .event = &event, .arena = arena, .errors = &errors
            };

            snprintf(key, sizeof(key), "\"k%d\"", i);
            event.key = kappa_str_c(key);
            event.data = kappa_str_c(repeat(
                data, "{\"n\":5,\"of\":\"t\",\"text\":\"%s\"}", 't', 400));
            status = kappa_writer_decide(writer, &decision);
        }
        if (status == KAPPA_OK) {
            status = kappa_writer_commit(writer, 40, &errors);
        }
        kappa_writer_destroy(writer);
    }
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_without_memory(void **state)
{
    views_t v;

    (void)state;
    views_open(&v, shop);
    views_commit(&v);
    kappa_alloc_failing_each(write_with, &v);
    views_begin(&v);
    assert_str_equal(views_row(&v, "Big", "\"t\""), "none");
    views_close(&v);
}

static void
a_full_map_loses_only_the_transaction(void **state)
{
    kappa_status_t status = KAPPA_OK;
    char key[32], data[1100];
    uint64_t position, skipped;
    views_t v = { 0 };
    kappa_txn_t *txn;

    (void)state;
    v.arena = kappa_arena_create(&kappa_alloc_libc, 0);
    v.model = load_model(v.arena, shop);
    views_open_env(&v, 512 * 1024);
    while (status == KAPPA_OK && v.seq < 10000) {
        views_begin(&v);
        for (int i = 0; i < 50 && status == KAPPA_OK; i++) {
            snprintf(key, sizeof(key), "\"key-%d\"", (int)v.seq);
            status = views_event(&v, "Big", "told", KAPPA_EFFECT_CREATE, key,
                repeat(
                    data, "{\"n\":5,\"of\":\"t\",\"text\":\"%s\"}", 't', 400));
        }
        if (status == KAPPA_OK) {
            status = kappa_writer_commit(v.writer, v.seq, &v.errors);
        } else {
            kappa_writer_abort(v.writer);
        }
    }
    assert_int_equal(status, KAPPA_IO);
    assert_string_equal(views_code(&v), "STORE_UNAVAILABLE");
    assert_non_null(strstr(v.errors.first->message.data, "map_size"));

    assert_int_equal(kappa_env_read(v.env, &txn), KAPPA_OK);
    assert_int_equal(kappa_env_position(txn, &position), KAPPA_OK);
    assert_int_equal(kappa_env_skipped(txn, &skipped), KAPPA_OK);
    assert_int_equal(position % 50, 0);
    assert_true(position > 0);
    kappa_txn_end(txn);
    views_begin(&v);
    snprintf(key, sizeof(key), "\"key-%d\"", (int)position - 1);
    assert_int_not_equal(views_row(&v, "Big", key).len, 4);
    snprintf(key, sizeof(key), "\"key-%d\"", (int)position);
    assert_str_equal(views_row(&v, "Big", key), "none");
    views_close(&v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_catalogue),
        cmocka_unit_test(effects_happen_together_or_not),
        cmocka_unit_test(rows_are_filled_in_order),
        cmocka_unit_test(older_names_are_known),
        cmocka_unit_test(hidden_rows_do_not_exist),
        cmocka_unit_test(keys_are_used_once),
        cmocka_unit_test(keys_of_uploads_are_used_for_ever),
        cmocka_unit_test(survives_without_memory),
        cmocka_unit_test(a_full_map_loses_only_the_transaction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
