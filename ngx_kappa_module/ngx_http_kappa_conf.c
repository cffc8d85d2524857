#include "ngx_kappa_module/ngx_http_kappa.h"

#include <grp.h>
#include <pwd.h>

#define SCHEMA_BYTES_MAX (4 * 1024 * 1024)
#define WAIT_MS 1000
#define WAIT_MS_MAX 60000
#define WINDOW_MS_MIN 1000

static char *ngx_http_kappa_block_item(
    ngx_conf_t *cf, ngx_command_t *dummy, void *conf);

/* The application of this name; a mention before its block is fine. */
ngx_http_kappa_app_t *
ngx_http_kappa_app(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_http_kappa_main_conf_t *kmcf =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_kappa_module);
    ngx_http_kappa_app_t **apps = kmcf->apps.elts;

    for (ngx_uint_t i = 0; i < kmcf->apps.nelts; i++) {
        if (apps[i]->name.len == name->len
            && ngx_memcmp(apps[i]->name.data, name->data, name->len) == 0) {
            return apps[i];
        }
    }

    ngx_http_kappa_app_t *app = ngx_pcalloc(cf->pool, sizeof(*app));
    ngx_http_kappa_app_t **place = ngx_array_push(&kmcf->apps);
    u_char *mention = ngx_pnalloc(cf->pool, cf->conf_file->file.name.len + 16);

    if (app == NULL || place == NULL || mention == NULL) {
        return NULL;
    }
    app->name = *name;
    app->wait = NGX_CONF_UNSET_MSEC;
    app->mention.data = mention;
    app->mention.len =
        (size_t)(ngx_sprintf(mention, "%V:%ui", &cf->conf_file->file.name,
                     cf->conf_file->line)
            - mention);
    *place = app;
    return app;
}

char *
ngx_http_kappa_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t *value = cf->args->elts;
    ngx_http_kappa_app_t *app = ngx_http_kappa_app(cf, &value[1]);

    (void)cmd;
    (void)conf;
    if (app == NULL) {
        return NGX_CONF_ERROR;
    }
    if (app->declared) {
        return "is duplicate";
    }
    app->declared = 1;

    ngx_conf_t save = *cf;
    cf->handler = ngx_http_kappa_block_item;
    cf->handler_conf = (char *)app;
    char *rv = ngx_conf_parse(cf, NULL);
    *cf = save;
    if (rv != NGX_CONF_OK) {
        return rv;
    }
    ngx_conf_init_msec_value(app->wait, WAIT_MS);
    if (app->schema.data == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
            "kappa \"%V\" needs a schema: \"schema FILE;\"", &app->name);
        return NGX_CONF_ERROR;
    }
    if (app->store.data == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
            "kappa \"%V\" needs a store: \"store DIRECTORY;\"", &app->name);
        return NGX_CONF_ERROR;
    }
    return NGX_CONF_OK;
}

static char *
ngx_http_kappa_set_path(
    ngx_conf_t *cf, ngx_str_t *slot, ngx_str_t *value, ngx_uint_t beside_conf)
{
    if (slot->data != NULL) {
        return "is duplicate";
    }
    *slot = *value;
    return ngx_conf_full_name(cf->cycle, slot, beside_conf) == NGX_OK
        ? NGX_CONF_OK
        : NGX_CONF_ERROR;
}

static char *
ngx_http_kappa_set_map_size(
    ngx_conf_t *cf, ngx_http_kappa_app_t *app, ngx_str_t *value)
{
    (void)cf;
    off_t size = ngx_parse_offset(value);

    if (app->map_size) {
        return "is duplicate";
    }
    if (size < 1024 * 1024) {
        return "takes a size of at least 1m";
    }
    app->map_size = (size_t)size;
    return NGX_CONF_OK;
}

static char *
ngx_http_kappa_set_wait(ngx_http_kappa_app_t *app, ngx_str_t *value)
{
    ngx_int_t ms = ngx_parse_time(value, 0);

    if (app->wait != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }
    if (ms == NGX_ERROR || ms > WAIT_MS_MAX) {
        return "takes a time of at most 60s";
    }
    app->wait = (ngx_msec_t)ms;
    return NGX_CONF_OK;
}

static char *
ngx_http_kappa_set_window(ngx_http_kappa_app_t *app, ngx_str_t *value)
{
    ngx_int_t ms = ngx_parse_time(value, 0);

    if (app->idempotency_window) {
        return "is duplicate";
    }
    if (ms == NGX_ERROR || ms < WINDOW_MS_MIN) {
        return "takes a time of at least 1s";
    }
    app->idempotency_window = (ngx_msec_t)ms;
    return NGX_CONF_OK;
}

