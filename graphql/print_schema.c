#include "graphql/print.h"
#include "graphql/print_private.h"

/* The same text as graphql-js's printSchema, but types in the order of the
 * source. */

typedef struct {
    kappa_buf_t *buf;
    bool
        started; /* something was printed: a blank line goes before the next */
} printer_t;

static void
print_indent(kappa_buf_t *buf, unsigned indent)
{
    while (indent-- > 0) {
        kappa_buf_char(buf, ' ');
    }
}

static void
print_description(
    kappa_buf_t *buf, kappa_str_t description, unsigned indent, bool first)
{
    if (description.data == NULL) {
        return;
    }
    if (indent > 0 && !first) {
        kappa_buf_char(buf, '\n');
    }
    print_indent(buf, indent);
    if (kappa_is_block_string(description)) {
        kappa_print_block_string(buf, description, indent);
    } else {
        kappa_print_string(buf, description);
    }
    kappa_buf_char(buf, '\n');
}

static void
print_ref(kappa_buf_t *buf, const kappa_type_ref_t *ref)
{
    if (ref->kind == KAPPA_REF_NAMED) {
        kappa_buf_str(buf, ref->named->name);
    } else if (ref->kind == KAPPA_REF_LIST) {
        kappa_buf_char(buf, '[');
        print_ref(buf, ref->of);
        kappa_buf_char(buf, ']');
    } else {
        print_ref(buf, ref->of);
        kappa_buf_char(buf, '!');
    }
}

static void
print_deprecated(kappa_buf_t *buf, kappa_str_t reason)
{
    if (reason.data == NULL) {
        return;
    }
    KAPPA_BUF_LIT(buf, " @deprecated");
    if (!kappa_str_eq_c(reason, "No longer supported")) {
        KAPPA_BUF_LIT(buf, "(reason: ");
        kappa_print_string(buf, reason);
        kappa_buf_char(buf, ')');
    }
}

static void
print_input(kappa_buf_t *buf, const kappa_input_t *input)
{
    kappa_buf_str(buf, input->name);
    KAPPA_BUF_LIT(buf, ": ");
    print_ref(buf, input->type);
    if (input->default_literal != NULL) {
        KAPPA_BUF_LIT(buf, " = ");
        kappa_print_literal(buf, input->default_literal);
    }
    print_deprecated(buf, input->deprecation);
}

static bool
has_descriptions(const kappa_input_t *args, uint32_t count, bool *any)
{
    bool described = false;

    *any = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!args[i].hidden) {
            *any = true;
            described |= args[i].description.data != NULL;
        }
    }
    return described;
}

static void
print_args_in_line(kappa_buf_t *buf, const kappa_input_t *args, uint32_t count)
{
    bool first = true;

    for (uint32_t i = 0; i < count; i++) {
        if (args[i].hidden) {
            continue;
        }
        if (!first) {
            KAPPA_BUF_LIT(buf, ", ");
        }
        first = false;
        print_input(buf, &args[i]);
    }
}

static void
print_args_on_lines(kappa_buf_t *buf, const kappa_input_t *args,
    uint32_t count, unsigned indent)
{
    bool first = true;

    for (uint32_t i = 0; i < count; i++) {
        if (args[i].hidden) {
            continue;
        }
        kappa_buf_char(buf, '\n');
        print_description(buf, args[i].description, indent + 2, first);
        print_indent(buf, indent + 2);
        print_input(buf, &args[i]);
        first = false;
    }
    kappa_buf_char(buf, '\n');
    print_indent(buf, indent);
}

static void
print_args(kappa_buf_t *buf, const kappa_input_t *args, uint32_t count,
    unsigned indent)
{
    bool any, lines = has_descriptions(args, count, &any);

    if (!any) {
        return;
    }
    kappa_buf_char(buf, '(');
    if (lines) {
        print_args_on_lines(buf, args, count, indent);
    } else {
        print_args_in_line(buf, args, count);
    }
    kappa_buf_char(buf, ')');
}

static void
start(printer_t *printer, kappa_str_t description)
{
    if (printer->started) {
        KAPPA_BUF_LIT(printer->buf, "\n\n");
    }
    printer->started = true;
    print_description(printer->buf, description, 0, true);
}

/* Opens the braces at the first member. */
static void
start_member(kappa_buf_t *buf, bool *first, kappa_str_t description)
{
    if (*first) {
        KAPPA_BUF_LIT(buf, " {");
    }
    kappa_buf_char(buf, '\n');
    print_description(buf, description, 2, *first);
    print_indent(buf, 2);
    *first = false;
}

static void
end_members(kappa_buf_t *buf, bool none)
{
    if (!none) {
        KAPPA_BUF_LIT(buf, "\n}");
    }
}

static void
print_fields(kappa_buf_t *buf, const kappa_type_t *type)
{
    bool first = true;

    for (uint32_t i = 0; i < type->field_count; i++) {
        const kappa_field_t *field = &type->fields[i];

        if (field->hidden) {
            continue;
        }
        start_member(buf, &first, field->description);
        kappa_buf_str(buf, field->name);
        print_args(buf, field->args, field->arg_count, 2);
        KAPPA_BUF_LIT(buf, ": ");
        print_ref(buf, field->type);
        print_deprecated(buf, field->deprecation);
    }
    end_members(buf, first);
}

