#ifndef KAPPA_VIEWS_UNFINISHED_H
#define KAPPA_VIEWS_UNFINISHED_H

#include "views/store_private.h"

/* Builds that were stopped or killed. While a generation is being filled its
 * directory has the file `building`: by what, and of which log. Who is to
 * build the same goes on where that ended, as its chunks are whole whatever
 * process dies. What nobody goes on with is over after an hour. */

/* A generation to be filled by this schema: the one that was begun with it, or
 * a new one. Under the lock of builders. */
kappa_status_t kappa_unfinished_begin(kappa_store_t *store, int views,
    const kappa_about_t *about, kappa_str_t text, kappa_generation_t **out,
    kappa_errors_t *errors);

/* It is complete. */
void kappa_unfinished_end(const kappa_generation_t *generation);

/* Whether somebody may still go on with generation `number`. */
bool kappa_unfinished_waits(kappa_store_t *store, int views, uint32_t number);

#endif
