#ifndef NGX_HTTP_KAPPA_METRICS_H
#define NGX_HTTP_KAPPA_METRICS_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

/* What is counted for /metrics (docs/metrics.md), in shared memory: a slot
 * for each place in nginx's process table, in a slot a block for each
 * application and one (the first) for what belongs to none.
 *
 * A word has one writer: a thread of the worker whose slot it is, so nothing
 * is locked; readers sum over the slots. A worker that takes the place of a
 * dead one counts on from where that stopped, so counters never go back; its
 * gauges start from nothing. */

/* requests by type: 0, kappa_operation_type_t + 1, and those of /events. */
#define NGX_HTTP_KAPPA_TYPE_UNKNOWN 0
#define NGX_HTTP_KAPPA_TYPE_QUERY 1
#define NGX_HTTP_KAPPA_TYPE_MUTATION 2
#define NGX_HTTP_KAPPA_TYPE_READ 4
#define NGX_HTTP_KAPPA_TYPE_UPLOAD 5
#define NGX_HTTP_KAPPA_TYPES 6

typedef enum {
    NGX_HTTP_KAPPA_ENDED_OK,
    NGX_HTTP_KAPPA_ENDED_ERROR,       /* errors beside data; our failure */
    NGX_HTTP_KAPPA_ENDED_REFUSED,     /* the request's mistake */
    NGX_HTTP_KAPPA_ENDED_UNAVAILABLE, /* store, log or views: later */
    NGX_HTTP_KAPPA_ENDED_GONE,        /* the client did not wait */
    NGX_HTTP_KAPPA_ENDED
} ngx_http_kappa_ended_t;

typedef enum {
    NGX_HTTP_KAPPA_EVENTS_APPENDED, /* by the append thread */
    NGX_HTTP_KAPPA_DUPLICATES,      /* the same */
    NGX_HTTP_KAPPA_COMMITS_FAILED,  /* the same */
    NGX_HTTP_KAPPA_UPLOAD_BYTES,
    NGX_HTTP_KAPPA_LIVE_RUNS,
    NGX_HTTP_KAPPA_LIVE_FRAMES,
    NGX_HTTP_KAPPA_SENT_SSE,
    NGX_HTTP_KAPPA_SENT_WS,
    NGX_HTTP_KAPPA_SENT_EVENTS,
    NGX_HTTP_KAPPA_SLOW_CLIENTS,
    NGX_HTTP_KAPPA_DOCUMENT_HITS,
    NGX_HTTP_KAPPA_DOCUMENT_MISSES,
    NGX_HTTP_KAPPA_ANSWER_HITS,
    NGX_HTTP_KAPPA_ANSWER_MISSES,
    NGX_HTTP_KAPPA_TOKEN_HITS, /* from here on of no application */
    NGX_HTTP_KAPPA_TOKEN_MISSES,
    NGX_HTTP_KAPPA_TOKENS_REFUSED,
    NGX_HTTP_KAPPA_MAJOR_FAULTS,
    NGX_HTTP_KAPPA_COUNTERS
} ngx_http_kappa_counter_t;

typedef enum {
    NGX_HTTP_KAPPA_OPEN_SSE,
    NGX_HTTP_KAPPA_OPEN_WS,
    NGX_HTTP_KAPPA_OPEN_EVENTS,
    NGX_HTTP_KAPPA_SOCKETS,
    NGX_HTTP_KAPPA_GROUPS,
    NGX_HTTP_KAPPA_DOCUMENT_BYTES,
    NGX_HTTP_KAPPA_TOKENS_CACHED, /* of no application, as what follows */
    NGX_HTTP_KAPPA_ANSWER_BYTES,
    NGX_HTTP_KAPPA_GAUGES
} ngx_http_kappa_gauge_t;

/* Histograms. All but the last are of microseconds. */
typedef enum {
    NGX_HTTP_KAPPA_QUERY_TIME,
    NGX_HTTP_KAPPA_MUTATION_TIME,
    NGX_HTTP_KAPPA_COMMIT_TIME, /* by the append thread, as all that follow */
    NGX_HTTP_KAPPA_LOCK_TIME,
    NGX_HTTP_KAPPA_APPEND_TIME,
    NGX_HTTP_KAPPA_FSYNC_TIME, /* by who holds the log's lock */
    NGX_HTTP_KAPPA_BATCH_EVENTS,
    NGX_HTTP_KAPPA_HISTOGRAMS
} ngx_http_kappa_histogram_t;

#define NGX_HTTP_KAPPA_BOUNDS 18
#define NGX_HTTP_KAPPA_CODES 32  /* room for error codes */
#define NGX_HTTP_KAPPA_CLOSES 24 /* room for WebSocket's close codes */

/* Words only: they are summed as such. */
typedef struct {
    uint64_t requests[NGX_HTTP_KAPPA_TYPES][NGX_HTTP_KAPPA_ENDED];
    uint64_t errors[NGX_HTTP_KAPPA_CODES];
    uint64_t closes[NGX_HTTP_KAPPA_CLOSES];
    uint64_t counters[NGX_HTTP_KAPPA_COUNTERS];
    struct {
        uint64_t counts[NGX_HTTP_KAPPA_BOUNDS + 1];
        uint64_t sum;
    } histograms[NGX_HTTP_KAPPA_HISTOGRAMS];
    uint64_t gauges[NGX_HTTP_KAPPA_GAUGES]; /* last */
} ngx_http_kappa_block_t;

/* By its one writer. */
static inline void
ngx_http_kappa_word_add(uint64_t *word, uint64_t n)
{
    __atomic_store_n(
        word, __atomic_load_n(word, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

/* This worker's, of no application; never NULL. */
extern ngx_http_kappa_block_t *ngx_http_kappa_common;

/* The names behind the numbers; NULL ends them, the last one is for all that
 * has no name. */
extern const char *const ngx_http_kappa_error_codes[];
extern const uint16_t ngx_http_kappa_close_codes[]; /* 0: others; last */
extern const uint64_t ngx_http_kappa_time_bounds[NGX_HTTP_KAPPA_BOUNDS];
extern const uint64_t ngx_http_kappa_batch_bounds[NGX_HTTP_KAPPA_BOUNDS];

#endif
