#include "proto/etag.h"

#include <openssl/sha.h>

#define TAG_BYTES ((KAPPA_ETAG_CHARS - 2) / 2)

kappa_str_t
kappa_etag(kappa_media_t media, kappa_str_t bytes, char out[KAPPA_ETAG_CHARS])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[SHA256_DIGEST_LENGTH];

    /* Two types have the same bytes. */
    SHA256((const unsigned char *)(bytes.data ? bytes.data : ""), bytes.len,
        hash);
    hash[0] ^= (unsigned char)media;
    out[0] = out[KAPPA_ETAG_CHARS - 1] = '"';
    for (size_t i = 0; i < TAG_BYTES; i++) {
        out[1 + 2 * i] = digits[hash[i] >> 4];
        out[2 + 2 * i] = digits[hash[i] & 15];
    }
    return kappa_str(out, KAPPA_ETAG_CHARS);
}
