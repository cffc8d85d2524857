#ifndef KAPPA_VIEWS_RENAME_H
#define KAPPA_VIEWS_RENAME_H

#include "views/model.h"

/* What older events call otherwise (@was), in their data as it was parsed. */

/* Enum values by their names of today, in a value of a type and in what is in
 * it. In place: the value is the caller's own. */
void kappa_rename_values(const kappa_type_ref_t *type, kappa_value_t *value);

/* The member of an object that a column is filled from, also by its older
 * names. NULL: none. */
const kappa_value_t *kappa_rename_member(
    const kappa_value_t *object, const kappa_column_t *column);

/* The column that has this as an older name, if the object has no member of
 * its name of today. NULL: none. */
const kappa_column_t *kappa_rename_column(
    const kappa_view_t *view, const kappa_value_t *object, kappa_str_t older);

#endif
