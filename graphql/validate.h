#ifndef KAPPA_GRAPHQL_VALIDATE_H
#define KAPPA_GRAPHQL_VALIDATE_H

#include "graphql/schema.h"

/* Specification section 5: whether a document can be executed against a
 * schema. Verdict and error locations are graphql-js's. Time and memory are
 * bounded by the document's size times a constant, whatever it says.
 * KAPPA_OK, KAPPA_INVALID (errors of code VALIDATION_FAILED) or KAPPA_NOMEM.
 */
kappa_status_t kappa_validate(kappa_arena_t *arena,
    const kappa_schema_t *schema, const kappa_document_t *document,
    kappa_errors_t *errors);

#endif
