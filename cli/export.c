#include <stdio.h>

#include "base/csv.h"
#include "base/json.h"
#include "base/time.h"
#include "base/uuid.h"
#include "cli/command.h"
#include "cli/events.h"
#include "cli/input.h"
#include "cli/options.h"
#include "cli/store.h"
#include "views/row.h"

#define ROWS_A_TURN 1000

typedef struct {
    kappa_buf_t buf;
    kappa_arena_t *scratch;
    bool csv;
    bool headed;  /* the column's names are written */
    bool stopped; /* it could not be written */
} export_t;

/* --- events */

#define EVENT_COLUMNS                                                         \
    "position,id,time,iss,sub,thing,verb,key,effect,data,row\n"

static void
cell(export_t *x, kappa_str_t text)
{
    kappa_csv_write(&x->buf, text);
    kappa_buf_char(&x->buf, ',');
}

/* A string key is its text, unless that would read as something else. */
static void
key_cell(export_t *x, kappa_str_t json)
{
    kappa_value_t key, again;

    if (json.data != NULL
        && kappa_json_parse(x->scratch, json, &key, NULL) == KAPPA_OK
        && key.kind == KAPPA_STRING && key.as.string.len > 0
        && kappa_json_parse(x->scratch, key.as.string, &again, NULL)
            != KAPPA_OK) {
        json = key.as.string;
    }
    cell(x, json);
}

static void
event_csv(export_t *x, const kappa_event_t *event, kappa_str_t position)
{
    char id[KAPPA_UUID_CHARS], time[KAPPA_TIME_CHARS];

    if (!x->headed) {
        KAPPA_BUF_LIT(&x->buf, EVENT_COLUMNS);
        x->headed = true;
    }
    kappa_uuid_format(event->id, id);
    kappa_time_format(event->time_ms, time);
    cell(x, position);
    cell(x, kappa_str(id, sizeof(id)));
    cell(x, kappa_str(time, sizeof(time)));
    cell(x, event->actor_iss);
    cell(x, event->actor_sub);
    cell(x, event->thing);
    cell(x, event->verb);
    key_cell(x, event->key);
    cell(x, kappa_str_c(kappa_effect_name(event->effect)));
    cell(x, event->data);
    kappa_csv_write(&x->buf, event->row);
}

/* Of a forgotten event there is nothing that could be imported. */
static bool
export_event(void *ctx, const kappa_event_t *event, const kappa_epoch_t *epoch)
{
    char text[KAPPA_POSITION_CHARS_MAX];
    kappa_str_t position =
        kappa_str(text, kappa_position_format(epoch, event->seq, text));
    export_t *x = ctx;

    if (event->forgotten) {
        return true;
    }
    kappa_arena_reset(x->scratch);
    kappa_buf_reset(&x->buf);
    if (x->csv) {
        event_csv(x, event, position);
    } else {
        kappa_event_json(&x->buf, event, position);
    }
    kappa_buf_char(&x->buf, '\n');
    return kappa_cli_write(&x->buf);
}

static int
export_events(
    export_t *x, kappa_arena_t *arena, const kappa_cli_events_options_t *o)
{
    int code = kappa_cli_events(arena, o, export_event, x);

    if (code == KAPPA_EXIT_OK && x->csv && !x->headed) {
        fputs(EVENT_COLUMNS, stdout);
    }
    return code;
}

/* --- rows of a view */

/* A comma before each but the first that is shown. */
static void
separate(export_t *x, bool *first)
{
    if (!*first) {
        kappa_buf_char(&x->buf, ',');
    }
    *first = false;
}

static void
write_names(export_t *x, const kappa_view_t *view)
{
    bool first = true;

    for (uint32_t i = 0; i < view->column_count; i++) {
        if (view->columns[i].field != NULL) {
            separate(x, &first);
            kappa_csv_write(&x->buf, view->columns[i].name);
        }
    }
    kappa_buf_char(&x->buf, '\n');
    x->headed = true;
}

/* Texts and times without their quotes, all else as its JSON. */
static void
write_cell(export_t *x, const kappa_column_t *column, const uint8_t *row)
{
    kappa_str_t json = kappa_row_column(row, column->number);
    kappa_value_t value;

    if (json.len == 0) {
        return;
    }
    if (json.data[0] == '"'
        && kappa_json_parse(x->scratch, json, &value, NULL) == KAPPA_OK
        && column->kind != KAPPA_COLUMN_JSON) {
        json = value.as.string;
    }
    kappa_csv_write(&x->buf, json);
}

static void
row_csv(export_t *x, const kappa_view_t *view, const uint8_t *row)
{
    bool first = true;

    for (uint32_t i = 0; i < view->column_count; i++) {
        if (view->columns[i].field != NULL) {
            separate(x, &first);
            write_cell(x, &view->columns[i], row);
        }
    }
}

