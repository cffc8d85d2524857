#include "views/model_private.h"

/* Lists: what each argument means, and which index serves each combination
 * of filters that may be there. What none serves is refused, so no schema
 * that loads has a slow query. */

#define ARGS_MAX 64
#define OPTIONAL_MAX 8
#define DEFAULT_LIMIT 100

typedef struct {
    uint32_t column;
    bool descending;
} order_t;

/* A list being worked out. */
typedef struct {
    kappa_model_builder_t *b;
    const kappa_field_t *field;
    kappa_list_t *list;
    const kappa_type_t *order_type; /* NULL: no orderBy */
    order_t *orders;                /* by enum value */
    bool order_optional;
    uint64_t required; /* bit per argument that filters always */
    bool refused;
} work_t;

/* One combination: what filters, and by what to order. */
typedef struct {
    uint32_t equal[ARGS_MAX + 32];
    uint32_t equal_count;
    int32_t ranged;
    int32_t second_range; /* one too many; -1 */
    const order_t *order;
} combination_t;

__attribute__((format(printf, 3, 4))) static kappa_status_t
refuse(work_t *w, const kappa_input_t *arg, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    kappa_str_t text = kappa_str_vprintf(w->b->arena, format, args);
    va_end(args);
    w->refused = true;
    if (!text.data) {
        return KAPPA_NOMEM;
    }
    return kappa_model_refuse(w->b, arg ? arg->source : w->field->source,
        arg ? arg->offset : w->field->offset, "\"%.*s.%.*s\": %.*s",
        KAPPA_STR_ARG(w->field->parent->name), KAPPA_STR_ARG(w->field->name),
        KAPPA_STR_ARG(text));
}

/* ---- arguments ---- */

static const struct {
    const char *name;
    kappa_arg_role_t role;
    kappa_column_kind_t kind;
    const char *type;
} paging[] = {
    { "first", KAPPA_ARG_FIRST, KAPPA_COLUMN_INT, "Int" },
    { "after", KAPPA_ARG_AFTER, KAPPA_COLUMN_STRING, "String" },
    { "last", KAPPA_ARG_LAST, KAPPA_COLUMN_INT, "Int" },
    { "before", KAPPA_ARG_BEFORE, KAPPA_COLUMN_STRING, "String" },
};

static const struct {
    const char *suffix;
    kappa_arg_role_t role;
} ranges[] = {
    { "_in", KAPPA_ARG_IN },
    { "_gt", KAPPA_ARG_GT },
    { "_gte", KAPPA_ARG_GTE },
    { "_lt", KAPPA_ARG_LT },
    { "_lte", KAPPA_ARG_LTE },
};

/* What an argument's name says; column -1: nothing. */
static kappa_arg_role_t
filter_role(const kappa_view_t *view, kappa_str_t name, int32_t *column)
{
    *column = kappa_model_column(view, name);
    if (*column >= 0) {
        return KAPPA_ARG_EQUAL;
    }
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        kappa_str_t suffix = kappa_str_c(ranges[i].suffix);

        if (name.len > suffix.len
            && memcmp(
                   name.data + name.len - suffix.len, suffix.data, suffix.len)
                == 0) {
            *column = kappa_model_column(
                view, kappa_str(name.data, name.len - suffix.len));
            if (*column >= 0) {
                return ranges[i].role;
            }
        }
    }
    return KAPPA_ARG_NONE;
}

static const kappa_type_ref_t *
item_ref(const kappa_type_ref_t *ref)
{
    while (ref->kind != KAPPA_REF_NAMED) {
        ref = ref->of;
    }
    return ref;
}

