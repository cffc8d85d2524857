#include "graphql/plan_private.h"

#define PLAN_BYTES 2048 /* of its arena's first block */
#define SCRATCH_BYTES 4096

static kappa_status_t
fail(kappa_planner_t *planner, const kappa_definition_t *at, kappa_str_t text)
{
    kappa_error_t *error = kappa_errors_add(
        planner->errors, "BAD_USER_INPUT", "%.*s", KAPPA_STR_ARG(text));

    if (at != NULL) {
        kappa_error_at(
            planner->errors, error, planner->document->source, at->offset);
    }
    return KAPPA_INVALID;
}

/* GetOperation (specification section 6.1). */
static kappa_status_t
find_operation(
    kappa_planner_t *planner, kappa_str_t name, const kappa_definition_t **out)
{
    const kappa_definition_t *found = NULL;
    kappa_str_t message;

    for (const kappa_definition_t *d = planner->document->definitions;
         d != NULL; d = d->next) {
        if (d->kind != KAPPA_DEFINITION_OPERATION) {
            continue;
        }
        if (name.data != NULL && !kappa_str_eq(d->name.text, name)) {
            continue;
        }
        if (found != NULL) {
            return fail(planner, NULL,
                KAPPA_STR("Must provide operation name if query contains "
                          "multiple operations."));
        }
        found = d;
    }
    if (found != NULL) {
        *out = found;
        return KAPPA_OK;
    }
    if (name.data == NULL) {
        return fail(planner, NULL, KAPPA_STR("Must provide an operation."));
    }
    message = kappa_str_printf(planner->scratch,
        "Unknown operation named \"%.*s\".", KAPPA_STR_ARG(name));
    return message.data ? fail(planner, NULL, message) : KAPPA_NOMEM;
}

