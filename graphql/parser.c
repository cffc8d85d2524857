#include "graphql/parser.h"

#include "graphql/parser_private.h"

#define MAX_DEPTH 200
#define SHOWN_BYTES 60 /* of a token, in a message */

void *
kappa_parser_new(kappa_parser_t *p, size_t size)
{
    void *node = kappa_arena_zalloc(p->arena, size);

    if (node == NULL) {
        p->status = KAPPA_NOMEM;
    }
    return node;
}

static bool
over_limit(kappa_parser_t *p, const char *what, uint32_t limit)
{
    kappa_error_at(p->errors,
        kappa_errors_add(p->errors, "LIMIT_EXCEEDED",
            "The document has more than %u %s.", limit, what),
        p->source, p->token.offset);
    p->status = KAPPA_LIMIT;
    return false;
}

bool
kappa_parser_advance(kappa_parser_t *p)
{
    p->last_end = p->token.end;
    p->status = kappa_lexer_next(&p->lexer, &p->token);
    if (p->status != KAPPA_OK) {
        return false;
    }
    if (p->token.kind != KAPPA_TOKEN_EOF && ++p->token_count > p->max_tokens
        && p->max_tokens != 0) {
        return over_limit(p, "tokens", p->max_tokens);
    }
    return true;
}

/* A token's value in quotes, cut where it gets long. */
static kappa_str_t
shown_value(const kappa_token_t *token)
{
    kappa_str_t value = token->value;

    if (value.len > SHOWN_BYTES) {
        value.len = SHOWN_BYTES;
        value.len = kappa_utf8_valid(value);
    }
    return value;
}

static bool
token_error(kappa_parser_t *p, const kappa_token_t *token, const char *before,
    const char *expected)
{
    kappa_str_t value = shown_value(token);
    bool has_value = token->value.data != NULL;

    p->status = kappa_syntax_error(p->errors, p->source, token->offset,
        "%s%s%s%s%s%.*s%s%s.", before, expected, expected[0] ? ", found " : "",
        kappa_token_kind_text(token->kind), has_value ? " \"" : "",
        KAPPA_STR_ARG(value), value.len < token->value.len ? "…" : "",
        has_value ? "\"" : "");
    return false;
}

bool
kappa_parser_unexpected(kappa_parser_t *p, const kappa_token_t *token)
{
    return token_error(p, token, "Unexpected ", "");
}

bool
kappa_parser_expect(kappa_parser_t *p, kappa_token_kind_t kind)
{
    if (p->token.kind != kind) {
        return token_error(
            p, &p->token, "Expected ", kappa_token_kind_text(kind));
    }
    return kappa_parser_advance(p);
}

bool
kappa_parser_expect_keyword(kappa_parser_t *p, const char *keyword)
{
    if (!kappa_parser_at_keyword(p, keyword)) {
        kappa_str_t quoted = kappa_str_printf(p->arena, "\"%s\"", keyword);

        if (quoted.data == NULL) {
            p->status = KAPPA_NOMEM;
            return false;
        }
        return token_error(p, &p->token, "Expected ", quoted.data);
    }
    return kappa_parser_advance(p);
}

bool
kappa_parser_take(kappa_parser_t *p, kappa_token_kind_t kind, bool *taken)
{
    *taken = p->token.kind == kind;
    return !*taken || kappa_parser_advance(p);
}

bool
kappa_parser_take_keyword(kappa_parser_t *p, const char *keyword, bool *taken)
{
    *taken = kappa_parser_at_keyword(p, keyword);
    return !*taken || kappa_parser_advance(p);
}

bool
kappa_parser_enter(kappa_parser_t *p)
{
    if (++p->depth > p->max_depth) {
        return over_limit(p, "levels of nesting", p->max_depth);
    }
    return true;
}

void
kappa_parser_leave(kappa_parser_t *p)
{
    p->depth--;
}

/* item+ close */
static bool
items_until(kappa_parser_t *p, kappa_parser_item_f item,
    kappa_token_kind_t close, void *list)
{
    bool closed;

    do {
        list = item(p, list);
        if (list == NULL || !kappa_parser_take(p, close, &closed)) {
            return false;
        }
    } while (!closed);
    return true;
}

bool
kappa_parser_many(kappa_parser_t *p, kappa_token_kind_t open,
    kappa_parser_item_f item, kappa_token_kind_t close, void *list)
{
    return kappa_parser_expect(p, open) && items_until(p, item, close, list);
}

bool
kappa_parser_optional_many(kappa_parser_t *p, kappa_token_kind_t open,
    kappa_parser_item_f item, kappa_token_kind_t close, void *list)
{
    return !kappa_parser_at(p, open)
        || kappa_parser_many(p, open, item, close, list);
}

bool
kappa_parser_delimited(kappa_parser_t *p, kappa_token_kind_t delimiter,
    kappa_parser_item_f item, void *list)
{
    bool more;

    if (!kappa_parser_take(p, delimiter, &more)) {
        return false;
    }
    do {
        list = item(p, list);
        if (list == NULL || !kappa_parser_take(p, delimiter, &more)) {
            return false;
        }
    } while (more);
    return true;
}

static bool
is_operation_keyword(kappa_str_t text)
{
    return kappa_str_eq_c(text, "query") || kappa_str_eq_c(text, "mutation")
        || kappa_str_eq_c(text, "subscription");
}

