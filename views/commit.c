#include <unistd.h>

#include "base/time.h"
#include "views/mutate.h"

/* The commit (DESIGN 7): lock; bring the views to the log's end; decide; one
 * append, one fsync; commit the views; answer; write `tail`; unlock. Who waits
 * for an answer waits for neither of the last two. */

/* What is being committed under one hold of the lock: the jobs from `first`
 * up to, not including, `end`. The last may go on in the next round. */
typedef struct {
    kappa_store_t *store;
    kappa_batch_t batch;
    kappa_job_t *first;
    kappa_job_t *end;
    kappa_errors_t errors;
    kappa_arena_t *said; /* of errors; lives until the jobs are answered */
    kappa_commit_t commit;
    uint64_t tail; /* that others are to be told of; 0: none */
} round_t;

/* --- deciding */

static void
clear_response(kappa_job_t *job)
{
    job->response.len = job->work.response_start;
    job->response.failed = false;
}

/* As it was before this round. */
static void
rewind_job(kappa_job_t *job)
{
    clear_response(job);
    job->work.decided = job->appended + job->duplicates;
    job->work.batch_appended = job->work.batch_duplicates = 0;
    job->work.seq = job->seq;
    job->work.over = false;
    job->status = KAPPA_OK;
    job->code = NULL;
    job->message = KAPPA_STR_NULL;
}

static bool
has_failed(const kappa_job_t *job)
{
    return job->work.over && job->status != KAPPA_OK;
}

static void
begin_batch(round_t *round, uint64_t tail)
{
    kappa_store_t *store = round->store;
    kappa_edition_t *edition = store->edition;

    round->batch = (kappa_batch_t){ .store = store,
        .writer = edition->writer,
        .model = edition->model,
        .version = edition->version,
        .arena = store->scratch,
        .tail = tail };
}

/* Decides jobs until the batch is full or lost. */
static void
decide_jobs(round_t *round)
{
    kappa_batch_t *batch = &round->batch;
    kappa_job_t *job = round->first;
    uint32_t jobs = 0;

    for (; job && batch->lost == KAPPA_OK && !kappa_batch_full(batch)
         && jobs++ < KAPPA_BATCH_JOBS_MAX;
         job = job->next) {
        if (has_failed(job)) {
            continue;
        }
        if (job->plan) {
            kappa_batch_mutations(batch, job);
        } else {
            kappa_batch_events(batch, job);
            if (!job->work.over) { /* more of it in the next round */
                job = job->next;
                break;
            }
        }
    }
    round->end = job;
}

/* The jobs whose fault it was have their answer, the others are as before. */
static void
rewind_jobs(round_t *round)
{
    for (kappa_job_t *job = round->first; job; job = job->next) {
        bool failed = has_failed(job);

        if (job->plan == NULL && job->work.hungry) {
            rewind_job(job);
            kappa_job_fail(job, KAPPA_NOMEM, "OVERLOADED",
                KAPPA_STR("out of memory; retry later"));
        } else if (!failed || job->plan == NULL) {
            rewind_job(job);
        }
        if (job == round->end) {
            break;
        }
    }
}

/* A job that can't be carried out takes the whole transaction with it: the
 * others are decided again. Each time one job less. */
static kappa_status_t
decide(round_t *round, uint64_t tail)
{
    kappa_writer_t *writer = round->store->edition->writer;

    for (;;) {
        kappa_status_t status = kappa_writer_begin(writer, &round->errors);
        if (status != KAPPA_OK) {
            return status;
        }
        begin_batch(round, tail);
        decide_jobs(round);
        if (round->batch.lost == KAPPA_OK) {
            return KAPPA_OK;
        }
        kappa_writer_abort(writer);
        if (round->batch.lost != KAPPA_NOMEM) {
            kappa_errors_add(&round->errors, "STORE_UNAVAILABLE", "%.*s",
                KAPPA_STR_ARG(round->batch.why));
            return KAPPA_IO;
        }
        rewind_jobs(round);
    }
}

