#ifndef KAPPA_GRAPHQL_PLAN_PRIVATE_H
#define KAPPA_GRAPHQL_PLAN_PRIVATE_H

#include <stdatomic.h>

#include "graphql/plan.h"

/* The inside of a plan: what plan*.c make and execute*.c run. */

/* What a plan may cost at most, whatever a document says. */
#define KAPPA_PLAN_FIELDS_MAX 10000
#define KAPPA_PLAN_WORK_MAX 500000 /* steps of collecting */
#define KAPPA_PLAN_DEPTH_MAX 100   /* of fields */
#define KAPPA_PLAN_NESTING_MAX 500 /* of fragments in one selection set */

/* Keys may be read this far, so that short ones are copied at once. */
#define KAPPA_PLAN_KEY_ROOM 32

typedef struct kappa_plan_select_s kappa_plan_select_t;

/* How a field's value is had. */
typedef enum {
    KAPPA_OP_UNBOUND,  /* nothing says how */
    KAPPA_OP_CONSTANT, /* __typename: its value stands in the key */
    KAPPA_OP_COLUMN,
    KAPPA_OP_MEMBER, /* of a JSON object, by name */
    KAPPA_OP_VALUE,
    KAPPA_OP_ONE,
    KAPPA_OP_LIST,
    KAPPA_OP_CONNECTION,
    KAPPA_OP_EDGES,
    KAPPA_OP_NODES,
    KAPPA_OP_PAGE_INFO,
    KAPPA_OP_TOTAL_COUNT,
    KAPPA_OP_EDGE_NODE,
    KAPPA_OP_EDGE_CURSOR,
    KAPPA_OP_HAS_NEXT,
    KAPPA_OP_HAS_PREVIOUS,
    KAPPA_OP_START_CURSOR,
    KAPPA_OP_END_CURSOR,
    KAPPA_OP_MUTATION,
    KAPPA_OP_PAYLOAD_ROW,
    KAPPA_OP_PAYLOAD_POSITION,
    KAPPA_OP_PAYLOAD_DUPLICATE,
    KAPPA_OP_PAYLOAD_EVENT,
    KAPPA_OP_META_SCHEMA, /* __schema */
    KAPPA_OP_META_TYPE,   /* __type */
    KAPPA_OP_META         /* a field of __Schema, __Type, … */
} kappa_op_t;

typedef struct {
    uint32_t line;
    uint32_t column;
} kappa_plan_place_t;

/* A variable that @skip or @include reads, and what it must be. */
typedef struct {
    uint32_t variable;
    bool wanted;
} kappa_plan_test_t;

/* All of its tests must hold. */
typedef struct {
    uint32_t count;
    const kappa_plan_test_t *tests;
} kappa_plan_conjunction_t;

/* When a field is written here. Where fields were merged whose conditions
 * differ, each stands at its own place in the response order and is written
 * if it holds and none of those before it does. */
typedef struct {
    kappa_plan_conjunction_t all;
    uint32_t none_count;
    const kappa_plan_conjunction_t *none;
} kappa_plan_condition_t;

/* An argument that depends on variables. */
typedef struct {
    const kappa_input_t *input;
    uint32_t variable;              /* when literal is NULL */
    const kappa_literal_t *literal; /* a list or object with variables in it */
    kappa_plan_place_t place;       /* of the value */
} kappa_plan_dynamic_t;

typedef struct {
    uint32_t count;
    const kappa_value_t *values; /* constants; UNSET where dynamic */
    uint32_t dynamic_count;
    const kappa_plan_dynamic_t *dynamic;
    uint32_t slot; /* where an execution keeps them, if dynamic */
} kappa_plan_args_t;

/* An argument that tells a list's size, or a field in it: `filter.max`. */
typedef struct {
    uint32_t arg;
    kappa_str_t path; /* behind the argument's name; empty: itself */
} kappa_plan_slice_t;

/* What a field costs, kappa_plan_cost says how. */
typedef struct {
    double weight;
    double leaf;       /* weight of a leaf's type */
    double size;       /* of its list when no argument tells; 1: no list */
    bool args;         /* its arguments may weigh something */
    bool sizes_fields; /* the size is that of lists below it */
    uint32_t slice_count;
    const kappa_plan_slice_t *slices;
    uint32_t sized_count;
    const kappa_str_t *sized; /* those below; none: EDGES and NODES */
} kappa_plan_cost_t;

