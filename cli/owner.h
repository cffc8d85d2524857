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

/* How far the log of STORE may be read: what `tail` says is committed, and
 * what was acknowledged before who did so could write it there. Where that
 * says nothing (never written, or torn), the log is asked itself, under its
 * lock. */
kappa_status_t kappa_cli_log_end(
    const char *dir, kappa_log_t *log, uint64_t *end, kappa_errors_t *errors);

/* Makes DIR when it is missing, as the property of STORE's owner. To be called
 * before that owner is become. False: said on stderr why not. */
bool kappa_cli_make_beside(const char *dir, const char *store);

#endif
