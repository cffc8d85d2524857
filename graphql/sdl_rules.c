#include "graphql/sdl.h"
kappa_status_t
kappa_sdl_check(kappa_sdl_t *sdl)
{
    (void)sdl;
    return KAPPA_OK;
}
