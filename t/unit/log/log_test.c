#include "t/unit/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/log.h"
#include "t/unit/log_fixture.h"
#include "t/unit/torture.h"

/* The log as its callers use it, on a real file system. */

static void
appends_and_reads(void **state)
{
    (void)state;
    kappa_fixture_t f;
    uint64_t tail = 7;

    kappa_fixture_make(&f, NULL);
    kappa_log_t *log = kappa_fixture_open(&f);

    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
    assert_int_equal(tail, 0);
    for (uint64_t batch = 0; batch < 20; batch++) {
        assert_int_equal(
            kappa_fixture_append(log, tail, batch, &tail), KAPPA_OK);
    }
    assert_int_equal(tail, 190);
    kappa_log_unlock(log);
    kappa_fixture_expect(log, 190);
    kappa_log_close(log);

    log = kappa_fixture_open(&f);
    kappa_fixture_expect(log, 190);
    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
    assert_int_equal(tail, 190);
    kappa_log_close(log);
    kappa_fixture_remove(&f);
}

static void
is_made_once(void **state)
{
    const uint8_t random[KAPPA_EPOCH_RANDOM] = { 0 };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_log_t *log = NULL;
    kappa_errors_t errors;
    kappa_fixture_t f;
    char path[128];

    (void)state;
    kappa_fixture_make(&f, NULL);
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(kappa_log_create(f.store, random, &f.options, &errors),
        KAPPA_CONFLICT);
    assert_non_null(
        strstr(errors.last->message.data, "there is a log already"));

    log = kappa_fixture_open(&f);
    kappa_epoch_t epoch = *kappa_log_epoch(log);

    assert_int_equal(strlen(epoch.name), KAPPA_EPOCH_CHARS);
    kappa_log_close(log);

    /* Without its epoch a creation was interrupted and is begun again. */
    snprintf(path, sizeof(path), "%s/log/epoch", f.store);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(
        kappa_log_open(f.store, &kappa_alloc_libc, &f.options, &log, &errors),
        KAPPA_NOT_FOUND);
    assert_int_equal(
        kappa_log_create(f.store, random, &f.options, NULL), KAPPA_OK);
    log = kappa_fixture_open(&f);
    assert_false(kappa_epoch_eq(&epoch, kappa_log_epoch(log)));
    kappa_log_close(log);
    kappa_fixture_remove(&f);
    kappa_arena_destroy(arena);
}

static void
says_why_it_does_not_open(void **state)
{
    const uint8_t random[KAPPA_EPOCH_RANDOM] = { 0 };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_log_t *log = NULL;
    kappa_errors_t errors;
    kappa_fixture_t f;
    char path[128];

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(
        kappa_log_open("/nowhere", &kappa_alloc_libc, NULL, &log, &errors),
        KAPPA_NOT_FOUND);
    assert_str_equal(errors.last->message,
        "can't open /nowhere/log: No such file or directory");
    assert_int_equal(
        kappa_log_create("/nowhere", random, NULL, &errors), KAPPA_IO);

    kappa_fixture_make(&f, NULL);
    snprintf(path, sizeof(path), "%s/log/epoch", f.store);
    FILE *file = fopen(path, "w");

    fputs("NOT AN EPOCH\n", file);
    fclose(file);
    assert_int_equal(
        kappa_log_open(f.store, &kappa_alloc_libc, &f.options, &log, &errors),
        KAPPA_CORRUPT);
    assert_non_null(strstr(errors.last->message.data, "/log/epoch: this is"));
    kappa_fixture_remove(&f);
    kappa_arena_destroy(arena);
}

