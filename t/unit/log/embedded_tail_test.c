#include "t/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crc32c.h"
#include "log/bytes.h"
#include "log/log.h"
#include "log/record.h"
#include "t/unit/fake_disk.h"
#include "t/unit/log_fixture.h"

/* What kappa_log_tail makes of files that are not as they were written. */

#define FIRST "00000000000000000001.seg"

typedef struct {
    kappa_fake_disk_t *disk;
    kappa_fixture_t f;
    kappa_arena_t *arena;
    kappa_errors_t errors;
    uint64_t ends[64]; /* where record i ends, in its segment */
} store_t;

static uint64_t
lock_and_tail(kappa_log_t *log, const kappa_log_known_t *known)
{
    uint64_t tail = 0;

    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, known, &tail, NULL), KAPPA_OK);
    return tail;
}

/* Three batches: events 1 to 4, 5 to 6, and 7 to 9. */
static void
make(store_t *s)
{
    uint64_t tail;

    memset(s, 0, sizeof(*s));
    s->disk = kappa_fake_disk_create(1);
    s->disk->whole_writes = true;
    s->arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_init(&s->errors, s->arena, 0);
    kappa_fixture_make(&s->f, &s->disk->io);
    kappa_log_t *log = kappa_fixture_open(&s->f);

    tail = lock_and_tail(log, NULL);
    assert_int_equal(kappa_fixture_append(log, tail, 4, &tail), KAPPA_OK);
    assert_int_equal(kappa_fixture_append(log, tail, 2, &tail), KAPPA_OK);
    assert_int_equal(kappa_fixture_append(log, tail, 3, &tail), KAPPA_OK);
    kappa_log_close(log);

    kappa_fake_inode_t *file = kappa_fake_disk_file(s->disk, FIRST);
    uint64_t at = 64;

    s->ends[0] = at;
    for (int i = 1; i <= 9; i++) {
        kappa_record_t record;
        size_t need;

        assert_int_equal(kappa_record_read((const char *)file->cache + at,
                             file->size - at, &record, &need),
            KAPPA_OK);
        at += record.bytes;
        s->ends[i] = at;
    }
}

static void
destroy(store_t *s)
{
    kappa_fake_disk_destroy(s->disk);
    kappa_arena_destroy(s->arena);
}

/* As after another boot, without what the last holder left. */
static void
forget_the_holder(store_t *s)
{
    kappa_fake_inode_t *lock = kappa_fake_disk_file(s->disk, "lock");

    memset(lock->cache, 0, lock->size);
    s->f.options.boot_id = "00000000-0000-0000-0000-000000000002";
}

static kappa_status_t
try_tail(store_t *s, uint64_t durable, uint64_t *tail)
{
    const kappa_log_known_t known = { .durable = durable };
    kappa_log_t *log = kappa_fixture_open(&s->f);

    kappa_errors_init(&s->errors, s->arena, 0);
    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    kappa_status_t status = kappa_log_tail(log, &known, tail, &s->errors);

    if (status == KAPPA_OK) {
        kappa_fixture_expect(log, *tail);
        /* And the log can be written from there. */
        uint64_t last = *tail;

        assert_int_equal(kappa_fixture_append(log, last, 2, &last), KAPPA_OK);
        kappa_fixture_expect(log, last);
    }
    kappa_log_close(log);
    return status;
}

static unsigned char *
save(kappa_fake_inode_t *file)
{
    unsigned char *copy = malloc(file->size);

    memcpy(copy, file->cache, file->size);
    return copy;
}

/* The last record, torn at every byte: cut at the record before it, whatever
 * stands behind (zeros, or noise of a few bytes). */
