#include "graphql/validate/literal.h"

#include "base/suggest.h"
#include "graphql/coerce_private.h"

typedef struct {
    kappa_arena_t *arena;
    kappa_errors_t *errors;
    const kappa_source_t *source;
    kappa_str_t what;
} check_t;

static kappa_status_t check(
    check_t *c, const kappa_literal_t *literal, const kappa_type_ref_t *type);

/* The literal as the document has it, cut where it gets long. */
static kappa_str_t
shown(const check_t *c, const kappa_literal_t *literal)
{
    kappa_str_t text = kappa_str(c->source->text.data + literal->offset,
        literal->end - literal->offset);

    if (text.len > KAPPA_COERCE_SHOWN_MAX) {
        text.len = KAPPA_COERCE_SHOWN_MAX;
        text.len = kappa_utf8_valid(text);
    }
    return text;
}

static void __attribute__((format(printf, 3, 4)))
refuse(check_t *c, uint32_t offset, const char *format, ...)
{
    va_list args;

    if (c->errors->count == c->errors->max) {
        c->errors->more = true;
        return;
    }
    va_start(args, format);
    kappa_str_t message =
        kappa_errors_str(c->errors, kappa_str_vprintf(c->arena, format, args));
    va_end(args);
    kappa_error_at(c->errors,
        kappa_errors_add(c->errors, "VALIDATION_FAILED", "%.*s%.*s",
            KAPPA_STR_ARG(c->what), KAPPA_STR_ARG(message)),
        c->source, offset);
}

static void
check_scalar(
    check_t *c, const kappa_literal_t *literal, const kappa_type_t *type)
{
    const char *complaint = "";
    kappa_value_t value;

    if (type->scalar == KAPPA_SCALAR_JSON) {
        return;
    }
    if (literal->kind == KAPPA_LITERAL_LIST
        || literal->kind == KAPPA_LITERAL_OBJECT) {
        refuse(c, literal->offset, "%.*s cannot represent value: %.*s",
            KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(shown(c, literal)));
        return;
    }
    kappa_status_t status = kappa_coerce_scalar_literal(
        c->arena, type, literal, &value, &complaint);
    if (status == KAPPA_NOMEM) {
        c->errors->no_memory = true;
    } else if (status != KAPPA_OK) {
        refuse(c, literal->offset, "%s%.*s", complaint,
            KAPPA_STR_ARG(shown(c, literal)));
    }
}

static void
check_enum(
    check_t *c, const kappa_literal_t *literal, const kappa_type_t *type)
{
    bool is_name = literal->kind == KAPPA_LITERAL_ENUM;

    if (is_name && kappa_coerce_enum(type, literal->text) != NULL) {
        return;
    }
    kappa_str_t near = literal->text.data ? kappa_errors_str(c->errors,
                           kappa_coerce_suggest(c->arena, type, literal->text))
                                          : KAPPA_STR("");
    if (is_name) {
        refuse(c, literal->offset,
            "Value \"%.*s\" does not exist in \"%.*s\" enum.%.*s",
            KAPPA_STR_ARG(literal->text), KAPPA_STR_ARG(type->name),
            KAPPA_STR_ARG(near));
        return;
    }
    refuse(c, literal->offset,
        "Enum \"%.*s\" cannot represent non-enum value: %.*s.%.*s",
        KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(shown(c, literal)),
        KAPPA_STR_ARG(near));
}

static const kappa_input_t *
find_input(const kappa_type_t *type, kappa_str_t name)
{
    const kappa_input_t *input = kappa_map_get(&type->input_map, name);

    return input != NULL && !input->hidden ? input : NULL;
}

static void
refuse_field(
    check_t *c, const kappa_literal_field_t *field, const kappa_type_t *type)
{
    kappa_suggest_t suggest;

    if (c->errors->count == c->errors->max) {
        c->errors->more = true;
        return;
    }
    kappa_suggest_init(&suggest, field->name.text);
    for (uint32_t i = 0; i < type->input_count; i++) {
        if (!type->inputs[i].hidden) {
            kappa_suggest_try(&suggest, type->inputs[i].name);
        }
    }
    refuse(c, field->name.offset,
        "Field \"%.*s\" is not defined by type \"%.*s\".%s",
        KAPPA_STR_ARG(field->name.text), KAPPA_STR_ARG(type->name),
        kappa_errors_text(
            c->errors, kappa_suggest_print(&suggest, c->arena, NULL)));
}

static bool
is_required(const kappa_input_t *input)
{
    return !input->hidden && input->default_literal == NULL
        && input->type->kind == KAPPA_REF_NON_NULL;
}

