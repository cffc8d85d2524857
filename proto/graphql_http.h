#ifndef KAPPA_PROTO_GRAPHQL_HTTP_H
#define KAPPA_PROTO_GRAPHQL_HTTP_H

#include "base/error.h"
#include "base/status.h"
#include "base/value.h"

/* GraphQL over HTTP (https://graphql.github.io/graphql-over-http/): bytes in,
 * a request or an error out, and which status and media type the answer has.
 * No I/O. The order of use:
 *
 *   accept -> (POST) content_type, body | (GET) query_string
 *   -> parse, validate, find the operation -> choose -> execute -> status
 */

/* What a request carries. */
typedef struct {
    kappa_str_t query;          /* data NULL: none, but then there is a
                                   document_id, or extensions has a
                                   persistedQuery */
    kappa_str_t document_id;    /* data NULL: none */
    kappa_str_t operation_name; /* data NULL: none */
    kappa_value_t variables;    /* OBJECT, or UNSET */
    kappa_value_t extensions;   /* OBJECT, or UNSET */
} kappa_graphql_params_t;

/* The body of a POST: {query, documentId, operationName, variables,
 * extensions}. Where there is no query, "id" and "doc_id" (Relay) are read as
 * documentId is. Unknown members are ignored, null is as absent. Strings are
 * copied into the arena. KAPPA_INVALID, an error in errors (code
 * BAD_USER_INPUT): broken JSON, wrong types, no query; to be answered with
 * 400. */
kappa_status_t kappa_graphql_http_body(kappa_arena_t *arena, kappa_str_t body,
    kappa_graphql_params_t *out, kappa_errors_t *errors);

/* The same of an object that was read already, as graphql-transport-ws sends
 * it; its strings are not copied. */
kappa_status_t kappa_graphql_http_params(const kappa_value_t *object,
    kappa_graphql_params_t *out, kappa_errors_t *errors);

/* The query string of a GET, what stands behind '?', percent-encoded (and '+'
 * for a space). variables and extensions are JSON. Unknown parameters are
 * ignored, one given twice is an error. Errors as those of the body. */
kappa_status_t kappa_graphql_http_query_string(kappa_arena_t *arena,
    kappa_str_t query_string, kappa_graphql_params_t *out,
    kappa_errors_t *errors);

/* A POST's Content-Type: application/json, with no parameter or charset=utf-8.
 * False, also for none (data NULL): to be answered with 415, which keeps
 * simple cross-site forms out. */
bool kappa_graphql_http_content_type(kappa_str_t header);

/* In what an answer may be written. */
typedef enum {
    KAPPA_MEDIA_NONE = 0, /* nothing that the client takes: 406 */
    KAPPA_MEDIA_JSON,     /* application/json */
    KAPPA_MEDIA_GRAPHQL,  /* application/graphql-response+json */
    KAPPA_MEDIA_SSE       /* text/event-stream */
} kappa_media_t;

/* What an Accept header takes: quality in thousandths by kappa_media_t, 0 is
 * not acceptable; order is where it stands (from 1; 0 where only a wildcard
 * or the want of a header lets it in). */
typedef struct {
    uint16_t quality[KAPPA_MEDIA_SSE + 1];
    uint16_t order[KAPPA_MEDIA_SSE + 1];
} kappa_accept_t;

/* header: all Accept headers joined with ','; data NULL or empty: anything.
 * Malformed elements are passed by. */
void kappa_graphql_http_accept(kappa_str_t header, kappa_accept_t *out);

/* For the answer of a query or mutation: by quality, then JSON before SSE,
 * then as listed, then application/json. SSE only if the client wants it more
 * (one `next`, one `complete`). For a subscription: SSE or NONE. */
kappa_media_t kappa_graphql_http_choose(
    const kappa_accept_t *accept, bool subscription);

/* For an error before there is an operation: JSON or GRAPHQL, whatever the
 * client takes. */
kappa_media_t kappa_graphql_http_error_media(const kappa_accept_t *accept);

/* Whether the client would rather have a web page: the header names text/html
 * and gives it a higher quality than JSON, as browsers do for a visit. */
bool kappa_graphql_http_wants_page(kappa_str_t header);

/* "application/json; charset=utf-8" and so on: for Content-Type. */
kappa_str_t kappa_media_name(kappa_media_t media);

/* How a request ended. */
typedef enum {
    KAPPA_OUTCOME_DATA,         /* data, no errors */
    KAPPA_OUTCOME_DATA_ERRORS,  /* data (or "data":null) beside errors */
    KAPPA_OUTCOME_HASH_UNKNOWN, /* a persisted query's: ask with its text */
    KAPPA_OUTCOME_SYNTAX,       /* no data: the document does not parse */
    KAPPA_OUTCOME_VALIDATION,   /* no data: … is not valid */
    KAPPA_OUTCOME_COERCION,     /* no data: variables, or no such operation */
    KAPPA_OUTCOME_BAD_REQUEST,  /* broken JSON or parameters */
    KAPPA_OUTCOME_METHOD,       /* other method; mutation by GET: Allow */
    KAPPA_OUTCOME_NOT_ACCEPTABLE,  /* KAPPA_MEDIA_NONE */
    KAPPA_OUTCOME_MEDIA_TYPE,      /* Content-Type */
    KAPPA_OUTCOME_TOO_LARGE,       /* the body */
    KAPPA_OUTCOME_UNAUTHENTICATED, /* a token is needed, or the given is bad */
    KAPPA_OUTCOME_FORBIDDEN,
    KAPPA_OUTCOME_GONE,        /* a position of another log */
    KAPPA_OUTCOME_UNAVAILABLE, /* store, views: with Retry-After */
    KAPPA_OUTCOME_FAILED       /* ours: no memory, a bug */
} kappa_http_outcome_t;

typedef enum {
    KAPPA_STATUS_CODES_CLASSIC, /* what today's clients expect */
    KAPPA_STATUS_CODES_2026_09  /* kappa_status_codes 2026-09 */
} kappa_status_codes_t;

/* The status code, by docs/http.md. */
unsigned kappa_graphql_http_status(kappa_media_t media,
    kappa_http_outcome_t outcome, kappa_status_codes_t codes);

#endif
