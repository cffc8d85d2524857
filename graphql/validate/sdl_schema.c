#include "graphql/validate/sdl_private.h"

/* 3.3.1 Root operation types: one schema definition, one type for each
 * operation. */

kappa_status_t
kappa_sdl_lone_schema(kappa_sdl_t *sdl)
{
    for (uint32_t i = 0; i < sdl->all.count; i++) {
        const kappa_definition_t *d = sdl->all.items[i];

        if (d->kind == KAPPA_DEFINITION_SCHEMA && !d->extension
            && d != sdl->schema) {
            kappa_error_at(sdl->errors,
                kappa_errors_add(sdl->errors, "VALIDATION_FAILED",
                    "Must provide only one schema definition."),
                d->source, d->offset);
        }
    }
    return KAPPA_OK;
}

static const char *const operation_names[] = { "query", "mutation",
    "subscription" };

typedef struct {
    const kappa_source_t *source;
    uint32_t offset;
} place_t;

static void
check_roots(kappa_sdl_t *sdl, const kappa_definition_t *d, place_t first[3])
{
    for (const kappa_root_node_t *r = d->roots; r != NULL; r = r->next) {
        place_t *known = &first[r->operation];

        if (known->source == NULL) {
            *known = (place_t){ d->source, r->offset };
            continue;
        }
        kappa_error_t *error = kappa_errors_add(sdl->errors,
            "VALIDATION_FAILED", "There can be only one %s type in schema.",
            operation_names[r->operation]);
        kappa_error_at(sdl->errors, error, known->source, known->offset);
        kappa_error_at(sdl->errors, error, d->source, r->offset);
    }
}

kappa_status_t
kappa_sdl_unique_operation_types(kappa_sdl_t *sdl)
{
    place_t first[3] = { { NULL, 0 } };

    for (uint32_t i = 0; i < sdl->all.count; i++) {
        if (sdl->all.items[i]->kind == KAPPA_DEFINITION_SCHEMA) {
            check_roots(sdl, sdl->all.items[i], first);
        }
    }
    return KAPPA_OK;
}
