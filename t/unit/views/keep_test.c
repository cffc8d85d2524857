#include "t/unit/views/read_fixture.h"
#include "t/unit/views/views_fixture.h"

#include "t/unit/alloc_failing.h"
#include "t/unit/torture.h"
#include "views/keep.h"

/* Rows that leave: by tables, and by random histories against a model that is
 * nothing but arrays and loops. */

static const char schema[] =
    "type Reading @view(keep: \"10s\")"
    " @index(fields: [\"device\", \"value\"])"
    " @index(fields: [\"tag\"], unique: true)"
    " @check(if: \"old == null || row.value >= old.value - 60\","
    "   code: \"FELL\") {\n"
    "  id: ID!  device: ID  hour: ID  value: Int!  tag: ID\n"
    "  seen: Int! @stamp(as: \"old == null ? 1 : old.seen + 1\", on: WRITE)\n"
    "}\n"
    "type Device @view"
    " @on(thing: \"Look\", verb: \"done\", key: [\"event.data.device\"],"
    "   effect: UPSERT,"
    "   set: [\"last = Reading(event.data.reading).value\"]) {\n"
    "  id: ID!  last: Int\n"
    "  readings: Int! @count(of: \"Reading\", by: \"device\")\n"
    "  high: Int! @count(of: \"Reading\", by: \"device\","
    "    where: \"row.value > 0\")\n"
    "  total: BigInt! @sum(field: \"value\", of: \"Reading\","
    "    by: \"device\")\n"
    "  mean: Float @avg(field: \"value\", of: \"Reading\", by: \"device\")\n"
    "  low: Int @min(field: \"value\", of: \"Reading\", by: \"device\")\n"
    "  top: Int @max(field: \"value\", of: \"Reading\", by: \"device\","
    "    where: \"row.value < 90\")\n"
    "}\n"
    "type Hour @view(key: \"name\") @groupBy(of: \"Reading\", by: \"hour\") "
    "{\n"
    "  name: ID!  readings: Int! @count  low: Int @min(field: \"value\")\n"
    "}\n"
    "type Brief @view(key: \"name\", keep: \"15s\")"
    " @groupBy(of: \"Reading\", by: \"hour\") {\n"
    "  name: ID!  readings: Int! @count  total: BigInt! @sum(field: "
    "\"value\")\n"
    "}\n"
    "type Clock @view(key: \"name\") {\n"
    "  name: ID!\n"
    "  all: BigInt! @sum(field: \"readings\", of: \"Hour\", by: \"name\")\n"
    "  brief: BigInt! @sum(field: \"readings\", of: \"Brief\", by: \"name\")\n"
    "}\n"
    "type Query { reading(id: ID!): Reading  device(id: ID!): Device"
    " hour(name: ID!): Hour  brief(name: ID!): Brief"
    " clock(name: ID!): Clock\n"
    " readings(device: ID!, first: Int, after: String, last: Int,"
    "   before: String): Readings! keys(first: Int): [Reading!]! }\n"
    "type Readings { nodes: [Reading!]! totalCount: Int pageInfo: PageInfo! "
    "}\n";

#define KEEP_MS 10000
#define BRIEF_MS 15000

/* --- tables */

static const kappa_dbi_t all_dbis[] = { KAPPA_DBI_ROWS, KAPPA_DBI_INDEX,
    KAPPA_DBI_AGGREGATES, KAPPA_DBI_EXTREMES, KAPPA_DBI_COUNTS, KAPPA_DBI_MADE,
    KAPPA_DBI_HISTORY, KAPPA_DBI_IDEMPOTENCY, KAPPA_DBI_META };

static kappa_buf_t
dump(views_t *v)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    views_dump(v, all_dbis, COUNT(all_dbis), &buf);
    return buf;
}

static size_t
entries(views_t *v, kappa_dbi_t dbi)
{
    MDB_stat stat;
    kappa_txn_t *txn;

    assert_int_equal(kappa_env_read(v->env, &txn), KAPPA_OK);
    assert_int_equal(mdb_stat(txn->mdb, kappa_env_dbi(v->env, dbi), &stat), 0);
    kappa_txn_end(txn);
    return stat.ms_entries;
}

/* What is told in turn: at a time, effect and data of one reading, and what
 * is there then. */
typedef struct {
    const char *what;
    int64_t at_s;
    kappa_effect_t effect;
    const char *key;
    const char *data;
    const char *code;    /* of a refusal; NULL: accepted */
    const char *reading; /* the row of this key afterwards */
    const char *device;  /* "d"'s counts afterwards; NULL: don't look */
} step_t;

#define GONE "none"

