#include "graphql/validate/field_sets.h"

/* 5.3.2 Field selection merging
 *
 * Every two fields of one response name that can meet in one object must be
 * the same: name, arguments, shape. Selection sets are collected once (their
 * own fields by response name, and the fragments that they spread), then
 * compared pair by pair; pairs of fragments, and of a set and a fragment, are
 * remembered, so that none is compared twice. What is left to grow faster than
 * the document is taken from kappa_validation_spend. */

#define DEPTH_MAX 1000
#define PLACES_MAX 20  /* of each side of one conflict */
#define REASON_MAX 300 /* bytes of a message about subfields */

typedef struct conflict_s {
    kappa_str_t name;
    kappa_str_t reason;
    uint32_t left[PLACES_MAX]; /* offsets of the fields of each side */
    uint32_t right[PLACES_MAX];
    uint32_t left_count;
    uint32_t right_count;
    struct conflict_s *next;
} conflict_t;

typedef struct {
    conflict_t *first;
    conflict_t **end;
} conflicts_t;

typedef struct {
    kappa_validation_t *v;
    kappa_map_t sets;     /* by (parent, selections) */
    kappa_map_t compared; /* pairs; the value says whether they were taken as
                             mutually exclusive */
    uint32_t depth;
} overlap_t;

static bool
fail(overlap_t *o)
{
    kappa_validation_fail(o->v, KAPPA_NOMEM);
    return false;
}

static kappa_field_set_t *
set_of(overlap_t *o, const kappa_type_t *parent,
    const kappa_selection_t *selections)
{
    return kappa_field_set(o->v, &o->sets, parent, selections);
}

static kappa_field_set_t *
set_of_fragment(overlap_t *o, const kappa_part_t *part)
{
    return set_of(o, part->type, part->definition->selections);
}

/* SameResponseShape, but for subfields. */
static bool
types_conflict(const kappa_type_ref_t *a, const kappa_type_ref_t *b)
{
    while (a->kind != KAPPA_REF_NAMED || b->kind != KAPPA_REF_NAMED) {
        if (a->kind == KAPPA_REF_LIST || b->kind == KAPPA_REF_LIST) {
            /* A list first, whatever the other: as graphql-js looks. */
            if (a->kind != b->kind) {
                return true;
            }
        } else if (a->kind != b->kind) {
            return true;
        }
        a = a->of;
        b = b->of;
    }
    return a->named != b->named
        && (kappa_type_is_leaf(a->named) || kappa_type_is_leaf(b->named));
}

/* --- conflicts */

static conflict_t *
new_conflict(overlap_t *o, kappa_str_t name, const kappa_field_entry_t *a,
    const kappa_field_entry_t *b, kappa_str_t reason)
{
    conflict_t *conflict = KAPPA_NEW(o->v->arena, conflict_t);

    if (conflict == NULL || reason.data == NULL) {
        fail(o);
        return NULL;
    }
    conflict->name = name;
    conflict->reason = reason;
    conflict->left[conflict->left_count++] = a->node->offset;
    conflict->right[conflict->right_count++] = b->node->offset;
    return conflict;
}

static void
add_conflict(conflicts_t *conflicts, conflict_t *conflict)
{
    if (conflict != NULL) {
        *conflicts->end = conflict;
        conflicts->end = &conflict->next;
    }
}

/* As many of the last places as there is room for. */
static void
take_places(uint32_t *to, uint32_t *count, const uint32_t *from, uint32_t n)
{
    uint32_t room = PLACES_MAX - *count, skip = n > room ? n - room : 0;

    for (uint32_t i = skip; i < n; i++) {
        to[(*count)++] = from[i];
    }
}

