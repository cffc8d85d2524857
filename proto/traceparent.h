#ifndef KAPPA_PROTO_TRACEPARENT_H
#define KAPPA_PROTO_TRACEPARENT_H

#include "base/str.h"

/* The header traceparent of a request (W3C Trace Context, 3.2). */

/* As long as version 00 is; those to come may be longer. */
#define KAPPA_TRACEPARENT_CHARS 55
#define KAPPA_TRACEPARENT_CHARS_MAX 128

/* Whether it is one: version, trace id, parent id, flags, in lower case, the
 * ids not zero. What is none is to be ignored. Longer ones than
 * KAPPA_TRACEPARENT_CHARS_MAX are taken for none. */
bool kappa_traceparent_valid(kappa_str_t text);

#endif
