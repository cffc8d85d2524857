#include "t/unit/views/fixture.h"

#include "base/json.h"
#include "views/key.h"
#include "views/row.h"
#include "views/scope.h"

static const char schema[] =
    "type Box @view {\n"
    "  id: ID!  size: Int  big: BigInt  at: DateTime  open: Boolean\n"
    "  mass: Float  data: JSON  next: ID\n"
    "}\n"
    "type Cell @view(key: [\"x\", \"y\"]) { x: Int!  y: Int!  name: String }\n"
    "type Query { box(id: ID!): Box  cell(x: Int!, y: Int!): Cell }\n";

#define BOX_COLUMNS 8

/* The rows there are: Box "a" and "b", Cell 1 -2. */
static const kappa_str_t box_a[BOX_COLUMNS] = { KAPPA_STR("\"a\""),
    KAPPA_STR("5"), KAPPA_STR("\"9007199254740993\""),
    KAPPA_STR("\"2026-11-20T10:25:00.000Z\""), KAPPA_STR("true"),
    KAPPA_STR("0.5"), KAPPA_STR("{\"x\":[1,{\"y\":\"z\"}]}"),
    KAPPA_STR("\"b\"") };
static const kappa_str_t box_b[BOX_COLUMNS] = { KAPPA_STR("\"b\""),
    KAPPA_STR("7") };
static const kappa_str_t cell[3] = { KAPPA_STR("1"), KAPPA_STR("-2"),
    KAPPA_STR("\"here\"") };

typedef struct {
    kappa_arena_t *arena;
    kappa_model_t *model;
    kappa_expr_type_t event;
    kappa_expr_scope_t names;
    kappa_scope_t scope;
    kappa_scope_event_t happened;
    kappa_scope_row_t row;
    uint8_t stored[512]; /* box a, as LMDB would have it */
} scoped_t;

static kappa_status_t
get(void *ctx, kappa_arena_t *scratch, const kappa_view_t *view,
    kappa_str_t key, kappa_scope_row_t *out)
{
    static const struct {
        const char *view;
        const kappa_str_t *cells;
        int keys;
    } rows[] = { { "Box", box_a, 1 }, { "Box", box_b, 1 },
        { "Cell", cell, 2 } };

    (void)ctx;
    (void)scratch;
    for (size_t i = 0; i < COUNT(rows); i++) {
        kappa_key_t encoded;

        kappa_key_init(&encoded);
        for (int j = 0; j < rows[i].keys; j++) {
            kappa_key_add_json(
                &encoded, view->columns[view->key[j]].kind, rows[i].cells[j]);
        }
        if (kappa_str_eq_c(view->name, rows[i].view) && !encoded.invalid
            && kappa_str_eq(kappa_key_str(&encoded), key)) {
            *out = (kappa_scope_row_t){ .view = view, .cells = rows[i].cells };
            return KAPPA_OK;
        }
    }
    return KAPPA_NOT_FOUND;
}

static void
declare(scoped_t *s)
{
    static const kappa_expr_member_t members[] = {
        { KAPPA_STR("data"), &kappa_expr_dyn, KAPPA_EVENT_DATA },
        { KAPPA_STR("key"), &kappa_expr_string, KAPPA_EVENT_KEY },
        { KAPPA_STR("time"), &kappa_expr_time, KAPPA_EVENT_TIME },
        { KAPPA_STR("actor"), &kappa_expr_actor, KAPPA_EVENT_ACTOR },
        { KAPPA_STR("id"), &kappa_expr_string, KAPPA_EVENT_ID },
    };
    const kappa_view_t *box = kappa_model_view(s->model, KAPPA_STR("Box"));

    s->event = (kappa_expr_type_t){ .kind = KAPPA_EXPR_OBJECT,
        .name = KAPPA_STR("event"),
        .members = members,
        .member_count = COUNT(members) };
    s->names.place = "a test";
    s->names.roots[KAPPA_ROOT_AUTH] = &kappa_expr_auth;
    s->names.roots[KAPPA_ROOT_NOW] = &kappa_expr_time;
    s->names.roots[KAPPA_ROOT_EVENT] = &s->event;
    s->names.roots[KAPPA_ROOT_ITEM] = &kappa_expr_dyn;
    s->names.roots[KAPPA_ROOT_VALUE] = &kappa_expr_int;
    s->names.roots[KAPPA_ROOT_ROW] = &box->row_type;
    s->names.roots[KAPPA_ROOT_OLD] = &box->row_type;
    s->names.views = s->model->lookups;
    s->names.view_count = s->model->view_count;
    s->row = (kappa_scope_row_t){ .view = box, .data = s->stored };
}

static void
start(scoped_t *s)
{
    static const uint8_t id[KAPPA_UUID_BYTES] = { 1, 2, 3 };

    memset(s, 0, sizeof(*s));
    s->arena = kappa_arena_create(&kappa_alloc_libc, 0);
    s->model = load_model(s->arena, schema);
    assert_true(kappa_row_size(box_a, BOX_COLUMNS) <= sizeof(s->stored));
    kappa_row_write(s->stored, box_a, BOX_COLUMNS);
    declare(s);
    s->happened.id = id;
    s->happened.time_ms = 1000;
    s->happened.actor_sub = KAPPA_STR("ann");
    s->happened.key = kappa_string(KAPPA_STR("k"));
    assert_int_equal(
        kappa_json_parse(s->arena, KAPPA_STR("{\"n\":3,\"list\":[1,2]}"),
            &s->happened.data, NULL),
        KAPPA_OK);
    s->scope.now_ms = 2000;
    s->scope.get = get;
}

