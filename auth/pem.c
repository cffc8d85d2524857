#include "auth/pem.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

EVP_PKEY *
kappa_pem_read(kappa_str_t bytes)
{
    BIO *bio = bytes.len <= INT32_MAX
        ? BIO_new_mem_buf(bytes.data, (int)bytes.len)
        : NULL;
    EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

    if (bio != NULL && pkey == NULL) {
        (void)BIO_reset(bio);
        X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

        pkey = cert ? X509_get_pubkey(cert) : NULL;
        X509_free(cert);
    }
    BIO_free(bio);
    return pkey;
}

kappa_str_t
kappa_pem_write(kappa_arena_t *arena, EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());
    kappa_str_t pem = KAPPA_STR_NULL;
    char *data;

    if (bio != NULL && PEM_write_bio_PUBKEY(bio, pkey)) {
        long len = BIO_get_mem_data(bio, &data);

        pem = kappa_str_dup(arena, kappa_str(data, (size_t)len));
    }
    BIO_free(bio);
    return pem;
}
