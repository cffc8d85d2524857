/* replay: how fast views are computed from a log.
 *
 *     replay schema plain|indexed
 *     replay DIR plain|indexed ordered|scattered EVENTS
 *
 * prints the schema, or makes a store in DIR with a log of EVENTS events, each
 * of which makes a row, as mutations would have written them: under keys that
 * rise, like the UUIDs that kappa makes up, or under keys in no order. It
 * deletes nothing. Then it builds the views from the log, as after a crash of
 * the system, and prints
 *
 *     events N microseconds N cpu N memory_first N memory_last N size N
 *
 * memory in KiB that is no mapped file: the most up to the first tenth of the
 * events, and the most of all; size of the views' file in MiB. Exits 0, or 2
 * and says why.
 *
 * plain: a view without indexes. indexed: two indexes, and a count of its rows
 * with their sum in another view. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/time.h"
#include "base/uuid.h"
#include "views/store.h"

#define BATCH 5000
#define DEVICES 1000
#define READINGS 100 /* that each device has at least */

static const char plain[] =
    "type Reading @view {\n"
    "  id: ID!  device: ID!  value: Int!  at: DateTime! @stamp(as: \"now\") "
    "}\n"
    "type Query { reading(id: ID!): Reading }\n"
    "type Mutation { read(id: ID!, device: ID!, value: Int!): Reading!\n"
    "  @event(thing: \"Reading\", verb: \"read\", effect: CREATE) }\n";

static const char indexed[] =
    "type Reading @view @index(fields: [\"device\", \"at\"])\n"
    "  @index(fields: [\"value\"]) {\n"
    "  id: ID!  device: ID!  value: Int!  at: DateTime! @stamp(as: \"now\") "
    "}\n"
    "type Device @view @groupBy(of: \"Reading\", by: \"device\") {\n"
    "  id: ID!  readings: Int! @count  sum: BigInt! @sum(field: \"value\") }\n"
    "type Query { reading(id: ID!): Reading  device(id: ID!): Device\n"
    "  readings(device: ID!, at_gte: DateTime, first: Int = 10): "
    "[Reading!]!\n"
    "  valued(value: Int!, first: Int = 10): [Reading!]! }\n"
    "type Mutation { read(id: ID!, device: ID!, value: Int!): Reading!\n"
    "  @event(thing: \"Reading\", verb: \"read\", effect: CREATE) }\n";

typedef struct {
    uint64_t events;
    long first;
    long most;
} run_t;

static void
die(const kappa_errors_t *errors, const char *what)
{
    fprintf(stderr, "replay: %s: %.*s\n", what,
        errors->first ? (int)errors->first->message.len : 0,
        errors->first ? errors->first->message.data : "");
    exit(2);
}

