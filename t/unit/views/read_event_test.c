#include "t/unit/test.h"

#include "base/json.h"
#include "t/unit/alloc_failing.h"
#include "views/read.h"
#include "views/row.h"

/* The data of past events, as a type has it. */

static const char sdl[] =
    "type V @view { id: ID! }\n"
    "type Query { v(id: ID!): V }\n"
    "enum E { A @was(name: \"OLD\") B }\n"
    "type W @view { id: ID! e: E @was(name: \"kind\") list: [E!]\n"
    "  in: Emb n: Int @was(name: \"m\") }\n"
    "type Emb { e: E x: Int }\n"
    "type In { x: Int! }\n"
    "type D { id: ID n: Int big: BigInt f: Float at: DateTime e: E\n"
    "  list: [String!] in: In more: JSON }\n"
    "type Subscription { d: D @changes(thing: \"D\") }\n";

typedef struct {
    const char *data;
    const char *expected; /* NULL: the status */
    kappa_status_t status;
} case_t;

static const case_t cases[] = {
    { "{}", "{}", KAPPA_OK },
    { "{\"id\":\"x\",\"other\":1,\"n\":2}", "{\"id\":\"x\",\"n\":2}",
        KAPPA_OK },
    { "{\"id\":7,\"n\":\"2\",\"big\":3,\"f\":1}",
        "{\"id\":\"7\",\"big\":\"3\",\"f\":1}", KAPPA_OK },
    { "{\"n\":2147483648,\"big\":\"9223372036854775807\"}",
        "{\"big\":\"9223372036854775807\"}", KAPPA_OK },
    { "{\"at\":\"2026-01-01T01:00:00+01:00\",\"e\":\"B\"}",
        "{\"at\":\"2026-01-01T00:00:00.000Z\",\"e\":\"B\"}", KAPPA_OK },
    { "{\"at\":\"today\",\"e\":\"C\",\"list\":[null]}", "{}", KAPPA_OK },
    { "{\"id\":null,\"list\":[\"a\"],\"more\":[{\"y\":null}]}",
        "{\"list\":[\"a\"],\"more\":[{\"y\":null}]}", KAPPA_OK },
    { "{\"e\":\"OLD\"}", "{\"e\":\"A\"}", KAPPA_OK },
    { "{\"in\":{\"x\":\"as it is\"}}", "{\"in\":{\"x\":\"as it is\"}}",
        KAPPA_OK },
    { "[]", NULL, KAPPA_CORRUPT },
    { "{", NULL, KAPPA_CORRUPT },
    { NULL, NULL, KAPPA_NOT_FOUND },
};

static kappa_status_t
read_data(kappa_arena_t *arena, const case_t *c, kappa_value_t *out)
{
    kappa_errors_t errors;
    kappa_model_t *model;
    kappa_event_t event = { .data = c->data ? kappa_str_c(c->data)
                                            : KAPPA_STR_NULL };

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status = kappa_model_load(
        arena, KAPPA_STR("test.graphql"), kappa_str_c(sdl), &model, &errors);
    if (status != KAPPA_OK) {
        return status;
    }
    return kappa_read_event_data(
        &event, kappa_schema_type(model->schema, KAPPA_STR("D")), arena, out);
}

static void
gives_what_the_type_has(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
        kappa_value_t value;
        kappa_buf_t buf;

        assert_int_equal(read_data(arena, &cases[i], &value), cases[i].status);
        if (cases[i].expected) {
            kappa_buf_init(&buf, &kappa_alloc_libc);
            kappa_json_value(&buf, &value);
            assert_str_equal(kappa_buf_view(&buf), cases[i].expected);
            kappa_buf_release(&buf);
        }
        kappa_arena_destroy(arena);
    }
}

/* A row as an older schema has left it. */
static void
knows_older_names(void **state)
{
    static const struct {
        const char *row, *column, *json;
    } names[] = {
        { "{\"id\":\"1\",\"e\":\"OLD\"}", "e", "\"A\"" },
        { "{\"id\":\"1\",\"kind\":\"OLD\"}", "e", "\"A\"" },
        { "{\"id\":\"1\",\"kind\":\"OLD\",\"e\":\"B\"}", "e", "\"B\"" },
        { "{\"id\":\"1\",\"m\":5}", "n", "5" },
        { "{\"id\":\"1\",\"list\":[\"B\",\"OLD\",\"A\"]}", "list",
            "[\"B\",\"A\",\"A\"]" },
        { "{\"id\":\"1\",\"in\":{\"e\":\"OLD\",\"x\":1}}", "in",
            "{\"e\":\"A\",\"x\":1}" },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_t errors;
    kappa_model_t *model;

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(kappa_model_load(arena, KAPPA_STR("test.graphql"),
                         kappa_str_c(sdl), &model, &errors),
        KAPPA_OK);
    const kappa_view_t *view = kappa_model_view(model, KAPPA_STR("W"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        kappa_event_t event = { .row = kappa_str_c(names[i].row) };
        kappa_row_t row;

        assert_int_equal(
            kappa_read_event_row(&event, view, arena, &row), KAPPA_OK);
        const kappa_field_t *field =
            kappa_type_field(view->type, kappa_str_c(names[i].column));
        assert_str_equal(
            kappa_row_column(row.data, field->binding->column), names[i].json);
    }
    kappa_arena_destroy(arena);
}

static void
passes_forgotten_events(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_event_t event = { .forgotten = true, .data = KAPPA_STR("{}") };
    kappa_type_t type = { 0 };
    kappa_value_t value;

    (void)state;
    assert_int_equal(
        kappa_read_event_data(&event, &type, arena, &value), KAPPA_NOT_FOUND);
    kappa_arena_destroy(arena);
}

static kappa_status_t
try_all(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *arena = kappa_arena_create(alloc, 0);
    kappa_value_t value;

    (void)ctx;
    if (!arena) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = read_data(arena, &cases[4], &value);
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_without_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(try_all, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_the_type_has),
        cmocka_unit_test(knows_older_names),
        cmocka_unit_test(passes_forgotten_events),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
