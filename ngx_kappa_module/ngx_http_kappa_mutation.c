#include "ngx_kappa_module/ngx_http_kappa.h"

#include "base/time.h"

/* The mutation path: an operation becomes a job for the append thread, which
 * decides, makes it durable and runs the selection; the bell brings it back
 * to the event loop. The job owns what it needs, so a client that goes away
 * changes nothing. */

/* On the append thread. */
static void
ngx_http_kappa_job_done(kappa_job_t *job)
{
    ngx_http_kappa_mutation_t *mutation = job->owner;

    ngx_http_kappa_ring(&mutation->note);
}

static void
ngx_http_kappa_mutation_destroy(ngx_http_kappa_mutation_t *mutation)
{
    ngx_http_kappa_operation_t op = mutation->op; /* it lies in its arena */

    kappa_buf_release(&mutation->job.response);
    ngx_http_kappa_operation_release(&op);
}

/* Nothing of it was appended, and by the schema that is in force now it may
 * mean the same: it is planned and sent again. False: it stays refused. */
static bool
ngx_http_kappa_mutation_again(ngx_http_kappa_mutation_t *mutation)
{
    const kappa_job_t was = mutation->job;
    kappa_errors_t errors;

    if (was.status == KAPPA_OK || was.appended > 0
        || mutation->op.app->appender == NULL /* the worker ends */
        || ngx_strcmp(was.code, "SCHEMA_CHANGED") != 0
        || mutation->replans++ == NGX_HTTP_KAPPA_REPLANS_MAX) {
        return false;
    }
    kappa_errors_init(&errors, was.arena, 1);
    mutation->op.plan = was.plan;
    if (ngx_http_kappa_replan(&mutation->op, &errors) != KAPPA_OK) {
        return false;
    }
    kappa_buf_reset(&mutation->job.response);
    mutation->job = (kappa_job_t){ .plan = mutation->op.plan,
        .version = mutation->op.version,
        .variables = mutation->op.variables,
        .caller = was.caller,
        .idempotency_key = was.idempotency_key,
        .traceparent = was.traceparent,
        .now_ms = was.now_ms,
        .arena = was.arena,
        .done = was.done,
        .owner = was.owner,
        .response = mutation->job.response };
    if (kappa_appender_submit(mutation->op.app->appender, &mutation->job)
        != KAPPA_OK) {
        mutation->job.status = was.status;
        mutation->job.code = was.code;
        mutation->job.message = was.message;
        return false;
    }
    return true;
}

static void
ngx_http_kappa_mutation_back(ngx_http_kappa_note_t *note)
{
    ngx_http_kappa_mutation_t *mutation = (ngx_http_kappa_mutation_t *)note;

    if (ngx_http_kappa_mutation_again(mutation)) {
        return;
    }
    ngx_http_kappa_unhold();
    if (mutation->owner != NULL) {
        mutation->answer(mutation);
    }
    ngx_http_kappa_mutation_destroy(mutation);
}

kappa_status_t
ngx_http_kappa_mutation_start(ngx_http_kappa_operation_t *op,
    kappa_str_t idempotency_key, kappa_str_t traceparent,
    void (*answer)(ngx_http_kappa_mutation_t *mutation), void *owner,
    ngx_http_kappa_mutation_t **out, kappa_errors_t *errors)
{
    ngx_http_kappa_mutation_t *mutation =
        KAPPA_NEW(op->arena, ngx_http_kappa_mutation_t);

    if (op->app->appender == NULL || mutation == NULL) {
        return KAPPA_NOMEM;
    }
    mutation->note.handler = ngx_http_kappa_mutation_back;
    mutation->answer = answer;
    mutation->owner = owner;
    mutation->op = *op;
    mutation->job = (kappa_job_t){
        .plan = op->plan,
        .version = op->version,
        .variables = op->variables,
        .caller = *ngx_http_kappa_caller(op),
        .idempotency_key = idempotency_key,
        .traceparent = traceparent,
        .now_ms = kappa_now_ms(),
        .arena = op->arena,
        .done = ngx_http_kappa_job_done,
        .owner = mutation,
    };
    kappa_buf_init(&mutation->job.response, &kappa_alloc_libc);
    if (kappa_appender_submit(op->app->appender, &mutation->job) != KAPPA_OK) {
        kappa_errors_add(errors, "OVERLOADED",
            "too many mutations are waiting: try again soon");
        return KAPPA_BUSY;
    }
    ngx_http_kappa_hold();
    op->plan = NULL;
    op->identity = NULL;
    op->arena = NULL;
    *out = mutation;
    return KAPPA_OK;
}

