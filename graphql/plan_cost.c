#include "graphql/plan_private.h"

#include <math.h>
#include <stdlib.h>

#define ROWS 100.0  /* of a list that no argument bounds */
#define STORED 10.0 /* of a list stored in a row */
#define DEPTH_MAX 256

/* The weight of @cost in a list of directives, else `usual`. */
static double
weight_of(const kappa_directive_node_t *directives, double usual)
{
    const kappa_directive_node_t *cost =
        kappa_directive_find(directives, KAPPA_STR("cost"));
    const kappa_literal_t *literal =
        cost ? kappa_directive_arg(cost, KAPPA_STR("weight")) : NULL;
    char text[32];

    if (literal == NULL || literal->text.len >= sizeof(text)) {
        return usual;
    }
    memcpy(text, literal->text.data, literal->text.len);
    text[literal->text.len] = '\0';
    double weight = strtod(text, NULL);
    return isfinite(weight) ? weight : usual;
}

double
kappa_plan_type_weight(const kappa_type_t *type)
{
    return weight_of(type->directives, kappa_type_is_leaf(type) ? 0 : 1);
}

static double
input_weight(const kappa_input_t *input)
{
    bool object = input->type->named->kind == KAPPA_TYPE_INPUT_OBJECT;

    return weight_of(input->directives, object ? 1 : 0);
}

static bool
is_list(const kappa_type_ref_t *type)
{
    return type->kind == KAPPA_REF_LIST
        || (type->kind == KAPPA_REF_NON_NULL
            && type->of->kind == KAPPA_REF_LIST);
}

static kappa_status_t
add_slice(const kappa_field_t *field, kappa_plan_slice_t *slices,
    uint32_t *count, kappa_str_t path)
{
    const char *dot = path.len ? memchr(path.data, '.', path.len) : NULL;
    size_t len = dot ? (size_t)(dot - path.data) : path.len;
    const kappa_input_t *arg =
        kappa_field_arg(field, kappa_str(path.data, len));

    if (arg == NULL) {
        return KAPPA_NOT_FOUND;
    }
    slices[(*count)++] = (kappa_plan_slice_t){ arg->number,
        dot ? kappa_str(dot + 1, path.len - len - 1) : KAPPA_STR("") };
    return KAPPA_OK;
}

/* The items of a list argument of a directive; one value is a list of one. */
static uint32_t
strings_of(const kappa_directive_node_t *node, const char *name,
    const kappa_literal_t **first)
{
    const kappa_literal_t *literal =
        node ? kappa_directive_arg(node, kappa_str_c(name)) : NULL;

    *first = literal;
    if (literal == NULL || literal->kind == KAPPA_LITERAL_NULL) {
        return 0;
    }
    if (literal->kind != KAPPA_LITERAL_LIST) {
        return 1;
    }
    *first = literal->items;
    return literal->count;
}

/* slicingArguments, or first and last. */
static kappa_status_t
set_slices(kappa_planner_t *planner, kappa_plan_cost_t *cost,
    const kappa_field_t *field, const kappa_directive_node_t *size)
{
    const kappa_literal_t *item;
    uint32_t count = strings_of(size, "slicingArguments", &item);
    kappa_plan_slice_t *slices =
        KAPPA_NEW_ARRAY(planner->arena, kappa_plan_slice_t, count ? count : 2);

    if (slices == NULL) {
        return KAPPA_NOMEM;
    }
    cost->slices = slices;
    if (count == 0) {
        add_slice(field, slices, &cost->slice_count, KAPPA_STR("first"));
        add_slice(field, slices, &cost->slice_count, KAPPA_STR("last"));
    }
    for (; count > 0; count--, item = item->next) {
        add_slice(field, slices, &cost->slice_count, item->text);
    }
    return KAPPA_OK;
}

