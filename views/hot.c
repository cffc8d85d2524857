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

/* Keys that clash only push each other out. */
static size_t
set_of(kappa_str_t key)
{
    uint64_t h = key.len, word = 0;
    size_t i = 0;

    for (; key.len - i >= sizeof(word); i += sizeof(word)) {
        memcpy(&word, key.data + i, sizeof(word));
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    for (word = 0; i < key.len; i++) {
        word = word << 8 | (unsigned char)key.data[i];
    }
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(h >> 32) % SETS;
}

bool
kappa_hot_find(const kappa_hot_t *hot, uint64_t snapshot, kappa_str_t key,
    kappa_str_t *value)
{
    const place_t *places = hot->places[set_of(key)];

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
    place_t *places = hot->places[set_of(key)];

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
