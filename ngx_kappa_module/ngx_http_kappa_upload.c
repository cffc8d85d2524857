#include "ngx_kappa_module/ngx_http_kappa.h"

#include "base/time.h"
#include "log/ndjson.h"
#include "log/position.h"
#include "proto/traceparent.h"

/* POST /events: NDJSON of any length in constant memory. The body is read as
 * it comes; while a batch is on its way to the log nothing more is read, so
 * the sender is held back by TCP. Of a sender who takes his time, what came is
 * appended meanwhile. */

/* So long a batch waits for more of the body, and those who listen for it. */
#define IDLE_MS 10
/* So long the rest of a body is passed by, after an answer. */
#define LINGER_MS 5000
/* Bytes that are read before others have their turn, though no batch came of
 * them (blank lines). */
#define BYTES_A_TURN (256 * 1024)

typedef struct {
    ngx_http_kappa_note_t note;  /* first: a note is its upload */
    ngx_http_request_t *request; /* NULL: the client is gone */
    ngx_http_kappa_app_t *app;
    const kappa_identity_t *identity;
    kappa_str_t traceparent;
    char traceparent_text[KAPPA_TRACEPARENT_CHARS_MAX];
    kappa_job_t job;
    ngx_event_t more; /* timer: no more came; posted: others had their turn */
    size_t taken;     /* bytes in this turn */
    bool committing;
    bool over;        /* answered: the rest of the body is passed by */
    bool wrong;       /* a line could not be read: what stood before it is
                         committed, then it is refused */
    kappa_str_t rest; /* of the body's buffer that is being fed */
    kappa_buf_t held; /* its bytes */
    uint64_t appended;
    uint64_t duplicates;
    uint64_t seq; /* of the last one appended; 0: none */
    kappa_ndjson_t ndjson;
} ngx_http_kappa_upload_t;

static void ngx_http_kappa_upload_go_on(ngx_http_kappa_upload_t *upload);

static void
ngx_http_kappa_upload_destroy(ngx_http_kappa_upload_t *upload)
{
    kappa_ndjson_release(&upload->ndjson);
    kappa_buf_release(&upload->held);
    kappa_identity_release(upload->identity);
    kappa_alloc_libc.release(kappa_alloc_libc.ctx, upload);
}

static void
ngx_http_kappa_upload_stop_waiting(ngx_http_kappa_upload_t *upload)
{
    upload->taken = 0;
    if (upload->more.timer_set) {
        ngx_del_timer(&upload->more);
    }
    if (upload->more.posted) {
        ngx_delete_posted_event(&upload->more);
    }
}

static void
ngx_http_kappa_upload_finalize(ngx_http_kappa_upload_t *upload, ngx_int_t rc)
{
    ngx_http_kappa_upload_stop_waiting(upload);
    if (upload->over && rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        rc = NGX_ERROR; /* it had its answer */
    }
    ngx_http_finalize_request(upload->request, rc);
}

/* The request ends; a batch on its way is waited for. */
static void
ngx_http_kappa_upload_cleanup(void *data)
{
    ngx_http_kappa_upload_t *upload = data;

    ngx_http_kappa_upload_stop_waiting(upload);
    upload->request = NULL;
    if (!upload->committing) {
        ngx_http_kappa_upload_destroy(upload);
    }
}

/* --- answers --- */

/* Where its last event is; if none is, where the views stand. */
static uint64_t
ngx_http_kappa_upload_seq(const ngx_http_kappa_upload_t *upload)
{
    return upload->seq ? upload->seq
                       : kappa_store_position(upload->app->store_handle);
}

/* "position":…,"appended":…,"duplicates":… */
static void
ngx_http_kappa_upload_write_sums(
    ngx_http_kappa_upload_t *upload, kappa_buf_t *buf)
{
    char text[KAPPA_POSITION_CHARS_MAX];
    kappa_str_t position = kappa_store_position_text(
        upload->app->store_handle, ngx_http_kappa_upload_seq(upload), text);

    kappa_buf_printf(buf,
        "\"position\":\"%.*s\",\"appended\":%llu,\"duplicates\":%llu",
        KAPPA_STR_ARG(position), (unsigned long long)upload->appended,
        (unsigned long long)upload->duplicates);
}

