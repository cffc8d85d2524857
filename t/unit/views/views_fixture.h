#ifndef KAPPA_T_UNIT_VIEWS_VIEWS_FIXTURE_H
#define KAPPA_T_UNIT_VIEWS_VIEWS_FIXTURE_H

#include "t/unit/views/fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "graphql/coerce.h"
#include "t/unit/torture.h"
#include "views/key.h"
#include "views/layout.h"
#include "views/row.h"
#include "views/writer.h"

/* Views in a temporary directory, to which a test tells events. */

#define MAP_BYTES (64 * 1024 * 1024)

typedef struct {
    char dir[64];
    kappa_arena_t *arena;
    kappa_model_t *model;
    kappa_env_t *env;
    kappa_writer_t *writer;
    uint64_t seq;
    int64_t now_ms;
    kappa_errors_t errors; /* of the last event */
    kappa_decision_t last;
    kappa_event_t event;
    kappa_caller_t caller;
    const char *schema;
    kappa_event_t *log; /* the accepted ones */
    uint32_t logged;
    uint32_t log_cap;
} views_t;

static inline void
views_begin(views_t *v)
{
    kappa_errors_init(&v->errors, v->arena, 0);
    assert_int_equal(kappa_writer_begin(v->writer, &v->errors), KAPPA_OK);
}

static inline void
views_commit(views_t *v)
{
    if (kappa_writer_commit(v->writer, v->seq, &v->errors) != KAPPA_OK) {
        fail_msg("commit: %s", print_errors(v->arena, &v->errors));
    }
}

static inline void
views_open_env(views_t *v, size_t map_bytes)
{
    kappa_txn_t *txn;

    strcpy(v->dir, "/tmp/kappa-views-XXXXXX");
    assert_non_null(mkdtemp(v->dir));
    kappa_errors_init(&v->errors, v->arena, 0);
    if (kappa_env_open(
            v->dir, map_bytes, &kappa_alloc_libc, &v->env, &v->errors)
        != KAPPA_OK) {
        fail_msg("open: %s", print_errors(v->arena, &v->errors));
    }
    assert_int_equal(kappa_env_write(v->env, &txn, &v->errors), KAPPA_OK);
    assert_int_equal(kappa_layout_apply(v->model, txn, &v->errors), KAPPA_OK);
    assert_int_equal(kappa_txn_commit(txn, &v->errors), KAPPA_OK);
    assert_int_equal(
        kappa_writer_create(&kappa_alloc_libc, v->env, v->model, &v->writer),
        KAPPA_OK);
}

/* Opens and begins a transaction. */
static inline void
views_open(views_t *v, const char *schema)
{
    memset(v, 0, sizeof(*v));
    v->arena = kappa_arena_create(&kappa_alloc_libc, 0);
    v->model = load_model(v->arena, schema);
    v->schema = schema;
    v->now_ms = INT64_C(1790000000000);
    views_open_env(v, MAP_BYTES);
    views_begin(v);
}

static inline void
views_remove(const char *dir)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/data.mdb", dir);
    unlink(path);
    snprintf(path, sizeof(path), "%s/lock.mdb", dir);
    unlink(path);
    rmdir(dir);
}

static inline void
views_close(views_t *v)
{
    kappa_writer_destroy(v->writer);
    kappa_env_close(v->env);
    views_remove(v->dir);
    free(v->log);
    kappa_arena_destroy(v->arena);
}

/* After a decision: an accepted event is numbered and kept. */
static inline kappa_status_t
views_note(views_t *v, kappa_status_t status)
{
    if (status != KAPPA_OK || v->last.duplicate) {
        return status;
    }
    v->seq++;
    if (v->logged == v->log_cap) {
        v->log_cap = v->log_cap ? 2 * v->log_cap : 64;
        v->log = realloc(v->log, v->log_cap * sizeof(*v->log));
        assert_non_null(v->log);
    }
    kappa_event_t *copy = &v->log[v->logged++];
    *copy = v->event;
    copy->thing = kappa_str_dup(v->arena, copy->thing);
    copy->verb = kappa_str_dup(v->arena, copy->verb);
    if (copy->key.data != NULL) {
        copy->key = kappa_str_dup(v->arena, copy->key);
    }
    if (copy->data.data != NULL) {
        copy->data = kappa_str_dup(v->arena, copy->data);
    }
    return status;
}

