#include "base/pairs.h"
#include "graphql/schema_diff.h"
#include "views/compare_private.h"

typedef struct {
    kappa_lost_t lost;
    kappa_pairs_t pairs; /* of objects, which may hold themselves */
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
    switch (before->scalar) {
    case KAPPA_SCALAR_INT:
        return after->scalar == KAPPA_SCALAR_BIGINT
                || after->scalar == KAPPA_SCALAR_FLOAT
                || after->scalar == KAPPA_SCALAR_ID
            ? KAPPA_FIT_WRITTEN
            : KAPPA_FIT_OTHER;
    case KAPPA_SCALAR_STRING:
        return after->scalar == KAPPA_SCALAR_ID ? KAPPA_FIT_WIDER
                                                : KAPPA_FIT_OTHER;
    case KAPPA_SCALAR_DATETIME:
    case KAPPA_SCALAR_DATE:
    case KAPPA_SCALAR_UUID:
        return is_text(after->scalar) ? KAPPA_FIT_WRITTEN : KAPPA_FIT_OTHER;
    default:
        return KAPPA_FIT_OTHER;
    }
}

/* What an event's value is called in rows (views/model_enum.c); data NULL: it
 * is none. */
static kappa_str_t
value_of(const kappa_type_t *type, kappa_str_t name)
{
    const kappa_map_t *older = type->binding;
    const kappa_enum_value_t *value = kappa_map_get(&type->value_map, name);

    if (!value && older) {
        value = kappa_map_get(older, name);
    }
    return value ? value->name : KAPPA_STR_NULL;
}

/* How a name that events have for a value fits. */
static kappa_fit_t
fit_value(fitting_t *f, const kappa_type_t *before, const kappa_type_t *after,
    kappa_str_t name)
{
    kappa_str_t was = value_of(before, name);
    kappa_str_t is = value_of(after, name);

    if (!was.data) {
        return is.data ? KAPPA_FIT_WIDER : KAPPA_FIT_SAME;
    }
    if (!is.data) {
        f->lost = (kappa_lost_t){ after->name, name };
        return KAPPA_FIT_OTHER;
    }
    return kappa_str_eq(was, is) ? KAPPA_FIT_SAME : KAPPA_FIT_RENAMED;
}

/* All names of a type's values, older ones too. */
static kappa_fit_t
fit_names(fitting_t *f, const kappa_type_t *of, const kappa_type_t *before,
    const kappa_type_t *after)
{
    const kappa_map_t *older = of->binding;
    kappa_fit_t fit = KAPPA_FIT_SAME;

    for (uint32_t i = 0; i < of->value_count; i++) {
        fit = worse(fit, fit_value(f, before, after, of->values[i].name));
    }
    for (uint32_t i = 0; older && i < older->count; i++) {
        fit = worse(fit, fit_value(f, before, after, older->entries[i].key));
    }
    return fit;
}

static kappa_fit_t
fit_enums(fitting_t *f, const kappa_type_t *before, const kappa_type_t *after)
{
    return worse(fit_names(f, before, before, after),
        fit_names(f, after, before, after));
}

static kappa_fit_t fit_refs(fitting_t *f, const kappa_type_ref_t *before,
    const kappa_type_ref_t *after);
static kappa_fit_t fit_named(
    fitting_t *f, const kappa_type_t *before, const kappa_type_t *after);

static bool
is_json(const kappa_type_ref_t *ref)
{
    return ref->kind == KAPPA_REF_NAMED
        && ref->named->kind == KAPPA_TYPE_SCALAR
        && ref->named->scalar == KAPPA_SCALAR_JSON;
}

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
    kappa_fit_t fit = KAPPA_FIT_SAME;

    for (uint32_t i = 0; i < after->input_count; i++) {
        const kappa_input_t *input = &after->inputs[i];

        if (!kappa_map_get(&before->input_map, input->name)) {
            fit = worse(fit,
                is_required(input)           ? KAPPA_FIT_OTHER
                    : input->default_literal ? KAPPA_FIT_WRITTEN
                                             : KAPPA_FIT_WIDER);
        }
    }
    return fit;
}

