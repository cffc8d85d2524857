#include "expr/lexer.h"

#include <stdio.h>

/* Recursive descent, one function a production. Binary operators of one level
 * are a table, since CEL has six levels of them and all are left-associative.
 */

typedef struct {
    kappa_expr_compiler_t *c;
    kappa_expr_token_t token; /* the one to be taken next */
    size_t pos;               /* behind it */
    unsigned nesting;
    bool negative; /* the number to come has a minus before it */
} parser_t;

/* Children of a node while their number is not known yet. */
typedef struct {
    kappa_node_t **items;
    uint32_t count;
    uint32_t cap;
} nodes_t;

static kappa_node_t *parse_expr(parser_t *p);

static bool
advance(parser_t *p)
{
    p->token = kappa_expr_lex(p->c, &p->pos);
    return p->token.kind != KAPPA_EXPR_TOKEN_ERROR;
}

static bool
is_punct(const parser_t *p, const char *text)
{
    return p->token.kind == KAPPA_EXPR_TOKEN_PUNCT
        && kappa_str_eq_c(p->token.text, text);
}

static bool
is_name(const parser_t *p, const char *text)
{
    return p->token.kind == KAPPA_EXPR_TOKEN_NAME
        && kappa_str_eq_c(p->token.text, text);
}

/* Reports what was expected; a token that the lexer refused is reported. */
static void *
unexpected(parser_t *p, const char *expected)
{
    if (p->token.kind == KAPPA_EXPR_TOKEN_END) {
        kappa_expr_report(p->c, p->token.offset,
            "Expected %s, found the end of the expression.", expected);
    } else if (p->token.kind != KAPPA_EXPR_TOKEN_ERROR) {
        kappa_expr_report(p->c, p->token.offset,
            "Expected %s, found \"%.*s\".", expected,
            KAPPA_STR_ARG(p->token.text));
    }
    return NULL;
}

static bool
expect(parser_t *p, const char *text)
{
    char quoted[8];

    if (!is_punct(p, text)) {
        snprintf(quoted, sizeof(quoted), "\"%s\"", text);
        unexpected(p, quoted);
        return false;
    }
    return advance(p);
}

static bool
nodes_add(parser_t *p, nodes_t *list, kappa_node_t *node)
{
    if (node == NULL) {
        return false;
    }
    if (list->count == list->cap) {
        uint32_t cap = list->cap ? list->cap * 2 : 4;
        kappa_node_t **items =
            KAPPA_NEW_ARRAY(p->c->arena, kappa_node_t *, cap);

        if (items == NULL) {
            p->c->status = KAPPA_NOMEM;
            return false;
        }
        for (uint32_t i = 0; i < list->count; i++) {
            items[i] = list->items[i];
        }
        list->items = items;
        list->cap = cap;
    }
    list->items[list->count++] = node;
    return true;
}

/* A node over the children of a list. */
static kappa_node_t *
node_over(parser_t *p, kappa_op_t op, uint32_t offset, const nodes_t *list)
{
    kappa_node_t *node = kappa_expr_node(p->c, op, offset, 0);

    if (node == NULL) {
        return NULL;
    }
    node->args = list->items;
    node->count = list->count;
    return kappa_expr_node_close(p->c, node) ? node : NULL;
}

static kappa_node_t *
unary_node(parser_t *p, kappa_op_t op, uint32_t offset, kappa_node_t *a)
{
    nodes_t list = { 0 };

    return nodes_add(p, &list, a) ? node_over(p, op, offset, &list) : NULL;
}

static kappa_node_t *
binary_node(parser_t *p, kappa_op_t op, uint32_t offset, kappa_node_t *a,
    kappa_node_t *b)
{
    nodes_t list = { 0 };

    return nodes_add(p, &list, a) && nodes_add(p, &list, b)
        ? node_over(p, op, offset, &list)
        : NULL;
}

/* List = [ Expr { "," Expr } [ "," ] ] close; a comma before close in lists
 * only. */
static bool
parse_list(parser_t *p, const char *close, bool trailing, nodes_t *list)
{
    if (is_punct(p, close)) {
        return advance(p);
    }
    for (;;) {
        if (!nodes_add(p, list, parse_expr(p))) {
            return false;
        }
        if (!is_punct(p, ",")) {
            return expect(p, close);
        }
        if (!advance(p)) {
            return false;
        }
        if (trailing && is_punct(p, close)) {
            return advance(p);
        }
    }
}

static kappa_node_t *
literal(parser_t *p, kappa_value_t value)
{
    kappa_node_t *node =
        kappa_expr_node(p->c, KAPPA_OP_LITERAL, p->token.offset, 0);

    if (node == NULL || !kappa_expr_node_close(p->c, node) || !advance(p)) {
        return NULL;
    }
    node->literal = value;
    return node;
}

