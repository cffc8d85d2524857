#include <stdio.h>

#include "cli/command.h"
#include "cli/schema_file.h"
#include "graphql/validate.h"

static kappa_status_t
check_query(kappa_arena_t *arena, const kappa_schema_t *schema,
    const char *path, kappa_errors_t *errors)
{
    kappa_source_t *source = KAPPA_NEW(arena, kappa_source_t);
    kappa_document_t *document;

    if (source == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = kappa_input_read(arena, path, source);
    if (status == KAPPA_OK) {
        status =
            kappa_parse(arena, source, &kappa_input_limits, &document, errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_validate(arena, schema, document, errors);
    }
    return status;
}

static int
validate(kappa_arena_t *arena, const char *schema_path, const char *query_path,
    bool json)
{
    kappa_schema_t *schema;
    kappa_errors_t errors;
    const char *path = schema_path;

    kappa_errors_init(&errors, arena, KAPPA_INPUT_ERRORS_MAX);
    kappa_status_t status =
        kappa_schema_file_load(arena, schema_path, &schema, &errors);
    if (status == KAPPA_OK && query_path != NULL) {
        path = query_path;
        kappa_errors_init(&errors, arena, 0);
        status = check_query(arena, schema, query_path, &errors);
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

    if (!kappa_input_options(&argc, argv, &json) || argc < 2 || argc > 3
        || (argc == 3 && strcmp(argv[1], "-") == 0
            && strcmp(argv[2], "-") == 0)) {
        return kappa_command_misuse(&kappa_command_validate);
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int code = arena
        ? validate(arena, argv[1], argc == 3 ? argv[2] : NULL, json)
        : kappa_input_no_memory();
    kappa_arena_destroy(arena);
    return code;
}

const kappa_command_t kappa_command_validate = {
    .name = "validate",
    .usage = "SCHEMA [QUERY] [--json]",
    .summary = "Checks a schema, and a document against it, by the rules of "
               "GraphQL.",
    .run = run,
};
