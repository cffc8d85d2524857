#include "ngx_kappa_module/ngx_http_kappa.h"

#include "proto/etag.h"
#include "views/caller.h"

/* What caches may do with the answer of a safe request. It changes with the
 * views at any moment, so it is asked for again each time, and its ETag tells
 * whether it is still the same; nginx answers 304 then, and makes the tag weak
 * when it compresses. */

/* Whether somebody else would have got another answer. */
static ngx_int_t
ngx_http_kappa_caller_mattered(ngx_http_kappa_ctx_t *ctx, bool *mattered)
{
    ngx_http_kappa_loc_conf_t *klcf = ctx->op.klcf;
    kappa_buf_t key;

    *mattered = klcf->auth == NGX_HTTP_KAPPA_AUTH_REQUIRED || klcf->require;
    if (*mattered || klcf->auth == NGX_HTTP_KAPPA_AUTH_OFF) {
        return NGX_OK;
    }
    kappa_buf_init(&key, &kappa_alloc_libc);
    kappa_status_t status = kappa_caller_key(
        ctx->op.plan, ngx_http_kappa_caller(&ctx->op), ctx->op.arena, &key);

    *mattered = key.len > 0;
    status = key.failed ? KAPPA_NOMEM : status;
    kappa_buf_release(&key);
    return status == KAPPA_OK ? NGX_OK : NGX_ERROR;
}

static ngx_int_t
ngx_http_kappa_set_etag(
    ngx_http_request_t *r, kappa_media_t media, kappa_str_t body)
{
    ngx_table_elt_t *etag = ngx_list_push(&r->headers_out.headers);
    u_char *tag = ngx_pnalloc(r->pool, KAPPA_ETAG_CHARS);

    if (etag == NULL || tag == NULL) {
        return NGX_ERROR;
    }
    (void)kappa_etag(media, body, (char *)tag);
    ngx_memzero(etag, sizeof(*etag));
    etag->hash = 1;
    ngx_str_set(&etag->key, "ETag");
    etag->value.data = tag;
    etag->value.len = KAPPA_ETAG_CHARS;
    r->headers_out.etag = etag;
    /* There is no time to compare it with (RFC 9110, 13.1.4). */
    r->headers_in.if_unmodified_since = NULL;
    return NGX_OK;
}

ngx_int_t
ngx_http_kappa_cache_headers(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    kappa_media_t media, kappa_str_t body)
{
    static ngx_str_t personal = ngx_string("private");
    static ngx_str_t vary[] = { ngx_string("Accept"),
        ngx_string("Accept, Authorization"), ngx_string("Accept, Cookie") };
    bool mattered;

    if (ngx_http_kappa_accept_query(r) != NGX_OK) {
        return NGX_ERROR;
    }
    if (media == KAPPA_MEDIA_SSE) {
        return NGX_OK;
    }
    if (ngx_http_kappa_caller_mattered(ctx, &mattered) != NGX_OK
        || ngx_http_kappa_set_etag(r, media, body) != NGX_OK) {
        return NGX_ERROR;
    }
    ngx_uint_t by = !mattered                     ? 0
        : ctx->op.klcf->token_cookie.data == NULL ? 1
                                                  : 2;
    if (mattered
        && ngx_http_kappa_header(r, "Cache-Control", personal) != NGX_OK) {
        return NGX_ERROR;
    }
    return ngx_http_kappa_header(r, "Vary", vary[by]);
}
