#ifndef KAPPA_BASE_SUGGEST_H
#define KAPPA_BASE_SUGGEST_H

#include "base/alloc.h"
#include "base/str.h"

/* "Did you mean …?" for a name that does not exist. */

#define KAPPA_SUGGESTIONS_MAX 5

/* The options nearest to input, the nearest first, at most
 * KAPPA_SUGGESTIONS_MAX of them; returns how many. Near is what graphql-js
 * calls near: a Damerau-Levenshtein distance of at most 0.4 of the length,
 * plus one. Names over 64 bytes have none. Costs a few hundred operations an
 * option. */
uint32_t kappa_suggestions(kappa_str_t input, const kappa_str_t *options,
    uint32_t count, kappa_str_t out[KAPPA_SUGGESTIONS_MAX]);

/* ` Did you mean "a", "b", or "c"?`, with its leading space, to stand behind
 * a message; "" when nothing is near. what goes between ("the field", or
 * NULL). Never NULL: without memory it is "". */
kappa_str_t kappa_did_you_mean(kappa_arena_t *arena, const char *what,
    kappa_str_t input, const kappa_str_t *options, uint32_t count);

/* The same for names already chosen. */
kappa_str_t kappa_did_you_mean_these(kappa_arena_t *arena, const char *what,
    const kappa_str_t *names, uint32_t count);

#endif
