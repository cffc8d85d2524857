#ifndef KAPPA_GRAPHQL_PLAN_H
#define KAPPA_GRAPHQL_PLAN_H

#include "graphql/coerce.h"
#include "graphql/data.h"
#include "graphql/parser.h"
#include "graphql/schema.h"

/* A plan: one operation of a valid document, worked out so far that
 * executing it is copying bytes: fields merged, fragments resolved, response
 * names encoded, literals coerced. Immutable, shared between threads,
 * counted. */
typedef struct kappa_plan_s kappa_plan_t;

/* The document must have passed kappa_validate against the schema, which
 * must outlive the plan. The plan keeps nothing of document's arena: it has
 * an arena of its own on alloc. operation_name: data NULL takes the only one.
 * KAPPA_INVALID (BAD_USER_INPUT): no such operation, or several. */
kappa_status_t kappa_plan_create(const kappa_alloc_t *alloc,
    const kappa_schema_t *schema, const kappa_document_t *document,
    kappa_str_t operation_name, kappa_plan_t **out, kappa_errors_t *errors);

kappa_plan_t *kappa_plan_retain(kappa_plan_t *plan); /* atomic */
void kappa_plan_release(kappa_plan_t *plan);         /* NULL is fine */

kappa_operation_type_t kappa_plan_operation(const kappa_plan_t *plan);
kappa_str_t kappa_plan_operation_name(const kappa_plan_t *plan);
size_t kappa_plan_bytes(const kappa_plan_t *plan); /* memory it holds */

/* The root fields in response order, fragments resolved (conditions of @skip
 * and @include are decided when executing). A subscription has one. */
uint32_t kappa_plan_root_count(const kappa_plan_t *plan);
const kappa_field_t *kappa_plan_root(const kappa_plan_t *plan, uint32_t i);

/* Every field that executing may read, of every object type it may be, more
 * than once perhaps. each returns false to stop. */
void kappa_plan_each_field(const kappa_plan_t *plan,
    bool (*each)(void *ctx, const kappa_field_t *field), void *ctx);

/* Coerces a request's variables (JSON object, NULL or UNSET) by the plan's
 * definitions; *out is indexed as the plan wants. KAPPA_INVALID:
 * BAD_USER_INPUT errors, one per wrong variable. */
kappa_status_t kappa_plan_variables(const kappa_plan_t *plan,
    const kappa_value_t *json, kappa_arena_t *arena, const kappa_value_t **out,
    kappa_errors_t *errors);

/* How many values kappa_plan_variables makes. */
uint32_t kappa_plan_variable_count(const kappa_plan_t *plan);

/* What executing the plan may cost, as the IBM cost directives specification
 * counts it, before anything is read:
 *
 *   field  calls of fields, each by its weight, with its arguments'
 *   type   values that come out, each by its type's weight
 *
 * Weights are @cost's; else 1 for composite types (of fields and arguments,
 * too), 0 for scalars and enums. Lists multiply: by @listSize; else by the
 * arguments first and last; else by 100 for rows, 10 for lists stored in a
 * row. What @skip and @include leave out costs nothing, nor does
 * introspection. Of an abstract type the costliest object counts. */
typedef struct {
    double field;
    double type;
} kappa_cost_t;

kappa_status_t kappa_plan_cost(const kappa_plan_t *plan,
    const kappa_value_t *variables, kappa_arena_t *arena, kappa_cost_t *out);

/* Whether the weights and sizes of a schema can be: numbers, and arguments and
 * fields that exist. KAPPA_INVALID: VALIDATION_FAILED errors, each with its
 * place. */
kappa_status_t kappa_cost_check(
    const kappa_schema_t *schema, kappa_errors_t *errors);

/* Coerced arguments of root field i, by kappa_input_t.number. */
kappa_status_t kappa_plan_root_args(const kappa_plan_t *plan, uint32_t i,
    const kappa_value_t *variables, kappa_arena_t *arena,
    const kappa_value_t **out, kappa_errors_t *errors);

#endif
