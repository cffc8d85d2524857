#include "graphql/plan_private.h"

/* Deeper literals don't come out of the parser. */
#define LITERAL_DEPTH_MAX 256

static kappa_status_t literal_dup(kappa_arena_t *arena,
    const kappa_literal_t *literal, kappa_literal_t *copy, unsigned depth);

static kappa_status_t
items_dup(kappa_arena_t *arena, const kappa_literal_t *literal,
    kappa_literal_t *copy, unsigned depth)
{
    kappa_literal_t *items =
        KAPPA_NEW_ARRAY(arena, kappa_literal_t, literal->count);
    uint32_t i = 0;

    if (items == NULL) {
        return KAPPA_NOMEM;
    }
    copy->items = literal->items ? items : NULL;
    for (const kappa_literal_t *l = literal->items; l != NULL; l = l->next) {
        kappa_status_t status = literal_dup(arena, l, &items[i], depth);

        if (status != KAPPA_OK) {
            return status;
        }
        items[i].next = l->next ? &items[i + 1] : NULL;
        i++;
    }
    return KAPPA_OK;
}

static kappa_status_t
fields_dup(kappa_arena_t *arena, const kappa_literal_t *literal,
    kappa_literal_t *copy, unsigned depth)
{
    kappa_literal_field_t **link = &copy->fields;

    *link = NULL;
    for (const kappa_literal_field_t *f = literal->fields; f != NULL;
         f = f->next) {
        kappa_literal_field_t *field = KAPPA_NEW(arena, kappa_literal_field_t);
        kappa_literal_t *value = KAPPA_NEW(arena, kappa_literal_t);

        if (field == NULL || value == NULL) {
            return KAPPA_NOMEM;
        }
        field->name.text = kappa_str_dup(arena, f->name.text);
        field->value = value;
        if (field->name.text.data == NULL) {
            return KAPPA_NOMEM;
        }
        kappa_status_t status = literal_dup(arena, f->value, value, depth);
        if (status != KAPPA_OK) {
            return status;
        }
        *link = field;
        link = &field->next;
    }
    return KAPPA_OK;
}

static kappa_status_t
literal_dup(kappa_arena_t *arena, const kappa_literal_t *literal,
    kappa_literal_t *copy, unsigned depth)
{
    if (depth == LITERAL_DEPTH_MAX) {
        return KAPPA_LIMIT;
    }
    *copy = *literal;
    copy->next = NULL;
    if (literal->text.data != NULL) {
        copy->text = kappa_str_dup(arena, literal->text);
        if (copy->text.data == NULL) {
            return KAPPA_NOMEM;
        }
    }
    if (literal->kind == KAPPA_LITERAL_LIST) {
        return items_dup(arena, literal, copy, depth + 1);
    }
    if (literal->kind == KAPPA_LITERAL_OBJECT) {
        return fields_dup(arena, literal, copy, depth + 1);
    }
    return KAPPA_OK;
}

static kappa_status_t
dup_literal(kappa_arena_t *arena, const kappa_literal_t *literal,
    const kappa_literal_t **out)
{
    kappa_literal_t *copy = KAPPA_NEW(arena, kappa_literal_t);

    *out = copy;
    return copy ? literal_dup(arena, literal, copy, 0) : KAPPA_NOMEM;
}

/* Past the depth: true, so that what follows refuses it. */
static bool
has_variables(const kappa_literal_t *literal, unsigned depth)
{
    if (literal->kind == KAPPA_LITERAL_VARIABLE
        || depth == LITERAL_DEPTH_MAX) {
        return true;
    }
    if (literal->kind == KAPPA_LITERAL_LIST) {
        for (const kappa_literal_t *l = literal->items; l; l = l->next) {
            if (has_variables(l, depth + 1)) {
                return true;
            }
        }
    }
    if (literal->kind == KAPPA_LITERAL_OBJECT) {
        for (const kappa_literal_field_t *f = literal->fields; f;
             f = f->next) {
            if (has_variables(f->value, depth + 1)) {
                return true;
            }
        }
    }
    return false;
}

static kappa_status_t
add_constant(kappa_planner_t *planner, const kappa_input_t *input,
    const kappa_literal_t *literal, kappa_value_t *out)
{
    kappa_value_t value;
    kappa_status_t status = kappa_coerce_literal(planner->scratch, literal,
        input->type, &value, planner->errors, planner->document->source);

    return status == KAPPA_OK ? kappa_value_dup(planner->arena, &value, out)
                              : status;
}

static kappa_status_t
add_dynamic(kappa_planner_t *planner, const kappa_input_t *input,
    const kappa_literal_t *literal, kappa_plan_dynamic_t *out)
{
    out->input = input;
    out->place = kappa_plan_locate(&planner->locator, literal->offset);
    if (literal->kind != KAPPA_LITERAL_VARIABLE) {
        return dup_literal(planner->arena, literal, &out->literal);
    }
    return kappa_plan_variable(planner->plan, literal->text, &out->variable)
        ? KAPPA_OK
        : KAPPA_INVALID;
}

