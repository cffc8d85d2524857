#include "t/unit/views/store_fixture.h"

#include "live/group.h"
#include "live/live.h"
#include "t/unit/torture.h"

/* Groups, waking, slow subscribers and streams, over a real store. */

static const char rooms[] =
    "type Room @view(key: \"name\") {\n"
    "  name: ID!\n"
    "  topic: String\n"
    "  posts: Int! @count(of: \"Post\", by: \"room\")\n"
    "  list(first: Int = 3): [Post!]! @hasMany(by: \"room\")\n"
    "}\n"
    "type Post @view(key: \"id\") @index(fields: [\"room\", \"id\"]) {\n"
    "  id: ID!\n"
    "  room: ID!\n"
    "  text: String\n"
    "}\n"
    "type Query { room(name: ID!): Room }\n"
    "type Mutation {\n"
    "  open(name: ID!, topic: String): Room\n"
    "    @event(thing: \"Room\", verb: \"opened\", effect: UPSERT)\n"
    "  post(id: ID!, room: ID!, text: String): Post\n"
    "    @event(thing: \"Post\", verb: \"posted\", effect: CREATE)\n"
    "  send(to: ID!, at: DateTime, n: BigInt, tags: [String!],\n"
    "    body: BodyInput): Done @event(thing: \"Mail\", verb: \"sent\")\n"
    "}\n"
    "type Done { position: String! }\n"
    "input BodyInput { text: String more: Int }\n"
    "type Mail { to: ID! at: DateTime n: BigInt tags: [String!]\n"
    "  body: Body missing: Int }\n"
    "type Needy { to: ID! missing: Int! }\n"
    "type Body { text: String }\n"
    "type Subscription {\n"
    "  room(name: ID!): Room\n"
    "  posted(room: ID): Post! @changes(thing: \"Post\", verb: \"posted\")\n"
    "  sent(to: ID, at: DateTime): Mail @changes(thing: \"Mail\")\n"
    "  needy: Needy @changes(thing: \"Mail\", verb: [\"sent\", \"x\"])\n"
    "}\n";

typedef struct {
    kappa_subscriber_t subscriber; /* first */
    int ready;
    int ended;
    const char *text;
} client_t;

static void
note_ready(kappa_subscriber_t *subscriber)
{
    ((client_t *)subscriber)->ready++;
}

static void
note_ended(kappa_subscriber_t *subscriber)
{
    ((client_t *)subscriber)->ended++;
}

static kappa_live_t *
begin(fixture_t *f)
{
    make_store(f);
    f->schema = rooms;
    open_store(f);
    return kappa_live_create(&kappa_alloc_libc, f->store);
}

static void
end(fixture_t *f, kappa_live_t *live)
{
    assert_int_equal(kappa_live_stats(live).groups, 0);
    assert_int_equal(kappa_live_stats(live).subscribers, 0);
    kappa_live_destroy(live);
    end_store(f);
}

static void
join_after(fixture_t *f, kappa_live_t *live, client_t *client,
    const char *text, bool resume, uint64_t after)
{
    kappa_plan_t *plan = plan_text(f, kappa_store_model(f->store), text);
    kappa_caller_t caller = caller_of(f);
    kappa_subscription_t subscription = { .plan = plan,
        .identity = kappa_str_c(text),
        .caller = &caller,
        .resume = resume,
        .after = after };

    *client = (client_t){ .text = text };
    client->subscriber.ready = note_ready;
    client->subscriber.ended = note_ended;
    assert_int_equal(kappa_plan_variables(plan, NULL, f->arena,
                         &subscription.variables, &f->errors),
        KAPPA_OK);
    assert_int_equal(
        kappa_live_join(live, &subscription, &client->subscriber), KAPPA_OK);
    kappa_plan_release(plan);
}

static void
join(fixture_t *f, kappa_live_t *live, client_t *client, const char *text)
{
    join_after(f, live, client, text, false, 0);
}

