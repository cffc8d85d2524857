#include "ngx_kappa_module/ngx_http_kappa.h"

#include "base/time.h"
#include "proto/graphql_batch.h"

/* A GraphQL request: from its bytes to a plan, and to the path that the
 * operation takes (query here, mutation and subscription in files of their
 * own). */

static void ngx_http_kappa_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_kappa_serve(
    ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx);
static ngx_int_t ngx_http_kappa_query(
    ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx);

static ngx_str_t ngx_http_kappa_allow = ngx_string("GET, POST, QUERY");
static ngx_str_t ngx_http_kappa_allow_post = ngx_string("POST");

/* Names are lower case literals: the compiler compares them in a few words. */
#define IS_CALLED(header, name)                                               \
    ((header)->key.len == sizeof(name) - 1                                    \
        && ngx_memcmp((header)->lowcase_key, "" name, sizeof(name) - 1) == 0)

/* "one,more" in the request's pool. */
static kappa_str_t
ngx_http_kappa_join_values(
    ngx_http_request_t *r, kappa_str_t one, kappa_str_t more)
{
    size_t len = one.len + 1 + more.len;
    char *p = ngx_pnalloc(r->pool, len);

    if (p == NULL) {
        return one;
    }
    ngx_memcpy(p, one.data, one.len);
    p[one.len] = ',';
    ngx_memcpy(p + one.len + 1, more.data, more.len);
    return kappa_str(p, len);
}

/* What is wanted of the request's headers, in one walk over them. Several
 * Accept headers are one, joined. */
static kappa_str_t
ngx_http_kappa_scan_headers(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    ngx_list_part_t *part = &r->headers_in.headers.part;
    kappa_str_t all = KAPPA_STR_NULL;

    for (; part != NULL; part = part->next) {
        ngx_table_elt_t *header = part->elts;

        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (IS_CALLED(&header[i], "kappa-min-position")) {
                ctx->min_position = &header[i];
            } else if (IS_CALLED(&header[i], "kappa-cost")) {
                ctx->cost_asked = true;
            }
            if (!IS_CALLED(&header[i], "accept")) {
                continue;
            }
            kappa_str_t one =
                kappa_str((char *)header[i].value.data, header[i].value.len);
            all = all.data == NULL ? one
                                   : ngx_http_kappa_join_values(r, all, one);
        }
    }
    return all;
}

/* Clients send the same header again and again. */
#define ACCEPT_KEPT 256

static void
ngx_http_kappa_accept(kappa_str_t header, kappa_accept_t *out)
{
    static struct {
        bool known;
        size_t len;
        char bytes[ACCEPT_KEPT];
        kappa_accept_t accept;
    } last;

    if (last.known && kappa_str_eq(header, kappa_str(last.bytes, last.len))) {
        *out = last.accept;
        return;
    }
    kappa_graphql_http_accept(header, out);
    last.known = header.len <= ACCEPT_KEPT;
    if (last.known) {
        ngx_memcpy(last.bytes, header.data ? header.data : "", header.len);
        last.len = header.len;
        last.accept = *out;
    }
}

ngx_http_kappa_ctx_t *
ngx_http_kappa_begin(ngx_http_request_t *r, ngx_http_kappa_app_t *app)
{
    ngx_http_kappa_ctx_t *ctx = ngx_http_kappa_get_ctx(r);

    if (ctx == NULL) {
        return NULL;
    }
    ctx->op.app = app;
    ctx->op.klcf = ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);
    ngx_http_kappa_accept(ngx_http_kappa_scan_headers(r, ctx), &ctx->accept);
    ctx->media = kappa_graphql_http_error_media(&ctx->accept);
    return ctx;
}

/* Where an operation lives. What is answered from what is kept needs none. */
static ngx_int_t
ngx_http_kappa_make_room(ngx_http_kappa_ctx_t *ctx)
{
    if (ctx->op.arena == NULL) {
        ctx->op.arena = ngx_http_kappa_arena_get();
    }
    return ctx->op.arena != NULL ? NGX_OK : NGX_ERROR;
}

/* QUERY: a GET whose parameters are a body. nginx has no number for it. */
static bool
ngx_http_kappa_is_query(const ngx_http_request_t *r)
{
    return r->method == NGX_HTTP_UNKNOWN && r->method_name.len == 5
        && ngx_strncmp(r->method_name.data, "QUERY", 5) == 0;
}

bool
ngx_http_kappa_is_safe(const ngx_http_request_t *r)
{
    return (r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))
        || ngx_http_kappa_is_query(r);
}

