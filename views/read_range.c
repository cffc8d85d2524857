#include "views/read_private.h"

#include <stdlib.h>

/* From a list's arguments to the index entries it is about. */

#define IN_MAX 100
#define INT64_BOUND 9223372036854775808.0

typedef struct {
    kappa_read_t *read;
    const kappa_list_t *list;
    const kappa_field_t *field;
    const kappa_row_t *parent;
    const kappa_value_t *args;
    kappa_arena_t *arena;
    kappa_range_entries_t *range;
    kappa_errors_t *errors;
    kappa_value_t rule_value; /* of choice->rule */
} work_t;

static bool
given(const work_t *w, uint32_t arg)
{
    return !kappa_is_null(&w->args[arg]);
}

/* ---- the choice ---- */

static uint32_t
order_slot(const work_t *w)
{
    for (uint32_t i = 0; i < w->list->arg_count; i++) {
        if (w->list->args[i].role == KAPPA_ARG_ORDER_BY && given(w, i)) {
            const kappa_type_t *type = w->field->args[i].type->named;
            const kappa_enum_value_t *value =
                kappa_map_get(&type->value_map, w->args[i].as.string);

            return value ? (uint32_t)(value - type->values) + 1 : 0;
        }
    }
    return 0;
}

static const kappa_choice_t *
choose(const work_t *w)
{
    const kappa_list_t *list = w->list;
    uint32_t bits = 0;

    for (uint32_t i = 0; i < list->optional_count; i++) {
        bits |= (uint32_t)given(w, list->optional[i]) << i;
    }
    return &list->choices[bits * list->order_count + order_slot(w)];
}

/* ---- equalities ---- */

static void
add_parent(const work_t *w, uint32_t i, kappa_key_t *key)
{
    const kappa_view_t *view = w->parent->view;
    const kappa_column_t *column = &view->columns[w->list->by_parent[i]];

    kappa_key_add_json(
        key, column->kind, kappa_row_column(w->parent->data, column->number));
}

static void
add_equality(const work_t *w, uint32_t column, kappa_key_t *key)
{
    const kappa_choice_t *choice = w->range->choice;

    if (choice->rule && choice->rule_column == column) {
        kappa_key_add_value(
            key, w->list->view->columns[column].kind, &w->rule_value);
        return;
    }
    for (uint32_t i = 0; i < w->list->by_count; i++) {
        if ((uint32_t)w->list->by[i] == column) {
            add_parent(w, i, key);
            return;
        }
    }
    for (uint32_t i = 0; i < w->list->arg_count; i++) {
        if (w->list->args[i].role == KAPPA_ARG_EQUAL
            && w->list->args[i].column == column) {
            kappa_key_add_value(
                key, w->list->view->columns[column].kind, &w->args[i]);
            return;
        }
    }
}

/* The index's prefix and the equalities. */
static void
build_prefix(const work_t *w, kappa_key_t *key)
{
    const kappa_choice_t *choice = w->range->choice;

    kappa_key_init(key);
    kappa_key_index_prefix(key, choice->index);
    for (uint32_t i = 0; i < choice->equalities; i++) {
        add_equality(w, (uint32_t)kappa_index_column(choice->index, i), key);
    }
}

/* ---- bounds ---- */

/* Parts of entries a column's value must lie between: [low, high). low of a
 * range is past null; high of len 0 has no bound. */
typedef struct {
    kappa_key_t low;
    kappa_key_t high;
    bool any; /* some bound was given */
} bounds_t;

static void
raise_low(bounds_t *bounds, const kappa_key_t *key)
{
    if (kappa_str_cmp(kappa_key_str(key), kappa_key_str(&bounds->low)) > 0) {
        bounds->low = *key;
    }
}

static void
lower_high(bounds_t *bounds, const kappa_key_t *key)
{
    if (!bounds->high.len
        || kappa_str_cmp(kappa_key_str(key), kappa_key_str(&bounds->high))
            < 0) {
        bounds->high = *key;
    }
}

static void
bound(bounds_t *bounds, kappa_arg_role_t role, kappa_column_kind_t kind,
    const kappa_value_t *value)
{
    kappa_key_t key;

    kappa_key_init(&key);
    kappa_key_add_start(&key, kind, value);
    if (key.over) {
        key.over = false; /* it is equal to none, but has its place */
    } else if (role == KAPPA_ARG_GT || role == KAPPA_ARG_LTE) {
        kappa_key_end(&key);
    }
    if (role == KAPPA_ARG_GT || role == KAPPA_ARG_GTE) {
        raise_low(bounds, &key);
    } else {
        lower_high(bounds, &key);
    }
    bounds->any = true;
}

