#include "log/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/crc32c.h"

/* "EPOCH-SEQ CRC32C\n", spaces between to fill KAPPA_TAIL_BYTES. */
#define CRC_AT (KAPPA_TAIL_BYTES - 9)

_Static_assert(KAPPA_POSITION_CHARS_MAX < CRC_AT, "a position fits");

static kappa_status_t
failed(kappa_errors_t *errors, const char *what, const char *store, int error)
{
    kappa_errors_add(errors, "STORE_UNAVAILABLE", "can't %s %s/tail: %s", what,
        store, strerror(error));
    return KAPPA_IO;
}

static bool
path_of(const char *store, char *path, size_t size)
{
    return (size_t)snprintf(path, size, "%s/tail", store) < size;
}

kappa_status_t
kappa_tail_open(kappa_tail_t *tail, const char *store, kappa_errors_t *errors)
{
    char path[4096];

    tail->fd = -1;
    if (!path_of(store, path, sizeof(path))) {
        return failed(errors, "open", store, ENAMETOOLONG);
    }
    tail->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    return tail->fd < 0 ? failed(errors, "open", store, errno) : KAPPA_OK;
}

void
kappa_tail_close(kappa_tail_t *tail)
{
    if (tail->fd >= 0) {
        close(tail->fd);
        tail->fd = -1;
    }
}

static void
write_crc(char text[KAPPA_TAIL_BYTES])
{
    char crc[10];

    snprintf(crc, sizeof(crc), "%08x\n", kappa_crc32c(0, text, CRC_AT));
    memcpy(text + CRC_AT, crc, 9);
}

kappa_status_t
kappa_tail_write(kappa_tail_t *tail, const kappa_epoch_t *epoch, uint64_t seq)
{
    char text[KAPPA_TAIL_BYTES];
    ssize_t put;

    memset(text, ' ', sizeof(text));
    kappa_position_format(epoch, seq, text);
    write_crc(text);
    do {
        put = pwrite(tail->fd, text, sizeof(text), 0);
    } while (put < 0 && errno == EINTR);
    return put == sizeof(text) ? KAPPA_OK : KAPPA_IO;
}

static bool
parse(const char text[KAPPA_TAIL_BYTES], kappa_position_t *out)
{
    char again[KAPPA_TAIL_BYTES];
    const char *end = memchr(text, ' ', CRC_AT);

    memcpy(again, text, sizeof(again));
    write_crc(again);
    return memcmp(again, text, sizeof(again)) == 0 && end != NULL
        && kappa_position_parse(kappa_str(text, (size_t)(end - text)), out);
}

/* A read may see half of a write beside it: once more, then. */
#define TRIES 3

kappa_status_t
kappa_tail_read(const kappa_tail_t *tail, kappa_position_t *out)
{
    char text[KAPPA_TAIL_BYTES];

    for (int i = 0; i < TRIES; i++) {
        ssize_t got = pread(tail->fd, text, sizeof(text), 0);

        if (got < 0 && errno != EINTR) {
            return KAPPA_IO;
        }
        if (got == sizeof(text) && parse(text, out)) {
            return KAPPA_OK;
        }
    }
    return KAPPA_NOT_FOUND;
}

kappa_status_t
kappa_tail_watch(const char *store, int *fd, kappa_errors_t *errors)
{
    const uint32_t mask = IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF;
    char path[4096];

    *fd = -1;
    if (!path_of(store, path, sizeof(path))) {
        return failed(errors, "watch", store, ENAMETOOLONG);
    }
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    if (watch < 0) {
        return failed(errors, "watch", store, errno);
    }
    if (inotify_add_watch(watch, path, mask) < 0) {
        int error = errno;

        close(watch);
        return failed(errors, "watch", store, error);
    }
    *fd = watch;
    return KAPPA_OK;
}

static uint32_t
masks_of(const char *data, size_t len)
{
    uint32_t mask = 0;

    for (size_t at = 0; at + sizeof(struct inotify_event) <= len;) {
        struct inotify_event event;

        memcpy(&event, data + at, sizeof(event));
        mask |= event.mask;
        at += sizeof(event) + event.len;
    }
    return mask;
}

kappa_status_t
kappa_tail_drain(int fd)
{
    const uint32_t gone = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED;
    char events[4096];
    uint32_t mask = 0;
    ssize_t got;

    while ((got = read(fd, events, sizeof(events))) > 0
        || (got < 0 && errno == EINTR)) {
        mask |= got > 0 ? masks_of(events, (size_t)got) : 0;
    }
    if (got < 0 && errno != EAGAIN) {
        return KAPPA_IO;
    }
    if (mask & gone) {
        return KAPPA_NOT_FOUND;
    }
    return mask ? KAPPA_OK : KAPPA_AGAIN;
}
