#include "views/compare_private.h"

/* What happens at events: compared for each thing and verb that either model
 * has a rule for, by the rule that holds for it in each. */

static bool
same_sets(const kappa_effect_rule_t *a, const kappa_effect_rule_t *b)
{
    if (a->set_count != b->set_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->set_count; i++) {
        if (!kappa_str_eq(a->view->columns[a->sets[i].column].name,
                b->view->columns[b->sets[i].column].name)
            || !kappa_compare_expr(a->sets[i].value, b->sets[i].value)) {
            return false;
        }
    }
    return true;
}

static bool
same_key(const kappa_effect_rule_t *a, const kappa_effect_rule_t *b)
{
    if (a->key == NULL || b->key == NULL) {
        return a->key == b->key;
    }
    if (a->view->key_count != b->view->key_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->view->key_count; i++) {
        if (!kappa_compare_expr(a->key[i], b->key[i])) {
            return false;
        }
    }
    return true;
}

static bool
same_effect(const kappa_effect_rule_t *a, const kappa_effect_rule_t *b)
{
    return kappa_str_eq(a->view->name, b->view->name) && a->effect == b->effect
        && a->by_name == b->by_name && kappa_compare_expr(a->each, b->each)
        && kappa_compare_expr(a->condition, b->condition) && same_key(a, b)
        && same_sets(a, b);
}

/* An event's own effect without `set` is what happens without a rule, too. */
static bool
is_plain(const kappa_effect_rule_t *effect)
{
    return effect->by_name && effect->set_count == 0;
}

static const kappa_effect_rule_t *
next_effect(const kappa_event_rule_t *rule, uint32_t *i)
{
    while (rule && *i < rule->effect_count && is_plain(rule->effects[*i])) {
        ++*i;
    }
    return rule && *i < rule->effect_count ? rule->effects[(*i)++] : NULL;
}

/* Either rule may be NULL: nothing happens. */
static bool
same_effects(const kappa_event_rule_t *a, const kappa_event_rule_t *b)
{
    const kappa_effect_rule_t *left, *right;
    uint32_t i = 0, j = 0;

    do {
        left = next_effect(a, &i);
        right = next_effect(b, &j);
        if (left && right ? !same_effect(left, right) : left != right) {
            return false;
        }
    } while (left);
    return true;
}

static kappa_effect_t
effect_of(const kappa_event_rule_t *rule)
{
    return rule ? rule->effect : KAPPA_EFFECT_NONE;
}

/* --- members of event.data */

static bool
has_column(const kappa_view_t *view, kappa_str_t name)
{
    for (uint32_t i = 0; i < view->column_count; i++) {
        if (kappa_str_eq(view->columns[i].name, name)) {
            return true;
        }
    }
    return false;
}

static const kappa_data_member_t *
find_member(const kappa_event_rule_t *rule, kappa_str_t name)
{
    for (uint32_t i = 0; i < rule->member_count; i++) {
        if (kappa_str_eq(rule->members[i].name, name)) {
            return &rule->members[i];
        }
    }
    return NULL;
}

static bool
mentions(const kappa_expr_t *expr, kappa_str_t name)
{
    kappa_str_t text = expr ? kappa_expr_text(expr) : KAPPA_STR_NULL;

    for (size_t i = 0; i + name.len <= text.len; i++) {
        if (memcmp(text.data + i, name.data, name.len) == 0) {
            return true;
        }
    }
    return false;
}

static bool
effect_reads(const kappa_effect_rule_t *effect, kappa_str_t name)
{
    bool reads =
        mentions(effect->each, name) || mentions(effect->condition, name);

    for (uint32_t i = 0; effect->key && i < effect->view->key_count; i++) {
        reads = reads || mentions(effect->key[i], name);
    }
    for (uint32_t i = 0; i < effect->set_count; i++) {
        reads = reads || mentions(effect->sets[i].value, name);
    }
    return reads || (effect->by_name && has_column(effect->view, name));
}

/* An input object that is no column: its members go to columns. */
static bool
is_spread(const kappa_event_rule_t *rule, kappa_str_t name)
{
    const kappa_data_member_t *member = find_member(rule, name);

    return rule->view && member
        && member->type->named->kind == KAPPA_TYPE_INPUT_OBJECT
        && !has_column(rule->view, name);
}

/* Whether a rule may do something with a member. */
static bool
is_read(const kappa_event_rule_t *rule, kappa_str_t name)
{
    if (is_spread(rule, name)) {
        return true;
    }
    for (uint32_t i = 0; i < rule->effect_count; i++) {
        if (effect_reads(rule->effects[i], name)) {
            return true;
        }
    }
    return false;
}

/* Whether it is typed by the view's field: what changed is told of that. */
static bool
is_fields(const kappa_event_rule_t *rule, const kappa_data_member_t *member)
{
    const kappa_field_t *field = member && rule->view
        ? kappa_type_field(rule->view->type, member->name)
        : NULL;

    return member == NULL || (field && field->type == member->type);
}

/* A member without a type is taken as it is, and one with a type is made to
 * fit: for what nobody reads that matters only where it does not. */
