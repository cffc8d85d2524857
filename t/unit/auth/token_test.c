#include "t/unit/test.h"

#include <jwt.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "auth/cache.h"
#include "auth/token.h"
#include "base/base64url.h"
#include "t/unit/alloc_failing.h"

#define NOW 1800000000
#define SECRET "0123456789abcdef0123456789abcdef"

/* Keys of one run: made once, private parts as PEM for libjwt to sign with. */
static struct {
    EVP_PKEY *rsa, *ec;
    char rsa_private[4096], ec_private[1024];
    char rsa_public[2048], ec_public[1024];
} keys;

static void
print_pem(EVP_PKEY *pkey, bool secret, char *out, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;

    if (secret) {
        PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
    } else {
        PEM_write_bio_PUBKEY(bio, pkey);
    }
    long len = BIO_get_mem_data(bio, &data);
    assert_true((size_t)len < size);
    memcpy(out, data, (size_t)len);
    out[len] = '\0';
    BIO_free(bio);
}

static int
make_keys(void **state)
{
    (void)state;
    keys.rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    keys.ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    print_pem(keys.rsa, true, keys.rsa_private, sizeof(keys.rsa_private));
    print_pem(keys.ec, true, keys.ec_private, sizeof(keys.ec_private));
    print_pem(keys.rsa, false, keys.rsa_public, sizeof(keys.rsa_public));
    print_pem(keys.ec, false, keys.ec_public, sizeof(keys.ec_public));
    return 0;
}

static int
free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(keys.rsa);
    EVP_PKEY_free(keys.ec);
    return 0;
}

static kappa_str_t
sign(kappa_arena_t *arena, jwt_alg_t alg, const char *key, const char *kid,
    const char *claims)
{
    jwt_t *jwt;

    assert_int_equal(jwt_new(&jwt), 0);
    assert_int_equal(jwt_add_grants_json(jwt, claims), 0);
    assert_int_equal(jwt_set_alg(jwt, alg, (const unsigned char *)key,
                         key ? (int)strlen(key) : 0),
        0);
    if (kid != NULL) {
        jwt_add_header(jwt, "kid", kid);
    }
    char *text = jwt_encode_str(jwt);
    assert_non_null(text);
    kappa_str_t token = kappa_str_dup(arena, kappa_str_c(text));
    free(text);
    jwt_free(jwt);
    return token;
}

static kappa_issuer_t
issuer(kappa_arena_t *arena, kappa_alg_t alg, const char *key)
{
    kappa_issuer_t is = { .name = KAPPA_STR("https://a"),
        .audience = KAPPA_STR("api"),
        .roles = KAPPA_STR("realm.roles"),
        .leeway_s = 5 };

    assert_int_equal(
        kappa_key_load(arena, kappa_str_c(key), alg, &is.keys, NULL),
        KAPPA_OK);
    return is;
}

static kappa_status_t
verify(kappa_arena_t *arena, const kappa_issuer_t *is, kappa_str_t token,
    kappa_identity_t *out)
{
    const char *reason = NULL;
    kappa_status_t status =
        kappa_token_verify(arena, &is, 1, token, NOW, out, &reason);

    assert_true((status == KAPPA_INVALID) == (reason != NULL));
    return status;
}

#define CLAIMS                                                                \
    "{\"iss\":\"https://a\",\"aud\":[\"x\",\"api\"],\"sub\":\"kim\","         \
    "\"exp\":1800000100,\"realm\":{\"roles\":[\"admin\"]},"                   \
    "\"scope\":\"read  write\"}"

