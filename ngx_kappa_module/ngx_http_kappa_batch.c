#include "ngx_kappa_module/ngx_http_kappa.h"

#include "base/time.h"
#include "proto/graphql_batch.h"

/* Several requests in one body (kappa_limit_batch). They are run one after
 * the other, so each sees what the ones before did; mutations that follow
 * each other go to the append thread together, which keeps their order, and
 * are one fsync. */

/* Answers are held until the last is there. */
#define ANSWER_BYTES_MAX (32 * 1024 * 1024)
/* Other requests get their turn after so long. */
#define TURN_US 1000

typedef struct ngx_http_kappa_batch_s ngx_http_kappa_batch_t;

typedef struct {
    ngx_http_kappa_batch_t *batch;
    ngx_http_kappa_operation_t op; /* arena NULL: not begun, or over */
    kappa_buf_t answer;
    kappa_http_outcome_t outcome;
} ngx_http_kappa_item_t;

struct ngx_http_kappa_batch_s {
    ngx_http_request_t *request; /* NULL: the client is gone */
    ngx_http_kappa_ctx_t *ctx;
    kappa_arena_t *arena; /* the batch itself and its requests */
    ngx_http_kappa_item_t *items;
    uint32_t count;
    uint32_t next;    /* that is to be run */
    uint32_t pending; /* mutations on their way */
    size_t bytes;     /* of answers */
    uint64_t seq;     /* the last position that an answer stands for */
    kappa_str_t key;  /* Idempotency-Key */
    kappa_str_t traceparent;
    ngx_event_t work; /* posted: go on */
};

static void
ngx_http_kappa_batch_destroy(ngx_http_kappa_batch_t *batch)
{
    kappa_arena_t *arena = batch->arena; /* it lies there */

    for (uint32_t i = 0; i < batch->count; i++) {
        ngx_http_kappa_operation_release(&batch->items[i].op);
        kappa_buf_release(&batch->items[i].answer);
    }
    ngx_http_kappa_arena_put(arena);
}

/* The request ends; mutations on their way are waited for. */
static void
ngx_http_kappa_batch_cleanup(void *data)
{
    ngx_http_kappa_batch_t *batch = data;

    if (batch->work.posted) {
        ngx_delete_posted_event(&batch->work);
    }
    batch->request = NULL;
    batch->ctx = NULL;
    if (batch->pending == 0) {
        ngx_http_kappa_batch_destroy(batch);
    }
}

static void
ngx_http_kappa_batch_post(ngx_http_kappa_batch_t *batch)
{
    if (!batch->work.posted) {
        ngx_post_event(&batch->work, &ngx_posted_events);
    }
}

/* --- answers --- */

/* An answer is in item->answer; op ends. */
static void
ngx_http_kappa_item_done(ngx_http_kappa_item_t *item,
    const ngx_http_kappa_operation_t *op, kappa_http_outcome_t outcome,
    const char *code)
{
    ngx_http_kappa_batch_t *batch = item->batch;

    item->outcome = outcome;
    batch->bytes += item->answer.len;
    if (code != NULL && batch->request != NULL
        && batch->ctx->error_code == NULL) {
        ngx_http_kappa_note_error(batch->request, code); /* counts it */
        code = NULL;
    }
    ngx_http_kappa_count_operation(op, outcome, code);
}

static void
ngx_http_kappa_item_fail(ngx_http_kappa_item_t *item,
    const ngx_http_kappa_operation_t *op, kappa_http_outcome_t outcome,
    const kappa_errors_t *errors)
{
    kappa_buf_reset(&item->answer);
    kappa_response_errors(&item->answer, errors);
    ngx_http_kappa_item_done(
        item, op, outcome, errors->first ? errors->first->code : NULL);
}

static void
ngx_http_kappa_item_refuse(ngx_http_kappa_item_t *item,
    kappa_http_outcome_t outcome, const char *code, const char *message)
{
    kappa_errors_t errors;

    kappa_errors_init(&errors, item->batch->arena, 1);
    kappa_errors_add(&errors, code, "%s", message);
    ngx_http_kappa_item_fail(item, &item->op, outcome, &errors);
}