static kappa_status_t
set_sized(kappa_planner_t *planner, kappa_plan_cost_t *cost,
    const kappa_directive_node_t *size)
{
    const kappa_literal_t *item;
    uint32_t count = strings_of(size, "sizedFields", &item);
    kappa_str_t *sized = KAPPA_NEW_ARRAY(planner->arena, kappa_str_t, count);

    if (sized == NULL) {
        return KAPPA_NOMEM;
    }
    cost->sized = sized;
    for (; count > 0; count--, item = item->next) {
        sized[cost->sized_count++] = item->text;
    }
    return KAPPA_OK;
}

static double
assumed_size(const kappa_directive_node_t *size, double usual)
{
    const kappa_literal_t *literal =
        size ? kappa_directive_arg(size, KAPPA_STR("assumedSize")) : NULL;
    int64_t i;

    return literal != NULL && kappa_str_to_int64(literal->text, &i) && i >= 0
        ? (double)i
        : usual;
}

/* requireOneSlicingArgument: those with a default count as given. */
static kappa_status_t
require_one(kappa_planner_t *planner, const kappa_plan_cost_t *cost,
    const kappa_plan_field_t *f, const kappa_directive_node_t *size,
    const kappa_selection_t *selection)
{
    const kappa_literal_t *required =
        kappa_directive_arg(size, KAPPA_STR("requireOneSlicingArgument"));
    uint32_t given = 0;
    const kappa_literal_t *item;

    if (strings_of(size, "slicingArguments", &item) == 0
        || (required && kappa_str_eq_c(required->text, "false"))) {
        return KAPPA_OK;
    }
    for (uint32_t i = 0; i < cost->slice_count; i++) {
        const kappa_input_t *arg = &f->field->args[cost->slices[i].arg];
        bool found = arg->default_value.kind != KAPPA_UNSET;

        for (const kappa_argument_t *a = selection->arguments; a && !found;
             a = a->next) {
            found = kappa_str_eq(a->name.text, arg->name);
        }
        given += found;
    }
    if (given == 1) {
        return KAPPA_OK;
    }
    kappa_error_at(planner->errors,
        kappa_errors_add(planner->errors, "VALIDATION_FAILED",
            "Field \"%.*s\" takes exactly one of the arguments that bound its "
            "list, but %u are given.",
            KAPPA_STR_ARG(f->field->name), given),
        planner->document->source, selection->offset);
    return KAPPA_INVALID;
}

static kappa_status_t
set_size(kappa_planner_t *planner, kappa_plan_cost_t *cost,
    kappa_plan_field_t *f, const kappa_selection_t *selection)
{
    const kappa_directive_node_t *size =
        kappa_directive_find(f->field->directives, KAPPA_STR("listSize"));
    bool list = is_list(f->field->type);
    bool rows = f->op == KAPPA_OP_LIST || f->op == KAPPA_OP_CONNECTION;
    kappa_status_t status;

    cost->size = 1;
    if (!list && !rows && size == NULL) {
        return KAPPA_OK;
    }
    cost->size = assumed_size(size, rows || size ? ROWS : STORED);
    status = set_slices(planner, cost, f->field, size);
    if (status == KAPPA_OK) {
        status = set_sized(planner, cost, size);
    }
    cost->sizes_fields = cost->sized_count > 0 || !list;
    return status == KAPPA_OK && size != NULL
        ? require_one(planner, cost, f, size, selection)
        : status;
}

/* Whether a variable may change what the field costs. */
static bool
varies(const kappa_plan_cost_t *cost, const kappa_plan_args_t *args)
{
    for (uint32_t i = 0; args && i < args->dynamic_count; i++) {
        for (uint32_t k = 0; k < cost->slice_count; k++) {
            if (cost->slices[k].arg == args->dynamic[i].input->number) {
                return true;
            }
        }
    }
    return args && args->dynamic_count > 0 && cost->args;
}