static void
says_who_asks(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    const struct {
        kappa_alg_t alg;
        jwt_alg_t signed_as;
        const char *secret;
        const char *key;
    } cases[] = {
        { KAPPA_ALG_HS256, JWT_ALG_HS256, SECRET, SECRET "\n" },
        { KAPPA_ALG_RS256, JWT_ALG_RS256, keys.rsa_private, keys.rsa_public },
        { KAPPA_ALG_ES256, JWT_ALG_ES256, keys.ec_private, keys.ec_public },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kappa_issuer_t is = issuer(arena, cases[i].alg, cases[i].key);
        kappa_str_t token =
            sign(arena, cases[i].signed_as, cases[i].secret, NULL, CLAIMS);
        kappa_identity_t who;

        assert_int_equal(verify(arena, &is, token, &who), KAPPA_OK);
        assert_str_equal(who.caller.sub, "kim");
        assert_str_equal(who.caller.iss, "https://a");
        assert_int_equal(who.caller.roles.count, 1);
        assert_str_equal(who.caller.roles.as.items[0].as.string, "admin");
        assert_int_equal(who.caller.scopes.count, 2);
        assert_str_equal(who.caller.scopes.as.items[1].as.string, "write");
        assert_true(kappa_caller_has_scope(&who.caller, KAPPA_STR("read")));
        assert_false(kappa_caller_has_scope(&who.caller, KAPPA_STR("rea")));
        assert_false(kappa_caller_has_scope(&who.caller, KAPPA_STR("")));
        assert_int_equal(who.expires_s, 1800000105);
        assert_non_null(
            kappa_value_member(&who.caller.claims, KAPPA_STR("realm")));
    }
    kappa_arena_destroy(arena);
}

static void
nobody_has_a_scope(void **state)
{
    kappa_caller_t anonymous = { .sub = KAPPA_STR_NULL };

    (void)state;
    assert_false(kappa_caller_has_scope(&anonymous, KAPPA_STR("read")));
}

static void
refuses_wrong_claims(void **state)
{
    static const char *const cases[] = {
        "{\"iss\":\"https://b\",\"aud\":\"api\"}",
        "{\"aud\":\"api\"}",
        "{\"iss\":\"https://a\"}",
        "{\"iss\":\"https://a\",\"aud\":\"other\"}",
        "{\"iss\":\"https://a\",\"aud\":\"api\",\"exp\":1799999995}",
        "{\"iss\":\"https://a\",\"aud\":\"api\",\"exp\":\"soon\"}",
        "{\"iss\":\"https://a\",\"aud\":\"api\",\"nbf\":1800000006}",
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_issuer_t is = issuer(arena, KAPPA_ALG_HS256, SECRET);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kappa_identity_t who;
        kappa_str_t token = sign(arena, JWT_ALG_HS256, SECRET, NULL, cases[i]);

        if (verify(arena, &is, token, &who) != KAPPA_INVALID) {
            fail_msg("%s", cases[i]);
        }
    }
    kappa_arena_destroy(arena);
}

static void
refuses_forged_tokens(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_issuer_t hs = issuer(arena, KAPPA_ALG_HS256, SECRET);
    kappa_issuer_t rs = issuer(arena, KAPPA_ALG_RS256, keys.rsa_public);
    kappa_identity_t who;
    kappa_str_t good = sign(arena, JWT_ALG_HS256, SECRET, NULL, CLAIMS);

    (void)state;
    /* Another secret; no signature; the public key as a secret. */
    assert_int_equal(
        verify(arena, &hs,
            sign(arena, JWT_ALG_HS256, "another secret of thirty-two bytes",
                NULL, CLAIMS),
            &who),
        KAPPA_INVALID);
    assert_int_equal(verify(arena, &hs,
                         sign(arena, JWT_ALG_NONE, NULL, NULL, CLAIMS), &who),
        KAPPA_INVALID);
    assert_int_equal(
        verify(arena, &rs,
            sign(arena, JWT_ALG_HS256, keys.rsa_public, NULL, CLAIMS), &who),
        KAPPA_INVALID);
    /* Every prefix, and every character changed. */
    for (size_t i = 0; i < good.len; i++) {
        kappa_str_t bad = kappa_str_dup(arena, good);

        assert_int_equal(
            verify(arena, &hs, kappa_str(good.data, i), &who), KAPPA_INVALID);
        ((char *)bad.data)[i] = good.data[i] == 'A' ? 'B' : 'A';
        assert_int_equal(verify(arena, &hs, bad, &who), KAPPA_INVALID);
    }
    kappa_arena_destroy(arena);
}

