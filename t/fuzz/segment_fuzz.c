#include <stdlib.h>

#include "base/crc32c.h"
#include "log/bytes.h"
#include "log/log.h"
#include "log/record.h"
#include "log/segment.h"
#include "t/unit/fake_disk.c"

/* A segment file of any bytes: opening makes the tail true or refuses,
 * reading gives events or refuses, and what was made true can be appended
 * to. The first byte: bit 0 mends the segment's header, bit 1 the checksums
 * and links of records, bit 2 leaves the last holder's state out; the rest is
 * what is known to be durable. */

#define NAME "00000000000000000001.seg"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void
mend_records(unsigned char *p, size_t size)
{
    uint32_t prev_crc = 0, crc;
    uint64_t seq = 1;

    for (size_t at = KAPPA_SEGMENT_HEADER; at + KAPPA_RECORD_FIXED <= size;) {
        unsigned char *r = p + at;
        size_t header = kappa_get_u32(r + 8), payload = kappa_get_u32(r + 12);

        if (header > KAPPA_RECORD_HEADER_MAX || payload > size
            || at + kappa_record_bytes(header, payload) > size) {
            return;
        }
        kappa_put_u64(r + 16, seq++);
        kappa_put_u32(r + 32, prev_crc);
        crc = kappa_crc32c(0, r + 8, 32);
        crc = kappa_crc32c(crc, r + KAPPA_RECORD_FIXED, header);
        kappa_put_u32(r + 4, crc);
        kappa_put_u32(r + 44,
            kappa_crc32c(crc, r + KAPPA_RECORD_FIXED + header, payload));
        prev_crc = crc;
        at += kappa_record_bytes(header, payload);
    }
}

static void
put_segment(
    kappa_fake_disk_t *disk, unsigned mode, const uint8_t *data, size_t size)
{
    kappa_fake_inode_t *file = kappa_fake_disk_file(disk, NAME);

    memset(file->cache, 0, file->cap);
    size = size < file->cap ? size : (size_t)file->cap;
    file->size = size;
    if (size > 0) {
        memcpy(file->cache, data, size);
    }
    if ((mode & 1) && size >= KAPPA_SEGMENT_HEADER) {
        kappa_segment_header_write(file->cache, 1, 0);
    }
    if (mode & 2) {
        mend_records(file->cache, size);
    }
    if (mode & 4) {
        kappa_fake_inode_t *lock = kappa_fake_disk_file(disk, "lock");

        memset(lock->cache, 0, lock->cap);
    }
}

static kappa_log_t *
open_log(const kappa_log_options_t *options)
{
    kappa_log_t *log = NULL;

    must(kappa_log_open("/s", &kappa_alloc_libc, options, &log, NULL)
        == KAPPA_OK);
    must(kappa_log_lock(log, NULL) == KAPPA_OK);
    return log;
}

static void
append_and_open_again(
    kappa_log_t *log, const kappa_log_options_t *options, uint64_t tail)
{
    const kappa_event_t event = { .thing = KAPPA_STR("T"),
        .verb = KAPPA_STR("v"),
        .data = KAPPA_STR("{}") };
    kappa_log_cursor_t *cursor = NULL;
    uint64_t new_tail = 0, again = 0;
    kappa_event_t out;

    must(kappa_log_append(log, &event, 1, tail, &new_tail, NULL) == KAPPA_OK);
    must(kappa_log_cursor_open(log, new_tail, &cursor, NULL) == KAPPA_OK);
    must(kappa_log_cursor_next(cursor, new_tail, &out, NULL) == KAPPA_OK);
    kappa_log_cursor_close(cursor);
    kappa_log_close(log);
    log = open_log(options);
    must(kappa_log_tail(log, NULL, &again, NULL) == KAPPA_OK);
    must(again == new_tail);
    kappa_log_close(log);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t random[KAPPA_EPOCH_RANDOM] = { 1 };
    kappa_fake_disk_t *disk = kappa_fake_disk_create(1);
    const kappa_log_options_t options = { 16384, &disk->io, "boot" };
    unsigned mode = size > 0 ? data[0] : 0;
    const kappa_log_known_t known = { .durable = mode >> 3 };
    uint64_t tail = 0;

    disk->whole_writes = true;
    must(kappa_log_create("/s", random, &options, NULL) == KAPPA_OK);
    kappa_log_t *log = open_log(&options);

    must(kappa_log_tail(log, NULL, &tail, NULL) == KAPPA_OK);
    kappa_log_close(log);
    if (size > 0) {
        put_segment(disk, mode, data + 1, size - 1);
    }
    log = open_log(&options);
    kappa_status_t status = kappa_log_verify(log, 5, NULL, NULL, NULL);

    must(status == KAPPA_OK || status == KAPPA_CORRUPT);
    status = kappa_log_tail(log, &known, &tail, NULL);
    must(status == KAPPA_OK || status == KAPPA_CORRUPT);
    if (status == KAPPA_OK) {
        append_and_open_again(log, &options, tail);
    } else {
        kappa_log_close(log);
    }
    kappa_fake_disk_destroy(disk);
    return 0;
}
