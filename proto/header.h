#ifndef KAPPA_PROTO_HEADER_H
#define KAPPA_PROTO_HEADER_H

#include "base/str.h"

/* Lists in HTTP headers (RFC 9110, 5.6): elements between commas, each a value
 * and parameters between semicolons. Nothing is copied; a quoted string is
 * given as written between its quotes, its backslashes unresolved. */

typedef struct {
    kappa_str_t value;  /* without its parameters */
    kappa_str_t params; /* the rest, for kappa_header_param */
} kappa_header_item_t;

/* The next element that is not empty; moves *rest behind it. False: none. */
bool kappa_header_next(kappa_str_t *rest, kappa_header_item_t *out);

/* The next parameter; moves behind it. One without '=' has an empty value. */
bool kappa_header_param(
    kappa_header_item_t *item, kappa_str_t *name, kappa_str_t *value);

/* Equal but for the case of ASCII letters. */
bool kappa_header_is(kappa_str_t s, const char *text);

/* "0.8" to 800; false: no weight (RFC 9110, 12.4.2). */
bool kappa_header_quality(kappa_str_t s, uint16_t *thousandths);

/* The token of `Bearer TOKEN` (RFC 6750, 2.1), the scheme in any case; data
 * NULL: it is something else. */
kappa_str_t kappa_header_bearer(kappa_str_t authorization);

#endif
