#include "views/model_private.h"

/* What is left for clients when @internal and @stamp are taken away has to be
 * a schema: kappa print-schema gives it to tools that know nothing of us. */

static kappa_status_t
check_field(kappa_model_builder_t *b, const kappa_field_t *field)
{
    const kappa_type_t *type = field->type->named;

    return type->hidden ? kappa_model_refuse(b, field->source, field->offset,
               "\"%.*s.%.*s\" is of the type \"%.*s\", which is @internal: "
               "make the field @internal too.",
               KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name),
               KAPPA_STR_ARG(type->name))
                        : KAPPA_OK;
}

static kappa_status_t
check_fields(kappa_model_builder_t *b, const kappa_type_t *type)
{
    kappa_status_t status = KAPPA_OK;
    bool seen = type->field_count == 0;

    for (uint32_t i = 0; status == KAPPA_OK && i < type->field_count; i++) {
        if (!type->fields[i].hidden) {
            seen = true;
            status = check_field(b, &type->fields[i]);
        }
    }
    return seen ? status
                : kappa_model_refuse(b, type->source, type->offset,
                    "All fields of \"%.*s\" are @internal: make the type "
                    "@internal.",
                    KAPPA_STR_ARG(type->name));
}

static kappa_status_t
check_interface(kappa_model_builder_t *b, const kappa_type_t *type,
    const kappa_type_t *interface)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < interface->field_count;
         i++) {
        const kappa_field_t *field =
            kappa_type_field(type, interface->fields[i].name);

        if (field && field->hidden && !interface->fields[i].hidden) {
            status = kappa_model_refuse(b, field->source, field->offset,
                "\"%.*s.%.*s\" is @internal, but not in the interface "
                "\"%.*s\".",
                KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(field->name),
                KAPPA_STR_ARG(interface->name));
        }
    }
    return status;
}

static kappa_status_t
check_type(kappa_model_builder_t *b, const kappa_type_t *type)
{
    kappa_status_t status = check_fields(b, type);

    for (uint32_t i = 0; status == KAPPA_OK && i < type->interface_count;
         i++) {
        if (!type->interfaces[i]->hidden) {
            status = check_interface(b, type, type->interfaces[i]);
        }
    }
    return status;
}

kappa_status_t
kappa_model_public(kappa_model_builder_t *b)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < b->schema->type_count;
         i++) {
        const kappa_type_t *type = b->schema->types[i];

        if (!type->hidden && !type->builtin) {
            status = check_type(b, type);
        }
    }
    return status;
}