static bool
is_bound(kappa_arg_role_t role)
{
    return role == KAPPA_ARG_GT || role == KAPPA_ARG_GTE
        || role == KAPPA_ARG_LT || role == KAPPA_ARG_LTE;
}

/* Nulls are neither less nor greater than anything. */
static void
find_bounds(const work_t *w, uint32_t column, bounds_t *bounds)
{
    kappa_column_kind_t kind = w->list->view->columns[column].kind;

    bounds->any = false;
    kappa_key_init(&bounds->low);
    kappa_key_init(&bounds->high);
    kappa_key_add_raw(&bounds->low, KAPPA_STR("\x01"));
    for (uint32_t i = 0; i < w->list->arg_count; i++) {
        const kappa_list_arg_t *arg = &w->list->args[i];

        if (is_bound(arg->role) && arg->column == column && given(w, i)) {
            bound(bounds, arg->role, kind, &w->args[i]);
        }
    }
}

static bool
within(const bounds_t *bounds, const kappa_key_t *part)
{
    kappa_str_t s = kappa_key_str(part);

    return !bounds->any
        || (kappa_str_cmp(s, kappa_key_str(&bounds->low)) >= 0
            && (!bounds->high.len
                || kappa_str_cmp(s, kappa_key_str(&bounds->high)) < 0));
}

/* ---- segments ---- */

static kappa_status_t
add_segment(work_t *w, const kappa_key_t *low, const kappa_key_t *high)
{
    kappa_segment_t *segment = &w->range->segments[w->range->count];

    if (low->over || high->over || low->invalid || high->invalid) {
        return KAPPA_OK; /* nothing can be there */
    }
    segment->low = kappa_str_dup(w->arena, kappa_key_str(low));
    segment->high = kappa_str_dup(w->arena, kappa_key_str(high));
    if (!segment->low.data || !segment->high.data) {
        return KAPPA_NOMEM;
    }
    if (kappa_str_cmp(segment->low, segment->high) < 0) {
        w->range->count++;
    }
    return KAPPA_OK;
}

/* All entries with the prefix and, behind it, the bytes of part. */
static kappa_status_t
add_equal(work_t *w, const kappa_key_t *prefix, kappa_str_t part)
{
    kappa_key_t low = *prefix, high;

    kappa_key_add_raw(&low, part);
    high = low;
    kappa_key_end(&high);
    return add_segment(w, &low, &high);
}

static kappa_status_t
add_bounds(work_t *w, const kappa_key_t *prefix, const bounds_t *bounds)
{
    kappa_key_t low = *prefix, high = *prefix;

    kappa_key_add_cut(&low, kappa_key_str(&bounds->low));
    if (bounds->high.len) {
        kappa_key_add_cut(&high, kappa_key_str(&bounds->high));
    } else {
        kappa_key_end(&high);
    }
    return add_segment(w, &low, &high);
}

static int
compare(const void *a, const void *b)
{
    return kappa_str_cmp(*(const kappa_str_t *)a, *(const kappa_str_t *)b);
}

/* The parts of _in's values within the bounds, sorted. */
static kappa_status_t
in_parts(work_t *w, uint32_t column, const kappa_value_t *list,
    const bounds_t *bounds, kappa_str_t *parts, uint32_t *count)
{
    kappa_column_kind_t kind = w->list->view->columns[column].kind;

    *count = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        kappa_key_t key;

        kappa_key_init(&key);
        kappa_key_add_value(&key, kind, &list->as.items[i]);
        if (key.over || key.invalid || !within(bounds, &key)) {
            continue;
        }
        parts[*count] = kappa_str_dup(w->arena, kappa_key_str(&key));
        if (!parts[*count].data) {
            return KAPPA_NOMEM;
        }
        (*count)++;
    }
    qsort(parts, *count, sizeof(*parts), compare);
    return KAPPA_OK;
}

static kappa_status_t
add_in(work_t *w, uint32_t column, const kappa_key_t *prefix,
    const kappa_value_t *list, const bounds_t *bounds)
{
    kappa_str_t *parts = KAPPA_NEW_ARRAY(w->arena, kappa_str_t, list->count);
    uint32_t count;

    w->range->segments =
        KAPPA_NEW_ARRAY(w->arena, kappa_segment_t, list->count);
    if (!parts || !w->range->segments) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = in_parts(w, column, list, bounds, parts, &count);
    for (uint32_t i = 0; status == KAPPA_OK && i < count; i++) {
        if (i == 0 || !kappa_str_eq(parts[i], parts[i - 1])) {
            status = add_equal(w, prefix, parts[i]);
        }
    }
    return status;
}

static const kappa_value_t *
in_list(const work_t *w, uint32_t column)
{
    for (uint32_t i = 0; i < w->list->arg_count; i++) {
        if (w->list->args[i].role == KAPPA_ARG_IN
            && w->list->args[i].column == column && given(w, i)) {
            return &w->args[i];
        }
    }
    return NULL;
}

