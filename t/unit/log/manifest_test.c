#include "t/unit/test.h"

#include <string.h>

#include "log/manifest.h"

static const kappa_manifest_t example = { .epoch = { "k3f9x0q2m1ab" },
    .seq = 42,
    .segment = 1,
    .offset = 9144,
    .link = 0x8f0d22aa,
    .forgotten = 3 };

static void
round_trips(void **state)
{
    kappa_manifest_t most = { .epoch = { "abcdefghijklmnopqrstuvwx" },
        .seq = UINT64_MAX,
        .segment = UINT64_MAX,
        .offset = UINT64_MAX,
        .link = UINT32_MAX,
        .forgotten = UINT64_MAX };
    kappa_manifest_t least = { .epoch = { "00000000" } }, read;
    const kappa_manifest_t *all[] = { &example, &most, &least };
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(all); i++) {
        kappa_buf_reset(&buf);
        kappa_manifest_write(&buf, all[i]);
        assert_true(kappa_manifest_read(kappa_buf_view(&buf), &read));
        assert_true(kappa_epoch_eq(&read.epoch, &all[i]->epoch));
        assert_int_equal(read.seq, all[i]->seq);
        assert_int_equal(read.segment, all[i]->segment);
        assert_int_equal(read.offset, all[i]->offset);
        assert_int_equal(read.link, all[i]->link);
        assert_int_equal(read.forgotten, all[i]->forgotten);
    }
    kappa_buf_release(&buf);
}

/* Every byte counts, and so does the length. */
static void
refuses_what_is_not_whole(void **state)
{
    kappa_manifest_t read;
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_manifest_write(&buf, &example);
    for (size_t len = 0; len < buf.len; len++) {
        assert_false(kappa_manifest_read(kappa_str(buf.data, len), &read));
    }
    for (size_t i = 0; i < buf.len; i++) {
        buf.data[i] ^= 1;
        assert_false(kappa_manifest_read(kappa_buf_view(&buf), &read));
        buf.data[i] ^= 1;
    }
    kappa_buf_char(&buf, '\n');
    assert_false(kappa_manifest_read(kappa_buf_view(&buf), &read));
    kappa_buf_release(&buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(refuses_what_is_not_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
