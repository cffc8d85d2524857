#include "graphql/schema_private.h"

/* The public schema is what clients see: without kappa's directives, without
 * what @internal and @stamp mark, and without the types of kappa.graphql that
 * nothing public refers to. */

static bool
has(const kappa_directive_node_t *directives, const char *name)
{
    return kappa_directive_find(directives, kappa_str_c(name)) != NULL;
}

static void
hide_members(kappa_type_t *type)
{
    type->hidden = has(type->directives, "internal");
    for (uint32_t i = 0; i < type->field_count; i++) {
        kappa_field_t *field = &type->fields[i];

        field->hidden = has(field->directives, "internal");
        for (uint32_t k = 0; k < field->arg_count; k++) {
            field->args[k].hidden = has(field->args[k].directives, "stamp");
        }
    }
}

static kappa_status_t
note(kappa_map_t *used, const kappa_type_ref_t *ref)
{
    return kappa_map_put(
        used, ref->named->name, (void *)(uintptr_t)ref->named);
}

static kappa_status_t
note_inputs(kappa_map_t *used, const kappa_input_t *inputs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!inputs[i].hidden && note(used, inputs[i].type) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

/* What the public parts of a type refer to. */
static kappa_status_t
note_type(kappa_map_t *used, const kappa_type_t *type)
{
    if (note_inputs(used, type->inputs, type->input_count) != KAPPA_OK) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < type->field_count; i++) {
        const kappa_field_t *field = &type->fields[i];

        if (!field->hidden
            && (note(used, field->type) != KAPPA_OK
                || note_inputs(used, field->args, field->arg_count)
                    != KAPPA_OK)) {
            return KAPPA_NOMEM;
        }
    }
    for (uint32_t i = 0; i < type->possible_count; i++) {
        if (kappa_map_put(used, type->possible[i]->name,
                (void *)(uintptr_t)type->possible[i])
            != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

static bool
is_of_library(const kappa_build_t *build, const kappa_type_t *type)
{
    return kappa_map_get(&build->sdl->library, type->name) != NULL;
}

kappa_status_t
kappa_build_hidden(kappa_build_t *build)
{
    kappa_schema_t *schema = build->schema;
    kappa_map_t used;

    if (!schema->has_library) {
        return KAPPA_OK;
    }
    kappa_map_init(&used, build->arena);
    for (uint32_t i = 0; i < schema->directive_count; i++) {
        schema->directives[i]->hidden =
            kappa_map_get(
                &build->sdl->library_directives, schema->directives[i]->name)
            != NULL;
    }
    for (uint32_t i = 0; i < schema->type_count; i++) {
        kappa_type_t *type = schema->types[i];

        hide_members(type);
        if (!type->hidden && !is_of_library(build, type)
            && note_type(&used, type) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    for (uint32_t i = 0; i < schema->type_count; i++) {
        kappa_type_t *type = schema->types[i];

        if (is_of_library(build, type)
            && kappa_map_get(&used, type->name) == NULL) {
            type->hidden = true;
        }
    }
    return KAPPA_OK;
}
