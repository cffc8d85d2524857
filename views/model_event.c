#include "views/model_event.h"

/* What happens at an event: rules by (thing, verb), from @event and @on. */

/* ---- collecting @event and @on ---- */

static kappa_status_t
check_use(events_t *e, const kappa_event_use_t *use)
{
    if (!use->thing.len || !use->verb.len) {
        return kappa_model_refuse(e->b, use->node->source, use->node->offset,
            "@event(thing:, verb:) are names and can't be empty.");
    }
    if (use->effect == KAPPA_EFFECT_NONE) {
        return KAPPA_OK;
    }
    if (!use->view) {
        return kappa_model_refuse(e->b, use->node->source,
            kappa_model_arg_offset(use->node, "thing"),
            "@event(effect:): \"%.*s\" is no view, so there is no row to "
            "change; leave effect away or name a view.",
            KAPPA_STR_ARG(use->thing));
    }
    if (use->view->group_of) {
        return kappa_model_refuse(e->b, use->node->source,
            kappa_model_arg_offset(use->node, "thing"),
            "\"%.*s\" is a @groupBy view: nothing else writes its rows.",
            KAPPA_STR_ARG(use->thing));
    }
    return KAPPA_OK;
}

static kappa_status_t
collect_event(events_t *e, const kappa_field_t *field)
{
    const kappa_directive_node_t *node =
        kappa_model_directive(field->directives, "event");
    kappa_event_use_t *use = &e->uses[e->use_count];
    kappa_str_t effect;

    if (!node) {
        return kappa_model_refuse(e->b, field->source, field->offset,
            "\"%.*s.%.*s\" says not what happens: a mutation needs "
            "@event(thing:, verb:).",
            KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name));
    }
    effect = kappa_model_text(node, "effect");
    *use = (kappa_event_use_t){ .field = field,
        .node = node,
        .thing = kappa_model_text(node, "thing"),
        .verb = kappa_model_text(node, "verb"),
        .effect = KAPPA_EFFECT_NONE };
    const kappa_type_t *type = kappa_schema_type(e->b->schema, use->thing);
    use->view = type ? kappa_model_view_of(e->b, type) : NULL;
    if (effect.data) {
        kappa_effect_parse(effect, &use->effect);
    }
    uint32_t refused = e->b->refused;
    kappa_status_t status = check_use(e, use);
    e->use_count += e->b->refused == refused;
    return status;
}

static kappa_status_t
collect_events(events_t *e)
{
    const kappa_type_t *root = e->b->schema->roots[KAPPA_OPERATION_MUTATION];
    kappa_status_t status = KAPPA_OK;
    uint32_t count = root ? root->field_count : 0;

    e->uses = KAPPA_NEW_ARRAY(e->b->arena, kappa_event_use_t, count);
    if (!e->uses) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < count; i++) {
        status = collect_event(e, &root->fields[i]);
    }
    return status;
}

/* ---- two mutations of one (thing, verb) ---- */

static bool
same_type(const kappa_type_ref_t *a, const kappa_type_ref_t *b)
{
    a = a->kind == KAPPA_REF_NON_NULL ? a->of : a;
    b = b->kind == KAPPA_REF_NON_NULL ? b->of : b;
    if (a->kind != b->kind) {
        return false;
    }
    return a->kind == KAPPA_REF_NAMED ? a->named == b->named
                                      : same_type(a->of, b->of);
}

static bool
same_sets(const kappa_event_use_t *x, const kappa_event_use_t *y)
{
    for (uint32_t n = 0;; n++) {
        const kappa_literal_t *a = kappa_model_item(x->node, "set", n);
        const kappa_literal_t *b = kappa_model_item(y->node, "set", n);

        if (!a || !b) {
            return a == b;
        }
        if (!kappa_str_eq(a->text, b->text)) {
            return false;
        }
    }
}

