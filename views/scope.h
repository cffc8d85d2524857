#ifndef KAPPA_VIEWS_SCOPE_H
#define KAPPA_VIEWS_SCOPE_H

#include "base/caller.h"
#include "expr/expr.h"
#include "log/event.h"
#include "views/model.h"

/* What expressions read while they are evaluated: rows, arguments, who asks,
 * the event. Writing and reading use the same one, so an expression means the
 * same in both. Fill in what the place allows; what is left zero is null. */

/* A row as expressions meet it: what KAPPA_ROW's as.row points to. Columns
 * are found by number in `data`, or, for a row in the making, by position in
 * `cells`. */
typedef struct {
    const kappa_view_t *view;
    const uint8_t *data;      /* as stored (views/row.h); or NULL */
    const kappa_str_t *cells; /* JSON by position in view->columns */
    const uint32_t *columns;  /* where members are in view->columns; NULL: a
                                 member's number is that */
} kappa_scope_row_t;

/* The event. data and key are typed (SEMANTICS 2 and 3). */
typedef struct {
    kappa_value_t data; /* OBJECT */
    kappa_value_t key;  /* scalar, LIST or null */
    int64_t time_ms;
    kappa_str_t actor_iss;
    kappa_str_t actor_sub;
    const uint8_t *id; /* KAPPA_UUID_BYTES */
} kappa_scope_event_t;

typedef struct kappa_scope_s kappa_scope_t;
struct kappa_scope_s {
    const kappa_scope_row_t *row; /* NULL: null */
    const kappa_scope_row_t *old;
    const kappa_value_t *args; /* by kappa_input_t.number */
    uint32_t arg_count;
    kappa_value_t value;
    const kappa_caller_t *caller; /* NULL: anonymous */
    int64_t now_ms;
    bool *personal; /* set when caller or now_ms are looked at; or NULL */
    const kappa_scope_event_t *event;
    kappa_value_t item;

    /* A row by its encoded key: fills *out and says KAPPA_OK, or
     * KAPPA_NOT_FOUND. What out points to lives as long as the scratch. */
    kappa_status_t (*get)(void *ctx, kappa_arena_t *scratch,
        const kappa_view_t *view, kappa_str_t key, kappa_scope_row_t *out);
    void *get_ctx;
};

/* Shorthands: an expression of NULL holds. */
kappa_status_t kappa_scope_holds(kappa_scope_t *scope,
    const kappa_expr_t *expr, kappa_arena_t *scratch, bool *holds);
kappa_status_t kappa_scope_eval(kappa_scope_t *scope, const kappa_expr_t *expr,
    kappa_arena_t *scratch, kappa_value_t *out, const char **reason);

#endif