static conflict_t *
subfields_conflict(overlap_t *o, kappa_str_t name,
    const kappa_field_entry_t *a, const kappa_field_entry_t *b,
    const conflict_t *list)
{
    kappa_str_t reason = KAPPA_STR("");

    if (list == NULL || o->v->status != KAPPA_OK) {
        return NULL;
    }
    for (const conflict_t *c = list; c != NULL && reason.len < REASON_MAX;
         c = c->next) {
        reason = kappa_str_printf(o->v->arena,
            "%.*s%ssubfields \"%.*s\" conflict because %.*s",
            KAPPA_STR_ARG(reason), reason.len ? " and " : "",
            KAPPA_STR_ARG(c->name), KAPPA_STR_ARG(c->reason));
    }
    if (reason.len > 2 * REASON_MAX) {
        reason.len = 2 * REASON_MAX;
    }
    conflict_t *conflict = new_conflict(o, name, a, b, reason);
    for (const conflict_t *c = list; c != NULL && conflict; c = c->next) {
        take_places(
            conflict->left, &conflict->left_count, c->left, c->left_count);
        take_places(
            conflict->right, &conflict->right_count, c->right, c->right_count);
    }
    return conflict;
}

static conflict_t *compare_subfields(overlap_t *o, bool exclusive,
    kappa_str_t name, const kappa_field_entry_t *a,
    const kappa_field_entry_t *b);

static bool
is_object(const kappa_type_t *type)
{
    return type != NULL && type->kind == KAPPA_TYPE_OBJECT;
}

static conflict_t *
find_conflict(overlap_t *o, bool exclusive, kappa_str_t name,
    const kappa_field_entry_t *a, const kappa_field_entry_t *b)
{
    const kappa_selection_t *x = a->node, *y = b->node;
    kappa_arena_t *arena = o->v->arena;

    exclusive |=
        a->parent != b->parent && is_object(a->parent) && is_object(b->parent);
    if (!kappa_validation_spend(o->v, 1)) {
        return NULL;
    }
    if (!exclusive && !kappa_str_eq(x->name.text, y->name.text)) {
        return new_conflict(o, name, a, b,
            kappa_str_printf(arena,
                "\"%.*s\" and \"%.*s\" are different fields",
                KAPPA_STR_ARG(x->name.text), KAPPA_STR_ARG(y->name.text)));
    }
    if (!exclusive
        && !kappa_same_arguments(o->v, x->arguments, y->arguments)) {
        return o->v->status == KAPPA_OK ? new_conflict(
                   o, name, a, b, KAPPA_STR("they have differing arguments"))
                                        : NULL;
    }
    if (a->field != NULL && b->field != NULL
        && types_conflict(a->field->type, b->field->type)) {
        return new_conflict(o, name, a, b,
            kappa_str_printf(arena,
                "they return conflicting types \"%s\" and \"%s\"",
                kappa_errors_text(
                    o->v->errors, kappa_type_ref_print(arena, a->field->type)),
                kappa_errors_text(o->v->errors,
                    kappa_type_ref_print(arena, b->field->type))));
    }
    return x->selections != NULL && y->selections != NULL
        ? compare_subfields(o, exclusive, name, a, b)
        : NULL;
}

/* --- sets against sets */

static void
compare_groups(overlap_t *o, conflicts_t *out, bool exclusive,
    const kappa_field_group_t *a, const kappa_field_group_t *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        for (uint32_t k = 0; k < b->count && o->v->status == KAPPA_OK; k++) {
            add_conflict(out,
                find_conflict(
                    o, exclusive, a->name, &a->entries[i], &b->entries[k]));
        }
    }
}

static void
compare_sets(overlap_t *o, conflicts_t *out, bool exclusive,
    const kappa_field_set_t *a, const kappa_field_set_t *b)
{
    for (uint32_t i = 0; i < a->groups.count && b->groups.count > 0
         && kappa_validation_spend(o->v, 1);
         i++) {
        const kappa_field_group_t *x = a->groups.entries[i].value;
        const kappa_field_group_t *y = kappa_map_get(&b->groups, x->name);

        if (y != NULL) {
            compare_groups(o, out, exclusive, x, y);
        }
    }
}

/* Whether the pair was compared before under no weaker an assumption; notes
 * that it is now. */
