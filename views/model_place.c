#include "graphql/coerce.h"
#include "graphql/plan.h"
#include "views/model_private.h"

/* Whether each directive stands where it means something, with arguments of
 * the right types. Nothing is silently ignored. */

enum {
    ON_VIEW = 1,
    ON_TYPE = 2, /* any other type */
    ON_VIEW_FIELD = 4,
    ON_QUERY = 8,
    ON_MUTATION = 16,
    ON_SUBSCRIPTION = 32,
    ON_FIELD = 64, /* any other field */
    ON_READ_ARG = 128,
    ON_MUTATION_ARG = 256,
    ON_ARG = 512,
    ON_INPUT_FIELD = 1024,
    ON_ENUM_VALUE = 2048,
    ON_ROOTS = ON_QUERY | ON_MUTATION | ON_SUBSCRIPTION,
    ON_FIELDS = ON_VIEW_FIELD | ON_ROOTS | ON_FIELD
};

typedef struct {
    const char *name;
    uint32_t places;
    const char *where; /* for people */
} rule_t;

static const rule_t rules[] = {
    { "view", ON_VIEW | ON_TYPE, "a type" },
    { "index", ON_VIEW, "a view" },
    { "on", ON_VIEW, "a view" },
    { "groupBy", ON_VIEW, "a view" },
    { "event", ON_MUTATION, "a field of Mutation" },
    { "check", ON_VIEW | ON_MUTATION | ON_MUTATION_ARG | ON_INPUT_FIELD,
        "a view, a field of Mutation or an argument of one" },
    { "stamp", ON_VIEW_FIELD | ON_READ_ARG | ON_MUTATION_ARG,
        "a view's field, or an argument of a root field or a list" },
    { "default", ON_VIEW_FIELD, "a view's field" },
    { "internal", ON_VIEW | ON_TYPE | ON_FIELDS, "a type or a field" },
    { "was", ON_VIEW | ON_VIEW_FIELD | ON_ENUM_VALUE,
        "a view, a view's field or an enum's value" },
    { "belongsTo", ON_VIEW_FIELD, "a view's field" },
    { "hasMany", ON_VIEW_FIELD, "a view's field" },
    { "count", ON_VIEW_FIELD, "a view's field" },
    { "sum", ON_VIEW_FIELD, "a view's field" },
    { "avg", ON_VIEW_FIELD, "a view's field" },
    { "min", ON_VIEW_FIELD, "a view's field" },
    { "max", ON_VIEW_FIELD, "a view's field" },
    { "computed", ON_VIEW_FIELD, "a view's field" },
    { "changes", ON_SUBSCRIPTION, "a field of Subscription" },
    { "allow", ON_VIEW | ON_VIEW_FIELD | ON_ROOTS,
        "a view, a view's field or a root field" },
    { "idempotencyKey", ON_MUTATION_ARG, "an argument of a Mutation field" },
    { "cost", ~(uint32_t)ON_ENUM_VALUE, "what it may cost" },
    { "listSize", ON_FIELDS, "a field" },
    { NULL, 0, NULL },
};

static kappa_status_t
check_arguments(kappa_model_builder_t *b, const kappa_directive_node_t *node)
{
    const kappa_directive_t *directive =
        kappa_map_get(&b->schema->directive_map, node->name.text);

    for (const kappa_argument_t *arg = node->arguments; directive && arg;
         arg = arg->next) {
        for (uint32_t i = 0; i < directive->arg_count; i++) {
            kappa_value_t value;

            if (!kappa_str_eq(directive->args[i].name, arg->name.text)) {
                continue;
            }
            kappa_status_t status = kappa_coerce_literal(b->arena, arg->value,
                directive->args[i].type, &value, b->errors, node->source);
            if (status == KAPPA_NOMEM) {
                return status;
            }
            b->refused += status != KAPPA_OK;
        }
    }
    return KAPPA_OK;
}

