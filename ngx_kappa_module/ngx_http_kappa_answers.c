#include "ngx_kappa_module/ngx_http_kappa.h"

/* Answers to queries, kept for who sends the same bytes to the same location
 * while the views stand where they stood.
 *
 * An answer is made of the request's bytes, the location's configuration, the
 * schema, and one state of the views; of the caller and the time only if an
 * expression looked at them, and then it is not kept. So what is kept is what
 * would be computed again. Headers are made for each answer. */

/* One cache for a worker. */
#define ANSWERS_BYTES (16 * 1024 * 1024)
/* Larger ones are neither looked for nor kept. */
#define BODY_BYTES_MAX (16 * 1024)
#define ANSWER_BYTES_MAX (256 * 1024)

typedef struct {
    kappa_standing_t standing;
    uint64_t seq;
    kappa_cost_t cost;
    size_t name_len;
    size_t len;
    char bytes[]; /* the answer, then the operation's name */
} ngx_http_kappa_kept_t;

static kappa_cache_t *ngx_http_kappa_kept;

static void
ngx_http_kappa_release_kept(void *ctx, void *kept)
{
    (void)ctx;
    kappa_alloc_libc.release(kappa_alloc_libc.ctx, kept);
}

/* Without memory for the cache all is computed each time. */
static kappa_cache_t *
ngx_http_kappa_answers(void)
{
    if (ngx_http_kappa_kept == NULL) {
        ngx_http_kappa_kept = kappa_cache_create(&kappa_alloc_libc,
            ANSWERS_BYTES, ngx_http_kappa_release_kept, NULL);
    }
    return ngx_http_kappa_kept;
}

void
ngx_http_kappa_answers_clear(void)
{
    if (ngx_http_kappa_kept != NULL) {
        kappa_cache_clear(ngx_http_kappa_kept);
        ngx_http_kappa_common->gauges[NGX_HTTP_KAPPA_ANSWER_BYTES] = 0;
    }
}

/* The answer kept for the request, if it still holds. */
static const ngx_http_kappa_kept_t *
ngx_http_kappa_find_kept(ngx_http_kappa_ctx_t *ctx, kappa_str_t body)
{
    kappa_cache_t *answers = ngx_http_kappa_answers();
    kappa_standing_t now;

    if (answers == NULL || body.len > BODY_BYTES_MAX
        || ctx->op.app->store_handle == NULL) {
        return NULL;
    }
    ctx->asked = kappa_cache_key(answers,
        kappa_str((const char *)&ctx->op.klcf, sizeof(ctx->op.klcf)), body);
    ctx->repeatable = true;

    const ngx_http_kappa_kept_t *kept = kappa_cache_find(answers, &ctx->asked);
    ctx->known = kept != NULL;
    return kept != NULL
            && kappa_store_standing(ctx->op.app->store_handle, &now)
                == KAPPA_OK
            && now.version == kept->standing.version
            && now.snapshot == kept->standing.snapshot
        ? kept
        : NULL;
}

/* What else a request leaves behind: for variables and headers. */
static void
ngx_http_kappa_recall(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx,
    const ngx_http_kappa_kept_t *kept)
{
    ctx->op.cost = kept->cost;
    ctx->op.cost_known = true;
    ngx_http_kappa_note_operation(r, ctx, KAPPA_OPERATION_QUERY,
        kappa_str(kept->bytes + kept->len, kept->name_len));
}

ngx_int_t
ngx_http_kappa_answers_send(
    ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx, kappa_str_t body)
{
    const ngx_http_kappa_kept_t *kept = ngx_http_kappa_find_kept(ctx, body);
    kappa_media_t media = kappa_graphql_http_choose(&ctx->accept, false);

    if (kept == NULL || media == KAPPA_MEDIA_NONE) {
        return NGX_DECLINED;
    }
    ngx_http_kappa_recall(r, ctx, kept);
    if (ctx->op.begun_us == 0) {
        ctx->op.begun_us = NGX_HTTP_KAPPA_AT_ONCE;
    }
    ngx_http_kappa_count(ctx->op.app, NGX_HTTP_KAPPA_ANSWER_HITS, 1);
    ctx->media = media;
    ngx_http_kappa_answer_t answer = { .media = media,
        .outcome = KAPPA_OUTCOME_DATA,
        .store = ctx->op.app->store_handle,
        .seq = kept->seq };
    return ngx_http_kappa_send(r, &answer, kappa_str(kept->bytes, kept->len));
}

static ngx_http_kappa_kept_t *
ngx_http_kappa_make_kept(
    const ngx_http_kappa_ctx_t *ctx, kappa_str_t bytes, uint64_t seq)
{
    kappa_str_t name = kappa_plan_operation_name(ctx->op.plan);
    ngx_http_kappa_kept_t *kept = kappa_alloc_libc.alloc(
        kappa_alloc_libc.ctx, sizeof(*kept) + bytes.len + name.len);

    if (kept != NULL) {
        *kept = (ngx_http_kappa_kept_t){ .standing = ctx->op.standing,
            .seq = seq,
            .cost = ctx->op.cost,
            .name_len = name.len,
            .len = bytes.len };
        ngx_memcpy(kept->bytes, bytes.data, bytes.len);
        if (name.len > 0) {
            ngx_memcpy(kept->bytes + bytes.len, name.data, name.len);
        }
    }
    return kept;
}

void
ngx_http_kappa_answers_keep(
    ngx_http_kappa_ctx_t *ctx, kappa_str_t bytes, uint64_t seq)
{
    kappa_cache_t *answers = ngx_http_kappa_kept;

    if (!ctx->repeatable) {
        return;
    }
    ngx_http_kappa_count(ctx->op.app, NGX_HTTP_KAPPA_ANSWER_MISSES, 1);
    if (ctx->op.personal || bytes.len > ANSWER_BYTES_MAX
        || (!ctx->known && !kappa_cache_seen(answers, &ctx->asked))) {
        return;
    }
    ngx_http_kappa_kept_t *kept = ngx_http_kappa_make_kept(ctx, bytes, seq);
    if (kept == NULL) {
        return;
    }
    if (!kappa_cache_put(answers, &ctx->asked, kept,
            sizeof(*kept) + kept->len + kept->name_len)) {
        ngx_http_kappa_release_kept(NULL, kept);
    }
    ngx_http_kappa_common->gauges[NGX_HTTP_KAPPA_ANSWER_BYTES] =
        kappa_cache_stats(answers).bytes;
}