static kappa_str_t
evaluate(scoped_t *s, const char *text)
{
    kappa_errors_t errors;
    kappa_expr_t *expr;
    kappa_value_t value;
    const char *reason = "";
    kappa_source_t source = { KAPPA_STR("test"), kappa_str_c(text) };
    kappa_buf_t buf;

    kappa_errors_init(&errors, s->arena, 0);
    if (kappa_expr_compile(s->arena, kappa_str_c(text), &s->names, NULL, &expr,
            &errors, &source, 0)
        != KAPPA_OK) {
        fail_msg("%s: %s", text, print_errors(s->arena, &errors));
    }
    kappa_status_t status =
        kappa_scope_eval(&s->scope, expr, s->arena, &value, &reason);
    if (status != KAPPA_OK) {
        return kappa_str_c("fails");
    }
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_json_value(&buf, &value);
    kappa_str_t json = kappa_str_dup(s->arena, kappa_buf_view(&buf));
    kappa_buf_release(&buf);
    return json;
}

typedef struct {
    const char *text;
    const char *value;
} case_t;

static void
try_all(scoped_t *s, const case_t *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kappa_str_t value = evaluate(s, cases[i].text);

        if (!kappa_str_eq_c(value, cases[i].value)) {
            fail_msg("%s is %.*s, not %s", cases[i].text, KAPPA_STR_ARG(value),
                cases[i].value);
        }
    }
}

static void
nothing_is_null(void **state)
{
    static const case_t cases[] = {
        { "auth.sub", "null" },
        { "auth.sub == null", "true" },
        { "size(auth.roles)", "0" },
        { "'a' in auth.scopes", "false" },
        { "auth.claims", "null" },
        { "row == null", "true" },
        { "old == null", "true" },
        { "row.size", "null" },
        { "item", "null" },
        { "value == null", "true" },
        { "event.key", "null" },
        { "now", "\"1970-01-01T00:00:02.000Z\"" },
    };
    scoped_t s;

    (void)state;
    start(&s);
    try_all(&s, cases, COUNT(cases));
    kappa_arena_destroy(s.arena);
}

static void
everything_is_read(void **state)
{
    static const case_t cases[] = {
        { "auth.sub", "\"bob\"" },
        { "auth.iss", "\"issuer\"" },
        { "'admin' in auth.roles", "true" },
        { "auth.claims.tenant", "\"t\"" },
        { "event.data.n + 1", "4" },
        { "event.data.list[1]", "2" },
        { "event.data.none", "null" },
        { "event.key", "\"k\"" },
        { "event.time", "\"1970-01-01T00:00:01.000Z\"" },
        { "event.actor.sub", "\"ann\"" },
        { "event.actor.iss", "null" },
        { "event.id", "\"01020300-0000-0000-0000-000000000000\"" },
        { "item.x", "1" },
        { "value + 1", "43" },
        { "row.id", "\"a\"" },
        { "row.size * 2", "10" },
        { "row.big", "9007199254740993" },
        { "row.at < now", "false" },
        { "row.open", "true" },
        { "row.mass", "0.5" },
        { "row.data.x[1].y", "\"z\"" },
        { "old.size", "7" },
        { "old.next", "null" },
        { "row != null && row.size < old.size", "true" },
    };
    kappa_scope_row_t old;
    kappa_caller_t caller = { .sub = KAPPA_STR("bob"),
        .iss = KAPPA_STR("issuer") };
    scoped_t s;

    (void)state;
    start(&s);
    kappa_json_parse(
        s.arena, KAPPA_STR("[\"user\",\"admin\"]"), &caller.roles, NULL);
    kappa_json_parse(
        s.arena, KAPPA_STR("{\"tenant\":\"t\"}"), &caller.claims, NULL);
    kappa_json_parse(s.arena, KAPPA_STR("{\"x\":1}"), &s.scope.item, NULL);
    old = (kappa_scope_row_t){ .view = s.row.view, .cells = box_b };
    s.scope.caller = &caller;
    s.scope.event = &s.happened;
    s.scope.value = kappa_int(42);
    s.scope.row = &s.row;
    s.scope.old = &old;
    try_all(&s, cases, COUNT(cases));
    kappa_arena_destroy(s.arena);
}

static void
lookups(void **state)
{
    static const case_t cases[] = {
        { "Box('a').size", "5" },
        { "Box(Box('a').next).size", "7" },
        { "Box('none') == null", "true" },
        { "Box('none').size", "null" },
        { "Box(row.next).id", "\"b\"" },
        { "Box(old.next) == null", "true" },
        { "Cell(1, -2).name", "\"here\"" },
        { "Cell(-2, 1) == null", "true" },
        { "Cell(row.size - 4, 0 - 2).name", "\"here\"" },
    };
    scoped_t s;

    (void)state;
    start(&s);
    s.scope.row = &s.row;
    try_all(&s, cases, COUNT(cases));

    /* What is too long for a key is the key of nothing. */
    kappa_str_t text = KAPPA_STR("Box('");
    for (int i = 0; i < 300; i++) {
        text = kappa_str_printf(s.arena, "%.*sk", KAPPA_STR_ARG(text));
    }
    text = kappa_str_printf(s.arena, "%.*s') == null", KAPPA_STR_ARG(text));
    assert_str_equal(evaluate(&s, text.data), "true");
    kappa_arena_destroy(s.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_null),
        cmocka_unit_test(everything_is_read),
        cmocka_unit_test(lookups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
