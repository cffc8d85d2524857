#ifndef KAPPA_VIEWS_COMPARE_H
#define KAPPA_VIEWS_COMPARE_H

#include "views/model.h"

/* What of two models makes other rows of the same log, or loses some. This is
 * what decides whether a schema needs a generation of its own (views/store.h)
 * and what `kappa diff` tells. What stands in neither model's views and event
 * rules (root fields, @allow, @check, descriptions, order, costs) is no
 * difference. Whoever gives a model something that changes rows compares it
 * here. */

typedef enum {
    KAPPA_NEED_NONE,
    /* What was accepted stays as it is, but what was refused might not be:
     * only where events were skipped. */
    KAPPA_NEED_IF_SKIPPED,
    /* Only where there were events of this thing and verb. */
    KAPPA_NEED_IF_SEEN,
    KAPPA_NEED_BUILD
} kappa_need_t;

typedef struct kappa_difference_s {
    kappa_need_t need;
    bool loses; /* values that the views hold now they will not hold then */
    kappa_str_t what;        /* "Package.size", "Package retired" */
    kappa_str_t how;         /* "is new" */
    kappa_str_t thing, verb; /* IF_SEEN; verb data NULL: any */
    bool effectless; /* IF_SEEN: events that say no effect themselves */
    struct kappa_difference_s *next;
} kappa_difference_t;

/* In the arena; NULL: none. */
kappa_status_t kappa_model_compare(kappa_arena_t *arena,
    const kappa_model_t *before, const kappa_model_t *after,
    kappa_difference_t **out);

#endif
