#include "t/unit/test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/tail.h"

typedef struct {
    char store[64];
    char path[96];
    kappa_epoch_t epoch;
} place_t;

static void
make(place_t *p)
{
    snprintf(p->store, sizeof(p->store), "/tmp/kappa_tail_XXXXXX");
    assert_non_null(mkdtemp(p->store));
    snprintf(p->path, sizeof(p->path), "%s/tail", p->store);
    assert_true(kappa_epoch_parse(KAPPA_STR("abcdefgh1234"), &p->epoch));
}

static void
destroy(place_t *p)
{
    unlink(p->path);
    rmdir(p->store);
}

static void
reads_what_was_written(void **state)
{
    static const uint64_t seqs[] = { 0, 1, 99, UINT64_MAX };
    kappa_tail_t writer, reader;
    kappa_position_t position;
    place_t p;

    (void)state;
    make(&p);
    assert_int_equal(kappa_tail_open(&writer, p.store, NULL), KAPPA_OK);
    assert_int_equal(kappa_tail_open(&reader, p.store, NULL), KAPPA_OK);
    assert_int_equal(kappa_tail_read(&reader, &position), KAPPA_NOT_FOUND);
    for (size_t i = 0; i < COUNT(seqs); i++) {
        assert_int_equal(
            kappa_tail_write(&writer, &p.epoch, seqs[i]), KAPPA_OK);
        assert_int_equal(kappa_tail_read(&reader, &position), KAPPA_OK);
        assert_int_equal(position.seq, seqs[i]);
        assert_true(kappa_epoch_eq(&position.epoch, &p.epoch));
    }
    kappa_tail_close(&writer);
    kappa_tail_close(&reader);
    kappa_tail_close(&reader);
    destroy(&p);
}

/* A damaged or torn one says nothing, rather than something wrong. */
static void
believes_no_damage(void **state)
{
    char whole[KAPPA_TAIL_BYTES], byte;
    kappa_position_t position;
    kappa_tail_t tail;
    place_t p;

    (void)state;
    make(&p);
    assert_int_equal(kappa_tail_open(&tail, p.store, NULL), KAPPA_OK);
    assert_int_equal(kappa_tail_write(&tail, &p.epoch, 4711), KAPPA_OK);
    assert_int_equal(
        pread(tail.fd, whole, sizeof(whole), 0), KAPPA_TAIL_BYTES);
    assert_int_equal(whole[KAPPA_TAIL_BYTES - 1], '\n');
    for (int at = 0; at < KAPPA_TAIL_BYTES; at++) {
        byte = (char)(whole[at] ^ 1);
        assert_int_equal(pwrite(tail.fd, &byte, 1, at), 1);
        assert_int_equal(kappa_tail_read(&tail, &position), KAPPA_NOT_FOUND);
        assert_int_equal(pwrite(tail.fd, whole + at, 1, at), 1);
    }
    assert_int_equal(kappa_tail_read(&tail, &position), KAPPA_OK);
    for (int len = KAPPA_TAIL_BYTES - 1; len >= 0; len--) {
        assert_int_equal(ftruncate(tail.fd, len), 0);
        assert_int_equal(kappa_tail_read(&tail, &position), KAPPA_NOT_FOUND);
    }
    kappa_tail_close(&tail);
    destroy(&p);
}

static bool
readable(int fd, int timeout_ms)
{
    struct pollfd poller = { .fd = fd, .events = POLLIN };

    return poll(&poller, 1, timeout_ms) == 1;
}

static void
wakes_who_watches(void **state)
{
    kappa_tail_t tail;
    place_t p;
    int fd;

    (void)state;
    make(&p);
    assert_int_equal(kappa_tail_watch(p.store, &fd, NULL), KAPPA_IO);
    assert_int_equal(kappa_tail_open(&tail, p.store, NULL), KAPPA_OK);
    assert_int_equal(kappa_tail_watch(p.store, &fd, NULL), KAPPA_OK);
    assert_int_equal(kappa_tail_drain(fd), KAPPA_AGAIN);
    assert_false(readable(fd, 0));
    for (uint64_t seq = 1; seq < 500; seq++) {
        assert_int_equal(kappa_tail_write(&tail, &p.epoch, seq), KAPPA_OK);
    }
    assert_true(readable(fd, 1000));
    assert_int_equal(kappa_tail_drain(fd), KAPPA_OK);
    assert_int_equal(kappa_tail_drain(fd), KAPPA_AGAIN);
    assert_false(readable(fd, 0));
    kappa_tail_close(&tail);
    assert_int_equal(unlink(p.path), 0);
    assert_true(readable(fd, 1000));
    assert_int_equal(kappa_tail_drain(fd), KAPPA_NOT_FOUND);
    close(fd);
    assert_int_equal(kappa_tail_drain(fd), KAPPA_IO);
    destroy(&p);
}

static void
says_what_failed(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_t errors;
    kappa_tail_t tail;

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(
        kappa_tail_open(&tail, "/nowhere/at/all", &errors), KAPPA_IO);
    assert_str_equal(errors.first->message,
        "can't open /nowhere/at/all/tail: No such file or directory");
    kappa_tail_close(&tail);
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_written),
        cmocka_unit_test(believes_no_damage),
        cmocka_unit_test(wakes_who_watches),
        cmocka_unit_test(says_what_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