static void
cuts_a_torn_tail_at_every_byte(void **state)
{
    store_t s;

    (void)state;
    make(&s);
    kappa_fake_inode_t *file = kappa_fake_disk_file(s.disk, FIRST);
    unsigned char *whole = save(file);
    uint64_t size = file->size;

    for (int noise = 0; noise < 2; noise++) {
        for (uint64_t cut = s.ends[8]; cut < s.ends[9]; cut++) {
            uint64_t tail = 0;

            memcpy(file->cache, whole, size);
            memset(file->cache + cut, 0, size - cut);
            if (noise) {
                memset(file->cache + cut, 0xa5, 100);
            }
            forget_the_holder(&s);
            assert_int_equal(try_tail(&s, 0, &tail), KAPPA_OK);
            /* Padding may have been cut off without loss. */
            if (tail != 8
                && (noise || tail != 9
                    || memcmp(whole + cut, file->cache + cut, s.ends[9] - cut)
                        != 0)) {
                fail_msg("cut at %llu: tail %llu", (unsigned long long)cut,
                    (unsigned long long)tail);
            }
        }
    }
    free(whole);
    destroy(&s);
}

/* A flipped bit before the durable seq is corruption, wherever it is and
 * wherever the knowledge comes from, and nothing is changed. */
static void
refuses_flips(
    store_t *s, uint64_t from, uint64_t to, uint64_t durable, bool forget)
{
    kappa_fake_inode_t *file = kappa_fake_disk_file(s->disk, FIRST);
    unsigned char *whole = save(file);

    for (uint64_t at = from; at < to; at++) {
        uint64_t tail = 0;
        char place[64];

        file->cache[at] ^= (unsigned char)(1 << at % 8);
        unsigned char *flipped = save(file);

        if (forget) {
            forget_the_holder(s);
        }
        if (try_tail(s, durable, &tail) != KAPPA_CORRUPT) {
            fail_msg("byte %llu: accepted, tail %llu", (unsigned long long)at,
                (unsigned long long)tail);
        }
        snprintf(place, sizeof(place), "/log/%s, offset ", FIRST);
        assert_non_null(strstr(s->errors.first->message.data, place));
        assert_memory_equal(file->cache, flipped, file->size);
        memcpy(file->cache, whole, file->size);
        free(flipped);
    }
    free(whole);
}

static void
refuses_damage_that_later_records_prove(void **state)
{
    store_t s;

    (void)state;
    make(&s);
    /* Events 7 to 9 say that 6 was durable. */
    refuses_flips(&s, 0, s.ends[6], 0, true);
    destroy(&s);
}

static void
refuses_damage_that_the_caller_knows(void **state)
{
    store_t s;

    (void)state;
    make(&s);
    refuses_flips(&s, 0, s.ends[9], 9, true);
    destroy(&s);
}

static void
refuses_damage_that_the_last_holder_knew(void **state)
{
    store_t s;

    (void)state;
    make(&s);
    refuses_flips(&s, 0, s.ends[9], 0, false);
    s.f.options.boot_id = "00000000-0000-0000-0000-000000000002";
    refuses_flips(&s, 0, s.ends[9], 0, false);
    destroy(&s);
}

/* A flip in the last batch, when nothing says that it was durable, is a torn
 * tail. */
static void
cuts_what_nobody_knew_durable(void **state)
{
    store_t s;

    (void)state;
    make(&s);
    kappa_fake_inode_t *file = kappa_fake_disk_file(s.disk, FIRST);
    unsigned char *whole = save(file);

    for (uint64_t at = s.ends[6]; at < s.ends[9]; at++) {
        uint64_t tail = 0, expected = 6;

        while (s.ends[expected + 1] <= at) {
            expected++;
        }
        memcpy(file->cache, whole, file->size);
        file->cache[at] ^= (unsigned char)(1 << at % 8);
        forget_the_holder(&s);
        assert_int_equal(try_tail(&s, expected, &tail), KAPPA_OK);
        assert_int_equal(tail, expected);
    }
    free(whole);
    destroy(&s);
}

/* Zeros in the middle look like an end; what follows proves that it isn't. */
static void
refuses_a_hole(void **state)
{
    uint64_t tail;
    store_t s;

    (void)state;
    make(&s);
    kappa_fake_inode_t *file = kappa_fake_disk_file(s.disk, FIRST);

    memset(file->cache + s.ends[2], 0, s.ends[5] - s.ends[2]);
    forget_the_holder(&s);
    assert_int_equal(try_tail(&s, 0, &tail), KAPPA_CORRUPT);
    assert_non_null(strstr(s.errors.first->message.data,
        "event 3 is damaged or missing, but events up to 6 were written"));
    destroy(&s);
}

