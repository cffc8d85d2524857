#ifndef KAPPA_EXPR_NODE_H
#define KAPPA_EXPR_NODE_H

#include "expr/expr.h"

/* Inside expr/: the tree that the parser makes, the checker types and
 * completes, and evaluation walks. */

typedef enum {
    /* as parsed */
    KAPPA_OP_LITERAL, /* literal */
    KAPPA_OP_LIST,    /* args */
    KAPPA_OP_NAME,    /* name; becomes ROOT */
    KAPPA_OP_SELECT,  /* args[0].name; becomes MEMBER, COLUMN or FIELD */
    KAPPA_OP_INDEX,   /* args[0][args[1]] */
    KAPPA_OP_CALL,    /* name(args); becomes LOOKUP, or gets `function` */
    KAPPA_OP_METHOD,  /* args[0].name(args[1]…); becomes CALL */
    KAPPA_OP_NOT,
    KAPPA_OP_NEGATE,
    KAPPA_OP_OR,   /* two args or more */
    KAPPA_OP_AND,  /* two args or more */
    KAPPA_OP_COND, /* args[0] ? args[1] : args[2] */
    KAPPA_OP_EQ,
    KAPPA_OP_NE,
    KAPPA_OP_LT,
    KAPPA_OP_LE,
    KAPPA_OP_GT,
    KAPPA_OP_GE,
    KAPPA_OP_IN,
    KAPPA_OP_ADD,
    KAPPA_OP_SUB,
    KAPPA_OP_MUL,
    KAPPA_OP_DIV,
    KAPPA_OP_REM,

    /* after the check */
    KAPPA_OP_ROOT,   /* number: kappa_expr_root_t */
    KAPPA_OP_MEMBER, /* of args[0], a ROOT, by number */
    KAPPA_OP_COLUMN, /* of args[0], a row, by number */
    KAPPA_OP_FIELD,  /* of args[0], an object, by name; number is a hint */
    KAPPA_OP_LOOKUP, /* view, by args */
    KAPPA_OP_CONVERT /* args[0] to `type`, or an error */
} kappa_op_t;

typedef struct kappa_node_s kappa_node_t;
struct kappa_function_s;

struct kappa_node_s {
    kappa_op_t op;
    uint16_t depth;  /* of the tree from here down */
    uint32_t offset; /* in the text, of what an error points at */
    const kappa_expr_type_t *type;
    kappa_str_t name;
    kappa_node_t **args;
    uint32_t count;
    uint32_t number;
    kappa_value_t literal;
    const kappa_expr_view_t *view;
    const struct kappa_function_s *function;
    int64_t unit_ms; /* trunc */
};

/* The state of one kappa_expr_compile. */
typedef struct {
    kappa_arena_t *arena;
    kappa_str_t text;
    const kappa_expr_scope_t *scope;
    kappa_errors_t *errors; /* NULL: nobody wants them */
    const kappa_source_t *source;
    size_t offset; /* of text in source */
    uint32_t nodes;
    kappa_status_t status; /* the worst so far */
} kappa_expr_compiler_t;

/* Adds an error that points at an offset of the text; the compile will fail
 * with KAPPA_INVALID. */
void kappa_expr_report(kappa_expr_compiler_t *c, uint32_t offset,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same, failing with KAPPA_LIMIT. */
void kappa_expr_report_limit(kappa_expr_compiler_t *c, uint32_t offset,
    const char *what, unsigned limit);

/* expr/place.c: the offset in a file of byte `to` of a text that starts behind
 * a quote at `start`, whatever escapes and indentation it was written with. */
size_t kappa_expr_place(
    kappa_str_t file, size_t start, kappa_str_t text, size_t to);

/* A node with room for count args, which the caller fills before
 * kappa_expr_node_close looks at their depth. NULL: c->status says why. */
kappa_node_t *kappa_expr_node(
    kappa_expr_compiler_t *c, kappa_op_t op, uint32_t offset, uint32_t count);
bool kappa_expr_node_close(kappa_expr_compiler_t *c, kappa_node_t *node);

/* struct behind kappa_expr_t. */
struct kappa_expr_s {
    const kappa_node_t *root;
    kappa_str_t text;
    kappa_expr_reads_t reads;
};

/* expr/parser.c: NULL when there were errors. */
kappa_node_t *kappa_expr_parse(kappa_expr_compiler_t *c);

/* expr/check.c: types the tree and resolves its names. False when there were
 * errors. *root is replaced where the result has to be converted. */
bool kappa_expr_check(kappa_expr_compiler_t *c, kappa_node_t **root,
    const kappa_expr_type_t *expected);

/* expr/reads.c: fills reads of a checked tree. */
kappa_status_t kappa_expr_collect(
    kappa_arena_t *arena, const kappa_node_t *root, kappa_expr_reads_t *out);

#endif
