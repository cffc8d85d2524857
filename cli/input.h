#ifndef KAPPA_CLI_INPUT_H
#define KAPPA_CLI_INPUT_H

#include "base/error.h"
#include "base/status.h"
#include "graphql/parser.h"

/* What commands over GraphQL files have in common. */

/* Reads a whole file, "-" being the standard input. KAPPA_IO: it has said
 * why on stderr. */
kappa_status_t kappa_input_read(
    kappa_arena_t *arena, const char *path, kappa_source_t *out);

/* So many errors of a schema are told. */
#define KAPPA_INPUT_ERRORS_MAX 1000

/* The command line's limits: documents nested deeper are refused. */
extern const kappa_parse_limits_t kappa_input_limits;

/* Prints the errors to stdout, one `file:line:column: message` a line, or as
 * JSON; gives the exit status that follows from them. */
int kappa_input_report(
    const kappa_errors_t *errors, const char *file, bool json);

/* Out of memory: says so; an exit status. */
int kappa_input_no_memory(void);

/* Takes "--json" out of the arguments; false: there is another option. */
bool kappa_input_options(int *argc, char **argv, bool *json);

#endif