static void
print_object(kappa_buf_t *buf, const kappa_type_t *type)
{
    bool first = true;

    kappa_buf_printf(buf, "%s %.*s",
        type->kind == KAPPA_TYPE_OBJECT ? "type" : "interface",
        KAPPA_STR_ARG(type->name));
    for (uint32_t i = 0; i < type->interface_count; i++) {
        if (type->interfaces[i]->hidden) {
            continue;
        }
        kappa_buf_printf(buf, "%s%.*s", first ? " implements " : " & ",
            KAPPA_STR_ARG(type->interfaces[i]->name));
        first = false;
    }
    print_fields(buf, type);
}

static void
print_union(kappa_buf_t *buf, const kappa_type_t *type)
{
    bool first = true;

    kappa_buf_printf(buf, "union %.*s", KAPPA_STR_ARG(type->name));
    for (uint32_t i = 0; i < type->possible_count; i++) {
        if (type->possible[i]->hidden) {
            continue;
        }
        kappa_buf_printf(buf, "%s%.*s", first ? " = " : " | ",
            KAPPA_STR_ARG(type->possible[i]->name));
        first = false;
    }
}

static void
print_enum(kappa_buf_t *buf, const kappa_type_t *type)
{
    bool first = true;

    kappa_buf_printf(buf, "enum %.*s", KAPPA_STR_ARG(type->name));
    for (uint32_t i = 0; i < type->value_count; i++) {
        start_member(buf, &first, type->values[i].description);
        kappa_buf_str(buf, type->values[i].name);
        print_deprecated(buf, type->values[i].deprecation);
    }
    end_members(buf, first);
}

static void
print_input_object(kappa_buf_t *buf, const kappa_type_t *type)
{
    bool first = true;

    kappa_buf_printf(buf, "input %.*s%s", KAPPA_STR_ARG(type->name),
        type->one_of ? " @oneOf" : "");
    for (uint32_t i = 0; i < type->input_count; i++) {
        if (type->inputs[i].hidden) {
            continue;
        }
        start_member(buf, &first, type->inputs[i].description);
        print_input(buf, &type->inputs[i]);
    }
    end_members(buf, first);
}

static void
print_scalar(kappa_buf_t *buf, const kappa_type_t *type)
{
    kappa_buf_printf(buf, "scalar %.*s", KAPPA_STR_ARG(type->name));
    if (type->specified_by.data != NULL) {
        KAPPA_BUF_LIT(buf, " @specifiedBy(url: ");
        kappa_print_string(buf, type->specified_by);
        kappa_buf_char(buf, ')');
    }
}

static void
print_type(printer_t *printer, const kappa_type_t *type)
{
    start(printer, type->description);
    switch (type->kind) {
    case KAPPA_TYPE_SCALAR:
        print_scalar(printer->buf, type);
        return;
    case KAPPA_TYPE_OBJECT:
    case KAPPA_TYPE_INTERFACE:
        print_object(printer->buf, type);
        return;
    case KAPPA_TYPE_UNION:
        print_union(printer->buf, type);
        return;
    case KAPPA_TYPE_ENUM:
        print_enum(printer->buf, type);
        return;
    case KAPPA_TYPE_INPUT_OBJECT:
        print_input_object(printer->buf, type);
        return;
    }
}

static void
print_directive(printer_t *printer, const kappa_directive_t *directive)
{
    kappa_buf_t *buf = printer->buf;

    start(printer, directive->description);
    kappa_buf_printf(buf, "directive @%.*s", KAPPA_STR_ARG(directive->name));
    print_args(buf, directive->args, directive->arg_count, 0);
    kappa_buf_printf(
        buf, "%s on ", directive->repeatable ? " repeatable" : "");
    for (uint32_t i = 0; i < directive->location_count; i++) {
        kappa_buf_printf(buf, "%s%.*s", i ? " | " : "",
            KAPPA_STR_ARG(directive->locations[i]));
    }
}

static const char *const operation_names[] = { "query", "mutation",
    "subscription" };
static const char *const root_names[] = { "Query", "Mutation",
    "Subscription" };

/* Whether the roots are what they would be without saying so. */
static bool
has_default_roots(const kappa_schema_t *schema)
{
    for (int i = 0; i < 3; i++) {
        if (schema->roots[i]
            != kappa_schema_type(schema, kappa_str_c(root_names[i]))) {
            return false;
        }
    }
    return true;
}

static void
print_definition(printer_t *printer, const kappa_schema_t *schema)
{
    if (schema->description.data == NULL && has_default_roots(schema)) {
        return;
    }
    start(printer, schema->description);
    KAPPA_BUF_LIT(printer->buf, "schema {\n");
    for (int i = 0; i < 3; i++) {
        if (schema->roots[i] != NULL) {
            kappa_buf_printf(printer->buf, "  %s: %.*s\n", operation_names[i],
                KAPPA_STR_ARG(schema->roots[i]->name));
        }
    }
    kappa_buf_char(printer->buf, '}');
}

void
kappa_print_schema(kappa_buf_t *buf, const kappa_schema_t *schema)
{
    printer_t printer = { .buf = buf };

    print_definition(&printer, schema);
    for (uint32_t i = 0; i < schema->directive_count; i++) {
        const kappa_directive_t *directive = schema->directives[i];

        if (!directive->builtin && !directive->hidden) {
            print_directive(&printer, directive);
        }
    }
    for (uint32_t i = 0; i < schema->type_count; i++) {
        if (!schema->types[i]->builtin && !schema->types[i]->hidden) {
            print_type(&printer, schema->types[i]);
        }
    }
    if (printer.started) {
        kappa_buf_char(buf, '\n');
    }
}