/* The next frame's JSON without its extensions; "" when there is none. */
static const char *
take(fixture_t *f, kappa_live_t *live, client_t *client)
{
    kappa_frame_t *frame;
    kappa_status_t status;

    do {
        status = kappa_live_take(live, &client->subscriber, &frame);
    } while (status == KAPPA_AGAIN);
    if (status == KAPPA_DONE) {
        return "";
    }
    assert_int_equal(status, KAPPA_OK);
    kappa_str_t copy = kappa_str_dup(f->arena, frame->json);
    char *extensions = strstr(copy.data, ",\"extensions\"");
    assert_non_null(extensions);
    assert_non_null(strstr(extensions, "\"position\":\""));
    *extensions = '\0';
    kappa_frame_release(frame);
    return copy.data;
}

static void
wake(kappa_live_t *live)
{
    kappa_status_t status;

    do {
        status = kappa_live_wake(live);
    } while (status == KAPPA_AGAIN);
    assert_int_equal(status, KAPPA_OK);
}

#define ROOM(x) "subscription { room(name: \"" x "\") { topic posts } }"

static void
tells_those_whom_it_concerns(void **state)
{
    fixture_t f;
    kappa_live_t *live = begin(&f);
    client_t a, same, b;

    (void)state;
    join(&f, live, &a, ROOM("a"));
    join(&f, live, &same, ROOM("a"));
    join(&f, live, &b, ROOM("b"));
    assert_int_equal(kappa_live_stats(live).groups, 2);
    assert_int_equal(kappa_live_stats(live).subscribers, 3);
    assert_string_equal(take(&f, live, &a), "{\"data\":{\"room\":null}");
    assert_string_equal(take(&f, live, &same), "{\"data\":{\"room\":null}");
    assert_string_equal(take(&f, live, &b), "{\"data\":{\"room\":null}");
    assert_string_equal(take(&f, live, &a), "");
    assert_string_equal(take(&f, live, &same), "");
    assert_string_equal(take(&f, live, &b), "");

    mutate_text(&f, "mutation { open(name: \"a\", topic: \"x\") { name } }");
    uint64_t runs = kappa_live_stats(live).runs;
    wake(live);
    assert_int_equal(kappa_live_stats(live).runs, runs + 1);
    assert_int_equal(a.ready, 1);
    assert_int_equal(same.ready, 1);
    assert_int_equal(b.ready, 0);
    assert_string_equal(take(&f, live, &a),
        "{\"data\":{\"room\":{\"topic\":\"x\",\"posts\":0}}");
    assert_string_equal(take(&f, live, &same),
        "{\"data\":{\"room\":{\"topic\":\"x\",\"posts\":0}}");

    /* Through an aggregate; and a wake without change runs nothing. */
    mutate_text(&f, "mutation { post(id: \"1\", room: \"a\") { id } }");
    wake(live);
    assert_string_equal(take(&f, live, &a),
        "{\"data\":{\"room\":{\"topic\":\"x\",\"posts\":1}}");
    runs = kappa_live_stats(live).runs;
    wake(live);
    assert_int_equal(kappa_live_stats(live).runs, runs);

    kappa_live_leave(live, &a.subscriber);
    kappa_live_leave(live, &same.subscriber);
    assert_int_equal(kappa_live_stats(live).groups, 1);
    kappa_live_leave(live, &b.subscriber);
    end(&f, live);
}

