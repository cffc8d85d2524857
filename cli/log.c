#include "log/log.h"

#include <stdio.h>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/options.h"
#include "cli/owner.h"
#include "log/tail.h"

typedef struct {
    const char *dir;
    const char *after;
    const char *thing;
    const char *verb;
    const char *key;
    const char *limit;
} options_t;

/* What to print: events past `after` that match. */
typedef struct {
    uint64_t after;
    int64_t limit; /* events at most; INT64_MAX: all */
    kappa_str_t thing;
    kappa_str_t verb;
    kappa_str_t key;
} filter_t;

static int
wrong(const char *option, const char *value, const char *why)
{
    fprintf(stderr, "kappa: --%s %s: %s\n", option, value, why);
    return KAPPA_EXIT_USAGE;
}

/* KAPPA_EXIT_OK: out is filled in. */
static int
read_filter(
    const options_t *options, const kappa_epoch_t *epoch, filter_t *out)
{
    kappa_position_t after;

    *out = (filter_t){ .limit = INT64_MAX,
        .thing = kappa_str_c(options->thing),
        .verb = kappa_str_c(options->verb),
        .key = kappa_str_c(options->key) };
    if (options->limit != NULL
        && (!kappa_str_to_int64(kappa_str_c(options->limit), &out->limit)
            || out->limit < 0)) {
        return wrong("limit", options->limit, "not a number");
    }
    if (options->after == NULL) {
        return KAPPA_EXIT_OK;
    }
    if (!kappa_position_parse(kappa_str_c(options->after), &after)) {
        return wrong("after", options->after, "not a position (EPOCH-SEQ)");
    }
    if (!kappa_epoch_eq(&after.epoch, epoch)) {
        wrong("after", options->after, "a position in another log");
        return KAPPA_EXIT_ERRORS;
    }
    out->after = after.seq;
    return KAPPA_EXIT_OK;
}

/* Keys are JSON; a user gives a string as it is. */
static bool
key_matches(kappa_str_t key, kappa_str_t wanted)
{
    return kappa_str_eq(key, wanted)
        || (key.len == wanted.len + 2 && key.data[0] == '"'
            && memcmp(key.data + 1, wanted.data, wanted.len) == 0);
}

static bool
matches(const filter_t *filter, const kappa_event_t *event)
{
    return (filter->thing.data == NULL
               || kappa_str_eq(filter->thing, event->thing))
        && (filter->verb.data == NULL
            || kappa_str_eq(filter->verb, event->verb))
        && (filter->key.data == NULL || key_matches(event->key, filter->key));
}

/* How far the log may be read: what `tail` says is committed. Where it says
 * nothing (never written, or torn), the log is asked itself, under its lock.
 */
static kappa_status_t
find_end(
    const char *dir, kappa_log_t *log, uint64_t *end, kappa_errors_t *errors)
{
    kappa_tail_t tail;
    kappa_position_t at;
    kappa_log_known_t nothing = { 0, 0 };

    kappa_status_t status = kappa_tail_open(&tail, dir, errors);
    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_tail_read(&tail, &at);
    kappa_tail_close(&tail);
    if (status == KAPPA_OK
        && kappa_epoch_eq(&at.epoch, kappa_log_epoch(log))) {
        *end = at.seq;
        return KAPPA_OK;
    }
    status = kappa_log_lock(log, errors);
    if (status == KAPPA_OK) {
        status = kappa_log_tail(log, &nothing, end, errors);
        kappa_log_unlock(log);
    }
    return status;
}

static bool
print_event(
    kappa_buf_t *buf, const kappa_event_t *event, const kappa_epoch_t *epoch)
{
    char position[KAPPA_POSITION_CHARS_MAX];
    size_t len = kappa_position_format(epoch, event->seq, position);

    kappa_buf_reset(buf);
    kappa_event_json(buf, event, kappa_str(position, len));
    kappa_buf_char(buf, '\n');
    return !buf->failed && fwrite(buf->data, 1, buf->len, stdout) == buf->len;
}

static kappa_status_t
print_events(kappa_log_t *log, const filter_t *filter, uint64_t end,
    kappa_errors_t *errors)
{
    kappa_log_cursor_t *cursor;
    kappa_event_t event;
    kappa_buf_t buf;
    int64_t left = filter->limit;

    kappa_status_t status =
        kappa_log_cursor_open(log, filter->after + 1, &cursor, errors);
    if (status != KAPPA_OK) {
        return status;
    }
    kappa_buf_init(&buf, &kappa_alloc_libc);
    while (left > 0
        && (status = kappa_log_cursor_next(cursor, end, &event, errors))
            == KAPPA_OK) {
        if (!matches(filter, &event)) {
            continue;
        }
        if (!print_event(&buf, &event, kappa_log_epoch(log))) {
            status = KAPPA_DONE; /* nobody reads on */
            break;
        }
        left--;
    }
    kappa_buf_release(&buf);
    kappa_log_cursor_close(cursor);
    return status == KAPPA_DONE ? KAPPA_OK : status;
}

static int
print_log(kappa_arena_t *arena, const options_t *options)
{
    kappa_log_t *log;
    kappa_errors_t errors;
    filter_t filter;
    uint64_t end;

    kappa_errors_init(&errors, arena, 0);
    if (kappa_cli_open_log(options->dir, &log, &errors) != KAPPA_OK) {
        return KAPPA_EXIT_ERRORS;
    }
    int code = read_filter(options, kappa_log_epoch(log), &filter);
    if (code == KAPPA_EXIT_OK) {
        kappa_status_t status = find_end(options->dir, log, &end, &errors);
        if (status == KAPPA_OK) {
            status = print_events(log, &filter, end, &errors);
        }
        kappa_cli_tell(&errors);
        code = status == KAPPA_OK ? KAPPA_EXIT_OK : KAPPA_EXIT_ERRORS;
    }
    kappa_log_close(log);
    return code;
}

static int
run(int argc, char **argv)
{
    options_t o = { .dir = NULL };
    const kappa_option_t table[] = {
        { "store", &o.dir, NULL },
        { "after", &o.after, NULL },
        { "thing", &o.thing, NULL },
        { "verb", &o.verb, NULL },
        { "key", &o.key, NULL },
        { "limit", &o.limit, NULL },
        { NULL, NULL, NULL },
    };

    if (!kappa_options_take(&argc, argv, table) || argc != 1
        || o.dir == NULL) {
        return kappa_command_misuse(&kappa_command_log);
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int code = arena ? print_log(arena, &o) : kappa_input_no_memory();
    kappa_arena_destroy(arena);
    return code;
}

const kappa_command_t kappa_command_log = {
    .name = "log",
    .usage = "--store DIR [--after POSITION] [--thing THING] [--verb VERB] "
             "[--key KEY] [--limit N]",
    .summary = "Prints events, one JSON object a line.",
    .run = run,
};
