#ifndef KAPPA_LOG_COPY_H
#define KAPPA_LOG_COPY_H

#include "log/backup.h"
#include "log/segment.h"

/* Copies records from one directory of segments to another, to the same files
 * and places, each checked on its way. */

/* Continues behind what `at` (seq, segment, offset, link) says, up to `upto`;
 * `at` moves along, and is told to `reached` whenever all up to it is durable,
 * but for the directory's entries. progress, events and bytes as in
 * log/backup.h. */
typedef struct {
    const kappa_segments_t *from;
    const kappa_segments_t *to;
    const kappa_alloc_t *alloc;
    uint64_t upto;
    kappa_manifest_t *at;
    kappa_status_t (*reached)(void *arg, const kappa_manifest_t *at);
    void *arg;
    const kappa_backup_options_t *options;
    kappa_backup_result_t *result;
    kappa_errors_t *errors;
} kappa_copy_t;

kappa_status_t kappa_copy_records(const kappa_copy_t *copy);

#endif
