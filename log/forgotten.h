#ifndef KAPPA_LOG_FORGOTTEN_H
#define KAPPA_LOG_FORGOTTEN_H

#include "base/error.h"
#include "base/status.h"
#include "log/io.h"

/* LOG/forgotten: which events were blanked, in the order in which that was
 * asked for. An event is named here, durably, before its record is touched:
 * so who comes after a crash can finish, and a backup can follow. An entry has
 * 16 bytes, little-endian; the file ends before the first that is not whole.
 *
 *      0  u64  seq; 0: all before is done, in the views too
 *      8  u32  0
 *     12  u32  CRC-32C of bytes 0 to 11 */

#define KAPPA_FORGOTTEN_FILE "forgotten"
#define KAPPA_FORGOTTEN_BYTES 16

typedef struct {
    uint64_t entries; /* in the file, marks too */
    uint64_t pending; /* of them, behind the last mark */
} kappa_forgotten_t;

/* Calls each for the events of the entries from number `from` (0: the first)
 * on; it returns false to stop. each may be NULL. No file: no entries. dir and
 * path as kappa_segments_t has them. */
kappa_status_t kappa_forgotten_each(const kappa_log_io_t *io, int dir,
    const char *path, uint64_t from, bool (*each)(void *ctx, uint64_t seq),
    void *ctx, kappa_forgotten_t *out, kappa_errors_t *errors);

/* Puts them in order, each once; how many are left. */
size_t kappa_forgotten_sort(uint64_t *seqs, size_t n);

/* Appends entries and syncs them. Under the log's lock. */
kappa_status_t kappa_forgotten_add(const kappa_log_io_t *io, int dir,
    const char *path, const uint64_t *seqs, size_t n, kappa_errors_t *errors);

#endif
