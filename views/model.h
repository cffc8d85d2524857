#ifndef KAPPA_VIEWS_MODEL_H
#define KAPPA_VIEWS_MODEL_H

#include "expr/expr.h"
#include "graphql/data.h"
#include "graphql/schema.h"
#include "log/event.h"

/* The model: what a schema's directives say, worked out. Built once from a
 * schema (views/model.c, which refuses what is wrong, with its place),
 * immutable from then on, read by many threads. The engine (views/apply)
 * follows it; graphql/ reaches it through bindings. */

typedef struct kappa_model_s kappa_model_t;
typedef struct kappa_view_s kappa_view_t;
typedef struct kappa_column_s kappa_column_t;
typedef struct kappa_index_s kappa_index_t;
typedef struct kappa_aggregate_s kappa_aggregate_t;
typedef struct kappa_effect_rule_s kappa_effect_rule_t;
typedef struct kappa_event_rule_s kappa_event_rule_t;
typedef struct kappa_step_s kappa_step_t;
typedef struct kappa_check_s kappa_check_t;

/* How a stored value is typed, encoded and compared. */
typedef enum {
    KAPPA_COLUMN_BOOL,
    KAPPA_COLUMN_INT,
    KAPPA_COLUMN_BIGINT,
    KAPPA_COLUMN_DOUBLE,
    KAPPA_COLUMN_STRING, /* String, ID, UUID, Date, enums: by bytes */
    KAPPA_COLUMN_TIME,
    KAPPA_COLUMN_JSON /* lists, embedded objects, JSON: opaque; no key */
} kappa_column_kind_t;

/* One stored value of a view's rows. */
struct kappa_column_s {
    kappa_str_t name;
    kappa_str_t *was; /* @was: older names of it in events */
    uint32_t was_count;
    uint32_t number; /* in rows: from the generation's layout */
    kappa_column_kind_t kind;
    bool required; /* a null refuses the event */
    const kappa_field_t *field;
    const kappa_expr_t *stamp;          /* NULL: none */
    bool stamp_always;                  /* @stamp(on: WRITE) */
    const kappa_expr_t *fallback;       /* @default */
    const kappa_expr_t *computed;       /* stored @computed: over row alone */
    const kappa_aggregate_t *aggregate; /* kept here; NULL: none */
};

/* A sorted index. Entry: number, encoded fields, encoded key. index 0 of a
 * view is its key itself (fields = key, unique). */
struct kappa_index_s {
    const kappa_view_t *view;
    uint32_t number;   /* among view->indexes */
    uint32_t slot;     /* in stored keys: from the generation's layout */
    uint32_t *columns; /* positions in view->columns */
    uint32_t column_count;
    bool unique;
    /* Bit n: how many entries share their first n fields is asked for
     * (totalCount): the writer keeps that number, so that no read counts. */
    uint64_t counted;
};

typedef enum {
    KAPPA_AGGREGATE_COUNT,
    KAPPA_AGGREGATE_SUM,
    KAPPA_AGGREGATE_AVG,
    KAPPA_AGGREGATE_MIN,
    KAPPA_AGGREGATE_MAX
} kappa_aggregate_kind_t;

/* A value kept in rows of `target` over rows of `source`. `by` are source
 * columns that hold the target's key, in its order. */
struct kappa_aggregate_s {
    kappa_aggregate_kind_t kind;
    uint32_t number; /* among the model's */
    uint32_t slot;   /* in stored keys: from the generation's layout */
    const kappa_view_t *target;
    uint32_t target_column; /* position in target->columns */
    const kappa_view_t *source;
    uint32_t *by;
    uint32_t by_count;
    int32_t source_column;     /* -1: COUNT */
    const kappa_expr_t *where; /* NULL: every row */
};

/* What follows from a row of `source` that has become another one: one of its
 * @computed columns, its place in a group, its part in an aggregate. Steps
 * stand behind those that give what they read, so when each is done once, in
 * this order, each sees what is final. */
