#include "live/watch.h"

#define KEY_BUCKETS_FIRST 256

typedef struct kappa_watch_s watch_t;

/* One dependency of one watcher. */
struct kappa_watch_s {
    watch_t *of_watcher; /* next of the same watcher */
    kappa_watcher_t *watcher;
    kappa_ring_t link; /* in its bucket or its index's ranges */
    uint64_t hash;     /* keys */
    kappa_dependency_t on;
};

/* The ranges watched on one index of one view. */
typedef struct ranges_s {
    struct ranges_s *next;
    const kappa_view_t *view;
    uint32_t index;
    kappa_ring_t watches;
} ranges_t;

struct kappa_watches_s {
    const kappa_alloc_t *alloc;
    kappa_ring_t *buckets;
    uint32_t bucket_count; /* a power of two */
    uint32_t key_count;
    ranges_t *ranges;
    kappa_ring_t everything; /* watchers that depend on all */
};

static kappa_ring_t *
create_buckets(const kappa_alloc_t *alloc, uint32_t count)
{
    kappa_ring_t *buckets =
        alloc->alloc(alloc->ctx, count * sizeof(kappa_ring_t));

    for (uint32_t i = 0; buckets != NULL && i < count; i++) {
        kappa_ring_init(&buckets[i]);
    }
    return buckets;
}

kappa_watches_t *
kappa_watches_create(const kappa_alloc_t *alloc)
{
    kappa_watches_t *watches =
        alloc->alloc(alloc->ctx, sizeof(kappa_watches_t));

    if (watches == NULL) {
        return NULL;
    }
    *watches = (kappa_watches_t){ .alloc = alloc,
        .bucket_count = KEY_BUCKETS_FIRST,
        .buckets = create_buckets(alloc, KEY_BUCKETS_FIRST) };
    kappa_ring_init(&watches->everything);
    if (watches->buckets == NULL) {
        alloc->release(alloc->ctx, watches);
        return NULL;
    }
    return watches;
}

void
kappa_watches_forget(kappa_watches_t *watches)
{
    for (ranges_t *r = watches->ranges, *next; r != NULL; r = next) {
        next = r->next;
        watches->alloc->release(watches->alloc->ctx, r);
    }
    watches->ranges = NULL;
}

void
kappa_watches_destroy(kappa_watches_t *watches)
{
    if (watches == NULL) {
        return;
    }
    const kappa_alloc_t *alloc = watches->alloc;

    kappa_watches_forget(watches);
    alloc->release(alloc->ctx, watches->buckets);
    alloc->release(alloc->ctx, watches);
}

static uint64_t
key_hash(const kappa_view_t *view, kappa_str_t key)
{
    return kappa_str_hash(key) ^ (view->number * 0x9e3779b97f4a7c15ULL);
}

static kappa_ring_t *
bucket_of(kappa_watches_t *watches, uint64_t hash)
{
    return &watches->buckets[hash & (watches->bucket_count - 1)];
}

/* More buckets when there are more keys; without memory the old ones do. */
static void
grow_buckets(kappa_watches_t *watches)
{
    uint32_t count = watches->bucket_count * 2;
    kappa_ring_t *old = watches->buckets;
    uint32_t old_count = watches->bucket_count;
    kappa_ring_t *buckets = create_buckets(watches->alloc, count);

    if (buckets == NULL) {
        return;
    }
    watches->buckets = buckets;
    watches->bucket_count = count;
    for (uint32_t i = 0; i < old_count; i++) {
        while (!kappa_ring_empty(&old[i])) {
            watch_t *watch = KAPPA_RING_OF(old[i].next, watch_t, link);

            kappa_ring_remove(&watch->link);
            kappa_ring_append(bucket_of(watches, watch->hash), &watch->link);
        }
    }
    watches->alloc->release(watches->alloc->ctx, old);
}

static ranges_t *
ranges_of(kappa_watches_t *watches, const kappa_view_t *view, uint32_t index)
{
    for (ranges_t *r = watches->ranges; r != NULL; r = r->next) {
        if (r->view == view && r->index == index) {
            return r;
        }
    }
    return NULL;
}

static ranges_t *
add_ranges(kappa_watches_t *watches, const kappa_dependency_t *on)
{
    ranges_t *ranges = ranges_of(watches, on->view, on->index);

    if (ranges != NULL) {
        return ranges;
    }
    ranges = watches->alloc->alloc(watches->alloc->ctx, sizeof(ranges_t));
    if (ranges != NULL) {
        *ranges =
            (ranges_t){ watches->ranges, on->view, on->index, { NULL, NULL } };
        kappa_ring_init(&ranges->watches);
        watches->ranges = ranges;
    }
    return ranges;
}

