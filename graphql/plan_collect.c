#include "graphql/plan_private.h"

/* Up to here groups are found by looking at each. */
#define LINEAR_MAX 12

kappa_status_t
kappa_plan_too_large(
    kappa_planner_t *planner, const char *what, unsigned limit)
{
    kappa_errors_add(planner->errors, "LIMIT_EXCEEDED",
        "The operation is too large: %s (at most %u). Ask for less at once.",
        what, limit);
    return KAPPA_LIMIT;
}

kappa_status_t
kappa_plan_work(kappa_planner_t *planner, uint32_t steps)
{
    planner->work += steps;
    return planner->work <= KAPPA_PLAN_WORK_MAX
        ? KAPPA_OK
        : kappa_plan_too_large(planner,
            "its fragments take too many steps to resolve",
            KAPPA_PLAN_WORK_MAX);
}

void
kappa_plan_groups_init(kappa_planner_t *planner, kappa_plan_groups_t *groups,
    const kappa_type_t *type)
{
    *groups = (kappa_plan_groups_t){ .type = type, .number = ++planner->sets };
    kappa_map_init(&groups->map, planner->scratch);
}

/* chain && variable == wanted; *never when that can't be. */
static kappa_status_t
chain_and(kappa_planner_t *planner, const kappa_plan_chain_t **chain,
    uint32_t variable, bool wanted, bool *never)
{
    const kappa_plan_chain_t *up = *chain;
    kappa_plan_chain_t *parent =
        up ? (kappa_plan_chain_t *)up : &planner->always;
    uint32_t steps = 0;

    for (const kappa_plan_chain_t *c = up; c != NULL; c = c->up, steps++) {
        if (c->test.variable == variable) {
            *never = c->test.wanted != wanted;
            return kappa_plan_work(planner, steps);
        }
    }
    for (kappa_plan_chain_t *c = parent->children; c != NULL;
         c = c->next, steps++) {
        if (c->test.variable == variable && c->test.wanted == wanted) {
            *chain = c;
            return kappa_plan_work(planner, steps);
        }
    }
    kappa_plan_chain_t *added =
        KAPPA_NEW(planner->scratch, kappa_plan_chain_t);
    if (added == NULL) {
        return KAPPA_NOMEM;
    }
    *added = (kappa_plan_chain_t){ .up = up,
        .next = parent->children,
        .count = up ? up->count + 1 : 1,
        .test = { variable, wanted } };
    parent->children = added;
    *chain = added;
    return kappa_plan_work(planner, steps);
}

static kappa_status_t
apply_test(kappa_planner_t *planner, const kappa_directive_node_t *directive,
    bool wanted, const kappa_plan_chain_t **chain, bool *never)
{
    const kappa_literal_t *literal =
        kappa_directive_arg(directive, KAPPA_STR("if"));
    uint32_t variable;

    if (literal == NULL) {
        return KAPPA_OK;
    }
    if (literal->kind == KAPPA_LITERAL_VARIABLE) {
        if (!kappa_plan_variable(planner->plan, literal->text, &variable)) {
            return KAPPA_INVALID;
        }
        planner->plan->variables[variable].condition = true;
        return chain_and(planner, chain, variable, wanted, never);
    }
    if (kappa_str_eq_c(literal->text, "true") != wanted) {
        *never = true;
    }
    return KAPPA_OK;
}

/* What @skip and @include say of a selection. */
static kappa_status_t
apply_tests(kappa_planner_t *planner, const kappa_selection_t *selection,
    const kappa_plan_chain_t **chain, bool *never)
{
    for (const kappa_directive_node_t *d = selection->directives; d != NULL;
         d = d->next) {
        bool include = kappa_str_eq_c(d->name.text, "include");
        kappa_status_t status;

        if (!include && !kappa_str_eq_c(d->name.text, "skip")) {
            continue;
        }
        status = apply_test(planner, d, include, chain, never);
        if (status != KAPPA_OK || *never) {
            return status;
        }
    }
    return KAPPA_OK;
}

