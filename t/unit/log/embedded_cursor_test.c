#include "t/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "log/segment.h"
#include "t/unit/alloc_failing.h"
#include "t/unit/fake_disk.h"
#include "t/unit/log_fixture.h"
#include "t/unit/torture.h"

typedef struct {
    kappa_fake_disk_t *disk;
    kappa_fixture_t f;
    kappa_log_t *log;
    uint64_t tail;
} store_t;

static void
append(store_t *s, uint64_t n)
{
    uint64_t tail;

    assert_int_equal(kappa_log_lock(s->log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(s->log, NULL, &tail, NULL), KAPPA_OK);
    assert_int_equal(tail, s->tail);
    while (n > 0) {
        uint64_t some = n < 8 ? n : 8;

        assert_int_equal(
            kappa_fixture_append(s->log, s->tail, some, &s->tail), KAPPA_OK);
        n -= some;
    }
    kappa_log_unlock(s->log);
}

static void
make(store_t *s, uint64_t n)
{
    *s = (store_t){ .disk = kappa_fake_disk_create(7) };
    kappa_fixture_make(&s->f, &s->disk->io);
    s->log = kappa_fixture_open(&s->f);
    append(s, n);
}

static void
destroy(store_t *s)
{
    kappa_log_close(s->log);
    kappa_fake_disk_destroy(s->disk);
}

static void
expect_event(kappa_log_cursor_t *cursor, uint64_t limit, uint64_t n)
{
    kappa_event_t event, expected;

    assert_int_equal(
        kappa_log_cursor_next(cursor, limit, &event, NULL), KAPPA_OK);
    assert_int_equal(event.seq, n);
    kappa_fixture_event(n, &expected);
    assert_true(kappa_str_eq(event.data, expected.data));
}

/* Many segments, a reader opened once, a writer in another handle. */
static void
follows_the_writer(void **state)
{
    kappa_log_cursor_t *cursor = NULL;
    kappa_event_t event;
    uint64_t n = 0;
    store_t s;

    (void)state;
    make(&s, 0);
    kappa_log_t *reader = kappa_fixture_open(&s.f);

    assert_int_equal(
        kappa_log_cursor_open(reader, 1, &cursor, NULL), KAPPA_OK);
    for (int round = 0; round < 60; round++) {
        assert_int_equal(
            kappa_log_cursor_next(cursor, s.tail, &event, NULL), KAPPA_DONE);
        append(&s, 1 + (uint64_t)round % 9);
        while (n < s.tail) {
            n++;
            expect_event(cursor, s.tail, n);
        }
    }
    assert_true(s.disk->dir.count > 6); /* several segments */
    kappa_log_cursor_close(cursor);
    kappa_log_close(reader);
    destroy(&s);
}

static void
stops_at_the_limit(void **state)
{
    kappa_log_cursor_t *cursor = NULL;
    kappa_event_t event;
    store_t s;

    (void)state;
    make(&s, 20);
    assert_int_equal(kappa_log_cursor_open(s.log, 0, &cursor, NULL), KAPPA_OK);
    assert_int_equal(
        kappa_log_cursor_next(cursor, 0, &event, NULL), KAPPA_DONE);
    for (uint64_t n = 1; n <= 7; n++) {
        expect_event(cursor, 7, n);
    }
    assert_int_equal(
        kappa_log_cursor_next(cursor, 7, &event, NULL), KAPPA_DONE);
    expect_event(cursor, 8, 8);
    /* A limit past the end is the caller's mistake and no silent end. */
    kappa_log_cursor_seek(cursor, 21);
    assert_int_equal(
        kappa_log_cursor_next(cursor, 21, &event, NULL), KAPPA_CORRUPT);
    kappa_log_cursor_close(cursor);
    destroy(&s);
}

static void
seeks_anywhere(void **state)
{
    unsigned seed = (unsigned)kappa_test_seed();
    kappa_log_cursor_t *cursor = NULL;
    store_t s;

    (void)state;
    srand(seed);
    make(&s, 200);
    assert_int_equal(
        kappa_log_cursor_open(s.log, 150, &cursor, NULL), KAPPA_OK);
    for (int i = 0; i < 500; i++) {
        uint64_t n = 1 + (uint64_t)rand() % s.tail;

        kappa_log_cursor_seek(cursor, n);
        expect_event(cursor, s.tail, n);
        if (n < s.tail) {
            expect_event(cursor, s.tail, n + 1);
        }
    }
    kappa_log_cursor_close(cursor);
    destroy(&s);
}

/* A log of some megabytes in one large segment and smaller ones: seeks cost
 * what lies between two marks and not the whole segment. */
static void
seeks_without_reading_all(void **state)
{
    unsigned seed = (unsigned)kappa_test_seed();
    char *fill = malloc(100000);
    kappa_log_cursor_t *cursor = NULL;
    kappa_event_t event = { .thing = KAPPA_STR("T"), .verb = KAPPA_STR("v") };
    uint64_t tail = 0;
    store_t s;

    (void)state;
    srand(seed);
    memset(fill, ' ', 100000);
    s = (store_t){ .disk = kappa_fake_disk_create(7) };
    kappa_fixture_make(&s.f, &s.disk->io);
    s.f.options.segment_bytes = 16 * 1024 * 1024;
    s.log = kappa_fixture_open(&s.f);
    assert_int_equal(kappa_log_lock(s.log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(s.log, NULL, &tail, NULL), KAPPA_OK);
    for (int i = 0; i < 400; i++) {
        event.data = kappa_str(fill, 1 + (size_t)rand() % 100000);
        event.time_ms = i + 1;
        assert_int_equal(
            kappa_log_append(s.log, &event, 1, tail, &tail, NULL), KAPPA_OK);
    }
    assert_int_equal(kappa_log_cursor_open(s.log, 1, &cursor, NULL), KAPPA_OK);
    s.disk->kinds = KAPPA_FAKE_READ;
    for (uint64_t n = 1; n <= tail; n++) {
        assert_int_equal(
            kappa_log_cursor_next(cursor, tail, &event, NULL), KAPPA_OK);
    }
    s.disk->calls = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t n = 1 + (uint64_t)rand() % tail;

        kappa_log_cursor_seek(cursor, n);
        assert_int_equal(
            kappa_log_cursor_next(cursor, tail, &event, NULL), KAPPA_OK);
        assert_int_equal(event.seq, n);
        assert_int_equal(event.time_ms, n);
    }
    /* Reads of 256 KiB: up to the next mark, and a segment's header. */
    assert_true(s.disk->calls < 5000);
    kappa_log_cursor_close(cursor);
    destroy(&s);
    free(fill);
}

/* Damage anywhere is told with its place, and the cursor stays there. */
static void
tells_of_damage(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_log_cursor_t *cursor = NULL;
    kappa_errors_t errors;
    kappa_event_t event;
    store_t s;

    (void)state;
    make(&s, 60);
    kappa_fake_inode_t *first =
        kappa_fake_disk_file(s.disk, "00000000000000000001.seg");

    for (uint64_t at = 0; at < 4000; at += 13) {
        kappa_status_t status = KAPPA_OK;
        uint64_t n = 0;

        first->cache[at] ^= 4;
        kappa_errors_init(&errors, arena, 0);
        assert_int_equal(
            kappa_log_cursor_open(s.log, 1, &cursor, NULL), KAPPA_OK);
        while (status == KAPPA_OK) {
            status = kappa_log_cursor_next(cursor, s.tail, &event, &errors);
            n++;
        }
        assert_int_equal(status, KAPPA_CORRUPT);
        assert_non_null(strstr(errors.first->message.data,
            "/log/00000000000000000001.seg, offset "));
        assert_int_equal(
            kappa_log_verify(s.log, s.tail, NULL, NULL, NULL), KAPPA_CORRUPT);
        first->cache[at] ^= 4;
        expect_event(cursor, s.tail, n);
        kappa_log_cursor_close(cursor);
        kappa_arena_reset(arena);
    }
    assert_int_equal(
        kappa_log_verify(s.log, s.tail, NULL, NULL, NULL), KAPPA_OK);
    destroy(&s);
    kappa_arena_destroy(arena);
}

static bool
find_second(void *arg, const char *name)
{
    char *second = arg;

    if (strstr(name, ".seg") != NULL && strcmp(name, "0000000000000000000") > 0
        && strcmp(name, "00000000000000000001.seg") != 0
        && (second[0] == '\0' || strcmp(name, second) < 0)) {
        strcpy(second, name);
    }
    return true;
}

static void
misses_no_segment(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    char second[64] = "";
    kappa_errors_t errors;
    store_t s;

    (void)state;
    make(&s, 120);
    kappa_errors_init(&errors, arena, 0);
    s.disk->io.list(s.disk, 1001, find_second, second);
    assert_int_equal(s.disk->io.unlink(s.disk, 1001, second), 0);
    assert_int_equal(
        kappa_log_verify(s.log, s.tail, NULL, NULL, &errors), KAPPA_CORRUPT);
    assert_int_equal(
        s.disk->io.unlink(s.disk, 1001, "00000000000000000001.seg"), 0);
    assert_int_equal(
        kappa_log_verify(s.log, s.tail, NULL, NULL, &errors), KAPPA_CORRUPT);
    assert_non_null(strstr(errors.last->message.data,
        "no segment holds event 1; one is missing"));
    destroy(&s);
    kappa_arena_destroy(arena);
}

/* A read that fails is an error now and fine later. */
static void
gets_over_failing_reads(void **state)
{
    kappa_log_cursor_t *cursor = NULL;
    kappa_event_t event;
    store_t s;

    (void)state;
    make(&s, 100);
    assert_int_equal(kappa_log_cursor_open(s.log, 1, &cursor, NULL), KAPPA_OK);
    s.disk->kinds = KAPPA_FAKE_READ | KAPPA_FAKE_OPEN | KAPPA_FAKE_LIST;
    for (uint64_t n = 1; n <= s.tail;) {
        s.disk->calls = 0;
        s.disk->fail_at = n % 3;
        kappa_status_t status =
            kappa_log_cursor_next(cursor, s.tail, &event, NULL);

        assert_true(status == KAPPA_OK || status == KAPPA_IO);
        if (status == KAPPA_IO) {
            s.disk->fail_at = 0;
            expect_event(cursor, s.tail, n);
        }
        n++;
    }
    kappa_log_cursor_close(cursor);
    s.disk->fail_at = 0;
    destroy(&s);
}

static kappa_status_t
read_all(const kappa_alloc_t *alloc, void *ctx)
{
    store_t *s = ctx;
    kappa_log_t *log = NULL;
    kappa_status_t status =
        kappa_log_open(s->f.store, alloc, &s->f.options, &log, NULL);

    if (status == KAPPA_OK) {
        status = kappa_fixture_check(log, s->tail, NULL);
    }
    kappa_log_close(log);
    return status;
}

static void
survives_want_of_memory(void **state)
{
    store_t s;

    (void)state;
    make(&s, 60);
    kappa_alloc_failing_each(read_all, &s);
    destroy(&s);
}

/* The largest events there can be, read with a window that grows to hold
 * one. */
static void
reads_the_largest(void **state)
{
    char *big = malloc(KAPPA_EVENT_BYTES_MAX);
    kappa_log_cursor_t *cursor = NULL;
    kappa_event_t event = { .thing = KAPPA_STR("T"), .verb = KAPPA_STR("v") };
    uint64_t tail = 0;
    store_t s;

    (void)state;
    make(&s, 0);
    memset(big, ' ', KAPPA_EVENT_BYTES_MAX);
    event.data = kappa_str(big, KAPPA_EVENT_BYTES_MAX - 512);
    assert_int_equal(kappa_log_lock(s.log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(s.log, NULL, &tail, NULL), KAPPA_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            kappa_log_append(s.log, &event, 1, tail, &tail, NULL), KAPPA_OK);
    }
    event.data.len += 512;
    assert_int_equal(
        kappa_log_append(s.log, &event, 1, tail, &tail, NULL), KAPPA_LIMIT);
    assert_int_equal(kappa_log_cursor_open(s.log, 1, &cursor, NULL), KAPPA_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            kappa_log_cursor_next(cursor, tail, &event, NULL), KAPPA_OK);
        assert_int_equal(event.data.len, KAPPA_EVENT_BYTES_MAX - 512);
    }
    kappa_log_cursor_close(cursor);
    destroy(&s);
    free(big);
}

