#ifndef KAPPA_GRAPHQL_SCHEMA_H
#define KAPPA_GRAPHQL_SCHEMA_H

#include "base/map.h"
#include "base/value.h"
#include "graphql/ast.h"

/* The type system (specification section 3), built from SDL and immutable
 * from then on: many threads may read it. Everything is in source order. */

typedef enum {
    KAPPA_TYPE_SCALAR,
    KAPPA_TYPE_OBJECT,
    KAPPA_TYPE_INTERFACE,
    KAPPA_TYPE_UNION,
    KAPPA_TYPE_ENUM,
    KAPPA_TYPE_INPUT_OBJECT
} kappa_type_kind_t;

/* How values of a scalar are checked and coerced. */
typedef enum {
    KAPPA_SCALAR_INT,
    KAPPA_SCALAR_FLOAT,
    KAPPA_SCALAR_STRING,
    KAPPA_SCALAR_BOOLEAN,
    KAPPA_SCALAR_ID,
    KAPPA_SCALAR_DATETIME,
    KAPPA_SCALAR_DATE,
    KAPPA_SCALAR_BIGINT,
    KAPPA_SCALAR_UUID,
    KAPPA_SCALAR_JSON /* JSON and any other custom scalar: opaque */
} kappa_scalar_t;

typedef struct kappa_type_s kappa_type_t;
typedef struct kappa_field_s kappa_field_t;
typedef struct kappa_input_s kappa_input_t;

/* A type with its wrappers. */
typedef struct kappa_type_ref_s {
    kappa_ref_kind_t kind;
    const struct kappa_type_ref_s *of; /* LIST, NON_NULL */
    const kappa_type_t *named;         /* the innermost, at every level */
} kappa_type_ref_t;

/* An argument of a field or directive, or a field of an input object. */
struct kappa_input_s {
    kappa_str_t name;
    kappa_str_t description; /* data NULL: none */
    const kappa_type_ref_t *type;
    const kappa_literal_t *default_literal; /* NULL: none */
    kappa_value_t default_value;            /* coerced; UNSET: none */
    kappa_str_t deprecation; /* reason; data NULL: not deprecated */
    const kappa_directive_node_t *directives;
    const kappa_input_node_t *node; /* its definition */
    const kappa_source_t *source;
    uint32_t offset;
    uint32_t number; /* position among its siblings, hidden ones included */
    bool hidden;     /* not in the public schema (@stamp on an argument):
                        introspection, validation and coercion pass it by */
};

struct kappa_field_s {
    kappa_str_t name;
    kappa_str_t description;
    const kappa_type_t *parent;
    const kappa_type_ref_t *type;
    kappa_input_t *args;
    uint32_t arg_count;
    kappa_str_t deprecation;
    const kappa_directive_node_t *directives;
    const kappa_field_node_t *node; /* its definition */
    const kappa_source_t *source;
    uint32_t offset;
    bool hidden; /* @internal */

    /* How its value is had, set by whoever gives the schema its data
     * (graphql/data.h); NULL in a schema that is only validated. */
    const struct kappa_binding_s *binding;
};

typedef struct {
    kappa_str_t name;
    kappa_str_t description;
    kappa_str_t deprecation;
    const kappa_directive_node_t *directives;
    const kappa_source_t *source;
    uint32_t offset;
} kappa_enum_value_t;

struct kappa_type_s {
    kappa_type_kind_t kind;
    kappa_str_t name;
    kappa_str_t description;
    uint32_t number;          /* position among the schema's types */
    bool builtin;             /* Int … ID, and the introspection types */
    bool hidden;              /* @internal; or kappa's own and used nowhere */
    bool one_of;              /* INPUT_OBJECT with @oneOf */
    kappa_scalar_t scalar;    /* SCALAR */
    kappa_str_t specified_by; /* SCALAR; data NULL: none */

    kappa_field_t *fields; /* OBJECT, INTERFACE */
    uint32_t field_count;
    kappa_map_t field_map; /* name to kappa_field_t * */

    kappa_input_t *inputs; /* INPUT_OBJECT */
    uint32_t input_count;
    kappa_map_t input_map;

    kappa_enum_value_t *values; /* ENUM */
    uint32_t value_count;
    kappa_map_t value_map;

