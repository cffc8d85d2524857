#include "t/unit/graphql_fake.h"

#include <stdio.h>

#include "base/json.h"
#include "graphql/parser.h"

#define DEPTH_MAX 100

typedef struct {
    enum {
        CHILD_NULL,
        CHILD_ERROR,
        CHILD_ROWS
    } kind;
    const char *code;
    kappa_str_t message;
    kappa_row_t *rows;
    uint32_t count;
} child_t;

/* A row: a column and a child for each field of its type. */
typedef struct {
    const kappa_type_t *type;
    kappa_str_t *columns;
    child_t *children;
} row_t;

static const struct {
    const char *name;
    kappa_bind_t bind;
} binds[] = {
    { "COLUMN", KAPPA_BIND_COLUMN },
    { "VALUE", KAPPA_BIND_VALUE },
    { "ONE", KAPPA_BIND_ONE },
    { "LIST", KAPPA_BIND_LIST },
    { "CONNECTION", KAPPA_BIND_CONNECTION },
    { "EDGES", KAPPA_BIND_EDGES },
    { "NODES", KAPPA_BIND_NODES },
    { "PAGE_INFO", KAPPA_BIND_PAGE_INFO },
    { "TOTAL_COUNT", KAPPA_BIND_TOTAL_COUNT },
    { "EDGE_NODE", KAPPA_BIND_EDGE_NODE },
    { "EDGE_CURSOR", KAPPA_BIND_EDGE_CURSOR },
    { "HAS_NEXT_PAGE", KAPPA_BIND_HAS_NEXT_PAGE },
    { "HAS_PREVIOUS_PAGE", KAPPA_BIND_HAS_PREVIOUS_PAGE },
    { "START_CURSOR", KAPPA_BIND_START_CURSOR },
    { "END_CURSOR", KAPPA_BIND_END_CURSOR },
    { "MUTATION", KAPPA_BIND_MUTATION },
    { "PAYLOAD_ROW", KAPPA_BIND_PAYLOAD_ROW },
    { "PAYLOAD_POSITION", KAPPA_BIND_PAYLOAD_POSITION },
    { "PAYLOAD_DUPLICATE", KAPPA_BIND_PAYLOAD_DUPLICATE },
    { "PAYLOAD_EVENT", KAPPA_BIND_PAYLOAD_EVENT },
    { "CHANGES", KAPPA_BIND_CHANGES },
};

static bool
is_list(const kappa_type_ref_t *type)
{
    return type->kind == KAPPA_REF_LIST
        || (type->kind == KAPPA_REF_NON_NULL
            && type->of->kind == KAPPA_REF_LIST);
}

static kappa_bind_t
bind_of(const kappa_schema_t *schema, const kappa_field_t *field,
    const kappa_directive_node_t *directive)
{
    const kappa_literal_t *as =
        directive ? kappa_directive_arg(directive, KAPPA_STR("as")) : NULL;

    for (size_t i = 0; as && i < sizeof(binds) / sizeof(binds[0]); i++) {
        if (kappa_str_eq_c(as->text, binds[i].name)) {
            return binds[i].bind;
        }
    }
    if (field->parent == schema->roots[KAPPA_OPERATION_MUTATION]) {
        return KAPPA_BIND_MUTATION;
    }
    if (kappa_type_is_leaf(field->type->named)) {
        return KAPPA_BIND_COLUMN;
    }
    return is_list(field->type) ? KAPPA_BIND_LIST : KAPPA_BIND_ONE;
}

static kappa_status_t
bind_type(kappa_fake_t *fake, const kappa_type_t *type)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        kappa_field_t *field = &type->fields[i];
        const kappa_directive_node_t *directive =
            kappa_directive_find(field->directives, KAPPA_STR("bind"));
        const kappa_literal_t *rule = directive
            ? kappa_directive_arg(directive, KAPPA_STR("rule"))
            : NULL;
        kappa_binding_t *binding = KAPPA_NEW(fake->arena, kappa_binding_t);

        if (binding == NULL) {
            return KAPPA_NOMEM;
        }
        binding->kind = bind_of(fake->schema, field, directive);
        binding->column = i;
        binding->rule = rule && kappa_str_eq_c(rule->text, "true");
        field->binding = binding;
    }
    return KAPPA_OK;
}

