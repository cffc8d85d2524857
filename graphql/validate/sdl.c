#include "graphql/validate/sdl_private.h"

static const kappa_sdl_rule_f rules[] = {
    kappa_sdl_lone_schema,
    kappa_sdl_unique_operation_types,
    kappa_sdl_unique_types,
    kappa_sdl_unique_enum_values,
    kappa_sdl_unique_fields,
    kappa_sdl_unique_arguments,
    kappa_sdl_unique_directives,
    kappa_sdl_known_types,
    kappa_sdl_directives,
    kappa_sdl_extensions,
};

kappa_status_t
kappa_sdl_check(kappa_sdl_t *sdl)
{
    kappa_status_t status = KAPPA_OK;

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        status = rules[i](sdl);
        if (status != KAPPA_OK) {
            break;
        }
    }
    return status;
}
