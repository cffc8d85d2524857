/* Making the tail true (SEMANTICS 22 and 23; docs/events.md, Recovery). */

#include "log/embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/time.h"

/* Candidates for a later record in what should be zeros: past so many that
 * only look like one, it isn't a torn tail. */
#define CANDIDATES_MAX 4096

typedef struct {
    kappa_embedded_t *e;
    const kappa_log_known_t *known;
    const kappa_log_state_t *state; /* what the last holder left; or NULL */
    bool same_boot;                 /* as that holder's */
    kappa_segment_reader_t reader;  /* stands behind the last whole record */
    uint64_t durable;               /* the highest seq known durable */
    uint32_t first_crc;             /* that the segment links to */
    bool torn;         /* what follows is neither a record nor zeros */
    uint64_t junk_end; /* behind the last byte that is not zero; 0: none */
    kappa_errors_t *errors;
} recovery_t;

static uint64_t
max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t
tail_of(const recovery_t *r)
{
    return r->reader.seq - 1;
}

static kappa_status_t
failed(recovery_t *r, const char *what, int rc)
{
    char name[KAPPA_SEGMENT_NAME_CHARS + 1];

    kappa_segment_name(r->reader.first, name);
    kappa_log_io_error(r->errors, what, r->e->path, name, rc);
    return KAPPA_IO;
}

static kappa_status_t
last_segment(recovery_t *r, uint64_t *first)
{
    uint64_t next;
    kappa_status_t status = kappa_segments_find(
        &r->e->segments, UINT64_MAX, first, &next, r->errors);

    if (status == KAPPA_NOT_FOUND) {
        kappa_errors_add(r->errors, "LOG_UNAVAILABLE",
            "%s: there is no segment file (NUMBER.seg)", r->e->path);
        return KAPPA_CORRUPT;
    }
    return status;
}

static kappa_status_t
open_last(recovery_t *r)
{
    uint64_t first = 0;
    kappa_status_t status = last_segment(r, &first);

    if (status == KAPPA_OK) {
        status = kappa_segment_reader_open(&r->reader, first, r->errors);
    }
    if (status == KAPPA_OK) {
        r->durable = max_u64(r->durable, first - 1);
        r->first_crc = r->reader.prev_crc;
    }
    return status;
}

/* Up to the first place where no whole record follows. */
static kappa_status_t
scan(recovery_t *r)
{
    kappa_status_t status;
    kappa_record_t record;

    while ((status = kappa_segment_reader_next(&r->reader, &record, r->errors))
        == KAPPA_OK) {
        r->durable = max_u64(r->durable, record.durable);
    }
    r->torn = status == KAPPA_CORRUPT;
    return status == KAPPA_DONE || status == KAPPA_CORRUPT ? KAPPA_OK : status;
}

/* A header at `at` that was written after the record that is missing, by a
 * writer who knew that one durable. */
static kappa_status_t
look_at(recovery_t *r, uint64_t at, int *candidates)
{
    size_t need = KAPPA_RECORD_FIXED;
    kappa_record_t record;
    kappa_str_t bytes;
    kappa_status_t status;

    do {
        status = kappa_window_get(&r->reader.window, at, need, &bytes);
        if (status != KAPPA_OK) {
            return status;
        }
        size_t had = need;

        status =
            kappa_record_read_header(bytes.data, bytes.len, &record, &need);
        if (status == KAPPA_AGAIN && need <= had) {
            return KAPPA_OK; /* the file ends */
        }
    } while (status == KAPPA_AGAIN);
    if (status == KAPPA_OK && record.seq >= r->reader.seq) {
        r->durable = max_u64(r->durable, record.durable);
    } else if (++*candidates == CANDIDATES_MAX) {
        kappa_segment_error(r->errors, &r->e->segments, r->reader.first, at,
            "there is what kappa never wrote");
        return KAPPA_CORRUPT;
    }
    return KAPPA_OK;
}

/* Looks at some bytes of what should be zeros; *at moves behind what was seen:
 * behind the first that may be a record, since to look at that one may move
 * the window. */
