#ifndef KAPPA_GRAPHQL_LEXER_H
#define KAPPA_GRAPHQL_LEXER_H

#include "base/error.h"
#include "base/status.h"
#include "base/str.h"

/* Text to tokens (specification section 2.1, appendix B.1 and B.2). Ignored
 * tokens (blanks, commas, comments, byte order marks) are skipped. */

typedef enum {
    KAPPA_TOKEN_SOF,
    KAPPA_TOKEN_EOF,
    KAPPA_TOKEN_BANG,
    KAPPA_TOKEN_DOLLAR,
    KAPPA_TOKEN_AMP,
    KAPPA_TOKEN_PAREN_L,
    KAPPA_TOKEN_PAREN_R,
    KAPPA_TOKEN_SPREAD,
    KAPPA_TOKEN_COLON,
    KAPPA_TOKEN_EQUALS,
    KAPPA_TOKEN_AT,
    KAPPA_TOKEN_BRACKET_L,
    KAPPA_TOKEN_BRACKET_R,
    KAPPA_TOKEN_BRACE_L,
    KAPPA_TOKEN_PIPE,
    KAPPA_TOKEN_BRACE_R,
    KAPPA_TOKEN_NAME,
    KAPPA_TOKEN_INT,
    KAPPA_TOKEN_FLOAT,
    KAPPA_TOKEN_STRING,
    KAPPA_TOKEN_BLOCK_STRING
} kappa_token_kind_t;

typedef struct {
    kappa_token_kind_t kind;
    uint32_t offset;   /* of its first byte */
    uint32_t end;      /* behind its last byte */
    kappa_str_t value; /* name and numbers as written, strings unescaped (and
                          dedented); data NULL for the others */
} kappa_token_t;

typedef struct {
    kappa_arena_t *arena; /* strings with escapes are copied here */
    const kappa_source_t *source;
    kappa_errors_t *errors;
    uint32_t position; /* of the next byte to read */
} kappa_lexer_t;

/* source->text must be valid UTF-8 of less than 4 GiB. */
void kappa_lexer_init(kappa_lexer_t *lexer, kappa_arena_t *arena,
    const kappa_source_t *source, kappa_errors_t *errors);

/* The next token; at the end EOF, again and again. KAPPA_INVALID: one error
 * was added where graphql-js puts it. KAPPA_NOMEM. */
kappa_status_t kappa_lexer_next(kappa_lexer_t *lexer, kappa_token_t *out);

/* What messages call a kind: "Name", "\"{\"", "<EOF>". */
const char *kappa_token_kind_text(kappa_token_kind_t kind);

/* Adds "Syntax Error: …" of code PARSE_FAILED; always KAPPA_INVALID. */
kappa_status_t kappa_syntax_error(kappa_errors_t *errors,
    const kappa_source_t *source, size_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
