#include "ngx_kappa_module/ngx_http_kappa.h"

#include "graphql/execute.h"
#include "log/position.h"
#include "proto/sse.h"
#include "proto/traceparent.h"

/* Answers: status, headers, bytes. */

#define KAPPA_POSITION_HEADER "Kappa-Position"
#define KAPPA_COST_HEADER "Kappa-Cost"
#define COST_CHARS_MAX 64

ngx_table_elt_t *
ngx_http_kappa_request_header(ngx_http_request_t *r, const char *name)
{
    size_t len = ngx_strlen(name);
    ngx_list_part_t *part = &r->headers_in.headers.part;

    for (; part != NULL; part = part->next) {
        ngx_table_elt_t *header = part->elts;

        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (header[i].key.len == len
                && ngx_strncasecmp(header[i].key.data, (u_char *)name, len)
                    == 0) {
                return &header[i];
            }
        }
    }
    return NULL;
}

bool
ngx_http_kappa_header_copy(ngx_http_request_t *r, kappa_arena_t *arena,
    const char *name, kappa_str_t *out)
{
    ngx_table_elt_t *header = ngx_http_kappa_request_header(r, name);

    *out = KAPPA_STR_NULL;
    if (header == NULL) {
        return true;
    }
    *out = kappa_str_dup(
        arena, kappa_str((char *)header->value.data, header->value.len));
    return out->data != NULL;
}

bool
ngx_http_kappa_traceparent(
    ngx_http_request_t *r, kappa_arena_t *arena, kappa_str_t *out)
{
    if (!ngx_http_kappa_header_copy(r, arena, "traceparent", out)) {
        return false;
    }
    if (!kappa_traceparent_valid(*out)) {
        *out = KAPPA_STR_NULL;
    }
    return true;
}

ngx_int_t
ngx_http_kappa_want_no_body(ngx_http_request_t *r)
{
    if (!r->expect_tested && r->headers_in.expect != NULL) {
        r->expect_tested = 1;
        r->keepalive = 0; /* a body may follow or the next request */
    }
    return ngx_http_discard_request_body(r);
}

ngx_int_t
ngx_http_kappa_header(ngx_http_request_t *r, const char *name, ngx_str_t value)
{
    ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);

    if (header == NULL) {
        return NGX_ERROR;
    }
    ngx_memzero(header, sizeof(*header));
    header->hash = 1;
    header->key.data = (u_char *)name;
    header->key.len = ngx_strlen(name);
    header->value = value;
    return NGX_OK;
}

ngx_int_t
ngx_http_kappa_accept_query(ngx_http_request_t *r)
{
    static ngx_str_t json = ngx_string("application/json");

    return ngx_http_kappa_header(r, "Accept-Query", json);
}

ngx_http_kappa_answer_t
ngx_http_kappa_answer(
    const ngx_http_kappa_ctx_t *ctx, kappa_http_outcome_t outcome)
{
    ngx_http_kappa_answer_t answer = { .media = ctx->media,
        .outcome = outcome };

    if (ctx->op.app->store_handle != NULL) {
        answer.store = ctx->op.app->store_handle;
        answer.seq = kappa_store_position(ctx->op.app->store_handle);
    }
    return answer;
}

static ngx_int_t
ngx_http_kappa_position_header(
    ngx_http_request_t *r, const ngx_http_kappa_answer_t *answer)
{
    ngx_str_t value;

    if (answer->store == NULL) {
        return NGX_OK;
    }
    value.data = ngx_pnalloc(r->pool, KAPPA_POSITION_CHARS_MAX);
    if (value.data == NULL) {
        return NGX_ERROR;
    }
    value.len = kappa_store_position_text(
        answer->store, answer->seq, (char *)value.data)
                    .len;
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    if (ctx != NULL) {
        ctx->position = value;
    }
    return ngx_http_kappa_header(r, KAPPA_POSITION_HEADER, value);
}

/* What the operation may cost, for a request that has such a header itself. */
static ngx_int_t
ngx_http_kappa_cost_header(ngx_http_request_t *r)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    ngx_str_t value;

    if (ctx == NULL || !ctx->cost_asked || !ctx->op.cost_known) {
        return NGX_OK;
    }
    value.data = ngx_pnalloc(r->pool, COST_CHARS_MAX);
    if (value.data == NULL) {
        return NGX_ERROR;
    }
    value.len = (size_t)snprintf((char *)value.data, COST_CHARS_MAX,
        "field=%.10g, type=%.10g", ctx->op.cost.field, ctx->op.cost.type);
    return ngx_http_kappa_header(r, KAPPA_COST_HEADER, value);
}

static ngx_int_t
ngx_http_kappa_retry_header(
    ngx_http_request_t *r, const ngx_http_kappa_answer_t *answer)
{
    ngx_str_t value;

    if (answer->retry_after == 0) {
        return NGX_OK;
    }
    value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }
    value.len = (size_t)(ngx_sprintf(value.data, "%ui", answer->retry_after)
        - value.data);
    return ngx_http_kappa_header(r, "Retry-After", value);
}

