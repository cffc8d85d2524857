#ifndef KAPPA_AUTH_TOKEN_H
#define KAPPA_AUTH_TOKEN_H

#include "auth/key.h"
#include "base/caller.h"

/* JSON Web Tokens (RFC 7519): from a token to who asks. The signature is
 * libjwt's to check. */

#define KAPPA_TOKEN_BYTES_MAX 16384

/* Who may issue tokens. A token's iss selects its issuer: keys never cross. */
typedef struct {
    kappa_str_t name;
    kappa_str_t audience; /* data NULL: not looked at */
    kappa_str_t roles;    /* path of the claim, "realm_access.roles" */
    int64_t leeway_s;     /* for exp and nbf */
    kappa_key_set_t keys;
} kappa_issuer_t;

typedef struct {
    kappa_caller_t caller;
    int64_t expires_s; /* since 1970; INT64_MAX: no exp */
} kappa_identity_t;

bool kappa_caller_has_scope(const kappa_caller_t *caller, kappa_str_t scope);

/* KAPPA_OK: *out is who it says, in the arena. KAPPA_INVALID: reason says why
 * not, without anything of the token in it. */
kappa_status_t kappa_token_verify(kappa_arena_t *arena,
    const kappa_issuer_t *const *issuers, uint32_t issuer_count,
    kappa_str_t token, int64_t now_s, kappa_identity_t *out,
    const char **reason);

#endif
