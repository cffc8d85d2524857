#include "views/model_private.h"

#include "base/suggest.h"

/* Columns by name, keys and indexes. */

#define INDEX_COLUMNS_MAX 32
#define INDEXES_MAX 64

int32_t
kappa_model_column(const kappa_view_t *view, kappa_str_t name)
{
    for (uint32_t i = 0; i < view->column_count; i++) {
        if (kappa_str_eq(view->columns[i].name, name)) {
            return (int32_t)i;
        }
    }
    return -1;
}

static kappa_status_t
refuse_column(kappa_model_builder_t *b, const kappa_view_t *view,
    const kappa_directive_node_t *node, const kappa_literal_t *literal)
{
    kappa_suggest_t suggest;
    bool exists = kappa_type_field(view->type, literal->text) != NULL;

    kappa_suggest_init(&suggest, literal->text);
    for (uint32_t i = 0; i < view->column_count; i++) {
        kappa_suggest_try(&suggest, view->columns[i].name);
    }
    kappa_str_t hint = kappa_suggest_print(&suggest, b->arena, NULL);
    if (!hint.data) {
        return KAPPA_NOMEM;
    }
    if (exists) {
        return kappa_model_refuse(b, node->source, literal->offset,
            "Field \"%.*s.%.*s\" is a link or computed; @%.*s can't name "
            "it.",
            KAPPA_STR_ARG(view->name), KAPPA_STR_ARG(literal->text),
            KAPPA_STR_ARG(node->name.text));
    }
    return kappa_model_refuse(b, node->source, literal->offset,
        "@%.*s: view \"%.*s\" has no field \"%.*s\".%.*s",
        KAPPA_STR_ARG(node->name.text), KAPPA_STR_ARG(view->name),
        KAPPA_STR_ARG(literal->text), KAPPA_STR_ARG(hint));
}