static char *
ngx_http_kappa_set_item(
    ngx_conf_t *cf, ngx_http_kappa_app_t *app, ngx_str_t *value)
{
    if (ngx_strcmp(value[0].data, "schema") == 0) {
        return ngx_http_kappa_set_path(cf, &app->schema, &value[1], 1);
    }
    if (ngx_strcmp(value[0].data, "store") == 0) {
        return ngx_http_kappa_set_path(cf, &app->store, &value[1], 0);
    }
    if (ngx_strcmp(value[0].data, "documents") == 0) {
        return ngx_http_kappa_set_path(cf, &app->documents, &value[1], 1);
    }
    if (ngx_strcmp(value[0].data, "wait") == 0) {
        return ngx_http_kappa_set_wait(app, &value[1]);
    }
    if (ngx_strcmp(value[0].data, "idempotency_window") == 0) {
        return ngx_http_kappa_set_window(app, &value[1]);
    }
    if (ngx_strcmp(value[0].data, "map_size") == 0) {
        return ngx_http_kappa_set_map_size(cf, app, &value[1]);
    }
    if (ngx_strcmp(value[0].data, "log") == 0) {
        return ngx_strcmp(value[1].data, "embedded") == 0
            ? NGX_CONF_OK
            : "takes \"embedded\", the one log of this version";
    }
    return "is no directive of a kappa block: schema, store, log, map_size, "
           "documents, wait, idempotency_window";
}

static char *
ngx_http_kappa_block_item(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_str_t *value = cf->args->elts;
    ngx_http_kappa_app_t *app = conf;
    const char *trouble;

    (void)dummy;
    if (cf->args->nelts != 2) {
        trouble = "takes one argument";
    } else {
        trouble = ngx_http_kappa_set_item(cf, app, value);
    }
    if (trouble == NGX_CONF_OK || trouble == NGX_CONF_ERROR) {
        return (char *)trouble;
    }
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %s", &value[0], trouble);
    return NGX_CONF_ERROR;
}

/* --- when all has been read --- */

ngx_int_t
ngx_http_kappa_read_file(ngx_conf_t *cf, ngx_str_t *path, const char *what,
    size_t max_bytes, ngx_str_t *out)
{
    ngx_fd_t fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    ngx_int_t rc = NGX_ERROR;
    ngx_file_info_t info;

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, ngx_errno,
            "can't open %s \"%V\"", what, path);
        return NGX_ERROR;
    }
    if (ngx_fd_info(fd, &info) == NGX_FILE_ERROR
        || ngx_file_size(&info) > (off_t)max_bytes) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
            "%s \"%V\" is no file, or over %uz bytes", what, path, max_bytes);
    } else {
        out->len = (size_t)ngx_file_size(&info);
        out->data = ngx_pnalloc(cf->pool, out->len + 1);
        if (out->data != NULL
            && ngx_read_fd(fd, out->data, out->len) == (ssize_t)out->len) {
            out->data[out->len] = '\0';
            rc = NGX_OK;
        } else {
            ngx_log_error(NGX_LOG_EMERG, cf->log, ngx_errno,
                "can't read %s \"%V\"", what, path);
        }
    }
    ngx_close_file(fd);
    return rc;
}

void
ngx_http_kappa_log_errors(
    ngx_log_t *log, const char *prefix, const kappa_errors_t *errors)
{
    for (const kappa_error_t *e = errors->first; e != NULL; e = e->next) {
        ngx_str_t message = { e->message.len, (u_char *)e->message.data };

        if (e->location_count == 0 || e->locations[0].source == NULL) {
            ngx_log_error(NGX_LOG_EMERG, log, 0, "%s%V", prefix, &message);
            continue;
        }
        const kappa_location_t *at = &e->locations[0];
        ngx_str_t name = { at->source->name.len,
            (u_char *)at->source->name.data };
        ngx_log_error(NGX_LOG_EMERG, log, 0, "%s%V:%uD:%uD: %V", prefix, &name,
            at->line, at->column, &message);
    }
}

static void
ngx_http_kappa_conf_cleanup(void *data)
{
    kappa_arena_destroy(data);
}

kappa_arena_t *
ngx_http_kappa_conf_arena(ngx_conf_t *cf)
{
    ngx_http_kappa_main_conf_t *kmcf =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_kappa_module);

    if (kmcf->arena == NULL) {
        ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);

        if (cleanup == NULL) {
            return NULL;
        }
        kmcf->arena = kappa_arena_create(&kappa_alloc_libc, 0);
        cleanup->handler = ngx_http_kappa_conf_cleanup;
        cleanup->data = kmcf->arena;
    }
    return kmcf->arena;
}

static ngx_int_t
ngx_http_kappa_check_schema(ngx_conf_t *cf, ngx_http_kappa_app_t *app)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 65536);
    kappa_errors_t errors;
    kappa_model_t *model;

    if (arena == NULL) {
        return NGX_ERROR;
    }
    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status = kappa_model_load(arena,
        kappa_str((char *)app->schema.data, app->schema.len),
        kappa_str((char *)app->schema_text.data, app->schema_text.len), &model,
        &errors);

    ngx_http_kappa_log_errors(cf->log, "", &errors);
    ngx_int_t rc = status == KAPPA_OK
        ? ngx_http_kappa_read_documents(cf, app, model)
        : NGX_ERROR;
    kappa_arena_destroy(arena);
    return rc;
}

