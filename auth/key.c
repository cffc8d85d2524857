#include "auth/key.h"

#include "auth/pem.h"

#define CODE "INVALID_KEY"
#define RSA_BITS_MIN 2048

static const struct {
    const char *name;
    int type; /* EVP_PKEY_… */
    int bits; /* of the curve; RSA: at least; HMAC: of the hash */
} algs[] = {
    [KAPPA_ALG_HS256] = { "HS256", EVP_PKEY_HMAC, 256 },
    [KAPPA_ALG_HS384] = { "HS384", EVP_PKEY_HMAC, 384 },
    [KAPPA_ALG_HS512] = { "HS512", EVP_PKEY_HMAC, 512 },
    [KAPPA_ALG_RS256] = { "RS256", EVP_PKEY_RSA, RSA_BITS_MIN },
    [KAPPA_ALG_RS384] = { "RS384", EVP_PKEY_RSA, RSA_BITS_MIN },
    [KAPPA_ALG_RS512] = { "RS512", EVP_PKEY_RSA, RSA_BITS_MIN },
    [KAPPA_ALG_ES256] = { "ES256", EVP_PKEY_EC, 256 },
    [KAPPA_ALG_ES384] = { "ES384", EVP_PKEY_EC, 384 },
    [KAPPA_ALG_ES512] = { "ES512", EVP_PKEY_EC, 521 },
};

bool
kappa_alg_parse(kappa_str_t name, kappa_alg_t *out)
{
    for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
        if (kappa_str_eq_c(name, algs[i].name)) {
            *out = (kappa_alg_t)i;
            return true;
        }
    }
    return false;
}

const char *
kappa_alg_name(kappa_alg_t alg)
{
    return algs[alg].name;
}

static kappa_status_t
one_key(kappa_arena_t *arena, kappa_alg_t alg, kappa_str_t bytes,
    kappa_key_set_t *out)
{
    out->keys = KAPPA_NEW(arena, kappa_key_t);
    if (out->keys == NULL) {
        return KAPPA_NOMEM;
    }
    out->count = 1;
    *out->keys =
        (kappa_key_t){ .alg = alg, .bytes = kappa_str_dup(arena, bytes) };
    return out->keys->bytes.data ? KAPPA_OK : KAPPA_NOMEM;
}

static kappa_status_t
make_secret(kappa_arena_t *arena, kappa_str_t bytes, kappa_alg_t alg,
    kappa_key_set_t *out, kappa_errors_t *errors)
{
    if (bytes.len * 8 < (size_t)algs[alg].bits) {
        kappa_errors_add(errors, CODE,
            "a secret for %s needs at least %d bytes, this has %zu",
            algs[alg].name, algs[alg].bits / 8, bytes.len);
        return KAPPA_INVALID;
    }
    return one_key(arena, alg, bytes, out);
}

static bool
fits(EVP_PKEY *pkey, kappa_alg_t alg)
{
    int bits = EVP_PKEY_get_bits(pkey);

    return EVP_PKEY_get_base_id(pkey) == algs[alg].type
        && (algs[alg].type == EVP_PKEY_RSA ? bits >= algs[alg].bits
                                           : bits == algs[alg].bits);
}

static kappa_status_t
make_public(kappa_arena_t *arena, kappa_str_t bytes, kappa_alg_t alg,
    kappa_key_set_t *out, kappa_errors_t *errors)
{
    EVP_PKEY *pkey = kappa_pem_read(bytes);

    if (pkey == NULL || !fits(pkey, alg)) {
        bool rsa = algs[alg].type == EVP_PKEY_RSA;

        EVP_PKEY_free(pkey);
        kappa_errors_add(errors, CODE,
            "it has no public key for %s in PEM (%s of %s%d bits)",
            algs[alg].name, rsa ? "RSA" : "EC", rsa ? "at least " : "",
            algs[alg].bits);
        return KAPPA_INVALID;
    }
    kappa_str_t pem = kappa_pem_write(arena, pkey);
    EVP_PKEY_free(pkey);
    return pem.data ? one_key(arena, alg, pem, out) : KAPPA_NOMEM;
}

kappa_status_t
kappa_key_make(kappa_arena_t *arena, kappa_str_t bytes, kappa_alg_t alg,
    kappa_key_set_t *out, kappa_errors_t *errors)
{
    return algs[alg].type == EVP_PKEY_HMAC
        ? make_secret(arena, bytes, alg, out, errors)
        : make_public(arena, bytes, alg, out, errors);
}

kappa_status_t
kappa_key_load(kappa_arena_t *arena, kappa_str_t file, kappa_alg_t alg,
    kappa_key_set_t *out, kappa_errors_t *errors)
{
    if (algs[alg].type == EVP_PKEY_HMAC && file.len > 0
        && file.data[file.len - 1] == '\n') {
        file.len--;
    }
    return kappa_key_make(arena, file, alg, out, errors);
}
