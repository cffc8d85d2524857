#include "base/cache.h"

#include <stdio.h>
#include <stdlib.h>

#include "t/unit/alloc_failing.h"
#include "t/unit/test.h"
#include "t/unit/torture.h"

#define MAX_BYTES 65536

static int released;

static void
release(void *ctx, void *value)
{
    assert_ptr_equal(ctx, &released);
    free(value);
    released++;
}

static kappa_cache_t *
create(void)
{
    released = 0;
    return kappa_cache_create(
        &kappa_alloc_libc, MAX_BYTES, release, &released);
}

static int *
number(int i)
{
    int *p = malloc(sizeof(*p));

    *p = i;
    return p;
}

/* Puts what number i makes; whether it was kept. */
static bool
put(kappa_cache_t *cache, kappa_str_t first, kappa_str_t second, int i,
    size_t bytes)
{
    kappa_cache_key_t key = kappa_cache_key(cache, first, second);
    int *value = number(i);

    if (kappa_cache_put(cache, &key, value, bytes)) {
        return true;
    }
    free(value);
    return false;
}

/* The number; -1: there is none. */
static int
get(kappa_cache_t *cache, kappa_str_t first, kappa_str_t second)
{
    kappa_cache_key_t key = kappa_cache_key(cache, first, second);
    int *value = kappa_cache_find(cache, &key);

    return value ? *value : -1;
}

static kappa_str_t
text_of(int i)
{
    static char text[32];

    return kappa_str(
        text, (size_t)snprintf(text, sizeof(text), "key number %d", i));
}

static void
tells_keys_apart(void **state)
{
    const kappa_str_t keys[][2] = {
        { KAPPA_STR_NULL, KAPPA_STR_NULL },
        { KAPPA_STR(""), KAPPA_STR_NULL },
        { KAPPA_STR("a"), KAPPA_STR("b") },
        { KAPPA_STR("ab"), KAPPA_STR("") },
        { KAPPA_STR(""), KAPPA_STR("ab") },
        { KAPPA_STR_NULL, KAPPA_STR("ab") },
        { KAPPA_STR("a\0"), KAPPA_STR("b") },
        { KAPPA_STR("12345678"), KAPPA_STR("12345678") },
        { KAPPA_STR("1234567812345678"), KAPPA_STR("") },
        { KAPPA_STR(""), KAPPA_STR("1234567812345678\0") },
        { KAPPA_STR(""), KAPPA_STR("1234567812345678") },
    };
    kappa_cache_t *cache = create();

    (void)state;
    for (int i = 0; i < (int)COUNT(keys); i++) {
        assert_int_equal(get(cache, keys[i][0], keys[i][1]), -1);
        assert_true(put(cache, keys[i][0], keys[i][1], i, 4));
    }
    for (int i = 0; i < (int)COUNT(keys); i++) {
        assert_int_equal(get(cache, keys[i][0], keys[i][1]), i);
    }
    assert_int_equal(kappa_cache_stats(cache).count, COUNT(keys));
    kappa_cache_destroy(cache);
    assert_int_equal(released, COUNT(keys));
    kappa_cache_destroy(NULL);
}

static void
copies_keys_and_replaces_values(void **state)
{
    kappa_cache_t *cache = create();
    char text[] = "key";
    size_t before;

    (void)state;
    assert_true(put(cache, KAPPA_STR_NULL, kappa_str(text, 3), 1, 100));
    text[0] = 'K';
    assert_int_equal(get(cache, KAPPA_STR_NULL, KAPPA_STR("key")), 1);
    assert_int_equal(get(cache, KAPPA_STR_NULL, KAPPA_STR("Key")), -1);
    before = kappa_cache_stats(cache).bytes;
    assert_true(put(cache, KAPPA_STR_NULL, KAPPA_STR("key"), 2, 50));
    assert_int_equal(released, 1);
    assert_int_equal(kappa_cache_stats(cache).bytes, before - 50);
    assert_int_equal(kappa_cache_stats(cache).count, 1);
    assert_int_equal(get(cache, KAPPA_STR_NULL, KAPPA_STR("key")), 2);

    /* One that is too large takes its predecessor with it. */
    assert_false(
        put(cache, KAPPA_STR_NULL, KAPPA_STR("key"), 3, MAX_BYTES / 8));
    assert_int_equal(get(cache, KAPPA_STR_NULL, KAPPA_STR("key")), -1);
    assert_int_equal(kappa_cache_stats(cache).bytes, 0);
    kappa_cache_clear(cache);
    kappa_cache_destroy(cache);
}

