#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "cli/command.h"
#include "cli/import_csv.h"
#include "cli/input.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/store.h"
#include "log/ndjson.h"

/* Between two batches others get the lock: an importer that does not yield
 * starves them (a worker waits up to a second; with this pause,
 * milliseconds). */
#define PAUSE_US 500
/* When the store says that it is busy: how often and how long to wait. */
#define RETRIES_MAX 600
#define RETRY_US 100000
#define READ_BYTES (64 * 1024)

typedef struct {
    const char *name; /* of the input, for messages */
    FILE *in;
    uint64_t total; /* bytes; 0: not known */
    uint64_t read;
    kappa_store_t *store;
    kappa_progress_t progress;
    kappa_ndjson_t ndjson;
    kappa_import_csv_t *csv; /* NULL: the input is NDJSON */
    uint64_t appended;
    uint64_t duplicates; /* events that were in the log before */
} kappa_import_t;

static kappa_status_t
refuse(const kappa_import_t *import, uint64_t line, kappa_str_t why)
{
    fprintf(stderr, "%s:%llu: %.*s\n", import->name, (unsigned long long)line,
        KAPPA_STR_ARG(why));
    fprintf(stderr,
        "kappa: line %llu is wrong: nothing from it on was appended; the "
        "lines before it were\n",
        (unsigned long long)line);
    return KAPPA_INVALID;
}

static void
ignore_done(kappa_job_t *job)
{
    (void)job;
}

/* Submits the batch from event `from` on. */
static void
submit(kappa_import_t *import, uint32_t from, kappa_job_t *job)
{
    *job = (kappa_job_t){
        .events = import->ndjson.events + from,
        .event_count = import->ndjson.count - from,
        .version = kappa_store_version(import->store),
        .now_ms = kappa_now_ms(),
        .arena = import->ndjson.arena,
        .done = ignore_done,
    };
    kappa_buf_init(&job->response, &kappa_alloc_libc);
    kappa_store_commit(import->store, job);
    kappa_buf_release(&job->response);
    import->appended += job->appended;
    import->duplicates += job->duplicates;
}

/* What passes by itself: views that are being built, a new schema, a want of
 * memory. */
static bool
may_retry(const kappa_job_t *job)
{
    return job->code != NULL
        && (strcmp(job->code, "VIEWS_REBUILDING") == 0
            || strcmp(job->code, "SCHEMA_CHANGED") == 0
            || strcmp(job->code, "OVERLOADED") == 0);
}

/* The store could not take it, for no fault of the line. */
static kappa_status_t
give_up(const kappa_import_t *import, uint64_t line, const kappa_job_t *job)
{
    fprintf(stderr,
        "kappa: %s: %.*s\nkappa: the lines of %s before line %llu are in the "
        "log\n",
        job->code ? job->code : "the store failed",
        KAPPA_STR_ARG(job->message), import->name, (unsigned long long)line);
    return KAPPA_IO;
}

/* All events of the batch, in as many jobs as it takes. */
static kappa_status_t
submit_all(kappa_import_t *import)
{
    uint32_t from = 0;

    for (int i = 0; i < RETRIES_MAX; i++) {
        kappa_job_t job;

        submit(import, from, &job);
        if (job.status == KAPPA_OK) {
            return KAPPA_OK;
        }
        from += job.failed;
        if (i + 1 < RETRIES_MAX && may_retry(&job)) {
            usleep(RETRY_US);
            (void)kappa_cli_catch_up(import->store, NULL);
            continue;
        }
        return job.status == KAPPA_INVALID && !may_retry(&job)
            ? refuse(import, import->ndjson.lines[from], job.message)
            : give_up(import, import->ndjson.lines[from], &job);
    }
    return KAPPA_BUSY;
}

static kappa_status_t
commit_batch(kappa_import_t *import)
{
    if (import->ndjson.count == 0) {
        return KAPPA_OK;
    }
    kappa_status_t status = submit_all(import);
    if (status != KAPPA_OK) {
        return status;
    }
    kappa_ndjson_clear(&import->ndjson);
    kappa_progress_show(&import->progress, import->read, import->total,
        import->appended + import->duplicates);
    usleep(PAUSE_US);
    return KAPPA_OK;
}

