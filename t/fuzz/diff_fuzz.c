#define _GNU_SOURCE /* memmem */
#include <stdlib.h>
#include <string.h>

#include "graphql/schema_diff.h"
#include "views/compare.h"

/* Any two schemas that load, what stands before and behind a line of "====",
 * are compared: no crash, bounded time; and a schema with itself gives
 * nothing. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const kappa_model_t *
load(kappa_arena_t *arena, kappa_str_t text)
{
    kappa_errors_t errors;
    kappa_model_t *model;

    kappa_errors_init(&errors, arena, 1);
    return kappa_model_load(
               arena, KAPPA_STR("fuzz.graphql"), text, &model, &errors)
            == KAPPA_OK
        ? model
        : NULL;
}

static void
compare(kappa_arena_t *arena, const kappa_model_t *a, const kappa_model_t *b)
{
    kappa_schema_change_t *changes;
    kappa_difference_t *differences;

    if (kappa_schema_diff(arena, a->schema, b->schema, &changes) != KAPPA_OK
        || kappa_model_compare(arena, a, b, &differences) != KAPPA_OK) {
        abort();
    }
    if (a == b && (changes || differences)) {
        abort();
    }
    for (; changes; changes = changes->next) {
        if (changes->code == NULL || changes->at.len == 0
            || changes->message.len == 0) {
            abort();
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char line[] = "\n====\n";
    const char *text = (const char *)data;
    const char *at = size ? memmem(text, size, line, sizeof(line) - 1) : NULL;
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    size_t before = at ? (size_t)(at - text) : size;
    size_t skip = at ? before + sizeof(line) - 1 : size;
    const kappa_model_t *a = load(arena, kappa_str(text, before));
    const kappa_model_t *b = load(arena, kappa_str(text + skip, size - skip));

    if (a) {
        compare(arena, a, a);
    }
    if (a && b) {
        compare(arena, a, b);
        compare(arena, b, a);
    }
    kappa_arena_destroy(arena);
    return 0;
}
