#ifndef KAPPA_BASE_BASE64URL_H
#define KAPPA_BASE_BASE64URL_H

#include "base/alloc.h"
#include "base/str.h"

/* Base64 in the URL's alphabet, without padding (RFC 4648, section 5). */

/* Bytes or characters that n characters or bytes come to. */
#define KAPPA_BASE64URL_CHARS(n) (((n)*4 + 2) / 3)
#define KAPPA_BASE64URL_BYTES(n) ((n) / 4 * 3 + (n) % 4 * 3 / 4)

/* Writes KAPPA_BASE64URL_CHARS(bytes.len) characters, no NUL. */
void kappa_base64url_encode(kappa_str_t bytes, char *out);

/* Writes KAPPA_BASE64URL_BYTES(text.len) bytes. False: a character that is
 * none, padding, a length that can't be, or bits set behind the last byte
 * (two texts would be the same bytes). */
bool kappa_base64url_decode(kappa_str_t text, uint8_t *out);

#endif
