#include "cli/command.h"
#include "cli/input.h"

static int
parse_file(kappa_arena_t *arena, const char *path, bool json)
{
    kappa_source_t source;
    kappa_document_t *document;
    kappa_errors_t errors;
    kappa_status_t status = kappa_input_read(arena, path, &source);

    if (status == KAPPA_OK) {
        kappa_errors_init(&errors, arena, 0);
        status = kappa_parse(
            arena, &source, &kappa_input_limits, &document, &errors);
    }
    if (status == KAPPA_NOMEM) {
        return kappa_input_no_memory();
    }
    return status == KAPPA_IO ? KAPPA_EXIT_USAGE
                              : kappa_input_report(&errors, path, json);
}

static int
run(int argc, char **argv)
{
    bool json;

    if (!kappa_input_options(&argc, argv, &json) || argc != 2) {
        return kappa_command_misuse(&kappa_command_parse);
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int code =
        arena ? parse_file(arena, argv[1], json) : kappa_input_no_memory();
    kappa_arena_destroy(arena);
    return code;
}

const kappa_command_t kappa_command_parse = {
    .name = "parse",
    .usage = "FILE [--json]",
    .summary = "Checks the syntax of a GraphQL document.",
    .run = run,
};
