#include "t/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "t/unit/alloc_failing.h"
#include "t/unit/fake_disk.h"
#include "t/unit/torture.h"

/* What is promised holds whatever the disk does: an application that appends
 * on a fake disk, a fault at each call in turn, and then a look at what is in
 * the log. An event's content names the attempt that wrote it, so that one
 * that was refused can't come back unseen. */

#define SEGMENT_BYTES 4096
#define EVENTS_MAX 400
#define BATCHES 10
#define BATCH_MAX 8

typedef struct {
    kappa_fake_disk_t *disk;
    kappa_log_options_t options;
    char boot_id[KAPPA_BOOT_ID_CHARS + 1];
    kappa_log_t *log;
    uint32_t attempts[EVENTS_MAX]; /* which one wrote event n */
    uint64_t acked;                /* events that must be there */
    uint32_t attempt;              /* the last one made */
    uint64_t pending;  /* its events, when its outcome is not known */
    uint64_t unknowns; /* how often it was not */
    uint64_t refused;  /* appends that said: nothing is appended */
    kappa_arena_t *arena;
} app_t;

static void
boot(app_t *app, unsigned number)
{
    snprintf(app->boot_id, sizeof(app->boot_id),
        "00000000-0000-0000-0000-%012u", number);
}

static void
start(app_t *app, uint64_t seed)
{
    uint8_t random[KAPPA_EPOCH_RANDOM] = { 42 };

    memset(app, 0, sizeof(*app));
    app->disk = kappa_fake_disk_create(seed);
    app->arena = kappa_arena_create(&kappa_alloc_libc, 0);
    app->options =
        (kappa_log_options_t){ SEGMENT_BYTES, &app->disk->io, app->boot_id };
    boot(app, 1);
    assert_int_equal(
        kappa_log_create("/s", random, &app->options, NULL), KAPPA_OK);
}

static void
open_log(app_t *app)
{
    assert_int_equal(kappa_log_open("/s", &kappa_alloc_libc, &app->options,
                         &app->log, NULL),
        KAPPA_OK);
}

static void
close_log(app_t *app)
{
    kappa_log_close(app->log);
    app->log = NULL;
}

static void
end(app_t *app)
{
    close_log(app);
    kappa_fake_disk_destroy(app->disk);
    kappa_arena_destroy(app->arena);
}

static void
make_event(app_t *app, uint64_t n, kappa_event_t *event)
{
    *event = (kappa_event_t){ .thing = KAPPA_STR("T"),
        .verb = KAPPA_STR("v"),
        .data = kappa_str_printf(app->arena, "{\"n\":%u,\"attempt\":%u,%0*d}",
            (unsigned)n, app->attempt, (int)(n * 7919 % 200) + 1, 0) };
}

static void
check_event(app_t *app, const kappa_event_t *event, uint64_t n)
{
    unsigned number = 0, attempt = 0;

    assert_int_equal(event->seq, n);
    assert_int_equal(sscanf(event->data.data, "{\"n\":%u,\"attempt\":%u",
                         &number, &attempt),
        2);
    assert_int_equal(number, n);
    if (n <= app->acked) {
        assert_int_equal(attempt, app->attempts[n]);
    } else {
        assert_true(n - app->acked <= app->pending);
        assert_int_equal(attempt, app->attempt);
        app->attempts[n] = attempt;
    }
}

/* The log was found to end at tail: all acknowledged events are in it, and
 * behind them at most those whose outcome was open. */
static void
check_tail(app_t *app, uint64_t tail)
{
    kappa_log_cursor_t *cursor = NULL;
    kappa_event_t event;

    if (tail < app->acked) {
        fail_msg("%u of %u acknowledged events are there", (unsigned)tail,
            (unsigned)app->acked);
    }
    assert_int_equal(
        kappa_log_cursor_open(app->log, 1, &cursor, NULL), KAPPA_OK);
    for (uint64_t n = 1; n <= tail; n++) {
        kappa_errors_t errors;

        kappa_errors_init(&errors, app->arena, 0);
        if (kappa_log_cursor_next(cursor, tail, &event, &errors) != KAPPA_OK) {
            fail_msg("%s", errors.first ? errors.first->message.data : "?");
        }
        check_event(app, &event, n);
    }
    assert_int_equal(
        kappa_log_cursor_next(cursor, tail, &event, NULL), KAPPA_DONE);
    kappa_log_cursor_close(cursor);
    app->acked = tail;
    app->pending = 0;
}

