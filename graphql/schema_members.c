#include "graphql/schema_private.h"

/* Fields, arguments, values, interfaces, members: from syntax to schema. */

kappa_type_t *
kappa_build_type(kappa_build_t *build, kappa_str_t name)
{
    kappa_type_t *type = kappa_map_get(&build->standard, name);

    if (type == NULL) {
        return kappa_map_get(&build->types, name);
    }
    if (kappa_map_put(&build->standard_used, name, type) != KAPPA_OK) {
        return NULL;
    }
    return type;
}

static kappa_status_t
build_ref(kappa_build_t *build, const kappa_type_node_t *node,
    const kappa_type_ref_t **out)
{
    kappa_type_ref_t *ref = KAPPA_NEW(build->arena, kappa_type_ref_t);

    if (ref == NULL) {
        return KAPPA_NOMEM;
    }
    *out = ref;
    ref->kind = node->kind;
    if (node->kind == KAPPA_REF_NAMED) {
        ref->named = kappa_build_type(build, node->name.text);
        return ref->named ? KAPPA_OK : KAPPA_NOMEM;
    }
    kappa_status_t status = build_ref(build, node->of, &ref->of);
    if (status == KAPPA_OK) {
        ref->named = ref->of->named;
    }
    return status;
}

/* The reason of @deprecated, or data NULL. */
static kappa_str_t
deprecation(const kappa_directive_node_t *directives)
{
    const kappa_directive_node_t *node =
        kappa_directive_find(directives, KAPPA_STR("deprecated"));

    if (node == NULL) {
        return KAPPA_STR_NULL;
    }
    const kappa_literal_t *reason =
        kappa_directive_arg(node, KAPPA_STR("reason"));
    return reason != NULL && reason->kind == KAPPA_LITERAL_STRING
        ? reason->text
        : KAPPA_STR("No longer supported");
}

static kappa_status_t
build_input(kappa_build_t *build, const kappa_input_node_t *node,
    const kappa_source_t *source, kappa_input_t *input)
{
    uint32_t number = input->number;

    *input = (kappa_input_t){ .name = node->name.text,
        .description = node->description.text,
        .default_literal = node->default_value,
        .deprecation = deprecation(node->directives),
        .directives = node->directives,
        .node = node,
        .source = source,
        .offset = node->offset,
        .number = number };
    return build_ref(build, node->type, &input->type);
}

static uint32_t
count_inputs(const kappa_input_node_t *node)
{
    uint32_t count = 0;

    for (; node != NULL; node = node->next) {
        count++;
    }
    return count;
}

