#include "graphql/parser_private.h"

/* Names, values, types, arguments, directives: what executable and type
 * system documents share. */

bool
kappa_parse_name(kappa_parser_t *p, kappa_name_t *out)
{
    *out = (kappa_name_t){ p->token.value, p->token.offset };
    return kappa_parser_expect(p, KAPPA_TOKEN_NAME);
}

/* Description : StringValue; may be absent */
bool
kappa_parse_description(kappa_parser_t *p, kappa_description_t *out)
{
    if (!kappa_parser_at(p, KAPPA_TOKEN_STRING)
        && !kappa_parser_at(p, KAPPA_TOKEN_BLOCK_STRING)) {
        return true;
    }
    *out = (kappa_description_t){ .text = p->token.value,
        .offset = p->token.offset,
        .block = kappa_parser_at(p, KAPPA_TOKEN_BLOCK_STRING) };
    return kappa_parser_advance(p);
}

/* Variable : $ Name; an error where only constants may stand */
static bool
parse_variable(kappa_parser_t *p, bool constant, kappa_literal_t *node)
{
    kappa_token_t dollar = p->token;

    node->kind = KAPPA_LITERAL_VARIABLE;
    if (!kappa_parser_expect(p, KAPPA_TOKEN_DOLLAR)) {
        return false;
    }
    if (constant && kappa_parser_at(p, KAPPA_TOKEN_NAME)) {
        p->status = kappa_syntax_error(p->errors, p->source, dollar.offset,
            "Unexpected variable \"$%.*s\" in constant value.",
            KAPPA_STR_ARG(p->token.value));
        return false;
    }
    if (constant) {
        return kappa_parser_unexpected(p, &dollar);
    }
    node->text = p->token.value;
    return kappa_parser_expect(p, KAPPA_TOKEN_NAME);
}

/* ListValue[Const] : [ Value[?Const]* ] */
static bool
parse_list(kappa_parser_t *p, bool constant, kappa_literal_t *node)
{
    kappa_literal_t **link = &node->items;
    bool closed;

    node->kind = KAPPA_LITERAL_LIST;
    if (!kappa_parser_enter(p)
        || !kappa_parser_expect(p, KAPPA_TOKEN_BRACKET_L)
        || !kappa_parser_take(p, KAPPA_TOKEN_BRACKET_R, &closed)) {
        return false;
    }
    while (!closed) {
        if (!kappa_parse_value(p, constant, link)
            || !kappa_parser_take(p, KAPPA_TOKEN_BRACKET_R, &closed)) {
            return false;
        }
        link = &(*link)->next;
        node->count++;
    }
    kappa_parser_leave(p);
    return true;
}

/* ObjectField[Const] : Name : Value[?Const] */
static bool
parse_object_field(
    kappa_parser_t *p, bool constant, kappa_literal_field_t **out)
{
    kappa_literal_field_t *field = PARSER_NEW(p, kappa_literal_field_t);

    *out = field;
    return field != NULL && kappa_parse_name(p, &field->name)
        && kappa_parser_expect(p, KAPPA_TOKEN_COLON)
        && kappa_parse_value(p, constant, &field->value);
}

/* ObjectValue[Const] : { ObjectField[?Const]* } */
static bool
parse_object(kappa_parser_t *p, bool constant, kappa_literal_t *node)
{
    kappa_literal_field_t **link = &node->fields;
    bool closed;

    node->kind = KAPPA_LITERAL_OBJECT;
    if (!kappa_parser_enter(p) || !kappa_parser_expect(p, KAPPA_TOKEN_BRACE_L)
        || !kappa_parser_take(p, KAPPA_TOKEN_BRACE_R, &closed)) {
        return false;
    }
    while (!closed) {
        if (!parse_object_field(p, constant, link)
            || !kappa_parser_take(p, KAPPA_TOKEN_BRACE_R, &closed)) {
            return false;
        }
        link = &(*link)->next;
        node->count++;
    }
    kappa_parser_leave(p);
    return true;
}

static kappa_literal_kind_t
name_literal_kind(kappa_str_t text)
{
    if (kappa_str_eq_c(text, "true") || kappa_str_eq_c(text, "false")) {
        return KAPPA_LITERAL_BOOLEAN;
    }
    return kappa_str_eq_c(text, "null") ? KAPPA_LITERAL_NULL
                                        : KAPPA_LITERAL_ENUM;
}

static bool
parse_scalar(
    kappa_parser_t *p, kappa_literal_kind_t kind, kappa_literal_t *node)
{
    node->kind = kind;
    node->text = p->token.value;
    node->block = kappa_parser_at(p, KAPPA_TOKEN_BLOCK_STRING);
    return kappa_parser_advance(p);
}