static kappa_status_t
make_tail(app_t *app, uint64_t *tail)
{
    kappa_fake_disk_t *disk = app->disk;
    kappa_log_known_t known = { kappa_fake_random(disk, 2) * app->acked,
        kappa_fake_random(disk, app->acked + 1) };
    kappa_errors_t errors;

    kappa_errors_init(&errors, app->arena, 0);
    kappa_status_t status = kappa_log_tail(app->log, &known, tail, &errors);

    if (status != KAPPA_OK && status != KAPPA_IO) {
        fail_msg("%s", errors.first ? errors.first->message.data : "?");
    }
    return status;
}

static void
append(app_t *app, uint64_t tail)
{
    kappa_event_t events[BATCH_MAX];
    uint64_t n = 1 + kappa_fake_random(app->disk, BATCH_MAX), new_tail = 0;

    app->attempt++;
    for (uint64_t i = 0; i < n; i++) {
        make_event(app, tail + 1 + i, &events[i]);
    }
    kappa_status_t status =
        kappa_log_append(app->log, events, n, tail, &new_tail, NULL);

    app->pending = status == KAPPA_UNKNOWN ? n : 0;
    app->unknowns += status == KAPPA_UNKNOWN;
    app->refused += status == KAPPA_IO;
    if (status == KAPPA_OK) {
        assert_int_equal(new_tail, tail + n);
        for (uint64_t i = 0; i < n; i++) {
            app->attempts[tail + 1 + i] = app->attempt;
        }
        app->acked = new_tail;
    } else {
        assert_true(status == KAPPA_IO || status == KAPPA_UNKNOWN);
    }
    /* The power went during the call: nobody heard what it said. */
    if (app->disk->off && status != KAPPA_OK) {
        app->pending = n;
    }
}

static void
take_turn(app_t *app)
{
    uint64_t tail = 0;

    if (kappa_log_lock(app->log, NULL) != KAPPA_OK) {
        return;
    }
    if (make_tail(app, &tail) == KAPPA_OK) {
        bool off = app->disk->off;
        uint64_t fail_at = app->disk->fail_at;

        uint64_t off_after = app->disk->off_after;

        app->disk->off = false; /* the check is not part of the tale */
        app->disk->off_after = 0;
        app->disk->fail_at = 0;
        uint64_t calls = app->disk->calls;

        check_tail(app, tail);
        app->disk->calls = calls;
        app->disk->fail_at = fail_at;
        app->disk->off_after = off_after;
        app->disk->off = off;
        append(app, tail);
    }
    kappa_log_unlock(app->log);
    kappa_arena_reset(app->arena);
}

static void
work(app_t *app)
{
    for (int i = 0; i < BATCHES && !app->disk->off; i++) {
        take_turn(app);
    }
}

static uint64_t
count_calls(uint64_t seed, unsigned kinds)
{
    app_t app;

    start(&app, seed);
    app.disk->kinds = kinds;
    open_log(&app);
    work(&app);
    uint64_t calls = app.disk->calls;

    end(&app);
    return calls;
}

/* After all faults are over: all is there, and appending goes on. */
static void
check_at_last(app_t *app)
{
    uint64_t before;

    app->disk->fail_at = 0;
    app->disk->off = false;
    before = app->acked;
    take_turn(app);
    take_turn(app);
    assert_true(app->acked >= before + 2);
    close_log(app);
    open_log(app);
    take_turn(app);
    assert_true(app->acked >= before + 3);
}

static void
crash(app_t *app, unsigned number)
{
    close_log(app);
    kappa_fake_disk_crash(app->disk);
    boot(app, number);
    open_log(app);
}

/* The power goes at every call in turn, and takes what it likes. */
static void
survives_loss_of_power(void **state)
{
    uint64_t seed = kappa_test_seed();

    (void)state;
    for (int round = 0; round < (int)kappa_test_rounds(6, 60);
         round++, seed++) {
        uint64_t calls = count_calls(seed, 0);

        for (uint64_t k = 1; k <= calls; k++) {
            app_t app;

            start(&app, seed);
            open_log(&app);
            app.disk->calls = 0;
            app.disk->fail_at = k;
            app.disk->off_at_fault = true;
            work(&app);
            app.disk->off = true;
            crash(&app, 2);
            take_turn(&app);
            crash(&app, 3);
            check_at_last(&app);
            end(&app);
        }
    }
}