typedef enum {
    KAPPA_STEP_COMPUTE,
    KAPPA_STEP_GROUP,
    KAPPA_STEP_AGGREGATE
} kappa_step_kind_t;

struct kappa_step_s {
    kappa_step_kind_t kind;
    const kappa_view_t *source;
    uint32_t column;                    /* COMPUTE: position in columns */
    const kappa_view_t *group;          /* GROUP */
    const kappa_aggregate_t *aggregate; /* AGGREGATE */
};

struct kappa_check_s {
    const kappa_expr_t *condition;
    const char *code;
    kappa_str_t message; /* data NULL: a standard one */
    int32_t arg;         /* on an argument: its number; -1: on field or view */
    /* No condition: what is in the argument is checked, an input object of
     * this type, or lists of them. */
    const kappa_type_t *inside;
    kappa_check_t *next;
};

/* The @checks of an input object type's fields: the type's binding. NULL:
 * neither it nor what can be in it has any. */
typedef struct {
    kappa_check_t **fields; /* by kappa_input_t.number; NULL: none */
} kappa_input_checks_t;

struct kappa_view_s {
    kappa_str_t name;
    kappa_str_t was; /* @was: its older name in events; data NULL: none */
    uint32_t number; /* among model->views */
    uint32_t slot;   /* in stored keys: from the generation's layout */
    const kappa_type_t *type;
    kappa_column_t *columns; /* in source order, stored @computed last */
    uint32_t column_count;
    uint32_t *key; /* positions in columns */
    uint32_t key_count;
    kappa_index_t *indexes; /* [0] is the key */
    uint32_t index_count;
    kappa_aggregate_t **kept; /* aggregates in my rows */
    uint32_t kept_count;
    kappa_aggregate_t **fed; /* aggregates that my rows feed */
    uint32_t fed_count;
    const kappa_view_t *group_of; /* @groupBy: the source; NULL: no group */
    uint32_t *group_by;           /* columns of the source, per key column */
    const kappa_view_t **groups;  /* group views over me */
    uint32_t group_count;
    uint32_t *steps; /* of model->steps, those that my rows drive; rising */
    uint32_t step_count;
    kappa_check_t *checks;
    const kappa_expr_t *allow; /* row rule; NULL: everyone */
    int64_t keep_ms; /* rows leave that long after they were made; 0: never */

    /* `row` of this view in expressions. Member numbers are positions in
     * columns. */
    kappa_expr_type_t row_type;
};

/* One column set by `set: ["field = expr"]`. */
typedef struct {
    uint32_t column;
    const kappa_expr_t *value;
} kappa_set_t;

/* One effect of an event on one view (or, with each, once per item): an
 * @event's own effect or an @on. */
struct kappa_effect_rule_s {
    const kappa_view_t *view;
    kappa_effect_t effect;
    bool by_name;                  /* @event: takes data's members by name */
    const kappa_expr_t *each;      /* NULL: once */
    const kappa_expr_t **key;      /* per key column; NULL: event.key */
    const kappa_expr_t *condition; /* `if`; NULL: always */
    kappa_set_t *sets;
    uint32_t set_count;
};

/* The type of one member of event.data (SEMANTICS 3): that of the mutations'
 * argument, else of the thing's field. */
typedef struct {
    kappa_str_t name;
    const kappa_type_ref_t *type;
} kappa_data_member_t;

/* What happens at an event of this (thing, verb). verb data NULL: any verb
 * of the thing that has no rule of its own. Effects are in the order of
 * SEMANTICS 4. */
struct kappa_event_rule_s {
    kappa_str_t thing;
    kappa_str_t verb;
    const kappa_view_t *view;     /* the thing's; NULL: it is no view */
    kappa_effect_t effect;        /* that mutations declare */
    kappa_data_member_t *members; /* those of event.data that have a type */
    uint32_t member_count;
    kappa_effect_rule_t **effects;
    uint32_t effect_count;
    kappa_event_rule_t *next; /* of the same thing */
};

