#include "graphql/validate/field_sets.h"

/* 5.3.2: whether two fields have identical sets of arguments. */

static bool same_value(
    kappa_validation_t *v, const kappa_literal_t *a, const kappa_literal_t *b);

static const kappa_literal_t *
object_field(
    kappa_validation_t *v, const kappa_literal_t *object, kappa_str_t name)
{
    for (const kappa_literal_field_t *f = object->fields;
         f != NULL && kappa_validation_spend(v, 1); f = f->next) {
        if (kappa_str_eq(f->name.text, name)) {
            return f->value;
        }
    }
    return NULL;
}

/* Fields in any order; those of one place first, which is the usual one. */
static bool
same_object(
    kappa_validation_t *v, const kappa_literal_t *a, const kappa_literal_t *b)
{
    const kappa_literal_field_t *at = b->fields;

    if (a->count != b->count) {
        return false;
    }
    for (const kappa_literal_field_t *f = a->fields; f; f = f->next) {
        const kappa_literal_t *value =
            kappa_str_eq(f->name.text, at->name.text)
            ? at->value
            : object_field(v, b, f->name.text);

        if (value == NULL || !same_value(v, f->value, value)) {
            return false;
        }
        at = at->next;
    }
    return true;
}

static bool
same_list(
    kappa_validation_t *v, const kappa_literal_t *a, const kappa_literal_t *b)
{
    const kappa_literal_t *y = b->items;

    if (a->count != b->count) {
        return false;
    }
    for (const kappa_literal_t *x = a->items; x != NULL; x = x->next) {
        if (!same_value(v, x, y)) {
            return false;
        }
        y = y->next;
    }
    return true;
}

static bool
same_value(
    kappa_validation_t *v, const kappa_literal_t *a, const kappa_literal_t *b)
{
    if (a->kind != b->kind || a->block != b->block
        || !kappa_validation_spend(v, 1)) {
        return false;
    }
    if (a->kind == KAPPA_LITERAL_OBJECT) {
        return same_object(v, a, b);
    }
    return a->kind == KAPPA_LITERAL_LIST ? same_list(v, a, b)
                                         : kappa_str_eq(a->text, b->text);
}

/* The last argument of that name. */
static const kappa_literal_t *
argument(kappa_validation_t *v, const kappa_argument_t *a, kappa_str_t name)
{
    const kappa_literal_t *found = NULL;

    for (; a != NULL && kappa_validation_spend(v, 1); a = a->next) {
        if (kappa_str_eq(a->name.text, name)) {
            found = a->value;
        }
    }
    return found;
}

bool
kappa_same_arguments(kappa_validation_t *v, const kappa_argument_t *a,
    const kappa_argument_t *b)
{
    const kappa_argument_t *x = a, *y = b;

    while (x != NULL && y != NULL) {
        x = x->next;
        y = y->next;
    }
    if (x != NULL || y != NULL) {
        return false;
    }
    for (; a != NULL; a = a->next) {
        const kappa_literal_t *value = argument(v, b, a->name.text);

        if (value == NULL || !same_value(v, a->value, value)) {
            return false;
        }
    }
    return true;
}
