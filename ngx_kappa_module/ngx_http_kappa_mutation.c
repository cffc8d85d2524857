#include "ngx_kappa_module/ngx_http_kappa.h"

#include "base/time.h"

/* The mutation path: the request becomes a job for the append thread, which
 * decides, makes it durable and runs the selection; the bell brings it back
 * to the event loop. The job owns what it needs, so a client that goes away
 * changes nothing. */

typedef struct {
    ngx_http_kappa_note_t note; /* first: a note is its mutation */
    kappa_job_t job;
    ngx_http_request_t *request; /* NULL: gone */
    kappa_str_t epoch;
    const kappa_identity_t *identity;
    void **link; /* the request's way to us, in its pool */
} ngx_http_kappa_mutation_t;

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
    kappa_arena_t *arena = mutation->job.arena;

    kappa_buf_release(&mutation->job.response);
    kappa_plan_release(mutation->job.plan);
    kappa_identity_release(mutation->identity);
    ngx_http_kappa_arena_put(arena);
}

static ngx_int_t
ngx_http_kappa_send_outcome(
    ngx_http_request_t *r, ngx_http_kappa_mutation_t *mutation)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    kappa_job_t *job = &mutation->job;
    ngx_http_kappa_answer_t answer =
        ngx_http_kappa_answer(ctx, KAPPA_OUTCOME_DATA);
    char extensions[160];

    if (job->status != KAPPA_OK) {
        answer.outcome = KAPPA_OUTCOME_UNAVAILABLE;
        answer.retry_after = 1;
        return ngx_http_kappa_refuse(r, &answer, job->code,
            job->message.data ? job->message.data : job->code);
    }
    answer.seq = job->seq;
    ngx_http_kappa_note_error(r, job->outcome.code);
    answer.outcome = job->outcome.error_count ? KAPPA_OUTCOME_DATA_ERRORS
                                              : KAPPA_OUTCOME_DATA;
    ngx_str_t epoch = { mutation->epoch.len, (u_char *)mutation->epoch.data };
    u_char *end = ngx_snprintf((u_char *)extensions, sizeof(extensions),
        "\"kappa\":{\"position\":\"%V-%uL\"%s}", &epoch, (uint64_t)job->seq,
        job->duplicate ? ",\"duplicate\":true" : "");
    kappa_response_end(&job->response,
        kappa_str(extensions, (size_t)(end - (u_char *)extensions)));
    if (job->response.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return ngx_http_kappa_send(r, &answer, kappa_buf_view(&job->response));
}

static void
ngx_http_kappa_mutation_back(ngx_http_kappa_note_t *note)
{
    ngx_http_kappa_mutation_t *mutation = (ngx_http_kappa_mutation_t *)note;
    ngx_http_request_t *r = mutation->request;

    ngx_http_kappa_unhold();
    if (r == NULL) {
        ngx_http_kappa_mutation_destroy(mutation);
        return;
    }
    ngx_connection_t *c = r->connection;

    *mutation->link = NULL;
    ngx_int_t rc = ngx_http_kappa_send_outcome(r, mutation);
    ngx_http_kappa_mutation_destroy(mutation);
    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}

/* The request ends before its job does. */
static void
ngx_http_kappa_mutation_forget(void *data)
{
    ngx_http_kappa_mutation_t *mutation = *(void **)data;

    if (mutation != NULL) {
        mutation->request = NULL;
    }
}

static kappa_str_t
ngx_http_kappa_header_copy(
    ngx_http_request_t *r, kappa_arena_t *arena, const char *name)
{
    ngx_table_elt_t *header = ngx_http_kappa_request_header(r, name);

    if (header == NULL || header->value.len == 0) {
        return KAPPA_STR_NULL;
    }
    return kappa_str_dup(
        arena, kappa_str((char *)header->value.data, header->value.len));
}

static ngx_http_kappa_mutation_t *
ngx_http_kappa_mutation_create(
    ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    kappa_arena_t *arena = ctx->arena;
    ngx_http_kappa_mutation_t *mutation =
        KAPPA_NEW(arena, ngx_http_kappa_mutation_t);

    if (mutation == NULL) {
        return NULL;
    }
    mutation->note.handler = ngx_http_kappa_mutation_back;
    mutation->request = r;
    mutation->epoch = kappa_store_epoch(ctx->app->store_handle);
    mutation->identity = kappa_identity_retain(ctx->identity);
    mutation->job = (kappa_job_t){
        .plan = kappa_plan_retain(ctx->plan),
        .version = ctx->version,
        .variables = ctx->variables,
        .caller = *ngx_http_kappa_caller(ctx),
        .idempotency_key =
            ngx_http_kappa_header_copy(r, arena, "idempotency-key"),
        .traceparent = ngx_http_kappa_header_copy(r, arena, "traceparent"),
        .now_ms = kappa_now_ms(),
        .arena = arena,
        .done = ngx_http_kappa_job_done,
        .owner = mutation,
    };
    kappa_buf_init(&mutation->job.response, &kappa_alloc_libc);
    ctx->arena = NULL;
    return mutation;
}

ngx_int_t
ngx_http_kappa_mutate(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    ngx_pool_cleanup_t *cleanup =
        ngx_pool_cleanup_add(r->pool, sizeof(void *));

    if (ctx->app->appender == NULL || cleanup == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_http_kappa_mutation_t *mutation =
        ngx_http_kappa_mutation_create(r, ctx);
    if (mutation == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (kappa_appender_submit(ctx->app->appender, &mutation->job)
        != KAPPA_OK) {
        ngx_http_kappa_answer_t answer =
            ngx_http_kappa_answer(ctx, KAPPA_OUTCOME_UNAVAILABLE);

        answer.retry_after = 1;
        ngx_http_kappa_mutation_destroy(mutation);
        return ngx_http_kappa_refuse(r, &answer, "OVERLOADED",
            "too many mutations are waiting: try again soon");
    }
    ngx_http_kappa_hold();
    mutation->link = cleanup->data;
    *mutation->link = mutation;
    cleanup->handler = ngx_http_kappa_mutation_forget;
    r->main->count++;
    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;
    return NGX_DONE;
}
