#ifndef KAPPA_GRAPHQL_BUILTIN_H
#define KAPPA_GRAPHQL_BUILTIN_H

#include "graphql/ast.h"

/* What every schema has without declaring it, as SDL: the scalars, the
 * directives and the introspection types of the specification; and a type
 * __Meta, in no schema, whose fields are __schema, __type and __typename. */
extern const kappa_source_t kappa_builtin_source;

#endif