static void
has_one_holder(void **state)
{
    kappa_fixture_t f;

    (void)state;
    kappa_fixture_make(&f, NULL);
    kappa_log_t *a = kappa_fixture_open(&f), *b = kappa_fixture_open(&f);

    assert_int_equal(kappa_log_trylock(a, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_trylock(b, NULL), KAPPA_BUSY);
    kappa_log_unlock(a);
    kappa_log_unlock(a);
    assert_int_equal(kappa_log_trylock(b, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_trylock(a, NULL), KAPPA_BUSY);
    kappa_log_close(b); /* gives it back */
    assert_int_equal(kappa_log_lock(a, NULL), KAPPA_OK);
    kappa_log_close(a);
    kappa_log_close(NULL);
    kappa_fixture_remove(&f);
}

static void
says_which_boot_this_is(void **state)
{
    char a[KAPPA_BOOT_ID_CHARS + 1], b[KAPPA_BOOT_ID_CHARS + 1];

    (void)state;
    assert_int_equal(kappa_boot_id(a, NULL), KAPPA_OK);
    assert_int_equal(kappa_boot_id(b, NULL), KAPPA_OK);
    assert_int_equal(strlen(a), KAPPA_BOOT_ID_CHARS);
    assert_string_equal(a, b);
}

#define PROCESSES 4
#define TURNS 60

/* Appends and reads for some turns; each event of process p says so in its
 * time. Leaves without cmocka's help. */
static void
be_a_process(kappa_fixture_t *f, unsigned p)
{
    kappa_log_t *log = kappa_fixture_open(f);
    kappa_log_known_t known = { 0 };
    kappa_event_t events[8];

    srand(p);
    for (int turn = 0; turn < TURNS; turn++) {
        size_t n = 1 + (size_t)rand() % 8;
        uint64_t tail = 0;

        if (kappa_log_lock(log, NULL) != KAPPA_OK
            || kappa_log_tail(log, &known, &tail, NULL) != KAPPA_OK) {
            _exit(1);
        }
        for (size_t i = 0; i < n; i++) {
            kappa_fixture_event(tail + 1 + i, &events[i]);
        }
        if (kappa_log_append(log, events, n, tail, &tail, NULL) != KAPPA_OK) {
            _exit(2);
        }
        known.durable = tail;
        kappa_log_unlock(log);
        if (turn % 16 == 0 && kappa_fixture_check(log, tail, NULL)) {
            _exit(3);
        }
    }
    kappa_log_close(log);
    _exit(0);
}

static void
many_processes_leave_no_gap(void **state)
{
    pid_t children[PROCESSES];
    kappa_fixture_t f;
    uint64_t tail = 0;

    (void)state;
    kappa_fixture_make(&f, NULL);
    for (unsigned p = 0; p < PROCESSES; p++) {
        children[p] = fork();
        if (children[p] == 0) {
            be_a_process(&f, p);
        }
    }
    for (unsigned p = 0; p < PROCESSES; p++) {
        int how = -1;

        assert_int_equal(waitpid(children[p], &how, 0), children[p]);
        assert_int_equal(how, 0);
    }
    kappa_log_t *log = kappa_fixture_open(&f);

    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
    assert_true(tail >= PROCESSES * TURNS);
    kappa_fixture_expect(log, tail);
    kappa_log_close(log);
    kappa_fixture_remove(&f);
}

/* Tells the parent through a pipe what was acknowledged, until it is
 * killed. */
static void
append_for_ever(kappa_fixture_t *f, int to)
{
    kappa_log_t *log = kappa_fixture_open(f);
    kappa_log_known_t known = { 0 };

    for (;;) {
        uint64_t tail = 0;

        if (kappa_log_lock(log, NULL) != KAPPA_OK
            || kappa_log_tail(log, &known, &tail, NULL) != KAPPA_OK
            || kappa_fixture_append(log, tail, 1 + tail % 8, &tail) != KAPPA_OK
            || write(to, &tail, sizeof(tail)) != sizeof(tail)) {
            _exit(1);
        }
        kappa_log_unlock(log);
    }
}

static void
kill_minus_nine_loses_nothing(void **state)
{
    unsigned seed = (unsigned)kappa_test_seed();
    uint64_t acked = 0, tail = 0;
    kappa_fixture_t f;

    (void)state;
    srand(seed);
    kappa_fixture_make(&f, NULL);
    for (int round = 0; round < 25; round++) {
        int pipe_fds[2], how;
        uint64_t seq;

        assert_int_equal(pipe(pipe_fds), 0);
        pid_t child = fork();

        if (child == 0) {
            close(pipe_fds[0]);
            append_for_ever(&f, pipe_fds[1]);
        }
        close(pipe_fds[1]);
        assert_int_equal(read(pipe_fds[0], &seq, sizeof(seq)), sizeof(seq));
        usleep((useconds_t)rand() % 5000);
        assert_int_equal(kill(child, SIGKILL), 0);
        acked = seq;
        while (read(pipe_fds[0], &seq, sizeof(seq)) == sizeof(seq)) {
            assert_true(seq > acked);
            acked = seq;
        }
        close(pipe_fds[0]);
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFSIGNALED(how));

        kappa_log_t *log = kappa_fixture_open(&f);

        assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
        assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
        assert_true(tail >= acked && tail <= acked + 8);
        kappa_fixture_expect(log, tail);
        kappa_log_close(log);
    }
    kappa_fixture_remove(&f);
}

/* The kernel itself refuses: a file may not grow past 16 KiB, and a batch of
 * 40 KiB needs a segment of its size. */
static void
runs_out_of_room(kappa_fixture_t *f)
{
    const struct rlimit tight = { 16384, RLIM_INFINITY };
    const struct rlimit wide = { RLIM_INFINITY, RLIM_INFINITY };
    static char fill[40000];
    kappa_event_t event = { .thing = KAPPA_STR("T"),
        .verb = KAPPA_STR("v"),
        .data = { fill, sizeof(fill) } };
    kappa_log_t *log = kappa_fixture_open(f);
    uint64_t tail = 0;
    bool ok = true;

    memset(fill, ' ', sizeof(fill));
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &tight);
    ok &= kappa_log_lock(log, NULL) == KAPPA_OK;
    ok &= kappa_log_tail(log, NULL, &tail, NULL) == KAPPA_OK;
    ok &= kappa_fixture_append(log, tail, 5, &tail) == KAPPA_OK;
    for (int i = 0; i < 3; i++) {
        ok &= kappa_log_append(log, &event, 1, tail, &tail, NULL) == KAPPA_IO;
        ok &= kappa_log_tail(log, NULL, &tail, NULL) == KAPPA_OK && tail == 5;
    }
    ok &= kappa_fixture_append(log, tail, 5, &tail) == KAPPA_OK;
    ok &= kappa_fixture_check(log, tail, NULL) == KAPPA_OK;
    setrlimit(RLIMIT_FSIZE, &wide);
    ok &= kappa_log_append(log, &event, 1, tail, &tail, NULL) == KAPPA_OK;
    ok &= kappa_log_verify(log, tail, NULL, NULL, NULL) == KAPPA_OK;
    kappa_log_close(log);
    _exit(ok && tail == 11 ? 0 : 1);
}

