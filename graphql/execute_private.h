#ifndef KAPPA_GRAPHQL_EXECUTE_PRIVATE_H
#define KAPPA_GRAPHQL_EXECUTE_PRIVATE_H

#include "graphql/execute.h"
#include "graphql/plan_private.h"

/* One execution, shared by execute*.c and introspect.c. */

/* Errors kept in an answer. */
#define KAPPA_EXECUTE_ERRORS_MAX 100

/* What one execution may read and write at most: aliases and nested lists
 * multiply, and everybody else waits meanwhile. */
#define KAPPA_EXECUTE_ROWS_MAX 100000
#define KAPPA_EXECUTE_BYTES_MAX (32U * 1024 * 1024)

/* How writing a value went. */
typedef enum {
    KAPPA_WRITTEN,
    KAPPA_WROTE_NULL, /* nothing was written: it is null */
    KAPPA_FAILED,     /* null because of an error that was recorded; what was
                         written is to be cut off */
    KAPPA_STOPPED     /* the execution ends with execution->status */
} kappa_written_t;

/* The way to a value, innermost first: a field, or an index in its list. */
typedef struct kappa_path_s {
    const struct kappa_path_s *up;
    const kappa_plan_field_t *field; /* NULL: an index */
    uint32_t index;
} kappa_path_t;

/* What the fields of a set are read from. */
typedef struct {
    const kappa_row_t *row;         /* NULL: a root, or nothing */
    const kappa_page_t *page;       /* of a connection */
    uint32_t index;                 /* of an edge */
    const kappa_mutated_t *mutated; /* of a payload */
    kappa_str_t json;               /* MEMBER: the object */
    const void *meta; /* META: a kappa_schema_t, kappa_type_t, … */
    const kappa_type_ref_t *ref; /* META: a __Type that is a wrapper */
} kappa_scope_t;

typedef struct {
    const kappa_plan_t *plan;
    const kappa_value_t *variables;
    kappa_data_t *data;
    kappa_arena_t *arena;
    kappa_buf_t *buf;
    const kappa_row_t *root;    /* the root field's value is given */
    const kappa_value_t **args; /* by slot, as they are needed */
    kappa_errors_t errors;      /* of the op that runs */
    kappa_buf_t errors_json;    /* without brackets */
    uint32_t error_count;
    const char *code; /* of the first error */
    kappa_status_t status;
    uint64_t rows;  /* fetched so far, and fetches */
    size_t len_max; /* of buf */
} kappa_execution_t;

static inline bool
kappa_execute_included(const kappa_execution_t *x, const kappa_plan_field_t *f)
{
    return f->condition == NULL
        || kappa_plan_holds(f->condition, x->variables);
}

static inline void
kappa_execute_key(kappa_buf_t *buf, const kappa_plan_field_t *f, bool first)
{
    kappa_buf_add(buf, f->key + first, f->key_len - first);
}

/* The field's arguments; KAPPA_FAILED: an error was recorded. */
kappa_written_t kappa_execute_args(kappa_execution_t *x,
    const kappa_plan_field_t *f, const kappa_path_t *path,
    const kappa_value_t **out);

/* Ends the execution. */
kappa_written_t kappa_execute_stop(
    kappa_execution_t *x, kappa_status_t status);

/* Records an error at path and is KAPPA_FAILED (or KAPPA_STOPPED). */
kappa_written_t kappa_execute_fail(kappa_execution_t *x,
    const kappa_path_t *path, const char *code, kappa_str_t message);

/* Records what an op left in x->errors. */
kappa_written_t kappa_execute_fail_op(
    kappa_execution_t *x, const kappa_path_t *path);

/* Records that a non-null value is null. */
kappa_written_t kappa_execute_fail_null(
    kappa_execution_t *x, const kappa_path_t *path);

/* `{…}` of a set. */
kappa_written_t kappa_execute_set(kappa_execution_t *x,
    const kappa_plan_set_t *set, const kappa_scope_t *scope,
    const kappa_path_t *path);

/* The commonest of all: a row's plain columns, their bytes behind their keys.
 * How many fields were written, from the set's first on; 0: something about
 * them takes the long way. */
uint32_t kappa_execute_columns(
    kappa_execution_t *x, const kappa_plan_set_t *set, const kappa_row_t *row);

/* A value of the field that is had as JSON: copied, or selected in. */
kappa_written_t kappa_execute_json(kappa_execution_t *x,
    const kappa_plan_field_t *f, kappa_str_t json, const kappa_path_t *path);

/* A member of a JSON object; data NULL: there is none. */
kappa_str_t kappa_execute_member(kappa_str_t object, kappa_str_t name);

/* __schema, __type, and the fields below them. */
kappa_written_t kappa_execute_meta(kappa_execution_t *x,
    const kappa_plan_field_t *f, const kappa_scope_t *scope,
    const kappa_path_t *path);

#endif