/* nginx resets a stream of HTTP/2 that it ends before the body has ended, and
 * clients such as curl then forget what they were answered. So the answer
 * stays open while the rest is passed by, for a time. */
static void
ngx_http_kappa_upload_linger(ngx_http_kappa_upload_t *upload,
    const ngx_http_kappa_answer_t *answer, kappa_str_t text)
{
    ngx_http_request_t *r = upload->request;
    ngx_int_t rc = ngx_http_kappa_send_header(r, answer, (off_t)text.len);
    ngx_buf_t *b = ngx_create_temp_buf(r->pool, text.len);

    if (rc == NGX_ERROR || rc > NGX_OK || b == NULL) {
        ngx_http_kappa_upload_finalize(upload, b ? rc : NGX_ERROR);
        return;
    }
    b->last = ngx_cpymem(b->last, text.data, text.len);
    b->flush = 1;
    ngx_chain_t out = { b, NULL };
    if (ngx_http_output_filter(r, &out) == NGX_ERROR) {
        ngx_http_kappa_upload_finalize(upload, NGX_ERROR);
        return;
    }
    upload->over = true;
    ngx_http_kappa_upload_stop_waiting(upload);
    ngx_add_timer(&upload->more, LINGER_MS);
    ngx_http_kappa_upload_go_on(upload);
}

static void
ngx_http_kappa_upload_end(ngx_http_kappa_upload_t *upload,
    kappa_http_outcome_t outcome, kappa_buf_t *body)
{
    ngx_http_request_t *r = upload->request;
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    ngx_http_kappa_answer_t answer = ngx_http_kappa_answer(ctx, outcome);

    answer.seq = ngx_http_kappa_upload_seq(upload);
    answer.media = KAPPA_MEDIA_JSON;
    answer.retry_after = outcome == KAPPA_OUTCOME_UNAVAILABLE ? 1 : 0;
    /* What is left of a body that is not wanted would be taken for the next
     * request. */
    if (outcome != KAPPA_OUTCOME_DATA) {
        r->keepalive = 0;
    }
    if (r->stream != NULL && r->reading_body && !body->failed) {
        ngx_http_kappa_upload_linger(upload, &answer, kappa_buf_view(body));
        kappa_buf_release(body);
        return;
    }
    ngx_int_t rc = body->failed
        ? NGX_HTTP_INTERNAL_SERVER_ERROR
        : ngx_http_kappa_send(r, &answer, kappa_buf_view(body));
    kappa_buf_release(body);
    ngx_http_kappa_upload_finalize(upload, rc);
}

static void
ngx_http_kappa_upload_done(ngx_http_kappa_upload_t *upload)
{
    kappa_buf_t body;

    kappa_buf_init(&body, &kappa_alloc_libc);
    kappa_buf_char(&body, '{');
    ngx_http_kappa_upload_write_sums(upload, &body);
    KAPPA_BUF_LIT(&body, "}");
    ngx_http_kappa_upload_end(upload, KAPPA_OUTCOME_DATA, &body);
}

/* What became of the lines from the one that is named on. */
static const char *
ngx_http_kappa_upload_rest(const char *code)
{
    return ngx_strcmp(code, "OUTCOME_UNKNOWN") == 0
        ? "whether it and lines behind it are in the log can't be known, "
          "those "
          "before it are; send them again: an id is taken once"
        : "nothing from it on was appended, the lines before it are in the "
          "log";
}

