#ifndef KAPPA_LOG_IO_H
#define KAPPA_LOG_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The system calls that the embedded log makes, so that tests can inject
 * faults, record the order of writes and take the power away. Names are
 * inside a directory opened by open_dir. Each returns -errno on failure. */
typedef struct {
    int (*open_dir)(void *ctx, const char *path, bool create); /* 0750 */
    /* flags as open(2): O_RDONLY or O_RDWR, O_CREAT, O_EXCL. Mode 0640. */
    int (*open)(void *ctx, int dir, const char *name, int flags);
    void (*close)(void *ctx, int fd);
    int64_t (*size)(void *ctx, int fd);
    /* 1: NAME is the file that is open as fd; 0: it is another one, or gone */
    int (*is_named)(void *ctx, int dir, const char *name, int fd);
    /* May read or write less; interrupted calls are retried inside. */
    ssize_t (*pread)(void *ctx, int fd, void *to, size_t n, uint64_t at);
    ssize_t (*pwrite)(
        void *ctx, int fd, const void *from, size_t n, uint64_t at);
    int (*fallocate)(void *ctx, int fd, uint64_t size); /* from 0, zeros */
    int (*fdatasync)(void *ctx, int fd);
    int (*sync_dir)(void *ctx, int dir);
    int (*rename)(void *ctx, int dir, const char *from, const char *to);
    int (*unlink)(void *ctx, int dir, const char *name);
    /* Calls each() for every name until it returns false. */
    int (*list)(
        void *ctx, int dir, bool (*each)(void *, const char *name), void *arg);
    int (*lock)(void *ctx, int fd, int patience_ms); /* base/flock.h */
    int (*unlock)(void *ctx, int fd);
    void *ctx;
} kappa_log_io_t;

extern const kappa_log_io_t kappa_log_io_libc;

#endif
