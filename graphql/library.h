#ifndef KAPPA_GRAPHQL_LIBRARY_H
#define KAPPA_GRAPHQL_LIBRARY_H

#include "graphql/parser.h"

/* graphql/kappa.graphql, built into the program: the directives, scalars and
 * types that kappa adds to a schema. */

/* Its syntax tree, to be given to kappa_schema_build behind the user's. */
kappa_status_t kappa_library_parse(
    kappa_arena_t *arena, kappa_document_t **out, kappa_errors_t *errors);

/* Whether a text is kappa.graphql as kappa_library_parse gave it. */
bool kappa_library_is(const kappa_source_t *source);

/* Whether a document applies a directive that kappa.graphql declares and it
 * does not itself: then it is a schema of ours. KAPPA_NOMEM. */
kappa_status_t kappa_library_is_used(kappa_arena_t *arena,
    const kappa_document_t *document, const kappa_document_t *library,
    bool *used);

#endif
