#include "views/compare_private.h"

kappa_difference_t *
kappa_compare_add(kappa_compare_t *c, kappa_need_t need, kappa_str_t what,
    const char *how, ...)
{
    kappa_difference_t *difference = KAPPA_NEW(c->arena, kappa_difference_t);
    va_list args;

    if (difference == NULL) {
        c->no_memory = true;
        return NULL;
    }
    va_start(args, how);
    *difference = (kappa_difference_t){ .need = need,
        .what = what,
        .how = kappa_str_vprintf(c->arena, how, args) };
    va_end(args);
    c->no_memory |= difference->how.data == NULL || what.data == NULL;
    *c->last = difference;
    c->last = &difference->next;
    return difference;
}

static void
add_loss(kappa_compare_t *c, kappa_str_t what, const char *how)
{
    kappa_difference_t *difference =
        kappa_compare_add(c, KAPPA_NEED_BUILD, what, "%s", how);

    if (difference) {
        difference->loses = true;
    }
}

/* --- expressions */

/* A lookup of an interface or a union gives the first row of these. */
static bool
same_rows(const kappa_rows_t *a, const kappa_rows_t *b)
{
    bool same = a->count == b->count;

    for (uint32_t i = 0; i < a->count && same; i++) {
        same = kappa_str_eq(a->views[i]->name, b->views[i]->name);
    }
    return same;
}

/* Of expressions that are the same but for what their views stand for. */
static bool
same_lookups(const kappa_expr_t *a, const kappa_expr_t *b)
{
    const kappa_expr_reads_t *left = kappa_expr_reads(a);
    const kappa_expr_reads_t *right = kappa_expr_reads(b);
    bool same = left->view_count == right->view_count;

    for (uint32_t i = 0; i < left->view_count && same; i++) {
        same = same_rows(left->views[i]->handle, right->views[i]->handle);
    }
    return same;
}

bool
kappa_compare_expr(const kappa_expr_t *a, const kappa_expr_t *b)
{
    return a && b ? kappa_expr_same(a, b) && same_lookups(a, b) : a == b;
}

/* --- columns */

static const kappa_column_t *
find_column(const kappa_view_t *view, kappa_str_t name)
{
    for (uint32_t i = 0; i < view->column_count; i++) {
        if (kappa_str_eq(view->columns[i].name, name)) {
            return &view->columns[i];
        }
    }
    return NULL;
}

static bool
was_called(const kappa_column_t *column, kappa_str_t name)
{
    for (uint32_t i = 0; i < column->was_count; i++) {
        if (kappa_str_eq(column->was[i], name)) {
            return true;
        }
    }
    return false;
}

/* Under the name it has now. */
static const kappa_column_t *
find_renamed(const kappa_view_t *view, kappa_str_t name)
{
    for (uint32_t i = 0; i < view->column_count; i++) {
        if (was_called(&view->columns[i], name)) {
            return &view->columns[i];
        }
    }
    return NULL;
}

static kappa_str_t
column_name(kappa_compare_t *c, const kappa_view_t *view, kappa_str_t name)
{
    return kappa_str_printf(
        c->arena, "%.*s.%.*s", KAPPA_STR_ARG(view->name), KAPPA_STR_ARG(name));
}

/* Whether it is made of other rows, or of its own. */
static bool
is_derived(const kappa_view_t *view, const kappa_column_t *column)
{
    return view->group_of || column->aggregate || column->computed;
}

static bool
same_columns(const kappa_view_t *a, const uint32_t *ours, uint32_t count,
    const kappa_view_t *b, const uint32_t *theirs)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!kappa_str_eq(
                a->columns[ours[i]].name, b->columns[theirs[i]].name)) {
            return false;
        }
    }
    return true;
}

static bool
same_source(const kappa_aggregate_t *a, const kappa_aggregate_t *b)
{
    if (a->source_column < 0 || b->source_column < 0) {
        return a->source_column == b->source_column;
    }
    return kappa_str_eq(a->source->columns[a->source_column].name,
        b->source->columns[b->source_column].name);
}

static bool
same_aggregate(const kappa_aggregate_t *a, const kappa_aggregate_t *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    return a->kind == b->kind && kappa_str_eq(a->source->name, b->source->name)
        && a->by_count == b->by_count
        && same_columns(a->source, a->by, a->by_count, b->source, b->by)
        && same_source(a, b) && kappa_compare_expr(a->where, b->where);
}