/* Numbers in no order, each once (a bijection of 64 bits). */
static uint64_t
scramble(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

typedef struct {
    char key[32];
    char data[192];
    char row[192];
} text_t;

static void
make_event(uint64_t i, bool ordered, uint64_t devices, text_t *text,
    kappa_event_t *event)
{
    uint64_t id = ordered ? i + 1 : scramble(i + 1);
    unsigned device = (unsigned)(scramble(i ^ 77) % devices);
    unsigned value = (unsigned)(scramble(i ^ 99) % 100000);
    char at[KAPPA_TIME_CHARS + 1] = "";

    *event = (kappa_event_t){ .time_ms = 1700000000000 + (int64_t)i,
        .thing = KAPPA_STR("Reading"),
        .verb = KAPPA_STR("read"),
        .effect = KAPPA_EFFECT_CREATE };
    memcpy(event->id, &id, sizeof id);
    kappa_time_format(event->time_ms, at);
    snprintf(text->key, sizeof text->key, "\"%016" PRIx64 "\"", id);
    snprintf(text->data, sizeof text->data,
        "{\"id\":%.18s,\"device\":\"d%u\",\"value\":%u,\"at\":\"%s\"}",
        text->key, device, value, at);
    strcpy(text->row, text->data);
    event->key = kappa_str_c(text->key);
    event->data = kappa_str_c(text->data);
    event->row = kappa_str_c(text->row);
}

static void
fill_log(
    const char *dir, uint64_t events, bool ordered, kappa_errors_t *errors)
{
    static kappa_event_t batch[BATCH];
    static text_t texts[BATCH];
    const kappa_log_known_t known = { 0, 0 };
    uint64_t devices =
        events / READINGS < DEVICES ? events / READINGS + 1 : DEVICES;
    kappa_log_t *log;
    uint64_t tail = 0;

    if (kappa_log_open(dir, &kappa_alloc_libc, NULL, &log, errors) != KAPPA_OK
        || kappa_log_lock(log, errors) != KAPPA_OK
        || kappa_log_tail(log, &known, &tail, errors) != KAPPA_OK) {
        die(errors, "open the log");
    }
    while (tail < events) {
        size_t n = 0;
        for (; n < BATCH && tail + n < events; n++) {
            make_event(tail + n, ordered, devices, &texts[n], &batch[n]);
        }
        if (kappa_log_append(log, batch, n, tail, &tail, errors) != KAPPA_OK) {
            die(errors, "append");
        }
    }
    kappa_log_close(log);
}

/* KiB of this process that are no mapped file. */
static long
memory(void)
{
    char line[256];
    long kib = 0;
    FILE *in = fopen("/proc/self/status", "r");

    while (in && fgets(line, sizeof line, in)) {
        sscanf(line, "RssAnon: %ld", &kib);
    }
    if (in) {
        fclose(in);
    }
    return kib;
}

static bool
look(void *ctx, uint64_t seq, uint64_t end)
{
    run_t *run = ctx;
    long now = memory();

    (void)end;
    run->most = now > run->most ? now : run->most;
    if (seq <= run->events / 10) {
        run->first = run->most;
    }
    return true;
}

static int64_t
cpu_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static long
views_mib(const char *dir)
{
    char path[4200];
    struct stat st;

    snprintf(path, sizeof path, "%s/views/0001/data.mdb", dir);
    return stat(path, &st) == 0 ? (long)(st.st_blocks / 2048) : 0;
}

int
main(int argc, char **argv)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    run_t run = { .events = argc == 5 ? strtoull(argv[4], NULL, 10) : 0 };
    kappa_errors_t errors;
    kappa_store_t *store;

    kappa_errors_init(&errors, arena, 0);
    if (argc == 3 && strcmp(argv[1], "schema") == 0) {
        fputs(argv[2][0] == 'p' ? plain : indexed, stdout);
        return 0;
    }
    if (run.events == 0) {
        fputs("usage: replay DIR plain|indexed ordered|scattered EVENTS\n",
            stderr);
        return 2;
    }
    kappa_store_options_t options = { .dir = kappa_str_c(argv[1]),
        .schema_name = KAPPA_STR("schema.graphql"),
        .schema_text = kappa_str_c(argv[2][0] == 'p' ? plain : indexed),
        .alloc = &kappa_alloc_libc,
        .strict = true };
    if (kappa_store_create(options.dir, -1, -1, &errors) != KAPPA_OK) {
        die(&errors, "make a store");
    }
    fill_log(argv[1], run.events, argv[3][0] == 'o', &errors);

    int64_t start = kappa_monotonic_us(), cpu = cpu_us();
    if (kappa_store_open(&options, &store, &errors) != KAPPA_OK
        || kappa_store_build(store, look, &run, &errors) != KAPPA_OK) {
        die(&errors, "build");
    }
    int64_t took = kappa_monotonic_us() - start;
    cpu = cpu_us() - cpu;
    if (kappa_store_position(store) != run.events) {
        die(&errors, "the views are not where the log is");
    }
    printf("events %llu microseconds %lld cpu %lld memory_first %ld "
           "memory_last %ld size %ld\n",
        (unsigned long long)run.events, (long long)took, (long long)cpu,
        run.first, run.most, views_mib(argv[1]));
    kappa_store_close(store, true);
    return 0;
}
