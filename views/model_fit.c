#include "base/pairs.h"
#include "views/model_private.h"

/* Whether what an argument holds can be stored in a field. */

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

/* Input objects that must fit object types are left in pairs. */
static bool
ref_fits(kappa_pairs_t *pairs, const kappa_type_ref_t *from,
    const kappa_type_ref_t *to)
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
        ? kappa_pairs_add(pairs, from->named, to->named)
        : leaf_fits(from, to);
}

static bool
object_fits(
    kappa_pairs_t *pairs, const kappa_type_t *from, const kappa_type_t *to)
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
    kappa_pairs_t pairs = { .count = 0 };

    if (!ref_fits(&pairs, from, to)) {
        return false;
    }
    for (uint32_t i = 0; i < pairs.count; i++) {
        if (!object_fits(&pairs, pairs.a[i], pairs.b[i])) {
            return false;
        }
    }
    return true;
}