static bool
same_was(const kappa_column_t *a, const kappa_column_t *b)
{
    if (a->was_count != b->was_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->was_count; i++) {
        if (!was_called(b, a->was[i])) {
            return false;
        }
    }
    return true;
}

static void
compare_column_type(kappa_compare_t *c, const kappa_view_t *view,
    const kappa_column_t *before, const kappa_column_t *after)
{
    kappa_lost_t lost;
    kappa_fit_t fit =
        kappa_compare_type(before->field->type, after->field->type, &lost);
    kappa_str_t name = column_name(c, view, after->name);

    if (before->kind != after->kind && fit != KAPPA_FIT_WRITTEN) {
        fit = KAPPA_FIT_OTHER;
    }
    if (fit == KAPPA_FIT_WIDER) {
        kappa_compare_add(
            c, KAPPA_NEED_IF_SKIPPED, name, "takes more values than before");
        return;
    }
    if (fit == KAPPA_FIT_RENAMED) {
        kappa_compare_add(c, KAPPA_NEED_BUILD, name,
            "has values that are called otherwise now");
        return;
    }
    if (fit == KAPPA_FIT_SAME) {
        return;
    }
    kappa_str_t from = kappa_type_ref_print(c->arena, before->field->type);
    kappa_str_t to = kappa_type_ref_print(c->arena, after->field->type);
    kappa_difference_t *difference = lost.value.data
        ? kappa_compare_add(c, KAPPA_NEED_BUILD, name,
            "%.*s has no value %.*s any more, nor a @was for it",
            KAPPA_STR_ARG(lost.type), KAPPA_STR_ARG(lost.value))
        : kappa_str_eq(from, to)
        ? kappa_compare_add(c, KAPPA_NEED_BUILD, name,
            "has other fields inside%s",
            fit == KAPPA_FIT_OTHER ? ": what does not fit is skipped" : "")
        : kappa_compare_add(c, KAPPA_NEED_BUILD, name,
            "was %.*s and is %.*s: what does not fit is skipped",
            KAPPA_STR_ARG(from), KAPPA_STR_ARG(to));
    if (difference) {
        difference->loses = !is_derived(view, after) && fit == KAPPA_FIT_OTHER;
    }
}

/* Null was a value until now: where an event leaves it, it is skipped. */
static void
compare_required(kappa_compare_t *c, const kappa_view_t *view,
    const kappa_column_t *before, const kappa_column_t *after)
{
    if (before->required == after->required || view->group_of
        || after->aggregate) {
        return;
    }
    kappa_str_t name = column_name(c, view, after->name);
    if (before->required) {
        kappa_compare_add(c, KAPPA_NEED_IF_SKIPPED, name, "may be null now");
    } else if (after->fallback) {
        kappa_compare_add(c, KAPPA_NEED_BUILD, name, "is non-null now");
    } else {
        add_loss(
            c, name, "is non-null now: events that leave it null are skipped");
    }
}

static void
compare_column(kappa_compare_t *c, const kappa_view_t *view,
    const kappa_column_t *before, const kappa_column_t *after)
{
    kappa_str_t name = column_name(c, view, after->name);

    compare_column_type(c, view, before, after);
    compare_required(c, view, before, after);
    if (!same_was(before, after)) {
        kappa_compare_add(c, KAPPA_NEED_BUILD, name, "has another @was");
    }
    if (!kappa_compare_expr(before->stamp, after->stamp)
        || before->stamp_always != after->stamp_always) {
        kappa_compare_add(c, KAPPA_NEED_BUILD, name, "has another @stamp");
    }
    if (!kappa_compare_expr(before->fallback, after->fallback)) {
        kappa_compare_add(c, KAPPA_NEED_BUILD, name, "has another @default");
    }
    if (!kappa_compare_expr(before->computed, after->computed)) {
        kappa_compare_add(c, KAPPA_NEED_BUILD, name, "has another @computed");
    }
    if (!same_aggregate(before->aggregate, after->aggregate)) {
        kappa_compare_add(c, KAPPA_NEED_BUILD, name, "aggregates otherwise");
    }
}

