#include "t/unit/test.h"

#include <string.h>

#include "log/log.h"
#include "t/unit/fake_disk.h"
#include "t/unit/log_fixture.h"
#include "t/unit/torture.h"

/* Making a log, on a disk that fails. */

static const uint8_t entropy[KAPPA_EPOCH_RANDOM] = { 1, 2, 3 };

static kappa_status_t
create(kappa_fake_disk_t *disk, const char *boot_id)
{
    const kappa_log_options_t options = { 4096, &disk->io, boot_id };

    return kappa_log_create("/s", entropy, &options, NULL);
}

static uint64_t
count_calls(void)
{
    kappa_fake_disk_t *disk = kappa_fake_disk_create(1);

    assert_int_equal(create(disk, "b1"), KAPPA_OK);
    uint64_t calls = disk->calls;

    kappa_fake_disk_destroy(disk);
    return calls;
}

/* There is a log now, an empty one that can be written, or none. */
static kappa_status_t
use(kappa_fake_disk_t *disk, const char *boot_id)
{
    const kappa_log_options_t options = { 4096, &disk->io, boot_id };
    kappa_log_t *log = NULL;
    uint64_t tail = 99;
    kappa_status_t status =
        kappa_log_open("/s", &kappa_alloc_libc, &options, &log, NULL);

    if (status != KAPPA_OK) {
        return status;
    }
    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
    assert_int_equal(tail, 0);
    assert_int_equal(kappa_fixture_append(log, 0, 3, &tail), KAPPA_OK);
    kappa_fixture_expect(log, 3);
    kappa_log_close(log);
    return KAPPA_OK;
}

static void
is_made_or_not_made(void **state)
{
    uint64_t calls = count_calls();

    (void)state;
    assert_true(calls > 10);
    for (uint64_t k = 1; k <= calls; k++) {
        kappa_fake_disk_t *disk = kappa_fake_disk_create(k);

        disk->fail_at = k;
        kappa_status_t status = create(disk, "b1");

        assert_true(status == KAPPA_OK || status == KAPPA_IO);
        disk->fail_at = 0;
        if (status != KAPPA_OK) {
            kappa_status_t again = create(disk, "b1");

            assert_true(again == KAPPA_OK || again == KAPPA_CONFLICT);
        }
        assert_int_equal(use(disk, "b1"), KAPPA_OK);
        kappa_fake_disk_destroy(disk);
    }
}

static void
survives_loss_of_power(void **state)
{
    uint64_t calls = count_calls(), seed = kappa_test_seed();

    (void)state;
    for (int round = 0; round < 20; round++) {
        for (uint64_t k = 1; k <= calls + 1; k++) {
            kappa_fake_disk_t *disk = kappa_fake_disk_create(seed++);

            disk->fail_at = k;
            disk->off_at_fault = true;
            kappa_status_t status = create(disk, "b1");

            disk->off = true;
            kappa_fake_disk_crash(disk);
            kappa_status_t opened = use(disk, "b2");

            if (status == KAPPA_OK && k > calls) {
                assert_int_equal(opened, KAPPA_OK);
            }
            if (opened != KAPPA_OK) {
                assert_int_equal(opened, KAPPA_NOT_FOUND);
                assert_int_equal(create(disk, "b2"), KAPPA_OK);
                assert_int_equal(use(disk, "b2"), KAPPA_OK);
            }
            kappa_fake_disk_destroy(disk);
        }
    }
}

static void
needs_room(void **state)
{
    kappa_fake_disk_t *disk = kappa_fake_disk_create(1);

    (void)state;
    disk->room = 1;
    assert_int_equal(create(disk, "b1"), KAPPA_IO);
    assert_int_equal(use(disk, "b1"), KAPPA_NOT_FOUND);
    disk->room = 0;
    assert_int_equal(create(disk, "b1"), KAPPA_OK);
    assert_int_equal(use(disk, "b1"), KAPPA_OK);
    kappa_fake_disk_destroy(disk);
}

static kappa_log_t *
open_made(kappa_fake_disk_t *disk)
{
    const kappa_log_options_t options = { 4096, &disk->io, "b1" };
    kappa_log_t *log = NULL;

    assert_int_equal(
        kappa_log_open("/s", &kappa_alloc_libc, &options, &log, NULL),
        KAPPA_OK);
    return log;
}

static void
add(kappa_log_t *log, uint64_t from, uint64_t count)
{
    uint64_t tail = 0;

    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
    assert_int_equal(tail, from);
    assert_int_equal(kappa_fixture_append(log, from, count, &tail), KAPPA_OK);
    kappa_log_unlock(log);
}

static void
unlink_in(kappa_fake_disk_t *disk, const char *name)
{
    assert_int_equal(disk->io.unlink(disk, 1001, name), 0);
}

