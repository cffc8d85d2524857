#ifndef KAPPA_LOG_BACKUP_H
#define KAPPA_LOG_BACKUP_H

#include "log/log.h"
#include "log/manifest.h"

/* Backups of a log: a directory with copies of its segments, as far as
 * BACKUP/backup says (log/manifest.h), and no epoch: it is no log until it is
 * restored. Every record is checked while it is copied. A run that ended too
 * soon is gone on with by the next one. */

typedef struct {
    const kappa_log_io_t *io; /* of the backup; NULL: kappa_log_io_libc */
    /* Called after each MiB with where it is; false stops. May be NULL. */
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end);
    void *ctx;
} kappa_backup_options_t;

typedef struct {
    uint64_t events;  /* copied by this run */
    uint64_t bytes;   /* of them */
    uint64_t blanked; /* in what was there: forgotten since the last run */
} kappa_backup_result_t;

/* Brings TO, an existing directory that is empty or such a backup of this log,
 * to event `upto`, which is durable. Needs no lock. KAPPA_CONFLICT: TO is
 * something else, or has more than the log. KAPPA_CORRUPT: the log is damaged.
 * KAPPA_DONE: progress stopped it. Else KAPPA_IO and KAPPA_NOMEM. options may
 * be NULL. */
kappa_status_t kappa_log_backup(kappa_log_t *log, const char *to,
    uint64_t upto, const kappa_backup_options_t *options,
    kappa_backup_result_t *result, kappa_errors_t *errors);

/* Makes a log of a backup: STORE/log, with an epoch of its own. STORE is an
 * existing directory without a log. The log appears at once, complete and
 * durable. Then *seq is its last event. Errors as kappa_log_backup, and
 * KAPPA_NOT_FOUND: FROM is no backup. */
kappa_status_t kappa_log_restore(const char *from, const char *store,
    const uint8_t random[KAPPA_EPOCH_RANDOM],
    const kappa_backup_options_t *options, uint64_t *seq,
    kappa_errors_t *errors);

#endif
