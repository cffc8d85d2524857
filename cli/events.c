#include "cli/events.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/store.h"

typedef kappa_cli_events_options_t options_t;

/* Events past `after` that the filter wants. */
typedef struct {
    kappa_filter_t filter;
    uint64_t after;
    int64_t limit; /* events at most; INT64_MAX: all */
} request_t;

static int
wrong(const char *option, const char *value, const char *why)
{
    fprintf(stderr, "kappa: --%s %s: %s\n", option, value, why);
    return KAPPA_EXIT_USAGE;
}

static int
read_after(const char *text, const kappa_epoch_t *epoch, uint64_t *out)
{
    switch (kappa_position_locate(
        kappa_str_c(text), kappa_epoch_str(epoch), out)) {
    case KAPPA_OK:
        return KAPPA_EXIT_OK;
    case KAPPA_CONFLICT:
        wrong("after", text, "a position in another log");
        return KAPPA_EXIT_ERRORS;
    default:
        return wrong("after", text, "not a position (EPOCH-SEQ)");
    }
}

/* KAPPA_EXIT_OK: out is filled in. */
static int
read_request(kappa_arena_t *arena, const options_t *options,
    const kappa_epoch_t *epoch, request_t *out)
{
    *out = (request_t){ .limit = INT64_MAX,
        .filter = { .thing = kappa_str_c(options->thing),
            .verb = kappa_str_c(options->verb) } };
    if (options->limit != NULL
        && (!kappa_str_to_int64(kappa_str_c(options->limit), &out->limit)
            || out->limit < 0)) {
        return wrong("limit", options->limit, "not a number");
    }
    if (options->key != NULL
        && kappa_filter_key(arena, kappa_str_c(options->key), &out->filter)
            != KAPPA_OK) {
        return wrong("key", options->key, "not UTF-8");
    }
    return options->after != NULL
        ? read_after(options->after, epoch, &out->after)
        : KAPPA_EXIT_OK;
}

/* An event stream: all behind each other, or with a store those that its views
 * know of thing and key. */
typedef struct {
    const request_t *request;
    kappa_store_t *store; /* NULL: all */
    kappa_log_cursor_t *cursor;
    uint64_t seq; /* the last one looked at */
    uint64_t end;
} source_t;

static kappa_status_t
next_event(source_t *source, kappa_event_t *event, kappa_errors_t *errors)
{
    uint64_t seq;

    if (source->store != NULL) {
        kappa_status_t status = kappa_store_history(
            source->store, &source->request->filter, source->seq, &seq);

        if (status != KAPPA_OK) {
            return status;
        }
        kappa_log_cursor_seek(source->cursor, seq);
    }
    kappa_status_t status =
        kappa_log_cursor_next(source->cursor, source->end, event, errors);
    if (status == KAPPA_OK) {
        source->seq = event->seq;
    }
    return status;
}

static kappa_status_t
take_from(source_t *source, const kappa_epoch_t *epoch, kappa_cli_event_t each,
    void *ctx, kappa_errors_t *errors)
{
    const request_t *request = source->request;
    kappa_event_t event;
    kappa_status_t status = KAPPA_OK;

    for (int64_t left = request->limit; left > 0;) {
        status = next_event(source, &event, errors);
        if (status != KAPPA_OK) {
            break;
        }
        if (!kappa_filter_wants(&request->filter, &event)) {
            continue;
        }
        if (!each(ctx, &event, epoch)) {
            return KAPPA_IO; /* it was said why */
        }
        left--;
    }
    return status == KAPPA_DONE ? KAPPA_OK : status;
}

static kappa_status_t
take_events(kappa_log_t *log, kappa_store_t *store, const request_t *request,
    uint64_t end, kappa_cli_event_t each, void *ctx, kappa_errors_t *errors)
{
    source_t source = {
        .request = request, .store = store, .seq = request->after, .end = end
    };

    kappa_status_t status =
        kappa_log_cursor_open(log, request->after + 1, &source.cursor, errors);
    if (status != KAPPA_OK) {
        return status;
    }
    status = take_from(&source, kappa_log_epoch(log), each, ctx, errors);
    kappa_log_cursor_close(source.cursor);
    return status;
}

/* The views are asked only when they are there: making them is not this
 * command's work. */
static bool
has_views(const char *dir)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof(path), "%s/views/current", dir)
        < (int)sizeof(path)
        && access(path, R_OK) == 0;
}

/* A row's history goes back to what its thing was called before. */
static kappa_str_t
older_name(kappa_store_t *store, kappa_str_t thing)
{
    const kappa_view_t *view =
        store ? kappa_model_view(kappa_store_model(store), thing) : NULL;

    return view ? view->was : KAPPA_STR_NULL;
}

static kappa_status_t
take_range(kappa_log_t *log, const options_t *options, request_t *request,
    kappa_cli_event_t each, void *ctx, kappa_errors_t *errors)
{
    const kappa_source_t none = { .text = KAPPA_STR_NULL };
    kappa_store_t *store = NULL;
    uint64_t end;
    kappa_status_t status = KAPPA_OK;

    if (options->thing != NULL && options->key != NULL
        && has_views(options->dir)) {
        status = kappa_cli_open_store(options->dir, &none, 0, &store, errors);
    }
    if (status == KAPPA_OK) {
        request->filter.older = older_name(store, request->filter.thing);
        status = kappa_cli_log_end(options->dir, log, &end, errors);
        if (status == KAPPA_OK) {
            status = take_events(log, store, request, end, each, ctx, errors);
        }
        kappa_cli_tell(errors);
    }
    kappa_store_close(store, false);
    return status;
}

int
kappa_cli_events(kappa_arena_t *arena, const options_t *options,
    kappa_cli_event_t each, void *ctx)
{
    kappa_log_t *log;
    kappa_errors_t errors;
    request_t request;

    kappa_errors_init(&errors, arena, 0);
    if (kappa_cli_open_log(options->dir, &log, &errors) != KAPPA_OK) {
        return KAPPA_EXIT_ERRORS;
    }
    int code = read_request(arena, options, kappa_log_epoch(log), &request);
    if (code == KAPPA_EXIT_OK
        && take_range(log, options, &request, each, ctx, &errors)
            != KAPPA_OK) {
        code = KAPPA_EXIT_ERRORS;
    }
    kappa_log_close(log);
    return code;
}

bool
kappa_cli_write(const kappa_buf_t *buf)
{
    if (buf->failed) {
        fprintf(stderr, "kappa: out of memory\n");
        return false;
    }
    if (fwrite(buf->data, 1, buf->len, stdout) == buf->len) {
        return true;
    }
    fprintf(stderr, "kappa: can't write: %s\n", strerror(errno));
    return false;
}
