#include "views/model_list.h"

/* Which index serves each combination of filters that may be there. What none
 * serves is refused, so no schema that loads has a slow query. */

/* One combination: what filters, and by what to order. */
typedef struct {
    uint32_t equal[KAPPA_LIST_ARGS_MAX + 33];
    uint32_t equal_count;
    int32_t ranged;
    int32_t second_range; /* one too many; -1 */
    const kappa_list_order_t *order;
} combination_t;

static bool
is_equal(const combination_t *c, uint32_t column)
{
    for (uint32_t i = 0; i < c->equal_count; i++) {
        if (c->equal[i] == column) {
            return true;
        }
    }
    return false;
}

static void
combine(const kappa_list_work_t *w, uint64_t present,
    const kappa_list_order_t *order, combination_t *c)
{
    const kappa_list_t *list = w->list;

    c->equal_count = 0;
    c->ranged = c->second_range = -1;
    c->order = order;
    for (uint32_t i = 0; i < list->by_count; i++) {
        c->equal[c->equal_count++] = (uint32_t)list->by[i];
    }
    for (uint32_t i = 0; i < list->arg_count; i++) {
        if (present >> i & 1 && list->args[i].role == KAPPA_ARG_EQUAL) {
            c->equal[c->equal_count++] = list->args[i].column;
        }
    }
    for (uint32_t i = 0; i < list->arg_count; i++) {
        uint32_t column = list->args[i].column;

        if (!(present >> i & 1) || list->args[i].role == KAPPA_ARG_EQUAL
            || is_equal(c, column)) {
            continue;
        }
        if (c->ranged < 0) {
            c->ranged = (int32_t)column;
        } else if (c->ranged != (int32_t)column) {
            c->second_range = (int32_t)column;
        }
    }
    if (order && is_equal(c, order->column)) {
        c->order = NULL; /* all the same: no order to ask for */
    }
}

/* How an index goes on behind the equalities: what its rows are sorted by. */
typedef struct {
    const kappa_index_t *index;
    uint32_t skip;
} tail_t;

/* A field of the key that is an index's own, too, is in its entries twice. */
static bool
is_first(const kappa_index_t *index, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (kappa_index_column(index, i) == kappa_index_column(index, n)) {
            return false;
        }
    }
    return true;
}

/* Past the first fields, which are the equalities, each of them; false: they
 * are not. */
static bool
skip_equalities(tail_t *tail, const combination_t *c)
{
    uint32_t found = 0;

    for (tail->skip = 0; found < c->equal_count; tail->skip++) {
        int32_t column = kappa_index_column(tail->index, tail->skip);

        if (column < 0 || !is_equal(c, (uint32_t)column)) {
            return false;
        }
        found += is_first(tail->index, tail->skip);
    }
    return true;
}

/* Whether the index has the equalities first, and the range or the order
 * next. */
static bool
serves(tail_t *tail, const combination_t *c)
{
    if (!skip_equalities(tail, c)) {
        return false;
    }
    if (c->ranged < 0 && !c->order) {
        return true;
    }
    int32_t next = kappa_index_column(tail->index, tail->skip);
    while (next >= 0 && is_equal(c, (uint32_t)next)) {
        next = kappa_index_column(tail->index, ++tail->skip);
    }
    return next >= 0 && (c->ranged < 0 || next == c->ranged)
        && (!c->order || next == (int32_t)c->order->column);
}

/* Whether both go on with the same bytes, so that their entries compare. */
static bool
same_tail(const tail_t *x, const tail_t *y)
{
    for (uint32_t i = 0;; i++) {
        int32_t a = kappa_index_column(x->index, x->skip + i);
        int32_t b = kappa_index_column(y->index, y->skip + i);

        if (a < 0 || b < 0) {
            return a < 0 && b < 0;
        }
        const kappa_column_t *mine = &x->index->view->columns[a];
        const kappa_column_t *other = &y->index->view->columns[b];
        if (!kappa_str_eq(mine->name, other->name)
            || !kappa_model_ref_same(mine->field->type, other->field->type)) {
            return false;
        }
    }
}

