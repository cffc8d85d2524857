#include <math.h>
#include <stdlib.h>

#include "graphql/plan.h"

/* Whether @cost and @listSize say what can be. */

static void
refuse(kappa_errors_t *errors, const kappa_directive_node_t *node,
    const char *what, kappa_str_t name)
{
    kappa_error_at(errors,
        kappa_errors_add(errors, "VALIDATION_FAILED", "@%.*s: %s \"%.*s\".",
            KAPPA_STR_ARG(node->name.text), what, KAPPA_STR_ARG(name)),
        node->source, node->offset);
}

static void
check_weight(const kappa_directive_node_t *directives, kappa_errors_t *errors)
{
    const kappa_directive_node_t *cost =
        kappa_directive_find(directives, KAPPA_STR("cost"));
    const kappa_literal_t *weight =
        cost ? kappa_directive_arg(cost, KAPPA_STR("weight")) : NULL;
    char text[32], *end = text;

    if (weight == NULL) {
        return;
    }
    if (weight->text.len > 0 && weight->text.len < sizeof(text)) {
        memcpy(text, weight->text.data, weight->text.len);
        text[weight->text.len] = '\0';
        if (isfinite(strtod(text, &end)) && *end == '\0' && end > text) {
            return;
        }
    }
    refuse(
        errors, cost, "the weight is a number in a string, not", weight->text);
}

/* The items of a list argument; one value is a list of one. */
static const kappa_literal_t *
items_of(const kappa_directive_node_t *node, const char *name)
{
    const kappa_literal_t *literal =
        kappa_directive_arg(node, kappa_str_c(name));

    return literal && literal->kind == KAPPA_LITERAL_LIST ? literal->items
                                                          : literal;
}

/* `first`, or `filter.max`: an argument, then fields of input objects. */
static bool
argument_exists(const kappa_field_t *field, kappa_str_t path)
{
    const char *dot = path.len ? memchr(path.data, '.', path.len) : NULL;
    size_t len = dot ? (size_t)(dot - path.data) : path.len;
    const kappa_input_t *input =
        kappa_field_arg(field, kappa_str(path.data, len));

    while (input != NULL && dot != NULL) {
        path = kappa_str(dot + 1, path.len - len - 1);
        dot = path.len ? memchr(path.data, '.', path.len) : NULL;
        len = dot ? (size_t)(dot - path.data) : path.len;
        input = kappa_map_get(
            &input->type->named->input_map, kappa_str(path.data, len));
    }
    return input != NULL;
}

static void
check_size(const kappa_field_t *field, kappa_errors_t *errors)
{
    const kappa_directive_node_t *node =
        kappa_directive_find(field->directives, KAPPA_STR("listSize"));
    const kappa_literal_t *item;

    if (node == NULL) {
        return;
    }
    for (item = items_of(node, "slicingArguments");
         item != NULL && item->kind == KAPPA_LITERAL_STRING;
         item = item->next) {
        if (!argument_exists(field, item->text)) {
            refuse(errors, node, "the field has no argument", item->text);
        }
    }
    for (item = items_of(node, "sizedFields");
         item != NULL && item->kind == KAPPA_LITERAL_STRING;
         item = item->next) {
        if (kappa_type_field(field->type->named, item->text) == NULL) {
            refuse(errors, node, "the field's type has no field", item->text);
        }
    }
    item = kappa_directive_arg(node, KAPPA_STR("assumedSize"));
    if (item != NULL && item->text.len > 0 && item->text.data[0] == '-') {
        refuse(errors, node, "no list has the size", item->text);
    }
}

static void
check_inputs(
    const kappa_input_t *inputs, uint32_t count, kappa_errors_t *errors)
{
    for (uint32_t i = 0; i < count; i++) {
        check_weight(inputs[i].directives, errors);
    }
}

kappa_status_t
kappa_cost_check(const kappa_schema_t *schema, kappa_errors_t *errors)
{
    uint32_t before = errors->count;

    for (uint32_t i = 0; i < schema->type_count; i++) {
        const kappa_type_t *type = schema->types[i];

        check_weight(type->directives, errors);
        check_inputs(type->inputs, type->input_count, errors);
        for (uint32_t k = 0; k < type->field_count; k++) {
            const kappa_field_t *field = &type->fields[k];

            check_weight(field->directives, errors);
            check_inputs(field->args, field->arg_count, errors);
            check_size(field, errors);
        }
    }
    if (errors->no_memory) {
        return KAPPA_NOMEM;
    }
    return errors->count > before || errors->more ? KAPPA_INVALID : KAPPA_OK;
}
