#include "graphql/schema_private.h"
kappa_status_t
kappa_schema_check(kappa_build_t *build)
{
    (void)build;
    return KAPPA_OK;
}
