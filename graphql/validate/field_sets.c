#include "graphql/validate/field_sets.h"

#define REPEATS_MAX 20 /* of one plain leaf that are worth comparing */

static bool
fail(kappa_validation_t *v)
{
    kappa_validation_fail(v, KAPPA_NOMEM);
    return false;
}

/* A key of two pointers, in the arena. */
kappa_str_t
kappa_pair_key(kappa_validation_t *v, const void *a, const void *b)
{
    const void *pair[2] = { a, b };
    kappa_str_t key =
        kappa_str_dup(v->arena, kappa_str((const char *)pair, sizeof(pair)));

    if (key.data == NULL) {
        fail(v);
    }
    return key;
}

static kappa_field_group_t *
group_of(kappa_validation_t *v, kappa_field_set_t *set, kappa_str_t name)
{
    kappa_field_group_t *group = kappa_map_get(&set->groups, name);

    if (group != NULL) {
        return group;
    }
    group = KAPPA_NEW(v->arena, kappa_field_group_t);
    if (group == NULL
        || kappa_map_put(&set->groups, name, group) != KAPPA_OK) {
        fail(v);
        return NULL;
    }
    group->name = name;
    return group;
}

/* A leaf that stands there already many times says nothing new. */
static bool
is_known(const kappa_field_group_t *group, const kappa_field_entry_t *entry)
{
    const kappa_field_entry_t *last = &group->entries[group->count - 1];

    return group->count > REPEATS_MAX && entry->plain && last->plain
        && last->parent == entry->parent && last->field == entry->field
        && kappa_str_eq(last->node->name.text, entry->node->name.text);
}

static bool
add_entry(kappa_validation_t *v, kappa_field_group_t *group,
    kappa_field_entry_t entry)
{
    if (group->count > 0 && is_known(group, &entry)) {
        return true;
    }
    if (group->count == group->cap) {
        uint32_t cap = group->cap ? group->cap * 2 : 2;
        kappa_field_entry_t *entries =
            KAPPA_NEW_ARRAY(v->arena, kappa_field_entry_t, cap);

        if (entries == NULL) {
            return fail(v);
        }
        if (group->count) {
            memcpy(entries, group->entries, group->count * sizeof(*entries));
        }
        group->entries = entries;
        group->cap = cap;
    }
    group->entries[group->count++] = entry;
    return true;
}

static bool
collect_field(kappa_validation_t *v, kappa_field_set_t *set,
    const kappa_type_t *parent, const kappa_selection_t *s)
{
    kappa_field_group_t *group =
        group_of(v, set, s->alias.text.data ? s->alias.text : s->name.text);
    kappa_field_entry_t entry = { .parent = parent,
        .node = s,
        .plain = s->arguments == NULL && s->selections == NULL };

    if (group == NULL) {
        return false;
    }
    if (parent != NULL
        && !kappa_str_eq(s->name.text, v->schema->meta_typename->name)) {
        entry.field = kappa_public_field(v, parent, s->name.text);
    }
    return add_entry(v, group, entry);
}

/* Each fragment once. */
static bool
collect_spread(
    kappa_validation_t *v, kappa_field_set_t *set, kappa_part_t *part)
{
    if (part == NULL || part->mark == v->marks) {
        return true;
    }
    part->mark = v->marks;
    if (set->spread_count == set->spread_cap) {
        uint32_t cap = set->spread_cap ? set->spread_cap * 2 : 4;
        kappa_part_t **spreads =
            KAPPA_NEW_ARRAY(v->arena, kappa_part_t *, cap);

        if (spreads == NULL) {
            return fail(v);
        }
        if (set->spread_count) {
            memcpy(
                spreads, set->spreads, set->spread_count * sizeof(*spreads));
        }
        set->spreads = spreads;
        set->spread_cap = cap;
    }
    set->spreads[set->spread_count++] = part;
    return true;
}

static bool
collect(kappa_validation_t *v, kappa_field_set_t *set,
    const kappa_type_t *parent, const kappa_selection_t *selections)
{
    bool well = true;

    for (const kappa_selection_t *s = selections; s != NULL && well;
         s = s->next) {
        if (s->kind == KAPPA_SELECTION_FIELD) {
            well = collect_field(v, set, parent, s);
        } else if (s->kind == KAPPA_SELECTION_SPREAD) {
            well = collect_spread(v, set, kappa_fragment(v, s->name.text));
        } else {
            well = collect(v, set,
                s->type_condition.text.data
                    ? kappa_public_type(v, s->type_condition.text)
                    : parent,
                s->selections);
        }
    }
    return well;
}

kappa_field_set_t *
kappa_field_set(kappa_validation_t *v, kappa_map_t *sets,
    const kappa_type_t *parent, const kappa_selection_t *selections)
{
    const void *pair[2] = { parent, selections };
    kappa_field_set_t *set =
        kappa_map_get(sets, kappa_str((const char *)pair, sizeof(pair)));

    if (set != NULL) {
        return set;
    }
    kappa_str_t key = kappa_pair_key(v, parent, selections);
    set = KAPPA_NEW(v->arena, kappa_field_set_t);
    if (set == NULL || key.data == NULL
        || kappa_map_put(sets, key, set) != KAPPA_OK) {
        fail(v);
        return NULL;
    }
    kappa_map_init(&set->groups, v->arena);
    v->marks++;
    return collect(v, set, parent, selections) ? set : NULL;
}