typedef struct {
    const char *key; /* `,"name":`, KAPPA_PLAN_KEY_ROOM bytes at least */
    uint32_t key_len;
    uint32_t column;    /* COLUMN */
    uint8_t op;         /* kappa_op_t */
    uint8_t meta;       /* META: kappa_meta_t of introspect.h */
    bool non_null;      /* its type is T! */
    bool item_non_null; /* its type is [T!] or [T!]! */
    bool rule;          /* ask ops->allowed first */
    bool payload;       /* MUTATION: its type is a payload */
    bool total;         /* CONNECTION: a totalCount is below */
    const kappa_plan_condition_t *condition; /* NULL: always */
    const kappa_plan_args_t *args;           /* NULL: takes none */
    const kappa_plan_select_t *select;       /* NULL: a leaf */
    const kappa_plan_cost_t *cost;           /* NULL: nothing, if a leaf */
    const kappa_field_t *field;
    kappa_str_t name; /* in the response */
    const kappa_plan_place_t *places;
    const kappa_plan_conjunction_t *place_tests; /* what must hold of each, if
                                                    they differ; or NULL */
    uint32_t place_count;
} kappa_plan_field_t;

typedef struct {
    const kappa_plan_field_t *fields; /* in response order */
    uint32_t count;
    uint32_t plain;          /* so many of the first are plain columns: always
                                there, without a rule, leaves */
    const uint32_t *columns; /* theirs; NULL: none are */
} kappa_plan_set_t;

typedef struct {
    const kappa_type_t *type; /* an object */
    double weight;            /* of one, in costs */
    kappa_plan_set_t set;
} kappa_plan_case_t;

/* What is selected of a composite type: a set per object type it may be. */
struct kappa_plan_select_s {
    const kappa_type_t *type;
    uint32_t case_count;
    const kappa_plan_case_t *cases; /* by type number */
};

typedef struct {
    const kappa_type_ref_t *type;
    kappa_value_t default_value; /* UNSET: none */
    kappa_str_t what;            /* `Variable "$x"` */
    kappa_plan_place_t place;
    bool condition; /* @skip or @include reads it */
} kappa_plan_variable_t;

struct kappa_plan_s {
    atomic_uint references;
    kappa_arena_t *arena;
    const kappa_schema_t *schema;
    kappa_operation_type_t operation;
    kappa_str_t name; /* data NULL: none */
    kappa_plan_variable_t *variables;
    kappa_str_t *variable_names;
    uint32_t variable_count;
    kappa_plan_set_t root;
    uint32_t slot_count; /* of dynamic args */
    bool cost_varies;    /* with the variables; else it is `cost` */
    kappa_cost_t cost;
};

bool kappa_plan_all_hold(
    const kappa_plan_conjunction_t *all, const kappa_value_t *variables);

/* Whether what has the condition is to be written. */
bool kappa_plan_holds(
    const kappa_plan_condition_t *condition, const kappa_value_t *variables);

/* Places in a text in constant time each, after one pass over it. */
typedef struct {
    kappa_str_t text;
    kappa_plan_place_t *marks; /* every MARK_BYTES */
} kappa_plan_locator_t;

kappa_status_t kappa_plan_locator_init(
    kappa_plan_locator_t *locator, kappa_arena_t *arena, kappa_str_t text);
kappa_plan_place_t kappa_plan_locate(
    const kappa_plan_locator_t *locator, size_t offset);

/* Gives the errors behind `after` (NULL: all) a place. KAPPA_INVALID, or
 * KAPPA_NOMEM. errors may be NULL. */
kappa_status_t kappa_plan_place_errors(
    kappa_errors_t *errors, kappa_error_t *after, kappa_plan_place_t place);

/* A condition on the way down: tests from the innermost to the outermost. NULL
 * holds always. Equal ones are mostly the same pointer. */
typedef struct kappa_plan_chain_s {
    const struct kappa_plan_chain_s *up;
    struct kappa_plan_chain_s *children;
    struct kappa_plan_chain_s *next; /* among its siblings */
    uint32_t count;                  /* of tests */
    kappa_plan_test_t test;
} kappa_plan_chain_t;

typedef struct kappa_plan_seen_s {
    const kappa_plan_chain_t *chain;
    struct kappa_plan_seen_s *next;
} kappa_plan_seen_t;

