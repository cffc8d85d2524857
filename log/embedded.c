#include "log/embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/flock.h"

#define EPOCH_FILE "epoch"
#define EPOCH_TEMPORARY "epoch.new"
#define LOCK_FILE "lock"
#define LOCK_TRIES_MAX 10

static kappa_status_t
io_failed(kappa_embedded_t *e, const char *what, const char *name, int rc,
    kappa_errors_t *errors)
{
    kappa_log_io_error(errors, what, e->path, name, rc);
    return rc == -ENOENT ? KAPPA_NOT_FOUND : KAPPA_IO;
}

static char *
join(const kappa_alloc_t *alloc, const char *dir, const char *name)
{
    size_t n = strlen(dir) + 1 + strlen(name) + 1;
    char *path = alloc->alloc(alloc->ctx, n);

    if (path != NULL) {
        snprintf(path, n, "%s/%s", dir, name);
    }
    return path;
}

/* LOG/epoch: the name and a newline. */
static kappa_status_t
read_epoch(kappa_embedded_t *e, kappa_errors_t *errors)
{
    char text[KAPPA_EPOCH_CHARS_MAX + 2];
    int fd = e->io->open(e->io->ctx, e->segments.dir, EPOCH_FILE, O_RDONLY);

    if (fd < 0) {
        return io_failed(e, "open", EPOCH_FILE, fd, errors);
    }
    ssize_t n = e->io->pread(e->io->ctx, fd, text, sizeof(text), 0);

    e->io->close(e->io->ctx, fd);
    if (n < 0) {
        return io_failed(e, "read", EPOCH_FILE, (int)n, errors);
    }
    if (n > 0 && text[n - 1] == '\n') {
        n--;
    }
    if (!kappa_epoch_parse(kappa_str(text, (size_t)n), &e->epoch)) {
        kappa_errors_add(errors, "LOG_UNAVAILABLE",
            "%s/%s: this is no epoch (8 to 24 of 0-9 and a-z)", e->path,
            EPOCH_FILE);
        return KAPPA_CORRUPT;
    }
    return KAPPA_OK;
}

static kappa_status_t
take_boot_id(kappa_embedded_t *e, const kappa_log_options_t *options,
    kappa_errors_t *errors)
{
    if (options->boot_id == NULL) {
        return kappa_boot_id(e->boot_id, errors);
    }
    snprintf(e->boot_id, sizeof(e->boot_id), "%s", options->boot_id);
    return KAPPA_OK;
}

static kappa_status_t
open_dir(kappa_embedded_t *e, const char *store, bool create,
    const kappa_log_options_t *options, kappa_errors_t *errors)
{
    e->path = join(e->alloc, store, "log");
    if (e->path == NULL) {
        return KAPPA_NOMEM;
    }
    int dir = e->io->open_dir(e->io->ctx, e->path, create);

    e->segments =
        (kappa_segments_t){ .io = e->io, .dir = dir, .path = e->path };
    if (dir < 0) {
        return io_failed(e, create ? "create" : "open", NULL, dir, errors);
    }
    return take_boot_id(e, options, errors);
}

static void
init(kappa_embedded_t *e, const kappa_alloc_t *alloc,
    const kappa_log_options_t *options)
{
    *e = (kappa_embedded_t){ .alloc = alloc,
        .io = options->io ? options->io : &kappa_log_io_libc,
        .segments = { .dir = -1 },
        .segment_bytes = options->segment_bytes ? options->segment_bytes
                                                : KAPPA_LOG_SEGMENT_BYTES,
        .lock_fd = -1,
        .fd = -1 };
    if (e->segment_bytes < KAPPA_LOG_SEGMENT_BYTES_MIN) {
        e->segment_bytes = KAPPA_LOG_SEGMENT_BYTES_MIN;
    }
    kappa_buf_init(&e->batch, alloc);
}

static void
close_fd(kappa_embedded_t *e, int *fd)
{
    if (*fd >= 0) {
        e->io->close(e->io->ctx, *fd);
        *fd = -1;
    }
}

