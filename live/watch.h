#ifndef KAPPA_LIVE_WATCH_H
#define KAPPA_LIVE_WATCH_H

#include "base/ring.h"
#include "views/change.h"

/* Who depends on what: from a change to the watchers that must run again,
 * without asking those it does not concern. Keys are found by hash; ranges
 * are looked through per index. */
typedef struct kappa_watches_s kappa_watches_t;

/* One watcher: embed it. Zero it before its first kappa_watch_set. */
typedef struct kappa_watcher_s {
    struct kappa_watch_s *entries;
    kappa_ring_t all; /* among those that depend on everything */
    bool everything;
} kappa_watcher_t;

kappa_watches_t *kappa_watches_create(const kappa_alloc_t *alloc);
void kappa_watches_destroy(kappa_watches_t *watches);

/* No watcher is set, and the views there were are no more. */
void kappa_watches_forget(kappa_watches_t *watches);

/* Replaces what the watcher depends on; the bytes are copied. Without memory
 * it depends on everything: no change is ever missed. */
void kappa_watch_set(kappa_watches_t *watches, kappa_watcher_t *watcher,
    const kappa_dependencies_t *deps);
void kappa_watch_clear(kappa_watches_t *watches, kappa_watcher_t *watcher);

/* Calls hit for every watcher that the change concerns; more than once if it
 * depends on it in several ways. hit must not set or clear watchers. */
void kappa_watch_match(kappa_watches_t *watches, const kappa_change_t *change,
    void (*hit)(void *ctx, kappa_watcher_t *watcher), void *ctx);

#endif