static kappa_status_t
compare_uses(
    events_t *e, const kappa_event_use_t *first, const kappa_event_use_t *use)
{
    if (first->effect != use->effect || !same_sets(first, use)) {
        return kappa_model_refuse(e->b, use->node->source, use->node->offset,
            "\"%.*s\" and \"%.*s\" both make %.*s %.*s, with different "
            "effects: one event has one meaning. Give one another verb.",
            KAPPA_STR_ARG(first->field->name), KAPPA_STR_ARG(use->field->name),
            KAPPA_STR_ARG(use->thing), KAPPA_STR_ARG(use->verb));
    }
    for (uint32_t i = 0; i < use->field->arg_count; i++) {
        const kappa_input_t *arg = &use->field->args[i];
        const kappa_input_t *other = kappa_field_arg(first->field, arg->name);

        if (other && !same_type(arg->type, other->type)) {
            return kappa_model_refuse(e->b, arg->source, arg->offset,
                "\"%.*s\" and \"%.*s\" both make %.*s %.*s, but their "
                "argument \"%.*s\" is of different types.",
                KAPPA_STR_ARG(first->field->name),
                KAPPA_STR_ARG(use->field->name), KAPPA_STR_ARG(use->thing),
                KAPPA_STR_ARG(use->verb), KAPPA_STR_ARG(arg->name));
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
compare_all(events_t *e)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < e->use_count; i++) {
        for (uint32_t j = 0; status == KAPPA_OK && j < i; j++) {
            if (kappa_str_eq(e->uses[i].thing, e->uses[j].thing)
                && kappa_str_eq(e->uses[i].verb, e->uses[j].verb)) {
                status = compare_uses(e, &e->uses[j], &e->uses[i]);
                break;
            }
        }
    }
    return status;
}

/* ---- rules ---- */

const kappa_event_rule_t *
kappa_model_rule(
    const kappa_model_t *model, kappa_str_t thing, kappa_str_t verb)
{
    const kappa_event_rule_t *rule = kappa_map_get(&model->rule_map, thing);
    const kappa_event_rule_t *any = NULL;

    for (; rule; rule = rule->next) {
        if (!rule->verb.data) {
            any = rule;
        } else if (kappa_str_eq(rule->verb, verb)) {
            return rule;
        }
    }
    return any;
}

/* The rule of exactly this verb (data NULL: any), made when missing. */
static kappa_event_rule_t *
need_rule(events_t *e, kappa_str_t thing, kappa_str_t verb)
{
    kappa_model_t *model = e->b->model;
    kappa_event_rule_t *first = kappa_map_get(&model->rule_map, thing);
    kappa_event_rule_t *rule;

    for (rule = first; rule; rule = rule->next) {
        if (!rule->verb.data == !verb.data && kappa_str_eq(rule->verb, verb)) {
            return rule;
        }
    }
    rule = KAPPA_NEW(e->b->arena, kappa_event_rule_t);
    if (!rule) {
        return NULL;
    }
    const kappa_type_t *type = kappa_schema_type(e->b->schema, thing);
    *rule = (kappa_event_rule_t){ .thing = thing,
        .verb = verb,
        .view = type ? kappa_model_view_of(e->b, type) : NULL,
        .effect = KAPPA_EFFECT_NONE };
    if (first) {
        rule->next = first->next;
        first->next = rule;
    } else if (kappa_map_put(&model->rule_map, thing, rule) != KAPPA_OK) {
        return NULL;
    }
    model->rules[model->rule_count++] = rule;
    return rule;
}

static kappa_status_t
all_rules(events_t *e)
{
    kappa_model_t *model = e->b->model;

    for (uint32_t i = 0; i < model->view_count; i++) {
        if (!need_rule(e, model->views[i]->name, KAPPA_STR_NULL)) {
            return KAPPA_NOMEM;
        }
    }
    for (uint32_t i = 0; i < e->use_count; i++) {
        kappa_event_rule_t *rule =
            need_rule(e, e->uses[i].thing, e->uses[i].verb);

        if (!rule) {
            return KAPPA_NOMEM;
        }
        rule->effect = e->uses[i].effect;
    }
    for (uint32_t i = 0; i < e->on_count; i++) {
        const kappa_on_use_t *on = &e->ons[i];

        for (uint32_t v = 0; v < on->verb_count || v == 0; v++) {
            kappa_str_t verb = on->verb_count ? on->verbs[v] : KAPPA_STR_NULL;

            if (!need_rule(e, on->thing, verb)) {
                return KAPPA_NOMEM;
            }
        }
    }
    return KAPPA_OK;
}

static const kappa_event_use_t *
use_of(const events_t *e, const kappa_event_rule_t *rule)
{
    for (uint32_t i = 0; rule->verb.data && i < e->use_count; i++) {
        if (kappa_str_eq(e->uses[i].thing, rule->thing)
            && kappa_str_eq(e->uses[i].verb, rule->verb)) {
            return &e->uses[i];
        }
    }
    return NULL;
}

/* The @event's own effect comes first. */
static kappa_status_t
own_effect(events_t *e, kappa_event_rule_t *rule)
{
    const kappa_event_use_t *use = use_of(e, rule);
    kappa_expr_scope_t scope = kappa_model_scope("set of @event");

    if (!use) {
        return KAPPA_OK;
    }
    if (use->effect == KAPPA_EFFECT_NONE
        || use->effect == KAPPA_EFFECT_DELETE) {
        const kappa_literal_t *set = kappa_model_item(use->node, "set", 0);

        if (set) {
            return kappa_model_refuse(e->b, use->node->source, set->offset,
                "@event(set:) needs an effect that leaves a row: CREATE, "
                "PUT, PATCH or UPSERT.");
        }
    }
    if (use->effect == KAPPA_EFFECT_NONE) {
        return KAPPA_OK;
    }
    kappa_effect_rule_t *effect = KAPPA_NEW(e->b->arena, kappa_effect_rule_t);
    if (!effect) {
        return KAPPA_NOMEM;
    }
    effect->view = use->view;
    effect->effect = use->effect;
    effect->by_name = true;
    rule->effects[rule->effect_count++] = effect;
    kappa_status_t status =
        kappa_model_event_type(e, rule, &scope.roots[KAPPA_ROOT_EVENT]);
    if (status != KAPPA_OK) {
        return status;
    }
    scope.roots[KAPPA_ROOT_ROW] = &use->view->row_type;
    kappa_model_scope_lookups(e->b, &scope);
    return kappa_model_sets(e, use->node, &scope, effect);
}

static kappa_status_t
fill_rule(events_t *e, kappa_event_rule_t *rule)
{
    rule->effects =
        KAPPA_NEW_ARRAY(e->b->arena, kappa_effect_rule_t *, e->on_count + 1);
    if (!rule->effects) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = kappa_model_data_members(e, rule);
    if (status == KAPPA_OK) {
        status = own_effect(e, rule);
    }
    return status == KAPPA_OK ? kappa_model_on_effects(e, rule) : status;
}

static uint32_t
rules_max(const events_t *e)
{
    uint32_t max = e->b->model->view_count + e->use_count;

    for (uint32_t i = 0; i < e->on_count; i++) {
        max += e->ons[i].verb_count + 1;
    }
    return max;
}

/* Events with a view's older name go by its rules. */
static kappa_status_t
older_names(kappa_model_builder_t *b)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < b->model->view_count; i++) {
        const kappa_view_t *view = b->model->views[i];

        if (view->was.data && !kappa_map_get(&b->model->rule_map, view->was)) {
            status = kappa_map_put(&b->model->rule_map, view->was,
                kappa_map_get(&b->model->rule_map, view->name));
        }
    }
    return status;
}

kappa_status_t
kappa_model_events(kappa_model_builder_t *b)
{
    events_t e = { .b = b };
    kappa_status_t status = collect_events(&e);

    kappa_map_init(&b->model->rule_map, b->arena);
    if (status == KAPPA_OK) {
        status = kappa_model_collect_ons(&e);
    }
    if (status == KAPPA_OK) {
        status = compare_all(&e);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    b->model->rules =
        KAPPA_NEW_ARRAY(b->arena, kappa_event_rule_t *, rules_max(&e));
    if (!b->model->rules) {
        return KAPPA_NOMEM;
    }
    status = all_rules(&e);
    for (uint32_t i = 0; status == KAPPA_OK && i < b->model->rule_count; i++) {
        status = fill_rule(&e, b->model->rules[i]);
    }
    return status == KAPPA_OK ? older_names(b) : status;
}
