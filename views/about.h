#ifndef KAPPA_VIEWS_ABOUT_H
#define KAPPA_VIEWS_ABOUT_H

#include "views/generation.h"

/* The text of a generation's file `about` (views/generation.h). */

bool kappa_about_parse(kappa_str_t text, kappa_about_t *out);
void kappa_about_write(
    kappa_buf_t *buf, const kappa_about_t *about, kappa_str_t schema);

/* "kappa views 2" and what follows, whatever that is. */
bool kappa_about_is_newer(kappa_str_t text);

/* SHA-256 of a text in hexadecimal, with a NUL behind. */
#define KAPPA_DIGEST_CHARS 64
void kappa_digest_of(kappa_str_t text, char out[KAPPA_DIGEST_CHARS + 1]);

#endif