/* line 0: no line is to blame. */
static void
ngx_http_kappa_upload_fail(ngx_http_kappa_upload_t *upload, uint64_t line,
    const char *code, kappa_str_t why, kappa_http_outcome_t outcome)
{
    kappa_arena_t *arena = upload->ndjson.arena;
    kappa_errors_t errors;
    kappa_buf_t body;

    kappa_errors_init(&errors, arena, 1);
    if (line > 0) {
        /* A check's message is a sentence; this one goes on. */
        why.len -= why.len > 0 && why.data[why.len - 1] == '.';
        kappa_errors_add(&errors, code, "line %llu: %.*s; %s",
            (unsigned long long)line, KAPPA_STR_ARG(why),
            ngx_http_kappa_upload_rest(code));
    } else {
        kappa_errors_add(&errors, code, "%.*s", KAPPA_STR_ARG(why));
    }
    ngx_http_kappa_note_error(upload->request, code);
    kappa_buf_init(&body, &kappa_alloc_libc);
    kappa_response_errors(&body, &errors);
    if (body.len > 0) { /* members more before the closing brace */
        body.len--;
        kappa_buf_char(&body, ',');
        if (line > 0) {
            kappa_buf_printf(
                &body, "\"line\":%llu,", (unsigned long long)line);
        }
        ngx_http_kappa_upload_write_sums(upload, &body);
        kappa_buf_char(&body, '}');
    }
    ngx_http_kappa_upload_end(upload, outcome, &body);
}

/* --- batches --- */

/* On the append thread. */
static void
ngx_http_kappa_upload_job_done(kappa_job_t *job)
{
    ngx_http_kappa_upload_t *upload = job->owner;

    ngx_http_kappa_ring(&upload->note);
}

static void
ngx_http_kappa_upload_commit(ngx_http_kappa_upload_t *upload)
{
    kappa_ndjson_t *ndjson = &upload->ndjson;

    ngx_http_kappa_upload_stop_waiting(upload);
    if (ngx_http_kappa_expired(upload->request)) {
        ngx_http_kappa_upload_fail(upload, ndjson->lines[0], "UNAUTHENTICATED",
            KAPPA_STR("the token has expired meanwhile"),
            KAPPA_OUTCOME_UNAUTHENTICATED);
        return;
    }
    upload->job = (kappa_job_t){
        .events = ndjson->events,
        .event_count = ndjson->count,
        .version = kappa_store_version(upload->app->store_handle),
        .now_ms = kappa_now_ms(),
        .traceparent = upload->traceparent,
        .arena = ndjson->arena,
        .done = ngx_http_kappa_upload_job_done,
        .owner = upload,
    };
    if (upload->identity != NULL) {
        upload->job.caller = upload->identity->caller;
    }
    kappa_buf_init(&upload->job.response, &kappa_alloc_libc);
    if (upload->app->appender == NULL
        || kappa_appender_submit(upload->app->appender, &upload->job)
            != KAPPA_OK) {
        ngx_http_kappa_upload_fail(upload, ndjson->lines[0], "OVERLOADED",
            KAPPA_STR("too many mutations are waiting"),
            KAPPA_OUTCOME_UNAVAILABLE);
        return;
    }
    upload->committing = true;
    ngx_http_kappa_hold();
}

/* The store did not take it: the client's mistake, or ours. */
static void
ngx_http_kappa_upload_refused(ngx_http_kappa_upload_t *upload)
{
    kappa_job_t *job = &upload->job;
    uint64_t line = job->failed < upload->ndjson.count
        ? upload->ndjson.lines[job->failed]
        : 0;

    ngx_http_kappa_upload_fail(upload, line,
        job->code ? job->code : "LOG_UNAVAILABLE", job->message,
        job->status == KAPPA_INVALID ? KAPPA_OUTCOME_BAD_REQUEST
                                     : KAPPA_OUTCOME_UNAVAILABLE);
}

static void
ngx_http_kappa_upload_committed(ngx_http_kappa_upload_t *upload)
{
    kappa_job_t *job = &upload->job;

    upload->appended += job->appended;
    upload->duplicates += job->duplicates;
    upload->seq = job->seq ? job->seq : upload->seq;
    if (job->status != KAPPA_OK) {
        ngx_http_kappa_upload_refused(upload);
        return;
    }
    if (upload->wrong) {
        ngx_http_kappa_upload_fail(upload, upload->ndjson.line,
            upload->ndjson.code, upload->ndjson.reason,
            KAPPA_OUTCOME_BAD_REQUEST);
        return;
    }
    kappa_ndjson_clear(&upload->ndjson);
    ngx_http_kappa_upload_go_on(upload);
}

/* Only here: elsewhere nginx runs posted requests itself, and within the
 * content handler it still needs the request. */
