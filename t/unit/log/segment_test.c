#include "t/unit/test.h"

#include <stdio.h>
#include <string.h>

#include "log/segment.h"

static void
knows_names(void **state)
{
    static const struct {
        const char *name;
        uint64_t first; /* 0: not one */
    } cases[] = {
        { "00000000000000000001.seg", 1 },
        { "18446744073709551615.seg", UINT64_MAX },
        { "00000000000000000000.seg", 0 },
        { "00000000000000000001.seg2", 0 },
        { "0000000000000000001.seg", 0 },
        { "00000000000000000001.SEG", 0 },
        { "+0000000000000000001.seg", 0 },
        { " 0000000000000000001.seg", 0 },
        { "18446744073709551616.seg", 0 },
        { "segment.new", 0 },
        { "lock", 0 },
        { "", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char name[KAPPA_SEGMENT_NAME_CHARS + 1];
        uint64_t first = 0;
        bool ok = kappa_segment_name_parse(cases[i].name, &first);

        assert_int_equal(ok, cases[i].first != 0);
        if (ok) {
            assert_int_equal(first, cases[i].first);
            kappa_segment_name(first, name);
            assert_string_equal(name, cases[i].name);
        }
    }
}

static void
checks_headers(void **state)
{
    unsigned char header[KAPPA_SEGMENT_HEADER];
    uint32_t prev_crc;
    uint64_t first;

    (void)state;
    kappa_segment_header_write(header, 4711, 0xdeadbeef);
    assert_int_equal(kappa_segment_header_read(
                         (char *)header, sizeof(header), &first, &prev_crc),
        KAPPA_OK);
    assert_int_equal(first, 4711);
    assert_int_equal(prev_crc, 0xdeadbeef);
    assert_int_equal(
        kappa_segment_header_read((char *)header, 63, &first, &prev_crc),
        KAPPA_CORRUPT);
    for (size_t bit = 0; bit < sizeof(header) * 8; bit++) {
        header[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_equal(kappa_segment_header_read((char *)header,
                             sizeof(header), &first, &prev_crc),
            KAPPA_CORRUPT);
        header[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

typedef struct {
    const char *const *names;
} listing_t;

static int
list_names(
    void *ctx, int dir, bool (*each)(void *arg, const char *name), void *arg)
{
    const listing_t *listing = ctx;

    (void)dir;
    for (const char *const *name = listing->names; *name != NULL; name++) {
        if (!each(arg, *name)) {
            break;
        }
    }
    return 0;
}

static void
finds_the_segment_of_a_seq(void **state)
{
    static const char *const names[] = { "lock", "00000000000000000200.seg",
        "00000000000000000001.seg", ".", "segment.new", "epoch",
        "00000000000000000100.seg", NULL };
    static const struct {
        uint64_t seq, first, next;
    } cases[] = {
        { 1, 1, 100 },
        { 99, 1, 100 },
        { 100, 100, 200 },
        { 199, 100, 200 },
        { 200, 200, 0 },
        { UINT64_MAX, 200, 0 },
        { 0, 0, 1 },
    };
    listing_t listing = { names };
    const kappa_log_io_t io = { .list = list_names, .ctx = &listing };
    const kappa_segments_t segments = { .io = &io, .path = "log" };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t first, next;

        assert_int_equal(
            kappa_segments_find(&segments, cases[i].seq, &first, &next, NULL),
            cases[i].first ? KAPPA_OK : KAPPA_NOT_FOUND);
        assert_int_equal(first, cases[i].first);
        assert_int_equal(next, cases[i].next);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_names),
        cmocka_unit_test(checks_headers),
        cmocka_unit_test(finds_the_segment_of_a_seq),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
