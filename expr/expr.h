#ifndef KAPPA_EXPR_EXPR_H
#define KAPPA_EXPR_EXPR_H

#include "base/error.h"
#include "base/status.h"
#include "base/value.h"
#include "expr/type.h"

/* Expressions: a typed subset of CEL (https://cel.dev), compiled when the
 * schema loads, evaluated without side effects. docs/expressions.md describes
 * the language; DESIGN 5.2 and SEMANTICS 12 to 16 bind it.
 *
 * Bounded by construction: no loop, no recursion; a text has at most
 * KAPPA_EXPR_TEXT_MAX bytes, KAPPA_EXPR_NODES_MAX nodes, nested at most
 * KAPPA_EXPR_DEPTH_MAX deep; strings made by + have at most
 * KAPPA_EXPR_STRING_MAX bytes, lists KAPPA_EXPR_LIST_MAX items. */
#define KAPPA_EXPR_TEXT_MAX 8192
#define KAPPA_EXPR_NODES_MAX 1000
#define KAPPA_EXPR_DEPTH_MAX 64
#define KAPPA_EXPR_STRING_MAX (1024 * 1024)
#define KAPPA_EXPR_LIST_MAX 10000

typedef struct kappa_expr_s kappa_expr_t;

/* What an expression may start from. */
typedef enum {
    KAPPA_ROOT_ROW,
    KAPPA_ROOT_OLD,
    KAPPA_ROOT_ARGS,
    KAPPA_ROOT_VALUE,
    KAPPA_ROOT_AUTH,
    KAPPA_ROOT_NOW,
    KAPPA_ROOT_EVENT,
    KAPPA_ROOT_ITEM,
    KAPPA_ROOTS
} kappa_expr_root_t;

#define KAPPA_READS(root) (UINT32_C(1) << (root))
#define KAPPA_READS_LOOKUP (UINT32_C(1) << KAPPA_ROOTS)

/* A view that may be looked up: Member(row.room, auth.sub). */
typedef struct {
    kappa_str_t name;
    const kappa_expr_type_t *row;        /* of kind ROW */
    const kappa_expr_type_t *const *key; /* the key fields' types, in order */
    uint32_t key_count;
    const void *handle; /* for lookup(), which is given this view back */
} kappa_expr_view_t;

/* The names an expression may read where it stands. A root that is NULL may
 * not be read here. row, old: kind ROW (row of @check on a mutation, too);
 * args, auth, event: OBJECT; now: TIME; value, item: any. */
typedef struct {
    const char *place; /* for messages: "@allow on a view" */
    const kappa_expr_type_t *roots[KAPPA_ROOTS];
    const kappa_expr_view_t *views; /* for lookups; NULL: no lookups here */
    uint32_t view_count;
} kappa_expr_scope_t;

/* Reads, checks and types an expression.
 *
 * expected: the result's type, NULL for any. An int becomes a double where one
 * is expected, a string literal a DateTime; a string literal for an enum must
 * be one of its values. A result may be null whatever was expected.
 *
 * Errors go to errors (several if there are several mistakes) with their place
 * in source: offset is where the text starts in it, such as the byte behind
 * the opening quote of a string in a schema file.
 *
 * *out lives in the arena, is immutable, and may be evaluated by many threads
 * at once. It points to the types, views and text it was given: they must live
 * as long. KAPPA_INVALID, KAPPA_LIMIT (too long, too many nodes, too deep; in
 * errors too), KAPPA_NOMEM. */
kappa_status_t kappa_expr_compile(kappa_arena_t *arena, kappa_str_t text,
    const kappa_expr_scope_t *scope, const kappa_expr_type_t *expected,
    kappa_expr_t **out, kappa_errors_t *errors, const kappa_source_t *source,
    size_t offset);

/* The result's type; of kind KAPPA_EXPR_NULL for the literal null. */
const kappa_expr_type_t *kappa_expr_result_type(const kappa_expr_t *expr);

/* The text it was compiled from. */
kappa_str_t kappa_expr_text(const kappa_expr_t *expr);

/* Whether both give the same wherever they are given the same: the same
 * operations on the same names, which have types of the same kinds in both.
 * How they are written does not matter. What a view that is looked up stands
 * for (its handle) is not looked at. */
