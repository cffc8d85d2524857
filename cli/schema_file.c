#include "cli/schema_file.h"

#include "graphql/library.h"

kappa_status_t
kappa_schema_text_load(kappa_arena_t *arena, const kappa_source_t *source,
    kappa_schema_t **out, kappa_errors_t *errors)
{
    kappa_document_t *documents[2];
    bool used = false;
    kappa_status_t status =
        kappa_parse(arena, source, &kappa_input_limits, &documents[0], errors);

    if (status == KAPPA_OK) {
        status = kappa_library_parse(arena, &documents[1], errors);
    }
    if (status == KAPPA_OK) {
        status =
            kappa_library_is_used(arena, documents[0], documents[1], &used);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    return kappa_schema_build(arena, documents, used ? 2 : 1, out, errors);
}

kappa_status_t
kappa_schema_file_load(kappa_arena_t *arena, const char *path,
    kappa_schema_t **out, kappa_errors_t *errors)
{
    kappa_source_t *source = KAPPA_NEW(arena, kappa_source_t);

    if (source == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = kappa_input_read(arena, path, source);
    if (status != KAPPA_OK) {
        return status;
    }
    return kappa_schema_text_load(arena, source, out, errors);
}
