#include "t/unit/test.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/siv.h"

static void
unhex(const char *hex, uint8_t *out)
{
    for (; *hex; hex += 2) {
        unsigned byte;

        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        *out++ = (uint8_t)byte;
    }
}

static const char key_hex[] =
    "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

static kappa_siv_t *
create(const char *hex)
{
    uint8_t key[KAPPA_SIV_KEY_BYTES];

    unhex(hex, key);
    kappa_siv_t *siv = kappa_siv_create(&kappa_alloc_libc, key);
    assert_non_null(siv);
    return siv;
}

/* RFC 5297, A.1 */
static void
gives_what_the_rfc_says(void **state)
{
    uint8_t text[24], plain[14], want[30], out[30], back[14];
    kappa_siv_t *siv = create(key_hex);
    kappa_siv_context_t context;

    (void)state;
    unhex("101112131415161718191a1b1c1d1e1f2021222324252627", text);
    unhex("112233445566778899aabbccddee", plain);
    unhex(
        "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c", want);
    assert_true(kappa_siv_context(
        siv, kappa_str((const char *)text, sizeof(text)), &context));
    assert_true(kappa_siv_seal(
        siv, &context, kappa_str((const char *)plain, sizeof(plain)), out));
    assert_memory_equal(out, want, sizeof(want));
    assert_true(kappa_siv_open(
        siv, &context, kappa_str((const char *)out, sizeof(out)), back));
    assert_memory_equal(back, plain, sizeof(plain));
    kappa_siv_destroy(siv);
}

static void
seal_by_libcrypto(EVP_CIPHER *cipher, const uint8_t *key, kappa_str_t text,
    kappa_str_t plain, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len;

    assert_int_equal(EVP_EncryptInit_ex2(ctx, cipher, key, NULL, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &len,
                         (const unsigned char *)text.data, (int)text.len),
        1);
    assert_int_equal(EVP_EncryptUpdate(ctx, out + KAPPA_SIV_TAG_BYTES, &len,
                         (const unsigned char *)plain.data, (int)plain.len),
        1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(
                         ctx, EVP_CTRL_AEAD_GET_TAG, KAPPA_SIV_TAG_BYTES, out),
        1);
    EVP_CIPHER_CTX_free(ctx);
}

/* Every length around the blocks' edges; libcrypto takes none of 0. */
static void
agrees_with_libcrypto(void **state)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-SIV", NULL);
    kappa_siv_t *siv = create(key_hex);
    uint8_t key[KAPPA_SIV_KEY_BYTES];
    uint8_t is[700], want[700], back[700];
    char bytes[700];

    (void)state;
    assert_non_null(cipher);
    unhex(key_hex, key);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i * 151 + i / 7);
    }
    for (size_t len = 1; len < 640; len += len < 100 ? 1 : 37) {
        kappa_str_t text = kappa_str(bytes + len % 5, 640 - len);
        kappa_str_t plain = kappa_str(bytes + len % 3, len);
        kappa_siv_context_t context;

        assert_true(kappa_siv_context(siv, text, &context));
        assert_true(kappa_siv_seal(siv, &context, plain, is));
        seal_by_libcrypto(cipher, key, text, plain, want);
        assert_memory_equal(is, want, len + KAPPA_SIV_TAG_BYTES);
        assert_true(kappa_siv_open(siv, &context,
            kappa_str((const char *)is, len + KAPPA_SIV_TAG_BYTES), back));
        assert_memory_equal(back, plain.data, len);
    }
    EVP_CIPHER_free(cipher);
    kappa_siv_destroy(siv);
}

static void
refuses_what_was_touched(void **state)
{
    kappa_siv_t *siv = create(key_hex);
    kappa_siv_t *other = create(
        "0ffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    kappa_siv_context_t here, there, key;
    uint8_t out[64], back[64];

    (void)state;
    assert_true(kappa_siv_context(siv, KAPPA_STR("here"), &here));
    assert_true(kappa_siv_context(siv, KAPPA_STR("there"), &there));
    assert_true(kappa_siv_context(other, KAPPA_STR("here"), &key));
    for (size_t len = 0; len <= 40; len += 8) {
        kappa_str_t plain =
            kappa_str("abcdefghijklmnopqrstuvwxyz0123456789ABCD", len);
        kappa_str_t sealed =
            kappa_str((const char *)out, len + KAPPA_SIV_TAG_BYTES);

        assert_true(kappa_siv_seal(siv, &here, plain, out));
        assert_true(kappa_siv_open(siv, &here, sealed, back));
        assert_false(kappa_siv_open(siv, &there, sealed, back));
        assert_false(kappa_siv_open(other, &key, sealed, back));
        for (size_t i = 0; i < 8 * sealed.len; i++) {
            out[i / 8] ^= (uint8_t)(1 << i % 8);
            assert_false(kappa_siv_open(siv, &here, sealed, back));
            out[i / 8] ^= (uint8_t)(1 << i % 8);
        }
        for (size_t cut = 0; cut < sealed.len; cut++) {
            assert_false(kappa_siv_open(
                siv, &here, kappa_str((const char *)out, cut), back));
        }
    }
    kappa_siv_destroy(siv);
    kappa_siv_destroy(other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_the_rfc_says),
        cmocka_unit_test(agrees_with_libcrypto),
        cmocka_unit_test(refuses_what_was_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
