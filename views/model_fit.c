#include "views/model_private.h"

/* Whether what an argument holds can be stored in a field. */

#define PAIRS_MAX 256

/* Input objects that must fit object types. Types may hold themselves, so
 * each pair is looked at once. */
typedef struct {
    const kappa_type_t *from[PAIRS_MAX];
    const kappa_type_t *to[PAIRS_MAX];
    uint32_t count;
} pairs_t;

static bool
add_pair(pairs_t *pairs, const kappa_type_t *from, const kappa_type_t *to)
{
    for (uint32_t i = 0; i < pairs->count; i++) {
        if (pairs->from[i] == from && pairs->to[i] == to) {
            return true;
        }
    }
    if (pairs->count == PAIRS_MAX) {
        return false;
    }
    pairs->from[pairs->count] = from;
    pairs->to[pairs->count++] = to;
    return true;
}

static bool
leaf_fits(const kappa_type_ref_t *from, const kappa_type_ref_t *to)
{
    kappa_column_kind_t kind = kappa_model_ref_kind(from);
    kappa_column_kind_t stored = kappa_model_ref_kind(to);

    if (!kappa_type_is_leaf(from->named) || !kappa_type_is_leaf(to->named)) {
        return false;
    }
    if (to->named->kind == KAPPA_TYPE_ENUM) {
        return from->named == to->named;
    }
    return kind == stored
        || (kind == KAPPA_COLUMN_INT
            && (stored == KAPPA_COLUMN_BIGINT
                || stored == KAPPA_COLUMN_DOUBLE));
}

static bool
ref_fits(
    pairs_t *pairs, const kappa_type_ref_t *from, const kappa_type_ref_t *to)
{
    for (;;) {
        from = from->kind == KAPPA_REF_NON_NULL ? from->of : from;
        to = to->kind == KAPPA_REF_NON_NULL ? to->of : to;
        if (to->kind == KAPPA_REF_NAMED && to->named->kind == KAPPA_TYPE_SCALAR
            && to->named->scalar == KAPPA_SCALAR_JSON) {
            return true;
        }
        if (from->kind != to->kind) {
            return false;
        }
        if (from->kind == KAPPA_REF_NAMED) {
            break;
        }
        from = from->of;
        to = to->of;
    }
    return from->named->kind == KAPPA_TYPE_INPUT_OBJECT
            && to->named->kind == KAPPA_TYPE_OBJECT
        ? add_pair(pairs, from->named, to->named)
        : leaf_fits(from, to);
}

static bool
object_fits(pairs_t *pairs, const kappa_type_t *from, const kappa_type_t *to)
{
    for (uint32_t i = 0; i < from->input_count; i++) {
        const kappa_field_t *field =
            kappa_type_field(to, from->inputs[i].name);

        if (!field || !ref_fits(pairs, from->inputs[i].type, field->type)) {
            return false;
        }
    }
    return true;
}

bool
kappa_model_ref_fits(const kappa_type_ref_t *from, const kappa_type_ref_t *to)
{
    pairs_t pairs = { .count = 0 };

    if (!ref_fits(&pairs, from, to)) {
        return false;
    }
    for (uint32_t i = 0; i < pairs.count; i++) {
        if (!object_fits(&pairs, pairs.from[i], pairs.to[i])) {
            return false;
        }
    }
    return true;
}
