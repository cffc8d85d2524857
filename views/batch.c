#include "base/uuid.h"
#include "views/idempotency.h"
#include "views/mutate.h"

#define AHEAD_MS 1000

/* Events on their way into a batch: mutations' (views/mutate.c) and those that
 * come as they are. */

bool
kappa_batch_full(const kappa_batch_t *batch)
{
    return batch->decided >= KAPPA_BATCH_EVENTS_MAX
        || batch->bytes >= KAPPA_BATCH_BYTES_MAX;
}

void
kappa_batch_random(kappa_batch_t *batch, uint8_t out[10])
{
    if (batch->random_left < 10) {
        batch->random_left = batch->count ? KAPPA_BATCH_RANDOM : 20;
        kappa_random(batch->random, batch->random_left);
    }
    batch->random_left -= 10;
    memcpy(out, batch->random + batch->random_left, 10);
}

void
kappa_job_fail(kappa_job_t *job, kappa_status_t status, const char *code,
    kappa_str_t message)
{
    job->status = status;
    job->code = code;
    job->message = message;
    job->failed = job->appended + job->duplicates;
    job->work.over = true;
}

/* --- deciding */

static bool
make_room(kappa_batch_t *batch)
{
    if (batch->count < batch->cap) {
        return true;
    }

    uint32_t cap = batch->cap ? 2 * batch->cap : 64;
    kappa_event_t *events =
        kappa_arena_alloc(batch->arena, cap * sizeof *events);
    if (events == NULL) {
        return false;
    }
    if (batch->count) {
        memcpy(events, batch->events, batch->count * sizeof *events);
    }
    batch->events = events;
    batch->cap = cap;
    return true;
}

static kappa_status_t
lose(kappa_batch_t *batch, kappa_status_t status, const char *why)
{
    batch->lost = status;
    batch->why = kappa_str_c(why);
    return status == KAPPA_NOMEM ? KAPPA_NOMEM : KAPPA_IO;
}

/* Names that are too long for the log are too long to be looked up. The
 * writer checks the whole; an effect that only the schema knows counts as none
 * until then. */
static kappa_status_t
check_before(const kappa_event_t *event, kappa_errors_t *errors)
{
    kappa_event_t asked = *event;

    if (asked.effect == KAPPA_EFFECT_UNSET) {
        asked.effect = KAPPA_EFFECT_NONE;
    }
    return kappa_event_check(&asked, errors) == KAPPA_OK ? KAPPA_OK
                                                         : KAPPA_INVALID;
}

static kappa_status_t
accept(kappa_batch_t *batch, const kappa_event_t *event)
{
    if (!make_room(batch)) {
        return lose(batch, KAPPA_NOMEM, "out of memory");
    }
    batch->events[batch->count++] = *event;
    batch->bytes += sizeof *event + event->data.len + event->row.len
        + event->key.len + event->thing.len + event->verb.len;
    return KAPPA_OK;
}

kappa_status_t
kappa_batch_decide(kappa_batch_t *batch, kappa_decision_t *decision)
{
    batch->decided++;
    decision->event->seq = batch->tail + batch->count + 1;

    kappa_status_t status = check_before(decision->event, decision->errors);
    if (status == KAPPA_OK) {
        status = kappa_writer_decide(batch->writer, decision);
    }
    switch (status) {
    case KAPPA_OK:
        return decision->duplicate ? KAPPA_OK : accept(batch, decision->event);
    case KAPPA_INVALID:
    case KAPPA_LIMIT:
        return KAPPA_INVALID;
    default:
        return lose(batch, status,
            status == KAPPA_NOMEM ? "out of memory"
                                  : kappa_writer_problem(batch->writer));
    }
}

/* --- events that come as they are */

static bool
has_id(const kappa_event_t *event)
{
    static const uint8_t none[KAPPA_UUID_BYTES];

    return memcmp(event->id, none, sizeof none) != 0;
}

/* Where rows leave by the log's clock, an event from a wrong one that is
 * ahead would take rows with it that are not old yet. A tenth of the shortest
 * keep, or a second, does no harm. */
