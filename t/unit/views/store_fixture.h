#ifndef KAPPA_T_UNIT_VIEWS_STORE_FIXTURE_H
#define KAPPA_T_UNIT_VIEWS_STORE_FIXTURE_H

#define _GNU_SOURCE /* nftw */

#include "t/unit/test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/time.h"
#include "graphql/parser.h"
#include "graphql/validate.h"
#include "log/tail.h"
#include "views/appender.h"
#include "views/env.h"

/* A store in a temporary directory, and requests to it by their text. */

#define MAYBE __attribute__((unused))
#define FIXTURE_MAP (256 * 1024 * 1024)

static const char shop[] =
    "type Item @view(key: \"name\") @index(fields: [\"code\"], unique: true)\n"
    "  @index(fields: [\"shelf\", \"name\"])\n"
    "  @check(if: \"row.stock >= 0\", code: \"OUT_OF_STOCK\") {\n"
    "  name: ID!\n"
    "  stock: Int!\n"
    "  code: String\n"
    "  shelf: ID\n"
    "  by: String @stamp(as: \"auth.sub\")\n"
    "  shelfRow: Shelf @belongsTo(by: \"shelf\")\n"
    "}\n"
    "type Shelf @view(key: \"name\") @groupBy(of: \"Item\", by: \"shelf\") {\n"
    "  name: ID!\n"
    "  items: Int! @count\n"
    "  pieces: Int! @sum(field: \"stock\")\n"
    "}\n"
    "type Secret @view @allow(if: \"row.owner == auth.sub\") {\n"
    "  id: ID!\n"
    "  owner: ID @stamp(as: \"auth.sub\")\n"
    "  text: String\n"
    "}\n"
    "type Query {\n"
    "  item(name: ID!): Item\n"
    "  shelf(name: ID!): Shelf\n"
    "  secret(id: ID!): Secret\n"
    "}\n"
    "type Mutation {\n"
    "  add(name: ID!, stock: Int!, code: String, shelf: ID): Item!\n"
    "    @event(thing: \"Item\", verb: \"added\", effect: CREATE)\n"
    "  take(name: ID!, amount: Int!): Item!\n"
    "    @event(thing: \"Item\", verb: \"taken\", effect: PATCH,\n"
    "      set: [\"stock = row.stock - event.data.amount\"])\n"
    "  drop(name: ID!): Item\n"
    "    @event(thing: \"Item\", verb: \"dropped\", effect: DELETE)\n"
    "  keyed(name: ID!, stock: Int!, once: String! @idempotencyKey): Item!\n"
    "    @event(thing: \"Item\", verb: \"keyed\", effect: UPSERT)\n"
    "  hide(text: String): Secret\n"
    "    @event(thing: \"Secret\", verb: \"hidden\", effect: CREATE)\n"
    "  reveal(id: ID!, text: String): Secret\n"
    "    @event(thing: \"Secret\", verb: \"revealed\", effect: PATCH)\n"
    "  admin(name: ID!, stock: Int!): Item\n"
    "    @event(thing: \"Item\", verb: \"set\", effect: PUT)\n"
    "    @allow(if: \"'admin' in auth.roles\")\n"
    "}\n";

typedef struct {
    char dir[64];
    const char *schema;  /* NULL: follow */
    const char *boot_id; /* NULL: this one */
    int patience_ms;     /* 0: as the store has it */
    const kappa_log_options_t *log;
    kappa_store_t *store;
    kappa_arena_t *arena;
    kappa_errors_t errors;
    const char *sub;   /* of the caller, NULL: anonymous */
    const char *role;  /* of the caller */
    int64_t ahead_ms;  /* of the clock, requests are */
    int64_t window_ms; /* of idempotency keys */
    char said[2048];
    kappa_commit_t commit; /* the last one */
    int commits;
} fixture_t;