/* Closing the lock's descriptor gives the lock back. */
static void
release(kappa_embedded_t *e)
{
    close_fd(e, &e->fd);
    close_fd(e, &e->lock_fd);
    close_fd(e, &e->segments.dir);
    kappa_buf_release(&e->batch);
    e->alloc->release(e->alloc->ctx, e->path);
    e->path = NULL;
}

kappa_status_t
kappa_embedded_open(const char *store, const kappa_alloc_t *alloc,
    const kappa_log_options_t *options, kappa_embedded_t **out,
    kappa_errors_t *errors)
{
    kappa_embedded_t *e = alloc->alloc(alloc->ctx, sizeof(*e));

    if (e == NULL) {
        return KAPPA_NOMEM;
    }
    init(e, alloc, options);
    kappa_status_t status = open_dir(e, store, false, options, errors);

    if (status == KAPPA_OK) {
        status = read_epoch(e, errors);
    }
    if (status != KAPPA_OK) {
        release(e);
        alloc->release(alloc->ctx, e);
        return status;
    }
    *out = e;
    return KAPPA_OK;
}

static void
close_embedded(void *self)
{
    kappa_embedded_t *e = self;
    const kappa_alloc_t *alloc = e->alloc;

    release(e);
    alloc->release(alloc->ctx, e);
}

static const kappa_epoch_t *
get_epoch(const void *self)
{
    return &((const kappa_embedded_t *)self)->epoch;
}

/* Opened by the process that locks: flock belongs to the open file. */
static kappa_status_t
held(kappa_embedded_t *e, int patience_ms, kappa_errors_t *errors)
{
    int pid = kappa_flock_holder(e->lock_fd);
    char who[32] = "another process";

    if (patience_ms == 0) {
        return KAPPA_BUSY;
    }
    if (pid) {
        snprintf(who, sizeof who, "process %d", pid);
    }
    kappa_errors_add(errors, "LOG_UNAVAILABLE",
        "%s/" LOCK_FILE ": %s holds the log's lock and has not given it back "
        "in %d s: is it stopped, or does its disk hang?",
        e->path, who, (patience_ms + 999) / 1000);
    return KAPPA_IO;
}

static kappa_status_t
lock_file(kappa_embedded_t *e, int patience_ms, kappa_errors_t *errors)
{
    if (e->lock_fd < 0) {
        int fd = e->io->open(
            e->io->ctx, e->segments.dir, LOCK_FILE, O_RDWR | O_CREAT);

        if (fd < 0) {
            io_failed(e, "open", LOCK_FILE, fd, errors);
            return KAPPA_IO;
        }
        e->lock_fd = fd;
    }
    int rc = e->io->lock(e->io->ctx, e->lock_fd, patience_ms);

    if (rc == -EWOULDBLOCK) {
        return held(e, patience_ms, errors);
    }
    if (rc < 0) {
        io_failed(e, "lock", LOCK_FILE, rc, errors);
        return KAPPA_IO;
    }
    return KAPPA_OK;
}

/* A lock on a file that somebody deleted keeps nobody out who comes later:
 * the one that has the name counts. */
static kappa_status_t
lock(void *self, int patience_ms, kappa_errors_t *errors)
{
    kappa_embedded_t *e = self;

    for (int tries = 0; tries < LOCK_TRIES_MAX; tries++) {
        kappa_status_t status = lock_file(e, patience_ms, errors);

        if (status != KAPPA_OK) {
            return status;
        }
        int named = e->io->is_named(
            e->io->ctx, e->segments.dir, LOCK_FILE, e->lock_fd);

        if (named == 1) {
            e->locked = true;
            e->ready = false;
            return KAPPA_OK;
        }
        close_fd(e, &e->lock_fd);
        if (named < 0) {
            io_failed(e, "look at", LOCK_FILE, named, errors);
            return KAPPA_IO;
        }
    }
    kappa_errors_add(errors, "LOG_UNAVAILABLE",
        "%s/" LOCK_FILE " is deleted again and again", e->path);
    return KAPPA_IO;
}

