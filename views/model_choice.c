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

static bool
serves(const kappa_index_t *index, const combination_t *c)
{
    for (uint32_t i = 0; i < c->equal_count; i++) {
        int32_t column = kappa_index_column(index, i);

        if (column < 0 || !is_equal(c, (uint32_t)column)) {
            return false;
        }
    }
    int32_t next = kappa_index_column(index, c->equal_count);
    if (c->ranged >= 0 && next != c->ranged) {
        return false;
    }
    return !c->order || next == (int32_t)c->order->column;
}

/* The first that serves; where an order is asked for, rather one that ends
 * with it, so that the key breaks ties. */
static const kappa_index_t *
choose(const kappa_view_t *view, const combination_t *c)
{
    const kappa_index_t *found = NULL;

    if (c->second_range >= 0) {
        return NULL;
    }
    for (uint32_t i = 0; i < view->index_count; i++) {
        const kappa_index_t *index = &view->indexes[i];

        if (!serves(index, c)) {
            continue;
        }
        if (!c->order || index->column_count <= c->equal_count + 1) {
            return index;
        }
        found = found ? found : index;
    }
    return found;
}

/* The columns by which an index goes on behind `skip` fields, without those
 * that are fixed. */
static uint32_t
order_of(const kappa_index_t *index, uint32_t skip, const combination_t *c,
    uint32_t *out, uint32_t max)
{
    uint32_t count = 0;
    int32_t column;

    for (uint32_t i = skip;
         count < max && (column = kappa_index_column(index, i)) >= 0; i++) {
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
same_order(const kappa_index_t *a, const kappa_index_t *b, uint32_t skip_b,
    const combination_t *c)
{
    uint32_t of_a[KAPPA_LIST_ARGS_MAX], of_b[KAPPA_LIST_ARGS_MAX];
    uint32_t n = order_of(a, skip_b - 1, c, of_a, KAPPA_LIST_ARGS_MAX);

    return n == order_of(b, skip_b, c, of_b, KAPPA_LIST_ARGS_MAX)
        && memcmp(of_a, of_b, n * sizeof(*of_a)) == 0;
}

/* An equality with auth in the row rule narrows the list, if an index has it
 * and leaves the order as it is. */
static void
use_rule(
    const kappa_list_work_t *w, const combination_t *c, kappa_choice_t *choice)
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
        const kappa_index_t *index = choose(view, &narrow);
        if (index
            && same_order(choice->index, index, narrow.equal_count, &narrow)) {
            choice->index = index;
            choice->equalities = narrow.equal_count;
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

static kappa_status_t
add_choice(kappa_list_work_t *w, uint64_t present, int32_t order)
{
    combination_t c;
    kappa_choice_t *choice = &w->list->choices[w->list->choice_count++];

    combine(w, present, order < 0 ? NULL : &w->orders[order], &c);
    *choice = (kappa_choice_t){ .present = present,
        .order = order,
        .index = choose(w->list->view, &c),
        .equalities = c.equal_count,
        .ranged = c.ranged >= 0,
        .descending = c.order && c.order->descending };
    if (choice->index) {
        use_rule(w, &c, choice);
        count_prefix(w, choice);
        return KAPPA_OK;
    }
    return refuse_combination(w, &c,
        order < 0
            ? NULL
            : kappa_str_dup(w->b->arena, w->order_type->values[order].name)
                  .data);
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

/* Where orderBy can't be null its slot "none given" repeats the first value:
 * no request gets there. */
kappa_status_t
kappa_model_choices(kappa_list_work_t *w)
{
    kappa_list_t *list = w->list;
    uint32_t values = w->order_type ? w->order_type->value_count : 0;
    uint32_t combinations = 1u << list->optional_count;
    bool none = !w->order_type || w->order_optional;
    kappa_status_t status = KAPPA_OK;

    list->order_count = values + 1;
    if (values > 64) {
        return kappa_model_list_refuse(
            w, NULL, "orderBy has more than 64 values.");
    }
    list->choices = KAPPA_NEW_ARRAY(
        w->b->arena, kappa_choice_t, (size_t)combinations * list->order_count);
    if (!list->choices) {
        return KAPPA_NOMEM;
    }
    for (uint32_t bits = 0; bits < combinations; bits++) {
        uint64_t present = present_of(w, bits);

        for (uint32_t o = 0; status == KAPPA_OK && o <= values && !w->refused;
             o++) {
            status = add_choice(
                w, present, o == 0 ? (none ? -1 : 0) : (int32_t)o - 1);
        }
    }
    return status;
}
