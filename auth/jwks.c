#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include "auth/key.h"
#include "auth/pem.h"
#include "base/base64url.h"
#include "base/json.h"

/* JSON Web Key Sets: a set's keys become PEM once, when it is loaded. */

#define CODE "INVALID_KEY"
#define KEYS_MAX 64
#define NUMBER_BYTES_MAX 1024

static kappa_str_t
text_of(const kappa_value_t *jwk, const char *name)
{
    const kappa_value_t *v = kappa_value_member(jwk, kappa_str_c(name));

    return v != NULL && v->kind == KAPPA_STRING ? v->as.string
                                                : KAPPA_STR_NULL;
}

/* A base64url member's bytes; data NULL: none, or not right. */
static kappa_str_t
bytes_of(kappa_arena_t *arena, const kappa_value_t *jwk, const char *name)
{
    kappa_str_t text = text_of(jwk, name);
    size_t len = KAPPA_BASE64URL_BYTES(text.len);

    if (text.data == NULL || len == 0 || len > NUMBER_BYTES_MAX) {
        return KAPPA_STR_NULL;
    }
    uint8_t *bytes = kappa_arena_bytes(arena, len + 1);
    if (bytes == NULL || !kappa_base64url_decode(text, bytes)) {
        return KAPPA_STR_NULL;
    }
    bytes[len] = '\0';
    return kappa_str((char *)bytes, len);
}

static EVP_PKEY *
make_pkey(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *pkey = NULL;

    if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) <= 0
        || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0) {
        pkey = NULL;
    }
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static BIGNUM *
number(kappa_str_t bytes)
{
    return BN_bin2bn((const unsigned char *)bytes.data, (int)bytes.len, NULL);
}

static EVP_PKEY *
rsa_pkey(kappa_arena_t *arena, const kappa_value_t *jwk)
{
    kappa_str_t n = bytes_of(arena, jwk, "n");
    kappa_str_t e = bytes_of(arena, jwk, "e");

    if (n.data == NULL || e.data == NULL) {
        return NULL;
    }
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *modulus = number(n), *exponent = number(e);
    EVP_PKEY *pkey = NULL;

    if (build != NULL && modulus != NULL && exponent != NULL
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus)
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent)) {
        pkey = make_pkey("RSA", build);
    }
    BN_free(modulus);
    BN_free(exponent);
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

static const struct {
    const char *name;
    const char *group;
    size_t bytes; /* of a coordinate */
    const char *alg;
} curves[] = {
    { "P-256", "prime256v1", 32, "ES256" },
    { "P-384", "secp384r1", 48, "ES384" },
    { "P-521", "secp521r1", 66, "ES512" },
};

#define CURVES (sizeof(curves) / sizeof(curves[0]))

static size_t
curve_of(const kappa_value_t *jwk)
{
    kappa_str_t name = text_of(jwk, "crv");
    size_t i = 0;

    while (i < CURVES && !kappa_str_eq_c(name, curves[i].name)) {
        i++;
    }
    return i;
}