static kappa_http_outcome_t
ngx_http_kappa_batch_outcome(const ngx_http_kappa_batch_t *batch)
{
    kappa_http_outcome_t outcome = batch->items[0].outcome;

    for (uint32_t i = 1; i < batch->count; i++) {
        outcome = kappa_graphql_batch_outcome(outcome, batch->items[i].outcome,
            batch->ctx->media,
            (kappa_status_codes_t)batch->ctx->op.klcf->status_codes);
    }
    return outcome;
}

static ngx_int_t
ngx_http_kappa_batch_send(ngx_http_kappa_batch_t *batch)
{
    ngx_http_kappa_answer_t answer =
        ngx_http_kappa_answer(batch->ctx, ngx_http_kappa_batch_outcome(batch));
    kappa_buf_t body;

    kappa_buf_init(&body, &kappa_alloc_libc);
    for (uint32_t i = 0; i < batch->count; i++) {
        kappa_buf_char(&body, i ? ',' : '[');
        kappa_buf_str(&body, kappa_buf_view(&batch->items[i].answer));
        body.failed |= batch->items[i].answer.failed;
    }
    kappa_buf_char(&body, ']');
    answer.seq = ngx_max(answer.seq, batch->seq);
    answer.retry_after = answer.outcome == KAPPA_OUTCOME_UNAVAILABLE ? 1 : 0;
    if (answer.outcome == KAPPA_OUTCOME_METHOD) {
        ngx_str_set(&answer.allow, "POST");
    }
    batch->ctx->counted = true; /* its operations are */
    ngx_int_t rc = body.failed
        ? NGX_HTTP_INTERNAL_SERVER_ERROR
        : ngx_http_kappa_send(batch->request, &answer, kappa_buf_view(&body));
    kappa_buf_release(&body);
    return rc;
}

/* --- operations --- */

static void
ngx_http_kappa_item_query(ngx_http_kappa_item_t *item)
{
    kappa_outcome_t outcome;
    kappa_errors_t errors;
    uint64_t seq;

    kappa_errors_init(&errors, item->op.arena, 1);
    kappa_status_t status =
        ngx_http_kappa_read(&item->op, &item->answer, &outcome, &seq, &errors);
    if (status != KAPPA_OK) {
        item->answer.failed |= errors.count == 0;
        ngx_http_kappa_item_fail(item, &item->op,
            ngx_http_kappa_outcome_of(&item->op, status, &errors), &errors);
        return;
    }
    kappa_response_end(&item->answer, KAPPA_STR_NULL);
    item->batch->seq = ngx_max(item->batch->seq, seq);
    ngx_http_kappa_item_done(
        item, &item->op, ngx_http_kappa_outcome(&outcome), outcome.code);
}

static void
ngx_http_kappa_item_mutation_answer(ngx_http_kappa_mutation_t *mutation)
{
    ngx_http_kappa_item_t *item = mutation->owner;
    ngx_http_kappa_batch_t *batch = item->batch;
    kappa_errors_t errors;
    kappa_str_t response;

    kappa_errors_init(&errors, mutation->job.arena, 1);
    if (ngx_http_kappa_mutation_response(mutation, &response, &errors)
        == KAPPA_OK) {
        kappa_buf_str(&item->answer, response);
        batch->seq = ngx_max(batch->seq, mutation->job.seq);
        ngx_http_kappa_item_done(item, &mutation->op,
            ngx_http_kappa_outcome(&mutation->job.outcome),
            mutation->job.outcome.code);
    } else {
        item->answer.failed |= errors.count == 0;
        ngx_http_kappa_item_fail(
            item, &mutation->op, KAPPA_OUTCOME_UNAVAILABLE, &errors);
    }
    batch->pending--;
    if (batch->request != NULL) {
        ngx_http_kappa_batch_post(batch);
    } else if (batch->pending == 0) {
        ngx_http_kappa_batch_destroy(batch);
    }
}

