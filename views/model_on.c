#include "views/model_event.h"

/* @on: projections. */

#define ONS_MAX 10000

static kappa_status_t
collect_on(
    events_t *e, const kappa_view_t *view, const kappa_directive_node_t *node)
{
    kappa_on_use_t *on = &e->ons[e->on_count];
    kappa_str_t effect = kappa_model_text(node, "effect");

    *on = (kappa_on_use_t){ .view = view,
        .node = node,
        .thing = kappa_model_text(node, "thing"),
        .effect = KAPPA_EFFECT_PATCH };
    if (effect.data) {
        kappa_effect_parse(effect, &on->effect);
    }
    e->on_count++;
    on->refused = true;
    if (!on->thing.len) {
        return kappa_model_refuse(e->b, node->source,
            kappa_model_arg_offset(node, "thing"),
            "@on(thing:) is a name and can't be empty.");
    }
    if (on->effect == KAPPA_EFFECT_NONE) {
        return kappa_model_refuse(e->b, node->source,
            kappa_model_arg_offset(node, "effect"),
            "@on(effect: NONE) does nothing; take it away.");
    }
    if (on->effect == KAPPA_EFFECT_DELETE
        && kappa_model_item(node, "set", 0)) {
        return kappa_model_refuse(e->b, node->source,
            kappa_model_arg_offset(node, "set"),
            "@on(set:) needs an effect that leaves a row: CREATE, PUT, PATCH "
            "or UPSERT.");
    }
    on->refused = false;
    return kappa_model_names(e->b, node, "verb", &on->verbs, &on->verb_count);
}

/* Order of the text (SEMANTICS 4): `extend type` may stand anywhere. */
static void
sort_ons(events_t *e)
{
    for (uint32_t i = 1; i < e->on_count; i++) {
        kappa_on_use_t on = e->ons[i];
        uint32_t j = i;

        while (j > 0 && e->ons[j - 1].node->source == on.node->source
            && e->ons[j - 1].node->offset > on.node->offset) {
            e->ons[j] = e->ons[j - 1];
            j--;
        }
        e->ons[j] = on;
    }
}

static uint32_t
count_ons(const kappa_model_t *model)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < model->view_count; i++) {
        const kappa_directive_node_t *node =
            kappa_model_directive(model->views[i]->type->directives, "on");

        for (; node; node = kappa_directive_next(node)) {
            count++;
        }
    }
    return count;
}

kappa_status_t
kappa_model_collect_ons(events_t *e)
{
    const kappa_model_t *model = e->b->model;
    kappa_status_t status = KAPPA_OK;
    uint32_t count = count_ons(model);

    e->ons = KAPPA_NEW_ARRAY(e->b->arena, kappa_on_use_t, count);
    if (!e->ons) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < model->view_count; i++) {
        const kappa_directive_node_t *node =
            kappa_model_directive(model->views[i]->type->directives, "on");

        if (node && count > ONS_MAX) {
            return kappa_model_refuse(e->b, node->source, node->offset,
                "The schema has more than %d @on.", ONS_MAX);
        }
        for (; status == KAPPA_OK && node; node = kappa_directive_next(node)) {
            status = collect_on(e, model->views[i], node);
        }
    }
    sort_ons(e);
    return status;
}

/* ---- one effect ---- */

static kappa_status_t
on_each(events_t *e, const kappa_on_use_t *on, kappa_expr_scope_t *scope,
    kappa_effect_rule_t *effect)
{
    kappa_status_t status = kappa_model_compile_arg(
        e->b, on->node, "each", scope, NULL, &effect->each);

    if (status != KAPPA_OK || !effect->each) {
        return status;
    }
    const kappa_expr_type_t *type = kappa_expr_result_type(effect->each);
    if (type->kind == KAPPA_EXPR_LIST) {
        scope->roots[KAPPA_ROOT_ITEM] = type->item;
    } else if (type->kind == KAPPA_EXPR_DYN) {
        scope->roots[KAPPA_ROOT_ITEM] = &kappa_expr_dyn;
    } else {
        return kappa_model_refuse(e->b, on->node->source,
            kappa_model_arg_offset(on->node, "each"),
            "@on(each:) must be a list, such as \"event.data.lines\".");
    }
    return KAPPA_OK;
}

