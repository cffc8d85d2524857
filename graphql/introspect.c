#include "graphql/introspect.h"

#include "base/json.h"
#include "graphql/execute_private.h"
#include "graphql/print.h"

static const struct {
    kappa_str_t type;
    kappa_str_t field;
    kappa_meta_t meta;
} names[] = {
#define META(type, field, meta)                                               \
    {                                                                         \
        { type, sizeof(type) - 1 }, { field, sizeof(field) - 1 },             \
            KAPPA_META_##meta                                                 \
    }
    /* clang-format off */
    META("__Schema", "description", SCHEMA_DESCRIPTION),
    META("__Schema", "types", SCHEMA_TYPES),
    META("__Schema", "queryType", SCHEMA_QUERY_TYPE),
    META("__Schema", "mutationType", SCHEMA_MUTATION_TYPE),
    META("__Schema", "subscriptionType", SCHEMA_SUBSCRIPTION_TYPE),
    META("__Schema", "directives", SCHEMA_DIRECTIVES),
    META("__Type", "kind", TYPE_KIND),
    META("__Type", "name", TYPE_NAME),
    META("__Type", "description", TYPE_DESCRIPTION),
    META("__Type", "specifiedByURL", TYPE_SPECIFIED_BY_URL),
    META("__Type", "fields", TYPE_FIELDS),
    META("__Type", "interfaces", TYPE_INTERFACES),
    META("__Type", "possibleTypes", TYPE_POSSIBLE_TYPES),
    META("__Type", "enumValues", TYPE_ENUM_VALUES),
    META("__Type", "inputFields", TYPE_INPUT_FIELDS),
    META("__Type", "ofType", TYPE_OF_TYPE),
    META("__Type", "isOneOf", TYPE_IS_ONE_OF),
    META("__Field", "name", FIELD_NAME),
    META("__Field", "description", FIELD_DESCRIPTION),
    META("__Field", "args", FIELD_ARGS),
    META("__Field", "type", FIELD_TYPE),
    META("__Field", "isDeprecated", FIELD_IS_DEPRECATED),
    META("__Field", "deprecationReason", FIELD_DEPRECATION_REASON),
    META("__InputValue", "name", INPUT_NAME),
    META("__InputValue", "description", INPUT_DESCRIPTION),
    META("__InputValue", "type", INPUT_TYPE),
    META("__InputValue", "defaultValue", INPUT_DEFAULT_VALUE),
    META("__InputValue", "isDeprecated", INPUT_IS_DEPRECATED),
    META("__InputValue", "deprecationReason", INPUT_DEPRECATION_REASON),
    META("__EnumValue", "name", VALUE_NAME),
    META("__EnumValue", "description", VALUE_DESCRIPTION),
    META("__EnumValue", "isDeprecated", VALUE_IS_DEPRECATED),
    META("__EnumValue", "deprecationReason", VALUE_DEPRECATION_REASON),
    META("__Directive", "name", DIRECTIVE_NAME),
    META("__Directive", "description", DIRECTIVE_DESCRIPTION),
    META("__Directive", "isRepeatable", DIRECTIVE_IS_REPEATABLE),
    META("__Directive", "locations", DIRECTIVE_LOCATIONS),
    META("__Directive", "args", DIRECTIVE_ARGS),
/* clang-format on */
#undef META
};

kappa_meta_t
kappa_introspect_field(const kappa_type_t *parent, kappa_str_t field)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (kappa_str_eq(names[i].field, field)
            && kappa_str_eq(names[i].type, parent->name)) {
            return names[i].meta;
        }
    }
    return KAPPA_META_NONE;
}

static kappa_written_t
write_text(kappa_execution_t *x, kappa_str_t text)
{
    if (text.data == NULL) {
        return KAPPA_WROTE_NULL;
    }
    kappa_json_string(x->buf, text);
    return KAPPA_WRITTEN;
}

static kappa_written_t
write_bool(kappa_execution_t *x, bool b)
{
    kappa_buf_str(x->buf, b ? KAPPA_STR("true") : KAPPA_STR("false"));
    return KAPPA_WRITTEN;
}

static kappa_written_t
write_object(kappa_execution_t *x, const kappa_plan_field_t *f,
    const void *meta, const kappa_path_t *path)
{
    kappa_scope_t scope = { .meta = meta };

    return meta ? kappa_execute_set(x, &f->select->cases[0].set, &scope, path)
                : KAPPA_WROTE_NULL;
}