static kappa_status_t
look_at_bytes(recovery_t *r, kappa_str_t bytes, uint64_t *at, int *candidates)
{
    static const char zeros[8], magic[4] = { 'K', 'R', 'E', 'C' };

    for (size_t i = 0; i < bytes.len; i += 8) {
        size_t n = bytes.len - i < 8 ? bytes.len - i : 8;

        if (memcmp(bytes.data + i, zeros, n) == 0) {
            continue;
        }
        r->junk_end = *at + i + n;
        if (n == 8 && memcmp(bytes.data + i, magic, sizeof(magic)) == 0) {
            *at += i + 8;
            return look_at(r, *at - 8, candidates);
        }
    }
    *at += bytes.len;
    return KAPPA_OK;
}

/* What stands behind the last whole record: zeros, or a torn tail, or records
 * that make the gap before them corruption. */
static kappa_status_t
look_ahead(recovery_t *r)
{
    int candidates = 0;
    uint64_t at = r->reader.at;
    kappa_status_t status = KAPPA_OK;

    while (status == KAPPA_OK && at < r->reader.size) {
        kappa_str_t bytes;

        status = kappa_window_get(&r->reader.window, at, 8, &bytes);
        if (status == KAPPA_OK && bytes.len == 0) {
            break;
        }
        if (bytes.len > 8) {
            bytes.len &= ~(size_t)7; /* records begin at multiples of 8 */
        }
        if (status == KAPPA_OK) {
            status = look_at_bytes(r, bytes, &at, &candidates);
        }
    }
    return status == KAPPA_IO ? failed(r, "read", r->reader.window.error)
                              : status;
}

static kappa_status_t
refuse(recovery_t *r, uint64_t durable)
{
    char what[192];

    snprintf(what, sizeof(what),
        "event %" PRIu64 " is damaged or missing, but events up to %" PRIu64
        " were written durably; nothing was changed: restore this file",
        r->reader.seq, durable);
    kappa_segment_error(
        r->errors, &r->e->segments, r->reader.first, r->reader.at, what);
    return KAPPA_CORRUPT;
}

static kappa_status_t
open_for_writing(recovery_t *r)
{
    kappa_embedded_t *e = r->e;
    char name[KAPPA_SEGMENT_NAME_CHARS + 1];

    kappa_segment_name(r->reader.first, name);
    int fd = e->io->open(e->io->ctx, e->segments.dir, name, O_RDWR);

    if (fd < 0) {
        return failed(r, "open", fd);
    }
    kappa_embedded_take_segment(e, r->reader.first, fd, r->reader.size);
    e->now.tail = tail_of(r);
    e->now.offset = r->reader.at;
    e->now.crc = r->reader.prev_crc;
    return KAPPA_OK;
}

typedef struct {
    kappa_embedded_t *e;
    uint64_t from;
    int rc;
} syncing_t;

static bool
sync_each(void *arg, const char *name)
{
    syncing_t *syncing = arg;
    const kappa_log_io_t *io = syncing->e->io;
    uint64_t first;

    if (!kappa_segment_name_parse(name, &first) || first < syncing->from) {
        return true;
    }
    int fd = io->open(io->ctx, syncing->e->segments.dir, name, O_RDWR);

    syncing->rc = fd < 0 ? fd : io->fdatasync(io->ctx, fd);
    if (fd >= 0) {
        io->close(io->ctx, fd);
    }
    return syncing->rc == 0;
}

/* Every segment with an event past the views, and their names. */
static kappa_status_t
sync_past_views(recovery_t *r)
{
    kappa_embedded_t *e = r->e;
    syncing_t syncing = { .e = e };
    uint64_t next;
    kappa_status_t status = kappa_segments_find(
        &e->segments, r->known->views + 1, &syncing.from, &next, r->errors);

    if (status != KAPPA_OK && status != KAPPA_NOT_FOUND) {
        return status;
    }
    int rc = e->io->list(e->io->ctx, e->segments.dir, sync_each, &syncing);

    rc = rc == 0 ? syncing.rc : rc;
    rc = rc == 0 ? e->io->sync_dir(e->io->ctx, e->segments.dir) : rc;
    return rc < 0 ? failed(r, "sync what is past the views up to", rc)
                  : KAPPA_OK;
}

