#include "ngx_kappa_module/ngx_http_kappa.h"

#include "base/time.h"
#include "proto/header.h"
#include "views/scope.h"

/* Who asks. Works on any location: a token is verified in the PREACCESS
 * phase, so that limit_req and whatever follows can use what it says. */

static kappa_token_cache_t *ngx_http_kappa_tokens;

/* --- configuration --- */

char *
ngx_http_kappa_token(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_kappa_loc_conf_t *klcf = conf;
    ngx_str_t *value = cf->args->elts;

    (void)cmd;
    if (klcf->token_set != NGX_CONF_UNSET) {
        return "is duplicate";
    }
    klcf->token_set = 1;
    if (ngx_strcmp(value[1].data, "header") == 0) {
        return NGX_CONF_OK;
    }
    if (ngx_strncmp(value[1].data, "cookie=", 7) == 0 && value[1].len > 7) {
        klcf->token_cookie.data = value[1].data + 7;
        klcf->token_cookie.len = value[1].len - 7;
        return NGX_CONF_OK;
    }
    return "takes \"header\" or \"cookie=NAME\"";
}

char *
ngx_http_kappa_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_kappa_loc_conf_t *klcf = conf;
    ngx_str_t *value = cf->args->elts;
    kappa_arena_t *arena = ngx_http_kappa_conf_arena(cf);
    kappa_expr_scope_t scope = { .place = "kappa_require" };
    kappa_source_t *source = arena ? KAPPA_NEW(arena, kappa_source_t) : NULL;
    kappa_errors_t errors;

    (void)cmd;
    if (klcf->require != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }
    if (source == NULL) {
        return NGX_CONF_ERROR;
    }
    source->name = KAPPA_STR("kappa_require");
    source->text = kappa_str((char *)value[1].data, value[1].len);
    scope.roots[KAPPA_ROOT_AUTH] = &kappa_expr_auth;
    kappa_errors_init(&errors, arena, 0);
    if (kappa_expr_compile(arena, source->text, &scope, &kappa_expr_bool,
            &klcf->require, &errors, source, 0)
        != KAPPA_OK) {
        ngx_http_kappa_log_errors(cf->log, "", &errors);
        return "has a wrong expression";
    }
    return NGX_CONF_OK;
}

/* --- the context --- */

static void
ngx_http_kappa_ctx_cleanup(void *data)
{
    ngx_http_kappa_ctx_t *ctx = data;

    ngx_http_kappa_operation_release(&ctx->op);
}

ngx_http_kappa_ctx_t *
ngx_http_kappa_get_ctx(ngx_http_request_t *r)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);

    if (ctx != NULL) {
        return ctx;
    }
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, sizeof(*ctx));
    if (cleanup == NULL) {
        return NULL;
    }
    ctx = cleanup->data;
    ngx_memzero(ctx, sizeof(*ctx));
    cleanup->handler = ngx_http_kappa_ctx_cleanup;
    ngx_http_set_ctx(r, ctx, ngx_http_kappa_module);
    return ctx;
}

/* --- the token --- */

static kappa_str_t
ngx_http_kappa_bearer(ngx_http_request_t *r)
{
    ngx_table_elt_t *header = r->headers_in.authorization;

    return header != NULL ? kappa_header_bearer(
               kappa_str((char *)header->value.data, header->value.len))
                          : KAPPA_STR_NULL;
}

/* One cookie of all the Cookie headers. */
static kappa_str_t
ngx_http_kappa_cookie(ngx_http_request_t *r, ngx_str_t *name)
{
    ngx_list_part_t *part = &r->headers_in.headers.part;

    for (; part != NULL; part = part->next) {
        ngx_table_elt_t *header = part->elts;

        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (header[i].key.len != 6
                || ngx_strncasecmp(header[i].key.data, (u_char *)"cookie", 6)
                    != 0) {
                continue;
            }
            u_char *at = header[i].value.data;
            u_char *end = at + header[i].value.len;

            while (at < end) {
                u_char *stop = ngx_strlchr(at, end, ';');

                stop = stop ? stop : end;
                while (at < stop && *at == ' ') {
                    at++;
                }
                if ((size_t)(stop - at) > name->len
                    && ngx_strncmp(at, name->data, name->len) == 0
                    && at[name->len] == '=') {
                    at += name->len + 1;
                    return kappa_str((char *)at, (size_t)(stop - at));
                }
                at = stop + 1;
            }
        }
    }
    return KAPPA_STR_NULL;
}

/* NGX_OK: ctx->op.identity is set. NGX_DECLINED: *reason says why not. */
ngx_int_t
ngx_http_kappa_auth_token(
    ngx_http_request_t *r, kappa_str_t token, const char **reason)
{
    ngx_http_kappa_main_conf_t *kmcf =
        ngx_http_get_module_main_conf(r, ngx_http_kappa_module);
    ngx_http_kappa_ctx_t *ctx = ngx_http_kappa_get_ctx(r);
    const kappa_identity_t *identity;

    if (ngx_http_kappa_tokens == NULL) {
        ngx_http_kappa_tokens = kappa_token_cache_create(&kappa_alloc_libc, 0);
    }
    if (ctx == NULL || ngx_http_kappa_tokens == NULL) {
        return NGX_ERROR;
    }
    kappa_status_t status = kappa_token_cache_verify(ngx_http_kappa_tokens,
        kmcf->issuers.elts, (uint32_t)kmcf->issuers.nelts, token, ngx_time(),
        &identity, reason);
    ngx_http_kappa_count_token(ngx_http_kappa_tokens, status == KAPPA_INVALID);
    if (status == KAPPA_OK) {
        kappa_identity_release(ctx->op.identity);
        ctx->op.identity = identity;
        return NGX_OK;
    }
    return status == KAPPA_INVALID ? NGX_DECLINED : NGX_ERROR;
}

