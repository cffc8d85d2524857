#include "views/model_private.h"

/* What root fields do, read from their shape. */

/* ---- one row by its whole key ---- */

static int32_t
key_part(const kappa_view_t *view, kappa_str_t name)
{
    for (uint32_t i = 0; i < view->key_count; i++) {
        if (kappa_str_eq(view->columns[view->key[i]].name, name)) {
            return (int32_t)i;
        }
    }
    return -1;
}

static kappa_status_t
key_arg(kappa_model_builder_t *b, const kappa_field_t *field,
    const kappa_input_t *arg, kappa_one_t *one)
{
    const kappa_view_t *view = one->rows->views[0];
    int32_t part = key_part(view, arg->name);

    if (part < 0) {
        return kappa_model_refuse(b, arg->source, arg->offset,
            "\"%.*s.%.*s\" is one \"%.*s\" by its key; \"%.*s\" is no key "
            "field of it. To filter by others return a list.",
            KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name),
            KAPPA_STR_ARG(one->rows->type->name), KAPPA_STR_ARG(arg->name));
    }
    const kappa_column_t *column = &view->columns[view->key[part]];
    one->parts[part] = (int32_t)arg->number;
    if (!kappa_model_ref_same(arg->type, column->field->type)) {
        return kappa_model_refuse(b, arg->source, arg->offset,
            "Argument \"%.*s\" must be of type %.*s, as the key \"%.*s.%.*s\" "
            "is.",
            KAPPA_STR_ARG(arg->name),
            KAPPA_STR_ARG(column->field->type->named->name),
            KAPPA_STR_ARG(one->rows->type->name), KAPPA_STR_ARG(column->name));
    }
    return KAPPA_OK;
}

static kappa_status_t
key_args(
    kappa_model_builder_t *b, const kappa_field_t *field, kappa_one_t *one)
{
    const kappa_view_t *view = one->rows->views[0];
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < view->key_count; i++) {
        one->parts[i] = -1;
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < field->arg_count; i++) {
        status = key_arg(b, field, &field->args[i], one);
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < view->key_count; i++) {
        const kappa_column_t *column = &view->columns[view->key[i]];

        if (one->parts[i] < 0) {
            return kappa_model_refuse(b, field->source, field->offset,
                "\"%.*s.%.*s\" is one \"%.*s\" and needs its whole key: "
                "argument \"%.*s: %.*s!\" is missing.",
                KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name),
                KAPPA_STR_ARG(one->rows->type->name),
                KAPPA_STR_ARG(column->name),
                KAPPA_STR_ARG(column->field->type->named->name));
        }
    }
    return status;
}

static kappa_status_t
bind_one(kappa_model_builder_t *b, const kappa_field_t *field,
    const kappa_rows_t *rows, kappa_field_binding_t **binding)
{
    kappa_one_t *one = KAPPA_NEW(b->arena, kappa_one_t);

    *binding = kappa_model_bind(b, field, KAPPA_BIND_ONE, one);
    if (!one || !*binding) {
        return KAPPA_NOMEM;
    }
    one->rows = rows;
    one->from_args = true;
    one->parts = KAPPA_NEW_ARRAY(b->arena, int32_t, rows->views[0]->key_count);
    if (!one->parts) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = key_args(b, field, one);
    return status == KAPPA_OK
        ? kappa_model_arg_stamps(b, field, &one->stamps, &one->stamp_count)
        : status;
}

/* ---- many rows ---- */

static kappa_status_t
bind_many(kappa_model_builder_t *b, const kappa_field_t *field,
    kappa_field_binding_t **binding)
{
    const kappa_rows_t *rows;
    bool connection, said;
    uint32_t refused = b->refused;
    kappa_status_t status = kappa_model_many(b, field, &rows, &connection);

    *binding = NULL;
    if (status != KAPPA_OK || b->refused != refused) {
        return status;
    }
    if (!rows) {
        status = kappa_model_refuse_abstract(b, field, &said);
        return said
            ? status
            : kappa_model_refuse(b, field->source, field->offset,
                "\"%.*s.%.*s\" returns neither a view, nor a list nor a "
                "connection of one.",
                KAPPA_STR_ARG(field->parent->name),
                KAPPA_STR_ARG(field->name));
    }
    kappa_list_t *list = kappa_model_new_list(b, rows);
    *binding = kappa_model_bind(
        b, field, connection ? KAPPA_BIND_CONNECTION : KAPPA_BIND_LIST, list);
    if (!list || !*binding) {
        return KAPPA_NOMEM;
    }
    return kappa_model_list(b, field, list);
}