/* The fields that are given, by name; the last of a name counts. */
static kappa_status_t
map_fields(const kappa_literal_t *literal, kappa_map_t *given)
{
    for (kappa_literal_field_t *f = literal->fields; f; f = f->next) {
        if (kappa_map_put(given, f->name.text, f) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
check_inputs(check_t *c, const kappa_literal_t *literal,
    const kappa_type_t *type, const kappa_map_t *given)
{
    for (uint32_t i = 0; i < type->input_count; i++) {
        const kappa_input_t *input = &type->inputs[i];
        const kappa_literal_field_t *field =
            input->hidden ? NULL : kappa_map_get(given, input->name);

        if (field != NULL) {
            if (check(c, field->value, input->type) != KAPPA_OK) {
                return KAPPA_NOMEM;
            }
        } else if (is_required(input)) {
            refuse(c, literal->offset,
                "Field \"%.*s.%.*s\" of required type \"%s\" was not "
                "provided.",
                KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(input->name),
                kappa_errors_text(
                    c->errors, kappa_type_ref_print(c->arena, input->type)));
        }
    }
    return KAPPA_OK;
}

static void
check_one_of(check_t *c, const kappa_literal_t *literal,
    const kappa_type_t *type, const kappa_literal_field_t *last,
    uint32_t known)
{
    if (!type->one_of
        || (known == 1 && last->value->kind != KAPPA_LITERAL_NULL)) {
        return;
    }
    refuse(c, literal->offset,
        "Within OneOf Input Object type \"%.*s\", exactly one field must be "
        "specified, and the value for that field must be non-null.",
        KAPPA_STR_ARG(type->name));
}

static kappa_status_t
check_object(
    check_t *c, const kappa_literal_t *literal, const kappa_type_ref_t *ref)
{
    const kappa_type_t *type = ref->named;
    const kappa_literal_field_t *last = NULL;
    uint32_t known = 0;
    kappa_map_t given;

    if (literal->kind != KAPPA_LITERAL_OBJECT) {
        refuse(c, literal->offset,
            "Expected value of type \"%.*s\" to be an object, found: %.*s.",
            KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(shown(c, literal)));
        return KAPPA_OK;
    }
    kappa_map_init(&given, c->arena);
    if (map_fields(literal, &given) != KAPPA_OK
        || check_inputs(c, literal, type, &given) != KAPPA_OK) {
        return KAPPA_NOMEM;
    }
    for (const kappa_literal_field_t *f = literal->fields; f; f = f->next) {
        if (find_input(type, f->name.text) == NULL) {
            refuse_field(c, f, type);
        } else {
            known++;
            last = f;
        }
    }
    check_one_of(c, literal, type, last, known);
    return KAPPA_OK;
}

static kappa_status_t
check_list(
    check_t *c, const kappa_literal_t *literal, const kappa_type_ref_t *item)
{
    kappa_status_t status = KAPPA_OK;

    if (literal->kind != KAPPA_LITERAL_LIST) {
        return check(c, literal, item);
    }
    for (const kappa_literal_t *l = literal->items;
         l != NULL && status == KAPPA_OK; l = l->next) {
        status = check(c, l, item);
    }
    return status;
}

static kappa_status_t
check(check_t *c, const kappa_literal_t *literal, const kappa_type_ref_t *type)
{
    if (literal->kind == KAPPA_LITERAL_VARIABLE) {
        return KAPPA_OK;
    }
    if (literal->kind == KAPPA_LITERAL_NULL) {
        if (type->kind == KAPPA_REF_NON_NULL) {
            refuse(c, literal->offset,
                "Expected value of type \"%s\", found null.",
                kappa_errors_text(
                    c->errors, kappa_type_ref_print(c->arena, type)));
        }
        return KAPPA_OK;
    }
    if (type->kind == KAPPA_REF_NON_NULL) {
        type = type->of;
    }
    if (type->kind == KAPPA_REF_LIST) {
        return check_list(c, literal, type->of);
    }
    if (type->named->kind == KAPPA_TYPE_INPUT_OBJECT) {
        return check_object(c, literal, type);
    } else if (type->named->kind == KAPPA_TYPE_ENUM) {
        check_enum(c, literal, type->named);
    } else if (type->named->kind == KAPPA_TYPE_SCALAR) {
        check_scalar(c, literal, type->named);
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_check_literal(kappa_arena_t *arena, kappa_errors_t *errors,
    const kappa_literal_t *literal, const kappa_type_ref_t *type,
    const kappa_source_t *source, kappa_str_t what)
{
    check_t c = { arena, errors, source, what };
    kappa_status_t status = check(&c, literal, type);

    return errors->no_memory ? KAPPA_NOMEM : status;
}
