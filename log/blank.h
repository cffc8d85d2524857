#ifndef KAPPA_LOG_BLANK_H
#define KAPPA_LOG_BLANK_H

#include "base/error.h"
#include "log/segment.h"

/* Blanks the payloads of records: they become GONE, then zeros. Between the
 * two is a sync, so that no crash leaves a record that is checked and does not
 * hold. seqs ascend. Done again it changes nothing. KAPPA_CORRUPT: a record
 * is damaged or missing; what came before it may be blanked. The caller sees
 * to it that nobody else writes these records. */
kappa_status_t kappa_blank(const kappa_segments_t *segments,
    const kappa_alloc_t *alloc, const uint64_t *seqs, size_t n,
    kappa_errors_t *errors);

/* Zeroes what stands in segments behind their end: where a disk failed, copies
 * of records that were written again into the segment behind, which count no
 * more. The last segment is left alone. */
kappa_status_t kappa_blank_leftovers(const kappa_segments_t *segments,
    const kappa_alloc_t *alloc, kappa_errors_t *errors);

#endif
