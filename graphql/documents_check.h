#ifndef KAPPA_GRAPHQL_DOCUMENTS_CHECK_H
#define KAPPA_GRAPHQL_DOCUMENTS_CHECK_H

#include "graphql/documents.h"

/* What a document may not do, valid or not: nest fields deeper than max_depth
 * or begin with more, fragments resolved, have more aliases or directives
 * (KAPPA_LIMIT), or ask for __schema and __type where introspection is off
 * (KAPPA_INVALID). It takes a walk or two over the tree, so it comes before
 * validation. Scratch is forgotten by the caller. */
kappa_status_t kappa_documents_check(kappa_arena_t *scratch,
    const kappa_document_t *document, const kappa_document_limits_t *limits,
    kappa_errors_t *errors);

#endif
