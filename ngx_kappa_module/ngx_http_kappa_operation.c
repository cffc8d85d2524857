#include "ngx_kappa_module/ngx_http_kappa.h"

#include "base/json.h"
#include "base/time.h"
#include "log/position.h"

/* One GraphQL operation, whatever transport it came by: planned, then read,
 * handed to the append thread, or joined to its group. */

void
ngx_http_kappa_operation_release(ngx_http_kappa_operation_t *op)
{
    kappa_plan_release(op->plan);
    kappa_identity_release(op->identity);
    if (op->arena != NULL) {
        ngx_http_kappa_arena_put(op->arena);
    }
    op->plan = NULL;
    op->identity = NULL;
    op->arena = NULL;
}

const kappa_caller_t *
ngx_http_kappa_caller(const ngx_http_kappa_operation_t *op)
{
    static const kappa_caller_t anonymous;

    return op->identity ? &op->identity->caller : &anonymous;
}

/* --- planning --- */

static kappa_documents_t *
ngx_http_kappa_documents(ngx_http_kappa_loc_conf_t *klcf, kappa_store_t *store)
{
    uint64_t version = kappa_store_version(store);

    if (klcf->documents != NULL && klcf->documents_version == version) {
        return klcf->documents;
    }
    if (klcf->documents != NULL) {
        ngx_http_kappa_gauge(klcf->app, NGX_HTTP_KAPPA_DOCUMENT_BYTES,
            -(int64_t)kappa_documents_stats(klcf->documents).bytes);
    }
    ngx_http_kappa_answers_clear();
    kappa_documents_destroy(klcf->documents);
    kappa_document_limits_t limits = {
        .max_depth = (uint32_t)klcf->limit_depth,
        .max_tokens = (uint32_t)klcf->limit_tokens,
        .max_aliases = (uint32_t)klcf->limit_aliases,
        .max_root_fields = (uint32_t)klcf->limit_root_fields,
        .max_directives = (uint32_t)klcf->limit_directives,
        .no_introspection = !klcf->introspection,
    };
    klcf->documents = kappa_documents_create(
        &kappa_alloc_libc, kappa_store_model(store)->schema, &limits);
    klcf->documents_version = version;
    return klcf->documents;
}

static kappa_status_t
ngx_http_kappa_check_cost(
    ngx_http_kappa_operation_t *op, kappa_errors_t *errors)
{
    double limit = (double)op->klcf->limit_cost;
    kappa_status_t status =
        kappa_plan_cost(op->plan, op->variables, op->arena, &op->cost);

    op->cost_known = status == KAPPA_OK;
    if (status != KAPPA_OK
        || (op->cost.field <= limit && op->cost.type <= limit)) {
        return status;
    }
    kappa_errors_add(errors, "LIMIT_EXCEEDED",
        "The operation may cost %.0f for its fields and %.0f for its values, "
        "past the limit of %.0f. Ask for less at once.",
        op->cost.field, op->cost.type, limit);
    return KAPPA_LIMIT;
}

/* The worker's texts by hash: they are no application's. */
static kappa_persisted_t *
ngx_http_kappa_persisted(void)
{
    static kappa_persisted_t *persisted;

    if (persisted == NULL) {
        persisted = kappa_persisted_create(&kappa_alloc_libc, 0);
    }
    return persisted;
}