static void
refuses_what_is_no_token(void **state)
{
    static const char *const cases[] = { "", ".", "..", "...", "a.b.c",
        "e30.e30.", "e30.e30.AAAA", "bnVsbA.bnVsbA.AAAA", "W10.W10.",
        "eyJhbGciOjF9.e30." };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_issuer_t is = issuer(arena, KAPPA_ALG_HS256, SECRET);
    kappa_identity_t who;
    char *huge = malloc(KAPPA_TOKEN_BYTES_MAX + 1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(
            verify(arena, &is, kappa_str_c(cases[i]), &who), KAPPA_INVALID);
    }
    memset(huge, 'a', KAPPA_TOKEN_BYTES_MAX + 1);
    assert_int_equal(
        verify(arena, &is, kappa_str(huge, KAPPA_TOKEN_BYTES_MAX + 1), &who),
        KAPPA_INVALID);
    free(huge);
    kappa_arena_destroy(arena);
}

/* --- key sets --- */

static kappa_str_t
big_number(kappa_arena_t *arena, EVP_PKEY *pkey, const char *name)
{
    BIGNUM *bn = NULL;
    uint8_t bytes[512];

    assert_true(EVP_PKEY_get_bn_param(pkey, name, &bn));
    int len =
        pkey == keys.ec ? BN_bn2binpad(bn, bytes, 32) : BN_bn2bin(bn, bytes);
    BN_free(bn);
    char *text = kappa_arena_zalloc(arena, 1024);
    kappa_base64url_encode(kappa_str((char *)bytes, (size_t)len), text);
    return kappa_str_c(text);
}

static kappa_str_t
key_set(kappa_arena_t *arena)
{
    kappa_str_t n = big_number(arena, keys.rsa, OSSL_PKEY_PARAM_RSA_N);
    kappa_str_t e = big_number(arena, keys.rsa, OSSL_PKEY_PARAM_RSA_E);
    kappa_str_t x = big_number(arena, keys.ec, OSSL_PKEY_PARAM_EC_PUB_X);
    kappa_str_t y = big_number(arena, keys.ec, OSSL_PKEY_PARAM_EC_PUB_Y);

    return kappa_str_printf(arena,
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"},"
        "{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"%.*s\",\"e\":\"%.*s\"},"
        "{\"kty\":\"RSA\",\"kid\":\"r\",\"use\":\"sig\",\"n\":\"%.*s\","
        "\"e\":\"%.*s\"},{\"kty\":\"EC\",\"kid\":\"e\",\"crv\":\"P-256\","
        "\"x\":\"%.*s\",\"y\":\"%.*s\"}]}",
        KAPPA_STR_ARG(n), KAPPA_STR_ARG(e), KAPPA_STR_ARG(n), KAPPA_STR_ARG(e),
        KAPPA_STR_ARG(x), KAPPA_STR_ARG(y));
}

static void
takes_keys_from_a_set(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_issuer_t is = { .name = KAPPA_STR("https://a") };
    kappa_identity_t who;

    (void)state;
    assert_int_equal(
        kappa_keys_load_jwks(arena, key_set(arena), &is.keys, NULL), KAPPA_OK);
    assert_int_equal(is.keys.count, 2);
    assert_int_equal(
        verify(arena, &is,
            sign(arena, JWT_ALG_RS256, keys.rsa_private, "r", CLAIMS), &who),
        KAPPA_OK);
    assert_int_equal(
        verify(arena, &is,
            sign(arena, JWT_ALG_ES256, keys.ec_private, "e", CLAIMS), &who),
        KAPPA_OK);
    assert_int_equal(
        verify(arena, &is,
            sign(arena, JWT_ALG_ES256, keys.ec_private, "other", CLAIMS),
            &who),
        KAPPA_INVALID);
    kappa_arena_destroy(arena);
}

static void
refuses_bad_keys(void **state)
{
    static const char *const sets[] = { "", "{", "[]", "{}", "{\"keys\":1}",
        "{\"keys\":[]}", "{\"keys\":[1,{},{\"kty\":\"RSA\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\","
        "\"y\":\"AA\"}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AA\"}]}" };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_key_set_t set;
    kappa_errors_t errors;

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        if (kappa_keys_load_jwks(arena, kappa_str_c(sets[i]), &set, &errors)
            != KAPPA_INVALID) {
            fail_msg("%s", sets[i]);
        }
        assert_int_equal(errors.count, i + 1);
    }
    assert_int_equal(kappa_key_load(arena, KAPPA_STR("short"), KAPPA_ALG_HS256,
                         &set, &errors),
        KAPPA_INVALID);
    assert_int_equal(kappa_key_load(arena, KAPPA_STR("no PEM"),
                         KAPPA_ALG_RS256, &set, &errors),
        KAPPA_INVALID);
    assert_int_equal(kappa_key_load(arena, kappa_str_c(keys.ec_public),
                         KAPPA_ALG_RS256, &set, &errors),
        KAPPA_INVALID);
    assert_int_equal(kappa_key_load(arena, kappa_str_c(keys.ec_public),
                         KAPPA_ALG_ES384, &set, &errors),
        KAPPA_INVALID);
    kappa_arena_destroy(arena);
}

