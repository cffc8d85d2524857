#include "graphql/validate/names.h"

void
kappa_names_init(kappa_names_t *names, kappa_arena_t *arena)
{
    kappa_map_init(&names->first, arena);
}

kappa_status_t
kappa_names_add(kappa_names_t *names, kappa_str_t name,
    const kappa_source_t *source, uint32_t offset,
    const kappa_name_place_t **first)
{
    *first = kappa_map_get(&names->first, name);
    if (*first != NULL) {
        return KAPPA_OK;
    }

    kappa_name_place_t *place =
        KAPPA_NEW(names->first.arena, kappa_name_place_t);
    if (place == NULL) {
        return KAPPA_NOMEM;
    }
    *place = (kappa_name_place_t){ source, offset };
    return kappa_map_put(&names->first, name, place);
}

kappa_error_t *
kappa_error_two(kappa_errors_t *errors, kappa_error_t *error,
    const kappa_name_place_t *first, const kappa_source_t *source,
    uint32_t offset)
{
    kappa_error_at(errors, error, first->source, first->offset);
    kappa_error_at(errors, error, source, offset);
    return error;
}

typedef struct {
    uint32_t count;
    uint32_t start; /* in the sorted array */
} group_t;

/* Counts each name; the map keeps the order in which names came. */
static kappa_status_t
count_names(kappa_map_t *groups, const kappa_named_item_t *items,
    uint32_t count, bool *repeated)
{
    for (uint32_t i = 0; i < count; i++) {
        group_t *group = kappa_map_get(groups, items[i].name);

        if (group == NULL) {
            group = KAPPA_NEW(groups->arena, group_t);
            if (group == NULL
                || kappa_map_put(groups, items[i].name, group) != KAPPA_OK) {
                return KAPPA_NOMEM;
            }
        }
        *repeated |= ++group->count > 1;
    }
    return KAPPA_OK;
}

static kappa_status_t
report_groups(kappa_arena_t *arena, kappa_map_t *groups,
    const kappa_named_item_t *items, uint32_t count, kappa_group_f found,
    void *ctx)
{
    const kappa_named_item_t **sorted =
        KAPPA_NEW_ARRAY(arena, const kappa_named_item_t *, count);
    uint32_t start = 0;

    if (sorted == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < groups->count; i++) {
        group_t *group = groups->entries[i].value;

        group->start = start;
        start += group->count;
        group->count = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        group_t *group = kappa_map_get(groups, items[i].name);

        sorted[group->start + group->count++] = &items[i];
    }
    for (uint32_t i = 0; i < groups->count; i++) {
        group_t *group = groups->entries[i].value;

        if (group->count > 1) {
            found(ctx, sorted + group->start, group->count);
        }
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_group_names(kappa_arena_t *arena, const kappa_named_item_t *items,
    uint32_t count, kappa_group_f found, void *ctx)
{
    kappa_map_t groups;
    bool repeated = false;

    if (count < 2) {
        return KAPPA_OK;
    }
    kappa_map_init(&groups, arena);
    kappa_status_t status = count_names(&groups, items, count, &repeated);
    if (status != KAPPA_OK || !repeated) {
        return status;
    }
    return report_groups(arena, &groups, items, count, found, ctx);
}
