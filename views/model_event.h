#ifndef KAPPA_VIEWS_MODEL_EVENT_H
#define KAPPA_VIEWS_MODEL_EVENT_H

#include "views/model_private.h"

/* Between model_event.c, model_on.c and model_set.c. */

/* An @event on a mutation field. */
typedef struct {
    const kappa_field_t *field;
    const kappa_directive_node_t *node;
    kappa_str_t thing;
    kappa_str_t verb;
    kappa_effect_t effect;
    const kappa_view_t *view; /* NULL: thing is none */
} kappa_event_use_t;

/* An @on on a view. */
typedef struct {
    const kappa_view_t *view;
    const kappa_directive_node_t *node;
    kappa_str_t thing;
    kappa_str_t *verbs; /* none: any */
    uint32_t verb_count;
    kappa_effect_t effect;
    bool refused; /* once is enough, however many rules it is in */
} kappa_on_use_t;

typedef struct {
    kappa_model_builder_t *b;
    kappa_event_use_t *uses;
    uint32_t use_count;
    kappa_on_use_t *ons; /* in the order of the text */
    uint32_t on_count;
} events_t;

/* ---- model_on.c ---- */

kappa_status_t kappa_model_collect_ons(events_t *e);
/* Appends what @ons do at this rule's event. */
kappa_status_t kappa_model_on_effects(events_t *e, kappa_event_rule_t *rule);

/* ---- model_data.c ---- */

/* Fills rule->members. */
kappa_status_t kappa_model_data_members(events_t *e, kappa_event_rule_t *rule);

/* ---- model_set.c ---- */

/* The type of `event` at a rule (SEMANTICS 2 and 3). */
kappa_status_t kappa_model_event_type(events_t *e,
    const kappa_event_rule_t *rule, const kappa_expr_type_t **out);
/* Reads `set: ["field = expression"]` into the effect. */
kappa_status_t kappa_model_sets(events_t *e,
    const kappa_directive_node_t *node, const kappa_expr_scope_t *scope,
    kappa_effect_rule_t *effect);

#endif
