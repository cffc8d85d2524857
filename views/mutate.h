#ifndef KAPPA_VIEWS_MUTATE_H
#define KAPPA_VIEWS_MUTATE_H

#include "views/store_private.h"

#define KAPPA_BATCH_RANDOM 640

/* A batch in the making: jobs are decided one after the other in one views'
 * transaction, each seeing the ones before; what is accepted collects in
 * `events` until it is appended. Texts of events live with their jobs. */
typedef struct {
    kappa_store_t *store;
    kappa_writer_t *writer;
    const kappa_model_t *model;
    uint64_t version;
    kappa_arena_t *arena;
    uint64_t tail; /* of the log, before the batch */
    kappa_event_t *events;
    uint32_t count;
    uint32_t cap;
    size_t bytes;     /* of the events, about */
    uint32_t decided; /* accepted or not */
    /* The transaction is lost. KAPPA_IO, KAPPA_CORRUPT: with all that is in
     * it. KAPPA_NOMEM: it was the job's fault, which has its answer; the batch
     * is decided again without it. */
    kappa_status_t lost;
    kappa_str_t why;
    uint8_t random[KAPPA_BATCH_RANDOM]; /* what is left of it */
    uint32_t random_left;
} kappa_batch_t;

/* Random bytes, got from the system for many events at once. */
void kappa_batch_random(kappa_batch_t *batch, uint8_t out[10]);

/* Whether there is no room for more: append what is there first. */
bool kappa_batch_full(const kappa_batch_t *batch);

/* The job's answer is that it failed. */
void kappa_job_fail(kappa_job_t *job, kappa_status_t status, const char *code,
    kappa_str_t message);

/* Runs a mutation's plan; the response and outcome are in the job. The job
 * is not OK, or the batch is lost, when it could not be run. */
void kappa_batch_mutations(kappa_batch_t *batch, kappa_job_t *job);

/* Decides the job's events from work.decided on, until the batch is full or
 * one is refused. */
void kappa_batch_events(kappa_batch_t *batch, kappa_job_t *job);

/* One event, its seq filled in here; accepted ones go to the batch.
 * KAPPA_OK, KAPPA_INVALID (refused, an error was added), or the batch is lost
 * (KAPPA_IO, KAPPA_NOMEM). */
kappa_status_t kappa_batch_decide(
    kappa_batch_t *batch, kappa_decision_t *decision);

#endif
