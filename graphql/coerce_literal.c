#include "graphql/coerce_private.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    kappa_arena_t *arena;
    kappa_errors_t *errors;
    const kappa_source_t *source;
    const kappa_variables_t *variables; /* NULL: constants only */
    unsigned depth;
    bool failed;
} coercion_t;

static kappa_status_t coerce(coercion_t *c, const kappa_literal_t *literal,
    const kappa_type_ref_t *type, kappa_value_t *out);
static kappa_status_t coerce_opaque(
    coercion_t *c, const kappa_literal_t *literal, kappa_value_t *out);

/* A literal as the document has it, or the best that is left of it. */
static kappa_str_t
shown(const coercion_t *c, const kappa_literal_t *literal)
{
    kappa_str_t text = literal->text;

    if (c->source != NULL && literal->end > literal->offset) {
        text = kappa_str(c->source->text.data + literal->offset,
            literal->end - literal->offset);
    } else if (literal->kind == KAPPA_LITERAL_NULL) {
        text = KAPPA_STR("null");
    } else if (literal->kind == KAPPA_LITERAL_LIST) {
        text = KAPPA_STR("[…]");
    } else if (literal->kind == KAPPA_LITERAL_OBJECT) {
        text = KAPPA_STR("{…}");
    }
    if (text.len > KAPPA_COERCE_SHOWN_MAX) {
        text.len = KAPPA_COERCE_SHOWN_MAX;
        text.len = kappa_utf8_valid(text);
    }
    return text;
}

