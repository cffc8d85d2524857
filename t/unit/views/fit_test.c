#include "t/unit/views/fixture.h"

#include "base/json.h"
#include "t/unit/alloc_failing.h"
#include "views/fit.h"

static const char schema[] =
    "enum Shade { DARK @was(name: \"BLACK\") LIGHT }\n"
    "type Spot { x: BigInt! at: DateTime shade: Shade tags: [String!]"
    "  in: Spot any: JSON }\n"
    "type Map @view { id: ID! spot: Spot spots: [[Spot!]!] day: Date"
    "  shade: Shade any: JSON anys: [JSON!] n: Int uuid: UUID }\n"
    "type Query { map(id: ID!): Map }\n";

typedef struct {
    const char *column;
    const char *json;
    const char *want; /* JSON, or what the message begins with */
} case_t;

static const case_t cases[] = {
    { "spot", "null", "null" },
    { "spot", "{\"x\":1}", "{\"x\":\"1\"}" },
    { "spot", "{\"x\":\"9007199254740993\",\"more\":{\"x\":null}}",
        "{\"x\":\"9007199254740993\",\"more\":{\"x\":null}}" },
    { "spot", "{\"x\":1,\"at\":\"2026-01-01T02:00:00+02:00\"}",
        "{\"x\":\"1\",\"at\":\"2026-01-01T00:00:00.000Z\"}" },
    { "spot", "{\"x\":1,\"shade\":\"BLACK\"}",
        "{\"x\":\"1\",\"shade\":\"DARK\"}" },
    { "spot", "{\"x\":1,\"in\":{\"x\":2,\"tags\":[]},\"any\":{\"x\":null}}",
        "{\"x\":\"1\",\"in\":{\"x\":\"2\",\"tags\":[]},\"any\":{\"x\":null}"
        "}" },
    { "spots", "[[],[{\"x\":1}]]", "[[],[{\"x\":\"1\"}]]" },
    { "anys", "[1,{\"a\":null}]", "[1,{\"a\":null}]" },
    { "day", "\"2026-02-28\"", "\"2026-02-28\"" },
    { "uuid", "\"01A1F9F3-E011-7092-8E5E-FAA103DD1614\"",
        "\"01a1f9f3-e011-7092-8e5e-faa103dd1614\"" },
    { "spot", "{}", "Map.spot: x must not be null" },
    { "spot", "{\"x\":null}", "Map.spot: x must not be null" },
    { "spot", "{\"x\":1,\"in\":{}}", "Map.spot: x must not be null" },
    { "spot", "{\"x\":1,\"tags\":[null]}", "Map.spot: tags must not be null" },
    { "spot", "{\"x\":1,\"tags\":\"a\"}", "Map.spot: tags got a value of" },
    { "spot", "[]", "Map.spot: got a value of another type, not an object" },
    { "spot", "{\"x\":1,\"in\":7}", "Map.spot: in got a value of another" },
    { "spots", "[{\"x\":1}]", "Map.spots: got a value of another type, not" },
    { "spots", "[null]", "Map.spots: must not be null" },
    { "anys", "[null]", "Map.anys: must not be null" },
    { "spot", "{\"x\":1.5}", "x got invalid value 1.5; BigInt" },
    { "day", "\"2026-02-29\"", "day got invalid value" },
    { "shade", "\"PINK\"", "shade got invalid value" },
    { "uuid", "\"1\"", "uuid got invalid value" },
};

static const kappa_column_t *
column_of(const kappa_view_t *view, const char *name)
{
    for (uint32_t i = 0; i < view->column_count; i++) {
        if (kappa_str_eq_c(view->columns[i].name, name)) {
            return &view->columns[i];
        }
    }
    fail_msg("no column %s", name);
    return NULL;
}

/* The value as JSON, or the message. */
static kappa_status_t
fit(kappa_arena_t *arena, const kappa_model_t *model, const case_t *c,
    kappa_buf_t *buf)
{
    const kappa_view_t *view = model->views[0];
    kappa_value_t value;
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status =
        kappa_json_parse(arena, kappa_str_c(c->json), &value, NULL);
    if (status == KAPPA_OK) {
        status = kappa_fit_value(
            arena, view, column_of(view, c->column), &value, &errors);
    }
    if (status == KAPPA_OK) {
        kappa_json_value(buf, &value);
    } else if (status == KAPPA_INVALID && errors.first) {
        assert_string_equal(errors.first->code, "BAD_USER_INPUT");
        kappa_buf_str(buf, errors.first->message);
    }
    return buf->failed || errors.no_memory ? KAPPA_NOMEM : status;
}

static void
makes_it_what_its_type_says(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    const kappa_model_t *model = load_model(arena, schema);
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const case_t *c = &cases[i];

        kappa_buf_reset(&buf);
        kappa_status_t status = fit(arena, model, c, &buf);
        kappa_str_t got = kappa_buf_view(&buf);
        bool right = status == KAPPA_OK
            ? kappa_str_eq_c(got, c->want)
            : kappa_str_starts_with(got, kappa_str_c(c->want));
        if (!right) {
            fail_msg("%s %s: %.*s", c->column, c->json, KAPPA_STR_ARG(got));
        }
    }
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

static void
knows_where_it_is_needed(void **state)
{
    static const struct {
        const char *column;
        bool needed;
    } columns[] = { { "id", false }, { "n", false }, { "any", false },
        { "anys", true }, { "spot", true }, { "spots", true }, { "day", true },
        { "shade", true }, { "uuid", true } };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    const kappa_model_t *model = load_model(arena, schema);

    (void)state;
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        assert_int_equal(
            kappa_fit_needed(column_of(model->views[0], columns[i].column)),
            columns[i].needed);
    }
    kappa_arena_destroy(arena);
}

/* Objects in objects end somewhere. */
static void
is_bounded(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    const kappa_view_t *view = load_model(arena, schema)->views[0];
    kappa_value_t value = kappa_null();
    kappa_errors_t errors;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        kappa_member_t *members = KAPPA_NEW_ARRAY(arena, kappa_member_t, 2);

        members[0] = (kappa_member_t){ KAPPA_STR("x"), kappa_int(1) };
        members[1] = (kappa_member_t){ KAPPA_STR("in"), value };
        value = (kappa_value_t){
            .kind = KAPPA_OBJECT, .count = 2, .as.members = members
        };
    }
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(
        kappa_fit_value(arena, view, column_of(view, "spot"), &value, &errors),
        KAPPA_LIMIT);
    assert_string_equal(errors.first->code, "LIMIT_EXCEEDED");
    kappa_arena_destroy(arena);
}

static kappa_status_t
fit_with(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *arena = kappa_arena_create(alloc, 64);
    kappa_status_t status = KAPPA_NOMEM;
    kappa_buf_t buf;

    if (arena == NULL) {
        return status;
    }
    kappa_buf_init(&buf, alloc);
    status = fit(arena, ctx, &cases[5], &buf);
    if (status == KAPPA_OK) {
        status = fit(arena, ctx, &cases[12], &buf);
        status = status == KAPPA_INVALID ? KAPPA_OK : status;
    }
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_without_memory(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    kappa_alloc_failing_each(fit_with, load_model(arena, schema));
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_it_what_its_type_says),
        cmocka_unit_test(knows_where_it_is_needed),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