/* What is filled in where an event lacks the field. */
static kappa_fit_t
fit_default(const kappa_input_t *before, const kappa_input_t *after)
{
    const kappa_literal_t *old = before->default_literal;
    const kappa_literal_t *now = after->default_literal;

    if (old && now) {
        return kappa_literal_same(old, now) ? KAPPA_FIT_SAME
                                            : KAPPA_FIT_WRITTEN;
    }
    if (old == now) {
        return KAPPA_FIT_SAME;
    }
    if (is_required(after)) {
        return KAPPA_FIT_OTHER;
    }
    return is_required(before) ? KAPPA_FIT_WIDER : KAPPA_FIT_WRITTEN;
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
        fit = now ? worse(fit, fit_default(old, now)) : fit;
    }
    return fit;
}

/* An enum whose values have older names, which events may hold. */
static bool
renames(const kappa_type_t *type)
{
    return type && type->kind == KAPPA_TYPE_ENUM && type->binding;
}

/* A member that the type does not have is stored as it came (views/fit.h):
 * which is as its field had it, or not. */
static kappa_fit_t
fit_gone(const kappa_field_t *field)
{
    const kappa_type_t *type = field->type->named;

    if (type->kind == KAPPA_TYPE_ENUM) {
        return type->binding ? KAPPA_FIT_RENAMED : KAPPA_FIT_SAME;
    }
    return type->kind == KAPPA_TYPE_SCALAR
            && (type->scalar == KAPPA_SCALAR_INT
                || type->scalar == KAPPA_SCALAR_STRING
                || type->scalar == KAPPA_SCALAR_BOOLEAN
                || type->scalar == KAPPA_SCALAR_JSON)
        ? KAPPA_FIT_SAME
        : KAPPA_FIT_WRITTEN;
}

/* Events may have had such a member all along. */
static kappa_fit_t
fit_new(const kappa_field_t *field)
{
    return field->type->kind == KAPPA_REF_NON_NULL ? KAPPA_FIT_OTHER
        : is_json(field->type)                     ? KAPPA_FIT_SAME
                                                   : KAPPA_FIT_WRITTEN;
}

static kappa_fit_t
fit_fields(fitting_t *f, const kappa_type_t *before, const kappa_type_t *after)
{
    kappa_fit_t fit = KAPPA_FIT_SAME;

    for (uint32_t i = 0; i < before->field_count && fit != KAPPA_FIT_OTHER;
         i++) {
        const kappa_field_t *old = &before->fields[i];
        const kappa_field_t *now = kappa_type_field(after, old->name);

        fit = worse(
            fit, now ? fit_refs(f, old->type, now->type) : fit_gone(old));
    }
    for (uint32_t i = 0; i < after->field_count; i++) {
        const kappa_field_t *now = &after->fields[i];

        if (!kappa_type_field(before, now->name)) {
            fit = worse(fit, fit_new(now));
        }
    }
    return fit;
}

/* A pair that was met before has told what it is. */
static kappa_fit_t
fit_objects(
    fitting_t *f, const kappa_type_t *before, const kappa_type_t *after)
{
    uint32_t met = f->pairs.count;

    if (!kappa_pairs_add(&f->pairs, before, after)) {
        return KAPPA_FIT_OTHER;
    }
    if (f->pairs.count == met) {
        return KAPPA_FIT_SAME;
    }
    return before->kind == KAPPA_TYPE_INPUT_OBJECT
        ? fit_inputs(f, before, after)
        : fit_fields(f, before, after);
}

static kappa_fit_t
fit_named(fitting_t *f, const kappa_type_t *before, const kappa_type_t *after)
{
    if (before->kind == KAPPA_TYPE_ENUM && after->kind == KAPPA_TYPE_SCALAR
        && is_text(after->scalar)) {
        return renames(before) ? KAPPA_FIT_RENAMED : KAPPA_FIT_WIDER;
    }
    if (kappa_type_is_composite(before) && kappa_type_is_composite(after)) {
        return fit_objects(f, before, after);
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
        return fit_objects(f, before, after);
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
        if (is_json(after) && !is_json(before)) {
            return KAPPA_FIT_WRITTEN;
        }
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
    const kappa_type_ref_t *after, kappa_lost_t *lost)
{
    fitting_t f = { .lost = { KAPPA_STR_NULL, KAPPA_STR_NULL } };
    kappa_fit_t fit = fit_refs(&f, without_null(before), without_null(after));

    *lost = f.lost;
    return fit;
}
