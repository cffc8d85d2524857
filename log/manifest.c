#include "log/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/crc32c.h"
#include "log/embedded.h"

#define TEMPORARY "backup.new"

static int
format(const kappa_manifest_t *m, char out[KAPPA_MANIFEST_BYTES_MAX])
{
    int len = snprintf(out, KAPPA_MANIFEST_BYTES_MAX,
        "kappa-backup 1\nepoch %s\nseq %" PRIu64 "\nsegment %" PRIu64
        "\noffset %" PRIu64 "\nlink %08" PRIx32 "\nforgotten %" PRIu64 "\n",
        m->epoch.name, m->seq, m->segment, m->offset, m->link, m->forgotten);

    return len
        + snprintf(out + len, KAPPA_MANIFEST_BYTES_MAX - (size_t)len,
            "checksum %08" PRIx32 "\n", kappa_crc32c(0, out, (size_t)len));
}

void
kappa_manifest_write(kappa_buf_t *buf, const kappa_manifest_t *manifest)
{
    char text[KAPPA_MANIFEST_BYTES_MAX];

    kappa_buf_add(buf, text, (size_t)format(manifest, text));
}

/* One text for one manifest: what is read must be what would be written. */
bool
kappa_manifest_read(kappa_str_t text, kappa_manifest_t *out)
{
    char copy[KAPPA_MANIFEST_BYTES_MAX], again[KAPPA_MANIFEST_BYTES_MAX];
    char epoch[KAPPA_EPOCH_CHARS_MAX + 1];

    if (text.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *out = (kappa_manifest_t){ 0 };
    int n = sscanf(copy,
        "kappa-backup 1\nepoch %24[0-9a-z]\nseq %" SCNu64 "\nsegment %" SCNu64
        "\noffset %" SCNu64 "\nlink %" SCNx32 "\nforgotten %" SCNu64,
        epoch, &out->seq, &out->segment, &out->offset, &out->link,
        &out->forgotten);

    return n == 6 && kappa_epoch_parse(kappa_str_c(epoch), &out->epoch)
        && (size_t)format(out, again) == text.len
        && memcmp(again, copy, text.len) == 0;
}

static kappa_status_t
failed(kappa_errors_t *errors, const char *what, const char *path, int rc)
{
    kappa_log_io_error(errors, what, path, KAPPA_MANIFEST_FILE, rc);
    return KAPPA_IO;
}

kappa_status_t
kappa_manifest_load(const kappa_log_io_t *io, int dir, const char *path,
    kappa_manifest_t *out, kappa_errors_t *errors)
{
    char text[KAPPA_MANIFEST_BYTES_MAX];
    int fd = io->open(io->ctx, dir, KAPPA_MANIFEST_FILE, O_RDONLY);

    if (fd == -ENOENT) {
        return KAPPA_NOT_FOUND;
    }
    ssize_t n = fd < 0 ? fd : io->pread(io->ctx, fd, text, sizeof(text), 0);

    if (fd >= 0) {
        io->close(io->ctx, fd);
    }
    if (n < 0) {
        return failed(errors, "read", path, (int)n);
    }
    if (!kappa_manifest_read(kappa_str(text, (size_t)n), out)) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "%s/%s is damaged, or of a newer kappa", path,
            KAPPA_MANIFEST_FILE);
        return KAPPA_CORRUPT;
    }
    return KAPPA_OK;
}

static int
write_temporary(
    const kappa_log_io_t *io, int dir, const kappa_manifest_t *manifest)
{
    char text[KAPPA_MANIFEST_BYTES_MAX];
    int len = format(manifest, text);
    size_t written;

    io->unlink(io->ctx, dir, TEMPORARY);
    int fd = io->open(io->ctx, dir, TEMPORARY, O_RDWR | O_CREAT | O_EXCL);

    if (fd < 0) {
        return fd;
    }
    int rc = kappa_log_write_all(io, fd, text, (size_t)len, 0, &written);

    if (rc == 0) {
        rc = io->fdatasync(io->ctx, fd);
    }
    io->close(io->ctx, fd);
    return rc;
}

kappa_status_t
kappa_manifest_store(const kappa_log_io_t *io, int dir, const char *path,
    const kappa_manifest_t *manifest, kappa_errors_t *errors)
{
    int rc = write_temporary(io, dir, manifest);

    if (rc == 0) {
        rc = io->rename(io->ctx, dir, TEMPORARY, KAPPA_MANIFEST_FILE);
    }
    if (rc == 0) {
        rc = io->sync_dir(io->ctx, dir);
    }
    return rc < 0 ? failed(errors, "write", path, rc) : KAPPA_OK;
}