static void
unlock(void *self)
{
    kappa_embedded_t *e = self;

    if (!e->locked) {
        return;
    }
    e->locked = false;
    e->ready = false;
    if (e->io->unlock(e->io->ctx, e->lock_fd) < 0) {
        close_fd(e, &e->lock_fd); /* that gives it back in any case */
    }
}

void
kappa_embedded_take_segment(
    kappa_embedded_t *e, uint64_t first, int fd, uint64_t size)
{
    close_fd(e, &e->fd);
    e->fd = fd;
    e->size = size;
    e->now.segment = first;
    e->now.trodden = 0;
    e->now.generation++;
    e->agreed = false;
}

kappa_status_t
kappa_embedded_publish(kappa_embedded_t *e, kappa_log_phase_t phase,
    uint64_t intent_end, kappa_errors_t *errors)
{
    unsigned char bytes[KAPPA_LOG_STATE_BYTES];
    size_t written;

    uint64_t place = ++e->serial % KAPPA_LOG_STATE_PLACES;

    e->now.phase = phase;
    e->now.serial = e->serial;
    e->now.intent_end = intent_end;
    e->now.epoch = e->epoch;
    memcpy(e->now.boot_id, e->boot_id, sizeof(e->boot_id));
    kappa_log_state_write(&e->now, bytes);
    int rc = kappa_log_write_all(e->io, e->lock_fd, bytes, sizeof(bytes),
        place * sizeof(bytes), &written);

    if (rc < 0) {
        e->agreed = false;
        io_failed(e, "write", LOCK_FILE, rc, errors);
        return KAPPA_IO;
    }
    e->agreed |= phase == KAPPA_LOG_CLEAN;
    return KAPPA_OK;
}

static kappa_status_t
sync_dir_of(const kappa_segments_t *segments, int dir, kappa_errors_t *errors)
{
    int rc = segments->io->sync_dir(segments->io->ctx, dir);

    if (rc < 0) {
        kappa_log_io_error(errors, "sync", segments->path, NULL, rc);
        return KAPPA_IO;
    }
    return KAPPA_OK;
}

/* The epoch comes last: what has one is a log. */
kappa_status_t
kappa_epoch_write(const kappa_segments_t *segments, const kappa_epoch_t *epoch,
    kappa_errors_t *errors)
{
    char text[KAPPA_EPOCH_CHARS_MAX + 2];
    int len = snprintf(text, sizeof(text), "%s\n", epoch->name);
    const kappa_log_io_t *io = segments->io;
    size_t written;

    io->unlink(io->ctx, segments->dir, EPOCH_TEMPORARY);
    int fd = io->open(
        io->ctx, segments->dir, EPOCH_TEMPORARY, O_RDWR | O_CREAT | O_EXCL);
    int rc = fd < 0
        ? fd
        : kappa_log_write_all(io, fd, text, (size_t)len, 0, &written);

    if (rc == 0) {
        rc = io->fdatasync(io->ctx, fd);
    }
    if (fd >= 0) {
        io->close(io->ctx, fd);
    }
    if (rc == 0) {
        rc = io->rename(io->ctx, segments->dir, EPOCH_TEMPORARY, EPOCH_FILE);
    }
    if (rc < 0) {
        kappa_log_io_error(errors, "write", segments->path, EPOCH_FILE, rc);
        return KAPPA_IO;
    }
    return sync_dir_of(segments, segments->dir, errors);
}

/* The entry of LOG in STORE. */
static kappa_status_t
sync_store(kappa_embedded_t *e, const char *store, kappa_errors_t *errors)
{
    int dir = e->io->open_dir(e->io->ctx, store, false);

    if (dir < 0) {
        kappa_log_io_error(errors, "open", store, NULL, dir);
        return KAPPA_IO;
    }
    kappa_status_t status = sync_dir_of(&e->segments, dir, errors);

    e->io->close(e->io->ctx, dir);
    return status;
}

