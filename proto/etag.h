#ifndef KAPPA_PROTO_ETAG_H
#define KAPPA_PROTO_ETAG_H

#include "proto/graphql_http.h"

/* With quotes. */
#define KAPPA_ETAG_CHARS 34

/* An answer's entity tag (RFC 9110, 8.8.3): half of the SHA-256 of its media
 * type and bytes, so every worker and node gives the same. Strong; who
 * compresses makes it weak. Written to out. */
kappa_str_t kappa_etag(
    kappa_media_t media, kappa_str_t bytes, char out[KAPPA_ETAG_CHARS]);

#endif
