#ifndef KAPPA_GRAPHQL_SDL_H
#define KAPPA_GRAPHQL_SDL_H

#include "base/map.h"
#include "base/status.h"
#include "graphql/ast.h"

/* The type system definitions of several documents taken together, as the
 * steps from syntax trees to a schema share them: collect, check the rules
 * of SDL (graphql/validate/sdl.c), build (graphql/schema_build.c). */

typedef struct {
    const kappa_definition_t **items;
    uint32_t count;
    uint32_t cap;
} kappa_definitions_t;

typedef struct {
    kappa_arena_t *arena;
    kappa_errors_t *errors;
    kappa_definitions_t all;     /* in order; identical repeats are left out */
    kappa_map_t types;           /* name to its first definition */
    kappa_map_t directives;      /* likewise */
    kappa_map_t last_types;      /* name to its last definition */
    kappa_map_t last_directives; /* likewise */
    kappa_map_t extensions;      /* type name to kappa_definitions_t */
    kappa_definitions_t schema_extensions;
    const kappa_definition_t *schema; /* the first schema { }; or NULL */
    const kappa_document_t *builtin;  /* graphql/builtin.h */
    kappa_map_t standard;             /* name to built-in type definition */
    kappa_map_t standard_directives;  /* likewise */
    kappa_map_t library; /* names of types kappa.graphql declares */
    kappa_map_t library_directives;
    bool has_library;
} kappa_sdl_t;

kappa_status_t kappa_sdl_collect(kappa_sdl_t *sdl, kappa_arena_t *arena,
    kappa_document_t *const *documents, uint32_t count,
    kappa_errors_t *errors);

/* The rules that need no schema: KAPPA_OK also when there were errors. */
kappa_status_t kappa_sdl_check(kappa_sdl_t *sdl);

/* OBJECT … INPUT_OBJECT, not SCHEMA, not DIRECTIVE. */
bool kappa_definition_is_type(const kappa_definition_t *definition);

#endif
