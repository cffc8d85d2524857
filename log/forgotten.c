#include "log/forgotten.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "log/bytes.h"
#include "log/embedded.h"

#define AT_CRC 12
#define ENTRIES_A_TURN 256

static void
write_entry(unsigned char *out, uint64_t seq)
{
    kappa_put_u64(out, seq);
    kappa_put_u32(out + 8, 0);
    kappa_put_u32(out + AT_CRC, kappa_crc32c(0, out, AT_CRC));
}

static bool
is_entry(const unsigned char *p)
{
    return kappa_get_u32(p + AT_CRC) == kappa_crc32c(0, p, AT_CRC)
        && kappa_get_u32(p + 8) == 0;
}

static kappa_status_t
failed(kappa_errors_t *errors, const char *what, const char *path, int rc)
{
    kappa_log_io_error(errors, what, path, KAPPA_FORGOTTEN_FILE, rc);
    return KAPPA_IO;
}

/* As many bytes as there are, up to n; or -errno. */
static ssize_t
read_all(
    const kappa_log_io_t *io, int fd, unsigned char *to, size_t n, uint64_t at)
{
    size_t have = 0;

    while (have < n) {
        ssize_t got = io->pread(io->ctx, fd, to + have, n - have, at + have);

        if (got < 0) {
            return got;
        }
        if (got == 0) {
            break;
        }
        have += (size_t)got;
    }
    return (ssize_t)have;
}

typedef struct {
    const kappa_log_io_t *io;
    int fd;
    uint64_t from;
    bool (*each)(void *ctx, uint64_t seq);
    void *ctx;
    bool stopped;
    kappa_forgotten_t *out;
} reading_t;

static void
take(reading_t *r, uint64_t seq)
{
    uint64_t number = r->out->entries++;

    r->out->pending = seq == 0 ? 0 : r->out->pending + 1;
    if (seq != 0 && number >= r->from && r->each != NULL && !r->stopped) {
        r->stopped = !r->each(r->ctx, seq);
    }
}

static int
read_entries(reading_t *r)
{
    unsigned char bytes[ENTRIES_A_TURN * KAPPA_FORGOTTEN_BYTES];

    for (;;) {
        uint64_t at = r->out->entries * KAPPA_FORGOTTEN_BYTES;
        ssize_t n = read_all(r->io, r->fd, bytes, sizeof(bytes), at);
        size_t i = 0;

        if (n < 0) {
            return (int)n;
        }
        for (; (size_t)n - i >= KAPPA_FORGOTTEN_BYTES && is_entry(bytes + i);
             i += KAPPA_FORGOTTEN_BYTES) {
            take(r, kappa_get_u64(bytes + i));
        }
        if (i < sizeof(bytes)) {
            return 0;
        }
    }
}

kappa_status_t
kappa_forgotten_each(const kappa_log_io_t *io, int dir, const char *path,
    uint64_t from, bool (*each)(void *ctx, uint64_t seq), void *ctx,
    kappa_forgotten_t *out, kappa_errors_t *errors)
{
    reading_t r = {
        .io = io, .from = from, .each = each, .ctx = ctx, .out = out
    };

    *out = (kappa_forgotten_t){ 0 };
    r.fd = io->open(io->ctx, dir, KAPPA_FORGOTTEN_FILE, O_RDONLY);
    if (r.fd == -ENOENT) {
        return KAPPA_OK;
    }
    int rc = r.fd < 0 ? r.fd : read_entries(&r);

    if (r.fd >= 0) {
        io->close(io->ctx, r.fd);
    }
    return rc < 0 ? failed(errors, "read", path, rc) : KAPPA_OK;
}

static int
write_entries(const kappa_log_io_t *io, int fd, const uint64_t *seqs, size_t n,
    uint64_t at)
{
    unsigned char bytes[ENTRIES_A_TURN * KAPPA_FORGOTTEN_BYTES];
    size_t written;

    for (size_t i = 0; i < n;) {
        size_t count = n - i < ENTRIES_A_TURN ? n - i : ENTRIES_A_TURN;

        for (size_t k = 0; k < count; k++) {
            write_entry(bytes + k * KAPPA_FORGOTTEN_BYTES, seqs[i + k]);
        }
        int rc = kappa_log_write_all(
            io, fd, bytes, count * KAPPA_FORGOTTEN_BYTES, at, &written);
        if (rc < 0) {
            return rc;
        }
        i += count;
        at += count * KAPPA_FORGOTTEN_BYTES;
    }
    return io->fdatasync(io->ctx, fd);
}

kappa_status_t
kappa_forgotten_add(const kappa_log_io_t *io, int dir, const char *path,
    const uint64_t *seqs, size_t n, kappa_errors_t *errors)
{
    kappa_forgotten_t is;
    kappa_status_t status =
        kappa_forgotten_each(io, dir, path, 0, NULL, NULL, &is, errors);

    if (status != KAPPA_OK || n == 0) {
        return status;
    }
    int fd = io->open(io->ctx, dir, KAPPA_FORGOTTEN_FILE, O_RDWR | O_CREAT);
    int rc = fd < 0
        ? fd
        : write_entries(io, fd, seqs, n, is.entries * KAPPA_FORGOTTEN_BYTES);

    if (fd >= 0) {
        io->close(io->ctx, fd);
    }
    if (rc == 0 && is.entries == 0) {
        rc = io->sync_dir(io->ctx, dir);
    }
    return rc < 0 ? failed(errors, "write", path, rc) : KAPPA_OK;
}

static int
compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

size_t
kappa_forgotten_sort(uint64_t *seqs, size_t n)
{
    size_t kept = 0;

    if (n > 0) {
        qsort(seqs, n, sizeof(*seqs), compare);
    }
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || seqs[kept - 1] != seqs[i]) {
            seqs[kept++] = seqs[i];
        }
    }
    return kept;
}