/* Events, aggregates and groups are of one view each. */
static kappa_status_t
check_family(kappa_model_builder_t *b, const kappa_directive_node_t *node)
{
    static const char *const names[] = { "thing", "of" };

    for (int i = 0; i < 2; i++) {
        kappa_str_t name = kappa_model_text(node, names[i]);
        const kappa_type_t *type =
            name.data ? kappa_schema_type(b->schema, name) : NULL;

        if (type && kappa_model_is_family(type)) {
            return kappa_model_refuse(b, node->source,
                kappa_model_arg_offset(node, names[i]),
                "@%.*s(%s: \"%.*s\"): \"%.*s\" is a view of several types; "
                "name one of them.",
                KAPPA_STR_ARG(node->name.text), names[i], KAPPA_STR_ARG(name),
                KAPPA_STR_ARG(name));
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
check_directive(kappa_model_builder_t *b, const kappa_directive_node_t *node,
    uint32_t place)
{
    const rule_t *rule = rules;

    while (rule->name && !kappa_str_eq_c(node->name.text, rule->name)) {
        rule++;
    }
    if (!rule->name) {
        return KAPPA_OK; /* the user's own, or GraphQL's */
    }
    if (!(rule->places & place)) {
        return kappa_model_refuse(b, node->source, node->offset,
            "@%s means nothing here; it stands on %s.", rule->name,
            rule->where);
    }
    uint32_t refused = b->refused;
    kappa_status_t status = check_arguments(b, node);
    return status == KAPPA_OK && b->refused == refused ? check_family(b, node)
                                                       : status;
}

static kappa_status_t
check_list(kappa_model_builder_t *b, const kappa_directive_node_t *list,
    uint32_t place)
{
    kappa_status_t status = KAPPA_OK;

    for (; status == KAPPA_OK && list; list = list->next) {
        status = check_directive(b, list, place);
    }
    return status;
}

static uint32_t
field_place(const kappa_model_builder_t *b, const kappa_type_t *type)
{
    for (uint32_t i = 0; i < 3; i++) {
        if (b->schema->roots[i] == type) {
            static const uint32_t places[] = { ON_QUERY, ON_MUTATION,
                ON_SUBSCRIPTION };
            return places[i];
        }
    }
    return type->kind == KAPPA_TYPE_OBJECT
            && kappa_model_directive(type->directives, "view")
        ? ON_VIEW_FIELD
        : ON_FIELD;
}

static uint32_t
arg_place(uint32_t field)
{
    if (field == ON_MUTATION) {
        return ON_MUTATION_ARG;
    }
    return field == ON_FIELD ? ON_ARG : ON_READ_ARG;
}

static kappa_status_t
check_inputs(kappa_model_builder_t *b, const kappa_input_t *inputs,
    uint32_t count, uint32_t place)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < count; i++) {
        status = check_list(b, inputs[i].directives, place);
    }
    return status;
}

static kappa_status_t
check_fields(kappa_model_builder_t *b, const kappa_type_t *type)
{
    uint32_t place = field_place(b, type);
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < type->field_count; i++) {
        const kappa_field_t *field = &type->fields[i];

        status = check_list(b, field->directives, place);
        if (status == KAPPA_OK) {
            status = check_inputs(
                b, field->args, field->arg_count, arg_place(place));
        }
    }
    return status;
}

static kappa_status_t
check_type(kappa_model_builder_t *b, const kappa_type_t *type)
{
    bool view = type->kind == KAPPA_TYPE_OBJECT
        && kappa_model_directive(type->directives, "view");
    kappa_status_t status =
        check_list(b, type->directives, view ? ON_VIEW : ON_TYPE);

    if (status == KAPPA_OK) {
        status = check_fields(b, type);
    }
    if (status == KAPPA_OK) {
        status =
            check_inputs(b, type->inputs, type->input_count, ON_INPUT_FIELD);
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < type->value_count; i++) {
        status = check_list(b, type->values[i].directives, ON_ENUM_VALUE);
    }
    return status;
}

kappa_status_t
kappa_model_check_places(kappa_model_builder_t *b)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < b->schema->type_count;
         i++) {
        status = check_type(b, b->schema->types[i]);
    }
    if (status == KAPPA_OK) {
        status = kappa_cost_check(b->schema, b->errors);
    }
    b->refused += status == KAPPA_INVALID;
    return status == KAPPA_INVALID ? KAPPA_OK : status;
}