/* --- far ahead */

static uint64_t bytes_read;
static ssize_t (*real_pread)(
    void *ctx, int fd, void *to, size_t n, uint64_t at);

static ssize_t
counting_pread(void *ctx, int fd, void *to, size_t n, uint64_t at)
{
    ssize_t got = real_pread(ctx, fd, to, n, at);

    bytes_read += got > 0 ? (uint64_t)got : 0;
    return got;
}

#define FAR 20000

/* A segment of several MiB: any event is found by a look at a few places. */
static void
make_large(store_t *s)
{
    uint8_t random[KAPPA_EPOCH_RANDOM] = { 3 };

    *s = (store_t){ .disk = kappa_fake_disk_create(9) };
    s->disk->whole_writes = true;
    real_pread = s->disk->io.pread;
    s->disk->io.pread = counting_pread;
    s->f.options = (kappa_log_options_t){ .segment_bytes = 16 * 1024 * 1024,
        .io = &s->disk->io,
        .boot_id = "00000000-0000-0000-0000-000000000001" };
    strcpy(s->f.store, "/far");
    assert_int_equal(
        kappa_log_create(s->f.store, random, &s->f.options, NULL), KAPPA_OK);
    s->log = kappa_fixture_open(&s->f);
    assert_int_equal(kappa_log_lock(s->log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(s->log, NULL, &s->tail, NULL), KAPPA_OK);
    while (s->tail < FAR) {
        assert_int_equal(
            kappa_fixture_append(s->log, s->tail, 50, &s->tail), KAPPA_OK);
    }
    kappa_log_unlock(s->log);
}

static void
goes_far_without_reading_all(void **state)
{
    static const uint64_t seqs[] = { FAR, 1, FAR / 2, FAR - 1, 2, 777, 15000,
        9999, FAR / 4 };
    kappa_log_cursor_t *cursor;
    store_t s;

    (void)state;
    make_large(&s);
    for (size_t i = 0; i < COUNT(seqs); i++) {
        assert_int_equal(
            kappa_log_cursor_open(s.log, seqs[i], &cursor, NULL), KAPPA_OK);
        bytes_read = 0;
        expect_event(cursor, FAR, seqs[i]);
        assert_in_range(bytes_read, 1, 768 * 1024);
        if (seqs[i] < FAR) { /* and goes on from there */
            expect_event(cursor, FAR, seqs[i] + 1);
        }
        kappa_log_cursor_close(cursor);
    }
    assert_int_equal(kappa_log_cursor_open(s.log, 1, &cursor, NULL), KAPPA_OK);
    for (size_t i = 0; i < 200; i++) { /* one that goes to and fro */
        uint64_t seq = 1 + kappa_fake_random(s.disk, FAR);

        kappa_log_cursor_seek(cursor, seq);
        expect_event(cursor, FAR, seq);
    }
    kappa_log_cursor_close(cursor);
    destroy(&s);
}

/* Damage is told by who comes to it; others are found all the same. */
static void
damage_is_passed_by_or_told(void **state)
{
    kappa_log_cursor_t *cursor;
    kappa_event_t event;
    store_t s;

    (void)state;
    make_large(&s);
    kappa_fake_inode_t *file =
        kappa_fake_disk_file(s.disk, "00000000000000000001.seg");
    uint64_t at = KAPPA_SEGMENT_HEADER;
    kappa_record_t record;
    size_t need;

    for (uint64_t seq = 1; seq < FAR / 2; seq++) {
        assert_int_equal(kappa_record_read((char *)file->cache + at,
                             file->size - at, &record, &need),
            KAPPA_OK);
        at += record.bytes;
    }
    file->cache[at + 20] ^= 1; /* in the header of event FAR / 2 */
    assert_int_equal(
        kappa_log_cursor_open(s.log, FAR / 2, &cursor, NULL), KAPPA_OK);
    assert_int_equal(
        kappa_log_cursor_next(cursor, FAR, &event, NULL), KAPPA_CORRUPT);
    kappa_log_cursor_seek(cursor, FAR / 2 - 1);
    expect_event(cursor, FAR, FAR / 2 - 1);
    assert_int_equal(
        kappa_log_cursor_next(cursor, FAR, &event, NULL), KAPPA_CORRUPT);
    kappa_log_cursor_close(cursor);
    assert_int_equal(
        kappa_log_cursor_open(s.log, FAR, &cursor, NULL), KAPPA_OK);
    expect_event(cursor, FAR, FAR);
    kappa_log_cursor_close(cursor);
    assert_int_equal(
        kappa_log_verify(s.log, FAR, NULL, NULL, NULL), KAPPA_CORRUPT);
    destroy(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_writer),
        cmocka_unit_test(stops_at_the_limit),
        cmocka_unit_test(seeks_anywhere),
        cmocka_unit_test(seeks_without_reading_all),
        cmocka_unit_test(tells_of_damage),
        cmocka_unit_test(misses_no_segment),
        cmocka_unit_test(gets_over_failing_reads),
        cmocka_unit_test(survives_want_of_memory),
        cmocka_unit_test(reads_the_largest),
        cmocka_unit_test(goes_far_without_reading_all),
        cmocka_unit_test(damage_is_passed_by_or_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