static kappa_status_t make_row(kappa_fake_t *fake, const kappa_value_t *value,
    const kappa_type_t *type, unsigned depth, row_t **out);

static kappa_status_t
add_row(kappa_fake_t *fake, child_t *child, const kappa_value_t *value,
    const kappa_type_t *type, unsigned depth)
{
    kappa_row_t *row = &child->rows[child->count++];
    row_t *made;
    kappa_status_t status;

    if (kappa_is_null(value)) {
        return KAPPA_OK;
    }
    status = make_row(fake, value, type, depth, &made);
    if (status != KAPPA_OK) {
        return status;
    }
    *row = (kappa_row_t){
        .data = (const uint8_t *)made, .len = sizeof(row_t), .type = made->type
    };
    return KAPPA_OK;
}

static kappa_status_t
make_child(kappa_fake_t *fake, const kappa_value_t *value,
    const kappa_field_t *field, unsigned depth, child_t *child)
{
    const kappa_value_t *error =
        kappa_value_member(value, KAPPA_STR("__error"));
    bool list = value->kind == KAPPA_LIST;
    uint32_t count = list ? value->count : 1;
    const kappa_type_t *type = field->type->named;

    if (kappa_is_null(value)) {
        return KAPPA_OK;
    }
    if (error != NULL) {
        child->kind = CHILD_ERROR;
        child->message = error->as.string;
        child->code =
            kappa_value_member(value, KAPPA_STR("code"))->as.string.data;
        return KAPPA_OK;
    }
    if (field->binding->kind == KAPPA_BIND_CONNECTION) {
        type = kappa_type_field(type, KAPPA_STR("nodes"))->type->named;
    } else if (kappa_type_field(type, KAPPA_STR("position")) != NULL) {
        type = kappa_type_field(type, KAPPA_STR("package"))->type->named;
    }
    child->kind = CHILD_ROWS;
    child->rows = KAPPA_NEW_ARRAY(fake->arena, kappa_row_t, count);
    if (child->rows == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        kappa_status_t status = add_row(
            fake, child, list ? &value->as.items[i] : value, type, depth + 1);

        if (status != KAPPA_OK) {
            return status;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
make_column(
    kappa_fake_t *fake, const kappa_value_t *value, kappa_str_t *column)
{
    kappa_buf_t buf;

    if (kappa_is_null(value)) {
        return KAPPA_OK;
    }
    kappa_buf_init(&buf, kappa_arena_source(fake->arena));
    kappa_json_value(&buf, value);
    if (!buf.failed) {
        *column = kappa_str_dup(fake->arena, kappa_buf_view(&buf));
    }
    kappa_buf_release(&buf);
    return column->data ? KAPPA_OK : KAPPA_NOMEM;
}

static bool
is_column(const kappa_field_t *field)
{
    return field->binding->kind == KAPPA_BIND_COLUMN
        || field->binding->kind == KAPPA_BIND_VALUE;
}

static kappa_status_t
make_row(kappa_fake_t *fake, const kappa_value_t *value,
    const kappa_type_t *type, unsigned depth, row_t **out)
{
    const kappa_value_t *name =
        kappa_value_member(value, KAPPA_STR("__typename"));
    row_t *row = KAPPA_NEW(fake->arena, row_t);

    if (name != NULL) {
        type = kappa_schema_type(fake->schema, name->as.string);
    }
    if (row == NULL) {
        return KAPPA_NOMEM;
    }
    if (depth == DEPTH_MAX || type == NULL
        || type->kind != KAPPA_TYPE_OBJECT) {
        return KAPPA_INVALID;
    }
    row->type = type;
    row->columns =
        KAPPA_NEW_ARRAY(fake->arena, kappa_str_t, type->field_count);
    row->children = KAPPA_NEW_ARRAY(fake->arena, child_t, type->field_count);
    if (row->columns == NULL || row->children == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < type->field_count; i++) {
        const kappa_field_t *field = &type->fields[i];
        const kappa_value_t *member = kappa_value_member(value, field->name);
        kappa_status_t status = KAPPA_OK;

        if (member != NULL) {
            status = is_column(field)
                ? make_column(fake, member, &row->columns[i])
                : make_child(fake, member, field, depth, &row->children[i]);
        }
        if (status != KAPPA_OK) {
            return status;
        }
    }
    *out = row;
    return KAPPA_OK;
}

static const row_t *
row_of(const kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent)
{
    const kappa_fake_t *fake = data->ctx;

    if (parent != NULL) {
        return (const row_t *)parent->data;
    }
    for (int i = 0; i < 3; i++) {
        if (fake->schema->roots[i] == field->parent) {
            return fake->roots[i];
        }
    }
    return NULL;
}

/* The child of the row that a field reads, its error reported. */
static kappa_status_t
fetch(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const child_t **out, kappa_errors_t *errors)
{
    const row_t *row = row_of(data, field, parent);
    const child_t *child = row ? &row->children[field->binding->column] : NULL;

    if (child == NULL || child->kind == CHILD_NULL) {
        return KAPPA_NOT_FOUND;
    }
    if (child->kind == CHILD_ERROR) {
        kappa_errors_add(
            errors, child->code, "%.*s", KAPPA_STR_ARG(child->message));
        return KAPPA_INVALID;
    }
    *out = child;
    return KAPPA_OK;
}

static kappa_str_t
fake_column(const kappa_row_t *row, uint32_t column)
{
    return ((const row_t *)row->data)->columns[column];
}

static kappa_status_t
echo(const kappa_field_t *field, const kappa_value_t *args,
    kappa_arena_t *arena, kappa_str_t *json)
{
    kappa_member_t *members =
        KAPPA_NEW_ARRAY(arena, kappa_member_t, field->arg_count);
    kappa_value_t object = {
        .kind = KAPPA_OBJECT, .count = field->arg_count, .as.members = members
    };
    kappa_buf_t buf;

    if (members == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < field->arg_count; i++) {
        members[i] = (kappa_member_t){ field->args[i].name, args[i] };
    }
    kappa_buf_init(&buf, kappa_arena_source(arena));
    kappa_json_value(&buf, &object);
    *json = buf.failed ? KAPPA_STR_NULL
                       : kappa_str_dup(arena, kappa_buf_view(&buf));
    kappa_buf_release(&buf);
    return json->data ? KAPPA_OK : KAPPA_NOMEM;
}

static kappa_status_t
fake_value(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, kappa_arena_t *arena,
    kappa_str_t *json, kappa_errors_t *errors)
{
    const row_t *row = row_of(data, field, parent);

    (void)errors;
    if (field->arg_count > 0) {
        return echo(field, args, arena, json);
    }
    *json = row ? row->columns[field->binding->column] : KAPPA_STR_NULL;
    return KAPPA_OK;
}

static kappa_status_t
fake_one(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, kappa_arena_t *arena,
    kappa_row_t *row, kappa_errors_t *errors)
{
    const child_t *child;
    kappa_status_t status = fetch(data, field, parent, &child, errors);

    (void)args;
    (void)arena;
    if (status == KAPPA_OK) {
        *row = child->rows[0];
    }
    return status;
}

static kappa_status_t
fake_list(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, bool want_total,
    kappa_arena_t *arena, kappa_page_t *page, kappa_errors_t *errors)
{
    const child_t *child;
    kappa_status_t status = fetch(data, field, parent, &child, errors);

    (void)arena;
    if (status != KAPPA_OK) {
        return status;
    }
    page->rows = child->rows;
    page->count = child->count;
    page->total = want_total ? (int64_t)child->count : -1;
    if (field->arg_count > 0 && args[0].kind == KAPPA_INT
        && args[0].as.integer >= 0 && args[0].as.integer < page->count) {
        page->count = (uint32_t)args[0].as.integer;
        page->has_next = true;
    }
    return KAPPA_OK;
}

static void
fake_cursor(
    kappa_data_t *data, const kappa_page_t *page, uint32_t i, kappa_buf_t *buf)
{
    (void)data;
    (void)page;
    kappa_buf_printf(buf, "\"c%u\"", i);
}

static bool
fake_allowed(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, kappa_arena_t *arena)
{
    (void)data;
    (void)field;
    (void)parent;
    (void)args;
    (void)arena;
    return false;
}

static kappa_status_t
fake_mutate(kappa_data_t *data, const kappa_field_t *field, kappa_str_t path,
    const kappa_value_t *args, kappa_arena_t *arena, kappa_mutated_t *out,
    kappa_errors_t *errors)
{
    const child_t *child;
    kappa_status_t status = fetch(data, field, NULL, &child, errors);

    (void)args;
    out->position = KAPPA_STR("epoch-1");
    out->event_id = kappa_str_dup(arena, path);
    if (out->event_id.data == NULL) {
        return KAPPA_NOMEM;
    }
    if (status == KAPPA_OK) {
        out->row = child->rows[0];
    }
    return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
}

static void
fake_columns(const kappa_row_t *row, const uint32_t *columns, uint32_t count,
    kappa_str_t *out)
{
    for (uint32_t i = 0; i < count; i++) {
        out[i] = fake_column(row, columns[i]);
    }
}

static const kappa_data_ops_t ops = {
    .column = fake_column,
    .columns = fake_columns,
    .value = fake_value,
    .one = fake_one,
    .list = fake_list,
    .cursor = fake_cursor,
    .allowed = fake_allowed,
    .mutate = fake_mutate,
};

static kappa_status_t
make_roots(kappa_fake_t *fake, const kappa_value_t *data)
{
    for (int i = 0; i < 3; i++) {
        const kappa_type_t *type = fake->schema->roots[i];
        const kappa_value_t *value =
            type ? kappa_value_member(data, type->name) : NULL;
        row_t *row = NULL;

        if (value != NULL) {
            kappa_status_t status = make_row(fake, value, type, 0, &row);

            if (status != KAPPA_OK) {
                return status;
            }
        }
        fake->roots[i] = row;
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_fake_init(kappa_fake_t *fake, kappa_arena_t *arena, kappa_str_t sdl,
    kappa_str_t json, kappa_errors_t *errors)
{
    kappa_source_t *source = KAPPA_NEW(arena, kappa_source_t);
    kappa_document_t *document;
    kappa_value_t data;
    kappa_str_t message;
    kappa_status_t status;

    *fake = (kappa_fake_t){ .data = { &ops, fake }, .arena = arena };
    if (source == NULL) {
        return KAPPA_NOMEM;
    }
    *source = (kappa_source_t){ KAPPA_STR("schema.graphql"), sdl };
    status = kappa_parse(arena, source, NULL, &document, errors);
    if (status == KAPPA_OK) {
        status =
            kappa_schema_build(arena, &document, 1, &fake->schema, errors);
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < fake->schema->type_count;
         i++) {
        if (!fake->schema->types[i]->builtin) {
            status = bind_type(fake, fake->schema->types[i]);
        }
    }
    if (status == KAPPA_OK) {
        status = kappa_json_parse(arena, json, &data, &message);
    }
    return status == KAPPA_OK ? make_roots(fake, &data) : status;
}

kappa_str_t
kappa_fake_read(kappa_arena_t *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    char *data = NULL;
    long size;

    if (file == NULL) {
        return KAPPA_STR_NULL;
    }
    if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0
        && fseek(file, 0, SEEK_SET) == 0) {
        data = kappa_arena_bytes(arena, (size_t)size);
        if (data != NULL
            && fread(data, 1, (size_t)size, file) != (size_t)size) {
            data = NULL;
        }
    }
    fclose(file);
    return kappa_str(data, data ? (size_t)size : 0);
}

kappa_row_t
kappa_fake_row(
    const kappa_fake_t *fake, kappa_operation_type_t root, const char *field)
{
    const row_t *row = fake->roots[root];
    const kappa_field_t *f =
        kappa_type_field(fake->schema->roots[root], kappa_str_c(field));

    return row->children[f->binding->column].rows[0];
}