/* Where an order is asked for, rather an index that ends with it, so that the
 * key breaks ties. */
static bool
ends_with_order(const tail_t *tail, const combination_t *c)
{
    return !c->order || tail->index->column_count <= tail->skip + 1;
}

/* The first that serves, and goes on like `like` (NULL: however). */
static bool
choose(const kappa_view_t *view, const combination_t *c, const tail_t *like,
    tail_t *found)
{
    found->index = NULL;
    for (uint32_t i = 0; c->second_range < 0 && i < view->index_count; i++) {
        tail_t tail = { .index = &view->indexes[i] };

        if (!serves(&tail, c) || (like && !same_tail(&tail, like))) {
            continue;
        }
        if (ends_with_order(&tail, c)) {
            *found = tail;
            return true;
        }
        *found = found->index ? *found : tail;
    }
    return found->index != NULL;
}

/* The columns by which an index goes on behind `skip` fields, without those
 * that are fixed. */
static uint32_t
order_of(
    const tail_t *tail, const combination_t *c, uint32_t *out, uint32_t max)
{
    uint32_t count = 0;
    int32_t column;

    for (uint32_t i = tail->skip;
         count < max && (column = kappa_index_column(tail->index, i)) >= 0;
         i++) {
        bool seen = is_equal(c, (uint32_t)column);

        for (uint32_t n = 0; n < count; n++) {
            seen |= out[n] == (uint32_t)column;
        }
        if (!seen) {
            out[count++] = (uint32_t)column;
        }
    }
    return count;
}

/* Whether the other index gives its rows in the same order. */
static bool
same_order(const tail_t *a, const tail_t *b, const combination_t *c)
{
    uint32_t of_a[KAPPA_LIST_ARGS_MAX], of_b[KAPPA_LIST_ARGS_MAX];
    uint32_t n = order_of(a, c, of_a, KAPPA_LIST_ARGS_MAX);

    return n == order_of(b, c, of_b, KAPPA_LIST_ARGS_MAX)
        && memcmp(of_a, of_b, n * sizeof(*of_a)) == 0;
}

/* An equality with auth in the row rule narrows the list, if an index has it
 * and leaves the order as it is. */
static void
use_rule(const kappa_list_work_t *w, const combination_t *c,
    const tail_t *like, kappa_choice_t *choice)
{
    const kappa_view_t *view = w->list->view;
    const kappa_expr_reads_t *reads =
        view->allow ? kappa_expr_reads(view->allow) : NULL;

    for (uint32_t i = 0; reads && i < reads->equality_count; i++) {
        const kappa_expr_equality_t *equality = &reads->equalities[i];
        combination_t narrow = *c;

        if (is_equal(c, equality->column)
            || c->ranged == (int32_t)equality->column
            || view->columns[equality->column].kind == KAPPA_COLUMN_JSON
            || (c->order && c->order->column == equality->column)) {
            continue;
        }
        narrow.equal[narrow.equal_count++] = equality->column;
        tail_t mine = { choice->index, choice->equalities }, tail;
        if (choose(view, &narrow, like, &tail)
            && same_order(&mine, &tail, &narrow)) {
            choice->index = tail.index;
            choice->equalities = tail.skip;
            choice->rule = equality->auth->expr;
            choice->rule_column = equality->column;
            return;
        }
    }
}

static void
print_column(kappa_buf_t *buf, const kappa_view_t *view, uint32_t column)
{
    kappa_buf_printf(buf, "%s\"%.*s\"", buf->len ? ", " : "",
        KAPPA_STR_ARG(view->columns[column].name));
}

