#define _GNU_SOURCE /* memmem */

#include "t/unit/test.h"

#include <stdio.h>
#include <string.h>

#include "log/log.h"
#include "log/segment.h"
#include "t/unit/alloc_failing.h"
#include "t/unit/fake_disk.h"
#include "t/unit/log_fixture.h"

/* Events are blanked, whatever the disk does: a fault at each call in turn,
 * or the power going; then a second try. */

#define EVENTS 40 /* in several segments */

static const uint64_t chosen[] = { 1, 7, 8, 23, 40 };

typedef struct {
    kappa_fake_disk_t *disk;
    kappa_fixture_t f;
    kappa_arena_t *arena;
    kappa_errors_t errors;
} store_t;

static bool
is_chosen(uint64_t seq)
{
    for (size_t i = 0; i < COUNT(chosen); i++) {
        if (chosen[i] == seq) {
            return true;
        }
    }
    return false;
}

static void
make(store_t *s, uint64_t seed)
{
    uint64_t tail = 0;

    memset(s, 0, sizeof(*s));
    s->disk = kappa_fake_disk_create(seed);
    s->arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_init(&s->errors, s->arena, 0);
    kappa_fixture_make(&s->f, &s->disk->io);
    kappa_log_t *log = kappa_fixture_open(&s->f);

    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
    for (int i = 0; i < EVENTS / 4; i++) {
        assert_int_equal(kappa_fixture_append(log, tail, 4, &tail), KAPPA_OK);
    }
    kappa_log_close(log);
}

static void
destroy(store_t *s)
{
    kappa_fake_disk_destroy(s->disk);
    kappa_arena_destroy(s->arena);
}