/* --- appending */

/* The log has it. If the views fail now the answers are true nevertheless
 * (SEMANTICS 24), and the next appender catches up. */
static void
commit_views(round_t *round, uint64_t tail)
{
    kappa_store_t *store = round->store;
    kappa_writer_t *writer = store->edition->writer;

    if (kappa_writer_commit(writer, tail, &round->errors) == KAPPA_OK) {
        return;
    }
    kappa_store_say(store, true,
        "the views could not be written; they are behind the log: %.*s",
        KAPPA_STR_ARG(kappa_errors_why(&round->errors)));
    if (kappa_writer_begin(writer, NULL) != KAPPA_OK) {
        store->broken = true;
        return;
    }
    kappa_writer_abort(writer);
}

static kappa_status_t
append(round_t *round)
{
    kappa_store_t *store = round->store;
    kappa_batch_t *batch = &round->batch;
    uint64_t tail = batch->tail;

    if (batch->count == 0) {
        kappa_writer_abort(batch->writer);
        return KAPPA_OK;
    }

    int64_t begun = kappa_monotonic_us();
    kappa_status_t status = kappa_log_append(store->log, batch->events,
        batch->count, batch->tail, &tail, &round->errors);
    int64_t appended = kappa_monotonic_us();
    round->commit.append_us = appended - begun;
    if (status != KAPPA_OK) {
        kappa_writer_abort(batch->writer);
        return status;
    }
    commit_views(round, tail);
    round->commit.views_us = kappa_monotonic_us() - appended;
    round->commit.events = batch->count;
    round->tail = tail;
    return KAPPA_OK;
}

/* --- answering */

/* What was decided in this round stands. */
static void
keep(kappa_job_t *job)
{
    job->appended += job->work.batch_appended;
    job->duplicates += job->work.batch_duplicates;
    job->work.batch_appended = job->work.batch_duplicates = 0;
    job->duplicate = job->duplicates && !job->appended;
    job->seq = job->work.seq;
    job->work.response_start = job->response.len;
}

typedef struct {
    kappa_status_t status;
    const char *code;
    kappa_str_t message;
} verdict_t;

/* A round that failed. What a job was told before it failed by itself
 * (SCHEMA_CHANGED) was not about this round. */
static void
condemn(kappa_job_t *job, const verdict_t *verdict)
{
    bool uncertain = job->work.batch_appended || job->work.batch_duplicates;

    if (has_failed(job) && job->plan) {
        return;
    }
    clear_response(job);
    job->outcome = (kappa_outcome_t){ .data_null = false };
    if (verdict->status == KAPPA_UNKNOWN && !uncertain) {
        kappa_job_fail(job, KAPPA_IO, "LOG_UNAVAILABLE",
            KAPPA_STR("the log can't be written; nothing was appended"));
    } else {
        kappa_str_t message = kappa_str_dup(job->arena, verdict->message);
        kappa_job_fail(job, verdict->status, verdict->code,
            message.data ? message : KAPPA_STR("out of memory"));
    }
}

static verdict_t
judge(kappa_status_t status, const kappa_errors_t *errors, bool log)
{
    verdict_t verdict = { .status = status,
        .code = log ? "LOG_UNAVAILABLE" : "STORE_UNAVAILABLE",
        .message = kappa_errors_why(errors) };

    if (status == KAPPA_BUSY) {
        verdict.code = "VIEWS_REBUILDING";
        verdict.message =
            KAPPA_STR("the views are being computed from the log; nothing "
                      "was appended, retry later");
    } else if (status == KAPPA_UNKNOWN) {
        verdict.code = "OUTCOME_UNKNOWN";
    } else if (status == KAPPA_NOMEM) {
        verdict.code = "OVERLOADED";
        verdict.message =
            KAPPA_STR("out of memory; nothing was appended, retry later");
    } else if (errors->first
        && strcmp(errors->first->code, "LOG_UNAVAILABLE") == 0) {
        verdict.code = "LOG_UNAVAILABLE";
    }
    return verdict;
}

