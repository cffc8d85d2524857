#include <stdio.h>

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
tell(kappa_status_t status, const char *thing, const char *key,
    uint64_t events, const kappa_errors_t *errors)
{
    if (status == KAPPA_OK) {
        printf("%llu events of %s %s are forgotten\n",
            (unsigned long long)events, thing, key);
        return KAPPA_EXIT_OK;
    }
    kappa_cli_tell(errors);
    if (status == KAPPA_NOT_FOUND) {
        fprintf(stderr, "kappa: there is no event of %s %s\n", thing, key);
    } else {
        fprintf(stderr,
            "kappa: it is not done: give the command again to finish it\n");
    }
    return KAPPA_EXIT_ERRORS;
}

static int
forget(
    kappa_arena_t *arena, const char *dir, const char *thing, const char *key)
{
    const kappa_source_t none = { .text = KAPPA_STR_NULL };
    kappa_filter_t filter = { .thing = kappa_str_c(thing) };
    kappa_progress_t progress;
    kappa_errors_t errors;
    kappa_store_t *store;
    uint64_t events;

    kappa_errors_init(&errors, arena, 0);
    if (kappa_filter_key(arena, kappa_str_c(key), &filter) != KAPPA_OK) {
        fprintf(stderr, "kappa: the key is not UTF-8\n");
        return KAPPA_EXIT_USAGE;
    }
    if (kappa_cli_open_store(dir, &none, 0, &store, &errors) != KAPPA_OK) {
        return KAPPA_EXIT_ERRORS;
    }
    kappa_progress_start(&progress, "forgetting");
    kappa_status_t status =
        kappa_store_forget(store, &filter, show, &progress, &events, &errors);
    kappa_progress_end(&progress);
    kappa_store_close(store, true);
    return tell(status, thing, key, events, &errors);
}

static int
run(int argc, char **argv)
{
    const char *dir = NULL;
    const kappa_option_t options[] = {
        { "store", &dir, NULL },
        { NULL, NULL, NULL },
    };

    if (!kappa_options_take(&argc, argv, options) || argc != 3
        || dir == NULL) {
        return kappa_command_misuse(&kappa_command_forget);
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int code =
        arena ? forget(arena, dir, argv[1], argv[2]) : kappa_input_no_memory();
    kappa_arena_destroy(arena);
    return code;
}

const kappa_command_t kappa_command_forget = {
    .name = "forget",
    .usage = "THING KEY --store DIR",
    .summary = "Blanks all events of a key in the log, and what the views "
               "have of it.",
    .run = run,
};