static void
refuses_to_lose_what_views_and_tail_file_know(void **state)
{
    const kappa_log_known_t cases[] = { { 10, 0 }, { 0, 10 } };
    uint64_t tail;
    store_t s;

    (void)state;
    make(&s);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_log_t *log = kappa_fixture_open(&s.f);

        /* Both at the first call and at a later one, which trusts the last
         * holder. */
        assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
        assert_int_equal(
            kappa_log_tail(log, &cases[i], &tail, NULL), KAPPA_CORRUPT);
        assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
        assert_int_equal(
            kappa_log_tail(log, &cases[i], &tail, NULL), KAPPA_CORRUPT);
        assert_int_equal(
            kappa_fixture_append(log, 9, 1, &tail), KAPPA_INVALID);
        kappa_log_close(log);
    }
    destroy(&s);
}

/* Records that a failed write left behind the end fit by number and not by
 * the link to the one before. */
static void
knows_what_does_not_follow(void **state)
{
    uint64_t tail;
    store_t s, other;

    (void)state;
    make(&s);
    make(&other);
    kappa_fake_inode_t *file = kappa_fake_disk_file(s.disk, FIRST);
    kappa_log_t *log = kappa_fixture_open(&other.f);

    tail = lock_and_tail(log, NULL);
    kappa_event_t event;
    kappa_fixture_event(10, &event);
    event.actor_sub = KAPPA_STR("another"); /* so that event 10 differs */
    assert_int_equal(
        kappa_log_append(log, &event, 1, tail, &tail, NULL), KAPPA_OK);
    assert_int_equal(kappa_fixture_append(log, tail, 1, &tail), KAPPA_OK);
    kappa_log_close(log);
    kappa_fake_inode_t *from = kappa_fake_disk_file(other.disk, FIRST);
    kappa_record_t ten;
    size_t need;

    assert_int_equal(kappa_record_read((char *)from->cache + s.ends[9],
                         from->size - s.ends[9], &ten, &need),
        KAPPA_OK);

    /* Our event 10, then where that ends their event 11. */
    log = kappa_fixture_open(&s.f);
    tail = lock_and_tail(log, NULL);
    assert_int_equal(kappa_fixture_append(log, tail, 1, &tail), KAPPA_OK);
    kappa_log_close(log);
    kappa_record_t ours;

    assert_int_equal(kappa_record_read((char *)file->cache + s.ends[9],
                         file->size - s.ends[9], &ours, &need),
        KAPPA_OK);
    memcpy(file->cache + s.ends[9] + ours.bytes,
        from->cache + s.ends[9] + ten.bytes, 400);
    forget_the_holder(&s);
    log = kappa_fixture_open(&s.f);
    kappa_status_t status = kappa_log_lock(log, NULL);

    assert_int_equal(status, KAPPA_OK);
    kappa_errors_init(&s.errors, s.arena, 0);
    status = kappa_log_tail(log, NULL, &tail, &s.errors);
    /* Their 11 says that 10 was durable, and ours is there: cut behind it. */
    assert_int_equal(status, KAPPA_OK);
    assert_int_equal(tail, 10);
    kappa_log_close(log);
    destroy(&s);
    destroy(&other);
}

static void
expect_zeros(const unsigned char *data, uint64_t from, uint64_t to)
{
    for (uint64_t at = from; at < to; at++) {
        if (data[at] != 0) {
            fail_msg("byte %llu is %d", (unsigned long long)at, data[at]);
        }
    }
}

/* A batch of three that nobody acknowledged, its first event torn. What stood
 * behind the cut would be taken for events, or for damage, once the log has
 * grown to there. */