/* The i-th field of an index's entries: its own fields, then the key's. -1:
 * past them. */
static inline int32_t
kappa_index_column(const kappa_index_t *index, uint32_t i)
{
    if (i < index->column_count) {
        return (int32_t)index->columns[i];
    }
    i -= index->column_count;
    return index != index->view->indexes && i < index->view->key_count
        ? (int32_t)index->view->key[i]
        : -1;
}

/* How an argument of a mutation or a root field is filled when it is
 * stamped. */
typedef struct {
    uint32_t arg;
    const kappa_expr_t *value;
} kappa_arg_stamp_t;

/* A mutation field: binding->data of KAPPA_BIND_MUTATION. */
typedef struct {
    const kappa_field_t *field;
    const kappa_event_rule_t *rule;
    kappa_str_t thing;
    kappa_str_t verb;
    kappa_effect_t effect;
    const kappa_view_t *view; /* the thing's, or NULL */
    int32_t *key_args;        /* per key column: argument, -1: none */
    int32_t *key_members;     /* the member of that argument (an input object
                                 that is spread), -1: the argument itself */
    int32_t idempotency_arg;  /* -1: none */
    kappa_arg_stamp_t *stamps;
    uint32_t stamp_count;
    kappa_check_t *checks;
    const kappa_expr_t *allow;
    bool payload; /* the field's type is a payload object */
} kappa_mutation_t;

/* Whose rows a field gives: those of one view, or those of every object view
 * that an interface or a union with @view stands for (views/model_family.c),
 * which all have the same key fields. */
typedef struct {
    const kappa_type_t *type;
    const kappa_view_t **views; /* in the order of the text; one at least */
    uint32_t count;

    /* Of an interface or a union: a row as expressions look it up. Its members
     * are the fields that all views store; columns[i * member_count + n] is
     * where view i has member n. */
    kappa_expr_type_t row_type;
    uint32_t *columns; /* NULL: the rows of one view, with its own row type */
} kappa_rows_t;

/* A way to one row: binding->data of KAPPA_BIND_ONE. The first of the views
 * that has the key gives it. */
typedef struct {
    const kappa_rows_t *rows;
    bool from_args; /* key parts are arguments; else the parent's columns */
    int32_t *parts; /* per key column: argument number or parent column */
    kappa_arg_stamp_t *stamps;
    uint32_t stamp_count;
    const kappa_expr_t *allow; /* @allow on the field */
} kappa_one_t;

/* What one argument of a list means. */
typedef enum {
    KAPPA_ARG_NONE,
    KAPPA_ARG_EQUAL,
    KAPPA_ARG_IN,
    KAPPA_ARG_GT,
    KAPPA_ARG_GTE,
    KAPPA_ARG_LT,
    KAPPA_ARG_LTE,
    KAPPA_ARG_FIRST,
    KAPPA_ARG_AFTER,
    KAPPA_ARG_LAST,
    KAPPA_ARG_BEFORE,
    KAPPA_ARG_ORDER_BY
} kappa_arg_role_t;

typedef struct {
    kappa_arg_role_t role;
    uint32_t column; /* of the view, for EQUAL … LTE */
} kappa_list_arg_t;

/* An index chosen for one combination of present filters and one order. */
typedef struct {
    uint64_t present; /* bit per argument that is not null */
    int32_t order;    /* orderBy enum value's number; -1: none given */
    const kappa_index_t *index;
    uint32_t equalities; /* leading fields of its entries fixed */
    bool ranged;         /* the next field has a range, or a list of values */
    bool descending;
    /* An equality of the row rule that the index serves, among the
     * equalities: rule_column has the value of `rule`. NULL: none. */
    const kappa_expr_t *rule;
    uint32_t rule_column;
} kappa_choice_t;

/* A way to many rows: binding->data of LIST and CONNECTION. Where the rows
 * are of several views there is one for each, and for every choice their
 * indexes go on with the same fields behind the equalities, so that merging
 * the entries sorts them. */