/* Into memory: nobody is waited for while the snapshot lasts. */
static bool
export_row(void *ctx, const kappa_view_t *view, const uint8_t *row)
{
    export_t *x = ctx;

    if (x->csv && !x->headed) {
        write_names(x, view);
    }
    if (x->csv) {
        row_csv(x, view, row);
    } else {
        kappa_row_json(&x->buf, view, row);
    }
    kappa_buf_char(&x->buf, '\n');
    return true;
}

static kappa_status_t
export_rows(export_t *x, kappa_store_t *store, const char *name)
{
    kappa_rows_at_t rows = { .view = kappa_str_c(name) };
    kappa_status_t status;

    do {
        kappa_arena_reset(x->scratch);
        kappa_buf_reset(&x->buf);
        status = kappa_store_rows(store, &rows, ROWS_A_TURN, export_row, x);
        if ((status == KAPPA_OK || status == KAPPA_DONE)
            && !kappa_cli_write(&x->buf)) {
            x->stopped = true;
            return KAPPA_IO;
        }
    } while (status == KAPPA_OK);
    return status == KAPPA_DONE ? KAPPA_OK : status;
}

/* A view without rows has columns all the same. */
static void
export_no_rows(export_t *x, kappa_store_t *store, const char *name)
{
    const kappa_view_t *view =
        kappa_model_view(kappa_store_model(store), kappa_str_c(name));

    kappa_buf_reset(&x->buf);
    write_names(x, view);
    (void)kappa_cli_write(&x->buf);
}

static int
export_view(
    export_t *x, kappa_arena_t *arena, const char *dir, const char *name)
{
    const kappa_source_t none = { .text = KAPPA_STR_NULL };
    kappa_errors_t errors;
    kappa_store_t *store;

    kappa_errors_init(&errors, arena, 0);
    if (kappa_cli_open_store(dir, &none, 0, &store, &errors) != KAPPA_OK) {
        return KAPPA_EXIT_ERRORS;
    }
    kappa_status_t status = export_rows(x, store, name);
    if (status == KAPPA_OK && x->csv && !x->headed) {
        export_no_rows(x, store, name);
    }
    kappa_store_close(store, false);
    if (status == KAPPA_NOT_FOUND) {
        fprintf(stderr, "kappa: there is no view %s\n", name);
    } else if (status != KAPPA_OK && !x->stopped) {
        fprintf(stderr, "kappa: the views can't be read just now\n");
    }
    return status == KAPPA_OK ? KAPPA_EXIT_OK : KAPPA_EXIT_ERRORS;
}

/* --- */

static int export(
    const kappa_cli_events_options_t *o, const char *view, bool csv)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    export_t x = { .csv = csv };

    x.scratch = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_buf_init(&x.buf, &kappa_alloc_libc);
    int code = arena == NULL || x.scratch == NULL ? kappa_input_no_memory()
        : view != NULL ? export_view(&x, arena, o->dir, view)
                       : export_events(&x, arena, o);
    kappa_buf_release(&x.buf);
    kappa_arena_destroy(x.scratch);
    kappa_arena_destroy(arena);
    return code;
}

/* False: what was given does not go together; said on stderr. */
static bool
check_options(
    const kappa_cli_events_options_t *o, const char *view, const char *format)
{
    if (format != NULL && strcmp(format, "csv") != 0
        && strcmp(format, "ndjson") != 0) {
        fprintf(stderr, "kappa: --format is ndjson or csv\n");
        return false;
    }
    if (view != NULL
        && (o->after || o->thing || o->verb || o->key || o->limit)) {
        fprintf(stderr,
            "kappa: --view gives all rows of a view; the other "
            "options choose events\n");
        return false;
    }
    return true;
}

static int
run(int argc, char **argv)
{
    kappa_cli_events_options_t o = { .dir = NULL };
    const char *view = NULL, *format = NULL;
    const kappa_option_t table[] = {
        { "store", &o.dir, NULL },
        { "format", &format, NULL },
        { "view", &view, NULL },
        { "after", &o.after, NULL },
        { "thing", &o.thing, NULL },
        { "verb", &o.verb, NULL },
        { "key", &o.key, NULL },
        { "limit", &o.limit, NULL },
        { NULL, NULL, NULL },
    };

    if (!kappa_options_take(&argc, argv, table) || argc != 1
        || o.dir == NULL) {
        return kappa_command_misuse(&kappa_command_export);
    }
    if (!check_options(&o, view, format)) {
        return KAPPA_EXIT_USAGE;
    }
    return export(&o, view, format != NULL && strcmp(format, "csv") == 0);
}

const kappa_command_t kappa_command_export = {
    .name = "export",
    .usage = "--store DIR [--format ndjson|csv] [--view VIEW | "
             "[--after POSITION] [--thing THING] [--verb VERB] [--key KEY] "
             "[--limit N]]",
    .summary = "Writes events as import takes them, or the rows of a view.",
    .run = run,
};
