#include "ngx_kappa_module/ngx_http_kappa.h"

/* `documents DIR`: the master reads the files with the configuration, the
 * workers share the pages. A reload reads them again. */

#define FILE_BYTES_MAX (16 * 1024 * 1024)
#define ALL_BYTES_MAX (64 * 1024 * 1024)

typedef struct {
    ngx_conf_t *cf;
    ngx_http_kappa_app_t *app;
    kappa_errors_t errors;
    size_t bytes; /* so far */
} ngx_http_kappa_documents_t;

static ngx_int_t
ngx_http_kappa_add_document(ngx_http_kappa_documents_t *all, ngx_str_t *path)
{
    ngx_str_t bytes;

    if (ngx_http_kappa_read_file(
            all->cf, path, "the trusted document", FILE_BYTES_MAX, &bytes)
        != NGX_OK) {
        return NGX_ERROR;
    }
    all->bytes += bytes.len;
    if (all->bytes > ALL_BYTES_MAX) {
        ngx_log_error(NGX_LOG_EMERG, all->cf->log, 0,
            "the trusted documents in \"%V\" have over %d bytes",
            &all->app->documents, ALL_BYTES_MAX);
        return NGX_ERROR;
    }
    /* KAPPA_INVALID: the next file may have a mistake to tell, too. */
    return kappa_trusted_add(all->app->trusted,
               kappa_str((char *)path->data, path->len),
               kappa_str((char *)bytes.data, bytes.len), &all->errors)
            == KAPPA_NOMEM
        ? NGX_ERROR
        : NGX_OK;
}

/* Names in order, so that messages are. Hidden ones are others' business
 * (.gitkeep, the links of a mounted volume). */
static int ngx_libc_cdecl
ngx_http_kappa_compare_names(const void *a, const void *b)
{
    return ngx_strcmp(
        ((const ngx_str_t *)a)->data, ((const ngx_str_t *)b)->data);
}

static ngx_int_t
ngx_http_kappa_add_path(
    ngx_conf_t *cf, ngx_array_t *paths, ngx_str_t *dir, ngx_dir_t *entry)
{
    size_t len = ngx_de_namelen(entry);
    ngx_str_t *path = ngx_array_push(paths);

    if (path == NULL) {
        return NGX_ERROR;
    }
    path->data = ngx_pnalloc(cf->pool, dir->len + len + 2);
    if (path->data == NULL) {
        return NGX_ERROR;
    }
    path->len = (size_t)(ngx_sprintf(path->data, "%V/%*s%Z", dir, len,
                             ngx_de_name(entry))
                    - path->data)
        - 1;
    return NGX_OK;
}

static ngx_int_t
ngx_http_kappa_list_documents(
    ngx_conf_t *cf, ngx_str_t *name, ngx_array_t *paths)
{
    ngx_int_t rc = NGX_OK;
    ngx_dir_t dir;

    if (ngx_open_dir(name, &dir) == NGX_ERROR) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, ngx_errno,
            "can't read the directory of trusted documents \"%V\"", name);
        return NGX_ERROR;
    }
    ngx_set_errno(0);
    while (rc == NGX_OK && ngx_read_dir(&dir) == NGX_OK) {
        if (ngx_de_name(&dir)[0] != '.') {
            rc = ngx_http_kappa_add_path(cf, paths, name, &dir);
        }
        ngx_set_errno(0);
    }
    if (rc == NGX_OK && ngx_errno != 0 && ngx_errno != NGX_ENOMOREFILES) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, ngx_errno,
            "can't read the directory of trusted documents \"%V\"", name);
        rc = NGX_ERROR;
    }
    (void)ngx_close_dir(&dir);
    ngx_qsort(paths->elts, paths->nelts, sizeof(ngx_str_t),
        ngx_http_kappa_compare_names);
    return rc;
}

static ngx_int_t
ngx_http_kappa_load_documents(
    ngx_http_kappa_documents_t *all, const kappa_model_t *model)
{
    ngx_array_t paths;

    if (ngx_array_init(&paths, all->cf->temp_pool, 64, sizeof(ngx_str_t))
            != NGX_OK
        || ngx_http_kappa_list_documents(all->cf, &all->app->documents, &paths)
            != NGX_OK) {
        return NGX_ERROR;
    }
    ngx_str_t *path = paths.elts;
    for (ngx_uint_t i = 0; i < paths.nelts; i++) {
        if (ngx_http_kappa_add_document(all, &path[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    if (all->errors.count > 0
        || kappa_trusted_finish(all->app->trusted, model->schema, &all->errors)
            != KAPPA_OK) {
        return NGX_ERROR;
    }
    if (kappa_trusted_count(all->app->trusted) == 0) {
        ngx_log_error(NGX_LOG_WARN, all->cf->log, 0,
            "there is no trusted document in \"%V\"", &all->app->documents);
    }
    return NGX_OK;
}

ngx_int_t
ngx_http_kappa_read_documents(
    ngx_conf_t *cf, ngx_http_kappa_app_t *app, const kappa_model_t *model)
{
    kappa_arena_t *arena = ngx_http_kappa_conf_arena(cf);
    ngx_http_kappa_documents_t all = { .cf = cf, .app = app };

    if (app->documents.data == NULL) {
        if (!app->trusted_only) {
            return NGX_OK;
        }
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
            "kappa_documents_only needs documents: \"documents DIR;\" in "
            "kappa \"%V\"",
            &app->name);
        return NGX_ERROR;
    }
    app->trusted = arena ? kappa_trusted_create(arena) : NULL;
    if (app->trusted == NULL) {
        return NGX_ERROR;
    }
    kappa_errors_init(&all.errors, arena, 0);
    ngx_int_t rc = ngx_http_kappa_load_documents(&all, model);

    ngx_http_kappa_log_errors(cf->log, "", &all.errors);
    return rc;
}
