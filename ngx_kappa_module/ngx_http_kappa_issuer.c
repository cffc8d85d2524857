#include "ngx_kappa_module/ngx_http_kappa.h"

/* The kappa_issuer block: who may issue tokens, and the keys to verify them
 * with. Key files are read by the master, before it gives up root. */

#define KEY_BYTES_MAX (1024 * 1024)

static kappa_str_t
ngx_http_kappa_conf_str(ngx_str_t *value)
{
    return kappa_str((char *)value->data, value->len);
}

static char *
ngx_http_kappa_issuer_keys(ngx_conf_t *cf, kappa_issuer_t *issuer,
    ngx_str_t *path, bool set, kappa_alg_t alg)
{
    kappa_arena_t *arena = ngx_http_kappa_conf_arena(cf);
    kappa_errors_t errors;
    ngx_str_t text;

    if (issuer->keys.count > 0) {
        return "is duplicate: an issuer has one jwks or one key";
    }
    if (arena == NULL || ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK
        || ngx_http_kappa_read_file(
               cf, path, "the key file", KEY_BYTES_MAX, &text)
            != NGX_OK) {
        return NGX_CONF_ERROR;
    }
    kappa_errors_init(&errors, arena, 0);
    kappa_str_t bytes = kappa_str((char *)text.data, text.len);
    kappa_status_t status = set
        ? kappa_keys_load_jwks(arena, bytes, &issuer->keys, &errors)
        : kappa_key_load(arena, bytes, alg, &issuer->keys, &errors);

    if (status != KAPPA_OK) {
        ngx_http_kappa_log_errors(cf->log, (char *)path->data, &errors);
        return NGX_CONF_ERROR;
    }
    return NGX_CONF_OK;
}

static char *
ngx_http_kappa_issuer_jwks(ngx_conf_t *cf, kappa_issuer_t *issuer)
{
    ngx_str_t *value = cf->args->elts;

    if (cf->args->nelts != 2) {
        return "takes a file: \"jwks FILE;\"";
    }
    if (ngx_strncmp(value[1].data, "http", 4) == 0) {
        return "takes a file in this version, no address";
    }
    return ngx_http_kappa_issuer_keys(cf, issuer, &value[1], true, 0);
}

static char *
ngx_http_kappa_issuer_key(ngx_conf_t *cf, kappa_issuer_t *issuer)
{
    ngx_str_t *value = cf->args->elts;
    kappa_alg_t alg;

    if (cf->args->nelts != 3 || ngx_strncmp(value[2].data, "alg=", 4) != 0
        || !kappa_alg_parse(
            kappa_str((char *)value[2].data + 4, value[2].len - 4), &alg)) {
        return "takes a file and an algorithm: \"key FILE alg=RS256;\" "
               "(HS, RS or ES, with 256, 384 or 512)";
    }
    return ngx_http_kappa_issuer_keys(cf, issuer, &value[1], false, alg);
}

static char *
ngx_http_kappa_issuer_leeway(kappa_issuer_t *issuer, ngx_str_t *value)
{
    ngx_int_t seconds = ngx_parse_time(value, 1);

    if (seconds == NGX_ERROR || seconds > 3600) {
        return "takes a time of at most an hour";
    }
    issuer->leeway_s = seconds;
    return NGX_CONF_OK;
}

static char *
ngx_http_kappa_issuer_set(ngx_conf_t *cf, kappa_issuer_t *issuer)
{
    ngx_str_t *value = cf->args->elts;

    if (ngx_strcmp(value[0].data, "jwks") == 0) {
        return ngx_http_kappa_issuer_jwks(cf, issuer);
    }
    if (ngx_strcmp(value[0].data, "key") == 0) {
        return ngx_http_kappa_issuer_key(cf, issuer);
    }
    if (cf->args->nelts != 2) {
        return "takes one argument";
    }
    if (ngx_strcmp(value[0].data, "audience") == 0) {
        issuer->audience = ngx_http_kappa_conf_str(&value[1]);
        return NGX_CONF_OK;
    }
    if (ngx_strcmp(value[0].data, "roles") == 0) {
        issuer->roles = ngx_http_kappa_conf_str(&value[1]);
        return NGX_CONF_OK;
    }
    if (ngx_strcmp(value[0].data, "leeway") == 0) {
        return ngx_http_kappa_issuer_leeway(issuer, &value[1]);
    }
    return "is no directive of a kappa_issuer block: jwks, key, audience, "
           "roles, leeway";
}

static char *
ngx_http_kappa_issuer_item(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_str_t *value = cf->args->elts;
    char *rv = ngx_http_kappa_issuer_set(cf, conf);

    (void)dummy;
    if (rv == NGX_CONF_OK || rv == NGX_CONF_ERROR) {
        return rv;
    }
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %s", &value[0], rv);
    return NGX_CONF_ERROR;
}

static kappa_issuer_t *
ngx_http_kappa_issuer_add(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_http_kappa_main_conf_t *kmcf =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_kappa_module);
    kappa_issuer_t *issuer = ngx_pcalloc(cf->pool, sizeof(*issuer));
    kappa_issuer_t **place = ngx_array_push(&kmcf->issuers);

    if (issuer == NULL || place == NULL) {
        return NULL;
    }
    issuer->name = ngx_http_kappa_conf_str(name);
    issuer->roles = KAPPA_STR("roles");
    *place = issuer;
    return issuer;
}

char *
ngx_http_kappa_issuer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_kappa_main_conf_t *kmcf = conf;
    kappa_issuer_t **issuers = kmcf->issuers.elts;
    ngx_str_t *value = cf->args->elts;

    (void)cmd;
    for (ngx_uint_t i = 0; i < kmcf->issuers.nelts; i++) {
        if (kappa_str_eq(
                issuers[i]->name, ngx_http_kappa_conf_str(&value[1]))) {
            return "is duplicate";
        }
    }
    kappa_issuer_t *issuer = ngx_http_kappa_issuer_add(cf, &value[1]);
    if (issuer == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_conf_t save = *cf;
    cf->handler = ngx_http_kappa_issuer_item;
    cf->handler_conf = (char *)issuer;
    char *rv = ngx_conf_parse(cf, NULL);
    *cf = save;
    if (rv == NGX_CONF_OK && issuer->keys.count == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
            "kappa_issuer \"%V\" needs keys: \"jwks FILE;\" or "
            "\"key FILE alg=RS256;\"",
            &value[1]);
        return NGX_CONF_ERROR;
    }
    return rv;
}
