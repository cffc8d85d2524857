#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "views/layout.h"
#include "views/writer.h"

/* Any lines of NDJSON as events: each is applied or refused with an error,
 * and what was applied can be replayed. */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema[] =
    "type A @view @index(fields: [\"g\", \"n\"]) @index(fields: [\"s\"],"
    " unique: true)\n"
    "  @on(thing: \"B\", verb: \"v\", each: \"event.data.list\","
    "    key: [\"item.k\"], effect: UPSERT, set: [\"n = item.n\"]) {\n"
    "  id: ID!  g: ID  n: Int  d: Float  s: String  t: DateTime  e: E\n"
    "  j: JSON  b: BigInt  twice: Int @computed(as: \"size(row.id) * 2\")\n"
    "  sum: BigInt! @sum(field: \"n\", of: \"B\", by: \"a\")\n"
    "  avg: Float @avg(field: \"d\", of: \"B\", by: \"a\")\n"
    "  low: String @min(field: \"s\", of: \"B\", by: \"a\")\n"
    "}\n"
    "enum E { X Y }\n"
    "type B @view(key: [\"k\", \"i\"], keep: \"1m\") {\n"
    "  k: ID!  i: Int!  a: ID  n: Int  d: Float  s: String  list: JSON\n"
    "  at: DateTime @stamp(as: \"now\")  f: Boolean! @default(as: \"true\")\n"
    "}\n"
    "type G @view(key: \"g\", keep: \"5m\") @groupBy(of: \"A\", by: \"g\") {\n"
    "  g: ID!  n: Int! @count  top: Float @max(field: \"d\")\n"
    "}\n"
    "type Query { a(id: ID!): A  b(k: ID!, i: Int!): B  g(g: ID!): G }\n";

static kappa_env_t *env;
static kappa_model_t *model;
static kappa_writer_t *writer;
static char dir[] = "/tmp/kappa-fuzz-XXXXXX";

static void
must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void
clean_up(void)
{
    char path[64];

    snprintf(path, sizeof(path), "%s/data.mdb", dir);
    unlink(path);
    snprintf(path, sizeof(path), "%s/lock.mdb", dir);
    unlink(path);
    rmdir(dir);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_t errors;
    kappa_txn_t *txn;

    (void)argc;
    (void)argv;
    must(mkdtemp(dir) != NULL);
    atexit(clean_up);
    kappa_errors_init(&errors, arena, 0);
    must(kappa_model_load(
             arena, KAPPA_STR("fuzz"), kappa_str_c(schema), &model, &errors)
        == KAPPA_OK);
    must(kappa_env_open(dir, 64 << 20, &kappa_alloc_libc, &env, &errors)
        == KAPPA_OK);
    must(kappa_env_write(env, &txn, &errors) == KAPPA_OK);
    must(kappa_layout_apply(model, txn, &errors) == KAPPA_OK);
    must(kappa_txn_commit(txn, &errors) == KAPPA_OK);
    must(kappa_writer_create(&kappa_alloc_libc, env, model, &writer)
        == KAPPA_OK);
    return 0;
}

#define EVENTS_MAX 50

typedef struct {
    kappa_event_t events[EVENTS_MAX];
    uint32_t count;
} log_t;

static void
decide(kappa_arena_t *arena, kappa_str_t line, log_t *log)
{
    kappa_event_t *event = &log->events[log->count];
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    if (kappa_event_parse_json(arena, line, event, &errors) != KAPPA_OK) {
        return;
    }
    event->seq = log->count + 1;
    if (event->time_ms == KAPPA_EVENT_NO_TIME) {
        event->time_ms = 1;
    }
    kappa_decision_t decision = {
        .event = event, .arena = arena, .errors = &errors
    };
    kappa_status_t status = kappa_writer_decide(writer, &decision);
    must(status == KAPPA_OK || status == KAPPA_INVALID
        || status == KAPPA_LIMIT);
    must((status == KAPPA_OK) == (errors.count == 0));
    log->count += status == KAPPA_OK && !decision.duplicate;
}

static void
replay(log_t *log)
{
    for (uint32_t i = 0; i < log->count; i++) {
        bool skipped;

        must(kappa_writer_replay(writer, &log->events[i], true, &skipped, NULL)
            == KAPPA_OK);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_str_t rest = kappa_str((const char *)data, size);
    log_t log = { .count = 0 };

    must(arena != NULL);
    must(kappa_writer_begin(writer, NULL) == KAPPA_OK);
    while (rest.len > 0 && log.count < EVENTS_MAX) {
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) : rest.len;

        decide(arena, kappa_str(rest.data, len), &log);
        len += end != NULL;
        rest.data += len;
        rest.len -= len;
    }
    kappa_writer_abort(writer);
    must(kappa_writer_begin(writer, NULL) == KAPPA_OK);
    replay(&log);
    kappa_writer_abort(writer);
    kappa_arena_destroy(arena);
    return 0;
}