    const kappa_type_t **interfaces; /* OBJECT, INTERFACE: implemented */
    uint32_t interface_count;
    const kappa_type_t **possible; /* UNION members; INTERFACE: objects that
                                      implement it; OBJECT: itself */
    uint32_t possible_count;
    const uint64_t *possible_set; /* the same: a bit per type number */

    const kappa_directive_node_t
        *directives;                      /* of definition and extensions */
    const kappa_definition_t *definition; /* of built-in types too */
    const kappa_definition_t *const *extensions;
    uint32_t extension_count;
    const kappa_source_t *source;
    uint32_t offset;

    const void *binding; /* for whoever gives the schema its data */
};

typedef struct {
    kappa_str_t name;
    kappa_str_t description;
    kappa_input_t *args;
    uint32_t arg_count;
    kappa_str_t *locations;
    uint32_t location_count;
    bool repeatable;
    bool builtin; /* @skip @include @deprecated @specifiedBy @oneOf */
    bool hidden;  /* kappa's own: not in the public schema */
    const kappa_definition_t *definition;
    const kappa_source_t *source;
    uint32_t offset;
} kappa_directive_t;

typedef struct {
    kappa_str_t description;
    kappa_type_t **types;
    uint32_t type_count;
    kappa_map_t type_map;
    uint32_t set_words; /* of every possible_set */
    kappa_directive_t **directives;
    uint32_t directive_count;
    kappa_map_t directive_map;
    const kappa_type_t *roots[3]; /* by kappa_operation_type_t; NULL: none */
    const kappa_directive_node_t *schema_directives;
    const kappa_definition_t *definition; /* schema { }; NULL: none */
    const kappa_definition_t *const *extensions;
    uint32_t extension_count;
    bool has_library; /* built with kappa.graphql */

    /* __schema, __type and __typename, which no type lists. */
    const kappa_field_t *meta_schema;
    const kappa_field_t *meta_type;
    const kappa_field_t *meta_typename;
} kappa_schema_t;

/* Builds a schema from documents. Declaring the same definition identically
 * again in a later document is fine.
 *
 * When kappa.graphql is among them (kappa_library_parse), it is a schema of
 * ours: kappa's directives are hidden, so are what @internal and @stamp mark
 * and what of kappa.graphql is used nowhere; DateTime, Date, BigInt, UUID have
 * their own checks. Without it every custom scalar is opaque and nothing is
 * hidden, as in any other GraphQL.
 *
 * Errors: every violation of the SDL rules, or else of schema validation
 * (specification section 3), each with its place. KAPPA_INVALID when there
 * was one. */
kappa_status_t kappa_schema_build(kappa_arena_t *arena,
    kappa_document_t *const *documents, uint32_t count, kappa_schema_t **out,
    kappa_errors_t *errors);

/* NULL when there is none. Fields include hidden ones. */
const kappa_type_t *kappa_schema_type(
    const kappa_schema_t *schema, kappa_str_t name);
const kappa_field_t *kappa_type_field(
    const kappa_type_t *type, kappa_str_t name);
const kappa_input_t *kappa_field_arg(
    const kappa_field_t *field, kappa_str_t name);

/* The first application of a directive in a list, NULL when there is none;
 * kappa_directive_next gives the next one of the same name. */
const kappa_directive_node_t *kappa_directive_find(
    const kappa_directive_node_t *list, kappa_str_t name);
const kappa_directive_node_t *kappa_directive_next(
    const kappa_directive_node_t *node);

/* An argument's literal, or NULL. */
const kappa_literal_t *kappa_directive_arg(
    const kappa_directive_node_t *node, kappa_str_t name);

/* "[Package!]!" in the arena. */
kappa_str_t kappa_type_ref_print(
    kappa_arena_t *arena, const kappa_type_ref_t *ref);

/* OBJECT, INTERFACE or UNION. */
bool kappa_type_is_composite(const kappa_type_t *type);
/* SCALAR or ENUM. */
bool kappa_type_is_leaf(const kappa_type_t *type);
/* SCALAR, ENUM or INPUT_OBJECT. */
bool kappa_type_is_input(const kappa_type_t *type);
/* Whether object is `type` or among its possible types. */
bool kappa_type_is_possible(
    const kappa_type_t *type, const kappa_type_t *object);

#endif