static kappa_str_t
copy_bytes(char **at, kappa_str_t s)
{
    char *start = *at;

    if (s.len) {
        memcpy(start, s.data, s.len);
    }
    *at += s.len;
    return kappa_str(start, s.len);
}

static bool
link_watch(kappa_watches_t *watches, watch_t *watch)
{
    if (!watch->on.range) {
        if (watches->key_count >= watches->bucket_count) {
            grow_buckets(watches);
        }
        watch->hash = key_hash(watch->on.view, watch->on.low);
        kappa_ring_append(bucket_of(watches, watch->hash), &watch->link);
        watches->key_count++;
        return true;
    }
    ranges_t *ranges = add_ranges(watches, &watch->on);

    if (ranges != NULL) {
        kappa_ring_append(&ranges->watches, &watch->link);
    }
    return ranges != NULL;
}

static bool
add_watch(kappa_watches_t *watches, kappa_watcher_t *watcher,
    const kappa_dependency_t *on)
{
    const kappa_alloc_t *alloc = watches->alloc;
    watch_t *watch =
        alloc->alloc(alloc->ctx, sizeof(watch_t) + on->low.len + on->high.len);

    if (watch == NULL) {
        return false;
    }
    char *bytes = (char *)(watch + 1);
    *watch = (watch_t){ .watcher = watcher, .on = *on };
    watch->on.low = copy_bytes(&bytes, on->low);
    watch->on.high = copy_bytes(&bytes, on->high);
    if (!link_watch(watches, watch)) {
        alloc->release(alloc->ctx, watch);
        return false;
    }
    watch->of_watcher = watcher->entries;
    watcher->entries = watch;
    return true;
}

static void
watch_everything(kappa_watches_t *watches, kappa_watcher_t *watcher)
{
    kappa_watch_clear(watches, watcher);
    watcher->everything = true;
    kappa_ring_append(&watches->everything, &watcher->all);
}

void
kappa_watch_set(kappa_watches_t *watches, kappa_watcher_t *watcher,
    const kappa_dependencies_t *deps)
{
    kappa_watch_clear(watches, watcher);
    if (deps->overflow) {
        watch_everything(watches, watcher);
        return;
    }
    for (uint32_t i = 0; i < deps->count; i++) {
        if (!add_watch(watches, watcher, &deps->items[i])) {
            watch_everything(watches, watcher);
            return;
        }
    }
}

void
kappa_watch_clear(kappa_watches_t *watches, kappa_watcher_t *watcher)
{
    for (watch_t *w = watcher->entries, *next; w != NULL; w = next) {
        next = w->of_watcher;
        kappa_ring_remove(&w->link);
        watches->key_count -= w->on.range ? 0 : 1;
        watches->alloc->release(watches->alloc->ctx, w);
    }
    kappa_ring_remove(&watcher->all);
    watcher->entries = NULL;
    watcher->everything = false;
}

static void
match_ring(kappa_ring_t *ring, const kappa_change_t *change,
    void (*hit)(void *ctx, kappa_watcher_t *watcher), void *ctx)
{
    for (kappa_ring_t *l = ring->next; l != ring; l = l->next) {
        watch_t *watch = KAPPA_RING_OF(l, watch_t, link);

        if (kappa_dependency_hit(&watch->on, change)) {
            hit(ctx, watch->watcher);
        }
    }
}

static void
hit_everything(kappa_watches_t *watches,
    void (*hit)(void *ctx, kappa_watcher_t *watcher), void *ctx)
{
    kappa_ring_t *head = &watches->everything;

    for (kappa_ring_t *l = head->next; l != head; l = l->next) {
        hit(ctx, KAPPA_RING_OF(l, kappa_watcher_t, all));
    }
}

void
kappa_watch_match(kappa_watches_t *watches, const kappa_change_t *change,
    void (*hit)(void *ctx, kappa_watcher_t *watcher), void *ctx)
{
    uint64_t hash = key_hash(change->view, change->key);

    match_ring(bucket_of(watches, hash), change, hit, ctx);
    for (ranges_t *r = watches->ranges; r != NULL; r = r->next) {
        if (r->view == change->view) {
            match_ring(&r->watches, change, hit, ctx);
        }
    }
    hit_everything(watches, hit, ctx);
}
