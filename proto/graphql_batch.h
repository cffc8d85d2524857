#ifndef KAPPA_PROTO_GRAPHQL_BATCH_H
#define KAPPA_PROTO_GRAPHQL_BATCH_H

#include "proto/graphql_http.h"

/* Several requests in one body: a JSON list of what else is a body of its
 * own (the GraphQL over HTTP working group's batching proposal, as Apollo's
 * BatchHttpLink sends it). */

/* Whether a body is a list, as far as its first character tells. */
bool kappa_graphql_batch_is(kappa_str_t body);

/* The requests, in order; as those of kappa_graphql_http_body. KAPPA_INVALID
 * (BAD_USER_INPUT): broken JSON, an empty list, or one of them is no request:
 * then none may be run. KAPPA_LIMIT (LIMIT_EXCEEDED): more than max. All are
 * to be answered with 400. */
kappa_status_t kappa_graphql_batch_read(kappa_arena_t *arena, kappa_str_t body,
    uint32_t max, kappa_graphql_params_t **out, uint32_t *count,
    kappa_errors_t *errors);

/* What stands for two answers of a batch: the first if they have the same
 * status, else KAPPA_OUTCOME_DATA (200). */
kappa_http_outcome_t kappa_graphql_batch_outcome(kappa_http_outcome_t first,
    kappa_http_outcome_t second, kappa_media_t media,
    kappa_status_codes_t codes);

#endif
