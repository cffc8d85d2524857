#ifndef KAPPA_CLI_SCHEMA_FILE_H
#define KAPPA_CLI_SCHEMA_FILE_H

#include "cli/input.h"
#include "graphql/schema.h"

/* A schema from a file, by pure GraphQL: kappa.graphql is merged in when the
 * file applies a directive of kappa's that it does not declare. Without
 * `out` the result is only checked. KAPPA_INVALID: see errors. */
kappa_status_t kappa_schema_file_load(kappa_arena_t *arena, const char *path,
    kappa_schema_t **out, kappa_errors_t *errors);

/* The same from a text that is there already. */
kappa_status_t kappa_schema_text_load(kappa_arena_t *arena,
    const kappa_source_t *source, kappa_schema_t **out,
    kappa_errors_t *errors);

#endif
