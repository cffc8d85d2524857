#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "graphql/parser.h"

/* Any bytes: a tree whose places lie in the text, or exactly one error. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_source_t source = { .name = KAPPA_STR("fuzz"),
        .text = { (const char *)data, size } };
    kappa_document_t *document;
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status =
        kappa_parse(arena, &source, NULL, &document, &errors);
    assert((status == KAPPA_OK) == (errors.count == 0));
    assert(errors.count <= 1);
    if (status == KAPPA_OK) {
        uint32_t at = 0;

        for (kappa_definition_t *d = document->definitions; d; d = d->next) {
            assert(d->offset >= at && d->end > d->offset && d->end <= size);
            at = d->end;
        }
    }
    kappa_arena_destroy(arena);
    return 0;
}