static void
skips_to_the_newest_value(void **state)
{
    fixture_t f;
    kappa_live_t *live = begin(&f);
    client_t slow;

    (void)state;
    join(&f, live, &slow, ROOM("a"));
    take(&f, live, &slow);
    assert_string_equal(take(&f, live, &slow), "");
    for (int i = 0; i < 5; i++) {
        char text[80];

        snprintf(text, sizeof text,
            "mutation { open(name: \"a\", topic: \"%d\") { name } }", i);
        mutate_text(&f, text);
        wake(live);
    }
    assert_int_equal(slow.ready, 1); /* told once, until it has taken all */
    assert_string_equal(take(&f, live, &slow),
        "{\"data\":{\"room\":{\"topic\":\"4\",\"posts\":0}}");
    assert_string_equal(take(&f, live, &slow), "");

    /* The same value again is no news. */
    uint64_t frames = kappa_live_stats(live).frames;
    mutate_text(&f, "mutation { open(name: \"a\", topic: \"4\") { name } }");
    wake(live);
    assert_string_equal(take(&f, live, &slow), "");
    assert_int_equal(kappa_live_stats(live).frames, frames);
    kappa_live_leave(live, &slow.subscriber);
    end(&f, live);
}

static void
hears_of_lists(void **state)
{
    fixture_t f;
    kappa_live_t *live = begin(&f);
    client_t list;

    (void)state;
    mutate_text(&f, "mutation { open(name: \"a\") { name } }");
    join(&f, live, &list,
        "subscription { room(name: \"a\") { list { id text } } }");
    assert_string_equal(
        take(&f, live, &list), "{\"data\":{\"room\":{\"list\":[]}}");
    mutate_text(&f,
        "mutation { post(id: \"1\", room: \"a\", text: \"t\") { id } "
        "b: post(id: \"2\", room: \"b\") { id } }");
    wake(live);
    assert_string_equal(take(&f, live, &list),
        "{\"data\":{\"room\":{\"list\":[{\"id\":\"1\",\"text\":\"t\"}]}}");

    /* Behind the page's end nothing is heard. */
    mutate_text(&f,
        "mutation { b: post(id: \"3\", room: \"a\") { id } "
        "c: post(id: \"4\", room: \"a\") { id } }");
    wake(live);
    take(&f, live, &list);
    uint64_t frames = kappa_live_stats(live).frames;
    mutate_text(&f, "mutation { post(id: \"9\", room: \"a\") { id } }");
    wake(live);
    assert_int_equal(kappa_live_stats(live).frames, frames);
    kappa_live_leave(live, &list.subscriber);
    end(&f, live);
}

#define POSTED "subscription { posted(room: \"a\") { id } }"

static void
post(fixture_t *f, int id, const char *room)
{
    char text[120];

    snprintf(text, sizeof text,
        "mutation { post(id: \"%04d\", room: \"%s\") { id } }", id, room);
    mutate_text(f, text);
}

/* Everything that can be taken must be ids first, first + step, … */
static int
take_posts(
    fixture_t *f, kappa_live_t *live, client_t *client, int first, int step)
{
    int count = 0;

    for (;;) {
        const char *json = take(f, live, client);
        char expected[64];

        if (json[0] == '\0') {
            return count;
        }
        snprintf(expected, sizeof expected,
            "{\"data\":{\"posted\":{\"id\":\"%04d\"}}",
            first + step * count++);
        assert_string_equal(json, expected);
    }
}

static void
streams_skip_nothing(void **state)
{
    const int n = 3 * KAPPA_LIVE_RING;
    fixture_t f;
    kappa_live_t *live = begin(&f);
    client_t quick, slow, late, middle;

    (void)state;
    post(&f, 9999, "a"); /* before they came */
    join(&f, live, &quick, POSTED);
    join(&f, live, &slow, POSTED);
    assert_string_equal(take(&f, live, &quick), "");
    for (int i = 0; i < n; i++) {
        post(&f, 2 * i, "a");
        post(&f, 2 * i + 1, "b");
        wake(live);
        assert_int_equal(take_posts(&f, live, &quick, 2 * i, 2), 1);
    }
    /* Its frames left the ring long ago: they come from the log. */
    assert_int_equal(take_posts(&f, live, &slow, 0, 2), n);

    /* Resumed at the beginning, and after event 1 + 2 * n. */
    join_after(&f, live, &late, POSTED, true, 1);
    assert_int_equal(take_posts(&f, live, &late, 0, 2), n);
    join_after(&f, live, &middle, POSTED, true, 1 + (uint64_t)n);
    assert_int_equal(take_posts(&f, live, &middle, n, 2), n / 2);
    assert_int_equal(kappa_live_stats(live).groups, 1);

    kappa_live_leave(live, &quick.subscriber);
    kappa_live_leave(live, &slow.subscriber);
    kappa_live_leave(live, &late.subscriber);
    kappa_live_leave(live, &middle.subscriber);
    end(&f, live);
}