/* A key names one mutation, and the same response path may come twice. One
 * that is empty is refused as it is. */
static kappa_str_t
ngx_http_kappa_item_key(ngx_http_kappa_item_t *item)
{
    ngx_http_kappa_batch_t *batch = item->batch;

    return batch->key.len == 0
        ? batch->key
        : kappa_str_printf(batch->arena, "%.*s#%u", KAPPA_STR_ARG(batch->key),
            (unsigned)(item - batch->items));
}

static void
ngx_http_kappa_item_mutate(ngx_http_kappa_item_t *item)
{
    ngx_http_kappa_batch_t *batch = item->batch;
    kappa_str_t key = ngx_http_kappa_item_key(item);
    ngx_http_kappa_mutation_t *mutation;
    kappa_errors_t errors;

    kappa_errors_init(&errors, batch->arena, 1);
    if ((batch->key.data == NULL) == (key.data == NULL)
        && ngx_http_kappa_mutation_start(&item->op, key, batch->traceparent,
               ngx_http_kappa_item_mutation_answer, item, &mutation, &errors)
            == KAPPA_OK) {
        batch->pending++;
        return;
    }
    item->answer.failed |= errors.count == 0;
    ngx_http_kappa_item_fail(
        item, &item->op, KAPPA_OUTCOME_UNAVAILABLE, &errors);
}

/* Plans it. False: it is answered. */
static bool
ngx_http_kappa_item_begin(
    ngx_http_kappa_item_t *item, const kappa_identity_t *identity)
{
    kappa_errors_t errors;

    item->op.arena = ngx_http_kappa_arena_get();
    if (item->op.arena == NULL) {
        item->answer.failed = true;
        return false;
    }
    item->op.identity = kappa_identity_retain(identity);
    item->op.begun_us = kappa_monotonic_us();
    if (item->batch->bytes > ANSWER_BYTES_MAX) {
        ngx_http_kappa_item_refuse(item, KAPPA_OUTCOME_VALIDATION,
            "LIMIT_EXCEEDED",
            "the answers of this batch are too large together");
        return false;
    }
    kappa_errors_init(&errors, item->op.arena, 0);
    kappa_status_t status = ngx_http_kappa_prepare(&item->op, &errors);
    if (status != KAPPA_OK) {
        item->answer.failed |= errors.count == 0;
        ngx_http_kappa_item_fail(item, &item->op,
            errors.count
                ? ngx_http_kappa_outcome_of(&item->op, status, &errors)
                : KAPPA_OUTCOME_FAILED,
            &errors);
    }
    return status == KAPPA_OK;
}

/* False: mutations have to be waited for. */
static bool
ngx_http_kappa_item_run(ngx_http_kappa_item_t *item)
{
    ngx_http_kappa_batch_t *batch = item->batch;

    switch (kappa_plan_operation(item->op.plan)) {
    case KAPPA_OPERATION_QUERY:
        if (batch->pending > 0) {
            return false;
        }
        ngx_http_kappa_item_query(item);
        break;
    case KAPPA_OPERATION_MUTATION:
        if (ngx_http_kappa_is_safe(batch->request)) {
            ngx_http_kappa_item_refuse(item, KAPPA_OUTCOME_METHOD,
                "BAD_USER_INPUT", "mutations are taken by POST only");
        } else {
            ngx_http_kappa_item_mutate(item);
        }
        break;
    default:
        ngx_http_kappa_item_refuse(item, KAPPA_OUTCOME_VALIDATION,
            "BAD_USER_INPUT", "a subscription can't stand in a batch");
    }
    return true;
}

static void
ngx_http_kappa_batch_go_on(ngx_http_kappa_batch_t *batch)
{
    int64_t begun_us = kappa_monotonic_us();

    while (batch->next < batch->count) {
        ngx_http_kappa_item_t *item = &batch->items[batch->next];
        bool planned = item->op.arena != NULL; /* it waited */

        if (!planned) {
            planned = ngx_http_kappa_item_begin(item, batch->ctx->op.identity);
        }
        if (planned && !ngx_http_kappa_item_run(item)) {
            return;
        }
        ngx_http_kappa_operation_release(&item->op);
        batch->next++;
        if (kappa_monotonic_us() - begun_us > TURN_US) {
            ngx_post_event(&batch->work, &ngx_posted_next_events);
            return;
        }
    }
    if (batch->pending == 0) {
        ngx_http_request_t *r = batch->request;

        ngx_http_finalize_request(r, ngx_http_kappa_batch_send(batch));
    }
}

