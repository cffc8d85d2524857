#ifndef KAPPA_VIEWS_APPENDER_H
#define KAPPA_VIEWS_APPENDER_H

#include "views/store.h"

/* The append thread: one per application and process. Takes all waiting jobs
 * as a batch, so that one fsync serves them all. */
typedef struct kappa_appender_s kappa_appender_t;

/* max_queued: jobs waiting at most (0: 4096). Starts the thread, with all
 * signals blocked. */
kappa_status_t kappa_appender_create(const kappa_alloc_t *alloc,
    kappa_store_t *store, uint32_t max_queued, kappa_appender_t **out);

/* Finishes what is queued, then joins the thread. */
void kappa_appender_destroy(kappa_appender_t *appender);

/* From any thread. KAPPA_BUSY: the queue is full (OVERLOADED); done is not
 * called then. */
kappa_status_t kappa_appender_submit(
    kappa_appender_t *appender, kappa_job_t *job);

#endif