/* Appends a list of nodes at inputs[*count]. */
static kappa_status_t
build_inputs(kappa_build_t *build, const kappa_input_node_t *node,
    const kappa_source_t *source, kappa_input_t *inputs, uint32_t *count)
{
    for (; node != NULL; node = node->next) {
        kappa_input_t *input = &inputs[*count];

        input->number = (*count)++;
        kappa_status_t status = build_input(build, node, source, input);
        if (status != KAPPA_OK) {
            return status;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
build_field(kappa_build_t *build, const kappa_field_node_t *node,
    const kappa_type_t *parent, const kappa_source_t *source,
    kappa_field_t *field)
{
    *field = (kappa_field_t){ .name = node->name.text,
        .description = node->description.text,
        .parent = parent,
        .args = KAPPA_NEW_ARRAY(
            build->arena, kappa_input_t, count_inputs(node->arguments)),
        .deprecation = deprecation(node->directives),
        .directives = node->directives,
        .node = node,
        .source = source,
        .offset = node->offset };
    if (field->args == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = build_ref(build, node->type, &field->type);
    if (status != KAPPA_OK) {
        return status;
    }
    return build_inputs(
        build, node->arguments, source, field->args, &field->arg_count);
}

/* The definition and its extensions, one after the other. */
static const kappa_definition_t *
part_of(const kappa_type_t *type, uint32_t i)
{
    return i == 0 ? type->definition : type->extensions[i - 1];
}

static kappa_status_t
build_fields(kappa_build_t *build, kappa_type_t *type)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i <= type->extension_count; i++) {
        for (kappa_field_node_t *f = part_of(type, i)->fields; f;
             f = f->next) {
            count++;
        }
    }
    type->fields = KAPPA_NEW_ARRAY(build->arena, kappa_field_t, count);
    if (type->fields == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i <= type->extension_count; i++) {
        const kappa_definition_t *part = part_of(type, i);

        for (kappa_field_node_t *f = part->fields; f; f = f->next) {
            kappa_field_t *field = &type->fields[type->field_count++];

            if (build_field(build, f, type, part->source, field) != KAPPA_OK
                || kappa_map_put(&type->field_map, field->name, field)
                    != KAPPA_OK) {
                return KAPPA_NOMEM;
            }
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
build_input_fields(kappa_build_t *build, kappa_type_t *type)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i <= type->extension_count; i++) {
        count += count_inputs(part_of(type, i)->inputs);
    }
    type->inputs = KAPPA_NEW_ARRAY(build->arena, kappa_input_t, count);
    if (type->inputs == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i <= type->extension_count; i++) {
        const kappa_definition_t *part = part_of(type, i);

        if (build_inputs(build, part->inputs, part->source, type->inputs,
                &type->input_count)
            != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    for (uint32_t i = 0; i < type->input_count; i++) {
        if (kappa_map_put(
                &type->input_map, type->inputs[i].name, &type->inputs[i])
            != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
build_value(const kappa_enum_value_node_t *node, kappa_type_t *type,
    const kappa_source_t *source)
{
    kappa_enum_value_t *value = &type->values[type->value_count++];

    *value = (kappa_enum_value_t){ .name = node->name.text,
        .description = node->description.text,
        .deprecation = deprecation(node->directives),
        .directives = node->directives,
        .source = source,
        .offset = node->offset };
    return kappa_map_put(&type->value_map, value->name, value);
}

static kappa_status_t
build_values(kappa_build_t *build, kappa_type_t *type)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i <= type->extension_count; i++) {
        for (kappa_enum_value_node_t *v = part_of(type, i)->values; v;
             v = v->next) {
            count++;
        }
    }
    type->values = KAPPA_NEW_ARRAY(build->arena, kappa_enum_value_t, count);
    if (type->values == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i <= type->extension_count; i++) {
        const kappa_definition_t *part = part_of(type, i);

        for (kappa_enum_value_node_t *v = part->values; v; v = v->next) {
            if (build_value(v, type, part->source) != KAPPA_OK) {
                return KAPPA_NOMEM;
            }
        }
    }
    return KAPPA_OK;
}

/* Interfaces of an object or interface, members of a union. */
static kappa_status_t
build_named(kappa_build_t *build, kappa_type_t *type, bool members,
    const kappa_type_t ***out, uint32_t *count)
{
    uint32_t total = 0;

    for (uint32_t i = 0; i <= type->extension_count; i++) {
        const kappa_definition_t *part = part_of(type, i);
        kappa_named_node_t *n = members ? part->members : part->interfaces;

        for (; n != NULL; n = n->next) {
            total++;
        }
    }
    *out = KAPPA_NEW_ARRAY(build->arena, const kappa_type_t *, total);
    if (*out == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i <= type->extension_count; i++) {
        const kappa_definition_t *part = part_of(type, i);
        kappa_named_node_t *n = members ? part->members : part->interfaces;

        for (; n != NULL; n = n->next) {
            (*out)[*count] = kappa_build_type(build, n->name.text);
            if ((*out)[(*count)++] == NULL) {
                return KAPPA_NOMEM;
            }
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
build_object(kappa_build_t *build, kappa_type_t *type)
{
    kappa_status_t status = build_fields(build, type);

    if (status != KAPPA_OK) {
        return status;
    }
    return build_named(
        build, type, false, &type->interfaces, &type->interface_count);
}

static void
build_scalar(kappa_type_t *type)
{
    for (uint32_t i = 0; i <= type->extension_count; i++) {
        const kappa_directive_node_t *node = kappa_directive_find(
            part_of(type, i)->directives, KAPPA_STR("specifiedBy"));
        const kappa_literal_t *url =
            node ? kappa_directive_arg(node, KAPPA_STR("url")) : NULL;

        if (url != NULL && url->kind == KAPPA_LITERAL_STRING) {
            type->specified_by = url->text;
        }
    }
}

kappa_status_t
kappa_build_members(kappa_build_t *build, kappa_type_t *type)
{
    switch (type->kind) {
    case KAPPA_TYPE_OBJECT:
    case KAPPA_TYPE_INTERFACE:
        return build_object(build, type);
    case KAPPA_TYPE_UNION:
        return build_named(
            build, type, true, &type->possible, &type->possible_count);
    case KAPPA_TYPE_ENUM:
        return build_values(build, type);
    case KAPPA_TYPE_INPUT_OBJECT:
        type->one_of = kappa_directive_find(
                           type->definition->directives, KAPPA_STR("oneOf"))
            != NULL;
        return build_input_fields(build, type);
    case KAPPA_TYPE_SCALAR:
        build_scalar(type);
        return KAPPA_OK;
    }
    return KAPPA_OK;
}

static kappa_status_t
build_locations(kappa_build_t *build, kappa_directive_t *directive)
{
    const kappa_named_node_t *nodes = directive->definition->locations;

    for (const kappa_named_node_t *n = nodes; n; n = n->next) {
        directive->location_count++;
    }
    directive->locations =
        KAPPA_NEW_ARRAY(build->arena, kappa_str_t, directive->location_count);
    if (directive->locations == NULL) {
        return KAPPA_NOMEM;
    }
    uint32_t i = 0;
    for (const kappa_named_node_t *n = nodes; n; n = n->next) {
        directive->locations[i++] = n->name.text;
    }
    return KAPPA_OK;
}

static bool
is_specified(kappa_str_t name)
{
    return kappa_str_eq_c(name, "skip") || kappa_str_eq_c(name, "include")
        || kappa_str_eq_c(name, "deprecated")
        || kappa_str_eq_c(name, "specifiedBy")
        || kappa_str_eq_c(name, "oneOf");
}

kappa_status_t
kappa_build_directive(
    kappa_build_t *build, const kappa_definition_t *definition)
{
    kappa_schema_t *schema = build->schema;
    kappa_directive_t *directive = KAPPA_NEW(build->arena, kappa_directive_t);

    if (directive == NULL) {
        return KAPPA_NOMEM;
    }
    *directive = (kappa_directive_t){ .name = definition->name.text,
        .description = definition->description.text,
        .args = KAPPA_NEW_ARRAY(
            build->arena, kappa_input_t, count_inputs(definition->inputs)),
        .repeatable = definition->repeatable,
        .builtin = is_specified(definition->name.text),
        .definition = definition,
        .source = definition->source,
        .offset = definition->offset };
    schema->directives[schema->directive_count++] = directive;
    if (directive->args == NULL
        || kappa_map_put(&schema->directive_map, directive->name, directive)
            != KAPPA_OK
        || build_locations(build, directive) != KAPPA_OK) {
        return KAPPA_NOMEM;
    }
    return build_inputs(build, definition->inputs, definition->source,
        directive->args, &directive->arg_count);
}
