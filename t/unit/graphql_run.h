#ifndef KAPPA_T_UNIT_GRAPHQL_RUN_H
#define KAPPA_T_UNIT_GRAPHQL_RUN_H

#include "graphql/execute.h"
#include "t/unit/graphql_fake.h"

/* A whole request over a fake: parse, validate, plan, coerce, execute. */

typedef struct {
    kappa_str_t text;
    kappa_str_t operation_name; /* data NULL: none */
    kappa_str_t variables;      /* JSON; data NULL: none */
    const kappa_row_t *row;     /* as kappa_execute_row; NULL: kappa_execute */
} kappa_fake_request_t;

/* Appends the answer to out; that of a refused request is {"errors":[…]} and
 * the status says why (KAPPA_INVALID, KAPPA_LIMIT). All else is given back. */
kappa_status_t kappa_fake_run(kappa_fake_t *fake, const kappa_alloc_t *alloc,
    const kappa_fake_request_t *request, kappa_buf_t *out);

#endif