static kappa_status_t
check_column(kappa_model_builder_t *b, const kappa_view_t *view,
    const kappa_directive_node_t *node, const kappa_literal_t *literal,
    const uint32_t *before, uint32_t count, int32_t column)
{
    if (column < 0) {
        return refuse_column(b, view, node, literal);
    }
    if (view->columns[column].kind == KAPPA_COLUMN_JSON) {
        return kappa_model_refuse(b, node->source, literal->offset,
            "@%.*s: \"%.*s.%.*s\" is a list, an object or JSON, which has "
            "no order and no equality; name a scalar or an enum.",
            KAPPA_STR_ARG(node->name.text), KAPPA_STR_ARG(view->name),
            KAPPA_STR_ARG(literal->text));
    }
    for (uint32_t i = 0; i < count; i++) {
        if (before[i] == (uint32_t)column) {
            return kappa_model_refuse(b, node->source, literal->offset,
                "@%.*s names \"%.*s\" twice.", KAPPA_STR_ARG(node->name.text),
                KAPPA_STR_ARG(literal->text));
        }
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_model_columns(kappa_model_builder_t *b, const kappa_view_t *view,
    const kappa_directive_node_t *node, const char *arg, uint32_t **columns,
    uint32_t *count)
{
    uint32_t before = b->refused;
    uint32_t n = 0;
    const kappa_literal_t *literal = kappa_model_item(node, arg, 0);

    *columns = KAPPA_NEW_ARRAY(b->arena, uint32_t, INDEX_COLUMNS_MAX);
    *count = 0;
    if (!*columns) {
        return KAPPA_NOMEM;
    }
    bool list = kappa_directive_arg(node, kappa_str_c(arg))->kind
        == KAPPA_LITERAL_LIST;
    if (!literal) {
        return kappa_model_refuse(b, node->source,
            kappa_model_arg_offset(node, arg),
            "@%.*s(%s:) names no field; it takes at least one.",
            KAPPA_STR_ARG(node->name.text), arg);
    }
    for (; literal; literal = list ? literal->next : NULL) {
        int32_t column = kappa_model_column(view, literal->text);

        if (n == INDEX_COLUMNS_MAX) {
            return kappa_model_refuse(b, node->source, literal->offset,
                "@%.*s(%s:) names more than %d fields.",
                KAPPA_STR_ARG(node->name.text), arg, INDEX_COLUMNS_MAX);
        }
        kappa_status_t status =
            check_column(b, view, node, literal, *columns, n, column);
        if (status != KAPPA_OK) {
            return status;
        }
        (*columns)[n++] = (uint32_t)column;
    }
    *count = b->refused == before ? n : 0;
    return KAPPA_OK;
}

kappa_status_t
kappa_model_named_view(kappa_model_builder_t *b,
    const kappa_directive_node_t *node, const char *arg, kappa_view_t **out)
{
    kappa_str_t name = kappa_model_text(node, arg);
    const kappa_type_t *type = kappa_schema_type(b->schema, name);
    kappa_suggest_t suggest;

    *out = type ? kappa_model_view_of(b, type) : NULL;
    if (*out) {
        return KAPPA_OK;
    }
    kappa_suggest_init(&suggest, name);
    for (uint32_t i = 0; i < b->model->view_count; i++) {
        kappa_suggest_try(&suggest, b->model->views[i]->name);
    }
    kappa_str_t hint = kappa_suggest_print(&suggest, b->arena, NULL);
    if (!hint.data) {
        return KAPPA_NOMEM;
    }
    return kappa_model_refuse(b, node->source,
        kappa_model_arg_offset(node, arg), "@%.*s: \"%.*s\" is no view.%.*s",
        KAPPA_STR_ARG(node->name.text), KAPPA_STR_ARG(name),
        KAPPA_STR_ARG(hint));
}

kappa_status_t
kappa_model_check_by(kappa_model_builder_t *b,
    const kappa_directive_node_t *node, const kappa_view_t *holder,
    const uint32_t *by, uint32_t count, const kappa_view_t *owner, bool *ok)
{
    uint32_t offset = kappa_model_arg_offset(node, "by");

    *ok = false;
    if (count != owner->key_count) {
        return kappa_model_refuse(b, node->source, offset,
            "@%.*s(by:) names %u field%s, but the key of \"%.*s\" has %u.",
            KAPPA_STR_ARG(node->name.text), count, count == 1 ? "" : "s",
            KAPPA_STR_ARG(owner->name), owner->key_count);
    }
    for (uint32_t i = 0; i < count; i++) {
        const kappa_column_t *column = &holder->columns[by[i]];
        const kappa_column_t *key = &owner->columns[owner->key[i]];

        if (!kappa_model_ref_same(column->field->type, key->field->type)) {
            return kappa_model_refuse(b, node->source, offset,
                "@%.*s(by:): \"%.*s.%.*s\" is of type %.*s and can't hold "
                "the key \"%.*s.%.*s\" of type %.*s.",
                KAPPA_STR_ARG(node->name.text), KAPPA_STR_ARG(holder->name),
                KAPPA_STR_ARG(column->name),
                KAPPA_STR_ARG(column->field->type->named->name),
                KAPPA_STR_ARG(owner->name), KAPPA_STR_ARG(key->name),
                KAPPA_STR_ARG(key->field->type->named->name));
        }
    }
    *ok = true;
    return KAPPA_OK;
}

/* @view without key: is key: ["id"]. */
static kappa_status_t
default_key(kappa_model_builder_t *b, kappa_view_t *view,
    const kappa_directive_node_t *node)
{
    int32_t column = kappa_model_column(view, KAPPA_STR("id"));

    if (column < 0 && kappa_type_field(view->type, KAPPA_STR("id"))) {
        return kappa_model_refuse(b, node->source, node->offset,
            "Field \"%.*s.id\" is a link or computed; it can't be the key. "
            "Say which fields are: @view(key: [\"…\"]).",
            KAPPA_STR_ARG(view->name));
    }
    if (column < 0) {
        return kappa_model_refuse(b, node->source, node->offset,
            "View \"%.*s\" has no field \"id\"; say which fields are its "
            "key: @view(key: [\"…\"]).",
            KAPPA_STR_ARG(view->name));
    }
    view->key = KAPPA_NEW(b->arena, uint32_t);
    if (!view->key) {
        return KAPPA_NOMEM;
    }
    view->key[0] = (uint32_t)column;
    view->key_count = 1;
    return KAPPA_OK;
}

static kappa_status_t
view_key(kappa_model_builder_t *b, kappa_view_t *view)
{
    const kappa_directive_node_t *node =
        kappa_model_directive(view->type->directives, "view");
    kappa_status_t status;

    if (kappa_model_text(node, "key").data || kappa_model_item(node, "key", 0)
        || kappa_directive_arg(node, KAPPA_STR("key"))) {
        status = kappa_model_columns(
            b, view, node, "key", &view->key, &view->key_count);
    } else {
        status = default_key(b, view, node);
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < view->key_count; i++) {
        const kappa_column_t *column = &view->columns[view->key[i]];
        const kappa_field_t *field = column->field;

        bool required = kappa_model_ref_is_required(field->type);
        bool aggregate = required && !column->required;

        if (column->kind == KAPPA_COLUMN_JSON || aggregate) {
            status = kappa_model_refuse(b, field->source, field->offset,
                "\"%.*s.%.*s\" is in the key and must be a scalar or an "
                "enum.",
                KAPPA_STR_ARG(view->name), KAPPA_STR_ARG(field->name));
        } else if (!required) {
            status = kappa_model_refuse(b, field->source, field->offset,
                "\"%.*s.%.*s\" is in the key and must be non-null: %.*s!",
                KAPPA_STR_ARG(view->name), KAPPA_STR_ARG(field->name),
                KAPPA_STR_ARG(field->type->named->name));
        }
    }
    return status;
}

static bool
same_columns(const kappa_index_t *a, const kappa_index_t *b)
{
    return a->column_count == b->column_count
        && memcmp(a->columns, b->columns, sizeof(uint32_t) * a->column_count)
        == 0;
}

static kappa_status_t
add_index(kappa_model_builder_t *b, kappa_view_t *view,
    const kappa_directive_node_t *node)
{
    kappa_index_t *index = &view->indexes[view->index_count];

    if (view->index_count == INDEXES_MAX) {
        return kappa_model_refuse(b, node->source, node->offset,
            "View \"%.*s\" has more than %d indexes.",
            KAPPA_STR_ARG(view->name), INDEXES_MAX);
    }
    index->view = view;
    index->number = view->index_count;
    index->unique = kappa_model_flag(node, "unique");
    kappa_status_t status = kappa_model_columns(
        b, view, node, "fields", &index->columns, &index->column_count);
    if (status != KAPPA_OK || !index->column_count) {
        return status;
    }
    for (uint32_t i = 0; i < view->index_count; i++) {
        if (same_columns(&view->indexes[i], index)) {
            return kappa_model_refuse(b, node->source, node->offset,
                i == 0 ? "This @index is the view's key, which is an index "
                         "already."
                       : "This @index is there already.");
        }
    }
    view->index_count++;
    return KAPPA_OK;
}

static kappa_status_t
view_indexes(kappa_model_builder_t *b, kappa_view_t *view)
{
    kappa_status_t status = KAPPA_OK;
    const kappa_directive_node_t *node =
        kappa_model_directive(view->type->directives, "index");

    view->indexes = KAPPA_NEW_ARRAY(b->arena, kappa_index_t, INDEXES_MAX + 1);
    if (!view->indexes) {
        return KAPPA_NOMEM;
    }
    view->indexes[0] = (kappa_index_t){ .view = view,
        .columns = view->key,
        .column_count = view->key_count,
        .unique = true };
    view->index_count = 1;
    for (; status == KAPPA_OK && node; node = kappa_directive_next(node)) {
        status = add_index(b, view, node);
    }
    return status;
}

kappa_status_t
kappa_model_keys(kappa_model_builder_t *b)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < b->model->view_count; i++) {
        status = view_key(b, b->model->views[i]);
    }
    return status;
}

kappa_status_t
kappa_model_indexes(kappa_model_builder_t *b)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < b->model->view_count; i++) {
        status = view_indexes(b, b->model->views[i]);
    }
    return status;
}
