#include "graphql/validate/rule.h"

/* 5.2.4.1 Single root field */

/* The fields that the subscription selects, by response name. */
typedef struct group_s {
    const kappa_selection_t **fields;
    uint32_t count;
    uint32_t cap;
} group_t;

typedef struct {
    kappa_validation_t *v;
    const kappa_type_t *root;
    kappa_map_t groups;
    kappa_error_t *forbidden; /* the error of @skip and @include */
    bool is_forbidden;
    uint32_t mark;
    uint32_t depth;
} collect_t;

#define DEPTH_MAX 1000

static const char *
described(kappa_validation_t *v)
{
    kappa_str_t name = v->part->definition->name.text;

    return name.data == NULL
        ? "Anonymous Subscription"
        : kappa_errors_text(v->errors,
            kappa_str_printf(
                v->arena, "Subscription \"%.*s\"", KAPPA_STR_ARG(name)));
}

/* Whether a condition stands on the selection; it must not. */
static bool
is_conditional(collect_t *c, const kappa_selection_t *s)
{
    const kappa_directive_node_t *node =
        kappa_directive_find(s->directives, KAPPA_STR("skip"));

    if (node == NULL) {
        node = kappa_directive_find(s->directives, KAPPA_STR("include"));
    }
    if (node == NULL) {
        return false;
    }
    if (!c->is_forbidden) {
        c->forbidden = kappa_refuse(c->v, node->offset,
            "%s must not use `@skip` or `@include` directives in the top "
            "level selection.",
            described(c->v));
        c->is_forbidden = true;
    } else {
        kappa_refuse_also(c->v, c->forbidden, node->offset);
    }
    return true;
}

static void
add_field(collect_t *c, const kappa_selection_t *s)
{
    kappa_str_t name = s->alias.text.data ? s->alias.text : s->name.text;
    group_t *group = kappa_map_get(&c->groups, name);

    if (group == NULL) {
        group = KAPPA_NEW(c->v->arena, group_t);
        if (group == NULL
            || kappa_map_put(&c->groups, name, group) != KAPPA_OK) {
            kappa_validation_fail(c->v, KAPPA_NOMEM);
            return;
        }
    }
    if (group->count == group->cap) {
        uint32_t cap = group->cap ? group->cap * 2 : 4;
        const kappa_selection_t **fields =
            KAPPA_NEW_ARRAY(c->v->arena, const kappa_selection_t *, cap);

        if (fields == NULL) {
            kappa_validation_fail(c->v, KAPPA_NOMEM);
            return;
        }
        if (group->count) {
            memcpy(fields, group->fields, group->count * sizeof(*fields));
        }
        group->fields = fields;
        group->cap = cap;
    }
    group->fields[group->count++] = s;
}

static bool
applies(const collect_t *c, const kappa_type_t *condition)
{
    return condition != NULL && kappa_type_is_possible(condition, c->root);
}

static void collect(collect_t *c, const kappa_selection_t *selections);

static void
collect_fragment(collect_t *c, kappa_part_t *part)
{
    if (part != NULL && applies(c, part->type) && part->mark != c->mark) {
        part->mark = c->mark;
        collect(c, part->definition->selections);
    }
}

static void
collect(collect_t *c, const kappa_selection_t *selections)
{
    if (++c->depth > DEPTH_MAX) {
        kappa_validation_spend(c->v, UINT32_MAX);
    }
    for (const kappa_selection_t *s = selections;
         s != NULL && kappa_validation_spend(c->v, 1); s = s->next) {
        if (is_conditional(c, s)) {
            continue;
        }
        if (s->kind == KAPPA_SELECTION_FIELD) {
            add_field(c, s);
        } else if (s->kind == KAPPA_SELECTION_SPREAD) {
            collect_fragment(c, kappa_fragment(c->v, s->name.text));
        } else if (s->type_condition.text.data == NULL
            || applies(c, kappa_public_type(c->v, s->type_condition.text))) {
            collect(c, s->selections);
        }
    }
    c->depth--;
}

static void
refuse_others(collect_t *c)
{
    kappa_error_t *error = NULL;

    for (uint32_t i = 1; i < c->groups.count; i++) {
        const group_t *group = c->groups.entries[i].value;

        for (uint32_t k = 0; k < group->count; k++) {
            if (error == NULL) {
                error = kappa_refuse(c->v, group->fields[k]->offset,
                    "%s must select only one top level field.",
                    described(c->v));
            } else {
                kappa_refuse_also(c->v, error, group->fields[k]->offset);
            }
        }
    }
}

static void
refuse_introspection(collect_t *c, const group_t *group)
{
    if (!kappa_str_starts_with(group->fields[0]->name.text, KAPPA_STR("__"))) {
        return;
    }
    kappa_error_t *error = kappa_refuse(c->v, group->fields[0]->offset,
        "%s must not select an introspection top level field.",
        described(c->v));

    for (uint32_t i = 1; i < group->count; i++) {
        kappa_refuse_also(c->v, error, group->fields[i]->offset);
    }
}

static void
check(kappa_validation_t *v, const kappa_definition_t *operation)
{
    collect_t c = { .v = v,
        .root = v->schema->roots[KAPPA_OPERATION_SUBSCRIPTION],
        .mark = ++v->marks };

    if (operation->operation != KAPPA_OPERATION_SUBSCRIPTION
        || c.root == NULL) {
        return;
    }
    kappa_map_init(&c.groups, v->arena);
    collect(&c, operation->selections);
    if (c.is_forbidden || v->status != KAPPA_OK) {
        return;
    }
    if (c.groups.count == 0) {
        kappa_refuse(v, operation->selections_offset,
            "%s must select one top level field.", described(v));
    }
    refuse_others(&c);
    for (uint32_t i = 0; i < c.groups.count; i++) {
        refuse_introspection(&c, c.groups.entries[i].value);
    }
}

const kappa_rule_t kappa_rule_single_field_subscriptions = {
    .info = { "SingleFieldSubscriptions", "5.2.4.1" },
    .operation = check,
};