kappa_status_t
kappa_plan_set_cost(kappa_planner_t *planner, kappa_plan_field_t *f,
    const kappa_selection_t *selection)
{
    const kappa_field_t *field = f->field;
    bool composite = f->select != NULL;
    kappa_plan_cost_t cost = { 0 }, *kept;
    kappa_status_t status = set_size(planner, &cost, f, selection);

    cost.weight = weight_of(field->directives, composite ? 1 : 0);
    cost.leaf = composite ? 0 : kappa_plan_type_weight(field->type->named);
    for (uint32_t i = 0; i < field->arg_count; i++) {
        const kappa_input_t *arg = &field->args[i];

        cost.args |= input_weight(arg) != 0
            || arg->type->named->kind == KAPPA_TYPE_INPUT_OBJECT;
    }
    if (status != KAPPA_OK
        || (!composite && cost.weight == 0 && cost.leaf == 0 && !cost.args)) {
        return status;
    }
    kept = KAPPA_NEW(planner->arena, kappa_plan_cost_t);
    if (kept == NULL) {
        return KAPPA_NOMEM;
    }
    *kept = cost;
    f->cost = kept;
    planner->plan->cost_varies |= varies(&cost, f->args);
    return KAPPA_OK;
}

/* --- of a request */

typedef struct {
    const kappa_plan_t *plan;
    const kappa_value_t *variables;
    kappa_arena_t *arena;
} request_t;

/* Arguments that can't be coerced cost as if absent: executing refuses them.
 */
static kappa_status_t
values_of(const request_t *r, const kappa_plan_field_t *f,
    const kappa_value_t **values)
{
    kappa_status_t status = KAPPA_INVALID;

    if (r->plan->cost_varies) {
        status = kappa_plan_args_values(
            r->plan, f->args, r->variables, r->arena, values, NULL);
    }
    if (status == KAPPA_INVALID) {
        *values = f->args->values;
        return KAPPA_OK;
    }
    return status;
}

/* The number that a slicing argument is; -1: none. */
static double
sliced(const kappa_plan_slice_t *slice, const kappa_value_t *values)
{
    const kappa_value_t *v = &values[slice->arg];
    kappa_str_t path = slice->path;

    while (path.len > 0 && v != NULL) {
        const char *dot = memchr(path.data, '.', path.len);
        size_t len = dot ? (size_t)(dot - path.data) : path.len;

        v = kappa_value_member(v, kappa_str(path.data, len));
        path = dot ? kappa_str(dot + 1, path.len - len - 1) : KAPPA_STR("");
    }
    if (v == NULL || (v->kind != KAPPA_INT && v->kind != KAPPA_BIGINT)) {
        return -1;
    }
    return v->as.integer > 0 ? (double)v->as.integer : 0;
}

static double
size_of(const kappa_plan_cost_t *cost, const kappa_value_t *values)
{
    double most = -1;

    for (uint32_t i = 0; values != NULL && i < cost->slice_count; i++) {
        double size = sliced(&cost->slices[i], values);

        most = size > most ? size : most;
    }
    return most < 0 ? cost->size : most;
}

/* Input objects, the fields given in them. */
static double
value_weight(const kappa_value_t *v, const kappa_type_t *type, unsigned depth)
{
    double weight = 0;

    if (type->kind != KAPPA_TYPE_INPUT_OBJECT || depth == DEPTH_MAX) {
        return 0;
    }
    for (uint32_t i = 0; v->kind == KAPPA_LIST && i < v->count; i++) {
        weight += value_weight(&v->as.items[i], type, depth + 1);
    }
    for (uint32_t i = 0; v->kind == KAPPA_OBJECT && i < v->count; i++) {
        const kappa_member_t *member = &v->as.members[i];
        const kappa_input_t *input =
            kappa_map_get(&type->input_map, member->name);

        if (input != NULL) {
            weight += input_weight(input)
                + value_weight(&member->value, input->type->named, depth + 1);
        }
    }
    return weight;
}

static double
args_weight(const kappa_field_t *field, const kappa_value_t *values)
{
    double weight = 0;

    for (uint32_t i = 0; i < field->arg_count; i++) {
        if (values[i].kind != KAPPA_UNSET) {
            weight += input_weight(&field->args[i])
                + value_weight(&values[i], field->args[i].type->named, 0);
        }
    }
    return weight;
}

