#include "proto/csrf.h"

#include "proto/graphql_http.h"
#include "proto/header.h"

bool
kappa_csrf_is_custom(kappa_str_t name)
{
    static const char *const names[] = { "apollo-require-preflight",
        "x-apollo-operation-name", "graphql-preflight", "x-graphql-yoga-csrf",
        "x-requested-with" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (kappa_header_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* A page can set these only after a preflight. Basic and the like are sent by
 * browsers unasked. */
static bool
was_preflighted(const kappa_csrf_t *r)
{
    return r->custom_header
        || kappa_header_bearer(r->authorization).data != NULL
        || (r->content_type.data != NULL
            && kappa_graphql_http_content_type(r->content_type));
}

bool
kappa_csrf_safe(const kappa_csrf_t *r)
{
    if (r->any_origin || was_preflighted(r)) {
        return true;
    }
    if (r->fetch_site.data != NULL
        && (kappa_header_is(r->fetch_site, "same-origin")
            || kappa_header_is(r->fetch_site, "none"))) {
        return true;
    }
    if (r->origin) {
        return r->origin_allowed;
    }
    if (r->fetch_site.data != NULL) {
        return false;
    }
    return r->referer ? r->referer_allowed : !r->cookie;
}

kappa_str_t
kappa_csrf_origin(kappa_str_t url)
{
    for (size_t i = 0; i + 2 < url.len; i++) {
        if (memcmp(url.data + i, "://", 3) != 0) {
            continue;
        }
        size_t end = i + 3;

        while (end < url.len && memchr("/?#", url.data[end], 3) == NULL) {
            end++;
        }
        return kappa_str(url.data, end);
    }
    return KAPPA_STR_NULL;
}
