#include "t/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "log/bytes.h"
#include "log/record.h"

static kappa_record_t
write_one(kappa_buf_t *buf, kappa_str_t header, kappa_str_t payload)
{
    kappa_record_t record = { .seq = 7,
        .durable = 4,
        .prev_crc = 0xdeadbeef,
        .header = header,
        .payload = payload };

    kappa_buf_reset(buf);
    kappa_record_write(buf, &record);
    assert_false(buf->failed);
    assert_int_equal(buf->len, record.bytes);
    assert_int_equal(record.bytes % 8, 0);
    return record;
}

static void
round_trips(void **state)
{
    static const struct {
        kappa_str_t header, payload;
    } cases[] = {
        { KAPPA_STR("header"), KAPPA_STR("payload") },
        { KAPPA_STR("12345678"), KAPPA_STR("12345678") },
        { KAPPA_STR("h"), KAPPA_STR("") },
        { KAPPA_STR("h"), { NULL, 0 } }, /* forgotten */
    };
    kappa_record_t out;
    kappa_buf_t buf;
    size_t need;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_record_t in = write_one(&buf, cases[i].header, cases[i].payload);

        for (size_t len = 0; len < buf.len; len++) {
            assert_int_equal(
                kappa_record_read(buf.data, len, &out, &need), KAPPA_AGAIN);
            assert_true(need > len && need <= buf.len);
        }
        assert_int_equal(
            kappa_record_read(buf.data, buf.len, &out, &need), KAPPA_OK);
        assert_int_equal(out.seq, 7);
        assert_int_equal(out.durable, 4);
        assert_int_equal(out.prev_crc, 0xdeadbeef);
        assert_int_equal(out.crc, in.crc);
        assert_int_equal(out.bytes, buf.len);
        assert_true(kappa_str_eq(out.header, cases[i].header));
        assert_true(kappa_str_eq(out.payload, cases[i].payload));
        assert_true(
            (out.payload.data == NULL) == (cases[i].payload.data == NULL));
    }
    kappa_buf_release(&buf);
}

/* Every single bit counts. */
static void
sees_every_flip(void **state)
{
    kappa_record_t out;
    kappa_buf_t buf;
    size_t need;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    write_one(&buf, KAPPA_STR("header"), KAPPA_STR("payload"));
    for (size_t bit = 0; bit < buf.len * 8; bit++) {
        char *copy = malloc(buf.len); /* so that ASan sees its end */

        memcpy(copy, buf.data, buf.len);
        copy[bit / 8] ^= (char)(1 << bit % 8);
        kappa_status_t status = kappa_record_read(copy, buf.len, &out, &need);

        /* A length may claim more than is there. */
        if (status != KAPPA_CORRUPT && status != KAPPA_AGAIN) {
            fail_msg("bit %zu: %d", bit, (int)status);
        }
        free(copy);
    }
    kappa_buf_release(&buf);
}

static void
tells_an_end_from_damage(void **state)
{
    char bytes[256] = { 0 };
    kappa_record_t out;
    size_t need;

    (void)state;
    assert_int_equal(
        kappa_record_read(bytes, sizeof(bytes), &out, &need), KAPPA_DONE);
    bytes[KAPPA_RECORD_FIXED] = 1;
    assert_int_equal(
        kappa_record_read(bytes, sizeof(bytes), &out, &need), KAPPA_DONE);
    bytes[KAPPA_RECORD_FIXED - 1] = 1;
    assert_int_equal(
        kappa_record_read(bytes, sizeof(bytes), &out, &need), KAPPA_CORRUPT);
}

static void
bounds_the_lengths(void **state)
{
    static const struct {
        uint32_t header, payload;
        kappa_status_t status;
    } cases[] = {
        { KAPPA_RECORD_HEADER_MAX + 1, 0, KAPPA_CORRUPT },
        { 0xffffffff, 0, KAPPA_CORRUPT },
        { 8, 0xffffffff, KAPPA_CORRUPT },
        { 8, KAPPA_EVENT_BYTES_MAX - 7, KAPPA_CORRUPT },
        { KAPPA_RECORD_HEADER_MAX, 0, KAPPA_AGAIN },
    };
    kappa_record_t out;
    kappa_buf_t buf;
    size_t need;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_one(&buf, KAPPA_STR("header"), KAPPA_STR("payload"));
        kappa_put_u32((unsigned char *)buf.data + 8, cases[i].header);
        kappa_put_u32((unsigned char *)buf.data + 12, cases[i].payload);
        assert_int_equal(kappa_record_read(buf.data, buf.len, &out, &need),
            cases[i].status);
    }
    kappa_buf_release(&buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(sees_every_flip),
        cmocka_unit_test(tells_an_end_from_damage),
        cmocka_unit_test(bounds_the_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