/* ---- @allow ---- */

static kappa_status_t
root_allow(kappa_model_builder_t *b, const kappa_field_t *field,
    kappa_field_binding_t *binding)
{
    const kappa_directive_node_t *node =
        kappa_model_directive(field->directives, "allow");
    kappa_expr_scope_t scope = kappa_model_scope("@allow on a root field");

    if (!node) {
        return KAPPA_OK;
    }
    scope.roots[KAPPA_ROOT_ARGS] = kappa_model_args_type(b, field);
    if (!scope.roots[KAPPA_ROOT_ARGS]) {
        return KAPPA_NOMEM;
    }
    kappa_model_scope_caller(&scope);
    kappa_model_scope_lookups(b, &scope);
    binding->binding.rule = true;
    return kappa_model_compile_arg(
        b, node, "if", &scope, &kappa_expr_bool, &binding->allow);
}

static void
copy_allow(kappa_field_binding_t *binding)
{
    const void *data = binding->binding.data;

    if (binding->binding.kind == KAPPA_BIND_ONE) {
        ((kappa_one_t *)data)->allow = binding->allow;
    } else if (binding->binding.kind != KAPPA_BIND_CHANGES) {
        ((kappa_list_t *)data)->allow = binding->allow;
    }
}

static kappa_status_t
read_field(kappa_model_builder_t *b, const kappa_field_t *field)
{
    kappa_field_binding_t *binding = NULL;
    const kappa_rows_t *rows = kappa_model_ref_is_list(field->type)
        ? NULL
        : kappa_model_rows_of(b, field->type->named);
    kappa_status_t status = rows ? bind_one(b, field, rows, &binding)
                                 : bind_many(b, field, &binding);

    if (status != KAPPA_OK || !binding) {
        return status;
    }
    status = root_allow(b, field, binding);
    copy_allow(binding);
    return status;
}

/* ---- @changes ---- */

/* The stored field of the stream's type that an argument names. NULL: none. */
static const kappa_field_t *
changes_by(
    const kappa_type_t *type, const kappa_changes_t *c, kappa_str_t name)
{
    int32_t column = c->view ? kappa_model_column(c->view, name) : 0;

    return column < 0 ? NULL : kappa_type_field(type, name);
}

static kappa_status_t
changes_arg(kappa_model_builder_t *b, const kappa_type_t *type,
    const kappa_input_t *arg, kappa_changes_t *c)
{
    const kappa_field_t *field = changes_by(type, c, arg->name);

    if (!field || !kappa_model_ref_same(arg->type, field->type)) {
        return kappa_model_refuse(b, arg->source, arg->offset,
            "Argument \"%.*s\" of a @changes field must be named and typed "
            "like a stored field of \"%.*s\".",
            KAPPA_STR_ARG(arg->name), KAPPA_STR_ARG(type->name));
    }
    if (arg->hidden && !kappa_model_ref_is_required(arg->type)) {
        return kappa_model_refuse(b, arg->source, arg->offset,
            "The stamped argument \"%.*s\" filters the events and must be "
            "non-null, else nothing is filtered when it is null.",
            KAPPA_STR_ARG(arg->name));
    }
    c->args[arg->number] = (kappa_list_arg_t){ .role = KAPPA_ARG_EQUAL,
        .column = c->view ? (uint32_t)kappa_model_column(c->view, arg->name)
                          : UINT32_MAX };
    return KAPPA_OK;
}