/* What is kept of the last segment, to be written once more: bytes from `from`
 * on. */
typedef struct {
    uint64_t from;
    uint64_t first;    /* of a new segment that would begin with them */
    uint32_t prev_crc; /* that it would link to */
} kept_t;

/* What is read may be in memory alone, and a sync that failed before us would
 * not be told to us. So all of it is written again, zeros included. */
static kappa_status_t
rewrite_in_place(recovery_t *r, const kept_t *kept)
{
    kappa_embedded_t *e = r->e;
    kappa_segment_content_t content = { .from = kept->from,
        .to = r->reader.at };
    uint64_t end = max_u64(r->state ? r->state->intent_end : 0, r->junk_end);
    kappa_status_t status = open_for_writing(r);

    if (status != KAPPA_OK) {
        return status;
    }
    content.fd = e->fd;
    status = kappa_log_copy(&r->reader.window, &content, e->fd, content.from);
    if (status != KAPPA_OK) {
        return status == KAPPA_IO
            ? failed(r, "write again the tail of", r->reader.window.error)
            : status;
    }
    end = end < r->reader.size ? end : r->reader.size;
    int rc = kappa_log_write_zeros(e->io, e->fd, r->reader.at, end);

    if (rc == 0) {
        rc = e->io->fdatasync(e->io->ctx, e->fd);
    }
    return rc < 0 ? failed(r, "write again the tail of", rc) : KAPPA_OK;
}

/* The place is bad, or the file's name may not be durable: what is kept goes
 * to a new file, and what follows in the old one counts no more. */
static kappa_status_t
rewrite_elsewhere(recovery_t *r, const kept_t *kept)
{
    kappa_embedded_t *e = r->e;
    kappa_segment_content_t content = {
        .fd = r->reader.fd, .from = kept->from, .to = r->reader.at
    };
    uint64_t offset = KAPPA_SEGMENT_HEADER + (content.to - content.from);
    uint64_t bytes = max_u64(offset, e->segment_bytes);
    int fd = -1;
    bool named;
    kappa_status_t status = kappa_segment_create(&e->segments, e->alloc,
        kept->first, kept->prev_crc, &content, bytes, &fd, &named, r->errors);

    if (status == KAPPA_OK) {
        kappa_embedded_take_segment(e, kept->first, fd, bytes);
        e->now.tail = tail_of(r);
        e->now.offset = offset;
        e->now.crc = r->reader.prev_crc;
    }
    return status;
}

/* After another boot what is read is what the disk has. */
static kappa_status_t
cut(recovery_t *r)
{
    kappa_status_t status = open_for_writing(r);

    if (status != KAPPA_OK) {
        return status;
    }
    int rc =
        kappa_log_write_zeros(r->e->io, r->e->fd, r->reader.at, r->junk_end);

    return rc < 0 ? failed(r, "cut the torn tail of", rc) : KAPPA_OK;
}

/* Nobody can tell whether what is read is on the disk: all of the segment is
 * written again. Earlier ones were durable when it was made. */
static kappa_status_t
rewrite_segment(recovery_t *r)
{
    const kept_t all = { KAPPA_SEGMENT_HEADER, r->reader.first, r->first_crc };
    kappa_status_t status = rewrite_in_place(r, &all);

    return status == KAPPA_IO ? rewrite_elsewhere(r, &all) : status;
}

static kappa_status_t
settle(recovery_t *r)
{
    bool another_boot = r->state != NULL && !r->same_boot;
    kappa_status_t status = another_boot ? cut(r) : rewrite_segment(r);

    return status == KAPPA_OK ? sync_past_views(r) : status;
}