static MAYBE int
remove_entry(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static MAYBE void
remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static MAYBE void
note_report(void *ctx, bool error, kappa_str_t message)
{
    fixture_t *f = ctx;
    size_t len = strlen(f->said);

    (void)error;
    snprintf(
        f->said + len, sizeof f->said - len, "%.*s\n", KAPPA_STR_ARG(message));
}

static MAYBE void
note_commit(void *ctx, const kappa_commit_t *commit)
{
    fixture_t *f = ctx;

    f->commit = *commit;
    f->commits++;
}

/* A directory with a log, not open. */
static MAYBE void
make_store(fixture_t *f)
{
    memset(f, 0, sizeof *f);
    strcpy(f->dir, "/tmp/kappa-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->schema = shop;
    f->arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_init(&f->errors, f->arena, 0);
    assert_int_equal(
        kappa_store_create(kappa_str_c(f->dir), -1, -1, &f->errors), KAPPA_OK);
}

static MAYBE kappa_status_t
try_open(fixture_t *f)
{
    kappa_store_options_t options = { .dir = kappa_str_c(f->dir),
        .idempotency_window_ms = f->window_ms,
        .schema_name = KAPPA_STR("shop.graphql"),
        .schema_text = kappa_str_c(f->schema),
        .map_size = FIXTURE_MAP,
        .alloc = &kappa_alloc_libc,
        .boot_id = f->boot_id,
        .patience_ms = f->patience_ms,
        .log = f->log,
        .report = note_report,
        .report_ctx = f,
        .committed = note_commit,
        .committed_ctx = f };

    f->store = NULL;
    kappa_errors_init(&f->errors, f->arena, 0);
    return kappa_store_open(&options, &f->store, &f->errors);
}

static MAYBE const char *
first_error(const fixture_t *f)
{
    return f->errors.first ? f->errors.first->message.data : "";
}

static MAYBE void
open_store(fixture_t *f)
{
    kappa_status_t status = try_open(f);

    if (status != KAPPA_OK) {
        fail_msg("open: %d %s", status, first_error(f));
    }
}

static MAYBE void
close_store(fixture_t *f, bool mark)
{
    kappa_store_close(f->store, mark);
    f->store = NULL;
}

static MAYBE void
reopen(fixture_t *f)
{
    close_store(f, false);
    open_store(f);
}

static MAYBE void
end_store(fixture_t *f)
{
    kappa_store_close(f->store, false);
    kappa_arena_destroy(f->arena);
    remove_tree(f->dir);
}

/* --- requests */

static MAYBE void
mark_done(kappa_job_t *job)
{
    *(bool *)job->owner = true;
}

static MAYBE kappa_plan_t *
plan_text(fixture_t *f, const kappa_model_t *model, const char *text)
{
    kappa_source_t *source = KAPPA_NEW(f->arena, kappa_source_t);
    kappa_document_t *document;
    kappa_plan_t *plan = NULL;

    *source = (kappa_source_t){ .name = KAPPA_STR("request"),
        .text = kappa_str_dup(f->arena, kappa_str_c(text)) };
    kappa_errors_init(&f->errors, f->arena, 0);
    kappa_status_t status =
        kappa_parse(f->arena, source, NULL, &document, &f->errors);
    if (status == KAPPA_OK) {
        status = kappa_validate(f->arena, model->schema, document, &f->errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_plan_create(&kappa_alloc_libc, model->schema, document,
            KAPPA_STR_NULL, &plan, &f->errors);
    }
    if (status != KAPPA_OK) {
        fail_msg("%s: %d %s", text, status, first_error(f));
    }
    return plan;
}

static MAYBE kappa_caller_t
caller_of(const fixture_t *f)
{
    kappa_caller_t caller = { .sub = kappa_str_c(f->sub) };

    if (f->sub) {
        caller.iss = KAPPA_STR("test");
    }
    if (f->role) {
        kappa_value_t *role = KAPPA_NEW(f->arena, kappa_value_t);
        *role = kappa_string(kappa_str_c(f->role));
        caller.roles = (kappa_value_t){
            .kind = KAPPA_LIST, .count = 1, .as.items = role
        };
    }
    return caller;
}

/* A job for a mutation; *done becomes true when it is answered. */
static MAYBE kappa_job_t *
make_job(fixture_t *f, const char *text, const char *key, bool *done)
{
    kappa_job_t *job = KAPPA_NEW(f->arena, kappa_job_t);

    *done = false;
    job->version = kappa_store_version(f->store);
    job->plan = plan_text(f, kappa_store_model(f->store), text);
    assert_int_equal(kappa_plan_variables(job->plan, NULL, f->arena,
                         &job->variables, &f->errors),
        KAPPA_OK);
    job->caller = caller_of(f);
    job->idempotency_key = kappa_str_c(key);
    job->now_ms = kappa_now_ms() + f->ahead_ms;
    job->arena = kappa_arena_create(&kappa_alloc_libc, 0);
    job->done = mark_done;
    job->owner = done;
    return job;
}

/* The response, or `CODE: message`, in the fixture's arena; ends the job. */
static MAYBE const char *
end_job(fixture_t *f, kappa_job_t *job)
{
    kappa_str_t text;

    if (job->status == KAPPA_OK) {
        kappa_response_end(&job->response, KAPPA_STR_NULL);
        text = kappa_str_dup(f->arena, kappa_buf_view(&job->response));
    } else {
        text = kappa_str_printf(
            f->arena, "%s: %.*s", job->code, KAPPA_STR_ARG(job->message));
    }
    kappa_buf_release(&job->response);
    kappa_plan_release(job->plan);
    kappa_arena_destroy(job->arena);
    return text.data;
}

/* One mutation, alone. job_out, when not NULL, is what it came to. */
static MAYBE const char *
mutate_as(
    fixture_t *f, const char *text, const char *key, kappa_job_t *job_out)
{
    bool done;
    kappa_job_t *job = make_job(f, text, key, &done);

    kappa_store_commit(f->store, job);
    assert_true(done);
    if (job_out) {
        *job_out = *job;
    }
    return end_job(f, job);
}

static MAYBE const char *
mutate_text(fixture_t *f, const char *text)
{
    return mutate_as(f, text, NULL, NULL);
}

static MAYBE const char *
query_text(fixture_t *f, const char *text)
{
    kappa_plan_t *plan = plan_text(f, kappa_store_model(f->store), text);
    kappa_caller_t caller = caller_of(f);
    kappa_read_options_t options = { .caller = &caller,
        .version = kappa_store_version(f->store) };
    kappa_snapshot_t *snapshot;
    const kappa_value_t *variables;
    kappa_outcome_t outcome;
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    assert_int_equal(
        kappa_snapshot_begin(f->store, &options, &snapshot), KAPPA_OK);
    assert_int_equal(
        kappa_plan_variables(plan, NULL, f->arena, &variables, &f->errors),
        KAPPA_OK);
    assert_int_equal(
        kappa_execute(plan, variables, kappa_snapshot_data(snapshot), f->arena,
            &buf, &outcome),
        KAPPA_OK);
    kappa_snapshot_end(snapshot);
    kappa_response_end(&buf, KAPPA_STR_NULL);
    kappa_str_t text_out = kappa_str_dup(f->arena, kappa_buf_view(&buf));
    kappa_buf_release(&buf);
    kappa_plan_release(plan);
    return text_out.data;
}

/* Lines of NDJSON as one job. */
static MAYBE kappa_job_t
append_lines(fixture_t *f, const char *lines)
{
    kappa_job_t job = {
        .caller = caller_of(f), .now_ms = kappa_now_ms(), .done = mark_done
    };
    bool done = false;
    uint32_t cap = 0;

    for (const char *c = lines; *c; c++) {
        cap += *c == '\n';
    }
    job.owner = &done;
    job.arena = kappa_arena_create(&kappa_alloc_libc, 0);
    job.events = KAPPA_NEW_ARRAY(f->arena, kappa_event_t, cap);
    for (const char *line = lines, *end; (end = strchr(line, '\n'));
         line = end + 1) {
        kappa_status_t status = kappa_event_parse_json(f->arena,
            kappa_str(line, (size_t)(end - line)),
            &job.events[job.event_count++], &f->errors);
        if (status != KAPPA_OK) {
            fail_msg("%s", first_error(f));
        }
    }
    kappa_store_commit(f->store, &job);
    assert_true(done);
    if (job.message.data) {
        job.message = kappa_str_dup(f->arena, job.message);
    }
    kappa_buf_release(&job.response);
    kappa_arena_destroy(job.arena);
    return job;
}

static MAYBE void
verify_store(fixture_t *f)
{
    kappa_errors_init(&f->errors, f->arena, 0);
    kappa_status_t status =
        kappa_store_verify(f->store, NULL, NULL, &f->errors);

    if (status != KAPPA_OK) {
        fail_msg("verify: %d %s", status, first_error(f));
    }
}

/* Which generation `current` names; 0: none. */
static MAYBE int
current_of(const fixture_t *f)
{
    char path[128];
    int number = 0;

    snprintf(path, sizeof path, "%s/views/current", f->dir);
    FILE *file = fopen(path, "r");
    if (file) {
        if (fscanf(file, "%d", &number) != 1) {
            number = 0;
        }
        fclose(file);
    }
    return number;
}

/* So many of c, in the arena. */
static MAYBE const char *
repeat_char(fixture_t *f, char c, size_t n)
{
    char *text = kappa_arena_bytes(f->arena, n + 1);

    memset(text, c, n);
    text[n] = '\0';
    return text;
}

#define assert_contains(text, part)                                           \
    do {                                                                      \
        const char *text_ = (text);                                           \
        if (!strstr(text_, (part))) {                                         \
            fail_msg("\"%s\" does not contain \"%s\"", text_, (part));        \
        }                                                                     \
    } while (0)

#endif
