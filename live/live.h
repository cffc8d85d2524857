#ifndef KAPPA_LIVE_LIVE_H
#define KAPPA_LIVE_LIVE_H

#include "base/ring.h"
#include "live/frame.h"
#include "views/store.h"

/* Live delivery in one worker (DESIGN 8). Subscribers are subscribers; those
 * who asked the same thing share a group, which runs once per change and
 * encodes one frame for all. Nothing here writes to a client: a transport is
 * told that there is something (`ready`) and takes it when it can write, so a
 * slow client holds no more than a reference.
 *
 * A live field gives its newest value and skips what lies between; a change
 * stream (@changes) gives every event, from the log when it is far behind.
 *
 * Used on one thread. Times are bounded: kappa_live_wake and kappa_live_take
 * say KAPPA_AGAIN when more is to be done and want to be called again. */
typedef struct kappa_live_s kappa_live_t;
typedef struct kappa_group_s kappa_group_t;

/* A subscriber: embed it in the transport's own struct. */
typedef struct kappa_subscriber_s {
    /* There is something to take. Not called again before a take said
     * KAPPA_DONE. It may take at once, and leave. */
    void (*ready)(struct kappa_subscriber_s *subscriber);
    /* The group is gone because the schema changed; the subscriber has left.
     * It should be closed so that the client subscribes again. */
    void (*ended)(struct kappa_subscriber_s *subscriber);

    /* live's own */
    kappa_group_t *group;
    kappa_ring_t link;
    uint64_t seen; /* live field: number of the frame it has; stream: cursor */
    bool gap;      /* the next frame is to say that something was missed */
    bool told;     /* ready was called */
} kappa_subscriber_t;

typedef struct {
    kappa_plan_t *plan;             /* a subscription; retained by the group */
    const kappa_value_t *variables; /* as kappa_plan_variables made them */
    kappa_str_t identity; /* document text, operation name and variables, by
                             which equal subscriptions are known as equal */
    const kappa_caller_t *caller;
    kappa_errors_t *errors; /* where KAPPA_INVALID says why; or NULL */
    bool resume;            /* after is where the client stopped */
    uint64_t after;         /* its position */
    bool gap; /* it stopped in another log: the first frame says so */
} kappa_subscription_t;

kappa_live_t *kappa_live_create(
    const kappa_alloc_t *alloc, kappa_store_t *store);
/* All subscribers must have left. NULL is fine. */
void kappa_live_destroy(kappa_live_t *live);

/* Joins the group of such a subscription, made if there is none. On OK the
 * subscriber's first frame can be taken (a live field: the value now, unless
 * it resumes at a position since which nothing changed). KAPPA_BUSY: the views
 * are being rebuilt. KAPPA_INVALID: a stamped argument of a change stream
 * can't be filled in for this caller. KAPPA_NOMEM, KAPPA_IO. */
kappa_status_t kappa_live_join(kappa_live_t *live,
    const kappa_subscription_t *subscription, kappa_subscriber_t *subscriber);
void kappa_live_leave(kappa_live_t *live, kappa_subscriber_t *subscriber);

/* KAPPA_OK: *out is the next frame, retained for the caller. KAPPA_DONE:
 * nothing new. KAPPA_AGAIN: it looked far without finding one; come again. */
kappa_status_t kappa_live_take(
    kappa_live_t *live, kappa_subscriber_t *subscriber, kappa_frame_t **out);

/* The views may have moved on: runs what is touched and tells subscribers. */
kappa_status_t kappa_live_wake(kappa_live_t *live);

typedef struct {
    uint32_t groups;
    uint32_t subscribers;
    uint64_t runs;   /* of plans */
    uint64_t frames; /* made */
} kappa_live_stats_t;

kappa_live_stats_t kappa_live_stats(const kappa_live_t *live);

#endif