/* A type that is no view has its fields from event.data. */
static void
streams_give_data(void **state)
{
    fixture_t f;
    kappa_live_t *live = begin(&f);
    client_t all, some, needy;

    (void)state;
    join(&f, live, &all,
        "subscription { sent { __typename to at n tags missing "
        "b: body { text } } }");
    join(&f, live, &some,
        "subscription { sent(at: \"2026-01-01T01:00:00+01:00\") { to } }");
    join(&f, live, &needy, "subscription { needy { missing } }");
    mutate_text(&f,
        "mutation { send(to: \"a\", at: \"2026-01-01T00:00:00Z\", n: 7, "
        "tags: [\"x\", \"\\\"]}\"], body: { text: \"t\", more: 1 }) "
        "{ position } b: send(to: \"b\") { position } "
        "c: post(id: \"1\", room: \"a\") { id } }");
    wake(live);
    assert_string_equal(take(&f, live, &all),
        "{\"data\":{\"sent\":{\"__typename\":\"Mail\",\"to\":\"a\","
        "\"at\":\"2026-01-01T00:00:00.000Z\",\"n\":\"7\","
        "\"tags\":[\"x\",\"\\\"]}\"],\"missing\":null,"
        "\"b\":{\"text\":\"t\"}}}");
    assert_string_equal(take(&f, live, &all),
        "{\"data\":{\"sent\":{\"__typename\":\"Mail\",\"to\":\"b\","
        "\"at\":null,\"n\":null,\"tags\":null,\"missing\":null,"
        "\"b\":null}}");
    assert_string_equal(take(&f, live, &all), "");
    assert_string_equal(
        take(&f, live, &some), "{\"data\":{\"sent\":{\"to\":\"a\"}}");
    assert_string_equal(take(&f, live, &some), "");
    for (int i = 0; i < 2; i++) {
        assert_string_equal(take(&f, live, &needy),
            "{\"data\":{\"needy\":null},\"errors\":[{\"message\":"
            "\"Cannot return null for non-nullable field Needy.missing.\","
            "\"locations\":[{\"line\":1,\"column\":24}],"
            "\"path\":[\"needy\",\"missing\"]");
    }
    kappa_live_leave(live, &all.subscriber);
    kappa_live_leave(live, &some.subscriber);
    kappa_live_leave(live, &needy.subscriber);
    end(&f, live);
}

/* Random subscribers and mutations: what the last frame said is always what a
 * query says now, and who was not told has no news. */
