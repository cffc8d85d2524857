#include "log/blank.h"
#include "log/embedded.h"

kappa_status_t
kappa_embedded_forget(
    void *self, const uint64_t *seqs, size_t n, kappa_errors_t *errors)
{
    kappa_embedded_t *e = self;

    if (!e->locked || !e->ready || (n > 0 && seqs[n - 1] > e->now.tail)) {
        kappa_errors_add(errors, "LOG_UNAVAILABLE",
            "forgetting without the lock, or past the log's end");
        return KAPPA_INVALID;
    }
    kappa_status_t status =
        kappa_forgotten_add(e->io, e->segments.dir, e->path, seqs, n, errors);

    if (status == KAPPA_OK) {
        status = kappa_blank(&e->segments, e->alloc, seqs, n, errors);
    }
    return status == KAPPA_OK
        ? kappa_blank_leftovers(&e->segments, e->alloc, errors)
        : status;
}

kappa_status_t
kappa_embedded_forget_done(void *self, kappa_errors_t *errors)
{
    static const uint64_t mark = 0;
    kappa_embedded_t *e = self;

    return kappa_forgotten_add(
        e->io, e->segments.dir, e->path, &mark, 1, errors);
}

kappa_status_t
kappa_embedded_forgotten(void *self, uint64_t from,
    bool (*each)(void *ctx, uint64_t seq), void *ctx, kappa_forgotten_t *out,
    kappa_errors_t *errors)
{
    kappa_embedded_t *e = self;

    return kappa_forgotten_each(
        e->io, e->segments.dir, e->path, from, each, ctx, out, errors);
}
