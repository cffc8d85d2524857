#ifndef KAPPA_LOG_STATE_H
#define KAPPA_LOG_STATE_H

#include "base/status.h"
#include "log/log.h"

/* What one holder of the log's lock leaves to the next, in LOG/lock, written
 * under the lock and never synced. Within one boot it is what every process
 * sees; after another boot it only proves that `tail` was durable. A holder
 * writes APPENDING before it touches a segment and CLEAN when all is done, so
 * whatever it dies of, the next one knows. There are two places, used in turn,
 * so that one that was half written leaves the one before; the whole one with
 * the greatest serial counts. */

#define KAPPA_LOG_STATE_BYTES 192
#define KAPPA_LOG_STATE_PLACES 2

typedef enum {
    KAPPA_LOG_CLEAN = 1,     /* all up to tail is durable, zeros behind */
    KAPPA_LOG_APPENDING = 2, /* bytes from offset to intent_end: unknown */
    KAPPA_LOG_BROKEN = 3     /* so, and the disk refused to undo it */
} kappa_log_phase_t;

typedef struct {
    kappa_log_phase_t phase;
    char boot_id[KAPPA_BOOT_ID_CHARS + 1];
    kappa_epoch_t epoch;
    uint64_t serial;
    uint64_t generation; /* of the file that is written: another, another */
    uint64_t tail;       /* the highest seq known durable */
    uint64_t segment;    /* first seq of the segment that tail is in */
    uint64_t offset;     /* behind tail's record */
    uint64_t intent_end; /* how far the batch under way reaches */
    uint32_t crc;        /* header_crc of tail's record */
    uint64_t trodden;    /* up to where the segment's blocks were written */
} kappa_log_state_t;

void kappa_log_state_write(
    const kappa_log_state_t *state, unsigned char out[KAPPA_LOG_STATE_BYTES]);

/* False: these bytes are none. */
bool kappa_log_state_read(
    const unsigned char *data, size_t len, kappa_log_state_t *out);

/* The last of both places; len may fall short. False: there is none. */
bool kappa_log_state_choose(
    const unsigned char *data, size_t len, kappa_log_state_t *out);

#endif