static kappa_need_t
need_of_member(const kappa_event_rule_t *before,
    const kappa_event_rule_t *after, kappa_str_t name, bool *loses)
{
    const kappa_data_member_t *old = find_member(before, name);
    const kappa_data_member_t *now = find_member(after, name);
    kappa_lost_t lost;

    *loses = false;
    if (is_fields(before, old) && is_fields(after, now)) {
        return KAPPA_NEED_NONE;
    }
    if (old == NULL || now == NULL) {
        return is_read(after, name) || is_read(before, name)
            ? KAPPA_NEED_IF_SEEN
            : KAPPA_NEED_NONE;
    }
    switch (kappa_compare_type(old->type, now->type, &lost)) {
    case KAPPA_FIT_SAME:
        return KAPPA_NEED_NONE;
    case KAPPA_FIT_WIDER:
        return KAPPA_NEED_IF_SKIPPED;
    case KAPPA_FIT_OTHER:
        *loses = true;
        return KAPPA_NEED_IF_SEEN;
    default:
        return KAPPA_NEED_IF_SEEN;
    }
}

/* The worst of all, and of which; loses: events that do not fit any more are
 * skipped. */
static kappa_need_t
need_of_members(const kappa_event_rule_t *before,
    const kappa_event_rule_t *after, kappa_str_t *which, bool *loses)
{
    kappa_need_t need = KAPPA_NEED_NONE;
    const kappa_event_rule_t *const both[] = { before, after };

    for (int side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < both[side]->member_count; i++) {
            kappa_str_t name = both[side]->members[i].name;
            bool one_loses;
            kappa_need_t one = need_of_member(before, after, name, &one_loses);

            if (one > need || (one_loses && !*loses)) {
                need = one;
                *which = name;
                *loses = one_loses;
            }
        }
    }
    return need;
}

/* --- rules */

static const kappa_event_rule_t *
rule_of(const kappa_model_t *model, const kappa_event_rule_t *like)
{
    if (like->verb.data) {
        return kappa_model_rule(model, like->thing, like->verb);
    }
    for (const kappa_event_rule_t *rule =
             kappa_map_get(&model->rule_map, like->thing);
         rule; rule = rule->next) {
        if (rule->verb.data == NULL) {
            return rule;
        }
    }
    return NULL;
}

static bool
has_view(const kappa_model_t *model, kappa_str_t name)
{
    for (uint32_t i = 0; i < model->view_count; i++) {
        if (kappa_str_eq(model->views[i]->name, name)) {
            return true;
        }
    }
    return false;
}

static void
compare_rule(kappa_compare_t *c, const kappa_event_rule_t *like)
{
    const kappa_event_rule_t *before = rule_of(c->before, like);
    const kappa_event_rule_t *after = rule_of(c->after, like);
    kappa_str_t member = KAPPA_STR_NULL;
    kappa_need_t need = KAPPA_NEED_NONE;
    bool effectless = false, loses = false;

    if (!same_effects(before, after)) {
        need = KAPPA_NEED_IF_SEEN;
    } else if (before && after) {
        need = need_of_members(before, after, &member, &loses);
    }
    /* Events have their effect in themselves, unless it is none. */
    if (need != KAPPA_NEED_IF_SEEN && effect_of(before) != effect_of(after)) {
        need = KAPPA_NEED_IF_SEEN;
        effectless = true;
        member = KAPPA_STR_NULL;
    }
    if (need == KAPPA_NEED_NONE
        /* The view itself is told to be new, or gone. */
        || has_view(c->before, like->thing)
            != has_view(c->after, like->thing)) {
        return;
    }
    kappa_str_t what = kappa_str_printf(c->arena, "event %.*s %.*s",
        KAPPA_STR_ARG(like->thing),
        KAPPA_STR_ARG(like->verb.data ? like->verb : KAPPA_STR("(any verb)")));
    kappa_difference_t *difference = member.data
        ? kappa_compare_add(c, need, what, "%.*s of its data has another type",
            KAPPA_STR_ARG(member))
        : effectless ? kappa_compare_add(
              c, need, what, "has another effect, for events that name none")
                     : kappa_compare_add(c, need, what, "does something else");
    if (difference) {
        difference->loses = loses;
        difference->effectless = effectless;
        difference->thing = like->thing;
        difference->verb = like->verb;
    }
}

static bool
has_rule(const kappa_model_t *model, const kappa_event_rule_t *like)
{
    for (const kappa_event_rule_t *rule =
             kappa_map_get(&model->rule_map, like->thing);
         rule; rule = rule->next) {
        if ((rule->verb.data == NULL) == (like->verb.data == NULL)
            && kappa_str_eq(rule->verb, like->verb)) {
            return true;
        }
    }
    return false;
}

void
kappa_compare_rules(kappa_compare_t *c)
{
    for (uint32_t i = 0; i < c->after->rule_count; i++) {
        compare_rule(c, c->after->rules[i]);
    }
    for (uint32_t i = 0; i < c->before->rule_count; i++) {
        if (!has_rule(c->after, c->before->rules[i])) {
            compare_rule(c, c->before->rules[i]);
        }
    }
}