static void
leave_a_torn_batch(store_t *s)
{
    kappa_log_t *log = kappa_fixture_open(&s->f);
    uint64_t tail = lock_and_tail(log, NULL);

    s->disk->kinds = KAPPA_FAKE_SYNC;
    s->disk->calls = 0;
    s->disk->fail_at = 1;
    s->disk->off_at_fault = true;
    assert_int_not_equal(kappa_fixture_append(log, tail, 3, &tail), KAPPA_OK);
    kappa_log_close(log);
    kappa_fake_disk_kill(s->disk);
    kappa_fake_disk_file(s->disk, FIRST)->cache[s->ends[9] + 50] ^= 1;
}

static void
zeros_what_it_cuts(void **state)
{
    enum {
        SAME_BOOT,
        ANOTHER_BOOT,
        NO_HOLDER,
        WAYS
    };

    (void)state;
    for (int way = SAME_BOOT; way < WAYS; way++) {
        store_t s;

        print_message("way %d\n", way);
        make(&s);
        leave_a_torn_batch(&s);
        if (way == ANOTHER_BOOT) {
            s.f.options.boot_id = "00000000-0000-0000-0000-000000000002";
        } else if (way == NO_HOLDER) {
            forget_the_holder(&s);
        }
        kappa_log_t *log = kappa_fixture_open(&s.f);

        assert_int_equal(lock_and_tail(log, NULL), 9);
        kappa_fake_inode_t *file = kappa_fake_disk_file(s.disk, FIRST);

        expect_zeros(file->cache, s.ends[9], file->size);
        expect_zeros(file->durable, s.ends[9], file->size);
        kappa_log_close(log);
        destroy(&s);
    }
}

/* The place where the segment is written refuses to sync for ever: the tail
 * moves to a new segment, and what the old one holds behind it counts no
 * more. */
static void
leaves_a_bad_place(void **state)
{
    uint64_t tail;
    store_t s;

    (void)state;
    make(&s);
    kappa_log_t *log = kappa_fixture_open(&s.f);

    tail = lock_and_tail(log, NULL);
    kappa_log_cursor_t *cursor = NULL;
    kappa_event_t event;

    assert_int_equal(kappa_log_cursor_open(log, 9, &cursor, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_cursor_next(cursor, 9, &event, NULL), KAPPA_OK);
    s.disk->bad_inode =
        1 + (int)(kappa_fake_disk_file(s.disk, FIRST) - s.disk->inodes);
    assert_int_equal(kappa_fixture_append(log, tail, 3, &tail), KAPPA_UNKNOWN);
    assert_int_equal(kappa_fixture_append(log, tail, 3, &tail), KAPPA_INVALID);
    kappa_log_unlock(log);

    /* Another process finds it so. */
    kappa_log_t *other = kappa_fixture_open(&s.f);

    tail = lock_and_tail(other, NULL);
    assert_true(tail >= 9 && tail <= 12);
    assert_non_null(kappa_fake_disk_file(s.disk, "00000000000000000010.seg"));
    assert_int_equal(kappa_fixture_append(other, tail, 5, &tail), KAPPA_OK);
    kappa_log_unlock(other);

    assert_int_equal(lock_and_tail(log, NULL), tail);
    assert_int_equal(kappa_fixture_append(log, tail, 5, &tail), KAPPA_OK);
    for (uint64_t n = 10; n <= tail; n++) { /* a reader goes on there */
        assert_int_equal(
            kappa_log_cursor_next(cursor, tail, &event, NULL), KAPPA_OK);
        assert_int_equal(event.seq, n);
    }
    kappa_log_cursor_close(cursor);
    kappa_log_close(log);
    kappa_log_close(other);
    kappa_fake_disk_crash(s.disk);
    s.f.options.boot_id = "00000000-0000-0000-0000-000000000003";
    log = kappa_fixture_open(&s.f);
    assert_int_equal(lock_and_tail(log, NULL), tail);
    kappa_fixture_expect(log, tail);
    kappa_log_close(log);
    destroy(&s);
}

/* While the disk refuses everything nobody appends; then all goes on. */
static void
waits_for_the_disk(void **state)
{
    uint64_t tail;
    store_t s;

    (void)state;
    make(&s);
    kappa_log_t *log = kappa_fixture_open(&s.f);

    tail = lock_and_tail(log, NULL);
    s.disk->kinds = KAPPA_FAKE_SYNC;
    s.disk->calls = 0;
    s.disk->fail_at = 1;
    s.disk->fail_n = 1000;
    assert_int_equal(kappa_fixture_append(log, tail, 3, &tail), KAPPA_UNKNOWN);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_IO);
        kappa_log_unlock(log);
        assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    }
    kappa_log_t *other = kappa_fixture_open(&s.f);

    kappa_log_unlock(log);
    assert_int_equal(kappa_log_lock(other, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(other, NULL, &tail, NULL), KAPPA_IO);
    s.disk->fail_at = 0;
    assert_int_equal(kappa_log_tail(other, NULL, &tail, NULL), KAPPA_OK);
    assert_int_equal(kappa_fixture_append(other, tail, 3, &tail), KAPPA_OK);
    kappa_fixture_expect(other, tail);
    kappa_log_close(log);
    kappa_log_close(other);
    destroy(&s);
}