static void
compare_columns(
    kappa_compare_t *c, const kappa_view_t *before, const kappa_view_t *after)
{
    for (uint32_t i = 0; i < after->column_count; i++) {
        const kappa_column_t *now = &after->columns[i];
        const kappa_column_t *old = find_column(before, now->name);

        if (old) {
            compare_column(c, after, old, now);
        } else {
            kappa_compare_add(c, KAPPA_NEED_BUILD,
                column_name(c, after, now->name), "is new");
        }
    }
    for (uint32_t i = 0; i < before->column_count; i++) {
        const kappa_column_t *old = &before->columns[i];
        kappa_str_t name = column_name(c, before, old->name);

        if (find_column(after, old->name)) {
            continue;
        }
        if (is_derived(before, old) || find_renamed(after, old->name)) {
            kappa_compare_add(c, KAPPA_NEED_BUILD, name, "is gone");
        } else {
            add_loss(c, name, "is gone, though events fill it");
        }
    }
}

/* --- indexes */

static bool
same_index(const kappa_index_t *a, const kappa_index_t *b)
{
    return a->unique == b->unique && a->counted == b->counted
        && a->column_count == b->column_count
        && same_columns(
            a->view, a->columns, a->column_count, b->view, b->columns);
}

static bool
has_index(const kappa_view_t *view, const kappa_index_t *index)
{
    for (uint32_t i = 1; i < view->index_count; i++) {
        if (same_index(&view->indexes[i], index)) {
            return true;
        }
    }
    return false;
}

static kappa_str_t
index_name(kappa_compare_t *c, const kappa_index_t *index)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, kappa_arena_source(c->arena));
    kappa_buf_str(&buf, index->view->name);
    for (uint32_t i = 0; i < index->column_count; i++) {
        kappa_buf_printf(&buf, "%s%.*s", i ? ", " : " @index(",
            KAPPA_STR_ARG(index->view->columns[index->columns[i]].name));
    }
    KAPPA_BUF_LIT(&buf, ")");
    kappa_str_t name = buf.failed
        ? KAPPA_STR_NULL
        : kappa_str_dup(c->arena, kappa_buf_view(&buf));
    kappa_buf_release(&buf);
    return name;
}

static bool
indexes_column(const kappa_index_t *index, kappa_str_t name)
{
    for (uint32_t i = 0; i < index->column_count; i++) {
        if (kappa_str_eq(index->view->columns[index->columns[i]].name, name)) {
            return true;
        }
    }
    return false;
}

/* What is unique by some columns is so by more. */
static bool
within(const kappa_index_t *index, const kappa_index_t *other)
{
    for (uint32_t i = 0; i < index->column_count; i++) {
        if (!indexes_column(
                other, index->view->columns[index->columns[i]].name)) {
            return false;
        }
    }
    return true;
}

/* Whether rows that there were may have the same values in it. Those of a
 * column that is new are null, as a rule. */
static bool
may_refuse_rows(const kappa_view_t *before, const kappa_index_t *index)
{
    bool may = index->unique;

    for (uint32_t i = 0; i < index->column_count && may; i++) {
        may = find_column(before, index->view->columns[index->columns[i]].name)
            != NULL;
    }
    for (uint32_t i = 0; i < before->index_count && may; i++) {
        may =
            !before->indexes[i].unique || !within(&before->indexes[i], index);
    }
    return may;
}

static void
compare_index(
    kappa_compare_t *c, const kappa_view_t *before, const kappa_index_t *index)
{
    if (has_index(before, index)) {
        return;
    }
    if (may_refuse_rows(before, index)) {
        add_loss(c, index_name(c, index),
            "is unique now: events that give two rows the same values are "
            "skipped");
    } else {
        kappa_compare_add(c, KAPPA_NEED_BUILD, index_name(c, index), "is new");
    }
}

static void
compare_indexes(
    kappa_compare_t *c, const kappa_view_t *before, const kappa_view_t *after)
{
    for (uint32_t i = 1; i < after->index_count; i++) {
        compare_index(c, before, &after->indexes[i]);
    }
    for (uint32_t i = 1; i < before->index_count; i++) {
        if (!has_index(after, &before->indexes[i])) {
            kappa_compare_add(c, KAPPA_NEED_BUILD,
                index_name(c, &before->indexes[i]), "is gone");
        }
    }
    if (before->indexes[0].counted != after->indexes[0].counted) {
        kappa_compare_add(
            c, KAPPA_NEED_BUILD, after->name, "counts other lists");
    }
}

