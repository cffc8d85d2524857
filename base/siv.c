#include "base/siv.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* CMAC (NIST SP 800-38B) is made of CBC: its last block is the code. Both
 * ciphers keep their key, a message only sets the vector: through libcrypto's
 * own SIV a message costs ten times as much. */

#define BLOCK KAPPA_SIV_TAG_BYTES
#define CHUNK (16 * BLOCK)

typedef struct {
    uint8_t b[BLOCK];
} block_t;

struct kappa_siv_s {
    const kappa_alloc_t *alloc;
    EVP_CIPHER_CTX *cbc;
    EVP_CIPHER_CTX *ctr;
    block_t whole;  /* K1: for a last block that is full */
    block_t padded; /* K2 */
    block_t zero;   /* the code of a block of zeroes, doubled */
};

static const block_t none;

/* --- blocks */

static void
add(block_t *to, const uint8_t *bytes)
{
    for (int i = 0; i < BLOCK; i++) {
        to->b[i] ^= bytes[i];
    }
}

/* In GF(2^128). */
static block_t
doubled(const block_t *in)
{
    uint8_t carry = (uint8_t)(in->b[0] >> 7);
    block_t out;

    for (int i = 0; i < BLOCK - 1; i++) {
        out.b[i] = (uint8_t)(in->b[i] << 1 | in->b[i + 1] >> 7);
    }
    out.b[BLOCK - 1] = (uint8_t)(in->b[BLOCK - 1] << 1 ^ (carry ? 0x87 : 0));
    return out;
}

static block_t
pad(const char *bytes, size_t len)
{
    block_t out = none;

    if (len) {
        memcpy(out.b, bytes, len);
    }
    out.b[len] = 0x80;
    return out;
}

/* --- CMAC */

static bool
start(EVP_CIPHER_CTX *ctx, const block_t *vector)
{
    return EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, vector->b) == 1;
}

static bool
feed(EVP_CIPHER_CTX *ctx, uint8_t *out, const void *in, size_t len)
{
    int written;

    return EVP_EncryptUpdate(ctx, out, &written, in, (int)len) == 1
        && written == (int)len;
}

/* All whole blocks. */
static bool
feed_all(EVP_CIPHER_CTX *ctx, const char *in, size_t len)
{
    uint8_t out[CHUNK];

    while (len > 0) {
        size_t n = len < CHUNK ? len : CHUNK;

        if (!feed(ctx, out, in, n)) {
            return false;
        }
        in += n;
        len -= n;
    }
    return true;
}

/* Of a message and, when tail is not NULL, of it with tail added to its last
 * 16 bytes, which it has then. */
static bool
cmac(kappa_siv_t *siv, kappa_str_t message, const block_t *tail, block_t *out)
{
    size_t whole = message.len ? (message.len - 1) / BLOCK * BLOCK : 0;
    size_t rest = message.len - whole;
    size_t before = tail && rest < BLOCK ? BLOCK : 0;
    uint8_t edge[2 * BLOCK] = { 0 }; /* the block before, if it is needed */
    uint8_t *last = edge + BLOCK;

    if (!start(siv->cbc, &none)
        || !feed_all(siv->cbc, message.data, whole - before)) {
        return false;
    }
    if (before + rest) {
        memcpy(last - before, message.data + whole - before, before + rest);
    }
    for (size_t i = 0; tail && i < BLOCK; i++) {
        edge[rest + i] ^= tail->b[i];
    }
    if (rest < BLOCK) {
        last[rest] = 0x80;
    }
    const block_t *key = rest < BLOCK ? &siv->padded : &siv->whole;
    for (size_t i = 0; i < BLOCK; i++) {
        last[i] ^= key->b[i];
    }
    return (!before || feed(siv->cbc, out->b, edge, BLOCK))
        && feed(siv->cbc, out->b, last, BLOCK);
}

/* --- life */