static ngx_int_t
ngx_http_kappa_refuse_ctx(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    kappa_http_outcome_t outcome, const char *code, const char *message)
{
    ngx_http_kappa_answer_t answer = ngx_http_kappa_answer(ctx, outcome);

    if (outcome == KAPPA_OUTCOME_UNAVAILABLE) {
        answer.retry_after = 1;
    }
    if ((outcome == KAPPA_OUTCOME_METHOD
            || outcome == KAPPA_OUTCOME_MEDIA_TYPE)
        && ngx_http_kappa_accept_query(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (outcome == KAPPA_OUTCOME_METHOD) {
        answer.allow = ngx_http_kappa_is_safe(r) ? ngx_http_kappa_allow_post
                                                 : ngx_http_kappa_allow;
    }
    return ngx_http_kappa_refuse(r, &answer, code, message);
}

static ngx_int_t
ngx_http_kappa_read_get(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    kappa_errors_t errors;

    if (ngx_http_kappa_make_room(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    kappa_errors_init(&errors, ctx->op.arena, 1);
    kappa_status_t status = kappa_graphql_http_query_string(ctx->op.arena,
        kappa_str((char *)r->args.data, r->args.len), &ctx->op.params,
        &errors);
    if (status != KAPPA_OK) {
        ngx_http_kappa_answer_t answer =
            ngx_http_kappa_answer(ctx, KAPPA_OUTCOME_BAD_REQUEST);
        return ngx_http_kappa_send_errors(r, &answer, &errors);
    }
    return ngx_http_kappa_serve(r, ctx);
}

static ngx_int_t
ngx_http_kappa_get(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    ngx_int_t rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }
    ctx->op.begun_us = kappa_monotonic_us();
    if (!ngx_http_kappa_csrf_safe(r)) {
        return ngx_http_kappa_refuse_ctx(r, ctx, KAPPA_OUTCOME_FORBIDDEN,
            "FORBIDDEN",
            "this may be the page of another origin (CSRF): name it in "
            "kappa_origin, or send Content-Type: application/json or the "
            "header Apollo-Require-Preflight");
    }
    return ngx_http_kappa_await(r, ctx, ngx_http_kappa_read_get);
}

static ngx_int_t
ngx_http_kappa_post(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    ngx_table_elt_t *type = r->headers_in.content_type;
    kappa_str_t header = type
        ? kappa_str((char *)type->value.data, type->value.len)
        : KAPPA_STR_NULL;

    if (!kappa_graphql_http_content_type(header)) {
        ngx_int_t rc = ngx_http_kappa_want_no_body(r);

        return rc != NGX_OK
            ? rc
            : ngx_http_kappa_refuse_ctx(r, ctx, KAPPA_OUTCOME_MEDIA_TYPE,
                "BAD_USER_INPUT",
                "send the request with Content-Type: application/json");
    }
    ngx_int_t rc =
        ngx_http_read_client_request_body(r, ngx_http_kappa_body_handler);
    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}

ngx_int_t
ngx_http_kappa_graphql_handler(ngx_http_request_t *r)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);

    if (r->method & NGX_HTTP_OPTIONS) {
        return ngx_http_kappa_preflight(r);
    }
    ngx_int_t page = ngx_http_kappa_graphiql_handler(r);

    if (page != NGX_DECLINED) {
        return page;
    }
    ngx_http_kappa_ctx_t *ctx = ngx_http_kappa_begin(r, klcf->app);

    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (ngx_http_kappa_ws_asked(r)) {
        return ngx_http_kappa_ws_handler(r, ctx);
    }
    if (r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD)) {
        return ngx_http_kappa_get(r, ctx);
    }
    if ((r->method & NGX_HTTP_POST) || ngx_http_kappa_is_query(r)) {
        return ngx_http_kappa_post(r, ctx);
    }
    ngx_int_t rc = ngx_http_kappa_want_no_body(r);
    return rc != NGX_OK
        ? rc
        : ngx_http_kappa_refuse_ctx(r, ctx, KAPPA_OUTCOME_METHOD,
            "BAD_USER_INPUT", "GraphQL is served by GET, POST and QUERY");
}

/* --- the body --- */

static ngx_int_t
ngx_http_kappa_copy_buf(ngx_buf_t *b, u_char **at)
{
    if (ngx_buf_in_memory(b)) {
        *at = ngx_cpymem(*at, b->pos, (size_t)(b->last - b->pos));
        return NGX_OK;
    }
    if (!b->in_file) {
        return NGX_OK;
    }
    size_t size = (size_t)(b->file_last - b->file_pos);
    ssize_t n = ngx_read_file(b->file, *at, size, b->file_pos);

    if (n != (ssize_t)size) {
        return NGX_ERROR;
    }
    *at += size;
    return NGX_OK;
}