static bool
parse_value_node(kappa_parser_t *p, bool constant, kappa_literal_t *node)
{
    switch (p->token.kind) {
    case KAPPA_TOKEN_BRACKET_L:
        return parse_list(p, constant, node);
    case KAPPA_TOKEN_BRACE_L:
        return parse_object(p, constant, node);
    case KAPPA_TOKEN_INT:
        return parse_scalar(p, KAPPA_LITERAL_INT, node);
    case KAPPA_TOKEN_FLOAT:
        return parse_scalar(p, KAPPA_LITERAL_FLOAT, node);
    case KAPPA_TOKEN_STRING:
    case KAPPA_TOKEN_BLOCK_STRING:
        return parse_scalar(p, KAPPA_LITERAL_STRING, node);
    case KAPPA_TOKEN_NAME:
        return parse_scalar(p, name_literal_kind(p->token.value), node);
    case KAPPA_TOKEN_DOLLAR:
        return parse_variable(p, constant, node);
    default:
        return kappa_parser_unexpected(p, &p->token);
    }
}

/* Value[Const] : Variable | IntValue | FloatValue | StringValue |
 *   BooleanValue | NullValue | EnumValue | ListValue | ObjectValue */
bool
kappa_parse_value(kappa_parser_t *p, bool constant, kappa_literal_t **out)
{
    kappa_literal_t *node = PARSER_NEW(p, kappa_literal_t);

    if (node == NULL) {
        return false;
    }
    node->offset = p->token.offset;
    if (!parse_value_node(p, constant, node)) {
        return false;
    }
    node->end = p->last_end;
    *out = node;
    return true;
}

/* NamedType | [ Type ] */
static bool
parse_nullable_type(kappa_parser_t *p, kappa_type_node_t *node)
{
    if (!kappa_parser_at(p, KAPPA_TOKEN_BRACKET_L)) {
        node->kind = KAPPA_REF_NAMED;
        return kappa_parse_name(p, &node->name);
    }
    node->kind = KAPPA_REF_LIST;
    if (!kappa_parser_enter(p)
        || !kappa_parser_expect(p, KAPPA_TOKEN_BRACKET_L)
        || !kappa_parse_type(p, &node->of)
        || !kappa_parser_expect(p, KAPPA_TOKEN_BRACKET_R)) {
        return false;
    }
    kappa_parser_leave(p);
    return true;
}

/* Type : NamedType | ListType | NonNullType */
bool
kappa_parse_type(kappa_parser_t *p, kappa_type_node_t **out)
{
    kappa_type_node_t *node = PARSER_NEW(p, kappa_type_node_t), *outer;
    bool required;

    if (node == NULL) {
        return false;
    }
    node->offset = p->token.offset;
    *out = node;
    if (!parse_nullable_type(p, node)
        || !kappa_parser_take(p, KAPPA_TOKEN_BANG, &required) || !required) {
        return p->status == KAPPA_OK;
    }
    outer = PARSER_NEW(p, kappa_type_node_t);
    if (outer == NULL) {
        return false;
    }
    *outer = (kappa_type_node_t){
        .kind = KAPPA_REF_NON_NULL, .offset = node->offset, .of = node
    };
    *out = outer;
    return true;
}

/* Argument[Const] : Name : Value[?Const] */
static void *
parse_argument(kappa_parser_t *p, void *link, bool constant)
{
    kappa_argument_t *node = PARSER_NEW(p, kappa_argument_t);

    if (node == NULL || !kappa_parse_name(p, &node->name)
        || !kappa_parser_expect(p, KAPPA_TOKEN_COLON)
        || !kappa_parse_value(p, constant, &node->value)) {
        return NULL;
    }
    kappa_parser_link(link, node);
    return &node->next;
}

static void *
parse_any_argument(kappa_parser_t *p, void *link)
{
    return parse_argument(p, link, false);
}

static void *
parse_const_argument(kappa_parser_t *p, void *link)
{
    return parse_argument(p, link, true);
}

/* Arguments[Const] : ( Argument[?Const]+ ) */
bool
kappa_parse_arguments(kappa_parser_t *p, bool constant, kappa_argument_t **out)
{
    return kappa_parser_optional_many(p, KAPPA_TOKEN_PAREN_L,
        constant ? parse_const_argument : parse_any_argument,
        KAPPA_TOKEN_PAREN_R, out);
}

/* Directive[Const] : @ Name Arguments[?Const]? */
static bool
parse_directive(kappa_parser_t *p, bool constant, kappa_directive_node_t **out)
{
    kappa_directive_node_t *node = PARSER_NEW(p, kappa_directive_node_t);

    if (node == NULL) {
        return false;
    }
    node->source = p->source;
    node->offset = p->token.offset;
    *out = node;
    return kappa_parser_expect(p, KAPPA_TOKEN_AT)
        && kappa_parse_name(p, &node->name)
        && kappa_parse_arguments(p, constant, &node->arguments);
}

/* Directives[Const] : Directive[?Const]+; may be absent */
bool
kappa_parse_directives(
    kappa_parser_t *p, bool constant, kappa_directive_node_t **out)
{
    while (kappa_parser_at(p, KAPPA_TOKEN_AT)) {
        if (!parse_directive(p, constant, out)) {
            return false;
        }
        out = &(*out)->next;
    }
    return true;
}