static void
ngx_http_kappa_upload_back(ngx_http_kappa_note_t *note)
{
    ngx_http_kappa_upload_t *upload = (ngx_http_kappa_upload_t *)note;

    ngx_http_kappa_unhold();
    upload->committing = false;
    kappa_buf_release(&upload->job.response);
    if (upload->request == NULL) {
        ngx_http_kappa_upload_destroy(upload);
        return;
    }
    ngx_connection_t *c = upload->request->connection;
    ngx_http_kappa_upload_committed(upload);
    ngx_http_run_posted_requests(c);
}

/* --- the body --- */

/* A line is wrong: what stood before it goes first. */
static void
ngx_http_kappa_upload_wrong(ngx_http_kappa_upload_t *upload)
{
    if (upload->ndjson.count > 0) {
        upload->wrong = true;
        ngx_http_kappa_upload_commit(upload);
        return;
    }
    ngx_http_kappa_upload_fail(upload, upload->ndjson.line,
        upload->ndjson.code, upload->ndjson.reason, KAPPA_OUTCOME_BAD_REQUEST);
}

/* False: a batch is on its way, or the upload is over. */
static bool
ngx_http_kappa_upload_step(
    ngx_http_kappa_upload_t *upload, kappa_status_t status)
{
    switch (status) {
    case KAPPA_OK:
        return true;
    case KAPPA_BUSY:
        ngx_http_kappa_upload_commit(upload);
        return false;
    case KAPPA_INVALID:
        ngx_http_kappa_upload_wrong(upload);
        return false;
    default:
        ngx_http_kappa_upload_finalize(upload, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return false;
    }
}

static void
ngx_http_kappa_upload_last(ngx_http_kappa_upload_t *upload)
{
    if (upload->over) {
        ngx_http_kappa_upload_finalize(
            upload, ngx_http_send_special(upload->request, NGX_HTTP_LAST));
        return;
    }
    if (!ngx_http_kappa_upload_step(
            upload, kappa_ndjson_end(&upload->ndjson))) {
        return;
    }
    if (upload->ndjson.count > 0) {
        ngx_http_kappa_upload_commit(upload);
        return;
    }
    ngx_http_kappa_upload_done(upload);
}

/* The next buffers that nginx has read, as one piece; they are given back. */
static ngx_int_t
ngx_http_kappa_upload_take(ngx_http_kappa_upload_t *upload)
{
    ngx_http_request_t *r = upload->request;
    ngx_chain_t *cl = r->request_body->bufs;

    kappa_buf_reset(&upload->held);
    while (cl != NULL) {
        ngx_chain_t *next = cl->next;
        ngx_buf_t *b = cl->buf;

        if (b->in_file && !ngx_buf_in_memory(b)) {
            return NGX_ERROR; /* unbuffered bodies never are */
        }
        kappa_buf_add(&upload->held, b->pos, (size_t)(b->last - b->pos));
        b->pos = b->last;
        ngx_free_chain(r->pool, cl);
        cl = next;
    }
    r->request_body->bufs = NULL;
    upload->rest = kappa_buf_view(&upload->held);
    upload->taken += upload->rest.len;
    ngx_http_kappa_count(
        upload->app, NGX_HTTP_KAPPA_UPLOAD_BYTES, upload->rest.len);
    return upload->held.failed ? NGX_ERROR : NGX_OK;
}

/* The read handler comes back when there is more. */
static void
ngx_http_kappa_upload_pause(ngx_http_kappa_upload_t *upload)
{
    upload->taken = 0;
    if (!upload->over && upload->ndjson.count > 0 && !upload->more.timer_set) {
        ngx_add_timer(&upload->more, IDLE_MS);
    }
}

static void
ngx_http_kappa_upload_go_on(ngx_http_kappa_upload_t *upload)
{
    ngx_http_request_t *r = upload->request;

    for (;;) {
        if (!upload->over
            && !ngx_http_kappa_upload_step(
                upload, kappa_ndjson_feed(&upload->ndjson, &upload->rest))) {
            return;
        }
        if (upload->taken >= BYTES_A_TURN) {
            upload->taken = 0;
            ngx_post_event(&upload->more, &ngx_posted_next_events);
            return;
        }
        if (r->request_body->bufs == NULL && r->reading_body) {
            ngx_int_t rc = ngx_http_read_unbuffered_request_body(r);

            if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
                ngx_http_kappa_upload_finalize(upload, rc);
                return;
            }
            if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
                ngx_http_kappa_upload_pause(upload);
                return;
            }
        }
        if (r->request_body->bufs == NULL && !r->reading_body) {
            ngx_http_kappa_upload_last(upload);
            return;
        }
        if (ngx_http_kappa_upload_take(upload) != NGX_OK) {
            ngx_http_kappa_upload_finalize(
                upload, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }
    }
}

