#ifndef KAPPA_CLI_OWNER_H
#define KAPPA_CLI_OWNER_H

#include "log/log.h"

/* What commands on a store have in common, as far as the log goes. */

/* Prints errors to stderr, a line each, with a place where there is one. */
void kappa_cli_tell(const kappa_errors_t *errors);

/* Started as root: become the owner of DIR, so that what is written is the
 * owner's; of the nearest existing parent where DIR is missing. Open what only
 * root may read before. False: said on stderr why not. */
bool kappa_cli_become_owner(const char *dir);

/* Becomes the owner and opens STORE/log: KAPPA_NOT_FOUND when there is no
 * store. What is wrong has been said on stderr. */
kappa_status_t kappa_cli_open_log(
    const char *dir, kappa_log_t **out, kappa_errors_t *errors);

#endif