/* --- the cache --- */

static kappa_status_t
ask(kappa_token_cache_t *cache, const kappa_issuer_t *is, kappa_str_t token,
    int64_t now_s)
{
    const kappa_identity_t *who = NULL;
    const char *reason;
    kappa_status_t status =
        kappa_token_cache_verify(cache, &is, 1, token, now_s, &who, &reason);

    if (status == KAPPA_OK) {
        assert_str_equal(who->caller.sub, "kim");
    }
    kappa_identity_release(who);
    return status;
}

static void
remembers_good_tokens_until_they_expire(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_issuer_t hs = issuer(arena, KAPPA_ALG_HS256, SECRET);
    const kappa_issuer_t *is = &hs;
    kappa_token_cache_t *cache =
        kappa_token_cache_create(&kappa_alloc_libc, 2);
    kappa_str_t a = sign(arena, JWT_ALG_HS256, SECRET, NULL, CLAIMS);
    kappa_str_t b = sign(arena, JWT_ALG_HS256, SECRET, "b", CLAIMS);
    kappa_str_t c = sign(arena, JWT_ALG_HS256, SECRET, "c", CLAIMS);

    (void)state;
#define ASK(token, now) ask(cache, is, token, now)
    assert_int_equal(ASK(a, NOW), KAPPA_OK);
    assert_int_equal(ASK(a, NOW), KAPPA_OK);
    assert_int_equal(kappa_token_cache_stats(cache).hits, 1);
    assert_int_equal(ASK(kappa_str(a.data, a.len - 1), NOW), KAPPA_INVALID);
    assert_int_equal(kappa_token_cache_stats(cache).count, 1);
    assert_int_equal(ASK(b, NOW), KAPPA_OK);
    assert_int_equal(ASK(a, NOW), KAPPA_OK);
    assert_int_equal(ASK(c, NOW), KAPPA_OK); /* b goes */
    assert_int_equal(kappa_token_cache_stats(cache).count, 2);
    assert_int_equal(ASK(a, NOW), KAPPA_OK);
    assert_int_equal(kappa_token_cache_stats(cache).hits, 3);
    assert_int_equal(ASK(a, 1800000105), KAPPA_INVALID);
    assert_int_equal(kappa_token_cache_stats(cache).count, 1);
    kappa_token_cache_clear(cache);
    assert_int_equal(kappa_token_cache_stats(cache).count, 0);
#undef ASK
    kappa_token_cache_destroy(cache);
    kappa_arena_destroy(arena);
}

static kappa_status_t
verify_once(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_token_cache_t *cache = kappa_token_cache_create(alloc, 2);
    const kappa_issuer_t *is = ctx;
    const kappa_identity_t *who = NULL;
    const char *reason;

    if (cache == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_status_t status = kappa_token_cache_verify(cache, &is, 1,
        sign(arena, JWT_ALG_HS256, SECRET, NULL, CLAIMS), NOW, &who, &reason);
    kappa_arena_destroy(arena);
    kappa_identity_release(who);
    kappa_token_cache_destroy(cache);
    return status;
}

static void
survives_want_of_memory(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_issuer_t is = issuer(arena, KAPPA_ALG_HS256, SECRET);

    (void)state;
    kappa_alloc_failing_each(verify_once, &is);
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_who_asks),
        cmocka_unit_test(nobody_has_a_scope),
        cmocka_unit_test(refuses_wrong_claims),
        cmocka_unit_test(refuses_forged_tokens),
        cmocka_unit_test(refuses_what_is_no_token),
        cmocka_unit_test(takes_keys_from_a_set),
        cmocka_unit_test(refuses_bad_keys),
        cmocka_unit_test(remembers_good_tokens_until_they_expire),
        cmocka_unit_test(survives_want_of_memory),
    };

    return cmocka_run_group_tests_name(
        "auth/token", tests, make_keys, free_keys);
}