static void
play(const step_t *steps, size_t count)
{
    views_t v;
    int64_t start;

    views_open(&v, schema);
    start = v.now_ms;
    assert_int_equal(
        views_event(&v, "Device", "made", KAPPA_EFFECT_CREATE, "\"d\"", "{}"),
        KAPPA_OK);
    for (size_t i = 0; i < count; i++) {
        const step_t *s = &steps[i];

        v.now_ms = start + s->at_s * 1000;
        (void)views_event(&v, "Reading", "told", s->effect, s->key, s->data);
        if (strcmp(views_code(&v), s->code ? s->code : "accepted") != 0) {
            fail_msg("%s: %s %s", s->what, views_code(&v),
                print_errors(v.arena, &v.errors));
        }
        kappa_str_t row = views_row(&v, "Reading", s->key);
        if (!kappa_str_eq(row, kappa_str_c(s->reading))) {
            fail_msg("%s: %.*s", s->what, KAPPA_STR_ARG(row));
        }
        row = views_row(&v, "Device", "\"d\"");
        if (s->device && strstr(row.data, s->device) == NULL) {
            fail_msg("%s: %.*s", s->what, KAPPA_STR_ARG(row));
        }
        if (i % 2) {
            views_commit(&v);
            views_begin(&v);
        }
    }
    views_replay(&v);
    views_close(&v);
}

#define ROW(id, value, seen)                                                  \
    "{\"id\":\"" id "\",\"device\":\"d\",\"hour\":null,\"value\":" value      \
    ",\"tag\":null,\"seen\":" seen "}"

static void
leaves_in_time(void **state)
{
    static const step_t steps[] = {
        { "made", 0, KAPPA_EFFECT_CREATE, "\"a\"",
            "{\"device\":\"d\",\"value\":5}", NULL, ROW("a", "5", "1"),
            "\"readings\":1" },
        { "patched: still made when it was", 9, KAPPA_EFFECT_PATCH, "\"a\"",
            "{\"value\":6}", NULL, ROW("a", "6", "2"), "\"total\":\"6\"" },
        { "replaced, the same", 9, KAPPA_EFFECT_PUT, "\"a\"",
            "{\"device\":\"d\",\"value\":7}", NULL, ROW("a", "7", "3"),
            "\"total\":\"7\"" },
        { "gone at its time", 10, KAPPA_EFFECT_PATCH, "\"a\"", "{\"value\":8}",
            "NOT_FOUND", ROW("a", "7", "3"), "\"total\":\"7\"" },
        { "deleting it: not found", 10, KAPPA_EFFECT_DELETE, "\"a\"", "{}",
            "NOT_FOUND", ROW("a", "7", "3"), "\"total\":\"7\"" },
        { "the key is free", 10, KAPPA_EFFECT_CREATE, "\"a\"",
            "{\"device\":\"d\",\"value\":1}", NULL, ROW("a", "1", "1"),
            "\"readings\":2,\"high\":2,\"total\":\"8\",\"mean\":4,\"low\":1,"
            "\"top\":7" },
        { "its going takes its own part alone", 11, KAPPA_EFFECT_DELETE,
            "\"a\"", "{}", NULL, GONE,
            "\"readings\":1,\"high\":1,\"total\":\"7\",\"mean\":7,\"low\":7,"
            "\"top\":7" },
        { "the same value again", 12, KAPPA_EFFECT_CREATE, "\"a\"",
            "{\"device\":\"d\",\"value\":7}", NULL, ROW("a", "7", "1"),
            "\"readings\":2" },
        { "and gone again", 13, KAPPA_EFFECT_DELETE, "\"a\"", "{}", NULL, GONE,
            "\"readings\":1,\"high\":1,\"total\":\"7\",\"mean\":7,\"low\":7,"
            "\"top\":7" },
        { "an old event counts and leaves no row", 2, KAPPA_EFFECT_CREATE,
            "\"b\"", "{\"device\":\"d\",\"value\":-9}", NULL, GONE,
            "\"readings\":2,\"high\":1,\"total\":\"-2\",\"mean\":-1,"
            "\"low\":-9,\"top\":7" },
        { "what it made is not there for another old event", 2,
            KAPPA_EFFECT_PATCH, "\"b\"", "{\"value\":1}", "NOT_FOUND", GONE,
            "\"readings\":2" },
        { "an event that is late but not that old", 5, KAPPA_EFFECT_CREATE,
            "\"c\"", "{\"device\":\"d\",\"value\":2}", NULL,
            ROW("c", "2", "1"), "\"readings\":3" },
        { "leaves by its own time", 15, KAPPA_EFFECT_CREATE, "\"e\"",
            "{\"device\":\"d\",\"value\":3}", NULL, ROW("e", "3", "1"),
            "\"readings\":4" },
        { "so", 15, KAPPA_EFFECT_UPSERT, "\"c\"",
            "{\"device\":\"d\",\"value\":9}", NULL, ROW("c", "9", "1"),
            "\"readings\":5" },
        { "the clock does not go back", 4, KAPPA_EFFECT_DELETE, "\"a\"", "{}",
            "NOT_FOUND", GONE, "\"readings\":5" },
    };

    (void)state;
    play(steps, COUNT(steps));
}

