#include "ngx_kappa_module/ngx_http_kappa.h"

#include "base/json.h"

/* $kappa_…: what access logs and limits may use. */

static ngx_int_t
ngx_http_kappa_variable_set(
    ngx_http_variable_value_t *v, const char *data, size_t len)
{
    if (data == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;
    v->data = (u_char *)data;
    v->len = (unsigned)len & 0x0fffffff;
    return NGX_OK;
}

static ngx_int_t
ngx_http_kappa_variable_subject(
    ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    kappa_str_t sub = ctx != NULL && ctx->op.identity != NULL
        ? ctx->op.identity->caller.sub
        : KAPPA_STR_NULL;

    (void)data;
    return ngx_http_kappa_variable_set(v, sub.data, sub.len);
}

/* A string as it is, anything else as JSON. */
static ngx_int_t
ngx_http_kappa_variable_claim(
    ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    ngx_str_t *name = (ngx_str_t *)data;
    const kappa_value_t *claim = NULL;
    size_t prefix = sizeof("kappa_claim_") - 1;

    if (ctx != NULL && ctx->op.identity != NULL) {
        claim = kappa_value_member(&ctx->op.identity->caller.claims,
            kappa_str((char *)name->data + prefix, name->len - prefix));
    }
    if (claim == NULL || kappa_is_null(claim)) {
        return ngx_http_kappa_variable_set(v, NULL, 0);
    }
    if (claim->kind == KAPPA_STRING) {
        return ngx_http_kappa_variable_set(
            v, claim->as.string.data, claim->as.string.len);
    }
    kappa_buf_t buf;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_json_value(&buf, claim);
    u_char *copy = buf.failed ? NULL : ngx_pnalloc(r->pool, buf.len + 1);

    if (copy != NULL) {
        ngx_memcpy(copy, buf.data, buf.len);
    }
    ngx_http_kappa_variable_set(v, (char *)copy, buf.len);
    kappa_buf_release(&buf);
    return NGX_OK;
}

static ngx_int_t
ngx_http_kappa_variable_operation_name(
    ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);

    (void)data;
    return ngx_http_kappa_variable_set(v,
        ctx ? (char *)ctx->operation_name.data : NULL,
        ctx ? ctx->operation_name.len : 0);
}

static ngx_int_t
ngx_http_kappa_variable_operation_type(
    ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    static const char *const names[] = { "query", "mutation", "subscription" };
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    const char *name = ctx != NULL && ctx->operation_type
        ? names[ctx->operation_type - 1]
        : NULL;

    (void)data;
    return ngx_http_kappa_variable_set(v, name, name ? ngx_strlen(name) : 0);
}

static ngx_int_t
ngx_http_kappa_variable_error_code(
    ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    const char *code = ctx ? ctx->error_code : NULL;

    (void)data;
    return ngx_http_kappa_variable_set(v, code, code ? ngx_strlen(code) : 0);
}

static ngx_int_t
ngx_http_kappa_variable_position(
    ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);

    (void)data;
    return ngx_http_kappa_variable_set(v,
        ctx ? (char *)ctx->position.data : NULL, ctx ? ctx->position.len : 0);
}

static ngx_http_variable_t ngx_http_kappa_variables[] = {
    { ngx_string("kappa_subject"), NULL, ngx_http_kappa_variable_subject, 0,
        NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("kappa_claim_"), NULL, ngx_http_kappa_variable_claim, 0,
        NGX_HTTP_VAR_NOCACHEABLE | NGX_HTTP_VAR_PREFIX, 0 },
    { ngx_string("kappa_operation_name"), NULL,
        ngx_http_kappa_variable_operation_name, 0, NGX_HTTP_VAR_NOCACHEABLE,
        0 },
    { ngx_string("kappa_operation_type"), NULL,
        ngx_http_kappa_variable_operation_type, 0, NGX_HTTP_VAR_NOCACHEABLE,
        0 },
    { ngx_string("kappa_error_code"), NULL, ngx_http_kappa_variable_error_code,
        0, NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("kappa_position"), NULL, ngx_http_kappa_variable_position, 0,
        NGX_HTTP_VAR_NOCACHEABLE, 0 },
    ngx_http_null_variable
};

ngx_int_t
ngx_http_kappa_add_variables(ngx_conf_t *cf)
{
    for (ngx_http_variable_t *v = ngx_http_kappa_variables; v->name.len; v++) {
        ngx_http_variable_t *var =
            ngx_http_add_variable(cf, &v->name, v->flags);

        if (var == NULL) {
            return NGX_ERROR;
        }
        var->get_handler = v->get_handler;
        var->data = v->data;
    }
    return NGX_OK;
}
