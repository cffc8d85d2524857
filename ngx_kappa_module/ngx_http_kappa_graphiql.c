#include "ngx_kappa_module/ngx_http_kappa.h"

#include <dlfcn.h>

/* kappa_graphiql: GraphiQL for a browser that visits a GraphQL location. Its
 * files are read when the configuration is, so that a worker needs no right
 * to them and no path is ever made of a request. The page names its own files
 * as `?graphiql.js`: that holds under any location, exact ones too, and behind
 * proxies that change the path. Nothing of it is secret, so no token is asked
 * for; the queries that the page sends have theirs. */

#define FILE_BYTES_MAX (16 * 1024 * 1024)

typedef struct {
    ngx_str_t name;
    ngx_str_t type;
    ngx_str_t cache;
} ngx_http_kappa_graphiql_kind_t;

enum {
    PAGE,
    SCRIPT,
    STYLE,
    FILES
};

static const ngx_http_kappa_graphiql_kind_t ngx_http_kappa_graphiql_kinds[] = {
    [PAGE] = { ngx_string("index.html"), ngx_string("text/html"),
        ngx_string("no-cache") },
    [SCRIPT] = { ngx_string("graphiql.js"),
        ngx_string("application/javascript"),
        ngx_string("public, max-age=31536000, immutable") },
    [STYLE] = { ngx_string("graphiql.css"), ngx_string("text/css"),
        ngx_string("public, max-age=31536000, immutable") },
};

struct ngx_http_kappa_graphiql_s {
    ngx_str_t bytes[FILES];
    time_t modified; /* the youngest */
};

/* --- configuration --- */

/* Beside the file that this code was loaded from. */
static ngx_int_t
ngx_http_kappa_graphiql_default(ngx_conf_t *cf, ngx_str_t *directory)
{
    Dl_info info;
    const char *slash = dladdr(&ngx_http_kappa_module, &info) != 0
        ? strrchr(info.dli_fname, '/')
        : NULL;
    size_t len = slash ? (size_t)(slash - info.dli_fname) : 0;

    directory->data = ngx_pnalloc(cf->pool, len + sizeof("/graphiql"));
    if (directory->data == NULL) {
        return NGX_ERROR;
    }
    directory->len = len + sizeof("/graphiql") - 1;
    ngx_sprintf(
        directory->data, "%*s/graphiql%Z", len, slash ? info.dli_fname : "");
    return NGX_OK;
}

static ngx_int_t
ngx_http_kappa_graphiql_read(ngx_conf_t *cf, ngx_str_t *directory,
    const ngx_str_t *name, ngx_str_t *bytes, time_t *modified)
{
    ngx_file_info_t info;
    ngx_str_t path;

    path.data = ngx_pnalloc(cf->pool, directory->len + name->len + 2);
    if (path.data == NULL) {
        return NGX_ERROR;
    }
    path.len = (size_t)(ngx_sprintf(path.data, "%V/%V%Z", directory, name)
                   - path.data)
        - 1;
    if (ngx_file_info(path.data, &info) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
            "kappa_graphiql: there is no \"%V\"; run \"make graphiql\" (and "
            "\"make install\"), or say where it is: "
            "\"kappa_graphiql on DIRECTORY;\"",
            &path);
        return NGX_ERROR;
    }
    *modified = ngx_max(*modified, ngx_file_mtime(&info));
    return ngx_http_kappa_read_file(
        cf, &path, "GraphiQL's", FILE_BYTES_MAX, bytes);
}

static ngx_http_kappa_graphiql_t *
ngx_http_kappa_graphiql_load(ngx_conf_t *cf, ngx_str_t *directory)
{
    ngx_http_kappa_graphiql_t *graphiql =
        ngx_pcalloc(cf->pool, sizeof(*graphiql));

    for (size_t i = 0; graphiql != NULL && i < FILES; i++) {
        if (ngx_http_kappa_graphiql_read(cf, directory,
                &ngx_http_kappa_graphiql_kinds[i].name, &graphiql->bytes[i],
                &graphiql->modified)
            != NGX_OK) {
            return NULL;
        }
    }
    return graphiql;
}

