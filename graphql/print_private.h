#ifndef KAPPA_GRAPHQL_PRINT_PRIVATE_H
#define KAPPA_GRAPHQL_PRINT_PRIVATE_H

#include "base/buf.h"

/* "…" with escapes. */
void kappa_print_string(kappa_buf_t *buf, kappa_str_t s);

/* Triple quotes around it, each line after the first indented by `indent`
 * blanks. What is read back is the same text when kappa_is_block_string
 * says so. */
void kappa_print_block_string(
    kappa_buf_t *buf, kappa_str_t s, unsigned indent);
bool kappa_is_block_string(kappa_str_t s);

#endif
