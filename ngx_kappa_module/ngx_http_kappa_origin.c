#include "ngx_kappa_module/ngx_http_kappa.h"

#include "proto/csrf.h"
#include "proto/header.h"

/* Which pages may ask (kappa_origin): CORS of the Fetch standard for HTTP,
 * and the check of a WebSocket's Origin, which CORS does not cover. */

static ngx_str_t ngx_http_kappa_star = ngx_string("*");

char *
ngx_http_kappa_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_kappa_loc_conf_t *klcf = conf;
    ngx_str_t *value = cf->args->elts;

    (void)cmd;
    if (klcf->origins != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }
    klcf->origins =
        ngx_array_create(cf->pool, cf->args->nelts, sizeof(ngx_str_t));
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        ngx_str_t *origin =
            klcf->origins ? ngx_array_push(klcf->origins) : NULL;

        if (origin == NULL) {
            return NGX_CONF_ERROR;
        }
        *origin = value[i];
        if (ngx_strcmp(value[i].data, "*") != 0
            && (ngx_strstr(value[i].data, "://") == NULL
                || value[i].data[value[i].len - 1] == '/')) {
            return "takes origins such as https://app.example.com, without a "
                   "path, or *";
        }
    }
    return NGX_CONF_OK;
}

/* The configured origin that is the request's; NULL: none. */
static ngx_str_t *
ngx_http_kappa_listed_origin(
    ngx_http_kappa_loc_conf_t *klcf, ngx_str_t *origin)
{
    ngx_str_t *listed = klcf->origins ? klcf->origins->elts : NULL;

    for (ngx_uint_t i = 0; listed != NULL && i < klcf->origins->nelts; i++) {
        if (listed[i].len == 1 && listed[i].data[0] == '*') {
            return &ngx_http_kappa_star;
        }
        if (listed[i].len == origin->len
            && ngx_strncasecmp(listed[i].data, origin->data, origin->len)
                == 0) {
            return origin;
        }
    }
    return NULL;
}

/* scheme://host[:port] against the request's own Host header. */
static bool
ngx_http_kappa_same_origin(ngx_http_request_t *r, ngx_str_t *origin)
{
    ngx_table_elt_t *host = r->headers_in.host;
    u_char *end = origin->data + origin->len;
    u_char *at = ngx_strlcasestrn(
        origin->data, end, (u_char *)"://", sizeof("://") - 2);

    if (host == NULL || at == NULL) {
        return false;
    }
    at += 3;
    return (size_t)(end - at) == host->value.len
        && ngx_strncasecmp(at, host->value.data, host->value.len) == 0;
}

static bool
ngx_http_kappa_may_ask(ngx_http_request_t *r, kappa_str_t origin)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);
    ngx_str_t text = { origin.len, (u_char *)origin.data };

    return origin.data != NULL
        && (ngx_http_kappa_same_origin(r, &text)
            || ngx_http_kappa_listed_origin(klcf, &text) != NULL);
}

bool
ngx_http_kappa_origin_allowed(ngx_http_request_t *r)
{
    ngx_table_elt_t *origin = ngx_http_kappa_request_header(r, "origin");

    return origin == NULL
        || ngx_http_kappa_may_ask(
            r, kappa_str((char *)origin->value.data, origin->value.len));
}

static void
ngx_http_kappa_csrf_note(
    ngx_http_request_t *r, kappa_csrf_t *csrf, const ngx_table_elt_t *header)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);
    kappa_str_t name = kappa_str((char *)header->key.data, header->key.len);
    kappa_str_t value =
        kappa_str((char *)header->value.data, header->value.len);

    if (kappa_header_is(name, "content-type")) {
        csrf->content_type = value;
    } else if (kappa_header_is(name, "authorization")) {
        csrf->authorization = value;
    } else if (kappa_header_is(name, "sec-fetch-site")) {
        csrf->fetch_site = value;
    } else if (kappa_header_is(name, "origin")) {
        csrf->origin = true;
        csrf->origin_allowed = ngx_http_kappa_may_ask(r, value);
    } else if (kappa_header_is(name, "referer")) {
        csrf->referer = true;
        csrf->referer_allowed =
            ngx_http_kappa_may_ask(r, kappa_csrf_origin(value));
    } else if (kappa_header_is(name, "cookie")) {
        csrf->cookie = klcf->token_cookie.data != NULL;
    } else if (value.len > 0 && kappa_csrf_is_custom(name)) {
        csrf->custom_header = true;
    }
}

