#ifndef NGX_HTTP_KAPPA_H
#define NGX_HTTP_KAPPA_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "auth/cache.h"
#include "base/cache.h"
#include "graphql/documents.h"
#include "graphql/persisted.h"
#include "live/live.h"
#include "log/io.h"
#include "ngx_kappa_module/ngx_http_kappa_metrics.h"
#include "proto/graphql_http.h"
#include "views/appender.h"
#include "views/store.h"

/* What the files of the module share. Who does what:
 *
 *   ngx_http_kappa_module.c    directives, configurations
 *   ngx_http_kappa_conf.c      the kappa block: schema checked, store made
 *   ngx_http_kappa_documents.c its trusted documents
 *   ngx_http_kappa_worker.c    a worker's life: bell, tick, applications
 *   ngx_http_kappa_keeper.c    a thread per application: opens, builds, ticks
 *   ngx_http_kappa_issuer.c    the kappa_issuer block: keys
 *   ngx_http_kappa_auth.c      who asks: tokens, kappa_require
 *   ngx_http_kappa_origin.c    which pages may ask: CORS
 *   ngx_http_kappa_variables.c $kappa_…
 *   ngx_http_kappa_graphql.c   a request: from its bytes to the right path
 *   ngx_http_kappa_await.c     waits for Kappa-Min-Position
 *   ngx_http_kappa_batch.c     several requests in one
 *   ngx_http_kappa_answers.c   answers kept for the same request again
 *   ngx_http_kappa_operation.c an operation of any transport: plan, read,
 *                              join
 *   ngx_http_kappa_mutation.c  the mutation path: a job and its answer
 *   ngx_http_kappa_sse.c       the subscription path over SSE
 *   ngx_http_kappa_ws.c        graphql-transport-ws: the connection
 *   ngx_http_kappa_ws_operation.c  its messages and operations
 *   ngx_http_kappa_events.c    /events: the log read and tailed
 *   ngx_http_kappa_upload.c    /events: events taken in
 *   ngx_http_kappa_flow.c      answers that come bit by bit
 *   ngx_http_kappa_send.c      answers
 *   ngx_http_kappa_cache.c     what caches may do with them
 *   ngx_http_kappa_health.c    kappa_health
 *   ngx_http_kappa_graphiql.c  kappa_graphiql: the page and its files
 *   ngx_http_kappa_metrics.c   kappa_metrics: where it is counted,
 *                              _count.c how, _page.c what was
 */

extern ngx_module_t ngx_http_kappa_module;

/* Something a thread wants done on the event loop. */
typedef struct ngx_http_kappa_note_s ngx_http_kappa_note_t;
struct ngx_http_kappa_note_s {
    void (*handler)(ngx_http_kappa_note_t *note);
    ngx_http_kappa_note_t *next;
};

typedef struct ngx_http_kappa_keeper_s ngx_http_kappa_keeper_t;
typedef struct ngx_http_kappa_graphiql_s ngx_http_kappa_graphiql_t;

/* kappa NAME { }. */
typedef struct {
    ngx_str_t name;
    ngx_str_t schema; /* file */
    ngx_str_t schema_text;
    ngx_str_t store; /* directory */
    size_t map_size;
    ngx_str_t documents;           /* directory; data NULL: none */
    kappa_trusted_t *trusted;      /* what is in it; NULL: no directory */
    ngx_msec_t wait;               /* for a position, at most */
    ngx_msec_t idempotency_window; /* 0: the log's lifetime */
    ngx_uint_t trusted_only;       /* some location has kappa_documents_only */
    ngx_uint_t declared;           /* a block, not just a mention */
    ngx_str_t mention; /* where it was mentioned first: file:line */
    ngx_uint_t block;  /* its number in the slots of the metrics */

    /* in a worker */
    kappa_store_t *store_handle; /* NULL: not open */
    kappa_appender_t *appender;
    kappa_live_t *live;
    ngx_http_kappa_keeper_t *keeper;
    ngx_connection_t *tail;         /* inotify on STORE/tail; or NULL */
    bool unwatched;                 /* it can't be had, which was told */
    ngx_event_t wake;               /* posted: kappa_live_wake */
    ngx_queue_t streams;            /* open SSE streams */
    ngx_queue_t sockets;            /* open WebSockets */
    ngx_queue_t tails;              /* open tails of /events */
    ngx_queue_t waits;              /* requests that wait for a position */
    ngx_http_kappa_block_t *counts; /* this worker's; never NULL */
    kappa_live_stats_t live_before; /* what of live is counted */
} ngx_http_kappa_app_t;

