#ifndef KAPPA_GRAPHQL_AST_H
#define KAPPA_GRAPHQL_AST_H

#include "base/error.h"
#include "base/str.h"

/* The syntax tree of a GraphQL document (specification of September 2025,
 * section 2 and appendix B). Nodes live in the parser's arena; lists are
 * linked by `next`, in source order. `offset` is the byte at which the node
 * starts in document->source, so a place costs nothing until it is shown. */

typedef struct {
    kappa_str_t text;
    uint32_t offset;
} kappa_name_t; /* text.data NULL: no name was given */

typedef struct {
    kappa_str_t text; /* unescaped, block strings dedented; NULL: none */
    uint32_t offset;
    bool block;
} kappa_description_t;

typedef enum {
    KAPPA_LITERAL_VARIABLE,
    KAPPA_LITERAL_INT,
    KAPPA_LITERAL_FLOAT,
    KAPPA_LITERAL_STRING,
    KAPPA_LITERAL_BOOLEAN,
    KAPPA_LITERAL_NULL,
    KAPPA_LITERAL_ENUM,
    KAPPA_LITERAL_LIST,
    KAPPA_LITERAL_OBJECT
} kappa_literal_kind_t;

typedef struct kappa_literal_s kappa_literal_t;
typedef struct kappa_literal_field_s kappa_literal_field_t;

struct kappa_literal_s {
    kappa_literal_kind_t kind;
    uint32_t offset;
    uint32_t end;     /* offset behind its last token */
    kappa_str_t text; /* variable or enum name, number as written, string
                         unescaped, "true" or "false" */
    bool block;
    kappa_literal_t *items;        /* LIST */
    kappa_literal_field_t *fields; /* OBJECT */
    uint32_t count;
    kappa_literal_t *next;
};

struct kappa_literal_field_s {
    kappa_name_t name;
    kappa_literal_t *value;
    kappa_literal_field_t *next;
};

typedef enum {
    KAPPA_REF_NAMED,
    KAPPA_REF_LIST,
    KAPPA_REF_NON_NULL
} kappa_ref_kind_t;

/* A type as written: Name, [Type], Type! */
typedef struct kappa_type_node_s {
    kappa_ref_kind_t kind;
    uint32_t offset;
    kappa_name_t name;            /* NAMED */
    struct kappa_type_node_s *of; /* LIST, NON_NULL */
} kappa_type_node_t;

typedef struct kappa_argument_s {
    kappa_name_t name;
    kappa_literal_t *value;
    struct kappa_argument_s *next;
} kappa_argument_t;

/* A directive as applied. */
typedef struct kappa_directive_node_s {
    const kappa_source_t *source;
    uint32_t offset; /* of the @ */
    kappa_name_t name;
    kappa_argument_t *arguments;
    struct kappa_directive_node_s *next;
} kappa_directive_node_t;

typedef enum {
    KAPPA_SELECTION_FIELD,
    KAPPA_SELECTION_SPREAD, /* ...Name */
    KAPPA_SELECTION_INLINE  /* ... on Type { } */
} kappa_selection_kind_t;

typedef struct kappa_selection_s {
    kappa_selection_kind_t kind;
    uint32_t offset;
    kappa_name_t alias;          /* FIELD; may be absent */
    kappa_name_t name;           /* FIELD, SPREAD */
    kappa_name_t type_condition; /* INLINE; may be absent */
    kappa_argument_t *arguments; /* FIELD */
    kappa_directive_node_t *directives;
    struct kappa_selection_s *selections; /* FIELD, INLINE; NULL: none */
    uint32_t selections_offset;           /* of its { */
    struct kappa_selection_s *next;
} kappa_selection_t;

typedef struct kappa_variable_node_s {
    kappa_description_t description;
    uint32_t offset; /* of the $ */
    kappa_name_t name;
    kappa_type_node_t *type;
    kappa_literal_t *default_value; /* may be NULL */
    kappa_directive_node_t *directives;
    struct kappa_variable_node_s *next;
} kappa_variable_node_t;

typedef enum {
    KAPPA_OPERATION_QUERY,
    KAPPA_OPERATION_MUTATION,
    KAPPA_OPERATION_SUBSCRIPTION
} kappa_operation_type_t;

typedef enum {
    KAPPA_DEFINITION_OPERATION,
    KAPPA_DEFINITION_FRAGMENT,
    KAPPA_DEFINITION_SCHEMA,
    KAPPA_DEFINITION_SCALAR,
    KAPPA_DEFINITION_OBJECT,
    KAPPA_DEFINITION_INTERFACE,
    KAPPA_DEFINITION_UNION,
    KAPPA_DEFINITION_ENUM,
    KAPPA_DEFINITION_INPUT_OBJECT,
    KAPPA_DEFINITION_DIRECTIVE
} kappa_definition_kind_t;

typedef struct kappa_input_node_s { /* argument or input field definition */
    kappa_description_t description;
    uint32_t offset;
    kappa_name_t name;
    kappa_type_node_t *type;
    kappa_literal_t *default_value; /* may be NULL */
    kappa_directive_node_t *directives;
    struct kappa_input_node_s *next;
} kappa_input_node_t;

typedef struct kappa_field_node_s {
    kappa_description_t description;
    uint32_t offset;
    kappa_name_t name;
    kappa_input_node_t *arguments;
    kappa_type_node_t *type;
    kappa_directive_node_t *directives;
    struct kappa_field_node_s *next;
} kappa_field_node_t;

typedef struct kappa_enum_value_node_s {
    kappa_description_t description;
    uint32_t offset;
    kappa_name_t name;
    kappa_directive_node_t *directives;
    struct kappa_enum_value_node_s *next;
} kappa_enum_value_node_t;

typedef struct kappa_named_node_s { /* interface, union member, location */
    kappa_name_t name;
    struct kappa_named_node_s *next;
} kappa_named_node_t;

typedef struct kappa_root_node_s { /* query: Query in a schema definition */
    kappa_operation_type_t operation;
    uint32_t offset;
    kappa_name_t type;
    struct kappa_root_node_s *next;
} kappa_root_node_t;

/* One definition or extension. Which members mean something follows from
 * kind. */
typedef struct kappa_definition_s {
    kappa_definition_kind_t kind;
    bool extension;  /* extend … */
    bool repeatable; /* DIRECTIVE */
    const kappa_source_t *source;
    uint32_t offset;
    uint32_t end;
    kappa_description_t description;
    kappa_name_t name;
    kappa_operation_type_t operation; /* OPERATION */
    kappa_variable_node_t *variables; /* OPERATION */
    kappa_name_t type_condition;      /* FRAGMENT */
    kappa_selection_t *selections;    /* OPERATION, FRAGMENT */
    uint32_t selections_offset;       /* of its { */
    kappa_directive_node_t *directives;
    kappa_named_node_t *interfaces;  /* OBJECT, INTERFACE */
    kappa_field_node_t *fields;      /* OBJECT, INTERFACE */
    kappa_input_node_t *inputs;      /* INPUT_OBJECT fields, DIRECTIVE args */
    kappa_enum_value_node_t *values; /* ENUM */
    kappa_named_node_t *members;     /* UNION */
    kappa_named_node_t *locations;   /* DIRECTIVE */
    kappa_root_node_t *roots;        /* SCHEMA */
    struct kappa_definition_s *next;
} kappa_definition_t;

typedef struct {
    const kappa_source_t *source;
    kappa_definition_t *definitions;
    uint32_t definition_count;
    uint32_t token_count;
} kappa_document_t;

#endif