static EVP_PKEY *
ec_pkey(kappa_arena_t *arena, const kappa_value_t *jwk)
{
    kappa_str_t x = bytes_of(arena, jwk, "x");
    kappa_str_t y = bytes_of(arena, jwk, "y");
    size_t i = curve_of(jwk);
    unsigned char point[1 + 2 * 66];

    if (i == CURVES || x.len != curves[i].bytes || y.len != curves[i].bytes) {
        return NULL;
    }
    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    memcpy(point + 1, x.data, x.len);
    memcpy(point + 1 + x.len, y.data, y.len);

    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;

    if (build != NULL
        && OSSL_PARAM_BLD_push_utf8_string(
            build, OSSL_PKEY_PARAM_GROUP_NAME, curves[i].group, 0)
        && OSSL_PARAM_BLD_push_octet_string(
            build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * x.len)) {
        pkey = make_pkey("EC", build);
    }
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

static kappa_str_t
pem_of(kappa_arena_t *arena, EVP_PKEY *pkey)
{
    kappa_str_t pem = pkey ? kappa_pem_write(arena, pkey) : KAPPA_STR_NULL;

    EVP_PKEY_free(pkey);
    return pem;
}

/* The algorithm a key is for: what it says, else what its kind is mostly
 * used for. */
static bool
alg_of(const kappa_value_t *jwk, kappa_alg_t *out)
{
    kappa_str_t said = text_of(jwk, "alg");
    kappa_str_t kind = text_of(jwk, "kty");
    size_t curve = curve_of(jwk);

    if (said.data != NULL) {
        return kappa_alg_parse(said, out);
    }
    if (kappa_str_eq_c(kind, "RSA")) {
        *out = KAPPA_ALG_RS256;
        return true;
    }
    if (kappa_str_eq_c(kind, "EC") && curve < CURVES) {
        return kappa_alg_parse(kappa_str_c(curves[curve].alg), out);
    }
    return false;
}

static bool
for_signatures(const kappa_value_t *jwk)
{
    kappa_str_t use = text_of(jwk, "use");

    return use.data == NULL || kappa_str_eq_c(use, "sig");
}

/* KAPPA_NOT_FOUND: a key that is not for us. */
static kappa_status_t
read_jwk(kappa_arena_t *arena, const kappa_value_t *jwk, kappa_key_t *out)
{
    kappa_str_t kind = text_of(jwk, "kty");
    kappa_str_t id = text_of(jwk, "kid");
    kappa_str_t bytes = KAPPA_STR_NULL;
    kappa_key_set_t checked;
    kappa_alg_t alg;

    if (jwk->kind != KAPPA_OBJECT || !for_signatures(jwk)
        || !alg_of(jwk, &alg)) {
        return KAPPA_NOT_FOUND;
    }
    if (kappa_str_eq_c(kind, "RSA")) {
        bytes = pem_of(arena, rsa_pkey(arena, jwk));
    } else if (kappa_str_eq_c(kind, "EC")) {
        bytes = pem_of(arena, ec_pkey(arena, jwk));
    } else if (kappa_str_eq_c(kind, "oct")) {
        bytes = bytes_of(arena, jwk, "k");
    }
    if (bytes.data == NULL) {
        return KAPPA_NOT_FOUND;
    }
    kappa_status_t status = kappa_key_make(arena, bytes, alg, &checked, NULL);
    if (status != KAPPA_OK) {
        return status == KAPPA_INVALID ? KAPPA_NOT_FOUND : status;
    }
    *out = checked.keys[0];
    out->id = id;
    return KAPPA_OK;
}

kappa_status_t
kappa_keys_load_jwks(kappa_arena_t *arena, kappa_str_t json,
    kappa_key_set_t *out, kappa_errors_t *errors)
{
    kappa_str_t message = KAPPA_STR_NULL;
    kappa_value_t set;
    kappa_status_t status = kappa_json_parse(arena, json, &set, &message);

    *out = (kappa_key_set_t){ .count = 0 };
    if (status == KAPPA_INVALID) {
        kappa_errors_add(errors, CODE, "the key set is no JSON: %.*s",
            KAPPA_STR_ARG(message));
    }
    if (status != KAPPA_OK) {
        return status;
    }
    const kappa_value_t *keys = kappa_value_member(&set, KAPPA_STR("keys"));
    uint32_t count =
        keys != NULL && keys->kind == KAPPA_LIST ? keys->count : 0;

    count = count < KEYS_MAX ? count : KEYS_MAX;
    out->keys = KAPPA_NEW_ARRAY(arena, kappa_key_t, count + 1);
    if (out->keys == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        status = read_jwk(arena, &keys->as.items[i], &out->keys[out->count]);
        if (status == KAPPA_OK) {
            out->count++;
        } else if (status != KAPPA_NOT_FOUND) {
            return status;
        }
    }
    if (out->count == 0) {
        kappa_errors_add(errors, CODE,
            "the key set has no key that kappa can use "
            "(RSA of at least 2048 bits, EC, or oct)");
        return KAPPA_INVALID;
    }
    return KAPPA_OK;
}
