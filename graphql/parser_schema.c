#include "graphql/parser_private.h"

/* Type system definitions and extensions (specification section 3). */

typedef bool (*body_f)(kappa_parser_t *p, kappa_definition_t *definition);

static bool parse_schema(kappa_parser_t *p, kappa_definition_t *definition);
static bool parse_scalar(kappa_parser_t *p, kappa_definition_t *definition);
static bool parse_fields_type(
    kappa_parser_t *p, kappa_definition_t *definition);
static bool parse_union(kappa_parser_t *p, kappa_definition_t *definition);
static bool parse_enum(kappa_parser_t *p, kappa_definition_t *definition);
static bool parse_input(kappa_parser_t *p, kappa_definition_t *definition);
static bool parse_directive_definition(
    kappa_parser_t *p, kappa_definition_t *definition);

static const struct {
    const char *keyword;
    kappa_definition_kind_t kind;
    body_f body; /* what follows the keyword */
} forms[] = {
    { "schema", KAPPA_DEFINITION_SCHEMA, parse_schema },
    { "scalar", KAPPA_DEFINITION_SCALAR, parse_scalar },
    { "type", KAPPA_DEFINITION_OBJECT, parse_fields_type },
    { "interface", KAPPA_DEFINITION_INTERFACE, parse_fields_type },
    { "union", KAPPA_DEFINITION_UNION, parse_union },
    { "enum", KAPPA_DEFINITION_ENUM, parse_enum },
    { "input", KAPPA_DEFINITION_INPUT_OBJECT, parse_input },
    { "directive", KAPPA_DEFINITION_DIRECTIVE, parse_directive_definition },
};
#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))

static const char *const directive_locations[] = { "QUERY", "MUTATION",
    "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT", "VARIABLE_DEFINITION", "SCHEMA", "SCALAR", "OBJECT",
    "FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INTERFACE", "UNION", "ENUM",
    "ENUM_VALUE", "INPUT_OBJECT", "INPUT_FIELD_DEFINITION",
    "DIRECTIVE_DEFINITION" };
#define LOCATION_COUNT                                                        \
    (sizeof(directive_locations) / sizeof(directive_locations[0]))

bool
kappa_type_system_keyword(kappa_str_t text, kappa_definition_kind_t *kind)
{
    for (size_t i = 0; i < FORM_COUNT; i++) {
        if (kappa_str_eq_c(text, forms[i].keyword)) {
            *kind = forms[i].kind;
            return true;
        }
    }
    return false;
}

static bool
is_empty(const kappa_definition_t *d)
{
    return d->directives == NULL && d->interfaces == NULL && d->fields == NULL
        && d->inputs == NULL && d->values == NULL && d->members == NULL
        && d->roots == NULL;
}

bool
kappa_parse_type_system(kappa_parser_t *p, kappa_definition_t *definition,
    kappa_definition_kind_t kind)
{
    size_t i = 0;

    while (forms[i].kind != kind) {
        i++;
    }
    definition->kind = kind;
    if (!kappa_parser_expect_keyword(p, forms[i].keyword)
        || !forms[i].body(p, definition)) {
        return false;
    }
    /* An extension must add something. */
    if (definition->extension && is_empty(definition)) {
        return kappa_parser_unexpected(p, &p->token);
    }
    return true;
}

/* NamedType, in a list of them */
static void *
parse_named_type(kappa_parser_t *p, void *link)
{
    kappa_named_node_t *node = PARSER_NEW(p, kappa_named_node_t);

    if (node == NULL || !kappa_parse_name(p, &node->name)) {
        return NULL;
    }
    kappa_parser_link(link, node);
    return &node->next;
}