/* The process is killed at every call in turn; later the power goes too. */
static void
survives_a_kill(void **state)
{
    uint64_t seed = kappa_test_seed();

    (void)state;
    for (int round = 0; round < (int)kappa_test_rounds(6, 60);
         round++, seed++) {
        uint64_t calls = count_calls(seed, 0);

        for (uint64_t k = 1; k <= calls; k++) {
            app_t app;

            start(&app, seed);
            open_log(&app);
            app.disk->calls = 0;
            app.disk->fail_at = k;
            app.disk->off_at_fault = true;
            work(&app);
            app.disk->off = true;
            close_log(&app);
            kappa_fake_disk_kill(app.disk);
            open_log(&app);
            take_turn(&app);
            take_turn(&app);
            crash(&app, 2);
            check_at_last(&app);
            end(&app);
        }
    }
}

/* Each call in turn fails, n times in a row; then all is well, or the power
 * goes. What append said is what is there. */
static void
fail_each(uint64_t seed, unsigned kinds, uint64_t n, int error, bool power,
    uint64_t *unknowns, uint64_t *refused)
{
    uint64_t calls = count_calls(seed, kinds);

    for (uint64_t k = 1; k <= calls; k++) {
        app_t app;

        start(&app, seed);
        open_log(&app);
        app.disk->kinds = kinds;
        app.disk->calls = 0;
        app.disk->fail_at = k;
        app.disk->fail_n = n;
        app.disk->error = error;
        work(&app);
        app.disk->fail_at = 0;
        if (power) {
            app.disk->off = true;
            crash(&app, 2);
        }
        check_at_last(&app);
        *unknowns += app.unknowns;
        *refused += app.refused;
        end(&app);
    }
}

/* A sync fails, and the process dies before it has dealt with that: what it
 * wrote can be read and synced without complaint, and is not on the disk. */
static void
survives_a_kill_after_a_fault(void **state)
{
    uint64_t seed = kappa_test_seed();

    (void)state;
    for (uint64_t calls_left = 1; calls_left <= 8; calls_left++, seed++) {
        uint64_t calls = count_calls(seed, KAPPA_FAKE_SYNC);

        for (uint64_t k = 1; k <= calls; k++) {
            app_t app;

            start(&app, seed);
            open_log(&app);
            app.disk->kinds = KAPPA_FAKE_SYNC;
            app.disk->calls = 0;
            app.disk->fail_at = k;
            app.disk->off_after = calls_left;
            work(&app);
            app.disk->off = true;
            close_log(&app);
            kappa_fake_disk_kill(app.disk);
            open_log(&app);
            take_turn(&app);
            take_turn(&app);
            crash(&app, 2);
            check_at_last(&app);
            end(&app);
        }
    }
}

static void
tells_the_truth_about_faults(void **state)
{
    static const unsigned kinds[] = { KAPPA_FAKE_ALL, KAPPA_FAKE_WRITE,
        KAPPA_FAKE_SYNC, KAPPA_FAKE_ALLOCATE, KAPPA_FAKE_SYNC_DIR,
        KAPPA_FAKE_WRITE | KAPPA_FAKE_SYNC };
    static const uint64_t in_a_row[] = { 1, 2, 3, 4, 7, 20 };
    uint64_t seed = kappa_test_seed(), unknowns = 0, refused = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        for (size_t j = 0; j < COUNT(in_a_row); j++) {
            int error = j % 2 ? EIO : ENOSPC;

            fail_each(seed++, kinds[i], in_a_row[j], error, false, &unknowns,
                &refused);
            fail_each(seed++, kinds[i], in_a_row[j], error, true, &unknowns,
                &refused);
        }
    }
    assert_true(unknowns > 0); /* both answers were met */
    assert_true(refused > 0);
}

