#include "t/unit/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "views/build_state.h"

static char path[64];
static int views;

static int
set_up(void **state)
{
    (void)state;
    strcpy(path, "/tmp/kappa-build-XXXXXX");
    assert_non_null(mkdtemp(path));
    views = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return views < 0;
}

static int
tear_down(void **state)
{
    (void)state;
    unlinkat(views, "build", 0);
    close(views);
    return rmdir(path);
}

static void
tells_how_far_it_is(void **state)
{
    kappa_build_state_t in = { .generation = 7,
        .from = 3,
        .built = 10,
        .total = 20,
        .skipped = 1,
        .begun_us = 5 };
    kappa_build_state_t out;
    int fd, second;

    (void)state;
    assert_false(kappa_build_read(views, &out));
    assert_int_equal(kappa_build_lock(views, 0, &fd, NULL), KAPPA_OK);
    assert_false(kappa_build_read(views, &out)); /* nothing said yet */
    kappa_build_write(fd, &in);
    assert_true(kappa_build_read(views, &out));
    assert_memory_equal(&in, &out, sizeof in);
    assert_int_equal(kappa_build_lock(views, 0, &second, NULL), KAPPA_BUSY);
    assert_int_equal(second, -1);
    assert_true(kappa_build_read(views, &out)); /* asking took nothing */
    close(fd);
    assert_false(kappa_build_read(views, &out));
    assert_int_equal(kappa_build_lock(views, 0, &fd, NULL), KAPPA_OK);
    close(fd);
}

/* What a builder that was killed said is not said any more. */
static void
ends_with_its_process(void **state)
{
    kappa_build_state_t said = { .generation = 7 }, out;
    int ready[2];
    char byte;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd;
        if (kappa_build_lock(views, 0, &fd, NULL) != KAPPA_OK) {
            _exit(1);
        }
        kappa_build_write(fd, &said);
        if (write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_true(kappa_build_read(views, &out));
    assert_int_equal(out.generation, 7);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_false(kappa_build_read(views, &out));
    close(ready[0]);
    close(ready[1]);
}

static void
says_why_it_can_not(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_t errors;
    kappa_build_state_t out;
    int fd;

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(mkdirat(views, "build", 0700), 0);
    assert_int_equal(kappa_build_lock(views, 0, &fd, &errors), KAPPA_IO);
    assert_string_equal(errors.first->code, "STORE_UNAVAILABLE");
    assert_false(kappa_build_read(views, &out));
    unlinkat(views, "build", AT_REMOVEDIR);
    kappa_arena_destroy(arena);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(tells_how_far_it_is),
        TEST(ends_with_its_process),
        TEST(says_why_it_can_not),
    };
    return cmocka_run_group_tests_name("views/build_state", tests, NULL, NULL);
}