/* RootOperationTypeDefinition : OperationType : NamedType */
static void *
parse_root(kappa_parser_t *p, void *link)
{
    kappa_root_node_t *node = PARSER_NEW(p, kappa_root_node_t);

    if (node == NULL) {
        return NULL;
    }
    node->offset = p->token.offset;
    if (!kappa_parse_operation_type(p, &node->operation)
        || !kappa_parser_expect(p, KAPPA_TOKEN_COLON)
        || !kappa_parse_name(p, &node->type)) {
        return NULL;
    }
    kappa_parser_link(link, node);
    return &node->next;
}

/* schema Directives[Const]? { RootOperationTypeDefinition+ }; an extension
 * may leave the braces out */
static bool
parse_schema(kappa_parser_t *p, kappa_definition_t *definition)
{
    return kappa_parse_directives(p, true, &definition->directives)
        && (definition->extension ? kappa_parser_optional_many
                                  : kappa_parser_many)(p, KAPPA_TOKEN_BRACE_L,
            parse_root, KAPPA_TOKEN_BRACE_R, &definition->roots);
}

static bool
parse_name_and_directives(kappa_parser_t *p, kappa_definition_t *definition)
{
    return kappa_parse_name(p, &definition->name)
        && kappa_parse_directives(p, true, &definition->directives);
}

/* scalar Name Directives[Const]? */
static bool
parse_scalar(kappa_parser_t *p, kappa_definition_t *definition)
{
    return parse_name_and_directives(p, definition);
}

/* ImplementsInterfaces : implements &? NamedType (& NamedType)* */
static bool
parse_interfaces(kappa_parser_t *p, kappa_definition_t *definition)
{
    bool implements;

    return kappa_parser_take_keyword(p, "implements", &implements)
        && (!implements
            || kappa_parser_delimited(p, KAPPA_TOKEN_AMP, parse_named_type,
                &definition->interfaces));
}

/* InputValueDefinition :
 *   Description? Name : Type DefaultValue? Directives[Const]? */
static void *
parse_input_value(kappa_parser_t *p, void *link)
{
    kappa_input_node_t *node = PARSER_NEW(p, kappa_input_node_t);
    bool given;

    if (node == NULL) {
        return NULL;
    }
    node->offset = p->token.offset;
    if (!kappa_parse_description(p, &node->description)
        || !kappa_parse_name(p, &node->name)
        || !kappa_parser_expect(p, KAPPA_TOKEN_COLON)
        || !kappa_parse_type(p, &node->type)
        || !kappa_parser_take(p, KAPPA_TOKEN_EQUALS, &given)
        || (given && !kappa_parse_value(p, true, &node->default_value))
        || !kappa_parse_directives(p, true, &node->directives)) {
        return NULL;
    }
    kappa_parser_link(link, node);
    return &node->next;
}

/* FieldDefinition :
 *   Description? Name ArgumentsDefinition? : Type Directives[Const]? */
static void *
parse_field_definition(kappa_parser_t *p, void *link)
{
    kappa_field_node_t *node = PARSER_NEW(p, kappa_field_node_t);

    if (node == NULL) {
        return NULL;
    }
    node->offset = p->token.offset;
    if (!kappa_parse_description(p, &node->description)
        || !kappa_parse_name(p, &node->name)
        || !kappa_parser_optional_many(p, KAPPA_TOKEN_PAREN_L,
            parse_input_value, KAPPA_TOKEN_PAREN_R, &node->arguments)
        || !kappa_parser_expect(p, KAPPA_TOKEN_COLON)
        || !kappa_parse_type(p, &node->type)
        || !kappa_parse_directives(p, true, &node->directives)) {
        return NULL;
    }
    kappa_parser_link(link, node);
    return &node->next;
}

/* type | interface
 *   Name ImplementsInterfaces? Directives[Const]? FieldsDefinition? */
static bool
parse_fields_type(kappa_parser_t *p, kappa_definition_t *definition)
{
    return kappa_parse_name(p, &definition->name)
        && parse_interfaces(p, definition)
        && kappa_parse_directives(p, true, &definition->directives)
        && kappa_parser_optional_many(p, KAPPA_TOKEN_BRACE_L,
            parse_field_definition, KAPPA_TOKEN_BRACE_R, &definition->fields);
}

