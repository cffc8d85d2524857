#include "t/unit/views/store_fixture.h"

#include <errno.h>

#include "base/uuid.h"
#include "t/unit/torture.h"

/* Random requests in random batches, on a disk that fails at random, with
 * stops, rebuilds and lost views between, against a model of a few lines. */

#define NAMES 6
#define BATCHES 60
#define BATCH_MAX 24

static fixture_t f;
static unsigned seed;
static unsigned dice;
static int failing; /* syncs to fail */

typedef struct {
    int stock[NAMES]; /* -1: no such item */
    int events;
} world_t;

typedef struct {
    char text[160];
    const char *want; /* a part of the answer */
    char stock[32];
} try_t;

static unsigned
roll(unsigned sides)
{
    return (unsigned)rand_r(&dice) % sides;
}

static int
sync_or_not(void *ctx, int fd)
{
    if (failing > 0) {
        failing--;
        return -EIO;
    }
    return kappa_log_io_libc.fdatasync(ctx, fd);
}

static int
set_up(void **state)
{
    static kappa_log_io_t io;
    static kappa_log_options_t options;

    (void)state;
    io = kappa_log_io_libc;
    io.fdatasync = sync_or_not;
    /* Many segments: appends roll over all the time. */
    options = (kappa_log_options_t){ .io = &io, .segment_bytes = 16384 };
    failing = 0;
    make_store(&f);
    f.log = &options;
    open_store(&f);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    end_store(&f);
    return 0;
}

/* --- what ought to happen */

static void
want_stock(try_t *try, const char *field, int stock)
{
    snprintf(try->stock, sizeof try->stock, "{\"%s\":{\"stock\":%d}}", field,
        stock);
    try->want = try->stock;
}

static void
try_add(world_t *w, try_t *try, int i)
{
    int stock = (int)roll(5) - 1;

    snprintf(try->text, sizeof try->text,
        "mutation { add(name: \"n%d\", stock: %d, shelf: \"s%d\") { stock } }",
        i, stock, i % 2);
    if (w->stock[i] >= 0) {
        try->want = "ALREADY_EXISTS";
    } else if (stock < 0) {
        try->want = "OUT_OF_STOCK";
    } else {
        want_stock(try, "add", stock);
        w->stock[i] = stock;
        w->events++;
    }
}

static void
try_take(world_t *w, try_t *try, int i)
{
    int amount = (int)roll(4);

    snprintf(try->text, sizeof try->text,
        "mutation { take(name: \"n%d\", amount: %d) { stock } }", i, amount);
    if (w->stock[i] < 0) {
        try->want = "NOT_FOUND";
    } else if (w->stock[i] < amount) {
        try->want = "OUT_OF_STOCK";
    } else {
        w->stock[i] -= amount;
        want_stock(try, "take", w->stock[i]);
        w->events++;
    }
}

static void
try_drop(world_t *w, try_t *try, int i)
{
    snprintf(try->text, sizeof try->text,
        "mutation { drop(name: \"n%d\") { stock } }", i);
    if (w->stock[i] < 0) {
        try->want = "NOT_FOUND";
    } else {
        want_stock(try, "drop", w->stock[i]);
        w->stock[i] = -1;
        w->events++;
    }
}

/* Each key once, so it acts each time. */
static void
try_keyed(world_t *w, try_t *try, int i)
{
    static int once;
    int stock = (int)roll(5);

    snprintf(try->text, sizeof try->text,
        "mutation { keyed(name: \"n%d\", stock: %d, once: \"k%d\") "
        "{ stock } }",
        i, stock, once++);
    want_stock(try, "keyed", stock);
    w->stock[i] = stock;
    w->events++;
}

static void
make_try(world_t *w, try_t *try)
{
    static void (*const kinds[])(world_t *, try_t *, int) = { try_add,
        try_take, try_take, try_drop, try_keyed };

    kinds[roll(COUNT(kinds))](w, try, (int)roll(NAMES));
}

/* --- what happens */

static void
run_batch(world_t *world)
{
    static try_t tries[BATCH_MAX];
    kappa_job_t *jobs[BATCH_MAX];
    bool done[BATCH_MAX];
    world_t after = *world;
    unsigned count = 1 + roll(BATCH_MAX);
    bool fail = roll(6) == 0;

    for (unsigned i = 0; i < count; i++) {
        make_try(&after, &tries[i]);
        jobs[i] = make_job(&f, tries[i].text, NULL, &done[i]);
        if (i > 0) {
            jobs[i - 1]->next = jobs[i];
        }
    }
    failing = fail ? 1 : 0;
    kappa_store_commit(f.store, jobs[0]);
    fail = fail && failing == 0; /* nothing to sync: nothing failed */
    failing = 0;
    for (unsigned i = 0; i < count; i++) {
        assert_true(done[i]);
        const char *got = end_job(&f, jobs[i]);
        const char *want = fail ? "LOG_UNAVAILABLE" : tries[i].want;
        if (!strstr(got, want)) {
            fail_msg(
                "seed %u: %s gave %s, not %s", seed, tries[i].text, got, want);
        }
    }
    if (!fail) {
        *world = after;
    }
}

static void
check_world(const world_t *world)
{
    char query[80], want[80];

    for (int i = 0; i < NAMES; i++) {
        snprintf(query, sizeof query, "{ item(name: \"n%d\") { stock } }", i);
        if (world->stock[i] < 0) {
            strcpy(want, "{\"item\":null}");
        } else {
            snprintf(want, sizeof want, "{\"item\":{\"stock\":%d}}",
                world->stock[i]);
        }
        assert_contains(query_text(&f, query), want);
    }
    assert_int_equal(kappa_store_position(f.store), world->events);
}

static void
disturb(void)
{
    char path[128];

    switch (roll(8)) {
    case 0:
        reopen(&f);
        break;
    case 1: /* another boot, unmarked */
        f.boot_id = roll(2) ? "one" : "two";
        close_store(&f, roll(2));
        f.boot_id = f.boot_id[0] == 'o' ? "two" : "one";
        open_store(&f);
        break;
    case 2:
        assert_int_equal(
            kappa_store_rebuild(f.store, NULL, NULL, &f.errors), KAPPA_OK);
        break;
    case 3:
        snprintf(path, sizeof path, "%s/views", f.dir);
        remove_tree(path);
        assert_int_equal(kappa_store_tick(f.store, &f.errors), KAPPA_OK);
        break;
    default:
        break;
    }
}

static void
behaves_as_a_model_of_it(void **state)
{
    world_t world = { .events = 0 };

    (void)state;
    for (int i = 0; i < NAMES; i++) {
        world.stock[i] = -1;
    }
    for (int i = 0; i < (int)kappa_test_rounds(BATCHES, 20 * BATCHES); i++) {
        run_batch(&world);
        disturb();
        check_world(&world);
        kappa_arena_reset(f.arena);
    }
    verify_store(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            behaves_as_a_model_of_it, set_up, tear_down),
    };
    seed = (unsigned)kappa_test_seed();
    dice = seed;
    return cmocka_run_group_tests_name(
        "views/store_property", tests, NULL, NULL);
}
