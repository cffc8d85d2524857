#include "cli/command.h"
#include "cli/input.h"
#include "views/model.h"

static int
check(kappa_arena_t *arena, const char *path, bool json)
{
    kappa_source_t source;
    kappa_model_t *model;
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, KAPPA_INPUT_ERRORS_MAX);
    if (kappa_input_read(arena, path, &source) != KAPPA_OK) {
        return KAPPA_EXIT_USAGE;
    }
    kappa_status_t status =
        kappa_model_load(arena, source.name, source.text, &model, &errors);
    return status == KAPPA_NOMEM ? kappa_input_no_memory()
                                 : kappa_input_report(&errors, path, json);
}

static int
run(int argc, char **argv)
{
    bool json;

    if (!kappa_input_options(&argc, argv, &json) || argc != 2) {
        return kappa_command_misuse(&kappa_command_check);
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int code = arena ? check(arena, argv[1], json) : kappa_input_no_memory();
    kappa_arena_destroy(arena);
    return code;
}

const kappa_command_t kappa_command_check = {
    .name = "check",
    .usage = "SCHEMA [--json]",
    .summary = "Says all that nginx -t would say about a schema.",
    .run = run,
};