static void
ngx_http_kappa_batch_work_handler(ngx_event_t *ev)
{
    ngx_http_kappa_batch_t *batch = ev->data;
    ngx_connection_t *c = batch->request->connection;

    ngx_http_kappa_batch_go_on(batch);
    ngx_http_run_posted_requests(c);
}

/* --- beginning --- */

static ngx_http_kappa_batch_t *
ngx_http_kappa_batch_create(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    const kappa_graphql_params_t *params, uint32_t count)
{
    kappa_arena_t *arena = ctx->op.arena;
    ngx_http_kappa_batch_t *batch = KAPPA_NEW(arena, ngx_http_kappa_batch_t);
    ngx_http_kappa_item_t *items =
        KAPPA_NEW_ARRAY(arena, ngx_http_kappa_item_t, count);

    if (batch == NULL || items == NULL) {
        return NULL;
    }
    *batch = (ngx_http_kappa_batch_t){
        .request = r,
        .ctx = ctx,
        .arena = arena,
        .items = items,
        .count = count,
    };
    if (!ngx_http_kappa_header_copy(r, arena, "idempotency-key", &batch->key)
        || !ngx_http_kappa_traceparent(r, arena, &batch->traceparent)) {
        return NULL;
    }
    batch->work.handler = ngx_http_kappa_batch_work_handler;
    batch->work.data = batch;
    batch->work.log = r->connection->log;
    for (uint32_t i = 0; i < count; i++) {
        items[i].batch = batch;
        items[i].op.app = ctx->op.app;
        items[i].op.klcf = ctx->op.klcf;
        items[i].op.params = params[i];
        kappa_buf_init(&items[i].answer, &kappa_alloc_libc);
    }
    return batch;
}

/* In what the answer is written; false: the client takes none of it. */
static bool
ngx_http_kappa_batch_media(ngx_http_kappa_ctx_t *ctx)
{
    ctx->media = kappa_graphql_http_error_media(&ctx->accept);
    return ctx->accept.quality[ctx->media] > 0;
}

ngx_int_t
ngx_http_kappa_batch(
    ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx, kappa_str_t body)
{
    ngx_http_kappa_answer_t bad =
        ngx_http_kappa_answer(ctx, KAPPA_OUTCOME_BAD_REQUEST);
    kappa_graphql_params_t *params;
    kappa_errors_t errors;
    uint32_t count;

    if (!ngx_http_kappa_batch_media(ctx)) {
        bad.outcome = KAPPA_OUTCOME_NOT_ACCEPTABLE;
        return ngx_http_kappa_refuse(r, &bad, "BAD_USER_INPUT",
            "a batch is answered as application/json or "
            "application/graphql-response+json");
    }
    kappa_errors_init(&errors, ctx->op.arena, 1);
    kappa_status_t status = kappa_graphql_batch_read(ctx->op.arena, body,
        (uint32_t)ctx->op.klcf->limit_batch, &params, &count, &errors);
    if (status != KAPPA_OK) {
        return errors.count ? ngx_http_kappa_send_errors(r, &bad, &errors)
                            : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, 0);
    ngx_http_kappa_batch_t *batch =
        cleanup ? ngx_http_kappa_batch_create(r, ctx, params, count) : NULL;
    if (batch == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    cleanup->handler = ngx_http_kappa_batch_cleanup;
    cleanup->data = batch;
    ctx->op.arena = NULL; /* the batch's by now */
    ctx->op.begun_us = 0;
    r->main->count++;
    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;
    ngx_http_kappa_batch_post(batch);
    return NGX_DONE;
}
