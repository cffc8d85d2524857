#ifndef KAPPA_BASE_CALLER_H
#define KAPPA_BASE_CALLER_H

#include "base/value.h"

/* Who asks: `auth` in expressions, the actor of events. All zero is
 * anonymous: sub and iss are null, roles and scopes empty. */
typedef struct {
    kappa_str_t sub; /* data NULL: anonymous */
    kappa_str_t iss;
    kappa_value_t roles;  /* LIST of STRING, or UNSET */
    kappa_value_t scopes; /* LIST of STRING, or UNSET */
    kappa_value_t claims; /* OBJECT, or UNSET */
} kappa_caller_t;

#endif
