#include "graphql/schema_check.h"

/* Specification section 3: what a type system must be, in the order in which
 * graphql-js's validateSchema looks. */

#define FAIL(build, ...)                                                      \
    kappa_errors_add((build)->sdl->errors, "VALIDATION_FAILED", __VA_ARGS__)

void
kappa_error_at_type(
    kappa_errors_t *errors, kappa_error_t *error, const kappa_type_t *type)
{
    kappa_error_at(errors, error, type->source, type->offset);
    for (uint32_t i = 0; i < type->extension_count; i++) {
        kappa_error_at(errors, error, type->extensions[i]->source,
            type->extensions[i]->offset);
    }
}

static void
at(kappa_build_t *build, kappa_error_t *error, const kappa_source_t *source,
    uint32_t offset)
{
    kappa_error_at(build->sdl->errors, error, source, offset);
}

static const char *
printed(kappa_build_t *build, const kappa_type_ref_t *ref)
{
    return kappa_errors_text(
        build->sdl->errors, kappa_type_ref_print(build->arena, ref));
}

/* --- 3.3.1 Root operation types */

static const char *const operation_names[] = { "query", "mutation",
    "subscription" };
static const char *const root_words[] = { "Query", "Mutation",
    "Subscription" };

static const kappa_root_node_t *
root_in(const kappa_definition_t *d, int operation)
{
    const kappa_root_node_t *r = d ? d->roots : NULL;

    while (r != NULL && (int)r->operation != operation) {
        r = r->next;
    }
    return r;
}

/* The type's name behind `query:`; false: the root was not declared so. */
static bool
find_root(const kappa_schema_t *schema, int operation,
    const kappa_source_t **source, uint32_t *offset)
{
    for (uint32_t i = 0; i <= schema->extension_count; i++) {
        const kappa_definition_t *d =
            i ? schema->extensions[i - 1] : schema->definition;
        const kappa_root_node_t *r = root_in(d, operation);

        if (r != NULL) {
            *source = d->source;
            *offset = r->type.offset;
            return true;
        }
    }
    return false;
}

static void
check_root_kind(kappa_build_t *build, int operation)
{
    const kappa_type_t *type = build->schema->roots[operation];
    const kappa_source_t *source;
    uint32_t offset;

    if (type == NULL || type->kind == KAPPA_TYPE_OBJECT) {
        return;
    }
    if (!find_root(build->schema, operation, &source, &offset)) {
        source = type->source;
        offset = type->offset;
    }
    at(build,
        FAIL(build, "%s root type must be Object type%s, it cannot be %.*s.",
            root_words[operation],
            operation == KAPPA_OPERATION_QUERY ? "" : " if provided",
            KAPPA_STR_ARG(type->name)),
        source, offset);
}

/* One type for several operations. */
static void
check_roots_differ(kappa_build_t *build, int operation)
{
    const kappa_schema_t *schema = build->schema;
    const kappa_type_t *type = schema->roots[operation];
    kappa_error_t *error = NULL;
    const kappa_source_t *source;
    uint32_t offset;

    for (int i = 0; i < 3; i++) {
        if (i == operation || type == NULL || schema->roots[i] != type
            || type->kind != KAPPA_TYPE_OBJECT) {
            continue;
        }
        if (i < operation) {
            return; /* told there */
        }
        if (error == NULL) {
            error = FAIL(build,
                "All root types must be different, \"%.*s\" type is used as "
                "%s and %s root types.",
                KAPPA_STR_ARG(type->name), operation_names[operation],
                operation_names[i]);
            if (find_root(schema, operation, &source, &offset)) {
                at(build, error, source, offset);
            }
        }
        if (find_root(schema, i, &source, &offset)) {
            at(build, error, source, offset);
        }
    }
}

static void
check_roots(kappa_build_t *build)
{
    const kappa_schema_t *schema = build->schema;

    if (schema->roots[KAPPA_OPERATION_QUERY] == NULL) {
        kappa_error_t *error =
            FAIL(build, "Query root type must be provided.");

        if (schema->definition != NULL) {
            at(build, error, schema->definition->source,
                schema->definition->offset);
        }
    }
    for (int i = 0; i < 3; i++) {
        check_root_kind(build, i);
    }
    for (int i = 0; i < 3; i++) {
        check_roots_differ(build, i);
    }
}

/* --- names, arguments, input fields */

