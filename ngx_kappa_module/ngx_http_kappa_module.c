#include "ngx_kappa_module/ngx_http_kappa.h"

static ngx_int_t ngx_http_kappa_postconfiguration(ngx_conf_t *cf);
static void *ngx_http_kappa_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_kappa_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_kappa_merge_loc_conf(
    ngx_conf_t *cf, void *parent, void *child);
static char *ngx_http_kappa_graphql(
    ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_kappa_events(
    ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_kappa_health(
    ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

#define NGX_HTTP_KAPPA_ANYWHERE                                               \
    (NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF)

static ngx_conf_enum_t ngx_http_kappa_status_codes[] = {
    { ngx_string("classic"), KAPPA_STATUS_CODES_CLASSIC },
    { ngx_string("2026-09"), KAPPA_STATUS_CODES_2026_09 },
    { ngx_null_string, 0 },
};

static ngx_conf_enum_t ngx_http_kappa_auth[] = {
    { ngx_string("off"), NGX_HTTP_KAPPA_AUTH_OFF },
    { ngx_string("optional"), NGX_HTTP_KAPPA_AUTH_OPTIONAL },
    { ngx_string("required"), NGX_HTTP_KAPPA_AUTH_REQUIRED },
    { ngx_null_string, 0 },
};

/* clang-format off */
static ngx_command_t ngx_http_kappa_commands[] = {

    { ngx_string("kappa"),
      NGX_HTTP_MAIN_CONF | NGX_CONF_BLOCK | NGX_CONF_TAKE1,
      ngx_http_kappa_block,
      NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL },

    { ngx_string("kappa_graphql"),
      NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1,
      ngx_http_kappa_graphql,
      NGX_HTTP_LOC_CONF_OFFSET, 0, NULL },

    { ngx_string("kappa_events"),
      NGX_HTTP_LOC_CONF | NGX_CONF_TAKE3,
      ngx_http_kappa_events,
      NGX_HTTP_LOC_CONF_OFFSET, 0, NULL },

    { ngx_string("kappa_issuer"),
      NGX_HTTP_MAIN_CONF | NGX_CONF_BLOCK | NGX_CONF_TAKE1,
      ngx_http_kappa_issuer,
      NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL },

    { ngx_string("kappa_auth"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_kappa_loc_conf_t, auth),
      ngx_http_kappa_auth },

    { ngx_string("kappa_token"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_TAKE1,
      ngx_http_kappa_token,
      NGX_HTTP_LOC_CONF_OFFSET, 0, NULL },

    { ngx_string("kappa_require"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_TAKE1,
      ngx_http_kappa_require,
      NGX_HTTP_LOC_CONF_OFFSET, 0, NULL },

    { ngx_string("kappa_origin"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_1MORE,
      ngx_http_kappa_origin,
      NGX_HTTP_LOC_CONF_OFFSET, 0, NULL },

    { ngx_string("kappa_health"),
      NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1,
      ngx_http_kappa_health,
      NGX_HTTP_LOC_CONF_OFFSET, 0, NULL },

    { ngx_string("kappa_graphiql"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_TAKE12,
      ngx_http_kappa_graphiql,
      NGX_HTTP_LOC_CONF_OFFSET, 0, NULL },

    { ngx_string("kappa_metrics"),
      NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
      ngx_http_kappa_metrics,
      NGX_HTTP_LOC_CONF_OFFSET, 0, NULL },

    { ngx_string("kappa_introspection"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_kappa_loc_conf_t, introspection), NULL },

    { ngx_string("kappa_documents_only"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_kappa_loc_conf_t, documents_only), NULL },

    { ngx_string("kappa_status_codes"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_kappa_loc_conf_t, status_codes),
      ngx_http_kappa_status_codes },

    { ngx_string("kappa_limit_depth"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_kappa_loc_conf_t, limit_depth), NULL },

    { ngx_string("kappa_limit_tokens"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_kappa_loc_conf_t, limit_tokens), NULL },

    { ngx_string("kappa_limit_aliases"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_kappa_loc_conf_t, limit_aliases), NULL },

    { ngx_string("kappa_limit_root_fields"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_kappa_loc_conf_t, limit_root_fields), NULL },

    { ngx_string("kappa_limit_directives"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_kappa_loc_conf_t, limit_directives), NULL },

    { ngx_string("kappa_limit_cost"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_kappa_loc_conf_t, limit_cost), NULL },

    { ngx_string("kappa_limit_batch"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_kappa_loc_conf_t, limit_batch), NULL },

    { ngx_string("kappa_limit_subscriptions"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_kappa_loc_conf_t, limit_subscriptions), NULL },

    { ngx_string("kappa_heartbeat"),
      NGX_HTTP_KAPPA_ANYWHERE | NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_kappa_loc_conf_t, heartbeat), NULL },

    ngx_null_command
};
/* clang-format on */

static ngx_http_module_t ngx_http_kappa_module_ctx = {
    ngx_http_kappa_add_variables,     /* preconfiguration */
    ngx_http_kappa_postconfiguration, /* postconfiguration */
    ngx_http_kappa_create_main_conf,  /* create main configuration */
    NULL,                             /* init main configuration */
    NULL,                             /* create server configuration */
    NULL,                             /* merge server configuration */
    ngx_http_kappa_create_loc_conf,   /* create location configuration */
    ngx_http_kappa_merge_loc_conf     /* merge location configuration */
};

ngx_module_t ngx_http_kappa_module = { NGX_MODULE_V1,
    &ngx_http_kappa_module_ctx,  /* module context */
    ngx_http_kappa_commands,     /* module directives */
    NGX_HTTP_MODULE,             /* module type */
    NULL,                        /* init master */
    NULL,                        /* init module */
    ngx_http_kappa_init_process, /* init process */
    NULL,                        /* init thread */
    NULL,                        /* exit thread */
    ngx_http_kappa_exit_process, /* exit process */
    NULL,                        /* exit master */
    NGX_MODULE_V1_PADDING };

static ngx_int_t
ngx_http_kappa_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_core_main_conf_t *cmcf =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_handler_pt *handler =
        ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);

    if (handler == NULL) {
        return NGX_ERROR;
    }
    *handler = ngx_http_kappa_auth_handler;
    handler = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (handler == NULL) {
        return NGX_ERROR;
    }
    *handler = ngx_http_kappa_log_handler;
    ngx_http_kappa_metrics_configure(cf);
    return ngx_http_kappa_check_apps(cf);
}

static void *
ngx_http_kappa_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_kappa_main_conf_t *kmcf =
        ngx_pcalloc(cf->pool, sizeof(ngx_http_kappa_main_conf_t));

    if (kmcf == NULL
        || ngx_array_init(
               &kmcf->apps, cf->pool, 2, sizeof(ngx_http_kappa_app_t *))
            != NGX_OK
        || ngx_array_init(
               &kmcf->issuers, cf->pool, 2, sizeof(kappa_issuer_t *))
            != NGX_OK) {
        return NULL;
    }
    return kmcf;
}

static void *
ngx_http_kappa_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_pcalloc(cf->pool, sizeof(ngx_http_kappa_loc_conf_t));

    if (klcf == NULL) {
        return NULL;
    }
    klcf->introspection = NGX_CONF_UNSET;
    klcf->documents_only = NGX_CONF_UNSET;
    klcf->limit_depth = NGX_CONF_UNSET_UINT;
    klcf->limit_tokens = NGX_CONF_UNSET_UINT;
    klcf->limit_aliases = NGX_CONF_UNSET_UINT;
    klcf->limit_root_fields = NGX_CONF_UNSET_UINT;
    klcf->limit_directives = NGX_CONF_UNSET_UINT;
    klcf->limit_cost = NGX_CONF_UNSET_UINT;
    klcf->limit_batch = NGX_CONF_UNSET_UINT;
    klcf->limit_subscriptions = NGX_CONF_UNSET_UINT;
    klcf->heartbeat = NGX_CONF_UNSET_MSEC;
    klcf->status_codes = NGX_CONF_UNSET_UINT;
    klcf->auth = NGX_CONF_UNSET_UINT;
    klcf->token_set = NGX_CONF_UNSET;
    klcf->require = NGX_CONF_UNSET_PTR;
    klcf->origins = NGX_CONF_UNSET_PTR;
    klcf->graphiql = NGX_CONF_UNSET_PTR;
    return klcf;
}

/* An upload to /events is a stream: nginx's default limit of 1m is not meant
 * for it. */
static void
ngx_http_kappa_merge_body_size(ngx_conf_t *cf, ngx_http_kappa_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t *clcf =
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->events != NULL && clcf->client_max_body_size == 1024 * 1024) {
        clcf->client_max_body_size = 0;
    }
}

/* The blocks `if` and `limit_except` in a location are locations to nginx,
 * which run the same handler with a configuration of their own. */
static void
ngx_http_kappa_merge_place(ngx_conf_t *cf,
    const ngx_http_kappa_loc_conf_t *prev, ngx_http_kappa_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t *clcf =
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if ((!clcf->noname && !clcf->lmt_excpt) || clcf->handler != NULL) {
        return;
    }
    conf->app = prev->app;
    conf->health = prev->health;
    conf->events = prev->events;
    conf->read_scope = prev->read_scope;
    conf->write_scope = prev->write_scope;
    if (clcf->lmt_excpt) {
        clcf->handler = conf->app != NULL ? ngx_http_kappa_graphql_handler
            : conf->events != NULL        ? ngx_http_kappa_events_handler
            : conf->health                ? ngx_http_kappa_health_handler
                                          : NULL;
    }
}

static char *
ngx_http_kappa_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_kappa_loc_conf_t *prev = parent;
    ngx_http_kappa_loc_conf_t *conf = child;

    ngx_http_kappa_merge_place(cf, prev, conf);
    ngx_conf_merge_value(conf->introspection, prev->introspection, 1);
    ngx_conf_merge_value(conf->documents_only, prev->documents_only, 0);
    if (conf->app != NULL && conf->documents_only) {
        conf->app->trusted_only = 1;
    }
    ngx_conf_merge_uint_value(conf->limit_depth, prev->limit_depth, 32);
    ngx_conf_merge_uint_value(conf->limit_tokens, prev->limit_tokens, 10000);
    ngx_conf_merge_uint_value(conf->limit_aliases, prev->limit_aliases, 200);
    ngx_conf_merge_uint_value(
        conf->limit_root_fields, prev->limit_root_fields, 50);
    ngx_conf_merge_uint_value(
        conf->limit_directives, prev->limit_directives, 100);
    ngx_conf_merge_uint_value(conf->limit_cost, prev->limit_cost, 100000);
    ngx_conf_merge_uint_value(conf->limit_batch, prev->limit_batch, 0);
    ngx_conf_merge_uint_value(
        conf->limit_subscriptions, prev->limit_subscriptions, 10000);
    ngx_conf_merge_msec_value(conf->heartbeat, prev->heartbeat, 12000);
    ngx_conf_merge_uint_value(
        conf->status_codes, prev->status_codes, KAPPA_STATUS_CODES_CLASSIC);
    ngx_conf_merge_uint_value(conf->auth, prev->auth, NGX_HTTP_KAPPA_AUTH_OFF);
    if (conf->token_set == NGX_CONF_UNSET) {
        conf->token_cookie = prev->token_cookie;
    }
    ngx_conf_merge_value(conf->token_set, prev->token_set, 0);
    ngx_conf_merge_ptr_value(conf->require, prev->require, NULL);
    ngx_conf_merge_ptr_value(conf->origins, prev->origins, NULL);
    ngx_conf_merge_ptr_value(conf->graphiql, prev->graphiql, NULL);
    if (conf->events != NULL && conf->auth == NGX_HTTP_KAPPA_AUTH_OFF) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
            "kappa_events needs kappa_auth required beside it: its scopes "
            "are a token's");
        return NGX_CONF_ERROR;
    }
    ngx_http_kappa_merge_body_size(cf, conf);
    if (conf->require != NULL && conf->auth == NGX_HTTP_KAPPA_AUTH_OFF) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
            "kappa_require needs kappa_auth optional or required beside it");
        return NGX_CONF_ERROR;
    }
    return NGX_CONF_OK;
}