static kappa_status_t
make_files(kappa_embedded_t *e, const char *store, kappa_errors_t *errors)
{
    const kappa_segment_content_t nothing = { 0 };
    bool named;
    kappa_status_t status = kappa_segment_create(&e->segments, e->alloc, 1, 0,
        &nothing, e->segment_bytes, &e->fd, &named, errors);

    if (status == KAPPA_OK) {
        status = sync_store(e, store, errors);
    }
    return status == KAPPA_OK
        ? kappa_epoch_write(&e->segments, &e->epoch, errors)
        : status;
}

/* KAPPA_NOT_FOUND: there is no log. */
static kappa_status_t
check_absent(kappa_embedded_t *e, kappa_errors_t *errors)
{
    kappa_status_t status = read_epoch(e, NULL);

    if (status == KAPPA_OK || status == KAPPA_CORRUPT) {
        kappa_errors_add(
            errors, "LOG_UNAVAILABLE", "%s: there is a log already", e->path);
        return KAPPA_CONFLICT;
    }
    return status == KAPPA_NOT_FOUND ? status : read_epoch(e, errors);
}

/* Whoever died while making a log left one segment at most, with nothing in
 * it. Anything else is a log that lost its epoch. */
static kappa_status_t
check_unused(kappa_embedded_t *e, kappa_errors_t *errors)
{
    kappa_segment_reader_t reader;
    kappa_record_t record;
    uint64_t first, next;
    kappa_status_t status =
        kappa_segments_find(&e->segments, UINT64_MAX, &first, &next, errors);

    if (status != KAPPA_OK) {
        return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
    }
    kappa_segment_reader_init(&reader, &e->segments, e->alloc);
    status = kappa_segment_reader_open(&reader, first, errors);
    if (status == KAPPA_OK) {
        status = kappa_segment_reader_next(&reader, &record, errors);
    }
    kappa_segment_reader_release(&reader);
    if (first == 1 && status == KAPPA_DONE) {
        return KAPPA_OK;
    }
    if (status == KAPPA_IO || status == KAPPA_NOMEM) {
        return status;
    }
    kappa_errors_add(errors, "LOG_UNAVAILABLE",
        "%s has events, but the file " EPOCH_FILE " that names this log is "
        "gone; nothing was changed: restore it (the line `epoch` of "
        "views/NUMBER/about has the name)",
        e->path);
    return KAPPA_CORRUPT;
}

static kappa_status_t
create_in(kappa_embedded_t *e, const char *store,
    const uint8_t random[KAPPA_EPOCH_RANDOM], kappa_errors_t *errors)
{
    /* One that is there is left alone, and so is who has its lock. */
    kappa_status_t status = check_absent(e, errors);

    if (status != KAPPA_NOT_FOUND) {
        return status;
    }
    status = lock(e, KAPPA_LOCK_PATIENCE_MS, errors);
    if (status == KAPPA_OK) {
        status = check_absent(e, errors);
    }
    if (status == KAPPA_NOT_FOUND) {
        status = check_unused(e, errors);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    kappa_epoch_make(random, &e->epoch);
    return make_files(e, store, errors);
}

kappa_status_t
kappa_log_create(const char *store, const uint8_t random[KAPPA_EPOCH_RANDOM],
    const kappa_log_options_t *options, kappa_errors_t *errors)
{
    const kappa_log_options_t defaults = { 0 };
    kappa_embedded_t e;

    options = options ? options : &defaults;
    init(&e, &kappa_alloc_libc, options);
    kappa_status_t status = open_dir(&e, store, true, options, errors);

    if (status == KAPPA_NOT_FOUND) {
        status = KAPPA_IO; /* STORE is missing */
    }
    if (status == KAPPA_OK) {
        status = create_in(&e, store, random, errors);
    }
    unlock(&e);
    release(&e);
    return status;
}

const kappa_log_backend_t kappa_embedded_backend = { close_embedded, get_epoch,
    lock, unlock, kappa_embedded_durable, kappa_embedded_tail,
    kappa_embedded_append, kappa_embedded_cursor_open,
    kappa_embedded_cursor_close, kappa_embedded_cursor_read,
    kappa_embedded_forget, kappa_embedded_forget_done,
    kappa_embedded_forgotten, kappa_embedded_backup };
