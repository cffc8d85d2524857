#ifndef KAPPA_VIEWS_HOT_H
#define KAPPA_VIEWS_HOT_H

#include "base/alloc.h"
#include "base/str.h"

/* Where rows that were read lately lie in the map. Going down LMDB's tree for
 * a row costs more than all else that is done with it.
 *
 * Keys and values are not copied. They stay where they are as long as their
 * snapshot (mdb_txn_id) is the newest one or somebody reads it: LMDB uses no
 * page again that a snapshot needs. So what was found in a snapshot may be
 * used by any later transaction that stands on the same one, and by no other:
 * after a commit everything is looked up again. Of bounded size; one thread
 * at a time. */
typedef struct kappa_hot_s kappa_hot_t;

/* NULL: no memory. */
kappa_hot_t *kappa_hot_create(const kappa_alloc_t *alloc);
/* NULL is fine. */
void kappa_hot_destroy(kappa_hot_t *hot, const kappa_alloc_t *alloc);

bool kappa_hot_find(const kappa_hot_t *hot, uint64_t snapshot, kappa_str_t key,
    kappa_str_t *value);
/* key and value lie in the map, both of this snapshot. */
void kappa_hot_keep(
    kappa_hot_t *hot, uint64_t snapshot, kappa_str_t key, kappa_str_t value);

#endif
