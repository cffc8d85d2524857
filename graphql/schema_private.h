#ifndef KAPPA_GRAPHQL_SCHEMA_PRIVATE_H
#define KAPPA_GRAPHQL_SCHEMA_PRIVATE_H

#include "graphql/schema.h"
#include "graphql/sdl.h"

/* What the steps that make a schema share. */

typedef struct {
    kappa_sdl_t *sdl;
    kappa_arena_t *arena;
    kappa_schema_t *schema;
    kappa_map_t standard; /* name to built-in kappa_type_t */
    kappa_map_t
        standard_used;  /* the names of those that something refers to */
    kappa_map_t types;  /* name to the user's kappa_type_t */
    kappa_type_t *meta; /* of __schema, __type, __typename */
} kappa_build_t;

/* graphql/schema_members.c: what a type of the schema is made of, once every
 * type has its kappa_type_t. */
kappa_status_t kappa_build_members(kappa_build_t *build, kappa_type_t *type);
kappa_status_t kappa_build_directive(
    kappa_build_t *build, const kappa_definition_t *definition);
/* By name; a built-in one is marked as used. NULL: there is none. */
kappa_type_t *kappa_build_type(kappa_build_t *build, kappa_str_t name);

/* graphql/schema_hidden.c: what is not in the public schema. */
kappa_status_t kappa_build_hidden(kappa_build_t *build);

/* graphql/schema_check.c: the rules of specification section 3 that need the
 * types. KAPPA_OK also when there were errors. */
kappa_status_t kappa_schema_check(kappa_build_t *build);

#endif
