#include "ngx_kappa_module/ngx_http_kappa.h"

/* kappa_health live: this worker answers. kappa_health ready: and every
 * application's store is open, its views built. */

static const char *
ngx_http_kappa_app_state(const ngx_http_kappa_app_t *app)
{
    if (app->store_handle == NULL) {
        return "STORE_UNAVAILABLE";
    }
    return kappa_store_ready(app->store_handle) ? "READY" : "VIEWS_REBUILDING";
}

/* A build under way, whoever does it, as a member of the application's. */
static void
ngx_http_kappa_write_build(kappa_buf_t *buf, const kappa_store_state_t *state)
{
    uint64_t built = state->build.built, total = state->build.total;

    kappa_buf_printf(buf,
        ",\"build\":{\"generation\":%u,\"built\":%llu,\"total\":%llu,"
        "\"percent\":%.1f,\"skipped\":%llu,\"eta_seconds\":",
        state->build.generation, (unsigned long long)built,
        (unsigned long long)total,
        built < total ? 100.0 * (double)built / (double)total : 100.0,
        (unsigned long long)state->build.skipped);
    if (state->build.left_ms < 0) {
        KAPPA_BUF_LIT(buf, "null}");
    } else {
        kappa_buf_printf(
            buf, "%lld}", (long long)((state->build.left_ms + 999) / 1000));
    }
}

/* "catalogue":{"generation":2,"skipped":0} */
static void
ngx_http_kappa_write_views(
    kappa_buf_t *buf, const ngx_http_kappa_app_t *app, bool first)
{
    kappa_store_state_t state;

    kappa_buf_printf(buf, "%s\"%.*s\":", first ? "" : ",", (int)app->name.len,
        app->name.data);
    if (app->store_handle == NULL
        || kappa_store_state(app->store_handle, &state) != KAPPA_OK) {
        KAPPA_BUF_LIT(buf, "null");
        return;
    }
    kappa_buf_printf(buf, "{\"generation\":%u,\"skipped\":%llu",
        state.generation, (unsigned long long)state.skipped);
    if (state.build.running) {
        ngx_http_kappa_write_build(buf, &state);
    }
    kappa_buf_char(buf, '}');
}

/* "applications":{"catalogue":"READY"},"views":{…}} */
static bool
ngx_http_kappa_write_health(ngx_http_request_t *r, kappa_buf_t *buf)
{
    ngx_http_kappa_main_conf_t *kmcf =
        ngx_http_get_module_main_conf(r, ngx_http_kappa_module);
    ngx_http_kappa_app_t **apps = kmcf->apps.elts;
    bool ready = true;

    KAPPA_BUF_LIT(buf, "\"applications\":{");
    for (ngx_uint_t i = 0; i < kmcf->apps.nelts; i++) {
        const char *state = ngx_http_kappa_app_state(apps[i]);

        kappa_buf_printf(buf, "%s\"%.*s\":\"%s\"", i ? "," : "",
            (int)apps[i]->name.len, apps[i]->name.data, state);
        ready = ready && strcmp(state, "READY") == 0;
    }
    KAPPA_BUF_LIT(buf, "},\"views\":{");
    for (ngx_uint_t i = 0; i < kmcf->apps.nelts; i++) {
        ngx_http_kappa_write_views(buf, apps[i], i == 0);
    }
    KAPPA_BUF_LIT(buf, "}}\n");
    return ready;
}

ngx_int_t
ngx_http_kappa_health_handler(ngx_http_request_t *r)
{
    ngx_http_kappa_loc_conf_t *klcf =
        ngx_http_get_module_loc_conf(r, ngx_http_kappa_module);
    ngx_http_kappa_answer_t answer = { .media = KAPPA_MEDIA_JSON };
    kappa_buf_t apps, body;

    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }
    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }
    kappa_buf_init(&apps, &kappa_alloc_libc);
    kappa_buf_init(&body, &kappa_alloc_libc);
    bool good = ngx_http_kappa_write_health(r, &apps)
        || klcf->health == NGX_HTTP_KAPPA_HEALTH_LIVE;
    kappa_buf_printf(&body, "{\"status\":\"%s\",",
        klcf->health == NGX_HTTP_KAPPA_HEALTH_LIVE ? "live"
            : good                                 ? "ready"
                                                   : "not ready");
    kappa_buf_str(&body, kappa_buf_view(&apps));
    answer.outcome = good ? KAPPA_OUTCOME_DATA : KAPPA_OUTCOME_UNAVAILABLE;
    answer.retry_after = good ? 0 : 1;
    rc = body.failed || apps.failed
        ? NGX_HTTP_INTERNAL_SERVER_ERROR
        : ngx_http_kappa_send(r, &answer, kappa_buf_view(&body));
    kappa_buf_release(&apps);
    kappa_buf_release(&body);
    return rc;
}
