#ifndef KAPPA_BASE_FLOCK_H
#define KAPPA_BASE_FLOCK_H

/* flock(2) with an end: a process that was stopped keeps its locks, and who
 * waits for it must not wait for ever.
 *
 * While a thread waits, a timer of its own sends it SIGRTMAX - 2 when its time
 * is over, for which a handler that does nothing is installed where there is
 * none. Without contention this is one system call. */

/* 0: locked; -EWOULDBLOCK: somebody else had it all the time; else -errno.
 * patience_ms 0: doesn't wait. */
int kappa_flock(int fd, int patience_ms);

/* Who holds an flock on this file, by /proc/locks; 0: nobody, or unknown. */
int kappa_flock_holder(int fd);

#endif
