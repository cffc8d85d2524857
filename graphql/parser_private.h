#ifndef KAPPA_GRAPHQL_PARSER_PRIVATE_H
#define KAPPA_GRAPHQL_PARSER_PRIVATE_H

#include "graphql/lexer.h"
#include "graphql/parser.h"

/* What the files of the parser share. Every function here takes what it
 * names from the token stream; false: p->status and the errors say why. */

typedef struct {
    kappa_arena_t *arena;
    const kappa_source_t *source;
    kappa_errors_t *errors;
    kappa_lexer_t lexer;
    kappa_token_t token; /* the current one */
    uint32_t last_end;   /* behind the token before it */
    uint32_t token_count;
    uint32_t max_tokens;
    uint32_t depth;
    uint32_t max_depth;
    kappa_status_t status;
} kappa_parser_t;

/* A zeroed node; NULL sets KAPPA_NOMEM. */
void *kappa_parser_new(kappa_parser_t *p, size_t size);
#define PARSER_NEW(p, type) ((type *)kappa_parser_new(p, sizeof(type)))

bool kappa_parser_advance(kappa_parser_t *p);
bool kappa_parser_unexpected(kappa_parser_t *p, const kappa_token_t *token);

static inline bool
kappa_parser_at(const kappa_parser_t *p, kappa_token_kind_t kind)
{
    return p->token.kind == kind;
}

static inline bool
kappa_parser_at_keyword(const kappa_parser_t *p, const char *keyword)
{
    return p->token.kind == KAPPA_TOKEN_NAME
        && kappa_str_eq_c(p->token.value, keyword);
}

/* Takes one token of the kind, else an error. */
bool kappa_parser_expect(kappa_parser_t *p, kappa_token_kind_t kind);
bool kappa_parser_expect_keyword(kappa_parser_t *p, const char *keyword);

/* Takes it if it is there; *taken says so. */
bool kappa_parser_take(
    kappa_parser_t *p, kappa_token_kind_t kind, bool *taken);
bool kappa_parser_take_keyword(
    kappa_parser_t *p, const char *keyword, bool *taken);

/* Around what nests: false past max_depth. */
bool kappa_parser_enter(kappa_parser_t *p);
void kappa_parser_leave(kappa_parser_t *p);

/* Parses one element, puts it at link (the place of a pointer to it) and
 * returns the place of its own `next`, or NULL. */
typedef void *(*kappa_parser_item_f)(kappa_parser_t *p, void *link);
static inline void
kappa_parser_link(void *link, const void *node)
{
    memcpy(link, &node, sizeof(node));
}

/* open item+ close */
bool kappa_parser_many(kappa_parser_t *p, kappa_token_kind_t open,
    kappa_parser_item_f item, kappa_token_kind_t close, void *list);
/* the same, or nothing */
bool kappa_parser_optional_many(kappa_parser_t *p, kappa_token_kind_t open,
    kappa_parser_item_f item, kappa_token_kind_t close, void *list);
/* delimiter? item (delimiter item)* */
bool kappa_parser_delimited(kappa_parser_t *p, kappa_token_kind_t delimiter,
    kappa_parser_item_f item, void *list);

bool kappa_parse_name(kappa_parser_t *p, kappa_name_t *out);
bool kappa_parse_description(kappa_parser_t *p, kappa_description_t *out);
bool kappa_parse_value(
    kappa_parser_t *p, bool constant, kappa_literal_t **out);
bool kappa_parse_type(kappa_parser_t *p, kappa_type_node_t **out);
bool kappa_parse_arguments(
    kappa_parser_t *p, bool constant, kappa_argument_t **out);
bool kappa_parse_directives(
    kappa_parser_t *p, bool constant, kappa_directive_node_t **out);

bool kappa_parse_operation_type(
    kappa_parser_t *p, kappa_operation_type_t *out);
bool kappa_parse_operation(kappa_parser_t *p, kappa_definition_t *definition);
bool kappa_parse_fragment(kappa_parser_t *p, kappa_definition_t *definition);

/* Behind the description. */
bool kappa_parse_type_system(kappa_parser_t *p, kappa_definition_t *definition,
    kappa_definition_kind_t kind);
/* Whether text is the keyword of a type system definition. */
bool kappa_type_system_keyword(
    kappa_str_t text, kappa_definition_kind_t *kind);

#endif
