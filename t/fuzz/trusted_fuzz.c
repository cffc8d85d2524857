#include <stdlib.h>

#include "graphql/parser.h"
#include "graphql/trusted.h"

/* A manifest of trusted documents, and its first half once more as an id. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char sdl[] = "type Query { a(b: Int): Int c: Query }";

static kappa_schema_t *
schema_of(void)
{
    static kappa_source_t source = { .name = { "schema", 6 },
        .text = { sdl, sizeof(sdl) - 1 } };
    static kappa_schema_t *schema;
    kappa_document_t *document;
    kappa_errors_t errors;

    if (schema == NULL) {
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

        kappa_errors_init(&errors, arena, 0);
        if (kappa_parse(arena, &source, NULL, &document, &errors) != KAPPA_OK
            || kappa_schema_build(arena, &document, 1, &schema, &errors)
                != KAPPA_OK) {
            abort();
        }
    }
    return schema;
}

/* What was found is found by its text again. */
static void
look_up(const kappa_trusted_t *trusted, kappa_str_t id)
{
    kappa_str_t text = kappa_trusted_by_id(trusted, id);

    if (text.data != NULL
        && kappa_trusted_by_text(trusted, text).data == NULL) {
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_str_t text = kappa_str((const char *)data, size);
    kappa_trusted_t *trusted = kappa_trusted_create(arena);
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status =
        kappa_trusted_add(trusted, KAPPA_STR("d/m.json"), text, &errors);
    if (status == KAPPA_OK) {
        status = kappa_trusted_finish(trusted, schema_of(), &errors);
        look_up(trusted, kappa_str(text.data, size / 2));
        look_up(trusted, KAPPA_STR("x"));
    }
    if ((status == KAPPA_OK) != (errors.count == 0)) {
        abort();
    }
    kappa_arena_destroy(arena);
    return 0;
}
