#include <stdlib.h>

#include "auth/token.h"
#include "base/json.h"

/* The first byte chooses what the rest is: a token, or a key set. A token of
 * the fuzzer's own making is never good: it does not know the secret. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_token(kappa_arena_t *arena, kappa_str_t text)
{
    kappa_key_t key = { .alg = KAPPA_ALG_HS256,
        .bytes = KAPPA_STR("a secret that is in no corpus, 32 bytes") };
    kappa_issuer_t issuer = { .name = KAPPA_STR("https://a"),
        .roles = KAPPA_STR("realm.roles"),
        .keys = { &key, 1 } };
    const kappa_issuer_t *issuers = &issuer;
    kappa_identity_t identity;
    const char *reason = NULL;

    if (kappa_token_verify(
            arena, &issuers, 1, text, 1800000000, &identity, &reason)
            != KAPPA_INVALID
        || reason == NULL) {
        abort();
    }
}

static void
try_key_set(kappa_arena_t *arena, kappa_str_t text)
{
    kappa_key_set_t keys;
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status = kappa_keys_load_jwks(arena, text, &keys, &errors);
    if ((status == KAPPA_OK) != (errors.count == 0)
        || (status == KAPPA_OK && keys.count == 0)) {
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_str_t text = kappa_str((const char *)data + 1, size - 1);

    if (data[0] == '{') {
        try_key_set(arena, text);
    } else {
        try_token(arena, text);
    }
    kappa_arena_destroy(arena);
    return 0;
}