static void
agrees_with_queries(void **state)
{
    enum {
        CLIENTS = 24
    };
    uint64_t steps = kappa_test_rounds(400, 20000);
    fixture_t f;
    kappa_live_t *live = begin(&f);
    static client_t clients[CLIENTS];
    static char texts[CLIENTS][96];
    static char said[CLIENTS][512];

    (void)state;
    srand((unsigned)kappa_test_seed());
    for (int i = 0; i < CLIENTS; i++) {
        snprintf(texts[i], sizeof texts[i],
            i % 2
                ? "subscription { room(name: \"r%d\") { topic posts } }"
                : "subscription { room(name: \"r%d\") { list { id text } } }",
            i / 4);
        join(&f, live, &clients[i], texts[i]);
        snprintf(said[i], sizeof said[i], "%s", take(&f, live, &clients[i]));
    }
    for (int step = 0; step < (int)steps; step++) {
        char text[120];

        if (rand() % 3 == 0) {
            snprintf(text, sizeof text,
                "mutation { open(name: \"r%d\", topic: \"%d\") { name } }",
                rand() % 8, rand() % 3);
        } else {
            snprintf(text, sizeof text,
                "mutation { post(id: \"%05d\", room: \"r%d\", "
                "text: \"%d\") { id } }",
                rand() % 100000, rand() % 8, step);
        }
        mutate_text(&f, text);
        if (rand() % 4 != 0) {
            continue;
        }
        wake(live);
        for (int i = 0; i < CLIENTS; i++) {
            const char *json = take(&f, live, &clients[i]);

            if (json[0] != '\0') {
                snprintf(said[i], sizeof said[i], "%s", json);
                assert_string_equal(take(&f, live, &clients[i]), "");
            }
            snprintf(text, sizeof text, "query %s",
                texts[i] + sizeof("subscription ") - 1);
            const char *now = query_text(&f, text);
            if (strncmp(now, said[i], strlen(said[i])) != 0) {
                fail_msg("step %d: %s\nsaid %s\nis   %s", step, texts[i],
                    said[i], now);
            }
        }
        kappa_arena_reset(f.arena);
    }
    for (int i = 0; i < CLIENTS; i++) {
        kappa_live_leave(live, &clients[i].subscriber);
    }
    end(&f, live);
}

/* Whether the row was there at first: on a machine that is too slow it was
 * gone before anybody looked. */
static bool
sees_it_leave(const char *keep)
{
    char schema[512];
    fixture_t f;
    client_t client, late;

    snprintf(schema, sizeof(schema),
        "type Alarm @view(keep: \"%s\") { id: ID! text: String }\n"
        "type Query { alarm(id: ID!): Alarm }\n"
        "type Mutation { raise(id: ID!, text: String): Alarm\n"
        "  @event(thing: \"Alarm\", verb: \"raised\", effect: CREATE) }\n"
        "type Subscription { alarm(id: ID!): Alarm }\n",
        keep);
    make_store(&f);
    f.schema = schema;
    open_store(&f);
    kappa_live_t *live = kappa_live_create(&kappa_alloc_libc, f.store);
    mutate_text(&f, "mutation { raise(id: \"a\", text: \"t\") { id } }");
    uint64_t position = kappa_store_position(f.store);
    join(&f, live, &client, "subscription { alarm(id: \"a\") { text } }");
    bool seen = strcmp(take(&f, live, &client),
                    "{\"data\":{\"alarm\":{\"text\":\"t\"}}")
        == 0;

    for (int i = 0; seen && client.ready == 0 && i < 6000; i++) {
        wake(live);
        usleep(10000);
    }
    if (seen) {
        assert_string_equal(
            take(&f, live, &client), "{\"data\":{\"alarm\":null}");
        assert_string_equal(take(&f, live, &client), "");
        assert_int_equal(kappa_store_position(f.store), position);
        /* Nothing runs for what has left. */
        uint64_t runs = kappa_live_stats(live).runs;
        wake(live);
        assert_int_equal(kappa_live_stats(live).runs, runs);
    }
    join(&f, live, &late, "subscription { alarm(id: \"a\") { text } }");
    assert_string_equal(take(&f, live, &late), "{\"data\":{\"alarm\":null}");
    kappa_live_leave(live, &late.subscriber);
    kappa_live_leave(live, &client.subscriber);
    end(&f, live);
    return seen;
}

static void
tells_of_rows_that_leave_by_time(void **state)
{
    (void)state;
    assert_true(
        sees_it_leave("1s") || sees_it_leave("5s") || sees_it_leave("30s"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_those_whom_it_concerns),
        cmocka_unit_test(skips_to_the_newest_value),
        cmocka_unit_test(hears_of_lists),
        cmocka_unit_test(streams_skip_nothing),
        cmocka_unit_test(streams_give_data),
        cmocka_unit_test(agrees_with_queries),
        cmocka_unit_test(tells_of_rows_that_leave_by_time),
    };

    return cmocka_run_group_tests_name("live/live", tests, NULL, NULL);
}
