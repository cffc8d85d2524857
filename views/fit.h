#ifndef KAPPA_VIEWS_FIT_H
#define KAPPA_VIEWS_FIT_H

#include "views/model.h"

/* Values for columns whose types say more than how they are encoded: lists
 * and embedded objects, enums, dates, UUIDs. An argument's type need not be
 * the field's, an expression or a line of an import may give anything. */

/* Whether a column needs kappa_fit_value. */
bool kappa_fit_needed(const kappa_column_t *column);

/* *value as the column's field has it, in the arena: leaves are coerced, what
 * is in it and must not be null is not. Members that its type does not have
 * stay. KAPPA_INVALID: it does not fit, told as BAD_USER_INPUT; KAPPA_LIMIT:
 * it is nested too deeply. A null at the top fits. */
kappa_status_t kappa_fit_value(kappa_arena_t *arena, const kappa_view_t *view,
    const kappa_column_t *column, kappa_value_t *value,
    kappa_errors_t *errors);

#endif