static kappa_written_t
write_ref(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_type_ref_t *ref, const kappa_path_t *path)
{
    kappa_scope_t scope = { 0 };

    if (ref == NULL) {
        return KAPPA_WROTE_NULL;
    }
    if (ref->kind == KAPPA_REF_NAMED) {
        scope.meta = ref->named;
    } else {
        scope.ref = ref;
    }
    return kappa_execute_set(x, &f->select->cases[0].set, &scope, path);
}

/* A list in the making; all such items are non-null. */
typedef struct {
    kappa_execution_t *x;
    const kappa_plan_field_t *f;
    kappa_path_t path; /* of the next item */
    kappa_written_t written;
} list_t;

static list_t
list_start(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_path_t *path)
{
    kappa_buf_char(x->buf, '[');
    return (list_t){ x, f, { .up = path }, KAPPA_WRITTEN };
}

static void
list_add(list_t *list, const void *meta)
{
    if (list->written != KAPPA_WRITTEN) {
        return;
    }
    if (list->path.index > 0) {
        kappa_buf_char(list->x->buf, ',');
    }
    list->written = write_object(list->x, list->f, meta, &list->path);
    list->path.index++;
}

static kappa_written_t
list_end(list_t *list)
{
    kappa_buf_char(list->x->buf, ']');
    return list->written;
}

static kappa_written_t
write_types(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_type_t *const *types, uint32_t count, const kappa_path_t *path)
{
    list_t list = list_start(x, f, path);

    for (uint32_t i = 0; i < count; i++) {
        if (!types[i]->hidden) {
            list_add(&list, types[i]);
        }
    }
    return list_end(&list);
}

/* includeDeprecated, the only argument of those that have one. */
static kappa_written_t
all_wanted(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_path_t *path, bool *out)
{
    const kappa_value_t *args;
    kappa_written_t written = kappa_execute_args(x, f, path, &args);

    if (written == KAPPA_WRITTEN) {
        *out =
            args != NULL && args[0].kind == KAPPA_BOOL && args[0].as.boolean;
    }
    return written;
}

/* OBJECT or INTERFACE: has fields, too. */
static bool
has_interfaces(const kappa_type_t *type)
{
    return type->kind == KAPPA_TYPE_OBJECT
        || type->kind == KAPPA_TYPE_INTERFACE;
}

static kappa_written_t
write_fields(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_type_t *type, const kappa_path_t *path)
{
    bool all = false;
    kappa_written_t written = all_wanted(x, f, path, &all);
    list_t list;

    if (written != KAPPA_WRITTEN) {
        return written;
    }
    if (!has_interfaces(type)) {
        return KAPPA_WROTE_NULL;
    }
    list = list_start(x, f, path);
    for (uint32_t i = 0; i < type->field_count; i++) {
        const kappa_field_t *field = &type->fields[i];

        if (!field->hidden && (all || field->deprecation.data == NULL)) {
            list_add(&list, field);
        }
    }
    return list_end(&list);
}

static kappa_written_t
write_inputs(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_input_t *inputs, uint32_t count, const kappa_path_t *path)
{
    bool all = false;
    kappa_written_t written = all_wanted(x, f, path, &all);
    list_t list;

    if (written != KAPPA_WRITTEN) {
        return written;
    }
    list = list_start(x, f, path);
    for (uint32_t i = 0; i < count; i++) {
        if (!inputs[i].hidden && (all || inputs[i].deprecation.data == NULL)) {
            list_add(&list, &inputs[i]);
        }
    }
    return list_end(&list);
}

static kappa_written_t
write_enum_values(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_type_t *type, const kappa_path_t *path)
{
    bool all = false;
    kappa_written_t written = all_wanted(x, f, path, &all);
    list_t list;

    if (written != KAPPA_WRITTEN) {
        return written;
    }
    list = list_start(x, f, path);
    for (uint32_t i = 0; i < type->value_count; i++) {
        if (all || type->values[i].deprecation.data == NULL) {
            list_add(&list, &type->values[i]);
        }
    }
    return list_end(&list);
}

static kappa_written_t
write_kind(kappa_execution_t *x, const kappa_scope_t *scope)
{
    static const char *const kinds[] = {
        [KAPPA_TYPE_SCALAR] = "SCALAR",
        [KAPPA_TYPE_OBJECT] = "OBJECT",
        [KAPPA_TYPE_INTERFACE] = "INTERFACE",
        [KAPPA_TYPE_UNION] = "UNION",
        [KAPPA_TYPE_ENUM] = "ENUM",
        [KAPPA_TYPE_INPUT_OBJECT] = "INPUT_OBJECT",
    };
    const kappa_type_t *type = scope->meta;

    return write_text(x,
        kappa_str_c(type                             ? kinds[type->kind]
                : scope->ref->kind == KAPPA_REF_LIST ? "LIST"
                                                     : "NON_NULL"));
}