typedef struct kappa_list_s kappa_list_t;
struct kappa_list_s {
    const kappa_view_t *view;
    const kappa_list_t *next; /* that of the next view; NULL: the last */
    int32_t *by;              /* @hasMany: view columns that hold my key… */
    int32_t *by_parent;       /* …and the parent's columns they equal */
    uint32_t by_count;
    kappa_list_arg_t *args; /* per field argument */
    uint32_t arg_count;
    /* By which optional filters are there (bit per one of `optional`, in its
     * order), times order_count, plus the order's: 0 none given, else the
     * enum value's number + 1. */
    kappa_choice_t *choices;
    uint32_t choice_count;
    uint32_t *optional; /* arguments */
    uint32_t optional_count;
    uint32_t order_count;
    uint32_t default_limit;
    kappa_arg_stamp_t *stamps;
    uint32_t stamp_count;
    const kappa_expr_t *allow;
};

/* A @changes subscription field: binding->data of KAPPA_BIND_CHANGES. */
typedef struct {
    kappa_str_t thing;
    kappa_str_t was;    /* @was: its older name in events; data NULL: none */
    kappa_str_t *verbs; /* none: any */
    uint32_t verb_count;
    const kappa_view_t *view; /* whose rows; NULL: event.data, as the type of
                                 the field has it */
    const kappa_view_t *rule; /* the thing's, when it has a row rule */
    kappa_list_arg_t *args;   /* EQUAL; by column of the view */
    uint32_t arg_count;
    kappa_arg_stamp_t *stamps;
    uint32_t stamp_count;
} kappa_changes_t;

/* What field->binding points to on every field that the model binds: the
 * binding, and what the read side needs beside binding.data. */
typedef struct {
    kappa_binding_t binding;
    const kappa_field_t *field;
    const kappa_expr_t *allow;    /* @allow on the field; NULL: none */
    const kappa_expr_t *computed; /* VALUE: a read-time @computed */
    const kappa_view_t *view;     /* whose field it is; NULL: of no view */
} kappa_field_binding_t;

struct kappa_model_s {
    kappa_schema_t *schema;
    kappa_view_t **views;
    uint32_t view_count;
    kappa_map_t view_map;
    kappa_expr_view_t *lookups; /* handle is a kappa_rows_t */
    uint32_t lookup_count;
    kappa_aggregate_t **aggregates; /* sources before what they feed */
    uint32_t aggregate_count;
    kappa_step_t *steps; /* each behind what it reads */
    uint32_t step_count;
    kappa_event_rule_t **rules; /* every view has one for any verb */
    uint32_t rule_count;
    kappa_map_t rule_map; /* thing to its first rule */
    bool renames;         /* some enum value has an older name */
    int64_t keep_min_ms;  /* the shortest @view(keep:); 0: none has one */
};

/* Text of a schema file to model: parses, merges kappa.graphql, builds schema
 * and model. What `kappa check`, `nginx -t` and the store use. */
kappa_status_t kappa_model_load(kappa_arena_t *arena, kappa_str_t file_name,
    kappa_str_t text, kappa_model_t **out, kappa_errors_t *errors);

/* Takes a column's number in rows from a generation's layout, into the column
 * and the binding of its field. Until then a column's number is its position.
 * Before the model is shared between threads. */
void kappa_model_number(
    kappa_model_t *model, uint32_t view, uint32_t column, uint32_t number);

/* Whether CREATE makes up a part of a key in this column that nothing gives:
 * what it makes is a UUID. */
bool kappa_model_makes_up(const kappa_column_t *column);

/* By its name, or its older name (@was). NULL: none. */
const kappa_view_t *kappa_model_view(
    const kappa_model_t *model, kappa_str_t name);

/* The rule for an event, NULL: none (it changes no view). */
const kappa_event_rule_t *kappa_model_rule(
    const kappa_model_t *model, kappa_str_t thing, kappa_str_t verb);

#endif
