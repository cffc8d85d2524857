#ifndef KAPPA_GRAPHQL_VALIDATE_RULE_H
#define KAPPA_GRAPHQL_VALIDATE_RULE_H

#include "graphql/schema.h"
#include "graphql/validate.h"
#include "graphql/validate/directives.h"

/* The rules of specification section 5, each in its own file, and the one
 * walk over a document that calls them (graphql/validate/walk.c). */

/* A place where a variable stands. */
typedef struct kappa_usage_s {
    const kappa_literal_t *literal;
    const kappa_type_ref_t *type; /* expected there; NULL: unknown */
    bool has_default;             /* the argument or input field has one */
    const kappa_type_t *one_of;   /* the @oneOf object it is a field of */
    struct kappa_usage_s *next;
} kappa_usage_t;

/* An operation or fragment, and what it refers to. */
typedef struct kappa_part_s {
    const kappa_definition_t *definition;
    const kappa_type_t *type; /* its root or condition; NULL: unknown */
    const kappa_selection_t **spreads; /* in graphql-js's order */
    uint32_t spread_count;
    kappa_usage_t *usages;
    kappa_usage_t **usages_end;
    uint32_t mark;          /* of the last search that came by */
    uint32_t path;          /* place on the path of NoFragmentCycles, from 1 */
    bool visited;           /* by NoFragmentCycles */
    uint32_t depth_checked; /* MaxIntrospectionDepth: 1 + the depth … */
    uint32_t depth_exceeded; /* … at which it was found well, or too deep */
} kappa_part_t;

typedef struct {
    kappa_arena_t *arena;
    const kappa_schema_t *schema;
    const kappa_document_t *document;
    const kappa_source_t *source;
    kappa_errors_t *errors;
    kappa_part_t *parts; /* the executable definitions, in order */
    uint32_t part_count;
    kappa_part_t **queue; /* room for all of them, for searches */
    uint32_t operation_count;
    kappa_map_t fragments;      /* name to kappa_part_t; the last of a name */
    kappa_map_t own_types;      /* that the document itself defines, wrongly */
    kappa_map_t own_directives; /* the same; the last of a name */
    kappa_directive_rules_t directives;
    kappa_directives_seen_t seen; /* in type system definitions */
    uint32_t marks;               /* searches so far */
    uint32_t work_left;           /* see kappa_validation_spend */
    kappa_status_t status;
    uint32_t too_deep_from; /* what MaxIntrospectionDepth refused last */
    uint32_t too_deep_to;

    /* Where the walk is. */
    kappa_part_t *part;
    const kappa_type_t *parent; /* the selection set's; NULL: unknown */
    const kappa_field_t *field; /* the innermost; NULL: unknown or none */
    const kappa_directive_place_t *place; /* NULL: in an executable one */
} kappa_validation_t;

/* One rule of section 5; graphql/validate.c lists them in order. */
typedef struct {
    struct {
        const char *name;    /* as graphql-js calls it */
        const char *section; /* of the specification */
    } info;
    void (*document)(kappa_validation_t *v); /* before the walk */
    void (*operation)(
        kappa_validation_t *v, const kappa_definition_t *definition);
    void (*variable)(
        kappa_validation_t *v, const kappa_variable_node_t *variable);
    void (*fragment)(
        kappa_validation_t *v, const kappa_definition_t *definition);
    /* v->parent and v->field say what it selects. */
    void (*on_field)(kappa_validation_t *v, const kappa_selection_t *field);
    void (*spread)(kappa_validation_t *v, const kappa_selection_t *spread);
    void (*inline_fragment)(kappa_validation_t *v,
        const kappa_selection_t *fragment, const kappa_type_t *type);
    void (*list)(kappa_validation_t *v, const kappa_directive_node_t *list,
        const char *location);
    void (*arguments)(
        kappa_validation_t *v, const kappa_argument_t *arguments);
    /* A value and the type it must have, NULL if that is unknown. */
    void (*value)(kappa_validation_t *v, const kappa_literal_t *value,
        const kappa_type_ref_t *type);
    void (*end)(kappa_validation_t *v); /* behind the walk */
} kappa_rule_t;

