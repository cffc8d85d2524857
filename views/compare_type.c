#include "views/compare_private.h"

#define DEPTH_MAX 32

typedef struct {
    kappa_str_t lost;
    /* Pairs of input objects that are being compared: they may hold
     * themselves. */
    const kappa_type_t *path[DEPTH_MAX][2];
    unsigned depth;
} fitting_t;

static kappa_fit_t
worse(kappa_fit_t a, kappa_fit_t b)
{
    return a > b ? a : b;
}

static bool
is_text(kappa_scalar_t scalar)
{
    return scalar == KAPPA_SCALAR_STRING || scalar == KAPPA_SCALAR_ID;
}

static kappa_fit_t
fit_scalars(const kappa_type_t *before, const kappa_type_t *after)
{
    if (before->scalar == after->scalar) {
        return KAPPA_FIT_SAME;
    }
    return before->scalar == KAPPA_SCALAR_STRING
            && after->scalar == KAPPA_SCALAR_ID
        ? KAPPA_FIT_WIDER
        : KAPPA_FIT_OTHER;
}

/* A value that has another name now holds on to its older one. */
static bool
has_value(const kappa_type_t *type, kappa_str_t name)
{
    if (kappa_map_get(&type->value_map, name)) {
        return true;
    }
    for (uint32_t i = 0; i < type->value_count; i++) {
        const kappa_directive_node_t *was =
            kappa_directive_find(type->values[i].directives, KAPPA_STR("was"));
        const kappa_literal_t *old =
            was ? kappa_directive_arg(was, KAPPA_STR("name")) : NULL;

        if (old && kappa_str_eq(old->text, name)) {
            return true;
        }
    }
    return false;
}

static kappa_fit_t
fit_enums(fitting_t *f, const kappa_type_t *before, const kappa_type_t *after)
{
    kappa_fit_t fit = KAPPA_FIT_SAME;

    for (uint32_t i = 0; i < before->value_count; i++) {
        kappa_str_t name = before->values[i].name;

        if (!has_value(after, name)) {
            f->lost = name;
            return KAPPA_FIT_OTHER;
        }
        if (!kappa_map_get(&after->value_map, name)) {
            fit = KAPPA_FIT_OTHER; /* its rows hold the older name */
        }
    }
    if (after->value_count > before->value_count) {
        fit = worse(fit, KAPPA_FIT_WIDER);
    }
    return fit;
}

static kappa_fit_t fit_refs(fitting_t *f, const kappa_type_ref_t *before,
    const kappa_type_ref_t *after);

static bool
is_required(const kappa_input_t *input)
{
    return input->type->kind == KAPPA_REF_NON_NULL
        && input->default_literal == NULL;
}

/* A new field with a default is filled in where an event lacks it. */
static kappa_fit_t
fit_new_inputs(const kappa_type_t *before, const kappa_type_t *after)
{
    for (uint32_t i = 0; i < after->input_count; i++) {
        const kappa_input_t *input = &after->inputs[i];

        if (!kappa_map_get(&before->input_map, input->name)
            && (is_required(input) || input->default_literal)) {
            return KAPPA_FIT_OTHER;
        }
    }
    return after->input_count > before->input_count ? KAPPA_FIT_WIDER
                                                    : KAPPA_FIT_SAME;
}

static kappa_fit_t
fit_inputs(fitting_t *f, const kappa_type_t *before, const kappa_type_t *after)
{
    kappa_fit_t fit = fit_new_inputs(before, after);

    if (before->one_of != after->one_of) {
        return KAPPA_FIT_OTHER;
    }
    for (uint32_t i = 0; i < before->input_count && fit != KAPPA_FIT_OTHER;
         i++) {
        const kappa_input_t *old = &before->inputs[i];
        const kappa_input_t *now = kappa_map_get(&after->input_map, old->name);

        fit = worse(
            fit, now ? fit_refs(f, old->type, now->type) : KAPPA_FIT_OTHER);
    }
    return fit;
}

/* Once on the way to itself, a pair is as the rest of it is. */
static kappa_fit_t
fit_input_objects(
    fitting_t *f, const kappa_type_t *before, const kappa_type_t *after)
{
    for (unsigned i = 0; i < f->depth; i++) {
        if (f->path[i][0] == before && f->path[i][1] == after) {
            return KAPPA_FIT_SAME;
        }
    }
    if (f->depth == DEPTH_MAX) {
        return KAPPA_FIT_OTHER;
    }
    f->path[f->depth][0] = before;
    f->path[f->depth][1] = after;
    f->depth++;
    kappa_fit_t fit = fit_inputs(f, before, after);
    f->depth--;
    return fit;
}

static kappa_fit_t
fit_named(fitting_t *f, const kappa_type_t *before, const kappa_type_t *after)
{
    if (before->kind == KAPPA_TYPE_ENUM && after->kind == KAPPA_TYPE_SCALAR
        && is_text(after->scalar)) {
        return KAPPA_FIT_WIDER;
    }
    if (kappa_type_is_composite(before) && kappa_type_is_composite(after)) {
        return KAPPA_FIT_SAME; /* stored as it came, whatever its fields */
    }
    if (before->kind != after->kind) {
        return KAPPA_FIT_OTHER;
    }
    switch (before->kind) {
    case KAPPA_TYPE_SCALAR:
        return fit_scalars(before, after);
    case KAPPA_TYPE_ENUM:
        return fit_enums(f, before, after);
    default:
        return fit_input_objects(f, before, after);
    }
}

static kappa_fit_t
fit_refs(fitting_t *f, const kappa_type_ref_t *before,
    const kappa_type_ref_t *after)
{
    kappa_fit_t fit = KAPPA_FIT_SAME;

    for (;;) {
        bool was = before->kind == KAPPA_REF_NON_NULL;
        bool is = after->kind == KAPPA_REF_NON_NULL;

        if (is && !was) {
            return KAPPA_FIT_OTHER;
        }
        if (was && !is) {
            fit = KAPPA_FIT_WIDER;
        }
        before = was ? before->of : before;
        after = is ? after->of : after;
        if (before->kind != after->kind) {
            return KAPPA_FIT_OTHER;
        }
        if (before->kind != KAPPA_REF_LIST) {
            return worse(fit, fit_named(f, before->named, after->named));
        }
        before = before->of;
        after = after->of;
    }
}

static const kappa_type_ref_t *
without_null(const kappa_type_ref_t *ref)
{
    return ref->kind == KAPPA_REF_NON_NULL ? ref->of : ref;
}

/* Whether the whole may be null is no part of it: columns say it by
 * themselves, and members of data may always be. */
kappa_fit_t
kappa_compare_type(const kappa_type_ref_t *before,
    const kappa_type_ref_t *after, kappa_str_t *lost)
{
    fitting_t f = { .lost = KAPPA_STR_NULL };
    kappa_fit_t fit = fit_refs(&f, without_null(before), without_null(after));

    *lost = f.lost;
    return fit;
}