static const kappa_literal_t *
find_literal(const kappa_argument_t *arguments, kappa_str_t name)
{
    for (; arguments != NULL; arguments = arguments->next) {
        if (kappa_str_eq(arguments->name.text, name)) {
            return arguments->value;
        }
    }
    return NULL;
}

kappa_status_t
kappa_plan_args(kappa_planner_t *planner, const kappa_field_t *field,
    const kappa_argument_t *arguments, const kappa_plan_args_t **out)
{
    kappa_plan_args_t *args;
    kappa_value_t *values;
    kappa_plan_dynamic_t *dynamic;
    kappa_status_t status = KAPPA_OK;

    if (field->arg_count == 0) {
        return KAPPA_OK;
    }
    args = KAPPA_NEW(planner->arena, kappa_plan_args_t);
    values = KAPPA_NEW_ARRAY(planner->arena, kappa_value_t, field->arg_count);
    dynamic = KAPPA_NEW_ARRAY(planner->arena, kappa_plan_dynamic_t,
        arguments ? field->arg_count : 0);
    if (args == NULL || values == NULL || dynamic == NULL) {
        return KAPPA_NOMEM;
    }
    *args = (kappa_plan_args_t){
        .count = field->arg_count, .values = values, .dynamic = dynamic
    };
    for (uint32_t i = 0; i < field->arg_count && status == KAPPA_OK; i++) {
        const kappa_input_t *input = &field->args[i];
        const kappa_literal_t *literal =
            input->hidden ? NULL : find_literal(arguments, input->name);

        if (input->hidden) {
            continue;
        }
        if (literal == NULL) {
            values[i] = input->default_value;
        } else if (has_variables(literal, 0)) {
            status = add_dynamic(
                planner, input, literal, &dynamic[args->dynamic_count++]);
        } else {
            status = add_constant(planner, input, literal, &values[i]);
        }
    }
    if (args->dynamic_count > 0) {
        args->slot = planner->plan->slot_count++;
    }
    *out = args;
    return status;
}

static kappa_status_t
refuse(kappa_arena_t *arena, const kappa_plan_t *plan,
    const kappa_plan_dynamic_t *dynamic, bool is_null, kappa_errors_t *errors)
{
    kappa_str_t type = kappa_type_ref_print(arena, dynamic->input->type);
    kappa_str_t variable = plan->variable_names[dynamic->variable];

    if (type.data == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_errors_add(errors, "BAD_USER_INPUT",
        is_null ? "Argument \"%.*s\" of non-null type \"%.*s\" must not be "
                  "null, as variable \"$%.*s\" is."
                : "Argument \"%.*s\" of required type \"%.*s\" was provided "
                  "the variable \"$%.*s\", which has no value.",
        KAPPA_STR_ARG(dynamic->input->name), KAPPA_STR_ARG(type),
        KAPPA_STR_ARG(variable));
    return KAPPA_INVALID;
}

static kappa_status_t
dynamic_value(const kappa_plan_t *plan, const kappa_plan_dynamic_t *dynamic,
    const kappa_value_t *variables, kappa_arena_t *arena, kappa_value_t *out,
    kappa_errors_t *errors)
{
    const kappa_input_t *input = dynamic->input;
    bool required = input->type->kind == KAPPA_REF_NON_NULL;

    if (dynamic->literal != NULL) {
        kappa_variables_t all = { plan->variable_names, variables,
            plan->variable_count };
        return kappa_coerce_literal_with(
            arena, dynamic->literal, input->type, &all, out, errors, NULL);
    }
    *out = variables[dynamic->variable];
    if (out->kind == KAPPA_UNSET) {
        *out = input->default_value;
    }
    return required && kappa_is_null(out)
        ? refuse(arena, plan, dynamic, out->kind == KAPPA_NULL, errors)
        : KAPPA_OK;
}

kappa_status_t
kappa_plan_args_values(const kappa_plan_t *plan, const kappa_plan_args_t *args,
    const kappa_value_t *variables, kappa_arena_t *arena,
    const kappa_value_t **out, kappa_errors_t *errors)
{
    kappa_value_t *values;

    if (args == NULL || args->dynamic_count == 0) {
        *out = args ? args->values : NULL;
        return KAPPA_OK;
    }
    values = kappa_arena_alloc(arena, sizeof(*values) * args->count);
    if (values == NULL) {
        return KAPPA_NOMEM;
    }
    memcpy(values, args->values, sizeof(*values) * args->count);
    for (uint32_t i = 0; i < args->dynamic_count; i++) {
        const kappa_plan_dynamic_t *dynamic = &args->dynamic[i];
        kappa_error_t *last = errors ? errors->last : NULL;
        kappa_status_t status = dynamic_value(plan, dynamic, variables, arena,
            &values[dynamic->input->number], errors);

        if (status == KAPPA_INVALID) {
            return kappa_plan_place_errors(errors, last, dynamic->place);
        }
        if (status != KAPPA_OK) {
            return status;
        }
    }
    *out = values;
    return KAPPA_OK;
}
