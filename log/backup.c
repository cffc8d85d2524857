#include "log/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "log/blank.h"
#include "log/copy.h"
#include "log/embedded.h"

static const kappa_backup_options_t defaults = { .io = NULL };

typedef struct {
    kappa_segments_t segments; /* of the backup; dir -1: not open */
    kappa_manifest_t stored;   /* what BACKUP/backup says */
    kappa_manifest_t at;
    kappa_errors_t *errors;
} backup_t;

static kappa_status_t
failed(backup_t *b, const char *what, int rc)
{
    kappa_log_io_error(b->errors, what, b->segments.path, NULL, rc);
    return KAPPA_IO;
}

static kappa_status_t
store_manifest(void *arg, const kappa_manifest_t *at)
{
    backup_t *b = arg;
    kappa_manifest_t next = *at;

    /* What was forgotten is followed at the end. */
    next.forgotten = b->stored.forgotten;
    /* The segments' names before the manifest speaks of them. */
    int rc = b->segments.io->sync_dir(b->segments.io->ctx, b->segments.dir);
    if (rc < 0) {
        return failed(b, "sync", rc);
    }
    kappa_status_t status = kappa_manifest_store(
        b->segments.io, b->segments.dir, b->segments.path, &next, b->errors);

    if (status == KAPPA_OK) {
        b->stored = next;
    }
    return status;
}

/* --- what is there */

static bool
is_other(void *arg, const char *name)
{
    bool *other = arg;

    *other = strcmp(name, ".") != 0 && strcmp(name, "..") != 0
        && strcmp(name, "backup.new") != 0;
    return !*other;
}

/* A directory without a manifest is a backup's beginning only if it is
 * empty. */
static kappa_status_t
begin_backup(backup_t *b, const kappa_epoch_t *epoch)
{
    const kappa_log_io_t *io = b->segments.io;
    bool other = false;
    int rc = io->list(io->ctx, b->segments.dir, is_other, &other);

    if (rc < 0) {
        return failed(b, "list", rc);
    }
    if (other) {
        kappa_errors_add(b->errors, "STORE_UNAVAILABLE",
            "%s is neither empty nor a backup", b->segments.path);
        return KAPPA_CONFLICT;
    }
    b->stored = (kappa_manifest_t){ .epoch = *epoch };
    return store_manifest(b, &b->stored);
}

static kappa_status_t
check_backup(backup_t *b, const kappa_epoch_t *epoch, uint64_t upto)
{
    if (!kappa_epoch_eq(&b->stored.epoch, epoch)) {
        kappa_errors_add(b->errors, "STORE_UNAVAILABLE",
            "%s is a backup of another log, %s; this one is %s",
            b->segments.path, b->stored.epoch.name, epoch->name);
        return KAPPA_CONFLICT;
    }
    if (b->stored.seq > upto) {
        kappa_errors_add(b->errors, "STORE_UNAVAILABLE",
            "%s has %" PRIu64 " events, the log has %" PRIu64
            ": it is an older copy of itself",
            b->segments.path, b->stored.seq, upto);
        return KAPPA_CONFLICT;
    }
    return KAPPA_OK;
}

static kappa_status_t
open_dir(backup_t *b, const char *path, const kappa_log_io_t *io, bool create)
{
    b->segments = (kappa_segments_t){ .io = io, .path = path };
    b->segments.dir = io->open_dir(io->ctx, path, create);
    return b->segments.dir < 0
        ? failed(b, create ? "create" : "open", b->segments.dir)
        : KAPPA_OK;
}

static void
close_dir(backup_t *b)
{
    if (b->segments.dir >= 0) {
        b->segments.io->close(b->segments.io->ctx, b->segments.dir);
    }
}

static kappa_status_t
open_backup(backup_t *b, const kappa_epoch_t *epoch, uint64_t upto)
{
    kappa_status_t status = kappa_manifest_load(b->segments.io,
        b->segments.dir, b->segments.path, &b->stored, b->errors);

    if (status == KAPPA_NOT_FOUND) {
        status = begin_backup(b, epoch);
    }
    if (status == KAPPA_OK) {
        status = check_backup(b, epoch, upto);
    }
    b->at = b->stored;
    return status;
}

/* --- what was forgotten */

typedef struct {
    kappa_buf_t seqs; /* uint64_t each */
    uint64_t upto;
} forgotten_t;

static bool
add_seq(void *ctx, uint64_t seq)
{
    forgotten_t *f = ctx;

    if (seq <= f->upto) {
        kappa_buf_add(&f->seqs, &seq, sizeof(seq));
    }
    return !f->seqs.failed;
}

/* An event is named in the log before it is blanked: so whatever was copied
 * before it was blanked is among these, now or at the next run. */
static kappa_status_t
follow_forgotten(
    backup_t *b, kappa_log_t *log, const kappa_alloc_t *alloc, uint64_t *count)
{
    forgotten_t f = { .upto = b->stored.seq };
    kappa_forgotten_t is;

    kappa_buf_init(&f.seqs, alloc);
    kappa_status_t status = kappa_log_forgotten(
        log, b->stored.forgotten, add_seq, &f, &is, b->errors);
    uint64_t *seqs = (uint64_t *)(void *)f.seqs.data;
    size_t n = kappa_forgotten_sort(seqs, f.seqs.len / sizeof(*seqs));

    if (f.seqs.failed) {
        status = KAPPA_NOMEM;
    }
    if (status == KAPPA_OK) {
        status = kappa_blank(&b->segments, alloc, seqs, n, b->errors);
    }
    kappa_buf_release(&f.seqs);
    if (status == KAPPA_OK && is.entries > b->stored.forgotten) {
        b->at = b->stored;
        b->at.forgotten = is.entries;
        status = kappa_manifest_store(b->segments.io, b->segments.dir,
            b->segments.path, &b->at, b->errors);
    }
    *count = n;
    return status;
}

