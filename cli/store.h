#ifndef KAPPA_CLI_STORE_H
#define KAPPA_CLI_STORE_H

#include "cli/owner.h"
#include "views/store.h"

/* What commands on a store have in common. */

#define KAPPA_CLI_CREATE 1u /* with a schema a missing store is made */
#define KAPPA_CLI_STRICT 2u /* builds stop at events they can't apply */
#define KAPPA_CLI_INSIST 4u /* the schema comes though it was rolled back */

/* Opens a store as its owner and brings its views up to date, with a progress
 * bar. schema: the schema's source; text.data NULL: what the store has. flags:
 * KAPPA_CLI_…. What is wrong has been said on stderr. */
kappa_status_t kappa_cli_open_store(const char *dir,
    const kappa_source_t *schema, unsigned flags, kappa_store_t **out,
    kappa_errors_t *errors);

/* Brings the views to the log's end, waiting for another builder. */
kappa_status_t kappa_cli_catch_up(
    kappa_store_t *store, kappa_errors_t *errors);

#endif
