#include "proto/etag.h"

#include <openssl/sha.h>

#define TAG_BYTES ((KAPPA_ETAG_CHARS - 2) / 2)

kappa_str_t
kappa_etag(kappa_media_t media, kappa_str_t bytes, char out[KAPPA_ETAG_CHARS])
{
    unsigned char hash[SHA256_DIGEST_LENGTH];

    /* Two types have the same bytes. */
    SHA256((const unsigned char *)(bytes.data ? bytes.data : ""), bytes.len,
        hash);
    hash[0] ^= (unsigned char)media;
    out[0] = out[KAPPA_ETAG_CHARS - 1] = '"';
    kappa_hex_write(out + 1, hash, TAG_BYTES);
    return kappa_str(out, KAPPA_ETAG_CHARS);
}
