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

/* A batch is bounded in events and in bytes, and between two batches others
 * get the lock: an importer that does not yield starves them (a worker waits
 * up to a second; with this pause, milliseconds). */
#define BATCH_EVENTS 1000
#define BATCH_BYTES (1024 * 1024)
#define PAUSE_US 500
/* A line holds an event of at most 1 MiB; escapes may make it longer. */
#define LINE_BYTES_MAX (8 * 1024 * 1024)
/* When the store says that it is busy: how often and how long to wait. */
#define RETRIES_MAX 600
#define RETRY_US 100000

typedef struct {
    const char *name; /* of the input, for messages */
    FILE *in;
    uint64_t total; /* bytes; 0: not known */
    uint64_t read;
    uint64_t line; /* number of the line last read */
    kappa_store_t *store;
    kappa_progress_t progress;

    /* The batch: lines and what is parsed of them live in arena. */
    kappa_arena_t *arena;
    kappa_event_t events[BATCH_EVENTS];
    uint64_t lines[BATCH_EVENTS]; /* line number of each */
    uint32_t count;
    size_t bytes;

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
        .events = import->events + from,
        .event_count = import->count - from,
        .version = kappa_store_version(import->store),
        .now_ms = kappa_now_ms(),
        .arena = import->arena,
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
            ? refuse(import, import->lines[from], job.message)
            : give_up(import, import->lines[from], &job);
    }
    return KAPPA_BUSY;
}

static kappa_status_t
commit_batch(kappa_import_t *import)
{
    if (import->count == 0) {
        return KAPPA_OK;
    }
    kappa_status_t status = submit_all(import);
    if (status != KAPPA_OK) {
        return status;
    }
    import->count = 0;
    import->bytes = 0;
    kappa_arena_reset(import->arena);
    kappa_progress_show(&import->progress, import->read, import->total,
        import->appended + import->duplicates);
    usleep(PAUSE_US);
    return KAPPA_OK;
}

/* A wrong line: what stands before it is committed first. */
static kappa_status_t
wrong_line(kappa_import_t *import, kappa_str_t why)
{
    uint64_t line = import->line;
    /* commit_batch gives the arena's memory back. */
    char *copy = strndup(why.data ? why.data : "", why.len);
    kappa_status_t status = commit_batch(import);

    if (status == KAPPA_OK) {
        status = refuse(import, line, kappa_str_c(copy ? copy : "wrong"));
    }
    free(copy);
    return status;
}

static kappa_status_t
add_line(kappa_import_t *import, kappa_str_t text)
{
    kappa_errors_t errors;
    kappa_str_t line = kappa_str_dup(import->arena, text);

    if (line.data == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_errors_init(&errors, import->arena, 1);
    kappa_status_t status = kappa_event_parse_json(
        import->arena, line, &import->events[import->count], &errors);
    if (status == KAPPA_INVALID || status == KAPPA_LIMIT) {
        return wrong_line(import,
            errors.first ? errors.first->message : KAPPA_STR("not an event"));
    }
    if (status != KAPPA_OK) {
        return status;
    }
    import->lines[import->count++] = import->line;
    import->bytes += line.len;
    return import->count == BATCH_EVENTS || import->bytes >= BATCH_BYTES
        ? commit_batch(import)
        : KAPPA_OK;
}

/* Appends a line, without its newline, to buf. KAPPA_DONE: no more.
 * KAPPA_LIMIT: too long; the rest of it is not read. */
static kappa_status_t
read_line(kappa_import_t *import, kappa_buf_t *buf)
{
    int c;

    kappa_buf_reset(buf);
    while ((c = getc_unlocked(import->in)) != EOF && c != '\n') {
        if (buf->len == LINE_BYTES_MAX) {
            return KAPPA_LIMIT;
        }
        kappa_buf_char(buf, (char)c);
    }
    if (c == EOF && ferror(import->in)) {
        fprintf(stderr, "kappa: %s: %s\n", import->name, strerror(errno));
        return KAPPA_IO;
    }
    if (c == EOF && buf->len == 0) {
        return KAPPA_DONE;
    }
    import->line++;
    import->read += buf->len + 1;
    return buf->failed ? KAPPA_NOMEM : KAPPA_OK;
}

static bool
is_blank(kappa_str_t line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (memchr(" \t\r", line.data[i], 3) == NULL) {
            return false;
        }
    }
    return true;
}

static kappa_status_t
import_lines(kappa_import_t *import)
{
    kappa_buf_t buf;
    kappa_status_t status;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    while ((status = read_line(import, &buf)) == KAPPA_OK) {
        if (!is_blank(kappa_buf_view(&buf))) {
            status = add_line(import, kappa_buf_view(&buf));
        }
        if (status != KAPPA_OK) {
            break;
        }
    }
    if (status == KAPPA_LIMIT && buf.len == LINE_BYTES_MAX) {
        import->line++;
        status = wrong_line(import, KAPPA_STR("the line is too long"));
    }
    kappa_buf_release(&buf);
    return status == KAPPA_DONE ? commit_batch(import) : status;
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
    kappa_status_t status = KAPPA_NOMEM;

    import->arena = kappa_arena_create(&kappa_alloc_libc, BATCH_BYTES);
    if (import->arena != NULL) {
        kappa_progress_start(&import->progress, "importing");
        status = import_lines(import);
        kappa_progress_end(&import->progress);
    }
    if (status == KAPPA_OK) {
        tell_end(import);
    } else if (status == KAPPA_NOMEM) {
        kappa_input_no_memory();
    }
    kappa_arena_destroy(import->arena);
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
