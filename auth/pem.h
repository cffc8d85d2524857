#ifndef KAPPA_AUTH_PEM_H
#define KAPPA_AUTH_PEM_H

#include <openssl/evp.h>

#include "base/alloc.h"
#include "base/str.h"

/* Public keys as PEM, the form in which libjwt takes them. */

/* The first public key, or certificate's, in bytes; NULL: none. The caller
 * frees it with EVP_PKEY_free. */
EVP_PKEY *kappa_pem_read(kappa_str_t bytes);

/* data NULL: no memory. */
kappa_str_t kappa_pem_write(kappa_arena_t *arena, EVP_PKEY *pkey);

#endif
