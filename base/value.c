#include "base/value.h"

#include "base/map.h"

#define DEPTH_MAX 256

const kappa_value_t *
kappa_value_member(const kappa_value_t *object, kappa_str_t name)
{
    if (object->kind != KAPPA_OBJECT) {
        return NULL;
    }
    for (uint32_t i = 0; i < object->count; i++) {
        if (kappa_str_eq(object->as.members[i].name, name)) {
            return &object->as.members[i].value;
        }
    }
    return NULL;
}

static bool value_eq(
    const kappa_value_t *a, const kappa_value_t *b, unsigned depth);

static bool
list_eq(const kappa_value_t *a, const kappa_value_t *b, unsigned depth)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if (!value_eq(&a->as.items[i], &b->as.items[i], depth)) {
            return false;
        }
    }
    return true;
}

/* Members in another order are found by a search up to this number, and by a
 * map past it: a client's objects must not cost the square of their size. */
#define SEARCHED_MAX 32

static bool
same_members(const kappa_value_t *a, const kappa_value_t *b,
    const kappa_map_t *map, unsigned depth)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const kappa_member_t *member = &a->as.members[i];
        const kappa_value_t *other = &b->as.members[i].value;

        if (!kappa_str_eq(b->as.members[i].name, member->name)) {
            other = map ? kappa_map_get(map, member->name)
                        : kappa_value_member(b, member->name);
        }
        if (other == NULL || !value_eq(&member->value, other, depth)) {
            return false;
        }
    }
    return true;
}

static bool
same_order(const kappa_value_t *a, const kappa_value_t *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if (!kappa_str_eq(a->as.members[i].name, b->as.members[i].name)) {
            return false;
        }
    }
    return true;
}

static bool
map_members(kappa_map_t *map, const kappa_value_t *object)
{
    for (uint32_t i = 0; i < object->count; i++) {
        const kappa_member_t *member = &object->as.members[i];

        if (kappa_map_put(map, member->name, (void *)(uintptr_t)&member->value)
            != KAPPA_OK) {
            return false;
        }
    }
    return true;
}

/* Names are unique in both and their numbers equal, so a's members found in b
 * are all of b's. Without memory for the map the search does as well. */
static bool
object_eq(const kappa_value_t *a, const kappa_value_t *b, unsigned depth)
{
    kappa_map_t map;

    if (a->count <= SEARCHED_MAX || same_order(a, b)) {
        return same_members(a, b, NULL, depth);
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_map_init(&map, arena);
    bool mapped = arena != NULL && map_members(&map, b);
    bool same = same_members(a, b, mapped ? &map : NULL, depth);
    kappa_arena_destroy(arena);
    return same;
}

static bool
is_integer(kappa_kind_t kind)
{
    return kind == KAPPA_INT || kind == KAPPA_BIGINT;
}

static bool
value_eq(const kappa_value_t *a, const kappa_value_t *b, unsigned depth)
{
    if (a->kind != b->kind && !(is_integer(a->kind) && is_integer(b->kind))) {
        return false;
    }
    switch (a->kind) {
    case KAPPA_UNSET:
    case KAPPA_NULL:
        return true;
    case KAPPA_BOOL:
        return a->as.boolean == b->as.boolean;
    case KAPPA_INT:
    case KAPPA_BIGINT:
    case KAPPA_TIME:
        return a->as.integer == b->as.integer;
    case KAPPA_DOUBLE:
        return a->as.number == b->as.number;
    case KAPPA_STRING:
        return kappa_str_eq(a->as.string, b->as.string);
    case KAPPA_LIST:
        return a->count == b->count && depth < DEPTH_MAX
            && list_eq(a, b, depth + 1);
    case KAPPA_OBJECT:
        return a->count == b->count && depth < DEPTH_MAX
            && object_eq(a, b, depth + 1);
    case KAPPA_ROW:
        return a->as.row == b->as.row;
    }
    return false;
}

bool
kappa_value_eq(const kappa_value_t *a, const kappa_value_t *b)
{
    return value_eq(a, b, 0);
}

static kappa_status_t value_dup(kappa_arena_t *arena, const kappa_value_t *v,
    kappa_value_t *out, unsigned depth);

static kappa_status_t
list_dup(kappa_arena_t *arena, const kappa_value_t *v, kappa_value_t *out,
    unsigned depth)
{
    kappa_value_t *items = KAPPA_NEW_ARRAY(arena, kappa_value_t, v->count);

    if (items == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < v->count; i++) {
        kappa_status_t status =
            value_dup(arena, &v->as.items[i], &items[i], depth);

        if (status != KAPPA_OK) {
            return status;
        }
    }
    out->as.items = items;
    return KAPPA_OK;
}

static kappa_status_t
object_dup(kappa_arena_t *arena, const kappa_value_t *v, kappa_value_t *out,
    unsigned depth)
{
    kappa_member_t *members = KAPPA_NEW_ARRAY(arena, kappa_member_t, v->count);

    if (members == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < v->count; i++) {
        const kappa_member_t *from = &v->as.members[i];

        members[i].name = kappa_str_dup(arena, from->name);
        if (members[i].name.data == NULL) {
            return KAPPA_NOMEM;
        }
        kappa_status_t status =
            value_dup(arena, &from->value, &members[i].value, depth);
        if (status != KAPPA_OK) {
            return status;
        }
    }
    out->as.members = members;
    return KAPPA_OK;
}

static kappa_status_t
value_dup(kappa_arena_t *arena, const kappa_value_t *v, kappa_value_t *out,
    unsigned depth)
{
    if (depth == DEPTH_MAX) {
        return KAPPA_LIMIT;
    }
    *out = *v;
    if (v->kind == KAPPA_LIST) {
        return list_dup(arena, v, out, depth + 1);
    }
    if (v->kind == KAPPA_OBJECT) {
        return object_dup(arena, v, out, depth + 1);
    }
    if (v->kind == KAPPA_STRING) {
        out->as.string = kappa_str_dup(arena, v->as.string);
        return out->as.string.data ? KAPPA_OK : KAPPA_NOMEM;
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_value_dup(
    kappa_arena_t *arena, const kappa_value_t *v, kappa_value_t *out)
{
    kappa_value_t copy;
    kappa_status_t status = value_dup(arena, v, &copy, 0);

    if (status == KAPPA_OK) {
        *out = copy;
    }
    return status;
}
