#ifndef KAPPA_GRAPHQL_VALIDATE_SDL_PRIVATE_H
#define KAPPA_GRAPHQL_VALIDATE_SDL_PRIVATE_H

#include "graphql/sdl.h"

/* The rules of type system documents that need no schema; sdl.c lists them
 * in order. Each adds its errors and gives KAPPA_OK or KAPPA_NOMEM. */
typedef kappa_status_t (*kappa_sdl_rule_f)(kappa_sdl_t *sdl);

/* sdl_schema.c */
kappa_status_t kappa_sdl_lone_schema(kappa_sdl_t *sdl);
kappa_status_t kappa_sdl_unique_operation_types(kappa_sdl_t *sdl);
/* sdl_names.c */
kappa_status_t kappa_sdl_unique_types(kappa_sdl_t *sdl);
kappa_status_t kappa_sdl_unique_enum_values(kappa_sdl_t *sdl);
kappa_status_t kappa_sdl_unique_fields(kappa_sdl_t *sdl);
kappa_status_t kappa_sdl_unique_arguments(kappa_sdl_t *sdl);
kappa_status_t kappa_sdl_unique_directives(kappa_sdl_t *sdl);
/* sdl_types.c */
kappa_status_t kappa_sdl_known_types(kappa_sdl_t *sdl);
kappa_status_t kappa_sdl_extensions(kappa_sdl_t *sdl);
/* sdl_directives.c */
kappa_status_t kappa_sdl_directives(kappa_sdl_t *sdl);

#endif