static char *
ngx_http_kappa_graphql(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_kappa_loc_conf_t *klcf = conf;
    ngx_str_t *value = cf->args->elts;

    (void)cmd;
    if (klcf->app != NULL) {
        return "is duplicate";
    }
    klcf->app = ngx_http_kappa_app(cf, &value[1]);
    if (klcf->app == NULL) {
        return NGX_CONF_ERROR;
    }
    ngx_http_core_loc_conf_t *clcf =
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_kappa_graphql_handler;
    return NGX_CONF_OK;
}

static char *
ngx_http_kappa_events(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_kappa_loc_conf_t *klcf = conf;
    ngx_str_t *value = cf->args->elts;

    (void)cmd;
    if (klcf->events != NULL) {
        return "is duplicate";
    }
    for (ngx_uint_t i = 2; i < 4; i++) {
        if (ngx_strncmp(value[i].data, "read=", 5) == 0) {
            klcf->read_scope.data = value[i].data + 5;
            klcf->read_scope.len = value[i].len - 5;
        } else if (ngx_strncmp(value[i].data, "write=", 6) == 0) {
            klcf->write_scope.data = value[i].data + 6;
            klcf->write_scope.len = value[i].len - 6;
        }
    }
    if (klcf->read_scope.len == 0 || klcf->write_scope.len == 0) {
        return "takes an application and two scopes: "
               "\"kappa_events NAME read=SCOPE write=SCOPE;\"";
    }
    klcf->events = ngx_http_kappa_app(cf, &value[1]);
    if (klcf->events == NULL) {
        return NGX_CONF_ERROR;
    }
    ngx_http_core_loc_conf_t *clcf =
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_kappa_events_handler;
    return NGX_CONF_OK;
}

static char *
ngx_http_kappa_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_kappa_loc_conf_t *klcf = conf;
    ngx_str_t *value = cf->args->elts;

    (void)cmd;
    if (klcf->health) {
        return "is duplicate";
    }
    if (ngx_strcmp(value[1].data, "live") == 0) {
        klcf->health = NGX_HTTP_KAPPA_HEALTH_LIVE;
    } else if (ngx_strcmp(value[1].data, "ready") == 0) {
        klcf->health = NGX_HTTP_KAPPA_HEALTH_READY;
    } else {
        return "takes \"live\" or \"ready\"";
    }
    ngx_http_core_loc_conf_t *clcf =
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_kappa_health_handler;
    return NGX_CONF_OK;
}