static bool
is_abstract(const kappa_type_t *type)
{
    return type->kind == KAPPA_TYPE_UNION
        || type->kind == KAPPA_TYPE_INTERFACE;
}

/* Fields of a __Type that is no wrapper. */
static kappa_written_t
write_type(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_type_t *type, const kappa_path_t *path)
{
    switch ((kappa_meta_t)f->meta) {
    case KAPPA_META_TYPE_NAME:
        return write_text(x, type->name);
    case KAPPA_META_TYPE_DESCRIPTION:
        return write_text(x, type->description);
    case KAPPA_META_TYPE_SPECIFIED_BY_URL:
        return write_text(x, type->specified_by);
    case KAPPA_META_TYPE_FIELDS:
        return write_fields(x, f, type, path);
    case KAPPA_META_TYPE_INTERFACES:
        return has_interfaces(type)
            ? write_types(x, f, type->interfaces, type->interface_count, path)
            : KAPPA_WROTE_NULL;
    case KAPPA_META_TYPE_POSSIBLE_TYPES:
        return is_abstract(type)
            ? write_types(x, f, type->possible, type->possible_count, path)
            : KAPPA_WROTE_NULL;
    case KAPPA_META_TYPE_ENUM_VALUES:
        return type->kind == KAPPA_TYPE_ENUM
            ? write_enum_values(x, f, type, path)
            : KAPPA_WROTE_NULL;
    case KAPPA_META_TYPE_INPUT_FIELDS:
        return type->kind == KAPPA_TYPE_INPUT_OBJECT
            ? write_inputs(x, f, type->inputs, type->input_count, path)
            : KAPPA_WROTE_NULL;
    case KAPPA_META_TYPE_IS_ONE_OF:
        return type->kind == KAPPA_TYPE_INPUT_OBJECT
            ? write_bool(x, type->one_of)
            : KAPPA_WROTE_NULL;
    default: /* ofType */
        return KAPPA_WROTE_NULL;
    }
}

static kappa_written_t
write_schema(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_schema_t *schema, const kappa_path_t *path)
{
    list_t list;

    switch ((kappa_meta_t)f->meta) {
    case KAPPA_META_SCHEMA_DESCRIPTION:
        return write_text(x, schema->description);
    case KAPPA_META_SCHEMA_TYPES:
        return write_types(x, f, (const kappa_type_t *const *)schema->types,
            schema->type_count, path);
    case KAPPA_META_SCHEMA_QUERY_TYPE:
        return write_object(x, f, schema->roots[KAPPA_OPERATION_QUERY], path);
    case KAPPA_META_SCHEMA_MUTATION_TYPE:
        return write_object(
            x, f, schema->roots[KAPPA_OPERATION_MUTATION], path);
    case KAPPA_META_SCHEMA_SUBSCRIPTION_TYPE:
        return write_object(
            x, f, schema->roots[KAPPA_OPERATION_SUBSCRIPTION], path);
    default: /* directives */
        list = list_start(x, f, path);
        for (uint32_t i = 0; i < schema->directive_count; i++) {
            if (!schema->directives[i]->hidden) {
                list_add(&list, schema->directives[i]);
            }
        }
        return list_end(&list);
    }
}

static kappa_written_t
write_field(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_field_t *field, const kappa_path_t *path)
{
    switch ((kappa_meta_t)f->meta) {
    case KAPPA_META_FIELD_NAME:
        return write_text(x, field->name);
    case KAPPA_META_FIELD_DESCRIPTION:
        return write_text(x, field->description);
    case KAPPA_META_FIELD_ARGS:
        return write_inputs(x, f, field->args, field->arg_count, path);
    case KAPPA_META_FIELD_TYPE:
        return write_ref(x, f, field->type, path);
    case KAPPA_META_FIELD_IS_DEPRECATED:
        return write_bool(x, field->deprecation.data != NULL);
    default: /* deprecationReason */
        return write_text(x, field->deprecation);
    }
}

static kappa_written_t
write_default(kappa_execution_t *x, const kappa_literal_t *literal)
{
    kappa_buf_t text;
    bool failed;

    if (literal == NULL) {
        return KAPPA_WROTE_NULL;
    }
    kappa_buf_init(&text, x->buf->alloc);
    kappa_print_literal(&text, literal);
    failed = text.failed;
    if (!failed) {
        kappa_json_string(x->buf, kappa_buf_view(&text));
    }
    kappa_buf_release(&text);
    return failed ? kappa_execute_stop(x, KAPPA_NOMEM) : KAPPA_WRITTEN;
}