static void
a_unique_value_is_free_again(void **state)
{
    static const step_t steps[] = {
        { "taken", 0, KAPPA_EFFECT_CREATE, "\"a\"",
            "{\"value\":5,\"tag\":\"t\"}", NULL,
            "{\"id\":\"a\",\"device\":null,\"hour\":null,\"value\":5,"
            "\"tag\":\"t\",\"seen\":1}",
            NULL },
        { "still", 9, KAPPA_EFFECT_CREATE, "\"b\"",
            "{\"value\":5,\"tag\":\"t\"}", "NOT_UNIQUE", GONE, NULL },
        { "free", 10, KAPPA_EFFECT_CREATE, "\"b\"",
            "{\"value\":5,\"tag\":\"t\"}", NULL,
            "{\"id\":\"b\",\"device\":null,\"hour\":null,\"value\":5,"
            "\"tag\":\"t\",\"seen\":1}",
            NULL },
        { "an old row takes nothing", 0, KAPPA_EFFECT_CREATE, "\"c\"",
            "{\"value\":5,\"tag\":\"t\"}", NULL, GONE, NULL },
        { "for a while", 19, KAPPA_EFFECT_CREATE, "\"c\"",
            "{\"value\":5,\"tag\":\"t\"}", "NOT_UNIQUE", GONE, NULL },
    };

    (void)state;
    play(steps, COUNT(steps));
}

/* What a late row was is told: to who made it, and to change streams. */
static void
a_late_row_is_told(void **state)
{
    views_t v;

    (void)state;
    views_open(&v, schema);
    v.now_ms += 60000;
    assert_int_equal(
        views_event(&v, "X", "y", KAPPA_EFFECT_NONE, NULL, "{}"), KAPPA_OK);
    v.now_ms -= 60000;
    assert_int_equal(views_event(&v, "Reading", "told", KAPPA_EFFECT_CREATE,
                         "\"a\"", "{\"value\":5}"),
        KAPPA_OK);
    assert_non_null(v.last.row);
    assert_str_equal(v.event.row,
        "{\"id\":\"a\",\"device\":null,\"hour\":null,\"value\":5,"
        "\"tag\":null,\"seen\":1}");
    views_commit(&v);
    assert_int_equal(entries(&v, KAPPA_DBI_ROWS), 0);
    assert_int_equal(entries(&v, KAPPA_DBI_INDEX), 0);
    assert_int_equal(entries(&v, KAPPA_DBI_MADE), 0);
    views_begin(&v);
    views_close(&v);
}

/* However many are due, an event takes a bounded number with it, and all go.
 */
static void
storage_is_freed_bit_by_bit(void **state)
{
    views_t v;
    char key[16];
    int ticks = 0;

    (void)state;
    views_open(&v, schema);
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof(key), "\"r%d\"", i);
        assert_int_equal(
            views_event(&v, "Reading", "told", KAPPA_EFFECT_CREATE, key,
                "{\"device\":\"d\",\"hour\":\"h\",\"value\":5}"),
            KAPPA_OK);
    }
    views_commit(&v);
    assert_int_equal(entries(&v, KAPPA_DBI_MADE), 501); /* Brief's h */
    v.now_ms += 60000;
    for (size_t left = 501; left > 0; ticks++) {
        views_begin(&v);
        assert_int_equal(
            views_event(&v, "X", "y", KAPPA_EFFECT_NONE, NULL, "{}"),
            KAPPA_OK);
        assert_string_equal(views_row(&v, "Reading", key).data, "none");
        views_commit(&v);

        size_t now = entries(&v, KAPPA_DBI_MADE);
        assert_true(now < left && left - now <= 32);
        left = now;
    }
    assert_int_equal(ticks, 16);
    assert_int_equal(entries(&v, KAPPA_DBI_ROWS), 1); /* Hour's h */
    assert_int_equal(entries(&v, KAPPA_DBI_INDEX), 0);
    assert_int_equal(entries(&v, KAPPA_DBI_EXTREMES), 0);
    views_begin(&v);
    assert_string_equal(views_row(&v, "Hour", "\"h\"").data,
        "{\"name\":\"h\",\"readings\":500,\"low\":5}");
    views_close(&v);
}

/* --- reading: by the time of day, though nothing happened since */

static void
tell_readings(views_t *v, int count)
{
    for (int i = 0; i < count; i++) {
        char key[16], data[64];

        snprintf(key, sizeof(key), "\"r%d\"", i);
        snprintf(data, sizeof(data), "{\"device\":\"%s\",\"value\":%d}",
            i % 5 == 4 ? "e" : "d", i);
        assert_int_equal(
            views_event(v, "Reading", "told", KAPPA_EFFECT_CREATE, key, data),
            KAPPA_OK);
        v->now_ms += 1000;
    }
    views_commit(v);
}

