#include "t/unit/test.h"

#include "t/unit/alloc_failing.h"
#include "t/unit/views/fixture.h"
#include "views/idempotency.h"

static kappa_arena_t *arena;

static int
set_up(void **state)
{
    (void)state;
    arena = kappa_arena_create(&kappa_alloc_libc, 0);
    return arena == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    kappa_arena_destroy(arena);
    return 0;
}

static const char schema[] =
    "type Note @view { id: ID! text: String by: String }\n"
    "type Query { note(id: ID!): Note }\n"
    "type Mutation {\n"
    "  write(id: ID!, text: String, by: String @stamp(as: \"auth.sub\")): "
    "Note\n"
    "    @event(thing: \"Note\", verb: \"written\", effect: PUT)\n"
    "  scribble(id: ID!, text: String, once: ID @idempotencyKey): Note\n"
    "    @event(thing: \"Note\", verb: \"scribbled\", effect: PUT)\n"
    "}\n";

static const kappa_mutation_t *
mutation(const char *name)
{
    kappa_model_t *model = load_model(arena, schema);
    const kappa_type_t *type =
        kappa_schema_type(model->schema, KAPPA_STR("Mutation"));

    return kappa_type_field(type, kappa_str_c(name))->binding->data;
}

static kappa_value_t
text(const char *s)
{
    return s ? kappa_string(kappa_str_c(s)) : (kappa_value_t){ 0 };
}

static kappa_event_t
event_of(const kappa_mutation_t *m, const char *path, const char *header,
    const char *id, const char *note, const char *third)
{
    kappa_event_t event = { .seq = 0 };
    kappa_value_t args[3] = { text(id), text(note), text(third) };

    assert_int_equal(kappa_idempotency_of_mutation(arena, m, kappa_str_c(path),
                         kappa_str_c(header), args, &event),
        KAPPA_OK);
    return event;
}

static void
scopes_are_apart(void **state)
{
    const kappa_mutation_t *write = mutation("write");
    const kappa_mutation_t *scribble = mutation("scribble");

    (void)state;
    kappa_event_t none = event_of(write, "write", NULL, "1", "a", NULL);
    assert_null(none.idempotency_key.data);
    none = event_of(write, "write", "", "1", "a", NULL);
    assert_null(none.idempotency_key.data);
    kappa_event_t header = event_of(write, "w", "k", "1", "a", NULL);
    assert_str_equal(header.idempotency_key, "k");
    assert_str_equal(header.idempotency_scope, "/w");
    kappa_event_t arg = event_of(scribble, "w", "k", "1", "a", "own");
    assert_str_equal(arg.idempotency_key, "own");
    assert_str_equal(arg.idempotency_scope, "scribble");
    arg = event_of(scribble, "w", "k", "1", "a", NULL);
    assert_str_equal(arg.idempotency_key, "k"); /* the header's, then */
}