bool
ngx_http_kappa_expired(ngx_http_request_t *r)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);

    return ctx != NULL && ctx->op.identity != NULL
        && ngx_time() >= ctx->op.identity->expires_s;
}

bool
ngx_http_kappa_auth_allows(ngx_http_request_t *r)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);
    ngx_http_kappa_ctx_t *ctx = ngx_http_kappa_get_ctx(r);
    kappa_arena_t *arena = ngx_http_kappa_arena_get();
    bool holds = false;

    if (ctx != NULL && arena != NULL) {
        kappa_scope_t scope = { .caller = ngx_http_kappa_caller(&ctx->op),
            .now_ms = kappa_now_ms() };

        if (kappa_scope_holds(&scope, klcf->require, arena, &holds)
            != KAPPA_OK) {
            holds = false;
        }
    }
    if (arena != NULL) {
        ngx_http_kappa_arena_put(arena);
    }
    return holds;
}

/* --- refusals --- */

static ngx_int_t
ngx_http_kappa_challenge(ngx_http_request_t *r, const char *reason)
{
    ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);
    size_t size = sizeof("Bearer error=\"invalid_token\", "
                         "error_description=\"\"")
        + (reason ? ngx_strlen(reason) : 0);

    if (header == NULL) {
        return NGX_ERROR;
    }
    ngx_memzero(header, sizeof(*header));
    header->hash = 1;
    ngx_str_set(&header->key, "WWW-Authenticate");
    header->value.data = ngx_pnalloc(r->pool, size);
    if (header->value.data == NULL) {
        return NGX_ERROR;
    }
    u_char *end = reason == NULL
        ? ngx_sprintf(header->value.data, "Bearer")
        : ngx_sprintf(header->value.data,
            "Bearer error=\"invalid_token\", error_description=\"%s\"",
            reason);
    header->value.len = (size_t)(end - header->value.data);
    r->headers_out.www_authenticate = header;
    return NGX_OK;
}

/* On a GraphQL location an error as GraphQL has it, else nginx's own page. */
static ngx_int_t
ngx_http_kappa_turn_away(ngx_http_request_t *r, ngx_int_t status,
    kappa_http_outcome_t outcome, const char *code, const char *message)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);

    if (klcf->app == NULL && klcf->events == NULL) {
        return status;
    }
    ngx_http_kappa_answer_t answer = { .media = KAPPA_MEDIA_JSON,
        .outcome = outcome };
    ngx_int_t rc = ngx_http_kappa_want_no_body(r);

    if (rc != NGX_OK) {
        return rc;
    }
    ngx_http_finalize_request(
        r, ngx_http_kappa_refuse(r, &answer, code, message));
    return NGX_DONE;
}

static ngx_int_t
ngx_http_kappa_unauthorized(ngx_http_request_t *r, const char *reason)
{
    if (ngx_http_kappa_challenge(r, reason) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return ngx_http_kappa_turn_away(r, NGX_HTTP_UNAUTHORIZED,
        KAPPA_OUTCOME_UNAUTHENTICATED, "UNAUTHENTICATED",
        reason ? reason : "send a token: Authorization: Bearer TOKEN");
}

/* --- the phase --- */

/* A WebSocket brings its token in connection_init. */
static bool
ngx_http_kappa_token_may_follow(
    ngx_http_request_t *r, ngx_http_kappa_loc_conf_t *klcf)
{
    return klcf->app != NULL && ngx_http_kappa_ws_asked(r);
}

static ngx_int_t
ngx_http_kappa_authenticate(ngx_http_request_t *r,
    ngx_http_kappa_loc_conf_t *klcf, ngx_http_kappa_ctx_t *ctx)
{
    kappa_str_t token = klcf->token_cookie.data != NULL
        ? ngx_http_kappa_cookie(r, &klcf->token_cookie)
        : ngx_http_kappa_bearer(r);
    const char *reason = NULL;

    if (token.data != NULL) {
        ngx_int_t rc = ngx_http_kappa_auth_token(r, token, &reason);

        if (rc == NGX_DECLINED) {
            return ngx_http_kappa_unauthorized(r, reason);
        }
        if (rc != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    } else if (ngx_http_kappa_token_may_follow(r, klcf)) {
        return NGX_DECLINED;
    } else if (klcf->auth == NGX_HTTP_KAPPA_AUTH_REQUIRED) {
        return ngx_http_kappa_unauthorized(r, NULL);
    }
    if (klcf->require == NULL || ngx_http_kappa_auth_allows(r)) {
        return NGX_DECLINED;
    }
    return ctx->op.identity == NULL
        ? ngx_http_kappa_unauthorized(r, NULL)
        : ngx_http_kappa_turn_away(r, NGX_HTTP_FORBIDDEN,
            KAPPA_OUTCOME_FORBIDDEN, "FORBIDDEN",
            "the token does not give access to this");
}

ngx_int_t
ngx_http_kappa_auth_handler(ngx_http_request_t *r)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);

    if (klcf->auth == NGX_HTTP_KAPPA_AUTH_OFF
        || ((klcf->app != NULL || klcf->events != NULL)
            && r->method & NGX_HTTP_OPTIONS)
        || ngx_http_kappa_graphiql_asked(r)) {
        return NGX_DECLINED;
    }
    ngx_http_kappa_ctx_t *ctx = ngx_http_kappa_get_ctx(r);

    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (ctx->authenticated) {
        return NGX_DECLINED;
    }
    ctx->authenticated = 1;
    return ngx_http_kappa_authenticate(r, klcf, ctx);
}