static void
goes_on_when_there_is_room(void **state)
{
    kappa_fixture_t f;
    int how = -1;

    (void)state;
    kappa_fixture_make(&f, NULL);
    pid_t child = fork();

    if (child == 0) {
        runs_out_of_room(&f);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    kappa_fixture_remove(&f);
}

/* The default size: preallocated, and all of it there for writing. */
static void
preallocates_its_segments(void **state)
{
    kappa_fixture_t f;
    struct stat st;
    char path[128];

    (void)state;
    f = (kappa_fixture_t){ .real = true };
    snprintf(f.store, sizeof(f.store), "/tmp/kappa_log_XXXXXX");
    assert_non_null(mkdtemp(f.store));
    const uint8_t random[KAPPA_EPOCH_RANDOM] = { 9 };

    assert_int_equal(kappa_log_create(f.store, random, NULL, NULL), KAPPA_OK);
    snprintf(path, sizeof(path), "%s/log/00000000000000000001.seg", f.store);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, KAPPA_LOG_SEGMENT_BYTES);
    assert_true((uint64_t)st.st_blocks * 512 >= KAPPA_LOG_SEGMENT_BYTES);
    kappa_fixture_remove(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_and_reads),
        cmocka_unit_test(is_made_once),
        cmocka_unit_test(says_why_it_does_not_open),
        cmocka_unit_test(has_one_holder),
        cmocka_unit_test(says_which_boot_this_is),
        cmocka_unit_test(many_processes_leave_no_gap),
        cmocka_unit_test(kill_minus_nine_loses_nothing),
        cmocka_unit_test(goes_on_when_there_is_room),
        cmocka_unit_test(preallocates_its_segments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
