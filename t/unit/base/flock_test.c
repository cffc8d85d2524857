#include "t/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/flock.h"
#include "base/time.h"

static char path[64];
static int fd;

static int
set_up(void **state)
{
    (void)state;
    strcpy(path, "/tmp/kappa-flock-XXXXXX");
    fd = mkstemp(path);
    return fd < 0;
}

static int
tear_down(void **state)
{
    (void)state;
    close(fd);
    return unlink(path);
}

/* A process that has the lock, until it is killed. */
static pid_t
hold(void)
{
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int own = open(path, O_RDWR);
        if (flock(own, LOCK_EX) != 0 || write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void
end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void
waits_no_longer_than_it_may(void **state)
{
    (void)state;
    assert_int_equal(kappa_flock_holder(fd), 0);
    pid_t pid = hold();
    assert_int_equal(kappa_flock(fd, 0), -EWOULDBLOCK);
    int64_t begun = kappa_monotonic_us();
    assert_int_equal(kappa_flock(fd, 200), -EWOULDBLOCK);
    assert_true(kappa_monotonic_us() - begun >= 200000);
    assert_int_equal(kappa_flock_holder(fd), pid);

    /* Stopped, it has it still. */
    kill(pid, SIGSTOP);
    assert_int_equal(kappa_flock(fd, 50), -EWOULDBLOCK);
    end(pid);
    assert_int_equal(kappa_flock(fd, 60000), 0);
    assert_int_equal(kappa_flock_holder(fd), getpid());
}

static void *
release_soon(void *arg)
{
    usleep(100000);
    end(*(pid_t *)arg);
    return NULL;
}

static void
gets_it_when_it_is_free(void **state)
{
    pthread_t thread;
    pid_t pid = hold();

    (void)state;
    pthread_create(&thread, NULL, release_soon, &pid);
    assert_int_equal(kappa_flock(fd, 60000), 0);
    pthread_join(thread, NULL);
}

/* As the threads of a worker have them. */
static void *
wait_with_signals_blocked(void *arg)
{
    sigset_t all, after;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    *(int *)arg = kappa_flock(fd, 100);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    if (!sigismember(&after, SIGTERM) || !sigismember(&after, SIGRTMAX - 2)) {
        *(int *)arg = 0;
    }
    return NULL;
}

static void
leaves_signals_as_they_are(void **state)
{
    pthread_t thread;
    pid_t pid = hold();
    int rc = 0;

    (void)state;
    pthread_create(&thread, NULL, wait_with_signals_blocked, &rc);
    pthread_join(thread, NULL);
    assert_int_equal(rc, -EWOULDBLOCK);
    end(pid);
}

static void
says_what_is_wrong(void **state)
{
    (void)state;
    assert_int_equal(kappa_flock(-1, 100), -EBADF);
    assert_int_equal(kappa_flock_holder(-1), 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(waits_no_longer_than_it_may),
        TEST(gets_it_when_it_is_free),
        TEST(leaves_signals_as_they_are),
        TEST(says_what_is_wrong),
    };
    return cmocka_run_group_tests_name("base/flock", tests, NULL, NULL);
}
