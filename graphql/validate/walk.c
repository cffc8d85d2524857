#include "graphql/validate/walk.h"

/* Calls a hook of every rule that has it. */
#define CALL(v, hook, ...)                                                    \
    for (const kappa_rule_t *const *rule = kappa_rules; *rule != NULL;        \
         rule++) {                                                            \
        if ((*rule)->hook != NULL && (v)->status == KAPPA_OK) {               \
            (*rule)->hook(__VA_ARGS__);                                       \
        }                                                                     \
    }

static void
add_usage(kappa_validation_t *v, const kappa_literal_t *literal,
    const kappa_type_ref_t *type, bool has_default, const kappa_type_t *one_of)
{
    kappa_usage_t *usage = KAPPA_NEW(v->arena, kappa_usage_t);

    if (usage == NULL) {
        kappa_validation_fail(v, KAPPA_NOMEM);
        return;
    }
    *usage = (kappa_usage_t){ .literal = literal,
        .type = type,
        .has_default = has_default,
        .one_of = one_of };
    *v->part->usages_end = usage;
    v->part->usages_end = &usage->next;
}

static const kappa_type_ref_t *
item_type(const kappa_type_ref_t *type)
{
    if (type != NULL && type->kind == KAPPA_REF_NON_NULL) {
        type = type->of;
    }
    return type != NULL && type->kind == KAPPA_REF_LIST ? type->of : NULL;
}

static void find_usages(kappa_validation_t *v, const kappa_literal_t *literal,
    const kappa_type_ref_t *type, bool has_default,
    const kappa_type_t *one_of);

static void
find_object_usages(kappa_validation_t *v, const kappa_literal_t *literal,
    const kappa_type_ref_t *type)
{
    const kappa_type_t *object = type ? type->named : NULL;

    for (const kappa_literal_field_t *f = literal->fields; f; f = f->next) {
        const kappa_input_t *input =
            object ? kappa_map_get(&object->input_map, f->name.text) : NULL;

        if (input != NULL && input->hidden) {
            input = NULL;
        }
        find_usages(v, f->value, input ? input->type : NULL,
            input != NULL && input->default_literal != NULL,
            object != NULL && object->one_of ? object : NULL);
    }
}

/* The variables in a value, with what is expected where they stand. */
static void
find_usages(kappa_validation_t *v, const kappa_literal_t *literal,
    const kappa_type_ref_t *type, bool has_default, const kappa_type_t *one_of)
{
    if (literal->kind == KAPPA_LITERAL_VARIABLE) {
        add_usage(v, literal, type, has_default, one_of);
    } else if (literal->kind == KAPPA_LITERAL_LIST) {
        for (const kappa_literal_t *l = literal->items; l; l = l->next) {
            find_usages(v, l, item_type(type), false, NULL);
        }
    } else if (literal->kind == KAPPA_LITERAL_OBJECT) {
        find_object_usages(v, literal, type);
    }
}

static const kappa_type_ref_t *
input_ref(const kappa_type_ref_t *type)
{
    return type != NULL && kappa_type_is_input(type->named) ? type : NULL;
}

static void
walk_value(kappa_validation_t *v, const kappa_literal_t *value,
    const kappa_input_t *input)
{
    const kappa_type_ref_t *type = input ? input_ref(input->type) : NULL;

    CALL(v, value, v, value, type);
    find_usages(v, value, type, input != NULL && input->default_literal, NULL);
}

/* The argument of a directive; of one that is unknown, the field's around it,
 * as graphql-js has it. */
static const kappa_input_t *
directive_arg(const kappa_validation_t *v, const kappa_directive_t *directive,
    kappa_str_t name)
{
    if (directive == NULL) {
        return v->field ? kappa_public_arg(v->field, name) : NULL;
    }
    for (uint32_t i = 0; i < directive->arg_count; i++) {
        if (kappa_str_eq(directive->args[i].name, name)) {
            return &directive->args[i];
        }
    }
    return NULL;
}

static void
walk_directives(kappa_validation_t *v, const kappa_directive_node_t *list,
    const char *location)
{
    if (list == NULL) {
        return;
    }
    CALL(v, list, v, list, location);
    for (; list != NULL && v->status == KAPPA_OK; list = list->next) {
        const kappa_directive_t *directive =
            kappa_map_get(&v->schema->directive_map, list->name.text);

        if (directive != NULL && directive->hidden) {
            directive = NULL;
        }
        for (const kappa_argument_t *a = list->arguments; a; a = a->next) {
            walk_value(v, a->value, directive_arg(v, directive, a->name.text));
        }
    }
}

static void walk_selections(kappa_validation_t *v,
    const kappa_selection_t *selections, const kappa_type_t *parent);