/* A wrong line: what stands before it is committed first, which gives the
 * arena's memory back. */
static kappa_status_t
wrong_line(kappa_import_t *import)
{
    kappa_str_t why = import->ndjson.reason;
    char *copy = strndup(why.data, why.len);
    kappa_status_t status = commit_batch(import);

    if (status == KAPPA_OK) {
        status = refuse(import, import->ndjson.line,
            kappa_str_c(copy ? copy : "it is not an event"));
    }
    free(copy);
    return status;
}

static kappa_status_t
feed(kappa_import_t *import, kappa_str_t *bytes)
{
    return import->csv
        ? kappa_import_csv_feed(import->csv, &import->ndjson, bytes)
        : kappa_ndjson_feed(&import->ndjson, bytes);
}

static kappa_status_t
end(kappa_import_t *import)
{
    return import->csv ? kappa_import_csv_end(import->csv, &import->ndjson)
                       : kappa_ndjson_end(&import->ndjson);
}

static kappa_status_t
take_bytes(kappa_import_t *import, kappa_str_t bytes)
{
    kappa_status_t status;

    while ((status = feed(import, &bytes)) == KAPPA_BUSY) {
        status = commit_batch(import);
        if (status != KAPPA_OK) {
            return status;
        }
    }
    return status == KAPPA_INVALID ? wrong_line(import) : status;
}

static kappa_status_t
take_end(kappa_import_t *import)
{
    kappa_status_t status = end(import);

    if (status == KAPPA_BUSY) {
        status = commit_batch(import);
        if (status != KAPPA_OK) {
            return status;
        }
        status = end(import);
    }
    if (status == KAPPA_INVALID) {
        return wrong_line(import);
    }
    return status == KAPPA_OK ? commit_batch(import) : status;
}

static kappa_status_t
import_lines(kappa_import_t *import)
{
    static char buf[READ_BYTES];
    size_t n;

    while ((n = fread(buf, 1, sizeof(buf), import->in)) > 0) {
        import->read += n;
        kappa_status_t status = take_bytes(import, kappa_str(buf, n));
        if (status != KAPPA_OK) {
            return status;
        }
    }
    if (ferror(import->in)) {
        fprintf(stderr, "kappa: %s: %s\n", import->name, strerror(errno));
        return KAPPA_IO;
    }
    return take_end(import);
}

/* On a terminal, how it went; a pipe hears nothing. */
static void
tell_end(const kappa_import_t *import)
{
    kappa_str_t epoch = kappa_store_epoch(import->store);
    double seconds =
        (double)(kappa_monotonic_us() - import->progress.started_us) / 1e6;

    if (isatty(STDERR_FILENO) == 1) {
        fprintf(stderr,
            "%llu events appended in %.1f s, %llu were there before; "
            "position %.*s-%llu\n",
            (unsigned long long)import->appended, seconds,
            (unsigned long long)import->duplicates, KAPPA_STR_ARG(epoch),
            (unsigned long long)kappa_store_position(import->store));
    }
}

static int
import_into(kappa_import_t *import)
{
    kappa_status_t status =
        kappa_ndjson_init(&import->ndjson, &kappa_alloc_libc);

    if (status == KAPPA_OK) {
        kappa_progress_start(&import->progress, "importing");
        status = import_lines(import);
        kappa_progress_end(&import->progress);
    }
    if (status == KAPPA_OK) {
        tell_end(import);
    } else if (status == KAPPA_NOMEM) {
        kappa_input_no_memory();
    }
    kappa_ndjson_release(&import->ndjson);
    return status == KAPPA_OK ? KAPPA_EXIT_OK : KAPPA_EXIT_ERRORS;
}

