#ifndef KAPPA_GRAPHQL_VALIDATE_WALK_H
#define KAPPA_GRAPHQL_VALIDATE_WALK_H

#include "graphql/validate/rule.h"

/* Lists the parts of the document and what each refers to. */
void kappa_validation_init(kappa_validation_t *v, kappa_arena_t *arena,
    const kappa_schema_t *schema, const kappa_document_t *document,
    kappa_errors_t *errors);

/* Calls the rules. */
void kappa_validation_walk(kappa_validation_t *v);

#endif