static bool
was_compared(
    overlap_t *o, const void *a, const void *b, bool exclusive, bool ordered)
{
    static const char is_exclusive = 1, is_not = 0;
    const void *pair[2] = { a, b };

    if (!ordered && (uintptr_t)a > (uintptr_t)b) {
        pair[0] = b;
        pair[1] = a;
    }
    /* Remembering costs more than looking. */
    if (!kappa_validation_spend(o->v, 4)) {
        return true;
    }
    const char *before = kappa_map_get(
        &o->compared, kappa_str((const char *)pair, sizeof(pair)));
    if (before != NULL && (exclusive || before == &is_not)) {
        return true;
    }
    kappa_str_t key = kappa_pair_key(o->v, pair[0], pair[1]);
    if (key.data != NULL
        && kappa_map_put(&o->compared, key,
               (void *)(uintptr_t)(exclusive ? &is_exclusive : &is_not))
            != KAPPA_OK) {
        fail(o);
    }
    return false;
}

static bool
enter(overlap_t *o)
{
    if (++o->depth > DEPTH_MAX) {
        kappa_validation_spend(o->v, UINT32_MAX);
    }
    return kappa_validation_spend(o->v, 1);
}

/* The fields of a set against all that a fragment brings. */
static void
compare_fragment(overlap_t *o, conflicts_t *out, bool exclusive,
    kappa_field_set_t *set, kappa_part_t *part)
{
    if (set->groups.count == 0 || !enter(o)) {
        o->depth -= set->groups.count != 0;
        return;
    }
    if (!was_compared(o, set, part, exclusive, true)) {
        kappa_field_set_t *other = set_of_fragment(o, part);

        if (other != NULL && other != set) {
            compare_sets(o, out, exclusive, set, other);
            for (uint32_t i = 0;
                 i < other->spread_count && o->v->status == KAPPA_OK; i++) {
                compare_fragment(o, out, exclusive, set, other->spreads[i]);
            }
        }
    }
    o->depth--;
}

/* All that one fragment brings against all that another does. */
static void
compare_fragments(overlap_t *o, conflicts_t *out, bool exclusive,
    kappa_part_t *a, kappa_part_t *b)
{
    if (a == b) {
        return;
    }
    if (enter(o) && !was_compared(o, a, b, exclusive, false)) {
        kappa_field_set_t *x = set_of_fragment(o, a),
                          *y = set_of_fragment(o, b);

        if (x != NULL && y != NULL) {
            compare_sets(o, out, exclusive, x, y);
            for (uint32_t i = 0;
                 i < y->spread_count && o->v->status == KAPPA_OK; i++) {
                compare_fragments(o, out, exclusive, a, y->spreads[i]);
            }
            for (uint32_t i = 0;
                 i < x->spread_count && o->v->status == KAPPA_OK; i++) {
                compare_fragments(o, out, exclusive, x->spreads[i], b);
            }
        }
    }
    o->depth--;
}

static void
compare_spreads(overlap_t *o, conflicts_t *out, bool exclusive,
    kappa_field_set_t *a, kappa_field_set_t *b)
{
    for (uint32_t i = 0; i < b->spread_count; i++) {
        compare_fragment(o, out, exclusive, a, b->spreads[i]);
    }
    for (uint32_t i = 0; i < a->spread_count; i++) {
        compare_fragment(o, out, exclusive, b, a->spreads[i]);
    }
    for (uint32_t i = 0; i < a->spread_count; i++) {
        for (uint32_t k = 0; k < b->spread_count && o->v->status == KAPPA_OK;
             k++) {
            compare_fragments(o, out, exclusive, a->spreads[i], b->spreads[k]);
        }
    }
}

static const kappa_type_t *
type_of(const kappa_field_entry_t *entry)
{
    return entry->field ? entry->field->type->named : NULL;
}

static conflict_t *
compare_subfields(overlap_t *o, bool exclusive, kappa_str_t name,
    const kappa_field_entry_t *a, const kappa_field_entry_t *b)
{
    conflicts_t found = { NULL, &found.first };

    if (enter(o)) {
        kappa_field_set_t *x = set_of(o, type_of(a), a->node->selections);
        kappa_field_set_t *y = set_of(o, type_of(b), b->node->selections);

        if (x != NULL && y != NULL) {
            compare_sets(o, &found, exclusive, x, y);
            compare_spreads(o, &found, exclusive, x, y);
        }
    }
    o->depth--;
    return subfields_conflict(o, name, a, b, found.first);
}