static void
set_a_fault(app_t *app)
{
    static const unsigned kinds[] = { KAPPA_FAKE_ALL, KAPPA_FAKE_WRITE,
        KAPPA_FAKE_SYNC, KAPPA_FAKE_SYNC_DIR | KAPPA_FAKE_RENAME,
        KAPPA_FAKE_WRITE | KAPPA_FAKE_SYNC, KAPPA_FAKE_READ };
    kappa_fake_disk_t *disk = app->disk;

    disk->kinds = kinds[kappa_fake_random(disk, COUNT(kinds))];
    disk->calls = 0;
    disk->faults = 0;
    disk->fail_at = 1 + kappa_fake_random(disk, 12);
    disk->fail_n = 1 + kappa_fake_random(disk, 6);
    disk->off_at_fault = kappa_fake_random(disk, 3) == 0;
    disk->off_after = kappa_fake_random(disk, 2) * kappa_fake_random(disk, 9);
}

/* Somebody deleted it while nothing ran. */
static void
lose_the_lock_file(app_t *app)
{
    app->disk->io.unlink(app->disk, 1001, "lock");
}

/* Two processes, one after the other, whatever happens: faults, kills and
 * losses of power also while the last ones are being dealt with. */
static void
weathers_a_storm(uint64_t seed)
{
    kappa_log_t *other = NULL;
    unsigned boots = 1;
    app_t app;

    start(&app, seed);
    open_log(&app);
    for (int i = 0; i < 60 && app.acked < EVENTS_MAX - 50; i++) {
        uint64_t dice = kappa_fake_random(app.disk, 10);

        if (dice < 3) {
            set_a_fault(&app);
        } else if (dice == 3) {
            app.disk->fail_at = 0;
            app.disk->bad_inode = (int)kappa_fake_random(
                app.disk, (uint64_t)app.disk->inode_count + 1);
        }
        take_turn(&app);
        if (app.disk->off || dice == 9) {
            app.disk->off = true;
            kappa_log_close(other);
            other = NULL;
            close_log(&app);
            if (kappa_fake_random(app.disk, 2) == 0) {
                kappa_fake_disk_crash(app.disk);
                boot(&app, ++boots);
            } else {
                kappa_fake_disk_kill(app.disk);
            }
            if (kappa_fake_random(app.disk, 4) == 0) {
                lose_the_lock_file(&app);
            }
            open_log(&app);
        } else if (dice > 5) {
            kappa_log_t *log = app.log;

            app.log = other;
            other = log;
            if (app.log == NULL) {
                app.disk->fail_at = 0;
                app.disk->off_after = 0;
                open_log(&app);
            }
        }
    }
    app.disk->off = true;
    app.disk->bad_inode = 0;
    kappa_log_close(other);
    crash(&app, ++boots);
    check_at_last(&app);
    end(&app);
}

static void
survives_it_all(void **state)
{
    uint64_t seed = kappa_test_seed();

    (void)state;
    for (int round = 0; round < (int)kappa_test_rounds(150, 5000);
         round++, seed++) {
        weathers_a_storm(seed);
    }
}

/* On a preallocated segment a batch is one write and one sync of it, between
 * two of the lock's 128 bytes; a full segment is followed by a new one. */
