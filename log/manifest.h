#ifndef KAPPA_LOG_MANIFEST_H
#define KAPPA_LOG_MANIFEST_H

#include "base/buf.h"
#include "base/error.h"
#include "log/io.h"
#include "log/position.h"

/* BACKUP/backup: how far a backup has come. A few lines of text, replaced at
 * once and durably, after all that it speaks of is durable:
 *
 *   kappa-backup 1
 *   epoch k3f9x0q2m1ab
 *   seq 42
 *   segment 1
 *   offset 9144
 *   link 8f0d22aa
 *   forgotten 3
 *   checksum 1b9c04d7
 *
 * The checksum is the CRC-32C of the lines before, in hex. */

#define KAPPA_MANIFEST_FILE "backup"
#define KAPPA_MANIFEST_BYTES_MAX 512

typedef struct {
    kappa_epoch_t epoch; /* of the log that is backed up */
    uint64_t seq;        /* events 1 to seq are there; 0: none yet */
    uint64_t segment;    /* first seq of the segment that seq is in */
    uint64_t offset;     /* behind seq's record */
    uint32_t link;       /* header checksum of seq's record */
    uint64_t forgotten;  /* entries of LOG/forgotten that were followed */
} kappa_manifest_t;

void kappa_manifest_write(kappa_buf_t *buf, const kappa_manifest_t *manifest);

/* False: these bytes are none. */
bool kappa_manifest_read(kappa_str_t text, kappa_manifest_t *out);

/* From and to a directory. KAPPA_NOT_FOUND: there is none. KAPPA_CORRUPT: it
 * can't be read, or is of a newer version. path is for messages. */
kappa_status_t kappa_manifest_load(const kappa_log_io_t *io, int dir,
    const char *path, kappa_manifest_t *out, kappa_errors_t *errors);
kappa_status_t kappa_manifest_store(const kappa_log_io_t *io, int dir,
    const char *path, const kappa_manifest_t *manifest,
    kappa_errors_t *errors);

#endif