extern const kappa_rule_t kappa_rule_executable_definitions;
extern const kappa_rule_t kappa_rule_known_operation_types;
extern const kappa_rule_t kappa_rule_unique_operation_names;
extern const kappa_rule_t kappa_rule_lone_anonymous_operation;
extern const kappa_rule_t kappa_rule_single_field_subscriptions;
extern const kappa_rule_t kappa_rule_known_type_names;
extern const kappa_rule_t kappa_rule_fragments_on_composite_types;
extern const kappa_rule_t kappa_rule_variables_are_input_types;
extern const kappa_rule_t kappa_rule_scalar_leafs;
extern const kappa_rule_t kappa_rule_fields_on_correct_type;
extern const kappa_rule_t kappa_rule_unique_fragment_names;
extern const kappa_rule_t kappa_rule_known_fragment_names;
extern const kappa_rule_t kappa_rule_no_unused_fragments;
extern const kappa_rule_t kappa_rule_possible_fragment_spreads;
extern const kappa_rule_t kappa_rule_no_fragment_cycles;
extern const kappa_rule_t kappa_rule_unique_variable_names;
extern const kappa_rule_t kappa_rule_no_undefined_variables;
extern const kappa_rule_t kappa_rule_no_unused_variables;
extern const kappa_rule_t kappa_rule_known_directives;
extern const kappa_rule_t kappa_rule_unique_directives;
extern const kappa_rule_t kappa_rule_known_argument_names;
extern const kappa_rule_t kappa_rule_unique_argument_names;
extern const kappa_rule_t kappa_rule_values_of_correct_type;
extern const kappa_rule_t kappa_rule_required_arguments;
extern const kappa_rule_t kappa_rule_variables_in_allowed_position;
extern const kappa_rule_t kappa_rule_overlapping_fields;
extern const kappa_rule_t kappa_rule_unique_input_field_names;
extern const kappa_rule_t kappa_rule_max_introspection_depth;

/* All of them, in order; NULL-terminated. */
extern const kappa_rule_t *const kappa_rules[];

/* --- for rules */

/* An error of code VALIDATION_FAILED at a place of the document. NULL when
 * there are too many already. */
kappa_error_t *kappa_refuse(kappa_validation_t *v, uint32_t offset,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* One more place. */
void kappa_refuse_also(
    kappa_validation_t *v, kappa_error_t *error, uint32_t offset);
/* Whether further errors would be dropped. */
bool kappa_is_full(const kappa_validation_t *v);

/* Takes from what may be spent on work that could grow faster than the
 * document; false when it is used up, and then the document is refused. */
bool kappa_validation_spend(kappa_validation_t *v, uint32_t work);

/* KAPPA_NOMEM, so that the walk ends. */
void kappa_validation_fail(kappa_validation_t *v, kappa_status_t status);

/* What is public; NULL otherwise. */
const kappa_type_t *kappa_public_type(
    const kappa_validation_t *v, kappa_str_t name);
const kappa_field_t *kappa_public_field(
    const kappa_validation_t *v, const kappa_type_t *parent, kappa_str_t name);
const kappa_input_t *kappa_public_arg(
    const kappa_field_t *field, kappa_str_t name);

/* The fragment of that name, or NULL. */
kappa_part_t *kappa_fragment(const kappa_validation_t *v, kappa_str_t name);

/* The type that a variable is declared with, in the arena; NULL when its name
 * is unknown. */
const kappa_type_ref_t *kappa_type_of_node(
    kappa_validation_t *v, const kappa_type_node_t *node);

/* The parts that an operation reaches, itself first, until the next call;
 * NULL: see v->status. */
kappa_part_t **kappa_reachable(
    kappa_validation_t *v, kappa_part_t *operation, uint32_t *count);

static inline bool
kappa_is_operation(const kappa_part_t *part)
{
    return part->definition->kind == KAPPA_DEFINITION_OPERATION;
}

#endif