typedef struct {
    const kappa_definition_t *definition;
    const kappa_type_t *type;
    uint32_t seen_set; /* the set that `seen` is of */
    kappa_plan_seen_t *seen;
} kappa_plan_fragment_t;

/* A plan in the making. Scratch lives until the plan is made. */
typedef struct {
    kappa_plan_t *plan;
    kappa_arena_t *arena; /* the plan's */
    kappa_arena_t *scratch;
    const kappa_schema_t *schema;
    const kappa_document_t *document;
    kappa_errors_t *errors;
    kappa_plan_locator_t locator;
    kappa_map_t fragments;     /* name to kappa_plan_fragment_t * */
    kappa_plan_chain_t always; /* the root of chains; itself not one */
    uint32_t sets, fields, work;
    unsigned depth, nesting;
} kappa_planner_t;

/* Fields of one response name, as collected; or, with `of`, the place of one
 * of its nodes whose condition is another than those before it. */
typedef struct kappa_plan_node_s {
    const kappa_selection_t *selection;
    const kappa_plan_chain_t *chain;
    struct kappa_plan_node_s *next;
} kappa_plan_node_t;

typedef struct kappa_plan_group_s {
    kappa_str_t key;
    kappa_plan_node_t *first, *last;
    uint32_t count;
    struct kappa_plan_group_s *of; /* NULL: a group itself */
    const kappa_plan_node_t *at;   /* with `of`: the node */
    struct kappa_plan_group_s *next;
} kappa_plan_group_t;

typedef struct {
    const kappa_type_t *type;
    uint32_t number; /* of this set among the planner's */
    kappa_plan_group_t *first, *last;
    uint32_t count;
    kappa_map_t map; /* key to group, once there are many */
} kappa_plan_groups_t;

void kappa_plan_groups_init(kappa_planner_t *planner,
    kappa_plan_groups_t *groups, const kappa_type_t *type);

/* CollectFields (specification section 6.3.2) of one selection set for an
 * object type; several calls merge. */
kappa_status_t kappa_plan_collect(kappa_planner_t *planner,
    kappa_plan_groups_t *groups, const kappa_selection_t *selections,
    const kappa_plan_chain_t *chain);

/* Counts steps; KAPPA_LIMIT with an error when they are too many. */
kappa_status_t kappa_plan_work(kappa_planner_t *planner, uint32_t steps);

/* Adds the LIMIT_EXCEEDED error, and is KAPPA_LIMIT. */
kappa_status_t kappa_plan_too_large(
    kappa_planner_t *planner, const char *what, unsigned limit);

/* The set of a whole operation. */
kappa_status_t kappa_plan_root_set(kappa_planner_t *planner,
    const kappa_type_t *type, const kappa_selection_t *selections,
    kappa_plan_set_t *out);

/* Arguments of a field, constants coerced. *out NULL: it takes none. */
kappa_status_t kappa_plan_args(kappa_planner_t *planner,
    const kappa_field_t *field, const kappa_argument_t *arguments,
    const kappa_plan_args_t **out);

/* Arguments with the variables of a request; *out lives in arena, or in the
 * plan. KAPPA_INVALID: BAD_USER_INPUT with the place of the value. */
kappa_status_t kappa_plan_args_values(const kappa_plan_t *plan,
    const kappa_plan_args_t *args, const kappa_value_t *variables,
    kappa_arena_t *arena, const kappa_value_t **out, kappa_errors_t *errors);

/* What a field costs; its op and args are set. KAPPA_INVALID: it takes exactly
 * one of some arguments, and the document gives none or several. */
kappa_status_t kappa_plan_set_cost(kappa_planner_t *planner,
    kappa_plan_field_t *f, const kappa_selection_t *selection);

/* When the plan is whole: its cost, if it never varies. */
kappa_status_t kappa_plan_fix_cost(kappa_planner_t *planner);

/* A type's weight. */
double kappa_plan_type_weight(const kappa_type_t *type);

/* The operation's variables, defaults coerced. */
kappa_status_t kappa_plan_define_variables(
    kappa_planner_t *planner, const kappa_variable_node_t *nodes);

/* The index of a variable; false: there is none. */
bool kappa_plan_variable(
    const kappa_plan_t *plan, kappa_str_t name, uint32_t *index);

#endif
