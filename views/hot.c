#include "views/hot.h"

#include <stdint.h>

/* Two places for a key, which share a line of the processor's cache. */
#define WAYS 2
#define SETS 1024

typedef struct {
    uint64_t snapshot; /* 0: empty */
    const char *key;
    const char *value;
    uint32_t key_len;
    uint32_t value_len;
} place_t;

struct kappa_hot_s {
    place_t places[SETS][WAYS]; /* the newest first */
};

kappa_hot_t *
kappa_hot_create(const kappa_alloc_t *alloc)
{
    kappa_hot_t *hot = alloc->alloc(alloc->ctx, sizeof(*hot));

    if (hot != NULL) {
        memset(hot, 0, sizeof(*hot));
    }
    return hot;
}

void
kappa_hot_destroy(kappa_hot_t *hot, const kappa_alloc_t *alloc)
{
    if (hot != NULL) {
        alloc->release(alloc->ctx, hot);
    }
}

bool
kappa_hot_find(const kappa_hot_t *hot, uint64_t snapshot, kappa_str_t key,
    kappa_str_t *value)
{
    const place_t *places = hot->places[kappa_str_hash_words(key) % SETS];

    for (int i = 0; i < WAYS; i++) {
        const place_t *p = &places[i];

        if (p->snapshot == snapshot && p->key_len == key.len
            && memcmp(p->key, key.data, key.len) == 0) {
            *value = kappa_str(p->value, p->value_len);
            return true;
        }
    }
    return false;
}

void
kappa_hot_keep(
    kappa_hot_t *hot, uint64_t snapshot, kappa_str_t key, kappa_str_t value)
{
    place_t *places = hot->places[kappa_str_hash_words(key) % SETS];

    if (key.len == 0 || value.len > UINT32_MAX) {
        return;
    }
    for (int i = WAYS - 1; i > 0; i--) {
        places[i] = places[i - 1];
    }
    places[0] = (place_t){ .snapshot = snapshot,
        .key = key.data,
        .value = value.data,
        .key_len = (uint32_t)key.len,
        .value_len = (uint32_t)value.len };
}