static kappa_status_t
check_time(const kappa_batch_t *batch, const kappa_job_t *job,
    const kappa_event_t *event, kappa_errors_t *errors)
{
    int64_t ahead_max_ms = batch->model->keep_min_ms / 10;

    if (ahead_max_ms < AHEAD_MS) {
        ahead_max_ms = AHEAD_MS;
    }
    if (batch->model->keep_min_ms == 0
        || event->time_ms - job->now_ms <= ahead_max_ms) {
        return KAPPA_OK;
    }
    kappa_errors_add(errors, "BAD_USER_INPUT",
        "time is %lld s ahead of this machine's clock; rows that are kept "
        "for a time would leave too early",
        (long long)(event->time_ms - job->now_ms) / 1000);
    return KAPPA_INVALID;
}

static kappa_status_t
complete_event(kappa_batch_t *batch, const kappa_job_t *job,
    kappa_event_t *event, kappa_errors_t *errors)
{
    uint8_t random[10];

    event->actor_iss = job->caller.iss;
    event->actor_sub = job->caller.sub;
    event->row = KAPPA_STR_NULL;
    if (event->time_ms == KAPPA_EVENT_NO_TIME) {
        event->time_ms = job->now_ms;
    }
    if (event->traceparent.data == NULL) {
        event->traceparent = job->traceparent;
    }
    if (!has_id(event)) {
        kappa_batch_random(batch, random);
        kappa_uuid_v7(job->now_ms, random, event->id);
        event->idempotency_key = KAPPA_STR_NULL;
        return KAPPA_OK;
    }
    kappa_status_t status = kappa_idempotency_of_event(job->arena, event);
    if (status == KAPPA_INVALID || status == KAPPA_LIMIT) {
        kappa_errors_add(errors, "BAD_USER_INPUT",
            "key or data of the event is not JSON, or nested too deep");
        return KAPPA_INVALID;
    }
    return status;
}

static kappa_status_t
decide_event(kappa_batch_t *batch, kappa_job_t *job, uint32_t i,
    bool *duplicate, kappa_errors_t *errors)
{
    kappa_event_t event = job->events[i];
    kappa_decision_t decision = { .event = &event,
        .caller = &job->caller,
        .arena = job->arena,
        .errors = errors };

    kappa_status_t status = complete_event(batch, job, &event, errors);
    if (status == KAPPA_OK) {
        status = check_time(batch, job, &event, errors);
    }
    if (status != KAPPA_OK) {
        return status == KAPPA_NOMEM ? lose(batch, status, "out of memory")
                                     : status;
    }
    kappa_batch_random(batch, decision.random);
    status = kappa_batch_decide(batch, &decision);
    *duplicate = decision.duplicate;
    return status;
}

static void
refuse_job(kappa_job_t *job, const kappa_errors_t *errors)
{
    const kappa_error_t *error = errors->first;

    job->status = KAPPA_INVALID;
    job->code = error ? error->code : "BAD_USER_INPUT";
    job->message = error ? error->message : KAPPA_STR("refused");
    job->failed = job->work.decided;
    job->work.over = true;
}

void
kappa_batch_events(kappa_batch_t *batch, kappa_job_t *job)
{
    while (job->work.decided < job->event_count && !kappa_batch_full(batch)) {
        kappa_errors_t errors;
        bool duplicate = false;

        kappa_errors_init(&errors, job->arena, 1);
        kappa_status_t status =
            decide_event(batch, job, job->work.decided, &duplicate, &errors);
        if (status == KAPPA_INVALID) {
            refuse_job(job, &errors);
            return;
        }
        if (status != KAPPA_OK) {
            if (batch->lost == KAPPA_NOMEM) {
                job->work.hungry = true;
            }
            return;
        }
        job->work.decided++;
        *(duplicate ? &job->work.batch_duplicates
                    : &job->work.batch_appended) += 1;
        job->work.seq = batch->tail + batch->count;
    }
    job->work.over = job->work.decided == job->event_count;
}