static kappa_node_t *
parse_int(parser_t *p, bool negative)
{
    uint64_t magnitude = p->token.magnitude;

    if (negative) {
        return literal(p, kappa_int((int64_t)(0 - magnitude)));
    }
    if (magnitude > INT64_MAX) {
        kappa_expr_report(p->c, p->token.offset, "Integer over 64 bits.");
        return NULL;
    }
    return literal(p, kappa_int((int64_t)magnitude));
}

static bool
is_reserved(kappa_str_t name)
{
    static const char *const words[] = { "as", "break", "const", "continue",
        "else", "for", "function", "if", "import", "in", "let", "loop",
        "namespace", "package", "return", "var", "void", "while" };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (kappa_str_eq_c(name, words[i])) {
            return true;
        }
    }
    return false;
}

/* Name [ "(" List ")" ] */
static kappa_node_t *
parse_name(parser_t *p)
{
    kappa_str_t name = p->token.text;
    uint32_t offset = p->token.offset;
    nodes_t args = { 0 };
    bool call;

    if (is_reserved(name)) {
        return unexpected(p, "an expression");
    }
    if (!advance(p)) {
        return NULL;
    }
    call = is_punct(p, "(");
    if (call && (!advance(p) || !parse_list(p, ")", false, &args))) {
        return NULL;
    }
    kappa_node_t *node =
        node_over(p, call ? KAPPA_OP_CALL : KAPPA_OP_NAME, offset, &args);
    if (node != NULL) {
        node->name = name;
    }
    return node;
}

static kappa_node_t *
parse_word(parser_t *p)
{
    if (is_name(p, "true") || is_name(p, "false")) {
        return literal(p, kappa_bool(is_name(p, "true")));
    }
    if (is_name(p, "null")) {
        return literal(p, kappa_null());
    }
    return parse_name(p);
}

static kappa_node_t *
parse_punct_primary(parser_t *p)
{
    uint32_t offset = p->token.offset;

    if (is_punct(p, "(")) {
        kappa_node_t *inner = advance(p) ? parse_expr(p) : NULL;

        return inner != NULL && expect(p, ")") ? inner : NULL;
    }
    if (is_punct(p, "[")) {
        nodes_t items = { 0 };

        return advance(p) && parse_list(p, "]", true, &items)
            ? node_over(p, KAPPA_OP_LIST, offset, &items)
            : NULL;
    }
    if (is_punct(p, "{")) {
        kappa_expr_report(
            p->c, offset, "Map literals are not in the language.");
        return NULL;
    }
    return unexpected(p, "an expression");
}

/* Primary = Literal | Name [ "(" List ")" ] | "(" Expr ")" | "[" List "]" */
static kappa_node_t *
parse_primary(parser_t *p)
{
    bool negative = p->negative;

    p->negative = false;
    switch (p->token.kind) {
    case KAPPA_EXPR_TOKEN_INT:
        return parse_int(p, negative);
    case KAPPA_EXPR_TOKEN_DOUBLE:
        return literal(
            p, kappa_double(negative ? -p->token.number : p->token.number));
    case KAPPA_EXPR_TOKEN_STRING:
        return literal(p, kappa_string(p->token.string));
    case KAPPA_EXPR_TOKEN_NAME:
        return parse_word(p);
    case KAPPA_EXPR_TOKEN_PUNCT:
        return parse_punct_primary(p);
    default:
        return unexpected(p, "an expression");
    }
}

/* Selection = "." Name [ "(" List ")" ] */
static kappa_node_t *
parse_selection(parser_t *p, kappa_node_t *base)
{
    nodes_t args = { 0 };

    if (!advance(p)) {
        return NULL;
    }
    kappa_str_t name = p->token.text;
    uint32_t offset = p->token.offset;
    if (p->token.kind != KAPPA_EXPR_TOKEN_NAME) {
        return unexpected(p, "a name behind \".\"");
    }
    if (!advance(p) || !nodes_add(p, &args, base)) {
        return NULL;
    }
    bool call = is_punct(p, "(");
    if (call && (!advance(p) || !parse_list(p, ")", false, &args))) {
        return NULL;
    }
    kappa_node_t *node =
        node_over(p, call ? KAPPA_OP_METHOD : KAPPA_OP_SELECT, offset, &args);
    if (node != NULL) {
        node->name = name;
    }
    return node;
}

/* Member = Primary { Selection | "[" Expr "]" } */
static kappa_node_t *
parse_member(parser_t *p)
{
    kappa_node_t *node = parse_primary(p);

    while (node != NULL) {
        uint32_t offset = p->token.offset;

        if (is_punct(p, ".")) {
            node = parse_selection(p, node);
        } else if (is_punct(p, "[")) {
            kappa_node_t *index = advance(p) ? parse_expr(p) : NULL;

            if (index == NULL || !expect(p, "]")) {
                return NULL;
            }
            node = binary_node(p, KAPPA_OP_INDEX, offset, node, index);
        } else {
            break;
        }
    }
    return node;
}

/* Unary = { "!" } Member | { "-" } Member. A minus that stands before a number
 * belongs to it, so that the least integer can be written. */
