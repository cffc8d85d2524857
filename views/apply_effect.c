#include "base/json.h"
#include "views/apply.h"
#include "views/fit.h"

static const kappa_effect_rule_t *
own_rule(const kappa_apply_t *apply)
{
    const kappa_event_rule_t *rule = apply->rule;

    for (uint32_t i = 0; rule != NULL && i < rule->effect_count; i++) {
        if (rule->effects[i]->by_name) {
            return rule->effects[i];
        }
    }
    return NULL;
}

static kappa_status_t
refuse_effect(kappa_apply_t *apply, const kappa_node_t *node, const char *code)
{
    const kappa_view_t *view = node->view;
    kappa_buf_t *buf = &apply->set->buf;
    kappa_str_t rest = node->key;

    kappa_buf_reset(buf);
    for (uint32_t i = 0; i < view->key_count; i++) {
        kappa_value_t part;

        if (kappa_key_take(apply->set->event, view->columns[view->key[i]].kind,
                &rest, &part)
            != KAPPA_OK) {
            break;
        }
        if (i > 0) {
            KAPPA_BUF_LIT(buf, ", ");
        }
        kappa_json_value(buf, &part);
    }
    kappa_str_t key = buf->failed ? KAPPA_STR("…") : kappa_buf_view(buf);
    return kappa_apply_refuse(apply, code,
        code[0] == 'N' ? "there is no %.*s with key %.*s"
                       : "there is a %.*s with key %.*s already",
        KAPPA_STR_ARG(view->name), KAPPA_STR_ARG(key));
}

/* A row that the caller may not see does not exist for a mutation, but its
 * key is taken. */
static kappa_status_t
visible(kappa_apply_t *apply, kappa_node_t *node, bool *out)
{
    kappa_scope_row_t row;

    *out = kappa_node_exists(apply->set, node);
    if (!*out || apply->mode != KAPPA_APPLY_MUTATION
        || node->view->allow == NULL) {
        return KAPPA_OK;
    }
    kappa_node_row(apply->set, node, &row);
    apply->scope.row = &row;
    apply->scope.caller = apply->caller;
    kappa_status_t status = kappa_scope_holds(
        &apply->scope, node->view->allow, apply->set->event, out);
    apply->scope.row = NULL;
    return status;
}

/* The row that an event is about is missing. */
static kappa_status_t
own_missing(kappa_apply_t *apply)
{
    kappa_status_t status = kappa_apply_missing(apply, apply->view);

    if (status == KAPPA_OK) {
        apply->effect = KAPPA_EFFECT_NONE;
    }
    return status == KAPPA_NOT_FOUND
        ? refuse_effect(apply, apply->node, "NOT_FOUND")
        : status;
}

kappa_status_t
kappa_apply_existence(kappa_apply_t *apply)
{
    kappa_node_t *node = apply->node;
    bool seen;

    if (apply->effect == KAPPA_EFFECT_NONE || apply->view == NULL) {
        return KAPPA_OK;
    }
    if (apply->view->group_of != NULL) {
        return kappa_apply_refuse(apply, "BAD_USER_INPUT",
            "rows of %.*s are groups: no event writes them",
            KAPPA_STR_ARG(apply->view->name));
    }
    kappa_status_t status = visible(apply, node, &seen);
    if (status != KAPPA_OK) {
        return status;
    }
    bool exists = kappa_node_exists(apply->set, node);
    switch (apply->effect) {
    case KAPPA_EFFECT_CREATE:
        return exists ? refuse_effect(apply, node, "ALREADY_EXISTS")
                      : KAPPA_OK;
    case KAPPA_EFFECT_PATCH:
    case KAPPA_EFFECT_DELETE:
        return seen ? KAPPA_OK : own_missing(apply);
    default:
        return exists && !seen ? refuse_effect(apply, node, "ALREADY_EXISTS")
                               : KAPPA_OK;
    }
}

static kappa_status_t
write_row(kappa_apply_t *apply, kappa_node_t *node,
    const kappa_effect_rule_t *rule, kappa_effect_t effect,
    const kappa_value_t *key)
{
    kappa_str_t *cells = NULL;
    kappa_status_t status = KAPPA_OK;

    if (effect == KAPPA_EFFECT_NONE) {
        return KAPPA_OK;
    }
    if (effect != KAPPA_EFFECT_DELETE) {
        status = kappa_apply_fill(apply, node, rule, effect, key, &cells);
    }
    return status == KAPPA_OK ? kappa_apply_change(apply, node, cells)
                              : status;
}

/* --- @on */

static kappa_status_t
refuse_shape(kappa_apply_t *apply, const kappa_view_t *view)
{
    return view->key_count == 1
        ? kappa_apply_refuse(apply, "BAD_USER_INPUT",
            "the event's key is a list, the key of %.*s is not",
            KAPPA_STR_ARG(view->name))
        : kappa_apply_refuse(apply, "BAD_USER_INPUT",
            "the event's key is not a list of %u, as the key of %.*s",
            view->key_count, KAPPA_STR_ARG(view->name));
}