static void
ngx_http_kappa_content_type(ngx_http_request_t *r, kappa_media_t media)
{
    kappa_str_t name = kappa_media_name(media);
    const char *end = memchr(name.data, ';', name.len);

    r->headers_out.content_type.data = (u_char *)name.data;
    r->headers_out.content_type.len = name.len;
    r->headers_out.content_type_len =
        end ? (size_t)(end - name.data) : name.len;
    r->headers_out.content_type_lowcase = NULL;
}

ngx_int_t
ngx_http_kappa_send_header(ngx_http_request_t *r,
    const ngx_http_kappa_answer_t *answer, off_t content_length)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);

    r->headers_out.status = kappa_graphql_http_status(answer->media,
        answer->outcome, (kappa_status_codes_t)klcf->status_codes);
    r->headers_out.content_length_n = content_length;
    if (answer->ndjson) {
        ngx_str_set(&r->headers_out.content_type, "application/x-ndjson");
        r->headers_out.content_type_len = r->headers_out.content_type.len;
    } else {
        ngx_http_kappa_content_type(r, answer->media);
    }
    if (ngx_http_kappa_position_header(r, answer) != NGX_OK
        || ngx_http_kappa_cost_header(r) != NGX_OK
        || ngx_http_kappa_origin_headers(r) != NGX_OK
        || ngx_http_kappa_retry_header(r, answer) != NGX_OK
        || (answer->allow.data != NULL
            && ngx_http_kappa_header(r, "Allow", answer->allow) != NGX_OK)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_http_kappa_count_answer(r, answer->outcome);
    /* A condition of the request is no reason to hide what was done. */
    if (r->headers_out.etag == NULL) {
        r->disable_not_modified = 1;
    }
    return ngx_http_send_header(r);
}

static ngx_int_t
ngx_http_kappa_send_bytes(ngx_http_request_t *r,
    const ngx_http_kappa_answer_t *answer, kappa_str_t bytes)
{
    ngx_int_t rc = ngx_http_kappa_send_header(r, answer, (off_t)bytes.len);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }
    ngx_buf_t *b = ngx_create_temp_buf(r->pool, bytes.len);
    if (b == NULL) {
        return NGX_ERROR;
    }
    b->last = ngx_cpymem(b->last, bytes.data, bytes.len);
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;
    ngx_chain_t out = { b, NULL };
    return ngx_http_output_filter(r, &out);
}

ngx_int_t
ngx_http_kappa_send(ngx_http_request_t *r,
    const ngx_http_kappa_answer_t *answer, kappa_str_t body)
{
    if (answer->media != KAPPA_MEDIA_SSE) {
        return ngx_http_kappa_send_bytes(r, answer, body);
    }

    kappa_buf_t stream;
    kappa_buf_init(&stream, &kappa_alloc_libc);
    kappa_sse_next(&stream, KAPPA_STR_NULL, body);
    kappa_sse_complete(&stream);
    ngx_int_t rc = stream.failed
        ? NGX_HTTP_INTERNAL_SERVER_ERROR
        : ngx_http_kappa_send_bytes(r, answer, kappa_buf_view(&stream));
    kappa_buf_release(&stream);
    return rc;
}

void
ngx_http_kappa_note_error(ngx_http_request_t *r, const char *code)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    size_t size = code ? ngx_strlen(code) + 1 : 0;
    char *copy = ctx && code ? ngx_pnalloc(r->pool, size) : NULL;

    ngx_http_kappa_count_error(r, code);
    if (copy != NULL) {
        ngx_memcpy(copy, code, size);
        ctx->error_code = copy;
    }
}

ngx_int_t
ngx_http_kappa_send_errors(ngx_http_request_t *r,
    const ngx_http_kappa_answer_t *answer, const kappa_errors_t *errors)
{
    kappa_buf_t body;

    kappa_buf_init(&body, &kappa_alloc_libc);
    kappa_response_errors(&body, errors);
    ngx_http_kappa_note_error(r, errors->first ? errors->first->code : NULL);
    ngx_int_t rc = body.failed
        ? NGX_HTTP_INTERNAL_SERVER_ERROR
        : ngx_http_kappa_send(r, answer, kappa_buf_view(&body));
    kappa_buf_release(&body);
    return rc;
}

ngx_int_t
ngx_http_kappa_refuse(ngx_http_request_t *r,
    const ngx_http_kappa_answer_t *answer, const char *code,
    const char *message)
{
    kappa_arena_t *arena = ngx_http_kappa_arena_get();
    kappa_errors_t errors;

    if (arena == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    kappa_errors_init(&errors, arena, 1);
    kappa_errors_add(&errors, code, "%s", message);
    ngx_int_t rc = ngx_http_kappa_send_errors(r, answer, &errors);
    ngx_http_kappa_arena_put(arena);
    return rc;
}
