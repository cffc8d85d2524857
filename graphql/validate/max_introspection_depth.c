#include "graphql/validate/rule.h"

/* No section: as graphql-js, introspection that goes through lists of types
 * again and again is refused, since its answer grows without bound. */

#define LISTS_MAX 3
#define DEPTH_MAX 1000 /* of fragments in fragments */

typedef struct {
    kappa_validation_t *v;
    uint32_t depth;
} search_t;

static bool
is_list_of_types(kappa_str_t name)
{
    return kappa_str_eq_c(name, "fields") || kappa_str_eq_c(name, "interfaces")
        || kappa_str_eq_c(name, "possibleTypes")
        || kappa_str_eq_c(name, "inputFields");
}

static bool exceeds(
    search_t *search, const kappa_selection_t *selections, uint32_t lists);

/* A fragment is looked through once for each depth it is met at. */
static bool
fragment_exceeds(search_t *search, kappa_part_t *part, uint32_t lists)
{
    if (part->depth_exceeded != 0 && part->depth_exceeded <= lists + 1) {
        return true;
    }
    if (part->depth_checked > lists) {
        return false;
    }
    part->depth_checked = lists + 1;
    if (exceeds(search, part->definition->selections, lists)) {
        part->depth_exceeded = lists + 1;
        return true;
    }
    return false;
}

static bool
selection_exceeds(search_t *search, const kappa_selection_t *s, uint32_t lists)
{
    if (s->kind == KAPPA_SELECTION_SPREAD) {
        kappa_part_t *part = kappa_fragment(search->v, s->name.text);

        return part != NULL && fragment_exceeds(search, part, lists);
    }
    if (s->kind == KAPPA_SELECTION_FIELD && is_list_of_types(s->name.text)
        && ++lists >= LISTS_MAX) {
        return true;
    }
    return exceeds(search, s->selections, lists);
}

static bool
exceeds(search_t *search, const kappa_selection_t *selections, uint32_t lists)
{
    bool found = false;

    if (++search->depth > DEPTH_MAX) {
        kappa_validation_spend(search->v, UINT32_MAX);
    }
    for (const kappa_selection_t *s = selections;
         s != NULL && !found && search->v->status == KAPPA_OK; s = s->next) {
        found = selection_exceeds(search, s, lists);
    }
    search->depth--;
    return found;
}

/* Where the last selection within one starts. */
static uint32_t
last_offset(const kappa_selection_t *s)
{
    for (;;) {
        const kappa_selection_t *last = s->selections;

        if (last == NULL) {
            return s->offset;
        }
        while (last->next != NULL) {
            last = last->next;
        }
        s = last;
    }
}

static void
check(kappa_validation_t *v, const kappa_selection_t *s)
{
    search_t search = { .v = v };

    if (!kappa_str_eq_c(s->name.text, "__schema")
        && !kappa_str_eq_c(s->name.text, "__type")) {
        return;
    }
    /* What is refused as a whole is not looked into. */
    if (s->offset > v->too_deep_from && s->offset <= v->too_deep_to) {
        return;
    }
    if (exceeds(&search, s->selections, 0)) {
        v->too_deep_from = s->offset;
        v->too_deep_to = last_offset(s);
        kappa_refuse(v, s->offset, "Maximum introspection depth exceeded.");
    }
}

const kappa_rule_t kappa_rule_max_introspection_depth = {
    .info = { "MaxIntrospectionDepth", "none" },
    .on_field = check,
};
