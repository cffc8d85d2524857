#ifndef KAPPA_VIEWS_SECRET_H
#define KAPPA_VIEWS_SECRET_H

#include "base/error.h"
#include "base/siv.h"
#include "base/status.h"

/* A store's secret: STORE/secret, random bytes for who runs the store alone
 * (0600). Cursors are sealed with what is made of it. Not in the log and not
 * in the views: it is neither backed up nor rebuilt. */

/* Makes it when it is missing; whoever is first counts. KAPPA_IO,
 * KAPPA_CORRUPT: STORE_UNAVAILABLE and why. */
kappa_status_t kappa_secret_make(int dir, kappa_errors_t *errors);

/* The key for cursors; makes the secret when it is missing. */
kappa_status_t kappa_secret_cursors(
    int dir, uint8_t key[KAPPA_SIV_KEY_BYTES], kappa_errors_t *errors);

#endif
