#include "views/model_private.h"

/* What the schema's types are to the model: views, embedded objects, the
 * shapes of Relay, payloads. */

static const char *const role_names[] = {
    [KAPPA_ROLE_NONE] = "",
    [KAPPA_ROLE_ROOT] = "an operation's root",
    [KAPPA_ROLE_VIEW] = "a view",
    [KAPPA_ROLE_EMBEDDED] = "embedded in rows",
    [KAPPA_ROLE_CONNECTION] = "a connection",
    [KAPPA_ROLE_EDGE] = "a connection's edge",
    [KAPPA_ROLE_PAGE_INFO] = "a connection's pageInfo",
    [KAPPA_ROLE_PAYLOAD] = "a mutation's payload",
};

kappa_status_t
kappa_model_types_init(kappa_model_builder_t *b)
{
    uint32_t count = b->schema->type_count;

    b->roles = KAPPA_NEW_ARRAY(b->arena, kappa_type_role_t, count);
    b->rows = KAPPA_NEW_ARRAY(b->arena, const kappa_rows_t *, count);
    b->nodes = KAPPA_NEW_ARRAY(b->arena, const kappa_rows_t *, count);
    b->types = KAPPA_NEW_ARRAY(b->arena, kappa_expr_type_t *, count);
    if (!b->roles || !b->rows || !b->nodes || !b->types) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < 3; i++) {
        if (b->schema->roots[i]) {
            b->roles[b->schema->roots[i]->number] = KAPPA_ROLE_ROOT;
        }
    }
    return KAPPA_OK;
}

kappa_view_t *
kappa_model_view_of(kappa_model_builder_t *b, const kappa_type_t *type)
{
    if (type->builtin || type->kind != KAPPA_TYPE_OBJECT
        || b->roles[type->number] != KAPPA_ROLE_VIEW) {
        return NULL;
    }
    return kappa_map_get(&b->model->view_map, type->name);
}

const kappa_rows_t *
kappa_model_rows_of(const kappa_model_builder_t *b, const kappa_type_t *type)
{
    return type->builtin ? NULL : b->rows[type->number];
}

kappa_status_t
kappa_model_take_role(kappa_model_builder_t *b, const kappa_type_t *type,
    kappa_type_role_t role, const char *what, const kappa_source_t *source,
    uint32_t offset, bool *fresh)
{
    kappa_type_role_t *slot = &b->roles[type->number];

    *fresh = *slot == KAPPA_ROLE_NONE;
    if (*fresh) {
        *slot = role;
        return KAPPA_OK;
    }
    if (*slot == role) {
        return KAPPA_OK;
    }
    return kappa_model_refuse(b, source, offset,
        "%s: type \"%.*s\" is %s already and can't be %s too; give each its "
        "own type.",
        what, KAPPA_STR_ARG(type->name), role_names[*slot], role_names[role]);
}

kappa_field_binding_t *
kappa_model_bind(kappa_model_builder_t *b, const kappa_field_t *field,
    kappa_bind_t kind, const void *data)
{
    kappa_field_binding_t *binding =
        KAPPA_NEW(b->arena, kappa_field_binding_t);

    if (!binding) {
        return NULL;
    }
    binding->binding = (kappa_binding_t){ .kind = kind, .data = data };
    binding->field = field;
    /* The schema is still ours alone, though its readers see it const. */
    ((kappa_field_t *)field)->binding = &binding->binding;
    return binding;
}

bool
kappa_model_ref_is_required(const kappa_type_ref_t *ref)
{
    return ref->kind == KAPPA_REF_NON_NULL;
}

bool
kappa_model_ref_is_list(const kappa_type_ref_t *ref)
{
    if (ref->kind == KAPPA_REF_NON_NULL) {
        ref = ref->of;
    }
    return ref->kind == KAPPA_REF_LIST;
}

bool
kappa_model_ref_is_nested(const kappa_type_ref_t *ref)
{
    if (ref->kind == KAPPA_REF_NON_NULL) {
        ref = ref->of;
    }
    return ref->kind == KAPPA_REF_LIST && kappa_model_ref_is_list(ref->of);
}

static kappa_column_kind_t
scalar_kind(kappa_scalar_t scalar)
{
    switch (scalar) {
    case KAPPA_SCALAR_INT:
        return KAPPA_COLUMN_INT;
    case KAPPA_SCALAR_FLOAT:
        return KAPPA_COLUMN_DOUBLE;
    case KAPPA_SCALAR_BOOLEAN:
        return KAPPA_COLUMN_BOOL;
    case KAPPA_SCALAR_DATETIME:
        return KAPPA_COLUMN_TIME;
    case KAPPA_SCALAR_BIGINT:
        return KAPPA_COLUMN_BIGINT;
    case KAPPA_SCALAR_JSON:
        return KAPPA_COLUMN_JSON;
    case KAPPA_SCALAR_STRING:
    case KAPPA_SCALAR_ID:
    case KAPPA_SCALAR_DATE:
    case KAPPA_SCALAR_UUID:
        break;
    }
    return KAPPA_COLUMN_STRING;
}