static kappa_status_t __attribute__((format(printf, 3, 4)))
refuse(coercion_t *c, const kappa_literal_t *literal, const char *format, ...)
{
    va_list args;

    c->failed = true;
    if (c->errors == NULL) {
        return KAPPA_OK;
    }
    va_start(args, format);
    kappa_str_t message = kappa_str_vprintf(c->arena, format, args);
    va_end(args);
    if (message.data == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_error_t *error = kappa_errors_add(c->errors,
        c->source ? "VALIDATION_FAILED" : "BAD_USER_INPUT", "%.*s",
        KAPPA_STR_ARG(message));
    if (c->source != NULL) {
        kappa_error_at(c->errors, error, c->source, literal->offset);
    }
    return c->errors->no_memory ? KAPPA_NOMEM : KAPPA_OK;
}

static kappa_status_t
refuse_type(coercion_t *c, const kappa_literal_t *literal,
    const kappa_type_ref_t *type)
{
    kappa_str_t name = kappa_type_ref_print(c->arena, type);

    return name.data == NULL
        ? KAPPA_NOMEM
        : refuse(c, literal, "Expected value of type \"%.*s\", found %.*s.",
            KAPPA_STR_ARG(name), KAPPA_STR_ARG(shown(c, literal)));
}

/* The value a variable has; UNSET when it has none, NULL when no such
 * variable can stand here. */
static const kappa_value_t *
variable(const coercion_t *c, const kappa_literal_t *literal)
{
    for (uint32_t i = 0; c->variables && i < c->variables->count; i++) {
        if (kappa_str_eq(c->variables->names[i], literal->text)) {
            return &c->variables->values[i];
        }
    }
    return NULL;
}

static kappa_status_t
coerce_variable(coercion_t *c, const kappa_literal_t *literal,
    const kappa_type_ref_t *type, kappa_value_t *out)
{
    const kappa_value_t *value = variable(c, literal);

    if (value == NULL) {
        return refuse(c, literal, "Unexpected variable \"$%.*s\".",
            KAPPA_STR_ARG(literal->text));
    }
    if (type->kind == KAPPA_REF_NON_NULL && kappa_is_null(value)) {
        kappa_str_t name = kappa_type_ref_print(c->arena, type);

        return name.data == NULL
            ? KAPPA_NOMEM
            : refuse(c, literal,
                "Expected value of type \"%.*s\", but variable \"$%.*s\" is "
                "%s.",
                KAPPA_STR_ARG(name), KAPPA_STR_ARG(literal->text),
                value->kind == KAPPA_NULL ? "null" : "not provided");
    }
    *out = *value;
    return KAPPA_OK;
}

static bool
is_absent(const coercion_t *c, const kappa_literal_t *literal)
{
    if (literal == NULL) {
        return true;
    }
    if (literal->kind != KAPPA_LITERAL_VARIABLE) {
        return false;
    }
    const kappa_value_t *value = variable(c, literal);
    return value != NULL && value->kind == KAPPA_UNSET;
}

static kappa_status_t
opaque_list(coercion_t *c, const kappa_literal_t *literal, kappa_value_t *out)
{
    kappa_value_t *items =
        KAPPA_NEW_ARRAY(c->arena, kappa_value_t, literal->count);
    uint32_t count = 0;

    if (items == NULL) {
        return KAPPA_NOMEM;
    }
    for (const kappa_literal_t *l = literal->items; l != NULL; l = l->next) {
        kappa_status_t status = coerce_opaque(c, l, &items[count]);

        if (status != KAPPA_OK) {
            return status;
        }
        if (items[count].kind == KAPPA_UNSET) {
            items[count] = kappa_null();
        }
        count++;
    }
    *out = (kappa_value_t){
        .kind = KAPPA_LIST, .count = count, .as.items = items
    };
    return KAPPA_OK;
}

static kappa_status_t
opaque_object(
    coercion_t *c, const kappa_literal_t *literal, kappa_value_t *out)
{
    kappa_member_t *members =
        KAPPA_NEW_ARRAY(c->arena, kappa_member_t, literal->count);
    uint32_t count = 0;

    if (members == NULL) {
        return KAPPA_NOMEM;
    }
    for (const kappa_literal_field_t *f = literal->fields; f != NULL;
         f = f->next) {
        kappa_status_t status =
            coerce_opaque(c, f->value, &members[count].value);

        if (status != KAPPA_OK) {
            return status;
        }
        members[count].name = f->name.text;
        count += members[count].value.kind != KAPPA_UNSET;
    }
    *out = (kappa_value_t){
        .kind = KAPPA_OBJECT, .count = count, .as.members = members
    };
    return KAPPA_OK;
}

static kappa_status_t
opaque_number(
    coercion_t *c, const kappa_literal_t *literal, kappa_value_t *out)
{
    int64_t i;

    if (kappa_str_to_int64(literal->text, &i)) {
        *out = kappa_int(i);
        return KAPPA_OK;
    }
    kappa_str_t text = kappa_str_dup(c->arena, literal->text);
    if (text.data == NULL) {
        return KAPPA_NOMEM;
    }
    *out = kappa_double(strtod(text.data, NULL));
    if (!isfinite(out->as.number)) {
        return refuse(c, literal, "The number %.*s is too large.",
            KAPPA_STR_ARG(shown(c, literal)));
    }
    return KAPPA_OK;
}

/* A custom scalar's literal: as JSON would have it. */
static kappa_status_t
coerce_opaque(
    coercion_t *c, const kappa_literal_t *literal, kappa_value_t *out)
{
    const kappa_value_t *value;
    kappa_status_t status = KAPPA_OK;

    if (++c->depth > KAPPA_COERCE_DEPTH_MAX) {
        c->depth--;
        return refuse(c, literal, "The value is nested too deeply.");
    }
    switch (literal->kind) {
    case KAPPA_LITERAL_VARIABLE:
        value = variable(c, literal);
        if (value == NULL) {
            status = refuse(c, literal, "Unexpected variable \"$%.*s\".",
                KAPPA_STR_ARG(literal->text));
        } else {
            *out = *value;
        }
        break;
    case KAPPA_LITERAL_INT:
    case KAPPA_LITERAL_FLOAT:
        status = opaque_number(c, literal, out);
        break;
    case KAPPA_LITERAL_STRING:
    case KAPPA_LITERAL_ENUM:
        *out = kappa_string(literal->text);
        break;
    case KAPPA_LITERAL_BOOLEAN:
        *out = kappa_bool(kappa_str_eq_c(literal->text, "true"));
        break;
    case KAPPA_LITERAL_NULL:
        *out = kappa_null();
        break;
    case KAPPA_LITERAL_LIST:
        status = opaque_list(c, literal, out);
        break;
    case KAPPA_LITERAL_OBJECT:
        status = opaque_object(c, literal, out);
        break;
    }
    c->depth--;
    return status;
}

static kappa_status_t
coerce_scalar(coercion_t *c, const kappa_literal_t *literal,
    const kappa_type_ref_t *ref, kappa_value_t *out)
{
    const kappa_type_t *type = ref->named;
    const char *complaint = "";

    if (type->scalar == KAPPA_SCALAR_JSON) {
        return coerce_opaque(c, literal, out);
    }
    kappa_status_t status =
        kappa_coerce_scalar_literal(c->arena, type, literal, out, &complaint);
    if (status != KAPPA_INVALID) {
        return status;
    }
    return refuse(
        c, literal, "%s%.*s", complaint, KAPPA_STR_ARG(shown(c, literal)));
}

static kappa_status_t
coerce_enum(coercion_t *c, const kappa_literal_t *literal,
    const kappa_type_t *type, kappa_value_t *out)
{
    bool is_name = literal->kind == KAPPA_LITERAL_ENUM;
    const kappa_enum_value_t *value =
        is_name ? kappa_coerce_enum(type, literal->text) : NULL;

    if (value != NULL) {
        *out = kappa_string(value->name);
        return KAPPA_OK;
    }
    kappa_str_t suggestion =
        kappa_coerce_suggest(c->arena, type, literal->text);
    if (suggestion.data == NULL) {
        return KAPPA_NOMEM;
    }
    return refuse(c, literal,
        is_name ? "Value \"%.*s\" does not exist in \"%.*s\" enum.%.*s"
                : "Value %.*s is not a name of enum \"%.*s\".%.*s",
        KAPPA_STR_ARG(shown(c, literal)), KAPPA_STR_ARG(type->name),
        KAPPA_STR_ARG(suggestion));
}

static const kappa_literal_t *
find_field(const kappa_literal_t *object, kappa_str_t name)
{
    for (const kappa_literal_field_t *f = object->fields; f != NULL;
         f = f->next) {
        if (kappa_str_eq(f->name.text, name)) {
            return f->value;
        }
    }
    return NULL;
}

static kappa_status_t
coerce_field(coercion_t *c, const kappa_literal_t *object,
    const kappa_input_t *input, kappa_value_t *out)
{
    const kappa_literal_t *literal = find_field(object, input->name);

    *out = (kappa_value_t){ 0 };
    if (input->hidden) {
        return KAPPA_OK;
    }
    if (!is_absent(c, literal)) {
        return coerce(c, literal, input->type, out);
    }
    if (input->default_value.kind == KAPPA_UNSET
        && input->type->kind == KAPPA_REF_NON_NULL) {
        kappa_str_t type = kappa_type_ref_print(c->arena, input->type);

        return type.data == NULL
            ? KAPPA_NOMEM
            : refuse(c, object,
                "Field \"%.*s\" of required type \"%.*s\" was not "
                "provided.",
                KAPPA_STR_ARG(input->name), KAPPA_STR_ARG(type));
    }
    *out = input->default_value;
    return KAPPA_OK;
}

static kappa_status_t
check_names(
    coercion_t *c, const kappa_literal_t *object, const kappa_type_t *type)
{
    for (const kappa_literal_field_t *f = object->fields; f != NULL;
         f = f->next) {
        kappa_str_t name = f->name.text;
        const kappa_input_t *input = kappa_map_get(&type->input_map, name);

        if (input != NULL && !input->hidden) {
            continue;
        }
        if (c->errors != NULL && c->errors->more) {
            c->failed = true;
            return KAPPA_OK;
        }
        kappa_str_t suggestion = kappa_coerce_suggest(c->arena, type, name);
        kappa_literal_t at = { .offset = f->name.offset };
        kappa_status_t status = suggestion.data == NULL
            ? KAPPA_NOMEM
            : refuse(c, &at,
                "Field \"%.*s\" is not defined by type \"%.*s\".%.*s",
                KAPPA_STR_ARG(name), KAPPA_STR_ARG(type->name),
                KAPPA_STR_ARG(suggestion));
        if (status != KAPPA_OK) {
            return status;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
check_one_of(coercion_t *c, const kappa_literal_t *literal,
    const kappa_type_t *type, const kappa_value_t *value)
{
    if (!type->one_of) {
        return KAPPA_OK;
    }
    if (literal->count != 1 || value->count != 1) {
        return refuse(c, literal,
            "OneOf Input Object \"%.*s\" must specify exactly one key.",
            KAPPA_STR_ARG(type->name));
    }
    if (kappa_is_null(&value->as.members[0].value)) {
        return refuse(c, literal, "Field \"%.*s.%.*s\" must be non-null.",
            KAPPA_STR_ARG(type->name),
            KAPPA_STR_ARG(value->as.members[0].name));
    }
    return KAPPA_OK;
}

static kappa_status_t
coerce_object(coercion_t *c, const kappa_literal_t *literal,
    const kappa_type_ref_t *ref, kappa_value_t *out)
{
    const kappa_type_t *type = ref->named;

    if (literal->kind != KAPPA_LITERAL_OBJECT) {
        return refuse_type(c, literal, ref);
    }
    kappa_member_t *members =
        KAPPA_NEW_ARRAY(c->arena, kappa_member_t, type->input_count);
    uint32_t count = 0;

    if (members == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < type->input_count; i++) {
        kappa_member_t *member = &members[count];
        kappa_status_t status =
            coerce_field(c, literal, &type->inputs[i], &member->value);

        if (status != KAPPA_OK) {
            return status;
        }
        member->name = type->inputs[i].name;
        count += member->value.kind != KAPPA_UNSET;
    }
    *out = (kappa_value_t){
        .kind = KAPPA_OBJECT, .count = count, .as.members = members
    };
    kappa_status_t status = check_names(c, literal, type);
    return status == KAPPA_OK && !c->failed
        ? check_one_of(c, literal, type, out)
        : status;
}

/* One item of a list; an absent variable counts as null there. */
static kappa_status_t
coerce_item(coercion_t *c, const kappa_literal_t *literal,
    const kappa_type_ref_t *type, kappa_value_t *out)
{
    kappa_status_t status = coerce(c, literal, type, out);

    if (status == KAPPA_OK && out->kind == KAPPA_UNSET) {
        *out = kappa_null();
    }
    return status;
}

static kappa_status_t
coerce_list(coercion_t *c, const kappa_literal_t *literal,
    const kappa_type_ref_t *item, kappa_value_t *out)
{
    bool is_list = literal->kind == KAPPA_LITERAL_LIST;
    uint32_t count = is_list ? literal->count : 1, i = 0;
    kappa_value_t *items = KAPPA_NEW_ARRAY(c->arena, kappa_value_t, count);
    kappa_status_t status = KAPPA_OK;

    if (items == NULL) {
        return KAPPA_NOMEM;
    }
    if (!is_list) {
        status = coerce(c, literal, item, &items[0]);
    } else {
        for (const kappa_literal_t *l = literal->items;
             l != NULL && status == KAPPA_OK; l = l->next) {
            status = coerce_item(c, l, item, &items[i++]);
        }
    }
    *out = (kappa_value_t){
        .kind = KAPPA_LIST, .count = count, .as.items = items
    };
    return status;
}

static kappa_status_t
coerce_named(coercion_t *c, const kappa_literal_t *literal,
    const kappa_type_ref_t *type, kappa_value_t *out)
{
    switch (type->named->kind) {
    case KAPPA_TYPE_ENUM:
        return coerce_enum(c, literal, type->named, out);
    case KAPPA_TYPE_INPUT_OBJECT:
        return coerce_object(c, literal, type, out);
    default:
        return coerce_scalar(c, literal, type, out);
    }
}

static kappa_status_t
coerce(coercion_t *c, const kappa_literal_t *literal,
    const kappa_type_ref_t *type, kappa_value_t *out)
{
    kappa_status_t status;

    if (literal->kind == KAPPA_LITERAL_VARIABLE) {
        return coerce_variable(c, literal, type, out);
    }
    if (literal->kind == KAPPA_LITERAL_NULL) {
        *out = kappa_null();
        return type->kind == KAPPA_REF_NON_NULL ? refuse_type(c, literal, type)
                                                : KAPPA_OK;
    }
    if (c->depth >= KAPPA_COERCE_DEPTH_MAX) {
        return refuse(c, literal, "The value is nested too deeply.");
    }
    if (type->kind == KAPPA_REF_NON_NULL) {
        type = type->of;
    }
    c->depth++;
    status = type->kind == KAPPA_REF_LIST
        ? coerce_list(c, literal, type->of, out)
        : coerce_named(c, literal, type, out);
    c->depth--;
    return status;
}

kappa_status_t
kappa_coerce_literal_with(kappa_arena_t *arena, const kappa_literal_t *literal,
    const kappa_type_ref_t *type, const kappa_variables_t *variables,
    kappa_value_t *out, kappa_errors_t *errors, const kappa_source_t *source)
{
    coercion_t c = { .arena = arena,
        .errors = errors,
        .source = source,
        .variables = variables };
    kappa_value_t value = { 0 };
    kappa_status_t status = coerce(&c, literal, type, &value);

    if (status != KAPPA_OK) {
        return status;
    }
    if (c.failed) {
        return KAPPA_INVALID;
    }
    *out = value;
    return KAPPA_OK;
}

kappa_status_t
kappa_coerce_literal(kappa_arena_t *arena, const kappa_literal_t *literal,
    const kappa_type_ref_t *type, kappa_value_t *out, kappa_errors_t *errors,
    const kappa_source_t *source)
{
    return kappa_coerce_literal_with(
        arena, literal, type, NULL, out, errors, source);
}
