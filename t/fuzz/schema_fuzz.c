#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "graphql/library.h"
#include "graphql/print.h"
#include "graphql/schema.h"

/* Any SDL, with kappa.graphql when it uses it: a schema whose print is a
 * schema with the same print, or errors. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static kappa_schema_t *
build(kappa_arena_t *arena, kappa_str_t text, bool library,
    kappa_errors_t *errors)
{
    kappa_source_t *source = KAPPA_NEW(arena, kappa_source_t);
    kappa_document_t *documents[2];
    kappa_schema_t *schema = NULL;
    bool used = false;

    source->name = KAPPA_STR("fuzz");
    source->text = text;
    if (kappa_parse(arena, source, NULL, &documents[0], errors) != KAPPA_OK) {
        return NULL;
    }
    kappa_library_parse(arena, &documents[1], errors);
    kappa_library_is_used(arena, documents[0], documents[1], &used);
    kappa_status_t status = kappa_schema_build(
        arena, documents, library && used ? 2 : 1, &schema, errors);
    assert((status == KAPPA_OK) == (errors->count == 0));
    return status == KAPPA_OK ? schema : NULL;
}

static void
print(kappa_buf_t *buf, const kappa_schema_t *schema)
{
    kappa_buf_init(buf, &kappa_alloc_libc);
    kappa_print_schema(buf, schema);
    assert(!buf->failed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    kappa_schema_t *schema =
        build(arena, kappa_str((const char *)data, size), true, &errors);
    if (schema != NULL && !schema->has_library) {
        kappa_buf_t first, second;

        print(&first, schema);
        schema = build(arena, kappa_buf_view(&first), false, &errors);
        assert(schema != NULL);
        print(&second, schema);
        assert(kappa_str_eq(kappa_buf_view(&first), kappa_buf_view(&second)));
        kappa_buf_release(&first);
        kappa_buf_release(&second);
    }
    kappa_arena_destroy(arena);
    return 0;
}