/* The event of the next seq as a line would give it. */
static inline kappa_status_t
views_event(views_t *v, const char *thing, const char *verb,
    kappa_effect_t effect, const char *key, const char *data)
{
    v->event = (kappa_event_t){ .seq = v->seq + 1,
        .time_ms = v->now_ms,
        .thing = kappa_str_c(thing),
        .verb = kappa_str_c(verb),
        .effect = effect,
        .actor_iss = v->caller.iss,
        .actor_sub = v->caller.sub,
        .key = kappa_str_c(key),
        .data = kappa_str_c(data) };
    v->event.id[0] = (uint8_t)v->seq;
    v->event.id[15] = 1;
    v->last = (kappa_decision_t){ .event = &v->event,
        .caller = &v->caller,
        .arena = v->arena,
        .errors = &v->errors };
    v->last.random[9] = (uint8_t)(v->seq + 1);
    kappa_errors_init(&v->errors, v->arena, 0);
    return views_note(v, kappa_writer_decide(v->writer, &v->last));
}

static inline const kappa_mutation_t *
views_mutation(const views_t *v, const char *name)
{
    const kappa_type_t *root =
        v->model->schema->roots[KAPPA_OPERATION_MUTATION];
    const kappa_field_t *field = kappa_type_field(root, kappa_str_c(name));

    assert_non_null(field);
    return field->binding->data;
}

/* Calls a mutation; args is a JSON object, coerced as it would be. */
static inline kappa_status_t
views_mutate(views_t *v, const char *name, const char *args)
{
    const kappa_mutation_t *m = views_mutation(v, name);
    uint32_t count = m->field->arg_count;
    kappa_value_t json;
    kappa_value_t *values = KAPPA_NEW_ARRAY(v->arena, kappa_value_t, count);
    kappa_member_t *members = KAPPA_NEW_ARRAY(v->arena, kappa_member_t, count);
    kappa_value_t data = { .kind = KAPPA_OBJECT, .as.members = members };

    assert_int_equal(
        kappa_json_parse(v->arena, kappa_str_c(args), &json, NULL), KAPPA_OK);
    for (uint32_t i = 0; i < count; i++) {
        const kappa_value_t *given =
            kappa_value_member(&json, m->field->args[i].name);

        if (given != NULL) {
            assert_int_equal(
                kappa_coerce_value(v->arena, given, m->field->args[i].type,
                    KAPPA_STR("arg"), &values[i], NULL),
                KAPPA_OK);
        }
        if (values[i].kind != KAPPA_UNSET) {
            members[data.count++] =
                (kappa_member_t){ .name = m->field->args[i].name,
                    .value = values[i] };
        }
    }
    v->event = (kappa_event_t){ .seq = v->seq + 1,
        .time_ms = v->now_ms,
        .thing = m->thing,
        .verb = m->verb,
        .effect = KAPPA_EFFECT_UNSET,
        .actor_iss = v->caller.iss,
        .actor_sub = v->caller.sub };
    v->event.id[15] = 1;
    v->last = (kappa_decision_t){ .event = &v->event,
        .caller = &v->caller,
        .mutation = m,
        .args = values,
        .data = &data,
        .arena = v->arena,
        .errors = &v->errors };
    v->last.random[9] = (uint8_t)(v->seq + 1);
    kappa_errors_init(&v->errors, v->arena, 0);
    return views_note(v, kappa_writer_decide(v->writer, &v->last));
}