/* Whose the workers will be: the `user` directive's, as the core module will
 * settle it after us. -1: ours. */
static void
ngx_http_kappa_owner(ngx_conf_t *cf, int *uid, int *gid)
{
    ngx_core_conf_t *ccf =
        (ngx_core_conf_t *)ngx_get_conf(cf->cycle->conf_ctx, ngx_core_module);

    *uid = *gid = -1;
    if (geteuid() != 0) {
        return;
    }
    if (ccf->user != (ngx_uid_t)NGX_CONF_UNSET_UINT) {
        *uid = (int)ccf->user;
        *gid = (int)ccf->group;
        return;
    }
    struct passwd *user = getpwnam(NGX_USER);
    struct group *group = getgrnam(NGX_GROUP);

    *uid = user ? (int)user->pw_uid : -1;
    *gid = group ? (int)group->gr_gid : -1;
}

/* A store of another user, such as the one of a `user` directive that was
 * changed, is not ours to give away; nor is it a reason not to start. */
static void
ngx_http_kappa_check_owner(
    ngx_conf_t *cf, ngx_http_kappa_app_t *app, int uid, int gid)
{
    char *path = (char *)app->store.data;
    struct stat st;

    if (uid <= 0 || stat(path, &st) != 0 || st.st_uid == (uid_t)uid
        || (st.st_gid == (gid_t)gid && (st.st_mode & S_IRWXG) == S_IRWXG)
        || (st.st_mode & S_IRWXO) == S_IRWXO) {
        return;
    }
    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
        "kappa \"%V\": the store %V belongs to user %d, but the workers run "
        "as user %d and can't open it: chown -R %d:%d %V",
        &app->name, &app->store, (int)st.st_uid, uid, uid, gid, &app->store);
}

static ngx_int_t
ngx_http_kappa_make_store(ngx_conf_t *cf, ngx_http_kappa_app_t *app)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_t errors;
    int uid, gid;

    if (arena == NULL) {
        return NGX_ERROR;
    }
    kappa_errors_init(&errors, arena, 0);
    ngx_http_kappa_owner(cf, &uid, &gid);
    kappa_status_t status = kappa_store_create(
        kappa_str((char *)app->store.data, app->store.len), uid, gid, &errors);

    /* A store that was damaged is no mistake in the configuration: workers
     * say so and answer STORE_UNAVAILABLE, other sites go on. */
    if (status == KAPPA_CORRUPT && errors.first != NULL) {
        ngx_str_t why = { errors.first->message.len,
            (u_char *)errors.first->message.data };
        ngx_log_error(
            NGX_LOG_ERR, cf->log, 0, "kappa \"%V\": %V", &app->name, &why);
    } else {
        ngx_http_kappa_log_errors(cf->log, "", &errors);
    }
    kappa_arena_destroy(arena);
    if (status != KAPPA_OK && status != KAPPA_CORRUPT) {
        return NGX_ERROR;
    }
    ngx_http_kappa_check_owner(cf, app, uid, gid);
    return NGX_OK;
}

/* The same directory by whatever name. */
static ngx_int_t
ngx_http_kappa_check_store(
    ngx_conf_t *cf, ngx_http_kappa_app_t **apps, ngx_uint_t n)
{
    struct stat mine, other;

    if (stat((char *)apps[n]->store.data, &mine) != 0) {
        return NGX_OK;
    }
    for (ngx_uint_t i = 0; i < n; i++) {
        if (stat((char *)apps[i]->store.data, &other) == 0
            && mine.st_dev == other.st_dev && mine.st_ino == other.st_ino) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                "kappa \"%V\" and kappa \"%V\" have the same store \"%V\": "
                "give each its own",
                &apps[i]->name, &apps[n]->name, &apps[n]->store);
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

ngx_int_t
ngx_http_kappa_check_apps(ngx_conf_t *cf)
{
    ngx_http_kappa_main_conf_t *kmcf =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_kappa_module);
    ngx_http_kappa_app_t **apps = kmcf->apps.elts;

    for (ngx_uint_t i = 0; i < kmcf->apps.nelts; i++) {
        if (!apps[i]->declared) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                "there is no block \"kappa %V { }\" as named in %V",
                &apps[i]->name, &apps[i]->mention);
            return NGX_ERROR;
        }
        if (ngx_http_kappa_read_file(cf, &apps[i]->schema, "the schema",
                SCHEMA_BYTES_MAX, &apps[i]->schema_text)
                != NGX_OK
            || ngx_http_kappa_check_schema(cf, apps[i]) != NGX_OK
            || ngx_http_kappa_make_store(cf, apps[i]) != NGX_OK
            || ngx_http_kappa_check_store(cf, apps, i) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}