static void
settle_jobs(round_t *round, kappa_status_t status, bool log)
{
    verdict_t verdict = judge(status, &round->errors, log);

    for (kappa_job_t *job = round->first; job != round->end; job = job->next) {
        if (status == KAPPA_OK) {
            round->commit.duplicates += job->work.batch_duplicates;
            keep(job);
        } else {
            condemn(job, &verdict);
        }
    }
}

/* Calls done; a job may be gone then. */
static void
answer(round_t *round)
{
    kappa_job_t *next;

    for (kappa_job_t *job = round->first; job != round->end; job = next) {
        next = job->next;
        if (!job->work.over) {
            break;
        }
        round->first = next;
        job->done(job);
    }
}

/* --- a round */

static kappa_status_t
commit_locked(round_t *round, bool *log)
{
    uint64_t tail = 0;
    kappa_status_t status =
        kappa_store_enter(round->store, &tail, &round->errors);

    round->end = NULL; /* all of them, if it fails */
    if (status == KAPPA_OK) {
        status = kappa_store_dirty(round->store, &round->errors);
    }
    if (status == KAPPA_OK) {
        status = decide(round, tail);
    }
    if (status == KAPPA_OK) {
        *log = true;
        status = append(round);
    }
    return status;
}

/* Before the answers: who has one finds it counted. */
static void
tell(round_t *round, kappa_status_t status, int64_t begun)
{
    kappa_store_t *store = round->store;

    round->commit.status = status;
    round->commit.total_us = kappa_monotonic_us() - begun;
    if (store->committed) {
        store->committed(store->committed_ctx, &round->commit);
    }
}

static void
commit_round(round_t *round)
{
    int64_t begun = kappa_monotonic_us();
    bool log = true;

    kappa_errors_init(&round->errors, round->said, 0);
    round->tail = 0;
    round->commit = (kappa_commit_t){ .status = KAPPA_OK };
    kappa_status_t status = kappa_store_lock(round->store, &round->errors);
    round->commit.lock_us = kappa_monotonic_us() - begun;
    if (status != KAPPA_OK) {
        round->end = NULL;
        settle_jobs(round, status, log);
        tell(round, status, begun);
        answer(round);
        return;
    }
    log = false;
    status = commit_locked(round, &log);
    settle_jobs(round, status, log);
    tell(round, status, begun);
    answer(round);
    if (round->tail) {
        (void)kappa_tail_write(&round->store->tail,
            kappa_log_epoch(round->store->log), round->tail);
    }
    kappa_store_unlock(round->store);
}

static void
begin_jobs(kappa_store_t *store, kappa_job_t *jobs)
{
    for (kappa_job_t *job = jobs; job; job = job->next) {
        if (job->response.alloc == NULL) {
            kappa_buf_init(&job->response, store->alloc);
        }
        job->work.response_start = job->response.len;
    }
}

static void
refuse_all(kappa_job_t *jobs)
{
    kappa_job_t *next;

    for (kappa_job_t *job = jobs; job; job = next) {
        next = job->next;
        kappa_job_fail(job, KAPPA_NOMEM, "OVERLOADED",
            KAPPA_STR("out of memory; nothing was appended, retry later"));
        job->done(job);
    }
}

void
kappa_store_commit(kappa_store_t *store, kappa_job_t *jobs)
{
    round_t round = { .store = store, .first = jobs };

    begin_jobs(store, jobs);
    round.said = kappa_arena_create(store->alloc, 0);
    if (round.said == NULL) {
        refuse_all(jobs);
        return;
    }
    while (round.first) {
        commit_round(&round);
        kappa_arena_reset(round.said);
    }
    kappa_arena_destroy(round.said);
}