typedef struct {
    ngx_array_t apps;     /* ngx_http_kappa_app_t * */
    ngx_array_t issuers;  /* kappa_issuer_t * */
    kappa_arena_t *arena; /* what the configuration makes; ends with it */
    ngx_shm_zone_t *metrics_zone; /* NULL: there is no kappa_metrics */
    void *metrics;                /* what is in it */
} ngx_http_kappa_main_conf_t;

typedef struct {
    ngx_http_kappa_app_t *app; /* kappa_graphql */
    ngx_flag_t introspection;
    ngx_flag_t documents_only;
    ngx_uint_t limit_depth;
    ngx_uint_t limit_tokens;
    ngx_uint_t limit_aliases;
    ngx_uint_t limit_root_fields;
    ngx_uint_t limit_directives;
    ngx_uint_t limit_cost;
    ngx_uint_t limit_batch;
    ngx_uint_t limit_subscriptions;
    ngx_msec_t heartbeat;
    ngx_uint_t status_codes;
    ngx_uint_t health;            /* of kappa_health */
    ngx_http_kappa_app_t *events; /* kappa_events */
    ngx_str_t read_scope;
    ngx_str_t write_scope;
    ngx_uint_t auth;        /* NGX_HTTP_KAPPA_AUTH_… */
    ngx_str_t token_cookie; /* its name; data NULL: the header */
    ngx_flag_t token_set;
    kappa_expr_t *require;
    ngx_array_t *origins; /* ngx_str_t; NULL: the same origin only */
    ngx_http_kappa_graphiql_t *graphiql; /* NULL: off */

    /* in a worker */
    kappa_documents_t *documents;
    uint64_t documents_version; /* of the model they were planned for */
    ngx_uint_t subscriptions;   /* open */
} ngx_http_kappa_loc_conf_t;

/* begun_us of what is answered sooner than a clock is read. */
#define NGX_HTTP_KAPPA_AT_ONCE (-1)

/* One GraphQL operation, whatever transport it came by. */
typedef struct {
    ngx_http_kappa_app_t *app;
    ngx_http_kappa_loc_conf_t *klcf;
    const kappa_identity_t *identity; /* NULL: anonymous */
    kappa_graphql_params_t params;
    kappa_plan_t *plan;
    uint64_t version; /* of the model it was planned for */
    const kappa_value_t *variables;
    bool malformed;    /* refused as no request at all: 400 */
    kappa_cost_t cost; /* what it may cost */
    bool cost_known;
    kappa_standing_t standing; /* of the views, once they were read */
    bool personal;        /* what was read depends on who asked, or when */
    kappa_arena_t *arena; /* what params and variables live in */
    int64_t begun_us;     /* when all of it had come; 0: not yet */
} ngx_http_kappa_operation_t;

/* A mutation on its way to the append thread and back. */
typedef struct ngx_http_kappa_mutation_s ngx_http_kappa_mutation_t;
struct ngx_http_kappa_mutation_s {
    ngx_http_kappa_note_t note; /* first: a note is its mutation */
    kappa_job_t job;
    ngx_http_kappa_operation_t op;
    void (*answer)(ngx_http_kappa_mutation_t *mutation);
    ngx_uint_t replans; /* how often the schema changed on its way */
    void *owner;        /* NULL: gone, nobody is answered */
};

/* An answer that comes bit by bit. */
typedef struct {
    ngx_http_request_t *request;
    ngx_buf_t b;
    ngx_chain_t link;
    kappa_buf_t out; /* what is being sent; the owner fills it */
    bool writing;    /* nginx holds bytes of out: leave it alone */
} ngx_http_kappa_flow_t;

/* What is known of a request: who asks (any location), and on a GraphQL
 * location what. */
typedef struct {
    ngx_uint_t authenticated; /* kappa_auth has been looked at */
    ngx_http_kappa_operation_t op;
    kappa_accept_t accept;
    ngx_table_elt_t *min_position; /* Kappa-Min-Position; NULL: none */
    bool cost_asked;               /* by a header Kappa-Cost */
    kappa_media_t media;           /* of the answer */
    void *stream;                  /* a subscription's, or a WebSocket's */
    bool counted;                  /* its answer, for metrics */
    kappa_cache_key_t asked;       /* the request's bytes; they live in it */
    bool repeatable;               /* asked is set: the answer may be kept */
    bool known; /* one was kept, of views that have moved on */

    /* for variables, until the log is written; in the request's pool */
    ngx_str_t operation_name;
    ngx_uint_t operation_type; /* kappa_operation_type_t + 1; 0: unknown */
    const char *error_code;
    ngx_str_t position;
} ngx_http_kappa_ctx_t;