bool kappa_expr_same(const kappa_expr_t *a, const kappa_expr_t *b);

/* A value of auth that is read: auth.sub, auth.claims.tenant. */
typedef struct {
    kappa_str_t path;         /* "auth.claims.tenant" */
    const kappa_expr_t *expr; /* evaluates to it */
} kappa_expr_auth_read_t;

/* row.F == auth.X among the conjuncts of the whole expression: where the
 * whole is true, column F has that value. */
typedef struct {
    uint32_t column;
    const kappa_expr_auth_read_t *auth;
} kappa_expr_equality_t;

/* What an expression reads. No duplicates in any list. */
typedef struct {
    uint32_t roots; /* KAPPA_READS(root)…, KAPPA_READS_LOOKUP; 0: constant */
    const uint32_t *row_columns; /* ascending */
    uint32_t row_column_count;
    const uint32_t *old_columns; /* ascending */
    uint32_t old_column_count;
    const kappa_expr_auth_read_t *auth;
    uint32_t auth_count;
    const kappa_expr_view_t *const *views; /* looked up */
    uint32_t view_count;
    const kappa_expr_equality_t *equalities;
    uint32_t equality_count;
} kappa_expr_reads_t;

const kappa_expr_reads_t *kappa_expr_reads(const kappa_expr_t *expr);

/* Where evaluation has its data from. Values that a callback gives must live
 * as long as the caller of kappa_expr_eval wants the result: in scratch, or
 * longer (a row's bytes while its read transaction lasts).
 *
 * Values may be as JSON gives them back: a Float as an integer, a BigInt or
 * DateTime as a string; they take the kind of their declared type here.
 *
 * A callback returns KAPPA_OK, or an error that ends the evaluation and is
 * returned as it is (KAPPA_NOMEM, KAPPA_IO, …); never KAPPA_INVALID. What is
 * absent is null. A callback may be NULL if the scope declares nothing that
 * would need it. */
typedef struct {
    void *ctx;

    /* A root as a whole: row and old as KAPPA_ROW or null (`old == null`),
     * value, now, item; args, auth and event only where an expression
     * compares them with null (give any KAPPA_OBJECT). */
    kappa_status_t (*root)(void *ctx, kappa_arena_t *scratch,
        kappa_expr_root_t root, kappa_value_t *out);

    /* Member `number` of the root args, auth or event. */
    kappa_status_t (*member)(void *ctx, kappa_arena_t *scratch,
        kappa_expr_root_t root, uint32_t number, kappa_value_t *out);

    /* Column `number` of a row that root() or lookup() gave; type is the
     * row's type. */
    kappa_status_t (*column)(void *ctx, kappa_arena_t *scratch,
        const kappa_expr_type_t *type, const void *row, uint32_t number,
        kappa_value_t *out);

    /* The row of a view by its whole key: KAPPA_ROW, or null. No key is null:
     * a null key field makes the lookup null without a call. Keys have the
     * kinds of the key fields' types. */
    kappa_status_t (*lookup)(void *ctx, kappa_arena_t *scratch,
        const kappa_expr_view_t *view, const kappa_value_t *keys,
        uint32_t count, kappa_value_t *out);
} kappa_expr_env_t;

/* Evaluates. KAPPA_INVALID where the evaluation fails (overflow, division by
 * zero, null arithmetic, a wrong type in JSON, an index out of range, a result
 * too long): then *reason, if reason is not NULL, is a static text such as
 * "division by zero". Integers come as KAPPA_INT, also those of BigInt
 * columns; a double is never NaN or infinite, it is null then. What the result
 * holds lives in scratch, in the expression, or where callbacks put it. */
kappa_status_t kappa_expr_eval(const kappa_expr_t *expr,
    const kappa_expr_env_t *env, kappa_arena_t *scratch, kappa_value_t *out,
    const char **reason);

/* Whether it is true: an error of evaluation, null, and anything but true are
 * false (SEMANTICS 12). Not KAPPA_OK, and *holds false, only where a callback
 * failed or memory did. */
kappa_status_t kappa_expr_holds(const kappa_expr_t *expr,
    const kappa_expr_env_t *env, kappa_arena_t *scratch, bool *holds);

#endif