/* The body in one piece: as it lies when it does, else gathered. */
static ngx_int_t
ngx_http_kappa_body(ngx_http_request_t *r, kappa_str_t *body)
{
    ngx_chain_t *bufs = r->request_body ? r->request_body->bufs : NULL;
    off_t size = 0;

    *body = KAPPA_STR("");
    if (bufs == NULL) {
        return NGX_OK;
    }
    if (bufs->next == NULL && ngx_buf_in_memory(bufs->buf)) {
        ngx_buf_t *b = bufs->buf;

        *body = kappa_str((char *)b->pos, (size_t)(b->last - b->pos));
        return NGX_OK;
    }
    for (ngx_chain_t *cl = bufs; cl != NULL; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }
    u_char *start = ngx_pnalloc(r->pool, (size_t)size);
    u_char *at = start;

    for (ngx_chain_t *cl = bufs; start != NULL && cl != NULL; cl = cl->next) {
        if (ngx_http_kappa_copy_buf(cl->buf, &at) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    *body = kappa_str((char *)start, (size_t)size);
    return start ? NGX_OK : NGX_ERROR;
}

/* A body that is one request. */
static ngx_int_t
ngx_http_kappa_read_body(
    ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx, kappa_str_t body)
{
    kappa_errors_t errors;

    if (ctx->op.begun_us == 0) {
        ctx->op.begun_us = kappa_monotonic_us();
    }
    kappa_errors_init(&errors, ctx->op.arena, 1);
    if (kappa_graphql_http_body(ctx->op.arena, body, &ctx->op.params, &errors)
        != KAPPA_OK) {
        ngx_http_kappa_answer_t answer =
            ngx_http_kappa_answer(ctx, KAPPA_OUTCOME_BAD_REQUEST);
        return ngx_http_kappa_send_errors(r, &answer, &errors);
    }
    return ngx_http_kappa_serve(r, ctx);
}

static ngx_int_t
ngx_http_kappa_read_post(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    ngx_int_t rc = NGX_DECLINED;
    kappa_str_t body;

    if (ngx_http_kappa_body(r, &body) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    bool batch = ctx->op.klcf->limit_batch > 0 && kappa_graphql_batch_is(body);
    /* What is kept has not the headers that QUERY gets. */
    if (!batch && (r->method & NGX_HTTP_POST)) {
        rc = ngx_http_kappa_answers_send(r, ctx, body);
    }
    if (rc != NGX_DECLINED) {
        return rc;
    }
    if (ngx_http_kappa_make_room(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return batch ? ngx_http_kappa_batch(r, ctx, body)
                 : ngx_http_kappa_read_body(r, ctx, body);
}

static void
ngx_http_kappa_body_handler(ngx_http_request_t *r)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);

    /* Who waits for nothing may be answered with what is kept. */
    if (ctx->min_position != NULL) {
        ctx->op.begun_us = kappa_monotonic_us();
    }
    ngx_http_finalize_request(
        r, ngx_http_kappa_await(r, ctx, ngx_http_kappa_read_post));
}

/* --- the plan --- */

kappa_http_outcome_t
ngx_http_kappa_outcome_of(const ngx_http_kappa_operation_t *op,
    kappa_status_t status, const kappa_errors_t *errors)
{
    if (op->malformed) {
        return KAPPA_OUTCOME_BAD_REQUEST;
    }
    if (status == KAPPA_NOT_FOUND) {
        return KAPPA_OUTCOME_HASH_UNKNOWN;
    }
    if (status == KAPPA_BUSY || status == KAPPA_IO
        || status == KAPPA_CONFLICT) {
        return KAPPA_OUTCOME_UNAVAILABLE;
    }
    if (strcmp(errors->first->code, "PARSE_FAILED") == 0) {
        return KAPPA_OUTCOME_SYNTAX;
    }
    if (strcmp(errors->first->code, "BAD_USER_INPUT") == 0) {
        return KAPPA_OUTCOME_COERCION;
    }
    return KAPPA_OUTCOME_VALIDATION;
}

void
ngx_http_kappa_note_operation(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    kappa_operation_type_t type, kappa_str_t name)
{
    ctx->operation_type = (ngx_uint_t)type + 1;
    if (name.len > 0) {
        ctx->operation_name.data = ngx_pnalloc(r->pool, name.len);
        if (ctx->operation_name.data != NULL) {
            ngx_memcpy(ctx->operation_name.data, name.data, name.len);
            ctx->operation_name.len = name.len;
        }
    }
}

static ngx_int_t
ngx_http_kappa_dispatch(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    kappa_operation_type_t operation = kappa_plan_operation(ctx->op.plan);
    bool subscription = operation == KAPPA_OPERATION_SUBSCRIPTION;

    ngx_http_kappa_note_operation(
        r, ctx, operation, kappa_plan_operation_name(ctx->op.plan));
    kappa_media_t media =
        kappa_graphql_http_choose(&ctx->accept, subscription);

    if (media == KAPPA_MEDIA_NONE) {
        return ngx_http_kappa_refuse_ctx(r, ctx, KAPPA_OUTCOME_NOT_ACCEPTABLE,
            "BAD_USER_INPUT",
            subscription ? "a subscription needs Accept: text/event-stream"
                         : "Accept takes none of application/json, "
                           "application/graphql-response+json");
    }
    ctx->media = media;
    if (operation == KAPPA_OPERATION_QUERY) {
        return ngx_http_kappa_query(r, ctx);
    }
    if (subscription) {
        return ngx_http_kappa_subscribe(r, ctx);
    }
    if (ngx_http_kappa_is_safe(r)) {
        return ngx_http_kappa_refuse_ctx(r, ctx, KAPPA_OUTCOME_METHOD,
            "BAD_USER_INPUT", "mutations are taken by POST only");
    }
    return ngx_http_kappa_mutate(r, ctx);
}

/* An error before anything was executed. */
static ngx_int_t
ngx_http_kappa_send_failure(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    kappa_status_t status, const kappa_errors_t *errors)
{
    /* By GET the same address has an answer as soon as somebody sent it. */
    static ngx_str_t no_store = ngx_string("no-store");

    if (errors->count == 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_http_kappa_answer_t answer = ngx_http_kappa_answer(
        ctx, ngx_http_kappa_outcome_of(&ctx->op, status, errors));
    if (answer.outcome == KAPPA_OUTCOME_HASH_UNKNOWN
        && ngx_http_kappa_header(r, "Cache-Control", no_store) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (answer.outcome == KAPPA_OUTCOME_UNAVAILABLE) {
        answer.retry_after = 1;
    } else if (kappa_graphql_http_choose(&ctx->accept, false)
        == KAPPA_MEDIA_SSE) {
        /* graphql-sse, which takes any other answer for a broken
         * connection and asks again. */
        answer.media = KAPPA_MEDIA_SSE;
    }
    return ngx_http_kappa_send_errors(r, &answer, errors);
}

static ngx_int_t
ngx_http_kappa_serve(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    kappa_errors_t errors;

    kappa_errors_init(&errors, ctx->op.arena, 0);
    kappa_status_t status = ngx_http_kappa_prepare(&ctx->op, &errors);

    return status == KAPPA_OK
        ? ngx_http_kappa_dispatch(r, ctx)
        : ngx_http_kappa_send_failure(r, ctx, status, &errors);
}

/* --- the query path --- */

/* A worker keeps this much for the next answer. */
#define OUT_BYTES_KEPT (1024 * 1024)

static ngx_int_t
ngx_http_kappa_query(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    static kappa_buf_t out = { .alloc = &kappa_alloc_libc };
    kappa_outcome_t outcome;
    kappa_errors_t errors;
    uint64_t seq;

    kappa_buf_reset(&out);
    kappa_errors_init(&errors, ctx->op.arena, 1);
    kappa_status_t status =
        ngx_http_kappa_read(&ctx->op, &out, &outcome, &seq, &errors);
    if (status != KAPPA_OK) {
        return ngx_http_kappa_send_failure(r, ctx, status, &errors);
    }
    kappa_response_end(&out, KAPPA_STR_NULL);
    if (out.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (ngx_http_kappa_is_safe(r)
        && ngx_http_kappa_cache_headers(
               r, ctx, ctx->media, kappa_buf_view(&out))
            != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_http_kappa_note_error(r, outcome.code);
    ngx_http_kappa_answer_t answer = { .media = ctx->media,
        .outcome = ngx_http_kappa_outcome(&outcome),
        .store = ctx->op.app->store_handle,
        .seq = seq };
    if (outcome.error_count == 0) {
        ngx_http_kappa_answers_keep(ctx, kappa_buf_view(&out), seq);
    }
    ngx_int_t rc = ngx_http_kappa_send(r, &answer, kappa_buf_view(&out));
    if (out.cap > OUT_BYTES_KEPT) {
        kappa_buf_release(&out);
    }
    return rc;
}