/* A description that belongs to nothing, told before anything is taken. */
static bool
check_description(kappa_parser_t *p)
{
    kappa_lexer_t ahead = p->lexer;
    kappa_token_t next;
    kappa_definition_kind_t kind;

    p->status = kappa_lexer_next(&ahead, &next);
    if (p->status != KAPPA_OK) {
        return false;
    }
    if (next.kind == KAPPA_TOKEN_BRACE_L) {
        p->status = kappa_syntax_error(p->errors, p->source, p->token.offset,
            "Unexpected description, descriptions are not supported on "
            "shorthand queries.");
        return false;
    }
    if (next.kind != KAPPA_TOKEN_NAME) {
        return kappa_parser_unexpected(p, &next);
    }
    if (!is_operation_keyword(next.value)
        && !kappa_str_eq_c(next.value, "fragment")
        && !kappa_type_system_keyword(next.value, &kind)) {
        p->status = kappa_syntax_error(p->errors, p->source, p->token.offset,
            "Unexpected description, only GraphQL definitions support "
            "descriptions.");
        return false;
    }
    return true;
}

static bool
parse_extension(kappa_parser_t *p, kappa_definition_t *definition)
{
    kappa_definition_kind_t kind;

    definition->extension = true;
    if (!kappa_parser_expect_keyword(p, "extend")) {
        return false;
    }
    if (!kappa_parser_at(p, KAPPA_TOKEN_NAME)
        || !kappa_type_system_keyword(p->token.value, &kind)
        || kind == KAPPA_DEFINITION_DIRECTIVE) {
        return kappa_parser_unexpected(p, &p->token);
    }
    return kappa_parse_type_system(p, definition, kind);
}

/* By the keyword at which the parser stands. */
static bool
parse_by_keyword(kappa_parser_t *p, kappa_definition_t *definition)
{
    kappa_definition_kind_t kind;

    if (kappa_parser_at(p, KAPPA_TOKEN_BRACE_L)) {
        return kappa_parse_operation(p, definition);
    }
    if (!kappa_parser_at(p, KAPPA_TOKEN_NAME)) {
        return kappa_parser_unexpected(p, &p->token);
    }
    if (kappa_type_system_keyword(p->token.value, &kind)) {
        return kappa_parse_type_system(p, definition, kind);
    }
    if (is_operation_keyword(p->token.value)) {
        return kappa_parse_operation(p, definition);
    }
    if (kappa_parser_at_keyword(p, "fragment")) {
        return kappa_parse_fragment(p, definition);
    }
    if (kappa_parser_at_keyword(p, "extend")) {
        return parse_extension(p, definition);
    }
    return kappa_parser_unexpected(p, &p->token);
}

/* Definition : ExecutableDefinition | TypeSystemDefinition |
 *              TypeSystemExtension, each with a Description? but the last */
static void *
parse_definition(kappa_parser_t *p, void *link)
{
    kappa_definition_t *definition = PARSER_NEW(p, kappa_definition_t);

    if (definition == NULL) {
        return NULL;
    }
    definition->source = p->source;
    definition->offset = p->token.offset;
    if (kappa_parser_at(p, KAPPA_TOKEN_STRING)
        || kappa_parser_at(p, KAPPA_TOKEN_BLOCK_STRING)) {
        if (!check_description(p)
            || !kappa_parse_description(p, &definition->description)) {
            return NULL;
        }
    }
    if (!parse_by_keyword(p, definition)) {
        return NULL;
    }
    definition->end = p->last_end;
    kappa_parser_link(link, definition);
    return &definition->next;
}

/* Document : Definition+ */
static bool
parse_document(kappa_parser_t *p, kappa_document_t *document)
{
    if (!kappa_parser_many(p, KAPPA_TOKEN_SOF, parse_definition,
            KAPPA_TOKEN_EOF, &document->definitions)) {
        return false;
    }
    for (kappa_definition_t *d = document->definitions; d != NULL;
         d = d->next) {
        document->definition_count++;
    }
    document->token_count = p->token_count;
    return true;
}

static kappa_status_t
check_text(const kappa_source_t *source, kappa_errors_t *errors)
{
    if (source->text.len >= UINT32_MAX) {
        kappa_errors_add(
            errors, "LIMIT_EXCEEDED", "The document is larger than 4 GiB.");
        return KAPPA_LIMIT;
    }
    size_t valid = kappa_utf8_valid(source->text);
    if (valid < source->text.len) {
        return kappa_syntax_error(errors, source, valid,
            "Invalid UTF-8: byte 0x%02X.",
            (unsigned)(unsigned char)source->text.data[valid]);
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_parse(kappa_arena_t *arena, const kappa_source_t *source,
    const kappa_parse_limits_t *limits, kappa_document_t **out,
    kappa_errors_t *errors)
{
    kappa_parser_t p = { .arena = arena,
        .source = source,
        .errors = errors,
        .max_tokens = limits ? limits->max_tokens : 0,
        .max_depth =
            limits && limits->max_depth ? limits->max_depth : MAX_DEPTH };
    kappa_document_t *document = KAPPA_NEW(arena, kappa_document_t);
    kappa_status_t status = check_text(source, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    if (document == NULL) {
        return KAPPA_NOMEM;
    }
    document->source = source;
    kappa_lexer_init(&p.lexer, arena, source, errors);
    if (!parse_document(&p, document)) {
        return p.status;
    }
    *out = document;
    return KAPPA_OK;
}