static kappa_status_t
refuse_combination(
    kappa_list_work_t *w, const combination_t *c, const char *order)
{
    const kappa_view_t *view = w->list->view;
    int32_t next = c->ranged;
    kappa_buf_t fields;
    kappa_status_t status;

    if (next < 0 && c->order) {
        next = (int32_t)c->order->column;
    }
    if (c->second_range >= 0) {
        return kappa_model_list_refuse(w, NULL,
            "\"%.*s\" and \"%.*s\" can't both be ranges: an index serves "
            "equalities and one range behind them.",
            KAPPA_STR_ARG(view->columns[c->ranged].name),
            KAPPA_STR_ARG(view->columns[c->second_range].name));
    }
    if (c->ranged >= 0 && c->order && (int32_t)c->order->column != c->ranged) {
        return kappa_model_list_refuse(w, NULL,
            "a range on \"%.*s\" gives its rows in that order and can't be "
            "ordered by \"%.*s\".",
            KAPPA_STR_ARG(view->columns[c->ranged].name),
            KAPPA_STR_ARG(view->columns[c->order->column].name));
    }
    kappa_buf_init(&fields, kappa_arena_source(w->b->arena));
    for (uint32_t i = 0; i < c->equal_count; i++) {
        print_column(&fields, view, c->equal[i]);
    }
    if (next >= 0) {
        print_column(&fields, view, (uint32_t)next);
    }
    status = fields.failed
        ? KAPPA_NOMEM
        : kappa_model_list_refuse(w, NULL,
            "no index serves it%s%s; this one would: "
            "@index(fields: [%.*s]) on \"%.*s\".",
            order ? " with orderBy " : "", order ? order : "", (int)fields.len,
            fields.data, KAPPA_STR_ARG(view->name));
    kappa_buf_release(&fields);
    return status;
}

/* Keeps how many rows a prefix has where totalCount may be asked for. */
static void
count_prefix(kappa_list_work_t *w, const kappa_choice_t *choice)
{
    const kappa_type_t *type = w->field->type->named;

    if (choice->ranged || w->list->view->allow
        || w->b->roles[type->number] != KAPPA_ROLE_CONNECTION
        || !kappa_type_field(type, KAPPA_STR("totalCount"))) {
        return;
    }
    /* Ours until the model is built. */
    ((kappa_index_t *)choice->index)->counted |= UINT64_C(1)
        << choice->equalities;
}

/* ---- one choice of all views ---- */

/* What is asked for at one choice. */
typedef struct {
    kappa_list_work_t *first;
    uint64_t present;
    int32_t order;
} ask_t;

static void
combine_for(const kappa_list_work_t *w, const ask_t *ask, combination_t *c)
{
    combine(
        w, ask->present, ask->order < 0 ? NULL : &w->orders[ask->order], c);
}

/* The first view whose rows no index gives in this order; NULL: none. */
static kappa_list_work_t *
without_tail(const ask_t *ask, const tail_t *like)
{
    combination_t c;
    tail_t tail;

    for (kappa_list_work_t *w = ask->first; w; w = w->next) {
        combine_for(w, ask, &c);
        if (!choose(w->list->view, &c, like, &tail)) {
            return w;
        }
    }
    return NULL;
}

/* The order in which all views have an index: that of the first view's first
 * index that serves, if the others have one like it, else of its next. */
static bool
common_tail(const ask_t *ask, tail_t *tail)
{
    const kappa_view_t *view = ask->first->list->view;
    combination_t c;

    combine_for(ask->first, ask, &c);
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < view->index_count; i++) {
            tail->index = &view->indexes[i];
            if (serves(tail, &c) && ends_with_order(tail, &c) == (pass == 0)
                && !without_tail(ask, tail)) {
                return true;
            }
        }
    }
    return false;
}

static void
set_choice(kappa_list_work_t *w, const ask_t *ask, const tail_t *like)
{
    kappa_list_t *list = w->list;
    kappa_choice_t *choice = &list->choices[list->choice_count++];
    combination_t c;
    tail_t tail;

    combine_for(w, ask, &c);
    choose(list->view, &c, like, &tail);
    *choice = (kappa_choice_t){ .present = ask->present,
        .order = ask->order,
        .index = tail.index,
        .equalities = tail.skip,
        .ranged = c.ranged >= 0,
        .descending = c.order && c.order->descending };
    use_rule(w, &c, like, choice);
    count_prefix(w, choice);
}

