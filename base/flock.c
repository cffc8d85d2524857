#define _GNU_SOURCE /* gettid */
#include "base/flock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define WAKE (SIGRTMAX - 2)
/* Again and again: the first may come before flock is called. */
#define AGAIN_NS 50000000

static void
do_nothing(int signal)
{
    (void)signal;
}

static void
install_handler(void)
{
    struct sigaction before, action = { .sa_handler = do_nothing };

    sigemptyset(&action.sa_mask);
    if (sigaction(WAKE, NULL, &before) == 0 && before.sa_handler == SIG_DFL) {
        sigaction(WAKE, &action, NULL);
    }
}

static bool
start_timer(timer_t *timer, int patience_ms)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
        .sigev_signo = WAKE };
    struct itimerspec when = {
        .it_value = { patience_ms / 1000, patience_ms % 1000 * 1000000L },
        .it_interval = { 0, AGAIN_NS },
    };

    pthread_once(&once, install_handler);
    event.sigev_notify_thread_id = gettid();
    if (timer_create(CLOCK_MONOTONIC, &event, timer) != 0) {
        return false;
    }
    return timer_settime(*timer, 0, &when, NULL) == 0
        || (timer_delete(*timer), false);
}

static int
wait_until(int fd, int64_t end_us)
{
    for (;;) {
        if (flock(fd, LOCK_EX) == 0) {
            return 0;
        }
        if (errno != EINTR) {
            return -errno;
        }
        if (kappa_monotonic_us() >= end_us) {
            return -EWOULDBLOCK;
        }
    }
}

static int
wait_for(int fd, int patience_ms)
{
    int64_t end_us = kappa_monotonic_us() + (int64_t)patience_ms * 1000;
    sigset_t wake, before;
    timer_t timer;

    if (!start_timer(&timer, patience_ms)) {
        return -errno;
    }
    sigemptyset(&wake);
    sigaddset(&wake, WAKE);
    pthread_sigmask(SIG_UNBLOCK, &wake, &before);
    int rc = wait_until(fd, end_us);
    timer_delete(timer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

int
kappa_flock(int fd, int patience_ms)
{
    int rc;

    do {
        rc = flock(fd, LOCK_EX | LOCK_NB);
    } while (rc != 0 && errno == EINTR);
    if (rc == 0) {
        return 0;
    }
    return errno == EWOULDBLOCK && patience_ms > 0 ? wait_for(fd, patience_ms)
                                                   : -errno;
}

/* "7: FLOCK  ADVISORY  WRITE 1234 08:01:131090 0 EOF"; who waits has "->"
 * before FLOCK. */
int
kappa_flock_holder(int fd)
{
    struct stat st;
    FILE *locks = fopen("/proc/locks", "re");
    char line[160];
    int found = 0;

    if (locks == NULL || fstat(fd, &st) != 0) {
        if (locks) {
            fclose(locks);
        }
        return 0;
    }
    while (found == 0 && fgets(line, sizeof line, locks)) {
        int pid;
        unsigned long inode;

        if (sscanf(line, "%*d: FLOCK %*s %*s %d %*x:%*x:%lu", &pid, &inode)
                == 2
            && inode == (unsigned long)st.st_ino && pid > 0) {
            found = pid;
        }
    }
    fclose(locks);
    return found;
}
