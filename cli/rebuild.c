#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/store.h"
#include "views/writer.h"

#define SKIPPED_LINES 20

static bool
show(void *ctx, uint64_t seq, uint64_t end)
{
    kappa_progress_show(ctx, seq, end, seq);
    return true;
}

static kappa_status_t
build(kappa_store_t *store, bool back, kappa_errors_t *errors)
{
    kappa_progress_t progress;

    kappa_progress_start(&progress, back ? "catching up" : "building views");
    kappa_status_t status = back
        ? kappa_store_rollback(store, show, &progress, errors)
        : kappa_store_rebuild(store, show, &progress, errors);
    kappa_progress_end(&progress);
    if (status == KAPPA_BUSY) {
        kappa_errors_add(errors, "VIEWS_REBUILDING",
            "another process builds views of this store already");
    }
    if (status != KAPPA_OK) {
        kappa_cli_tell(errors);
    }
    return status;
}

static bool
tell_skipped(void *ctx, uint64_t seq, kappa_str_t reason)
{
    int *left = ctx;

    fprintf(stderr, "kappa: skipped event %llu: %.*s\n",
        (unsigned long long)seq, KAPPA_STR_ARG(reason));
    return --*left > 0;
}

/* What the rules that serve now could not apply. */
static void
list_skipped(kappa_store_t *store)
{
    const kappa_read_options_t options = { .caller = NULL };
    kappa_snapshot_t *snapshot;
    kappa_store_state_t state;
    int left = SKIPPED_LINES;

    if (kappa_store_state(store, &state) != KAPPA_OK || state.skipped == 0
        || kappa_snapshot_begin(store, &options, &snapshot) != KAPPA_OK) {
        return;
    }
    fprintf(stderr, "kappa: %llu events were skipped%s\n",
        (unsigned long long)state.skipped,
        state.skipped > SKIPPED_LINES ? "; the newest of them:" : ":");
    (void)kappa_skipped_each(
        kappa_snapshot_txn(snapshot), tell_skipped, &left);
    kappa_snapshot_end(snapshot);
}

typedef struct {
    const char *dir;
    const char *schema; /* NULL: what the store has */
    bool strict;
    bool back;
} rebuild_t;

static void
tell_end(kappa_store_t *store)
{
    list_skipped(store);
    if (isatty(STDERR_FILENO) == 1) {
        fprintf(stderr, "the views are at %.*s-%llu\n",
            KAPPA_STR_ARG(kappa_store_epoch(store)),
            (unsigned long long)kappa_store_position(store));
    }
}

/* Opening a store builds what a new schema asks for; then there is nothing to
 * do but without one. */
static int
rebuild(kappa_arena_t *arena, const rebuild_t *wish)
{
    kappa_source_t schema = { .text = KAPPA_STR_NULL };
    kappa_errors_t errors;
    kappa_store_t *store;
    unsigned flags = KAPPA_CLI_INSIST | (wish->strict ? KAPPA_CLI_STRICT : 0);

    kappa_errors_init(&errors, arena, 0);
    if (wish->schema != NULL
        && kappa_input_read(arena, wish->schema, &schema) != KAPPA_OK) {
        return KAPPA_EXIT_USAGE;
    }
    if (kappa_cli_open_store(wish->dir, &schema, flags, &store, &errors)
        != KAPPA_OK) {
        return KAPPA_EXIT_ERRORS;
    }
    if (wish->schema == NULL
        && build(store, wish->back, &errors) != KAPPA_OK) {
        kappa_store_close(store, false);
        return KAPPA_EXIT_ERRORS;
    }
    tell_end(store);
    kappa_store_close(store, true);
    return KAPPA_EXIT_OK;
}

static int
run(int argc, char **argv)
{
    rebuild_t wish = { .dir = NULL };
    const kappa_option_t options[] = {
        { "store", &wish.dir, NULL },
        { "schema", &wish.schema, NULL },
        { "strict", NULL, &wish.strict },
        { "rollback", NULL, &wish.back },
        { NULL, NULL, NULL },
    };

    if (!kappa_options_take(&argc, argv, options) || argc != 1
        || wish.dir == NULL
        || (wish.back && (wish.schema != NULL || wish.strict))) {
        return kappa_command_misuse(&kappa_command_rebuild);
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int code = arena ? rebuild(arena, &wish) : kappa_input_no_memory();
    kappa_arena_destroy(arena);
    return code;
}

const kappa_command_t kappa_command_rebuild = {
    .name = "rebuild",
    .usage = "--store DIR [--schema FILE] [--strict] | --store DIR --rollback",
    .summary =
        "Builds the views anew from the log, beside the ones that serve.",
    .run = run,
};
