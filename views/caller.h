#ifndef KAPPA_VIEWS_CALLER_H
#define KAPPA_VIEWS_CALLER_H

#include "base/caller.h"
#include "graphql/plan.h"

/* What a plan's answers depend on of who asks: the values of auth that the
 * rules, row rules, stamps and read-time @computed fields of what it selects
 * read. Two callers with the same bytes get the same answers; none: everyone
 * does. What is not known to be safe (a mutation, auth as a whole) takes the
 * whole caller.
 *
 * Appends to buf. caller NULL: anonymous. arena: scratch. KAPPA_NOMEM. */
kappa_status_t kappa_caller_key(const kappa_plan_t *plan,
    const kappa_caller_t *caller, kappa_arena_t *arena, kappa_buf_t *buf);

#endif