bool
ngx_http_kappa_csrf_safe(ngx_http_request_t *r)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);
    ngx_str_t nobody = ngx_null_string;
    kappa_csrf_t csrf = { .any_origin =
                              ngx_http_kappa_listed_origin(klcf, &nobody)
            == &ngx_http_kappa_star };

    for (ngx_list_part_t *part = &r->headers_in.headers.part; part != NULL;
         part = part->next) {
        const ngx_table_elt_t *header = part->elts;

        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            ngx_http_kappa_csrf_note(r, &csrf, &header[i]);
        }
    }
    return kappa_csrf_safe(&csrf);
}

ngx_int_t
ngx_http_kappa_origin_headers(ngx_http_request_t *r)
{
    static ngx_str_t vary = ngx_string("Origin");
    static ngx_str_t yes = ngx_string("true");
    static ngx_str_t exposed =
        ngx_string("Kappa-Position, Kappa-Cost, Retry-After, ETag, "
                   "WWW-Authenticate");
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);

    if (klcf->origins == NULL) {
        return NGX_OK;
    }
    if (ngx_http_kappa_header(r, "Vary", vary) != NGX_OK) {
        return NGX_ERROR;
    }
    ngx_table_elt_t *origin = ngx_http_kappa_request_header(r, "origin");
    ngx_str_t *allowed =
        origin ? ngx_http_kappa_listed_origin(klcf, &origin->value) : NULL;

    if (allowed == NULL) {
        return NGX_OK;
    }
    /* Cookies only for origins that are named. */
    if (klcf->token_cookie.data != NULL && allowed != &ngx_http_kappa_star
        && ngx_http_kappa_header(r, "Access-Control-Allow-Credentials", yes)
            != NGX_OK) {
        return NGX_ERROR;
    }
    return ngx_http_kappa_header(r, "Access-Control-Allow-Origin", *allowed)
                == NGX_OK
            && ngx_http_kappa_header(
                   r, "Access-Control-Expose-Headers", exposed)
                == NGX_OK
        ? NGX_OK
        : NGX_ERROR;
}

ngx_int_t
ngx_http_kappa_preflight(ngx_http_request_t *r)
{
    static ngx_str_t methods[] = { ngx_string("GET, POST"),
        ngx_string("GET, POST, QUERY") };
    static ngx_str_t headers = ngx_string(
        "Authorization, Content-Type, Idempotency-Key, If-None-Match, "
        "Kappa-Cost, Kappa-Min-Position, Last-Event-ID, Traceparent, "
        "Tracestate, Apollo-Require-Preflight, X-Apollo-Operation-Name, "
        "GraphQL-Preflight, X-GraphQL-Yoga-CSRF, X-Requested-With");
    static ngx_str_t age = ngx_string("3600");
    static ngx_str_t allow[] = { ngx_string("GET, POST, OPTIONS"),
        ngx_string("GET, POST, QUERY, OPTIONS") };
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);
    bool graphql = klcf->app != NULL; /* else /events */
    ngx_int_t rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }
    if (ngx_http_kappa_origin_headers(r) != NGX_OK
        || (graphql && ngx_http_kappa_accept_query(r) != NGX_OK)
        || ngx_http_kappa_header(r, "Allow", allow[graphql]) != NGX_OK
        || ngx_http_kappa_header(
               r, "Access-Control-Allow-Methods", methods[graphql])
            != NGX_OK
        || ngx_http_kappa_header(r, "Access-Control-Allow-Headers", headers)
            != NGX_OK
        || ngx_http_kappa_header(r, "Access-Control-Max-Age", age) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->headers_out.content_length_n = 0;
    r->header_only = 1;
    return ngx_http_send_header(r);
}
