#include "graphql/library.h"

#include "base/map.h"
#include "graphql/directive_walk.h"
#include "graphql/kappa_sdl.h"

kappa_status_t
kappa_library_parse(
    kappa_arena_t *arena, kappa_document_t **out, kappa_errors_t *errors)
{
    kappa_source_t *source = KAPPA_NEW(arena, kappa_source_t);

    if (source == NULL) {
        return KAPPA_NOMEM;
    }
    source->name = KAPPA_STR("kappa.graphql");
    source->text = kappa_graphql_sdl;
    return kappa_parse(arena, source, NULL, out, errors);
}

bool
kappa_library_is(const kappa_source_t *source)
{
    return source != NULL && source->text.data == kappa_graphql_sdl.data;
}

/* The directives that one document declares, by name. */
static kappa_status_t
declared(const kappa_document_t *document, kappa_map_t *names)
{
    for (kappa_definition_t *d = document->definitions; d != NULL;
         d = d->next) {
        if (d->kind == KAPPA_DEFINITION_DIRECTIVE
            && kappa_map_put(names, d->name.text, d) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

typedef struct {
    kappa_map_t library;
    kappa_map_t own;
    bool found;
} usage_t;

static bool
note_usage(void *ctx, const kappa_directive_node_t *list,
    const kappa_directive_place_t *place)
{
    usage_t *usage = ctx;

    (void)place;
    for (; list != NULL; list = list->next) {
        if (kappa_map_get(&usage->library, list->name.text) != NULL
            && kappa_map_get(&usage->own, list->name.text) == NULL) {
            usage->found = true;
        }
    }
    return !usage->found;
}

kappa_status_t
kappa_library_is_used(kappa_arena_t *arena, const kappa_document_t *document,
    const kappa_document_t *library, bool *used)
{
    usage_t usage = { .found = false };

    kappa_map_init(&usage.library, arena);
    kappa_map_init(&usage.own, arena);
    if (declared(library, &usage.library) != KAPPA_OK
        || declared(document, &usage.own) != KAPPA_OK) {
        return KAPPA_NOMEM;
    }
    for (kappa_definition_t *d = document->definitions;
         d != NULL && !usage.found; d = d->next) {
        kappa_directive_walk(d, note_usage, &usage);
    }
    *used = usage.found;
    return KAPPA_OK;
}
