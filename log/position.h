#ifndef KAPPA_LOG_POSITION_H
#define KAPPA_LOG_POSITION_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/* Where a reader stands: "EPOCH-SEQ", the only form in which a sequence
 * number leaves kappa. The epoch is the random name of one log; a restored
 * backup gets a new one, so an old position can never point into it. */

#define KAPPA_EPOCH_CHARS_MIN 8
#define KAPPA_EPOCH_CHARS_MAX 24
#define KAPPA_EPOCH_CHARS 12  /* of one that kappa makes: 62 random bits */
#define KAPPA_EPOCH_RANDOM 16 /* random bytes one is made from */
/* EPOCH '-' 20 digits */
#define KAPPA_POSITION_CHARS_MAX (KAPPA_EPOCH_CHARS_MAX + 1 + 20)

typedef struct {
    char name[KAPPA_EPOCH_CHARS_MAX + 1]; /* [0-9a-z]{8,24}, NUL */
} kappa_epoch_t;

typedef struct {
    kappa_epoch_t epoch;
    uint64_t seq; /* 0: before the first event */
} kappa_position_t;

/* A new name from random bytes. */
void kappa_epoch_make(
    const uint8_t random[KAPPA_EPOCH_RANDOM], kappa_epoch_t *out);

/* False: not an epoch's name. */
bool kappa_epoch_parse(kappa_str_t s, kappa_epoch_t *out);

static inline kappa_str_t
kappa_epoch_str(const kappa_epoch_t *epoch)
{
    return kappa_str_c(epoch->name);
}

static inline bool
kappa_epoch_eq(const kappa_epoch_t *a, const kappa_epoch_t *b)
{
    return kappa_str_eq(kappa_epoch_str(a), kappa_epoch_str(b));
}

/* Writes EPOCH-SEQ (no NUL); the number of characters. */
size_t kappa_position_format(const kappa_epoch_t *epoch, uint64_t seq,
    char out[KAPPA_POSITION_CHARS_MAX]);

/* Where a position stands in the log of this epoch. KAPPA_INVALID: it is no
 * position. KAPPA_CONFLICT: it is another log's; *seq is left alone in both.
 */
kappa_status_t kappa_position_locate(
    kappa_str_t text, kappa_str_t epoch, uint64_t *seq);

/* The whole of s; the number without sign or leading zeros. False: not one.
 * Whether the epoch is this log's is the caller's question. */
bool kappa_position_parse(kappa_str_t s, kappa_position_t *out);

#endif
