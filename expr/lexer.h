#ifndef KAPPA_EXPR_LEXER_H
#define KAPPA_EXPR_LEXER_H

#include "expr/node.h"

/* Inside expr/: text to tokens. */

typedef enum {
    KAPPA_EXPR_TOKEN_END,
    KAPPA_EXPR_TOKEN_NAME,   /* also true, false, null and in */
    KAPPA_EXPR_TOKEN_INT,    /* magnitude: at most 2^63 */
    KAPPA_EXPR_TOKEN_DOUBLE, /* number */
    KAPPA_EXPR_TOKEN_STRING, /* string, its escapes resolved */
    KAPPA_EXPR_TOKEN_PUNCT,  /* text: one of ( ) [ ] { } . , ? : ! - + * / % <
                           <= >
                           >= == != && || */
    KAPPA_EXPR_TOKEN_ERROR   /* reported already */
} kappa_expr_token_kind_t;

typedef struct {
    kappa_expr_token_kind_t kind;
    uint32_t offset;
    kappa_str_t text; /* as written */
    uint64_t magnitude;
    double number;
    kappa_str_t string;
} kappa_expr_token_t;

/* The token at *pos, which moves behind it. */
kappa_expr_token_t kappa_expr_lex(kappa_expr_compiler_t *c, size_t *pos);

#endif