kappa_column_kind_t
kappa_model_ref_kind(const kappa_type_ref_t *ref)
{
    const kappa_type_t *named = ref->named;

    if (kappa_model_ref_is_list(ref)) {
        return KAPPA_COLUMN_JSON;
    }
    if (named->kind == KAPPA_TYPE_ENUM) {
        return KAPPA_COLUMN_STRING;
    }
    return named->kind == KAPPA_TYPE_SCALAR ? scalar_kind(named->scalar)
                                            : KAPPA_COLUMN_JSON;
}

bool
kappa_model_ref_same(const kappa_type_ref_t *a, const kappa_type_ref_t *b)
{
    if (kappa_model_ref_kind(a) != kappa_model_ref_kind(b)
        || kappa_model_ref_is_list(a) != kappa_model_ref_is_list(b)) {
        return false;
    }
    if (a->named->kind == KAPPA_TYPE_ENUM
        || b->named->kind == KAPPA_TYPE_ENUM) {
        return a->named == b->named;
    }
    return true;
}

/* One field of an embedded object: a leaf, or an object again. */
static kappa_status_t
embed_field(kappa_model_builder_t *b, const kappa_field_t *field)
{
    if (field->arg_count) {
        return kappa_model_refuse(b, field->source, field->offset,
            "Field \"%.*s.%.*s\" is stored inside a row and can't take "
            "arguments.",
            KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name));
    }
    kappa_field_binding_t *binding =
        kappa_model_bind(b, field, KAPPA_BIND_COLUMN, NULL);
    if (!binding) {
        return KAPPA_NOMEM;
    }
    binding->binding.column = UINT32_MAX;
    return KAPPA_OK;
}

typedef struct {
    const kappa_type_t **types;
    uint32_t count;
} todo_t;

/* Notes the type of a field if it is an object that is new. */
static kappa_status_t
embed_type(kappa_model_builder_t *b, todo_t *todo, const kappa_field_t *field)
{
    const kappa_type_t *type = field->type->named;
    bool fresh = false;

    if (!kappa_type_is_composite(type)) {
        return KAPPA_OK;
    }
    if (b->roles[type->number] == KAPPA_ROLE_VIEW) {
        return kappa_model_refuse(b, field->source, field->offset,
            "Field \"%.*s.%.*s\" is of the view \"%.*s\" but has no link: "
            "@belongsTo(by:) stands on a view's field that is one row, "
            "@hasMany(by:) on one that is a list or a connection.",
            KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name),
            KAPPA_STR_ARG(type->name));
    }
    if (type->kind != KAPPA_TYPE_OBJECT) {
        return kappa_model_refuse(b, field->source, field->offset,
            "Field \"%.*s.%.*s\" is stored and can't be of the %s "
            "\"%.*s\": a stored value doesn't say which type it is. Make it "
            "an object type, or a link to a view.",
            KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name),
            type->kind == KAPPA_TYPE_UNION ? "union" : "interface",
            KAPPA_STR_ARG(type->name));
    }
    kappa_status_t status = kappa_model_take_role(b, type, KAPPA_ROLE_EMBEDDED,
        "A stored field", field->source, field->offset, &fresh);
    if (fresh) {
        todo->types[todo->count++] = type;
    }
    return status;
}

/* Types nest as deep as there are types: a list of what is to be done. */
kappa_status_t
kappa_model_embed(kappa_model_builder_t *b, const kappa_field_t *field)
{
    todo_t todo = { .count = 0 };

    if (!kappa_type_is_composite(field->type->named)) {
        return KAPPA_OK;
    }
    todo.types =
        KAPPA_NEW_ARRAY(b->arena, const kappa_type_t *, b->schema->type_count);
    if (!todo.types) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = embed_type(b, &todo, field);
    while (status == KAPPA_OK && todo.count) {
        const kappa_type_t *object = todo.types[--todo.count];

        for (uint32_t i = 0; status == KAPPA_OK && i < object->field_count;
             i++) {
            status = embed_field(b, &object->fields[i]);
            if (status == KAPPA_OK) {
                status = embed_type(b, &todo, &object->fields[i]);
            }
        }
    }
    return status;
}
