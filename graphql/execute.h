#ifndef KAPPA_GRAPHQL_EXECUTE_H
#define KAPPA_GRAPHQL_EXECUTE_H

#include "graphql/plan.h"

/* Specification section 6: runs a plan over a data source and appends
 * `{"data":…` and, if there were errors, `,"errors":[…]` to buf; the caller
 * adds extensions and closes it by kappa_response_end. Mutation fields run
 * one after another. Subscriptions run as queries do: the value now.
 * kappa_errors in the answer are at most 100. An answer of too many rows
 * (100,000) or bytes (32 MiB) is LIMIT_EXCEEDED instead, without data.
 *
 * arena: scratch, the caller resets it. Reentrant; KAPPA_OK also when the
 * answer holds errors; KAPPA_NOMEM and KAPPA_IO leave buf as it was. */
typedef struct {
    bool data_null; /* "data":null */
    uint32_t error_count;
    const char *code; /* of the first error; NULL: none */
} kappa_outcome_t;

kappa_status_t kappa_execute(const kappa_plan_t *plan,
    const kappa_value_t *variables, kappa_data_t *data, kappa_arena_t *arena,
    kappa_buf_t *buf, kappa_outcome_t *outcome);

/* A @changes subscription's event: as kappa_execute, but the root field's
 * value is the given row; where the field's binding says json, row->data is
 * the text of a JSON object whose members are the fields. */
kappa_status_t kappa_execute_row(const kappa_plan_t *plan,
    const kappa_value_t *variables, kappa_data_t *data, const kappa_row_t *row,
    kappa_arena_t *arena, kappa_buf_t *buf, kappa_outcome_t *outcome);

/* Appends `,"extensions":{…}` when extensions (the members' JSON, without
 * braces) is not empty, then `}`. */
void kappa_response_end(kappa_buf_t *buf, kappa_str_t extensions);

/* A whole answer to a request that was not executed:
 * {"errors":[…]} */
void kappa_response_errors(kappa_buf_t *buf, const kappa_errors_t *errors);

#endif
