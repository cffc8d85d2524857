#include "views/model_private.h"

/* @count @sum @avg @min @max: what they are over, and their types. */

static const char *const names[] = { "count", "sum", "avg", "min", "max" };

#define KINDS (sizeof(names) / sizeof(names[0]))

/* Where the rows come from: `of` and `by`, or the group's source. */
static kappa_status_t
source_of(kappa_model_builder_t *b, const kappa_directive_node_t *node,
    kappa_aggregate_t *a)
{
    const kappa_view_t *target = a->target;
    kappa_view_t *source;
    bool of = kappa_model_text(node, "of").data != NULL;
    bool by = kappa_model_item(node, "by", 0) != NULL;
    bool ok = false;

    if (!of && !by && target->group_of) {
        a->source = target->group_of;
        a->by = target->group_by;
        a->by_count = target->key_count;
        return KAPPA_OK;
    }
    if (!of || !by) {
        return kappa_model_refuse(b, node->source, node->offset,
            "@%.*s needs of: (a view) and by: (its fields that hold my "
            "key)%s.",
            KAPPA_STR_ARG(node->name.text),
            target->group_of ? ", or neither for the group's own rows"
                             : "; only in a @groupBy view it needs neither");
    }
    kappa_status_t status = kappa_model_named_view(b, node, "of", &source);
    if (status != KAPPA_OK || !source) {
        return status;
    }
    status = kappa_model_columns(b, source, node, "by", &a->by, &a->by_count);
    if (status == KAPPA_OK && a->by_count) {
        status = kappa_model_check_by(
            b, node, source, a->by, a->by_count, target, &ok);
    }
    a->source = ok ? source : NULL;
    return status;
}

static bool
is_number(kappa_column_kind_t kind)
{
    return kind == KAPPA_COLUMN_INT || kind == KAPPA_COLUMN_BIGINT
        || kind == KAPPA_COLUMN_DOUBLE;
}

static kappa_status_t
field_of(kappa_model_builder_t *b, const kappa_directive_node_t *node,
    kappa_aggregate_t *a)
{
    uint32_t *columns, count;

    a->source_column = -1;
    if (a->kind == KAPPA_AGGREGATE_COUNT) {
        return KAPPA_OK;
    }
    kappa_status_t status =
        kappa_model_columns(b, a->source, node, "field", &columns, &count);
    if (status != KAPPA_OK || !count) {
        return status;
    }
    a->source_column = (int32_t)columns[0];
    const kappa_column_t *column = &a->source->columns[columns[0]];
    bool adds =
        a->kind == KAPPA_AGGREGATE_SUM || a->kind == KAPPA_AGGREGATE_AVG;
    if (adds && !is_number(column->kind)) {
        return kappa_model_refuse(b, node->source,
            kappa_model_arg_offset(node, "field"),
            "@%.*s adds numbers; \"%.*s.%.*s\" is of type %.*s.",
            KAPPA_STR_ARG(node->name.text), KAPPA_STR_ARG(a->source->name),
            KAPPA_STR_ARG(column->name),
            KAPPA_STR_ARG(column->field->type->named->name));
    }
    return KAPPA_OK;
}

/* What the type of an aggregate's field must be; NULL: it is. */
static const char *
wrong_type(const kappa_aggregate_t *a, const kappa_column_t *target)
{
    const kappa_type_ref_t *type = target->field->type;
    bool integer = target->kind == KAPPA_COLUMN_INT
        || target->kind == KAPPA_COLUMN_BIGINT;

    if (a->kind == KAPPA_AGGREGATE_COUNT) {
        return integer ? NULL : "Int! or BigInt!";
    }
    const kappa_column_t *source = &a->source->columns[a->source_column];
    if (a->kind == KAPPA_AGGREGATE_SUM) {
        if (source->kind == KAPPA_COLUMN_DOUBLE) {
            return target->kind == KAPPA_COLUMN_DOUBLE ? NULL : "Float!";
        }
        return integer ? NULL : "Int! or BigInt!";
    }
    if (kappa_model_ref_is_required(type)) {
        return "nullable: there is none over no rows";
    }
    if (a->kind == KAPPA_AGGREGATE_AVG) {
        return target->kind == KAPPA_COLUMN_DOUBLE ? NULL : "Float";
    }
    return kappa_model_ref_same(type, source->field->type)
        ? NULL
        : "of the type of the field it is over";
}