/* The document by its hash or id, where the request has one. */
static kappa_status_t
ngx_http_kappa_resolve(ngx_http_kappa_operation_t *op,
    kappa_persisted_key_t *key, kappa_errors_t *errors)
{
    kappa_persisted_t *persisted = ngx_http_kappa_persisted();
    kappa_persisted_request_t request = {
        .document_id = op->params.document_id,
        .extensions = &op->params.extensions,
        .trusted = op->app->trusted,
        .trusted_only = op->klcf->documents_only,
    };

    if (persisted == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = kappa_persisted_resolve(
        persisted, &request, op->arena, &op->params.query, key, errors);

    if (status == KAPPA_OK && op->params.query.data == NULL) {
        kappa_errors_add(errors, "BAD_USER_INPUT",
            "the request has no \"query\": send the document's text");
        status = KAPPA_INVALID;
    }
    op->malformed = status == KAPPA_INVALID && errors->first != NULL
        && strcmp(errors->first->code, "BAD_USER_INPUT") == 0;
    return status;
}

static kappa_status_t
ngx_http_kappa_plan(ngx_http_kappa_operation_t *op, kappa_errors_t *errors)
{
    kappa_persisted_key_t key;
    kappa_documents_t *documents =
        ngx_http_kappa_documents(op->klcf, op->app->store_handle);

    if (documents == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = ngx_http_kappa_resolve(op, &key, errors);
    if (status != KAPPA_OK) {
        return status;
    }
    op->version = op->klcf->documents_version;
    kappa_documents_stats_t before = kappa_documents_stats(documents);
    status = kappa_documents_get(documents, op->params.query,
        op->params.operation_name, &op->plan, errors);
    kappa_documents_stats_t now = kappa_documents_stats(documents);
    ngx_http_kappa_count_documents(op->app, &before, &now);
    if (status != KAPPA_OK) {
        return status;
    }
    kappa_persisted_keep(ngx_http_kappa_persisted(), &key, op->params.query);
    status = kappa_plan_variables(
        op->plan, &op->params.variables, op->arena, &op->variables, errors);
    return status == KAPPA_OK ? ngx_http_kappa_check_cost(op, errors) : status;
}

/* What a status of the store means to a client. */
static kappa_status_t
ngx_http_kappa_trouble(kappa_status_t status, kappa_errors_t *errors)
{
    if (status == KAPPA_BUSY) {
        kappa_errors_add(errors, "VIEWS_REBUILDING",
            "the views are being rebuilt from the log: try again soon");
    } else if (status == KAPPA_IO) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "the store can't be used; the server's log says why");
    } else if (status == KAPPA_CONFLICT) {
        kappa_errors_add(errors, "SCHEMA_CHANGED",
            "the schema changed meanwhile: send it again");
    }
    return status;
}

kappa_status_t
ngx_http_kappa_prepare(ngx_http_kappa_operation_t *op, kappa_errors_t *errors)
{
    if (op->app->store_handle == NULL) {
        return ngx_http_kappa_trouble(KAPPA_IO, errors);
    }
    kappa_status_t status = ngx_http_kappa_plan(op, errors);

    if (status != KAPPA_OK && errors->count == 0) {
        return KAPPA_NOMEM;
    }
    return status;
}

kappa_status_t
ngx_http_kappa_replan(ngx_http_kappa_operation_t *op, kappa_errors_t *errors)
{
    kappa_operation_type_t operation = kappa_plan_operation(op->plan);

    kappa_plan_release(op->plan);
    op->plan = NULL;
    kappa_status_t status = ngx_http_kappa_prepare(op, errors);
    if (status == KAPPA_OK && kappa_plan_operation(op->plan) != operation) {
        status = KAPPA_CONFLICT; /* the document is the same */
    }
    return status;
}

/* --- reading --- */

static kappa_status_t
ngx_http_kappa_read_once(ngx_http_kappa_operation_t *op, kappa_buf_t *out,
    kappa_outcome_t *outcome, uint64_t *seq)
{
    ngx_time_t *now = ngx_timeofday();
    kappa_read_options_t options = { .caller = ngx_http_kappa_caller(op),
        .now_ms = (int64_t)now->sec * 1000 + now->msec,
        .version = op->version };
    kappa_snapshot_t *snapshot;
    kappa_status_t status =
        kappa_snapshot_begin(op->app->store_handle, &options, &snapshot);

    if (status != KAPPA_OK) {
        return status;
    }
    *seq = kappa_snapshot_position(snapshot);
    status = kappa_execute(op->plan, op->variables,
        kappa_snapshot_data(snapshot), op->arena, out, outcome);
    op->standing = kappa_snapshot_standing(snapshot);
    op->personal = kappa_snapshot_personal(snapshot);
    kappa_snapshot_end(snapshot);
    return status;
}

kappa_status_t
ngx_http_kappa_read(ngx_http_kappa_operation_t *op, kappa_buf_t *out,
    kappa_outcome_t *outcome, uint64_t *seq, kappa_errors_t *errors)
{
    kappa_status_t status = KAPPA_OK;

    for (int i = 0; i <= NGX_HTTP_KAPPA_REPLANS_MAX; i++) {
        status = ngx_http_kappa_read_once(op, out, outcome, seq);
        if (status != KAPPA_CONFLICT) {
            break;
        }
        status = ngx_http_kappa_replan(op, errors);
        if (status != KAPPA_OK) {
            return status;
        }
        status = KAPPA_CONFLICT;
    }
    return ngx_http_kappa_trouble(status, errors);
}

