#ifndef KAPPA_VIEWS_LAYOUT_H
#define KAPPA_VIEWS_LAYOUT_H

#include "views/env.h"
#include "views/model.h"

/* A generation's layout: the numbers that stored bytes use for views, columns,
 * indexes and aggregates, by their names. Only ever appended to, so that
 * another schema can serve the same generation (DESIGN 7). Kept in META. */

/* Numbers everything in the model. In a write transaction what has no number
 * gets one; in a read transaction KAPPA_NOT_FOUND says that something has
 * none (the model then can't read this generation). Before the model is
 * shared between threads. KAPPA_CORRUPT: META is no layout; KAPPA_LIMIT: more
 * than 65,535 of a kind. */
kappa_status_t kappa_layout_apply(
    kappa_model_t *model, kappa_txn_t *txn, kappa_errors_t *errors);

#endif