static kappa_status_t
where_of(kappa_model_builder_t *b, const kappa_directive_node_t *node,
    kappa_aggregate_t *a)
{
    kappa_expr_scope_t scope = kappa_model_scope("where");

    scope.roots[KAPPA_ROOT_ROW] = &a->source->row_type;
    return kappa_model_compile_arg(
        b, node, "where", &scope, &kappa_expr_bool, &a->where);
}

/* Room for one more: doubled whenever the count is a power of two. */
static bool
feed_room(kappa_model_builder_t *b, kappa_view_t *source)
{
    uint32_t count = source->fed_count;

    if (count & (count - 1)) {
        return true;
    }
    kappa_aggregate_t **more =
        KAPPA_NEW_ARRAY(b->arena, kappa_aggregate_t *, count ? count * 2 : 1);
    if (!more) {
        return false;
    }
    if (count) {
        memcpy(more, source->fed, count * sizeof(*more));
    }
    source->fed = more;
    return true;
}

static kappa_status_t
keep(kappa_model_builder_t *b, kappa_aggregate_t *a)
{
    /* Ours until the model is built. */
    kappa_view_t *target = (kappa_view_t *)a->target;
    kappa_view_t *source = (kappa_view_t *)a->source;

    a->number = b->model->aggregate_count;
    b->model->aggregates[b->model->aggregate_count++] = a;
    target->kept[target->kept_count++] = a;
    target->columns[a->target_column].aggregate = a;
    if (!feed_room(b, source)) {
        return KAPPA_NOMEM;
    }
    source->fed[source->fed_count++] = a;
    return KAPPA_OK;
}

static kappa_status_t
add_aggregate(kappa_model_builder_t *b, kappa_view_t *view, uint32_t column,
    kappa_aggregate_kind_t kind, const kappa_directive_node_t *node)
{
    kappa_aggregate_t *a = KAPPA_NEW(b->arena, kappa_aggregate_t);
    uint32_t refused = b->refused;
    const kappa_field_t *field = view->columns[column].field;

    if (!a) {
        return KAPPA_NOMEM;
    }
    a->kind = kind;
    a->target = view;
    a->target_column = column;
    kappa_status_t status = source_of(b, node, a);
    if (status == KAPPA_OK && a->source) {
        status = field_of(b, node, a);
    }
    if (status != KAPPA_OK || b->refused != refused) {
        return status;
    }
    const char *wrong = wrong_type(a, &view->columns[column]);
    if (wrong) {
        return kappa_model_refuse(b, field->source, field->offset,
            "\"%.*s.%.*s\" is a @%s and must be %s.",
            KAPPA_STR_ARG(view->name), KAPPA_STR_ARG(field->name), names[kind],
            wrong);
    }
    status = where_of(b, node, a);
    return status == KAPPA_OK ? keep(b, a) : status;
}

static kappa_status_t
view_aggregates(kappa_model_builder_t *b, kappa_view_t *view)
{
    kappa_status_t status = KAPPA_OK;

    view->kept =
        KAPPA_NEW_ARRAY(b->arena, kappa_aggregate_t *, view->column_count);
    if (!view->kept) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < view->column_count; i++) {
        for (uint32_t k = 0; status == KAPPA_OK && k < KINDS; k++) {
            const kappa_directive_node_t *node = kappa_model_directive(
                view->columns[i].field->directives, names[k]);

            if (node) {
                status = add_aggregate(b, view, i, k, node);
            }
        }
    }
    return status;
}

kappa_status_t
kappa_model_aggregates(kappa_model_builder_t *b)
{
    uint32_t columns = 0;
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < b->model->view_count; i++) {
        columns += b->model->views[i]->column_count;
    }
    b->model->aggregates =
        KAPPA_NEW_ARRAY(b->arena, kappa_aggregate_t *, columns);
    if (!b->model->aggregates) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < b->model->view_count; i++) {
        status = view_aggregates(b, b->model->views[i]);
    }
    return status;
}
