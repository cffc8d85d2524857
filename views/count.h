#ifndef KAPPA_VIEWS_COUNT_H
#define KAPPA_VIEWS_COUNT_H

#include "views/env.h"
#include "views/model.h"

/* How many entries of an index share their first fields, kept at every write
 * where a totalCount may ask for it (kappa_index_t.counted), so that no read
 * counts. In KAPPA_DBI_COUNTS: the entry's prefix and the number of fields to
 * the number, 8 bytes. */

/* An entry was replaced; len 0: there was, or is, none. */
kappa_status_t kappa_counts_change(kappa_txn_t *txn,
    const kappa_index_t *index, kappa_str_t old, kappa_str_t new);

/* prefix: of the index, with its first `fields` fields. */
kappa_status_t kappa_counts_get(
    kappa_txn_t *txn, kappa_str_t prefix, uint32_t fields, int64_t *count);

#endif
