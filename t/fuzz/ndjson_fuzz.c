#include <stdlib.h>

#include "log/ndjson.h"

/* An upload, cut where the first byte says: the same events and the same
 * verdict come out as of the whole. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    uint64_t events;
    uint64_t line;
    kappa_status_t status;
} seen_t;

static kappa_status_t
take(kappa_ndjson_t *ndjson, kappa_status_t status, seen_t *seen)
{
    if (status == KAPPA_BUSY || status == KAPPA_INVALID) {
        seen->events += ndjson->count;
        seen->line = ndjson->line;
        if (status == KAPPA_INVALID && ndjson->reason.len == 0) {
            abort();
        }
        kappa_ndjson_clear(ndjson);
    }
    return status;
}

static seen_t
upload(kappa_ndjson_t *ndjson, kappa_str_t all, size_t step)
{
    seen_t seen = { .status = KAPPA_OK };

    if (kappa_ndjson_init(ndjson, &kappa_alloc_libc) != KAPPA_OK) {
        abort();
    }
    for (size_t at = 0; at < all.len && seen.status == KAPPA_OK; at += step) {
        size_t n = all.len - at < step ? all.len - at : step;
        kappa_str_t part = kappa_str(all.data + at, n);

        do {
            seen.status =
                take(ndjson, kappa_ndjson_feed(ndjson, &part), &seen);
        } while (seen.status == KAPPA_BUSY);
    }
    while (seen.status == KAPPA_OK || seen.status == KAPPA_BUSY) {
        seen.status = take(ndjson, kappa_ndjson_end(ndjson), &seen);
        if (seen.status == KAPPA_OK) {
            seen.events += ndjson->count;
            break;
        }
    }
    kappa_ndjson_release(ndjson);
    return seen;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    kappa_ndjson_t *ndjson = malloc(sizeof(*ndjson));
    kappa_str_t all = kappa_str((const char *)data + 1, size - 1);

    if (ndjson == NULL) {
        return 0;
    }
    seen_t whole = upload(ndjson, all, size);
    seen_t cut = upload(ndjson, all, data[0] ? data[0] : 1);

    if (whole.status != cut.status || whole.events != cut.events
        || (whole.status == KAPPA_INVALID && whole.line != cut.line)) {
        abort();
    }
    free(ndjson);
    return 0;
}