char *
ngx_http_kappa_graphiql(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_kappa_loc_conf_t *klcf = conf;
    ngx_str_t *value = cf->args->elts;
    ngx_str_t directory;

    (void)cmd;
    if (klcf->graphiql != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }
    if (ngx_strcmp(value[1].data, "off") == 0 && cf->args->nelts == 2) {
        klcf->graphiql = NULL;
        return NGX_CONF_OK;
    }
    if (ngx_strcmp(value[1].data, "on") != 0) {
        return "takes \"on\", \"on DIRECTORY\" or \"off\"";
    }
    if (cf->args->nelts == 2) {
        if (ngx_http_kappa_graphiql_default(cf, &directory) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    } else {
        directory = value[2];
        if (ngx_conf_full_name(cf->cycle, &directory, 0) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }
    klcf->graphiql = ngx_http_kappa_graphiql_load(cf, &directory);
    return klcf->graphiql ? NGX_CONF_OK : NGX_CONF_ERROR;
}

/* --- requests --- */

/* Which file is asked for: `?NAME` or `?NAME=VERSION`; FILES: none. */
static size_t
ngx_http_kappa_graphiql_named(ngx_str_t *args)
{
    for (size_t i = SCRIPT; i < FILES; i++) {
        const ngx_str_t *name = &ngx_http_kappa_graphiql_kinds[i].name;

        if (args->len >= name->len
            && ngx_memcmp(args->data, name->data, name->len) == 0
            && (args->len == name->len || args->data[name->len] == '=')) {
            return i;
        }
    }
    return FILES;
}

static size_t
ngx_http_kappa_graphiql_file(ngx_http_request_t *r)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);
    ngx_table_elt_t *accept;

    if (klcf->graphiql == NULL || klcf->app == NULL
        || !(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))
        || r->headers_in.upgrade != NULL) {
        return FILES;
    }
    if (r->args.len > 0) {
        return ngx_http_kappa_graphiql_named(&r->args);
    }
    accept = ngx_http_kappa_request_header(r, "accept");
    return accept != NULL
            && kappa_graphql_http_wants_page(
                kappa_str((char *)accept->value.data, accept->value.len))
        ? PAGE
        : FILES;
}

bool
ngx_http_kappa_graphiql_asked(ngx_http_request_t *r)
{
    return ngx_http_kappa_graphiql_file(r) != FILES;
}

/* The page runs its own script and talks to its own server, nothing else. */
static ngx_int_t
ngx_http_kappa_graphiql_page_headers(ngx_http_request_t *r)
{
    static ngx_str_t policy =
        ngx_string("default-src 'none'; script-src 'self'; "
                   "style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
                   "font-src data:; connect-src 'self'; base-uri 'none'; "
                   "form-action 'none'; frame-ancestors 'none'");
    static ngx_str_t vary = ngx_string("Accept");
    static ngx_str_t referrer = ngx_string("no-referrer");

    return ngx_http_kappa_header(r, "Content-Security-Policy", policy)
                == NGX_OK
            && ngx_http_kappa_header(r, "Vary", vary) == NGX_OK
            && ngx_http_kappa_header(r, "Referrer-Policy", referrer) == NGX_OK
        ? NGX_OK
        : NGX_ERROR;
}

static ngx_int_t
ngx_http_kappa_graphiql_headers(
    ngx_http_request_t *r, size_t file, size_t bytes, time_t modified)
{
    static ngx_str_t nosniff = ngx_string("nosniff");
    const ngx_http_kappa_graphiql_kind_t *kind =
        &ngx_http_kappa_graphiql_kinds[file];

    if ((file == PAGE && ngx_http_kappa_graphiql_page_headers(r) != NGX_OK)
        || ngx_http_kappa_header(r, "X-Content-Type-Options", nosniff)
            != NGX_OK
        || ngx_http_kappa_header(r, "Cache-Control", kind->cache) != NGX_OK) {
        return NGX_ERROR;
    }
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = (off_t)bytes;
    r->headers_out.last_modified_time = modified;
    r->headers_out.content_type = kind->type;
    r->headers_out.content_type_len = kind->type.len;
    ngx_str_set(&r->headers_out.charset, "utf-8");
    return ngx_http_set_etag(r);
}

ngx_int_t
ngx_http_kappa_graphiql_handler(ngx_http_request_t *r)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);
    size_t file = ngx_http_kappa_graphiql_file(r);

    if (file == FILES) {
        return NGX_DECLINED;
    }
    ngx_str_t *bytes = &klcf->graphiql->bytes[file];
    ngx_int_t rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }
    if (ngx_http_kappa_graphiql_headers(
            r, file, bytes->len, klcf->graphiql->modified)
        != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }
    ngx_buf_t *b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }
    b->pos = bytes->data;
    b->last = bytes->data + bytes->len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;
    ngx_chain_t out = { b, NULL };
    return ngx_http_output_filter(r, &out);
}
