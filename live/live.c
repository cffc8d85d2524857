#include "live/group.h"

#include <stdio.h>

#include "base/time.h"

#define BUCKETS 1024
/* Groups run in one wake; more wait for the next, so that the event loop
 * keeps turning. */
#define RUNS_A_WAKE 64

kappa_live_t *
kappa_live_create(const kappa_alloc_t *alloc, kappa_store_t *store)
{
    kappa_live_t *live = alloc->alloc(alloc->ctx, sizeof(kappa_live_t));

    if (live == NULL) {
        return NULL;
    }
    *live = (kappa_live_t){ .alloc = alloc,
        .store = store,
        .bucket_count = BUCKETS,
        .position = kappa_store_position(store),
        .version = kappa_store_version(store) };
    kappa_buf_init(&live->buf, alloc);
    kappa_ring_init(&live->groups);
    kappa_ring_init(&live->streams);
    kappa_ring_init(&live->dirty);
    live->watches = kappa_watches_create(alloc);
    live->scratch = kappa_arena_create(alloc, 0);
    live->buckets = alloc->alloc(alloc->ctx, BUCKETS * sizeof(kappa_ring_t));
    if (live->watches == NULL || live->scratch == NULL
        || live->buckets == NULL) {
        kappa_live_destroy(live);
        return NULL;
    }
    for (uint32_t i = 0; i < BUCKETS; i++) {
        kappa_ring_init(&live->buckets[i]);
    }
    return live;
}

void
kappa_live_destroy(kappa_live_t *live)
{
    if (live == NULL) {
        return;
    }
    kappa_watches_destroy(live->watches);
    kappa_arena_destroy(live->scratch);
    kappa_buf_release(&live->buf);
    live->alloc->release(live->alloc->ctx, live->buckets);
    live->alloc->release(live->alloc->ctx, live);
}

kappa_live_stats_t
kappa_live_stats(const kappa_live_t *live)
{
    return live->stats;
}

/* --- running --- */

kappa_frame_t *
kappa_live_frame(kappa_live_t *live, uint64_t seq)
{
    char position[KAPPA_POSITION_CHARS_MAX], extensions[128];
    kappa_str_t at = kappa_store_position_text(live->store, seq, position);
    int n = snprintf(extensions, sizeof(extensions),
        "\"kappa\":{\"position\":\"%.*s\"}", KAPPA_STR_ARG(at));

    kappa_response_end(&live->buf, kappa_str(extensions, (size_t)n));
    if (live->buf.failed) {
        return NULL;
    }
    kappa_frame_t *frame =
        kappa_frame_create(live->alloc, seq, kappa_buf_view(&live->buf));
    live->stats.frames += frame != NULL;
    return frame;
}

static bool
same_answer(const kappa_frame_t *frame, kappa_str_t answer)
{
    return frame != NULL && frame->json.len > answer.len
        && memcmp(frame->json.data, answer.data, answer.len) == 0
        && memcmp(frame->json.data + answer.len, ",\"extensions\"", 13) == 0;
}

static void
expect(kappa_live_t *live, kappa_group_t *group, int64_t until_ms)
{
    group->until_ms = until_ms;
    if (until_ms != 0 && (live->until_ms == 0 || until_ms < live->until_ms)) {
        live->until_ms = until_ms;
    }
}