/* Every view has an index that serves, but not in one order. */
static kappa_status_t
refuse_order(const ask_t *ask, const char *order)
{
    combination_t c;
    kappa_buf_t fields;
    const kappa_view_t *view = ask->first->list->view;

    tail_t like;

    combine_for(ask->first, ask, &c);
    choose(view, &c, NULL, &like);
    kappa_list_work_t *w = without_tail(ask, &like);
    kappa_buf_init(&fields, kappa_arena_source(ask->first->b->arena));
    for (uint32_t i = 0; i < c.equal_count; i++) {
        print_column(&fields, view, c.equal[i]);
    }
    for (uint32_t i = like.skip; i < like.index->column_count; i++) {
        print_column(&fields, view, like.index->columns[i]);
    }
    kappa_status_t status = fields.failed
        ? KAPPA_NOMEM
        : kappa_model_list_refuse(w, NULL,
            "no index%s%s gives the rows of \"%.*s\" in the order of those "
            "of \"%.*s\"; this one would: @index(fields: [%.*s]) on "
            "\"%.*s\".",
            order ? " with orderBy " : "", order ? order : "",
            KAPPA_STR_ARG(w->list->view->name), KAPPA_STR_ARG(view->name),
            (int)fields.len, fields.data, KAPPA_STR_ARG(w->list->view->name));
    kappa_buf_release(&fields);
    return status;
}

static kappa_status_t
refuse_choice(const ask_t *ask)
{
    kappa_list_work_t *w = without_tail(ask, NULL);
    const char *order = NULL;
    combination_t c;

    if (ask->order >= 0) {
        order = kappa_str_dup(ask->first->b->arena,
            ask->first->order_type->values[ask->order].name)
                    .data;
    }
    ask->first->refused = true;
    if (!w) {
        return refuse_order(ask, order);
    }
    combine_for(w, ask, &c);
    return refuse_combination(w, &c, order);
}

static kappa_status_t
add_choice(const ask_t *ask)
{
    kappa_list_work_t *first = ask->first;
    tail_t tail = { NULL, 0 };

    if (first->next ? !common_tail(ask, &tail)
                    : without_tail(ask, NULL) != NULL) {
        return refuse_choice(ask);
    }
    for (kappa_list_work_t *w = first; w; w = w->next) {
        set_choice(w, ask, first->next ? &tail : NULL);
    }
    return KAPPA_OK;
}

/* `bits` says which of the optional filters are there. */
static uint64_t
present_of(const kappa_list_work_t *w, uint32_t bits)
{
    uint64_t present = w->required;

    for (uint32_t i = 0; i < w->list->optional_count; i++) {
        if (bits >> i & 1) {
            present |= UINT64_C(1) << w->list->optional[i];
        }
    }
    return present;
}

static kappa_status_t
make_choices(kappa_list_work_t *w, uint32_t count)
{
    for (; w; w = w->next) {
        w->list->order_count = w->order_type ? w->order_type->value_count : 0;
        w->list->order_count++;
        w->list->choices = KAPPA_NEW_ARRAY(
            w->b->arena, kappa_choice_t, (size_t)count * w->list->order_count);
        if (!w->list->choices) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

/* Where orderBy can't be null its slot "none given" repeats the first value:
 * no request gets there. */
kappa_status_t
kappa_model_choices(kappa_list_work_t *w)
{
    uint32_t values = w->order_type ? w->order_type->value_count : 0;
    uint32_t combinations = 1u << w->list->optional_count;
    bool none = !w->order_type || w->order_optional;

    if (values > 64) {
        return kappa_model_list_refuse(
            w, NULL, "orderBy has more than 64 values.");
    }
    kappa_status_t status = make_choices(w, combinations);
    for (uint32_t bits = 0; bits < combinations; bits++) {
        ask_t ask = { .first = w, .present = present_of(w, bits) };

        for (uint32_t o = 0; status == KAPPA_OK && o <= values && !w->refused;
             o++) {
            ask.order = o == 0 ? (none ? -1 : 0) : (int32_t)o - 1;
            status = add_choice(&ask);
        }
    }
    return status;
}
