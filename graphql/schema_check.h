#ifndef KAPPA_GRAPHQL_SCHEMA_CHECK_H
#define KAPPA_GRAPHQL_SCHEMA_CHECK_H

#include "graphql/schema_private.h"

/* The parts of kappa_schema_check, by what they look at. All add errors and
 * give KAPPA_OK or KAPPA_NOMEM. */

kappa_status_t kappa_check_interfaces(
    kappa_build_t *build, const kappa_type_t *type);
kappa_status_t kappa_check_finite_inputs(kappa_build_t *build);
kappa_status_t kappa_check_default_cycles(kappa_build_t *build);
/* A default's own value, by its type. */
kappa_status_t kappa_check_default(
    kappa_build_t *build, const kappa_input_t *input, kappa_str_t where);

/* The arguments of the built-in directives that make a schema: the reason of
 * @deprecated, the url of @specifiedBy. */
kappa_status_t kappa_check_specified_directives(kappa_build_t *build);

/* Coerces every default, each after those it takes in. */
kappa_status_t kappa_build_defaults(kappa_build_t *build);

/* The places of a type: its definition, then its extensions. */
void kappa_error_at_type(
    kappa_errors_t *errors, kappa_error_t *error, const kappa_type_t *type);

#endif
