#ifndef KAPPA_LOG_FILTER_H
#define KAPPA_LOG_FILTER_H

#include "log/event.h"

/* Which events are asked for, the same in `kappa log` and at /events: by
 * thing, verb and key, each left out or given as a text. */

/* How a key's text may stand in the log: as a string, or as what it reads as
 * (5 is "5" of an ID and 5 of an Int). */
#define KAPPA_FILTER_KEYS_MAX 2

typedef struct {
    kappa_str_t thing; /* data NULL: any */
    kappa_str_t older; /* what it was called before, also; data NULL: none */
    kappa_str_t verb;
    kappa_str_t keys[KAPPA_FILTER_KEYS_MAX]; /* as in kappa_event_t: JSON */
    uint32_t key_count;                      /* 0: any */
} kappa_filter_t;

/* Sets keys from what a user gave: the key's text as it is, or JSON: a list
 * for a composite key, or a string in quotes (a key that itself looks like
 * JSON). However it is escaped or spaced, it finds the same. In the arena.
 * KAPPA_INVALID: not UTF-8. */
kappa_status_t kappa_filter_key(
    kappa_arena_t *arena, kappa_str_t text, kappa_filter_t *filter);

bool kappa_filter_wants(
    const kappa_filter_t *filter, const kappa_event_t *event);

#endif
