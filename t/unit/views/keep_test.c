#include "t/unit/views/keep_schema.h"
#include "t/unit/views/read_fixture.h"
#include "t/unit/views/views_fixture.h"

#include "t/unit/alloc_failing.h"
#include "views/keep.h"

/* Rows that leave, by tables. */

/* --- tables */

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

    views_open(&v, kept);
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
    views_open(&v, kept);
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
    views_open(&v, kept);
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
    views_open(&v, kept);
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
    views_open(&v, kept);
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
    views_open(&v, kept);
    views_commit(&v);
    kappa_alloc_failing_each(leave_with, &v);
    /* Those of the last ten that were not late, and Brief's h. */
    assert_int_equal(entries(&v, KAPPA_DBI_MADE), 6);
    views_begin(&v);
    views_close(&v);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