/* They are filled in once, when somebody subscribes. */
static kappa_status_t
changes_stamps(kappa_model_builder_t *b, const kappa_field_t *field,
    kappa_changes_t *changes)
{
    kappa_status_t status = kappa_model_arg_stamps(
        b, field, &changes->stamps, &changes->stamp_count);

    for (uint32_t i = 0; status == KAPPA_OK && i < changes->stamp_count; i++) {
        const kappa_expr_t *value = changes->stamps[i].value;
        const kappa_input_t *arg = &field->args[changes->stamps[i].arg];

        if (value
            && kappa_expr_reads(value)->roots & KAPPA_READS(KAPPA_ROOT_NOW)) {
            status = kappa_model_refuse(b, arg->source, arg->offset,
                "The argument \"%.*s\" of a @changes field can't be stamped "
                "with now: events of later times are compared with it.",
                KAPPA_STR_ARG(arg->name));
        }
    }
    return status;
}

/* A type that is no view takes its fields from event.data. */
static kappa_status_t
changes_data(kappa_model_builder_t *b, const kappa_field_t *field,
    kappa_field_binding_t *binding)
{
    const kappa_type_t *type = field->type->named;

    if (type->kind != KAPPA_TYPE_OBJECT) {
        return kappa_model_refuse(b, field->source, field->offset,
            "\"%.*s.%.*s\" must be of an object type: the view whose changes "
            "it streams, or a type whose fields are members of the events' "
            "data.",
            KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name));
    }
    binding->binding.json = true;
    return kappa_model_embed(b, field);
}

static kappa_status_t
changes_type(kappa_model_builder_t *b, const kappa_field_t *field,
    kappa_changes_t *changes, kappa_field_binding_t *binding)
{
    const kappa_type_t *thing = kappa_schema_type(b->schema, changes->thing);
    const kappa_view_t *own = thing ? kappa_model_view_of(b, thing) : NULL;
    const kappa_type_t *type = field->type->named;

    changes->view = kappa_model_view_of(b, type);
    changes->rule = own && own->allow ? own : NULL;
    changes->was = own ? own->was : KAPPA_STR_NULL;
    if (changes->view != (changes->view ? own : NULL)
        || kappa_model_ref_is_list(field->type)) {
        return kappa_model_refuse(b, field->source, field->offset,
            "\"%.*s.%.*s\" must be of type %.*s, whose changes it streams%s.",
            KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name),
            KAPPA_STR_ARG(changes->thing),
            own ? "" : ", or of any other that is no view");
    }
    return changes->view ? KAPPA_OK : changes_data(b, field, binding);
}

static kappa_status_t
changes_field(kappa_model_builder_t *b, const kappa_field_t *field,
    const kappa_directive_node_t *node)
{
    kappa_changes_t *changes = KAPPA_NEW(b->arena, kappa_changes_t);
    uint32_t refused = b->refused;
    kappa_field_binding_t *binding =
        kappa_model_bind(b, field, KAPPA_BIND_CHANGES, changes);

    if (!changes || !binding) {
        return KAPPA_NOMEM;
    }
    changes->thing = kappa_model_text(node, "thing");
    kappa_status_t status = kappa_model_names(
        b, node, "verb", &changes->verbs, &changes->verb_count);
    if (status == KAPPA_OK) {
        status = changes_type(b, field, changes, binding);
    }
    if (status != KAPPA_OK || b->refused != refused) {
        return status;
    }
    changes->arg_count = field->arg_count;
    changes->args =
        KAPPA_NEW_ARRAY(b->arena, kappa_list_arg_t, field->arg_count);
    if (!changes->args) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < field->arg_count; i++) {
        status = changes_arg(b, field->type->named, &field->args[i], changes);
    }
    if (status == KAPPA_OK) {
        status = changes_stamps(b, field, changes);
    }
    return status == KAPPA_OK ? root_allow(b, field, binding) : status;
}

static kappa_status_t
root_field(kappa_model_builder_t *b, const kappa_field_t *field,
    kappa_operation_type_t operation)
{
    const kappa_directive_node_t *changes =
        kappa_model_directive(field->directives, "changes");

    if (operation == KAPPA_OPERATION_MUTATION) {
        return kappa_model_mutation(b, field);
    }
    return changes ? changes_field(b, field, changes) : read_field(b, field);
}

kappa_status_t
kappa_model_roots(kappa_model_builder_t *b)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < 3; i++) {
        const kappa_type_t *root = b->schema->roots[i];

        for (uint32_t j = 0;
             status == KAPPA_OK && root && j < root->field_count; j++) {
            status = root_field(b, &root->fields[j], i);
        }
    }
    return status;
}