/* A holder died in this boot, or the disk refused it. */
static kappa_status_t
redo(recovery_t *r)
{
    const kappa_log_state_t *state = r->state;
    bool new_segment = r->reader.first == state->tail + 1;
    const kept_t kept = { new_segment ? KAPPA_SEGMENT_HEADER : state->offset,
        state->tail + 1, state->crc };
    kappa_status_t status = KAPPA_IO;

    if (state->phase != KAPPA_LOG_BROKEN && !new_segment) {
        status = rewrite_in_place(r, &kept);
        if (status == KAPPA_IO) {
            r->e->now = *state;
            kappa_embedded_publish(
                r->e, KAPPA_LOG_BROKEN, state->intent_end, NULL);
        }
    }
    return status == KAPPA_IO ? rewrite_elsewhere(r, &kept) : status;
}

/* Whether the last holder's state fits the files that are here. */
static bool
fits(const recovery_t *r)
{
    const kappa_log_state_t *state = r->state;

    return r->same_boot && tail_of(r) >= state->tail
        && (r->reader.first == state->tail + 1
            || (r->reader.first == state->segment
                && state->offset <= r->reader.at));
}

/* The log is as the last holder says, in this boot: nothing to mend. */
static bool
ended_in_order(const recovery_t *r)
{
    return fits(r) && r->state->phase == KAPPA_LOG_CLEAN && !r->torn
        && tail_of(r) == r->state->tail;
}

static kappa_status_t
make_true(recovery_t *r)
{
    if (!fits(r)) {
        return settle(r);
    }
    if (r->state->phase != KAPPA_LOG_CLEAN) {
        return redo(r);
    }
    return ended_in_order(r) ? open_for_writing(r) : settle(r);
}