static kappa_status_t
forget(store_t *s, bool done)
{
    const kappa_log_known_t known = { .durable = EVENTS };
    kappa_log_t *log;
    uint64_t tail;
    kappa_status_t status = kappa_log_open(
        s->f.store, &kappa_alloc_libc, &s->f.options, &log, &s->errors);

    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_log_lock(log, &s->errors);
    if (status == KAPPA_OK) {
        status = kappa_log_tail(log, &known, &tail, &s->errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_log_forget(log, chosen, COUNT(chosen), &s->errors);
    }
    if (status == KAPPA_OK && done) {
        status = kappa_log_forget_done(log, &s->errors);
    }
    kappa_log_close(log);
    return status;
}

/* Reads all; how many are forgotten. Only chosen ones may be. */
static uint64_t
read_back(store_t *s)
{
    kappa_log_t *log = kappa_fixture_open(&s->f);
    kappa_log_cursor_t *cursor;
    kappa_event_t event, expected;
    uint64_t gone = 0;

    assert_int_equal(kappa_log_cursor_open(log, 1, &cursor, NULL), KAPPA_OK);
    for (uint64_t n = 1; n <= EVENTS; n++) {
        assert_int_equal(
            kappa_log_cursor_next(cursor, EVENTS, &event, NULL), KAPPA_OK);
        kappa_fixture_event(n, &expected);
        assert_int_equal(event.time_ms, expected.time_ms);
        if (event.forgotten) {
            assert_true(is_chosen(n));
            assert_null(event.key.data);
            gone++;
        } else {
            assert_true(kappa_str_eq(event.data, expected.data));
        }
    }
    kappa_log_cursor_close(cursor);
    kappa_log_close(log);
    return gone;
}

/* Whether some file has the key of a chosen event. */
static bool
has_traces(store_t *s)
{
    char key[16];

    for (int i = 0; i < s->disk->inode_count; i++) {
        const kappa_fake_inode_t *file = &s->disk->inodes[i];

        for (size_t k = 0; k < COUNT(chosen); k++) {
            snprintf(
                key, sizeof(key), "\"k%llu\"", (unsigned long long)chosen[k]);
            if (memmem(file->cache, file->size, key, strlen(key)) != NULL) {
                return true;
            }
        }
    }
    return false;
}

static bool
note(void *ctx, uint64_t seq)
{
    uint64_t *sum = ctx;

    *sum += seq;
    return true;
}

static kappa_forgotten_t
journal(store_t *s, uint64_t from, uint64_t *sum)
{
    kappa_log_t *log = kappa_fixture_open(&s->f);
    kappa_forgotten_t out;

    *sum = 0;
    assert_int_equal(
        kappa_log_forgotten(log, from, note, sum, &out, NULL), KAPPA_OK);
    kappa_log_close(log);
    return out;
}

static void
blanks_and_says_so(void **state)
{
    store_t s;
    uint64_t sum;

    (void)state;
    make(&s, 1);
    assert_true(has_traces(&s));
    assert_int_equal(journal(&s, 0, &sum).entries, 0);
    assert_int_equal(forget(&s, false), KAPPA_OK);
    assert_int_equal(read_back(&s), COUNT(chosen));
    assert_false(has_traces(&s));
    kappa_forgotten_t is = journal(&s, 0, &sum);
    assert_int_equal(is.entries, 5);
    assert_int_equal(is.pending, 5);
    assert_int_equal(sum, 1 + 7 + 8 + 23 + 40);

    assert_int_equal(forget(&s, true), KAPPA_OK); /* again is fine */
    is = journal(&s, 5, &sum);
    assert_int_equal(is.entries, 11);
    assert_int_equal(is.pending, 0);
    assert_int_equal(sum, 1 + 7 + 8 + 23 + 40);
    assert_int_equal(journal(&s, 11, &sum).entries, 11);
    assert_int_equal(sum, 0);
    destroy(&s);
}

/* What a disk that failed left behind a segment's end. */
static void
blanks_copies_that_count_no_more(void **state)
{
    store_t s;

    (void)state;
    make(&s, 7);
    kappa_fake_inode_t *file =
        kappa_fake_disk_file(s.disk, "00000000000000000001.seg");
    memcpy(file->cache + file->size - 20, "\"k7\"", 4);
    assert_int_equal(forget(&s, true), KAPPA_OK);
    assert_false(has_traces(&s));
    assert_int_equal(read_back(&s), COUNT(chosen));
    destroy(&s);
}

/* The log goes on as if nothing had happened. */
static void
can_be_written_afterwards(void **state)
{
    store_t s;
    uint64_t tail = 0;

    (void)state;
    make(&s, 2);
    assert_int_equal(forget(&s, true), KAPPA_OK);
    kappa_log_t *log = kappa_fixture_open(&s.f);

    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
    assert_int_equal(tail, EVENTS);
    assert_int_equal(kappa_fixture_append(log, tail, 4, &tail), KAPPA_OK);
    assert_int_equal(kappa_log_verify(log, tail, NULL, NULL, NULL), KAPPA_OK);
    kappa_log_close(log);
    destroy(&s);
}

static void
refuses_without_lock_and_past_the_end(void **state)
{
    const uint64_t past = EVENTS + 1;
    store_t s;
    uint64_t tail;

    (void)state;
    make(&s, 3);
    kappa_log_t *log = kappa_fixture_open(&s.f);

    assert_int_equal(kappa_log_forget(log, chosen, 1, NULL), KAPPA_INVALID);
    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_forget(log, chosen, 1, NULL), KAPPA_INVALID);
    assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_forget(log, &past, 1, NULL), KAPPA_INVALID);
    kappa_log_close(log);
    destroy(&s);
}

/* One fault at each call in turn; with `off` the disk is dead from there on
 * and the power goes. Then all is readable, what was asked for is known if
 * anything was blanked, and a second try ends it. */
