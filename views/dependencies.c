#include "views/change.h"

/* A plan that reads more than this re-runs at every change instead. */
#define DEPENDENCIES_MAX 10000
#define FIRST_CAP 16

static bool
grow(kappa_dependencies_t *deps)
{
    uint32_t cap = deps->cap ? deps->cap * 2 : FIRST_CAP;
    kappa_dependency_t *items =
        KAPPA_NEW_ARRAY(deps->arena, kappa_dependency_t, cap);

    if (items == NULL) {
        return false;
    }
    if (deps->count) {
        memcpy(items, deps->items, deps->count * sizeof(*items));
    }
    deps->items = items;
    deps->cap = cap;
    return true;
}

kappa_status_t
kappa_dependencies_add(
    kappa_dependencies_t *deps, const kappa_dependency_t *dependency)
{
    if (deps->count == DEPENDENCIES_MAX) {
        deps->overflow = true;
    }
    if (deps->overflow) {
        return KAPPA_OK;
    }
    if (deps->count == deps->cap && !grow(deps)) {
        return KAPPA_NOMEM;
    }
    kappa_dependency_t *copy = &deps->items[deps->count];
    *copy = *dependency;
    copy->low = kappa_str_dup(deps->arena, dependency->low);
    copy->high = kappa_str_dup(deps->arena, dependency->high);
    if (copy->low.data == NULL || copy->high.data == NULL) {
        return KAPPA_NOMEM;
    }
    deps->count++;
    return KAPPA_OK;
}

void
kappa_dependencies_until(kappa_dependencies_t *deps, int64_t end_ms)
{
    if (end_ms != INT64_MAX
        && (deps->until_ms == 0 || end_ms < deps->until_ms)) {
        deps->until_ms = end_ms;
    }
}

static bool
within(const kappa_dependency_t *dependency, kappa_str_t entry)
{
    return entry.len != 0 && kappa_str_cmp(entry, dependency->low) >= 0
        && (dependency->high.len == 0
            || kappa_str_cmp(entry, dependency->high) < 0);
}

bool
kappa_dependency_hit(
    const kappa_dependency_t *dependency, const kappa_change_t *change)
{
    if (dependency->view != change->view) {
        return false;
    }
    if (!dependency->range) {
        return kappa_str_eq(dependency->low, change->key);
    }
    return within(dependency, change->old_entries[dependency->index])
        || within(dependency, change->new_entries[dependency->index]);
}
