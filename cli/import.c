#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "cli/command.h"
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
take_bytes(kappa_import_t *import, kappa_str_t bytes)
{
    kappa_status_t status;

    while (
        (status = kappa_ndjson_feed(&import->ndjson, &bytes)) == KAPPA_BUSY) {
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
    kappa_status_t status = kappa_ndjson_end(&import->ndjson);

    if (status == KAPPA_BUSY) {
        status = commit_batch(import);
        if (status != KAPPA_OK) {
            return status;
        }
        status = kappa_ndjson_end(&import->ndjson);
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

/* Files are opened before root becomes the store's owner. */
static int
import_file(kappa_arena_t *arena, const char *path, const char *dir,
    const char *schema_path)
{
    static kappa_import_t import;
    kappa_source_t schema = { .text = KAPPA_STR_NULL };
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    if (!open_input(&import, path)
        || (schema_path != NULL
            && kappa_input_read(arena, schema_path, &schema) != KAPPA_OK)) {
        return KAPPA_EXIT_USAGE;
    }
    if (kappa_cli_open_store(
            dir, &schema, KAPPA_CLI_CREATE, &import.store, &errors)
        != KAPPA_OK) {
        return KAPPA_EXIT_ERRORS;
    }
    int code = import_into(&import);
    kappa_store_close(import.store, true);
    return code;
}

static int
run(int argc, char **argv)
{
    const char *dir = NULL;
    const char *schema = NULL;
    const kappa_option_t options[] = {
        { "store", &dir, NULL },
        { "schema", &schema, NULL },
        { NULL, NULL, NULL },
    };

    if (!kappa_options_take(&argc, argv, options) || argc != 2
        || dir == NULL) {
        return kappa_command_misuse(&kappa_command_import);
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int code = arena ? import_file(arena, argv[1], dir, schema)
                     : kappa_input_no_memory();
    kappa_arena_destroy(arena);
    return code;
}

const kappa_command_t kappa_command_import = {
    .name = "import",
    .usage = "FILE|- --store DIR [--schema FILE]",
    .summary = "Appends events, one JSON object a line; with a schema, makes "
               "the store.",
    .run = run,
};