static void
a_batch_is_one_write_and_one_sync(void **state)
{
    kappa_event_t events[64];
    uint64_t tail = 0;
    app_t app;

    (void)state;
    start(&app, 1);
    app.disk->whole_writes = true;
    open_log(&app);
    assert_int_equal(kappa_log_lock(app.log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(app.log, NULL, &tail, NULL), KAPPA_OK);
    for (uint64_t i = 0; i < COUNT(events); i++) {
        make_event(&app, i + 1, &events[i]);
    }
    kappa_fake_disk_forget_trace(app.disk);
    assert_int_equal(
        kappa_log_append(app.log, events, 10, 0, &tail, NULL), KAPPA_OK);
    assert_string_equal(app.disk->trace, "lwwsl");

    kappa_fake_disk_forget_trace(app.disk);
    assert_int_equal(kappa_log_tail(app.log, NULL, &tail, NULL), KAPPA_OK);
    assert_string_equal(app.disk->trace, "");
    assert_int_equal(
        kappa_log_append(app.log, events, 10, tail, &tail, NULL), KAPPA_OK);
    assert_string_equal(app.disk->trace, "lawsrdwwsl");
    assert_non_null(
        kappa_fake_disk_file(app.disk, "00000000000000000011.seg"));

    /* One that is larger than a segment gets one of its size. */
    assert_int_equal(
        kappa_log_append(app.log, events, 64, tail, &tail, NULL), KAPPA_OK);
    assert_true(
        kappa_fake_disk_file(app.disk, "00000000000000000021.seg")->size
        > SEGMENT_BYTES);

    assert_int_equal(
        kappa_log_append(app.log, events, 0, tail, &tail, NULL), KAPPA_OK);
    assert_int_equal(
        kappa_log_append(app.log, events, 1, tail - 1, &tail, NULL),
        KAPPA_CONFLICT);
    assert_int_equal(tail, 84);
    end(&app);
}

/* Without room for a new segment nothing is appended, and when there is some
 * again all goes on; what fits needs no room. */
static void
waits_for_room(void **state)
{
    app_t app;

    (void)state;
    start(&app, 3);
    open_log(&app);
    app.disk->room = 1;
    for (int i = 0; i < 20; i++) {
        take_turn(&app);
    }
    assert_true(app.acked > 5 && app.acked < 40);
    assert_true(app.refused > 5);
    assert_int_equal(app.unknowns, 0);
    assert_null(kappa_fake_disk_file(app.disk, "segment.new"));
    app.disk->room = 0;
    check_at_last(&app);
    end(&app);
}

static void
refuses_to_append_out_of_turn(void **state)
{
    kappa_event_t event;
    uint64_t tail = 0;
    app_t app;

    (void)state;
    start(&app, 4);
    open_log(&app);
    make_event(&app, 1, &event);
    assert_int_equal(
        kappa_log_append(app.log, &event, 1, 0, &tail, NULL), KAPPA_INVALID);
    assert_int_equal(
        kappa_log_tail(app.log, NULL, &tail, NULL), KAPPA_INVALID);
    assert_int_equal(kappa_log_lock(app.log, NULL), KAPPA_OK);
    assert_int_equal(
        kappa_log_append(app.log, &event, 1, 0, &tail, NULL), KAPPA_INVALID);
    assert_int_equal(kappa_log_tail(app.log, NULL, &tail, NULL), KAPPA_OK);
    event.verb = KAPPA_STR_NULL;
    assert_int_equal(
        kappa_log_append(app.log, &event, 1, 0, &tail, NULL), KAPPA_INVALID);
    make_event(&app, 1, &event);
    assert_int_equal(
        kappa_log_append(app.log, &event, 1, 0, &tail, NULL), KAPPA_OK);
    kappa_log_unlock(app.log);
    assert_int_equal(
        kappa_log_append(app.log, &event, 1, 1, &tail, NULL), KAPPA_INVALID);
    assert_int_equal(kappa_log_lock(app.log, NULL), KAPPA_OK);
    assert_int_equal(
        kappa_log_append(app.log, &event, 1, 1, &tail, NULL), KAPPA_INVALID);
    end(&app);
}

static kappa_status_t
append_some(const kappa_alloc_t *alloc, void *ctx)
{
    app_t *app = ctx;
    kappa_event_t events[BATCH_MAX];
    kappa_log_t *log = NULL;
    uint64_t tail = 0;
    kappa_status_t status =
        kappa_log_open("/s", alloc, &app->options, &log, NULL);

    if (status == KAPPA_OK) {
        status = kappa_log_lock(log, NULL);
    }
    if (status == KAPPA_OK) {
        status = kappa_log_tail(log, NULL, &tail, NULL);
    }
    for (uint64_t i = 0; i < BATCH_MAX; i++) {
        make_event(app, tail + 1 + i, &events[i]);
    }
    for (int i = 0; status == KAPPA_OK && i < 4; i++) {
        status = kappa_log_append(log, events, BATCH_MAX, tail, &tail, NULL);
    }
    if (status == KAPPA_OK) {
        status = kappa_log_verify(log, tail, NULL, NULL, NULL);
    }
    kappa_log_close(log);
    return status;
}

static void
survives_want_of_memory(void **state)
{
    app_t app;

    (void)state;
    start(&app, 5);
    kappa_alloc_failing_each(append_some, &app);
    end(&app);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_one_write_and_one_sync),
        cmocka_unit_test(waits_for_room),
        cmocka_unit_test(refuses_to_append_out_of_turn),
        cmocka_unit_test(survives_want_of_memory),
        cmocka_unit_test(survives_loss_of_power),
        cmocka_unit_test(survives_a_kill),
        cmocka_unit_test(survives_a_kill_after_a_fault),
        cmocka_unit_test(tells_the_truth_about_faults),
        cmocka_unit_test(survives_it_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