static const kappa_type_t *
composite(const kappa_type_t *type)
{
    return type != NULL && kappa_type_is_composite(type) ? type : NULL;
}

static void
walk_field(kappa_validation_t *v, const kappa_selection_t *s)
{
    const kappa_field_t *outer = v->field;
    const kappa_field_t *field =
        kappa_public_field(v, v->parent, s->name.text);

    v->field = field;
    CALL(v, on_field, v, s);
    CALL(v, arguments, v, s->arguments);
    for (const kappa_argument_t *a = s->arguments;
         a != NULL && v->status == KAPPA_OK; a = a->next) {
        walk_value(
            v, a->value, field ? kappa_public_arg(field, a->name.text) : NULL);
    }
    walk_directives(v, s->directives, "FIELD");
    walk_selections(
        v, s->selections, field ? composite(field->type->named) : NULL);
    v->field = outer;
}

static void
walk_inline(kappa_validation_t *v, const kappa_selection_t *s)
{
    const kappa_type_t *type = s->type_condition.text.data
        ? kappa_public_type(v, s->type_condition.text)
        : v->parent;

    CALL(v, inline_fragment, v, s, type);
    walk_directives(v, s->directives, "INLINE_FRAGMENT");
    walk_selections(v, s->selections, composite(type));
}

static void
walk_selections(kappa_validation_t *v, const kappa_selection_t *selections,
    const kappa_type_t *parent)
{
    const kappa_type_t *outer = v->parent;

    for (const kappa_selection_t *s = selections;
         s != NULL && v->status == KAPPA_OK; s = s->next) {
        v->parent = parent;
        if (s->kind == KAPPA_SELECTION_FIELD) {
            walk_field(v, s);
        } else if (s->kind == KAPPA_SELECTION_INLINE) {
            walk_inline(v, s);
        } else {
            CALL(v, spread, v, s);
            walk_directives(v, s->directives, "FRAGMENT_SPREAD");
        }
    }
    v->parent = outer;
}

static void
walk_variable(kappa_validation_t *v, const kappa_variable_node_t *variable)
{
    CALL(v, variable, v, variable);
    if (variable->default_value != NULL && v->status == KAPPA_OK) {
        const kappa_type_ref_t *type =
            input_ref(kappa_type_of_node(v, variable->type));

        CALL(v, value, v, variable->default_value, type);
    }
    walk_directives(v, variable->directives, "VARIABLE_DEFINITION");
}

static void
walk_part(kappa_validation_t *v, kappa_part_t *part)
{
    static const char *const locations[] = { "QUERY", "MUTATION",
        "SUBSCRIPTION" };
    const kappa_definition_t *d = part->definition;

    v->part = part;
    v->parent = NULL;
    v->field = NULL;
    if (!kappa_is_operation(part)) {
        CALL(v, fragment, v, d);
        walk_directives(v, d->directives, "FRAGMENT_DEFINITION");
    } else {
        CALL(v, operation, v, d);
        for (const kappa_variable_node_t *n = d->variables;
             n != NULL && v->status == KAPPA_OK; n = n->next) {
            walk_variable(v, n);
        }
        walk_directives(v, d->directives, locations[d->operation]);
    }
    walk_selections(v, d->selections, composite(part->type));
}

/* --- type system definitions: wrong here (5.1.1), but looked at */

static bool
walk_place(void *ctx, const kappa_directive_node_t *list,
    const kappa_directive_place_t *place)
{
    kappa_validation_t *v = ctx;

    v->place = place;
    walk_directives(v, list, place->location);
    v->place = NULL;
    return v->status == KAPPA_OK;
}

static void
walk_defaults(kappa_validation_t *v, const kappa_input_node_t *input)
{
    for (; input != NULL; input = input->next) {
        if (input->default_value != NULL) {
            CALL(v, value, v, input->default_value, NULL);
        }
    }
}

static void
walk_type_system(kappa_validation_t *v)
{
    v->parent = NULL;
    v->field = NULL;
    for (const kappa_definition_t *d = v->document->definitions;
         d != NULL && v->status == KAPPA_OK; d = d->next) {
        if (d->kind <= KAPPA_DEFINITION_FRAGMENT) {
            continue;
        }
        walk_defaults(v, d->inputs);
        for (const kappa_field_node_t *f = d->fields; f; f = f->next) {
            walk_defaults(v, f->arguments);
        }
        kappa_directive_walk(d, walk_place, v);
    }
}

void
kappa_validation_walk(kappa_validation_t *v)
{
    CALL(v, document, v);
    if (v->part_count < v->document->definition_count) {
        walk_type_system(v);
    }
    for (uint32_t i = 0; i < v->part_count && v->status == KAPPA_OK; i++) {
        walk_part(v, &v->parts[i]);
    }
    CALL(v, end, v);
}
