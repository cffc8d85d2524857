#ifndef KAPPA_EXPR_CALL_H
#define KAPPA_EXPR_CALL_H

#include "expr/node.h"

/* Inside expr/: the functions of the language. */

/* What an argument may be. JSON always may, and is checked when evaluated. */
typedef enum {
    KAPPA_TAKES_TEXT,    /* String or an enum */
    KAPPA_TAKES_SIZED,   /* text or a list */
    KAPPA_TAKES_NUMBER,  /* Int or Float */
    KAPPA_TAKES_ORDERED, /* number, text, time; all of one type */
    KAPPA_TAKES_TIME,
    KAPPA_TAKES_DURATION, /* a literal such as '1h' */
    KAPPA_TAKES_MEMBER    /* a selection: a.b */
} kappa_takes_t;

/* Evaluated arguments, in. Sets *reason and gives KAPPA_INVALID, or else
 * KAPPA_OK or KAPPA_NOMEM. */
typedef kappa_status_t (*kappa_function_eval_t)(const kappa_node_t *node,
    const kappa_value_t *args, kappa_arena_t *scratch, kappa_value_t *out,
    const char **reason);

typedef struct kappa_function_s {
    kappa_str_t name;
    const char *usage; /* for messages */
    bool as_function;  /* f(x, …) */
    bool as_method;    /* x.f(…) */
    uint32_t least;    /* arguments, the receiver included */
    uint32_t most;
    kappa_takes_t takes[2];          /* the last for all further ones */
    const kappa_expr_type_t *result; /* NULL: as its arguments */
    kappa_function_eval_t eval;
} kappa_function_t;

#define KAPPA_FUNCTION_ARGS_MAX 16

/* NULL when there is none. */
const kappa_function_t *kappa_expr_function(kappa_str_t name);

/* The i-th, NULL behind the last. */
const kappa_function_t *kappa_expr_function_at(uint32_t i);

#endif