static void
check_name(kappa_build_t *build, kappa_str_t name,
    const kappa_source_t *source, uint32_t offset)
{
    if (kappa_str_starts_with(name, KAPPA_STR("__"))) {
        at(build,
            FAIL(build,
                "Name \"%.*s\" must not begin with \"__\", which is reserved "
                "by GraphQL introspection.",
                KAPPA_STR_ARG(name)),
            source, offset);
    }
}

static void
check_not_deprecated(
    kappa_build_t *build, const kappa_input_t *input, kappa_str_t where)
{
    const kappa_directive_node_t *node =
        kappa_directive_find(input->directives, KAPPA_STR("deprecated"));

    if (node == NULL || input->type->kind != KAPPA_REF_NON_NULL
        || input->default_literal != NULL) {
        return;
    }
    kappa_error_t *error = FAIL(
        build, "Required %.*s cannot be deprecated.", KAPPA_STR_ARG(where));
    at(build, error, node->source, node->offset);
    at(build, error, input->source, input->node->type->offset);
}

/* where: "argument Query.a(x:)". at_type: whether the error about its type
 * points at the type or at the whole of it. */
static kappa_status_t
check_input(kappa_build_t *build, const kappa_input_t *input,
    kappa_str_t where, bool at_type)
{
    if (where.data == NULL) {
        return KAPPA_NOMEM;
    }
    check_name(build, input->name, input->source, input->offset);
    if (!kappa_type_is_input(input->type->named)) {
        at(build,
            FAIL(build, "The type of %.*s must be Input Type but got: %s.",
                KAPPA_STR_ARG(where), printed(build, input->type)),
            input->source,
            at_type ? input->node->type->offset : input->offset);
    }
    check_not_deprecated(build, input, where);
    return kappa_check_default(build, input, where);
}

/* --- 3.13 Directives */

static kappa_status_t
check_directive(kappa_build_t *build, const kappa_directive_t *directive)
{
    kappa_status_t status = KAPPA_OK;

    check_name(build, directive->name, directive->source, directive->offset);
    for (uint32_t i = 0; i < directive->arg_count && status == KAPPA_OK; i++) {
        status = check_input(build, &directive->args[i],
            kappa_str_printf(build->arena, "argument @%.*s(%.*s:)",
                KAPPA_STR_ARG(directive->name),
                KAPPA_STR_ARG(directive->args[i].name)),
            false);
    }
    return status;
}

static kappa_status_t
check_directives(kappa_build_t *build)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0;
         i < build->schema->directive_count && status == KAPPA_OK; i++) {
        status = check_directive(build, build->schema->directives[i]);
    }
    return status;
}

/* --- 3.6 Objects, 3.7 Interfaces */

static kappa_status_t
check_field(kappa_build_t *build, const kappa_field_t *field)
{
    kappa_status_t status = KAPPA_OK;

    check_name(build, field->name, field->source, field->offset);
    if (field->type->named->kind == KAPPA_TYPE_INPUT_OBJECT) {
        at(build,
            FAIL(build,
                "The type of %.*s.%.*s must be Output Type but got: %s.",
                KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name),
                printed(build, field->type)),
            field->source, field->node->type->offset);
    }
    for (uint32_t i = 0; i < field->arg_count && status == KAPPA_OK; i++) {
        status = check_input(build, &field->args[i],
            kappa_str_printf(build->arena, "argument %.*s.%.*s(%.*s:)",
                KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name),
                KAPPA_STR_ARG(field->args[i].name)),
            true);
    }
    return status;
}

static kappa_status_t
check_fields(kappa_build_t *build, const kappa_type_t *type)
{
    kappa_status_t status = KAPPA_OK;

    if (type->field_count == 0) {
        kappa_error_at_type(build->sdl->errors,
            FAIL(build, "Type %.*s must define one or more fields.",
                KAPPA_STR_ARG(type->name)),
            type);
    }
    for (uint32_t i = 0; i < type->field_count && status == KAPPA_OK; i++) {
        status = check_field(build, &type->fields[i]);
    }
    return status == KAPPA_OK ? kappa_check_interfaces(build, type) : status;
}

/* --- 3.8 Unions */

static void
at_members(kappa_build_t *build, kappa_error_t *error,
    const kappa_type_t *type, kappa_str_t member)
{
    for (uint32_t i = 0; error && i <= type->extension_count; i++) {
        const kappa_definition_t *d =
            i ? type->extensions[i - 1] : type->definition;

        for (const kappa_named_node_t *n = d->members; n; n = n->next) {
            if (kappa_str_eq(n->name.text, member)) {
                at(build, error, d->source, n->name.offset);
            }
        }
    }
}

