#include "views/model_list.h"

/* Lists: what each argument means. */

#define OPTIONAL_MAX 8
#define DEFAULT_LIMIT 100

kappa_status_t
kappa_model_list_refuse(
    kappa_list_work_t *w, const kappa_input_t *arg, const char *format, ...)
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

/* A name without what says that it is a range, and which one. */
static kappa_str_t
without_suffix(kappa_str_t name, kappa_arg_role_t *role)
{
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        kappa_str_t suffix = kappa_str_c(ranges[i].suffix);
        size_t len = name.len - suffix.len;

        if (name.len > suffix.len
            && memcmp(name.data + len, suffix.data, suffix.len) == 0) {
            *role = ranges[i].role;
            return kappa_str(name.data, len);
        }
    }
    *role = KAPPA_ARG_NONE;
    return name;
}

/* What an argument's name says; column -1: nothing. */
static kappa_arg_role_t
filter_role(const kappa_view_t *view, kappa_str_t name, int32_t *column)
{
    kappa_arg_role_t role;

    *column = kappa_model_column(view, name);
    if (*column >= 0) {
        return KAPPA_ARG_EQUAL;
    }
    *column = kappa_model_column(view, without_suffix(name, &role));
    return *column >= 0 ? role : KAPPA_ARG_NONE;
}

