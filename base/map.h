#ifndef KAPPA_BASE_MAP_H
#define KAPPA_BASE_MAP_H

#include "base/alloc.h"
#include "base/status.h"
#include "base/str.h"

/* A hash map from strings to pointers, in an arena, in insertion order. Keys
 * are not copied. Zero it, or use kappa_map_init. */
typedef struct kappa_map_entry_s {
    kappa_str_t key;
    void *value;
    uint64_t hash;
} kappa_map_entry_t;

typedef struct {
    kappa_arena_t *arena;
    kappa_map_entry_t *entries; /* `count` of them, as inserted */
    uint32_t *slots;            /* index + 1 into entries; 0: empty */
    uint32_t count;
    uint32_t cap; /* of entries; slots has twice as many */
} kappa_map_t;

void kappa_map_init(kappa_map_t *map, kappa_arena_t *arena);

/* NULL when there is none. */
void *kappa_map_get(const kappa_map_t *map, kappa_str_t key);

/* Inserts or replaces. KAPPA_NOMEM leaves the map as it was. */
kappa_status_t kappa_map_put(kappa_map_t *map, kappa_str_t key, void *value);

#endif
