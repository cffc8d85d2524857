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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_made_or_not_made),
        cmocka_unit_test(survives_loss_of_power),
        cmocka_unit_test(needs_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