/* A column that is fixed and has a range, too: the value must be in it. */
static bool
equal_within(const work_t *w, uint32_t column)
{
    const kappa_value_t *in = in_list(w, column);
    bounds_t bounds;
    kappa_key_t part, item;
    bool found = in == NULL;

    find_bounds(w, column, &bounds);
    if (!in && !bounds.any) {
        return true;
    }
    kappa_key_init(&part);
    add_equality(w, column, &part);
    for (uint32_t i = 0; in && i < in->count; i++) {
        kappa_key_init(&item);
        kappa_key_add_value(
            &item, w->list->view->columns[column].kind, &in->as.items[i]);
        found |= kappa_str_eq(kappa_key_str(&item), kappa_key_str(&part));
    }
    return found && within(&bounds, &part);
}

static bool
equalities_within(const work_t *w)
{
    const kappa_choice_t *choice = w->range->choice;

    for (uint32_t i = 0; i < choice->equalities; i++) {
        if (!equal_within(w, (uint32_t)kappa_index_column(choice->index, i))) {
            return false;
        }
    }
    return true;
}

static kappa_status_t
check_in(const work_t *w)
{
    for (uint32_t i = 0; i < w->list->arg_count; i++) {
        if (w->list->args[i].role == KAPPA_ARG_IN && given(w, i)
            && w->args[i].count > IN_MAX) {
            kappa_errors_add(w->errors, "LIMIT_EXCEEDED",
                "Argument \"%.*s\" takes at most %d values.",
                KAPPA_STR_ARG(w->field->args[i].name), IN_MAX);
            return KAPPA_INVALID;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
all_segments(work_t *w, const kappa_key_t *prefix)
{
    const kappa_choice_t *choice = w->range->choice;
    bounds_t bounds;

    w->range->segments = KAPPA_NEW(w->arena, kappa_segment_t);
    if (!w->range->segments) {
        return KAPPA_NOMEM;
    }
    if (prefix->over || prefix->invalid || !equalities_within(w)) {
        return KAPPA_OK;
    }
    if (!choice->ranged) {
        return add_equal(w, prefix, KAPPA_STR(""));
    }
    uint32_t column =
        (uint32_t)kappa_index_column(choice->index, choice->equalities);
    const kappa_value_t *in = in_list(w, column);
    find_bounds(w, column, &bounds);
    return in ? add_in(w, column, prefix, in, &bounds)
              : add_bounds(w, prefix, &bounds);
}

/* A claim is JSON, which has one kind of number: 5.0 is equal to 5. */
static void
as_integer(kappa_value_t *v)
{
    double number = v->as.number;

    if (v->kind == KAPPA_DOUBLE && number >= -INT64_BOUND
        && number < INT64_BOUND && (double)(int64_t)number == number) {
        *v = kappa_int((int64_t)number);
    }
}

/* What the row rule wants of one column, for this caller. */
static kappa_status_t
rule_value(work_t *w)
{
    const kappa_choice_t *choice = w->range->choice;
    kappa_scope_t scope = kappa_read_scope(w->read);

    if (!choice->rule) {
        return KAPPA_OK;
    }
    kappa_status_t status =
        kappa_scope_eval(&scope, choice->rule, w->arena, &w->rule_value, NULL);
    if (status == KAPPA_INVALID) {
        w->rule_value = kappa_null();
        return KAPPA_OK;
    }
    kappa_column_kind_t kind =
        w->list->view->columns[choice->rule_column].kind;
    if (status == KAPPA_OK
        && (kind == KAPPA_COLUMN_INT || kind == KAPPA_COLUMN_BIGINT)) {
        as_integer(&w->rule_value);
    }
    return kappa_read_status(status);
}

kappa_status_t
kappa_read_range(kappa_read_t *read, const kappa_list_t *list,
    const kappa_field_t *field, const kappa_row_t *parent,
    const kappa_value_t *args, kappa_arena_t *arena,
    kappa_range_entries_t *range, kappa_errors_t *errors)
{
    work_t w = { .read = read,
        .list = list,
        .field = field,
        .parent = parent,
        .args = args,
        .arena = arena,
        .range = range,
        .errors = errors };
    kappa_key_t prefix;

    *range = (kappa_range_entries_t){ .list = list };
    range->choice = choose(&w);
    kappa_status_t status = check_in(&w);
    if (status == KAPPA_OK) {
        status = rule_value(&w);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    build_prefix(&w, &prefix);
    range->prefix = kappa_str_dup(arena, kappa_key_str(&prefix));
    return range->prefix.data ? all_segments(&w, &prefix) : KAPPA_NOMEM;
}
