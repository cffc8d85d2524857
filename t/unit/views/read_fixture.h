#ifndef KAPPA_T_UNIT_VIEWS_READ_FIXTURE_H
#define KAPPA_T_UNIT_VIEWS_READ_FIXTURE_H

#include "t/unit/views/fixture.h"

#include "t/unit/alloc_failing.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/siv.h"
#include "graphql/execute.h"
#include "graphql/parser.h"
#include "graphql/validate.h"
#include "views/count.h"
#include "views/key.h"
#include "views/layout.h"
#include "views/read.h"
#include "views/row.h"

/* A views' environment in a temporary directory, with rows put by hand: as
 * the writer would store them. */
typedef struct {
    kappa_arena_t *arena;
    kappa_model_t *model;
    kappa_env_t *env;
    kappa_txn_t *txn;
    char dir[64];
    kappa_caller_t caller;
    kappa_dependencies_t *deps;
    int64_t now_ms; /* 0: 1700000000000 */
    uint8_t secret; /* another one: another store's */
} read_fixture_t;

static inline void
read_fixture_open(read_fixture_t *f, const char *schema)
{
    kappa_errors_t errors;

    *f = (read_fixture_t){ .arena = kappa_arena_create(&kappa_alloc_libc, 0) };
    strcpy(f->dir, "/tmp/kappa-read-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    kappa_errors_init(&errors, f->arena, 0);
    f->model = load_model(f->arena, schema);
    assert_int_equal(
        kappa_env_open(f->dir, 64 << 20, &kappa_alloc_libc, &f->env, &errors),
        KAPPA_OK);
    assert_int_equal(kappa_env_write(f->env, &f->txn, &errors), KAPPA_OK);
    assert_int_equal(kappa_layout_apply(f->model, f->txn, &errors), KAPPA_OK);
}

/* json: {"id":…}, columns by name. */
static inline void
put_row(read_fixture_t *f, const char *view_name, const char *json)
{
    const kappa_view_t *view =
        kappa_model_view(f->model, kappa_str_c(view_name));
    kappa_event_t event = { .row = kappa_str_c(json) };
    kappa_row_t row;
    kappa_key_t entry;

    assert_non_null(view);
    assert_int_equal(
        kappa_read_event_row(&event, view, f->arena, &row), KAPPA_OK);
    for (uint32_t i = 0; i < view->index_count; i++) {
        kappa_key_init(&entry);
        kappa_key_entry(&entry, &view->indexes[i], row.data, row.key);
        assert_int_equal(
            kappa_txn_put(f->txn, i ? KAPPA_DBI_INDEX : KAPPA_DBI_ROWS,
                kappa_key_str(&entry),
                i ? KAPPA_STR("")
                  : kappa_str((const char *)row.data, row.len)),
            KAPPA_OK);
        assert_int_equal(kappa_counts_change(f->txn, &view->indexes[i],
                             KAPPA_STR_NULL, kappa_key_str(&entry)),
            KAPPA_OK);
    }
}

/* From writing to reading. */
static inline void
read_fixture_commit(read_fixture_t *f)
{
    kappa_errors_t errors;

    kappa_errors_init(&errors, f->arena, 0);
    assert_int_equal(kappa_txn_commit(f->txn, &errors), KAPPA_OK);
    assert_int_equal(kappa_env_read(f->env, &f->txn), KAPPA_OK);
}

static inline void
read_fixture_close(read_fixture_t *f)
{
    char path[128];

    kappa_txn_end(f->txn);
    kappa_env_close(f->env);
    snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
    unlink(path);
    snprintf(path, sizeof(path), "%s/lock.mdb", f->dir);
    unlink(path);
    rmdir(f->dir);
    kappa_arena_destroy(f->arena);
}

/* For cmocka: a fixture that a test's set_up has allocated. */
static inline int
read_fixture_tear_down(void **state)
{
    read_fixture_close(*state);
    free(*state);
    return 0;
}

static inline kappa_plan_t *
plan_of(read_fixture_t *f, const char *query)
{
    kappa_source_t source = { KAPPA_STR("query"), kappa_str_c(query) };
    kappa_document_t *document;
    kappa_errors_t errors;
    kappa_plan_t *plan = NULL;

    kappa_errors_init(&errors, f->arena, 0);
    if (kappa_parse(f->arena, &source, NULL, &document, &errors) != KAPPA_OK
        || kappa_validate(f->arena, f->model->schema, document, &errors)
            != KAPPA_OK
        || kappa_plan_create(&kappa_alloc_libc, f->model->schema, document,
               KAPPA_STR_NULL, &plan, &errors)
            != KAPPA_OK) {
        fail_msg("%s\n%s", query, print_errors(f->arena, &errors));
    }
    return plan;
}

static inline kappa_siv_t *
siv_of(const read_fixture_t *f)
{
    const uint8_t key[KAPPA_SIV_KEY_BYTES] = { f->secret };
    kappa_siv_t *siv = kappa_siv_create(&kappa_alloc_libc, key);

    assert_non_null(siv);
    return siv;
}

/* The whole answer to a query; in the fixture's arena. */
static inline const char *
ask(read_fixture_t *f, const char *query)
{
    kappa_plan_t *plan = plan_of(f, query);
    kappa_outcome_t outcome;
    const kappa_value_t *variables;
    kappa_buf_t buf;
    kappa_read_t read;

    assert_int_equal(
        kappa_plan_variables(plan, NULL, f->arena, &variables, NULL),
        KAPPA_OK);
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_read_init(&read, f->model, f->txn, &f->caller,
        f->now_ms ? f->now_ms : 1700000000000, f->deps);
    read.siv = siv_of(f);
    assert_int_equal(
        kappa_execute(plan, variables, &read.data, f->arena, &buf, &outcome),
        KAPPA_OK);
    kappa_response_end(&buf, KAPPA_STR(""));
    kappa_siv_destroy(read.siv);
    const char *answer = kappa_str_dup(f->arena, kappa_buf_view(&buf)).data;
    kappa_buf_release(&buf);
    kappa_plan_release(plan);
    return answer;
}

typedef struct {
    read_fixture_t *f;
    const kappa_plan_t *plan;
    kappa_siv_t *siv;
} starved_t;

static inline kappa_status_t
execute_starved(const kappa_alloc_t *alloc, void *ctx)
{
    starved_t *s = ctx;
    kappa_arena_t *arena = kappa_arena_create(alloc, 256);
    kappa_dependencies_t deps = { .arena = arena };
    kappa_outcome_t outcome;
    const kappa_value_t *variables;
    kappa_read_t read;
    kappa_buf_t buf;

    if (!arena) {
        return KAPPA_NOMEM;
    }
    kappa_buf_init(&buf, alloc);
    kappa_read_init(&read, s->f->model, s->f->txn, &s->f->caller, 0, &deps);
    read.siv = s->siv;
    kappa_status_t status =
        kappa_plan_variables(s->plan, NULL, arena, &variables, NULL);
    if (status == KAPPA_OK) {
        status = kappa_execute(
            s->plan, variables, &read.data, arena, &buf, &outcome);
    }
    if (status == KAPPA_OK && buf.failed) {
        status = KAPPA_NOMEM;
    }
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
    return status;
}

/* A query with each of its allocations failing. It must be one that is
 * answered without errors, or little of it would be tried. */
static inline void
ask_starved(read_fixture_t *f, const char *query)
{
    starved_t s = { f, plan_of(f, query), siv_of(f) };
    const char *answer = ask(f, query);

    if (strstr(answer, "\"errors\"")) {
        fail_msg("%s: %s", query, answer);
    }
    kappa_alloc_failing_each(execute_starved, &s);
    kappa_siv_destroy(s.siv);
    kappa_plan_release((kappa_plan_t *)s.plan);
}

/* Whether a row that comes would change what was read. */
static inline bool
row_hits(read_fixture_t *f, const kappa_dependencies_t *deps, const char *type,
    const char *json)
{
    const kappa_view_t *view = kappa_model_view(f->model, kappa_str_c(type));
    kappa_event_t event = { .row = kappa_str_c(json) };
    kappa_str_t entries[8] = { { 0 } }, none[8] = { { 0 } };
    kappa_key_t keys[8];
    kappa_row_t row;
    bool hit = false;

    assert_int_equal(
        kappa_read_event_row(&event, view, f->arena, &row), KAPPA_OK);
    for (uint32_t n = 0; n < view->index_count; n++) {
        kappa_key_init(&keys[n]);
        kappa_key_entry(&keys[n], &view->indexes[n], row.data, row.key);
        entries[n] = kappa_key_str(&keys[n]);
    }
    kappa_change_t change = { .view = view,
        .key = row.key,
        .exists = true,
        .old_entries = none,
        .new_entries = entries };
    for (uint32_t i = 0; i < deps->count; i++) {
        hit |= kappa_dependency_hit(&deps->items[i], &change);
    }
    return hit;
}

/* What ids, or names, a list has and should have. */
static inline void
compare_lists(
    const char *what, const char *args, kappa_str_t got, const char *want)
{
    if (!kappa_str_eq_c(got, want)) {
        fail_msg(
            "%s, %s:\n%.*s, not\n%s", what, args, KAPPA_STR_ARG(got), want);
    }
}

/* The value of the first "name":"…" in an answer. */
static inline const char *
pick(read_fixture_t *f, const char *answer, const char *name)
{
    kappa_str_t quoted = kappa_str_printf(f->arena, "\"%s\":\"", name);
    const char *at = strstr(answer, quoted.data);

    if (!at) {
        fail_msg("no %s in %s", name, answer);
    }
    at += quoted.len;
    return kappa_str_dup(
        f->arena, kappa_str(at, (size_t)(strchr(at, '"') - at)))
        .data;
}

#endif
