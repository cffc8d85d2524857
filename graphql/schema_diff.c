#include "graphql/schema_diff_private.h"

kappa_str_t
kappa_diff_text(kappa_diff_t *d, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    kappa_str_t text = kappa_str_vprintf(d->arena, format, args);
    va_end(args);
    d->no_memory |= text.data == NULL;
    return text;
}

void
kappa_diff_add(kappa_diff_t *d, kappa_severity_t severity, const char *code,
    kappa_str_t at, const char *format, ...)
{
    kappa_schema_change_t *change = KAPPA_NEW(d->arena, kappa_schema_change_t);
    va_list args;

    if (change == NULL) {
        d->no_memory = true;
        return;
    }
    va_start(args, format);
    *change = (kappa_schema_change_t){ .severity = severity,
        .code = code,
        .at = at,
        .message = kappa_str_vprintf(d->arena, format, args) };
    va_end(args);
    d->no_memory |= change->message.data == NULL;
    *d->last = change;
    d->last = &change->next;
}

void
kappa_diff_description(
    kappa_diff_t *d, kappa_str_t at, kappa_str_t before, kappa_str_t after)
{
    if ((before.data == NULL) != (after.data == NULL)
        || !kappa_str_eq(before, after)) {
        kappa_diff_add(d, KAPPA_CHANGE_SAFE, "DESCRIPTION_CHANGED", at,
            "has another description");
    }
}

static kappa_str_t
member(kappa_diff_t *d, const kappa_type_t *type, kappa_str_t name)
{
    return kappa_diff_text(
        d, "%.*s.%.*s", KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(name));
}

/* --- fields */

static const kappa_field_t *
public_field(const kappa_type_t *type, kappa_str_t name)
{
    const kappa_field_t *field = kappa_type_field(type, name);

    return field && !field->hidden ? field : NULL;
}

static void
diff_field_type(kappa_diff_t *d, kappa_str_t at, const kappa_field_t *before,
    const kappa_field_t *after)
{
    bool fits = kappa_diff_fits_out(before->type, after->type);

    if (kappa_diff_same_type(before->type, after->type)) {
        return;
    }
    kappa_str_t from = kappa_type_ref_print(d->arena, before->type);
    kappa_str_t to = kappa_type_ref_print(d->arena, after->type);
    kappa_diff_add(d, fits ? KAPPA_CHANGE_SAFE : KAPPA_CHANGE_BREAKING,
        fits ? "FIELD_CHANGED_KIND_SAFE" : "FIELD_CHANGED_KIND", at,
        "was %.*s and is %.*s", KAPPA_STR_ARG(from), KAPPA_STR_ARG(to));
}

static void
diff_fields(
    kappa_diff_t *d, const kappa_type_t *before, const kappa_type_t *after)
{
    for (uint32_t i = 0; i < before->field_count; i++) {
        const kappa_field_t *old = &before->fields[i];
        const kappa_field_t *now = public_field(after, old->name);
        kappa_str_t at = member(d, before, old->name);

        if (old->hidden) {
            continue;
        }
        if (now == NULL) {
            kappa_diff_add(d, KAPPA_CHANGE_BREAKING, "FIELD_REMOVED", at,
                "the field is gone");
            continue;
        }
        kappa_diff_inputs(d, KAPPA_DIFF_ARGUMENT, at, old->args,
            old->arg_count, now->args, now->arg_count);
        diff_field_type(d, at, old, now);
        kappa_diff_description(d, at, old->description, now->description);
    }
    for (uint32_t i = 0; i < after->field_count; i++) {
        const kappa_field_t *now = &after->fields[i];

        if (!now->hidden && !public_field(before, now->name)) {
            kappa_diff_add(d, KAPPA_CHANGE_SAFE, "FIELD_ADDED",
                member(d, after, now->name), "a new field");
        }
    }
}

/* --- lists of types: interfaces, members of unions */

static bool
has_type(const kappa_type_t *const *types, uint32_t count, kappa_str_t name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!types[i]->hidden && kappa_str_eq(types[i]->name, name)) {
            return true;
        }
    }
    return false;
}