/* --- views */

static const kappa_view_t *
find_view(const kappa_model_t *model, kappa_str_t name)
{
    for (uint32_t i = 0; i < model->view_count; i++) {
        if (kappa_str_eq(model->views[i]->name, name)) {
            return model->views[i];
        }
    }
    return NULL;
}

static bool
same_group(const kappa_view_t *a, const kappa_view_t *b)
{
    if (a->group_of == NULL || b->group_of == NULL) {
        return a->group_of == b->group_of;
    }
    return kappa_str_eq(a->group_of->name, b->group_of->name)
        && a->key_count == b->key_count
        && same_columns(
            a->group_of, a->group_by, a->key_count, b->group_of, b->group_by);
}

static void
compare_keep(
    kappa_compare_t *c, const kappa_view_t *before, const kappa_view_t *after)
{
    if (before->keep_ms == after->keep_ms) {
        return;
    }
    if (after->keep_ms
        && (before->keep_ms == 0 || after->keep_ms < before->keep_ms)) {
        add_loss(c, after->name, "keeps its rows for a shorter time");
    } else {
        kappa_compare_add(c, KAPPA_NEED_BUILD, after->name,
            "keeps its rows for a longer time");
    }
}

static void
compare_view(
    kappa_compare_t *c, const kappa_view_t *before, const kappa_view_t *after)
{
    if (before->key_count != after->key_count
        || !same_columns(
            before, before->key, before->key_count, after, after->key)) {
        add_loss(c, after->name,
            "has another key: events that do not name it are skipped");
    }
    if (!kappa_str_eq(before->was, after->was)) {
        kappa_compare_add(
            c, KAPPA_NEED_BUILD, after->name, "has another @was");
    }
    if (!same_group(before, after)) {
        kappa_compare_add(
            c, KAPPA_NEED_BUILD, after->name, "groups otherwise");
    }
    compare_keep(c, before, after);
    compare_columns(c, before, after);
    compare_indexes(c, before, after);
}

/* By its older name, under another one now. */
static bool
is_renamed(const kappa_model_t *model, kappa_str_t name)
{
    for (uint32_t i = 0; i < model->view_count; i++) {
        if (model->views[i]->was.data
            && kappa_str_eq(model->views[i]->was, name)) {
            return true;
        }
    }
    return false;
}

/* Only its own events give it rows: what other events do to it is a rule of
 * theirs. */
static void
add_view(kappa_compare_t *c, const kappa_view_t *view)
{
    bool fed = view->group_of || view->kept_count || view->was.data;
    kappa_difference_t *difference =
        kappa_compare_add(c, fed ? KAPPA_NEED_BUILD : KAPPA_NEED_IF_SEEN,
            view->name, "is a new view");

    if (difference) {
        difference->thing = view->name;
    }
}

static void
compare_views(kappa_compare_t *c)
{
    for (uint32_t i = 0; i < c->after->view_count; i++) {
        const kappa_view_t *now = c->after->views[i];
        const kappa_view_t *old = find_view(c->before, now->name);

        if (old) {
            compare_view(c, old, now);
        } else {
            add_view(c, now);
        }
    }
    for (uint32_t i = 0; i < c->before->view_count; i++) {
        const kappa_view_t *old = c->before->views[i];

        if (find_view(c->after, old->name)) {
            continue;
        }
        if (old->group_of || is_renamed(c->after, old->name)) {
            kappa_compare_add(
                c, KAPPA_NEED_BUILD, old->name, "is no view any more");
        } else {
            add_loss(
                c, old->name, "is no view any more, though events fill it");
        }
    }
}

kappa_status_t
kappa_model_compare(kappa_arena_t *arena, const kappa_model_t *before,
    const kappa_model_t *after, kappa_difference_t **out)
{
    kappa_compare_t c = { .arena = arena, .before = before, .after = after };

    c.last = &c.first;
    compare_views(&c);
    kappa_compare_rules(&c);
    *out = c.first;
    return c.no_memory ? KAPPA_NOMEM : KAPPA_OK;
}
