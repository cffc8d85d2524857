#ifndef KAPPA_GRAPHQL_VALIDATE_NAMES_H
#define KAPPA_GRAPHQL_VALIDATE_NAMES_H

#include "base/map.h"
#include "graphql/ast.h"

/* Names that may be given once: where each was given first. */
typedef struct {
    kappa_map_t first; /* name to kappa_name_place_t */
} kappa_names_t;

typedef struct {
    const kappa_source_t *source;
    uint32_t offset;
} kappa_name_place_t;

void kappa_names_init(kappa_names_t *names, kappa_arena_t *arena);

/* *first is NULL when the name is new, else where it was given before. */
kappa_status_t kappa_names_add(kappa_names_t *names, kappa_str_t name,
    const kappa_source_t *source, uint32_t offset,
    const kappa_name_place_t **first);

/* An error of validation with two places. */
kappa_error_t *kappa_error_two(kappa_errors_t *errors, kappa_error_t *error,
    const kappa_name_place_t *first, const kappa_source_t *source,
    uint32_t offset);

/* What stands at place i of a list, for kappa_group_names: its name, and
 * where the error points. */
typedef struct {
    kappa_str_t name;
    const kappa_source_t *source;
    uint32_t offset;
} kappa_named_item_t;

/* Groups items by name and calls back for each name given more than once,
 * with the items of that name in order. */
typedef void (*kappa_group_f)(
    void *ctx, const kappa_named_item_t *const *group, uint32_t count);
kappa_status_t kappa_group_names(kappa_arena_t *arena,
    const kappa_named_item_t *items, uint32_t count, kappa_group_f found,
    void *ctx);

#endif
