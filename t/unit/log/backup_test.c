#include "t/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/backup.h"
#include "log/segment.h"
#include "t/unit/alloc_failing.h"
#include "t/unit/fake_disk.h"
#include "t/unit/log_fixture.h"

/* A log on one disk, its backup on another one that fails, or loses power, at
 * each call in turn. */

#define TO "/backup/log" /* what the fake disk takes for one directory */

typedef struct {
    kappa_fake_disk_t *from;
    kappa_fake_disk_t *to;
    kappa_fixture_t f;
    kappa_backup_options_t options;
    kappa_arena_t *arena;
    kappa_errors_t errors;
    uint64_t tail;
} store_t;

static void
append(store_t *s, uint64_t n)
{
    kappa_log_t *log = kappa_fixture_open(&s->f);

    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, NULL, &s->tail, NULL), KAPPA_OK);
    for (uint64_t i = 0; i < n; i += 5) {
        assert_int_equal(
            kappa_fixture_append(log, s->tail, 5, &s->tail), KAPPA_OK);
    }
    kappa_log_close(log);
}

static void
make(store_t *s, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    s->from = kappa_fake_disk_create(seed);
    s->to = kappa_fake_disk_create(seed + 1);
    s->options.io = &s->to->io;
    s->arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_init(&s->errors, s->arena, 0);
    kappa_fixture_make(&s->f, &s->from->io);
}

static void
destroy(store_t *s)
{
    kappa_fake_disk_destroy(s->from);
    kappa_fake_disk_destroy(s->to);
    kappa_arena_destroy(s->arena);
}

static kappa_status_t
back_up(store_t *s, kappa_backup_result_t *result)
{
    kappa_backup_result_t ignored;
    kappa_log_t *log = kappa_fixture_open(&s->f);
    kappa_status_t status = kappa_log_backup(
        log, TO, s->tail, &s->options, result ? result : &ignored, &s->errors);

    kappa_log_close(log);
    return status;
}

static void
forget(store_t *s, uint64_t seq)
{
    kappa_log_t *log = kappa_fixture_open(&s->f);
    uint64_t tail;

    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_forget(log, &seq, 1, NULL), KAPPA_OK);
    kappa_log_close(log);
}

/* All that the manifest speaks of is there and whole; how far that is. */
static uint64_t
check(store_t *s, uint64_t gone)
{
    kappa_segments_t segments = { .io = &s->to->io, .path = TO };
    kappa_segment_reader_t reader;
    kappa_manifest_t manifest;
    kappa_record_t record;
    uint64_t seq = 0, first, next;

    segments.dir = segments.io->open_dir(segments.io->ctx, TO, false);
    kappa_status_t status =
        kappa_manifest_load(segments.io, segments.dir, TO, &manifest, NULL);
    if (status == KAPPA_NOT_FOUND) {
        return 0;
    }
    assert_int_equal(status, KAPPA_OK);
    kappa_segment_reader_init(&reader, &segments, &kappa_alloc_libc);
    while (seq < manifest.seq) {
        assert_int_equal(
            kappa_segments_find(&segments, seq + 1, &first, &next, NULL),
            KAPPA_OK);
        assert_int_equal(
            kappa_segment_reader_open(&reader, first, NULL), KAPPA_OK);
        assert_int_equal(first, seq + 1);
        while (seq < manifest.seq && (next == 0 || seq + 1 < next)) {
            assert_int_equal(
                kappa_segment_reader_next(&reader, &record, NULL), KAPPA_OK);
            assert_int_equal(record.seq, ++seq);
            assert_true((record.payload.data == NULL) == (seq == gone));
        }
    }
    if (seq > 0) {
        assert_int_equal(reader.at, manifest.offset);
        assert_int_equal(record.crc, manifest.link);
    }
    kappa_segment_reader_release(&reader);
    return seq;
}

static void
copies_only_what_is_new(void **state)
{
    static const uint64_t more[] = { 0, 5, 0, 40, 10 };
    kappa_backup_result_t result;
    store_t s;

    (void)state;
    make(&s, 1);
    for (size_t i = 0; i < COUNT(more); i++) {
        append(&s, more[i]);
        assert_int_equal(back_up(&s, &result), KAPPA_OK);
        assert_int_equal(result.events, more[i]);
        assert_true((result.bytes > 0) == (more[i] > 0));
        assert_int_equal(check(&s, 0), s.tail);
    }
    destroy(&s);
}

