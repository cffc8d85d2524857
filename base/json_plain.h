#ifndef KAPPA_BASE_JSON_PLAIN_H
#define KAPPA_BASE_JSON_PLAIN_H

#include "base/value.h"

/* The JSON that nearly everybody sends, read in one pass without a tree:
 * integers of at most 18 digits, objects of at most 64 members, nesting of at
 * most 32. KAPPA_AGAIN: something else, or a mistake: ask kappa_json_parse,
 * whose verdict stands. What is read is what that gives, in the same order;
 * texts are copied into the arena. KAPPA_NOMEM.
 */
kappa_status_t kappa_json_plain(
    kappa_arena_t *arena, kappa_str_t text, kappa_value_t *out);

/* The same of the value that stands first in *text, which then begins behind
 * it, with no space before. As it was unless KAPPA_OK. */
kappa_status_t kappa_json_plain_first(
    kappa_arena_t *arena, kappa_str_t *text, kappa_value_t *out);

/* s begins behind the quote that opens a string. What stands up to the one
 * that ends it, as it is written; false: none does. */
bool kappa_json_inside(kappa_str_t s, kappa_str_t *inside);

#endif
