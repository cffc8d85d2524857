#ifndef KAPPA_GRAPHQL_PRINT_H
#define KAPPA_GRAPHQL_PRINT_H

#include "base/buf.h"
#include "graphql/schema.h"

/* Text from trees. */

/* A literal as graphql-js prints it (defaultValue in introspection). */
void kappa_print_literal(kappa_buf_t *buf, const kappa_literal_t *literal);

/* The public SDL: hidden types, fields and arguments, and every directive
 * application except @deprecated, @specifiedBy and @oneOf, are left out. */
void kappa_print_schema(kappa_buf_t *buf, const kappa_schema_t *schema);

#endif
