#ifndef KAPPA_LIVE_GROUP_H
#define KAPPA_LIVE_GROUP_H

#include "live/live.h"
#include "live/watch.h"

/* What live.c, group.c and stream.c share: the state of a worker's live
 * delivery and of one group. Not for others. */

#define KAPPA_LIVE_RING 64 /* newest frames a change stream keeps */

struct kappa_live_s {
    const kappa_alloc_t *alloc;
    kappa_store_t *store;
    kappa_watches_t *watches;
    kappa_arena_t *scratch; /* reset before each run */
    kappa_buf_t buf;
    kappa_ring_t *buckets; /* groups by hash of their key */
    uint32_t bucket_count;
    kappa_ring_t groups;  /* all */
    kappa_ring_t streams; /* those of @changes */
    kappa_ring_t dirty;   /* to run again */
    uint64_t position;    /* changes up to here have been looked at */
    int64_t until_ms;     /* no group's rows leave by their keep before; 0:
                             none do */
    uint64_t version;     /* of the model that groups were planned for */
    kappa_live_stats_t stats;
};

struct kappa_group_s {
    kappa_arena_t *arena; /* the group's own memory, itself included */
    kappa_str_t key;
    uint64_t hash;
    kappa_plan_t *plan;
    const kappa_value_t *variables;
    kappa_caller_t caller;
    kappa_ring_t bucket;
    kappa_ring_t all;
    kappa_ring_t subscribers;
    kappa_ring_t place; /* among them, while they are told */

    /* a live field */
    kappa_watcher_t watcher;
    kappa_ring_t dirty;
    kappa_frame_t *latest;
    uint64_t number;  /* of latest, counted from 1; two may have one position:
                         time alone changes what is read, too */
    uint64_t run_at;  /* position of the last run; changes up to it are in */
    int64_t until_ms; /* then what it read changes by time; 0: it does not */

    /* a change stream */
    const kappa_changes_t *changes; /* NULL: a live field */
    const kappa_value_t *args;      /* of the root field */
    kappa_ring_t stream;
    kappa_frame_t *ring[KAPPA_LIVE_RING]; /* by order of making */
    uint32_t ring_count;
    uint32_t ring_first;
    uint64_t ring_from; /* every matching event in (ring_from, ring_to] */
    uint64_t ring_to;   /* is in the ring */
};

/* The group that a subscription belongs to, made if there is none; then it has
 * not run yet. */
kappa_status_t kappa_group_of(
    kappa_live_t *live, const kappa_subscription_t *sub, kappa_group_t **out);
void kappa_group_destroy(kappa_live_t *live, kappa_group_t *group);

/* Calls ready of every subscriber that has not been told yet. */
void kappa_group_tell(kappa_group_t *group);

/* Ends the response in live->buf with its position and makes it a frame. */
kappa_frame_t *kappa_live_frame(kappa_live_t *live, uint64_t seq);

kappa_status_t kappa_stream_open(
    kappa_live_t *live, kappa_group_t *group, kappa_errors_t *errors);
kappa_status_t kappa_stream_take(
    kappa_live_t *live, kappa_subscriber_t *subscriber, kappa_frame_t **out);
/* Reads what is new into the ring and tells subscribers. */
kappa_status_t kappa_stream_advance(kappa_live_t *live, kappa_group_t *group);
void kappa_stream_close(kappa_group_t *group);

#endif
