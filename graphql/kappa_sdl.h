#ifndef KAPPA_GRAPHQL_KAPPA_SDL_H
#define KAPPA_GRAPHQL_KAPPA_SDL_H

#include "base/str.h"

/* graphql/kappa.graphql: the directives, scalars and types that are merged
 * into every schema. The build embeds the file. */
extern const kappa_str_t kappa_graphql_sdl;

#endif
