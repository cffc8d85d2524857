#ifndef KAPPA_VIEWS_PENDING_H
#define KAPPA_VIEWS_PENDING_H

#include "views/env.h"

/* Writes to a database that wait until somebody reads it, or the transaction
 * ends. Then they are done in the order of their keys: neighbours share pages,
 * and many keys behind the last one fill pages to the brim. */

typedef struct kappa_pending_entry_s {
    kappa_str_t key;
    kappa_str_t value; /* data NULL: the key goes */
    struct kappa_pending_entry_s *next;
} kappa_pending_entry_t;

typedef struct {
    kappa_pending_entry_t *first;
    kappa_pending_entry_t *last;
    uint32_t count;
    bool unordered; /* the entries are not in the order of their keys */
} kappa_pending_t;

/* What came later counts. key and value are copied into the arena. */
kappa_status_t kappa_pending_put(kappa_pending_t *pending,
    kappa_arena_t *arena, kappa_str_t key, kappa_str_t value);
kappa_status_t kappa_pending_del(
    kappa_pending_t *pending, kappa_arena_t *arena, kappa_str_t key);

/* Does them all. KAPPA_IO: the transaction is lost. */
kappa_status_t kappa_pending_flush(kappa_pending_t *pending,
    kappa_arena_t *arena, kappa_txn_t *txn, kappa_dbi_t dbi);

#endif