static void
diff_interfaces(
    kappa_diff_t *d, const kappa_type_t *before, const kappa_type_t *after)
{
    for (uint32_t i = 0; i < after->interface_count; i++) {
        kappa_str_t name = after->interfaces[i]->name;

        if (!after->interfaces[i]->hidden
            && !has_type(before->interfaces, before->interface_count, name)) {
            kappa_diff_add(d, KAPPA_CHANGE_DANGEROUS,
                "IMPLEMENTED_INTERFACE_ADDED", after->name,
                "implements %.*s now", KAPPA_STR_ARG(name));
        }
    }
    for (uint32_t i = 0; i < before->interface_count; i++) {
        kappa_str_t name = before->interfaces[i]->name;

        if (!before->interfaces[i]->hidden
            && !has_type(after->interfaces, after->interface_count, name)) {
            kappa_diff_add(d, KAPPA_CHANGE_BREAKING,
                "IMPLEMENTED_INTERFACE_REMOVED", after->name,
                "does not implement %.*s any more", KAPPA_STR_ARG(name));
        }
    }
}

static void
diff_union(
    kappa_diff_t *d, const kappa_type_t *before, const kappa_type_t *after)
{
    for (uint32_t i = 0; i < after->possible_count; i++) {
        kappa_str_t name = after->possible[i]->name;

        if (!after->possible[i]->hidden
            && !has_type(before->possible, before->possible_count, name)) {
            kappa_diff_add(d, KAPPA_CHANGE_DANGEROUS, "TYPE_ADDED_TO_UNION",
                after->name, "may be a %.*s now", KAPPA_STR_ARG(name));
        }
    }
    for (uint32_t i = 0; i < before->possible_count; i++) {
        kappa_str_t name = before->possible[i]->name;

        if (!before->possible[i]->hidden
            && !has_type(after->possible, after->possible_count, name)) {
            kappa_diff_add(d, KAPPA_CHANGE_BREAKING, "TYPE_REMOVED_FROM_UNION",
                after->name, "is never a %.*s any more", KAPPA_STR_ARG(name));
        }
    }
}

/* --- enums */

static void
diff_enum(
    kappa_diff_t *d, const kappa_type_t *before, const kappa_type_t *after)
{
    for (uint32_t i = 0; i < after->value_count; i++) {
        kappa_str_t name = after->values[i].name;

        if (!kappa_map_get(&before->value_map, name)) {
            kappa_diff_add(d, KAPPA_CHANGE_DANGEROUS, "VALUE_ADDED_TO_ENUM",
                member(d, after, name), "a new value");
        }
    }
    for (uint32_t i = 0; i < before->value_count; i++) {
        const kappa_enum_value_t *old = &before->values[i];
        const kappa_enum_value_t *now =
            kappa_map_get(&after->value_map, old->name);
        kappa_str_t at = member(d, before, old->name);

        if (now == NULL) {
            kappa_diff_add(d, KAPPA_CHANGE_BREAKING, "VALUE_REMOVED_FROM_ENUM",
                at, "the value is gone");
        } else {
            kappa_diff_description(d, at, old->description, now->description);
        }
    }
}

/* --- types */

static const char *
kind_name(kappa_type_kind_t kind)
{
    static const char *const names[] = { "a scalar", "an object type",
        "an interface", "a union", "an enum", "an input object" };

    return names[kind];
}

static void
diff_type(
    kappa_diff_t *d, const kappa_type_t *before, const kappa_type_t *after)
{
    kappa_diff_description(
        d, before->name, before->description, after->description);
    if (before->kind != after->kind) {
        kappa_diff_add(d, KAPPA_CHANGE_BREAKING, "TYPE_CHANGED_KIND",
            before->name, "was %s and is %s", kind_name(before->kind),
            kind_name(after->kind));
        return;
    }
    switch (before->kind) {
    case KAPPA_TYPE_SCALAR:
        break;
    case KAPPA_TYPE_OBJECT:
    case KAPPA_TYPE_INTERFACE:
        diff_fields(d, before, after);
        diff_interfaces(d, before, after);
        break;
    case KAPPA_TYPE_UNION:
        diff_union(d, before, after);
        break;
    case KAPPA_TYPE_ENUM:
        diff_enum(d, before, after);
        break;
    case KAPPA_TYPE_INPUT_OBJECT:
        kappa_diff_inputs(d, KAPPA_DIFF_INPUT_FIELD, before->name,
            before->inputs, before->input_count, after->inputs,
            after->input_count);
    }
}

static const kappa_type_t *
public_type(const kappa_schema_t *schema, kappa_str_t name)
{
    const kappa_type_t *type = kappa_schema_type(schema, name);

    return type && !type->hidden && !type->builtin ? type : NULL;
}