static void
fault_at_each_call(bool off)
{
    uint64_t sum, faults = 1;

    for (uint64_t k = 1; faults > 0; k++) {
        store_t s;

        make(&s, k);
        s.disk->calls = 0;
        s.disk->fail_at = k;
        s.disk->off_at_fault = off;
        (void)forget(&s, true);
        faults = s.disk->faults;
        s.disk->fail_at = 0;
        if (off) {
            kappa_fake_disk_crash(s.disk);
            s.f.options.boot_id = "00000000-0000-0000-0000-000000000002";
        } else {
            kappa_fake_disk_kill(s.disk);
        }
        uint64_t gone = read_back(&s);

        if (gone > 0 && journal(&s, 0, &sum).pending == 0) {
            assert_int_equal(gone, COUNT(chosen));
            assert_false(has_traces(&s));
        }
        s.disk->off = s.disk->off_at_fault = false;
        assert_int_equal(forget(&s, true), KAPPA_OK);
        assert_int_equal(read_back(&s), COUNT(chosen));
        assert_false(has_traces(&s));
        assert_int_equal(journal(&s, 0, &sum).pending, 0);
        destroy(&s);
        assert_true(k < 1000);
    }
}

static void
survives_a_fault_at_each_call(void **state)
{
    (void)state;
    fault_at_each_call(false);
}

static void
survives_a_loss_of_power_at_each_call(void **state)
{
    (void)state;
    fault_at_each_call(true);
}

static void
a_torn_entry_ends_the_list(void **state)
{
    store_t s;
    uint64_t sum;

    (void)state;
    make(&s, 4);
    assert_int_equal(forget(&s, true), KAPPA_OK);
    kappa_fake_inode_t *file = kappa_fake_disk_file(s.disk, "forgotten");
    file->cache[3 * KAPPA_FORGOTTEN_BYTES + 2] ^= 1;
    kappa_forgotten_t is = journal(&s, 0, &sum);
    assert_int_equal(is.entries, 3);
    assert_int_equal(is.pending, 3);
    assert_int_equal(forget(&s, true), KAPPA_OK);
    assert_int_equal(journal(&s, 0, &sum).entries, 9);
    destroy(&s);
}

static void
says_where_the_log_is_damaged(void **state)
{
    store_t s;

    (void)state;
    make(&s, 5);
    kappa_fake_inode_t *file =
        kappa_fake_disk_file(s.disk, "00000000000000000001.seg");
    file->cache[KAPPA_SEGMENT_HEADER + 60] ^= 1;
    assert_int_equal(forget(&s, true), KAPPA_CORRUPT);
    assert_non_null(s.errors.first);
    assert_non_null(
        strstr(s.errors.first->message.data, "00000000000000000001.seg"));
    destroy(&s);
}

static kappa_status_t
forget_with(const kappa_alloc_t *alloc, void *ctx)
{
    store_t *s = ctx;
    kappa_log_t *log;
    uint64_t tail;
    kappa_status_t status =
        kappa_log_open(s->f.store, alloc, &s->f.options, &log, NULL);

    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_log_lock(log, NULL);
    if (status == KAPPA_OK) {
        status = kappa_log_tail(log, NULL, &tail, NULL);
    }
    if (status == KAPPA_OK) {
        status = kappa_log_forget(log, chosen, COUNT(chosen), NULL);
    }
    kappa_log_close(log);
    return status;
}

static void
says_when_there_is_no_memory(void **state)
{
    store_t s;

    (void)state;
    make(&s, 6);
    kappa_alloc_failing_each(forget_with, &s);
    assert_int_equal(read_back(&s), COUNT(chosen));
    destroy(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_and_says_so),
        cmocka_unit_test(blanks_copies_that_count_no_more),
        cmocka_unit_test(can_be_written_afterwards),
        cmocka_unit_test(refuses_without_lock_and_past_the_end),
        cmocka_unit_test(survives_a_fault_at_each_call),
        cmocka_unit_test(survives_a_loss_of_power_at_each_call),
        cmocka_unit_test(a_torn_entry_ends_the_list),
        cmocka_unit_test(says_where_the_log_is_damaged),
        cmocka_unit_test(says_when_there_is_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