/* union Name Directives[Const]? (= |? NamedType (| NamedType)*)? */
static bool
parse_union(kappa_parser_t *p, kappa_definition_t *definition)
{
    bool given;

    return parse_name_and_directives(p, definition)
        && kappa_parser_take(p, KAPPA_TOKEN_EQUALS, &given)
        && (!given
            || kappa_parser_delimited(
                p, KAPPA_TOKEN_PIPE, parse_named_type, &definition->members));
}

static bool
is_reserved_enum_value(const kappa_parser_t *p)
{
    return kappa_parser_at_keyword(p, "true")
        || kappa_parser_at_keyword(p, "false")
        || kappa_parser_at_keyword(p, "null");
}

/* EnumValueDefinition : Description? EnumValue Directives[Const]? */
static void *
parse_enum_value(kappa_parser_t *p, void *link)
{
    kappa_enum_value_node_t *node = PARSER_NEW(p, kappa_enum_value_node_t);

    if (node == NULL) {
        return NULL;
    }
    node->offset = p->token.offset;
    if (!kappa_parse_description(p, &node->description)) {
        return NULL;
    }
    if (is_reserved_enum_value(p)) {
        p->status = kappa_syntax_error(p->errors, p->source, p->token.offset,
            "Name \"%.*s\" is reserved and cannot be used for an enum value.",
            KAPPA_STR_ARG(p->token.value));
        return NULL;
    }
    if (!kappa_parse_name(p, &node->name)
        || !kappa_parse_directives(p, true, &node->directives)) {
        return NULL;
    }
    kappa_parser_link(link, node);
    return &node->next;
}

/* enum Name Directives[Const]? { EnumValueDefinition+ }? */
static bool
parse_enum(kappa_parser_t *p, kappa_definition_t *definition)
{
    return parse_name_and_directives(p, definition)
        && kappa_parser_optional_many(p, KAPPA_TOKEN_BRACE_L, parse_enum_value,
            KAPPA_TOKEN_BRACE_R, &definition->values);
}

/* input Name Directives[Const]? { InputValueDefinition+ }? */
static bool
parse_input(kappa_parser_t *p, kappa_definition_t *definition)
{
    return parse_name_and_directives(p, definition)
        && kappa_parser_optional_many(p, KAPPA_TOKEN_BRACE_L,
            parse_input_value, KAPPA_TOKEN_BRACE_R, &definition->inputs);
}

/* DirectiveLocation : ExecutableDirectiveLocation |
 *   TypeSystemDirectiveLocation */
static void *
parse_directive_location(kappa_parser_t *p, void *link)
{
    kappa_token_t token = p->token;
    void *next = parse_named_type(p, link);

    if (next == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < LOCATION_COUNT; i++) {
        if (kappa_str_eq_c(token.value, directive_locations[i])) {
            return next;
        }
    }
    kappa_parser_unexpected(p, &token);
    return NULL;
}

/* directive @ Name ArgumentsDefinition? repeatable? on |? DirectiveLocation
 *   (| DirectiveLocation)* */
static bool
parse_directive_definition(kappa_parser_t *p, kappa_definition_t *definition)
{
    return kappa_parser_expect(p, KAPPA_TOKEN_AT)
        && kappa_parse_name(p, &definition->name)
        && kappa_parser_optional_many(p, KAPPA_TOKEN_PAREN_L,
            parse_input_value, KAPPA_TOKEN_PAREN_R, &definition->inputs)
        && kappa_parser_take_keyword(p, "repeatable", &definition->repeatable)
        && kappa_parser_expect_keyword(p, "on")
        && kappa_parser_delimited(p, KAPPA_TOKEN_PIPE,
            parse_directive_location, &definition->locations);
}
