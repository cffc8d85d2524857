#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static const kappa_command_t *const commands[] = {
    &kappa_command_parse,
    &kappa_command_validate,
    &kappa_command_print_schema,
    &kappa_command_check,
    &kappa_command_diff,
    &kappa_command_import,
    &kappa_command_export,
    &kappa_command_log,
    &kappa_command_show,
    &kappa_command_rebuild,
    &kappa_command_verify,
    &kappa_command_forget,
    &kappa_command_backup,
    &kappa_command_restore,
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void
print_help(FILE *out)
{
    fprintf(out, "usage: kappa COMMAND …\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  kappa %s %s\n      %s\n", commands[i]->name,
            commands[i]->usage, commands[i]->summary);
    }
    fprintf(out, "\nFILE and SCHEMA may be -, the standard input.\n");
}

static void
print_usage(FILE *out, const kappa_command_t *command)
{
    fprintf(out, "usage: kappa %s %s\n", command->name, command->usage);
}

int
kappa_command_misuse(const kappa_command_t *command)
{
    print_usage(stderr, command);
    return KAPPA_EXIT_USAGE;
}

static int
is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0
        || strcmp(arg, "help") == 0;
}

/* A file of the store must not get the number of a stream that whoever called
 * has closed. What is opened in its place takes no writing, or no reading. */
static int
fill_streams(void)
{
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) < 0
            && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd) {
            return 0;
        }
    }
    return 1;
}

/* What could not be written is not well. */
static int
written(int code)
{
    if (code != KAPPA_EXIT_OK
        || (fflush(stdout) == 0 && ferror(stdout) == 0)) {
        return code;
    }
    fprintf(stderr, "kappa: can't write: %s\n", strerror(errno));
    return KAPPA_EXIT_ERRORS;
}

static int
run(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return KAPPA_EXIT_USAGE;
    }
    if (is_help(argv[1])) {
        print_help(stdout);
        return KAPPA_EXIT_OK;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i]->name) != 0) {
            continue;
        }
        if (argc > 2 && is_help(argv[2])) {
            print_usage(stdout, commands[i]);
            printf("%s\n", commands[i]->summary);
            return KAPPA_EXIT_OK;
        }
        return commands[i]->run(argc - 1, argv + 1);
    }
    fprintf(stderr, "kappa: there is no command \"%s\"; see kappa --help\n",
        argv[1]);
    return KAPPA_EXIT_USAGE;
}

int
main(int argc, char **argv)
{
    return fill_streams() ? written(run(argc, argv)) : KAPPA_EXIT_ERRORS;
}
