#ifndef KAPPA_AUTH_KEY_H
#define KAPPA_AUTH_KEY_H

#include "base/error.h"
#include "base/status.h"
#include "base/str.h"

/* Keys that tokens are verified with: from PEM or secret files, or from a
 * JSON Web Key Set (RFC 7517), whose keys are turned into PEM because libjwt
 * wants that. */

typedef enum {
    KAPPA_ALG_HS256,
    KAPPA_ALG_HS384,
    KAPPA_ALG_HS512,
    KAPPA_ALG_RS256,
    KAPPA_ALG_RS384,
    KAPPA_ALG_RS512,
    KAPPA_ALG_ES256,
    KAPPA_ALG_ES384,
    KAPPA_ALG_ES512
} kappa_alg_t;

/* False: no algorithm of that name that kappa takes ("none" is never one). */
bool kappa_alg_parse(kappa_str_t name, kappa_alg_t *out);
const char *kappa_alg_name(kappa_alg_t alg);

/* One key for one algorithm: a token may never choose another for it. */
typedef struct {
    kappa_alg_t alg;
    kappa_str_t id;    /* kid; data NULL: none */
    kappa_str_t bytes; /* the secret, or a public key as PEM, NUL behind */
} kappa_key_t;

typedef struct {
    kappa_key_t *keys;
    uint32_t count;
} kappa_key_set_t;

/* A secret must have at least the hash's bytes (RFC 7518, 3.2). A PEM must
 * hold a public key (or certificate's) of the algorithm's kind and strength.
 * KAPPA_INVALID with an error. */
kappa_status_t kappa_key_make(kappa_arena_t *arena, kappa_str_t bytes,
    kappa_alg_t alg, kappa_key_set_t *out, kappa_errors_t *errors);

/* The same of a file's content: a newline at a secret's end is not part of
 * it. */
kappa_status_t kappa_key_load(kappa_arena_t *arena, kappa_str_t file,
    kappa_alg_t alg, kappa_key_set_t *out, kappa_errors_t *errors);

/* Keys of other uses and kinds are passed by; a set of which nothing is left
 * is KAPPA_INVALID, as is one that is no JSON. A key without "alg" is for
 * RS256, or its curve's. */
kappa_status_t kappa_keys_load_jwks(kappa_arena_t *arena, kappa_str_t json,
    kappa_key_set_t *out, kappa_errors_t *errors);

#endif