static kappa_node_t *
parse_unary(parser_t *p)
{
    const char *sign = is_punct(p, "!") ? "!" : "-";
    uint32_t offset = p->token.offset, count = 0;

    while (is_punct(p, sign)) {
        if (!advance(p)) {
            return NULL;
        }
        count++;
    }
    if (count > 0 && *sign == '-'
        && (p->token.kind == KAPPA_EXPR_TOKEN_INT
            || p->token.kind == KAPPA_EXPR_TOKEN_DOUBLE)) {
        p->negative = true;
        count--;
    }
    kappa_node_t *node = parse_member(p);
    for (; count > 0 && node != NULL; count--) {
        node = unary_node(
            p, *sign == '!' ? KAPPA_OP_NOT : KAPPA_OP_NEGATE, offset, node);
    }
    return node;
}

/* The binary operators by level, the loosest first, below && and ||. */
static const struct {
    const char *text;
    kappa_op_t op;
} operators[][7] = {
    { { "<", KAPPA_OP_LT }, { "<=", KAPPA_OP_LE }, { ">", KAPPA_OP_GT },
        { ">=", KAPPA_OP_GE }, { "==", KAPPA_OP_EQ }, { "!=", KAPPA_OP_NE } },
    { { "+", KAPPA_OP_ADD }, { "-", KAPPA_OP_SUB } },
    { { "*", KAPPA_OP_MUL }, { "/", KAPPA_OP_DIV }, { "%", KAPPA_OP_REM } },
};

#define LEVELS (sizeof(operators) / sizeof(operators[0]))

static bool
find_operator(const parser_t *p, size_t level, kappa_op_t *op)
{
    for (size_t i = 0; operators[level][i].text != NULL; i++) {
        if (is_punct(p, operators[level][i].text)) {
            *op = operators[level][i].op;
            return true;
        }
    }
    *op = KAPPA_OP_IN;
    return level == 0 && is_name(p, "in");
}

/* Relation       = Addition { relop Addition }, relop with "in"
 * Addition       = Multiplication { ("+" | "-") Multiplication }
 * Multiplication = Unary { ("*" | "/" | "%") Unary } */
static kappa_node_t *
parse_binary(parser_t *p, size_t level)
{
    if (level == LEVELS) {
        return parse_unary(p);
    }
    kappa_node_t *left = parse_binary(p, level + 1);
    kappa_op_t op;

    while (left != NULL && find_operator(p, level, &op)) {
        uint32_t offset = p->token.offset;
        kappa_node_t *right = advance(p) ? parse_binary(p, level + 1) : NULL;

        left = right ? binary_node(p, op, offset, left, right) : NULL;
    }
    return left;
}

/* And = Relation { "&&" Relation }
 * Or  = And { "||" And }
 * One node over all: neither depends on how its operands are grouped. */
static kappa_node_t *
parse_logic(parser_t *p, kappa_op_t op)
{
    const char *text = op == KAPPA_OP_OR ? "||" : "&&";
    nodes_t operands = { 0 };
    uint32_t offset = 0;

    for (;;) {
        kappa_node_t *operand = op == KAPPA_OP_OR
            ? parse_logic(p, KAPPA_OP_AND)
            : parse_binary(p, 0);

        if (!nodes_add(p, &operands, operand)) {
            return NULL;
        }
        if (!is_punct(p, text)) {
            break;
        }
        offset = offset ? offset : p->token.offset;
        if (!advance(p)) {
            return NULL;
        }
    }
    return operands.count == 1 ? operands.items[0]
                               : node_over(p, op, offset, &operands);
}

/* Expr = Or [ "?" Or ":" Expr ] */
static kappa_node_t *
parse_conditional(parser_t *p)
{
    kappa_node_t *node = parse_logic(p, KAPPA_OP_OR);
    uint32_t offset = p->token.offset;
    nodes_t parts = { 0 };

    if (node == NULL || !is_punct(p, "?")) {
        return node;
    }
    if (!nodes_add(p, &parts, node) || !advance(p)
        || !nodes_add(p, &parts, parse_logic(p, KAPPA_OP_OR))
        || !expect(p, ":") || !nodes_add(p, &parts, parse_expr(p))) {
        return NULL;
    }
    return node_over(p, KAPPA_OP_COND, offset, &parts);
}

static kappa_node_t *
parse_expr(parser_t *p)
{
    if (p->nesting == KAPPA_EXPR_DEPTH_MAX) {
        kappa_expr_report_limit(
            p->c, p->token.offset, "levels deep", KAPPA_EXPR_DEPTH_MAX);
        return NULL;
    }
    p->nesting++;
    kappa_node_t *node = parse_conditional(p);
    p->nesting--;
    return node;
}

kappa_node_t *
kappa_expr_parse(kappa_expr_compiler_t *c)
{
    parser_t p = { .c = c };
    kappa_node_t *node = advance(&p) ? parse_expr(&p) : NULL;

    if (node != NULL && p.token.kind != KAPPA_EXPR_TOKEN_END) {
        return unexpected(&p, "an operator or the end");
    }
    return node;
}