static void
hashes_cover_name_and_arguments(void **state)
{
    const kappa_mutation_t *write = mutation("write");
    const kappa_mutation_t *scribble = mutation("scribble");
    kappa_event_t a = event_of(write, "w", "k", "1", "a", NULL);
    const struct {
        kappa_event_t event;
        bool same;
    } cases[] = {
        { event_of(write, "w", "k", "1", "a", NULL), true },
        { event_of(write, "x", "l", "1", "a", NULL), true },
        { event_of(write, "w", "k", "1", "b", NULL), false },
        { event_of(write, "w", "k", "1a", "", NULL), false },
        { event_of(write, "w", "k", "1", NULL, NULL), false },
        { event_of(scribble, "w", "k", "1", "a", NULL), false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool same = memcmp(a.args_hash, cases[i].event.args_hash,
                        KAPPA_ARGS_HASH_BYTES)
            == 0;
        if (same != cases[i].same) {
            fail_msg("case %zu", i);
        }
    }
    kappa_event_t one = event_of(scribble, "w", NULL, "1", "a", "k1");
    kappa_event_t two = event_of(scribble, "w", NULL, "1", "a", "k2");
    assert_memory_equal(one.args_hash, two.args_hash, KAPPA_ARGS_HASH_BYTES);
}

static void
names_tell_actors_apart(void **state)
{
#define KEY(scope_, key_, iss_, sub_)                                         \
    ((kappa_event_t){ .idempotency_scope = KAPPA_STR(scope_),                 \
        .idempotency_key = KAPPA_STR(key_),                                   \
        .actor_iss = KAPPA_STR(iss_),                                         \
        .actor_sub = KAPPA_STR(sub_) })
    const struct {
        kappa_event_t a, b;
        bool same;
    } cases[] = {
        { KEY("/w", "k", "i", "s"), KEY("/w", "k", "i", "s"), true },
        { KEY("/w", "k", "i", "s"), KEY("/w", "k", "i", "t"), false },
        { KEY("/w", "k", "i", "s"), KEY("/w", "k", "is", ""), false },
        { KEY("/w", "k", "i", "s"), KEY("w", "k", "i", "s"), false },
        { KEY("/w", "k", "i", "s"), KEY("/wk", "", "i", "s"), false },
        { KEY("*", "k", "i", "s"), KEY("*", "k", "j", "t"), true },
        { KEY("*", "k", "i", "s"), KEY("*", "l", "i", "s"), false },
    };
    uint8_t a[KAPPA_IDEMPOTENCY_BYTES], b[KAPPA_IDEMPOTENCY_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_idempotency_name(&cases[i].a, a);
        kappa_idempotency_name(&cases[i].b, b);
        if ((memcmp(a, b, sizeof a) == 0) != cases[i].same) {
            fail_msg("case %zu", i);
        }
    }
}

static kappa_status_t
hash_event(const char *key, const char *data, kappa_event_t *event)
{
    *event = (kappa_event_t){ .thing = KAPPA_STR("T"),
        .verb = KAPPA_STR("v"),
        .key = kappa_str_c(key),
        .data = kappa_str_c(data) };
    return kappa_idempotency_of_event(arena, event);
}

static void
events_hash_what_their_json_says(void **state)
{
    static const struct {
        const char *key_a, *a, *key_b, *b;
        bool same;
    } cases[] = {
        { NULL, "{}", NULL, "{}", true },
        { "\"k\"", "{\"a\":1,\"b\":[2,3]}", " \"k\"",
            "{ \"b\": [2, 3], \"a\": 1 }", true },
        { NULL, "{\"a\":{\"x\":1,\"y\":2}}", NULL, "{\"a\":{\"y\":2,\"x\":1}}",
            true },
        { NULL, "{\"a\":[2,3]}", NULL, "{\"a\":[3,2]}", false },
        { NULL, "{\"a\":1}", NULL, "{\"a\":\"1\"}", false },
        { NULL, "{\"a\":null}", NULL, "{}", false },
        { "\"k\"", "{}", NULL, "{}", false },
        { "[\"a\",\"b\"]", "{}", "[\"ab\"]", "{}", false },
    };
    kappa_event_t a, b;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(hash_event(cases[i].key_a, cases[i].a, &a), KAPPA_OK);
        assert_int_equal(hash_event(cases[i].key_b, cases[i].b, &b), KAPPA_OK);
        if ((memcmp(a.args_hash, b.args_hash, KAPPA_ARGS_HASH_BYTES) == 0)
            != cases[i].same) {
            fail_msg("case %zu", i);
        }
    }
    assert_int_equal(hash_event(NULL, "{\"a\":", &a), KAPPA_INVALID);
    assert_int_equal(hash_event("'", "{}", &a), KAPPA_INVALID);
}

static kappa_status_t
hash_with(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *mine = kappa_arena_create(alloc, 64);
    kappa_event_t event = { .thing = KAPPA_STR("T"),
        .verb = KAPPA_STR("v"),
        .data = KAPPA_STR("{\"b\":[1,2,{\"c\":\"d\"}],\"a\":2}") };
    kappa_status_t status =
        mine ? kappa_idempotency_of_event(mine, &event) : KAPPA_NOMEM;

    (void)ctx;
    kappa_arena_destroy(mine);
    return status;
}

static void
survives_no_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(hash_with, NULL);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(scopes_are_apart),
        TEST(hashes_cover_name_and_arguments),
        TEST(names_tell_actors_apart),
        TEST(events_hash_what_their_json_says),
        TEST(survives_no_memory),
    };
    return cmocka_run_group_tests_name("views/idempotency", tests, NULL, NULL);
}
