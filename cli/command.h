#ifndef KAPPA_CLI_COMMAND_H
#define KAPPA_CLI_COMMAND_H

/* A command of `kappa`. run gets what stands behind its name (argv[0] is the
 * name) and returns the exit status: 0 well, 1 the input has errors, 2 a
 * wrong call. cli/main.c has the table. */
typedef struct {
    const char *name;
    const char *usage;   /* "SCHEMA [QUERY] [--json]" */
    const char *summary; /* one line */
    int (*run)(int argc, char **argv);
} kappa_command_t;

extern const kappa_command_t kappa_command_parse;
extern const kappa_command_t kappa_command_validate;
extern const kappa_command_t kappa_command_print_schema;
extern const kappa_command_t kappa_command_check;
extern const kappa_command_t kappa_command_diff;
extern const kappa_command_t kappa_command_import;
extern const kappa_command_t kappa_command_export;
extern const kappa_command_t kappa_command_log;
extern const kappa_command_t kappa_command_show;
extern const kappa_command_t kappa_command_rebuild;
extern const kappa_command_t kappa_command_verify;
extern const kappa_command_t kappa_command_forget;
extern const kappa_command_t kappa_command_backup;
extern const kappa_command_t kappa_command_restore;

#define KAPPA_EXIT_OK 0
#define KAPPA_EXIT_ERRORS 1
#define KAPPA_EXIT_USAGE 2

/* Prints the command's usage to stderr; always KAPPA_EXIT_USAGE. */
int kappa_command_misuse(const kappa_command_t *command);

#endif
