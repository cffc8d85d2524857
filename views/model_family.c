#include "views/model_private.h"

/* Interfaces and unions with @view: views of several types. They store
 * nothing; their rows are those of the object views that implement them or are
 * their members. */

#define MEMBERS_MAX 64

static const char *
kind_of(const kappa_type_t *type)
{
    return type->kind == KAPPA_TYPE_UNION ? "union" : "interface";
}

static bool
is_abstract(const kappa_type_t *type)
{
    return type->kind == KAPPA_TYPE_UNION
        || type->kind == KAPPA_TYPE_INTERFACE;
}

bool
kappa_model_is_family(const kappa_type_t *type)
{
    return is_abstract(type)
        && kappa_model_directive(type->directives, "view");
}

kappa_status_t
kappa_model_add_family(kappa_model_builder_t *b, const kappa_type_t *type)
{
    const kappa_directive_node_t *node =
        kappa_model_directive(type->directives, "view");
    uint32_t max = type->possible_count < MEMBERS_MAX ? type->possible_count
                                                      : MEMBERS_MAX;

    if (kappa_model_text(node, "keep").data) {
        return kappa_model_refuse(b, node->source,
            kappa_model_arg_offset(node, "keep"),
            "@view(keep:) means nothing on the %s \"%.*s\", which stores no "
            "rows; write it on the views that it stands for.",
            kind_of(type), KAPPA_STR_ARG(type->name));
    }
    return kappa_model_new_rows(b, type, max) ? KAPPA_OK : KAPPA_NOMEM;
}

/* The n-th name of @view(key:); data NULL: there are no more. */
static kappa_str_t
key_name(const kappa_directive_node_t *node, uint32_t n)
{
    if (!kappa_directive_arg(node, KAPPA_STR("key"))) {
        return n == 0 ? KAPPA_STR("id") : KAPPA_STR_NULL;
    }
    const kappa_literal_t *literal = kappa_model_item(node, "key", n);
    return literal ? literal->text : KAPPA_STR_NULL;
}

static bool
has_key(const kappa_view_t *view, const kappa_directive_node_t *node)
{
    for (uint32_t i = 0; i < view->key_count; i++) {
        if (!kappa_str_eq(
                view->columns[view->key[i]].name, key_name(node, i))) {
            return false;
        }
    }
    return !key_name(node, view->key_count).data;
}

static kappa_status_t
check_key(kappa_model_builder_t *b, const kappa_rows_t *rows,
    const kappa_view_t *view, const kappa_directive_node_t *node)
{
    const kappa_view_t *first = rows->count ? rows->views[0] : view;

    if (!has_key(view, node)) {
        return kappa_model_refuse(b, node->source, node->offset,
            "The key of \"%.*s\" and that of its view \"%.*s\" must be the "
            "same fields in the same order: @view(key: [\"…\"]).",
            KAPPA_STR_ARG(rows->type->name), KAPPA_STR_ARG(view->name));
    }
    for (uint32_t i = 0; i < view->key_count; i++) {
        const kappa_column_t *mine = &view->columns[view->key[i]];
        const kappa_column_t *other = &first->columns[first->key[i]];

        if (!kappa_model_ref_same(mine->field->type, other->field->type)) {
            return kappa_model_refuse(b, node->source, node->offset,
                "\"%.*s\": the key field \"%.*s\" is of type %.*s in "
                "\"%.*s\", but of type %.*s in \"%.*s\".",
                KAPPA_STR_ARG(rows->type->name), KAPPA_STR_ARG(mine->name),
                KAPPA_STR_ARG(other->field->type->named->name),
                KAPPA_STR_ARG(first->name),
                KAPPA_STR_ARG(mine->field->type->named->name),
                KAPPA_STR_ARG(view->name));
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
add_member(kappa_model_builder_t *b, kappa_rows_t *rows,
    const kappa_type_t *type, const kappa_directive_node_t *node)
{
    const kappa_view_t *view = kappa_model_view_of(b, type);

    if (type->hidden) {
        return KAPPA_OK; /* @internal: its rows are nobody's */
    }
    if (!view) {
        return kappa_model_refuse(b, node->source, node->offset,
            "\"%.*s\" is a view, but \"%.*s\", which it stands for, is none: "
            "write @view on \"%.*s\" too.",
            KAPPA_STR_ARG(rows->type->name), KAPPA_STR_ARG(type->name),
            KAPPA_STR_ARG(type->name));
    }
    kappa_status_t status = check_key(b, rows, view, node);
    if (status == KAPPA_OK) {
        rows->views[rows->count++] = view;
    }
    return status;
}

static kappa_status_t
fill_family(kappa_model_builder_t *b, const kappa_type_t *type)
{
    /* Ours until the model is built. */
    kappa_rows_t *rows = (kappa_rows_t *)b->rows[type->number];
    const kappa_directive_node_t *node =
        kappa_model_directive(type->directives, "view");
    uint32_t refused = b->refused;
    kappa_status_t status = KAPPA_OK;

    if (type->possible_count > MEMBERS_MAX) {
        return kappa_model_refuse(b, node->source, node->offset,
            "\"%.*s\" stands for more than %d views.",
            KAPPA_STR_ARG(type->name), MEMBERS_MAX);
    }
    for (uint32_t i = 0; status == KAPPA_OK && b->refused == refused
         && i < type->possible_count;
         i++) {
        status = add_member(b, rows, type->possible[i], node);
    }
    if (status == KAPPA_OK && b->refused == refused && !rows->count) {
        return kappa_model_refuse(b, node->source, node->offset,
            "\"%.*s\" is a view, but no public type implements it.",
            KAPPA_STR_ARG(type->name));
    }
    return status;
}

kappa_status_t
kappa_model_families(kappa_model_builder_t *b)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < b->schema->type_count;
         i++) {
        const kappa_type_t *type = b->schema->types[i];

        if (kappa_model_is_family(type)) {
            status = fill_family(b, type);
        }
    }
    return status;
}

/* Where all views have a field; false: not all do, or of another type. */
static bool
common_column(
    const kappa_rows_t *rows, const kappa_column_t *column, uint32_t *at)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        const kappa_view_t *view = rows->views[i];
        int32_t n = kappa_model_column(view, column->name);

        if (n < 0
            || !kappa_model_ref_same(
                view->columns[n].field->type, column->field->type)
            || (column->kind == KAPPA_COLUMN_JSON
                && view->columns[n].field->type->named
                    != column->field->type->named)) {
            return false;
        }
        at[i] = (uint32_t)n;
    }
    return true;
}

