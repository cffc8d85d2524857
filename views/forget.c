#include <unistd.h>

#include "views/scratch.h"

/* `kappa forget`. What the views hold is a function of the log, so they are
 * built anew from the log as it is without the events. While that goes on the
 * views before still serve, and may accept more events of the key: then there
 * is another round. */

#define ROUNDS_MAX 10
#define BUILDER_POLL_US 100000

typedef struct {
    kappa_store_t *store;
    const kappa_filter_t *filter;
    kappa_buf_t seqs; /* uint64_t each */
    kappa_errors_t *errors;
} forget_t;

static bool
add_seq(void *ctx, uint64_t seq)
{
    forget_t *f = ctx;

    kappa_buf_add(&f->seqs, &seq, sizeof(seq));
    return !f->seqs.failed;
}

static uint64_t *
seqs_of(forget_t *f)
{
    return (uint64_t *)(void *)f->seqs.data;
}

/* --- which */

static kappa_status_t
collect_named(forget_t *f, kappa_txn_t *txn, kappa_str_t thing)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < f->filter->key_count && status == KAPPA_OK; i++) {
        status =
            kappa_history_each(txn, thing, f->filter->keys[i], 0, add_seq, f);
    }
    return status;
}

/* A view's events may have its older name. */
static kappa_status_t
collect(forget_t *f)
{
    const kappa_edition_t *edition = f->store->edition;
    const kappa_view_t *view =
        kappa_model_view(edition->model, f->filter->thing);
    kappa_txn_t *txn;
    kappa_status_t status = kappa_env_read(edition->generation->env, &txn);

    if (status != KAPPA_OK) {
        return status;
    }
    status = collect_named(f, txn, f->filter->thing);
    if (status == KAPPA_OK && view != NULL) {
        status = collect_named(f, txn, view->name);
    }
    if (status == KAPPA_OK && view != NULL && view->was.data != NULL) {
        status = collect_named(f, txn, view->was);
    }
    kappa_txn_end(txn);
    return status == KAPPA_OK && f->seqs.failed ? KAPPA_NOMEM : status;
}

/* What a run before named and did not finish. */
static kappa_status_t
collect_pending(forget_t *f)
{
    kappa_log_t *log = f->store->log;
    kappa_forgotten_t is;
    kappa_status_t status =
        kappa_log_forgotten(log, 0, NULL, NULL, &is, f->errors);

    if (status == KAPPA_OK && is.pending > 0) {
        status = kappa_log_forgotten(
            log, is.entries - is.pending, add_seq, f, &is, f->errors);
    }
    return status == KAPPA_OK && f->seqs.failed ? KAPPA_NOMEM : status;
}

/* --- the views before */

static void
remove_before(void *ctx, uint32_t number)
{
    const uint32_t *views_and_serving = ctx;

    if (number < views_and_serving[1]) {
        kappa_generation_remove((int)views_and_serving[0], number);
    }
}

/* Under the locks. Who builds now began after the events were blanked, and its
 * generation has a higher number. */
static kappa_status_t
remove_views_before(forget_t *f)
{
    int views = kappa_store_views(f->store, f->errors);
    uint32_t ctx[2] = { (uint32_t)views, 0 };

    if (views < 0) {
        return KAPPA_IO;
    }
    kappa_status_t status = kappa_current_read(views, &ctx[1], f->errors);
    if (status == KAPPA_OK) {
        status = kappa_generations_each(views, remove_before, ctx, f->errors);
    }
    close(views);
    kappa_scratch_sweep(f->store);
    return status;
}

/* --- rounds */

/* Under the locks. KAPPA_DONE: there is nothing left to blank. */
static kappa_status_t
blank(forget_t *f, bool first, uint64_t *blanked)
{
    uint64_t tail;
    kappa_status_t status = kappa_store_enter(f->store, &tail, f->errors);

    kappa_buf_reset(&f->seqs);
    if (status == KAPPA_OK) {
        status = collect(f);
    }
    if (status == KAPPA_OK && first) {
        status = collect_pending(f);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    *blanked =
        kappa_forgotten_sort(seqs_of(f), f->seqs.len / sizeof(uint64_t));
    return *blanked == 0
        ? KAPPA_DONE
        : kappa_log_forget(f->store->log, seqs_of(f), *blanked, f->errors);
}

static kappa_status_t
finish(forget_t *f)
{
    kappa_status_t status = remove_views_before(f);

    return status == KAPPA_OK ? kappa_log_forget_done(f->store->log, f->errors)
                              : status;
}

static kappa_status_t
begin_round(forget_t *f, bool first, uint64_t *events)
{
    uint64_t blanked = 0;
    kappa_status_t status = kappa_store_lock(f->store, f->errors);

    if (status != KAPPA_OK) {
        return status;
    }
    status = blank(f, first, &blanked);
    *events += blanked;
    if (status == KAPPA_DONE && first) {
        status = KAPPA_NOT_FOUND;
    } else if (status == KAPPA_DONE) {
        status = finish(f);
        status = status == KAPPA_OK ? KAPPA_DONE : status;
    }
    kappa_store_unlock(f->store);
    return status;
}

static kappa_status_t
rebuild(forget_t *f, bool (*progress)(void *ctx, uint64_t seq, uint64_t end),
    void *ctx)
{
    kappa_status_t status;

    while ((status = kappa_store_rebuild(f->store, progress, ctx, f->errors))
        == KAPPA_BUSY) {
        usleep(BUILDER_POLL_US);
        if (progress != NULL && !progress(ctx, 0, 0)) {
            return KAPPA_DONE;
        }
    }
    return status;
}

static kappa_status_t
run(forget_t *f, bool (*progress)(void *ctx, uint64_t seq, uint64_t end),
    void *ctx, uint64_t *events)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        kappa_status_t status = begin_round(f, i == 0, events);

        if (status != KAPPA_OK) {
            return status == KAPPA_DONE ? KAPPA_OK : status;
        }
        status = rebuild(f, progress, ctx);
        if (status != KAPPA_OK) {
            return status;
        }
    }
    kappa_errors_add(f->errors, "CONFLICT",
        "while its events were blanked new ones came, again and again: stop "
        "what writes them, then forget again");
    return KAPPA_CONFLICT;
}

kappa_status_t
kappa_store_forget(kappa_store_t *store, const kappa_filter_t *filter,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    uint64_t *events, kappa_errors_t *errors)
{
    forget_t f = { .store = store, .filter = filter, .errors = errors };

    *events = 0;
    kappa_buf_init(&f.seqs, store->alloc);
    kappa_status_t status = run(&f, progress, ctx, events);
    kappa_buf_release(&f.seqs);
    return status;
}
