#include "graphql/plan_private.h"

/* Past so many comparisons the request's members are looked up by hash. */
#define LINEAR_MAX 4096

bool
kappa_plan_variable(
    const kappa_plan_t *plan, kappa_str_t name, uint32_t *index)
{
    for (uint32_t i = 0; i < plan->variable_count; i++) {
        if (kappa_str_eq(plan->variable_names[i], name)) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* A type as written, in the plan. Its depth is bounded by the parser's. */
static kappa_status_t
build_ref(kappa_planner_t *planner, const kappa_type_node_t *node,
    const kappa_type_ref_t **out)
{
    kappa_type_ref_t *outer = NULL, *first = NULL;
    const kappa_type_t *named;

    for (; node != NULL; node = node->of) {
        kappa_type_ref_t *ref = KAPPA_NEW(planner->arena, kappa_type_ref_t);

        if (ref == NULL) {
            return KAPPA_NOMEM;
        }
        ref->kind = node->kind;
        if (outer != NULL) {
            outer->of = ref;
        } else {
            first = ref;
        }
        outer = ref;
        if (node->kind == KAPPA_REF_NAMED) {
            break;
        }
    }
    named = node ? kappa_schema_type(planner->schema, node->name.text) : NULL;
    if (named == NULL || !kappa_type_is_input(named)) {
        return KAPPA_INVALID;
    }
    *out = first;
    for (; first != NULL; first = (kappa_type_ref_t *)first->of) {
        first->named = named;
    }
    return KAPPA_OK;
}

static kappa_status_t
define(kappa_planner_t *planner, const kappa_variable_node_t *node,
    kappa_plan_variable_t *variable, kappa_str_t *name)
{
    kappa_value_t value;
    kappa_status_t status;

    *name = kappa_str_dup(planner->arena, node->name.text);
    variable->what = kappa_str_printf(
        planner->arena, "Variable \"$%.*s\"", KAPPA_STR_ARG(node->name.text));
    variable->place = kappa_plan_locate(&planner->locator, node->offset);
    if (name->data == NULL || variable->what.data == NULL) {
        return KAPPA_NOMEM;
    }
    status = build_ref(planner, node->type, &variable->type);
    if (status != KAPPA_OK || node->default_value == NULL) {
        return status;
    }
    status = kappa_coerce_literal(planner->scratch, node->default_value,
        variable->type, &value, planner->errors, planner->document->source);
    return status == KAPPA_OK
        ? kappa_value_dup(planner->arena, &value, &variable->default_value)
        : status;
}

kappa_status_t
kappa_plan_define_variables(
    kappa_planner_t *planner, const kappa_variable_node_t *nodes)
{
    kappa_plan_t *plan = planner->plan;
    uint32_t count = 0;
    kappa_status_t status = KAPPA_OK;

    for (const kappa_variable_node_t *n = nodes; n != NULL; n = n->next) {
        count++;
    }
    plan->variables =
        KAPPA_NEW_ARRAY(plan->arena, kappa_plan_variable_t, count);
    plan->variable_names = KAPPA_NEW_ARRAY(plan->arena, kappa_str_t, count);
    if (plan->variables == NULL || plan->variable_names == NULL) {
        return KAPPA_NOMEM;
    }
    for (const kappa_variable_node_t *n = nodes;
         n != NULL && status == KAPPA_OK; n = n->next) {
        uint32_t i = plan->variable_count++;

        status =
            define(planner, n, &plan->variables[i], &plan->variable_names[i]);
    }
    return status;
}

/* A value that is absent, or null where that can't be. */
static kappa_status_t
refuse(kappa_arena_t *arena, const kappa_plan_variable_t *variable,
    bool is_null, kappa_errors_t *errors)
{
    kappa_str_t type = kappa_type_ref_print(arena, variable->type);

    if (type.data == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_errors_add(errors, "BAD_USER_INPUT",
        is_null ? "%.*s of %s type \"%.*s\" must not be null."
                : "%.*s of %s type \"%.*s\" was not provided.",
        KAPPA_STR_ARG(variable->what),
        !is_null                                         ? "required"
            : variable->type->kind == KAPPA_REF_NON_NULL ? "non-null"
                                                         : "a condition's",
        KAPPA_STR_ARG(type));
    return KAPPA_INVALID;
}

static kappa_status_t
coerce(kappa_arena_t *arena, const kappa_plan_variable_t *variable,
    const kappa_value_t *in, kappa_value_t *out, kappa_errors_t *errors)
{
    bool required =
        variable->type->kind == KAPPA_REF_NON_NULL || variable->condition;

    if (in == NULL || in->kind == KAPPA_UNSET) {
        *out = variable->default_value;
        return required && out->kind == KAPPA_UNSET
            ? refuse(arena, variable, false, errors)
            : KAPPA_OK;
    }
    if (required && in->kind == KAPPA_NULL) {
        return refuse(arena, variable, true, errors);
    }
    return kappa_coerce_value(
        arena, in, variable->type, variable->what, out, errors);
}

/* The request's members by name, for finding many among many. */
static kappa_status_t
index_members(
    kappa_arena_t *arena, const kappa_value_t *json, kappa_map_t *map)
{
    kappa_map_init(map, arena);
    for (uint32_t i = 0; i < json->count; i++) {
        const kappa_member_t *member = &json->as.members[i];

        if (kappa_map_put(map, member->name, (void *)&member->value)
            != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
coerce_all(const kappa_plan_t *plan, const kappa_value_t *json,
    kappa_arena_t *arena, kappa_value_t *values, kappa_errors_t *errors)
{
    bool by_hash = json != NULL && json->kind == KAPPA_OBJECT
        && (uint64_t)json->count * plan->variable_count > LINEAR_MAX;
    kappa_map_t map;
    bool failed = false;

    if (by_hash && index_members(arena, json, &map) != KAPPA_OK) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < plan->variable_count; i++) {
        kappa_error_t *last = errors ? errors->last : NULL;
        kappa_str_t name = plan->variable_names[i];
        const kappa_value_t *in = by_hash ? kappa_map_get(&map, name)
            : json                        ? kappa_value_member(json, name)
                                          : NULL;
        kappa_status_t status =
            coerce(arena, &plan->variables[i], in, &values[i], errors);

        if (status == KAPPA_INVALID) {
            status = kappa_plan_place_errors(
                errors, last, plan->variables[i].place);
            failed = true;
        }
        if (status != KAPPA_OK && status != KAPPA_INVALID) {
            return status;
        }
    }
    return failed ? KAPPA_INVALID : KAPPA_OK;
}

kappa_status_t
kappa_plan_variables(const kappa_plan_t *plan, const kappa_value_t *json,
    kappa_arena_t *arena, const kappa_value_t **out, kappa_errors_t *errors)
{
    kappa_value_t *values;

    if (json != NULL && json->kind != KAPPA_OBJECT && !kappa_is_null(json)) {
        kappa_errors_add(errors, "BAD_USER_INPUT",
            "Variables must be given as a JSON object, by name.");
        return errors && errors->no_memory ? KAPPA_NOMEM : KAPPA_INVALID;
    }
    values = KAPPA_NEW_ARRAY(arena, kappa_value_t, plan->variable_count);
    if (values == NULL) {
        return KAPPA_NOMEM;
    }
    *out = values;
    return plan->variable_count == 0
        ? KAPPA_OK
        : coerce_all(plan, json, arena, values, errors);
}

kappa_status_t
kappa_plan_root_args(const kappa_plan_t *plan, uint32_t i,
    const kappa_value_t *variables, kappa_arena_t *arena,
    const kappa_value_t **out, kappa_errors_t *errors)
{
    return kappa_plan_args_values(
        plan, plan->root.fields[i].args, variables, arena, out, errors);
}