/* The fields of one set among themselves. */
static void
compare_within(overlap_t *o, conflicts_t *out, const kappa_field_set_t *set)
{
    for (uint32_t g = 0; g < set->groups.count; g++) {
        const kappa_field_group_t *group = set->groups.entries[g].value;

        for (uint32_t i = 0; i < group->count; i++) {
            for (uint32_t k = i + 1;
                 k < group->count && o->v->status == KAPPA_OK; k++) {
                add_conflict(out,
                    find_conflict(o, false, group->name, &group->entries[i],
                        &group->entries[k]));
            }
        }
    }
}

static void
report(overlap_t *o, const conflict_t *c)
{
    for (; c != NULL && o->v->status == KAPPA_OK; c = c->next) {
        kappa_error_t *error = kappa_refuse(o->v, c->left[0],
            "Fields \"%.*s\" conflict because %.*s. Use different aliases on "
            "the fields to fetch both if this was intentional.",
            KAPPA_STR_ARG(c->name), KAPPA_STR_ARG(c->reason));

        for (uint32_t i = 1; i < c->left_count; i++) {
            kappa_refuse_also(o->v, error, c->left[i]);
        }
        for (uint32_t i = 0; i < c->right_count; i++) {
            kappa_refuse_also(o->v, error, c->right[i]);
        }
    }
}

static void
check_set(overlap_t *o, const kappa_type_t *parent,
    const kappa_selection_t *selections)
{
    conflicts_t found = { NULL, &found.first };
    kappa_field_set_t *set = set_of(o, parent, selections);

    if (set == NULL) {
        return;
    }
    compare_within(o, &found, set);
    for (uint32_t i = 0; i < set->spread_count; i++) {
        compare_fragment(o, &found, false, set, set->spreads[i]);
        for (uint32_t k = i + 1;
             k < set->spread_count && o->v->status == KAPPA_OK; k++) {
            compare_fragments(
                o, &found, false, set->spreads[i], set->spreads[k]);
        }
    }
    report(o, found.first);
}

static void walk_set(overlap_t *o, const kappa_type_t *parent,
    const kappa_selection_t *selections, bool whole);

static void
walk_selection(
    overlap_t *o, const kappa_type_t *parent, const kappa_selection_t *s)
{
    if (s->kind == KAPPA_SELECTION_FIELD) {
        const kappa_field_t *field =
            kappa_public_field(o->v, parent, s->name.text);

        walk_set(o, field ? field->type->named : NULL, s->selections, true);
    } else if (s->kind == KAPPA_SELECTION_INLINE) {
        walk_set(o,
            s->type_condition.text.data
                ? kappa_public_type(o->v, s->type_condition.text)
                : parent,
            s->selections, false);
    }
}

/* whole: not an inline fragment's, which is a part of the set around it. */
static void
walk_set(overlap_t *o, const kappa_type_t *parent,
    const kappa_selection_t *selections, bool whole)
{
    if (selections == NULL) {
        return;
    }
    if (parent != NULL && !kappa_type_is_composite(parent)) {
        parent = NULL;
    }
    if (whole
        && (selections->next != NULL
            || selections->kind == KAPPA_SELECTION_INLINE)) {
        check_set(o, parent, selections);
    }
    for (const kappa_selection_t *s = selections;
         s != NULL && o->v->status == KAPPA_OK; s = s->next) {
        walk_selection(o, parent, s);
    }
}

static void
check(kappa_validation_t *v)
{
    overlap_t o = { .v = v };

    kappa_map_init(&o.sets, v->arena);
    kappa_map_init(&o.compared, v->arena);
    for (uint32_t i = 0; i < v->part_count && v->status == KAPPA_OK; i++) {
        const kappa_part_t *part = &v->parts[i];

        walk_set(&o, part->type, part->definition->selections, true);
    }
}

const kappa_rule_t kappa_rule_overlapping_fields = {
    .info = { "OverlappingFieldsCanBeMerged", "5.3.2" },
    .end = check,
};