#define NGX_HTTP_KAPPA_AUTH_OFF 0
#define NGX_HTTP_KAPPA_AUTH_OPTIONAL 1
#define NGX_HTTP_KAPPA_AUTH_REQUIRED 2

#define NGX_HTTP_KAPPA_HEALTH_LIVE 1
#define NGX_HTTP_KAPPA_HEALTH_READY 2

/* --- conf */
char *ngx_http_kappa_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_http_kappa_app_t *ngx_http_kappa_app(ngx_conf_t *cf, ngx_str_t *name);
ngx_int_t ngx_http_kappa_check_apps(ngx_conf_t *cf);

/* The errors of a pure room as lines of the error log. */
void ngx_http_kappa_log_errors(
    ngx_log_t *log, const char *prefix, const kappa_errors_t *errors);
/* A file's content in the pool, NUL behind; logged when it can't be had. */
ngx_int_t ngx_http_kappa_read_file(ngx_conf_t *cf, ngx_str_t *path,
    const char *what, size_t max_bytes, ngx_str_t *out);
/* Reads and checks what `documents` names; model is the schema's. */
ngx_int_t ngx_http_kappa_read_documents(
    ngx_conf_t *cf, ngx_http_kappa_app_t *app, const kappa_model_t *model);
/* The arena of the configuration; NULL: no memory. */
kappa_arena_t *ngx_http_kappa_conf_arena(ngx_conf_t *cf);
char *ngx_http_kappa_issuer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_kappa_token(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_kappa_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_kappa_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_int_t ngx_http_kappa_add_variables(ngx_conf_t *cf);

/* --- worker */
ngx_int_t ngx_http_kappa_init_process(ngx_cycle_t *cycle);
void ngx_http_kappa_exit_process(ngx_cycle_t *cycle);
/* From any thread: note->handler will run on the event loop, once. */
void ngx_http_kappa_ring(ngx_http_kappa_note_t *note);
/* Work that an exiting worker has to wait for. */
void ngx_http_kappa_hold(void);
void ngx_http_kappa_unhold(void);
/* On the event loop: the store is open; store becomes the application's. */
void ngx_http_kappa_adopt(ngx_http_kappa_app_t *app, kappa_store_t *store);

/* Arenas for requests, kept for the next one. Event loop only. */
kappa_arena_t *ngx_http_kappa_arena_get(void);
void ngx_http_kappa_arena_put(kappa_arena_t *arena);

/* --- keeper */
/* Opens the store at once when it can, else keeps trying. */
ngx_int_t ngx_http_kappa_keeper_start(
    ngx_cycle_t *cycle, ngx_http_kappa_app_t *app);
/* Joins its thread. */
void ngx_http_kappa_keeper_stop(ngx_http_kappa_app_t *app);
/* Its next round now. */
void ngx_http_kappa_keeper_poke(ngx_http_kappa_app_t *app);

/* --- who asks */
/* The request's context, made when there is none. NULL: no memory. */
ngx_http_kappa_ctx_t *ngx_http_kappa_get_ctx(ngx_http_request_t *r);
/* PREACCESS: NGX_DECLINED to go on. */
ngx_int_t ngx_http_kappa_auth_handler(ngx_http_request_t *r);
/* A token from elsewhere than the header (connection_init). */
ngx_int_t ngx_http_kappa_auth_token(
    ngx_http_request_t *r, kappa_str_t token, const char **reason);
/* Whether the token that came with the request is over. */
bool ngx_http_kappa_expired(ngx_http_request_t *r);
/* Whether kappa_require lets the caller pass. */
bool ngx_http_kappa_auth_allows(ngx_http_request_t *r);
/* Whether the request's Origin is the same or in kappa_origin. */
bool ngx_http_kappa_origin_allowed(ngx_http_request_t *r);
/* Whether a GET may run an operation: no page that may not ask sent it. */
bool ngx_http_kappa_csrf_safe(ngx_http_request_t *r);
/* CORS headers of an answer. */
ngx_int_t ngx_http_kappa_origin_headers(ngx_http_request_t *r);
/* Answers an OPTIONS request. */
ngx_int_t ngx_http_kappa_preflight(ngx_http_request_t *r);

/* --- operations */
const kappa_caller_t *ngx_http_kappa_caller(
    const ngx_http_kappa_operation_t *op);
/* Fills plan and variables. Not KAPPA_OK: errors says why, or it was memory
 * (KAPPA_NOMEM). */
kappa_status_t ngx_http_kappa_prepare(
    ngx_http_kappa_operation_t *op, kappa_errors_t *errors);
/* So often an operation is planned anew because the schema changed. */
#define NGX_HTTP_KAPPA_REPLANS_MAX 3
/* Plans it again: another schema came into force (SEMANTICS 27). As
 * ngx_http_kappa_prepare. */
kappa_status_t ngx_http_kappa_replan(
    ngx_http_kappa_operation_t *op, kappa_errors_t *errors);
/* A query: appends `{"data":…` to out. */
kappa_status_t ngx_http_kappa_read(ngx_http_kappa_operation_t *op,
    kappa_buf_t *out, kappa_outcome_t *outcome, uint64_t *seq,
    kappa_errors_t *errors);
/* Takes plan, identity and arena of op over when it says KAPPA_OK; answer is
 * called on the event loop unless owner has become NULL. */
kappa_status_t ngx_http_kappa_mutation_start(ngx_http_kappa_operation_t *op,
    kappa_str_t idempotency_key, kappa_str_t traceparent,
    void (*answer)(ngx_http_kappa_mutation_t *mutation), void *owner,
    ngx_http_kappa_mutation_t **out, kappa_errors_t *errors);
/* In answer: the whole response; lives as long as the call. */
kappa_status_t ngx_http_kappa_mutation_response(
    ngx_http_kappa_mutation_t *mutation, kappa_str_t *response,
    kappa_errors_t *errors);
/* A subscription: last_event_id may be empty. */
kappa_status_t ngx_http_kappa_join(ngx_http_kappa_operation_t *op,
    kappa_str_t last_event_id, kappa_subscriber_t *subscriber,
    kappa_errors_t *errors);
void ngx_http_kappa_leave(ngx_http_kappa_app_t *app,
    ngx_http_kappa_loc_conf_t *klcf, kappa_subscriber_t *subscriber);
void ngx_http_kappa_operation_release(ngx_http_kappa_operation_t *op);
/* The members of `extensions`, in out. */
#define NGX_HTTP_KAPPA_EXTENSIONS 160
kappa_str_t ngx_http_kappa_extensions(
    ngx_http_kappa_operation_t *op, uint64_t seq, bool duplicate, char *out);

/* --- requests */
ngx_int_t ngx_http_kappa_graphql_handler(ngx_http_request_t *r);
/* The context, with what its headers say. NULL: no memory. */
ngx_http_kappa_ctx_t *ngx_http_kappa_begin(
    ngx_http_request_t *r, ngx_http_kappa_app_t *app);
/* For $kappa_operation_name and $kappa_operation_type. */
void ngx_http_kappa_note_operation(ngx_http_request_t *r,
    ngx_http_kappa_ctx_t *ctx, kappa_operation_type_t type, kappa_str_t name);
ngx_int_t ngx_http_kappa_health_handler(ngx_http_request_t *r);
/* By a safe method (GET, HEAD, QUERY) nothing may be changed. */
bool ngx_http_kappa_is_safe(const ngx_http_request_t *r);
/* How an operation ended that was executed. */
static inline kappa_http_outcome_t
ngx_http_kappa_outcome(const kappa_outcome_t *outcome)
{
    return outcome->error_count ? KAPPA_OUTCOME_DATA_ERRORS
                                : KAPPA_OUTCOME_DATA;
}
/* How an operation ended that came to nothing, with an error in errors. */
kappa_http_outcome_t ngx_http_kappa_outcome_of(
    const ngx_http_kappa_operation_t *op, kappa_status_t status,
    const kappa_errors_t *errors);
/* Goes on when the views are where Kappa-Min-Position says, perhaps later
 * (NGX_DONE); else the answer says why not. */
typedef ngx_int_t (*ngx_http_kappa_go_on_pt)(
    ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx);
ngx_int_t ngx_http_kappa_await(ngx_http_request_t *r,
    ngx_http_kappa_ctx_t *ctx, ngx_http_kappa_go_on_pt go_on);
void ngx_http_kappa_waits_wake(ngx_http_kappa_app_t *app);
/* A body that is a list of requests. Takes ctx->op.arena over. */
ngx_int_t ngx_http_kappa_batch(
    ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx, kappa_str_t body);
ngx_int_t ngx_http_kappa_mutate(
    ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx);
ngx_int_t ngx_http_kappa_subscribe(
    ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx);
/* Whether it asks for a WebSocket. Another Upgrade (a client that would
 * rather speak h2c) is an offer that is not taken up. */
bool ngx_http_kappa_ws_asked(ngx_http_request_t *r);
/* A WebSocket's handshake. */
ngx_int_t ngx_http_kappa_ws_handler(
    ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx);
void ngx_http_kappa_ws_close_all(ngx_http_kappa_app_t *app);
/* Ends every stream: the worker exits, its clients shall reconnect. */
void ngx_http_kappa_sse_close_all(ngx_http_kappa_app_t *app);

/* --- GraphiQL */
char *ngx_http_kappa_graphiql(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* NGX_DECLINED: the request is not for GraphiQL. */
ngx_int_t ngx_http_kappa_graphiql_handler(ngx_http_request_t *r);
/* Whether it is: a browser's visit, or one of the page's files. */
bool ngx_http_kappa_graphiql_asked(ngx_http_request_t *r);

/* --- flows. NGX_OK: all is out; NGX_AGAIN: the client is slow, the write
 * handler will be called; NGX_ERROR: end the request. */
ngx_int_t ngx_http_kappa_flow_send(ngx_http_kappa_flow_t *flow);
/* From the write handler; also says when the client took too long. */
ngx_int_t ngx_http_kappa_flow_continue(ngx_http_kappa_flow_t *flow);
/* Ends a stream that has no end of its own: the client sees that it was cut,
 * and comes back. */
void ngx_http_kappa_cut(ngx_http_request_t *r);

/* --- /events */
ngx_int_t ngx_http_kappa_events_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_kappa_upload(
    ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx);
void ngx_http_kappa_tails_wake(ngx_http_kappa_app_t *app);
void ngx_http_kappa_tails_close_all(ngx_http_kappa_app_t *app);

/* --- metrics. What counts is called on the event loop unless it says. */
char *ngx_http_kappa_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* When all applications are known. */
void ngx_http_kappa_metrics_configure(ngx_conf_t *cf);
/* Takes this worker's slot, before anything is counted; gives it back. */
void ngx_http_kappa_metrics_start(ngx_http_kappa_main_conf_t *kmcf);
void ngx_http_kappa_metrics_stop(void);
/* Of all workers; app NULL: of no application. Says how many workers. */
ngx_uint_t ngx_http_kappa_metrics_sum(ngx_http_kappa_main_conf_t *kmcf,
    const ngx_http_kappa_app_t *app, ngx_http_kappa_block_t *sum);
/* The stores' part of the page. */
void ngx_http_kappa_write_stores(
    kappa_buf_t *buf, ngx_http_kappa_app_t *const *apps, ngx_uint_t n);
ngx_int_t ngx_http_kappa_metrics_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_kappa_log_handler(ngx_http_request_t *r);

static inline void
ngx_http_kappa_count(
    ngx_http_kappa_app_t *app, ngx_http_kappa_counter_t counter, uint64_t n)
{
    ngx_http_kappa_word_add(&app->counts->counters[counter], n);
}

static inline void
ngx_http_kappa_gauge(
    ngx_http_kappa_app_t *app, ngx_http_kappa_gauge_t gauge, int64_t n)
{
    ngx_http_kappa_word_add(&app->counts->gauges[gauge], (uint64_t)n);
}

/* An HTTP request's answer; only the first one counts. */
void ngx_http_kappa_count_answer(
    ngx_http_request_t *r, kappa_http_outcome_t outcome);
void ngx_http_kappa_count_error(ngx_http_request_t *r, const char *code);
/* An operation of a WebSocket. code NULL: no error. */
void ngx_http_kappa_count_operation(const ngx_http_kappa_operation_t *op,
    kappa_http_outcome_t outcome, const char *code);
/* The same, of one that came to nothing. */
void ngx_http_kappa_count_failed(const ngx_http_kappa_operation_t *op,
    kappa_status_t status, const kappa_errors_t *errors);
void ngx_http_kappa_count_close(ngx_http_kappa_app_t *app, uint16_t code);
/* A client that took too long to read. */
void ngx_http_kappa_count_slow(ngx_http_request_t *r);
void ngx_http_kappa_count_documents(ngx_http_kappa_app_t *app,
    const kappa_documents_stats_t *before, const kappa_documents_stats_t *now);
void ngx_http_kappa_count_token(
    const kappa_token_cache_t *tokens, bool refused);
/* What live did since the last time. */
void ngx_http_kappa_count_live(ngx_http_kappa_app_t *app);
void ngx_http_kappa_count_faults(void);
/* kappa_store_options_t.committed; data is the application. */
void ngx_http_kappa_count_commit(void *data, const kappa_commit_t *commit);
/* Options of a log whose fsyncs are timed. */
void ngx_http_kappa_timed_log(
    ngx_http_kappa_app_t *app, kappa_log_io_t *io, kappa_log_options_t *log);

/* --- answers kept */
/* The answer that was given to these bytes before, if the views have not moved
 * since. NGX_DECLINED: there is none. body must live as long as the request.
 */
ngx_int_t ngx_http_kappa_answers_send(
    ngx_http_request_t *r, ngx_http_kappa_ctx_t *ctx, kappa_str_t body);
/* A query's answer, without errors: kept if it can be. */
void ngx_http_kappa_answers_keep(
    ngx_http_kappa_ctx_t *ctx, kappa_str_t bytes, uint64_t seq);
/* Another schema, or other views: what was forgotten there must not linger. */
void ngx_http_kappa_answers_clear(void);

/* --- answers. All return what a content handler returns. */
typedef struct {
    kappa_media_t media;
    kappa_http_outcome_t outcome;
    ngx_str_t allow;        /* 405; data NULL: none */
    ngx_uint_t retry_after; /* seconds; 0: none */
    bool ndjson;            /* instead of media: application/x-ndjson */
    kappa_store_t *store;   /* NULL: no Kappa-Position */
    uint64_t seq;
} ngx_http_kappa_answer_t;

/* The answer's beginning: its application's position. */
ngx_http_kappa_answer_t ngx_http_kappa_answer(
    const ngx_http_kappa_ctx_t *ctx, kappa_http_outcome_t outcome);
ngx_int_t ngx_http_kappa_send_header(ngx_http_request_t *r,
    const ngx_http_kappa_answer_t *answer, off_t content_length);
/* body is copied. In an event stream it is one `next`, then `complete`. */
ngx_int_t ngx_http_kappa_send(ngx_http_request_t *r,
    const ngx_http_kappa_answer_t *answer, kappa_str_t body);
ngx_int_t ngx_http_kappa_send_errors(ngx_http_request_t *r,
    const ngx_http_kappa_answer_t *answer, const kappa_errors_t *errors);
/* For $kappa_error_code. code NULL: none. */
void ngx_http_kappa_note_error(ngx_http_request_t *r, const char *code);
/* One error of this code. */
ngx_int_t ngx_http_kappa_refuse(ngx_http_request_t *r,
    const ngx_http_kappa_answer_t *answer, const char *code,
    const char *message);
/* The first request header of this (lower-case) name, or NULL. */
ngx_table_elt_t *ngx_http_kappa_request_header(
    ngx_http_request_t *r, const char *name);
/* Its value in the arena; data NULL: there is none. False: no memory. */
bool ngx_http_kappa_header_copy(ngx_http_request_t *r, kappa_arena_t *arena,
    const char *name, kappa_str_t *out);
/* The header traceparent, unless it is not valid. As above. */
bool ngx_http_kappa_traceparent(
    ngx_http_request_t *r, kappa_arena_t *arena, kappa_str_t *out);
/* ETag, Vary and Cache-Control of the answer to a safe request. */
ngx_int_t ngx_http_kappa_cache_headers(ngx_http_request_t *r,
    ngx_http_kappa_ctx_t *ctx, kappa_media_t media, kappa_str_t body);
/* What the body of a QUERY may be (RFC 10008, 3). */
ngx_int_t ngx_http_kappa_accept_query(ngx_http_request_t *r);
/* Before an answer that needs no body. Who asked first (Expect: 100-continue)
 * is not told to send it. */
ngx_int_t ngx_http_kappa_want_no_body(ngx_http_request_t *r);
/* Adds a response header; value must live as long as the request. */
ngx_int_t ngx_http_kappa_header(
    ngx_http_request_t *r, const char *name, ngx_str_t value);

#endif
