#ifndef KAPPA_GRAPHQL_VALIDATE_VARIABLES_H
#define KAPPA_GRAPHQL_VALIDATE_VARIABLES_H

#include "graphql/validate/rule.h"

/* The variables of an operation, and where it and the fragments it reaches
 * use them: what three rules look at. */

/* Calls for every usage; variable is NULL when it is not declared. */
typedef void (*kappa_usage_f)(kappa_validation_t *v,
    const kappa_definition_t *operation, const kappa_usage_t *usage,
    const kappa_variable_node_t *variable, void *ctx);

/* For each operation of the document. done (may be NULL) is called when its
 * usages were all told. */
void kappa_each_usage(kappa_validation_t *v, kappa_usage_f usage,
    void (*done)(
        kappa_validation_t *v, const kappa_definition_t *operation, void *ctx),
    void *ctx);

#endif