static void
append_group(kappa_plan_groups_t *groups, kappa_plan_group_t *group)
{
    if (groups->last != NULL) {
        groups->last->next = group;
    } else {
        groups->first = group;
    }
    groups->last = group;
    groups->count++;
}

static kappa_plan_group_t *
find_group(
    kappa_planner_t *planner, kappa_plan_groups_t *groups, kappa_str_t key)
{
    if (groups->count > LINEAR_MAX) {
        return kappa_map_get(&groups->map, key);
    }
    for (kappa_plan_group_t *g = groups->first; g != NULL; g = g->next) {
        planner->work++;
        if (g->of == NULL && kappa_str_eq(g->key, key)) {
            return g;
        }
    }
    return NULL;
}

static kappa_status_t
index_group(kappa_plan_groups_t *groups, kappa_plan_group_t *group)
{
    kappa_plan_group_t *g =
        groups->count == LINEAR_MAX + 1 ? groups->first : group;

    if (groups->count <= LINEAR_MAX) {
        return KAPPA_OK;
    }
    for (; g != NULL; g = g->next) {
        if (g->of == NULL
            && kappa_map_put(&groups->map, g->key, g) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

static kappa_plan_group_t *
add_group(
    kappa_planner_t *planner, kappa_plan_groups_t *groups, kappa_str_t key)
{
    kappa_plan_group_t *group =
        KAPPA_NEW(planner->scratch, kappa_plan_group_t);

    if (group == NULL) {
        return NULL;
    }
    group->key = key;
    append_group(groups, group);
    return index_group(groups, group) == KAPPA_OK ? group : NULL;
}

/* The response order is that of the first field included: a node that may be
 * included where none before it is gets a place of its own. */
static kappa_status_t
place_again(kappa_planner_t *planner, kappa_plan_groups_t *groups,
    kappa_plan_group_t *group, const kappa_plan_node_t *node)
{
    for (const kappa_plan_node_t *n = group->first; n != node; n = n->next) {
        planner->work++;
        if (n->chain == NULL || n->chain == node->chain) {
            return KAPPA_OK;
        }
    }
    kappa_plan_group_t *place =
        KAPPA_NEW(planner->scratch, kappa_plan_group_t);
    if (place == NULL) {
        return KAPPA_NOMEM;
    }
    *place =
        (kappa_plan_group_t){ .key = group->key, .of = group, .at = node };
    append_group(groups, place);
    return index_group(groups, place);
}

static kappa_status_t
collect_field(kappa_planner_t *planner, kappa_plan_groups_t *groups,
    const kappa_selection_t *selection, const kappa_plan_chain_t *chain)
{
    kappa_str_t key = selection->alias.text.data ? selection->alias.text
                                                 : selection->name.text;
    kappa_plan_group_t *group = find_group(planner, groups, key);
    kappa_plan_node_t *node = KAPPA_NEW(planner->scratch, kappa_plan_node_t);

    if (group == NULL) {
        group = add_group(planner, groups, key);
    }
    if (group == NULL || node == NULL) {
        return KAPPA_NOMEM;
    }
    node->selection = selection;
    node->chain = chain;
    group->count++;
    if (group->last == NULL) {
        group->first = group->last = node;
        return KAPPA_OK;
    }
    group->last->next = node;
    group->last = node;
    return place_again(planner, groups, group, node);
}

static kappa_status_t
applies(kappa_planner_t *planner, const kappa_type_t *condition,
    const kappa_type_t *type, bool *out)
{
    *out = condition == type;
    if (*out || condition == NULL) {
        return KAPPA_OK;
    }
    *out = kappa_type_is_possible(condition, type);
    return kappa_plan_work(planner, condition->possible_count / 8);
}

/* Whether a fragment was collected into this set already, in all cases in
 * which it is to be now. */
static kappa_status_t
see(kappa_planner_t *planner, const kappa_plan_groups_t *groups,
    kappa_plan_fragment_t *fragment, const kappa_plan_chain_t *chain,
    bool *seen)
{
    uint32_t steps = 0;

    if (fragment->seen_set != groups->number) {
        fragment->seen_set = groups->number;
        fragment->seen = NULL;
    }
    for (kappa_plan_seen_t *s = fragment->seen; s != NULL;
         s = s->next, steps++) {
        if (s->chain == NULL || s->chain == chain) {
            *seen = true;
            return kappa_plan_work(planner, steps);
        }
    }
    kappa_plan_seen_t *added = KAPPA_NEW(planner->scratch, kappa_plan_seen_t);
    if (added == NULL) {
        return KAPPA_NOMEM;
    }
    *added = (kappa_plan_seen_t){ chain, fragment->seen };
    fragment->seen = added;
    *seen = false;
    return kappa_plan_work(planner, steps);
}

static kappa_status_t
collect_spread(kappa_planner_t *planner, kappa_plan_groups_t *groups,
    const kappa_selection_t *selection, const kappa_plan_chain_t *chain)
{
    kappa_plan_fragment_t *fragment =
        kappa_map_get(&planner->fragments, selection->name.text);
    bool seen, fits;
    kappa_status_t status;

    if (fragment == NULL) {
        return KAPPA_INVALID;
    }
    status = see(planner, groups, fragment, chain, &seen);
    if (status != KAPPA_OK || seen) {
        return status;
    }
    status = applies(planner, fragment->type, groups->type, &fits);
    if (status != KAPPA_OK || !fits) {
        return status;
    }
    return kappa_plan_collect(
        planner, groups, fragment->definition->selections, chain);
}

static kappa_status_t
collect_inline(kappa_planner_t *planner, kappa_plan_groups_t *groups,
    const kappa_selection_t *selection, const kappa_plan_chain_t *chain)
{
    bool fits = true;

    if (selection->type_condition.text.data != NULL) {
        kappa_status_t status = applies(planner,
            kappa_schema_type(planner->schema, selection->type_condition.text),
            groups->type, &fits);

        if (status != KAPPA_OK) {
            return status;
        }
    }
    return fits
        ? kappa_plan_collect(planner, groups, selection->selections, chain)
        : KAPPA_OK;
}

static kappa_status_t
collect_one(kappa_planner_t *planner, kappa_plan_groups_t *groups,
    const kappa_selection_t *selection, const kappa_plan_chain_t *chain)
{
    bool never = false;
    kappa_status_t status = kappa_plan_work(planner, 1);

    if (status == KAPPA_OK && selection->directives != NULL) {
        status = apply_tests(planner, selection, &chain, &never);
    }
    if (status != KAPPA_OK || never) {
        return status;
    }
    switch (selection->kind) {
    case KAPPA_SELECTION_FIELD:
        return collect_field(planner, groups, selection, chain);
    case KAPPA_SELECTION_SPREAD:
        return collect_spread(planner, groups, selection, chain);
    case KAPPA_SELECTION_INLINE:
        return collect_inline(planner, groups, selection, chain);
    }
    return KAPPA_INVALID;
}

kappa_status_t
kappa_plan_collect(kappa_planner_t *planner, kappa_plan_groups_t *groups,
    const kappa_selection_t *selections, const kappa_plan_chain_t *chain)
{
    kappa_status_t status = KAPPA_OK;

    if (planner->nesting == KAPPA_PLAN_NESTING_MAX) {
        return kappa_plan_too_large(planner, "fragments are nested too deeply",
            KAPPA_PLAN_NESTING_MAX);
    }
    planner->nesting++;
    for (const kappa_selection_t *s = selections;
         s != NULL && status == KAPPA_OK; s = s->next) {
        status = collect_one(planner, groups, s, chain);
    }
    planner->nesting--;
    return status;
}
