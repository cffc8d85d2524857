#include "t/unit/views/store_fixture.h"

#include "t/unit/fake_disk.h"
#include "t/unit/torture.h"

/* The power goes at any system call of the log; each sector that was not
 * synced is kept, lost or torn by chance, while the views' file has all that
 * was ever written to it. After the next boot the views are discarded and come
 * back from the log: what was acknowledged is there once, what was refused
 * is not. */

#define TRIES_MAX 4096
#define ROUNDS 25 /* on one store */

typedef enum {
    TOLD_NOTHING,
    TOLD_DONE,
    TOLD_REFUSED
} told_t;

typedef struct {
    fixture_t f;
    kappa_fake_disk_t *disk;
    kappa_log_options_t options;
    char boot_id[KAPPA_BOOT_ID_CHARS + 1];
    unsigned boots;
    told_t told[TRIES_MAX];
    uint64_t seqs[TRIES_MAX];
    int tries;
} world_t;

static void
boot(world_t *w)
{
    snprintf(w->boot_id, sizeof w->boot_id, "00000000-0000-0000-0000-%012u",
        ++w->boots);
    w->f.boot_id = w->boot_id;
    open_store(&w->f);
    /* Far behind or not: the views are where the log is. */
    assert_int_equal(
        kappa_store_build(w->f.store, NULL, NULL, &w->f.errors), KAPPA_OK);
    assert_true(kappa_store_ready(w->f.store));
}

static void
begin(world_t *w, uint64_t seed)
{
    const uint8_t random[KAPPA_EPOCH_RANDOM] = { 7 };

    memset(w, 0, sizeof *w);
    make_store(&w->f);
    w->disk = kappa_fake_disk_create(seed);
    w->options = (kappa_log_options_t){
        .segment_bytes = 16384, .io = &w->disk->io, .boot_id = w->boot_id
    };
    w->f.log = &w->options;
    assert_int_equal(
        kappa_log_create(w->f.dir, random, &w->options, NULL), KAPPA_OK);
    boot(w);
}

static void
finish(world_t *w)
{
    end_store(&w->f);
    kappa_fake_disk_destroy(w->disk);
}

static int
dice(world_t *w, int n)
{
    return (int)kappa_fake_random(w->disk, (uint64_t)n);
}

static kappa_job_t *
random_job(world_t *w, int number, bool *done)
{
    char text[200];
    int item = dice(w, 6);
    const char *key = kappa_str_printf(w->f.arena, "k%d", number).data;

    assert_non_null(key);
    switch (dice(w, 3)) {
    case 0:
        snprintf(text, sizeof text,
            "mutation { add(name: \"i%d\", stock: %d, code: \"c%d\", "
            "shelf: \"s%d\") { stock } }",
            item, dice(w, 20), dice(w, 4), dice(w, 2));
        break;
    case 1:
        snprintf(text, sizeof text,
            "mutation { take(name: \"i%d\", amount: %d) { stock } }", item,
            dice(w, 9));
        break;
    default:
        snprintf(text, sizeof text,
            "mutation { drop(name: \"i%d\") { stock } }", item);
    }
    return make_job(&w->f, text, key, done);
}

/* What a client learns from an answer. Of a refusal nothing, when the power
 * went before it could be sent. */
static told_t
told(const world_t *w, const kappa_job_t *job, const char *answer)
{
    if (w->disk->off && job->status != KAPPA_OK) {
        return TOLD_NOTHING;
    }
    if (job->status == KAPPA_OK) {
        return strstr(answer, "\"errors\"") ? TOLD_REFUSED : TOLD_DONE;
    }
    return job->status == KAPPA_UNKNOWN ? TOLD_NOTHING : TOLD_REFUSED;
}

/* Some mutations in one batch. */
static void
run_batch(world_t *w)
{
    kappa_job_t *jobs[8];
    bool done[8];
    int count = 1 + dice(w, 8);

    for (int i = 0; i < count; i++) {
        jobs[i] = random_job(w, w->tries + i, &done[i]);
        if (i) {
            jobs[i - 1]->next = jobs[i];
        }
    }
    kappa_store_commit(w->f.store, jobs[0]);
    for (int i = 0; i < count; i++) {
        kappa_job_t job = *jobs[i];

        assert_true(done[i]);
        w->seqs[w->tries] = job.seq;
        w->told[w->tries++] = told(w, &job, end_job(&w->f, jobs[i]));
    }
}

static void
check_log(world_t *w)
{
    static int times[TRIES_MAX];
    uint64_t tail = kappa_store_position(w->f.store);
    kappa_log_cursor_t *cursor;
    kappa_event_t event;

    memset(times, 0, sizeof times);
    assert_int_equal(
        kappa_log_cursor_open(kappa_store_log(w->f.store), 1, &cursor, NULL),
        KAPPA_OK);
    for (uint64_t seq = 1; seq <= tail; seq++) {
        assert_int_equal(
            kappa_log_cursor_next(cursor, tail, &event, NULL), KAPPA_OK);
        int number = atoi(event.idempotency_key.data + 1);

        assert_in_range(number, 0, w->tries - 1);
        times[number]++;
        if (w->told[number] == TOLD_DONE) {
            assert_int_equal(w->seqs[number], seq);
        }
        w->seqs[number] = seq;
    }
    kappa_log_cursor_close(cursor);
    for (int i = 0; i < w->tries; i++) {
        assert_in_range(times[i], w->told[i] == TOLD_DONE ? 1 : 0,
            w->told[i] == TOLD_REFUSED ? 0 : 1);
        if (w->told[i] == TOLD_NOTHING) { /* from here on it is known */
            w->told[i] = times[i] ? TOLD_DONE : TOLD_REFUSED;
        }
    }
}

/* Up to when the power goes, or not. */
static void
work(world_t *w)
{
    w->disk->calls = 0;
    w->disk->kinds = KAPPA_FAKE_ALL;
    w->disk->fail_at = 1 + (uint64_t)dice(w, 150);
    w->disk->off_at_fault = true;
    for (int i = 0; i < 20 && !w->disk->off && w->tries + 8 < TRIES_MAX; i++) {
        run_batch(w);
        kappa_arena_reset(w->f.arena);
    }
    w->disk->off = true;
}

static void
lose_power(world_t *w)
{
    work(w);
    close_store(&w->f, false);
    kappa_fake_disk_crash(w->disk);
    w->disk->fail_at = 0;
    w->disk->off_at_fault = false;
    boot(w);
    check_log(w);
    verify_store(&w->f);
    kappa_arena_reset(w->f.arena);
    kappa_errors_init(&w->f.errors, w->f.arena, 0);
}

static void
views_come_back_from_what_is_durable(void **state)
{
    static world_t w;
    uint64_t seed = kappa_test_seed();

    (void)state;
    for (uint64_t i = 0; i < kappa_test_rounds(2, 60); i++) {
        begin(&w, seed + i);
        for (int round = 0; round < ROUNDS; round++) {
            lose_power(&w);
        }
        finish(&w);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_come_back_from_what_is_durable),
    };

    return cmocka_run_group_tests_name("views/store_power", tests, NULL, NULL);
}