static kappa_status_t
check_filter(work_t *w, const kappa_input_t *arg, kappa_arg_role_t role,
    const kappa_column_t *column)
{
    bool list = role == KAPPA_ARG_IN;

    if (column->kind == KAPPA_COLUMN_JSON) {
        return refuse(w, arg,
            "\"%.*s\" is a list, an object or JSON and can't be filtered by.",
            KAPPA_STR_ARG(column->name));
    }
    if (kappa_model_ref_is_list(arg->type) != list
        || kappa_model_ref_is_nested(arg->type)
        || !kappa_model_ref_same(item_ref(arg->type),
            list ? item_ref(column->field->type) : column->field->type)) {
        return refuse(w, arg,
            list ? "argument \"%.*s\" must be a list of %.*s, as the field "
                   "\"%.*s\" is."
                 : "argument \"%.*s\" must be of type %.*s, as the field "
                   "\"%.*s\" is.",
            KAPPA_STR_ARG(arg->name),
            KAPPA_STR_ARG(column->field->type->named->name),
            KAPPA_STR_ARG(column->name));
    }
    if (arg->hidden && !kappa_model_ref_is_required(arg->type)) {
        return refuse(w, arg,
            "the stamped argument \"%.*s\" filters the list and must be "
            "non-null, else nothing is filtered when it is null.",
            KAPPA_STR_ARG(arg->name));
    }
    for (uint32_t i = 0; i < w->list->by_count; i++) {
        if (&w->list->view->columns[w->list->by[i]] == column) {
            return refuse(w, arg,
                "\"%.*s\" is what the link goes by and can't be filtered by "
                "an argument too.",
                KAPPA_STR_ARG(column->name));
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
filter_arg(work_t *w, const kappa_input_t *arg)
{
    int32_t column;
    kappa_arg_role_t role = filter_role(w->list->view, arg->name, &column);

    if (role == KAPPA_ARG_NONE) {
        return refuse(w, arg,
            "argument \"%.*s\" means nothing here: it is neither first, "
            "after, last, before, orderBy, nor a field of \"%.*s\" (perhaps "
            "with _in, _gt, _gte, _lt, _lte).",
            KAPPA_STR_ARG(arg->name), KAPPA_STR_ARG(w->list->view->name));
    }
    w->list->args[arg->number] =
        (kappa_list_arg_t){ .role = role, .column = (uint32_t)column };
    if (kappa_model_ref_is_required(arg->type)) {
        w->required |= UINT64_C(1) << arg->number;
    } else {
        w->list->optional[w->list->optional_count++] = arg->number;
    }
    return check_filter(w, arg, role, &w->list->view->columns[column]);
}

static bool
upper_equals(kappa_str_t field, kappa_str_t upper)
{
    if (field.len != upper.len) {
        return false;
    }
    for (size_t i = 0; i < field.len; i++) {
        char c = field.data[i];
        if (c >= 'a' && c <= 'z') {
            c = (char)(c - 'a' + 'A');
        }
        if (c != upper.data[i]) {
            return false;
        }
    }
    return true;
}

static int32_t
upper_column(const kappa_view_t *view, kappa_str_t upper)
{
    for (uint32_t i = 0; i < view->column_count; i++) {
        if (upper_equals(view->columns[i].name, upper)) {
            return (int32_t)i;
        }
    }
    return -1;
}

static kappa_status_t
order_value(work_t *w, const kappa_input_t *arg, uint32_t n)
{
    const kappa_enum_value_t *value = &w->order_type->values[n];
    kappa_str_t name = value->name;
    int32_t column = upper_column(w->list->view, name);

    if (column < 0 && name.len > 5
        && memcmp(name.data + name.len - 5, "_DESC", 5) == 0) {
        w->orders[n].descending = true;
        name.len -= 5;
        column = upper_column(w->list->view, name);
    }
    if (column < 0) {
        return refuse(w, arg,
            "\"%.*s.%.*s\" names no field of \"%.*s\" in capitals (with "
            "_DESC for descending).",
            KAPPA_STR_ARG(w->order_type->name), KAPPA_STR_ARG(value->name),
            KAPPA_STR_ARG(w->list->view->name));
    }
    w->orders[n].column = (uint32_t)column;
    return KAPPA_OK;
}

static kappa_status_t
order_arg(work_t *w, const kappa_input_t *arg)
{
    const kappa_type_t *type = arg->type->named;

    if (type->kind != KAPPA_TYPE_ENUM || kappa_model_ref_is_list(arg->type)) {
        return refuse(w, arg, "orderBy must be of an enum type.");
    }
    w->list->args[arg->number].role = KAPPA_ARG_ORDER_BY;
    w->order_type = type;
    w->order_optional = !kappa_model_ref_is_required(arg->type);
    w->orders = KAPPA_NEW_ARRAY(w->b->arena, order_t, type->value_count);
    if (!w->orders) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = KAPPA_OK;
    for (uint32_t i = 0; status == KAPPA_OK && i < type->value_count; i++) {
        status = order_value(w, arg, i);
    }
    return status;
}

static kappa_status_t
one_arg(work_t *w, const kappa_input_t *arg)
{
    for (size_t i = 0; i < sizeof(paging) / sizeof(paging[0]); i++) {
        if (!kappa_str_eq_c(arg->name, paging[i].name)) {
            continue;
        }
        w->list->args[arg->number].role = paging[i].role;
        if (arg->hidden || kappa_model_ref_is_list(arg->type)
            || kappa_model_ref_kind(arg->type) != paging[i].kind) {
            return refuse(w, arg, "argument \"%s\" must be of type %s.",
                paging[i].name, paging[i].type);
        }
        return KAPPA_OK;
    }
    return kappa_str_eq_c(arg->name, "orderBy") ? order_arg(w, arg)
                                                : filter_arg(w, arg);
}

static kappa_status_t
all_args(work_t *w)
{
    kappa_status_t status = KAPPA_OK;
    kappa_list_t *list = w->list;

    list->arg_count = w->field->arg_count;
    list->args =
        KAPPA_NEW_ARRAY(w->b->arena, kappa_list_arg_t, list->arg_count);
    list->optional = KAPPA_NEW_ARRAY(w->b->arena, uint32_t, list->arg_count);
    if (!list->args || !list->optional) {
        return KAPPA_NOMEM;
    }
    if (list->arg_count > ARGS_MAX) {
        return refuse(w, NULL, "more than %d arguments.", ARGS_MAX);
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < list->arg_count; i++) {
        status = one_arg(w, &w->field->args[i]);
    }
    if (status == KAPPA_OK && list->optional_count > OPTIONAL_MAX) {
        status = refuse(w, NULL,
            "more than %d filters that may be left out; make some non-null.",
            OPTIONAL_MAX);
    }
    return status;
}

/* ---- the index of a combination ---- */

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
combine(
    const work_t *w, uint64_t present, const order_t *order, combination_t *c)
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
    uint32_t of_a[ARGS_MAX], of_b[ARGS_MAX];
    uint32_t n = order_of(a, skip_b - 1, c, of_a, ARGS_MAX);

    return n == order_of(b, skip_b, c, of_b, ARGS_MAX)
        && memcmp(of_a, of_b, n * sizeof(*of_a)) == 0;
}

/* An equality with auth in the row rule narrows the list, if an index has it
 * and leaves the order as it is. */
static void
use_rule(const work_t *w, const combination_t *c, kappa_choice_t *choice)
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
refuse_combination(work_t *w, const combination_t *c, const char *order)
{
    const kappa_view_t *view = w->list->view;
    int32_t next = c->ranged;
    kappa_buf_t fields;
    kappa_status_t status;

    if (next < 0 && c->order) {
        next = (int32_t)c->order->column;
    }
    if (c->second_range >= 0) {
        return refuse(w, NULL,
            "\"%.*s\" and \"%.*s\" can't both be ranges: an index serves "
            "equalities and one range behind them.",
            KAPPA_STR_ARG(view->columns[c->ranged].name),
            KAPPA_STR_ARG(view->columns[c->second_range].name));
    }
    if (c->ranged >= 0 && c->order && (int32_t)c->order->column != c->ranged) {
        return refuse(w, NULL,
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
        : refuse(w, NULL,
            "no index serves it%s%s; this one would: "
            "@index(fields: [%.*s]) on \"%.*s\".",
            order ? " with orderBy " : "", order ? order : "", (int)fields.len,
            fields.data, KAPPA_STR_ARG(view->name));
    kappa_buf_release(&fields);
    return status;
}

/* Keeps how many rows a prefix has where totalCount may be asked for. */
static void
count_prefix(work_t *w, const kappa_choice_t *choice)
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
add_choice(work_t *w, uint64_t present, int32_t order)
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
present_of(const work_t *w, uint32_t bits)
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
static kappa_status_t
all_choices(work_t *w)
{
    kappa_list_t *list = w->list;
    uint32_t values = w->order_type ? w->order_type->value_count : 0;
    uint32_t combinations = 1u << list->optional_count;
    bool none = !w->order_type || w->order_optional;
    kappa_status_t status = KAPPA_OK;

    list->order_count = values + 1;
    if (values > 64) {
        return refuse(w, NULL, "orderBy has more than 64 values.");
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

kappa_status_t
kappa_model_list(
    kappa_model_builder_t *b, const kappa_field_t *field, kappa_list_t *list)
{
    work_t w = { .b = b, .field = field, .list = list };

    list->default_limit = DEFAULT_LIMIT;
    kappa_status_t status = all_args(&w);
    if (status == KAPPA_OK) {
        status = kappa_model_arg_stamps(
            b, field, &list->stamps, &list->stamp_count);
    }
    return status == KAPPA_OK && !w.refused ? all_choices(&w) : status;
}