kappa_status_t
kappa_model_family_row_type(kappa_model_builder_t *b, kappa_rows_t *rows)
{
    const kappa_view_t *first = rows->views[0];
    uint32_t max = first->column_count, count = 0;
    kappa_expr_member_t *members =
        KAPPA_NEW_ARRAY(b->arena, kappa_expr_member_t, max);
    uint32_t *at = KAPPA_NEW_ARRAY(b->arena, uint32_t, rows->count);
    uint32_t *found =
        KAPPA_NEW_ARRAY(b->arena, uint32_t, (size_t)max * rows->count);

    rows->columns =
        KAPPA_NEW_ARRAY(b->arena, uint32_t, (size_t)max * rows->count);
    if (!members || !at || !found || !rows->columns) {
        return KAPPA_NOMEM;
    }
    for (uint32_t n = 0; n < max; n++) {
        if (!common_column(rows, &first->columns[n], at)) {
            continue;
        }
        members[count] = (kappa_expr_member_t){ .name = first->columns[n].name,
            .number = count,
            .type = kappa_model_expr_type(b, first->columns[n].field->type) };
        if (!members[count].type) {
            return KAPPA_NOMEM;
        }
        memcpy(&found[(size_t)rows->count * count++], at,
            sizeof(*at) * rows->count);
    }
    for (uint32_t i = 0; i < rows->count * count; i++) {
        rows->columns[i] = found[(i % count) * rows->count + i / count];
    }
    rows->row_type = (kappa_expr_type_t){ .kind = KAPPA_EXPR_ROW,
        .name = rows->type->name,
        .members = members,
        .member_count = count };
    return KAPPA_OK;
}

/* The interface or union that a field's rows would be of: its type, or that
 * of a connection's nodes. NULL: none. */
static const kappa_type_t *
abstract_of(const kappa_type_t *type)
{
    const kappa_field_t *field = NULL;

    for (int i = 0; i < 2 && type->kind == KAPPA_TYPE_OBJECT; i++) {
        field = kappa_type_field(type, KAPPA_STR("edges"));
        field = field ? field : kappa_type_field(type, KAPPA_STR("nodes"));
        field = field ? field : kappa_type_field(type, KAPPA_STR("node"));
        if (!field) {
            return NULL;
        }
        type = field->type->named;
    }
    return is_abstract(type) ? type : NULL;
}

kappa_status_t
kappa_model_refuse_abstract(
    kappa_model_builder_t *b, const kappa_field_t *field, bool *said)
{
    const kappa_type_t *type = abstract_of(field->type->named);

    *said = type && !kappa_model_rows_of(b, type);
    return *said ? kappa_model_refuse(b, field->source, field->offset,
               "\"%.*s.%.*s\" is of the %s \"%.*s\", which has no rows: make "
               "it a view of the views that it stands for, %s %.*s "
               "@view(key: [\"…\"]).",
               KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name),
               kind_of(type), KAPPA_STR_ARG(type->name), kind_of(type),
               KAPPA_STR_ARG(type->name))
                 : KAPPA_OK;
}