static kappa_status_t
recover_in(recovery_t *r)
{
    kappa_embedded_t *e = r->e;
    kappa_status_t status = open_last(r);

    if (status == KAPPA_OK) {
        status = scan(r);
    }
    if (status == KAPPA_OK && !ended_in_order(r)) {
        status = look_ahead(r);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (tail_of(r) < r->durable) {
        return refuse(r, r->durable);
    }
    /* Never one that another process has in its hands. */
    e->now.generation =
        r->state ? r->state->generation : (uint64_t)kappa_monotonic_us();
    status = make_true(r);
    if (status == KAPPA_OK) {
        status = kappa_embedded_publish(e, KAPPA_LOG_CLEAN, 0, r->errors);
    }
    e->scanned = status == KAPPA_OK;
    return status;
}

static kappa_status_t
recover(kappa_embedded_t *e, const kappa_log_known_t *known,
    const kappa_log_state_t *state, kappa_errors_t *errors)
{
    recovery_t r = { .e = e,
        .known = known,
        .state = state,
        .durable = max_u64(known->durable, known->views),
        .errors = errors };

    if (state != NULL) {
        r.durable = max_u64(r.durable, state->tail);
        r.same_boot = strcmp(state->boot_id, e->boot_id) == 0;
    }
    kappa_segment_reader_init(&r.reader, &e->segments, e->alloc);
    kappa_status_t status = recover_in(&r);

    kappa_segment_reader_release(&r.reader);
    return status;
}

/* What is written to a file that somebody deleted is lost. KAPPA_NOT_FOUND:
 * there is another one by its name, or none. */
static kappa_status_t
check_named(kappa_embedded_t *e, const char *name, kappa_errors_t *errors)
{
    int rc = e->io->is_named(e->io->ctx, e->segments.dir, name, e->fd);

    if (rc < 0) {
        kappa_log_io_error(errors, "look at", e->path, name, rc);
        return KAPPA_IO;
    }
    return rc == 1 ? KAPPA_OK : KAPPA_NOT_FOUND;
}

/* The last holder ended in order: what it says is so. */
static kappa_status_t
follow(kappa_embedded_t *e, const kappa_log_state_t *state,
    kappa_errors_t *errors)
{
    char name[KAPPA_SEGMENT_NAME_CHARS + 1];

    kappa_segment_name(state->segment, name);
    if (e->agreed && state->generation == e->now.generation
        && state->segment == e->now.segment) {
        e->now = *state;
        return check_named(e, name, errors);
    }
    int fd = e->io->open(e->io->ctx, e->segments.dir, name, O_RDWR);
    int64_t size = fd < 0 ? fd : e->io->size(e->io->ctx, fd);

    if (size < 0) {
        if (fd >= 0) {
            e->io->close(e->io->ctx, fd);
        }
        kappa_log_io_error(errors, "open", e->path, name, (int)size);
        return KAPPA_IO;
    }
    kappa_embedded_take_segment(e, state->segment, fd, (uint64_t)size);
    e->now = *state;
    e->agreed = true;
    return KAPPA_OK;
}

static kappa_status_t
read_state(kappa_embedded_t *e, int lock, kappa_log_state_t *state,
    bool *valid, kappa_errors_t *errors)
{
    unsigned char bytes[KAPPA_LOG_STATE_PLACES * KAPPA_LOG_STATE_BYTES];
    ssize_t n = e->io->pread(e->io->ctx, lock, bytes, sizeof(bytes), 0);

    if (n < 0) {
        kappa_log_io_error(errors, "read", e->path, "lock", (int)n);
        return KAPPA_IO;
    }
    *valid = kappa_log_state_choose(bytes, (size_t)n, state);
    if (*valid) {
        e->serial = max_u64(e->serial, state->serial);
        *valid = kappa_epoch_eq(&state->epoch, &e->epoch);
    }
    return KAPPA_OK;
}

/* A holder says CLEAN before it answers, and of both places only one is being
 * written: the other says the same tail, or the one before, when nobody has
 * been answered yet. */
kappa_status_t
kappa_embedded_durable(void *self, uint64_t *seq, kappa_errors_t *errors)
{
    kappa_embedded_t *e = self;
    kappa_log_state_t state;
    bool valid = false;
    int fd = e->io->open(e->io->ctx, e->segments.dir, "lock", O_RDONLY);

    *seq = 0;
    if (fd == -ENOENT) {
        return KAPPA_OK; /* nobody ever held it */
    }
    if (fd < 0) {
        kappa_log_io_error(errors, "open", e->path, "lock", fd);
        return KAPPA_IO;
    }
    kappa_status_t status = read_state(e, fd, &state, &valid, errors);

    e->io->close(e->io->ctx, fd);
    *seq = valid ? state.tail : 0;
    return status;
}

static bool
can_follow(const kappa_embedded_t *e, const kappa_log_state_t *state)
{
    return e->scanned && state->phase == KAPPA_LOG_CLEAN
        && state->tail >= e->now.tail
        && strcmp(state->boot_id, e->boot_id) == 0;
}

static kappa_status_t
check_known(kappa_embedded_t *e, const kappa_log_known_t *known,
    kappa_errors_t *errors)
{
    uint64_t durable = max_u64(known->durable, known->views);

    if (durable <= e->now.tail) {
        return KAPPA_OK;
    }
    kappa_errors_add(errors, "LOG_UNAVAILABLE",
        "%s ends at event %" PRIu64 ", but events up to %" PRIu64
        " were written durably: is it a copy of an older log?",
        e->path, e->now.tail, durable);
    return KAPPA_CORRUPT;
}

kappa_status_t
kappa_embedded_tail(void *self, const kappa_log_known_t *known, uint64_t *tail,
    kappa_errors_t *errors)
{
    static const kappa_log_known_t nothing;
    kappa_embedded_t *e = self;
    kappa_log_state_t state;
    bool valid = false;

    known = known ? known : &nothing;
    e->ready = false;
    if (!e->locked) {
        kappa_errors_add(
            errors, "LOG_UNAVAILABLE", "the log's lock is not held");
        return KAPPA_INVALID;
    }
    kappa_status_t status = read_state(e, e->lock_fd, &state, &valid, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    bool follows = valid && can_follow(e, &state);

    if (follows) {
        status = follow(e, &state, errors);
    }
    if (!follows || status == KAPPA_NOT_FOUND) {
        status = recover(e, known, valid ? &state : NULL, errors);
    }
    if (status == KAPPA_OK) {
        status = check_known(e, known, errors);
    }
    if (status == KAPPA_OK) {
        e->ready = true;
        *tail = e->now.tail;
    }
    return status;
}