/* As log/segment.h has it: version at 8, CRC over all but itself. */
static void
newer_version(unsigned char *header)
{
    kappa_put_u32(header + 8, 2);
    uint32_t crc = kappa_crc32c(0, header, 12);
    kappa_put_u32(header + 12, kappa_crc32c(crc, header + 16, 64 - 16));
}

static void
says_what_is_wrong_with_the_files(void **state)
{
    uint64_t tail;
    store_t s;

    (void)state;
    make(&s);
    kappa_fake_disk_file(s.disk, FIRST)->cache[8] = 2; /* the version */
    assert_int_equal(try_tail(&s, 0, &tail), KAPPA_CORRUPT);
    assert_non_null(strstr(
        s.errors.first->message.data, FIRST ", offset 0: this is no segment"));
    newer_version(kappa_fake_disk_file(s.disk, FIRST)->cache);
    kappa_errors_init(&s.errors, s.arena, 0);
    assert_int_equal(try_tail(&s, 0, &tail), KAPPA_CORRUPT);
    assert_non_null(strstr(s.errors.first->message.data,
        FIRST ", offset 0: this segment was written by a newer version"));
    kappa_errors_init(&s.errors, s.arena, 0);
    assert_int_equal(s.disk->io.unlink(s.disk, 1001, FIRST), 0);
    assert_int_equal(try_tail(&s, 0, &tail), KAPPA_CORRUPT);
    assert_non_null(
        strstr(s.errors.first->message.data, "there is no segment file"));
    destroy(&s);
}

/* A segment that is all text that looks like records costs bounded time. */
static void
bounds_the_look_ahead(void **state)
{
    uint64_t tail;
    store_t s;

    (void)state;
    memset(&s, 0, sizeof(s));
    make(&s);
    kappa_fake_inode_t *file = kappa_fake_disk_file(s.disk, FIRST);

    for (uint64_t at = s.ends[9]; at + 8 <= file->size; at += 8) {
        memcpy(file->cache + at, "KREC\0\0\0\0", 8);
    }
    forget_the_holder(&s);
    kappa_status_t status = try_tail(&s, 0, &tail);

    assert_true(status == KAPPA_OK || status == KAPPA_CORRUPT);
    destroy(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_a_torn_tail_at_every_byte),
        cmocka_unit_test(refuses_damage_that_later_records_prove),
        cmocka_unit_test(refuses_damage_that_the_caller_knows),
        cmocka_unit_test(refuses_damage_that_the_last_holder_knew),
        cmocka_unit_test(cuts_what_nobody_knew_durable),
        cmocka_unit_test(refuses_a_hole),
        cmocka_unit_test(refuses_to_lose_what_views_and_tail_file_know),
        cmocka_unit_test(knows_what_does_not_follow),
        cmocka_unit_test(zeros_what_it_cuts),
        cmocka_unit_test(leaves_a_bad_place),
        cmocka_unit_test(waits_for_the_disk),
        cmocka_unit_test(says_what_is_wrong_with_the_files),
        cmocka_unit_test(bounds_the_look_ahead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
