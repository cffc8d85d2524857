#include "cli/options.h"

#include <stdio.h>
#include <string.h>

static const kappa_option_t *
find(const kappa_option_t *options, const char *name, size_t len)
{
    for (; options->name != NULL; options++) {
        if (strlen(options->name) == len
            && memcmp(options->name, name, len) == 0) {
            return options;
        }
    }
    return NULL;
}

/* arg is behind its dashes; next is the argument that follows, or NULL.
 * Returns how many arguments it took, 0 for a mistake. */
static int
take_one(const kappa_option_t *options, const char *arg, const char *next)
{
    size_t len = strcspn(arg, "=");
    const kappa_option_t *option = find(options, arg, len);

    if (option == NULL) {
        fprintf(stderr, "kappa: there is no option --%.*s\n", (int)len, arg);
        return 0;
    }
    if (option->value == NULL) {
        *option->flag = true;
        return 1;
    }
    *option->value = arg[len] == '=' ? arg + len + 1 : next;
    if (*option->value == NULL) {
        fprintf(stderr, "kappa: --%s needs a value\n", option->name);
        return 0;
    }
    return arg[len] == '=' ? 1 : 2;
}

bool
kappa_options_take(int *argc, char **argv, const kappa_option_t *options)
{
    int kept = 1;
    int i = 1;

    while (i < *argc) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        if (strncmp(argv[i], "--", 2) != 0) {
            argv[kept++] = argv[i++];
            continue;
        }
        int taken =
            take_one(options, argv[i] + 2, i + 1 < *argc ? argv[i + 1] : NULL);
        if (taken == 0) {
            return false;
        }
        i += taken;
    }
    while (i < *argc) {
        argv[kept++] = argv[i++];
    }
    *argc = kept;
    return true;
}