/* The name of no column. */
static kappa_status_t
refuse_name(kappa_list_work_t *w, const kappa_input_t *arg)
{
    const kappa_view_t *view = w->list->view;
    kappa_arg_role_t role;
    const kappa_field_t *field = kappa_type_field(view->type, arg->name);

    if (!field) {
        field = kappa_type_field(view->type, without_suffix(arg->name, &role));
    }
    if (field) {
        return kappa_model_list_refuse(w, arg,
            "\"%.*s\" is a link, or computed when it is read, and can't be "
            "filtered by.",
            KAPPA_STR_ARG(field->name));
    }
    return kappa_model_list_refuse(w, arg,
        "argument \"%.*s\" means nothing here: it is neither first, "
        "after, last, before, orderBy, nor a field of \"%.*s\" (perhaps "
        "with _in, _gt, _gte, _lt, _lte).",
        KAPPA_STR_ARG(arg->name), KAPPA_STR_ARG(view->name));
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
check_filter(kappa_list_work_t *w, const kappa_input_t *arg,
    kappa_arg_role_t role, const kappa_column_t *column)
{
    bool list = role == KAPPA_ARG_IN;

    if (column->kind == KAPPA_COLUMN_JSON) {
        return kappa_model_list_refuse(w, arg,
            "\"%.*s\" is a list, an object or JSON and can't be filtered by.",
            KAPPA_STR_ARG(column->name));
    }
    if (kappa_model_ref_is_list(arg->type) != list
        || kappa_model_ref_is_nested(arg->type)
        || !kappa_model_ref_same(item_ref(arg->type),
            list ? item_ref(column->field->type) : column->field->type)) {
        return kappa_model_list_refuse(w, arg,
            list ? "argument \"%.*s\" must be a list of %.*s, as the field "
                   "\"%.*s\" is."
                 : "argument \"%.*s\" must be of type %.*s, as the field "
                   "\"%.*s\" is.",
            KAPPA_STR_ARG(arg->name),
            KAPPA_STR_ARG(column->field->type->named->name),
            KAPPA_STR_ARG(column->name));
    }
    if (arg->hidden && !kappa_model_ref_is_required(arg->type)) {
        return kappa_model_list_refuse(w, arg,
            "the stamped argument \"%.*s\" filters the list and must be "
            "non-null, else nothing is filtered when it is null.",
            KAPPA_STR_ARG(arg->name));
    }
    for (uint32_t i = 0; i < w->list->by_count; i++) {
        if (&w->list->view->columns[w->list->by[i]] == column) {
            return kappa_model_list_refuse(w, arg,
                "\"%.*s\" is what the link goes by and can't be filtered by "
                "an argument too.",
                KAPPA_STR_ARG(column->name));
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
filter_arg(kappa_list_work_t *w, const kappa_input_t *arg)
{
    int32_t column;
    kappa_arg_role_t role = filter_role(w->list->view, arg->name, &column);

    if (role == KAPPA_ARG_NONE) {
        return refuse_name(w, arg);
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

/* An enum value that is no order. */
static kappa_status_t
refuse_order(kappa_list_work_t *w, const kappa_input_t *arg, kappa_str_t value)
{
    return kappa_model_list_refuse(w, arg,
        "\"%.*s.%.*s\" names no field of \"%.*s\" in capitals (with _DESC for "
        "descending) that is stored and has an order.",
        KAPPA_STR_ARG(w->order_type->name), KAPPA_STR_ARG(value),
        KAPPA_STR_ARG(w->list->view->name));
}

static kappa_status_t
order_value(kappa_list_work_t *w, const kappa_input_t *arg, uint32_t n)
{
    const kappa_view_t *view = w->list->view;
    kappa_str_t name = w->order_type->values[n].name, whole = name;
    int32_t column = upper_column(view, name);

    if (column < 0 && name.len > 5
        && memcmp(name.data + name.len - 5, "_DESC", 5) == 0) {
        w->orders[n].descending = true;
        name.len -= 5;
        column = upper_column(view, name);
    }
    if (column < 0 || view->columns[column].kind == KAPPA_COLUMN_JSON) {
        return refuse_order(w, arg, whole);
    }
    w->orders[n].column = (uint32_t)column;
    return KAPPA_OK;
}

static kappa_status_t
order_arg(kappa_list_work_t *w, const kappa_input_t *arg)
{
    const kappa_type_t *type = arg->type->named;

    if (type->kind != KAPPA_TYPE_ENUM || kappa_model_ref_is_list(arg->type)) {
        return kappa_model_list_refuse(
            w, arg, "orderBy must be of an enum type.");
    }
    w->list->args[arg->number].role = KAPPA_ARG_ORDER_BY;
    w->order_type = type;
    w->order_optional = !kappa_model_ref_is_required(arg->type);
    w->orders =
        KAPPA_NEW_ARRAY(w->b->arena, kappa_list_order_t, type->value_count);
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
one_arg(kappa_list_work_t *w, const kappa_input_t *arg)
{
    for (size_t i = 0; i < sizeof(paging) / sizeof(paging[0]); i++) {
        if (!kappa_str_eq_c(arg->name, paging[i].name)) {
            continue;
        }
        w->list->args[arg->number].role = paging[i].role;
        if (arg->hidden || kappa_model_ref_is_list(arg->type)
            || kappa_model_ref_kind(arg->type) != paging[i].kind) {
            return kappa_model_list_refuse(w, arg,
                "argument \"%s\" must be of type %s.", paging[i].name,
                paging[i].type);
        }
        return KAPPA_OK;
    }
    return kappa_str_eq_c(arg->name, "orderBy") ? order_arg(w, arg)
                                                : filter_arg(w, arg);
}

static kappa_status_t
all_args(kappa_list_work_t *w)
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
    if (list->arg_count > KAPPA_LIST_ARGS_MAX) {
        return kappa_model_list_refuse(
            w, NULL, "more than %d arguments.", KAPPA_LIST_ARGS_MAX);
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < list->arg_count; i++) {
        status = one_arg(w, &w->field->args[i]);
    }
    if (status == KAPPA_OK && list->optional_count > OPTIONAL_MAX) {
        status = kappa_model_list_refuse(w, NULL,
            "more than %d filters that may be left out; make some non-null.",
            OPTIONAL_MAX);
    }
    return status;
}

kappa_list_t *
kappa_model_new_list(kappa_model_builder_t *b, const kappa_rows_t *rows)
{
    kappa_list_t *lists = KAPPA_NEW_ARRAY(b->arena, kappa_list_t, rows->count);

    for (uint32_t i = 0; lists && i < rows->count; i++) {
        lists[i].view = rows->views[i];
        lists[i].next = i + 1 < rows->count ? &lists[i + 1] : NULL;
        lists[i].default_limit = DEFAULT_LIMIT;
    }
    return lists;
}

/* An argument means the same in all views, or merging them would mean
 * nothing. */
static kappa_status_t
same_roles(kappa_list_work_t *w, const kappa_list_t *first)
{
    for (uint32_t i = 0; i < first->arg_count; i++) {
        if (w->list->args[i].role != first->args[i].role) {
            return kappa_model_list_refuse(w, &w->field->args[i],
                "argument \"%.*s\" means something else in \"%.*s\" than in "
                "\"%.*s\".",
                KAPPA_STR_ARG(w->field->args[i].name),
                KAPPA_STR_ARG(w->list->view->name),
                KAPPA_STR_ARG(first->view->name));
        }
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_model_list(
    kappa_model_builder_t *b, const kappa_field_t *field, kappa_list_t *list)
{
    kappa_list_work_t *first = NULL, **last = &first;
    kappa_status_t status = KAPPA_OK;
    bool refused = false;

    for (; status == KAPPA_OK && !refused && list;
         list = (kappa_list_t *)list->next) {
        kappa_list_work_t *w = KAPPA_NEW(b->arena, kappa_list_work_t);

        if (!w) {
            return KAPPA_NOMEM;
        }
        *w = (kappa_list_work_t){ .b = b, .field = field, .list = list };
        *last = w;
        last = &w->next;
        status = all_args(w);
        if (status == KAPPA_OK && !w->refused) {
            status = same_roles(w, first->list);
        }
        refused = w->refused;
    }
    if (status == KAPPA_OK && first) {
        status = kappa_model_arg_stamps(
            b, field, &first->list->stamps, &first->list->stamp_count);
    }
    return status == KAPPA_OK && !refused ? kappa_model_choices(first)
                                          : status;
}
