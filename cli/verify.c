#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/store.h"

static bool
show(void *ctx, uint64_t seq, uint64_t end)
{
    kappa_progress_show(ctx, seq, end, seq);
    return true;
}

static int
verify(kappa_arena_t *arena, const char *dir)
{
    const kappa_source_t none = { .text = KAPPA_STR_NULL };
    kappa_progress_t progress;
    kappa_errors_t errors;
    kappa_store_t *store;

    kappa_errors_init(&errors, arena, 0);
    if (kappa_cli_open_store(dir, &none, 0, &store, &errors) != KAPPA_OK) {
        return KAPPA_EXIT_ERRORS;
    }
    kappa_progress_start(&progress, "verifying");
    kappa_status_t status =
        kappa_store_verify(store, show, &progress, &errors);
    kappa_progress_end(&progress);
    kappa_cli_tell(&errors);
    bool good = status == KAPPA_OK && errors.count == 0;
    if (good) {
        printf("%.*s-%llu: the log is whole, the views are what it gives\n",
            KAPPA_STR_ARG(kappa_store_epoch(store)),
            (unsigned long long)kappa_store_position(store));
    }
    kappa_store_close(store, true);
    return good ? KAPPA_EXIT_OK : KAPPA_EXIT_ERRORS;
}

static int
run(int argc, char **argv)
{
    const char *dir = NULL;
    const kappa_option_t options[] = {
        { "store", &dir, NULL },
        { NULL, NULL, NULL },
    };

    if (!kappa_options_take(&argc, argv, options) || argc != 1
        || dir == NULL) {
        return kappa_command_misuse(&kappa_command_verify);
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int code = arena ? verify(arena, dir) : kappa_input_no_memory();
    kappa_arena_destroy(arena);
    return code;
}

const kappa_command_t kappa_command_verify = {
    .name = "verify",
    .usage = "--store DIR",
    .summary = "Reads the whole log and compares the views with what it "
               "gives.",
    .run = run,
};