static kappa_status_t
check_member(kappa_build_t *build, const kappa_type_t *type,
    const kappa_type_t *member, kappa_map_t *seen)
{
    if (kappa_map_get(seen, member->name) != NULL) {
        at_members(build,
            FAIL(build, "Union type %.*s can only include type %.*s once.",
                KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(member->name)),
            type, member->name);
        return KAPPA_OK;
    }
    if (member->kind != KAPPA_TYPE_OBJECT) {
        at_members(build,
            FAIL(build,
                "Union type %.*s can only include Object types, it cannot "
                "include %.*s.",
                KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(member->name)),
            type, member->name);
    }
    return kappa_map_put(seen, member->name, (void *)(uintptr_t)member);
}

static kappa_status_t
check_union(kappa_build_t *build, const kappa_type_t *type)
{
    kappa_status_t status = KAPPA_OK;
    kappa_map_t seen;

    kappa_map_init(&seen, build->arena);
    if (type->possible_count == 0) {
        kappa_error_at_type(build->sdl->errors,
            FAIL(build,
                "Union type %.*s must define one or more member types.",
                KAPPA_STR_ARG(type->name)),
            type);
    }
    for (uint32_t i = 0; i < type->possible_count && status == KAPPA_OK; i++) {
        status = check_member(build, type, type->possible[i], &seen);
    }
    return status;
}

/* --- 3.9 Enums */

static kappa_status_t
check_enum(kappa_build_t *build, const kappa_type_t *type)
{
    if (type->value_count == 0) {
        kappa_error_at_type(build->sdl->errors,
            FAIL(build, "Enum type %.*s must define one or more values.",
                KAPPA_STR_ARG(type->name)),
            type);
    }
    for (uint32_t i = 0; i < type->value_count; i++) {
        check_name(build, type->values[i].name, type->values[i].source,
            type->values[i].offset);
    }
    return KAPPA_OK;
}

/* --- 3.10 Input objects */

static void
check_one_of(
    kappa_build_t *build, const kappa_type_t *type, const kappa_input_t *input)
{
    if (input->type->kind == KAPPA_REF_NON_NULL) {
        at(build,
            FAIL(build, "OneOf input field %.*s.%.*s must be nullable.",
                KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(input->name)),
            input->source, input->node->type->offset);
    }
    if (input->default_literal != NULL) {
        at(build,
            FAIL(build,
                "OneOf input field %.*s.%.*s cannot have a default value.",
                KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(input->name)),
            input->source, input->offset);
    }
}

static kappa_status_t
check_input_object(kappa_build_t *build, const kappa_type_t *type)
{
    kappa_status_t status = KAPPA_OK;

    if (type->input_count == 0) {
        kappa_error_at_type(build->sdl->errors,
            FAIL(build,
                "Input Object type %.*s must define one or more fields.",
                KAPPA_STR_ARG(type->name)),
            type);
    }
    for (uint32_t i = 0; i < type->input_count && status == KAPPA_OK; i++) {
        const kappa_input_t *input = &type->inputs[i];

        status = check_input(build, input,
            kappa_str_printf(build->arena, "input field %.*s.%.*s",
                KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(input->name)),
            true);
        if (type->one_of) {
            check_one_of(build, type, input);
        }
    }
    return status;
}

static kappa_status_t
check_type(kappa_build_t *build, const kappa_type_t *type)
{
    check_name(build, type->name, type->source, type->offset);
    switch (type->kind) {
    case KAPPA_TYPE_OBJECT:
    case KAPPA_TYPE_INTERFACE:
        return check_fields(build, type);
    case KAPPA_TYPE_UNION:
        return check_union(build, type);
    case KAPPA_TYPE_ENUM:
        return check_enum(build, type);
    case KAPPA_TYPE_INPUT_OBJECT:
        return check_input_object(build, type);
    case KAPPA_TYPE_SCALAR:
        break;
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_schema_check(kappa_build_t *build)
{
    kappa_status_t status = kappa_check_specified_directives(build);

    if (status != KAPPA_OK || build->sdl->errors->count > 0) {
        return status;
    }
    check_roots(build);
    status = check_directives(build);
    for (uint32_t i = 0; i < build->schema->type_count && status == KAPPA_OK;
         i++) {
        if (!build->schema->types[i]->builtin) {
            status = check_type(build, build->schema->types[i]);
        }
    }
    if (status == KAPPA_OK) {
        status = kappa_check_finite_inputs(build);
    }
    if (status == KAPPA_OK) {
        status = kappa_check_default_cycles(build);
    }
    return status;
}
