#ifndef KAPPA_PROTO_CSRF_H
#define KAPPA_PROTO_CSRF_H

#include "base/str.h"

/* Whether a request may run an operation though it could be what a browser
 * sends for a page without asking first: a GET by a link, an image, a form
 * or fetch (the CORS protocol's "simple" requests; Fetch standard, 4.9). A
 * POST of application/json never is one, a GET always may be.
 *
 * What browsers say of themselves decides: Sec-Fetch-Site (W3C Fetch Metadata;
 * all browsers since 2023, on https), else Origin, else Referer. A header that
 * a page can't set without a preflight says the page was allowed to; who sends
 * none of all that is no browser. */
typedef struct {
    kappa_str_t content_type; /* headers; data NULL: none */
    kappa_str_t authorization;
    kappa_str_t fetch_site; /* Sec-Fetch-Site */
    bool custom_header;     /* one of kappa_csrf_is_custom, not empty */
    bool cookie;            /* cookies say who asks, and there is one */
    bool origin;            /* it has an Origin */
    bool origin_allowed;    /* the same, or one that may ask */
    bool referer;           /* the same of Referer */
    bool referer_allowed;
    bool any_origin; /* all pages may ask */
} kappa_csrf_t;

bool kappa_csrf_safe(const kappa_csrf_t *request);

/* Whether a header's name is one that clients send to force a preflight:
 * Apollo-Require-Preflight, X-Apollo-Operation-Name, GraphQL-Preflight,
 * X-GraphQL-Yoga-CSRF, X-Requested-With. */
bool kappa_csrf_is_custom(kappa_str_t name);

/* The origin of a URL: what stands before its path. data NULL: it has none. */
kappa_str_t kappa_csrf_origin(kappa_str_t url);

#endif