static bool
prepare(kappa_siv_t *siv, const uint8_t key[KAPPA_SIV_KEY_BYTES])
{
    block_t encrypted = none;

    siv->cbc = EVP_CIPHER_CTX_new();
    siv->ctr = EVP_CIPHER_CTX_new();
    if (!siv->cbc || !siv->ctr
        || EVP_EncryptInit_ex(siv->cbc, EVP_aes_128_cbc(), NULL, key, none.b)
            != 1
        || EVP_EncryptInit_ex(
               siv->ctr, EVP_aes_128_ctr(), NULL, key + BLOCK, none.b)
            != 1
        || !feed(siv->cbc, encrypted.b, none.b, BLOCK)) {
        return false;
    }
    siv->whole = doubled(&encrypted);
    siv->padded = doubled(&siv->whole);
    kappa_str_t zeroes = kappa_str((const char *)none.b, BLOCK);
    if (!cmac(siv, zeroes, NULL, &siv->zero)) {
        return false;
    }
    siv->zero = doubled(&siv->zero);
    return true;
}

kappa_siv_t *
kappa_siv_create(
    const kappa_alloc_t *alloc, const uint8_t key[KAPPA_SIV_KEY_BYTES])
{
    kappa_siv_t *siv = alloc->alloc(alloc->ctx, sizeof(*siv));

    if (siv == NULL) {
        return NULL;
    }
    *siv = (kappa_siv_t){ .alloc = alloc };
    if (!prepare(siv, key)) {
        kappa_siv_destroy(siv);
        return NULL;
    }
    return siv;
}

void
kappa_siv_destroy(kappa_siv_t *siv)
{
    if (siv) {
        EVP_CIPHER_CTX_free(siv->cbc);
        EVP_CIPHER_CTX_free(siv->ctr);
        const kappa_alloc_t *alloc = siv->alloc;
        OPENSSL_cleanse(siv, sizeof(*siv));
        alloc->release(alloc->ctx, siv);
    }
}

/* --- messages */

bool
kappa_siv_context(kappa_siv_t *siv, kappa_str_t text, kappa_siv_context_t *out)
{
    block_t code;

    if (!cmac(siv, text, NULL, &code)) {
        return false;
    }
    add(&code, siv->zero.b);
    memcpy(out->bytes, code.b, BLOCK);
    return true;
}

/* S2V of the context and the message. */
static bool
tag_of(kappa_siv_t *siv, const kappa_siv_context_t *context, kappa_str_t plain,
    block_t *out)
{
    block_t d;

    memcpy(d.b, context->bytes, BLOCK);
    if (plain.len >= BLOCK) {
        return cmac(siv, plain, &d, out);
    }
    d = doubled(&d);
    block_t padded = pad(plain.data, plain.len);
    add(&d, padded.b);
    return cmac(siv, kappa_str((const char *)d.b, BLOCK), NULL, out);
}

static bool
crypt_by(kappa_siv_t *siv, const block_t *tag, kappa_str_t in, uint8_t *out)
{
    block_t counter = *tag;

    counter.b[8] &= 0x7f;
    counter.b[12] &= 0x7f;
    return start(siv->ctr, &counter)
        && (in.len == 0 || feed(siv->ctr, out, in.data, in.len));
}

bool
kappa_siv_seal(kappa_siv_t *siv, const kappa_siv_context_t *context,
    kappa_str_t plain, uint8_t *out)
{
    block_t tag;

    if (!tag_of(siv, context, plain, &tag)) {
        return false;
    }
    memcpy(out, tag.b, BLOCK);
    return crypt_by(siv, &tag, plain, out + BLOCK);
}

bool
kappa_siv_open(kappa_siv_t *siv, const kappa_siv_context_t *context,
    kappa_str_t sealed, uint8_t *out)
{
    block_t given, tag;

    if (sealed.len < BLOCK) {
        return false;
    }
    kappa_str_t in = kappa_str(sealed.data + BLOCK, sealed.len - BLOCK);
    memcpy(given.b, sealed.data, BLOCK);
    return crypt_by(siv, &given, in, out)
        && tag_of(siv, context, kappa_str((const char *)out, in.len), &tag)
        && CRYPTO_memcmp(tag.b, given.b, BLOCK) == 0;
}