/* --- backing up */

kappa_status_t
kappa_embedded_backup(void *self, kappa_log_t *log, const char *to,
    uint64_t upto, const kappa_backup_options_t *options,
    kappa_backup_result_t *result, kappa_errors_t *errors)
{
    kappa_embedded_t *e = self;
    backup_t b = { .errors = errors };
    const kappa_copy_t copy = { .from = &e->segments,
        .to = &b.segments,
        .alloc = e->alloc,
        .upto = upto,
        .at = &b.at,
        .reached = store_manifest,
        .arg = &b,
        .options = options ? options : &defaults,
        .result = result,
        .errors = errors };

    *result = (kappa_backup_result_t){ 0 };
    kappa_status_t status = open_dir(&b, to,
        copy.options->io ? copy.options->io : &kappa_log_io_libc, false);
    if (status != KAPPA_OK) {
        return status;
    }
    status = open_backup(&b, &e->epoch, upto);
    if (status == KAPPA_OK) {
        status = kappa_copy_records(&copy);
    }
    if (status == KAPPA_OK || status == KAPPA_DONE) {
        kappa_status_t followed =
            follow_forgotten(&b, log, e->alloc, &result->blanked);
        status = followed == KAPPA_OK ? status : followed;
    }
    close_dir(&b);
    return status;
}

/* --- restoring */

static kappa_status_t
reached_nothing(void *arg, const kappa_manifest_t *at)
{
    (void)arg;
    (void)at;
    return KAPPA_OK;
}

/* Into an empty directory; what a run that died left there is overwritten or,
 * behind the last event, counts for nothing: see restore_into. */
static kappa_status_t
copy_back(backup_t *from, backup_t *to, const kappa_backup_options_t *options)
{
    kappa_backup_result_t result = { 0 };
    const kappa_copy_t copy = { .from = &from->segments,
        .to = &to->segments,
        .alloc = &kappa_alloc_libc,
        .upto = from->stored.seq,
        .at = &to->at,
        .reached = reached_nothing,
        .options = options,
        .result = &result,
        .errors = from->errors };

    return kappa_copy_records(&copy);
}

static bool
unlink_each(void *arg, const char *name)
{
    const kappa_segments_t *segments = arg;

    if (name[0] != '.') {
        segments->io->unlink(segments->io->ctx, segments->dir, name);
    }
    return true;
}

/* A backup of no events: a log begins with a segment all the same. */
static kappa_status_t
make_first_segment(backup_t *to)
{
    const kappa_segment_content_t nothing = { 0 };
    bool named;
    int fd;
    kappa_status_t status =
        kappa_segment_create(&to->segments, &kappa_alloc_libc, 1, 0, &nothing,
            KAPPA_LOG_SEGMENT_BYTES, &fd, &named, to->errors);

    if (status == KAPPA_OK) {
        to->segments.io->close(to->segments.io->ctx, fd);
    }
    return status;
}

static kappa_status_t
restore_into(backup_t *from, backup_t *to, const char *path,
    const uint8_t random[KAPPA_EPOCH_RANDOM],
    const kappa_backup_options_t *options)
{
    const kappa_log_io_t *io = from->segments.io;
    kappa_epoch_t epoch;
    kappa_status_t status = open_dir(to, path, io, true);

    if (status != KAPPA_OK) {
        return status;
    }
    int rc = io->list(io->ctx, to->segments.dir, unlink_each, &to->segments);
    if (rc < 0) {
        return failed(to, "empty", rc);
    }
    status = copy_back(from, to, options);
    if (status == KAPPA_OK && from->stored.seq == 0) {
        status = make_first_segment(to);
    }
    if (status == KAPPA_OK) {
        kappa_epoch_make(random, &epoch);
        status = kappa_epoch_write(&to->segments, &epoch, from->errors);
    }
    return status;
}

static kappa_status_t
give_name(backup_t *from, const char *store)
{
    const kappa_log_io_t *io = from->segments.io;
    int dir = io->open_dir(io->ctx, store, false);
    int rc = dir < 0 ? dir : io->rename(io->ctx, dir, "restoring", "log");

    if (rc == 0) {
        rc = io->sync_dir(io->ctx, dir);
    }
    if (dir >= 0) {
        io->close(io->ctx, dir);
    }
    if (rc < 0) {
        kappa_log_io_error(from->errors, "make", store, "log", rc);
        return KAPPA_IO;
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_log_restore(const char *from_path, const char *store,
    const uint8_t random[KAPPA_EPOCH_RANDOM],
    const kappa_backup_options_t *options, uint64_t *seq,
    kappa_errors_t *errors)
{
    backup_t from = { .errors = errors },
             to = { .segments = { .dir = -1 }, .errors = errors };
    char path[4096];

    options = options ? options : &defaults;
    if (snprintf(path, sizeof(path), "%s/restoring", store)
        >= (int)sizeof(path)) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE", "the path is too long");
        return KAPPA_IO;
    }
    kappa_status_t status = open_dir(&from, from_path,
        options->io ? options->io : &kappa_log_io_libc, false);
    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_manifest_load(
        from.segments.io, from.segments.dir, from_path, &from.stored, errors);
    if (status == KAPPA_OK) {
        status = restore_into(&from, &to, path, random, options);
    }
    if (status == KAPPA_OK) {
        status = give_name(&from, store);
    }
    *seq = from.stored.seq;
    close_dir(&to);
    close_dir(&from);
    return status;
}