static void
reads_hide_what_is_over(void **state)
{
    static const struct {
        int64_t after_ms; /* the first was made */
        const char *query;
        const char *answer;
        int64_t until_ms; /* something that was read leaves */
    } cases[] = {
        { 9999, "{reading(id:\"r0\"){value}}",
            "{\"data\":{\"reading\":{\"value\":0}}}", 10000 },
        { 10000, "{reading(id:\"r0\"){value}}",
            "{\"data\":{\"reading\":null}}", 0 },
        { 12000,
            "{readings(device:\"d\"){nodes{id} totalCount "
            "pageInfo{hasNextPage hasPreviousPage}}}",
            "{\"data\":{\"readings\":{\"nodes\":[{\"id\":\"r3\"},{\"id\":"
            "\"r5\"}],\"totalCount\":2,\"pageInfo\":{\"hasNextPage\":false,"
            "\"hasPreviousPage\":false}}}}",
            13000 },
        { 12000, "{readings(device:\"d\",first:1){nodes{id} totalCount}}",
            "{\"data\":{\"readings\":{\"nodes\":[{\"id\":\"r3\"}],"
            "\"totalCount\":2}}}",
            13000 },
        { 12000,
            "{readings(device:\"d\",last:2){nodes{id} "
            "pageInfo{hasNextPage hasPreviousPage}}}",
            "{\"data\":{\"readings\":{\"nodes\":[{\"id\":\"r3\"},{\"id\":"
            "\"r5\"}],\"pageInfo\":{\"hasNextPage\":false,"
            "\"hasPreviousPage\":false}}}}",
            13000 },
        { 60000, "{readings(device:\"d\"){nodes{id} totalCount}}",
            "{\"data\":{\"readings\":{\"nodes\":[],\"totalCount\":0}}}", 0 },
        { 14000, "{keys(first:2){id}}",
            "{\"data\":{\"keys\":[{\"id\":\"r5\"}]}}", 15000 },
    };
    views_t v;

    (void)state;
    views_open(&v, schema);
    int64_t start = v.now_ms;
    tell_readings(&v, 6);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_dependencies_t deps = { .arena = v.arena };
        read_fixture_t f = { .arena = v.arena,
            .model = v.model,
            .now_ms = start + cases[i].after_ms,
            .deps = &deps };

        assert_int_equal(kappa_env_read(v.env, &f.txn), KAPPA_OK);
        assert_string_equal(ask(&f, cases[i].query), cases[i].answer);
        assert_int_equal(
            deps.until_ms, cases[i].until_ms ? start + cases[i].until_ms : 0);
        kappa_txn_end(f.txn);
    }
    views_begin(&v);
    views_close(&v);
}

/* A cursor whose row is over goes on at its place; nothing before it is left.
 */
static void
pages_go_on_past_what_is_over(void **state)
{
    views_t v;
    char query[256];

    (void)state;
    views_open(&v, schema);
    int64_t start = v.now_ms;
    tell_readings(&v, 6);
    read_fixture_t f = {
        .arena = v.arena, .model = v.model, .now_ms = start + 5000
    };
    assert_int_equal(kappa_env_read(v.env, &f.txn), KAPPA_OK);
    const char *page =
        ask(&f, "{readings(device:\"d\",first:2){pageInfo{endCursor}}}");
    snprintf(query, sizeof(query),
        "{readings(device:\"d\",first:1,after:\"%s\"){nodes{id} "
        "pageInfo{hasNextPage hasPreviousPage}}}",
        pick(&f, page, "endCursor"));
    assert_string_equal(ask(&f, query),
        "{\"data\":{\"readings\":{\"nodes\":[{\"id\":\"r2\"}],\"pageInfo\":{"
        "\"hasNextPage\":true,\"hasPreviousPage\":true}}}}");
    f.now_ms = start + 13500;
    assert_string_equal(ask(&f, query),
        "{\"data\":{\"readings\":{\"nodes\":[{\"id\":\"r5\"}],\"pageInfo\":{"
        "\"hasNextPage\":false,\"hasPreviousPage\":false}}}}");
    kappa_txn_end(f.txn);
    views_begin(&v);
    views_close(&v);
}

/* Lists of several views' rows: what is over of one is not there. */
static void
merged_lists_hide_what_is_over(void **state)
{
    static const char several[] =
        "interface Any @view { id: ID! }\n"
        "type Short implements Any @view(keep: \"10s\") { id: ID! }\n"
        "type Long implements Any @view { id: ID! }\n"
        "type Query { any(id: ID!): Any"
        " all(first: Int, after: String): Anys! }\n"
        "type Anys { nodes: [Any!]! totalCount: Int pageInfo: PageInfo! }\n";
    views_t v;

    (void)state;
    views_open(&v, several);
    assert_int_equal(
        views_event(&v, "Short", "told", KAPPA_EFFECT_CREATE, "\"a\"", "{}"),
        KAPPA_OK);
    assert_int_equal(
        views_event(&v, "Long", "told", KAPPA_EFFECT_CREATE, "\"b\"", "{}"),
        KAPPA_OK);
    assert_int_equal(
        views_event(&v, "Short", "told", KAPPA_EFFECT_CREATE, "\"c\"", "{}"),
        KAPPA_OK);
    views_commit(&v);
    read_fixture_t f = {
        .arena = v.arena, .model = v.model, .now_ms = v.now_ms
    };
    assert_int_equal(kappa_env_read(v.env, &f.txn), KAPPA_OK);
    assert_string_equal(
        ask(&f, "{all{nodes{id} totalCount} any(id:\"a\"){id}}"),
        "{\"data\":{\"all\":{\"nodes\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":"
        "\"c\"}],\"totalCount\":3},\"any\":{\"id\":\"a\"}}}");
    f.now_ms += 10000;
    assert_string_equal(ask(&f,
                            "{all(first:1){nodes{id} totalCount "
                            "pageInfo{hasNextPage}} any(id:\"a\"){id}}"),
        "{\"data\":{\"all\":{\"nodes\":[{\"id\":\"b\"}],\"totalCount\":1,"
        "\"pageInfo\":{\"hasNextPage\":false}},\"any\":null}}");
    kappa_txn_end(f.txn);
    views_begin(&v);
    views_close(&v);
}

