#include "graphql/parser_private.h"

/* Operations, selections, fragments. */

/* OperationType : one of query mutation subscription */
bool
kappa_parse_operation_type(kappa_parser_t *p, kappa_operation_type_t *out)
{
    if (kappa_parser_at_keyword(p, "query")) {
        *out = KAPPA_OPERATION_QUERY;
    } else if (kappa_parser_at_keyword(p, "mutation")) {
        *out = KAPPA_OPERATION_MUTATION;
    } else if (kappa_parser_at_keyword(p, "subscription")) {
        *out = KAPPA_OPERATION_SUBSCRIPTION;
    } else if (kappa_parser_at(p, KAPPA_TOKEN_NAME)) {
        kappa_token_t wrong = p->token;

        /* As graphql-js, which takes the name before it looks: what can't be
         * read behind it is told first. */
        return kappa_parser_advance(p) && kappa_parser_unexpected(p, &wrong);
    }
    return kappa_parser_expect(p, KAPPA_TOKEN_NAME);
}

/* FragmentName : Name but not on */
static bool
parse_fragment_name(kappa_parser_t *p, kappa_name_t *out)
{
    if (kappa_parser_at_keyword(p, "on")) {
        return kappa_parser_unexpected(p, &p->token);
    }
    return kappa_parse_name(p, out);
}

static bool parse_selection_set(
    kappa_parser_t *p, kappa_selection_t **out, uint32_t *offset);

/* FragmentSpread : ... FragmentName Directives?
 * InlineFragment : ... TypeCondition? Directives? SelectionSet */
static bool
parse_spread(kappa_parser_t *p, kappa_selection_t *node)
{
    bool conditional;

    if (!kappa_parser_expect(p, KAPPA_TOKEN_SPREAD)
        || !kappa_parser_take_keyword(p, "on", &conditional)) {
        return false;
    }
    if (!conditional && kappa_parser_at(p, KAPPA_TOKEN_NAME)) {
        node->kind = KAPPA_SELECTION_SPREAD;
        return parse_fragment_name(p, &node->name)
            && kappa_parse_directives(p, false, &node->directives);
    }
    node->kind = KAPPA_SELECTION_INLINE;
    return (!conditional || kappa_parse_name(p, &node->type_condition))
        && kappa_parse_directives(p, false, &node->directives)
        && parse_selection_set(p, &node->selections, &node->selections_offset);
}

/* Alias? Name; Alias : Name : */
static bool
parse_alias_and_name(kappa_parser_t *p, kappa_selection_t *node)
{
    bool aliased;

    if (!kappa_parse_name(p, &node->name)
        || !kappa_parser_take(p, KAPPA_TOKEN_COLON, &aliased)) {
        return false;
    }
    if (!aliased) {
        return true;
    }
    node->alias = node->name;
    return kappa_parse_name(p, &node->name);
}

/* Field : Alias? Name Arguments? Directives? SelectionSet? */
static bool
parse_field(kappa_parser_t *p, kappa_selection_t *node)
{
    node->kind = KAPPA_SELECTION_FIELD;
    return parse_alias_and_name(p, node)
        && kappa_parse_arguments(p, false, &node->arguments)
        && kappa_parse_directives(p, false, &node->directives)
        && (!kappa_parser_at(p, KAPPA_TOKEN_BRACE_L)
            || parse_selection_set(
                p, &node->selections, &node->selections_offset));
}

/* Selection : Field | FragmentSpread | InlineFragment */
static void *
parse_selection(kappa_parser_t *p, void *link)
{
    kappa_selection_t *node = PARSER_NEW(p, kappa_selection_t);

    if (node == NULL) {
        return NULL;
    }
    node->offset = p->token.offset;
    if (!(kappa_parser_at(p, KAPPA_TOKEN_SPREAD) ? parse_spread(p, node)
                                                 : parse_field(p, node))) {
        return NULL;
    }
    kappa_parser_link(link, node);
    return &node->next;
}

/* SelectionSet : { Selection+ } */
static bool
parse_selection_set(
    kappa_parser_t *p, kappa_selection_t **out, uint32_t *offset)
{
    *offset = p->token.offset;
    if (!kappa_parser_enter(p)
        || !kappa_parser_many(p, KAPPA_TOKEN_BRACE_L, parse_selection,
            KAPPA_TOKEN_BRACE_R, out)) {
        return false;
    }
    kappa_parser_leave(p);
    return true;
}

static bool
parse_default(kappa_parser_t *p, kappa_literal_t **out)
{
    bool given;

    return kappa_parser_take(p, KAPPA_TOKEN_EQUALS, &given)
        && (!given || kappa_parse_value(p, true, out));
}

/* VariableDefinition :
 *   Description? Variable : Type DefaultValue? Directives[Const]? */
static void *
parse_variable_definition(kappa_parser_t *p, void *link)
{
    kappa_variable_node_t *node = PARSER_NEW(p, kappa_variable_node_t);

    if (node == NULL) {
        return NULL;
    }
    node->offset = p->token.offset;
    if (!kappa_parse_description(p, &node->description)
        || !kappa_parser_expect(p, KAPPA_TOKEN_DOLLAR)
        || !kappa_parse_name(p, &node->name)
        || !kappa_parser_expect(p, KAPPA_TOKEN_COLON)
        || !kappa_parse_type(p, &node->type)
        || !parse_default(p, &node->default_value)
        || !kappa_parse_directives(p, true, &node->directives)) {
        return NULL;
    }
    kappa_parser_link(link, node);
    return &node->next;
}

/* OperationDefinition : SelectionSet |
 *   Description? OperationType Name? VariablesDefinition? Directives?
 *   SelectionSet */
bool
kappa_parse_operation(kappa_parser_t *p, kappa_definition_t *definition)
{
    definition->kind = KAPPA_DEFINITION_OPERATION;
    if (kappa_parser_at(p, KAPPA_TOKEN_BRACE_L)) {
        return parse_selection_set(
            p, &definition->selections, &definition->selections_offset);
    }
    return kappa_parse_operation_type(p, &definition->operation)
        && (!kappa_parser_at(p, KAPPA_TOKEN_NAME)
            || kappa_parse_name(p, &definition->name))
        && kappa_parser_optional_many(p, KAPPA_TOKEN_PAREN_L,
            parse_variable_definition, KAPPA_TOKEN_PAREN_R,
            &definition->variables)
        && kappa_parse_directives(p, false, &definition->directives)
        && parse_selection_set(
            p, &definition->selections, &definition->selections_offset);
}

/* FragmentDefinition : Description? fragment FragmentName TypeCondition
 *   Directives? SelectionSet */
bool
kappa_parse_fragment(kappa_parser_t *p, kappa_definition_t *definition)
{
    definition->kind = KAPPA_DEFINITION_FRAGMENT;
    return kappa_parser_expect_keyword(p, "fragment")
        && parse_fragment_name(p, &definition->name)
        && kappa_parser_expect_keyword(p, "on")
        && kappa_parse_name(p, &definition->type_condition)
        && kappa_parse_directives(p, false, &definition->directives)
        && parse_selection_set(
            p, &definition->selections, &definition->selections_offset);
}
