#include "t/unit/test.h"

#include <string.h>

#include "log/state.h"

static void
round_trips_and_sees_every_flip(void **state)
{
    const kappa_log_state_t in = { .phase = KAPPA_LOG_APPENDING,
        .boot_id = "01234567-89ab-cdef-0123-456789abcdef",
        .epoch = { "abcdefghijklmnopqrstuvwx" },
        .serial = 1ULL << 33,
        .generation = 3,
        .tail = 1ULL << 40,
        .segment = 77,
        .offset = 4096,
        .intent_end = 8192,
        .crc = 0xdeadbeef };
    unsigned char bytes[KAPPA_LOG_STATE_BYTES];
    kappa_log_state_t out;

    (void)state;
    kappa_log_state_write(&in, bytes);
    assert_true(kappa_log_state_read(bytes, sizeof(bytes), &out));
    assert_int_equal(out.phase, in.phase);
    assert_string_equal(out.boot_id, in.boot_id);
    assert_true(kappa_epoch_eq(&out.epoch, &in.epoch));
    assert_int_equal(out.serial, in.serial);
    assert_int_equal(out.generation, in.generation);
    assert_int_equal(out.tail, in.tail);
    assert_int_equal(out.segment, in.segment);
    assert_int_equal(out.offset, in.offset);
    assert_int_equal(out.intent_end, in.intent_end);
    assert_int_equal(out.crc, in.crc);
    for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_false(kappa_log_state_read(bytes, sizeof(bytes), &out));
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t len = 0; len < sizeof(bytes); len++) {
        assert_false(kappa_log_state_read(bytes, len, &out));
    }
}

/* Whatever of a write reached the file, there is the state before or the new
 * one. */
static void
a_torn_write_leaves_the_one_before(void **state)
{
    unsigned char file[2 * KAPPA_LOG_STATE_BYTES] = { 0 };
    kappa_log_state_t in = { .phase = KAPPA_LOG_CLEAN }, out;

    (void)state;
    assert_false(kappa_log_state_choose(file, sizeof(file), &out));
    assert_false(kappa_log_state_choose(file, 0, &out));
    for (uint64_t serial = 1; serial < 6; serial++) {
        unsigned char *place = file + serial % 2 * KAPPA_LOG_STATE_BYTES;
        unsigned char bytes[KAPPA_LOG_STATE_BYTES];

        in.serial = in.tail = serial;
        kappa_log_state_write(&in, bytes);
        for (size_t n = 0; n <= sizeof(bytes); n++) {
            memcpy(place, bytes, n);
            bool found = kappa_log_state_choose(file, sizeof(file), &out);

            assert_true(found || serial == 1);
            assert_true(
                !found || out.tail == serial || out.tail == serial - 1);
        }
        assert_int_equal(out.tail, serial);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips_and_sees_every_flip),
        cmocka_unit_test(a_torn_write_leaves_the_one_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