/* The row of a view by its key as JSON (a scalar), as JSON; "none". */
static inline kappa_str_t
views_row(views_t *v, const char *view_name, const char *key_json)
{
    const kappa_view_t *view =
        kappa_model_view(v->model, kappa_str_c(view_name));
    kappa_value_t json;
    kappa_key_t key;
    const uint8_t *row;
    kappa_buf_t buf;

    assert_non_null(view);
    assert_int_equal(
        kappa_json_parse(v->arena, kappa_str_c(key_json), &json, NULL),
        KAPPA_OK);
    assert_int_equal(kappa_key_of_values(&key, view,
                         json.kind == KAPPA_LIST ? json.as.items : &json),
        KAPPA_OK);
    kappa_status_t status =
        kappa_writer_get(v->writer, view, kappa_key_str(&key), &row);
    if (status == KAPPA_NOT_FOUND) {
        return KAPPA_STR("none");
    }
    assert_int_equal(status, KAPPA_OK);
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_row_json(&buf, view, row);
    kappa_str_t text = kappa_str_dup(v->arena, kappa_buf_view(&buf));
    kappa_buf_release(&buf);
    return text;
}

/* All that is in some dbis, one entry behind the other. */
static inline void
views_dump(views_t *v, const kappa_dbi_t *dbis, size_t count, kappa_buf_t *out)
{
    kappa_txn_t *txn;

    assert_int_equal(kappa_env_read(v->env, &txn), KAPPA_OK);
    for (size_t i = 0; i < count; i++) {
        kappa_str_t key, value;
        kappa_status_t status =
            kappa_txn_seek(txn, dbis[i], KAPPA_STR_NULL, &key, &value);

        for (; status == KAPPA_OK;
             status = kappa_txn_next(txn, dbis[i], &key, &value)) {
            kappa_buf_add(out, &key.len, sizeof(key.len));
            kappa_buf_str(out, key);
            kappa_buf_add(out, &value.len, sizeof(value.len));
            kappa_buf_str(out, value);
        }
        assert_int_equal(status, KAPPA_DONE);
    }
    kappa_txn_end(txn);
}

/* What a replay gives again: all but what was told to others. */
static const kappa_dbi_t views_rebuilt[] = { KAPPA_DBI_ROWS, KAPPA_DBI_INDEX,
    KAPPA_DBI_AGGREGATES, KAPPA_DBI_EXTREMES, KAPPA_DBI_COUNTS, KAPPA_DBI_MADE,
    KAPPA_DBI_HISTORY, KAPPA_DBI_IDEMPOTENCY, KAPPA_DBI_EXPIRIES,
    KAPPA_DBI_META };

static inline void
views_same(views_t *a, views_t *b)
{
    kappa_buf_t one, other;

    kappa_buf_init(&one, &kappa_alloc_libc);
    kappa_buf_init(&other, &kappa_alloc_libc);
    views_dump(a, views_rebuilt, COUNT(views_rebuilt), &one);
    views_dump(b, views_rebuilt, COUNT(views_rebuilt), &other);
    assert_int_equal(one.len, other.len);
    assert_memory_equal(one.data, other.data, one.len);
    kappa_buf_release(&one);
    kappa_buf_release(&other);
}

/* Commits, replays the accepted events elsewhere: the same comes out. There
 * each transaction takes about so many events; 0: one takes all. */
static inline void
views_replay_by(views_t *v, uint32_t events)
{
    views_t *again = calloc(1, sizeof(*again));

    assert_non_null(again);
    assert_int_equal(v->logged, v->seq);
    views_commit(v);
    views_open(again, v->schema);
    for (uint32_t i = 0; i < v->logged; i++) {
        bool skipped;

        if (kappa_writer_replay(
                again->writer, &v->log[i], true, &skipped, &again->errors)
            != KAPPA_OK) {
            fail_msg("%s", print_errors(again->arena, &again->errors));
        }
        assert_false(skipped);
        again->seq = v->log[i].seq;
        if (events && kappa_test_random() % events == 0) {
            views_commit(again);
            views_begin(again);
        }
    }
    views_commit(again);
    views_same(v, again);
    views_begin(v);
    views_close(again);
    free(again);
}

static inline void
views_replay(views_t *v)
{
    views_replay_by(v, 0);
}

/* The code of the last refusal. */
static inline const char *
views_code(const views_t *v)
{
    return v->errors.first ? v->errors.first->code : "accepted";
}

#endif