/* The group's answer now. Its latest frame changes only if the answer did. */
static kappa_status_t
run(kappa_live_t *live, kappa_group_t *group)
{
    kappa_dependencies_t deps = { .arena = live->scratch };
    kappa_read_options_t options = {
        .caller = &group->caller,
        .now_ms = kappa_now_ms(),
        .deps = &deps,
        .version = live->version, /* of the groups' plans */
    };
    kappa_snapshot_t *snapshot;
    kappa_outcome_t outcome;

    kappa_arena_reset(live->scratch);
    kappa_buf_reset(&live->buf);
    kappa_status_t status =
        kappa_snapshot_begin(live->store, &options, &snapshot);
    if (status != KAPPA_OK) {
        return status;
    }
    uint64_t position = kappa_snapshot_position(snapshot);
    status = kappa_execute(group->plan, group->variables,
        kappa_snapshot_data(snapshot), live->scratch, &live->buf, &outcome);
    live->stats.runs++;
    if (status == KAPPA_OK) {
        kappa_watch_set(live->watches, &group->watcher, &deps);
        expect(live, group, deps.until_ms);
    }
    kappa_snapshot_end(snapshot);
    if (status != KAPPA_OK) {
        return status;
    }

    group->run_at = position;
    if (same_answer(group->latest, kappa_buf_view(&live->buf))) {
        return KAPPA_OK;
    }
    kappa_frame_t *frame = kappa_live_frame(live, position);
    if (frame == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_frame_release(group->latest);
    group->latest = frame;
    group->number++;
    return KAPPA_OK;
}

/* --- subscribers --- */

static void
remove_subscriber(kappa_live_t *live, kappa_subscriber_t *subscriber)
{
    kappa_ring_remove(&subscriber->link);
    subscriber->group = NULL;
    live->stats.subscribers--;
}

/* A stream begins behind where it stopped, or now; a live field that has
 * nothing takes whatever there is. */
static uint64_t
first_unseen(const kappa_live_t *live, const kappa_group_t *group,
    const kappa_subscription_t *sub)
{
    if (group->changes != NULL) {
        return sub->resume ? sub->after : kappa_store_position(live->store);
    }
    return sub->resume && group->latest->seq <= sub->after ? group->number : 0;
}

kappa_status_t
kappa_live_join(kappa_live_t *live, const kappa_subscription_t *sub,
    kappa_subscriber_t *subscriber)
{
    kappa_group_t *group;
    kappa_status_t status = kappa_group_of(live, sub, &group);

    if (status != KAPPA_OK) {
        return status;
    }
    if (group->changes == NULL && group->latest == NULL) {
        status = run(live, group);
        if (status != KAPPA_OK) {
            kappa_group_destroy(live, group);
            return status;
        }
    }
    subscriber->group = group;
    subscriber->told = true;
    subscriber->gap = sub->gap;
    subscriber->seen = first_unseen(live, group, sub);
    kappa_ring_append(&group->subscribers, &subscriber->link);
    live->stats.subscribers++;
    return KAPPA_OK;
}

void
kappa_live_leave(kappa_live_t *live, kappa_subscriber_t *subscriber)
{
    kappa_group_t *group = subscriber->group;

    if (group == NULL) {
        return;
    }
    remove_subscriber(live, subscriber);
    if (kappa_ring_empty(&group->subscribers)) {
        kappa_group_destroy(live, group);
    }
}

static kappa_status_t
take_latest(kappa_subscriber_t *subscriber, kappa_frame_t **out)
{
    kappa_frame_t *latest = subscriber->group->latest;

    if (latest == NULL || subscriber->seen == subscriber->group->number) {
        subscriber->told = false;
        return KAPPA_DONE;
    }
    subscriber->seen = subscriber->group->number;
    *out = kappa_frame_retain(latest);
    return KAPPA_OK;
}

/* A frame of one subscriber's own, which says that it missed something: the
 * end that kappa_live_frame wrote, with one member more. */
static kappa_status_t
mark_gap(kappa_live_t *live, kappa_frame_t **frame)
{
    kappa_str_t json = (*frame)->json;

    kappa_buf_reset(&live->buf);
    kappa_buf_add(&live->buf, json.data, json.len - 3);
    KAPPA_BUF_LIT(&live->buf, ",\"gap\":true}}}");
    kappa_frame_t *marked = live->buf.failed
        ? NULL
        : kappa_frame_create(
            live->alloc, (*frame)->seq, kappa_buf_view(&live->buf));
    kappa_frame_release(*frame);
    *frame = marked;
    return marked ? KAPPA_OK : KAPPA_NOMEM;
}

kappa_status_t
kappa_live_take(
    kappa_live_t *live, kappa_subscriber_t *subscriber, kappa_frame_t **out)
{
    kappa_status_t status = subscriber->group->changes != NULL
        ? kappa_stream_take(live, subscriber, out)
        : take_latest(subscriber, out);

    if (status == KAPPA_OK && subscriber->gap) {
        subscriber->gap = false;
        status = mark_gap(live, out);
    }
    return status;
}

/* --- waking --- */

typedef struct {
    kappa_live_t *live;
    uint64_t seq;
} hit_t;

static void
mark_dirty(kappa_live_t *live, kappa_group_t *group)
{
    if (!kappa_ring_linked(&group->dirty)) {
        kappa_ring_append(&live->dirty, &group->dirty);
    }
}

static void
hit_watcher(void *ctx, kappa_watcher_t *watcher)
{
    hit_t *hit = ctx;
    kappa_group_t *group = KAPPA_RING_OF(watcher, kappa_group_t, watcher);

    if (hit->seq > group->run_at) {
        mark_dirty(hit->live, group);
    }
}

static bool
see_change(void *ctx, const kappa_change_t *change)
{
    hit_t hit = { ctx, change->seq };

    kappa_watch_match(hit.live->watches, change, hit_watcher, &hit);
    return true;
}

static void
mark_all_dirty(kappa_live_t *live)
{
    kappa_ring_t *head = &live->groups;

    for (kappa_ring_t *l = head->next; l != head; l = l->next) {
        kappa_group_t *group = KAPPA_RING_OF(l, kappa_group_t, all);

        if (group->changes == NULL) {
            mark_dirty(live, group);
        }
    }
}

/* Groups whose rows leave without an event that says so. */
static void
look_at_time(kappa_live_t *live, int64_t now_ms)
{
    kappa_ring_t *head = &live->groups;

    if (live->until_ms == 0 || now_ms < live->until_ms) {
        return;
    }
    live->until_ms = 0;
    for (kappa_ring_t *l = head->next; l != head; l = l->next) {
        kappa_group_t *group = KAPPA_RING_OF(l, kappa_group_t, all);

        if (group->until_ms != 0 && group->until_ms <= now_ms) {
            group->until_ms = 0;
            mark_dirty(live, group);
        }
        expect(live, group, group->until_ms);
    }
}

static kappa_status_t
look_at_changes(kappa_live_t *live)
{
    kappa_read_options_t options = { .now_ms = kappa_now_ms() };
    kappa_snapshot_t *snapshot;
    kappa_status_t status =
        kappa_snapshot_begin(live->store, &options, &snapshot);

    if (status != KAPPA_OK) {
        return status;
    }
    status =
        kappa_snapshot_changes(snapshot, live->position, see_change, live);
    if (status == KAPPA_NOT_FOUND) {
        mark_all_dirty(live);
        status = KAPPA_OK;
    }
    if (status == KAPPA_OK) {
        live->position = kappa_snapshot_position(snapshot);
    }
    kappa_snapshot_end(snapshot);
    return status;
}

static kappa_status_t
run_dirty(kappa_live_t *live)
{
    for (int runs = 0; runs < RUNS_A_WAKE; runs++) {
        if (kappa_ring_empty(&live->dirty)) {
            return KAPPA_OK;
        }
        kappa_group_t *group =
            KAPPA_RING_OF(live->dirty.next, kappa_group_t, dirty);
        const kappa_frame_t *before = group->latest;

        kappa_status_t status = run(live, group);
        if (status != KAPPA_OK) {
            return status; /* still dirty: the next wake tries again */
        }
        kappa_ring_remove(&group->dirty);
        if (group->latest != before) {
            kappa_group_tell(group);
            if (kappa_ring_empty(&group->subscribers)) {
                kappa_group_destroy(live, group);
            }
        }
    }
    return kappa_ring_empty(&live->dirty) ? KAPPA_OK : KAPPA_AGAIN;
}

static kappa_status_t
advance_streams(kappa_live_t *live)
{
    kappa_status_t all = KAPPA_OK;
    kappa_ring_t *next;

    for (kappa_ring_t *l = live->streams.next; l != &live->streams; l = next) {
        kappa_group_t *group = KAPPA_RING_OF(l, kappa_group_t, stream);
        kappa_status_t status = kappa_stream_advance(live, group);

        next = l->next;
        if (kappa_ring_empty(&group->subscribers)) {
            kappa_group_destroy(live, group);
        }
        all = status == KAPPA_OK ? all : status;
    }
    return all;
}

static void
end_all(kappa_live_t *live)
{
    while (!kappa_ring_empty(&live->groups)) {
        kappa_group_t *group =
            KAPPA_RING_OF(live->groups.next, kappa_group_t, all);

        while (!kappa_ring_empty(&group->subscribers)) {
            kappa_subscriber_t *subscriber = KAPPA_RING_OF(
                group->subscribers.next, kappa_subscriber_t, link);

            remove_subscriber(live, subscriber);
            subscriber->ended(subscriber);
        }
        kappa_group_destroy(live, group);
    }
    kappa_watches_forget(live->watches);
}

kappa_status_t
kappa_live_wake(kappa_live_t *live)
{
    uint64_t version = kappa_store_version(live->store);

    if (version != live->version) {
        live->version = version;
        end_all(live);
    }
    kappa_status_t status = KAPPA_OK;

    if (kappa_ring_empty(&live->groups)) {
        live->position = kappa_store_position(live->store);
    } else if (kappa_store_position(live->store) != live->position) {
        status = look_at_changes(live);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    look_at_time(live, kappa_now_ms());
    /* Neither waits for the other. */
    kappa_status_t streams = advance_streams(live);
    status = run_dirty(live);
    return status == KAPPA_OK || streams == KAPPA_AGAIN ? streams : status;
}
