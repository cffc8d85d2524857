#include "graphql/schema_check.h"

/* 3.6, 3.7: IsValidImplementation. */

#define FAIL(build, ...)                                                      \
    kappa_errors_add((build)->sdl->errors, "VALIDATION_FAILED", __VA_ARGS__)

static void
at(kappa_build_t *build, kappa_error_t *error, const kappa_source_t *source,
    uint32_t offset)
{
    kappa_error_at(build->sdl->errors, error, source, offset);
}

/* Every place where type says that it implements name. */
static void
at_implements(kappa_build_t *build, kappa_error_t *error,
    const kappa_type_t *type, kappa_str_t name)
{
    for (uint32_t i = 0; error && i <= type->extension_count; i++) {
        const kappa_definition_t *d =
            i ? type->extensions[i - 1] : type->definition;

        for (const kappa_named_node_t *n = d->interfaces; n; n = n->next) {
            if (kappa_str_eq(n->name.text, name)) {
                at(build, error, d->source, n->name.offset);
            }
        }
    }
}

static bool
implements(const kappa_type_t *type, const kappa_type_t *interface)
{
    for (uint32_t i = 0; i < type->interface_count; i++) {
        if (type->interfaces[i] == interface) {
            return true;
        }
    }
    return false;
}

static bool
is_same(const kappa_type_ref_t *a, const kappa_type_ref_t *b)
{
    while (a->kind == b->kind && a->kind != KAPPA_REF_NAMED) {
        a = a->of;
        b = b->of;
    }
    return a->kind == b->kind && a->named == b->named;
}

/* Covariant: whether every value of a is a value of b. */
static bool
is_subtype(const kappa_type_ref_t *a, const kappa_type_ref_t *b)
{
    if (b->kind == KAPPA_REF_NON_NULL) {
        return a->kind == KAPPA_REF_NON_NULL && is_subtype(a->of, b->of);
    }
    if (a->kind == KAPPA_REF_NON_NULL) {
        return is_subtype(a->of, b);
    }
    if (b->kind == KAPPA_REF_LIST || a->kind == KAPPA_REF_LIST) {
        return a->kind == b->kind && is_subtype(a->of, b->of);
    }
    if (a->named == b->named) {
        return true;
    }
    if (a->named->kind == KAPPA_TYPE_INTERFACE
        && b->named->kind == KAPPA_TYPE_INTERFACE) {
        return implements(a->named, b->named);
    }
    return a->named->kind == KAPPA_TYPE_OBJECT
        && (b->named->kind == KAPPA_TYPE_INTERFACE
            || b->named->kind == KAPPA_TYPE_UNION)
        && kappa_type_is_possible(b->named, a->named);
}

/* "Type.field" or "Type.field(arg:)" */
static const char *
path(kappa_build_t *build, const kappa_type_t *type,
    const kappa_field_t *field, const kappa_input_t *arg)
{
    if (arg == NULL) {
        return kappa_errors_text(build->sdl->errors,
            kappa_str_printf(build->arena, "%.*s.%.*s",
                KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(field->name)));
    }
    return kappa_errors_text(build->sdl->errors,
        kappa_str_printf(build->arena, "%.*s.%.*s(%.*s:)",
            KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(field->name),
            KAPPA_STR_ARG(arg->name)));
}

static const char *
printed(kappa_build_t *build, const kappa_type_ref_t *ref)
{
    return kappa_errors_text(
        build->sdl->errors, kappa_type_ref_print(build->arena, ref));
}

static void
check_argument(kappa_build_t *build, const kappa_field_t *want,
    const kappa_input_t *arg, const kappa_field_t *have)
{
    const kappa_input_t *given = kappa_field_arg(have, arg->name);
    kappa_error_t *error;

    if (given == NULL) {
        error = FAIL(build,
            "Interface field argument %s expected but %s does not "
            "provide it.",
            path(build, want->parent, want, arg),
            path(build, have->parent, have, NULL));
        at(build, error, arg->source, arg->offset);
        at(build, error, have->source, have->offset);
    } else if (!is_same(arg->type, given->type)) {
        error = FAIL(build,
            "Interface field argument %s expects type %s but %s is "
            "type %s.",
            path(build, want->parent, want, arg), printed(build, arg->type),
            path(build, have->parent, have, given),
            printed(build, given->type));
        at(build, error, arg->source, arg->node->type->offset);
        at(build, error, given->source, given->node->type->offset);
    }
}