static void
blanks_what_was_forgotten(void **state)
{
    kappa_backup_result_t result;
    store_t s;

    (void)state;
    make(&s, 2);
    append(&s, 40);
    assert_int_equal(back_up(&s, NULL), KAPPA_OK);
    forget(&s, 17);
    assert_int_equal(check(&s, 0), 40);
    assert_int_equal(back_up(&s, &result), KAPPA_OK);
    assert_int_equal(result.blanked, 1);
    assert_int_equal(result.events, 0);
    assert_int_equal(check(&s, 17), 40);
    assert_int_equal(back_up(&s, &result), KAPPA_OK);
    assert_int_equal(result.blanked, 0);
    destroy(&s);
}

static void
refuses_what_is_something_else(void **state)
{
    store_t s, other;

    (void)state;
    make(&s, 3);
    append(&s, 10);
    assert_int_equal(back_up(&s, NULL), KAPPA_OK);
    s.tail = 9; /* an older copy of the log */
    assert_int_equal(back_up(&s, NULL), KAPPA_CONFLICT);
    s.tail = 10;
    kappa_fake_disk_file(s.to, KAPPA_MANIFEST_FILE)->cache[20] ^= 1;
    assert_int_equal(back_up(&s, NULL), KAPPA_CORRUPT);
    kappa_fake_disk_file(s.to, KAPPA_MANIFEST_FILE)->cache[20] ^= 1;

    make(&other, 4); /* the fixture's epoch is always the same */
    append(&other, 10);
    kappa_fake_disk_file(other.from, "epoch")->cache[0] ^= 1;
    other.options = s.options;
    assert_int_equal(back_up(&other, NULL), KAPPA_CONFLICT);
    other.options.io = &other.from->io; /* into the log itself */
    assert_int_equal(back_up(&other, NULL), KAPPA_CONFLICT);
    destroy(&other);
    destroy(&s);
}

static void
copies_nothing_damaged(void **state)
{
    kappa_backup_result_t result;
    store_t s;

    (void)state;
    make(&s, 5);
    append(&s, 10);
    kappa_fake_inode_t *file =
        kappa_fake_disk_file(s.from, "00000000000000000001.seg");
    kappa_record_t record;
    uint64_t at = KAPPA_SEGMENT_HEADER;
    size_t need;

    for (int i = 0; i < 6; i++) {
        assert_int_equal(kappa_record_read((char *)file->cache + at,
                             file->size - at, &record, &need),
            KAPPA_OK);
        at += record.bytes;
    }
    file->cache[at + 100] ^= 1; /* in event 7 */
    assert_int_equal(back_up(&s, &result), KAPPA_CORRUPT);
    assert_int_equal(result.events, 6);
    assert_non_null(strstr(s.errors.first->message.data, "event 7"));
    assert_int_equal(check(&s, 0), 6);
    file->cache[at + 100] ^= 1;
    assert_int_equal(back_up(&s, &result), KAPPA_OK);
    assert_int_equal(result.events, 4);
    assert_int_equal(check(&s, 0), 10);
    destroy(&s);
}

/* A first backup, and a second with more and something forgotten; a fault at
 * each call of the second. */