static void
ngx_http_kappa_upload_more(ngx_event_t *ev)
{
    ngx_http_kappa_upload_t *upload = ev->data;
    ngx_connection_t *c = upload->request->connection;

    if (ev->timedout) {
        ev->timedout = 0;
        upload->over ? ngx_http_kappa_upload_last(upload)
                     : ngx_http_kappa_upload_commit(upload);
    } else {
        ngx_http_kappa_upload_go_on(upload);
    }
    ngx_http_run_posted_requests(c);
}

static void
ngx_http_kappa_upload_readable(ngx_http_request_t *r)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);
    ngx_http_kappa_upload_t *upload = ctx->stream;

    if (r->connection->read->timedout) {
        r->connection->timedout = 1;
        ngx_http_kappa_upload_finalize(upload, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }
    if (!upload->committing && !upload->more.posted) {
        ngx_http_kappa_upload_go_on(upload);
    }
}

static void
ngx_http_kappa_upload_body_handler(ngx_http_request_t *r)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(r, ngx_http_kappa_module);

    if (r->request_body == NULL) { /* a subrequest that was given none */
        ngx_http_finalize_request(r, NGX_HTTP_BAD_REQUEST);
        return;
    }
    r->read_event_handler = ngx_http_kappa_upload_readable;
    ngx_http_kappa_upload_go_on(ctx->stream);
}

/* A batch may outlive the request. */
static bool
ngx_http_kappa_upload_note_trace(ngx_http_kappa_upload_t *upload)
{
    ngx_http_kappa_ctx_t *ctx =
        ngx_http_get_module_ctx(upload->request, ngx_http_kappa_module);
    kappa_str_t text;

    if (!ngx_http_kappa_traceparent(upload->request, ctx->op.arena, &text)) {
        return false;
    }
    if (text.data != NULL) {
        ngx_memcpy(upload->traceparent_text, text.data, text.len);
        upload->traceparent = kappa_str(upload->traceparent_text, text.len);
    }
    return true;
}

ngx_int_t
ngx_http_kappa_upload(ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx)
{
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, 0);
    ngx_http_kappa_upload_t *upload =
        kappa_alloc_libc.alloc(kappa_alloc_libc.ctx, sizeof(*upload));

    if (cleanup == NULL || upload == NULL) {
        kappa_alloc_libc.release(kappa_alloc_libc.ctx, upload);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    memset(upload, 0, offsetof(ngx_http_kappa_upload_t, ndjson));
    kappa_buf_init(&upload->held, &kappa_alloc_libc);
    if (kappa_ndjson_init(&upload->ndjson, &kappa_alloc_libc) != KAPPA_OK) {
        kappa_alloc_libc.release(kappa_alloc_libc.ctx, upload);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    upload->note.handler = ngx_http_kappa_upload_back;
    upload->more.handler = ngx_http_kappa_upload_more;
    upload->more.data = upload;
    upload->more.log = r->connection->log;
    upload->request = r;
    upload->app = ctx->op.app;
    upload->identity = kappa_identity_retain(ctx->op.identity);
    cleanup->handler = ngx_http_kappa_upload_cleanup;
    cleanup->data = upload;
    ctx->stream = upload;
    if (!ngx_http_kappa_upload_note_trace(upload)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    r->request_body_no_buffering = 1;
    ngx_int_t rc = ngx_http_read_client_request_body(
        r, ngx_http_kappa_upload_body_handler);
    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}