static bool
is_sized(const kappa_plan_cost_t *over, const kappa_plan_field_t *f)
{
    if (over == NULL || !over->sizes_fields) {
        return false;
    }
    for (uint32_t i = 0; i < over->sized_count; i++) {
        if (kappa_str_eq(over->sized[i], f->field->name)) {
            return true;
        }
    }
    return over->sized_count == 0
        && (f->op == KAPPA_OP_EDGES || f->op == KAPPA_OP_NODES);
}

static kappa_status_t count_set(const request_t *r,
    const kappa_plan_set_t *set, const kappa_plan_cost_t *over, double size,
    kappa_cost_t *out);

/* What is below one value of the field: the costliest it may be. */
static kappa_status_t
count_below(const request_t *r, const kappa_plan_field_t *f, double size,
    kappa_cost_t *out)
{
    *out = (kappa_cost_t){ 0, f->cost->leaf };
    for (uint32_t i = 0; f->select && i < f->select->case_count; i++) {
        const kappa_plan_case_t *c = &f->select->cases[i];
        kappa_cost_t below;
        kappa_status_t status = count_set(r, &c->set, f->cost, size, &below);

        if (status != KAPPA_OK) {
            return status;
        }
        out->field = fmax(out->field, below.field);
        out->type = fmax(out->type, below.type + c->weight);
    }
    return KAPPA_OK;
}

/* over, size: the field above and the size it gives to lists below it. */
static kappa_status_t
count_field(const request_t *r, const kappa_plan_field_t *f,
    const kappa_plan_cost_t *over, double size, kappa_cost_t *out)
{
    const kappa_plan_cost_t *cost = f->cost;
    const kappa_value_t *values = NULL;
    double own = 1, times;
    kappa_cost_t below;
    kappa_status_t status;

    if (f->args != NULL && (cost->args || cost->slice_count > 0)) {
        status = values_of(r, f, &values);
        if (status != KAPPA_OK) {
            return status;
        }
    }
    if (is_sized(over, f)) {
        own = size;
    } else if (is_list(f->field->type) || cost->sizes_fields) {
        own = size_of(cost, values);
    }
    times = is_list(f->field->type) ? own : 1;
    status = count_below(r, f, own, &below);
    out->field += cost->weight + times * below.field
        + (cost->args && values ? args_weight(f->field, values) : 0);
    out->type += times * below.type;
    return status;
}

static kappa_status_t
count_set(const request_t *r, const kappa_plan_set_t *set,
    const kappa_plan_cost_t *over, double size, kappa_cost_t *out)
{
    kappa_status_t status = KAPPA_OK;

    *out = (kappa_cost_t){ 0, 0 };
    for (uint32_t i = 0; i < set->count && status == KAPPA_OK; i++) {
        const kappa_plan_field_t *f = &set->fields[i];

        if (f->cost != NULL
            && (f->condition == NULL
                || kappa_plan_holds(f->condition, r->variables))) {
            status = count_field(r, f, over, size, out);
        }
    }
    return status;
}

static kappa_status_t
count(const request_t *r, kappa_cost_t *out)
{
    const kappa_plan_t *plan = r->plan;
    const kappa_type_t *root = plan->schema->roots[plan->operation];
    kappa_status_t status = count_set(r, &plan->root, NULL, 1, out);

    out->type = fmax(out->type + kappa_plan_type_weight(root), 0);
    out->field = fmax(out->field, 0);
    return status;
}

kappa_status_t
kappa_plan_fix_cost(kappa_planner_t *planner)
{
    request_t r = { planner->plan, NULL, planner->scratch };

    return planner->plan->cost_varies ? KAPPA_OK
                                      : count(&r, &planner->plan->cost);
}

kappa_status_t
kappa_plan_cost(const kappa_plan_t *plan, const kappa_value_t *variables,
    kappa_arena_t *arena, kappa_cost_t *out)
{
    request_t r = { plan, variables, arena };

    if (plan->cost_varies) {
        return count(&r, out);
    }
    *out = plan->cost;
    return KAPPA_OK;
}
