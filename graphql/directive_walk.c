#include "graphql/directive_walk.h"

static const char *const locations[] = {
    [KAPPA_DEFINITION_SCHEMA] = "SCHEMA",
    [KAPPA_DEFINITION_SCALAR] = "SCALAR",
    [KAPPA_DEFINITION_OBJECT] = "OBJECT",
    [KAPPA_DEFINITION_INTERFACE] = "INTERFACE",
    [KAPPA_DEFINITION_UNION] = "UNION",
    [KAPPA_DEFINITION_ENUM] = "ENUM",
    [KAPPA_DEFINITION_INPUT_OBJECT] = "INPUT_OBJECT",
    [KAPPA_DEFINITION_DIRECTIVE] = "DIRECTIVE_DEFINITION",
};

typedef struct {
    kappa_directive_visit_f visit;
    void *ctx;
    kappa_directive_place_t place;
} walk_t;

static bool
visit(walk_t *walk, const kappa_directive_node_t *list, const char *location)
{
    walk->place.location = location;
    return list == NULL || walk->visit(walk->ctx, list, &walk->place);
}

static bool
walk_inputs(
    walk_t *walk, const kappa_input_node_t *input, const char *location)
{
    for (; input != NULL; input = input->next) {
        walk->place.input = input;
        if (!visit(walk, input->directives, location)) {
            return false;
        }
    }
    walk->place.input = NULL;
    return true;
}

static bool
walk_fields(walk_t *walk, const kappa_field_node_t *field)
{
    for (; field != NULL; field = field->next) {
        walk->place.field = field;
        if (!walk_inputs(walk, field->arguments, "ARGUMENT_DEFINITION")
            || !visit(walk, field->directives, "FIELD_DEFINITION")) {
            return false;
        }
    }
    walk->place.field = NULL;
    return true;
}

static bool
walk_values(walk_t *walk, const kappa_enum_value_node_t *value)
{
    for (; value != NULL; value = value->next) {
        walk->place.value = value;
        if (!visit(walk, value->directives, "ENUM_VALUE")) {
            return false;
        }
    }
    return true;
}

bool
kappa_directive_walk(const kappa_definition_t *definition,
    kappa_directive_visit_f visit_list, void *ctx)
{
    walk_t walk = { visit_list, ctx, { .definition = definition } };

    if (definition->kind == KAPPA_DEFINITION_OPERATION
        || definition->kind == KAPPA_DEFINITION_FRAGMENT) {
        return true;
    }
    return visit(&walk, definition->directives, locations[definition->kind])
        && walk_inputs(&walk, definition->inputs,
            definition->kind == KAPPA_DEFINITION_DIRECTIVE
                ? "ARGUMENT_DEFINITION"
                : "INPUT_FIELD_DEFINITION")
        && walk_fields(&walk, definition->fields)
        && walk_values(&walk, definition->values);
}