static void
remembers_sightings(void **state)
{
    kappa_cache_t *cache = create();
    int seen = 0;

    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 100; i++) {
            kappa_cache_key_t key =
                kappa_cache_key(cache, KAPPA_STR_NULL, text_of(i));
            bool again = kappa_cache_seen(cache, &key);

            assert_true(k == 1 || !again);
            seen += again;
        }
    }
    /* Some clash: they will be seen another time. */
    assert_true(seen > 80);
    kappa_cache_destroy(cache);
}

/* What is used stays, whatever is kept and never asked for; and the bound
 * holds. */
static void
keeps_what_is_used(void **state)
{
    kappa_cache_t *cache = create();

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_true(put(cache, KAPPA_STR_NULL, text_of(i), i, 500));
        assert_int_equal(get(cache, KAPPA_STR_NULL, text_of(i)), i);
    }
    for (int i = 20; i < 5000; i++) {
        assert_true(put(cache, KAPPA_STR_NULL, text_of(i), i, 500));
        assert_true(kappa_cache_stats(cache).bytes <= MAX_BYTES);
    }
    for (int i = 0; i < 20; i++) {
        assert_int_equal(get(cache, KAPPA_STR_NULL, text_of(i)), i);
    }
    /* Until others are used more lately. */
    for (int i = 5000; i < 6000; i++) {
        assert_true(put(cache, KAPPA_STR_NULL, text_of(i), i, 500));
        assert_int_equal(get(cache, KAPPA_STR_NULL, text_of(i)), i);
        assert_true(kappa_cache_stats(cache).bytes <= MAX_BYTES);
    }
    assert_int_equal(get(cache, KAPPA_STR_NULL, text_of(0)), -1);
    assert_int_equal(get(cache, KAPPA_STR_NULL, text_of(5999)), 5999);
    kappa_cache_clear(cache);
    assert_int_equal(kappa_cache_stats(cache).bytes, 0);
    assert_int_equal(get(cache, KAPPA_STR_NULL, text_of(5999)), -1);
    kappa_cache_destroy(cache);
}

/* Against a model that forgets nothing: what is found is what was put last. */
static void
finds_what_was_put(void **state)
{
    enum {
        KEYS = 300
    };
    unsigned seed = (unsigned)kappa_test_seed();
    kappa_cache_t *cache = create();
    int last[KEYS];
    int hits = 0;

    (void)state;
    memset(last, -1, sizeof(last));
    for (int n = 0; n < 20000; n++) {
        int i = rand_r(&seed) % KEYS;

        if (rand_r(&seed) % 4 == 0) {
            size_t bytes = (size_t)rand_r(&seed) % 2000;

            assert_true(put(cache, KAPPA_STR_NULL, text_of(i), n, bytes));
            last[i] = n;
        } else {
            int found = get(cache, KAPPA_STR_NULL, text_of(i));

            assert_true(found == -1 || found == last[i]);
            hits += found != -1;
        }
        assert_true(kappa_cache_stats(cache).bytes <= MAX_BYTES);
        assert_true(kappa_cache_stats(cache).count <= KEYS);
    }
    assert_true(hits > 1000);
    kappa_cache_destroy(cache);
}

static void
ignore(void *ctx, void *value)
{
    (void)ctx;
    (void)value;
}

static kappa_status_t
use_all(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_cache_t *cache = kappa_cache_create(alloc, 1 << 20, ignore, NULL);
    static int values[600];
    kappa_status_t status = cache ? KAPPA_OK : KAPPA_NOMEM;

    (void)ctx;
    for (int i = 0; i < (int)COUNT(values) && status == KAPPA_OK; i++) {
        kappa_cache_key_t key =
            kappa_cache_key(cache, KAPPA_STR_NULL, text_of(i));

        if (!kappa_cache_put(cache, &key, &values[i], 1)) {
            status = KAPPA_NOMEM;
        } else {
            assert_ptr_equal(kappa_cache_find(cache, &key), &values[i]);
        }
    }
    kappa_cache_destroy(cache);
    return status;
}

/* Without memory for more buckets its chains just grow longer. */
static void
survives_without_memory(void **state)
{
    (void)state;
    for (size_t fail_at = 1; fail_at < 700; fail_at++) {
        kappa_alloc_failing_t failing;

        kappa_alloc_failing_init(&failing, fail_at);
        (void)use_all(&failing.alloc, NULL);
        assert_int_equal(failing.live, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_keys_apart),
        cmocka_unit_test(copies_keys_and_replaces_values),
        cmocka_unit_test(remembers_sightings),
        cmocka_unit_test(keeps_what_is_used),
        cmocka_unit_test(finds_what_was_put),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
