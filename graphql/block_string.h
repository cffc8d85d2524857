#ifndef KAPPA_GRAPHQL_BLOCK_STRING_H
#define KAPPA_GRAPHQL_BLOCK_STRING_H

#include "base/str.h"

/* The value of a block string from what stands between its quotes
 * (specification section 2.9.4, BlockStringValue): common indentation and
 * blank lines around it removed, \""" unescaped, lines joined by \n. data is
 * NULL: no memory. */
kappa_str_t kappa_block_string_value(kappa_arena_t *arena, kappa_str_t raw);

#endif