/* The event may be of something that is no view, with a key of any kind. */
static kappa_status_t
key_of_event(
    kappa_apply_t *apply, const kappa_view_t *view, kappa_value_t *parts)
{
    const kappa_value_t *key = &apply->event.key;
    kappa_status_t status = KAPPA_OK;

    if (kappa_is_null(key)) {
        return KAPPA_OK;
    }
    if (key->kind == KAPPA_LIST && key->count == view->key_count) {
        memcpy(parts, key->as.items, key->count * sizeof(*parts));
    } else if (key->kind != KAPPA_LIST && view->key_count == 1) {
        parts[0] = *key;
    } else {
        return refuse_shape(apply, view);
    }
    for (uint32_t i = 0; i < view->key_count && status == KAPPA_OK; i++) {
        status =
            kappa_apply_part(apply, &view->columns[view->key[i]], &parts[i]);
    }
    return status;
}

static kappa_status_t
key_of_rule(kappa_apply_t *apply, const kappa_effect_rule_t *rule,
    kappa_value_t *parts)
{
    const kappa_view_t *view = rule->view;
    kappa_status_t status = KAPPA_OK;

    if (rule->key == NULL) {
        return key_of_event(apply, view, parts);
    }
    for (uint32_t i = 0; i < view->key_count && status == KAPPA_OK; i++) {
        const kappa_column_t *column = &view->columns[view->key[i]];

        status = kappa_apply_eval(
            apply, rule->key[i], "key", column->name, &parts[i]);
        if (status == KAPPA_OK && kappa_fit_needed(column)) {
            status = kappa_fit_value(
                apply->set->event, view, column, &parts[i], apply->errors);
        }
    }
    return status;
}

/* *pass: the row was forgotten, the effect is passed by. */
static kappa_status_t
on_missing(kappa_apply_t *apply, const kappa_node_t *node, bool *pass)
{
    kappa_status_t status = kappa_apply_missing(apply, node->view);

    *pass = status == KAPPA_OK;
    return status == KAPPA_NOT_FOUND ? refuse_effect(apply, node, "NOT_FOUND")
                                     : status;
}

/* SEMANTICS 7. */
static kappa_status_t
on_exists(kappa_apply_t *apply, const kappa_effect_rule_t *rule,
    const kappa_node_t *node, bool *pass)
{
    bool exists = kappa_node_exists(apply->set, node);

    switch (rule->effect) {
    case KAPPA_EFFECT_CREATE:
        return exists ? refuse_effect(apply, node, "ALREADY_EXISTS")
                      : KAPPA_OK;
    case KAPPA_EFFECT_PATCH:
    case KAPPA_EFFECT_DELETE:
        return exists ? KAPPA_OK : on_missing(apply, node, pass);
    default:
        return KAPPA_OK;
    }
}

static kappa_status_t
on_condition(kappa_apply_t *apply, const kappa_effect_rule_t *rule,
    const kappa_node_t *node, bool *holds)
{
    kappa_scope_row_t row;

    kappa_node_row(apply->set, node, &row);
    apply->scope.row = kappa_node_exists(apply->set, node) ? &row : NULL;
    kappa_status_t status = kappa_scope_holds(
        &apply->scope, rule->condition, apply->set->event, holds);
    apply->scope.row = NULL;
    return status;
}

static kappa_status_t
on_once(kappa_apply_t *apply, const kappa_effect_rule_t *rule)
{
    kappa_value_t *parts = KAPPA_NEW_ARRAY(
        apply->set->event, kappa_value_t, rule->view->key_count);
    kappa_node_t *node = NULL;
    bool holds, pass = false;

    if (parts == NULL) {
        return KAPPA_NOMEM;
    }
    apply->scope.caller = &apply->actor;
    kappa_status_t status = key_of_rule(apply, rule, parts);
    if (status == KAPPA_OK) {
        status = kappa_apply_node(apply, rule->view, parts, &node);
    }
    if (status != KAPPA_OK) {
        return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
    }
    status = on_condition(apply, rule, node, &holds);
    if (status != KAPPA_OK || !holds) {
        return status;
    }
    status = on_exists(apply, rule, node, &pass);
    return status == KAPPA_OK && !pass
        ? write_row(apply, node, rule, rule->effect, parts)
        : status;
}

static kappa_status_t
on_each(kappa_apply_t *apply, const kappa_effect_rule_t *rule)
{
    kappa_value_t list;
    kappa_status_t status =
        kappa_apply_eval(apply, rule->each, "each", rule->view->name, &list);

    if (status != KAPPA_OK || list.kind != KAPPA_LIST) {
        return status;
    }
    if (list.count > KAPPA_EACH_MAX) {
        kappa_apply_refuse(apply, "LIMIT_EXCEEDED",
            "each of %.*s has %u items, at most %d are possible",
            KAPPA_STR_ARG(rule->view->name), list.count, KAPPA_EACH_MAX);
        return KAPPA_LIMIT;
    }
    for (uint32_t i = 0; i < list.count && status == KAPPA_OK; i++) {
        apply->scope.item = list.as.items[i];
        status = on_once(apply, rule);
    }
    apply->scope.item = (kappa_value_t){ 0 };
    return status;
}

kappa_status_t
kappa_apply_effects(kappa_apply_t *apply)
{
    const kappa_event_rule_t *rule = apply->rule;
    kappa_status_t status = KAPPA_OK;

    if (apply->effect != KAPPA_EFFECT_NONE && apply->node != NULL) {
        status = write_row(
            apply, apply->node, own_rule(apply), apply->effect, apply->key);
    }
    for (uint32_t i = 0;
         rule != NULL && i < rule->effect_count && status == KAPPA_OK; i++) {
        const kappa_effect_rule_t *effect = rule->effects[i];

        if (!effect->by_name) {
            status =
                effect->each ? on_each(apply, effect) : on_once(apply, effect);
        }
    }
    return status;
}
