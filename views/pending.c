#include "views/pending.h"

#include <stdlib.h>

static kappa_str_t
copy_bytes(kappa_arena_t *arena, kappa_str_t from)
{
    char *p = kappa_arena_bytes(arena, from.len ? from.len : 1);

    if (p == NULL) {
        return KAPPA_STR_NULL;
    }
    memcpy(p, from.data, from.len);
    return kappa_str(p, from.len);
}

static kappa_status_t
add(kappa_pending_t *pending, kappa_arena_t *arena, kappa_str_t key,
    kappa_str_t value)
{
    kappa_pending_entry_t *entry = KAPPA_NEW(arena, kappa_pending_entry_t);

    if (entry == NULL) {
        return KAPPA_NOMEM;
    }
    entry->key = copy_bytes(arena, key);
    if (value.data != NULL) {
        entry->value = copy_bytes(arena, value);
    }
    if (entry->key.data == NULL
        || (value.data != NULL && entry->value.data == NULL)) {
        return KAPPA_NOMEM;
    }
    if (pending->last == NULL) {
        pending->first = entry;
    } else {
        pending->last->next = entry;
        pending->unordered |= kappa_str_cmp(pending->last->key, key) >= 0;
    }
    pending->last = entry;
    pending->count++;
    return KAPPA_OK;
}

kappa_status_t
kappa_pending_put(kappa_pending_t *pending, kappa_arena_t *arena,
    kappa_str_t key, kappa_str_t value)
{
    return add(pending, arena, key, value.data ? value : KAPPA_STR(""));
}

kappa_status_t
kappa_pending_del(
    kappa_pending_t *pending, kappa_arena_t *arena, kappa_str_t key)
{
    return add(pending, arena, key, KAPPA_STR_NULL);
}

/* An entry and its place in time. */
typedef struct {
    kappa_pending_entry_t *entry;
    uint32_t number;
} place_t;

static int
by_key(const void *a, const void *b)
{
    const place_t *x = a, *y = b;
    int order = kappa_str_cmp(x->entry->key, y->entry->key);

    return order ? order : (x->number < y->number ? -1 : 1);
}

/* Links the entries anew, one a key. */
static kappa_status_t
sort(kappa_pending_t *pending, kappa_arena_t *arena)
{
    place_t *places = KAPPA_NEW_ARRAY(arena, place_t, pending->count);
    kappa_pending_entry_t **link = &pending->first;
    uint32_t n = 0;

    if (places == NULL) {
        return KAPPA_NOMEM;
    }
    for (kappa_pending_entry_t *e = pending->first; e != NULL; e = e->next) {
        places[n] = (place_t){ e, n };
        n++;
    }
    qsort(places, n, sizeof(*places), by_key);
    for (uint32_t i = 0; i < n; i++) {
        if (i + 1 < n
            && kappa_str_eq(places[i].entry->key, places[i + 1].entry->key)) {
            continue;
        }
        *link = places[i].entry;
        link = &places[i].entry->next;
    }
    *link = NULL;
    return KAPPA_OK;
}

kappa_status_t
kappa_pending_flush(kappa_pending_t *pending, kappa_arena_t *arena,
    kappa_txn_t *txn, kappa_dbi_t dbi)
{
    kappa_txn_end_t end;

    if (pending->count == 0) {
        return KAPPA_OK;
    }
    kappa_status_t status = kappa_txn_find_end(txn, dbi, &end);

    if (status == KAPPA_OK && pending->unordered) {
        status = sort(pending, arena);
    }
    for (kappa_pending_entry_t *e = pending->first;
         e != NULL && status == KAPPA_OK; e = e->next) {
        status = e->value.data
            ? kappa_txn_put_sorted(txn, dbi, e->key, e->value, &end)
            : kappa_txn_del(txn, dbi, e->key);
    }
    *pending = (kappa_pending_t){ .first = NULL };
    return status;
}
