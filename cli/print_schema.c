#include <stdio.h>

#include "cli/command.h"
#include "cli/schema_file.h"
#include "graphql/print.h"

static int
print(const kappa_schema_t *schema)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_print_schema(&buf, schema);
    bool failed = buf.failed;
    if (!failed) {
        fwrite(buf.data, 1, buf.len, stdout);
    }
    kappa_buf_release(&buf);
    return failed ? kappa_input_no_memory() : KAPPA_EXIT_OK;
}

static int
print_schema(kappa_arena_t *arena, const char *path)
{
    kappa_schema_t *schema;
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, KAPPA_INPUT_ERRORS_MAX);
    kappa_status_t status =
        kappa_schema_file_load(arena, path, &schema, &errors);
    if (status == KAPPA_OK) {
        return print(schema);
    }
    if (status == KAPPA_NOMEM) {
        return kappa_input_no_memory();
    }
    return status == KAPPA_IO ? KAPPA_EXIT_USAGE
                              : kappa_input_report(&errors, path, false);
}

static int
run(int argc, char **argv)
{
    bool json;

    if (!kappa_input_options(&argc, argv, &json) || json || argc != 2) {
        return kappa_command_misuse(&kappa_command_print_schema);
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int code = arena ? print_schema(arena, argv[1]) : kappa_input_no_memory();
    kappa_arena_destroy(arena);
    return code;
}

const kappa_command_t kappa_command_print_schema = {
    .name = "print-schema",
    .usage = "SCHEMA",
    .summary = "Prints the public schema: what clients see.",
    .run = run,
};