kappa_status_t
ngx_http_kappa_mutation_response(ngx_http_kappa_mutation_t *mutation,
    kappa_str_t *response, kappa_errors_t *errors)
{
    kappa_job_t *job = &mutation->job;
    char extensions[NGX_HTTP_KAPPA_EXTENSIONS];

    if (job->status != KAPPA_OK) {
        kappa_errors_add(
            errors, job->code, "%.*s", KAPPA_STR_ARG(job->message));
        return KAPPA_IO;
    }
    kappa_response_end(&job->response,
        ngx_http_kappa_extensions(
            &mutation->op, job->seq, job->duplicate, extensions));
    *response = kappa_buf_view(&job->response);
    return job->response.failed ? KAPPA_NOMEM : KAPPA_OK;
}

/* --- over HTTP --- */

static ngx_int_t
ngx_http_kappa_send_outcome(
    ngx_http_request_t *r, ngx_http_kappa_mutation_t *mutation)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    const kappa_job_t *job = &mutation->job;
    ngx_http_kappa_answer_t answer =
        ngx_http_kappa_answer(ctx, ngx_http_kappa_outcome(&job->outcome));
    kappa_errors_t errors;
    kappa_str_t response;

    kappa_errors_init(&errors, mutation->job.arena, 1);
    kappa_status_t status =
        ngx_http_kappa_mutation_response(mutation, &response, &errors);
    if (status == KAPPA_NOMEM) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (status != KAPPA_OK) {
        answer.outcome = KAPPA_OUTCOME_UNAVAILABLE;
        answer.retry_after = 1;
        return ngx_http_kappa_send_errors(r, &answer, &errors);
    }
    answer.seq = job->seq;
    ngx_http_kappa_note_error(r, job->outcome.code);
    return ngx_http_kappa_send(r, &answer, response);
}

static void
ngx_http_kappa_mutation_answer(ngx_http_kappa_mutation_t *mutation)
{
    void **link = mutation->owner;
    ngx_http_request_t *r = link[1];
    ngx_connection_t *c = r->connection;

    link[0] = NULL;
    ngx_int_t rc = ngx_http_kappa_send_outcome(r, mutation);
    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}

/* The request ends before its job does. */
static void
ngx_http_kappa_mutation_forget(void *data)
{
    void **link = data;
    ngx_http_kappa_mutation_t *mutation = link[0];

    if (mutation != NULL) {
        mutation->owner = NULL;
    }
}

ngx_int_t
ngx_http_kappa_mutate(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    ngx_pool_cleanup_t *cleanup =
        ngx_pool_cleanup_add(r->pool, 2 * sizeof(void *));
    kappa_arena_t *arena = ctx->op.arena;
    kappa_str_t key, traceparent;
    ngx_http_kappa_mutation_t *mutation;
    kappa_errors_t errors;

    if (cleanup == NULL
        || !ngx_http_kappa_header_copy(r, arena, "idempotency-key", &key)
        || !ngx_http_kappa_traceparent(r, arena, &traceparent)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    void **link = cleanup->data; /* the mutation, and its request */
    link[0] = NULL;
    link[1] = r;
    const kappa_identity_t *identity = ctx->op.identity;
    kappa_errors_init(&errors, arena, 1);
    kappa_identity_retain(identity); /* the job's; ours stays for variables */
    kappa_status_t status = ngx_http_kappa_mutation_start(&ctx->op, key,
        traceparent, ngx_http_kappa_mutation_answer, link, &mutation, &errors);

    if (status != KAPPA_OK) {
        kappa_identity_release(identity);
    } else {
        ctx->op.identity = identity;
    }
    if (status == KAPPA_BUSY) {
        ngx_http_kappa_answer_t answer =
            ngx_http_kappa_answer(ctx, KAPPA_OUTCOME_UNAVAILABLE);

        answer.retry_after = 1;
        return ngx_http_kappa_send_errors(r, &answer, &errors);
    }
    if (status != KAPPA_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    link[0] = mutation;
    cleanup->handler = ngx_http_kappa_mutation_forget;
    r->main->count++;
    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;
    return NGX_DONE;
}