static kappa_written_t
write_input(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_input_t *input, const kappa_path_t *path)
{
    switch ((kappa_meta_t)f->meta) {
    case KAPPA_META_INPUT_NAME:
        return write_text(x, input->name);
    case KAPPA_META_INPUT_DESCRIPTION:
        return write_text(x, input->description);
    case KAPPA_META_INPUT_TYPE:
        return write_ref(x, f, input->type, path);
    case KAPPA_META_INPUT_DEFAULT_VALUE:
        return write_default(x, input->default_literal);
    case KAPPA_META_INPUT_IS_DEPRECATED:
        return write_bool(x, input->deprecation.data != NULL);
    default: /* deprecationReason */
        return write_text(x, input->deprecation);
    }
}

static kappa_written_t
write_enum_value(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_enum_value_t *value)
{
    switch ((kappa_meta_t)f->meta) {
    case KAPPA_META_VALUE_NAME:
        return write_text(x, value->name);
    case KAPPA_META_VALUE_DESCRIPTION:
        return write_text(x, value->description);
    case KAPPA_META_VALUE_IS_DEPRECATED:
        return write_bool(x, value->deprecation.data != NULL);
    default: /* deprecationReason */
        return write_text(x, value->deprecation);
    }
}

static kappa_written_t
write_locations(kappa_execution_t *x, const kappa_directive_t *directive)
{
    kappa_buf_char(x->buf, '[');
    for (uint32_t i = 0; i < directive->location_count; i++) {
        if (i > 0) {
            kappa_buf_char(x->buf, ',');
        }
        kappa_json_string(x->buf, directive->locations[i]);
    }
    kappa_buf_char(x->buf, ']');
    return KAPPA_WRITTEN;
}

static kappa_written_t
write_directive(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_directive_t *directive, const kappa_path_t *path)
{
    switch ((kappa_meta_t)f->meta) {
    case KAPPA_META_DIRECTIVE_NAME:
        return write_text(x, directive->name);
    case KAPPA_META_DIRECTIVE_DESCRIPTION:
        return write_text(x, directive->description);
    case KAPPA_META_DIRECTIVE_IS_REPEATABLE:
        return write_bool(x, directive->repeatable);
    case KAPPA_META_DIRECTIVE_LOCATIONS:
        return write_locations(x, directive);
    default: /* args */
        return write_inputs(x, f, directive->args, directive->arg_count, path);
    }
}

static kappa_written_t
write_meta(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_scope_t *scope, const kappa_path_t *path)
{
    kappa_meta_t meta = (kappa_meta_t)f->meta;

    if (meta >= KAPPA_META_DIRECTIVE_NAME) {
        return write_directive(x, f, scope->meta, path);
    }
    if (meta >= KAPPA_META_VALUE_NAME) {
        return write_enum_value(x, f, scope->meta);
    }
    if (meta >= KAPPA_META_INPUT_NAME) {
        return write_input(x, f, scope->meta, path);
    }
    if (meta >= KAPPA_META_FIELD_NAME) {
        return write_field(x, f, scope->meta, path);
    }
    if (meta == KAPPA_META_TYPE_KIND) {
        return write_kind(x, scope);
    }
    if (meta >= KAPPA_META_TYPE_NAME && scope->meta == NULL) {
        return meta == KAPPA_META_TYPE_OF_TYPE
            ? write_ref(x, f, scope->ref->of, path)
            : KAPPA_WROTE_NULL;
    }
    if (meta >= KAPPA_META_TYPE_NAME) {
        return write_type(x, f, scope->meta, path);
    }
    return meta == KAPPA_META_NONE ? KAPPA_WROTE_NULL
                                   : write_schema(x, f, scope->meta, path);
}

kappa_written_t
kappa_execute_meta(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_scope_t *scope, const kappa_path_t *path)
{
    const kappa_value_t *args;
    const kappa_type_t *type;
    kappa_written_t written;

    if (f->op == KAPPA_OP_META_SCHEMA) {
        return write_object(x, f, x->plan->schema, path);
    }
    if (f->op == KAPPA_OP_META) {
        return write_meta(x, f, scope, path);
    }
    written = kappa_execute_args(x, f, path, &args);
    if (written != KAPPA_WRITTEN) {
        return written;
    }
    type = kappa_schema_type(x->plan->schema, args[0].as.string);
    return write_object(x, f, type && !type->hidden ? type : NULL, path);
}