kappa_str_t
ngx_http_kappa_extensions(
    ngx_http_kappa_operation_t *op, uint64_t seq, bool duplicate, char *out)
{
    char text[KAPPA_POSITION_CHARS_MAX];
    kappa_str_t position =
        kappa_store_position_text(op->app->store_handle, seq, text);
    u_char *end = ngx_snprintf((u_char *)out, NGX_HTTP_KAPPA_EXTENSIONS,
        "\"kappa\":{\"position\":\"%*s\"%s}", position.len, position.data,
        duplicate ? ",\"duplicate\":true" : "");

    return kappa_str(out, (size_t)(end - (u_char *)out));
}

/* --- subscribing --- */

/* Where the client stopped: extensions.kappa.after or last_event_id. */
static kappa_str_t
ngx_http_kappa_after_text(
    const ngx_http_kappa_operation_t *op, kappa_str_t last_event_id)
{
    const kappa_value_t *kappa =
        kappa_value_member(&op->params.extensions, KAPPA_STR("kappa"));
    const kappa_value_t *after =
        kappa ? kappa_value_member(kappa, KAPPA_STR("after")) : NULL;

    return after != NULL && after->kind == KAPPA_STRING ? after->as.string
                                                        : last_event_id;
}

/* Document, operation and variables as bytes. */
static kappa_str_t
ngx_http_kappa_identity(ngx_http_kappa_operation_t *op)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_json_string(&buf, op->params.query);
    if (op->params.operation_name.data != NULL) {
        kappa_json_string(&buf, op->params.operation_name);
    }
    kappa_json_value(&buf, &op->params.variables);
    kappa_str_t identity = buf.failed
        ? KAPPA_STR_NULL
        : kappa_str_dup(op->arena, kappa_buf_view(&buf));
    kappa_buf_release(&buf);
    return identity;
}

static kappa_status_t
ngx_http_kappa_join_once(ngx_http_kappa_operation_t *op, kappa_str_t after,
    kappa_subscriber_t *subscriber, kappa_errors_t *errors)
{
    kappa_subscription_t subscription = {
        .plan = op->plan,
        .variables = op->variables,
        .identity = ngx_http_kappa_identity(op),
        .caller = ngx_http_kappa_caller(op),
        .errors = errors,
    };

    if (subscription.identity.data == NULL) {
        return KAPPA_NOMEM;
    }
    if (after.len > 0) {
        subscription.resume =
            kappa_position_locate(after,
                kappa_store_epoch(op->app->store_handle), &subscription.after)
            == KAPPA_OK;
        subscription.gap = !subscription.resume;
    }
    return kappa_live_join(op->app->live, &subscription, subscriber);
}

/* With another schema in force, groups made for the one before end first. */
static kappa_status_t
ngx_http_kappa_join_group(ngx_http_kappa_operation_t *op, kappa_str_t after,
    kappa_subscriber_t *subscriber, kappa_errors_t *errors)
{
    kappa_status_t status = KAPPA_CONFLICT;

    for (int i = 0;
         i <= NGX_HTTP_KAPPA_REPLANS_MAX && status == KAPPA_CONFLICT; i++) {
        if (i > 0) {
            (void)kappa_live_wake(op->app->live);
            status = ngx_http_kappa_replan(op, errors);
            if (status != KAPPA_OK) {
                return status;
            }
        }
        status = ngx_http_kappa_join_once(op, after, subscriber, errors);
    }
    return ngx_http_kappa_trouble(status, errors);
}

kappa_status_t
ngx_http_kappa_join(ngx_http_kappa_operation_t *op, kappa_str_t last_event_id,
    kappa_subscriber_t *subscriber, kappa_errors_t *errors)
{
    kappa_str_t after = ngx_http_kappa_after_text(op, last_event_id);

    if (op->app->live == NULL) {
        return KAPPA_NOMEM;
    }
    if (op->klcf->subscriptions >= op->klcf->limit_subscriptions) {
        kappa_errors_add(errors, "LIMIT_EXCEEDED",
            "too many subscriptions (kappa_limit_subscriptions)");
        return KAPPA_LIMIT;
    }
    kappa_status_t status =
        ngx_http_kappa_join_group(op, after, subscriber, errors);
    if (status == KAPPA_OK) {
        op->klcf->subscriptions++;
        ngx_http_kappa_count_live(op->app);
    }
    return status;
}

void
ngx_http_kappa_leave(ngx_http_kappa_app_t *app,
    ngx_http_kappa_loc_conf_t *klcf, kappa_subscriber_t *subscriber)
{
    kappa_live_leave(app->live, subscriber);
    ngx_http_kappa_count_live(app);
    klcf->subscriptions--;
}