/* event.key serves where the thing's key is like mine. */
static kappa_status_t
default_key(
    events_t *e, const kappa_on_use_t *on, const kappa_event_rule_t *rule)
{
    const kappa_view_t *thing = rule->view;
    const kappa_view_t *view = on->view;
    bool same = !thing || thing->key_count == view->key_count;

    for (uint32_t i = 0; same && thing && i < view->key_count; i++) {
        same = kappa_model_ref_same(thing->columns[thing->key[i]].field->type,
            view->columns[view->key[i]].field->type);
    }
    return same ? KAPPA_OK
                : kappa_model_refuse(e->b, on->node->source, on->node->offset,
                    "@on: the key of \"%.*s\" is not like that of \"%.*s\"; "
                    "say which row it is: @on(key: [\"event.data.…\"]).",
                    KAPPA_STR_ARG(thing->name), KAPPA_STR_ARG(view->name));
}

static kappa_status_t
on_key(events_t *e, const kappa_on_use_t *on, const kappa_event_rule_t *rule,
    const kappa_expr_scope_t *scope, kappa_effect_rule_t *effect)
{
    const kappa_view_t *view = on->view;
    kappa_status_t status = KAPPA_OK;
    uint32_t count = 0;

    while (kappa_model_item(on->node, "key", count)) {
        count++;
    }
    if (!count) {
        return default_key(e, on, rule);
    }
    if (count != view->key_count) {
        return kappa_model_refuse(e->b, on->node->source,
            kappa_model_arg_offset(on->node, "key"),
            "@on(key:) has %u expression%s, but the key of \"%.*s\" has %u "
            "field%s.",
            count, count == 1 ? "" : "s", KAPPA_STR_ARG(view->name),
            view->key_count, view->key_count == 1 ? "" : "s");
    }
    effect->key = KAPPA_NEW_ARRAY(e->b->arena, const kappa_expr_t *, count);
    if (!effect->key) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < count; i++) {
        const kappa_expr_type_t *type = kappa_model_expr_type(
            e->b, view->columns[view->key[i]].field->type);

        status = type ? kappa_model_compile(e->b, on->node,
                     kappa_model_item(on->node, "key", i), scope, type,
                     &effect->key[i])
                      : KAPPA_NOMEM;
    }
    return status;
}

static kappa_status_t
on_effect(events_t *e, kappa_on_use_t *on, const kappa_event_rule_t *rule,
    kappa_effect_rule_t *effect)
{
    kappa_expr_scope_t scope = kappa_model_scope("@on");
    kappa_status_t status =
        kappa_model_event_type(e, rule, &scope.roots[KAPPA_ROOT_EVENT]);

    effect->view = on->view;
    effect->effect = on->effect;
    if (status != KAPPA_OK) {
        return status;
    }
    kappa_model_scope_lookups(e->b, &scope);
    status = on_each(e, on, &scope, effect);
    if (status == KAPPA_OK) {
        status = on_key(e, on, rule, &scope, effect);
    }
    scope.roots[KAPPA_ROOT_ROW] = &on->view->row_type;
    if (status == KAPPA_OK) {
        status = kappa_model_compile_arg(e->b, on->node, "if", &scope,
            &kappa_expr_bool, &effect->condition);
    }
    return status == KAPPA_OK ? kappa_model_sets(e, on->node, &scope, effect)
                              : status;
}

static bool
applies(const kappa_on_use_t *on, const kappa_event_rule_t *rule)
{
    if (!kappa_str_eq(on->thing, rule->thing)) {
        return false;
    }
    for (uint32_t i = 0; i < on->verb_count; i++) {
        if (rule->verb.data && kappa_str_eq(on->verbs[i], rule->verb)) {
            return true;
        }
    }
    return on->verb_count == 0;
}

kappa_status_t
kappa_model_on_effects(events_t *e, kappa_event_rule_t *rule)
{
    for (uint32_t i = 0; i < e->on_count; i++) {
        kappa_on_use_t *on = &e->ons[i];

        if (on->refused || !applies(on, rule)) {
            continue;
        }
        kappa_effect_rule_t *effect =
            KAPPA_NEW(e->b->arena, kappa_effect_rule_t);
        uint32_t refused = e->b->refused;
        if (!effect) {
            return KAPPA_NOMEM;
        }
        rule->effects[rule->effect_count++] = effect;
        kappa_status_t status = on_effect(e, on, rule, effect);
        if (status != KAPPA_OK) {
            return status;
        }
        on->refused = e->b->refused != refused;
    }
    return KAPPA_OK;
}
