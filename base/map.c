#include "base/map.h"

#define FIRST_CAP 8

void
kappa_map_init(kappa_map_t *map, kappa_arena_t *arena)
{
    *map = (kappa_map_t){ .arena = arena };
}

static uint32_t *
find_slot(const kappa_map_t *map, kappa_str_t key, uint64_t hash)
{
    uint32_t mask = map->cap * 2 - 1;

    for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &map->slots[i];

        if (*slot == 0) {
            return slot;
        }
        const kappa_map_entry_t *entry = &map->entries[*slot - 1];
        if (entry->hash == hash && kappa_str_eq(entry->key, key)) {
            return slot;
        }
    }
}

void *
kappa_map_get(const kappa_map_t *map, kappa_str_t key)
{
    if (map->count == 0) {
        return NULL;
    }
    uint32_t slot = *find_slot(map, key, kappa_str_hash(key));
    return slot ? map->entries[slot - 1].value : NULL;
}

static kappa_status_t
grow(kappa_map_t *map)
{
    kappa_map_t bigger = { .arena = map->arena,
        .count = map->count,
        .cap = map->cap ? map->cap * 2 : FIRST_CAP };

    bigger.entries =
        KAPPA_NEW_ARRAY(map->arena, kappa_map_entry_t, bigger.cap);
    bigger.slots = KAPPA_NEW_ARRAY(map->arena, uint32_t, bigger.cap * 2);
    if (bigger.entries == NULL || bigger.slots == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < map->count; i++) {
        bigger.entries[i] = map->entries[i];
        *find_slot(&bigger, map->entries[i].key, map->entries[i].hash) = i + 1;
    }
    *map = bigger;
    return KAPPA_OK;
}

kappa_status_t
kappa_map_put(kappa_map_t *map, kappa_str_t key, void *value)
{
    uint64_t hash = kappa_str_hash(key);

    if (map->count == map->cap && grow(map) != KAPPA_OK) {
        return KAPPA_NOMEM;
    }
    uint32_t *slot = find_slot(map, key, hash);
    if (*slot != 0) {
        map->entries[*slot - 1].value = value;
        return KAPPA_OK;
    }
    map->entries[map->count] = (kappa_map_entry_t){ key, value, hash };
    *slot = ++map->count;
    return KAPPA_OK;
}
