#include "views/model_private.h"

/* @was on enum values: the names that older events have for them. An enum
 * type's binding is a map from those to its values; NULL: it has none. */

static kappa_status_t
add_older(kappa_model_builder_t *b, const kappa_type_t *type,
    kappa_map_t *older, const kappa_enum_value_t *value)
{
    const kappa_directive_node_t *node =
        kappa_model_directive(value->directives, "was");
    kappa_str_t name = node ? kappa_model_text(node, "name") : KAPPA_STR_NULL;

    if (!name.data) {
        return KAPPA_OK;
    }
    if (kappa_map_get(&type->value_map, name) || kappa_map_get(older, name)) {
        return kappa_model_refuse(b, node->source, node->offset,
            "@was(name: \"%.*s\"): \"%.*s\" has a value %s that name%s.",
            KAPPA_STR_ARG(name), KAPPA_STR_ARG(type->name),
            kappa_map_get(older, name) ? "with" : "of",
            kappa_map_get(older, name) ? " already" : "");
    }
    return kappa_map_put(older, name, (void *)(uintptr_t)value);
}

static kappa_status_t
enum_names(kappa_model_builder_t *b, kappa_type_t *type)
{
    kappa_map_t *older = KAPPA_NEW(b->arena, kappa_map_t);
    kappa_status_t status = older ? KAPPA_OK : KAPPA_NOMEM;

    if (older) {
        kappa_map_init(older, b->arena);
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < type->value_count; i++) {
        status = add_older(b, type, older, &type->values[i]);
    }
    if (status == KAPPA_OK && older->count) {
        type->binding = older;
        b->model->renames = true;
    }
    return status;
}

kappa_status_t
kappa_model_enums(kappa_model_builder_t *b)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < b->schema->type_count;
         i++) {
        kappa_type_t *type = b->schema->types[i];

        if (type->kind == KAPPA_TYPE_ENUM && !type->builtin) {
            status = enum_names(b, type);
        }
    }
    return status;
}
