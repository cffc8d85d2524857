#include "t/unit/test.h"

#include <stdio.h>

#include "live/watch.h"
#include "t/unit/alloc_failing.h"

#define WATCHERS 300

typedef struct {
    kappa_watcher_t watcher;
    int hits;
} one_t;

static kappa_view_t views[2] = { { .number = 0 }, { .number = 1 } };

static void
count_hit(void *ctx, kappa_watcher_t *watcher)
{
    (*(int *)ctx)++;
    KAPPA_RING_OF(watcher, one_t, watcher)->hits++;
}

static int
hits_of(kappa_watches_t *watches, const kappa_view_t *view, const char *key)
{
    static const kappa_str_t none[2];
    kappa_change_t change = { .view = view,
        .key = kappa_str_c(key),
        .old_entries = none,
        .new_entries = none };
    int hits = 0;

    kappa_watch_match(watches, &change, count_hit, &hits);
    return hits;
}

static void
watch_key(kappa_watches_t *watches, one_t *one, const kappa_view_t *view,
    const char *key)
{
    kappa_dependency_t on = { .view = view, .low = kappa_str_c(key) };
    kappa_dependencies_t deps = { .items = &on, .count = 1 };

    kappa_watch_set(watches, &one->watcher, &deps);
}

static void
finds_watchers_of_a_key(void **state)
{
    kappa_watches_t *watches = kappa_watches_create(&kappa_alloc_libc);
    static one_t ones[WATCHERS];
    char keys[WATCHERS][16];

    (void)state;
    memset(ones, 0, sizeof(ones));
    for (int i = 0; i < WATCHERS; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k%d", i);
        watch_key(watches, &ones[i], &views[0], keys[i]);
    }
    for (int i = 0; i < WATCHERS; i++) {
        assert_int_equal(hits_of(watches, &views[0], keys[i]), 1);
        assert_int_equal(ones[i].hits, 1);
    }
    assert_int_equal(hits_of(watches, &views[1], "k7"), 0);
    assert_int_equal(hits_of(watches, &views[0], "none"), 0);

    watch_key(watches, &ones[7], &views[1], "k7");
    assert_int_equal(hits_of(watches, &views[0], "k7"), 0);
    assert_int_equal(hits_of(watches, &views[1], "k7"), 1);
    for (int i = 0; i < WATCHERS; i++) {
        kappa_watch_clear(watches, &ones[i].watcher);
    }
    assert_int_equal(hits_of(watches, &views[1], "k7"), 0);
    kappa_watches_destroy(watches);
}

static void
finds_watchers_of_a_range(void **state)
{
    kappa_watches_t *watches = kappa_watches_create(&kappa_alloc_libc);
    kappa_dependency_t on[] = {
        { .view = &views[0],
            .range = true,
            .index = 1,
            .low = KAPPA_STR("b"),
            .high = KAPPA_STR("d") },
        { .view = &views[0], .low = KAPPA_STR("x") },
    };
    kappa_dependencies_t deps = { .items = on, .count = 2 };
    one_t one = { .hits = 0 };
    static const struct {
        const char *before;
        const char *after;
        int hits;
    } cases[] = {
        { "", "b", 1 },
        { "c", "", 1 },
        { "a", "cz", 1 },
        { "a", "d", 0 },
        { "", "", 0 },
        { "azz", "", 0 },
    };

    (void)state;
    kappa_watch_set(watches, &one.watcher, &deps);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kappa_str_t before[] = { KAPPA_STR(""), kappa_str_c(cases[i].before) };
        kappa_str_t after[] = { KAPPA_STR(""), kappa_str_c(cases[i].after) };
        kappa_change_t change = { .view = &views[0],
            .key = KAPPA_STR("other"),
            .old_entries = before,
            .new_entries = after };
        int hits = 0;

        views[0].index_count = 2;
        kappa_watch_match(watches, &change, count_hit, &hits);
        assert_int_equal(hits, cases[i].hits);
    }
    kappa_watch_clear(watches, &one.watcher);
    kappa_watches_destroy(watches);
}

static void
too_many_dependencies_mean_everything(void **state)
{
    kappa_watches_t *watches = kappa_watches_create(&kappa_alloc_libc);
    kappa_dependencies_t deps = { .overflow = true };
    one_t one = { .hits = 0 };

    (void)state;
    kappa_watch_set(watches, &one.watcher, &deps);
    assert_int_equal(hits_of(watches, &views[1], "anything"), 1);
    kappa_watch_clear(watches, &one.watcher);
    assert_int_equal(hits_of(watches, &views[1], "anything"), 0);
    kappa_watches_destroy(watches);
}

/* Without memory a watcher hears too much, never too little. */
static void
without_memory_nothing_is_missed(void **state)
{
    kappa_alloc_failing_t failing;

    (void)state;
    for (size_t n = 3; n < 8; n++) {
        kappa_alloc_failing_init(&failing, n);
        kappa_watches_t *watches = kappa_watches_create(&failing.alloc);
        kappa_dependency_t on[] = {
            { .view = &views[0], .low = KAPPA_STR("a") },
            { .view = &views[0], .low = KAPPA_STR("b") },
            { .view = &views[0],
                .range = true,
                .index = 0,
                .low = KAPPA_STR("c") },
        };
        kappa_dependencies_t deps = { .items = on, .count = 3 };
        one_t one = { .hits = 0 };

        assert_non_null(watches);
        kappa_watch_set(watches, &one.watcher, &deps);
        assert_true(hits_of(watches, &views[0], "a") > 0);
        assert_true(hits_of(watches, &views[0], "b") > 0);
        kappa_watch_clear(watches, &one.watcher);
        kappa_watches_destroy(watches);
        assert_int_equal(failing.live, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_watchers_of_a_key),
        cmocka_unit_test(finds_watchers_of_a_range),
        cmocka_unit_test(too_many_dependencies_mean_everything),
        cmocka_unit_test(without_memory_nothing_is_missed),
    };

    return cmocka_run_group_tests_name("live/watch", tests, NULL, NULL);
}