static void
fault_at_each_call(bool off)
{
    uint64_t faults = 1;

    for (uint64_t k = 1; faults > 0; k++) {
        store_t s;

        make(&s, k);
        append(&s, 15);
        assert_int_equal(back_up(&s, NULL), KAPPA_OK);
        append(&s, 40);
        forget(&s, 5);
        s.to->calls = 0;
        s.to->fail_at = k;
        s.to->off_at_fault = off;
        kappa_status_t status = back_up(&s, NULL);

        faults = s.to->faults;
        s.to->fail_at = 0;
        if (off) {
            kappa_fake_disk_crash(s.to);
        } else {
            kappa_fake_disk_kill(s.to);
        }
        s.to->off = s.to->off_at_fault = false;
        if (status == KAPPA_OK) {
            assert_int_equal(check(&s, 5), 55);
        }
        assert_int_equal(back_up(&s, NULL), KAPPA_OK);
        assert_int_equal(check(&s, 5), 55);
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

static kappa_status_t
back_up_with(const kappa_alloc_t *alloc, void *ctx)
{
    store_t *s = ctx;
    kappa_backup_result_t result;
    kappa_log_t *log;
    kappa_status_t status =
        kappa_log_open(s->f.store, alloc, &s->f.options, &log, NULL);

    if (status == KAPPA_OK) {
        status =
            kappa_log_backup(log, TO, s->tail, &s->options, &result, NULL);
        kappa_log_close(log);
    }
    return status;
}

static void
says_when_there_is_no_memory(void **state)
{
    store_t s;

    (void)state;
    make(&s, 6);
    append(&s, 40);
    forget(&s, 9);
    kappa_alloc_failing_each(back_up_with, &s);
    assert_int_equal(check(&s, 9), 40);
    destroy(&s);
}

/* --- restoring, on a real file system */

static void
read_epoch(const char *store, char out[32])
{
    char path[128];

    snprintf(path, sizeof(path), "%s/log/epoch", store);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(out, 32, file));
    fclose(file);
}

static void
remove_all(const char *path)
{
    char command[256];

    snprintf(command, sizeof(command), "rm -rf %s", path);
    assert_int_equal(system(command), 0);
}

static void
restores_with_a_new_epoch(void **state)
{
    const uint8_t random[KAPPA_EPOCH_RANDOM] = { 77 };
    static const uint64_t sizes[] = { 0, 10, 60 };
    char to[64] = "/tmp/kappa_backup_XXXXXX", old[32], fresh[32];
    char stale[128];

    (void)state;
    assert_non_null(mkdtemp(to));
    for (size_t i = 0; i < COUNT(sizes); i++) {
        kappa_fixture_t f, back = { .options = { .segment_bytes = 8192 } };
        kappa_backup_result_t result;
        uint64_t tail = 0, seq = 1;

        kappa_fixture_make(&f, NULL);
        kappa_log_t *log = kappa_fixture_open(&f);
        assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
        assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
        if (sizes[i] > 0) {
            assert_int_equal(
                kappa_fixture_append(log, 0, sizes[i], &tail), KAPPA_OK);
        }
        remove_all(to);
        assert_int_equal(mkdir(to, 0700), 0);
        assert_int_equal(
            kappa_log_backup(log, to, tail, NULL, &result, NULL), KAPPA_OK);
        kappa_log_close(log);

        strcpy(back.store, "/tmp/kappa_restore_XXXXXX");
        assert_non_null(mkdtemp(back.store));
        snprintf(stale, sizeof(stale), "%s/restoring", back.store);
        assert_int_equal(mkdir(stale, 0700), 0); /* of one that died */
        snprintf(stale, sizeof(stale), "%s/restoring/00000000000000000999.seg",
            back.store);
        fclose(fopen(stale, "w"));
        assert_int_equal(
            kappa_log_restore(to, back.store, random, NULL, &seq, NULL),
            KAPPA_OK);
        assert_int_equal(seq, sizes[i]);
        read_epoch(f.store, old);
        read_epoch(back.store, fresh);
        assert_string_not_equal(old, fresh);

        log = kappa_fixture_open(&back);
        kappa_fixture_expect(log, seq);
        assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
        assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
        assert_int_equal(tail, seq);
        assert_int_equal(kappa_fixture_append(log, tail, 5, &tail), KAPPA_OK);
        kappa_fixture_expect(log, tail);
        kappa_log_close(log);
        remove_all(back.store);
        kappa_fixture_remove(&f);
    }
    remove_all(to);
}

static void
restores_no_more_than_a_backup(void **state)
{
    const uint8_t random[KAPPA_EPOCH_RANDOM] = { 77 };
    char dir[64] = "/tmp/kappa_backup_XXXXXX";
    uint64_t seq;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(kappa_log_restore(dir, dir, random, NULL, &seq, NULL),
        KAPPA_NOT_FOUND);
    assert_int_equal(
        kappa_log_restore("/nowhere", dir, random, NULL, &seq, NULL),
        KAPPA_IO);
    remove_all(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_only_what_is_new),
        cmocka_unit_test(blanks_what_was_forgotten),
        cmocka_unit_test(refuses_what_is_something_else),
        cmocka_unit_test(copies_nothing_damaged),
        cmocka_unit_test(survives_a_fault_at_each_call),
        cmocka_unit_test(survives_a_loss_of_power_at_each_call),
        cmocka_unit_test(says_when_there_is_no_memory),
        cmocka_unit_test(restores_with_a_new_epoch),
        cmocka_unit_test(restores_no_more_than_a_backup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