/* --- without memory */

static kappa_status_t
tell_with(kappa_writer_t *writer, const views_t *v, kappa_arena_t *arena,
    kappa_errors_t *errors)
{
    kappa_status_t status = KAPPA_OK;

    for (int i = 0; i < 60 && status == KAPPA_OK; i++) {
        char key[200], data[80];
        kappa_event_t event = { .seq = (uint64_t)i + 1,
            .id = { 1 },
            .time_ms = v->now_ms + (i < 50 ? 0 : 60000 - i % 2 * 40000),
            .thing = KAPPA_STR("Reading"),
            .verb = KAPPA_STR("told"),
            .effect = KAPPA_EFFECT_UPSERT };
        kappa_decision_t decision = {
            .event = &event, .arena = arena, .errors = errors
        };

        snprintf(key, sizeof(key), "\"%0150d\"", i);
        snprintf(data, sizeof(data),
            "{\"device\":\"d%d\",\"hour\":\"h\",\"value\":%d}", i % 7, i);
        event.key = kappa_str_c(key);
        event.data = kappa_str_c(data);
        status = kappa_writer_decide(writer, &decision);
    }
    return status;
}

static kappa_status_t
leave_with(const kappa_alloc_t *alloc, void *ctx)
{
    views_t *v = ctx;
    kappa_arena_t *arena = kappa_arena_create(alloc, 64);
    kappa_writer_t *writer;
    kappa_errors_t errors;

    if (arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status =
        kappa_writer_create(alloc, v->env, v->model, &writer);
    if (status == KAPPA_OK) {
        kappa_errors_init(&errors, arena, 0);
        status = kappa_writer_begin(writer, &errors);
        if (status == KAPPA_OK) {
            status = tell_with(writer, v, arena, &errors);
        }
        if (status == KAPPA_OK) {
            status = kappa_writer_commit(writer, 60, &errors);
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
    views_open(&v, schema);
    views_commit(&v);
    kappa_alloc_failing_each(leave_with, &v);
    /* Those of the last ten that were not late, and Brief's h. */
    assert_int_equal(entries(&v, KAPPA_DBI_MADE), 6);
    views_begin(&v);
    views_close(&v);
}

/* --- random histories */

#define READINGS 7
#define DEVICES 3
#define HOURS 2
#define NIL (-1000)

typedef struct {
    bool exists;
    int device, hour, value, tag, seen;
    int64_t made_ms;
} reading_t;

typedef struct {
    reading_t readings[READINGS];
    reading_t *left; /* that left by their keep: what they were */
    uint32_t left_count;
    uint32_t left_cap;
    bool devices[DEVICES];
    int last[DEVICES];
    bool clocks[HOURS];
    bool briefs[HOURS];
    int64_t brief_ms[HOURS];
    int brief_left[HOURS]; /* what rows of Brief that left gave to Clock */
    int64_t clock_ms;
} world_t;

static uint64_t random_state;

static uint32_t
any(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 20) % n;
}

static void
world_copy(world_t *to, const world_t *from)
{
    reading_t *left = to->left;
    uint32_t cap = to->left_cap;

    if (cap < from->left_count + 1) {
        cap = 2 * (from->left_count + 1);
        left = realloc(left, cap * sizeof(*left));
        assert_non_null(left);
    }
    if (from->left_count) {
        memcpy(left, from->left, from->left_count * sizeof(*left));
    }
    *to = *from;
    to->left = left;
    to->left_cap = cap;
}

static void
reading_leaves(world_t *w, reading_t *reading)
{
    if (w->left_count == w->left_cap) {
        w->left_cap = w->left_cap ? 2 * w->left_cap : 16;
        w->left = realloc(w->left, w->left_cap * sizeof(*w->left));
        assert_non_null(w->left);
    }
    w->left[w->left_count++] = *reading;
    reading->exists = false;
}

/* Live and left ones, by number. */
static const reading_t *
member(const world_t *w, uint32_t i)
{
    if (i < READINGS) {
        return w->readings[i].exists ? &w->readings[i] : NULL;
    }
    return &w->left[i - READINGS];
}

static int
members_of(const world_t *w, int hour)
{
    int count = 0;

    for (uint32_t i = 0; i < READINGS + w->left_count; i++) {
        const reading_t *r = member(w, i);
        count += r && r->hour == hour;
    }
    return count;
}

static void
brief_leaves(world_t *w, int hour)
{
    w->briefs[hour] = false;
    w->brief_left[hour] += members_of(w, hour);
}

static void
pass_time(world_t *w, int64_t time_ms)
{
    w->clock_ms = time_ms > w->clock_ms ? time_ms : w->clock_ms;
    for (int h = 0; h < HOURS; h++) {
        if (w->briefs[h] && w->brief_ms[h] + BRIEF_MS <= w->clock_ms) {
            brief_leaves(w, h);
        }
    }
    for (int i = 0; i < READINGS; i++) {
        reading_t *r = &w->readings[i];

        if (r->exists && r->made_ms + KEEP_MS <= w->clock_ms) {
            reading_leaves(w, r);
        }
    }
}

static void
add_nullable(kappa_buf_t *buf, const char *prefix, int n)
{
    if (n == NIL) {
        KAPPA_BUF_LIT(buf, "null");
    } else if (prefix) {
        kappa_buf_printf(buf, "\"%s%d\"", prefix, n);
    } else {
        kappa_buf_printf(buf, "%d", n);
    }
}

static void
reading_json(const world_t *w, int i, kappa_buf_t *buf)
{
    const reading_t *r = &w->readings[i];

    if (!r->exists) {
        KAPPA_BUF_LIT(buf, "none");
        return;
    }
    kappa_buf_printf(buf, "{\"id\":\"r%d\",\"device\":", i);
    add_nullable(buf, "d", r->device);
    KAPPA_BUF_LIT(buf, ",\"hour\":");
    add_nullable(buf, "h", r->hour);
    kappa_buf_printf(buf, ",\"value\":%d,\"tag\":", r->value);
    add_nullable(buf, "t", r->tag);
    kappa_buf_printf(buf, ",\"seen\":%d}", r->seen);
}

static void
device_json(const world_t *w, int d, kappa_buf_t *buf)
{
    int count = 0, high = 0, low = NIL, top = NIL;
    long total = 0;

    if (!w->devices[d]) {
        KAPPA_BUF_LIT(buf, "none");
        return;
    }
    for (uint32_t i = 0; i < READINGS + w->left_count; i++) {
        const reading_t *r = member(w, i);

        if (!r || r->device != d) {
            continue;
        }
        count++;
        high += r->value > 0;
        total += r->value;
        low = low == NIL || r->value < low ? r->value : low;
        top = r->value < 90 && r->value > top ? r->value : top;
    }
    kappa_buf_printf(buf, "{\"id\":\"d%d\",\"last\":", d);
    add_nullable(buf, NULL, w->last[d]);
    kappa_buf_printf(buf,
        ",\"readings\":%d,\"high\":%d,\"total\":\"%ld\",\"mean\":", count,
        high, total);
    if (count) {
        kappa_json_double(buf, (double)total / count);
    } else {
        KAPPA_BUF_LIT(buf, "null");
    }
    KAPPA_BUF_LIT(buf, ",\"low\":");
    add_nullable(buf, NULL, low);
    KAPPA_BUF_LIT(buf, ",\"top\":");
    add_nullable(buf, NULL, top);
    kappa_buf_char(buf, '}');
}

static void
hour_json(const world_t *w, int h, kappa_buf_t *buf)
{
    int low = NIL, count = members_of(w, h);

    for (uint32_t i = 0; i < READINGS + w->left_count; i++) {
        const reading_t *r = member(w, i);
        if (r && r->hour == h) {
            low = low == NIL || r->value < low ? r->value : low;
        }
    }
    if (!count) {
        KAPPA_BUF_LIT(buf, "none");
        return;
    }
    kappa_buf_printf(
        buf, "{\"name\":\"h%d\",\"readings\":%d,\"low\":%d}", h, count, low);
}

static void
brief_json(const world_t *w, int h, kappa_buf_t *buf)
{
    long total = 0;

    if (!w->briefs[h]) {
        KAPPA_BUF_LIT(buf, "none");
        return;
    }
    for (uint32_t i = 0; i < READINGS + w->left_count; i++) {
        const reading_t *r = member(w, i);
        total += r && r->hour == h ? r->value : 0;
    }
    kappa_buf_printf(buf,
        "{\"name\":\"h%d\",\"readings\":%d,\"total\":\"%ld\"}", h,
        members_of(w, h), total);
}

static void
clock_json(const world_t *w, int h, kappa_buf_t *buf)
{
    if (!w->clocks[h]) {
        KAPPA_BUF_LIT(buf, "none");
        return;
    }
    int brief = w->brief_left[h] + (w->briefs[h] ? members_of(w, h) : 0);
    kappa_buf_printf(buf, "{\"name\":\"h%d\",\"all\":\"%d\",\"brief\":\"%d\"}",
        h, members_of(w, h), brief);
}

static void
compare_one(views_t *v, const char *view, const char *prefix, int i,
    const world_t *w, void (*json)(const world_t *, int, kappa_buf_t *))
{
    char key[16];
    kappa_buf_t want;

    snprintf(key, sizeof(key), "\"%s%d\"", prefix, i);
    kappa_buf_init(&want, &kappa_alloc_libc);
    json(w, i, &want);
    kappa_str_t is = views_row(v, view, key);
    if (!kappa_str_eq(is, kappa_buf_view(&want))) {
        fail_msg("event %llu, %s %s: %.*s, not %.*s",
            (unsigned long long)v->seq, view, key, KAPPA_STR_ARG(is),
            KAPPA_STR_ARG(kappa_buf_view(&want)));
    }
    kappa_buf_release(&want);
}

static void
compare(views_t *v, const world_t *w)
{
    for (int i = 0; i < READINGS; i++) {
        compare_one(v, "Reading", "r", i, w, reading_json);
    }
    for (int i = 0; i < DEVICES; i++) {
        compare_one(v, "Device", "d", i, w, device_json);
    }
    for (int i = 0; i < HOURS; i++) {
        compare_one(v, "Hour", "h", i, w, hour_json);
        compare_one(v, "Brief", "h", i, w, brief_json);
        compare_one(v, "Clock", "h", i, w, clock_json);
    }
}

typedef struct {
    const char *thing;
    kappa_effect_t effect;
    char key[16];
    char data[256];
} told_t;

static void
pick_ref(told_t *told, const char *name, const char *prefix, int n, int *field)
{
    char text[64];

    if (any(3) == 0) {
        return;
    }
    *field = any(5) ? (int)any((uint32_t)n) : NIL;
    if (*field == NIL) {
        snprintf(text, sizeof(text), "\"%s\":null,", name);
    } else {
        snprintf(text, sizeof(text), "\"%s\":\"%s%d\",", name, prefix, *field);
    }
    strcat(told->data, text);
}

static void
join(world_t *w, int hour, int64_t time_ms)
{
    if (hour == NIL || w->briefs[hour]) {
        return;
    }
    w->briefs[hour] = true;
    w->brief_ms[hour] = time_ms;
}

/* After the reading is what it is now. */
static void
follow(world_t *w, int before, int after, int64_t time_ms)
{
    if (before == after) {
        return;
    }
    if (before != NIL && members_of(w, before) == 0) {
        w->briefs[before] = false;
    }
    join(w, after, time_ms);
}

static const char *
change_reading(world_t *w, told_t *told, int n, int64_t time_ms)
{
    reading_t *r = &w->readings[n];
    int old_value = r->value;
    bool existed = r->exists;
    bool fresh = !existed || told->effect == KAPPA_EFFECT_PUT;
    char text[32];

    if (fresh) {
        *r = (reading_t){ true, NIL, NIL, NIL, NIL, r->exists ? r->seen : 0,
            existed ? r->made_ms : time_ms };
    }
    r->seen++;
    pick_ref(told, "device", "d", DEVICES, &r->device);
    pick_ref(told, "hour", "h", HOURS, &r->hour);
    pick_ref(told, "tag", "t", 4, &r->tag);
    if (fresh ? any(20) != 0 : any(2) != 0) {
        r->value = (int)any(200) - 100;
        snprintf(text, sizeof(text), "\"value\":%d", r->value);
        strcat(told->data, text);
    } else {
        strcat(told->data, "\"z\":0");
    }
    if (r->value == NIL) {
        return "BAD_USER_INPUT";
    }
    if (existed && r->value < old_value - 60) {
        return "FELL";
    }
    return NULL;
}

static const char *
check_tag(const world_t *w, int n)
{
    const reading_t *r = &w->readings[n];

    for (int i = 0; i < READINGS && r->exists && r->tag != NIL; i++) {
        if (i != n && w->readings[i].exists && w->readings[i].tag == r->tag) {
            return "NOT_UNIQUE";
        }
    }
    return NULL;
}

static const char *
tell_reading(world_t *w, told_t *told, int64_t time_ms)
{
    static const kappa_effect_t effects[] = { KAPPA_EFFECT_CREATE,
        KAPPA_EFFECT_PUT, KAPPA_EFFECT_PATCH, KAPPA_EFFECT_UPSERT,
        KAPPA_EFFECT_DELETE };
    int n = (int)any(READINGS);
    reading_t *r = &w->readings[n];
    int hour = r->exists ? r->hour : NIL;

    told->thing = "Reading";
    told->effect = effects[any(COUNT(effects))];
    snprintf(told->key, sizeof(told->key), "\"r%d\"", n);
    if (told->effect == KAPPA_EFFECT_CREATE && r->exists) {
        strcat(told->data, "\"value\":1");
        return "ALREADY_EXISTS";
    }
    if ((told->effect == KAPPA_EFFECT_PATCH
            || told->effect == KAPPA_EFFECT_DELETE)
        && !r->exists) {
        strcat(told->data, "\"value\":1");
        return "NOT_FOUND";
    }
    if (told->effect == KAPPA_EFFECT_DELETE) {
        strcat(told->data, "\"z\":0");
        r->exists = false;
        follow(w, hour, NIL, time_ms);
        return NULL;
    }
    const char *code = change_reading(w, told, n, time_ms);
    if (code) {
        return code;
    }
    follow(w, hour, r->hour, time_ms);
    pass_time(w, time_ms); /* what came too late leaves */
    return check_tag(w, n);
}

static const char *
tell(world_t *w, told_t *told, int64_t time_ms)
{
    int n;

    strcpy(told->data, "{");
    pass_time(w, time_ms);
    const char *code = NULL;
    switch (any(8)) {
    case 0:
        n = (int)any(DEVICES);
        told->thing = "Device";
        told->effect = any(2) ? KAPPA_EFFECT_PUT : KAPPA_EFFECT_DELETE;
        snprintf(told->key, sizeof(told->key), "\"d%d\"", n);
        code = told->effect == KAPPA_EFFECT_DELETE && !w->devices[n]
            ? "NOT_FOUND"
            : NULL;
        w->devices[n] = told->effect == KAPPA_EFFECT_PUT;
        w->last[n] = NIL;
        break;
    case 1:
        n = (int)any(HOURS);
        told->thing = "Clock";
        told->effect = KAPPA_EFFECT_PUT;
        snprintf(told->key, sizeof(told->key), "\"h%d\"", n);
        w->clocks[n] = true;
        break;
    case 2: {
        int r = (int)any(READINGS);
        n = (int)any(DEVICES);
        told->thing = "Look";
        told->effect = KAPPA_EFFECT_NONE;
        snprintf(told->data, sizeof(told->data),
            "{\"device\":\"d%d\",\"reading\":\"r%d\"", n, r);
        w->devices[n] = true;
        w->last[n] = w->readings[r].exists ? w->readings[r].value : NIL;
        break;
    }
    default:
        code = tell_reading(w, told, time_ms);
    }
    strcat(told->data, "}");
    return code;
}

typedef struct {
    kappa_event_t *events;
    uint32_t count;
} log_t;

static void
keep_event(views_t *v, log_t *log)
{
    kappa_event_t *copy = &log->events[log->count++];

    *copy = v->event;
    copy->data = kappa_str_dup(v->arena, copy->data);
    copy->key = kappa_str_dup(v->arena, copy->key);
    if (copy->key.len == 0) {
        copy->key = KAPPA_STR_NULL;
    }
}

static void
live_on(views_t *v, log_t *log, uint32_t events)
{
    world_t world = { 0 }, after = { 0 };
    int64_t now_ms = v->now_ms;

    for (uint32_t i = 0; i < events; i++) {
        told_t told = { 0 };

        now_ms += any(3) ? any(1500) : 0;
        now_ms += any(200) == 0 ? 40000 : 0;
        v->now_ms = any(5) ? now_ms : now_ms - any(30000);
        world_copy(&after, &world);
        const char *code = tell(&after, &told, v->now_ms);
        (void)views_event(v, told.thing,
            strcmp(told.thing, "Look") == 0 ? "done" : "told", told.effect,
            told.key[0] ? told.key : NULL, told.data);
        if (strcmp(views_code(v), code ? code : "accepted") != 0) {
            fail_msg("event %llu: %d %s %s %s: %s, not %s: %s",
                (unsigned long long)v->seq, told.effect, told.thing, told.key,
                told.data, views_code(v), code ? code : "accepted",
                print_errors(v->arena, &v->errors));
        }
        if (code == NULL) {
            keep_event(v, log);
            world_copy(&world, &after);
            compare(v, &world);
        }
        if (any(15) == 0) {
            views_commit(v);
            views_begin(v);
        }
    }
    free(world.left);
    free(after.left);
}

static void
replay_on(views_t *v, const log_t *log)
{
    for (uint32_t i = 0; i < log->count; i++) {
        bool skipped;

        if (kappa_writer_replay(
                v->writer, &log->events[i], true, &skipped, &v->errors)
            != KAPPA_OK) {
            fail_msg("replay: %s", print_errors(v->arena, &v->errors));
        }
        v->seq = log->events[i].seq;
        if (any(40) == 0) {
            views_commit(v);
            views_begin(v);
        }
    }
    views_commit(v);
}

static void
run(uint64_t seed, uint32_t events)
{
    views_t v, again;
    log_t log = { .events = calloc(events, sizeof(kappa_event_t)) };

    assert_non_null(log.events);
    random_state = seed * 2654435761U + 1;
    views_open(&v, schema);
    live_on(&v, &log, events);
    views_commit(&v);
    views_open(&again, schema);
    replay_on(&again, &log);

    kappa_buf_t is = dump(&again), want = dump(&v);
    assert_int_equal(is.len, want.len);
    assert_memory_equal(is.data, want.data, is.len);
    kappa_buf_release(&is);
    kappa_buf_release(&want);
    views_close(&again);
    views_close(&v);
    free(log.events);
}

static void
histories_end_as_a_model_says(void **state)
{
    uint64_t seed = kappa_test_seed();

    (void)state;
    for (uint64_t i = 0; i < kappa_test_rounds(6, 400); i++) {
        run(seed + i, 400);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_in_time),
        cmocka_unit_test(a_unique_value_is_free_again),
        cmocka_unit_test(a_late_row_is_told),
        cmocka_unit_test(storage_is_freed_bit_by_bit),
        cmocka_unit_test(reads_hide_what_is_over),
        cmocka_unit_test(pages_go_on_past_what_is_over),
        cmocka_unit_test(merged_lists_hide_what_is_over),
        cmocka_unit_test(survives_without_memory),
        cmocka_unit_test(histories_end_as_a_model_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