static void
diff_types(
    kappa_diff_t *d, const kappa_schema_t *before, const kappa_schema_t *after)
{
    for (uint32_t i = 0; i < before->type_count; i++) {
        const kappa_type_t *old = before->types[i];

        if (old->hidden || old->builtin) {
            continue;
        }
        const kappa_type_t *now = public_type(after, old->name);
        if (now) {
            diff_type(d, old, now);
        } else {
            kappa_diff_add(d, KAPPA_CHANGE_BREAKING, "TYPE_REMOVED", old->name,
                "the type is gone");
        }
    }
    for (uint32_t i = 0; i < after->type_count; i++) {
        const kappa_type_t *now = after->types[i];

        if (!now->hidden && !now->builtin && !public_type(before, now->name)) {
            kappa_diff_add(
                d, KAPPA_CHANGE_SAFE, "TYPE_ADDED", now->name, "a new type");
        }
    }
}

/* --- directives */

static const kappa_directive_t *
public_directive(const kappa_schema_t *schema, kappa_str_t name)
{
    const kappa_directive_t *directive =
        kappa_map_get(&schema->directive_map, name);

    return directive && !directive->hidden && !directive->builtin ? directive
                                                                  : NULL;
}

static bool
has_location(const kappa_directive_t *directive, kappa_str_t location)
{
    for (uint32_t i = 0; i < directive->location_count; i++) {
        if (kappa_str_eq(directive->locations[i], location)) {
            return true;
        }
    }
    return false;
}

static void
diff_locations(kappa_diff_t *d, kappa_str_t at,
    const kappa_directive_t *before, const kappa_directive_t *after)
{
    for (uint32_t i = 0; i < before->location_count; i++) {
        if (!has_location(after, before->locations[i])) {
            kappa_diff_add(d, KAPPA_CHANGE_BREAKING,
                "DIRECTIVE_LOCATION_REMOVED", at,
                "may not stand on %.*s any more",
                KAPPA_STR_ARG(before->locations[i]));
        }
    }
    for (uint32_t i = 0; i < after->location_count; i++) {
        if (!has_location(before, after->locations[i])) {
            kappa_diff_add(d, KAPPA_CHANGE_SAFE, "DIRECTIVE_LOCATION_ADDED",
                at, "may stand on %.*s now",
                KAPPA_STR_ARG(after->locations[i]));
        }
    }
}

static void
diff_directive(kappa_diff_t *d, const kappa_directive_t *before,
    const kappa_directive_t *after)
{
    kappa_str_t at = kappa_diff_text(d, "@%.*s", KAPPA_STR_ARG(before->name));

    kappa_diff_inputs(d, KAPPA_DIFF_DIRECTIVE_ARGUMENT, at, before->args,
        before->arg_count, after->args, after->arg_count);
    if (before->repeatable && !after->repeatable) {
        kappa_diff_add(d, KAPPA_CHANGE_BREAKING,
            "DIRECTIVE_REPEATABLE_REMOVED", at,
            "may not be repeated any more");
    } else if (!before->repeatable && after->repeatable) {
        kappa_diff_add(d, KAPPA_CHANGE_SAFE, "DIRECTIVE_REPEATABLE_ADDED", at,
            "may be repeated now");
    }
    kappa_diff_description(d, at, before->description, after->description);
    diff_locations(d, at, before, after);
}

static void
diff_directives(
    kappa_diff_t *d, const kappa_schema_t *before, const kappa_schema_t *after)
{
    for (uint32_t i = 0; i < before->directive_count; i++) {
        const kappa_directive_t *old = before->directives[i];

        if (old->hidden || old->builtin) {
            continue;
        }
        const kappa_directive_t *now = public_directive(after, old->name);
        if (now) {
            diff_directive(d, old, now);
        } else {
            kappa_diff_add(d, KAPPA_CHANGE_BREAKING, "DIRECTIVE_REMOVED",
                kappa_diff_text(d, "@%.*s", KAPPA_STR_ARG(old->name)),
                "the directive is gone");
        }
    }
    for (uint32_t i = 0; i < after->directive_count; i++) {
        const kappa_directive_t *now = after->directives[i];

        if (!now->hidden && !now->builtin
            && !public_directive(before, now->name)) {
            kappa_diff_add(d, KAPPA_CHANGE_SAFE, "DIRECTIVE_ADDED",
                kappa_diff_text(d, "@%.*s", KAPPA_STR_ARG(now->name)),
                "a new directive");
        }
    }
}

kappa_status_t
kappa_schema_diff(kappa_arena_t *arena, const kappa_schema_t *before,
    const kappa_schema_t *after, kappa_schema_change_t **out)
{
    kappa_diff_t d = { .arena = arena };

    d.last = &d.first;
    diff_types(&d, before, after);
    diff_directives(&d, before, after);
    *out = d.first;
    return d.no_memory ? KAPPA_NOMEM : KAPPA_OK;
}
