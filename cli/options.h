#ifndef KAPPA_CLI_OPTIONS_H
#define KAPPA_CLI_OPTIONS_H

#include <stdbool.h>

/* Options of a command: "--name VALUE" or "--name=VALUE", and "--name" alone
 * for a flag. */
typedef struct {
    const char *name;   /* without the dashes; NULL ends a table */
    const char **value; /* where its value goes; NULL: a flag */
    bool *flag;
} kappa_option_t;

/* Takes the options out of the arguments behind argv[0]; what stands behind
 * "--" is no option. False: an unknown option, or one without its value; said
 * on stderr. */
bool kappa_options_take(int *argc, char **argv, const kappa_option_t *options);

#endif