/* A log whose epoch was lost is none to make anew. */
static void
makes_no_log_over_events(void **state)
{
    static const struct {
        const char *name;
        uint64_t events;
        uint64_t broken_at; /* a byte of the first segment; 0: none */
        kappa_status_t status;
    } cases[] = {
        { "nothing in it", 0, 0, KAPPA_OK },
        { "one event", 1, 0, KAPPA_CORRUPT },
        { "one that is damaged", 1, 64, KAPPA_CORRUPT },
        { "a damaged header", 1, 1, KAPPA_CORRUPT },
        { "several segments", 200, 0, KAPPA_CORRUPT },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_fake_disk_t *disk = kappa_fake_disk_create(1);

        print_message("%s\n", cases[i].name);
        assert_int_equal(create(disk, "b1"), KAPPA_OK);
        for (uint64_t n = 0; n < cases[i].events; n++) {
            kappa_log_t *log = open_made(disk);

            add(log, n, 1);
            kappa_log_close(log);
        }
        kappa_fake_inode_t *segment =
            kappa_fake_disk_file(disk, "00000000000000000001.seg");
        static unsigned char before[4096];

        if (cases[i].broken_at) {
            segment->cache[cases[i].broken_at] ^= 4;
        }
        memcpy(before, segment->cache, sizeof(before));
        unlink_in(disk, "epoch");
        assert_int_equal(create(disk, "b1"), cases[i].status);
        assert_memory_equal(before,
            kappa_fake_disk_file(disk, "00000000000000000001.seg")->cache,
            sizeof(before));
        kappa_fake_disk_destroy(disk);
    }
}

/* Where there is a log, nothing is waited for, nor written. */
static void
leaves_a_log_alone(void **state)
{
    kappa_fake_disk_t *disk = kappa_fake_disk_create(1);

    (void)state;
    assert_int_equal(create(disk, "b1"), KAPPA_OK);
    kappa_log_t *log = open_made(disk);

    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    disk->kinds = KAPPA_FAKE_WRITE | KAPPA_FAKE_LOCK;
    disk->calls = 0;
    assert_int_equal(create(disk, "b1"), KAPPA_CONFLICT);
    assert_int_equal(disk->calls, 0);
    kappa_log_close(log);
    kappa_fake_disk_destroy(disk);
}

static void
a_deleted_lock_keeps_nobody_apart(void **state)
{
    kappa_fake_disk_t *disk = kappa_fake_disk_create(1);

    (void)state;
    assert_int_equal(create(disk, "b1"), KAPPA_OK);
    kappa_log_t *before = open_made(disk);

    add(before, 0, 2);
    unlink_in(disk, "lock");
    kappa_log_t *after = open_made(disk);

    assert_int_equal(kappa_log_lock(after, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_trylock(before, NULL), KAPPA_BUSY);
    kappa_log_unlock(after);
    add(after, 2, 3);
    add(before, 5, 1);
    add(after, 6, 1);
    kappa_fixture_expect(after, 7);
    kappa_log_close(before);
    kappa_log_close(after);
    kappa_fake_disk_destroy(disk);
}

static void
nothing_is_written_to_a_deleted_segment(void **state)
{
    kappa_fake_disk_t *disk = kappa_fake_disk_create(1);
    uint64_t tail = 0;

    (void)state;
    assert_int_equal(create(disk, "b1"), KAPPA_OK);
    kappa_log_t *log = open_made(disk);

    add(log, 0, 2);
    unlink_in(disk, "00000000000000000001.seg");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
        assert_int_equal(
            kappa_log_tail(log, NULL, &tail, NULL), KAPPA_CORRUPT);
        assert_int_equal(
            kappa_fixture_append(log, 2, 1, &tail), KAPPA_INVALID);
        kappa_log_unlock(log);
    }
    kappa_log_close(log);
    kappa_fake_disk_destroy(disk);
}

static uint64_t
durable(kappa_log_t *log)
{
    uint64_t seq = 99;

    assert_int_equal(kappa_log_durable(log, &seq, NULL), KAPPA_OK);
    return seq;
}

/* As soon as an append returns, to who has not got the lock. */
static void
tells_what_is_durable(void **state)
{
    kappa_fake_disk_t *disk = kappa_fake_disk_create(1);
    uint64_t tail;

    (void)state;
    assert_int_equal(create(disk, "b1"), KAPPA_OK);
    kappa_log_t *log = open_made(disk), *reader = open_made(disk);

    assert_int_equal(durable(reader), 0);
    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
    for (uint64_t n = 0; n < 5; n++) {
        assert_int_equal(durable(reader), n);
        assert_int_equal(kappa_fixture_append(log, n, 1, &tail), KAPPA_OK);
    }
    assert_int_equal(durable(reader), 5);

    disk->fail_at = disk->calls + 1;
    uint64_t seq;
    assert_int_equal(kappa_log_durable(reader, &seq, NULL), KAPPA_IO);
    kappa_log_close(log);
    kappa_log_close(reader);
    kappa_fake_disk_destroy(disk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_made_or_not_made),
        cmocka_unit_test(survives_loss_of_power),
        cmocka_unit_test(needs_room),
        cmocka_unit_test(makes_no_log_over_events),
        cmocka_unit_test(leaves_a_log_alone),
        cmocka_unit_test(a_deleted_lock_keeps_nobody_apart),
        cmocka_unit_test(nothing_is_written_to_a_deleted_segment),
        cmocka_unit_test(tells_what_is_durable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