/* An argument that only the implementation has must not be required. */
static void
check_extra_argument(kappa_build_t *build, const kappa_field_t *want,
    const kappa_field_t *have, const kappa_input_t *arg)
{
    if (arg->type->kind != KAPPA_REF_NON_NULL || arg->default_literal != NULL
        || kappa_field_arg(want, arg->name) != NULL) {
        return;
    }
    kappa_error_t *error = FAIL(build,
        "Argument \"%s\" must not be required type \"%s\" if not "
        "provided by the Interface field \"%s\".",
        path(build, have->parent, have, arg), printed(build, arg->type),
        path(build, want->parent, want, NULL));
    at(build, error, arg->source, arg->offset);
    at(build, error, want->source, want->offset);
}

static void
check_field(
    kappa_build_t *build, const kappa_field_t *want, const kappa_field_t *have)
{
    if (!is_subtype(have->type, want->type)) {
        kappa_error_t *error = FAIL(build,
            "Interface field %s expects type %s but %s is type %s.",
            path(build, want->parent, want, NULL), printed(build, want->type),
            path(build, have->parent, have, NULL), printed(build, have->type));

        at(build, error, want->source, want->node->type->offset);
        at(build, error, have->source, have->node->type->offset);
    }
    for (uint32_t i = 0; i < want->arg_count; i++) {
        check_argument(build, want, &want->args[i], have);
    }
    for (uint32_t i = 0; i < have->arg_count; i++) {
        check_extra_argument(build, want, have, &have->args[i]);
    }
}

static void
check_fields(kappa_build_t *build, const kappa_type_t *type,
    const kappa_type_t *interface)
{
    for (uint32_t i = 0; i < interface->field_count; i++) {
        const kappa_field_t *want = &interface->fields[i];
        const kappa_field_t *have = kappa_type_field(type, want->name);

        if (have != NULL) {
            check_field(build, want, have);
            continue;
        }
        kappa_error_t *error = FAIL(build,
            "Interface field %s expected but %.*s does not provide it.",
            path(build, interface, want, NULL), KAPPA_STR_ARG(type->name));
        at(build, error, want->source, want->offset);
        kappa_error_at_type(build->sdl->errors, error, type);
    }
}

/* What an interface implements must be implemented with it. */
static void
check_ancestors(kappa_build_t *build, const kappa_type_t *type,
    const kappa_type_t *interface)
{
    for (uint32_t i = 0; i < interface->interface_count; i++) {
        const kappa_type_t *ancestor = interface->interfaces[i];
        kappa_error_t *error;

        if (implements(type, ancestor)) {
            continue;
        }
        if (ancestor == type) {
            error = FAIL(build,
                "Type %.*s cannot implement %.*s because it would create a "
                "circular reference.",
                KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(interface->name));
        } else {
            error = FAIL(build,
                "Type %.*s must implement %.*s because it is implemented by "
                "%.*s.",
                KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(ancestor->name),
                KAPPA_STR_ARG(interface->name));
        }
        at_implements(build, error, interface, ancestor->name);
        at_implements(build, error, type, interface->name);
    }
}

/* What is wrong with naming it at all; NULL: nothing. */
static kappa_error_t *
refuse(kappa_build_t *build, const kappa_type_t *type,
    const kappa_type_t *interface, bool repeated)
{
    if (interface->kind != KAPPA_TYPE_INTERFACE) {
        return FAIL(build,
            "Type %.*s must only implement Interface types, it cannot "
            "implement %.*s.",
            KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(interface->name));
    }
    if (type == interface) {
        return FAIL(build,
            "Type %.*s cannot implement itself because it would create a "
            "circular reference.",
            KAPPA_STR_ARG(type->name));
    }
    return repeated ? FAIL(build, "Type %.*s can only implement %.*s once.",
               KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(interface->name))
                    : NULL;
}

kappa_status_t
kappa_check_interfaces(kappa_build_t *build, const kappa_type_t *type)
{
    kappa_map_t seen;

    kappa_map_init(&seen, build->arena);
    for (uint32_t i = 0; i < type->interface_count; i++) {
        const kappa_type_t *interface = type->interfaces[i];
        bool repeated = kappa_map_get(&seen, interface->name) != NULL;
        bool wrong = repeated || interface->kind != KAPPA_TYPE_INTERFACE
            || type == interface;

        if (wrong) {
            at_implements(build, refuse(build, type, interface, repeated),
                type, interface->name);
            continue;
        }
        if (kappa_map_put(&seen, interface->name, (void *)(uintptr_t)interface)
            != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
        check_ancestors(build, type, interface);
        check_fields(build, type, interface);
    }
    return KAPPA_OK;
}