static kappa_status_t
find_fragments(kappa_planner_t *planner)
{
    kappa_map_init(&planner->fragments, planner->scratch);
    for (const kappa_definition_t *d = planner->document->definitions;
         d != NULL; d = d->next) {
        kappa_plan_fragment_t *fragment;

        if (d->kind != KAPPA_DEFINITION_FRAGMENT) {
            continue;
        }
        fragment = KAPPA_NEW(planner->scratch, kappa_plan_fragment_t);
        if (fragment == NULL) {
            return KAPPA_NOMEM;
        }
        fragment->definition = d;
        fragment->type =
            kappa_schema_type(planner->schema, d->type_condition.text);
        if (kappa_map_put(&planner->fragments, d->name.text, fragment)
            != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
find_root(kappa_planner_t *planner, const kappa_definition_t *operation,
    const kappa_type_t **out)
{
    static const char *const names[] = { "query", "mutation", "subscription" };
    kappa_str_t message;

    *out = planner->schema->roots[operation->operation];
    if (*out != NULL) {
        return KAPPA_OK;
    }
    message = kappa_str_printf(planner->scratch,
        "Schema is not configured to execute %s operation.",
        names[operation->operation]);
    return message.data ? fail(planner, operation, message) : KAPPA_NOMEM;
}

static kappa_status_t
make(kappa_planner_t *planner, kappa_str_t operation_name)
{
    kappa_plan_t *plan = planner->plan;
    const kappa_definition_t *operation;
    const kappa_type_t *root;
    kappa_status_t status =
        find_operation(planner, operation_name, &operation);

    if (status == KAPPA_OK) {
        status = find_root(planner, operation, &root);
    }
    if (status == KAPPA_OK) {
        status = kappa_plan_locator_init(&planner->locator, planner->scratch,
            planner->document->source->text);
    }
    if (status == KAPPA_OK) {
        status = find_fragments(planner);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    plan->operation = operation->operation;
    if (operation->name.text.data != NULL) {
        plan->name = kappa_str_dup(plan->arena, operation->name.text);
        if (plan->name.data == NULL) {
            return KAPPA_NOMEM;
        }
    }
    status = kappa_plan_define_variables(planner, operation->variables);
    if (status == KAPPA_OK) {
        status = kappa_plan_root_set(
            planner, root, operation->selections, &plan->root);
    }
    return status == KAPPA_OK ? kappa_plan_fix_cost(planner) : status;
}

/* The plan lives in its own arena. */
static kappa_plan_t *
new_plan(const kappa_alloc_t *alloc, const kappa_schema_t *schema)
{
    kappa_arena_t *arena = kappa_arena_create(alloc, PLAN_BYTES);
    kappa_plan_t *plan = arena ? KAPPA_NEW(arena, kappa_plan_t) : NULL;

    if (plan == NULL) {
        kappa_arena_destroy(arena);
        return NULL;
    }
    atomic_init(&plan->references, 1);
    plan->arena = arena;
    plan->schema = schema;
    return plan;
}

kappa_status_t
kappa_plan_create(const kappa_alloc_t *alloc, const kappa_schema_t *schema,
    const kappa_document_t *document, kappa_str_t operation_name,
    kappa_plan_t **out, kappa_errors_t *errors)
{
    kappa_plan_t *plan = new_plan(alloc, schema);
    kappa_arena_t *scratch = kappa_arena_create(alloc, SCRATCH_BYTES);
    kappa_status_t status = KAPPA_NOMEM;

    if (plan != NULL && scratch != NULL) {
        kappa_planner_t planner = { .plan = plan,
            .arena = plan->arena,
            .scratch = scratch,
            .schema = schema,
            .document = document,
            .errors = errors };

        status = make(&planner, operation_name);
        if (status == KAPPA_INVALID && errors != NULL && errors->count == 0) {
            kappa_errors_add(errors, "VALIDATION_FAILED",
                "The document is not valid against the schema.");
        }
        if (errors != NULL && errors->no_memory) {
            status = KAPPA_NOMEM;
        }
    }
    kappa_arena_destroy(scratch);
    if (status != KAPPA_OK) {
        kappa_plan_release(plan);
        return status;
    }
    *out = plan;
    return KAPPA_OK;
}

kappa_plan_t *
kappa_plan_retain(kappa_plan_t *plan)
{
    atomic_fetch_add_explicit(&plan->references, 1, memory_order_relaxed);
    return plan;
}

void
kappa_plan_release(kappa_plan_t *plan)
{
    if (plan != NULL
        && atomic_fetch_sub_explicit(
               &plan->references, 1, memory_order_acq_rel)
            == 1) {
        kappa_arena_destroy(plan->arena);
    }
}

kappa_operation_type_t
kappa_plan_operation(const kappa_plan_t *plan)
{
    return plan->operation;
}

kappa_str_t
kappa_plan_operation_name(const kappa_plan_t *plan)
{
    return plan->name;
}

size_t
kappa_plan_bytes(const kappa_plan_t *plan)
{
    return kappa_arena_used(plan->arena);
}

uint32_t
kappa_plan_variable_count(const kappa_plan_t *plan)
{
    return plan->variable_count;
}

uint32_t
kappa_plan_root_count(const kappa_plan_t *plan)
{
    return plan->root.count;
}

const kappa_field_t *
kappa_plan_root(const kappa_plan_t *plan, uint32_t i)
{
    return plan->root.fields[i].field;
}

/* As deep as a plan is: KAPPA_PLAN_DEPTH_MAX. */
static bool
each_of_set(const kappa_plan_set_t *set,
    bool (*each)(void *ctx, const kappa_field_t *field), void *ctx)
{
    for (uint32_t i = 0; i < set->count; i++) {
        const kappa_plan_field_t *f = &set->fields[i];
        uint32_t cases = f->select != NULL ? f->select->case_count : 0;

        if (f->field != NULL && !each(ctx, f->field)) {
            return false;
        }
        for (uint32_t n = 0; n < cases; n++) {
            if (!each_of_set(&f->select->cases[n].set, each, ctx)) {
                return false;
            }
        }
    }
    return true;
}

void
kappa_plan_each_field(const kappa_plan_t *plan,
    bool (*each)(void *ctx, const kappa_field_t *field), void *ctx)
{
    each_of_set(&plan->root, each, ctx);
}

bool
kappa_plan_all_hold(
    const kappa_plan_conjunction_t *all, const kappa_value_t *variables)
{
    for (uint32_t i = 0; i < all->count; i++) {
        const kappa_value_t *v = &variables[all->tests[i].variable];

        if (v->as.boolean != all->tests[i].wanted) {
            return false;
        }
    }
    return true;
}

bool
kappa_plan_holds(
    const kappa_plan_condition_t *condition, const kappa_value_t *variables)
{
    if (!kappa_plan_all_hold(&condition->all, variables)) {
        return false;
    }
    for (uint32_t i = 0; i < condition->none_count; i++) {
        if (kappa_plan_all_hold(&condition->none[i], variables)) {
            return false;
        }
    }
    return true;
}
