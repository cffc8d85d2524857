#include "t/unit/graphql_run.h"

#include "base/json.h"
#include "graphql/validate.h"

static kappa_status_t
execute(kappa_fake_t *fake, kappa_arena_t *arena, const kappa_plan_t *plan,
    const kappa_fake_request_t *request, kappa_buf_t *out,
    kappa_errors_t *errors)
{
    kappa_value_t json = { 0 };
    const kappa_value_t *variables;
    kappa_outcome_t outcome;
    kappa_str_t message = KAPPA_STR_NULL;
    kappa_status_t status = KAPPA_OK;

    if (request->variables.data != NULL) {
        status = kappa_json_parse(arena, request->variables, &json, &message);
    }
    if (status == KAPPA_INVALID) {
        kappa_errors_add(
            errors, "BAD_USER_INPUT", "%.*s", KAPPA_STR_ARG(message));
    }
    if (status == KAPPA_OK) {
        status = kappa_plan_variables(plan, &json, arena, &variables, errors);
    }
    if (status == KAPPA_OK) {
        kappa_cost_t cost;

        status = kappa_plan_cost(plan, variables, arena, &cost);
    }
    if (status == KAPPA_OK) {
        status = request->row ? kappa_execute_row(plan, variables, &fake->data,
                     request->row, arena, out, &outcome)
                              : kappa_execute(plan, variables, &fake->data,
                                  arena, out, &outcome);
    }
    if (status == KAPPA_OK) {
        kappa_response_end(out, KAPPA_STR_NULL);
    }
    return status;
}

static kappa_status_t
run(kappa_fake_t *fake, const kappa_alloc_t *alloc, kappa_arena_t *arena,
    const kappa_fake_request_t *request, kappa_buf_t *out)
{
    kappa_source_t source = { KAPPA_STR("GraphQL request"), request->text };
    kappa_parse_limits_t limits = { .max_tokens = 10000 };
    kappa_document_t *document;
    kappa_plan_t *plan = NULL;
    kappa_errors_t errors;
    kappa_status_t status;

    kappa_errors_init(&errors, arena, 0);
    status = kappa_parse(arena, &source, &limits, &document, &errors);
    if (status == KAPPA_OK) {
        status = kappa_validate(arena, fake->schema, document, &errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_plan_create(alloc, fake->schema, document,
            request->operation_name, &plan, &errors);
    }
    if (status == KAPPA_OK) {
        status = execute(fake, arena, plan, request, out, &errors);
    }
    kappa_plan_release(plan);
    if (errors.no_memory) {
        status = KAPPA_NOMEM;
    }
    if (status != KAPPA_OK && status != KAPPA_NOMEM) {
        kappa_response_errors(out, &errors);
    }
    return out->failed ? KAPPA_NOMEM : status;
}

kappa_status_t
kappa_fake_run(kappa_fake_t *fake, const kappa_alloc_t *alloc,
    const kappa_fake_request_t *request, kappa_buf_t *out)
{
    kappa_arena_t *arena = kappa_arena_create(alloc, 0);
    kappa_status_t status = KAPPA_NOMEM;

    if (arena != NULL) {
        status = run(fake, alloc, arena, request, out);
        kappa_arena_destroy(arena);
    }
    return status;
}
