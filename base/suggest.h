#ifndef KAPPA_BASE_SUGGEST_H
#define KAPPA_BASE_SUGGEST_H

#include "base/str.h"

/* "Did you mean": the names nearest to a misspelt one. Allocates nothing
 * until it is printed; names past 64 bytes are not compared, so the cost of a
 * try is bounded. */

#define KAPPA_SUGGESTIONS_MAX 5

typedef struct {
    kappa_str_t input;
    unsigned threshold; /* edits that still count as near */
    unsigned count;
    struct {
        kappa_str_t name;
        unsigned distance;
    } best[KAPPA_SUGGESTIONS_MAX]; /* the nearest first, then by name */
} kappa_suggest_t;

void kappa_suggest_init(kappa_suggest_t *suggest, kappa_str_t input);

/* option must live until the print. */
void kappa_suggest_try(kappa_suggest_t *suggest, kappa_str_t option);

/* ` Did you mean "a", "b", or "c"?` with a blank before it, to be appended to
 * a message; empty when nothing is near. what ("the enum value"): goes before
 * the names; may be NULL. data is NULL: no memory. */
kappa_str_t kappa_suggest_print(
    const kappa_suggest_t *suggest, kappa_arena_t *arena, const char *what);

#endif
