#ifndef KAPPA_LOG_NDJSON_H
#define KAPPA_LOG_NDJSON_H

#include "log/event.h"

/* Events as they come in: bytes of NDJSON, cut anywhere, made into batches
 * of a bounded size, so that a stream of any length takes constant memory.
 * Blank lines are passed by. */

#define KAPPA_NDJSON_EVENTS 1000
#define KAPPA_NDJSON_BYTES (1024 * 1024)
typedef struct {
    kappa_arena_t *arena; /* of the batch; reset by kappa_ndjson_clear */
    kappa_buf_t partial;  /* a line that is not whole yet */
    uint64_t line;        /* number of the line last begun, from 1 */
    bool in_line;

    /* The batch. */
    kappa_event_t events[KAPPA_NDJSON_EVENTS];
    uint64_t lines[KAPPA_NDJSON_EVENTS]; /* line number of each */
    uint32_t count;
    size_t bytes;

    /* After KAPPA_INVALID: why `line` is wrong; in the batch's arena. */
    kappa_str_t reason;
    const char *code; /* BAD_USER_INPUT, LIMIT_EXCEEDED */
} kappa_ndjson_t;

/* Large: on the heap. KAPPA_NOMEM. */
kappa_status_t kappa_ndjson_init(
    kappa_ndjson_t *ndjson, const kappa_alloc_t *alloc);
void kappa_ndjson_release(kappa_ndjson_t *ndjson);

/* Takes bytes from the front of *bytes. KAPPA_OK: all of them. KAPPA_BUSY:
 * the batch is full; commit it, clear, and feed the rest. KAPPA_INVALID: a
 * line is wrong; the batch holds what stood before it. */
kappa_status_t kappa_ndjson_feed(kappa_ndjson_t *ndjson, kappa_str_t *bytes);

/* The input has ended: the last line may have no newline. As feed. */
kappa_status_t kappa_ndjson_end(kappa_ndjson_t *ndjson);

/* For other formats: one line's text, with its number, as feed takes it when
 * it is whole. KAPPA_BUSY: the batch is full, it was not taken. */
kappa_status_t kappa_ndjson_add(
    kappa_ndjson_t *ndjson, uint64_t line, kappa_str_t text);

/* The same for a line that is wrong for a reason of its own, which is copied:
 * KAPPA_INVALID, or KAPPA_NOMEM. */
kappa_status_t kappa_ndjson_refuse(
    kappa_ndjson_t *ndjson, uint64_t line, kappa_str_t reason);

/* The batch is done with. */
void kappa_ndjson_clear(kappa_ndjson_t *ndjson);

#endif