static bool
open_input(kappa_import_t *import, const char *path)
{
    struct stat st;

    import->name = strcmp(path, "-") == 0 ? "stdin" : path;
    import->in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (import->in == NULL || fstat(fileno(import->in), &st) != 0) {
        fprintf(stderr, "kappa: %s: %s\n", path, strerror(errno));
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        fprintf(stderr, "kappa: %s is a directory\n", path);
        return false;
    }
    import->total = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    return true;
}

typedef struct {
    const char *path;
    const char *dir;
    const char *schema;
    const char *format; /* NULL: by the file's name */
    kappa_import_csv_options_t csv;
} options_t;

static bool
is_csv(const options_t *o)
{
    size_t len = strlen(o->path);

    return o->format ? strcmp(o->format, "csv") == 0
                     : len > 4 && strcmp(o->path + len - 4, ".csv") == 0;
}

/* Files are opened before root becomes the store's owner. */
static int
import_file(kappa_arena_t *arena, const options_t *o)
{
    static kappa_import_t import;
    kappa_source_t schema = { .text = KAPPA_STR_NULL };
    kappa_errors_t errors;
    kappa_status_t status = KAPPA_OK;

    kappa_errors_init(&errors, arena, 0);
    if (!open_input(&import, o->path)
        || (o->schema != NULL
            && kappa_input_read(arena, o->schema, &schema) != KAPPA_OK)) {
        return KAPPA_EXIT_USAGE;
    }
    if (kappa_cli_open_store(
            o->dir, &schema, KAPPA_CLI_CREATE, &import.store, &errors)
        != KAPPA_OK) {
        return KAPPA_EXIT_ERRORS;
    }
    if (is_csv(o)) {
        status = kappa_import_csv_create(
            &o->csv, kappa_store_model(import.store), &import.csv);
    }
    int code =
        status == KAPPA_OK ? import_into(&import) : kappa_input_no_memory();
    kappa_import_csv_destroy(import.csv);
    kappa_store_close(import.store, true);
    return code;
}

/* What goes together. False: said on stderr why not. */
static bool
check_options(const options_t *o)
{
    const kappa_import_csv_options_t *csv = &o->csv;
    bool any = csv->thing || csv->verb || csv->effect || csv->id || csv->time;

    if (o->format != NULL && strcmp(o->format, "csv") != 0
        && strcmp(o->format, "ndjson") != 0) {
        fprintf(stderr, "kappa: --format is ndjson or csv\n");
        return false;
    }
    if (any && !is_csv(o)) {
        fprintf(stderr,
            "kappa: --thing, --verb, --effect, --id and --time are for CSV "
            "(--format csv)\n");
        return false;
    }
    if (any && (csv->thing == NULL || csv->verb == NULL)) {
        fprintf(stderr, "kappa: --thing and --verb go together\n");
        return false;
    }
    return true;
}

static int
run(int argc, char **argv)
{
    options_t o = { .dir = NULL };
    const kappa_option_t table[] = {
        { "store", &o.dir, NULL },
        { "schema", &o.schema, NULL },
        { "format", &o.format, NULL },
        { "thing", &o.csv.thing, NULL },
        { "verb", &o.csv.verb, NULL },
        { "effect", &o.csv.effect, NULL },
        { "id", &o.csv.id, NULL },
        { "time", &o.csv.time, NULL },
        { NULL, NULL, NULL },
    };

    if (!kappa_options_take(&argc, argv, table) || argc != 2
        || o.dir == NULL) {
        return kappa_command_misuse(&kappa_command_import);
    }
    o.path = argv[1];
    if (!check_options(&o)) {
        return KAPPA_EXIT_USAGE;
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int code = arena ? import_file(arena, &o) : kappa_input_no_memory();
    kappa_arena_destroy(arena);
    return code;
}

const kappa_command_t kappa_command_import = {
    .name = "import",
    .usage = "FILE|- --store DIR [--schema FILE] [--format ndjson|csv] "
             "[--thing THING --verb VERB [--effect EFFECT] [--id COLUMN] "
             "[--time COLUMN]]",
    .summary = "Appends events, one JSON object a line, or from CSV; with a "
               "schema, makes the store.",
    .run = run,
};
