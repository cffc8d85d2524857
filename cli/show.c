#include <stdio.h>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/store.h"

typedef struct {
    const char *dir;
    const char *thing;
    const char *key;
    const char *at; /* NULL: now */
} options_t;

static bool
progressed(void *ctx, uint64_t seq, uint64_t end)
{
    kappa_progress_show(ctx, seq, end, seq);
    return true;
}

/* KAPPA_EXIT_OK: *seq is where. */
static int
read_position(kappa_store_t *store, const char *at, uint64_t *seq)
{
    *seq = UINT64_MAX;
    if (at == NULL) {
        return KAPPA_EXIT_OK;
    }
    switch (kappa_position_locate(
        kappa_str_c(at), kappa_store_epoch(store), seq)) {
    case KAPPA_OK:
        break;
    case KAPPA_CONFLICT:
        fprintf(stderr, "kappa: --at %s: a position in another log\n", at);
        return KAPPA_EXIT_ERRORS;
    default:
        fprintf(stderr, "kappa: --at %s: not a position (EPOCH-SEQ)\n", at);
        return KAPPA_EXIT_USAGE;
    }
    if (*seq > kappa_store_position(store)) {
        fprintf(stderr, "kappa: --at %s: the log is not there yet\n", at);
        return KAPPA_EXIT_ERRORS;
    }
    return KAPPA_EXIT_OK;
}

static int
tell(const options_t *o, kappa_status_t status, const kappa_errors_t *errors)
{
    kappa_cli_tell(errors);
    if (status == KAPPA_NOT_FOUND) {
        fprintf(stderr, "kappa: there is no %s %s%s%s\n", o->thing, o->key,
            o->at ? " at " : "", o->at ? o->at : "");
    } else if (status == KAPPA_NOMEM) {
        return kappa_input_no_memory();
    }
    return KAPPA_EXIT_ERRORS;
}

static int
show_row(kappa_store_t *store, const options_t *o,
    const kappa_filter_t *filter, kappa_errors_t *errors)
{
    kappa_progress_t progress;
    kappa_buf_t row;
    uint64_t seq;
    int code = read_position(store, o->at, &seq);

    if (code != KAPPA_EXIT_OK) {
        return code;
    }
    kappa_buf_init(&row, &kappa_alloc_libc);
    kappa_progress_start(&progress, "replaying");
    kappa_status_t status = kappa_store_show(
        store, filter, seq, progressed, &progress, &row, errors);
    kappa_progress_end(&progress);
    if (status == KAPPA_OK) {
        kappa_buf_char(&row, '\n');
        fwrite(row.data, 1, row.len, stdout);
    } else {
        code = tell(o, status, errors);
    }
    kappa_buf_release(&row);
    return code;
}

static int
show(kappa_arena_t *arena, const options_t *o)
{
    const kappa_source_t none = { .text = KAPPA_STR_NULL };
    kappa_filter_t filter = { .thing = kappa_str_c(o->thing) };
    kappa_errors_t errors;
    kappa_store_t *store;

    kappa_errors_init(&errors, arena, 0);
    if (kappa_filter_key(arena, kappa_str_c(o->key), &filter) != KAPPA_OK) {
        fprintf(stderr, "kappa: the key is not UTF-8\n");
        return KAPPA_EXIT_USAGE;
    }
    if (kappa_cli_open_store(o->dir, &none, 0, &store, &errors) != KAPPA_OK) {
        return KAPPA_EXIT_ERRORS;
    }
    int code = show_row(store, o, &filter, &errors);
    kappa_store_close(store, false);
    return code;
}

static int
run(int argc, char **argv)
{
    options_t o = { .dir = NULL };
    const kappa_option_t table[] = {
        { "store", &o.dir, NULL },
        { "at", &o.at, NULL },
        { NULL, NULL, NULL },
    };

    if (!kappa_options_take(&argc, argv, table) || argc != 3
        || o.dir == NULL) {
        return kappa_command_misuse(&kappa_command_show);
    }
    o.thing = argv[1];
    o.key = argv[2];
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int code = arena ? show(arena, &o) : kappa_input_no_memory();
    kappa_arena_destroy(arena);
    return code;
}

const kappa_command_t kappa_command_show = {
    .name = "show",
    .usage = "THING KEY --store DIR [--at POSITION]",
    .summary = "Prints a row as it is, or as it was.",
    .run = run,
};
